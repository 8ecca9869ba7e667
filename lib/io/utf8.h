/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_UTF8_H
#define IO_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, surrogates or values above U+10FFFF. */
size_t mgc__io_utf8_prefix(const char *text, size_t len); /* bytes before the first that is not; len: none */

/* Line and character of a byte, each from 1. */
void mgc__io_utf8_place(const char *text, size_t offset, uint32_t *line, uint32_t *column);

#endif
