/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_UTF8_H
#define IO_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, surrogates or values above U+10FFFF. */
bool mgc__io_utf8_valid(const char *text, size_t len);

#endif
