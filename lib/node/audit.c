/* SPDX-License-Identifier: Apache-2.0 */
/* What regulators and auditors ask is put on record before it is answered (row 75 of doc/faults.md): a file of this node's
 * own, durable first; where that fails, there is no answer.
 *
 *   record   "MGR1", length of the body (4), CRC-32C of the body (4), CRC-32C of these twelve bytes (4), body
 *   body     time of the last block [ms] (8), its height on the first chain (8), member (4), roles (4), length of the
 *            question (4), question, arguments; little-endian
 *
 * What can go wrong
 *   an append cut short       the file is cut back to its last whole record, at once or when it is opened next
 *   sync fails                no further question of theirs is answered until the node starts again
 *   damage in the middle      MGC_E_CORRUPT: likewise; what was recorded is not cut away */
#include "node/node.h"

static const char file_name[] = "audit-reads.log";

enum { HEAD = 16, HEAD_SUMMED = 12, BODY_FIXED = 28, TEXT_MAX = 4096, BODY_MAX = BODY_FIXED + TEXT_MAX };

static void put(uint8_t *at, uint64_t x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) at[i] = (uint8_t)(x >> 8 * i);
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int32_t seen(void *user, const char *name, uint64_t size)
{
    if (strcmp(name, file_name) == 0) *(uint64_t *)user = size;
    return MGC_CB_DONE;
}

/* The file, wherever it is. */
typedef struct records {
    const mgc_storage_ops *ops;
    void *user;
    uint64_t size;
} records;

/* How the bytes at an offset are: a whole record, the beginning of one, or neither. */
enum { WHOLE = 1, CUT = 2, DAMAGED = 3 };

/* body: filled where it is whole */
static mgc_status record_at(const records *r, uint64_t at, uint32_t *is, size_t *len, uint8_t body[BODY_MAX])
{
    uint8_t head[HEAD];
    size_t there = r->size - at < HEAD ? (size_t)(r->size - at) : HEAD;
    mgc_status st = mgc__verdict(r->ops->read(r->user, file_name, at, head, there));

    *is = DAMAGED;
    *len = 0;
    if (st != MGC_OK) return st;
    if (there < HEAD) *is = memcmp(head, "MGR1", there < 4 ? there : 4) == 0 ? CUT : DAMAGED;
    if (there < HEAD || memcmp(head, "MGR1", 4) != 0 || mgc__crc32c(0, head, HEAD_SUMMED) != get32(head + HEAD_SUMMED)) return MGC_OK;
    uint32_t body_len = get32(head + 4);
    if (body_len < BODY_FIXED || body_len > BODY_MAX) return MGC_OK;
    if (r->size - at - HEAD < body_len) {
        *is = CUT;
        return MGC_OK;
    }
    st = mgc__verdict(r->ops->read(r->user, file_name, at + HEAD, body, body_len));
    if (st == MGC_OK && mgc__crc32c(0, body, body_len) == get32(head + 8)) {
        *is = WHOLE;
        *len = HEAD + body_len;
    }
    return st;
}

/* To the first byte that is in no whole record, or the end. */
static mgc_status walk(const records *r, uint64_t *at, uint64_t *n, uint32_t *is)
{
    uint8_t body[BODY_MAX];
    mgc_status st = MGC_OK;
    size_t len;

    *at = *n = 0;
    *is = WHOLE;
    while (st == MGC_OK && *at < r->size) {
        st = record_at(r, *at, is, &len, body);
        if (st != MGC_OK || *is != WHOLE) break;
        *at += len;
        ++*n;
    }
    return st;
}

/* Find the end of what is recorded; cut off an append that was cut short. */
static mgc_status open_records(mgc_node *node)
{
    records r = {&node->storage, node->storage_user, 0};
    uint64_t at = 0, n;
    uint32_t is;
    mgc_status st = mgc__verdict(node->storage.list(node->storage_user, seen, &r.size));

    if (st == MGC_OK) st = walk(&r, &at, &n, &is);
    if (st != MGC_OK) return st;
    if (r.size - at > HEAD + BODY_MAX)
        return mgc__fail(node->ctx, MGC_E_CORRUPT, "node: the record of audited reads is damaged at byte %" PRIu64, at);
    if (at < r.size) st = mgc__verdict(node->storage.truncate(node->storage_user, file_name, at));
    node->audit_size = at;
    node->audit_open = st == MGC_OK;
    return st;
}

/* --- telling ------------------------------------------------------------------------------------------------ */

static uint64_t get64(const uint8_t *at)
{
    return get32(at) | (uint64_t)get32(at + 4) << 32;
}

static mgc_status put_read(mgc_rows *rows, uint64_t number, const uint8_t *body, size_t len)
{
    size_t what = get32(body + 24);
    mgc_status st = what > len - BODY_FIXED ? MGC_E_CORRUPT : MGC_OK;

    if (st == MGC_OK)
        st = mgc__rows_put_ints(rows, (int64_t[]){(int64_t)number, (int64_t)get64(body), (int64_t)get64(body + 8), get32(body + 16),
                                                  get32(body + 20)}, 5);
    if (st == MGC_OK) st = mgc_rows_put_text(rows, (const char *)body + BODY_FIXED, what);
    return st != MGC_OK ? st : mgc_rows_put_text(rows, (const char *)body + BODY_FIXED + what, len - BODY_FIXED - what);
}

