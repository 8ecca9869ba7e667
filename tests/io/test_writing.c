/* SPDX-License-Identifier: Apache-2.0 */
/* Results: exact bytes, read back by another JSON reader, files whole or absent. */
#include <dirent.h>
#include <locale.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "cases.h"
#include "io/chart.h"

static mgc_ctx *ctx;
static char folder[] = "/tmp/mgchain-io-XXXXXX";

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    memcpy(strchr(folder, '-') + 4, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static char *in_folder(const char *name)
{
    static char path[sizeof folder + 256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Names of the folder, how many; all removed with it. */
static int sweep_folder(void)
{
    DIR *dir = opendir(folder);
    int n = 0;

    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        n++;
        unlink(in_folder(entry->d_name));
    }
    closedir(dir);
    return n;
}

static void teardown(void)
{
    sweep_folder();
    rmdir(folder);
    mgc_ctx_destroy(ctx);
}

START_TEST(json_is_these_bytes)
{
    static const double values[] = {0.1, -0.0, 1e300, NAN, 1.0 / 3, 123456789012345678.0};
    static const char want[] =
        "{\n \"a\": 1,\n \"b\": {},\n \"c\": [\n  true,\n  null,\n  \"q\\\"\\\\\\n\\u0001\xc3\xa9\"\n ],\n"
        " \"d\": [0.1, 0, 1e+300, null, 0.3333333333333333, 1.2345678901234568e+17],\n \"e\": "
        "18446744073709551615\n}\n";
    mgc_json *json;
    const char *text;
    size_t len;

    ck_assert_int_eq(mgc_json_create(ctx, &json), MGC_OK);
    mgc_json_object(json, NULL);
    mgc_json_number(json, "a", 1);
    mgc_json_object(json, "b");
    mgc_json_end(json);
    mgc_json_array(json, "c");
    mgc_json_flag(json, NULL, 1);
    mgc_json_null(json, NULL);
    mgc_json_string(json, NULL, "q\"\\\n\x01\xc3\xa9");
    mgc_json_end(json);
    mgc_json_numbers(json, "d", values, sizeof values / sizeof values[0]);
    mgc_json_integer(json, "e", UINT64_MAX);
    mgc_json_end(json);
    ck_assert_int_eq(mgc_json_text(json, &text, &len), MGC_OK);
    ck_assert_str_eq(text, want);
    ck_assert_uint_eq(len, strlen(want));
    ck_assert_int_eq(mgc_json_text(json, &text, &len), MGC_OK); /* and again */
    ck_assert_str_eq(text, want);
    json_t *root = json_loads(text, 0, NULL);
    ck_assert_ptr_null(root); /* jansson has no integer above 2^63: the one thing that it refuses */
    mgc_json_destroy(json);
}
END_TEST

/* Every way to put a JSON text together wrongly is told in the end. */
START_TEST(json_put_together_wrongly_is_refused)
{
    static const mgc_status want[] = {MGC_E_STATE, MGC_E_STATE, MGC_E_STATE, MGC_E_STATE,
                                      MGC_E_STATE, MGC_E_UTF8,  MGC_E_LIMIT, MGC_E_STATE};
    const char *text;
    mgc_json *json;
    size_t len;

    ck_assert_int_eq(mgc_json_create(ctx, &json), MGC_OK);
    switch (_i) {
    case 0: break;                                                              /* nothing at all */
    case 1: mgc_json_object(json, NULL); break;                                 /* never ended */
    case 2: mgc_json_end(json); break;                                          /* never begun */
    case 3: mgc_json_array(json, NULL), mgc_json_number(json, "key", 1); break; /* key in an array */
    case 4: mgc_json_object(json, NULL), mgc_json_number(json, NULL, 1); break; /* no key in an object */
    case 5: mgc_json_string(json, NULL, "\xed\xa0\x80"); break;                 /* a surrogate */
    case 6:
        for (int i = 0; i < 40; i++) mgc_json_array(json, NULL);
        break;                                                            /* too deep */
    default: mgc_json_null(json, NULL), mgc_json_null(json, NULL); break; /* two texts */
    }
    ck_assert_int_eq(mgc_json_text(json, &text, &len), want[_i]);
    ck_assert_ptr_null(text);
    mgc_json_destroy(json);
}
END_TEST

static void fill(mgc_result *r)
{
    static const char *const id[] = {"hospital", "campus"};
    static const double cost[] = {10.25, -3}, payment[] = {1.5, -1.5}, p0[] = {0.25, 0.75}, sent[] = {0, 12.5},
                        price[] = {0.1, 0.11};
    static const double *const probability[] = {p0, p0};
    static const uint32_t scenarios[] = {2, 2};
    static const mgc_result_trade trade[] = {{"hospital", "campus", "electricity", sent, price},
                                             {"campus", "hospital", "heat", sent, NULL}};

    mgc_result_init(r, sizeof *r);
    r->status = "optimal";
    r->name = "x";
    r->period_minutes = 60;
    r->periods = 2;
    r->members = 2;
    r->trades = 2;
    r->id = id;
    r->standalone_cost = r->final_cost = r->emission_alone = r->emission_together = r->renewable_alone =
        r->renewable_together = cost;
    r->payment = payment;
    r->probability = probability;
    r->scenarios = scenarios;
    r->trade = trade;
    r->alliance_cost = 7.25;
    r->lower_bound = 7.2;
    r->gap = 0.0069;
    r->surplus = 3;
    r->admm_iterations = 41;
}

START_TEST(results_are_what_the_formats_page_says)
{
    static const char *const keys[] = {
        "format",  "status",  "standalone_cost", "alliance_cost", "lower_bound",        "gap",
        "surplus", "payment", "final_cost",      "emission_kg",   "renewable_used_kwh", "worst_case_probability",
        "trades",  "admm",    "seconds"};
    mgc_result result;
    mgc_json *json;
    const char *text;
    size_t len;

    fill(&result);
    ck_assert_int_eq(mgc_json_create(ctx, &json), MGC_OK);
    mgc_json_object(json, NULL);
    ck_assert_int_eq(mgc_result_write(json, &result), MGC_OK);
    mgc_json_string(json, "mine", "too");
    mgc_json_end(json);
    ck_assert_int_eq(mgc_json_text(json, &text, &len), MGC_OK);
    json_t *root = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(root);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        ck_assert_msg(json_object_get(root, keys[i]) != NULL, "no %s", keys[i]);
    ck_assert_str_eq(json_string_value(json_object_get(root, "format")), "mgchain-result-1");
    ck_assert_double_eq(json_number_value(json_object_get(json_object_get(root, "payment"), "campus")), -1.5);
    ck_assert_double_eq(json_number_value(json_object_get(
                            json_object_get(json_object_get(root, "emission_kg"), "alone"), "hospital")),
                        10.25);
    json_t *trade = json_array_get(json_object_get(root, "trades"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(trade, "to")), "campus");
    ck_assert_double_eq(json_number_value(json_array_get(json_object_get(trade, "sent_kw"), 1)), 12.5);
    ck_assert(json_is_null(json_object_get(json_object_get(root, "seconds"), "ledger")));
    ck_assert_int_eq((int)json_integer_value(json_object_get(json_object_get(root, "admm"), "iterations")), 41);
    json_decref(root);
    mgc_json_destroy(json);
}
END_TEST

START_TEST(a_result_of_every_size)
{
    unsigned char raw[2 * sizeof(mgc_result)] = {0};
    size_t size = (size_t)_i;
    mgc_json *json;

    mgc_result_init((mgc_result *)raw, sizeof(mgc_result));
    memcpy(raw, &size, sizeof size);
    ck_assert_int_eq(mgc_json_create(ctx, &json), MGC_OK);
    mgc_json_object(json, NULL);
    mgc_status got = mgc_result_write(json, (const mgc_result *)raw);
    ck_assert_msg(got == (size < sizeof(mgc_result) ? MGC_E_ABI_SIZE : MGC_OK), "struct_size %d: %s", _i,
                  mgc_status_name(got));
    mgc_json_destroy(json);
}
END_TEST

START_TEST(a_table_is_these_bytes)
{
    static const double power[] = {1.5, NAN, -0.0};
    static const char *const words[] = {"plain", "a \"quoted\", one", "=2+2"};
    const char *text;
    mgc_table *table;
    size_t len;

    ck_assert_int_eq(mgc_table_create(ctx, 3, &table), MGC_OK);
    ck_assert_int_eq(mgc_table_times(table, 1582930800000u, 60), MGC_OK); /* 2020-02-28T23:00Z: through a leap day */
    ck_assert_int_eq(mgc_table_numbers(table, "power,kw", power), MGC_OK);
    ck_assert_int_eq(mgc_table_strings(table, "word", words), MGC_OK);
    ck_assert_int_eq(mgc_table_text(table, &text, &len), MGC_OK);
    ck_assert_str_eq(text, "time_utc,\"power,kw\",word\n2020-02-28T23:00:00Z,1.5,plain\n2020-02-29T00:00:00Z,,\"a "
                           "\"\"quoted\"\", one\"\n"
                           "2020-02-29T01:00:00Z,0,\"'=2+2\"\n");
    ck_assert_uint_eq(len, strlen(text));
    mgc_table_destroy(table);
}
END_TEST

static char *slurp(const char *path)
{
    static char text[4096];
    FILE *file = fopen(path, "rb");

    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

START_TEST(a_file_is_whole_or_as_it_was)
{
    char path[256];

    strcpy(path, in_folder("results.json"));
    ck_assert_int_eq(mgc_file_write(ctx, path, "first", 5), MGC_OK);
    ck_assert_int_eq(mgc_file_write(ctx, path, "second", 6), MGC_OK);
    ck_assert_str_eq(slurp(path), "second");
    /* A stale part of a run that was killed is in nobody's way. */
    FILE *stale = fopen(in_folder("results.json.part0"), "w");
    fclose(stale);
    ck_assert_int_eq(mgc_file_write(ctx, path, "third", 5), MGC_OK);
    ck_assert_str_eq(slurp(path), "third");
    ck_assert_int_eq(sweep_folder(), 2);
    /* A folder in its place: refused, and nothing of ours is left. */
    ck_assert_int_eq(mkdir(path, 0777), 0);
    ck_assert_int_eq(mgc_file_write(ctx, path, "fourth", 6), MGC_E_IO);
    rmdir(path);
    ck_assert_int_eq(sweep_folder(), 0);
    ck_assert_int_eq(mgc_file_write(ctx, in_folder("no/such/file"), "x", 1), MGC_E_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(ctx), "there is no such folder"));
}
END_TEST

START_TEST(a_manifest_names_bytes_and_hashes)
{
    static const char *const names[] = {"a.csv", "b.csv"}, *const about[] = {"case", "three"},
                             *const missing[] = {"c.csv"};

    ck_assert_int_eq(mgc_file_write(ctx, in_folder("a.csv"), "abc", 3), MGC_OK);
    ck_assert_int_eq(mgc_file_write(ctx, in_folder("b.csv"), "", 0), MGC_OK);
    ck_assert_int_eq(mgc_manifest_write(ctx, folder, names, 2, about, 1), MGC_OK);
    json_t *root = json_loads(slurp(in_folder("manifest.json")), 0, NULL);
    json_t *files = json_object_get(root, "files");
    ck_assert_str_eq(json_string_value(json_object_get(root, "case")), "three");
    /* SHA-256 of "abc" and "": FIPS 180-2, appendix B.1, and NIST's short message vectors. */
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(files, 0), "sha256")),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(files, 1), "sha256")),
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    ck_assert_int_eq((int)json_integer_value(json_object_get(json_array_get(files, 0), "bytes")), 3);
    json_decref(root);
    ck_assert_int_eq(mgc_manifest_write(ctx, folder, missing, 1, NULL, 0), MGC_E_NOT_FOUND);
}
END_TEST

