/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger's storage inside an SQLite database: one file to copy, and backups by SQLite's own means.
 *
 * What was appended since the last sync is an open transaction; sync() commits it.  So a loss of power takes what was not
 * synced as a whole, which is more than the library asks for.  The lock is a second database beside the first, so that
 * others may read while one writes. */
#ifndef EXAMPLES_SQLITE_STORAGE_H
#define EXAMPLES_SQLITE_STORAGE_H

#include <mgchain/storage.h>

/* Fill ops and *user; free with sqlite_storage_destroy() after the ledger.  MGC_OK or MGC_E_IO, MGC_E_NO_MEMORY. */
mgc_status sqlite_storage(const char *path, mgc_storage_ops *ops, void **user);
void sqlite_storage_destroy(void *user);
/* What went wrong last, in SQLite's words. */
const char *sqlite_storage_error(void *user);

#endif
