/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that a member keeps: of leaders, durably, and of entries of the order that were final. */
#ifndef NODE_KEPT_H
#define NODE_KEPT_H

#include "consensus/cert.h"
#include "consensus/witness.h"
#include "node/cluster.h"

enum {
    KEPT_QUORUMS = 16, /* terms: accusations are made at once */
    KEPT_CONFIGS = 32,
    KEPT_TOLD = 8,     /* certificates that go with a leader's first messages */
    KEPT_ENTRY = 65    /* the hash before it, its type, the root of its payload: with term and index what it hashes from */
};

/* The last entry of a term that is known to be final. */
typedef struct kept_quorum {
    uint64_t term, index;
    uint32_t len;
    uint8_t bytes[MGC__CERT_BYTES_MAX], entry[KEPT_ENTRY];
} kept_quorum;

/* As leader: acknowledgements of the entry proposed last, until they are enough. */
typedef struct gathering {
    mgc__collector of;
    mgc_raft_config config;
    uint8_t entry[KEPT_ENTRY];
    bool begun, own, enough;
} gathering;

struct kept {
    mgc__witness witness;
    uint8_t certs[MGC__LED_MAX][MGC__CERT_BYTES_MAX];
    uint32_t lens[MGC__LED_MAX];
    uint64_t generation; /* of the file */
    kept_quorum quorums[KEPT_QUORUMS];
    uint32_t n_quorums;
    mgc_raft_config configs[KEPT_CONFIGS]; /* executed, the last ones */
    uint32_t n_configs;
    gathering now;
    mgc__buf file;
};

/* --- kept.c: leaders --- */

mgc_status mgc__kept_open(mgc__cluster *c);
void mgc__kept_close(mgc__cluster *c);
/* Bytes of a certificate, from whomever: kept, durably, where it is good. */
mgc_status mgc__kept_leader(mgc__cluster *c, const uint8_t *bytes, size_t len);
/* An entry that is appended or executed, with what certificates it brings. */
mgc_status mgc__kept_entry(mgc__cluster *c, uint32_t type, const uint8_t *body, size_t len);
/* Before entries from that one on are taken away, or all that are newer than (term, index). */
mgc_status mgc__kept_cut(mgc__cluster *c, uint64_t from);
mgc_status mgc__kept_cut_newer(mgc__cluster *c, uint64_t term, uint64_t index);
/* The log begins after an entry of that term now. */
void mgc__kept_forget(mgc__cluster *c, uint64_t base_term);
/* May the vote be given that m asks for, or is?  What it rests on is durable then. */
mgc_status mgc__kept_may_vote(mgc__cluster *c, const mgc_raft_msg *m, bool *may);
void mgc__kept_config(mgc__cluster *c, const mgc_raft_config *config);
/* Certificates before a leader's message, for one that has not answered it yet: n (1), then length (2) and bytes of each. */
void mgc__kept_put(mgc__cluster *c, uint64_t term, mgc__buf *b);
mgc_status mgc__kept_get(mgc__cluster *c, cluster_reader *r);
/* Signatures of the order's are checked by these; info is filled, and lives as long. */
mgc_status mgc__kept_trust(mgc__cluster *c, mgc_chain_info *info, mgc__trust *trust);
const mgc_raft_config *mgc__kept_majority(const mgc__cluster *c, const mgc__cert *cert, bool said);

/* --- lost.c: final entries, and who is to blame for a leader without them --- */

void mgc__lost_begin(mgc__cluster *c, uint64_t index, const uint8_t root[32]);
mgc_status mgc__lost_acknowledged(mgc__cluster *c, const mgc_raft_msg *m);
/* In a round: length (4), a certificate, what it is over; length 0: none. */
void mgc__lost_put(mgc__cluster *c, mgc__buf *b);
void mgc__lost_skip(cluster_reader *r);
mgc_status mgc__lost_quorum(mgc__cluster *c, const uint8_t *bytes, size_t len, const uint8_t entry[KEPT_ENTRY]);
mgc_status mgc__lost_tick(mgc__cluster *c);

#endif
