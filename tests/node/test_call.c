/* SPDX-License-Identifier: Apache-2.0 */
/* A call in one go is the transaction that its parts would have made, and what is wrong with it hands nothing in. */
#include "market.h"

enum { TRADE = MGC_CONTRACT_TRADING, OWN = MGC_CONTRACT_HOST + 3 };

static struct market m;
static mgc_signer operator_signs[1];

static void open_founded(void)
{
    market_open(&m);
    market_until(&m, STEP_DEPOSIT);
    operator_signs[0] = (mgc_signer){.key = market_key(&m, OPERATOR), .role = MGC_ROLE_MARKET_OPERATOR};
}

static mgc_node_call_opts deposit(const char *words)
{
    mgc_node_call_opts call;

    mgc_node_call_opts_init(&call, sizeof call);
    call.contract = TRADE;
    call.method = "deposit";
    call.words = words;
    call.signers = operator_signs;
    call.n_signers = 1;
    return call;
}

START_TEST(it_is_what_its_parts_make)
{
    mgc_node_call_opts call = deposit("microgrid=1&amount_micro=300&reference=a b");
    mgc_ticket_info info = {.struct_size = sizeof info};
    mgc_tx_info tx = {.struct_size = sizeof tx};
    const uint8_t *bytes;
    size_t len;
    uint64_t ticket = 0;
    mgc_args *args;

    open_founded();
    /* the same by hand, from a second set of calls */
    ck_assert_int_eq(mgc_args_create(m.ctx, TRADE, "deposit", &args), MGC_OK);
    ck_assert_int_eq(mgc_args_set_int(args, "microgrid", 1), MGC_OK);
    ck_assert_int_eq(mgc_args_set_int(args, "amount_micro", 300), MGC_OK);
    ck_assert_int_eq(mgc_args_set_text(args, "reference", "a b"), MGC_OK);
    ck_assert_int_eq(mgc_args_encode(args, &bytes, &len), MGC_OK);
    for (int by_words = 0; by_words < 2; by_words++) {
        mgc_chain_info chain = {.struct_size = sizeof chain};
        mgc_block *block;
        ck_assert_int_eq(mgc_chain_get_info(mgc_node_chain(m.node, TRADE), &chain), MGC_OK);
        call.words = by_words == 1 ? "reference=a b&amount_micro=300&microgrid=1" : NULL;
        call.arguments = by_words == 1 ? NULL : bytes;
        call.arguments_len = by_words == 1 ? 0 : len;
        call.now_ms = m.now;
        ck_assert_int_eq(mgc_node_call(m.node, &call, &ticket, &info), MGC_OK);
        ck_assert_uint_eq(info.state, MGC_TICKET_COMMITTED);
        ck_assert_uint_eq(info.height, chain.height + 1);
        ck_assert_int_eq(mgc_chain_read_block(mgc_node_chain(m.node, TRADE), info.height, &block), MGC_OK);
        const uint8_t *stored;
        size_t stored_len;
        ck_assert_int_eq(mgc_block_get_tx(block, info.index, &stored, &stored_len, &tx), MGC_OK);
        ck_assert_uint_eq(tx.arguments_len, len);
        ck_assert_mem_eq(tx.arguments, bytes, len);
        ck_assert_uint_eq(tx.valid_until, chain.height + 1000);
        ck_assert_mem_eq(tx.tx_id, info.tx_id, 32);
        ck_assert_int_eq(tx.n_signatures, 1);
        mgc_block_destroy(block);
    }
    mgc_args_destroy(args);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), 600);
    market_close(&m);
}
END_TEST

/* Without a time they wait, and each counts those before it. */
START_TEST(nonces_count_what_waits)
{
    mgc_ticket_info info = {.struct_size = sizeof info};
    mgc_node_call_opts call = deposit("microgrid=2&amount_micro=7&reference=x");
    uint64_t tickets[3];

    open_founded();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(mgc_node_call(m.node, &call, &tickets[i], &info), MGC_OK);
        ck_assert_uint_eq(info.state, MGC_TICKET_OPEN);
    }
    call.now_ms = m.now;
    ck_assert_int_eq(mgc_node_call(m.node, &call, NULL, NULL), MGC_OK);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(mgc_ticket_state(m.node, tickets[i], &info), MGC_OK);
        ck_assert_uint_eq(info.state, MGC_TICKET_COMMITTED);
    }
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 2), 28);
    market_close(&m);
}
END_TEST

