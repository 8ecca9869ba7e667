/* SPDX-License-Identifier: Apache-2.0 */
/* What is right is read right: YAML and JSON alike, every dialect of CSV,
 * history, rolling days, the embedded case. */
#include <math.h>

#include <jansson.h>

#include "cases.h"
#include "mgchain/robust.h"

static mgc_ctx *ctx;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

static mgc_case *load(const char *text, struct disk *disk)
{
    mgc_case *kase;
    mgc_status status = load_with(ctx, text, disk, &kase);

    if (status != MGC_OK) print_issues(kase);
    ck_assert_int_eq(status, MGC_OK);
    return kase;
}

static double device_value(mgc_model *model, const char *site, const char *device, const char *key, uint32_t scenario,
                           uint32_t period)
{
    double value = NAN;

    ck_assert_int_eq(
        mgc_device_get(mgc_microgrid_device(mgc_model_microgrid(model, site), device), key, scenario, period, &value),
        MGC_OK);
    return value;
}

static double site_value(mgc_model *model, const char *site, const char *key, uint32_t scenario, uint32_t period)
{
    double value = NAN;

    ck_assert_int_eq(mgc_microgrid_get(mgc_model_microgrid(model, site), key, scenario, period, &value), MGC_OK);
    return value;
}

/* --- YAML and JSON ---------------------------------------------------------------------------------------------- */

static const char *const references[] = {"nominal", "one_scenario", "robust_both_norms", "robust_norm1_no_units"};

/* A JSON value as block YAML, indented; strings plain where they may be. */
static void to_yaml(FILE *out, json_t *value, int indent)
{
    const char *key;
    json_t *item;
    size_t i = 0;

    if (json_is_object(value) && json_object_size(value) > 0) {
        json_object_foreach(value, key, item)
        {
            fprintf(out, "\n%*s%s:", indent, "", key);
            to_yaml(out, item, indent + 2);
        }
    } else if (json_is_array(value) && json_array_size(value) > 0) {
        json_array_foreach(value, i, item)
        {
            fprintf(out, "\n%*s-", indent, "");
            to_yaml(out, item, indent + 2);
        }
    } else {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
        size_t n = strlen(text);
        bool quoted = text[0] == '"';
        fprintf(out, " %.*s%s", (int)(n - 2 * quoted), text + quoted,
                indent % 4 == 0 && !quoted ? "   # a comment" : "");
        free(text);
    }
}

static int32_t collect(void *user, const char *bytes, size_t len)
{
    return fwrite(bytes, 1, len, user) == len ? MGC_CB_DONE : MGC_E_IO;
}

/* The exact program of the whole alliance as MPS: two models with the same one are the same. */
static char *program_of(const mgc_case *kase)
{
    mgc_program *program;
    char *text = NULL;
    size_t len = 0;

    FILE *out = open_memstream(&text, &len);
    ck_assert_int_eq(mgc_model_program(mgc_case_model(kase), NULL, &program), MGC_OK);
    ck_assert_int_eq(mgc_program_write_mps(program, collect, out), MGC_OK);
    fclose(out);
    mgc_program_destroy(program);
    ck_assert_uint_gt(len, 10000);
    return text;
}

static char *reference_path(const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/reference/%s.json", getenv("MGC_TEST_SHIPPED"), name);
    return path;
}

START_TEST(reference_cases_are_the_same_in_json_and_yaml)
{
    json_error_t error;
    mgc_case *json_case, *yaml_case;
    char *yaml = NULL;
    size_t len = 0;

    json_t *root = json_load_file(reference_path(references[_i]), 0, &error);
    ck_assert_ptr_nonnull(root);
    FILE *out = open_memstream(&yaml, &len);
    to_yaml(out, root, 0);
    fprintf(out, "\n");
    fclose(out);
    ck_assert_int_eq(mgc_case_load_file(ctx, reference_path(references[_i]), NULL, &json_case), MGC_OK);
    mgc_status status = mgc_case_load_text(ctx, yaml, len, NULL, &yaml_case);
    if (status != MGC_OK) print_issues(yaml_case);
    ck_assert_int_eq(status, MGC_OK);
    char *a = program_of(json_case), *b = program_of(yaml_case);
    ck_assert_str_eq(a, b);
    free(a);
    free(b);
    mgc_case_destroy(json_case);
    mgc_case_destroy(yaml_case);
    json_decref(root);
    free(yaml);
}
END_TEST

