/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold after each event.
 *
 *   election safety           one leader a term, ever
 *   log matching              same index and term, same chain hash, on every member that ever held such an entry
 *   leader completeness       a new leader holds what was committed in earlier terms
 *   state-machine safety      one entry an index, whoever applies it; equal states at equal indices
 *   acknowledged means durable: a vote or acknowledgement leaves only when the sender's disk holds what it says
 *   committed means held by a majority of disks
 *   evidence                  no honest member ever signs two truths
 *   reads                     never older than what a client was told before it asked */
#include "sim.h"

#include "crypto/crypto.h"

/* --- a table ------------------------------------------------------------------------------------ */

static uint64_t mix(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t x = a * UINT64_C(0x9e3779b97f4a7c15) ^ b * UINT64_C(0xc2b2ae3d27d4eb4f) ^ c * UINT64_C(0x165667b19e3779f9);

    x ^= x >> 29;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    return (x ^ x >> 32) | 1;
}

static uint64_t short_of(const uint8_t hash[32])
{
    uint64_t x;

    memcpy(&x, hash, 8);
    return x;
}

/* The value kept under the key; put there now if there was none. */
static uint64_t keep(struct table *t, uint64_t key, uint64_t value)
{
    size_t i;

    if (2 * (t->n + 1) > t->cap) {
        struct table wider = {.cap = t->cap == 0 ? 256 : 2 * t->cap};
        wider.slots = calloc(wider.cap, sizeof *wider.slots);
        if (wider.slots == NULL) abort();
        for (i = 0; i < t->cap; i++)
            if (t->slots[i][0] != 0) (void)keep(&wider, t->slots[i][0], t->slots[i][1]);
        free(t->slots);
        *t = wider;
    }
    for (i = key & (t->cap - 1); t->slots[i][0] != 0; i = (i + 1) & (t->cap - 1))
        if (t->slots[i][0] == key) return t->slots[i][1];
    t->slots[i][0] = key;
    t->slots[i][1] = value;
    t->n++;
    return value;
}

/* A broken rule is a failure, unless somebody lies: then he must be convicted in the end. */
#define BREAK(s, ...)                                                  \
    do {                                                               \
        if ((s)->liar != 0) (s)->unsafe++;                             \
        else sim_fail(s, __VA_ARGS__);                                 \
    } while (0)

/* --- disks -------------------------------------------------------------------------------------- */

/* Is it on its way to the disk, by a write that was begun and not awaited? */
static bool on_its_way(const struct node *n, const mgc__raftlog_meta *meta)
{
    char name[MGC_STORAGE_NAME_MAX + 1];

    if (n->disk.begun[0] == '\0' || meta->offset < n->disk.begun_at || meta->offset >= n->disk.begun_at + n->disk.begun_len) return false;
    snprintf(name, sizeof name, "log-%08" PRIx32 ".mgl", meta->segment);
    return strcmp(name, n->disk.begun) == 0;
}

/* Does the member's disk hold this entry, durable?  One that rotted since counts: it was there. */
static bool on_disk(const struct node *n, uint64_t index, const uint8_t hash[32])
{
    const mgc__raftlog_meta *meta;
    mgc__raftlog_info info;

    if (n->log == NULL) return true; /* it is down; what it had was looked at when it acknowledged */
    mgc__raftlog_get_info(n->log, &info);
    if (index < info.first) return true;
    meta = mgc__raftlog_meta_of(n->log, index);
    return meta != NULL && !on_its_way(n, meta) && (!meta->has_hash || memcmp(meta->hash, hash, 32) == 0);
}

/* Is a whole snapshot that covers the index on the medium, under its durable name, with nothing of it still in the cache?
 * The files are looked at, not what the log believes of them. */
static bool snapshot_durable(const struct node *n, uint64_t index)
{
    mgc__raftlog_info info;
    char name[MGC_STORAGE_NAME_MAX + 1];

    mgc__raftlog_get_info(n->log, &info);
    if (info.snapshot.index < index) return false;
    snprintf(name, sizeof name, "snap-%016" PRIx64 ".mgl", info.snapshot.index);
    for (size_t i = 0; i < n->disk.n; i++) {
        const struct sim_file *f = &n->disk.files[i];
        if (strcmp(f->durable, name) == 0) return !f->any_dirty && f->size > info.snapshot.size && f->safe_size == f->size;
    }
    return false;
}

/* Does the disk hold what is acknowledged: the entry itself, or a snapshot of a state that contains exactly it?  A
 * snapshot names one hash, that of its last entry; for those before it speaks what was committed. */
static bool acknowledged(struct sim *s, const struct node *n, uint64_t index, const uint8_t hash[32])
{
    const mgc__raftlog_meta *meta = mgc__raftlog_meta_of(n->log, index);
    mgc__raftlog_info info;

    if (meta != NULL && !on_its_way(n, meta) && meta->state == MGC__RAFTLOG_STORED && memcmp(meta->hash, hash, 32) == 0) return true;
    if (index == s->genesis.index) return memcmp(s->genesis.hash, hash, 32) == 0;
    if (!snapshot_durable(n, index)) return false;
    mgc__raftlog_get_info(n->log, &info);
    if (index == info.snapshot.index) return memcmp(info.snapshot.hash, hash, 32) == 0;
    return index <= s->n_truth && memcmp(s->truth[index - 1].hash, hash, 32) == 0;
}

