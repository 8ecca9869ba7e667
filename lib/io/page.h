/* SPDX-License-Identifier: Apache-2.0 */
/* What every page of a report has: head with style, tables, foot. */
#ifndef IO_PAGE_H
#define IO_PAGE_H

#include "io/text.h"
#include "mgchain/report.h"

/* Up to and with the heading; everything after it goes into <main>. */
void mgc_io__page_head(mgc__text *t, const char *title, const char *heading);
void mgc_io__page_table(mgc__text *t, const mgc_report_table *table);
void mgc_io__page_foot(mgc__text *t, const char *made_by); /* made_by may be NULL */

#endif
