/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what a crash, or a failing disk, left.
 *
 * Segment by segment, record by record:
 *   1. A record is found by its second header, in the ring or, of the last few, behind the last group; where that is bad
 *      by its place after the one before.
 *   2. The records of a group are collected, then applied together, for only a whole group tells whether it was synced:
 *      a record that lost both headers in the last group proves that the group was not, so that nobody heard of it.
 *   3. Where both headers are bad, the rest of the segment is searched for headers of later records.  One of a later group
 *      proves that the lost record had been durable.
 *   4. Copies that were bad are written again; what is torn is set to zero.
 *
 * Cases are numbered in apply_...() as in the table of store.h. */
#include "consensus/store_private.h"

/* A piece of a file in memory. */
struct window {
    uint8_t *bytes;
    size_t cap, len;
    uint64_t at;
};

/* One record as found. */
struct slot {
    log_header head; /* of whichever copy is good, in line first */
    uint8_t prev[32], hash[32];
    bool has_inline, has_ring, has_recent, body_good;
};

struct scan {
    mgc__raftlog *log;
    log_name name;
    uint32_t segment;
    uint64_t size, base;
    uint64_t limit;  /* records of the segment, where the next one tells; UINT64_MAX */
    bool proven;     /* all of it is known to have been durable */
    uint64_t k, at;  /* the record looked for; where the one before ends */
    struct window records, ring;
    struct slot *group;
    size_t n_group, cap_group;
    log_header *recent; /* second headers behind the last group */
    size_t n_recent, cap_recent;
    bool looked; /* for them, in this segment */
    uint64_t holes;  /* records lost since the last one applied */
    bool had_hole, based, dirty;
    bool ended; /* nothing comes after */
};

static mgc_status corrupt(struct scan *s, uint64_t at, const char *what)
{
    return mgc__fail(s->log->ctx, MGC_E_CORRUPT, "consensus: %s in %s at byte %" PRIu64, what, s->name, at);
}

/* need bytes at an offset; a miss reads a burst from there, or one that ends there. */
static mgc_status look(struct scan *s, struct window *w, uint64_t at, size_t need, bool backwards, const uint8_t **bytes)
{
    uint64_t end = at + need, from = at;
    size_t len;

    assert(end <= s->size);
    if (w->len == 0 || at < w->at || end > w->at + w->len) {
        if (backwards) from = end > LOG_BURST && need < LOG_BURST ? end - LOG_BURST : 0;
        if (from > at) from = at;
        len = backwards ? (size_t)(end - from) : need > LOG_BURST ? need : LOG_BURST;
        if (len > s->size - from) len = (size_t)(s->size - from);
        if (!mgc__grow(s->log->ctx, (void **)&w->bytes, &w->cap, len, 1))
            return mgc__no_memory(s->log->ctx, "consensus: reading the log");
        w->len = 0;
        mgc_status st = mgc__verdict(s->log->opts.ops.read(s->log->opts.user, s->name, from, w->bytes, len));
        if (st != MGC_OK) return st;
        w->at = from;
        w->len = len;
    }
    *bytes = w->bytes + (at - w->at);
    return MGC_OK;
}

/* --- one record --------------------------------------------------------------------------------- */

static bool fits(const struct scan *s, const log_header *h, uint64_t k)
{
    return h->sequence == s->base + k && h->offset >= LOG_SECTOR &&
           h->offset + LOG_HEADER + h->len <= mgc__raftlog_ring_at(s->size, k);
}

static mgc_status try_inline(struct scan *s, uint64_t at, struct slot *slot)
{
    const uint8_t *bytes;
    log_header h;
    mgc_status st;

    if (at < LOG_SECTOR || at + LOG_HEADER > mgc__raftlog_ring_at(s->size, s->k)) return MGC_OK;
    st = look(s, &s->records, at, LOG_HEADER, false, &bytes);
    if (st != MGC_OK || !mgc__raftlog_get_header(s->log, LOG_INLINE, bytes, &h) || h.offset != at || !fits(s, &h, s->k)) return st;
    slot->has_inline = true;
    slot->head = h;
    memcpy(slot->prev, h.link, 32);
    return MGC_OK;
}

