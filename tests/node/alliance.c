/* SPDX-License-Identifier: Apache-2.0 */
/* An alliance for tests: links, disks, time, and what its members say. */
#include "alliance.h"

mgc_ctx *ctx;
mgc__rng rng;
struct member members[NODES + 1];
mgc_member people[NODES];
uint32_t n_voters, n_learners, n_nodes;
uint32_t sign_all, misconfigured;
struct message net[8192];
size_t n_net;
uint64_t now, nonce, world_seed;
uint32_t loss;
mgc_key *user;
uint32_t n_down;
void (*before_steps)(void);

/* --- links -------------------------------------------------------------------------------------- */

void say(uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
    struct message *x;

    if (n_net == MGC__COUNT(net)) return;
    x = &net[n_net++];
    *x = (struct message){.at = now + 1 + mgc__rng_below(&rng, 8), .from = from, .to = to, .bytes = malloc(len), .len = len};
    memcpy(x->bytes, bytes, len);
}

/* false: nothing left */
static bool post(uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
    if (members[from].apart || (to <= n_nodes && members[to].apart)) return false;
    if (loss > 0 && mgc__rng_below(&rng, 1000) < loss) return false;
    say(from, to, bytes, len);
    return true;
}

/* The same acknowledgement with another hash, signed as well as the first. */
static void lie(const struct member *m, uint32_t to, const uint8_t *bytes, size_t len)
{
    uint8_t body[MGC_RAFT_SIGNED_BYTES_MAX], second[1 + MGC_RAFT_MSG_BYTES] = {1};
    mgc_chain_info chain = {.struct_size = sizeof chain};
    mgc_raft_config config;
    mgc_raft_msg msg;
    const char *tag;
    size_t body_len;

    if (bytes[0] != 1 || mgc_raft_decode(bytes + 1, len - 1, &msg, NULL, 0, &config) != MGC_OK || msg.kind != MGC_RAFT_APPEND_RESP ||
        (msg.flags & MGC_RAFT_REJECT) != 0)
        return;
    msg.hash[7] ^= 4;
    OK(mgc_raft_signed_body(&msg, body, &body_len, &tag));
    OK(mgc_chain_get_info(mgc_node_chain(m->node, MGC_CONTRACT_CREDIT), &chain));
    OK(mgc__sign_tagged(ctx, m->key, tag, chain.chain_id, 0, body, body_len, msg.signature));
    OK(mgc_raft_encode(&msg, NULL, second + 1, sizeof second - 1, &body_len));
    (void)post(m->id, to, second, 1 + body_len);
}

/* The head of a batch with another hash: what follows it is what it was. */
static void two_heads(const struct member *m, uint32_t to, const uint8_t *bytes, size_t len)
{
    static uint8_t second[1 << 20];
    uint8_t body[MGC_RAFT_SIGNED_BYTES_MAX];
    mgc_chain_info chain = {.struct_size = sizeof chain};
    mgc_raft_entry entries[64];
    mgc_raft_config config;
    mgc_raft_msg msg;
    const char *tag;
    size_t body_len;

    if (bytes[0] != 1 || len > sizeof second || mgc_raft_decode(bytes + 1, len - 1, &msg, entries, 64, &config) != MGC_OK ||
        msg.kind != MGC_RAFT_APPEND_REQ || msg.n_entries == 0)
        return;
    msg.head[7] ^= 4;
    OK(mgc_raft_signed_body(&msg, body, &body_len, &tag));
    OK(mgc_chain_get_info(mgc_node_chain(m->node, MGC_CONTRACT_CREDIT), &chain));
    OK(mgc__sign_tagged(ctx, m->key, tag, chain.chain_id, 0, body, body_len, msg.signature));
    second[0] = 1;
    OK(mgc_raft_encode(&msg, entries, second + 1, sizeof second - 1, &body_len));
    (void)post(m->id, to, second, 1 + body_len);
}

/* Whole in form, but the signature is another's. */
static void forge(uint8_t *bytes, size_t len)
{
    mgc_raft_config config;
    mgc_raft_msg msg;

    if (bytes[0] != 1 || mgc_raft_decode(bytes + 1, len - 1, &msg, NULL, 0, &config) != MGC_OK || (msg.flags & MGC_RAFT_SIGNED) == 0) return;
    msg.signature[mgc__rng_below(&rng, 64)] ^= 2;
    OK(mgc_raft_encode(&msg, NULL, bytes + 1, len - 1, &len));
}

/* The leader's word for a configuration that nobody decided. */
static void misconfigure(uint8_t *bytes, size_t len)
{
    mgc_raft_config config;
    mgc_raft_msg msg;

    if (bytes[0] != 1 || mgc_raft_decode(bytes + 1, len - 1, &msg, NULL, 0, &config) != MGC_OK || msg.kind != MGC_RAFT_SNAPSHOT_REQ) return;
    config.members[0].incarnation++;
    OK(mgc_raft_encode(&msg, NULL, bytes + 1, len - 1, &len));
    misconfigured++;
}

