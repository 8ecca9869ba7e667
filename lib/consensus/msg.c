/* SPDX-License-Identifier: Apache-2.0 */
/* Messages as bytes: fixed little-endian header, then a snapshot's configuration, headers of entries, payloads or a
 * chunk.  Layout with offsets: doc/consensus.md.  The reader believes no length before comparing it with what is left. */
#include "consensus/raft.h"
#include "crypto/crypto.h"

enum { MAGIC = 0x4d, VERSION = 1 };
enum { AT_FROM = 4, AT_TO = 8, AT_INCARNATION = 12, AT_N = 16, AT_CONFIG_LEN = 20, AT_BODY_LEN = 24, AT_NUMBERS = 32,
       AT_HASH = 88, AT_HEAD = 120, AT_SIGNATURE = 152, AT_CRC = 216 };
_Static_assert(AT_CRC + 8 == MGC_RAFT_MSG_BYTES, "the header ends behind its checksum");

mgc_status mgc_raft_payload_root(const uint8_t *bytes, size_t len, uint8_t *root)
{
    if ((bytes == NULL && len > 0) || root == NULL) return MGC_E_INVALID_ARG;
    mgc__hash_tagged("mgchain/payload/1", bytes, len, root);
    return MGC_OK;
}

/* --- writing --- */

static void put_header(const mgc_raft_msg *m, uint32_t config_len, size_t body_len, uint8_t *at)
{
    const uint64_t numbers[7] = {m->term, m->cfg, m->index, m->log_term, m->commit, m->hint, m->context};

    memset(at, 0, MGC_RAFT_MSG_BYTES);
    at[0] = MAGIC;
    at[1] = VERSION;
    at[2] = (uint8_t)m->kind;
    at[3] = (uint8_t)m->flags;
    mgc__put_le(at + AT_FROM, m->from, 4);
    mgc__put_le(at + AT_TO, m->to, 4);
    mgc__put_le(at + AT_INCARNATION, m->incarnation, 4);
    mgc__put_le(at + AT_N, m->n_entries, 4);
    mgc__put_le(at + AT_CONFIG_LEN, config_len, 4);
    mgc__put_le(at + AT_BODY_LEN, body_len, 4);
    for (uint32_t i = 0; i < 7; i++) mgc__put_le(at + AT_NUMBERS + 8 * i, numbers[i], 8);
    memcpy(at + AT_HASH, m->hash, 32);
    memcpy(at + AT_HEAD, m->head, 32);
    memcpy(at + AT_SIGNATURE, m->signature, 64);
}

static size_t body_length(const mgc_raft_msg *m, const mgc_raft_entry *entries)
{
    size_t n = m->len + (size_t)m->n_entries * MGC_RAFT_ENTRY_BYTES;

    for (uint32_t i = 0; i < m->n_entries; i++) n += entries[i].len;
    return n;
}

static uint8_t *put_entries(const mgc_raft_entry *entries, uint32_t n, uint8_t *at)
{
    for (uint32_t i = 0; i < n; i++, at += MGC_RAFT_ENTRY_BYTES) {
        mgc__put_le(at, entries[i].term, 8);
        mgc__put_le(at + 8, entries[i].type, 4);
        mgc__put_le(at + 12, entries[i].len, 4);
    }
    return at;
}

static uint32_t checksum(const uint8_t *bytes, size_t guarded)
{
    return mgc__crc32c(mgc__crc32c(0, bytes, AT_CRC), bytes + MGC_RAFT_MSG_BYTES, guarded);
}

