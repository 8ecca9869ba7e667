/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the core by themselves: counting, bytes, memory, snapshots in chunks, credit, certificates and evidence. */
#include <check.h>
#include <stdio.h>

#include "cluster.h"
#include "consensus/cert.h"
#include "elections.h"

/* --- counting: small worlds, completely --- */

static uint32_t bits(uint32_t x)
{
    uint32_t n = 0;

    for (; x != 0; x &= x - 1) n++;
    return n;
}

START_TEST(quorum_counts_as_the_definition_says)
{
    for (uint32_t mask = 1; mask < 64; mask++)
        for (uint32_t yes = 0; yes < 64; yes++)
            for (uint32_t no = 0; no < 64; no++) {
                uint8_t votes[32] = {0};
                uint32_t want = MGC__PENDING;

                if (yes & no) continue;
                for (uint32_t i = 0; i < 6; i++) votes[i] = yes >> i & 1 ? MGC__VOTE_YES : no >> i & 1 ? MGC__VOTE_NO : 0;
                if (2 * bits(yes & mask) > bits(mask)) want = MGC__WON;
                else if (2 * (bits(mask) - bits(no & mask)) <= bits(mask)) want = MGC__LOST;
                ck_assert_uint_eq(mgc__quorum_votes((mgc__electorate){mask, 0}, votes), want);
                ck_assert_uint_eq(mgc__quorum_reached((mgc__electorate){mask, 0}, yes), want == MGC__WON);
            }
}
END_TEST

START_TEST(two_majorities_always_meet)
{
    for (uint32_t now = 1; now < 32; now++)
        for (uint32_t old = 1; old < 32; old++)
            for (uint32_t a = 0; a < 32; a++) {
                mgc__electorate joint = {now, old}, alone = {now, 0}, before = {old, 0};

                if (!mgc__quorum_reached(joint, a)) continue;
                ck_assert(!mgc__quorum_reached(alone, ~a & 31) && !mgc__quorum_reached(before, ~a & 31));
            }
}
END_TEST

START_TEST(commit_index_is_what_a_majority_has)
{
    for (uint32_t code = 0; code < 4 * 4 * 4 * 4 * 4; code++)
        for (uint32_t now = 1; now < 32; now += 3)
            for (uint32_t old = 0; old < 32; old += 5) {
                uint64_t match[32] = {0}, index;
                uint32_t have = 0, above = 0;

                for (uint32_t i = 0, rest = code; i < 5; i++, rest /= 4) match[i] = rest % 4;
                index = mgc__quorum_index((mgc__electorate){now, old}, match);
                for (uint32_t i = 0; i < 5; i++) {
                    have |= (uint32_t)(match[i] >= index) << i;
                    above |= (uint32_t)(match[i] >= index + 1) << i;
                }
                ck_assert(mgc__quorum_reached((mgc__electorate){now, old}, have));
                ck_assert(!mgc__quorum_reached((mgc__electorate){now, old}, above));
            }
}
END_TEST

/* --- memory --- */

START_TEST(seven_peers_fit_64_kib)
{
    mgc_raft_opts opts;
    size_t size;

    mgc_raft_opts_init(&opts, sizeof opts);
    opts.id = 1;
    ck_assert_int_eq(mgc_raft_size(NULL, &opts, &size), MGC_OK);
    ck_assert_uint_lt(size, 65536);
}
END_TEST

START_TEST(options_are_checked_at_the_door)
{
    mgc_raft_opts good, opts;
    size_t size;

    mgc_raft_opts_init(&good, sizeof good);
    good.id = 1;
#define REFUSED(field, value)                                                  \
    opts = good;                                                               \
    opts.field = value;                                                        \
    ck_assert_int_eq(mgc_raft_size(NULL, &opts, &size), MGC_E_RANGE);
    REFUSED(id, 0)
    REFUSED(election_ticks, 1)
    REFUSED(heartbeat_ticks, 10)
    REFUSED(log_max, 500)
    REFUSED(log_max, 8)
    REFUSED(members_max, 33)
    REFUSED(lease_ticks, 5)
    REFUSED(credit_window_ticks, 81)
    REFUSED(batch_entries, 0)
    REFUSED(sign, 2)
#undef REFUSED
}
END_TEST

/* --- bytes --- */

