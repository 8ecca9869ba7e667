/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger's tests share: a disk that can lose power, a heap that can run dry, and a small contract. */
#ifndef TESTS_LEDGER_WORLD_H
#define TESTS_LEDGER_WORLD_H

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/cbor.h"
#include "crypto/crypto.h"
#include "ledger/chain.h"
#include "ledger/exec.h"
#include "mgchain/ledger.h"

/* --- a heap that fails once ---------------------------------------------------------------------- */

struct heap {
    long until_fault; /* < 0: never */
    long faults, live;
};

mgc_allocator heap_allocator(struct heap *heap);

/* --- a disk that can lose power ------------------------------------------------------------------ */

enum { DISK_FILES = 128 };

struct disk {
    struct disk_file {
        char name[MGC_STORAGE_NAME_MAX + 1];
        uint8_t *bytes;
        size_t size, synced, cap;
        bool name_synced;
    } files[DISK_FILES];
    size_t n;
    long calls, fault_at; /* the fault_at-th call (from 0) that changes or reads fails; < 0: never */
    int32_t fault;        /* with this answer */
    bool short_write;     /* a failing append leaves half of its bytes */
    bool dead;            /* power is gone: every call fails */
    bool die;             /* the fault is a loss of power */
    bool locked;
    uint64_t room;        /* bytes that still fit; UINT64_MAX */
};

void disk_init(struct disk *d);
void disk_free(struct disk *d);
extern const mgc_storage_ops disk_ops;
/* Power loss: of what was not synced any prefix survives, any byte of it may be torn; new names may vanish. */
void disk_crash(struct disk *d, mgc__rng *rng);
void disk_copy(struct disk *to, const struct disk *from);
struct disk_file *disk_find(struct disk *d, const char *name);
uint64_t disk_bytes(const struct disk *d);

/* --- a small contract ----------------------------------------------------------------------------------- *
 *
 * methods, arguments one byte string each field:
 *   "account"  id16 unit1 flags1             opens an account
 *   "move"     id16 debit16 credit16 amount8 flags1 timeout1 pending16     creates a transfer (unit 1, code 1)
 *   "put"      key1 value...                  puts a record, says so in an event
 *   "remove"   key1
 *   "refuse"   puts a record, then refuses
 *   "die"      returns MGC_E_NO_MEMORY
 */
extern const mgc__executor toy;

struct world {
    mgc_ctx *ctx;
    mgc_ledger *ledger;
    mgc_chain *chain;
    mgc_key *member, *alice, *bob;
    uint8_t chain_id[32];
};

mgc_status world_open(struct world *w, mgc_ctx *ctx, struct disk *d, uint64_t segment_bytes);
/* The same with the caller's options. */
mgc_status world_open_with(struct world *w, mgc_ctx *ctx, const mgc_ledger_opts *opts);
void world_close(struct world *w);
void id_of(uint8_t id[16], uint64_t number);
/* A signed transaction of alice with the next nonce; returns its length. */
size_t make_tx(struct world *w, const char *method, const void *arguments, size_t len, uint8_t *bytes);
size_t make_tx_full(struct world *w, const mgc_key *sender, const char *method, const void *arguments, size_t len,
                    uint64_t nonce, uint64_t valid_until, uint8_t *bytes);
mgc_status add_account(struct world *w, uint64_t id, uint8_t unit, uint8_t flags, int32_t *result);
mgc_status add_move(struct world *w, uint64_t id, uint64_t debit, uint64_t credit, uint64_t amount, uint8_t flags,
                    uint8_t timeout, uint64_t pending, int32_t *result);
mgc_status add_put(struct world *w, uint8_t key, const char *value, int32_t *result);

int run_suite(const char *name, TCase *tcase);

#endif