mgc_status mgc_raft_encode(const mgc_raft_msg *msg, const mgc_raft_entry *entries, uint8_t *bytes, size_t cap,
                           size_t *len)
{
    uint8_t config[MGC_RAFT_CONFIG_BYTES_MAX], *at;
    uint32_t config_len;
    size_t body;

    if (msg == NULL || len == NULL || (bytes == NULL && cap > 0) || (msg->n_entries > 0 && entries == NULL) ||
        (msg->len > 0 && msg->bytes == NULL) || msg->n_entries > MGC_RAFT_BATCH_MAX)
        return MGC_E_INVALID_ARG;
    for (uint32_t i = 0; i < msg->n_entries; i++)
        if (entries[i].len > 0 && entries[i].bytes == NULL) return MGC_E_INVALID_ARG;
    config_len = msg->config == NULL ? 0 : mgc__config_encode(msg->config, config);
    body = body_length(msg, entries);
    *len = MGC_RAFT_MSG_BYTES + config_len + body;
    if (body > MGC_RAFT_BODY_MAX) return MGC_E_TOO_LARGE;
    if (bytes == NULL) return MGC_OK;
    if (cap < *len) return MGC_E_TOO_LARGE;
    put_header(msg, config_len, body, bytes);
    at = bytes + MGC_RAFT_MSG_BYTES;
    if (config_len > 0) memcpy(at, config, config_len);
    at = put_entries(entries, msg->n_entries, at + config_len);
    for (uint32_t i = 0; i < msg->n_entries; i++) {
        if (entries[i].len > 0) memcpy(at, entries[i].bytes, entries[i].len);
        at += entries[i].len;
    }
    if (msg->len > 0) memcpy(at, msg->bytes, msg->len);
    mgc__put_le(bytes + AT_CRC, checksum(bytes, config_len + (size_t)msg->n_entries * MGC_RAFT_ENTRY_BYTES), 4);
    return MGC_OK;
}

/* --- reading --- */

static void get_header(const uint8_t *at, mgc_raft_msg *m)
{
    uint64_t *numbers[7] = {&m->term, &m->cfg, &m->index, &m->log_term, &m->commit, &m->hint, &m->context};

    memset(m, 0, sizeof *m);
    m->kind = at[2];
    m->flags = at[3];
    m->from = (uint32_t)mgc__get_le(at + AT_FROM, 4);
    m->to = (uint32_t)mgc__get_le(at + AT_TO, 4);
    m->incarnation = (uint32_t)mgc__get_le(at + AT_INCARNATION, 4);
    m->n_entries = (uint32_t)mgc__get_le(at + AT_N, 4);
    for (uint32_t i = 0; i < 7; i++) *numbers[i] = mgc__get_le(at + AT_NUMBERS + 8 * i, 8);
    memcpy(m->hash, at + AT_HASH, 32);
    memcpy(m->head, at + AT_HEAD, 32);
    memcpy(m->signature, at + AT_SIGNATURE, 64);
}

static mgc_status get_entries(const uint8_t *at, size_t left, uint64_t previous, uint32_t n, mgc_raft_entry *entries,
                              size_t *used)
{
    const uint8_t *payload = at + (size_t)n * MGC_RAFT_ENTRY_BYTES;
    size_t room = left - (size_t)n * MGC_RAFT_ENTRY_BYTES;

    for (uint32_t i = 0; i < n; i++, at += MGC_RAFT_ENTRY_BYTES) {
        mgc_raft_entry *e = &entries[i];

        *e = (mgc_raft_entry){.index = previous + 1 + i, .term = mgc__get_le(at, 8), .type = (uint32_t)mgc__get_le(at + 8, 4),
                              .len = (uint32_t)mgc__get_le(at + 12, 4), .bytes = payload};
        if (e->len > room) return MGC_E_TRUNCATED;
        if (mgc_raft_payload_root(payload, e->len, e->root) != MGC_OK) return MGC_E_CORRUPT;
        payload += e->len;
        room -= e->len;
    }
    *used = left - room;
    return MGC_OK;
}

