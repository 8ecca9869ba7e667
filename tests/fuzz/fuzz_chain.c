/* SPDX-License-Identifier: Apache-2.0 */
/* Whole transactions against a live node of three chains: signed by enrolled members in any role, of any method, with any bytes
 * as arguments, several in a block or each in its own, at any time of the market's day; some with a nonce, a chain, a height or
 * a byte that is wrong.  chain_world.h says what an input is, chain_mutate.c how inputs are changed.
 *
 * After each input: the node goes on, books are balanced on every chain, nothing that was written before has changed, and
 * another node that begins with the same world and takes the blocks as bytes ends with the same hashes and state digests.
 * After one input in THOROUGH: the store verifies from its first block on and opens again as the same. */
#include "chain_world.h"

enum { THOROUGH = 64, BLOCKS_MAX = 4 * ACTS_MAX };

/* --- acts ---------------------------------------------------------------------------------------- */

static void sign(struct market *m, const uint8_t *act, const uint8_t *body, size_t body_len)
{
    uint32_t first = chain_people[act[ACT_SIGNER] % chain_n_people], second = chain_people[act[ACT_SECOND] % chain_n_people];
    mgc_tx_signature s[2];
    size_t n = 1;

    must(mgc_tx_sign(body, body_len, market_key(m, first), act[ACT_ROLE], &s[0]) == MGC_OK, "signing");
    if (act[ACT_SECOND] != 0 && second != first)
        must(mgc_tx_sign(body, body_len, market_key(m, second), act[ACT_SECOND_ROLE], &s[n++]) == MGC_OK, "signing");
    must(mgc_tx_assemble(body, body_len, s, n, m->last, sizeof m->last, &m->last_len) == MGC_OK, "assembling");
}

static void twist_body(uint8_t twist, mgc_tx_body *body, uint8_t chain_id[32], uint64_t height)
{
    if (twist == TWIST_GAP) body->nonce++;
    if (twist == TWIST_USED && body->nonce > 1) body->nonce--;
    if (twist == TWIST_CHAIN) chain_id[7] ^= 1;
    if (twist == TWIST_EXPIRED) body->valid_until = height;
    if (twist == TWIST_LONG) body->valid_until = height + MGC_TX_WINDOW_MAX + 2;
}

static void hand_in(struct market *m, const uint8_t *act, const uint8_t *arguments, size_t len)
{
    static uint8_t bytes[MGC_TX_BYTES_MAX];
    uint32_t contract = 1 + act[ACT_CONTRACT] % CONTRACTS, methods = 0;
    uint8_t sender[32], chain_id[32], twist = act[ACT_TWIST] % TWISTS;
    mgc_chain_info chain = {.struct_size = sizeof chain};
    size_t body_len;

    while (mgc_method_name(contract, methods) != NULL) methods++;
    must(mgc_chain_get_info(mgc_node_chain(m->node, contract), &chain) == MGC_OK, "asking the chain");
    must(mgc_key_public(market_key(m, chain_people[act[ACT_SIGNER] % chain_n_people]), sender) == MGC_OK, "a key");
    memcpy(chain_id, chain.chain_id, 32);
    mgc_tx_body body = {.struct_size = sizeof body, .chain_id = chain_id, .sender = sender, .contract = contract,
                        .method = methods == 0 ? "none" : mgc_method_name(contract, act[ACT_METHOD] % methods),
                        .arguments = arguments, .arguments_len = len, .valid_until = chain.height + 50};
    must(mgc_node_next_nonce(m->node, sender, contract, &body.nonce) == MGC_OK, "a nonce");
    twist_body(twist, &body, chain_id, chain.height);
    must(mgc_tx_encode_body(&body, bytes, sizeof bytes, &body_len) == MGC_OK, "a body");
    sign(m, act, bytes, body_len);
    if (twist == TWIST_BYTE) m->last[act[ACT_METHOD] * m->last_len / 256] ^= (uint8_t)(act[ACT_CONTRACT] | 1);
    mgc_status st = mgc_node_submit(m->node, m->last, m->last_len, NULL);
    must(st == MGC_OK || twist == TWIST_BYTE, "handing in");
    if (twist == TWIST_TWICE) must(mgc_node_submit(m->node, m->last, m->last_len, NULL) == MGC_OK, "handing in twice");
}

