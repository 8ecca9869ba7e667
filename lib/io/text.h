/* SPDX-License-Identifier: Apache-2.0 */
/* What the report puts into a text besides plain bytes: rounded numbers, and words that may hold markup. */
#ifndef IO_TEXT_H
#define IO_TEXT_H

#include "io/memory.h"

/* x rounded to so many decimals (0..6), with a point; grouped: thin spaces between thousands, a true minus sign. */
void mgc__text_fixed(mgc__text *t, double x, unsigned decimals, bool grouped);
/* Text for HTML and XML: & < > " ' escaped. */
void mgc__text_escaped(mgc__text *t, const char *text);

#endif
