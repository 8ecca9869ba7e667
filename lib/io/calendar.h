/* SPDX-License-Identifier: Apache-2.0 */
/* Times as texts: RFC 3339 in, seconds since 1970 inside, UTC out.  No time zone data, no clock, no leap seconds. */
#ifndef IO_CALENDAR_H
#define IO_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MGC__TIME_TEXT = 24 };

/* "2019-07-16T02:00:00+02:00", "2019-07-16 00:00:00Z", seconds optional; without a zone where zone_optional (the
 * column or key says UTC).  Years 1970 to 9999. */
bool mgc__time_parse(const char *text, bool zone_optional, int64_t *seconds);
/* "2019-07-16" */
bool mgc__date_parse(const char *text, int64_t *seconds);
/* "2019-07-16T00:00:00Z" */
void mgc__time_format(int64_t seconds, char text[MGC__TIME_TEXT]);
void mgc__date_format(int64_t seconds, char text[MGC__TIME_TEXT]);

#endif
