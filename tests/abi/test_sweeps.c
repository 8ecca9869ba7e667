/* SPDX-License-Identifier: Apache-2.0 */
/* The public API swept: every callback answers each thing that it might, every allocation fails once, and the locale is
 * one that writes numbers with a comma.  What single rooms sweep by themselves (solver, robust, dispatch, bargain,
 * ledger, node) is not repeated here. */
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include <mgchain/io.h>
#include <mgchain/mgchain.h>

/* --- callbacks: 0, STOP, a negative status, and words that are none -------------------------------------------- */

enum { HOST_REFUSAL = -31337 };

typedef struct host {
    int32_t answer;
    uint32_t calls;
} host;

static mgc_model *two_sites(mgc_ctx *ctx)
{
    static const char *const names[] = {"north", "south"};
    mgc_model *model;
    mgc_link *link;

    ck_assert_int_eq(mgc_model_create(ctx, 2, 1.0, &model), MGC_OK);
    ck_assert_int_eq(mgc_model_set_number(model, "buy_price_per_kwh", 0.25), MGC_OK);
    ck_assert_int_eq(mgc_model_set_number(model, "sell_price_per_kwh", 0.05), MGC_OK);
    for (uint32_t i = 0; i < 2; i++) {
        mgc_microgrid *site;
        mgc_device *device;
        ck_assert_int_eq(mgc_model_add_microgrid(model, names[i], 1, &site), MGC_OK);
        ck_assert_int_eq(mgc_microgrid_set_number(site, "buy_limit_kw", 20), MGC_OK);
        ck_assert_int_eq(mgc_microgrid_set_number(site, "sell_limit_kw", 20), MGC_OK);
        ck_assert_int_eq(mgc_microgrid_add_device(site, i == 0 ? "pv" : "load", "unit", &device), MGC_OK);
        ck_assert_int_eq(mgc_device_set_number(device, i == 0 ? "available_kw" : "demand_kw", 5.5), MGC_OK);
    }
    ck_assert_int_eq(mgc_model_add_link(model, "north", "south", "electricity", &link), MGC_OK);
    ck_assert_int_eq(mgc_link_set_number(link, "capacity_kw", 4), MGC_OK);
    return model;
}

static int32_t on_program(void *user, uint32_t iteration, double upper, double lower)
{
    (void)iteration, (void)upper, (void)lower;
    ((host *)user)->calls++;
    return ((host *)user)->answer;
}

static int32_t on_alliance(void *user, const mgc_alliance_progress *progress)
{
    (void)progress;
    ((host *)user)->calls++;
    return ((host *)user)->answer;
}

static int32_t on_coalition(void *user, uint32_t done, uint32_t total)
{
    (void)done, (void)total;
    ((host *)user)->calls++;
    return ((host *)user)->answer;
}

static int32_t on_write(void *user, const char *text, size_t len)
{
    (void)text, (void)len;
    ((host *)user)->calls++;
    return ((host *)user)->answer;
}

static int32_t on_sign(void *user, const uint8_t *message, size_t len, uint8_t *signature)
{
    (void)message, (void)len, (void)signature;
    ((host *)user)->calls++;
    return ((host *)user)->answer;
}

static int32_t on_oracle(void *user, const double *cost, double *worst, uint32_t scenarios)
{
    ((host *)user)->calls++;
    for (uint32_t k = 0; k < scenarios; k++) worst[k] = 1.0 / scenarios;
    (void)cost;
    return ((host *)user)->answer;
}

static mgc_program *a_program(mgc_ctx *ctx)
{
    static const char text[] = "NAME T\nROWS\n N c\n G r\nCOLUMNS\n x c 1.5 r 1\n y c 2 r 1\nRHS\n b r 2.5\nENDATA\n";
    mgc_program *program;

    ck_assert_int_eq(mgc_program_read_mps(ctx, text, sizeof text - 1, NULL, &program), MGC_OK);
    return program;
}

/* Each answers with the status and, where it has one, the outcome. */
static mgc_status run_program(mgc_ctx *ctx, host *h, uint32_t *outcome)
{
    mgc_program *program = a_program(ctx);
    mgc_program_opts o;
    mgc_program_info info = {.struct_size = sizeof info};

    mgc_program_opts_init(&o, sizeof o);
    o.presolve = 1;
    o.progress = on_program;
    o.user = h;
    mgc_status status = mgc_program_solve(program, &o, &info);
    *outcome = info.outcome;
    mgc_program_destroy(program);
    return status;
}