/* Every number of the reference case, as another JSON reader has it. */
START_TEST(reference_values_arrive_unchanged)
{
    json_error_t error;
    mgc_case *kase;
    size_t m, d, k, t;
    json_t *site, *device, *row, *number;
    size_t compared = 0;

    json_t *root = json_load_file(reference_path(references[_i]), 0, &error);
    ck_assert_ptr_nonnull(root);
    ck_assert_int_eq(mgc_case_load_file(ctx, reference_path(references[_i]), NULL, &kase), MGC_OK);
    json_array_foreach(json_object_get(root, "microgrids"), m, site)
    {
        const char *id = json_string_value(json_object_get(site, "id"));
        json_array_foreach(json_object_get(json_object_get(root, "market"), "buy_price_per_kwh"), t, number)
        {
            ck_assert_double_eq(site_value(mgc_case_model(kase), id, "buy_price_per_kwh", 0, (uint32_t)t),
                                json_number_value(number));
            compared++;
        }
        json_array_foreach(json_object_get(site, "devices"), d, device)
        {
            json_t *demand = json_object_get(device, "demand_kw");
            json_array_foreach(json_object_get(demand, "scenarios"), k, row) json_array_foreach(row, t, number)
            {
                double value =
                    device_value(mgc_case_model(kase), id, json_string_value(json_object_get(device, "id")),
                                 "demand_kw", (uint32_t)k, (uint32_t)t);
                ck_assert_double_eq(value, json_number_value(number));
                compared++;
            }
        }
    }
    ck_assert_uint_ge(compared, 200);
    json_decref(root);
    mgc_case_destroy(kase);
}
END_TEST

START_TEST(words_that_yaml_1_1_would_bend_stay_words)
{
    static const char text[] = HEAD "name: no\ncurrency: 1e3\nmicrogrids: [{id: on, devices: [{type: load, id: 007, "
                                    "demand_kw: +1.5e+1}]}, {id: \"y\"}]\n"
                                    "links: [{between: [on, y], carrier: electricity, capacity_kw: .5}]\n";
    struct disk disk = {.opened = 0};
    mgc_case_info info = {.struct_size = sizeof info};
    mgc_case *kase = load(text, &disk);

    ck_assert_int_eq(mgc_case_get_info(kase, &info), MGC_OK);
    ck_assert_str_eq(info.name, "no");
    ck_assert_str_eq(info.currency, "1e3");
    ck_assert_double_eq(device_value(mgc_case_model(kase), "on", "007", "demand_kw", 0, 2), 15);
    mgc_case_destroy(kase);
}
END_TEST

START_TEST(null_is_no_limit)
{
    static const char text[] =
        HEAD "microgrids:\n- id: a\n  grid: {buy_limit_kw: null, sell_limit_kw: 5, heat_buy_limit_kw: ~}\n  market: "
             "{heat_price_per_kwh: 0.1}\n"
             "  devices:\n  - {type: linear, id: x, variables: {p: {lower: null, upper: null, electricity: 1}},\n"
             "     constraints: [{terms: {p: 1}, previous: {p: -1}, lower: -50, upper: null}]}\n";
    struct disk disk = {.opened = 0};
    mgc_case *kase = load(text, &disk);

    ck_assert(isinf(site_value(mgc_case_model(kase), "a", "buy_limit_kw", 0, 0)));
    ck_assert(isinf(site_value(mgc_case_model(kase), "a", "heat_buy_limit_kw", 0, 0)));
    ck_assert_double_eq(site_value(mgc_case_model(kase), "a", "sell_limit_kw", 0, 0), 5);
    mgc_case_destroy(kase);
}
END_TEST

/* --- CSV -------------------------------------------------------------------------------------------------------- */

#define SERIES_CASE                                                                                                  \
    HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: demand, skip: 1, scale: 2, offset: 1}}" END

