/* SPDX-License-Identifier: Apache-2.0 */
/* What a ledger and its chains are made of; inside this room only. */
#ifndef LEDGER_CHAIN_H
#define LEDGER_CHAIN_H

#include "crypto/crypto.h"
#include "ledger/block.h"
#include "ledger/exec.h"
#include "ledger/journal.h"
#include "ledger/signers.h"
#include "ledger/state.h"
#include "mgchain/verify.h"

enum {
    MGC__EVENTS_MAX = 4096,         /* events of one transaction */
    MGC__EVENT_BYTES_MAX = 1 << 20, /* bytes of one transaction's events: a receipt stays readable */
    MGC__BLOCK_RECEIPTS_MAX = 1 << 24, /* bytes of a block's receipts: bounds a stored block */
    MGC__DAY_MS = 86400000,         /* a UTC day; UTC milliseconds do not count leap seconds */
    MGC__THREADS_MAX = 256,         /* more than machines have; bounds a mistyped number */
    MGC__SEEN = 32768               /* transactions remembered as verified: 1 MiB, a few blocks' worth */
};

struct mgc__exec {
    mgc_chain *chain;
    uint64_t height, time_ms, parent_time_ms;
    uint32_t tx_index;
    uint32_t n_transfers; /* of the block so far: their place in it */
    mgc__buf events;      /* encoded one after the other */
    uint32_t n_events;
    mgc__buf output;
    uint64_t cost;
    bool bridging;    /* the ledger itself moves what goes between chains */
    mgc_status fatal; /* the first environment failure, whatever the code above made of it */
    char rule[MGC_RULE_MAX + 1];
};

typedef struct mgc__block_place {
    mgc__place block, certificate; /* certificate.length 0: none yet */
    uint8_t hash[32];
} mgc__block_place;

struct mgc_chain {
    mgc_ledger *ledger;
    uint32_t index;
    mgc__genesis genesis;
    uint8_t *genesis_bytes; /* owned */
    size_t genesis_len;
    char name[MGC_CHAIN_NAME_MAX + 1];
    uint8_t id[32];
    mgc__configuration **configurations; /* owned; who signs: the genesis first, the one in force last */
    size_t n_configurations, cap_configurations;

    mgc__state state;
    uint8_t state_digest[32];
    mgc__forest log; /* over the hashes of all blocks stored */
    mgc__block_place *blocks;
    size_t cap_blocks;
    uint64_t height, final_height, acked_height, time_ms, n_txs;
    uint64_t day_block; /* height of the last block that closed a day; 0: none */
    uint64_t day_txs;   /* transactions before it */
    uint64_t n_records_settled; /* in the state after the last stored block */
    uint8_t hash[32];
    mgc__tree txs;       /* tx id -> height 8, index 4; of the open block, too */
    mgc__tree transfers; /* account 16, height 8, index 4, id 16 -> nothing; built when it is first asked for */
    bool transfers_built;
    struct mgc__places {
        mgc__tree tree;
        uint64_t upto; /* height */
    } places[MGC__FIND_KINDS]; /* find.c: each built when it is first asked for */
    bool halted;             /* guard.c: two blocks of one height are final */
    mgc__place evidence;     /* length 0: none */
    uint64_t witness_height; /* of the latest head that others have seen; 0: none */
    uint8_t witness_hash[32];
    uint64_t resume_height;  /* the state was read from a snapshot after this block; 0: from the beginning */
    uint64_t snapshots[2];   /* days' blocks of the snapshots that are kept, the later first; 0: none */

    struct mgc__closing {
        uint64_t height; /* after which block */
        bool known;
        uint64_t n_records;
        uint8_t root[32];
    } closing; /* root of the state at a day's close, so that it is taken once however often a block is begun */

    mgc__executor executor;
    bool has_executor;

    bool open; /* a block is being built */
    mgc__exec exec;
    mgc__buf own_events; /* of the beginning of the block */
    uint32_t n_own_events;
    mgc__buf tx_bytes, receipt_bytes; /* encoded one after the other as byte strings */
    mgc__merkle tx_tree, receipt_tree;
    struct mgc__loose {
        uint64_t head;   /* of the id */
        mgc__item *item; /* owned */
    } *loose; /* of transactions that were read back and are not in txs yet */
    size_t n_loose, cap_loose;
    uint32_t n_open_txs;
    mgc__change change; /* of who signs, by the open block; n 0: none */
    mgc__item **open_items; /* n_open_txs of them, in txs: taken out again unless the block stands */
    size_t cap_open_items;
};

struct mgc_ledger {
    mgc_ctx *ctx;
    mgc_storage_ops ops; /* for snapshots; the journal has its own copy */
    void *ops_user;
    bool resuming; /* reading a journal from snapshots on */
    mgc__journal *journal;
    bool read_only;
    uint32_t threads; /* for signatures */
    uint32_t n_chains;
    mgc_chain *chains[MGC_CHAINS_MAX];
    uint8_t (*seen)[32]; /* hashes of transactions whose signatures were verified; a slot by the first bytes */
};

