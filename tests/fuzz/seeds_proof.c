/* SPDX-License-Identifier: Apache-2.0 */
/* First inputs of fuzz_proof and fuzz_raft. */
#include "fuzz.h"

#include "mgchain/consensus.h"
#include "proof_world.h"
#include "seeds.h"

/* --- proofs ------------------------------------------------------------------------------------------------------ */

enum { FOLLOWS = 128 }; /* the prefix of an input that has a head already: a multiple of the number of kinds */

void proof_seeds(void)
{
    static struct proof_world p;
    static uint8_t bytes[PROOF_BYTES];
    uint8_t id[16];
    size_t len;

    proof_world_open(&p);
    mgc_chain *c = p.w.chain;
    id_of(id, 1);
    must(mgc_chain_prove_transaction(c, 2, 1, bytes, sizeof bytes, &len) == MGC_OK, "a transaction");
    put("proof", "transaction", 0, bytes, len);
    must(mgc_chain_prove_receipt(c, 2, 1, bytes, sizeof bytes, &len) == MGC_OK, "a receipt");
    put("proof", "receipt", 1, bytes, len);
    must(mgc_chain_prove_ancestor(c, 2, 6, bytes, sizeof bytes, &len) == MGC_OK, "an ancestor");
    put("proof", "ancestor", 2, bytes, len);
    must(mgc_chain_prove_account(c, id, bytes, sizeof bytes, &len) == MGC_OK, "an account");
    put("proof", "record", 3, bytes, len);
    put("proof", "account", 7, bytes, len);
    must(mgc_chain_prove_key(c, (const uint8_t *)"zz", 2, bytes, sizeof bytes, &len) == MGC_OK, "an absence");
    put("proof", "absence", 4, bytes, len);
    put("proof", "head", 5, p.head, p.head_len);
    must(mgc_chain_prove_block(c, PROOF_HEAD_AT + 1, bytes, sizeof bytes, &len) == MGC_OK, "a block");
    put("proof", "block", FOLLOWS + 5, bytes, len);
    must(mgc_chain_prove_consistency(c, PROOF_HEAD_AT, 6, bytes, sizeof bytes, &len) == MGC_OK, "consistency");
    put("proof", "consistency", FOLLOWS + 5, bytes, len);
    mgc_ctx *ctx = p.w.ctx;
    world_close(&p.w);
    disk_free(&p.disk);
    mgc_ctx_destroy(ctx);
}

/* --- consensus: what member 1 hears while three members elect, replicate and change ---------------------------------- */

enum { N = 3, MAIL = 64, HEARD = 1 << 16 };

static struct {
    mgc_raft *raft;
    mgc_raft_msg mail[MAIL];
    size_t n_mail;
} member[N + 1];
static uint64_t memory[N][1 << 16];
static uint8_t heard[HEARD];
static size_t heard_len;

static void step(uint32_t id, const mgc_raft_event *event);

static void act(uint8_t kind, const uint8_t *bytes, size_t len)
{
    if (heard_len + 3 + len > HEARD) return;
    heard[heard_len++] = kind;
    heard[heard_len++] = (uint8_t)len;
    heard[heard_len++] = (uint8_t)(len >> 8);
    if (len > 0) memcpy(heard + heard_len, bytes, len);
    heard_len += len;
}

/* Payloads that the core makes are the host's to keep. */
static uint8_t payload[256][MGC_RAFT_CONFIG_BYTES_MAX];

static void keep(uint32_t id, const mgc_raft_append *append)
{
    mgc_raft_entry entry;

    for (uint64_t i = append->first; append->token != 0 && i <= append->last && i < 256; i++)
        if (mgc_raft_entry_get(member[id].raft, i, &entry) == MGC_OK && entry.bytes != NULL && entry.len <= sizeof payload[0])
            memcpy(payload[i], entry.bytes, entry.len);
}

