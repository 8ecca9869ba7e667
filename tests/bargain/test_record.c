/* SPDX-License-Identifier: Apache-2.0 */
/* The record of an agreement: made, signed by agents that compare it with what they agreed, verified without private data;
 * forged in every byte. */
#include <check.h>
#include <stdlib.h>

#include "base/base.h"
#include "mgchain/bargain.h"

enum { MEMBERS = 3, PERIODS = 3 };
#define RUN 20190716u
static const char *const ids[MEMBERS] = {"south", "north", "west"};
static const uint32_t joins[3][2] = {{0, 1}, {1, 2}, {2, 0}};
static mgc_ctx *ctx;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

static void add_member(mgc_model *model, size_t i)
{
    static const double sun[PERIODS] = {300, 200, 0}, wind[PERIODS] = {0, 50, 260};
    mgc_microgrid *site;
    mgc_device *device;

    ck_assert_int_eq(mgc_model_add_microgrid(model, ids[i], 1, &site), MGC_OK);
    ck_assert_int_eq(mgc_microgrid_add_device(site, "load", "town", &device), MGC_OK);
    ck_assert_int_eq(mgc_device_set_text(device, "carrier", "electricity"), MGC_OK);
    ck_assert_int_eq(mgc_device_set_number(device, "demand_kw", 100 + 20 * (double)i), MGC_OK);
    if (i == 0) return;
    ck_assert_int_eq(mgc_microgrid_add_device(site, i == 1 ? "pv" : "wind", "roof", &device), MGC_OK);
    ck_assert_int_eq(mgc_device_set_series(device, "available_kw", i == 1 ? sun : wind, PERIODS), MGC_OK);
}

/* only: one member and its links; SIZE_MAX: all. */
static mgc_model *make_model(size_t only)
{
    mgc_model *model;
    mgc_link *link;

    ck_assert_int_eq(mgc_model_create(ctx, PERIODS, 1.0, &model), MGC_OK);
    ck_assert_int_eq(mgc_model_set_number(model, "buy_price_per_kwh", 0.3), MGC_OK);
    ck_assert_int_eq(mgc_model_set_number(model, "sell_price_per_kwh", 0.1), MGC_OK);
    ck_assert_int_eq(mgc_model_set_number(model, "realtime_buy_price_per_kwh", 0.4), MGC_OK);
    ck_assert_int_eq(mgc_model_set_number(model, "realtime_sell_price_per_kwh", 0.05), MGC_OK);
    for (size_t i = 0; i < MEMBERS; i++)
        if (only == SIZE_MAX || only == i) add_member(model, i);
    for (size_t l = 0; l < 3; l++) {
        if (only != SIZE_MAX && joins[l][0] != only && joins[l][1] != only) continue;
        ck_assert_int_eq(mgc_model_add_link(model, ids[joins[l][0]], ids[joins[l][1]], "electricity", &link), MGC_OK);
        ck_assert_int_eq(mgc_link_set_number(link, "capacity_kw", 50), MGC_OK);
        ck_assert_int_eq(mgc_link_set_number(link, "fee_per_kwh", 0.01), MGC_OK);
    }
    return model;
}

static mgc_record *make_record(void)
{
    mgc_model *model = make_model(SIZE_MAX);
    mgc_alliance *a;
    mgc_record *record;
    mgc_alliance_info info = {.struct_size = sizeof info};
    mgc_alliance_opts opts;

    mgc_alliance_opts_init(&opts, sizeof opts);
    opts.tolerance = 1e-5;
    ck_assert_int_eq(mgc_alliance_solve(model, &opts, &a), MGC_OK);
    ck_assert_int_eq(mgc_alliance_get_info(a, &info), MGC_OK);
    ck_assert_uint_eq(info.no_trade, 0);
    ck_assert_int_eq(mgc_record_from_alliance(a, RUN, &record), MGC_OK);
    mgc_alliance_destroy(a);
    mgc_model_destroy(model);
    return record;
}

