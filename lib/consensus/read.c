/* SPDX-License-Identifier: Apache-2.0 */
/* Linearizable reads without writing (thesis 6.4).
 *
 *   1. The leader has an entry of its own term committed (else it may not know what is committed: etcd#7331).
 *   2. It notes its commit index, and asks everyone in a heartbeat round whether it still leads.
 *   3. Once a majority has answered that round or a later one, the state at that index answers the read.
 *
 * Reads that come while a round is under way share the next one.  By lease (off unless asked for): step 2 is left out
 * within lease_ticks of the last answered round, by the host's own count of time; clocks that stop break it, which is
 * why it is off.  It ends for the whole term once leadership was offered away. */
#include "consensus/raft.h"

static void answer(mgc_raft *r, const mgc__pending_read *read, bool served)
{
    if (read->from == 0 || read->from == r->opts.id) {
        r->reads_out[r->out->n_reads++] =
            (mgc_raft_read){.tag = read->tag, .index = served ? read->index : 0, .served = served};
        return;
    }
    mgc_raft_msg *m = mgc__send(r, read->from, MGC_RAFT_READ_RESP);

    m->context = read->tag;
    m->index = served ? read->index : 0;
    m->flags = served ? 0 : MGC_RAFT_REJECT;
}

void mgc__read_fail_all(mgc_raft *r)
{
    for (uint32_t i = 0; i < r->n_reads; i++) answer(r, &r->reads[i], false);
    r->n_reads = 0;
}

/* Highest round that a majority has answered. */
static uint64_t answered_round(const mgc_raft *r)
{
    uint64_t rounds[MGC_RAFT_MEMBERS_MAX] = {0}, round;

    for (uint32_t i = 0; i < r->n_peers; i++) rounds[i] = i == r->self ? r->round : r->peers[i].round;
    round = mgc__quorum_index(r->who, rounds);
    return round < r->round ? round : r->round;
}

static bool round_wanted(const mgc_raft *r)
{
    bool wanted = false;

    for (uint32_t i = 0; i < r->n_reads; i++) {
        if (r->reads[i].index == 0) continue;
        if (r->reads[i].round <= r->round) return false; /* one is under way */
        wanted = true;
    }
    return wanted;
}

static void serve(mgc_raft *r, uint64_t round)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < r->n_reads; i++)
        if (r->reads[i].index != 0 && r->reads[i].round <= round)
            answer(r, &r->reads[i], true);
        else
            r->reads[kept++] = r->reads[i];
    r->n_reads = kept;
}

void mgc__read_round_answered(mgc_raft *r)
{
    uint64_t round = answered_round(r);

    if (round == r->round && !r->lease_off) r->lease_from = r->round_now;
    serve(r, round);
    if (round == r->round && round_wanted(r)) mgc__broadcast_heartbeat(r);
}

void mgc__read_barrier_passed(mgc_raft *r)
{
    if (r->commit < r->term_start) return;
    for (uint32_t i = 0; i < r->n_reads; i++)
        if (r->reads[i].index == 0) {
            r->reads[i].index = r->commit;
            r->reads[i].round = r->round + 1;
        }
    if (round_wanted(r)) mgc__broadcast_heartbeat(r);
}

static bool lease_holds(const mgc_raft *r)
{
    return r->opts.lease_ticks > 0 && !r->lease_off && r->transfer_to == 0 && r->now != 0 && r->lease_from != 0 &&
           r->now >= r->lease_from && r->now - r->lease_from < r->opts.lease_ticks;
}

/* A follower sends the question on; from is 0 for the host's own. */
static uint32_t ask_leader(mgc_raft *r, uint64_t tag, uint32_t from)
{
    mgc_raft_msg *m;

    if (from != 0 || r->leader == 0 || r->leader == r->opts.id) return MGC_RAFT_NOT_LEADER;
    if (r->n_reads == 0) r->read_ticks = 0;
    r->reads[r->n_reads++] = (mgc__pending_read){.tag = tag, .from = r->opts.id};
    m = mgc__send(r, r->leader, MGC_RAFT_READ_REQ);
    m->context = tag;
    return MGC_RAFT_ACCEPTED;
}

uint32_t mgc__read_ask(mgc_raft *r, uint64_t tag, uint32_t from)
{
    mgc__pending_read read = {.tag = tag, .from = from};

    if (r->n_reads == r->opts.reads_max) return MGC_RAFT_READS_FULL;
    if (r->role != MGC_RAFT_LEADER) return ask_leader(r, tag, from);
    if (r->commit >= r->term_start) {
        read.index = r->commit;
        read.round = r->round + 1;
        if (lease_holds(r)) {
            answer(r, &read, true);
            return MGC_RAFT_ACCEPTED;
        }
    }
    r->reads[r->n_reads++] = read;
    if (round_wanted(r) || (read.index != 0 && (r->test_flags & MGC__AT_ONCE) != 0)) mgc__broadcast_heartbeat(r);
    return MGC_RAFT_ACCEPTED;
}

/* A question to a leader may be lost; whoever asked must not wait for ever. */
void mgc__read_tick(mgc_raft *r)
{
    if (r->role == MGC_RAFT_LEADER || r->n_reads == 0) return;
    if (++r->read_ticks >= r->opts.election_ticks) mgc__read_fail_all(r);
}

void mgc__recv_read_req(mgc_raft *r, const mgc_raft_msg *m)
{
    mgc__pending_read refused = {.tag = m->context, .from = m->from};

    if (m->from == r->opts.id) return;
    if (mgc__read_ask(r, m->context, m->from) != MGC_RAFT_ACCEPTED) answer(r, &refused, false);
}

void mgc__recv_read_resp(mgc_raft *r, const mgc_raft_msg *m)
{
    for (uint32_t i = 0; i < r->n_reads; i++) {
        mgc__pending_read read = r->reads[i];

        if (read.tag != m->context || read.from != r->opts.id || m->from != r->leader) continue;
        r->reads[i] = r->reads[--r->n_reads];
        read.index = m->index;
        answer(r, &read, (m->flags & MGC_RAFT_REJECT) == 0);
        return;
    }
}
