/* SPDX-License-Identifier: Apache-2.0 */
#include "case_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                                                 \
    do {                                                                                                \
        if (!(condition)) {                                                                             \
            fprintf(stderr, "# %s:%d: %s\n", __FILE__, __LINE__, #condition);                           \
            abort();                                                                                    \
        }                                                                                               \
    } while (0)
#define DONE(call)                                                                                      \
    do {                                                                                                \
        mgc_status st_ = (call);                                                                        \
        if (st_ != MGC_OK) {                                                                            \
            fprintf(stderr, "# %s: %s: %s\n", #call, mgc_status_name(st_), mgc_ctx_error(the_ctx));     \
            abort();                                                                                    \
        }                                                                                               \
    } while (0)

static mgc_ctx *the_ctx; /* of the model being read; for messages */

const char *test_data(const char *relative)
{
    static char path[1024];
    const char *root = getenv("MGC_TEST_SHIPPED");

    snprintf(path, sizeof path, "%s/%s", root != NULL ? root : "tests/data", relative);
    return path;
}

static json_t *load(const char *relative)
{
    json_error_t error;
    json_t *root = json_load_file(test_data(relative), 0, &error);

    if (root == NULL) fprintf(stderr, "# %s: %s\n", test_data(relative), error.text);
    MUST(root != NULL);
    return root;
}

json_t *case_json(const char *name)
{
    char file[128];
    snprintf(file, sizeof file, "reference/%s.json", name);
    return load(file);
}

json_t *expected_json(void)
{
    return load("reference/expected.json");
}

static double number(const json_t *v)
{
    if (json_is_null(v)) return (double)INFINITY;
    if (json_is_boolean(v)) return json_is_true(v) ? 1 : 0;
    MUST(json_is_number(v));
    return json_number_value(v);
}

static size_t numbers(const json_t *v, double *out, size_t max)
{
    size_t n = json_array_size(v);

    MUST(json_is_array(v) && n <= max);
    for (size_t i = 0; i < n; i++) out[i] = number(json_array_get(v, i));
    return n;
}

typedef mgc_status (*set_number_fn)(void *object, const char *key, double value);
typedef mgc_status (*set_series_fn)(void *object, const char *key, const double *values, size_t n);
typedef mgc_status (*set_scenario_fn)(void *object, const char *key, uint32_t k, const double *values, size_t n);

#define WRAP(type)                                                                                      \
    static mgc_status type##_number(void *o, const char *key, double v)                                 \
    {                                                                                                   \
        return mgc_##type##_set_number(o, key, v);                                                      \
    }                                                                                                   \
    static mgc_status type##_series(void *o, const char *key, const double *v, size_t n)                \
    {                                                                                                   \
        return mgc_##type##_set_series(o, key, v, n);                                                   \
    }
WRAP(model)
WRAP(microgrid)
WRAP(device)
WRAP(link)

static mgc_status device_scenario(void *o, const char *key, uint32_t k, const double *v, size_t n)
{
    return mgc_device_set_scenario(o, key, k, v, n);
}

static void set_value(void *object, const char *key, const json_t *v, set_number_fn one, set_series_fn many,
                      set_scenario_fn scenario)
{
    static double values[8784];

    if (json_is_array(v)) {
        DONE(many(object, key, values, numbers(v, values, 8784)));
    } else if (json_is_object(v)) {
        json_t *rows = json_object_get(v, "scenarios");
        MUST(json_is_array(rows) && scenario != NULL);
        for (size_t k = 0; k < json_array_size(rows); k++) {
            size_t n = numbers(json_array_get(rows, k), values, 8784);
            DONE(scenario(object, key, (uint32_t)k, values, n));
        }
    } else {
        DONE(one(object, key, number(v)));
    }
}

static void read_market(void *object, const json_t *market, set_number_fn one, set_series_fn many)
{
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)market, key, v)
    {
        if (strcmp(key, "carbon") == 0) read_market(object, v, one, many);
        else set_value(object, key, v, one, many, NULL);
    }
}

static void read_ambiguity(mgc_microgrid *site, const json_t *v)
{
    const char *set;
    json_t *ball;
    uint32_t samples = (uint32_t)json_integer_value(json_object_get(v, "samples"));

    json_object_foreach((json_t *)v, set, ball)
    {
        if (strcmp(set, "samples") == 0) continue;
        json_t *radius = json_object_get(ball, "radius"), *confidence = json_object_get(ball, "confidence");
        const char *rule = json_string_value(json_object_get(ball, "rule"));
        if (radius != NULL) DONE(mgc_microgrid_set_ambiguity(site, set, "radius", number(radius), 0, NULL));
        if (confidence != NULL)
            DONE(mgc_microgrid_set_ambiguity(site, set, "confidence", number(confidence), samples, rule));
    }
}

