/* SPDX-License-Identifier: Apache-2.0 */
/* Where parameters go: into the model, and into its twin of the realised day, through the core's public setters. */
#include "io/case.h"

bool mgc__core_agreed(mgc__loader *l, const char *path, mgc__mark mark, mgc_status status)
{
    static const char room[] = "dispatch: ";

    if (status == MGC_OK) return true;
    if (status == MGC_E_NO_MEMORY) {
        l->status = status;
        return false;
    }
    const char *text = mgc_ctx_error(l->ctx);
    if (strncmp(text, room, sizeof room - 1) == 0) text += sizeof room - 1;
    mgc__issue_path(l, mark, path, "%s", *text != '\0' ? text : mgc_status_text(status));
    return false;
}

static mgc_status set_number(const mgc__target *t, void *handle, const char *key, double value)
{
    switch (t->kind) {
    case TARGET_MODEL: return mgc_model_set_number(handle, key, value);
    case TARGET_SITE: return mgc_microgrid_set_number(handle, key, value);
    case TARGET_DEVICE: return mgc_device_set_number(handle, key, value);
    case TARGET_LINK: return mgc_link_set_number(handle, key, value);
    case TARGET_VARIABLE: return mgc_device_set_variable(handle, t->variable, key, value);
    }
    return MGC_E_INTERNAL;
}

static mgc_status set_series(const mgc__target *t, void *handle, const char *key, const double *values, size_t n)
{
    switch (t->kind) {
    case TARGET_MODEL: return mgc_model_set_series(handle, key, values, n);
    case TARGET_SITE: return mgc_microgrid_set_series(handle, key, values, n);
    case TARGET_DEVICE: return mgc_device_set_series(handle, key, values, n);
    case TARGET_LINK: return mgc_link_set_series(handle, key, values, n);
    case TARGET_VARIABLE: return mgc_device_set_variable_series(handle, t->variable, key, values, n);
    }
    return MGC_E_INTERNAL;
}

static mgc_status set_scenario(const mgc__target *t, void *handle, const char *key, uint32_t k, const double *values,
                               size_t n)
{
    if (t->kind == TARGET_SITE) return mgc_microgrid_set_scenario(handle, key, k, values, n);
    return mgc_device_set_scenario(handle, key, k, values, n);
}

bool mgc__target_number(mgc__loader *l, const mgc__target *t, const char *path, mgc__mark mark, const char *key,
                        double value)
{
    mgc_status status = set_number(t, t->plan, key, value);

    if (status == MGC_OK && t->realised != NULL) status = set_number(t, t->realised, key, value);
    return mgc__core_agreed(l, path, mark, status);
}

bool mgc__target_word(mgc__loader *l, const mgc__target *t, const char *path, mgc__mark mark, const char *key,
                      const char *word)
{
    if (t->kind != TARGET_DEVICE) return mgc__core_agreed(l, path, mark, MGC_E_UNSUPPORTED);
    mgc_status status = mgc_device_set_text(t->plan, key, word);
    if (status == MGC_OK && t->realised != NULL) status = mgc_device_set_text(t->realised, key, word);
    return mgc__core_agreed(l, path, mark, status);
}

bool mgc__target_series(mgc__loader *l, const mgc__target *t, const char *path, mgc__mark mark, const char *key,
                        const double *plan, const double *realised)
{
    mgc_status status = set_series(t, t->plan, key, plan, l->periods);

    if (status == MGC_OK && t->realised != NULL) status = set_series(t, t->realised, key, realised, l->periods);
    return mgc__core_agreed(l, path, mark, status);
}

bool mgc__target_scenarios(mgc__loader *l, const mgc__target *t, const char *path, mgc__mark mark, const char *key,
                           const double *plan, const double *realised)
{
    mgc_status status = MGC_OK;

    for (uint32_t k = 0; k < t->scenarios && status == MGC_OK; k++)
        status = set_scenario(t, t->plan, key, k, plan + (size_t)k * l->periods, l->periods);
    if (status == MGC_OK && t->realised != NULL) status = set_series(t, t->realised, key, realised, l->periods);
    return mgc__core_agreed(l, path, mark, status);
}