static void random_message(mgc__rng *rng, mgc_raft_msg *m, mgc_raft_entry *entries, mgc_raft_config *config)
{
    static const uint8_t payload[64] = "about sixty bytes of payload; every entry takes a piece of it";
    uint8_t *hashes[3] = {m->hash, m->head, m->signature};

    memset(m, 0, sizeof *m);
    m->kind = 1 + (uint32_t)mgc__rng_below(rng, MGC_RAFT_KIND_END - 1);
    m->flags = (uint32_t)mgc__rng_below(rng, 16);
    m->from = 1 + (uint32_t)mgc__rng_below(rng, 9);
    m->to = 1 + (uint32_t)mgc__rng_below(rng, 9);
    m->incarnation = 1;
    m->term = mgc__rng_below(rng, 1000);
    m->index = mgc__rng_below(rng, 1u << 30);
    m->log_term = mgc__rng_next(rng) >> 2;
    m->commit = mgc__rng_next(rng) >> 2;
    m->hint = mgc__rng_next(rng) >> 2;
    m->context = mgc__rng_below(rng, 100);
    for (uint32_t i = 0; i < 32; i++) hashes[i % 3][i] = (uint8_t)mgc__rng_next(rng);
    m->n_entries = (uint32_t)mgc__rng_below(rng, 4);
    for (uint32_t i = 0; i < m->n_entries; i++)
        entries[i] = (mgc_raft_entry){.term = mgc__rng_below(rng, 9), .type = MGC_RAFT_DATA, .bytes = payload,
                                      .len = (uint32_t)mgc__rng_below(rng, 65)};
    if (m->kind != MGC_RAFT_SNAPSHOT_REQ) return;
    *config = (mgc_raft_config){.index = m->context, .n_members = 2, .members = {{.id = 3, .roles = MGC_RAFT_VOTER}, {.id = 7, .roles = MGC_RAFT_LEARNER}}};
    m->config = config;
    m->bytes = payload;
    m->len = (size_t)mgc__rng_below(rng, 65);
}

START_TEST(what_is_written_reads_back_to_the_same_bytes)
{
    mgc__rng rng;

    mgc__rng_seed(&rng, 7);
    for (uint32_t i = 0; i < 20000; i++) {
        mgc_raft_msg m, back;
        mgc_raft_entry entries[4], read[4];
        mgc_raft_config config, got;
        uint8_t bytes[4096], again[4096];
        size_t len, asked, len2;

        random_message(&rng, &m, entries, &config);
        ck_assert_int_eq(mgc_raft_encode(&m, entries, NULL, 0, &asked), MGC_OK);
        ck_assert_int_eq(mgc_raft_encode(&m, entries, bytes, sizeof bytes, &len), MGC_OK);
        ck_assert_uint_eq(asked, len);
        ck_assert_int_eq(mgc_raft_encode(&m, entries, bytes, len - 1, &len2), MGC_E_TOO_LARGE);
        ck_assert_int_eq(mgc_raft_decode(bytes, len, &back, read, 4, &got), MGC_OK);
        ck_assert_int_eq(mgc_raft_encode(&back, read, again, sizeof again, &len2), MGC_OK);
        ck_assert_uint_eq(len, len2);
        ck_assert_mem_eq(bytes, again, len);
    }
}
END_TEST

START_TEST(damaged_messages_are_refused)
{
    mgc__rng rng;
    uint32_t accepted = 0;

    mgc__rng_seed(&rng, 8);
    for (uint32_t i = 0; i < 20000; i++) {
        mgc_raft_msg m, back;
        mgc_raft_entry entries[4], read[4];
        mgc_raft_config config, got;
        uint8_t bytes[4096];
        size_t len, cut, at;

        random_message(&rng, &m, entries, &config);
        ck_assert_int_eq(mgc_raft_encode(&m, entries, bytes, sizeof bytes, &len), MGC_OK);
        cut = (size_t)mgc__rng_below(&rng, len);
        ck_assert_int_ne(mgc_raft_decode(bytes, cut, &back, read, 4, &got), MGC_OK);
        bytes[len] = 0;
        ck_assert_int_ne(mgc_raft_decode(bytes, len + 1, &back, read, 4, &got), MGC_OK);
        at = (size_t)mgc__rng_below(&rng, MGC_RAFT_MSG_BYTES);
        bytes[at] ^= (uint8_t)(1u << mgc__rng_below(&rng, 8));
        accepted += mgc_raft_decode(bytes, len, &back, read, 4, &got) == MGC_OK;
    }
    ck_assert_uint_eq(accepted, 0);
}
END_TEST

