/* SPDX-License-Identifier: Apache-2.0 */
/* Text that grows, and numbers in it that look the same in every locale. */
#ifndef IO_TEXT_H
#define IO_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mgc_io__text {
    char *bytes; /* NUL-terminated when not NULL */
    size_t len, cap;
    bool failed; /* no memory: everything after it is dropped */
} mgc_io__text;

void mgc_io__text_free(mgc_io__text *t);
void mgc_io__put(mgc_io__text *t, const char *bytes, size_t len);
void mgc_io__puts(mgc_io__text *t, const char *text);
/* No floating-point conversions: their decimal point is the locale's.  Use mgc_io__fixed(). */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void mgc_io__printf(mgc_io__text *t, const char *format, ...);
/* x rounded to so many decimals (0..6), with a point; grouped: thin spaces between thousands. */
void mgc_io__fixed(mgc_io__text *t, double x, unsigned decimals, bool grouped);
/* Text for HTML and XML: & < > " ' escaped. */
void mgc_io__escaped(mgc_io__text *t, const char *text);

#endif
