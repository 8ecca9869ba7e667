/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and evidence: what signed votes and acknowledgements prove, checked without a running member. */
#ifndef CONSENSUS_CERT_H
#define CONSENSUS_CERT_H

#include "base/base.h"
#include "mgchain/consensus.h"

enum { MGC__CERT_LEADER = 1, MGC__CERT_QUORUM = 2 };
enum { MGC__CERT_BYTES_MAX = 128 + MGC_RAFT_MEMBERS_MAX * 68 };

/* LEADER: votes for candidate in term, whose last entry was (index, log_term, hash).
 * QUORUM: acknowledgements, made in term, of the log through index with head hash; final only if term is also the term
 * of the entry at index, which is log_term (paper, figure 8: otherwise a later leader may still take it away). */
typedef struct mgc__cert {
    uint32_t kind, candidate, n;
    uint64_t cfg, term, index, log_term;
    uint8_t hash[32];
    uint32_t ids[MGC_RAFT_MEMBERS_MAX];
    uint8_t signatures[MGC_RAFT_MEMBERS_MAX][64];
} mgc__cert;

/* Keeps ids ascending; false where id is there already or there is no room. */
bool mgc__cert_add(mgc__cert *cert, uint32_t id, const uint8_t signature[64]);
size_t mgc__cert_encode(const mgc__cert *cert, uint8_t *bytes); /* MGC__CERT_BYTES_MAX is enough */
mgc_status mgc__cert_decode(const uint8_t *bytes, size_t len, mgc__cert *cert);

/* Public key of a member, 32 bytes; NULL: unknown. */
typedef const uint8_t *(*mgc__trust_key)(void *user, uint32_t id);
/* Configuration whose entry has that index; NULL: unknown. */
typedef const mgc_raft_config *(*mgc__trust_config)(void *user, uint64_t index);
typedef struct mgc__trust {
    mgc_ctx *ctx;
    const uint8_t *chain_id; /* 32 bytes */
    mgc__trust_key key_of;
    void *user;
    mgc__trust_config config_of; /* NULL: only the configuration that is given with a certificate */
} mgc__trust;

/* Sign or verify what mgc_raft_signed_body() gives. */
mgc_status mgc__msg_verify(const mgc__trust *trust, const mgc_raft_msg *msg);

/* MGC_OK: signed by a majority of the configuration (of both halves, while joint), and final in the sense above. */
mgc_status mgc__cert_verify(const mgc__trust *trust, const mgc__cert *cert, const mgc_raft_config *config);

/* Acknowledgements of one head on their way to a certificate. */
typedef struct mgc__collector {
    mgc__cert cert;
    const mgc_raft_config *config; /* borrowed */
    uint32_t places;
} mgc__collector;

void mgc__collect_begin(mgc__collector *c, const mgc_raft_config *config, uint64_t term, uint64_t index,
                        uint64_t log_term, const uint8_t hash[32]);
/* A verified APPEND_RESP.  true once the certificate is whole; later ones may still be added. */
bool mgc__collect(mgc__collector *c, const mgc_raft_msg *ack);

/* --- evidence: E1 .. E4 of doc/consensus.md --- */

enum { MGC__E1_TWO_ACKS = 1, MGC__E2_TWO_VOTES = 2, MGC__E3_TWO_HEADS = 3 };

/* Two messages of one signer that no honest member signs both.  MGC_OK: proven, accused is who;
 * MGC_E_BAD_PROOF: they prove nothing; MGC_E_BAD_SIGNATURE: one is not signed. */
mgc_status mgc__evidence_two(const mgc__trust *trust, const mgc_raft_msg *a, const mgc_raft_msg *b, uint32_t *kind,
                             uint32_t *accused);
/* E4: a final block of term t, and the certificate of a leader of t' > t whose log was older than that block.  Whoever
 * signed both is accused: filled in ids, *n of them.  config: that of the block; certificates of other configurations
 * are verified by trust->config_of.  between: certificates of leaders of terms t <= t'' <= t' as far as they are known.
 * One of t < t'' < t' that lacks the block too moves the accusation to itself (exoneration): *moved_to is its place, or
 * n_between.  Two of one term for different candidates clear everybody: MGC_E_BAD_PROOF, and E2 names who voted twice. */
mgc_status mgc__evidence_lost_block(const mgc__trust *trust, const mgc__cert *block, const mgc__cert *leader,
                                    const mgc_raft_config *config, const mgc__cert *between, size_t n_between,
                                    uint32_t *ids, uint32_t *n, size_t *moved_to);

#endif
