/* SPDX-License-Identifier: Apache-2.0 */
/* Every function that reads a struct with a size, called with every size from 0 to twice ours.
 *
 *   below the recorded size of the first release   MGC_E_ABI_SIZE
 *   from there to ours                             anything but a complaint about the size: older callers are welcome
 *   beyond ours, the rest zero                     likewise: newer callers are, too
 *   beyond ours, the last byte not zero            MGC_E_ABI_FUTURE
 *
 * Each struct stands in memory of exactly its size, so that a reader that goes too far is seen by AddressSanitizer and
 * valgrind.
 * Reserved fields are refused unless they are 0, where the call succeeds otherwise. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include <mgchain/io.h>
#include <mgchain/mgchain.h>
#include <mgchain/report.h>

static mgc_ctx *ctx;
static mgc_model *model;
static mgc_program *program;
static mgc_twostage *twostage;
static mgc_budget *budget;
static mgc_state *state;
static mgc_node *node;
static mgc_json *json;
static mgc_key *key;
static mgc_ledger *ledger;
static mgc_storage_ops store;
static void *store_user;
static char folder[32];

static void must(mgc_status status)
{
    ck_assert_msg(status == MGC_OK, "%s: %s", mgc_status_name(status), mgc_ctx_error(ctx));
}

static void make_model(void)
{
    mgc_microgrid *site;
    mgc_device *load;

    must(mgc_model_create(ctx, 1, 1.0, &model));
    must(mgc_model_set_number(model, "buy_price_per_kwh", 0.2));
    must(mgc_model_add_microgrid(model, "site", 1, &site));
    must(mgc_microgrid_set_number(site, "buy_limit_kw", 10));
    must(mgc_microgrid_add_device(site, "load", "load", &load));
    must(mgc_device_set_number(load, "demand_kw", 1));
}

static void make_world(void)
{
    static const uint8_t seed[MGC_SEED_BYTES] = {1};
    const double certain = 1;
    uint32_t column;
    mgc_node_opts no;
    mgc_ledger_opts lo;

    must(mgc_ctx_create(NULL, &ctx));
    make_model();
    must(mgc_program_create(ctx, &program));
    must(mgc_twostage_create(ctx, 1, &certain, &twostage));
    must(mgc_budget_create(ctx, 1, &budget));
    must(mgc_budget_add_column(budget, MGC_FIRST_STAGE, 1, 0, 1, NULL, &column));
    must(mgc_state_create(ctx, &state));
    must(mgc_json_create(ctx, &json));
    mgc_json_object(json, NULL);
    must(mgc_key_from_seed(ctx, seed, &key));
    mgc_node_opts_init(&no, sizeof no);
    no.id = 1;
    no.key = key;
    must(mgc_node_create(ctx, &no, &node));
    strcpy(folder, "/tmp/mgchain-sizes-XXXXXX");
    ck_assert(mkdtemp(folder) != NULL);
    must(mgc_storage_files(ctx, folder, 1, &store, &store_user));
    mgc_ledger_opts_init(&lo, sizeof lo);
    lo.storage = &store;
    lo.storage_user = store_user;
    must(mgc_ledger_open(ctx, &lo, &ledger));
}

static void clear_world(void)
{
    char command[64];

    mgc_ledger_close(ledger);
    mgc_storage_files_destroy(store_user);
    mgc_node_destroy(node);
    mgc_key_destroy(key);
    mgc_json_destroy(json);
    mgc_state_destroy(state);
    mgc_budget_destroy(budget);
    mgc_twostage_destroy(twostage);
    mgc_program_destroy(program);
    mgc_model_destroy(model);
    mgc_ctx_destroy(ctx);
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* --- the doors: each hands the struct to one function and cleans up -------------------------------------------- */