/* Whatever a peer sends, the member stays within its own rules (asserted in every step). */
START_TEST(nonsense_from_peers_breaks_nothing)
{
    mgc__rng rng;

    mgc__rng_seed(&rng, 9);
    for (uint32_t round = 0; round < 40; round++) {
        cluster *c = cluster_new(3, 0, 0);

        for (uint32_t i = 1; i <= 3; i++) node_start(c, i);
        node_fire(c, 1, MGC__FIRE_ELECTION);
        settle(c, ~0u);
        for (uint32_t i = 0; i < 300; i++) {
            letter l = {.next = NULL};
            mgc_raft_entry entries[4];

            random_message(&rng, &l.msg, entries, &l.config);
            l.msg.from = 1 + (uint32_t)mgc__rng_below(&rng, 3);
            l.msg.to = 1;
            l.msg.term = node_info(c, 1).term + mgc__rng_below(&rng, 2);
            l.msg.index = mgc__rng_below(&rng, 6);
            l.msg.log_term = mgc__rng_below(&rng, 4);
            l.msg.commit = mgc__rng_below(&rng, 6);
            l.msg.hint = mgc__rng_below(&rng, 6);
            for (uint32_t k = 0; k < l.msg.n_entries; k++) {
                entries[k].handle = blob_of("x", 1);
                entries[k].type = (uint32_t)mgc__rng_below(&rng, 5);
            }
            l.entries = entries;
            deliver(c, copy_letter(&l));
            if (mgc__rng_below(&rng, 8) == 0) node_propose(c, 1, "y");
            if (mgc__rng_below(&rng, 16) == 0) node_fire(c, 1, MGC__FIRE_ELECTION);
        }
        cluster_free(c);
    }
}
END_TEST

/* --- snapshots in chunks (T09) --- */

typedef struct chunky {
    void *memory;
    mgc_raft *raft;
    mgc_raft_snap_meta meta;
    mgc_raft_output out;
} chunky;

static void chunk(chunky *x, uint32_t from, uint64_t term, uint64_t offset, bool last)
{
    static const uint8_t bytes[4] = {1, 2, 3, 4};
    mgc_raft_msg m = {.kind = MGC_RAFT_SNAPSHOT_REQ, .from = from, .to = 1, .incarnation = 1, .term = term,
                      .index = x->meta.index, .log_term = x->meta.term, .hint = offset, .config = &x->meta.config,
                      .bytes = bytes, .len = 4, .flags = last ? MGC_RAFT_LAST : 0};
    mgc_raft_event e = {.kind = MGC_RAFT_RECV, .msg = &m};

    memcpy(m.hash, x->meta.hash, 32);
    ck_assert_int_eq(mgc_raft_step(x->raft, &e, &x->out), MGC_OK);
}

static void kept(chunky *x, uint32_t from, uint64_t offset)
{
    mgc_raft_event e = {.kind = MGC_RAFT_SNAP_CHUNK, .member = from, .upto = x->meta.index, .offset = offset};

    ck_assert_int_eq(mgc_raft_step(x->raft, &e, &x->out), MGC_OK);
}

static void wants(const chunky *x, uint64_t offset)
{
    ck_assert_uint_eq(x->out.n_snaps, 0);
    ck_assert_uint_ge(x->out.n_msgs, 1);
    ck_assert_uint_eq(x->out.msgs[x->out.n_msgs - 1].kind, MGC_RAFT_SNAPSHOT_RESP);
    ck_assert_uint_eq(x->out.msgs[x->out.n_msgs - 1].hint, offset);
}