/* --- after a step ------------------------------------------------------------------------------- */

static void check_leader(struct sim *s, struct node *n, uint64_t term)
{
    uint64_t first = keep(&s->leaders, mix(term, 1, 1), n->id);

    if (first != n->id)
        BREAK(s, "members %" PRIu64 " and %" PRIu32 " both lead term %" PRIu64, first, n->id, term);
    s->marks[MARK_LEADER]++;
    /* The last of what was committed in an earlier term; the chain of hashes speaks for the rest. */
    for (size_t i = s->n_truth; i > 0; i--) {
        const struct truth *t = &s->truth[i - 1];
        mgc_raft_entry e;
        if (t->term_committed >= term) continue;
        if (i <= n->state.meta.index) return;
        if (mgc_raft_entry_get(n->raft, i, &e) == MGC_OK && memcmp(e.hash, t->hash, 32) == 0) return;
        if (mgc__log_known(n->raft, i) && memcmp(mgc__log_hash(n->raft, i), t->hash, 32) == 0) return;
        BREAK(s, "leader %" PRIu32 " of term %" PRIu64 " lacks entry %zu committed in term %" PRIu64, n->id, term, i,
              t->term_committed);
        return;
    }
}

void check_step(struct sim *s, struct node *n, const mgc_raft_output *out)
{
    const mgc_raft_trace *before = &out->before, *after = &out->after;

    if (after->term < before->term || after->term < n->term_seen)
        sim_fail(s, "member %" PRIu32 ": term %" PRIu64 " after %" PRIu64, n->id, after->term, n->term_seen);
    if (after->commit < before->commit || after->commit < n->commit_seen)
        sim_fail(s, "member %" PRIu32 ": commit %" PRIu64 " after %" PRIu64, n->id, after->commit, n->commit_seen);
    if (after->applied > after->stored || after->applied > after->commit)
        sim_fail(s, "member %" PRIu32 ": applied %" PRIu64 " beyond stored %" PRIu64 " or commit %" PRIu64, n->id, after->applied,
                 after->stored, after->commit);
    n->term_seen = after->term;
    n->commit_seen = after->commit;
    if (s->liar != 0) audit_configs(s, n->raft);
    if (after->role == MGC_RAFT_LEADER && before->role != MGC_RAFT_LEADER) check_leader(s, n, after->term);
    if (after->role == MGC_RAFT_LEADER && n->amnesia)
        sim_fail(s, "member %" PRIu32 " leads with a disk that forgot", n->id);
}

void check_append(struct sim *s, const mgc_raft_entry *e)
{
    uint64_t value = short_of(e->hash);

    if (keep(&s->entries, mix(e->index, e->term, 2), value) != value)
        BREAK(s, "entry %" PRIu64 " of term %" PRIu64 " has two contents or two pasts", e->index, e->term);
}

/* --- committing --------------------------------------------------------------------------------- */

static bool majority_holds(const struct sim *s, const mgc_raft_config *c, uint64_t index, const uint8_t hash[32])
{
    uint32_t voters[2] = {0}, held[2] = {0};

    for (uint32_t i = 0; i < c->n_members; i++)
        for (uint32_t half = 0; half < 2; half++) {
            if ((c->members[i].roles & (half == 0 ? MGC_RAFT_VOTER : MGC_RAFT_VOTER_OLD)) == 0) continue;
            voters[half]++;
            held[half] += on_disk(&s->nodes[c->members[i].id], index, hash);
        }
    return (voters[0] == 0 || 2 * held[0] > voters[0]) && (voters[1] == 0 || 2 * held[1] > voters[1]);
}

static bool some_configuration_holds(const struct sim *s, const mgc_raft *r, uint64_t index, const uint8_t hash[32])
{
    for (uint32_t i = 0; i < r->n_configs; i++)
        if (majority_holds(s, &r->configs[i], index, hash)) return true;
    return false;
}

/* Under the configuration by which it was committed: one that the member still remembers, or its leader, who counts by a
 * later one as soon as that is in the leader's own log. */
static void check_majority(struct sim *s, struct node *n, uint64_t index, const uint8_t hash[32])
{
    if (s->wiped_once || s->liar != 0) return; /* a wiped disk did hold it once */
    if (some_configuration_holds(s, n->raft, index, hash)) return;
    for (uint32_t id = 1; id <= SIM_NODES; id++) {
        const mgc_raft *r = s->nodes[id].raft;

        if (r != NULL && r->role == MGC_RAFT_LEADER && r->term == n->raft->term && some_configuration_holds(s, r, index, hash)) return;
    }
    BREAK(s, "entry %" PRIu64 " is committed by %" PRIu32 " and no majority of disks holds it", index, n->id);
}