static void make_keys(mgc_key **key, uint8_t public_key[MEMBERS][32])
{
    for (size_t i = 0; i < MEMBERS; i++) {
        uint8_t seed[32] = {(uint8_t)(7 + i)};
        ck_assert_int_eq(mgc_key_from_seed(ctx, seed, &key[i]), MGC_OK);
        ck_assert_int_eq(mgc_key_public(key[i], public_key[i]), MGC_OK);
    }
}

static mgc_record_report verify(const mgc_record *record, uint8_t public_key[MEMBERS][32], int64_t gap_limit)
{
    const uint8_t *keys[MEMBERS] = {public_key[0], public_key[1], public_key[2]};
    mgc_record_report report = {.struct_size = sizeof report};

    ck_assert_int_eq(mgc_record_verify(record, ids, keys, MEMBERS, gap_limit, &report), MGC_OK);
    return report;
}

/* Agents on a bus of their own find the very numbers of the alliance in one process, so they sign its record. */
static void run_agents(mgc_agent **agent)
{
    mgc_agent_output out[MEMBERS];
    bool running = true;

    for (size_t i = 0; i < MEMBERS; i++) {
        mgc_model *model = make_model(i);
        mgc_agent_opts opts;

        mgc_agent_opts_init(&opts, sizeof opts);
        opts.run = RUN;
        opts.members = MEMBERS;
        opts.tolerance = 1e-5;
        ck_assert_int_eq(mgc_agent_create(ctx, model, ids[i], &opts, &agent[i]), MGC_OK);
        mgc_model_destroy(model);
    }
    for (uint64_t now = 0; now < 5000 && running; now++) {
        running = false;
        for (size_t i = 0; i < MEMBERS; i++) {
            ck_assert_int_eq(mgc_agent_poll(agent[i], now, &out[i]), MGC_OK);
            running |= out[i].state == MGC_AGENT_RUNNING;
            for (size_t k = 0; k < out[i].n_messages; k++) {
                size_t to = 0;
                while (strcmp(ids[to], out[i].messages[k].to) != 0) to++;
                ck_assert_int_eq(mgc_agent_receive(agent[to], now, ids[i], out[i].messages[k].bytes, out[i].messages[k].len), MGC_OK);
            }
        }
    }
    for (size_t i = 0; i < MEMBERS; i++) ck_assert_msg(out[i].state == MGC_AGENT_AGREED, "%s", out[i].reason);
}

START_TEST(agents_sign_and_anyone_verifies)
{
    mgc_record *record = make_record(), *copy;
    mgc_agent *agent[MEMBERS];
    mgc_key *key[MEMBERS];
    uint8_t public_key[MEMBERS][32], hash[32], again[32];
    const uint8_t *bytes;
    size_t len;

    make_keys(key, public_key);
    run_agents(agent);
    ck_assert_int_eq(mgc_record_hash(record, hash), MGC_OK);
    ck_assert_uint_eq(verify(record, public_key, 1000000).missing, MEMBERS);
    for (size_t i = 0; i < MEMBERS; i++) {
        mgc_status st = mgc_agent_sign_record(agent[i], record, key[i]);
        ck_assert_msg(st == MGC_OK, "%s: %s", ids[i], mgc_ctx_error(ctx));
        ck_assert_int_eq(mgc_agent_sign_record(agent[i], record, key[i]), MGC_E_EXISTS);
        ck_assert_uint_eq(verify(record, public_key, 1000000).ok, i + 1 == MEMBERS);
    }
    ck_assert_int_eq(mgc_record_bytes(record, &bytes, &len), MGC_OK);
    ck_assert_int_eq(mgc_record_read(ctx, bytes, len, &copy), MGC_OK);
    mgc_record_report report = verify(copy, public_key, 10000); /* a cent */
    ck_assert_msg(report.ok == 1, "%s, gap %lld", report.reason, (long long)report.gap);
    ck_assert_uint_eq(report.signatures, MEMBERS);
    ck_assert_int_eq(report.payment_sum, 0);
    ck_assert_int_ge(report.gap, 0);
    ck_assert_uint_eq(verify(copy, public_key, 0).ok, report.gap == 0);
    ck_assert_int_eq(mgc_record_hash(copy, again), MGC_OK);
    ck_assert_mem_eq(hash, again, 32);
    mgc_record_destroy(copy);
    mgc_record_destroy(record);
    for (size_t i = 0; i < MEMBERS; i++) {
        mgc_agent_destroy(agent[i]);
        mgc_key_destroy(key[i]);
    }
}
END_TEST