START_TEST(T09_snapshot_chunks)
{
    const mgc_raft_member members[3] = {{1, MGC_RAFT_VOTER, 1, 0}, {2, MGC_RAFT_VOTER, 1, 0}, {3, MGC_RAFT_VOTER, 1, 0}};
    chunky x = {0};
    mgc_raft_opts opts;
    mgc_raft_boot boot = {.hard = {.term = 1, .incarnation = 1}};
    mgc_raft_event saved = {.kind = MGC_RAFT_SNAP_SAVED, .snap = &x.meta};
    size_t size;

    mgc_raft_opts_init(&opts, sizeof opts);
    opts.id = 1;
    ck_assert_int_eq(mgc_raft_size(NULL, &opts, &size), MGC_OK);
    x.memory = malloc(size);
    ck_assert_int_eq(mgc_raft_genesis(NULL, members, 3, &boot.base), MGC_OK);
    ck_assert_int_eq(mgc_raft_init(NULL, &opts, &boot, x.memory, size, &x.raft), MGC_OK);
    x.meta = boot.base;
    x.meta.index = 50;
    x.meta.term = 2;
    memset(x.meta.hash, 5, 32);

    chunk(&x, 2, 2, 4, false); /* wrong offset: nothing is kept */
    wants(&x, 0);
    chunk(&x, 2, 2, 0, false);
    ck_assert_uint_eq(x.out.n_snaps, 1);
    ck_assert_uint_eq(x.out.snaps[0].op, MGC_RAFT_SNAP_WRITE);
    chunk(&x, 2, 2, 0, false); /* twice, while the first is being kept */
    ck_assert_uint_eq(x.out.n_snaps, 0);
    kept(&x, 2, 4);
    wants(&x, 4);
    chunk(&x, 2, 2, 0, false); /* and after it */
    wants(&x, 4);
    chunk(&x, 3, 3, 4, true); /* another leader: begins anew */
    wants(&x, 0);
    chunk(&x, 3, 3, 0, false);
    ck_assert_uint_eq(x.out.n_snaps, 1);
    kept(&x, 3, 4);
    chunk(&x, 3, 3, 4, true);
    ck_assert_uint_eq(x.out.n_snaps, 1);
    ck_assert_uint_eq(x.out.snaps[0].op, MGC_RAFT_SNAP_INSTALL);
    ck_assert_uint_eq(x.raft->commit, 1); /* not before the host has it in force */
    ck_assert_int_eq(mgc_raft_step(x.raft, &saved, &x.out), MGC_OK);
    ck_assert_uint_eq(x.raft->commit, 50);
    ck_assert_uint_eq(x.out.msgs[x.out.n_msgs - 1].kind, MGC_RAFT_APPEND_RESP);
    ck_assert_uint_eq(x.out.msgs[x.out.n_msgs - 1].index, 50);
    chunk(&x, 3, 3, 0, false); /* late: acknowledged, not begun again */
    ck_assert_uint_eq(x.out.n_snaps, 0);
    ck_assert_uint_eq(x.out.msgs[x.out.n_msgs - 1].index, 50);
    free(x.memory);
}
END_TEST

/* --- credit --- */

/* Leader 1 (here: id 5) dies; 2, 3, 4 have the whole log and low credit, 1 has a short log and the best credit. */
START_TEST(C1_veto_deadlock)
{
    uint32_t late = 0;

    for (uint64_t seed = 1; seed <= 2000; seed++) {
        election e = {.n = 5, .credit = true, .seed = seed, .early = {0, 1, 0, 0, 0, 1}, .rank = {0, 0, 1, 2, 3, 4},
                      .log = {0, 1, 3, 3, 3, 3}};

        run_election(&e);
        ck_assert(e.leader >= 2 && e.leader <= 4);
        late += e.ticks > 4 * ELECTION_ET;
    }
    ck_assert_uint_le(late, 20); /* p99 */
}
END_TEST

/* A member of low credit whose clock runs ten times too fast gains nothing and keeps nobody from leading. */
START_TEST(C2_aggressive_campaigner)
{
    uint32_t late = 0, grew = 0;

    for (uint64_t seed = 1; seed <= 2000; seed++) {
        election e = {.n = 5, .credit = true, .seed = seed, .early = {0, 0, 1, 1, 1, 1}, .rank = {0, 4, 0, 1, 2, 3},
                      .log = {0, 1, 1, 1, 1, 1}, .speed = {0, 10}};

        run_election(&e);
        ck_assert_uint_ne(e.leader, 0);
        ck_assert_uint_eq(e.two_leaders, 0);
        ck_assert_uint_le(e.term, 2 + 2 * (e.ticks / ELECTION_ET));
        late += e.ticks > 4 * ELECTION_ET;
        grew += e.term > 2 + e.ticks / ELECTION_ET; /* by more than one an election timeout */
    }
    ck_assert_uint_le(late, 20);
    ck_assert_uint_le(grew, 20);
}
END_TEST

static int by_size(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Of three, the only one alive with the longest log has the worst credit: it leads within the bound. */
START_TEST(worst_credit_longest_log_of_three)
{
    enum { SEEDS = 4000 };
    static uint32_t ticks[SEEDS];

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        election e = {.n = 3, .credit = true, .seed = seed, .early = {0, 0, 1, 1}, .rank = {0, 2, 0, 1}, .log = {0, 3, 1, 3}};

        run_election(&e);
        ck_assert_uint_eq(e.leader, 1);
        ck_assert_uint_le(e.ticks, 8 * ELECTION_ET);
        ticks[seed - 1] = e.ticks;
    }
    qsort(ticks, SEEDS, sizeof *ticks, by_size);
    ck_assert_uint_le(ticks[SEEDS * 99 / 100], 4 * ELECTION_ET);
}
END_TEST

/* --- reads by lease --- */

static uint32_t read_at(cluster *c, uint32_t id, uint64_t tag, uint64_t now)
{
    const mgc_raft_event read = {.kind = MGC_RAFT_READ, .tag = tag, .now = now};
    uint32_t before = c->nodes[id].n_reads;

    node_event(c, id, &read);
    if (c->nodes[id].n_reads == before) return 2; /* it asks the others */
    return c->nodes[id].reads[before].served;
}