#define DOOR(name, made, call, end)                                                                               \
    static mgc_status name(const void *given)                                                                     \
    {                                                                                                             \
        made = NULL;                                                                                              \
        mgc_status status = call;                                                                                 \
        end;                                                                                                      \
        return status;                                                                                            \
    }

DOOR(ctx_create, mgc_ctx *x, mgc_ctx_create(given, &x), mgc_ctx_destroy(x))
DOOR(program_solve, void *x, mgc_program_solve(program, given, NULL), (void)x)
DOOR(dispatch_solve, mgc_plan *x, mgc_dispatch_solve(model, given, &x), mgc_plan_destroy(x))
DOOR(state_add, void *x, mgc_state_add(state, given), (void)x)
DOOR(alliance_solve, mgc_alliance *x, mgc_alliance_solve(model, given, &x), mgc_alliance_destroy(x))
DOOR(agent_create, mgc_agent *x, mgc_agent_create(ctx, model, "site", given, &x), mgc_agent_destroy(x))
DOOR(agent_restore, mgc_agent *x, mgc_agent_restore(ctx, model, "site", given, (const uint8_t *)"", 1, &x),
     mgc_agent_destroy(x))
DOOR(twostage_solve, void *x, mgc_twostage_solve(twostage, given, NULL), (void)x)
DOOR(budget_solve, void *x, mgc_budget_solve(budget, given, NULL), (void)x)
DOOR(ledger_open, mgc_ledger *x, mgc_ledger_open(ctx, given, &x), mgc_ledger_close(x))
DOOR(ledger_verify, void *x, mgc_ledger_verify(ctx, given, NULL), (void)x)
DOOR(contract_verify, void *x, mgc_contract_verify(ctx, given, NULL, NULL, 0, NULL), (void)x)
DOOR(add_chain, mgc_chain *x, mgc_ledger_add_chain(ledger, given, &x), (void)x)
DOOR(day_create, mgc_day *x, mgc_day_create(ctx, model, given, &x), mgc_day_destroy(x))
DOOR(node_create, mgc_node *x, mgc_node_create(ctx, given, &x), mgc_node_destroy(x))
DOOR(node_call, void *x, mgc_node_call(node, given, NULL, NULL), (void)x)
DOOR(set_storage, void *x, mgc_node_set_storage(node, given, NULL), (void)x)
DOOR(set_transport, void *x, mgc_node_set_transport(node, given, NULL), (void)x)
DOOR(add_contract, void *x, mgc_node_add_contract(node, given, NULL), (void)x)
DOOR(case_text, mgc_case *x, mgc_case_load_text(ctx, "{}", 2, given, &x), mgc_case_destroy(x))
DOOR(case_file, mgc_case *x, mgc_case_load_file(ctx, "/dev/null", given, &x), mgc_case_destroy(x))
DOOR(case_builtin, mgc_case *x, mgc_case_builtin(ctx, given, &x), mgc_case_destroy(x))
DOOR(result_write, void *x, mgc_result_write(json, given), (void)x)
DOOR(report_write, void *x, mgc_report_write(ctx, "/dev/null/x", given), (void)x)
DOOR(evaluation_write, void *x, mgc_evaluation_write(ctx, "/dev/null/x", given), (void)x)

static mgc_status coalition_values(const void *given)
{
    double value[2];
    return mgc_coalition_values(model, given, NULL, value, 1);
}

static mgc_status budget_worst(const void *given)
{
    const double x = 0;
    double cost;
    return mgc_budget_worst(budget, given, &x, 1, NULL, &cost);
}

static mgc_status raft_size(const void *given)
{
    size_t size;
    return mgc_raft_size(ctx, given, &size);
}

static mgc_status raft_policy(const void *given)
{
    const mgc_raft_config now = {.n_members = 1, .members = {{.id = 1, .roles = MGC_RAFT_VOTER}}};
    const mgc_raft_table table = {.epoch = 1};
    mgc_raft_change change;
    return mgc_raft_policy_decide(ctx, given, &now, &table, &change);
}