/* false: the node may stop here, for want of a contract's code. */
static bool build(struct market *m, uint64_t wait_ms)
{
    mgc_status st;

    m->now += wait_ms;
    st = mgc_node_flush(m->node, m->now);
    if (st == MGC_OK && wait_ms >= 24 * (uint64_t)HOUR) st = mgc_node_step(m->node, m->now, NULL); /* a day is closed */
    must(st == MGC_OK || st == MGC_E_UNSUPPORTED, "the node stops");
    return st == MGC_OK;
}

/* --- what must hold ------------------------------------------------------------------------------ */

static void check_books(const mgc_chain *chain)
{
    struct {
        uint32_t unit;
        uint64_t posted, pending; /* credits less debits, modulo 2^64 */
    } sums[32] = {{0}};
    mgc_account_info a = {.struct_size = sizeof a};
    uint8_t after[16];
    size_t n = 0, k;

    for (mgc_status st = mgc_chain_next_account(chain, NULL, &a); st == MGC_OK;
         st = mgc_chain_next_account(chain, after, &a)) {
        memcpy(after, a.id, 16);
        for (k = 0; k < n && sums[k].unit != a.unit; k++) continue;
        must(k < MGC__COUNT(sums), "units without end");
        if (k == n) sums[n++].unit = a.unit;
        sums[k].posted += a.credits_posted - a.debits_posted;
        sums[k].pending += a.credits_pending - a.debits_pending;
        if ((a.flags & MGC_ACCOUNT_DEBITS_BOUNDED) != 0)
            must(a.credits_posted >= a.debits_posted + a.debits_pending, "a purse is overdrawn");
        if ((a.flags & MGC_ACCOUNT_CREDITS_BOUNDED) != 0)
            must(a.debits_posted >= a.credits_posted + a.credits_pending, "more is given back than was taken");
    }
    for (k = 0; k < n; k++) must(sums[k].posted == 0 && sums[k].pending == 0, "debits and credits differ");
}

static struct {
    uint8_t *bytes;
    size_t len;
    uint32_t chain;
} blocks[BLOCKS_MAX];
static size_t n_blocks;

static void heads(struct market *m, mgc_chain_info info[HOMES])
{
    for (uint32_t i = 0; i < HOMES; i++) {
        info[i] = (mgc_chain_info){.struct_size = sizeof info[i]};
        must(mgc_chain_get_info(mgc_node_chain(m->node, 1 + i), &info[i]) == MGC_OK, "asking a chain");
    }
}

static void collect(struct market *m, const mgc_chain_info from[HOMES], const mgc_chain_info to[HOMES])
{
    for (uint32_t i = 0; i < HOMES; i++)
        for (uint64_t h = from[i].height + 1; h <= to[i].height; h++) {
            const uint8_t *bytes = NULL;
            mgc_block *block = NULL;
            size_t len = 0;

            must(n_blocks < BLOCKS_MAX && mgc_chain_read_block(mgc_node_chain(m->node, 1 + i), h, &block) == MGC_OK &&
                     mgc_block_get_bytes(block, &bytes, &len) == MGC_OK, "a block cannot be read");
            blocks[n_blocks].bytes = malloc(len);
            must(blocks[n_blocks].bytes != NULL, "no memory");
            memcpy(blocks[n_blocks].bytes, bytes, len);
            blocks[n_blocks].len = len;
            blocks[n_blocks++].chain = i;
            mgc_block_destroy(block);
        }
}