static void heartbeat_at(cluster *c, uint32_t id, uint64_t now)
{
    const mgc_raft_event unreachable = {.kind = MGC_RAFT_PEER_UNREACHABLE, .member = 99, .now = now}; /* only tells the time */

    node_event(c, id, &unreachable);
    node_fire(c, id, MGC__FIRE_HEARTBEAT);
    settle(c, ~0u);
}

/* etcd-io/raft#99: a leader that offered its leadership away and got it back, or was never relieved, must not answer by
 * the lease of before: the other may have led and written in between. */
START_TEST(Q04_no_lease_after_a_transfer)
{
    cluster *c = cluster_new(3, 0, 0);
    mgc_raft_event transfer = {.kind = MGC_RAFT_TRANSFER, .member = 2, .now = 103};

    c->opts.lease_ticks = 4;
    for (uint32_t i = 1; i <= 3; i++) {
        node_start(c, i);
        c->nodes[i].raft->quiet_ticks = 0; /* long after the start */
    }
    node_fire(c, 1, MGC__FIRE_ELECTION);
    settle(c, ~0u);
    heartbeat_at(c, 1, 100);
    ck_assert_uint_eq(read_at(c, 1, 1, 101), 1);  /* by lease, at once */
    ck_assert_uint_eq(read_at(c, 1, 2, 104), 2);  /* it is over */
    settle(c, ~0u);
    heartbeat_at(c, 1, 102);
    c->channels[1][2].cut = true; /* the order to campaign is on its way for long */
    node_event(c, 1, &transfer);
    ck_assert_uint_eq(read_at(c, 1, 3, 103), 2);
    for (uint32_t i = 0; i < 12; i++) {
        const mgc_raft_event tick = {.kind = MGC_RAFT_TICK, .now = 104 + i};

        node_event(c, 1, &tick);
        settle(c, ~0u);
    }
    ck_assert_uint_eq(node_info(c, 1).role, MGC_RAFT_LEADER); /* given up, it goes on */
    c->channels[1][2].cut = false;
    heartbeat_at(c, 1, 120);
    ck_assert_uint_eq(read_at(c, 1, 4, 121), 2); /* but without a lease in this term */
    settle(c, ~0u);
    transfer.now = 130;
    node_event(c, 1, &transfer);
    settle(c, ~0u);
    ck_assert_uint_eq(node_info(c, 2).role, MGC_RAFT_LEADER);
    transfer.member = 1;
    node_event(c, 2, &transfer);
    settle(c, ~0u);
    ck_assert_uint_eq(node_info(c, 1).role, MGC_RAFT_LEADER); /* the quick return */
    ck_assert_uint_eq(read_at(c, 1, 5, 131), 2);
    settle(c, ~0u);
    heartbeat_at(c, 1, 132);
    ck_assert_uint_eq(read_at(c, 1, 6, 133), 1); /* a lease of its own term */
    check_invariants(c);
    ck_assert_str_eq(c->fault, "");
    cluster_free(c);
}
END_TEST

/* The host computes another credit root than the block's header says: it does not vouch for the entry, which is neither
 * taken nor acknowledged, and the fault is noted.  The entries before it are. */
START_TEST(C9_credit_root_mismatch)
{
    cluster *c = cluster_new(3, 0, 0);
    mgc_raft_event event = {.kind = MGC_RAFT_RECV, .refuse_from = 4};
    letter *l;

    for (uint32_t i = 1; i <= 3; i++) node_start(c, i);
    node_fire(c, 1, MGC__FIRE_ELECTION);
    ck_assert(settle(c, ~0u));
    c->channels[1][3].cut = true;
    node_propose(c, 1, "good");
    node_propose(c, 1, "bad root");
    while ((l = take_letter(&c->channels[1][2], 0)) != NULL) {
        for (uint32_t i = 0; i < l->msg.n_entries; i++)
            ck_assert_int_eq(mgc_raft_payload_root(blob_at(l->entries[i].handle)->bytes, blob_at(l->entries[i].handle)->len,
                                                   l->entries[i].root), MGC_OK);
        l->msg.entries = l->entries;
        event.msg = &l->msg;
        node_event(c, 2, &event);
        free_letter(l);
    }
    ck_assert_uint_eq(node_info(c, 2).last, 3);
    ck_assert_uint_ge(c->nodes[2].notes[MGC_RAFT_NOTE_REFUSED], 1);
    flow(c, 2, 1, 0);
    ck_assert_uint_eq(node_info(c, 1).commit, 3);
    check_invariants(c);
    ck_assert_str_eq(c->fault, "");
    cluster_free(c);
}
END_TEST