static void carry_out(uint32_t id, const mgc_raft_output *out)
{
    keep(id, &out->append);
    mgc_raft_event hard = {.kind = MGC_RAFT_HARD_STORED, .token = out->hard.token};
    mgc_raft_event stored = {.kind = MGC_RAFT_STORED, .token = out->append.token, .term = out->append.term, .upto = out->append.last};
    mgc_raft_event applied = {.kind = MGC_RAFT_APPLIED, .upto = out->apply_last};
    bool apply = out->apply_first <= out->apply_last;

    for (size_t i = 0; i < out->n_msgs; i++) {
        uint32_t to = out->msgs[i].to;
        if (to <= N && member[to].n_mail < MAIL) member[to].mail[member[to].n_mail++] = out->msgs[i];
    }
    if (hard.token != 0) step(id, &hard);
    if (stored.token != 0) step(id, &stored);
    if (apply) step(id, &applied);
}

static void step(uint32_t id, const mgc_raft_event *event)
{
    mgc_raft_output out;

    must(mgc_raft_step(member[id].raft, event, &out) == MGC_OK, "a step");
    carry_out(id, &out);
}

static void deliver(uint32_t id)
{
    static mgc_raft_entry entries[256];
    static uint8_t wire[1 << 14];
    size_t n = member[id].n_mail, len;

    for (size_t i = 0; i < n; i++) {
        mgc_raft_msg msg = member[id].mail[i];
        for (uint32_t k = 0; k < msg.n_entries; k++) {
            must(mgc_raft_entry_get(member[msg.from].raft, msg.index + 1 + k, &entries[k]) == MGC_OK, "an entry");
            if (entries[k].len > 0) entries[k].bytes = payload[entries[k].index];
            must(mgc_raft_payload_root(entries[k].bytes, entries[k].len, entries[k].root) == MGC_OK, "a root");
        }
        msg.entries = entries;
        if (id == 1 && mgc_raft_encode(&msg, msg.n_entries > 0 ? entries : NULL, wire, sizeof wire, &len) == MGC_OK) act(1, wire, len);
        step(id, &(mgc_raft_event){.kind = MGC_RAFT_RECV, .msg = &msg});
    }
    memmove(member[id].mail, member[id].mail + n, (member[id].n_mail - n) * sizeof member[id].mail[0]);
    member[id].n_mail -= n;
}

static void start(void)
{
    const mgc_raft_member who[N] = {{1, MGC_RAFT_VOTER, 1, 0}, {2, MGC_RAFT_VOTER, 1, 0}, {3, MGC_RAFT_VOTER, 1, 0}};

    for (uint32_t id = 1; id <= N; id++) {
        mgc_raft_opts opts;
        mgc_raft_boot boot = {.hard = {.term = 1, .incarnation = 1}};
        size_t size;
        mgc_raft_opts_init(&opts, sizeof opts);
        opts.id = id;
        opts.log_max = 64;
        must(mgc_raft_genesis(NULL, who, N, &boot.base) == MGC_OK && mgc_raft_size(NULL, &opts, &size) == MGC_OK && size <= sizeof memory[0] &&
                 mgc_raft_init(NULL, &opts, &boot, memory[id - 1], size, &member[id].raft) == MGC_OK, "a member");
    }
    heard_len = 0;
}

/* leader: who is made to campaign. */
static void one_history(uint32_t leader, const char *name)
{
    mgc_raft_entry entry = {.len = 0};
    const mgc_raft_change learner = {MGC_RAFT_ADD_LEARNER, 4, 1, 0};

    start();
    must(mgc_raft_payload_root(NULL, 0, entry.root) == MGC_OK, "a root");
    for (uint32_t t = 0; t < 60; t++) {
        step(leader, &(mgc_raft_event){.kind = MGC_RAFT_TICK});
        if (leader == 1) act(1 << 2, NULL, 0);
        if (t > 35 && t % 4 == 0) {
            step(leader, &(mgc_raft_event){.kind = MGC_RAFT_PROPOSE, .entries = &entry, .n_entries = 1});
            if (leader == 1) act(2, NULL, 0);
        }
        if (t == 50 && leader != 1) step(leader, &(mgc_raft_event){.kind = MGC_RAFT_CONF, .changes = &learner, .n_changes = 1});
        for (uint32_t k = 0; k < 4; k++)
            for (uint32_t id = 1; id <= N; id++) deliver(id);
    }
    put("raft", name, -1, heard, heard_len);
}

void raft_seeds(void)
{
    one_history(1, "leads");
    one_history(2, "follows");
}