static mgc_status encode_body(const void *given)
{
    uint8_t bytes[256];
    size_t len;
    return mgc_tx_encode_body(given, bytes, sizeof bytes, &len);
}

typedef void (*init_fn)(void *, size_t);
#define OPTS(type, call) {#type, #call, sizeof(type), call, (init_fn)(void (*)(void))type##_init}
#define PLAIN(type, call) {#type, #call, sizeof(type), call, NULL}

static const struct door {
    const char *type, *name;
    size_t ours;
    mgc_status (*call)(const void *given);
    init_fn init;
} doors[] = {
    OPTS(mgc_ctx_opts, ctx_create),
    OPTS(mgc_program_opts, program_solve),
    OPTS(mgc_dispatch_opts, dispatch_solve),
    OPTS(mgc_alliance_opts, alliance_solve),
    OPTS(mgc_agent_opts, agent_create),
    OPTS(mgc_agent_opts, agent_restore),
    OPTS(mgc_coalition_opts, coalition_values),
    OPTS(mgc_twostage_opts, twostage_solve),
    OPTS(mgc_budget_opts, budget_solve),
    OPTS(mgc_budget_opts, budget_worst),
    OPTS(mgc_raft_opts, raft_size),
    OPTS(mgc_raft_policy, raft_policy),
    OPTS(mgc_node_opts, node_create),
    OPTS(mgc_node_call_opts, node_call),
    OPTS(mgc_day_opts, day_create),
    OPTS(mgc_case_opts, case_text),
    OPTS(mgc_case_opts, case_file),
    OPTS(mgc_result, result_write),
    OPTS(mgc_ledger_opts, ledger_open),
    OPTS(mgc_ledger_opts, ledger_verify),
    OPTS(mgc_ledger_opts, contract_verify),
    PLAIN(mgc_genesis, add_chain),
    PLAIN(mgc_tx_body, encode_body),
    PLAIN(mgc_state_entry, state_add),
    PLAIN(mgc_storage_ops, set_storage),
    PLAIN(mgc_transport_ops, set_transport),
    PLAIN(mgc_contract, add_contract),
    PLAIN(mgc_report, report_write),
    PLAIN(mgc_evaluation, evaluation_write),
};
enum { DOORS = sizeof doors / sizeof doors[0] };

/* --- the record ------------------------------------------------------------------------------------------------ */

/* "struct NAME size S align A first F", then its fields "  field reserved0 OFFSET SIZE ..." told one by one. */
static size_t recorded(const char *type, void (*reserved)(void *user, size_t offset), void *user)
{
    static const char *const files[] = {"libmgchain.txt", "libmgchain-io.txt"};
    char path[512], line[512], name[128];
    size_t first = 0, size, align, offset;
    bool inside = false;

    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", getenv("MGC_ABI_RECORD"), files[i]);
        FILE *file = fopen(path, "r");
        ck_assert_msg(file != NULL, "%s cannot be read", path);
        while (fgets(line, sizeof line, file) != NULL) {
            if (line[0] != ' ')
                inside = sscanf(line, "struct %127s size %zu align %zu first %zu", name, &size, &align, &offset) == 4 &&
                         strcmp(name, type) == 0;
            if (inside && line[0] != ' ') first = offset;
            if (inside && reserved != NULL && sscanf(line, "  field %127s %zu", name, &offset) == 2 &&
                strncmp(name, "reserved", 8) == 0)
                reserved(user, offset);
        }
        fclose(file);
    }
    ck_assert_msg(first > 0, "%s has no first size in the record: tools/record-abi", type);
    return first;
}

/* --- the tests ------------------------------------------------------------------------------------------------- */

static bool complains(mgc_status status)
{
    return status == MGC_E_ABI_SIZE || status == MGC_E_ABI_FUTURE;
}

