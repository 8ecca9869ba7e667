/* SPDX-License-Identifier: Apache-2.0 */
/* Hyperledger Fabric's cases of stale reads and phantoms (published, Apache-2.0), read from MGC_TEST_PUBLISHED.
 *
 * There transactions are simulated first and their reads checked later; here they are executed one after the other on
 * the state as it then is.  So the contract below is told what its caller had read, with versions, and refuses where
 * that is no longer so: the same transactions must be refused. */
#include <jansson.h>

#include "world.h"

enum { NS1 = 11, NS2 = 12, VERSION = 12 };

static mgc_ctx *ctx;

static uint32_t split(const char *name, const char **key)
{
    *key = strchr(name, '/') + 1;
    return strncmp(name, "ns1", 3) == 0 ? NS1 : NS2;
}

/* A record begins with the height and place of the transaction that wrote it. */
static bool version_is(const uint8_t *value, const json_t *version)
{
    return mgc__get_be64(value) == (uint64_t)json_integer_value(json_array_get(version, 0)) &&
           mgc__get_be32(value + 8) == (uint32_t)json_integer_value(json_array_get(version, 1));
}

static bool read_holds(mgc__exec *x, const char *name, const json_t *version)
{
    const char *key;
    uint32_t contract = split(name, &key);
    const uint8_t *value;
    size_t len;
    mgc_status st = mgc__record_get(mgc__exec_state(x), contract, (const uint8_t *)key, strlen(key), &value, &len);

    return json_is_null(version) ? st == MGC_E_NOT_FOUND : st == MGC_OK && version_is(value, version);
}

/* The keys from start on are those that were read; to the end, where the reader went so far. */
static bool range_holds(mgc__exec *x, const json_t *range)
{
    const char *start = json_string_value(json_object_get(range, "start")), *end = json_string_value(json_object_get(range, "end"));
    const json_t *list = json_object_get(range, "read");
    mgc__record_cursor c;
    size_t n = 0;

    mgc__record_first(&c, NS1, NULL, 0);
    while (mgc__record_next(mgc__exec_state(x), &c)) {
        const json_t *read = json_array_get(list, n);
        char key[64];
        snprintf(key, sizeof key, "%.*s", (int)c.key_len, (const char *)c.key);
        if (strcmp(key, start) < 0) continue;
        if (n == json_array_size(list)) return !json_is_true(json_object_get(range, "exhausted")) || strcmp(key, end) >= 0;
        if (strcmp(key, json_string_value(json_array_get(read, 0))) != 0 || !version_is(c.value, json_array_get(read, 1))) return false;
        n++;
    }
    return n == json_array_size(list);
}

static mgc_status put(mgc__exec *x, const char *name, const json_t *value)
{
    uint8_t bytes[100];
    const char *key;
    uint32_t contract = split(name, &key);

    if (json_is_null(value)) return mgc__record_remove(x, contract, (const uint8_t *)key, strlen(key));
    mgc__put_be64(bytes, mgc__exec_height(x));
    mgc__put_be32(bytes + 8, mgc__exec_tx_index(x));
    memcpy(bytes + VERSION, json_string_value(value), strlen(json_string_value(value)));
    return mgc__record_put(x, contract, (const uint8_t *)key, strlen(key), bytes, VERSION + strlen(json_string_value(value)));
}

/* The arguments are the case's own transaction. */
static mgc_status execute(void *user, mgc__exec *x, const mgc__tx *tx)
{
    json_t *t = json_loadb((const char *)tx->arguments, tx->arguments_len, 0, NULL), *range, *item;
    mgc_status status = MGC_OK;
    const char *name;

    (void)user;
    ck_assert_ptr_nonnull(t);
    range = json_object_get(t, "range");
    json_object_foreach(json_object_get(t, "reads"), name, item) if (!read_holds(x, name, item)) status = MGC_E_STATE;
    if (range != NULL && !range_holds(x, range)) status = MGC_E_STATE;
    if (status == MGC_OK)
        json_object_foreach(json_object_get(t, "writes"), name, item) if (status == MGC_OK) status = put(x, name, item);
    json_decref(t);
    return status == MGC_OK ? MGC_OK : mgc__exec_refuse(x, status, "what was read has changed");
}