/* A refusal is the ticket's news: the sentence is there, its nonce is spent, the next call stands. */
START_TEST(a_refusal_is_told_in_the_ticket)
{
    mgc_ticket_info info = {.struct_size = sizeof info};
    mgc_node_call_opts call = deposit("microgrid=99&amount_micro=7&reference=x");

    open_founded();
    call.now_ms = m.now;
    ck_assert_int_eq(mgc_node_call(m.node, &call, NULL, &info), MGC_OK);
    ck_assert_uint_eq(info.state, MGC_TICKET_REFUSED);
    ck_assert_int_eq(info.status, MGC_E_NOT_FOUND);
    ck_assert_uint_gt(info.height, 0);
    ck_assert_uint_gt(strlen(info.rule), 5);
    call.words = "microgrid=1&amount_micro=7&reference=x";
    ck_assert_int_eq(mgc_node_call(m.node, &call, NULL, &info), MGC_OK);
    ck_assert_uint_eq(info.state, MGC_TICKET_COMMITTED);
    market_close(&m);
}
END_TEST

static void must_refuse(mgc_node_call_opts call, mgc_status status, const char *said)
{
    mgc_node_info info = {.struct_size = sizeof info};
    mgc_ticket_info told = {.struct_size = sizeof told};
    uint64_t ticket = 77;
    mgc_status st = mgc_node_call(m.node, &call, &ticket, &told);

    ck_assert_msg(st == status, "%s instead of %s: %s", mgc_status_name(st), mgc_status_name(status), mgc_ctx_error(m.ctx));
    ck_assert_msg(strstr(mgc_ctx_error(m.ctx), said) != NULL, "\"%s\" does not say \"%s\"", mgc_ctx_error(m.ctx), said);
    ck_assert_uint_eq(ticket, 0);
    ck_assert_uint_eq(told.state, 0);
    ck_assert_int_eq(mgc_node_get_info(m.node, &info), MGC_OK);
    ck_assert_uint_eq(info.waiting, 0);
}

#define WRONG(status, said, ...)                                                \
    do {                                                                        \
        mgc_node_call_opts call = deposit("microgrid=1&amount_micro=7&reference=x"); \
        __VA_ARGS__;                                                            \
        must_refuse(call, status, said);                                        \
    } while (0)

START_TEST(what_is_wrong_hands_nothing_in)
{
    const mgc_signer twice[2] = {{.key = market_key(&m, OPERATOR), .role = 5}, {.key = market_key(&m, OPERATOR), .role = 5}};
    mgc_signer bad = operator_signs[0];
    static const uint8_t large[MGC_TX_BYTES_MAX];

    WRONG(MGC_E_INVALID_ARG, "method's name is NULL", call.method = NULL);
    WRONG(MGC_E_NOT_FOUND, "no method \"deposits\"", call.method = "deposits");
    WRONG(MGC_E_RANGE, "window of deposit is 0", call.window = 0);
    WRONG(MGC_E_RANGE, "must be 1..10000", call.window = MGC_TX_WINDOW_MAX + 1);
    WRONG(MGC_E_RANGE, "0 signers of deposit; must be 1..16", call.n_signers = 0);
    WRONG(MGC_E_RANGE, "0 signers", call.signers = NULL);
    WRONG(MGC_E_RANGE, "17 signers", call.n_signers = 17);
    WRONG(MGC_E_INVALID_ARG, "signer 0 of deposit", bad.key = NULL; call.signers = &bad);
    bad = operator_signs[0];
    WRONG(MGC_E_INVALID_ARG, "reserved0", bad.reserved0 = 1; call.signers = &bad);
    bad = operator_signs[0];
    WRONG(MGC_E_RANGE, "role 256", bad.role = 256; call.signers = &bad);
    WRONG(MGC_E_NONCANONICAL, "2 signatures of deposit", call.signers = twice; call.n_signers = 2);
    WRONG(MGC_E_INVALID_ARG, "beside words", call.arguments = large; call.arguments_len = 1);
    WRONG(MGC_E_INVALID_ARG, "at NULL", call.words = NULL; call.arguments_len = 1);
    WRONG(MGC_E_TOO_LARGE, "65536 bytes", call.words = NULL; call.arguments = large; call.arguments_len = sizeof large);
    WRONG(MGC_E_INVALID_ARG, "is no transaction", call.contract = OWN; call.words = NULL; call.method = "");
    WRONG(MGC_E_SCHEMA, "\"reference\"", call.words = "microgrid=1&amount_micro=7");
    WRONG(MGC_E_SYNTAX, "must be field=value", call.words = "microgrid=1&amount_micro&reference=x");
    WRONG(MGC_E_UNKNOWN_KEY, "did you mean \"microgrid\"", call.words = "microgrd=1&amount_micro=7&reference=x");
    ck_assert_int_eq(mgc_node_call(m.node, NULL, NULL, NULL), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_node_call(NULL, NULL, NULL, NULL), MGC_E_INVALID_ARG);
}
END_TEST

