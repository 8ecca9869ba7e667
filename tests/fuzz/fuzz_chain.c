/* SPDX-License-Identifier: Apache-2.0 */
/* Whole transactions against a live chain: signed by enrolled members in any role, of any method, with any bytes as
 * arguments.  The node goes on, books stay balanced, and at the end the chain verifies and opens again as the same.
 *
 * Input: acts of 6 bytes and arguments: contract, method, signer, role, second signer (0: none), length of the
 * arguments.  Contract 255: let time pass, by the method's number of quarter hours. */
#include "fuzz.h"

#include "../node/market.h"

enum { ACT = 6, ACTS_MAX = 40 };

static const uint32_t people[] = {ADMIN, OPERATOR, DISPATCHER, REGULATOR, MANAGER + 1, MANAGER + 2, MANAGER + 3,
                                  METER + 1, METER + 2, METER + 3, METER + 4, METER + 5, METER + 6, METER + 7,
                                  METER + 8, METER + 9, STRANGER};

/* A market that is founded and has money; every input begins with a copy of its disk. */
static struct market *founded(void)
{
    static struct market base;

    if (base.ctx != NULL) return &base;
    market_three_chains = true;
    market_open(&base);
    market_until(&base, STEP_AGREE);
    mgc_node_destroy(base.node);
    base.node = NULL;
    base.disk.locked = false;
    return &base;
}

static void sign(struct market *m, const uint8_t *act, const uint8_t *body, size_t body_len)
{
    mgc_tx_signature s[2];
    size_t n = 1;

    must(mgc_tx_sign(body, body_len, market_key(m, people[act[2] % MGC__COUNT(people)]), act[3], &s[0]) == MGC_OK, "signing");
    if (act[4] != 0 && people[act[4] % MGC__COUNT(people)] != people[act[2] % MGC__COUNT(people)])
        must(mgc_tx_sign(body, body_len, market_key(m, people[act[4] % MGC__COUNT(people)]), act[3], &s[n++]) == MGC_OK, "signing");
    must(mgc_tx_assemble(body, body_len, s, n, m->last, sizeof m->last, &m->last_len) == MGC_OK, "assembling");
}

/* false: the node may stop here, for want of a contract's code. */
static bool one_act(struct market *m, const uint8_t *act, const uint8_t *arguments)
{
    static uint8_t body_bytes[4096];
    uint32_t contract = 1 + act[0] % 7, methods = 0;
    mgc_chain_info chain = {.struct_size = sizeof chain};
    uint8_t sender[32];
    size_t body_len;

    while (mgc_method_name(contract, methods) != NULL) methods++;
    must(mgc_chain_get_info(mgc_node_chain(m->node, contract), &chain) == MGC_OK, "asking the chain");
    must(mgc_key_public(market_key(m, people[act[2] % MGC__COUNT(people)]), sender) == MGC_OK, "a key");
    mgc_tx_body body = {.struct_size = sizeof body, .chain_id = chain.chain_id, .sender = sender, .contract = contract,
                        .method = methods == 0 ? "none" : mgc_method_name(contract, act[1] % methods),
                        .arguments = arguments, .arguments_len = act[5], .valid_until = chain.height + 50};
    must(mgc_node_next_nonce(m->node, sender, contract, &body.nonce) == MGC_OK, "a nonce");
    must(mgc_tx_encode_body(&body, body_bytes, sizeof body_bytes, &body_len) == MGC_OK, "a body");
    sign(m, act, body_bytes, body_len);
    must(mgc_node_submit(m->node, m->last, m->last_len, NULL) == MGC_OK, "handing in");
    m->now += 1000;
    mgc_status st = mgc_node_flush(m->node, m->now);
    must(st == MGC_OK || st == MGC_E_UNSUPPORTED, "the node stops");
    return st == MGC_OK;
}

static void end(struct market *m)
{
    mgc_node_info before = {.struct_size = sizeof before}, after = {.struct_size = sizeof after};
    mgc_verify_info info = {.struct_size = sizeof info};
    mgc_ledger_opts opts;

    market_check_sums(m);
    must(mgc_node_get_info(m->node, &before) == MGC_OK, "asking the node");
    mgc_node_destroy(m->node);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &m->disk;
    must(mgc_ledger_verify(m->ctx, &opts, &info) == MGC_OK, "what was built does not verify");
    market_start(m);
    must(mgc_node_get_info(m->node, &after) == MGC_OK, "asking the node");
    must(memcmp(before.block_hash, after.block_hash, 32) == 0, "another chain after a restart");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct market *base = founded();
    static struct market m;
    bool going = true;

    m = *base;
    disk_copy(&m.disk, &base->disk);
    market_start(&m);
    for (uint32_t n = 0; n < ACTS_MAX && size >= ACT && going; n++) {
        uint8_t act[ACT];
        memcpy(act, data, ACT);
        data += ACT;
        size -= ACT;
        if (act[0] == 255) {
            m.now += (uint64_t)act[1] * (HOUR / 4);
            continue;
        }
        if (act[5] > size) act[5] = (uint8_t)size;
        going = one_act(&m, act, data);
        data += act[5];
        size -= act[5];
    }
    if (going) end(&m);
    mgc_node_destroy(m.node);
    base->n_keys = m.n_keys; /* keys that were made on the way */
    memcpy(base->keys, m.keys, sizeof m.keys);
    disk_free(&m.disk);
    return 0;
}