static int32_t add(struct world *w, const json_t *tx)
{
    static uint8_t bytes[MGC_TX_BYTES_MAX];
    char *text = json_dumps(tx, JSON_COMPACT);
    int32_t result;
    size_t len = make_tx(w, "cas", text, strlen(text), bytes);

    ck_assert_int_eq(mgc_chain_add(w->chain, bytes, len, &result), MGC_OK);
    free(text);
    return result;
}

/* key1..key5, each written by its own transaction of block 1. */
static void begin_state(struct world *w, const json_t *state)
{
    const char *name;
    json_t *item;
    uint32_t index = 0;

    ck_assert_int_eq(mgc_chain_begin(w->chain, 2000), MGC_OK);
    json_object_foreach((json_t *)(uintptr_t)state, name, item)
    {
        json_t *tx = json_pack("{s:{s:O}}", "writes", name, json_array_get(item, 0));
        ck_assert_int_eq(json_integer_value(json_array_get(json_array_get(item, 1), 1)), index++);
        ck_assert_int_eq(add(w, tx), MGC_OK);
        json_decref(tx);
    }
    ck_assert_int_eq(mgc_chain_commit(w->chain, w->member), MGC_OK);
}

START_TEST(stale_reads_and_phantoms)
{
    const char *root = getenv("MGC_TEST_PUBLISHED");
    const mgc__executor code = {.execute = execute};
    char path[512];
    json_t *json, *kase, *tx, *bad;
    size_t i, k, b, cases = 0, refused = 0;

    if (root == NULL) {
        printf("# SKIP published read and write conflicts: MGC_TEST_PUBLISHED is not set\n");
        return;
    }
    snprintf(path, sizeof path, "%s/vectors/ledger/fabric_mvcc_cases.json", root);
    json = json_load_file(path, 0, NULL);
    if (json == NULL) {
        printf("# SKIP published read and write conflicts: not there\n");
        return;
    }
    json_array_foreach(json_object_get(json, "cases"), i, kase)
    {
        struct disk d;
        struct world w;

        disk_init(&d);
        ck_assert_int_eq(world_open(&w, ctx, &d, 1 << 20), MGC_OK);
        mgc__chain_set_executor(w.chain, &code);
        begin_state(&w, json_object_get(json, "state"));
        ck_assert_int_eq(mgc_chain_begin(w.chain, 2001), MGC_OK);
        json_array_foreach(json_object_get(kase, "txs"), k, tx)
        {
            int32_t want = MGC_OK, got = add(&w, tx);
            json_array_foreach(json_object_get(kase, "invalid_tx_indexes"), b, bad) if (json_integer_value(bad) == (json_int_t)k)
                want = MGC_E_STATE;
            ck_assert_msg(got == want, "%s, transaction %zu: %s", json_string_value(json_object_get(kase, "name")), k,
                          mgc_status_name(got));
            refused += want != MGC_OK ? 1 : 0;
        }
        ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
        world_close(&w);
        disk_free(&d);
        cases++;
    }
    json_decref(json);
    printf("# %zu cases agree, %zu transactions refused\n", cases, refused);
    ck_assert_uint_eq(cases, 9);
    ck_assert_uint_eq(refused, 7);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("mvcc");
    int failed;

    if (mgc_ctx_create(NULL, &ctx) != MGC_OK) return 1;
    tcase_add_test(tcase, stale_reads_and_phantoms);
    failed = run_suite("ledger-mvcc", tcase);
    mgc_ctx_destroy(ctx);
    return failed;
}
