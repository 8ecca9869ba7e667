/* SPDX-License-Identifier: Apache-2.0 */
/* bench_core [SECONDS]: events a second through one core, without input or output: three members in one thread, batches of
 * proposals, everything durable at once.  CPU time of this process. */
#include <stdio.h>
#include <time.h>

#include "consensus/raft.h"

enum { N = 3, MAIL = 256 };

typedef struct member {
    mgc_raft *raft;
    mgc_raft_msg mail[MAIL];
    uint32_t n_mail;
} member;

static member members[N + 1];
static uint64_t events, committed;

static void step(uint32_t id, const mgc_raft_event *event);

static void carry_out(uint32_t id, const mgc_raft_output *out)
{
    mgc_raft_event hard = {.kind = MGC_RAFT_HARD_STORED, .token = out->hard.token};
    mgc_raft_event stored = {.kind = MGC_RAFT_STORED, .token = out->append.token, .term = out->append.term,
                             .upto = out->append.last};
    mgc_raft_event applied = {.kind = MGC_RAFT_APPLIED, .upto = out->apply_last};
    bool apply = out->apply_first <= out->apply_last;

    for (size_t i = 0; i < out->n_msgs; i++)
        if (members[out->msgs[i].to].n_mail < MAIL) members[out->msgs[i].to].mail[members[out->msgs[i].to].n_mail++] = out->msgs[i];
    if (hard.token != 0) step(id, &hard);
    if (stored.token != 0) step(id, &stored);
    if (apply) step(id, &applied);
}

static void step(uint32_t id, const mgc_raft_event *event)
{
    mgc_raft_output out;

    events++;
    if (mgc_raft_step(members[id].raft, event, &out) != MGC_OK) abort();
    carry_out(id, &out);
}

static void deliver(uint32_t id)
{
    static mgc_raft_entry entries[4096];
    member *m = &members[id];

    for (uint32_t i = 0; i < m->n_mail; i++) {
        mgc_raft_msg msg = m->mail[i];
        mgc_raft_event event = {.kind = MGC_RAFT_RECV, .msg = &msg};

        for (uint32_t k = 0; k < msg.n_entries; k++) {
            if (mgc_raft_entry_get(members[msg.from].raft, msg.index + 1 + k, &entries[k]) != MGC_OK) abort();
            /* the proposals' roots are zeros here: hashing payloads is the host's */
            if (entries[k].type == MGC_RAFT_NOOP && mgc_raft_payload_root(NULL, 0, entries[k].root) != MGC_OK) abort();
        }
        msg.entries = entries;
        step(id, &event);
    }
    m->n_mail = 0;
}

static void compact(uint32_t id)
{
    mgc_raft_info info = {.struct_size = sizeof info};
    mgc_raft_snap_meta meta;
    mgc_raft_event saved = {.kind = MGC_RAFT_SNAP_SAVED, .snap = &meta}, gone = {.kind = MGC_RAFT_COMPACT};

    if (mgc_raft_get_info(members[id].raft, &info) != MGC_OK || info.applied < info.first + 1024) return;
    if (mgc_raft_snap_meta_at(members[id].raft, info.applied - 256, &meta) != MGC_OK) return;
    gone.upto = meta.index;
    step(id, &saved);
    step(id, &gone);
    if (id == 1) committed = info.commit;
}

int main(int argc, char **argv)
{
    const mgc_raft_member who[N] = {{1, MGC_RAFT_VOTER, 1, 0}, {2, MGC_RAFT_VOTER, 1, 0}, {3, MGC_RAFT_VOTER, 1, 0}};
    const mgc_raft_event tick = {.kind = MGC_RAFT_TICK};
    mgc_raft_entry entry = {.len = 256};
    mgc_raft_event propose = {.kind = MGC_RAFT_PROPOSE, .entries = &entry, .n_entries = 1};
    clock_t begin, limit = (clock_t)(argc > 1 ? atoi(argv[1]) : 2) * CLOCKS_PER_SEC;
    uint64_t rate;

    for (uint32_t id = 1; id <= N; id++) {
        mgc_raft_opts opts;
        mgc_raft_boot boot = {.hard = {.term = 1, .incarnation = 1}};
        size_t size;

        mgc_raft_opts_init(&opts, sizeof opts);
        opts.id = id;
        opts.log_max = 4096;
        if (mgc_raft_genesis(NULL, who, N, &boot.base) != MGC_OK || mgc_raft_size(NULL, &opts, &size) != MGC_OK ||
            mgc_raft_init(NULL, &opts, &boot, malloc(size), size, &members[id].raft) != MGC_OK)
            return 1;
    }
    for (uint32_t t = 0; t < 30; t++) {
        step(1, &tick);
        for (uint32_t k = 0; k < 8; k++)
            for (uint32_t id = 1; id <= N; id++) deliver(id);
    }
    events = 0;
    for (begin = clock(); clock() - begin < limit;)
        for (uint32_t k = 0; k < 256; k++) {
            step(1, &propose);
            for (uint32_t id = N; id >= 1; id--) deliver(id);
            if (k == 0) step(1, &tick);
            if (k % 64 == 0)
                for (uint32_t id = 1; id <= N; id++) compact(id);
        }
    rate = events * CLOCKS_PER_SEC / (uint64_t)(clock() - begin);
    printf("%llu events a second on one core, %llu entries committed by three members\n", (unsigned long long)rate,
           (unsigned long long)committed);
    return committed == 0;
}