/* --- certificates and evidence --- */

typedef struct ring {
    mgc_ctx *ctx;
    mgc_key *keys[8];
    uint8_t public_keys[8][32], chain_id[32];
    mgc_raft_snap_meta base;
} ring;

static const uint8_t *key_of(void *user, uint32_t id)
{
    ring *k = user;

    return id >= 1 && id <= 3 ? k->public_keys[id] : NULL;
}

static ring make_ring(void)
{
    const mgc_raft_member members[3] = {{1, MGC_RAFT_VOTER, 1, 0}, {2, MGC_RAFT_VOTER, 1, 0}, {3, MGC_RAFT_VOTER, 1, 0}};
    ring k = {.chain_id = {9}};

    ck_assert_int_eq(mgc_ctx_create(NULL, &k.ctx), MGC_OK);
    ck_assert_int_eq(mgc_raft_genesis(k.ctx, members, 3, &k.base), MGC_OK);
    for (uint32_t i = 1; i <= 3; i++) {
        uint8_t seed[32] = {(uint8_t)i};

        ck_assert_int_eq(mgc_key_from_seed(k.ctx, seed, &k.keys[i]), MGC_OK);
        ck_assert_int_eq(mgc_key_public(k.keys[i], k.public_keys[i]), MGC_OK);
    }
    return k;
}

static void free_ring(ring *k)
{
    for (uint32_t i = 1; i <= 3; i++) mgc_key_destroy(k->keys[i]);
    mgc_ctx_destroy(k->ctx);
}

static mgc_raft_msg sign(ring *k, mgc_raft_msg m)
{
    uint8_t body[MGC_RAFT_SIGNED_BYTES_MAX];
    size_t len;
    const char *tag;

    ck_assert_int_eq(mgc_raft_signed_body(&m, body, &len, &tag), MGC_OK);
    ck_assert_int_eq(mgc__sign_tagged(k->ctx, k->keys[m.from], tag, k->chain_id, 0, body, len, m.signature), MGC_OK);
    return m;
}

static mgc_raft_msg vote(ring *k, uint32_t from, uint32_t to, uint64_t term, uint64_t log_term, uint64_t index)
{
    return sign(k, (mgc_raft_msg){.kind = MGC_RAFT_VOTE_RESP, .from = from, .to = to, .cfg = 1, .term = term,
                                  .log_term = log_term, .index = index});
}

static mgc_raft_msg ack(ring *k, uint32_t from, uint64_t term, uint64_t index, uint8_t hash)
{
    return sign(k, (mgc_raft_msg){.kind = MGC_RAFT_APPEND_RESP, .from = from, .to = 1, .cfg = 1, .term = term,
                                  .index = index, .hash = {hash}});
}

static mgc__cert leader_cert(ring *k, uint32_t candidate, uint64_t term, uint64_t log_term, uint64_t index, uint32_t a, uint32_t b)
{
    mgc__cert cert = {.kind = MGC__CERT_LEADER, .cfg = 1, .term = term, .candidate = candidate, .log_term = log_term, .index = index};
    mgc_raft_msg x = vote(k, a, candidate, term, log_term, index), y = vote(k, b, candidate, term, log_term, index);

    ck_assert(mgc__cert_add(&cert, a, x.signature) && mgc__cert_add(&cert, b, y.signature));
    return cert;
}

static mgc__cert block_cert(ring *k, uint64_t term, uint64_t log_term, uint64_t index, uint32_t a, uint32_t b)
{
    const uint8_t hash[32] = {7};
    mgc__collector c;
    mgc_raft_msg x = ack(k, a, term, index, 7), y = ack(k, b, term, index, 7);

    mgc__collect_begin(&c, &k->base.config, term, index, log_term, hash);
    ck_assert(!mgc__collect(&c, &x));
    ck_assert(mgc__collect(&c, &y));
    return c.cert;
}