/* The same series, 9.5, 1000, 0.001 after one row that is skipped, as different programs write it. */
static const struct dialect {
    const char *name, *text;
} dialects[] = {
    {"plain", "x,demand\n0,7\n1,9.5\n2,1000\n3,0.001\n"},
    {"CRLF", "x,demand\r\n0,7\r\n1,9.5\r\n2,1000\r\n3,0.001\r\n"},
    {"byte order mark", "\xef\xbb\xbf"
                        "demand,x\n7,0\n9.5,1\n1e3,2\n1e-3,3"},
    {"semicolon and decimal comma", "x;demand\n0;7\n1;9,5\n2;1000\n3;0,001\n"},
    {"semicolon and decimal point", "x;demand\n0;7\n1;9.5\n2;1000\n3;0.001\n"},
    {"tab and decimal comma", "x\tdemand\n0\t7\n1\t9,5\n2\t1000,0\n3\t0,001\n"},
    {"quoted", "\"x\",\"demand\"\n\"0\",\"7\"\n\"a \"\"b\"\", c\",\"9.5\"\n\"line\nbreak\",1000\n3, \"0.001\" \n"},
    {"blanks, blank lines at the end", "x , demand\n0, 7\n1, 9.5 \n2,1000\n3,+0.001\n\n  \n"},
    {"times in UTC", "time_utc,demand\n2020-02-28T22:00:00Z,7\n2020-02-28T23:00:00Z,9.5\n2020-02-29T00:00:00Z,"
                     "1000\n2020-02-29 01:00,0.001\n"},
    {"times with their zone, through daylight saving",
     "time_utc,demand\n2019-03-31T00:00:00+01:00,7\n2019-03-31T01:00:00+01:00,9.5\n2019-03-31T03:00:00+02:00,"
     "1000\n2019-03-31T04:00:00+02:00,0.001\n"},
    {"CR alone", "x,demand\r0,7\r1,9.5\r2,1000\r3,0.001\r"},
    {"the separator said before the header", "\xef\xbb\xbfsep=;\r\nx;demand\r\n0;7\r\n1;9,5\r\n2;1000\r\n3;0,001\r\n"},
    {"one column", "demand\n7\n9.5\n1000\n0.001\n"},
};

static void check_series(mgc_case *kase, const char *name)
{
    static const double want[] = {2 * 9.5 + 1, 2 * 1000.0 + 1, 2 * 0.001 + 1};

    for (uint32_t t = 0; t < 3; t++) {
        double got = device_value(mgc_case_model(kase), "a", "l", "demand_kw", 0, t);
        ck_assert_msg(fabs(got - want[t]) < 1e-12, "%s: period %u is %g", name, t, got);
    }
}

START_TEST(every_dialect_of_csv_is_the_same_series) /* faults O9 */
{
    struct disk disk = {.file = {{"s.csv", dialects[_i].text, 0}}};
    mgc_case *kase = load(SERIES_CASE, &disk);

    check_series(kase, dialects[_i].name);
    ck_assert_int_eq(disk.opened, 1);
    ck_assert_int_eq(disk.closed, 1);
    mgc_case_destroy(kase);
}
END_TEST

/* Rows go by number; a file whose own times are others is used, and told. */
START_TEST(rows_of_another_day_are_told)
{
    static const struct {
        const char *text, *told;
    } files[] = {
        {"time_utc,y\n2019-07-15T23:00:00Z,9\n2019-07-16T00:00:00Z,1\n2019-07-16T01:00:00Z,2\n2019-07-16T02:00:00Z,3\n",
         "case.yaml:8:32: warning: microgrids.a.devices.l.demand_kw: s.csv begins at 2019-07-15T23:00:00Z in the row taken, the case at "
         "2019-07-16T00:00:00Z; \"skip: 1\" takes that row"},
        {"time_utc,y\n2018-07-16T00:00:00Z,1\n2018-07-16T01:00:00Z,2\n2018-07-16T02:00:00Z,3\n",
         "case.yaml:8:32: warning: microgrids.a.devices.l.demand_kw: s.csv begins at 2018-07-16T00:00:00Z in the row taken, the case at "
         "2019-07-16T00:00:00Z"},
        {"time_utc,y\n2019-07-16T00:00:00Z,1\n2019-07-16T01:00:00Z,2\n2019-07-16T02:00:00Z,3\n", NULL},
    };
    struct disk disk = {.file = {{"s.csv", files[_i].text, 0}}};
    mgc_case *kase = load(HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END, &disk);

    ck_assert_uint_eq(mgc_case_issues(kase), files[_i].told != NULL);
    if (files[_i].told != NULL) ck_assert_str_eq(mgc_case_issue_text(kase, 0), files[_i].told);
    mgc_case_destroy(kase);
}
END_TEST

