/* SPDX-License-Identifier: Apache-2.0 */
/* The log as the core sees it: a ring of entry metadata, chained by hashes.
 *
 * Writing is asynchronous.  An entry is in the log as soon as it is appended here, and durable once STORED has come
 * back for its token.  What can go wrong with completions, and what is done:
 *
 *   the slot was overwritten while its write was under way     STORED names the term; another term is dropped
 *   it was overwritten, and overwritten back (ABA)             a completion older than the last cut marks nothing
 *   the member lost leadership meanwhile                       an acknowledgement keeps the term it was made in
 *   the write fails                                            no completion ever comes; nothing was acknowledged */
#include "consensus/raft.h"
#include "crypto/crypto.h"

mgc__slot *mgc__log_slot(const mgc_raft *r, uint64_t index)
{
    assert(index > r->base && index <= r->last);
    return &r->ring[index & (r->opts.log_max - 1)];
}

bool mgc__log_known(const mgc_raft *r, uint64_t index)
{
    return index >= r->base && index <= r->last;
}

uint64_t mgc__log_term(const mgc_raft *r, uint64_t index)
{
    if (!mgc__log_known(r, index)) return 0;
    return index == r->base ? r->base_term : mgc__log_slot(r, index)->term;
}

const uint8_t *mgc__log_hash(const mgc_raft *r, uint64_t index)
{
    assert(mgc__log_known(r, index));
    return index == r->base ? r->base_hash : mgc__log_slot(r, index)->hash;
}

uint64_t mgc__log_space(const mgc_raft *r)
{
    return r->opts.log_max - (r->last - r->base);
}

/* entry.h = H("mgchain/entry/1", previous h, term, index, type, root) */
void mgc__entry_hash(const uint8_t previous[32], uint64_t index, uint64_t term, uint32_t type, const uint8_t root[32],
                     uint8_t hash[32])
{
    uint8_t bytes[32 + 8 + 8 + 1 + 32];

    memcpy(bytes, previous, 32);
    mgc__put_le(bytes + 32, term, 8);
    mgc__put_le(bytes + 40, index, 8);
    bytes[48] = (uint8_t)type;
    memcpy(bytes + 49, root, 32);
    mgc__hash_tagged("mgchain/entry/1", bytes, sizeof bytes, hash);
}

void mgc__log_push(mgc_raft *r, const mgc_raft_entry *entry)
{
    const uint8_t *previous = mgc__log_hash(r, r->last);
    uint8_t hash[32];

    assert(mgc__log_space(r) > 0);
    assert(entry->term >= mgc__log_term(r, r->last));
    mgc__entry_hash(previous, r->last + 1, entry->term, entry->type, entry->root, hash);
    r->last++;
    mgc__slot *slot = mgc__log_slot(r, r->last);

    slot->index = r->last;
    slot->term = entry->term;
    slot->handle = entry->handle;
    slot->len = entry->len;
    slot->type = entry->type;
    memcpy(slot->hash, hash, 32);
}

/* Only what is not committed may go (state-machine safety); callers have looked, this holds them to it. */
void mgc__log_truncate(mgc_raft *r, uint64_t from)
{
    assert(from > r->commit && from > r->base);
    if (from > r->last) return;
    r->last = from - 1;
    if (r->stored > r->last) r->stored = r->last;
    if (r->fault_last > r->last) r->fault_last = r->last;
    if (r->fault_first > r->fault_last) r->fault_first = r->fault_last = 0;
    mgc__config_drop_from(r, from);
    r->out->append.truncate_from = from;
}

void mgc__log_write(mgc_raft *r, uint64_t first)
{
    mgc_raft_append *a = &r->out->append;

    if (a->token == 0) {
        a->token = r->append_token = ++r->next_token;
        a->first = first;
        if (a->truncate_from != 0) r->cut_token = a->token;
    }
    assert(first >= a->first);
    a->last = r->last;
    a->term = mgc__log_term(r, r->last);
}

uint64_t mgc__log_after(const mgc_raft *r, uint64_t index)
{
    uint64_t hard = mgc__hard_after(r);

    if (index <= r->stored) return hard;
    return r->append_token > hard ? r->append_token : hard;
}

uint64_t mgc__hard_after(const mgc_raft *r)
{
    return r->hard_token > r->done_token ? r->hard_token : 0;
}

void mgc__log_compact(mgc_raft *r, uint64_t upto)
{
    uint64_t term = mgc__log_term(r, upto);
    uint8_t hash[32];

    if (upto <= r->base) return;
    assert(upto <= r->applied && upto <= r->last);
    memcpy(hash, mgc__log_hash(r, upto), 32);
    r->base = upto;
    r->base_term = term;
    memcpy(r->base_hash, hash, 32);
    mgc__fault_repaired_upto(r, upto);
}

/* A received snapshot takes the place of the log (paper, figure 13, steps 6 and 7). */
void mgc__log_reset(mgc_raft *r, const mgc_raft_snap_meta *meta)
{
    bool keep = mgc__log_term(r, meta->index) == meta->term && mgc__log_known(r, meta->index);

    if (!keep) {
        r->last = meta->index;
        r->stored = meta->index;
        r->cut_token = r->next_token + 1; /* completions of what was dropped mark nothing */
    }
    r->base = meta->index;
    r->base_term = meta->term;
    memcpy(r->base_hash, meta->hash, 32);
    if (r->stored < meta->index) r->stored = meta->index;
    r->commit = r->commit > meta->index ? r->commit : meta->index;
    r->applied = r->apply_sent = meta->index;
    mgc__fault_repaired_upto(r, meta->index);
    if (!keep) {
        r->n_configs = 0;
        r->fault_first = r->fault_last = 0;
    }
}

bool mgc__log_up_to_date(const mgc_raft *r, uint64_t term, uint64_t index)
{
    uint64_t own = mgc__log_term(r, r->last);

    return term > own || (term == own && index >= r->last);
}

void mgc__log_commit_to(mgc_raft *r, uint64_t index)
{
    assert(index <= r->last);
    if (index <= r->commit) return;
    if (r->role == MGC_RAFT_LEADER)
        for (uint64_t i = r->commit + 1; i <= index; i++) {
            uint32_t len = i > r->base ? mgc__log_slot(r, i)->len : 0;

            r->uncommitted_bytes -= len < r->uncommitted_bytes ? len : r->uncommitted_bytes;
        }
    r->commit = index;
    mgc__config_committed(r);
}