static mgc_status run_dispatch(mgc_ctx *ctx, host *h, uint32_t *outcome)
{
    mgc_model *model = two_sites(ctx);
    mgc_dispatch_opts o;
    mgc_plan *plan;
    mgc_plan_info info = {.struct_size = sizeof info};

    mgc_dispatch_opts_init(&o, sizeof o);
    o.progress = on_program;
    o.user = h;
    mgc_status status = mgc_dispatch_solve(model, &o, &plan);
    if (status == MGC_OK) ck_assert_int_eq(mgc_plan_get_info(plan, &info), MGC_OK);
    *outcome = info.outcome;
    mgc_plan_destroy(plan);
    mgc_model_destroy(model);
    return status;
}

static mgc_status run_alliance(mgc_ctx *ctx, host *h, uint32_t *outcome)
{
    mgc_model *model = two_sites(ctx);
    mgc_alliance_opts o;
    mgc_alliance *alliance;
    mgc_alliance_info info = {.struct_size = sizeof info};

    mgc_alliance_opts_init(&o, sizeof o);
    o.progress = on_alliance;
    o.user = h;
    mgc_status status = mgc_alliance_solve(model, &o, &alliance);
    if (status == MGC_OK) ck_assert_int_eq(mgc_alliance_get_info(alliance, &info), MGC_OK);
    *outcome = info.outcome;
    mgc_alliance_destroy(alliance);
    mgc_model_destroy(model);
    return status;
}

static mgc_status run_coalition(mgc_ctx *ctx, host *h, uint32_t *outcome)
{
    mgc_model *model = two_sites(ctx);
    mgc_coalition_opts o;
    double value[4];

    mgc_coalition_opts_init(&o, sizeof o);
    o.progress = on_coalition;
    o.user = h;
    mgc_status status = mgc_coalition_values(model, &o, NULL, value, 2);
    *outcome = status == MGC_E_STOPPED ? MGC_OUTCOME_CANCELLED : MGC_OUTCOME_OPTIMAL;
    mgc_model_destroy(model);
    return status == MGC_E_STOPPED ? MGC_OK : status; /* its word for "stopped", as its comment says */
}

static mgc_status run_write(mgc_ctx *ctx, host *h, uint32_t *outcome)
{
    mgc_program *program = a_program(ctx);
    mgc_status status = mgc_program_write_mps(program, on_write, h);

    *outcome = status == MGC_E_STOPPED ? MGC_OUTCOME_CANCELLED : MGC_OUTCOME_OPTIMAL;
    mgc_program_destroy(program);
    return status == MGC_E_STOPPED ? MGC_OK : status;
}

static mgc_status run_sign(mgc_ctx *ctx, host *h, uint32_t *outcome)
{
    static const uint8_t seed[MGC_SEED_BYTES] = {7};
    uint8_t public_key[MGC_PUBLIC_KEY_BYTES], signature[MGC_SIGNATURE_BYTES];
    mgc_key *real, *far;

    ck_assert_int_eq(mgc_key_from_seed(ctx, seed, &real), MGC_OK);
    ck_assert_int_eq(mgc_key_public(real, public_key), MGC_OK);
    ck_assert_int_eq(mgc_key_from_callback(ctx, public_key, on_sign, h, &far), MGC_OK);
    mgc_status status = mgc_key_sign(far, (const uint8_t *)"m", 1, signature);
    *outcome = status == MGC_E_STOPPED ? MGC_OUTCOME_CANCELLED : MGC_OUTCOME_OPTIMAL;
    mgc_key_destroy(far);
    mgc_key_destroy(real);
    if (status == MGC_E_BAD_SIGNATURE) return MGC_OK; /* DONE, and nothing was filled: seen before it was used */
    return status == MGC_E_STOPPED ? MGC_OK : status;
}