START_TEST(gzip_is_seen_through)
{
    enum { GZ_FIRST_MEMBER = 39 };
    /* "x,demand\n0,7\n1,9.5\n" and "2,1000\n3,0.001\n": two members, as cat a.gz b.gz makes them */
    static const unsigned char gz[] = {
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0xd0, 0x49, 0x49, 0xcd,
        0x4d, 0xcc, 0x4b, 0xe1, 0x32, 0xd0, 0x31, 0xe7, 0x32, 0xd4, 0xb1, 0xd4, 0x33, 0xe5, 0x02,
        0x00, 0xda, 0x03, 0x6c, 0x2a, 0x13, 0x00, 0x00, 0x00, 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x02, 0x03, 0x33, 0xd2, 0x31, 0x34, 0x30, 0x30, 0xe0, 0x32, 0xd6, 0x31, 0xd0,
        0x33, 0x30, 0x30, 0xe4, 0x02, 0x00, 0x65, 0xd9, 0x0e, 0xc4, 0x0f, 0x00, 0x00, 0x00,
    };
    struct disk disk = {.file = {{"s.csv", gz, sizeof gz}}};
    mgc_case *kase = load(SERIES_CASE, &disk);

    check_series(kase, "gzip");
    mgc_case_destroy(kase);
    for (size_t cut = 1; cut < sizeof gz; cut++) { /* cut short anywhere: refused, never read past */
        if (cut == GZ_FIRST_MEMBER) continue;
        unsigned char *part = malloc(cut);
        memcpy(part, gz, cut);
        disk.file[0] = (struct file){"s.csv", part, cut};
        ck_assert_int_eq(load_with(ctx, SERIES_CASE, &disk, &kase), MGC_E_CASE);
        mgc_case_destroy(kase);
        free(part);
    }
}
END_TEST

START_TEST(scenarios_from_files_lists_and_numbers)
{
    static const char text[] = HEAD "microgrids:\n- id: a\n  scenario_probability: [0.25, 0.5, 0.25]\n  devices:\n"
                                    "  - {type: load, id: l, demand_kw: {scenarios: [{csv: s.csv, column: demand, "
                                    "scale: 0.5}, [1, 2, 3], 4], scale: 10}}\n";
    static const double want[3][3] = {{35, 45, 50}, {10, 20, 30}, {40, 40, 40}};
    struct disk disk = {.file = {{"s.csv", "demand\n7\n9\n10\n11\n", 0}}};
    mgc_case *kase = load(text, &disk);

    for (uint32_t k = 0; k < 3; k++)
        for (uint32_t t = 0; t < 3; t++)
            ck_assert_double_eq(device_value(mgc_case_model(kase), "a", "l", "demand_kw", k, t), want[k][t]);
    ck_assert_ptr_null(mgc_case_realised(kase));
    mgc_case_destroy(kase);
}
END_TEST

/* --- history ---------------------------------------------------------------------------------------------------- */

/* Days 1 to 9 of March 2019 in periods of 8 hours.  Demand is 100 + d in days 1 to 3, 200 + d in days 4 to 7, 300
 * then, and the period.  Wind is 0.5 in days 1 to 3, forecast 0.1 too low, and 0.3 in days 4 to 7, forecast 0.02 too
 * high. */
static char *make_history(void)
{
    static char text[4096];
    size_t len = (size_t)sprintf(text, "time_utc,demand,wind,forecast,price\n");

    for (int d = 1; d <= 9; d++)
        for (int t = 0; t < 3; t++) {
            double demand = d <= 3 ? 100 + d : d <= 7 ? 200 + d : 300, wind = d == 8 ? 1.05 : d <= 3 ? 0.5 : 0.3;
            double forecast = d <= 3 ? wind - 0.1 : d <= 7 ? wind + 0.02 : 1.0;
            len += (size_t)sprintf(text + len, "2019-03-%02dT%02d:00:00Z,%g,%g,%g,%d\n", d, 8 * t, demand + t,
                                   d == 9 && t == 2 ? 1.0 : wind, forecast, 10 * d + t);
        }
    return text;
}

#define HISTORY_CASE                                                                                                 \
    "format: mgchain-case-1\nstart: 2019-03-08T00:00:00Z\nperiod_minutes: 480\nperiods: 3\n"                         \
    "market: {buy_price_per_kwh: {history: price, scale: 0.001, offset: 1}, sell_price_per_kwh: 0.05,\n"             \
    "  realtime_buy_price_per_kwh: {history: price, scale: 0.001, offset: 2}}\n"                                     \
    "uncertainty: {csv: h.csv, day: 2019-03-08, window_days: 7, scenarios: 2, seed: 3}\n"                            \
    "microgrids:\n- id: a\n  ambiguity: {norm1: {confidence: 0.9}}\n  devices:\n  - {type: load, id: l, demand_kw: " \
    "{history: demand, scale: 2}}\n"                                                                                 \
    "  - {type: wind, id: w, available_kw: {history: wind, forecast: forecast, scale: 100}}\n"                       \
    "- id: b\n  market: {realtime_buy_price_per_kwh: 3}\n  devices: [{type: wind, id: w, available_kw: {history: "   \
    "wind, forecast: forecast, scale: 100}}]\n"