/* An auditor sees what regulators and auditors asked of this node, each of them what it asked itself, others nothing. */
mgc_status mgc__node_reads(mgc_node *node, const mgc_query *query, mgc__page *page, mgc_rows *rows)
{
    bool all = (mgc__contracts_roles(node->chains[0], query->caller) >> MGC_ROLE_AUDITOR & 1) != 0;
    records r = {&node->storage, node->storage_user, 0};
    uint8_t body[BODY_MAX], place[16]; /* where the next page begins, and its first number */
    uint64_t at = 0, n = 0, member = 0;
    bool one = mgc_query_uint(query, "member", &member) == 1;
    uint32_t is = WHOLE;
    size_t len;
    mgc_status st = mgc_rows_begin(rows, "number time_ms height member roles what arguments");

    if (st == MGC_OK) st = mgc__verdict(node->storage.list(node->storage_user, seen, &r.size));
    if (page->after_len == sizeof place) at = get64(page->after);
    if (page->after_len == sizeof place) n = get64(page->after + 8);
    while (st == MGC_OK && at < r.size) {
        if (mgc__page_full(page)) {
            put(place, at, 8);
            put(place + 8, n, 8);
            mgc__page_end(page, place, sizeof place);
            return MGC_OK;
        }
        st = record_at(&r, at, &is, &len, body);
        if (st != MGC_OK || is != WHOLE) break;
        at += len;
        n++;
        if ((all || get32(body + 16) == query->caller) && (!one || get32(body + 16) == member))
            st = put_read(rows, n, body, len - HEAD);
    }
    if (st == MGC_OK && is == DAMAGED)
        st = mgc__fail(node->ctx, MGC_E_CORRUPT, "node: the record of audited reads is damaged at byte %" PRIu64, at);
    return st;
}

mgc_status mgc_node_verify_audits(mgc_ctx *ctx, const mgc_storage_ops *storage, void *storage_user, uint64_t *count)
{
    records r = {storage, storage_user, 0};
    uint64_t at, n;
    uint32_t is;

    if (count != NULL) *count = 0;
    if (ctx == NULL || storage == NULL || storage->list == NULL || storage->read == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = mgc__verdict(storage->list(storage_user, seen, &r.size));
    if (st == MGC_OK) st = walk(&r, &at, &n, &is);
    if (st != MGC_OK) return st;
    if (count != NULL) *count = n;
    if (is != DAMAGED) return MGC_OK;
    return mgc__fail(ctx, MGC_E_CORRUPT, "node: the record of audited reads is damaged at byte %" PRIu64, at);
}

static mgc_status append(mgc_node *node, const uint8_t *bytes, size_t len)
{
    mgc_status st = mgc__verdict(node->storage.append(node->storage_user, file_name, bytes, len));

    if (st != MGC_OK) { /* what of it is there is cut off before the next one */
        node->audit_open = mgc__verdict(node->storage.truncate(node->storage_user, file_name, node->audit_size)) == MGC_OK;
        return st;
    }
    st = mgc__verdict(node->storage.sync(node->storage_user, file_name));
    if (st == MGC_OK && node->audit_size == 0) st = mgc__verdict(node->storage.sync_names(node->storage_user));
    if (st != MGC_OK) node->audit_failed = true;
    node->audit_size += len;
    return st;
}

mgc_status mgc__node_audit(mgc_node *node, uint32_t caller, const char *what, const char *arguments)
{
    uint32_t roles = mgc__contracts_roles(node->chains[0], caller);
    size_t what_len = strlen(what), arguments_len = strlen(arguments), len;
    uint8_t bytes[HEAD + BODY_MAX] = "MGR1";
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_status st;

    if (node->opts.read_only != 0 || (roles & (1u << MGC_ROLE_REGULATOR | 1u << MGC_ROLE_AUDITOR)) == 0) return MGC_OK;
    if (what_len + arguments_len > TEXT_MAX)
        return mgc__fail(node->ctx, MGC_E_LIMIT, "node: a question of %zu bytes cannot be put on record; at most %d", what_len + arguments_len,
                         TEXT_MAX);
    if (node->audit_failed) return mgc__fail(node->ctx, MGC_E_FAILED, "node: reads can no longer be put on record; start the node again");
    st = node->audit_open ? MGC_OK : open_records(node);
    if (st == MGC_OK) st = mgc_chain_get_info(node->chains[0], &info);
    if (st != MGC_OK) return st;
    len = BODY_FIXED + what_len + arguments_len;
    put(bytes + HEAD, info.time_ms, 8);
    put(bytes + HEAD + 8, info.height, 8);
    put(bytes + HEAD + 16, caller, 4);
    put(bytes + HEAD + 20, roles, 4);
    put(bytes + HEAD + 24, what_len, 4);
    memcpy(bytes + HEAD + BODY_FIXED, what, what_len);
    memcpy(bytes + HEAD + BODY_FIXED + what_len, arguments, arguments_len);
    put(bytes + 4, len, 4);
    put(bytes + 8, mgc__crc32c(0, bytes + HEAD, len), 4);
    put(bytes + HEAD_SUMMED, mgc__crc32c(0, bytes, HEAD_SUMMED), 4);
    st = append(node, bytes, HEAD + len);
    if (st == MGC_OK) return MGC_OK;
    return mgc__fail(node->ctx, st, "node: what member %" PRIu32 " asks cannot be put on record, so it is not answered", caller);
}