static mgc_status keep_recent(struct scan *s, const uint8_t *bytes, size_t len)
{
    log_header h;

    for (size_t i = 0; i + LOG_HEADER <= len; i += LOG_ALIGN) {
        if ((log_get32(bytes + i) & 0xffff) != 0x4c52u || !mgc__raftlog_get_header(s->log, LOG_RING, bytes + i, &h)) continue;
        if (!mgc__grow(s->log->ctx, (void **)&s->recent, &s->cap_recent, s->n_recent + 1, sizeof *s->recent))
            return mgc__no_memory(s->log->ctx, "consensus: reading the log");
        s->recent[s->n_recent++] = h;
    }
    return MGC_OK;
}

/* Where the ring ends, some block behind has the second headers that it lacks; a write that went astray, anywhere. */
static mgc_status look_for_recent(struct scan *s)
{
    uint64_t end = s->k == 0 ? s->size - LOG_SECTOR : mgc__raftlog_ring_at(s->size, s->k - 1);
    mgc_status st = MGC_OK;

    s->looked = true;
    for (uint64_t at = log_up(s->at, LOG_ALIGN); st == MGC_OK && at + LOG_HEADER <= end;) {
        size_t len = end - at < LOG_BURST ? (size_t)(end - at) : LOG_BURST;
        const uint8_t *bytes;
        st = look(s, &s->records, at, len, false, &bytes);
        if (st == MGC_OK) st = keep_recent(s, bytes, len);
        at += len == end - at ? len : len - (LOG_HEADER - LOG_ALIGN);
    }
    s->records.len = 0;
    return st;
}

/* The second header of record k: in the ring, or else behind the last group. */
static mgc_status try_second(struct scan *s, uint64_t ring_at, struct slot *slot)
{
    const uint8_t *bytes;
    mgc_status st = look(s, &s->ring, ring_at, LOG_HEADER, true, &bytes);

    if (st != MGC_OK) return st;
    slot->has_ring = mgc__raftlog_get_header(s->log, LOG_RING, bytes, &slot->head) && fits(s, &slot->head, s->k);
    if (!slot->has_ring && !s->looked) st = look_for_recent(s);
    for (size_t i = 0; i < s->n_recent && !slot->has_ring && !slot->has_recent; i++)
        if (fits(s, &s->recent[i], s->k)) {
            slot->head = s->recent[i];
            slot->has_recent = true;
        }
    if (slot->has_ring || slot->has_recent) memcpy(slot->hash, slot->head.link, 32);
    return st;
}

static bool has_second(const struct slot *slot)
{
    return slot->has_ring || slot->has_recent;
}

/* Record k: which of its headers are good, and is its body? */
static mgc_status examine(struct scan *s, struct slot *slot)
{
    uint64_t ring_at = mgc__raftlog_ring_at(s->size, s->k);
    const uint8_t *bytes;
    mgc_status st;

    memset(slot, 0, sizeof *slot);
    if (ring_at < s->at || ring_at > s->size) return MGC_OK; /* no room for another: the end */
    st = try_second(s, ring_at, slot);
    if (st != MGC_OK) return st;
    st = try_inline(s, has_second(slot) ? slot->head.offset : s->at, slot);
    /* A group begins at a sector; it may be one behind the second headers that stood in its way. */
    for (uint64_t at = log_up(s->at, LOG_SECTOR), far = at + 3 * LOG_BLOCK; st == MGC_OK && !slot->has_inline && !has_second(slot) && at < far;
         at += LOG_SECTOR)
        st = try_inline(s, at, slot);
    if (st != MGC_OK || (!slot->has_inline && !has_second(slot))) return st;
    st = look(s, &s->records, slot->head.offset + LOG_HEADER, slot->head.len, false, &bytes);
    if (st != MGC_OK) return st;
    slot->body_good = mgc__crc32c(0, bytes, slot->head.len) == slot->head.body_crc;
    if (slot->has_inline && !has_second(slot) && slot->body_good) {
        if (slot->head.type <= MGC__RAFTLOG_TYPE_MAX)
            s->log->opts.hash(slot->prev, slot->head.index, slot->head.term, slot->head.type, bytes, slot->head.len, slot->hash);
        else memcpy(slot->hash, slot->prev, 32);
    }
    return MGC_OK;
}