START_TEST(X1_two_votes_convict)
{
    ring k = make_ring();
    mgc__trust trust = {.ctx = k.ctx, .chain_id = k.chain_id, .key_of = key_of, .user = &k};
    mgc_raft_msg a = vote(&k, 2, 1, 5, 4, 9), b = vote(&k, 2, 3, 5, 4, 9), c = ack(&k, 2, 5, 9, 1), d = ack(&k, 2, 5, 9, 2);
    uint32_t kind, who;

    ck_assert_int_eq(mgc__evidence_two(&trust, &a, &b, &kind, &who), MGC_OK);
    ck_assert_uint_eq(kind, MGC__E2_TWO_VOTES);
    ck_assert_uint_eq(who, 2);
    ck_assert_int_eq(mgc__evidence_two(&trust, &c, &d, &kind, &who), MGC_OK);
    ck_assert_uint_eq(kind, MGC__E1_TWO_ACKS);
    ck_assert_int_eq(mgc__evidence_two(&trust, &a, &a, &kind, &who), MGC_E_BAD_PROOF); /* asked twice: honest */
    b.signature[3] ^= 1;
    ck_assert_int_eq(mgc__evidence_two(&trust, &a, &b, &kind, &who), MGC_E_BAD_SIGNATURE);
    ck_assert_uint_eq(who, 0);
    free_ring(&k);
}
END_TEST

START_TEST(E3_two_heads_convict)
{
    ring k = make_ring();
    mgc__trust trust = {.ctx = k.ctx, .chain_id = k.chain_id, .key_of = key_of, .user = &k};
    mgc_raft_msg a = {.kind = MGC_RAFT_APPEND_REQ, .from = 1, .to = 2, .cfg = 1, .term = 4, .index = 6, .n_entries = 2, .head = {1}};
    mgc_raft_msg b = {.kind = MGC_RAFT_APPEND_REQ, .from = 1, .to = 3, .cfg = 1, .term = 4, .index = 7, .n_entries = 1, .head = {2}};
    uint32_t kind, who;

    a = sign(&k, a);
    b = sign(&k, b);
    ck_assert_int_eq(mgc__evidence_two(&trust, &a, &b, &kind, &who), MGC_OK);
    ck_assert_uint_eq(kind, MGC__E3_TWO_HEADS);
    ck_assert_uint_eq(who, 1);
    free_ring(&k);
}
END_TEST

START_TEST(X2_acks_of_a_later_term_do_not_finalise)
{
    ring k = make_ring();
    mgc__trust trust = {.ctx = k.ctx, .chain_id = k.chain_id, .key_of = key_of, .user = &k};
    mgc__cert good = block_cert(&k, 2, 2, 8, 1, 3), bad = block_cert(&k, 2, 1, 8, 1, 3);

    ck_assert_int_eq(mgc__cert_verify(&trust, &good, &k.base.config), MGC_OK);
    ck_assert_int_eq(mgc__cert_verify(&trust, &bad, &k.base.config), MGC_E_BAD_PROOF);
    free_ring(&k);
}
END_TEST

START_TEST(a_certificate_has_no_more_signers_than_there_are_members)
{
    static uint8_t bytes[72 + 68 * (MGC_RAFT_MEMBERS_MAX + 1)] = {1, MGC__CERT_QUORUM};
    mgc__cert cert;

    for (uint32_t i = 0; i <= MGC_RAFT_MEMBERS_MAX; i++) bytes[72 + 68 * i] = (uint8_t)(i + 1);
    bytes[2] = MGC_RAFT_MEMBERS_MAX;
    ck_assert_int_eq(mgc__cert_decode(bytes, sizeof bytes - 68, &cert), MGC_OK);
    ck_assert_uint_eq(cert.n, MGC_RAFT_MEMBERS_MAX);
    bytes[2]++;
    ck_assert_int_eq(mgc__cert_decode(bytes, sizeof bytes, &cert), MGC_E_TOO_LARGE);
}
END_TEST

START_TEST(X3_forged_signers)
{
    ring k = make_ring();
    mgc__trust trust = {.ctx = k.ctx, .chain_id = k.chain_id, .key_of = key_of, .user = &k};
    mgc__cert cert = block_cert(&k, 2, 2, 8, 1, 3), changed, back;
    uint8_t bytes[MGC__CERT_BYTES_MAX];
    size_t len = mgc__cert_encode(&cert, bytes);

    ck_assert_int_eq(mgc__cert_decode(bytes, len, &back), MGC_OK);
    ck_assert_int_eq(mgc__cert_verify(&trust, &back, &k.base.config), MGC_OK);
    changed = cert;
    changed.ids[1] = 1; /* one signer twice */
    ck_assert_int_eq(mgc__cert_verify(&trust, &changed, &k.base.config), MGC_E_BAD_PROOF);
    len = mgc__cert_encode(&changed, bytes);
    ck_assert_int_eq(mgc__cert_decode(bytes, len, &back), MGC_E_NONCANONICAL);
    changed = cert;
    changed.ids[1] = 2; /* in another's name */
    ck_assert_int_eq(mgc__cert_verify(&trust, &changed, &k.base.config), MGC_E_BAD_SIGNATURE);
    changed.ids[1] = 4; /* no member */
    ck_assert_int_eq(mgc__cert_verify(&trust, &changed, &k.base.config), MGC_E_BAD_PROOF);
    changed = cert;
    changed.n = 1;
    ck_assert_int_eq(mgc__cert_verify(&trust, &changed, &k.base.config), MGC_E_BAD_PROOF);
    changed = cert;
    changed.hash[0] ^= 1;
    ck_assert_int_eq(mgc__cert_verify(&trust, &changed, &k.base.config), MGC_E_BAD_SIGNATURE);
    free_ring(&k);
}
END_TEST