/* Signed as well as any vote: for a log that is older than its own, too. */
static void grant(const struct member *liar, uint32_t to, const uint8_t *bytes, size_t len)
{
    uint8_t body[MGC_RAFT_SIGNED_BYTES_MAX], answer[1 + MGC_RAFT_MSG_BYTES] = {1};
    mgc_chain_info chain = {.struct_size = sizeof chain};
    mgc_raft_entry entries[64];
    mgc_raft_config config;
    mgc_raft_msg msg;
    const char *tag;
    size_t body_len;
    bool pre;

    if (bytes[0] != 1 || mgc_raft_decode(bytes + 1, len - 1, &msg, entries, 64, &config) != MGC_OK) return;
    pre = msg.kind == MGC_RAFT_PREVOTE_REQ;
    if (!pre && msg.kind != MGC_RAFT_VOTE_REQ) return;
    msg.kind = pre ? MGC_RAFT_PREVOTE_RESP : MGC_RAFT_VOTE_RESP;
    msg.from = liar->id;
    msg.to = to;
    msg.flags = pre ? 0 : MGC_RAFT_SIGNED;
    msg.context = pre ? msg.term : 0;
    OK(mgc_raft_signed_body(&msg, body, &body_len, &tag));
    OK(mgc_chain_get_info(mgc_node_chain(members[to].node, MGC_CONTRACT_CREDIT), &chain));
    if (!pre) OK(mgc__sign_tagged(ctx, liar->key, tag, chain.chain_id, 0, body, body_len, msg.signature));
    OK(mgc_raft_encode(&msg, NULL, answer + 1, sizeof answer - 1, &body_len));
    say(liar->id, to, answer, 1 + body_len);
}

static int32_t send(void *user_, uint32_t to, const uint8_t *bytes, size_t len)
{
    struct member *m = user_;

    if (m->instead != NULL && m->instead(m->id, to, bytes, len)) return MGC_CB_DONE;
    if (to <= n_nodes && members[to].grants && !m->apart) grant(&members[to], m->id, bytes, len);
    if (!post(m->id, to, bytes, len)) return MGC_CB_DONE;
    if (m->lies) lie(m, to, bytes, len);
    if (m->two_heads) two_heads(m, to, bytes, len);
    if (m->other_config) misconfigure(net[n_net - 1].bytes, len);
    if (m->forges) forge(net[n_net - 1].bytes, len);
    if (m->flips) net[n_net - 1].bytes[mgc__rng_below(&rng, len)] ^= (uint8_t)(1u << mgc__rng_below(&rng, 8));
    return MGC_CB_DONE;
}

void start(uint32_t id)
{
    const mgc_transport_ops transport = {.struct_size = sizeof transport, .version = 1, .send = send};
    struct member *m = &members[id];
    mgc_node_opts o;
    mgc_status st;

    mgc_node_opts_init(&o, sizeof o);
    o.id = id;
    o.key = m->key;
    o.chain = NULL;
    o.members = n_nodes > 1 ? people : NULL;
    o.n_members = n_nodes > 1 ? n_voters : 0;
    o.learners = n_learners > 0 ? people + n_voters : NULL;
    o.n_learners = n_learners;
    o.join = id > n_voters + n_learners;
    o.sign_messages = sign_all;
    o.lost_store = m->lost_store;
    o.tick_ms = TICK;
    o.block_interval_ms = 10;
    o.genesis_time_ms = 1000;
    o.segment_bytes = 1 << 16;
    o.seed = 11;
    o.snapshots = m->snapshots;
    m->starts++;
    st = mgc_node_create(m->own_ctx != NULL ? m->own_ctx : ctx, &o, &m->node);
    if (st == MGC_OK) st = mgc_node_set_storage(m->node, &sim_disk_ops, &m->disk);
    if (st == MGC_OK) st = mgc_node_set_transport(m->node, &transport, m);
    if (st == MGC_OK) st = mgc_node_start(m->node);
    if (!m->may_fail) OK(st);
    if (st == MGC_OK) return;
    mgc_node_destroy(m->node);
    m->node = NULL;
}

void stop(uint32_t id)
{
    mgc_node_destroy(members[id].node);
    members[id].node = NULL;
    sim_disk_crash(&members[id].disk);
}

/* What a call on a node answered: whatever it is but MGC_OK, the host destroys the node. */
static void answered(struct member *m, mgc_status st)
{
    if (!m->may_fail) OK(st);
    if (st == MGC_OK) return;
    mgc_node_destroy(m->node);
    m->node = NULL;
    n_down++;
}