/* --- exec.c: admitting and executing ------------------------------------------------------------- */

mgc_status mgc__admit(mgc_chain *chain, const uint8_t *bytes, size_t len, mgc__tx *tx);
/* A transaction is known by all of its bytes, for its id does not cover the signatures: by its leaf in a block's tree. */
void mgc__seen_hash(const mgc__tx *tx, uint8_t hash[32]);
uint8_t *mgc__seen_slot(mgc_ledger *ledger, const uint8_t hash[32]);
void mgc__nonce_key(uint8_t key[37], const uint8_t sender[32], uint32_t contract);
mgc_status mgc__exec_begin(mgc_chain *chain, uint64_t time_ms);
mgc_status mgc__exec_room(const mgc_chain *chain, size_t len);
/* Any failure leaves the block half-done: drop it. */
mgc_status mgc__exec_add(mgc_chain *chain, const mgc__tx *tx, int32_t *result);
void mgc__exec_drop(mgc_chain *chain); /* the open block and its effects; fine where none is open */
/* Close the open block: header and write set; the state keeps the effects, still undoable. */
mgc_status mgc__exec_finish(mgc_chain *chain, uint32_t proposer, mgc__buf *header, mgc__buf *writes);
mgc_status mgc__exec_fatal(mgc__exec *x, mgc_status status);

/* --- batch.c ------------------------------------------------------------------------------------- */

mgc_status mgc__verify_block_txs(mgc_chain *chain, const mgc__stored_block *b);

/* --- account.c ----------------------------------------------------------------------------------- */

mgc_status mgc__expire(mgc__exec *x); /* release what ends at this height */
mgc_status mgc__account_read(const mgc__item *item, mgc_account_info *a);
mgc_status mgc__transfer_read(const mgc__item *item, mgc_transfer_info *t); /* without how it ended */

/* --- cross.c ------------------------------------------------------------------------------------- */

mgc_status mgc__settle_locks(mgc__exec *x); /* end what its target's time has passed */

/* --- head.c: a chain's head and indexes ---------------------------------------------------------- */

mgc_status mgc__chain_create(mgc_ledger *ledger, const uint8_t *genesis, size_t len, mgc_chain **out);
void mgc__chain_destroy(mgc_chain *chain);
/* Is this the next block, does it name its parent, do its roots fit what it holds? */
mgc_status mgc__check_links(const mgc_chain *chain, const mgc__stored_block *b);
/* Is it the next one in the common order, and does it close the day when one is over? */
mgc_status mgc__check_order(const mgc_chain *chain, const mgc__header *h);
mgc_status mgc__check_roots(const mgc_chain *chain, const mgc__stored_block *b);
/* The heads of the store's other chains go into the header. */
void mgc__pin_heads(const mgc_chain *chain, mgc__header *h);
/* Is every block that a header pins final? */
mgc_status mgc__check_pins_final(const mgc_chain *chain, const mgc__header *h);
/* Is a block of that time the first one of its UTC day? */
bool mgc__first_of_day(const mgc_chain *chain, uint64_t time_ms);
/* Where it is, take the state's root before anything changes. */
mgc_status mgc__close_day(mgc_chain *chain, uint64_t time_ms);
/* The block stands: settle the state, which holds its effects, and move the head.  On failure nothing moved. */
mgc_status mgc__advance(mgc_chain *chain, const mgc__stored_block *b, const mgc__place *place);
mgc_status mgc__check_certificate(const mgc_chain *chain, const mgc__stored_block *b, const mgc__certificate *c);
/* All but the signatures. */
mgc_status mgc__check_votes(const mgc_chain *chain, const mgc__stored_block *b, const mgc__certificate *c);
/* b was read back from the storage and checked. */
mgc_status mgc__sign_vote(mgc_chain *chain, const mgc_key *key, const mgc__stored_block *b, uint8_t *signature);
mgc_status mgc__read_block_record(mgc_chain *chain, uint64_t height, mgc__buf *record, mgc__stored_block *b);

/* --- members.c ----------------------------------------------------------------------------------- */

mgc_status mgc__configurations_begin(mgc_chain *chain, const mgc_member *members);
mgc_status mgc__configurations_push(mgc_chain *chain, const mgc__header *h, const uint8_t *header, size_t len); /* if it has one */
void mgc__configurations_free(mgc_chain *chain);
void mgc__configuration_free(mgc_ctx *ctx, mgc__configuration *c); /* one that is in no list */
mgc_status mgc__configurations_check(const mgc_chain *chain);    /* every one's certificate */
mgc_status mgc__configurations_keep(mgc_chain *chain, uint32_t before); /* of the journal's files, which are pruned then */
mgc_status mgc__configuration_certificate(const mgc_chain *chain, const mgc__configuration *c, mgc__buf *bytes);
/* May they sign blocks: ids, keys, quorum. */
mgc_status mgc__members_check(const mgc_chain *chain, const mgc_member *members, size_t n, uint32_t quorum);
mgc_status mgc__replay_members(mgc_chain *chain, const mgc__record *record);