/* --- writing again what was bad ------------------------------------------------------------------ */

static mgc_status write_copy(struct scan *s, int copy, const struct slot *slot)
{
    uint8_t bytes[LOG_HEADER];
    log_header h = slot->head;
    uint64_t at = copy == LOG_INLINE ? h.offset : mgc__raftlog_ring_at(s->size, h.sequence - s->base);

    memcpy(h.link, copy == LOG_INLINE ? slot->prev : slot->hash, 32);
    mgc__raftlog_put_header(s->log, copy, &h, bytes);
    s->dirty = true;
    if (copy == LOG_INLINE || !slot->has_recent) s->log->repaired++;
    return mgc__verdict(s->log->opts.ops.write(s->log->opts.user, s->name, at, bytes, sizeof bytes));
}

static mgc_status sync_repairs(struct scan *s)
{
    mgc_status st = s->dirty ? mgc__verdict(s->log->opts.ops.sync(s->log->opts.user, s->name)) : MGC_OK;

    s->dirty = false;
    return st == MGC_OK ? MGC_OK : mgc__raftlog_fail(s->log, st, "syncing what was repaired");
}

/* Set what lies behind the last good record to zero, where it is not: second headers among it, which are in the ring first. */
static mgc_status wipe(struct scan *s)
{
    static const uint8_t zeros[LOG_SECTOR] = {0};
    uint64_t end = s->k == 0 ? s->size - LOG_SECTOR : mgc__raftlog_ring_at(s->size, s->k - 1);
    mgc_status st = sync_repairs(s);

    s->records.len = 0;
    for (uint64_t at = s->at; at < end && st == MGC_OK;) {
        size_t len = end - at < LOG_SECTOR ? (size_t)(end - at) : LOG_SECTOR;
        const uint8_t *bytes;
        st = look(s, &s->records, at, len, false, &bytes);
        if (st == MGC_OK && memcmp(bytes, zeros, len) != 0) {
            st = mgc__verdict(s->log->opts.ops.write(s->log->opts.user, s->name, at, zeros, len));
            s->dirty = true;
        }
        at += len;
    }
    return st;
}

/* --- applying records to the picture of the log -------------------------------------------------- */

static uint64_t last_of(const mgc__raftlog *log)
{
    return log->first + log->n_metas - 1;
}

static mgc_status push_unknown(struct scan *s)
{
    mgc__raftlog_meta meta = {.segment = s->segment, .origin = s->segment, .state = MGC__RAFTLOG_FAULTY};

    return mgc__raftlog_push_meta(s->log, &meta);
}

/* Holes before a record that says that the log then ended at `before`: what can they have been? */
static mgc_status fill_holes(struct scan *s, uint64_t before, const uint8_t *link)
{
    mgc__raftlog *log = s->log;
    mgc__raftlog_meta *meta;
    mgc_status st = MGC_OK;

    if (s->holes == 0 || !s->based) return MGC_OK;
    if (before > last_of(log) + s->holes || before + 1 < log->first) return corrupt(s, s->at, "records missing");
    s->had_hole = true;
    s->holes = 0;
    meta = mgc__raftlog_at(log, before);
    /* A truncation alone was lost, and the chain says that what is before is right. */
    if (meta != NULL && link != NULL && meta->has_hash && memcmp(meta->hash, link, 32) == 0) {
        mgc__raftlog_drop_from(log, before + 1);
        return MGC_OK;
    }
    mgc__raftlog_drop_from(log, before + 1);
    while (st == MGC_OK && last_of(log) < before) st = push_unknown(s);
    meta = st == MGC_OK ? mgc__raftlog_at(log, before) : NULL;
    if (meta != NULL) {
        meta->term = 0;
        mgc__raftlog_set_faulty(log, meta, link);
    }
    return st;
}