void check_applied(struct sim *s, struct node *n, uint64_t index, const mgc_raft_entry *e)
{
    struct truth *t;

    if (index <= s->n_truth) {
        t = &s->truth[index - 1];
        if (memcmp(t->hash, e->hash, 32) != 0)
            BREAK(s, "member %" PRIu32 " applies another entry %" PRIu64 " (term %" PRIu64 ", the first one had %" PRIu64 ")", n->id, index,
                  e->term, t->term);
        else if (t->digest != n->state.digest)
            sim_fail(s, "member %" PRIu32 ": another state after the same entry %" PRIu64, n->id, index);
        return;
    }
    if (index != s->n_truth + 1) {
        BREAK(s, "member %" PRIu32 " applies %" PRIu64 " before anybody applied %zu", n->id, index, s->n_truth + 1);
        return;
    }
    if (s->n_truth == s->cap_truth) {
        s->cap_truth = s->cap_truth == 0 ? 256 : 2 * s->cap_truth;
        s->truth = realloc(s->truth, s->cap_truth * sizeof *s->truth);
        if (s->truth == NULL) abort();
    }
    t = &s->truth[s->n_truth++];
    t->term = e->term;
    t->term_committed = n->term_seen;
    t->digest = n->state.digest;
    memcpy(t->hash, e->hash, 32);
    s->marks[MARK_COMMIT]++;
    s->result->commits++;
    if (n->raft != NULL) check_majority(s, n, index, e->hash);
}

/* --- what leaves a member ------------------------------------------------------------------------- */

static void convict(struct sim *s, const struct node *n, const char *what, uint64_t term, uint64_t index)
{
    if (n->id == s->liar) {
        if (!s->convicted) s->marks[MARK_CONVICTED]++;
        s->convicted = true;
    } else sim_fail(s, "honest member %" PRIu32 " would be convicted: two %s in term %" PRIu64 ", index %" PRIu64, n->id, what, term, index);
}

static void check_vote(struct sim *s, const struct node *n, const mgc_raft_msg *m)
{
    mgc__raftlog_info info;

    mgc__raftlog_get_info(n->log, &info);
    if (n->id != s->liar && (info.hard.term < m->term || (info.hard.term == m->term && info.hard.vote != m->to)))
        sim_fail(s, "member %" PRIu32 " votes for %" PRIu32 " in term %" PRIu64 " and its disk does not know", n->id, m->to, m->term);
    if (n->amnesia && n->id != s->liar) sim_fail(s, "member %" PRIu32 " votes with a disk that forgot", n->id);
    if (keep(&s->votes, mix(n->id, m->term, 3), m->to) != m->to) convict(s, n, "votes", m->term, 0);
}

void check_message(struct sim *s, const struct node *n, const struct net *net)
{
    const mgc_raft_msg *m = &net->m;
    uint64_t value = short_of(m->hash);

    if (s->liar != 0 && !(m->flags & MGC_RAFT_REJECT) && (m->kind == MGC_RAFT_VOTE_RESP || m->kind == MGC_RAFT_APPEND_RESP) && witness_signs(s, n, m))
        audit_hear(s, m);
    if (m->kind == MGC_RAFT_VOTE_RESP && !(m->flags & MGC_RAFT_REJECT)) check_vote(s, n, m);
    if (m->kind == MGC_RAFT_APPEND_RESP && !(m->flags & MGC_RAFT_REJECT)) {
        /* One made in an earlier term may leave after a new leader cut what it names: who voted for that leader had not
         * taken the entry, so that it cannot be committed by it. */
        if (m->term == n->raft->term && n->id != s->liar && !acknowledged(s, n, m->index, m->hash))
            BREAK(s, "member %" PRIu32 " acknowledges entry %" PRIu64 " in term %" PRIu64 " and its disk does not hold it", n->id,
                     m->index, m->term);
        if (keep(&s->acks, mix(n->id, m->term, mix(m->index, 4, 0)), value) != value) convict(s, n, "acknowledgements", m->term, m->index);
    }
    if (m->kind == MGC_RAFT_APPEND_REQ && m->n_entries > 0) {
        uint64_t last = m->index + m->n_entries, head = short_of(m->head);
        if (keep(&s->heads, mix(n->id, m->term, mix(last, 5, 0)), head) != head) convict(s, n, "heads", m->term, last);
    }
}

/* --- reads -------------------------------------------------------------------------------------- */

void check_read(struct sim *s, const mgc_raft_read *read)
{
    for (size_t i = 0; i < s->n_readings; i++) {
        struct reading r = s->readings[i];
        if (r.tag != read->tag) continue;
        s->readings[i] = s->readings[--s->n_readings];
        s->marks[read->served != 0 ? MARK_READ_SERVED : MARK_READ_REFUSED]++;
        if (read->served != 0 && read->index < r.at_least)
            BREAK(s, "a read answers from entry %" PRIu64 "; %" PRIu64 " was acknowledged before it was asked", read->index, r.at_least);
        return;
    }
}

void check_free(struct sim *s)
{
    free(s->truth);
    free(s->leaders.slots);
    free(s->entries.slots);
    free(s->votes.slots);
    free(s->acks.slots);
    free(s->heads.slots);
    free(s->said);
}