/* A struct of `size` bytes with defaults, or zeros, and its size at its front; in memory that ends where it ends. */
static uint8_t *filled(const struct door *door, size_t size)
{
    uint8_t *bytes = malloc(size > sizeof size ? size : sizeof size);

    ck_assert(bytes != NULL);
    memset(bytes, 0, size > sizeof size ? size : sizeof size);
    if (door->init != NULL) door->init(bytes, size);
    memcpy(bytes, &size, sizeof size);
    return bytes;
}

START_TEST(every_size_is_answered_as_promised)
{
    const struct door *door = &doors[_i];
    size_t first = recorded(door->type, NULL, NULL);

    make_world();
    for (size_t size = 0; size <= 2 * door->ours; size++) {
        uint8_t *bytes = filled(door, size);
        mgc_status status = door->call(bytes);
        if (size < first)
            ck_assert_msg(status == MGC_E_ABI_SIZE, "%s, %zu of %zu bytes: %s", door->name, size, door->ours,
                          mgc_status_name(status));
        else
            ck_assert_msg(!complains(status), "%s, %zu of %zu bytes: %s", door->name, size, door->ours,
                          mgc_status_name(status));
        if (size > door->ours) {
            bytes[size - 1] = 1;
            status = door->call(bytes);
            ck_assert_msg(status == MGC_E_ABI_FUTURE, "%s, %zu of %zu bytes, the last one 1: %s", door->name, size,
                          door->ours, mgc_status_name(status));
        }
        free(bytes);
    }
    clear_world();
}
END_TEST

START_TEST(a_size_that_is_garbage_is_refused)
{
    const struct door *door = &doors[_i];
    static const size_t garbage[] = {4097, (size_t)1 << 31, SIZE_MAX};
    uint8_t *bytes = filled(door, door->ours);

    make_world();
    for (size_t i = 0; i < 3; i++) {
        memcpy(bytes, &garbage[i], sizeof garbage[i]);
        mgc_status status = door->call(bytes);
        ck_assert_msg(status == MGC_E_ABI_SIZE, "%s, size %zu: %s", door->name, garbage[i], mgc_status_name(status));
    }
    free(bytes);
    clear_world();
}
END_TEST

static void refuses(void *user, size_t offset)
{
    const struct door *door = user;
    const uint32_t one = 1;
    uint8_t *bytes = filled(door, door->ours);

    if (door->call(bytes) == MGC_OK) {
        memcpy(bytes + offset, &one, sizeof one);
        mgc_status status = door->call(bytes);
        ck_assert_msg(status != MGC_OK, "%s takes 1 in the reserved field at %zu", door->name, offset);
    }
    free(bytes);
}

START_TEST(reserved_fields_are_refused)
{
    struct door door = doors[_i];

    make_world();
    recorded(door.type, refuses, &door);
    clear_world();
}
END_TEST

START_TEST(null_means_all_defaults)
{
    make_world();
    ck_assert_int_eq(ctx_create(NULL), MGC_OK);
    ck_assert_int_eq(program_solve(NULL), MGC_OK);
    ck_assert_int_eq(dispatch_solve(NULL), MGC_OK);
    ck_assert_int_eq(alliance_solve(NULL), MGC_OK);
    ck_assert_int_eq(agent_create(NULL), MGC_OK);
    ck_assert_int_eq(coalition_values(NULL), MGC_OK);
    ck_assert_int_eq(twostage_solve(NULL), MGC_OK);
    ck_assert_int_eq(budget_solve(NULL), MGC_OK);
    ck_assert_int_eq(case_builtin(NULL), MGC_OK);
    clear_world();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sizes");
    TCase *tc = tcase_create("sizes");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, every_size_is_answered_as_promised, 0, DOORS);
    tcase_add_loop_test(tc, a_size_that_is_garbage_is_refused, 0, DOORS);
    tcase_add_loop_test(tc, reserved_fields_are_refused, 0, DOORS);
    tcase_add_test(tc, null_means_all_defaults);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
