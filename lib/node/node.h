/* SPDX-License-Identifier: Apache-2.0 */
/* Private face of node: what its files share.
 *
 *   node.c   life: options, storage, start, stop
 *   pool.c   transactions that wait, and tickets
 *   build.c  blocks, where one member orders alone
 *   call.c   a call of a contract in one go
 *   boot.c, cluster.c, credit.c, final.c, members.c, mend.c, order.c, policy.c, round.c, sign.c  several members (cluster.h)
 *   ask.c    queries
 *   audit.c  whose questions are put on record */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include <inttypes.h>

#include "base/base.h"
#include "contract/contract.h"
#include "ledger/exec.h"
#include "mgchain/node.h"

typedef struct waiting {
    uint8_t *bytes;
    size_t len;
    uint8_t tx_id[32];
    uint32_t chain; /* of node->chains */
    uint64_t ticket;
    uint64_t since_ms; /* time of the first step that saw it; UINT64_MAX: none yet */
    bool held;         /* a nonce before its own is missing: it makes no block due */
    bool added;        /* in the block under way, with: */
    int32_t result;
    uint32_t index;
} waiting;

typedef struct ticket {
    uint32_t state;
    int32_t status;
    uint64_t height;
    uint32_t chain, index;
    uint8_t tx_id[32];
    char *rule; /* owned; NULL: none */
} ticket;

struct mgc_node {
    mgc_ctx *ctx;
    mgc_node_opts opts;
    char chain_name[MGC_CHAIN_NAME_MAX + 1]; /* of the only chain; "": the market's three */
    mgc_storage_ops storage;
    void *storage_user;
    bool has_storage;
    mgc_transport_ops transport;
    void *transport_user;
    mgc__contracts *contracts;
    mgc_ledger *ledger; /* NULL before start */
    mgc_member members[16], learners[16]; /* who agree, and who looks on; n_members 0: this one alone */
    size_t n_members, n_learners;
    struct mgc__cluster *cluster; /* NULL: alone, or not started */
    struct mgc__mending *mending; /* mend.c; NULL but where the ledger is damaged: then it is not open */
    uint64_t mended;              /* pieces of the ledger, since create */
    uint32_t n_chains;
    mgc_chain *chains[HOMES]; /* in the order of a round */

    waiting *pool; /* in order of arrival */
    size_t pool_n, pool_cap;
    size_t checked; /* where mgc__node_pool_check() goes on */
    size_t *by_id; /* indices into pool, ascending by transaction id */
    size_t by_id_cap;

    ticket *tickets; /* ring of MGC_TICKETS_MAX, grown as needed */
    size_t tickets_cap;
    uint64_t next_ticket; /* from 1 */
    uint64_t refused;

    uint64_t audit_size; /* of the record of regulators' reads */
    bool audit_open, audit_failed;
    uint64_t day_closed; /* of the last snapshot, by this node */
};

/* --- pool.c ------------------------------------------------------------------------------------ */

mgc_status mgc__node_ticket_new(mgc_node *node, const uint8_t tx_id[32], uint64_t *number);
/* NULL: unknown or forgotten. */
ticket *mgc__node_ticket(const mgc_node *node, uint64_t number);
/* Refuse outside any block; the rule is copied. */
void mgc__node_ticket_refuse(mgc_node *node, uint64_t number, mgc_status status, const char *rule);
/* Take out of the pool all whose bytes are NULL, and order the rest by id anew. */
void mgc__node_pool_compact(mgc_node *node);
void mgc__node_pool_free(mgc_node *node);
/* NULL: none of that id waits. */
waiting *mgc__node_pool_find(mgc_node *node, const uint8_t tx_id[32]);
/* Refuse what waits and can stand in no block any more: another transaction took its nonce, it expired, or the block that holds
 * it came whole from another member.  Some of the pool at each call. */
mgc_status mgc__node_pool_check(mgc_node *node);
/* A transaction that another member passed on; one that cannot stand in a block is dropped. */
mgc_status mgc__node_take(mgc_node *node, const uint8_t *bytes, size_t len);

/* --- build.c ------------------------------------------------------------------------------------ */

mgc_status mgc__node_started(const mgc_node *node, bool writing);
/* Does any chain have reason for a block; on which ones is one due though it be empty (bits)? */
bool mgc__node_round_due(mgc_node *node, uint64_t now_ms);
uint32_t mgc__node_empty_due(const mgc_node *node, uint64_t time_ms);
uint64_t mgc__node_next_round(const mgc_node *node); /* when one will, by what waits here; UINT64_MAX: not by that */

/* What a call answers that has gone well, but for the store. */
mgc_status mgc__node_store_failed(const mgc_node *node, mgc_status st);

/* --- audit.c ------------------------------------------------------------------------------------ */

/* Before a question is answered: a regulator's or auditor's is durably on record, or it is refused.  Not where the node
 * only reads. */
mgc_status mgc__node_audit(mgc_node *node, uint32_t caller, const char *what, const char *arguments);
/* The answer to "reads": what is on record. */
mgc_status mgc__node_reads(mgc_node *node, const mgc_query *query, mgc__page *page, mgc_rows *rows);

/* --- node.c ------------------------------------------------------------------------------------- */

void mgc__node_ledger_opts(const mgc_node *node, mgc_ledger_opts *opts);
/* Place among node->chains of the one on which a contract runs. */
uint32_t mgc__node_home(const mgc_node *node, uint32_t contract);
/* After blocks: snapshots that are due by the options. */
mgc_status mgc__node_day_close(mgc_node *node);

#endif