START_TEST(past_days_become_scenarios_and_the_day_is_held_out)
{
    struct disk disk = {.file = {{"h.csv", make_history(), 0}}};
    mgc_case_info info = {.struct_size = sizeof info};
    mgc_case *kase = load(HISTORY_CASE, &disk);
    mgc_model *model = mgc_case_model(kase), *realised = mgc_case_realised(kase);
    uint64_t day;
    uint32_t members;

    ck_assert_int_eq(mgc_case_get_info(kase, &info), MGC_OK);
    ck_assert_uint_eq(info.history_days, 7);
    ck_assert_uint_eq(info.scenarios, 2);
    ck_assert_str_eq(info.history_day, "2019-03-08");
    ck_assert_str_eq(info.history_file, "h.csv");
    /* Two clusters: days 1 to 3, and 4 to 7; medoids day 2 and, of four on a line, day 5 or 6. */
    ck_assert_int_eq(mgc_case_scenario(kase, 0, &day, &members), MGC_OK);
    ck_assert_uint_eq(day / 86400000 - 17955, 2); /* 2019-02-28 is day 17955 */
    ck_assert_uint_eq(members, 3);
    ck_assert_int_eq(mgc_case_scenario(kase, 1, &day, &members), MGC_OK);
    ck_assert_uint_eq(members, 4);
    uint64_t second = day / 86400000 - 17955;
    ck_assert(second == 5 || second == 6);
    ck_assert_int_eq(mgc_case_scenario(kase, 2, &day, &members), MGC_E_NOT_FOUND);
    /* Price, demand and wind: what the two scenarios keep of the seven days. */
    mgc_case_moments moments = {.struct_size = sizeof moments};
    ck_assert_uint_eq(info.history_series, 3);
    ck_assert_double_gt(info.reduction_distance, 0);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_int_eq(mgc_case_series_moments(kase, i, &moments), MGC_OK);
        ck_assert_int_gt((int)strlen(moments.name), 0);
        ck_assert_double_ge(moments.deviation[0], moments.deviation[1]); /* two points of a line of seven lie within it */
        ck_assert_double_le(fabs(moments.autocorrelation[1]), 1);
    }
    ck_assert_int_eq(mgc_case_series_moments(kase, 3, &moments), MGC_E_NOT_FOUND);
    ck_assert_uint_eq(mgc_microgrid_scenarios(mgc_model_microgrid(model, "b")), 2);
    for (uint32_t t = 0; t < 3; t++) {
        ck_assert_double_eq(device_value(model, "a", "l", "demand_kw", 0, t), 2 * (102.0 + t));
        ck_assert_double_eq(device_value(model, "a", "l", "demand_kw", 1, t), 2 * (200.0 + (double)second + t));
        /* Forecast 1.0 plus the error 0.1, within the highest value 1.0 that any other day has; and 1.0 - 0.02. */
        ck_assert_double_eq_tol(device_value(model, "a", "w", "available_kw", 0, t), 100, 1e-9);
        ck_assert_double_eq_tol(device_value(model, "b", "w", "available_kw", 1, t), 98, 1e-9);
        /* The day itself. */
        ck_assert_double_eq(device_value(realised, "a", "l", "demand_kw", 0, t), 2 * (300.0 + t));
        ck_assert_double_eq_tol(device_value(realised, "a", "w", "available_kw", 0, t), 105, 1e-9);
        ck_assert_double_eq_tol(site_value(model, "a", "buy_price_per_kwh", 0, t), 1 + 0.001 * (80 + t), 1e-12);
        ck_assert_double_eq_tol(site_value(realised, "b", "buy_price_per_kwh", 0, t), 1 + 0.001 * (80 + t), 1e-12);
        /* Uncertain in the market of the case: by scenario in a, whose market does not say it; b has its own. */
        ck_assert_double_eq_tol(site_value(model, "a", "realtime_buy_price_per_kwh", 0, t), 2 + 0.001 * (20 + t),
                                1e-12);
        ck_assert_double_eq_tol(site_value(realised, "a", "realtime_buy_price_per_kwh", 0, t), 2 + 0.001 * (80 + t),
                                1e-12);
        ck_assert_double_eq(site_value(model, "b", "realtime_buy_price_per_kwh", 1, t), 3);
    }
    ck_assert_int_eq(disk.opened, 1);
    mgc_case_destroy(kase);
}
END_TEST

