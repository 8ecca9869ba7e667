/* SPDX-License-Identifier: Apache-2.0 */
/* Files that the library carries; the arrays are written by builtin/embed.py when it is built. */
#ifndef IO_BUILTIN_H
#define IO_BUILTIN_H

#include <stddef.h>
#include <stdint.h>

typedef struct mgc__builtin_file {
    const char *name;
    const uint8_t *bytes;
    size_t len;
} mgc__builtin_file;

extern const mgc__builtin_file mgc__builtin[];
extern const size_t mgc__builtin_count;

#endif