/* A locale with decimal commas, made for the occasion where the machine has none. */
static bool german(void)
{
    char command[sizeof folder + 128];

    if (setlocale(LC_ALL, "de_DE.UTF-8") != NULL) return true;
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", folder);
    if (system(command) != 0 || setenv("LOCPATH", folder, 1) != 0) return false;
    bool there = setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
    snprintf(command, sizeof command, "rm -r %s/de_DE.UTF-8", folder);
    return system(command) == 0 && there;
}

/* Everything that is read and written, as one text. */
static char *all_of_it(void)
{
    static const char text[] = HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y, scale: 0.5}},\n"
                                         "{type: load, id: m, demand_kw: [0.5, -1.5, 2.5]}" END;
    static const double values[] = {0.5, 1e-7, 1234567.25};
    struct disk disk = {.file = {{"s.csv", "x;y\n1;1,5\n2;2,5\n3;3,5\n", 0}}};
    mgc_result result;
    mgc_table *table;
    mgc_case *kase;
    mgc_json *json;
    const char *part;
    char *all = malloc(1 << 14);
    size_t len;

    ck_assert_int_eq(load_with(ctx, text, &disk, &kase), MGC_E_CASE);
    ck_assert_uint_eq(mgc_case_issues(kase), 1);
    strcpy(all, mgc_case_issue_text(kase, 0));
    mgc_case_destroy(kase);
    fill(&result);
    ck_assert_int_eq(mgc_json_create(ctx, &json), MGC_OK);
    mgc_json_object(json, NULL);
    ck_assert_int_eq(mgc_result_write(json, &result), MGC_OK);
    mgc_json_end(json);
    ck_assert_int_eq(mgc_json_text(json, &part, &len), MGC_OK);
    strcat(all, part);
    mgc_json_destroy(json);
    ck_assert_int_eq(mgc_table_create(ctx, 3, &table), MGC_OK);
    ck_assert_int_eq(mgc_table_numbers(table, "x", values), MGC_OK);
    ck_assert_int_eq(mgc_table_text(table, &part, &len), MGC_OK);
    strcat(all, part);
    mgc_table_destroy(table);
    return all;
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;

    while ((text = strstr(text, word)) != NULL) n++, text += strlen(word);
    return n;
}