static mgc_status check_header(const uint8_t *bytes, size_t len, size_t cap, size_t *config_len)
{
    size_t n, body, guarded;

    if (len < MGC_RAFT_MSG_BYTES) return MGC_E_TRUNCATED;
    if (bytes[0] != MAGIC) return MGC_E_NONCANONICAL;
    if (bytes[1] != VERSION) return MGC_E_VERSION;
    n = mgc__get_le(bytes + AT_N, 4);
    body = mgc__get_le(bytes + AT_BODY_LEN, 4);
    *config_len = mgc__get_le(bytes + AT_CONFIG_LEN, 4);
    if (n > MGC_RAFT_BATCH_MAX || n > cap || body > MGC_RAFT_BODY_MAX || *config_len > MGC_RAFT_CONFIG_BYTES_MAX)
        return MGC_E_TOO_LARGE;
    if (len < MGC_RAFT_MSG_BYTES + *config_len + body) return MGC_E_TRUNCATED;
    if (len > MGC_RAFT_MSG_BYTES + *config_len + body || n * MGC_RAFT_ENTRY_BYTES > body) return MGC_E_NONCANONICAL;
    if (mgc__get_le(bytes + AT_BODY_LEN + 4, 4) != 0 || mgc__get_le(bytes + AT_CRC + 4, 4) != 0) return MGC_E_NONCANONICAL;
    if (bytes[2] == 0 || bytes[2] >= MGC_RAFT_KIND_END || bytes[3] > 15)
        return MGC_E_NONCANONICAL;
    guarded = *config_len + n * MGC_RAFT_ENTRY_BYTES;
    return mgc__get_le(bytes + AT_CRC, 4) == checksum(bytes, guarded) ? MGC_OK : MGC_E_CORRUPT;
}

mgc_status mgc_raft_decode(const uint8_t *bytes, size_t len, mgc_raft_msg *msg, mgc_raft_entry *entries, size_t cap,
                           mgc_raft_config *config)
{
    size_t config_len, used = 0, left;
    const uint8_t *at;
    mgc_status status;

    if (bytes == NULL || msg == NULL || (entries == NULL && cap > 0) || config == NULL) return MGC_E_INVALID_ARG;
    status = check_header(bytes, len, cap, &config_len);
    if (status != MGC_OK) return status;
    get_header(bytes, msg);
    at = bytes + MGC_RAFT_MSG_BYTES;
    if ((config_len > 0) != (msg->kind == MGC_RAFT_SNAPSHOT_REQ)) return MGC_E_NONCANONICAL;
    if (config_len > 0) {
        if (!mgc__config_decode(at, config_len, config)) return MGC_E_NONCANONICAL;
        config->index = msg->context;
        msg->config = config;
    }
    at += config_len;
    left = len - MGC_RAFT_MSG_BYTES - config_len;
    status = get_entries(at, left, msg->index, msg->n_entries, entries, &used);
    if (status != MGC_OK) return status;
    msg->entries = msg->n_entries > 0 ? entries : NULL;
    if (left > used && msg->kind != MGC_RAFT_SNAPSHOT_REQ) return MGC_E_NONCANONICAL;
    msg->bytes = left > used ? at + used : NULL;
    msg->len = left - used;
    return MGC_OK;
}

/* --- what is signed --- */

mgc_status mgc_raft_signed_body(const mgc_raft_msg *msg, uint8_t *body, size_t *len, const char **tag)
{
    bool vote, ack, head;

    if (msg == NULL || body == NULL || len == NULL || tag == NULL) return MGC_E_INVALID_ARG;
    vote = msg->kind == MGC_RAFT_VOTE_RESP && (msg->flags & MGC_RAFT_REJECT) == 0;
    ack = msg->kind == MGC_RAFT_APPEND_RESP && (msg->flags & MGC_RAFT_REJECT) == 0;
    head = msg->kind == MGC_RAFT_APPEND_REQ && msg->n_entries > 0;
    *len = 0;
    *tag = vote ? "mgchain/vote/1" : ack ? "mgchain/ack/1" : head ? "mgchain/head/1" : "";
    if (!vote && !ack && !head) return MGC_OK;
    mgc__put_le(body, msg->cfg, 8);
    mgc__put_le(body + 8, msg->term, 8);
    if (vote) {
        mgc__put_le(body + 16, msg->to, 4);
        mgc__put_le(body + 20, msg->log_term, 8);
        mgc__put_le(body + 28, msg->index, 8);
        memcpy(body + 36, msg->hash, 32);
        *len = 68;
        return MGC_OK;
    }
    mgc__put_le(body + 16, head ? msg->index + msg->n_entries : msg->index, 8);
    memcpy(body + 24, head ? msg->head : msg->hash, 32);
    *len = 56;
    return MGC_OK;
}
