/* SPDX-License-Identifier: Apache-2.0 */
/* An ordered map from byte strings to byte strings: a B-tree of pointers to items.
 *
 * Ordered, not hashed: every walk has one order on every member, and nobody can choose keys that make it slow. */
#ifndef LEDGER_TREE_H
#define LEDGER_TREE_H

#include "base/base.h"

typedef struct mgc__item {
    struct mgc__item *next; /* in the list of what a day's close had */
    uint32_t key_len;
    uint32_t value_len;
    uint32_t epoch;  /* which days' closes it stood in; 0: of a block that is not settled */
    bool absent;     /* a place kept for a removed key until its block is settled */
    uint8_t bytes[]; /* key, then value */
} mgc__item;

typedef struct mgc__tree {
    mgc_ctx *ctx;
    struct mgc__node *root;
    uint64_t n;
} mgc__tree;

mgc__item *mgc__item_create(mgc_ctx *ctx, const void *key, size_t key_len, const void *value, size_t value_len);
static inline const uint8_t *mgc__item_value(const mgc__item *item)
{
    return item->bytes + item->key_len;
}

int mgc__key_compare(const void *a, size_t a_len, const void *b, size_t b_len);

void mgc__tree_init(mgc__tree *tree, mgc_ctx *ctx);
void mgc__tree_free(mgc__tree *tree); /* items too */

mgc__item *mgc__tree_get(const mgc__tree *tree, const void *key, size_t key_len);
/* The first item whose key is greater than key, or not less where inclusive; NULL where there is none. */
mgc__item *mgc__tree_after(const mgc__tree *tree, const void *key, size_t key_len, bool inclusive);
/* Put an item, which is taken; *old is the one that had its key, now the caller's, or NULL.
 * false on lack of memory, tree unchanged; never where the key is there already. */
bool mgc__tree_put(mgc__tree *tree, mgc__item *item, mgc__item **old);
/* Put an item whose key is greater than all there are, which is taken; false on lack of memory or where it is not. */
bool mgc__tree_append(mgc__tree *tree, mgc__item *item);
/* Take the item of a key out; the caller's; NULL where there is none.  Never fails. */
mgc__item *mgc__tree_remove(mgc__tree *tree, const void *key, size_t key_len);

#endif