START_TEST(both_methods_of_reduction_find_plain_clusters)
{
    static char text[4096];
    struct disk disk = {.file = {{"h.csv", make_history(), 0}}};
    mgc_case_info info = {.struct_size = sizeof info};
    uint64_t day;
    uint32_t members[2];

    strcpy(text, HISTORY_CASE);
    memcpy(strstr(text, "seed: 3}"), "method: forward-selection}\n", 27);
    strcpy(strstr(text, "selection}\n") + 11, strstr(HISTORY_CASE, "microgrids:"));
    mgc_case *kase = load(text, &disk);
    ck_assert_int_eq(mgc_case_get_info(kase, &info), MGC_OK);
    ck_assert_str_eq(info.method, "forward-selection");
    for (uint32_t k = 0; k < 2; k++) ck_assert_int_eq(mgc_case_scenario(kase, k, &day, &members[k]), MGC_OK);
    ck_assert_uint_eq(members[0], 3);
    ck_assert_uint_eq(members[1], 4);
    mgc_case_destroy(kase);
}
END_TEST

START_TEST(the_next_day_of_a_rolling_run)
{
    struct disk disk = {.file = {{"h.csv", make_history(), 0}}};
    mgc_case_info info = {.struct_size = sizeof info};
    mgc_case_opts opts;
    mgc_case *kase;

    mgc_case_opts_init(&opts, sizeof opts);
    opts.open = disk_open;
    opts.user = &disk;
    opts.day_shift = 1;
    ck_assert_int_eq(mgc_case_load_text(ctx, HISTORY_CASE, strlen(HISTORY_CASE), &opts, &kase), MGC_OK);
    ck_assert_int_eq(mgc_case_get_info(kase, &info), MGC_OK);
    ck_assert_str_eq(info.start, "2019-03-09T00:00:00Z");
    ck_assert_uint_eq(info.history_days, 7);
    ck_assert_double_eq_tol(device_value(mgc_case_realised(kase), "a", "w", "available_kw", 0, 2), 100, 1e-9);
    ck_assert_double_eq_tol(site_value(mgc_case_model(kase), "a", "buy_price_per_kwh", 0, 0), 1.09, 1e-12);
    mgc_case_destroy(kase);
    opts.day_shift = 2; /* the history ends */
    ck_assert_int_eq(mgc_case_load_text(ctx, HISTORY_CASE, strlen(HISTORY_CASE), &opts, &kase), MGC_E_CASE);
    mgc_case_destroy(kase);
}
END_TEST

START_TEST(fewer_past_days_than_asked_for_is_a_warning_that_counts_them)
{
    static char text[4096];
    struct disk disk = {.file = {{"h.csv", make_history(), 0}}};
    mgc_case_info info = {.struct_size = sizeof info};
    mgc_case_issue issue = {.struct_size = sizeof issue};

    strcpy(text, HISTORY_CASE);
    memcpy(strstr(text, "window_days: 7"), "window_days: 9", 14);
    mgc_case *kase = load(text, &disk);
    ck_assert_int_eq(mgc_case_get_info(kase, &info), MGC_OK);
    ck_assert_uint_eq(info.history_days, 7);
    ck_assert_uint_eq(info.history_window, 9);
    ck_assert_uint_eq(mgc_case_issues(kase), 1);
    ck_assert_int_eq(mgc_case_issue_get(kase, 0, &issue), MGC_OK);
    ck_assert_uint_eq(issue.severity, MGC_ISSUE_WARNING);
    ck_assert_str_eq(mgc_case_issue_text(kase, 0),
                     "case.yaml:7:57: warning: uncertainty.window_days: the history has 7 of the 9 days asked for; "
                     "samples are counted as 7");
    mgc_case_destroy(kase);
}
END_TEST

/* --- the head and the weights ----------------------------------------------------------------------------------- */