/* Names that would touch each other stand in two lines; so many that no two lines are enough are thinned out. */
START_TEST(columns_have_their_names_and_values)
{
    static const double values[12] = {520, 500, 0, 2.5, 1, 1, 1, 1, 1, 1, 1, 1};
    static const char *const labels[12] = {"6-2 partition", "2-1 crash", "1-6 hand-over", "6-1 hand-over", "6-1 hand-over", "6-1 hand-over",
                                           "6-1 hand-over", "6-1 hand-over", "6-1 hand-over", "6-1 hand-over", "6-1 hand-over", "6-1 hand-over"};
    const mgc_io__series series = {"ms", "#0072b2", values, false};
    mgc__text t = {.ctx = ctx};

    mgc_io__chart_columns(&t, "Fail-over", "ms", labels, 2, &series, 1, false);
    ck_assert_uint_eq(count(t.bytes, ">6-2 partition<"), 1);
    ck_assert_uint_eq(count(t.bytes, ">520</text>"), 1);
    mgc__text_free(&t);
    t = (mgc__text){.ctx = ctx};
    mgc_io__chart_columns(&t, "Fail-over", "ms", labels, 5, &series, 1, false);
    ck_assert_uint_eq(count(t.bytes, ">6-2<") + count(t.bytes, ">2-1<") + count(t.bytes, ">1-6<") + count(t.bytes, ">6-1<"), 5);
    ck_assert_uint_eq(count(t.bytes, ">hand-over<"), 3);
    ck_assert_uint_eq(count(t.bytes, ">0</text>"), 2); /* the axis has one, too */
    ck_assert_uint_eq(count(t.bytes, ">2.50</text>"), 1);
    mgc__text_free(&t);
    t = (mgc__text){.ctx = ctx};
    mgc_io__chart_columns(&t, "Fail-over", "ms", labels, 12, &series, 1, false);
    ck_assert_uint_lt(count(t.bytes, "hand-over<"), 5);
    mgc__text_free(&t);
}
END_TEST

