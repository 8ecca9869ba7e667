/* SPDX-License-Identifier: Apache-2.0 */
/* After CFT-Forensics (Tang et al., AFT 2024): if two honest members diverge, signatures name at least one who lied. */
#include "consensus/cert.h"

#include "consensus/quorum.h"
#include "consensus/raft.h"
#include "crypto/crypto.h"

enum { VERSION = 1, HEAD = 1 + 1 + 2 + 4 + 8 * 4 + 32, SIGNER = 4 + 64 };
_Static_assert(HEAD + MGC_RAFT_MEMBERS_MAX * SIGNER <= MGC__CERT_BYTES_MAX, "a certificate fits");

bool mgc__cert_add(mgc__cert *cert, uint32_t id, const uint8_t signature[64])
{
    uint32_t at = cert->n;

    if (cert->n == MGC_RAFT_MEMBERS_MAX) return false;
    for (uint32_t i = 0; i < cert->n; i++)
        if (cert->ids[i] == id) return false;
    for (; at > 0 && cert->ids[at - 1] > id; at--) {
        cert->ids[at] = cert->ids[at - 1];
        memcpy(cert->signatures[at], cert->signatures[at - 1], 64);
    }
    cert->ids[at] = id;
    memcpy(cert->signatures[at], signature, 64);
    cert->n++;
    return true;
}

size_t mgc__cert_encode(const mgc__cert *cert, uint8_t *bytes)
{
    const uint64_t numbers[4] = {cert->cfg, cert->term, cert->index, cert->log_term};
    uint8_t *at = bytes + HEAD;

    bytes[0] = VERSION;
    bytes[1] = (uint8_t)cert->kind;
    mgc__put_le(bytes + 2, cert->n, 2);
    mgc__put_le(bytes + 4, cert->candidate, 4);
    for (uint32_t i = 0; i < 4; i++) mgc__put_le(bytes + 8 + 8 * i, numbers[i], 8);
    memcpy(bytes + 40, cert->hash, 32);
    for (uint32_t i = 0; i < cert->n; i++, at += SIGNER) {
        mgc__put_le(at, cert->ids[i], 4);
        memcpy(at + 4, cert->signatures[i], 64);
    }
    return (size_t)(at - bytes);
}

mgc_status mgc__cert_decode(const uint8_t *bytes, size_t len, mgc__cert *cert)
{
    memset(cert, 0, sizeof *cert);
    if (bytes == NULL || len < HEAD) return MGC_E_TRUNCATED;
    if (bytes[0] != VERSION) return MGC_E_VERSION;
    cert->kind = bytes[1];
    cert->n = (uint32_t)mgc__get_le(bytes + 2, 2);
    if (cert->kind < MGC__CERT_LEADER || cert->kind > MGC__CERT_QUORUM) return MGC_E_NONCANONICAL;
    if (cert->n > MGC_RAFT_MEMBERS_MAX) return MGC_E_TOO_LARGE;
    if (len != HEAD + (size_t)cert->n * SIGNER) return MGC_E_NONCANONICAL;
    cert->candidate = (uint32_t)mgc__get_le(bytes + 4, 4);
    cert->cfg = mgc__get_le(bytes + 8, 8);
    cert->term = mgc__get_le(bytes + 16, 8);
    cert->index = mgc__get_le(bytes + 24, 8);
    cert->log_term = mgc__get_le(bytes + 32, 8);
    memcpy(cert->hash, bytes + 40, 32);
    for (uint32_t i = 0; i < cert->n; i++) {
        cert->ids[i] = (uint32_t)mgc__get_le(bytes + HEAD + (size_t)i * SIGNER, 4);
        memcpy(cert->signatures[i], bytes + HEAD + (size_t)i * SIGNER + 4, 64);
        if (i > 0 && cert->ids[i] <= cert->ids[i - 1]) return MGC_E_NONCANONICAL;
    }
    return MGC_OK;
}

/* The message whose signature stands in a certificate. */
static mgc_raft_msg signed_message(const mgc__cert *cert, uint32_t i)
{
    mgc_raft_msg m = {.kind = cert->kind == MGC__CERT_LEADER ? MGC_RAFT_VOTE_RESP : MGC_RAFT_APPEND_RESP,
                      .from = cert->ids[i], .to = cert->candidate, .cfg = cert->cfg, .term = cert->term,
                      .index = cert->index, .log_term = cert->log_term};

    memcpy(m.hash, cert->hash, 32);
    memcpy(m.signature, cert->signatures[i], 64);
    return m;
}