/* One byte changed anywhere, or the end cut off: refused, or found out. */
START_TEST(no_forgery_verifies)
{
    mgc_record *record = make_record(), *copy;
    mgc_key *key[MEMBERS];
    uint8_t public_key[MEMBERS][32], *bad;
    const uint8_t *bytes;
    size_t len, read = 0;

    make_keys(key, public_key);
    for (size_t i = 0; i < MEMBERS; i++) ck_assert_int_eq(mgc_record_sign(record, ids[i], key[i]), MGC_OK);
    ck_assert_int_eq(mgc_record_sign(record, "nobody", key[0]), MGC_E_NOT_FOUND);
    ck_assert_uint_eq(verify(record, public_key, -1).ok, 1);
    ck_assert_int_eq(mgc_record_bytes(record, &bytes, &len), MGC_OK);
    bad = malloc(len);
    ck_assert_ptr_nonnull(bad);
    for (size_t i = 0; i < len; i++) {
        ck_assert_int_ne(mgc_record_read(ctx, bytes, i, &copy), MGC_OK);
        ck_assert_ptr_null(copy);
        memcpy(bad, bytes, len);
        bad[i] ^= (uint8_t)(1 << i % 8);
        if (mgc_record_read(ctx, bad, len, &copy) != MGC_OK) continue;
        read++;
        ck_assert_msg(verify(copy, public_key, -1).ok == 0, "byte %zu forged and verified", i);
        mgc_record_destroy(copy);
    }
    ck_assert_uint_gt(read, len / 4);
    free(bad);
    mgc_record_destroy(record);
    for (size_t i = 0; i < MEMBERS; i++) mgc_key_destroy(key[i]);
}
END_TEST

/* An agent does not sign another run's record, nor one with other numbers than it agreed. */
START_TEST(agents_refuse_what_they_did_not_agree)
{
    mgc_record *record = make_record(), *copy;
    mgc_agent *agent[MEMBERS];
    mgc_key *key[MEMBERS];
    uint8_t public_key[MEMBERS][32], *bad;
    const uint8_t *bytes;
    size_t len, refused = 0, taken = 0;

    make_keys(key, public_key);
    run_agents(agent);
    ck_assert_int_eq(mgc_record_bytes(record, &bytes, &len), MGC_OK);
    bad = malloc(len);
    ck_assert_ptr_nonnull(bad);
    for (size_t i = 0; i < len; i += 3) {
        memcpy(bad, bytes, len);
        bad[i] ^= 1;
        if (mgc_record_read(ctx, bad, len, &copy) != MGC_OK) continue;
        for (size_t k = 0; k < MEMBERS; k++) {
            mgc_status st = mgc_agent_sign_record(agent[k], copy, key[k]);
            ck_assert(st == MGC_OK || st == MGC_E_MESSAGE || st == MGC_E_NOT_FOUND);
            refused += st != MGC_OK;
            taken += st == MGC_OK; /* others' numbers, capacities, prices, gaps */
        }
        mgc_record_destroy(copy);
    }
    ck_assert_uint_gt(refused, 10);
    ck_assert_uint_gt(taken, 10);
    free(bad);
    mgc_record_destroy(record);
    for (size_t i = 0; i < MEMBERS; i++) {
        mgc_agent_destroy(agent[i]);
        mgc_key_destroy(key[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bargain_record");
    TCase *tc = tcase_create("record");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, agents_sign_and_anyone_verifies);
    tcase_add_test(tc, no_forgery_verifies);
    tcase_add_test(tc, agents_refuse_what_they_did_not_agree);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