/* Block 8 of term 2 is final by 1 and 3.  In term 3 a leader without it was elected by 2 and 3: 3 is guilty.  In term 4
 * another one without it by 1 and 2: 1 acted honestly, its log had been cut by the leader of term 3. */
START_TEST(X4_the_honest_one_is_cleared)
{
    ring k = make_ring();
    mgc__trust trust = {.ctx = k.ctx, .chain_id = k.chain_id, .key_of = key_of, .user = &k};
    mgc__cert block = block_cert(&k, 2, 2, 8, 1, 3);
    mgc__cert third = leader_cert(&k, 2, 3, 1, 7, 2, 3), fourth = leader_cert(&k, 2, 4, 1, 7, 1, 2);
    mgc__cert fine = leader_cert(&k, 1, 3, 2, 8, 1, 2);
    uint32_t ids[MGC_RAFT_MEMBERS_MAX], n;
    size_t moved;

    ck_assert_int_eq(mgc__evidence_lost_block(&trust, &block, &third, &k.base.config, NULL, 0, ids, &n, &moved), MGC_OK);
    ck_assert_uint_eq(n, 1);
    ck_assert_uint_eq(ids[0], 3);
    ck_assert_int_eq(mgc__evidence_lost_block(&trust, &block, &fourth, &k.base.config, &third, 1, ids, &n, &moved), MGC_OK);
    ck_assert_uint_eq(moved, 0);
    ck_assert_uint_eq(n, 1);
    ck_assert_uint_eq(ids[0], 3);
    ck_assert_int_eq(mgc__evidence_lost_block(&trust, &block, &fine, &k.base.config, NULL, 0, ids, &n, &moved), MGC_E_BAD_PROOF);
    /* Term 2 had two leaders, 1 and 2: whose log was cut then is not to be known from terms and indices. */
    mgc__cert both[2] = {leader_cert(&k, 1, 2, 1, 7, 1, 3), leader_cert(&k, 2, 2, 1, 7, 2, 3)};

    ck_assert_int_eq(mgc__evidence_lost_block(&trust, &block, &third, &k.base.config, both, 1, ids, &n, &moved), MGC_OK);
    ck_assert_int_eq(mgc__evidence_lost_block(&trust, &block, &third, &k.base.config, both, 2, ids, &n, &moved), MGC_E_BAD_PROOF);
    ck_assert_uint_eq(n, 0);
    free_ring(&k);
}
END_TEST

/* --- main --- */

int main(void)
{
    Suite *suite = suite_create("consensus");
    TCase *tcase = tcase_create("core");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, quorum_counts_as_the_definition_says);
    tcase_add_test(tcase, two_majorities_always_meet);
    tcase_add_test(tcase, commit_index_is_what_a_majority_has);
    tcase_add_test(tcase, seven_peers_fit_64_kib);
    tcase_add_test(tcase, options_are_checked_at_the_door);
    tcase_add_test(tcase, what_is_written_reads_back_to_the_same_bytes);
    tcase_add_test(tcase, damaged_messages_are_refused);
    tcase_add_test(tcase, nonsense_from_peers_breaks_nothing);
    tcase_add_test(tcase, T09_snapshot_chunks);
    tcase_add_test(tcase, C1_veto_deadlock);
    tcase_add_test(tcase, C2_aggressive_campaigner);
    tcase_add_test(tcase, worst_credit_longest_log_of_three);
    tcase_add_test(tcase, Q04_no_lease_after_a_transfer);
    tcase_add_test(tcase, C9_credit_root_mismatch);
    tcase_add_test(tcase, X1_two_votes_convict);
    tcase_add_test(tcase, E3_two_heads_convict);
    tcase_add_test(tcase, X2_acks_of_a_later_term_do_not_finalise);
    tcase_add_test(tcase, a_certificate_has_no_more_signers_than_there_are_members);
    tcase_add_test(tcase, X3_forged_signers);
    tcase_add_test(tcase, X4_the_honest_one_is_cleared);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