void run(uint64_t ms)
{
    for (uint64_t end = now + ms; now < end; now += 4) {
        for (size_t i = 0; i < n_net;) {
            struct message x = net[i];
            if (x.at > now) {
                i++;
                continue;
            }
            net[i] = net[--n_net];
            if (x.to <= n_nodes && members[x.to].node != NULL)
                answered(&members[x.to], mgc_node_receive(members[x.to].node, x.from, x.bytes, x.len));
            free(x.bytes);
        }
        if (before_steps != NULL) before_steps();
        for (uint32_t i = 1; i <= n_nodes; i++)
            if (members[i].node != NULL) answered(&members[i], mgc_node_step(members[i].node, now + members[i].ahead, NULL));
    }
}

void open_all(uint32_t voters, uint32_t learners, uint32_t newcomers)
{
    const uint8_t seed[32] = {77};

    mgc__rng_seed(&rng, world_seed != 0 ? world_seed : 5);
    now = 5000;
    nonce = 0;
    n_voters = voters;
    n_learners = learners;
    n_nodes = voters + learners + newcomers;
    OK(mgc_key_from_seed(ctx, seed, &user));
    for (uint32_t i = 1; i <= n_nodes; i++) {
        const uint8_t key[32] = {(uint8_t)i};
        members[i] = (struct member){.id = i};
        sim_disk_init(&members[i].disk, &rng);
        OK(mgc_key_from_seed(ctx, key, &members[i].key));
        people[i - 1] = (mgc_member){.id = i};
        OK(mgc_key_public(members[i].key, people[i - 1].public_key));
    }
    for (uint32_t i = 1; i <= n_nodes; i++) start(i);
    run(2000);
}

void close_all(void)
{
    for (uint32_t i = 1; i <= n_nodes; i++) {
        mgc_node_destroy(members[i].node);
        sim_disk_free(&members[i].disk);
        mgc_key_destroy(members[i].key);
    }
    mgc_key_destroy(user);
    while (n_net > 0) free(net[--n_net].bytes);
    sign_all = 0;
    before_steps = NULL;
    world_seed = 0;
    loss = 0;
}

/* --- looking -------------------------------------------------------------------------------------- */

mgc_node_info info_of(uint32_t id)
{
    mgc_node_info info = {.struct_size = sizeof info};

    OK(mgc_node_get_info(members[id].node, &info));
    return info;
}

uint32_t leader(void)
{
    for (uint32_t i = 1; i <= n_nodes; i++)
        if (members[i].node != NULL && info_of(i).role == MGC_RAFT_LEADER && info_of(i).leader == i) return i;
    return 0;
}

mgc_node_member_info member_of(uint32_t asked, uint32_t id)
{
    for (uint32_t i = 0;; i++) {
        mgc_node_member_info info = {.struct_size = sizeof info};
        if (mgc_node_get_member(members[asked].node, i, &info) != MGC_OK) return (mgc_node_member_info){0};
        if (info.id == id) return info;
    }
}

uint64_t submit(uint32_t to, uint64_t at_nonce)
{
    static uint8_t encoded[MGC_TX_BYTES_MAX], bytes[MGC_TX_BYTES_MAX];
    mgc_chain_info chain = {.struct_size = sizeof chain};
    mgc_tx_body body = {.struct_size = sizeof body, .sender = mgc__key_public(user), .contract = INFO, .method = "nothing",
                        .arguments = (const uint8_t *)"\xa0", .arguments_len = 1, .nonce = at_nonce};
    mgc_tx_signature signature;
    uint64_t number;
    size_t len, tx_len;

    OK(mgc_chain_get_info(mgc_node_chain(members[to].node, INFO), &chain));
    body.chain_id = chain.chain_id;
    body.valid_until = chain.height + 900;
    OK(mgc_tx_encode_body(&body, encoded, sizeof encoded, &len));
    OK(mgc_tx_sign(encoded, len, user, MGC_ROLE_USER, &signature));
    OK(mgc_tx_assemble(encoded, len, &signature, 1, bytes, sizeof bytes, &tx_len));
    OK(mgc_node_submit(members[to].node, bytes, tx_len, &number));
    return number;
}

bool goes_through(uint32_t at, uint64_t ms)
{
    mgc_ticket_info info = {.struct_size = sizeof info};
    uint64_t number = submit(at, ++nonce);

    run(ms);
    OK(mgc_ticket_state(members[at].node, number, &info));
    return info.state != MGC_TICKET_OPEN && info.height > 0;
}

