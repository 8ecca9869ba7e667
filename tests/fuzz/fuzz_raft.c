/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of consensus from members who may lie.  Input: records of 1 byte act, 2 bytes length, and so many bytes:
 *   act % 4 == 0  act / 4 ticks pass
 *           1     the bytes are a message to member 1 of 3, from 2 or 3
 *           2     member 1 proposes an entry
 *           3     its disk is slow until the next act of this kind
 * What is accepted is written back to the very same bytes.  Whatever came, the call does not fail, terms and commit do not go
 * back, and nothing beyond the log is committed. */
#include "fuzz.h"

#include "mgchain/consensus.h"

enum { ACTS_MAX = 400, ENTRIES = 64, MEMORY = 1 << 20, TOKENS = 256 };

static uint64_t memory[MEMORY / 8];
static mgc_raft *raft;
static mgc_raft_event done[TOKENS]; /* what the disk will say */
static size_t n_done;
static bool slow;
static mgc_raft_info before;

static void step(const mgc_raft_event *event);

static void start(void)
{
    const mgc_raft_member who[3] = {{1, MGC_RAFT_VOTER, 1, 0}, {2, MGC_RAFT_VOTER, 1, 0}, {3, MGC_RAFT_VOTER, 1, 0}};
    mgc_raft_boot boot = {.hard = {.term = 1, .incarnation = 1}};
    mgc_raft_opts opts;
    size_t size;

    mgc_raft_opts_init(&opts, sizeof opts);
    opts.id = 1;
    opts.log_max = 64;
    must(mgc_raft_genesis(NULL, who, 3, &boot.base) == MGC_OK && mgc_raft_size(NULL, &opts, &size) == MGC_OK && size <= sizeof memory &&
             mgc_raft_init(NULL, &opts, &boot, memory, size, &raft) == MGC_OK, "a member");
    before.struct_size = sizeof before;
    must(mgc_raft_get_info(raft, &before) == MGC_OK, "asking");
    n_done = 0;
    slow = false;
}

static void later(mgc_raft_event event)
{
    if (n_done < TOKENS) done[n_done++] = event;
}

static void disk_works(void)
{
    while (n_done > 0 && !slow) {
        mgc_raft_event event = done[0];
        memmove(done, done + 1, --n_done * sizeof *done);
        step(&event);
    }
}

static void carry_out(const mgc_raft_output *out)
{
    for (size_t i = 0; i < out->n_snaps; i++) {
        static mgc_raft_snap_meta meta;
        const mgc_raft_snap *snap = &out->snaps[i];
        meta = snap->meta;
        if (snap->op == MGC_RAFT_SNAP_INSTALL) later((mgc_raft_event){.kind = MGC_RAFT_SNAP_SAVED, .snap = &meta});
        else later((mgc_raft_event){.kind = MGC_RAFT_SNAP_CHUNK, .member = snap->from, .upto = meta.index, .offset = snap->offset + snap->len});
    }
    if (out->hard.token != 0) later((mgc_raft_event){.kind = MGC_RAFT_HARD_STORED, .token = out->hard.token});
    if (out->append.token != 0)
        later((mgc_raft_event){.kind = MGC_RAFT_STORED, .token = out->append.token, .term = out->append.term, .upto = out->append.last});
    if (out->repair.token != 0)
        later((mgc_raft_event){.kind = MGC_RAFT_STORED, .token = out->repair.token, .term = out->repair.term, .upto = out->repair.last});
    if (out->apply_first <= out->apply_last) later((mgc_raft_event){.kind = MGC_RAFT_APPLIED, .upto = out->apply_last});
}

static void step(const mgc_raft_event *event)
{
    mgc_raft_info now = {.struct_size = sizeof now};
    mgc_raft_output out;

    must(mgc_raft_step(raft, event, &out) == MGC_OK, "a step fails");
    carry_out(&out);
    must(mgc_raft_get_info(raft, &now) == MGC_OK, "asking");
    must(now.term >= before.term && now.commit >= before.commit, "a term or the commit goes back");
    must(now.commit <= now.last && now.applied <= now.commit, "committed beyond the log");
    before = now;
}

static void receive(const uint8_t *bytes, size_t len)
{
    static mgc_raft_entry entries[ENTRIES];
    static uint8_t back[1 << 16], body[MGC_RAFT_SIGNED_BYTES_MAX];
    mgc_raft_config config;
    mgc_raft_msg msg;
    const char *tag;
    size_t back_len, body_len;

    if (mgc_raft_decode(bytes, len, &msg, entries, ENTRIES, &config) != MGC_OK) return;
    must(mgc_raft_encode(&msg, msg.entries, back, sizeof back, &back_len) == MGC_OK && back_len == len && memcmp(back, bytes, len) == 0,
         "accepted, and written differently");
    must(mgc_raft_signed_body(&msg, body, &body_len, &tag) == MGC_OK && body_len <= sizeof body, "what is signed");
    msg.from = 2 + msg.from % 2; /* the transport knows who sent it */
    msg.to = 1;
    step(&(mgc_raft_event){.kind = MGC_RAFT_RECV, .msg = &msg});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mgc_raft_entry entry = {.len = 10};
    size_t at = 0;

    start();
    for (size_t act = 0; at + 3 <= size && act < ACTS_MAX; act++) {
        size_t len = data[at + 1] + 256u * data[at + 2], kind = data[at] % 4;
        uint32_t ticks = data[at] / 4;
        at += 3;
        if (len > size - at) len = size - at;
        if (kind == 0)
            for (uint32_t t = 0; t < ticks; t++) step(&(mgc_raft_event){.kind = MGC_RAFT_TICK});
        else if (kind == 1)
            receive(data + at, len);
        else if (kind == 2)
            step(&(mgc_raft_event){.kind = MGC_RAFT_PROPOSE, .entries = &entry, .n_entries = 1});
        else
            slow = !slow;
        disk_works();
        at += len;
    }
    return 0;
}