mgc_status mgc__msg_verify(const mgc__trust *trust, const mgc_raft_msg *msg)
{
    uint8_t body[MGC_RAFT_SIGNED_BYTES_MAX];
    size_t len;
    const char *tag;
    const uint8_t *key = trust->key_of(trust->user, msg->from);
    mgc_status status = mgc_raft_signed_body(msg, body, &len, &tag);

    if (status != MGC_OK) return status;
    if (len == 0) return MGC_E_INVALID_ARG;
    if (key == NULL) return MGC_E_BAD_KEY;
    return mgc__verify_tagged(trust->ctx, key, tag, trust->chain_id, 0, body, len, msg->signature);
}

static uint32_t place_of(const mgc_raft_config *config, uint32_t id)
{
    for (uint32_t i = 0; i < config->n_members; i++)
        if (config->members[i].id == id) return i;
    return MGC_RAFT_MEMBERS_MAX;
}

mgc_status mgc__cert_verify(const mgc__trust *trust, const mgc__cert *cert, const mgc_raft_config *config)
{
    uint32_t places = 0;

    if (cert->cfg != config->index)
        return mgc__fail(trust->ctx, MGC_E_BAD_PROOF, "consensus: certificate of another configuration; found %llu; allowed %llu",
                         (unsigned long long)cert->cfg, (unsigned long long)config->index);
    if (cert->kind == MGC__CERT_QUORUM && cert->term != cert->log_term)
        return mgc__fail(trust->ctx, MGC_E_BAD_PROOF,
                         "consensus: acknowledgements of term %llu do not make an entry of term %llu final",
                         (unsigned long long)cert->term, (unsigned long long)cert->log_term);
    for (uint32_t i = 0; i < cert->n; i++) {
        mgc_raft_msg m = signed_message(cert, i);
        uint32_t place = place_of(config, cert->ids[i]);
        mgc_status status;

        if (place == MGC_RAFT_MEMBERS_MAX || (places >> place & 1) != 0)
            return mgc__fail(trust->ctx, MGC_E_BAD_PROOF, "consensus: signer %u is no member, or stands there twice",
                             cert->ids[i]);
        status = mgc__msg_verify(trust, &m);
        if (status != MGC_OK) return status;
        places |= 1u << place;
    }
    if (!mgc__quorum_reached(mgc__config_electorate(config), places))
        return mgc__fail(trust->ctx, MGC_E_BAD_PROOF, "consensus: %u signers are no majority", cert->n);
    return MGC_OK;
}

/* --- collecting --- */

void mgc__collect_begin(mgc__collector *c, const mgc_raft_config *config, uint64_t term, uint64_t index,
                        uint64_t log_term, const uint8_t hash[32])
{
    memset(c, 0, sizeof *c);
    c->config = config;
    c->cert.kind = MGC__CERT_QUORUM;
    c->cert.cfg = config->index;
    c->cert.term = term;
    c->cert.index = index;
    c->cert.log_term = log_term;
    memcpy(c->cert.hash, hash, 32);
}

bool mgc__collect(mgc__collector *c, const mgc_raft_msg *ack)
{
    uint32_t place = place_of(c->config, ack->from);
    const mgc__cert *cert = &c->cert;

    if (ack->kind != MGC_RAFT_APPEND_RESP || (ack->flags & MGC_RAFT_REJECT) != 0 || place == MGC_RAFT_MEMBERS_MAX ||
        ack->cfg != cert->cfg || ack->term != cert->term || ack->index != cert->index ||
        memcmp(ack->hash, cert->hash, 32) != 0 || !mgc__cert_add(&c->cert, ack->from, ack->signature))
        return mgc__quorum_reached(mgc__config_electorate(c->config), c->places);
    c->places |= 1u << place;
    return mgc__quorum_reached(mgc__config_electorate(c->config), c->places);
}

/* --- evidence --- */

/* E1 two acknowledgements: same configuration, term and index, other hash.  E2 two votes: same term, other candidate,
 * whatever configurations these count by: a term is one for all.  E3 two heads of a leader: same term and index, other hash. */
static uint32_t contradiction(const mgc_raft_msg *a, const mgc_raft_msg *b)
{
    uint64_t last_a = a->index + (a->kind == MGC_RAFT_APPEND_REQ ? a->n_entries : 0);
    uint64_t last_b = b->index + (b->kind == MGC_RAFT_APPEND_REQ ? b->n_entries : 0);

    if (a->kind != b->kind || a->from != b->from || a->term != b->term) return 0;
    if (a->kind == MGC_RAFT_VOTE_RESP) return a->to != b->to ? MGC__E2_TWO_VOTES : 0;
    if (last_a != last_b) return 0;
    if (a->kind == MGC_RAFT_APPEND_RESP)
        return a->cfg == b->cfg && memcmp(a->hash, b->hash, 32) != 0 ? MGC__E1_TWO_ACKS : 0;
    return a->kind == MGC_RAFT_APPEND_REQ && memcmp(a->head, b->head, 32) != 0 ? MGC__E3_TWO_HEADS : 0;
}