/* The link of a record against the entry before it. */
static mgc_status check_link(struct scan *s, const struct slot *slot)
{
    mgc__raftlog *log = s->log;
    mgc__raftlog_meta *before = log->n_metas == 0 ? NULL : &log->metas[log->n_metas - 1];

    if (!slot->has_inline) return MGC_OK;
    if (before == NULL && memcmp(log->base_hash, slot->prev, 32) != 0)
        return corrupt(s, slot->head.offset, "a good record that links to another one than the snapshot's");
    if (before == NULL || (before->has_hash && memcmp(before->hash, slot->prev, 32) == 0)) return MGC_OK;
    if (before->has_hash && !s->had_hole) return corrupt(s, slot->head.offset, "a good record that links to another one");
    if (before->has_hash) before->term = 0;
    mgc__raftlog_set_faulty(log, before, slot->prev);
    return MGC_OK;
}

static void meta_of(const struct scan *s, const struct slot *slot, mgc__raftlog_meta *meta)
{
    const log_header *h = &slot->head;

    *meta = (mgc__raftlog_meta){.term = h->term, .offset = h->offset, .segment = s->segment, .origin = s->segment,
                                .len = h->len, .type = (uint8_t)h->type, .state = MGC__RAFTLOG_FAULTY,
                                .has_hash = has_second(slot) || slot->body_good};
    memcpy(meta->hash, slot->hash, 32);
    if (slot->body_good && slot->has_inline) meta->state = MGC__RAFTLOG_STORED;
}

static mgc_status apply_repair(struct scan *s, const struct slot *slot)
{
    mgc__raftlog *log = s->log;
    mgc__raftlog_meta *meta = mgc__raftlog_at(log, slot->head.index), *before, now;

    meta_of(s, slot, &now);
    if (meta == NULL || (meta->has_hash && now.has_hash && memcmp(meta->hash, now.hash, 32) != 0)) return MGC_OK;
    now.origin = meta->origin;
    log->n_faulty += (uint64_t)(now.state == MGC__RAFTLOG_FAULTY);
    log->n_faulty -= (uint64_t)(meta->state == MGC__RAFTLOG_FAULTY);
    *meta = now;
    before = mgc__raftlog_at(log, slot->head.index - 1);
    if (before != NULL && slot->has_inline && (!before->has_hash || memcmp(before->hash, slot->prev, 32) != 0)) {
        if (before->has_hash) before->term = 0;
        mgc__raftlog_set_faulty(log, before, slot->prev);
    }
    return MGC_OK;
}

static mgc_status apply_entry(struct scan *s, struct slot *slot)
{
    mgc__raftlog *log = s->log;
    mgc__raftlog_meta meta;
    mgc_status st;

    if (!s->based && (slot->head.flags & LOG_FLAG_REPAIR)) return MGC_OK; /* of an entry that is compacted */
    if (!s->based) { /* the files before were removed: they held nothing after the snapshot */
        mgc__raftlog_empty(log, slot->head.index - 1, 0, slot->prev);
        s->based = slot->has_inline;
        s->holes = 0;
    }
    if (slot->head.flags & LOG_FLAG_REPAIR) {
        st = fill_holes(s, last_of(log) + s->holes, NULL);
        return st == MGC_OK ? apply_repair(s, slot) : st;
    }
    st = fill_holes(s, slot->head.index - 1, slot->has_inline ? slot->prev : NULL);
    if (st == MGC_OK && slot->head.index != last_of(log) + 1) st = corrupt(s, slot->head.offset, "an entry out of order");
    if (st == MGC_OK) st = check_link(s, slot);
    if (st != MGC_OK) return st;
    if (!slot->has_inline && slot->body_good) { /* what it links to is known from the entry before */
        const mgc__raftlog_meta *before = log->n_metas == 0 ? NULL : &log->metas[log->n_metas - 1];
        if (before == NULL || before->has_hash) {
            memcpy(slot->prev, before == NULL ? log->base_hash : before->hash, 32);
            st = write_copy(s, LOG_INLINE, slot);
            slot->has_inline = st == MGC_OK;
        }
    }
    meta_of(s, slot, &meta);
    return st == MGC_OK ? mgc__raftlog_push_meta(log, &meta) : st;
}