static mgc_status run_oracle(mgc_ctx *ctx, host *h, uint32_t *outcome)
{
    const double probability[] = {0.5, 0.5}, one = 1;
    mgc_twostage *ts;
    mgc_twostage_info info = {.struct_size = sizeof info};
    mgc_twostage_opts o;
    uint32_t x, row;

    ck_assert_int_eq(mgc_twostage_create(ctx, 2, probability, &ts), MGC_OK);
    for (uint32_t k = 0; k < 2; k++) {
        ck_assert_int_eq(mgc_twostage_add_column(ts, MGC_SCENARIO(k), 1 + k, 0, 10, &x), MGC_OK);
        ck_assert_int_eq(mgc_twostage_add_row(ts, MGC_SCENARIO(k), 1, INFINITY, &x, &one, 1, &row), MGC_OK);
    }
    ck_assert_int_eq(mgc_twostage_set_oracle(ts, on_oracle, h), MGC_OK);
    mgc_twostage_opts_init(&o, sizeof o);
    o.method = MGC_METHOD_CCG;
    mgc_status status = mgc_twostage_solve(ts, &o, &info);
    *outcome = status == MGC_E_STOPPED ? MGC_OUTCOME_CANCELLED : info.outcome;
    mgc_twostage_destroy(ts);
    return status == MGC_E_STOPPED ? MGC_OK : status;
}

static const struct caller {
    const char *name;
    mgc_status (*run)(mgc_ctx *ctx, host *h, uint32_t *outcome);
} callers[] = {{"program", run_program},   {"dispatch", run_dispatch}, {"alliance", run_alliance}, {"coalition", run_coalition},
               {"write", run_write},       {"sign", run_sign},         {"oracle", run_oracle}};
enum { CALLERS = sizeof callers / sizeof callers[0] };

START_TEST(a_callback_is_never_misread)
{
    static const struct {
        int32_t answer;
        mgc_status status;
    } words[] = {{MGC_CB_DONE, MGC_OK}, {0, MGC_E_CALLBACK}, {3, MGC_E_CALLBACK}, {INT32_MAX, MGC_E_CALLBACK},
                 {HOST_REFUSAL, HOST_REFUSAL}, {INT32_MIN, INT32_MIN}, {MGC_CB_STOP, MGC_OK}};
    const struct caller *caller = &callers[_i];

    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
        host h = {.answer = words[w].answer};
        uint32_t outcome = MGC_OUTCOME_NONE;
        mgc_ctx *ctx;
        ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
        mgc_status status = caller->run(ctx, &h, &outcome);
        ck_assert_msg(h.calls > 0, "%s: the callback was not called", caller->name);
        ck_assert_msg(status == words[w].status, "%s, answer %d: %s (%d), %s", caller->name, words[w].answer, mgc_status_name(status), status,
                      mgc_ctx_error(ctx));
        if (words[w].answer == MGC_CB_STOP)
            ck_assert_msg(outcome == MGC_OUTCOME_CANCELLED || outcome == MGC_OUTCOME_OPTIMAL, "%s, STOP: outcome %s", caller->name,
                          mgc_outcome_name(outcome));
        mgc_ctx_destroy(ctx);
    }
}
END_TEST

/* --- allocations: each one fails once -------------------------------------------------------------------------- */

typedef struct meter {
    uint64_t calls, fail_at;
    int64_t live;
} meter;

static void *metered_alloc(void *user, size_t size)
{
    meter *m = user;

    if (++m->calls == m->fail_at) return NULL;
    m->live++;
    return malloc(size);
}

static void *metered_resize(void *user, void *block, size_t size)
{
    meter *m = user;

    if (++m->calls == m->fail_at) return NULL;
    m->live += block == NULL;
    return realloc(block, size);
}

static void metered_release(void *user, void *block)
{
    ((meter *)user)->live--;
    free(block);
}

#define STEP(call)                                                                                                \
    do {                                                                                                          \
        if ((status = (call)) != MGC_OK) goto out;                                                                \
    } while (0)

/* Keys, arguments, a program and its text, a case, JSON, a table, a state: what has no sweep elsewhere. */
static mgc_status tour_keys(mgc_ctx *ctx)
{
    static const uint8_t seed[MGC_SEED_BYTES] = {9};
    uint8_t public_key[MGC_PUBLIC_KEY_BYTES];
    mgc_key *key = NULL, *far = NULL;
    mgc_args *args = NULL;
    const uint8_t *bytes;
    size_t len;
    host h = {.answer = MGC_CB_DONE};
    mgc_status status;

    STEP(mgc_key_from_seed(ctx, seed, &key));
    STEP(mgc_key_public(key, public_key));
    STEP(mgc_key_from_callback(ctx, public_key, on_sign, &h, &far));
    STEP(mgc_args_create(ctx, MGC_CONTRACT_INFORMATION, mgc_method_name(MGC_CONTRACT_INFORMATION, 0), &args));
    status = mgc_args_encode(args, &bytes, &len);
    if (status == MGC_E_SCHEMA) status = MGC_OK; /* fields are missing, which is well said */
out:
    mgc_args_destroy(args);
    mgc_key_destroy(far);
    mgc_key_destroy(key);
    return status;
}