/* Every allocation of a call fails once: it says so, hands nothing in, and the same call then does what it should. */
START_TEST(every_allocation_fails_once)
{
    static const uint8_t seed[32] = {200}, founder[32] = {1};
    static struct disk disk;
    struct heap heap = {.until_fault = -1};
    mgc_allocator allocator = heap_allocator(&heap);
    mgc_ctx_opts opts;
    mgc_node_opts node_opts;
    mgc_ctx *ctx;
    mgc_node *node;
    mgc_key *keys[2];
    uint8_t public_key[32];
    char words[400];
    int at;

    mgc_ctx_opts_init(&opts, sizeof opts);
    opts.allocator = &allocator;
    ck_assert_int_eq(mgc_ctx_create(&opts, &ctx), MGC_OK);
    ck_assert_int_eq(mgc_key_from_seed(ctx, seed, &keys[0]), MGC_OK);
    ck_assert_int_eq(mgc_key_from_seed(ctx, founder, &keys[1]), MGC_OK);
    ck_assert_int_eq(mgc_key_public(keys[1], public_key), MGC_OK);
    at = snprintf(words, sizeof words, "name=valley&currency=EUR&slot_ms=3600000&gate_ms=3600000&gate_slots=24&window_ms=3600000&"
                  "collateral_bp=1000&pending_blocks=1000&first_slot=0&administrator=");
    for (int i = 0; i < 32; i++) at += snprintf(words + at, sizeof words - (size_t)at, "%02x", public_key[i]);
    mgc_signer signers[2] = {{.key = keys[1], .role = MGC_ROLE_ADMINISTRATOR}, {.key = keys[0], .role = MGC_ROLE_VALIDATOR}};
    mgc_node_call_opts call;
    mgc_node_call_opts_init(&call, sizeof call);
    call.contract = MGC_CONTRACT_INFORMATION;
    call.method = "found";
    call.words = words;
    call.signers = signers;
    call.n_signers = 2;
    mgc_node_opts_init(&node_opts, sizeof node_opts);
    node_opts.id = 1;
    node_opts.key = keys[0];
    disk_init(&disk);
    ck_assert_int_eq(mgc_node_create(ctx, &node_opts, &node), MGC_OK);
    ck_assert_int_eq(mgc_node_set_storage(node, &disk_ops, &disk), MGC_OK);
    ck_assert_int_eq(mgc_node_start(node), MGC_OK);
    mgc_status st = MGC_E_NO_MEMORY;
    for (heap.until_fault = 0; st == MGC_E_NO_MEMORY && heap.until_fault < 1000;) {
        long fault = heap.until_fault;
        heap.faults = 0;
        st = mgc_node_call(node, &call, NULL, NULL);
        heap.until_fault = fault + 1;
        if (heap.faults == 0) ck_assert_int_gt(fault, 5);
    }
    heap.until_fault = -1;
    ck_assert_msg(st == MGC_OK, "%s: %s", mgc_status_name(st), mgc_ctx_error(ctx));
    call.now_ms = 1000;
    mgc_ticket_info info = {.struct_size = sizeof info};
    ck_assert_int_eq(mgc_node_call(node, &call, NULL, &info), MGC_OK); /* a second founding is refused: one was handed in */
    ck_assert_int_eq(info.status, MGC_E_EXISTS);
    mgc_node_destroy(node);
    mgc_key_destroy(keys[0]);
    mgc_key_destroy(keys[1]);
    mgc_ctx_destroy(ctx);
    ck_assert_int_eq(heap.live, 0);
    disk_free(&disk);
}
END_TEST

static void close_market(void)
{
    market_close(&m);
}

int main(void)
{
    Suite *s = suite_create("node-call");
    for (uint32_t chains = 1; chains <= 3; chains += 2) {
        TCase *t = market_case(s, chains == 1 ? "one chain" : "three chains", chains);
        tcase_add_test(t, it_is_what_its_parts_make);
        tcase_add_test(t, nonces_count_what_waits);
        tcase_add_test(t, a_refusal_is_told_in_the_ticket);
    }
    TCase *wrong = market_case(s, "wrong", 1);
    tcase_add_checked_fixture(wrong, open_founded, close_market);
    tcase_add_test(wrong, what_is_wrong_hands_nothing_in);
    TCase *memory = tcase_create("memory");
    tcase_add_test(memory, every_allocation_fails_once);
    suite_add_tcase(s, memory);
    return market_run(s);
}