START_TEST(weights_in_the_order_of_the_microgrids)
{
    struct disk disk = {.opened = 0};
    mgc_case_info info = {.struct_size = sizeof info};
    double weight[2];

    mgc_case *kase = load(HEAD "microgrids: [{id: a}, {id: b}]\nbargaining: {weights: {b: 2.5, a: 1}}\n", &disk);
    ck_assert_int_eq(mgc_case_get_info(kase, &info), MGC_OK);
    ck_assert_uint_eq(info.weights, MGC_WEIGHTS_GIVEN);
    ck_assert_int_eq(mgc_case_weights(kase, weight, 2), MGC_OK);
    ck_assert_double_eq(weight[0], 1);
    ck_assert_double_eq(weight[1], 2.5);
    ck_assert_int_eq(mgc_case_weights(kase, weight, 1), MGC_E_INVALID_ARG);
    mgc_case_destroy(kase);
    kase = load(HEAD "microgrids: [{id: a}, {id: b}]\nbargaining: {weights: contribution}\n", &disk);
    ck_assert_int_eq(mgc_case_get_info(kase, &info), MGC_OK);
    ck_assert_uint_eq(info.weights, MGC_WEIGHTS_CONTRIBUTION);
    ck_assert_str_eq(info.start, "2019-07-16T00:00:00Z");
    ck_assert_uint_eq(info.start_ms / 1000, 1563235200u);
    ck_assert_uint_eq(info.periods, 3);
    mgc_case_destroy(kase);
}
END_TEST

/* Written as such, or made of links: the same connections. */
START_TEST(a_pool_is_where_all_links_lead)
{
    static const char *const texts[] = {
        HEAD "microgrids: [{id: a}, {id: b}, {id: c}]\nlinks:\n"
             "  - {between: [a, pool], carrier: electricity, capacity_kw: 3, loss: 0.02}\n"
             "  - {between: [b, pool], carrier: electricity, capacity_kw: 8, loss: 0.02}\n"
             "  - {between: [c, pool], carrier: electricity, capacity_kw: 5, loss: 0.02}\n",
        HEAD "microgrids: [{id: a}, {id: b}, {id: c}]\nlinks:\n"
             "  - {between: [a, b], carrier: electricity, capacity_kw: 3, loss: 0.02}\n"
             "  - {between: [b, c], carrier: electricity, capacity_kw: 5, loss: 0.02}\n"
             "bargaining: {pool: true}\n"};
    static const double capacity[] = {3, 8, 5};
    struct disk disk = {.opened = 0};

    for (size_t k = 0; k < 2; k++) {
        mgc_case *kase = load(texts[k], &disk);
        mgc_case_info info = {.struct_size = sizeof info};
        ck_assert_int_eq(mgc_case_get_info(kase, &info), MGC_OK);
        ck_assert_uint_eq(info.links, 3);
        for (uint32_t i = 0; i < 3; i++) {
            const char *first, *second, *carrier;
            double value;
            ck_assert_int_eq(mgc_model_link(mgc_case_model(kase), i, &first, &second, &carrier), MGC_OK);
            ck_assert_str_eq(first, mgc_model_microgrid_id(mgc_case_model(kase), i));
            ck_assert_str_eq(second, "pool");
            ck_assert_int_eq(mgc_link_get(mgc_model_link_at(mgc_case_model(kase), i), "capacity_kw", 1, &value), MGC_OK);
            ck_assert_double_eq(value, capacity[i]);
            ck_assert_int_eq(mgc_link_get(mgc_model_link_at(mgc_case_model(kase), i), "loss", 0, &value), MGC_OK);
            ck_assert_double_eq(value, 0.02);
        }
        mgc_case_destroy(kase);
    }
    /* a microgrid of that name is a microgrid like any */
    mgc_case *kase = load(HEAD "microgrids: [{id: a}, {id: pool}, {id: c}]\nlinks:\n  - {between: [a, pool], carrier: heat, capacity_kw: 3}\n"
                               "  - {between: [pool, c], carrier: heat, capacity_kw: 3}\n", &disk);
    mgc_case_destroy(kase);
}
END_TEST

/* Demand around a million that differs by a thousandth on odd and even days, wind that differs ninefold between days
 * 1 to 2 and 3 to 6: by size alone the demand would decide which days are alike, by kind it is the wind. */