/* Put what was read back into the index of transactions. */
mgc_status mgc__index_read(mgc_chain *chain);
/* Build the index of transfers by account if it is not there. */
mgc_status mgc__index_accounts(mgc_chain *chain);

/* --- snapshot.c ---------------------------------------------------------------------------------- */

/* Chains from their latest good snapshots, in the order of their numbers, up to the first that has none.
 * *found: at least one. */
mgc_status mgc__snapshots_load(mgc_ledger *ledger, bool *found);

/* --- guard.c ------------------------------------------------------------------------------------- */

mgc_status mgc__check_not_halted(const mgc_chain *chain);
mgc_status mgc__check_caught_up(const mgc_chain *chain); /* nor behind what others have seen */
/* Who left long ago may not speak for those who came: what is verified must rest upon the changes of members known here. */
void mgc__trust_own_members(const mgc_chain *chain, mgc_verifier *v);
mgc_status mgc__replay_evidence(mgc_chain *chain, const mgc__record *record);
/* A head's proof, and the bytes in it (verify.c). */
typedef struct mgc__witnessed {
    const uint8_t *header, *certificate;
    size_t header_len, certificate_len;
} mgc__witnessed;
mgc_status mgc__verify_head(mgc_verifier *v, const uint8_t *proof, size_t len, mgc_verified *head,
                            mgc__witnessed *parts);

/* A block as it is stored, proved: every byte of it, and its certificate (verify.c).  Borrowed from the proof. */
typedef struct mgc__stored {
    mgc__header header;
    uint8_t hash[32];
    const uint8_t *bytes, *certificate;
    size_t len, certificate_len;
} mgc__stored;
mgc_status mgc__verify_stored(mgc_verifier *v, const uint8_t *proof, size_t len, mgc__stored *found);

/* --- proof.c ------------------------------------------------------------------------------------- */

/* Version, and key 3 with its value, of a proof that rests upon a block. */
uint32_t mgc__proof_version(const mgc__header *h);
mgc_status mgc__proof_trust(mgc_chain *chain, const mgc__header *h, mgc__cbor_writer *w);

/* --- find.c -------------------------------------------------------------------------------------- */

void mgc__places_free(mgc_chain *chain);
/* What a block wrote to a record: value NULL where it removed it.  MGC_E_NOT_FOUND: nothing. */
mgc_status mgc__writes_find(const mgc__stored_block *b, uint32_t contract, const uint8_t *key, size_t key_len,
                            mgc_record_info *record);

/* --- replay.c ------------------------------------------------------------------------------------ */

/* Blocks that were read and wait for their certificates, from final_height + 1 on. */
struct mgc__queue {
    struct mgc__waiting {
        mgc__place place;
        uint8_t *bytes;
    } *blocks;
    size_t n, cap;
};

typedef struct mgc__replay {
    mgc_ledger *ledger;
    struct mgc__queue queues[MGC_CHAINS_MAX];
    bool verify; /* every signature */
    bool full;   /* from the first block on, though there are snapshots */
    bool mending; /* every byte, up to the first that is damaged */
    struct mgc__passed {
        uint64_t block, certificate; /* height of the last one; 0: none */
        bool waits;                  /* of blocks that were read and have no certificate: */
        uint8_t first[32], last[32]; /* their hashes */
    } passed[MGC_CHAINS_MAX];
    void (*attach)(void *user, mgc_chain *chain);
    void *attach_user;
    mgc_verify_info info;
} mgc__replay;
/* Open and read a store into p->ledger, which mgc_ledger_close() frees, also after a failure.  strict: verify. */
mgc_status mgc__ledger_load(mgc_ctx *ctx, const mgc_ledger_opts *opts, bool strict, mgc__replay *p);
mgc_status mgc__ledger_read_opts(mgc_ctx *ctx, const mgc_ledger_opts *opts, mgc_ledger_opts *o, mgc_storage_ops *ops);
mgc_status mgc__replay_record(void *replay, const mgc__record *record);
void mgc__replay_end(mgc__replay *replay);
mgc_status mgc__replay_prepare(void *replay, bool *pruned);          /* snapshots, where they may or must be used */
bool mgc__replay_wants(void *replay, const mgc__record *record);     /* not what a snapshot covers */
mgc_status mgc__check_resumed(const mgc_ledger *ledger);             /* did each snapshot meet its day's first block? */
mgc_status mgc__check_last_certificates(mgc_ledger *ledger);

#endif
