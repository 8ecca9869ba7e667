/* SPDX-License-Identifier: Apache-2.0 */
/* Does a storage keep what mgchain/storage.h asks of it?  A host runs this on its own:
 *
 *   storage_maker mine = {.user = ..., .open = ..., .close = ...};
 *   return storage_check("mine", &mine) > 0;
 *
 * It needs an empty store.  What only a loss of power can show it cannot try; it does look that what was synced is there
 * after closing and opening, and that a ledger lives on it. */
#ifndef EXAMPLES_STORAGE_CHECK_H
#define EXAMPLES_STORAGE_CHECK_H

#include <mgchain/ledger.h>

typedef struct storage_maker {
    void *user;
    /* A new handle on the one store; two may be open at a time. */
    mgc_status (*open)(void *user, mgc_storage_ops *ops, void **store);
    void (*close)(void *user, void *store);
} storage_maker;

/* Prints TAP lines to stdout; answers how many checks failed. */
int storage_check(const char *name, const storage_maker *maker);

#endif