/* The common order is the only one in which they fit: a block that is not next is tried again after others. */
static void follow(struct market *m, const mgc_chain_info to[HOMES])
{
    mgc_chain_info info[HOMES];
    size_t left = n_blocks;

    for (size_t before = 0; left > 0 && left != before;) {
        bool blocked[HOMES] = {false};
        before = left;
        for (size_t k = 0; k < n_blocks; k++) {
            uint32_t chain = blocks[k].chain;
            if (blocks[k].bytes == NULL || blocked[chain]) continue;
            mgc_chain *at = mgc_node_chain(m->node, 1 + chain);
            if (mgc_chain_apply(at, blocks[k].bytes, blocks[k].len, m->now, UINT64_MAX) != MGC_OK) {
                blocked[chain] = true;
                continue;
            }
            free(blocks[k].bytes);
            blocks[k].bytes = NULL;
            left--;
        }
    }
    if (left > 0) fprintf(stderr, "%s\n", mgc_ctx_error(m->ctx));
    must(left == 0, "another member refuses a block");
    heads(m, info);
    for (uint32_t i = 0; i < HOMES; i++)
        must(memcmp(info[i].block_hash, to[i].block_hash, 32) == 0 &&
                 memcmp(info[i].state_digest, to[i].state_digest, 32) == 0, "another member comes to another state");
}

static void verify_and_open_again(struct market *m, const mgc_chain_info last[HOMES])
{
    mgc_verify_info info = {.struct_size = sizeof info};
    mgc_chain_info again[HOMES];
    mgc_ledger_opts opts;

    mgc_node_destroy(m->node);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &m->disk;
    must(mgc_contract_verify(m->ctx, &opts, NULL, NULL, 0, &info) == MGC_OK && info.executed == 1,
         "what was built does not verify");
    market_start(m);
    heads(m, again);
    for (uint32_t i = 0; i < HOMES; i++)
        must(memcmp(again[i].block_hash, last[i].block_hash, 32) == 0, "another chain after a restart");
}

/* --- the target ------------------------------------------------------------------------------------ */

static bool run(struct market *m, const uint8_t *data, size_t size)
{
    bool going = true;

    for (uint32_t n = 0; n < ACTS_MAX && size >= ACT_HEAD && going; n++) {
        const uint8_t *act = data;
        size_t len = (size_t)data[ACT_LEN] | (size_t)data[ACT_LEN + 1] << 8;

        data += ACT_HEAD;
        size -= ACT_HEAD;
        if (len > size) len = size;
        hand_in(m, act, data, len);
        if (act[ACT_WAIT] != 0) going = build(m, chain_wait(act[ACT_WAIT]));
        data += len;
        size -= len;
    }
    return going && build(m, 1000);
}

static bool is_thorough(const uint8_t *data, size_t size)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < size; i++) hash = (hash ^ data[i]) * 16777619u;
    return (hash >> 16) % THOROUGH == 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Options that this target wants where the command line says nothing else: the power schedule that weighs rare features takes
 * longer than the inputs themselves, and what is leaked inside an arena no allocator sees. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static char entropic[] = "-entropic=0", leaks[] = "-detect_leaks=0", max_len[] = "-max_len=1500";
    char **more = calloc((size_t)*argc + 4, sizeof *more);

    must(more != NULL, "no memory");
    more[0] = (*argv)[0];
    more[1] = entropic;
    more[2] = leaks;
    more[3] = max_len;
    for (int i = 1; i < *argc; i++) more[i + 3] = (*argv)[i];
    *argc += 3;
    *argv = more;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mgc_chain_info first[HOMES], last[HOMES];
    struct market *m;

    if (size < 1) return 0;
    uint32_t world = data[0];
    m = chain_world(world);
    heads(m, first);
    bool going = run(m, data + 1, size - 1);
    heads(m, last);
    for (uint32_t i = 0; i < HOMES; i++) check_books(mgc_node_chain(m->node, 1 + i));
    must(chain_world_kept(world), "what was written before has changed");
    n_blocks = 0;
    collect(m, first, last);
    if (going && is_thorough(data, size)) verify_and_open_again(m, last);
    uint64_t end = m->now;
    m = chain_world(world);
    m->now = end;
    follow(m, last);
    return 0;
}