static mgc_status tour_texts(mgc_ctx *ctx)
{
    const double numbers[] = {1.5, -0.25};
    const char *const words[] = {"a", "b"};
    mgc_json *json = NULL;
    mgc_table *table = NULL;
    const char *text;
    size_t len;
    mgc_status status;

    STEP(mgc_json_create(ctx, &json));
    mgc_json_object(json, NULL);
    mgc_json_numbers(json, "numbers", numbers, 2);
    mgc_json_string(json, "word", "w\xc3\xb6rt");
    mgc_json_end(json);
    STEP(mgc_json_text(json, &text, &len));
    STEP(mgc_table_create(ctx, 2, &table));
    STEP(mgc_table_times(table, 0, 15));
    STEP(mgc_table_numbers(table, "x", numbers));
    STEP(mgc_table_strings(table, "y", words));
    STEP(mgc_table_text(table, &text, &len));
out:
    mgc_table_destroy(table);
    mgc_json_destroy(json);
    return status;
}

static mgc_status tour_program(mgc_ctx *ctx)
{
    static const char text[] = "NAME T\nROWS\n N c\n G r\nCOLUMNS\n x c 1.5 r 1\n y c 2 r 1\nRHS\n b r 2.5\nENDATA\n";
    host h = {.answer = MGC_CB_DONE};
    mgc_program *program = NULL;
    mgc_state *state = NULL;
    const double one = 1;
    const mgc_state_entry entry = {.struct_size = sizeof entry, .microgrid = "m", .device = "d", .variable = "", .key = "k", .values = &one,
                                   .n = 1, .link = UINT32_MAX};
    mgc_status status;

    STEP(mgc_program_read_mps(ctx, text, sizeof text - 1, "t.mps", &program));
    STEP(mgc_program_set_column_name(program, 0, "first"));
    STEP(mgc_program_write_mps_as(program, MGC_MPS_FIXED, on_write, &h));
    STEP(mgc_state_create(ctx, &state));
    STEP(mgc_state_add(state, &entry));
out:
    mgc_state_destroy(state);
    mgc_program_destroy(program);
    return status;
}

static mgc_status (*const tours[])(mgc_ctx *ctx) = {tour_keys, tour_texts, tour_program};
enum { TOURS = sizeof tours / sizeof tours[0] };

START_TEST(every_allocation_may_fail)
{
    uint64_t at = 0;
    mgc_status status;

    do {
        meter m = {.fail_at = ++at};
        const mgc_allocator memory = {metered_alloc, metered_resize, metered_release, &m};
        mgc_ctx_opts o;
        mgc_ctx *ctx = NULL;
        mgc_ctx_opts_init(&o, sizeof o);
        o.allocator = &memory;
        status = mgc_ctx_create(&o, &ctx);
        if (status == MGC_OK) status = tours[_i](ctx);
        else ck_assert_ptr_null(ctx);
        ck_assert_msg(status == MGC_OK || status == MGC_E_NO_MEMORY, "allocation %llu: %s", (unsigned long long)at,
                      mgc_status_name(status));
        ck_assert_msg((status == MGC_OK) == (m.calls < at), "allocation %llu failed and nobody said so",
                      (unsigned long long)at);
        mgc_ctx_destroy(ctx);
        ck_assert_msg(m.live == 0, "allocation %llu: %lld blocks are left", (unsigned long long)at, (long long)m.live);
    } while (status != MGC_OK);
    ck_assert_uint_gt(at, 3);
}
END_TEST

/* --- the locale ------------------------------------------------------------------------------------------------ */

static char folder[] = "/tmp/mgchain-locale-XXXXXX";

/* A locale with a decimal comma: the system's, or one made for the test.  false: neither. */
static bool comma_locale(void)
{
    char command[256];

    if (setlocale(LC_ALL, "de_DE.UTF-8") != NULL) return true;
    if (mkdtemp(folder) == NULL) return false;
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", folder);
    int made = system(command);
    (void)made; /* warnings count as failure there; what it made is what counts */
    setenv("LOCPATH", folder, 1);
    return setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
}