static void read_variables(mgc_device *device, const json_t *variables)
{
    const char *name, *key;
    json_t *v, *value;
    static double values[8784];

    json_object_foreach((json_t *)variables, name, v)
    {
        DONE(mgc_device_add_variable(device, name));
        json_object_foreach(v, key, value)
        {
            if (json_is_array(value)) {
                size_t n = numbers(value, values, 8784);
                DONE(mgc_device_set_variable_series(device, name, key, values, n));
            } else {
                DONE(mgc_device_set_variable(device, name, key, number(value)));
            }
        }
    }
}

static void read_terms(mgc_device *device, uint32_t row, const json_t *terms, int32_t previous)
{
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)terms, name, v) { DONE(mgc_device_add_term(device, row, name, number(v), previous)); }
}

static void read_constraints(mgc_device *device, const json_t *constraints)
{
    size_t i;
    json_t *v;

    json_array_foreach((json_t *)constraints, i, v)
    {
        json_t *lower = json_object_get(v, "lower"), *upper = json_object_get(v, "upper");
        uint32_t row;
        DONE(mgc_device_add_constraint(device, json_is_number(lower) ? number(lower) : -(double)INFINITY,
                                       upper != NULL ? number(upper) : (double)INFINITY, &row));
        read_terms(device, row, json_object_get(v, "terms"), 0);
        read_terms(device, row, json_object_get(v, "previous"), 1);
    }
}

static void read_device(mgc_microgrid *site, const json_t *v)
{
    mgc_device *device;
    const char *key;
    json_t *value;

    DONE(mgc_microgrid_add_device(site, json_string_value(json_object_get(v, "type")),
                                  json_string_value(json_object_get(v, "id")), &device));
    json_object_foreach((json_t *)v, key, value)
    {
        if (strcmp(key, "type") == 0 || strcmp(key, "id") == 0) continue;
        if (strcmp(key, "variables") == 0) read_variables(device, value);
        else if (strcmp(key, "constraints") == 0) read_constraints(device, value);
        else if (json_is_string(value)) DONE(mgc_device_set_text(device, key, json_string_value(value)));
        else set_value(device, key, value, device_number, device_series, device_scenario);
    }
}

static void read_microgrid(mgc_model *model, const json_t *v)
{
    static double p[10000];
    json_t *probability = json_object_get(v, "scenario_probability"), *value, *devices = json_object_get(v, "devices");
    size_t k = json_array_size(probability), i;
    const char *key;
    mgc_microgrid *site;

    DONE(mgc_model_add_microgrid(model, json_string_value(json_object_get(v, "id")), k > 0 ? (uint32_t)k : 1, &site));
    if (k > 0) {
        numbers(probability, p, 10000);
        DONE(mgc_microgrid_set_probability(site, p, k));
    }
    json_object_foreach((json_t *)v, key, value)
    {
        if (strcmp(key, "grid") == 0 || strcmp(key, "market") == 0) read_market(site, value, microgrid_number, microgrid_series);
        else if (strcmp(key, "ambiguity") == 0) read_ambiguity(site, value);
        else if (strcmp(key, "carbon_quota_kg") == 0 || strcmp(key, "heat_venting") == 0)
            set_value(site, key, value, microgrid_number, microgrid_series, NULL);
    }
    json_array_foreach(devices, i, value) read_device(site, value);
}

static void read_link(mgc_model *model, const json_t *v)
{
    json_t *between = json_object_get(v, "between"), *value;
    const char *key;
    mgc_link *link;

    DONE(mgc_model_add_link(model, json_string_value(json_array_get(between, 0)), json_string_value(json_array_get(between, 1)),
                            json_string_value(json_object_get(v, "carrier")), &link));
    json_object_foreach((json_t *)v, key, value)
    {
        if (strcmp(key, "between") != 0 && strcmp(key, "carrier") != 0)
            set_value(link, key, value, link_number, link_series, NULL);
    }
}

mgc_model *model_from_json(mgc_ctx *ctx, const json_t *root)
{
    mgc_model *model;
    json_t *sites = json_object_get(root, "microgrids"), *links = json_object_get(root, "links"), *v;
    size_t i;

    the_ctx = ctx;
    DONE(mgc_model_create(ctx, (uint32_t)json_integer_value(json_object_get(root, "periods")),
                          number(json_object_get(root, "period_minutes")) / 60, &model));
    read_market(model, json_object_get(root, "market"), model_number, model_series);
    json_array_foreach(sites, i, v) read_microgrid(model, v);
    json_array_foreach(links, i, v) read_link(model, v);
    return model;
}

mgc_model *case_model(mgc_ctx *ctx, const char *name)
{
    json_t *root = case_json(name);
    mgc_model *model = model_from_json(ctx, root);

    json_decref(root);
    return model;
}