static mgc_status apply_mark(struct scan *s, struct slot *slot)
{
    const log_header *h = &slot->head;
    mgc_status st = MGC_OK;

    if (!slot->has_inline) {
        memcpy(slot->prev, slot->hash, 32);
        st = write_copy(s, LOG_INLINE, slot);
    }
    if (st != MGC_OK) return st;
    if (h->type == LOG_RESET) {
        mgc__raftlog_empty(s->log, h->index, h->term, slot->hash);
        s->based = true;
        s->holes = 0;
        return MGC_OK;
    }
    if (h->type != LOG_TRUNCATE) return corrupt(s, h->offset, "a record of an unknown kind");
    if (h->index >= s->log->first) st = fill_holes(s, h->index - 1, NULL);
    if (st != MGC_OK || !s->based) return st;
    if (h->index < s->log->first) { /* back into files that are gone: the next entry says where it goes on */
        mgc__raftlog_empty(s->log, h->index - 1, 0, slot->hash);
        s->based = false;
    } else mgc__raftlog_drop_from(s->log, h->index);
    return MGC_OK;
}

static mgc_status apply(struct scan *s, struct slot *slot)
{
    mgc_status st = MGC_OK;

    if (slot->head.type <= MGC__RAFTLOG_TYPE_MAX) st = apply_entry(s, slot);
    else st = apply_mark(s, slot);
    if (st == MGC_OK && !slot->has_ring && (slot->body_good || slot->has_recent)) st = write_copy(s, LOG_RING, slot);
    return st;
}

/* --- groups ------------------------------------------------------------------------------------- */

static mgc_status apply_group(struct scan *s)
{
    mgc_status st = MGC_OK;

    for (size_t i = 0; i < s->n_group && st == MGC_OK; i++) st = apply(s, &s->group[i]);
    s->n_group = 0;
    return st;
}

/* The group at hand was never synced: keep its good beginning, drop the rest and all behind. */
static mgc_status cut(struct scan *s)
{
    size_t good = 0;
    mgc_status st;

    while (good < s->n_group && s->group[good].body_good) good++;
    s->log->torn += s->n_group > good ? s->n_group - good : 1;
    if (good < s->n_group) {
        uint64_t at = s->group[good].head.offset;
        s->k = s->group[good].head.sequence - s->base;
        s->at = good == 0 ? at : s->group[good - 1].head.offset + LOG_HEADER + s->group[good - 1].head.len;
        if (good == 0 && s->k == 0) s->at = LOG_SECTOR;
        s->at = log_up(s->at, LOG_ALIGN);
    }
    s->n_group = good;
    st = apply_group(s);
    return st == MGC_OK ? wipe(s) : st;
}

/* --- behind a record that lost both headers ------------------------------------------------------ */

struct beyond {
    bool found, proof;
    uint64_t k, at; /* the next good record; at 0: its place is not known */
};

static void weigh(struct scan *s, const uint8_t *bytes, uint64_t at, struct beyond *b)
{
    uint32_t magic = log_get32(bytes) & 0xffff;
    int copy = magic == 0x4c49u ? LOG_INLINE : LOG_RING;
    log_header h;
    uint64_t k;

    if ((magic != 0x4c49u && magic != 0x4c52u) || !mgc__raftlog_get_header(s->log, copy, bytes, &h)) return;
    k = h.sequence - s->base;
    if (h.sequence <= s->base + s->k || k > s->size / LOG_HEADER || !fits(s, &h, k)) return;
    if (copy == LOG_INLINE && at != h.offset) return; /* second headers wander until they are in the ring */
    if (h.sequence - h.group_at > s->base + s->k) b->proof = true;
    if (!b->found || k < b->k || (k == b->k && copy == LOG_INLINE)) {
        b->k = k;
        b->at = h.offset;
    }
    b->found = true;
}