mgc_status mgc__evidence_two(const mgc__trust *trust, const mgc_raft_msg *a, const mgc_raft_msg *b, uint32_t *kind,
                             uint32_t *accused)
{
    mgc_status status;

    *kind = contradiction(a, b);
    *accused = 0;
    if (*kind == 0)
        return mgc__fail(trust->ctx, MGC_E_BAD_PROOF, "consensus: the two messages do not contradict each other");
    status = mgc__msg_verify(trust, a);
    if (status == MGC_OK) status = mgc__msg_verify(trust, b);
    if (status == MGC_OK) *accused = a->from;
    return status;
}

/* A log that ends in (term, index) cannot hold a final block of (term, index) behind it. */
static bool lacks_block(const mgc__cert *leader, const mgc__cert *block)
{
    return leader->log_term < block->log_term ||
           (leader->log_term == block->log_term && leader->index < block->index);
}

/* Under the configuration that the certificate names. */
static mgc_status verify_of(const mgc__trust *trust, const mgc__cert *cert, const mgc_raft_config *config)
{
    if (cert->cfg != config->index && trust->config_of != NULL) config = trust->config_of(trust->user, cert->cfg);
    if (config == NULL)
        return mgc__fail(trust->ctx, MGC_E_BAD_PROOF, "consensus: certificate of configuration %llu, which is not known",
                         (unsigned long long)cert->cfg);
    return mgc__cert_verify(trust, cert, config);
}

static bool genuine(const mgc__trust *trust, const mgc__cert *cert, const mgc_raft_config *config)
{
    return cert->kind == MGC__CERT_LEADER && verify_of(trust, cert, config) == MGC_OK;
}

/* Did a term from the block's on have two leaders?  Then logs may have been cut that are not older by term and index, and
 * whoever voted for both is to blame, not who followed either. */
static bool two_leaders(const mgc__trust *trust, const mgc__cert *block, const mgc__cert *leader,
                        const mgc_raft_config *config, const mgc__cert *between, size_t n, uint64_t *term)
{
    for (size_t i = 0; i < n; i++) {
        if (between[i].term < block->term || between[i].term > leader->term) continue;
        for (size_t k = 0; k <= i; k++) {
            const mgc__cert *other = k == i ? leader : &between[k];

            if (other->term != between[i].term || other->candidate == between[i].candidate) continue;
            *term = other->term;
            if (genuine(trust, other, config) && genuine(trust, &between[i], config)) return true;
        }
    }
    return false;
}

mgc_status mgc__evidence_lost_block(const mgc__trust *trust, const mgc__cert *block, const mgc__cert *leader,
                                    const mgc_raft_config *config, const mgc__cert *between, size_t n_between,
                                    uint32_t *ids, uint32_t *n, size_t *moved_to)
{
    const mgc__cert *earliest = leader;
    uint64_t term;
    mgc_status status;

    *n = 0;
    *moved_to = n_between;
    if (block->kind != MGC__CERT_QUORUM || leader->kind != MGC__CERT_LEADER || leader->term <= block->term ||
        !lacks_block(leader, block))
        return mgc__fail(trust->ctx, MGC_E_BAD_PROOF, "consensus: that leader need not have had that block");
    status = mgc__cert_verify(trust, block, config);
    if (status == MGC_OK) status = verify_of(trust, leader, config);
    if (status != MGC_OK) return status;
    if (two_leaders(trust, block, leader, config, between, n_between, &term))
        return mgc__fail(trust->ctx, MGC_E_BAD_PROOF, "consensus: term %llu had two leaders: who voted twice is to blame",
                         (unsigned long long)term);
    for (size_t i = 0; i < n_between; i++) {
        const mgc__cert *other = &between[i];

        if (other->kind != MGC__CERT_LEADER || other->term <= block->term || other->term >= earliest->term) continue;
        if (!lacks_block(other, block) || verify_of(trust, other, config) != MGC_OK) continue;
        earliest = other;
        *moved_to = i;
    }
    for (uint32_t i = 0; i < block->n; i++)
        for (uint32_t j = 0; j < earliest->n; j++)
            if (block->ids[i] == earliest->ids[j]) ids[(*n)++] = block->ids[i];
    return MGC_OK;
}
