/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_FILE_H
#define IO_FILE_H

#include "io/memory.h"

/* Read a whole file of at most max bytes into *bytes (released by mgc_ctx_release(), terminated).
 * MGC_E_NOT_FOUND, MGC_E_IO, MGC_E_TOO_LARGE, MGC_E_NO_MEMORY; *why is then static text. */
mgc_status mgc__file_read(mgc_ctx *ctx, const char *path, size_t max, char **bytes, size_t *len, const char **why);

#endif