START_TEST(series_of_any_size_count_alike)
{
    static char text[2048],
        case_text[] = "format: mgchain-case-1\nstart: 2019-03-07T00:00:00Z\nperiod_minutes: 1440\nperiods: 1\n"
                      "market: {buy_price_per_kwh: 1}\nuncertainty: {csv: h.csv, window_days: 6, scenarios: "
                      "2}\nmicrogrids:\n- id: a\n  devices:\n"
                      "  - {type: load, id: l, demand_kw: {history: demand}}\n  - {type: wind, id: w, available_kw: "
                      "{history: wind}}\n";
    struct disk disk = {.file = {{"h.csv", text, 0}}};
    uint32_t members[2];
    uint64_t day;

    size_t len = (size_t)sprintf(text, "time_utc,demand,wind\n");
    for (int d = 1; d <= 7; d++)
        len += (size_t)sprintf(text + len, "2019-03-%02dT00:00:00Z,%d,%g\n", d, d % 2 ? 1000000 : 1001000,
                               d <= 2 ? 0.1 : 0.9);
    mgc_case *kase = load(case_text, &disk);
    for (uint32_t k = 0; k < 2; k++) ck_assert_int_eq(mgc_case_scenario(kase, k, &day, &members[k]), MGC_OK);
    ck_assert_uint_eq(members[0], 2);
    ck_assert_uint_eq(members[1], 4);
    mgc_case_destroy(kase);
}
END_TEST

/* --- the embedded case ------------------------------------------------------------------------------------------ */

START_TEST(the_embedded_case_needs_no_files)
{
    mgc_case_info info = {.struct_size = sizeof info};
    const uint8_t *bytes;
    const char *name;
    mgc_case *kase;
    size_t len;

    ck_assert_int_eq(mgc_case_builtin(ctx, NULL, &kase), MGC_OK);
    ck_assert_uint_eq(mgc_case_issues(kase), 0);
    ck_assert_int_eq(mgc_case_get_info(kase, &info), MGC_OK);
    ck_assert_uint_eq(info.microgrids, 3);
    ck_assert_uint_eq(info.scenarios, 10);
    ck_assert_uint_eq(info.periods, 24);
    ck_assert_uint_ge(info.history_days, 45);
    ck_assert_ptr_nonnull(mgc_case_realised(kase));
    double sum = 0;
    for (uint32_t k = 0; k < info.scenarios; k++) {
        uint64_t day;
        uint32_t members;
        ck_assert_int_eq(mgc_case_scenario(kase, k, &day, &members), MGC_OK);
        ck_assert_uint_lt(day, info.history_day_ms);
        sum += members;
    }
    ck_assert_double_eq(sum, info.history_days);
    ck_assert_int_eq(mgc_builtin_file(0, &name, &bytes, &len), MGC_OK);
    ck_assert_str_eq(name, "three-microgrids.yaml");
    ck_assert_int_eq(mgc_builtin_file(99, &name, &bytes, &len), MGC_E_NOT_FOUND);
    mgc_case_destroy(kase);
}
END_TEST

START_TEST(the_embedded_case_rolls_on)
{
    mgc_case_opts opts;
    mgc_case *kase;

    mgc_case_opts_init(&opts, sizeof opts);
    opts.day_shift = _i;
    ck_assert_int_eq(mgc_case_builtin(ctx, &opts, &kase), MGC_OK);
    ck_assert_uint_eq(mgc_case_issues(kase), 0);
    mgc_case_destroy(kase);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("io loading");
    TCase *tc = tcase_create("loading");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, reference_cases_are_the_same_in_json_and_yaml, 0, 4);
    tcase_add_loop_test(tc, reference_values_arrive_unchanged, 0, 4);
    tcase_add_test(tc, words_that_yaml_1_1_would_bend_stay_words);
    tcase_add_test(tc, null_is_no_limit);
    tcase_add_loop_test(tc, every_dialect_of_csv_is_the_same_series, 0, (int)(sizeof dialects / sizeof dialects[0]));
    tcase_add_loop_test(tc, rows_of_another_day_are_told, 0, 3);
    tcase_add_test(tc, gzip_is_seen_through);
    tcase_add_test(tc, scenarios_from_files_lists_and_numbers);
    tcase_add_test(tc, past_days_become_scenarios_and_the_day_is_held_out);
    tcase_add_test(tc, both_methods_of_reduction_find_plain_clusters);
    tcase_add_test(tc, the_next_day_of_a_rolling_run);
    tcase_add_test(tc, fewer_past_days_than_asked_for_is_a_warning_that_counts_them);
    tcase_add_test(tc, weights_in_the_order_of_the_microgrids);
    tcase_add_test(tc, a_pool_is_where_all_links_lead);
    tcase_add_test(tc, series_of_any_size_count_alike);
    tcase_add_test(tc, the_embedded_case_needs_no_files);
    tcase_add_loop_test(tc, the_embedded_case_rolls_on, 1, 8);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