static mgc_status search(struct scan *s, struct beyond *b)
{
    uint64_t end = s->k == 0 ? s->size - LOG_SECTOR : mgc__raftlog_ring_at(s->size, s->k - 1);
    mgc_status st = MGC_OK;

    *b = (struct beyond){.proof = s->proven};
    for (uint64_t at = s->at; st == MGC_OK && at + LOG_HEADER <= end;) {
        size_t len = end - at < LOG_BURST ? (size_t)(end - at) : LOG_BURST;
        const uint8_t *bytes;
        st = look(s, &s->records, at, len, false, &bytes);
        for (size_t i = 0; st == MGC_OK && i + LOG_HEADER <= len; i += LOG_ALIGN) weigh(s, bytes + i, at + i, b);
        at += len == end - at ? len : len - (LOG_HEADER - LOG_ALIGN);
    }
    return st;
}

/* A record that lost its second header and its body, which lie in different sectors: no single damage does that, so its
 * group was not synced, unless something later proves that it was. */
static mgc_status settle_group(struct scan *s)
{
    struct beyond b = {.found = true};
    bool twice = false;

    for (size_t i = 0; i < s->n_group; i++) twice = twice || (!has_second(&s->group[i]) && !s->group[i].body_good);
    if (twice && !s->proven) {
        mgc_status st = search(s, &b);
        if (st != MGC_OK) return st;
    }
    if (b.found) return apply_group(s);
    s->ended = true;
    return cut(s);
}

static mgc_status keep(struct scan *s, const struct slot *slot)
{
    if (!mgc__grow(s->log->ctx, (void **)&s->group, &s->cap_group, s->n_group + 1, sizeof *s->group))
        return mgc__no_memory(s->log->ctx, "consensus: reading the log");
    s->group[s->n_group++] = *slot;
    s->k++;
    s->at = log_up(slot->head.offset + LOG_HEADER + slot->head.len, LOG_ALIGN);
    return slot->head.group_at + 1 == slot->head.group_n ? settle_group(s) : MGC_OK;
}

/* Record k has no good header. */
static mgc_status over_hole(struct scan *s)
{
    struct beyond b;
    uint64_t lost;
    mgc_status st = search(s, &b);

    s->ended = true;
    if (st != MGC_OK) return st;
    if (!b.proof && (b.found || s->n_group > 0)) return cut(s); /* torn: nobody heard of it */
    if (!b.found && s->limit == UINT64_MAX) {
        st = apply_group(s);
        return st == MGC_OK ? wipe(s) : st;
    }
    lost = (b.found ? b.k : s->limit) - s->k;
    st = apply_group(s);
    s->holes += lost;
    s->k += lost;
    s->ended = !b.found;
    if (b.found) s->at = b.at;
    return st;
}

/* --- a segment, and all of them ------------------------------------------------------------------ */

static mgc_status scan_segment(struct scan *s)
{
    struct slot slot;
    mgc_status st = MGC_OK;

    s->ended = false;
    s->k = 0;
    s->at = LOG_SECTOR;
    s->records.len = s->ring.len = 0;
    s->n_recent = 0;
    s->looked = false;
    while (st == MGC_OK && !s->ended && s->k < s->limit) {
        st = examine(s, &slot);
        if (st != MGC_OK) return st;
        st = slot.has_inline || has_second(&slot) ? keep(s, &slot) : over_hole(s);
    }
    if (st == MGC_OK && s->n_group > 0) st = apply_group(s);
    return st == MGC_OK ? sync_repairs(s) : st;
}