typedef struct script {
    char *text;
    size_t len;
} script;

static int32_t keep(void *user, const char *text, size_t len)
{
    script *s = user;

    s->text = realloc(s->text, s->len + len + 1);
    ck_assert(s->text != NULL);
    memcpy(s->text + s->len, text, len);
    s->len += len;
    s->text[s->len] = '\0';
    return MGC_CB_DONE;
}

static void say(script *s, const char *text)
{
    keep(s, text, strlen(text));
    keep(s, "\n", 1);
}

static void say_number(script *s, double x)
{
    char text[MGC_NUMBER_TEXT];

    mgc_number_format(x, text);
    say(s, text);
}

/* Everything public that reads or writes numbers as text, and what is computed from it. */
static void play(script *s)
{
    static const char case_text[] =
        "{\"format\": 1, \"periods\": 2.5, \"nonsense\": 1.25}"; /* refused: the issues quote numbers */
    mgc_ctx *ctx;
    mgc_case *kase;
    mgc_case_info info = {.struct_size = sizeof info};
    mgc_alliance *alliance;
    mgc_alliance_info found = {.struct_size = sizeof found};
    const char *text;
    size_t len;

    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    mgc_program *program = a_program(ctx);
    ck_assert_int_eq(mgc_program_set_bounds(program, 0, -1234567.875, 0.1), MGC_OK);
    ck_assert_int_eq(mgc_program_write_mps(program, keep, s), MGC_OK);
    ck_assert_int_eq(mgc_program_write_mps_as(program, MGC_MPS_FIXED, keep, s), MGC_OK);
    ck_assert_int_eq(mgc_program_set_bounds(program, 0, 2.5, 0.5), MGC_E_INVALID_ARG);
    say(s, mgc_ctx_error(ctx));
    mgc_program_destroy(program);

    ck_assert_int_eq(mgc_case_builtin(ctx, NULL, &kase), MGC_OK);
    ck_assert_int_eq(mgc_case_get_info(kase, &info), MGC_OK);
    say_number(s, info.reduction_distance);
    mgc_case_destroy(kase);
    mgc_status status = mgc_case_load_text(ctx, case_text, sizeof case_text - 1, NULL, &kase);
    ck_assert_int_eq(status, MGC_E_CASE);
    for (uint32_t i = 0; i < mgc_case_issues(kase); i++) say(s, mgc_case_issue_text(kase, i));
    mgc_case_destroy(kase);

    mgc_model *model = two_sites(ctx);
    ck_assert_int_lt(mgc_model_set_number(model, "buy_price_per_kwh", 1e300), 0);
    say(s, mgc_ctx_error(ctx));
    ck_assert_int_eq(mgc_alliance_solve(model, NULL, &alliance), MGC_OK);
    ck_assert_int_eq(mgc_alliance_get_info(alliance, &found), MGC_OK);
    say_number(s, found.cost);
    say_number(s, found.surplus);
    say(s, mgc_alliance_reason(alliance));
    mgc_alliance_destroy(alliance);
    mgc_model_destroy(model);

    mgc_json *json;
    ck_assert_int_eq(mgc_json_create(ctx, &json), MGC_OK);
    mgc_json_number(json, NULL, 1234.5);
    ck_assert_int_eq(mgc_json_text(json, &text, &len), MGC_OK);
    say(s, text);
    mgc_json_destroy(json);
    mgc_ctx_destroy(ctx);
}

START_TEST(a_comma_in_the_locale_changes_no_byte)
{
    script plain = {0}, comma = {0};
    char command[64];

    setlocale(LC_ALL, "C");
    play(&plain);
    if (comma_locale()) {
        ck_assert_str_eq(localeconv()->decimal_point, ",");
        play(&comma);
        ck_assert_str_eq(plain.text, comma.text);
        ck_assert_ptr_nonnull(strstr(plain.text, "1234.5"));
    } else {
        puts("# SKIP no locale with a decimal comma, and localedef cannot make one");
    }
    setlocale(LC_ALL, "C");
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
    free(plain.text);
    free(comma.text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sweeps");
    TCase *tc = tcase_create("sweeps");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, a_callback_is_never_misread, 0, CALLERS);
    tcase_add_loop_test(tc, every_allocation_may_fail, 0, TOURS);
    tcase_add_test(tc, a_comma_in_the_locale_changes_no_byte);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