START_TEST(the_same_in_a_locale_with_decimal_commas) /* faults O9 */
{
    char half[8], *here = all_of_it();

    if (!german()) {
        printf("# no locale with decimal commas, and none could be made\n");
        free(here);
        return;
    }
    snprintf(half, sizeof half, "%.1f", 0.5);
    ck_assert_str_eq(half, "0,5"); /* it is one */
    char *there = all_of_it();
    setlocale(LC_ALL, "C");
    ck_assert_str_eq(here, there);
    ck_assert_ptr_nonnull(strstr(here, "demand_kw[1]: is -1.5, outside"));
    free(here);
    free(there);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("io writing");
    TCase *tc = tcase_create("writing");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, json_is_these_bytes);
    tcase_add_loop_test(tc, json_put_together_wrongly_is_refused, 0, 8);
    tcase_add_test(tc, results_are_what_the_formats_page_says);
    tcase_add_loop_test(tc, a_result_of_every_size, 0, 2 * (int)sizeof(mgc_result));
    tcase_add_test(tc, a_table_is_these_bytes);
    tcase_add_test(tc, a_file_is_whole_or_as_it_was);
    tcase_add_test(tc, columns_have_their_names_and_values);
    tcase_add_test(tc, the_same_in_a_locale_with_decimal_commas);
    tcase_add_test(tc, a_manifest_names_bytes_and_hashes);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