void check_alike(void)
{
    mgc_node_info first = {0};

    for (uint32_t i = 1; i <= n_nodes; i++) {
        mgc_node_info info;
        if (members[i].node == NULL || info_of(i).standing < MGC_STANDING_LEARNER || info_of(i).standing > MGC_STANDING_VOTER) continue;
        info = info_of(i);
        if (first.height == 0) first = info;
        ck_assert_msg(info.height == first.height && info.final_height == info.height && memcmp(info.block_hash, first.block_hash, 32) == 0,
                      "member %" PRIu32 " has height %" PRIu64 ", final %" PRIu64 "; the first %" PRIu64, i, info.height, info.final_height,
                      first.height);
    }
    ck_assert_uint_gt(first.height, 0);
}

void approve(uint32_t change, uint32_t whom, uint32_t how_many)
{
    for (uint32_t i = 1; i <= n_nodes && how_many > 0; i++) {
        if (members[i].node == NULL || info_of(i).standing != MGC_STANDING_VOTER) continue;
        OK(mgc_node_change_member(members[i].node, change, &people[whom - 1]));
        how_many--;
    }
}

void found_market(void)
{
    static uint8_t body[MGC_TX_BYTES_MAX], tx[MGC_TX_BYTES_MAX];
    static const char *const fields[] = {"slot_ms", "gate_ms", "gate_slots", "window_ms", "collateral_bp", "pending_blocks", "first_slot"};
    static const int64_t values[] = {3600000, 3600000, 1, 3600000, 5000, 1000, 2};
    mgc_chain_info chain = {.struct_size = sizeof chain};
    mgc_tx_body b = {.struct_size = sizeof b, .contract = INFO, .method = "found", .nonce = 1, .valid_until = 500,
                     .sender = mgc__key_public(user)};
    mgc_tx_signature signatures[2];
    mgc_ticket_info info = {.struct_size = sizeof info};
    uint64_t number;
    mgc_args *args;
    size_t len;

    OK(mgc_args_create(ctx, INFO, "found", &args));
    OK(mgc_args_set_text(args, "name", "m"));
    OK(mgc_args_set_text(args, "currency", "EUR"));
    OK(mgc_args_set_bytes(args, "administrator", b.sender, 32));
    for (int i = 0; i < 7; i++) OK(mgc_args_set_int(args, fields[i], values[i]));
    OK(mgc_args_encode(args, &b.arguments, &b.arguments_len));
    OK(mgc_chain_get_info(mgc_node_chain(members[1].node, INFO), &chain));
    b.chain_id = chain.chain_id;
    OK(mgc_tx_encode_body(&b, body, sizeof body, &len));
    OK(mgc_tx_sign(body, len, user, MGC_ROLE_ADMINISTRATOR, &signatures[0]));
    OK(mgc_tx_sign(body, len, members[1].key, MGC_ROLE_VALIDATOR, &signatures[1]));
    OK(mgc_tx_assemble(body, len, signatures, 2, tx, sizeof tx, &len));
    OK(mgc_node_submit(members[1].node, tx, len, &number));
    mgc_args_destroy(args);
    nonce = 1;
    run(1500);
    OK(mgc_ticket_state(members[1].node, number, &info));
    ck_assert_int_eq(info.state, MGC_TICKET_COMMITTED);
}

void epoch_passes(void)
{
    static uint8_t encoded[MGC_TX_BYTES_MAX], bytes[MGC_TX_BYTES_MAX];
    uint32_t at = leader();

    now += 3600000;
    for (int i = 0; i < 4 && at != 0; i++) {
        mgc_chain_info chain = {.struct_size = sizeof chain};
        mgc_tx_body body = {.struct_size = sizeof body, .sender = mgc__key_public(user), .contract = MGC_CONTRACT_TRADING, .method = "nothing",
                            .arguments = (const uint8_t *)"\xa0", .arguments_len = 1};
        mgc_tx_signature signature;
        uint64_t number;
        size_t len, tx_len;

        OK(mgc_chain_get_info(mgc_node_chain(members[at].node, MGC_CONTRACT_TRADING), &chain));
        OK(mgc_node_next_nonce(members[at].node, body.sender, MGC_CONTRACT_TRADING, &body.nonce));
        body.chain_id = chain.chain_id;
        body.valid_until = chain.height + 900;
        OK(mgc_tx_encode_body(&body, encoded, sizeof encoded, &len));
        OK(mgc_tx_sign(encoded, len, user, MGC_ROLE_USER, &signature));
        OK(mgc_tx_assemble(encoded, len, &signature, 1, bytes, sizeof bytes, &tx_len));
        OK(mgc_node_submit(members[at].node, bytes, tx_len, &number));
        run(240);
    }
}

int alliance_run(const char *name, void (*cases)(TCase *tc))
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create("all");
    SRunner *runner;
    int failed;

    if (mgc_ctx_create(NULL, &ctx) != MGC_OK) return 1;
    tcase_set_timeout(tc, 200);
    cases(tc);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    mgc_ctx_destroy(ctx);
    return failed != 0;
}