/* Was a file without a good head ever used? */
static mgc_status is_blank(struct scan *s, bool *blank)
{
    static const uint8_t zeros[LOG_SECTOR] = {0};
    mgc_status st = MGC_OK;

    *blank = true;
    s->records.len = 0;
    for (uint64_t at = LOG_SECTOR; st == MGC_OK && *blank && at + 2 * LOG_SECTOR <= s->size; at += LOG_SECTOR) {
        const uint8_t *bytes;
        st = look(s, &s->records, at, LOG_SECTOR, false, &bytes);
        if (st == MGC_OK) *blank = memcmp(bytes, zeros, LOG_SECTOR) == 0;
    }
    s->records.len = 0;
    return st;
}

static mgc_status drop_unborn(struct scan *s)
{
    mgc__raftlog *log = s->log;
    bool blank;
    mgc_status st = is_blank(s, &blank);

    if (st != MGC_OK) return st;
    if (!blank) return corrupt(s, 0, "both heads of the segment are damaged");
    st = mgc__verdict(log->opts.ops.remove(log->opts.user, s->name));
    if (st == MGC_OK) st = mgc__verdict(log->opts.ops.sync_names(log->opts.user));
    if (log->segment_hi == log->segment_lo) log->has_segment = false;
    else log->segment_hi--;
    return st;
}

static mgc_status read_heads(struct scan *s, const uint64_t *sizes, log_segment_head *heads, bool *unborn)
{
    mgc__raftlog *log = s->log;
    mgc_status st = MGC_OK;
    bool good;

    for (uint32_t n = log->segment_lo; st == MGC_OK && n <= log->segment_hi; n++) {
        log_segment_head *head = &heads[n - log->segment_lo];
        s->size = sizes[n - log->segment_lo];
        mgc__raftlog_segment_name(log, n, s->name);
        st = mgc__raftlog_read_segment_head(log, n, s->size, head, &good);
        if (st != MGC_OK) break;
        if (!good && n < log->segment_hi) return corrupt(s, 0, "both heads of the segment are damaged");
        if (!good) {
            *unborn = true;
            return drop_unborn(s);
        }
        if (n == log->segment_lo) log->salt = head->salt;
        if (head->salt != log->salt) return corrupt(s, 0, "a segment of another store");
    }
    return st;
}

static mgc_status scan_all(struct scan *s, const uint64_t *sizes, log_segment_head *heads)
{
    mgc__raftlog *log = s->log;
    bool unborn = false;
    mgc_status st = read_heads(s, sizes, heads, &unborn);

    if (st != MGC_OK || !log->has_segment) return st;
    s->based = heads[0].base == 0;
    for (uint32_t n = log->segment_lo; st == MGC_OK && n <= log->segment_hi; n++) {
        size_t i = n - log->segment_lo;
        bool last = n == log->segment_hi;
        s->segment = n;
        s->size = sizes[i];
        s->base = heads[i].base;
        s->proven = !last || unborn;
        mgc__raftlog_segment_name(log, n, s->name);
        s->limit = last ? UINT64_MAX : heads[i + 1].base - s->base;
        if (!last && (heads[i + 1].base < s->base || s->limit > s->size / LOG_HEADER))
            return corrupt(s, 0, "segments that do not follow each other");
        st = scan_segment(s);
    }
    if (st == MGC_OK && s->holes > 0) st = fill_holes(s, last_of(log) + s->holes, NULL);
    log->base = s->base;
    log->size = s->size;
    log->at = s->at;
    log->next = s->base + s->k;
    return st;
}

mgc_status mgc__raftlog_recover(mgc__raftlog *log, uint64_t *sizes)
{
    struct scan s = {.log = log};
    log_segment_head *heads;
    mgc_status st;

    if (!log->has_segment) return MGC_OK;
    heads = mgc__alloc(log->ctx, log->segment_hi - log->segment_lo + 1, sizeof *heads);
    if (heads == NULL) return mgc__no_memory(log->ctx, "consensus: the log");
    st = scan_all(&s, sizes, heads);
    mgc__free(log->ctx, heads);
    mgc__free(log->ctx, s.group);
    mgc__free(log->ctx, s.records.bytes);
    mgc__free(log->ctx, s.ring.bytes);
    mgc__free(log->ctx, s.recent);
    return st;
}
