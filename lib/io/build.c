/* SPDX-License-Identifier: Apache-2.0 */
/* From the tree to the model: market, microgrids, devices, links. */
#include <math.h>

#include "io/case.h"

static const char *const carriers[] = {"electricity", "heat"};

/* Keys of the scope "microgrid" that case files keep under `grid`: the limits of the connections. */
static bool is_grid_key(const char *key)
{
    static const char suffix[] = "_limit_kw";
    size_t n = strlen(key), m = sizeof suffix - 1;

    return n > m && strcmp(key + n - m, suffix) == 0;
}

static bool is_site_key(const char *key)
{
    return !is_grid_key(key);
}

/* --- the market ------------------------------------------------------------------------------------------------- */

/* A series that differs between scenarios belongs to microgrids, which have scenarios; the market of the case has
 * none. */
static bool differs_between_scenarios(const mgc__node *node, const mgc_param_info *info)
{
    return info->kind == MGC_PARAM_UNCERTAIN &&
           (mgc__map_get(node, "scenarios") != NULL || mgc__map_get(node, "history") != NULL);
}

static void read_carbon(mgc__loader *l, const mgc__at *at, const mgc__node *market, const mgc__target *target)
{
    const mgc__node *map = mgc__map_get(market, "carbon");
    const mgc__keys *keys = mgc__scope_keys(l, "carbon");
    mgc__at here = {at, "carbon", 0};

    if (map == NULL || keys == NULL || !mgc__want_map(l, &here, map)) return;
    mgc__check_keys(l, &here, map, NULL, 0, keys, NULL);
    mgc__set_params(l, &here, map, keys, target, NULL);
}

/* The keys of one market map, of the case (target: the model) or of a microgrid. */
static void read_market(mgc__loader *l, const mgc__at *at, const mgc__node *map, const mgc__target *target)
{
    static const char *const own[] = {"carbon"};
    const mgc__keys *keys = mgc__scope_keys(l, "market");

    if (map == NULL || keys == NULL || !mgc__want_map(l, at, map)) return;
    mgc__check_keys(l, at, map, own, MGC__IO_COUNT(own), keys, NULL);
    for (const mgc__node *item = map->u.first; item != NULL && l->status == MGC_OK; item = item->next) {
        const mgc_param_info *info = mgc__find_key(keys, item->key->u.text);
        if (info == NULL || (target->kind == TARGET_MODEL && differs_between_scenarios(item, info))) continue;
        mgc__at here = {at, info->key, 0};
        mgc__set_param(l, &here, item, info, target);
    }
    read_carbon(l, at, map, target);
}

/* What the case's market says by scenario, for a microgrid whose own market does not say it. */
static void inherit_scenarios(mgc__loader *l, const mgc__node *market, const mgc__node *own,
                              const mgc__target *target)
{
    const mgc__keys *keys = mgc__scope_keys(l, "market");
    mgc__at at = {NULL, "market", 0};

    if (market == NULL || market->kind != NODE_MAP) return;
    for (const mgc__node *item = market->u.first; item != NULL && l->status == MGC_OK; item = item->next) {
        const mgc_param_info *info = mgc__find_key(keys, item->key->u.text);
        if (info == NULL || !differs_between_scenarios(item, info) || mgc__map_get(own, info->key) != NULL) continue;
        mgc__at here = {&at, info->key, 0};
        mgc__set_param(l, &here, item, info, target);
    }
}

/* --- linear devices --------------------------------------------------------------------------------------------- */

static void read_variables(mgc__loader *l, const mgc__at *at, const mgc__node *map, const mgc__target *device)
{
    const mgc__keys *keys = mgc__scope_keys(l, "variable");

    if (keys == NULL || !mgc__want_map(l, at, map)) return;
    for (const mgc__node *item = map->u.first; item != NULL && l->status == MGC_OK; item = item->next) {
        const char *name = item->key->u.text;
        mgc__at here = {at, name, 0};
        const char *path = mgc__path(l, &here);
        mgc__mark mark = mgc__mark_of_key(l, item);
        mgc__target target = {
            .kind = TARGET_VARIABLE, .plan = device->plan, .realised = device->realised, .variable = name};

        if (!mgc__want_map(l, &here, item)) continue;
        mgc__check_keys(l, &here, item, NULL, 0, keys, NULL);
        if (!mgc__core_agreed(l, path, mark, mgc_device_add_variable(device->plan, name))) continue;
        if (device->realised != NULL &&
            !mgc__core_agreed(l, path, mark, mgc_device_add_variable(device->realised, name)))
            continue;
        mgc__set_params(l, &here, item, keys, &target, NULL);
        mgc__tell_missing(l, &here, item, keys);
    }
}

static bool read_bound(mgc__loader *l, const mgc__at *at, const mgc__node *map, const char *key, double none,
                       double *value)
{
    const mgc__node *node = mgc__map_get(map, key);
    mgc__at here = {at, key, 0};

    *value = none;
    return node == NULL || mgc__is_null(node) || mgc__read_number(l, &here, node, value);
}

static void read_terms(mgc__loader *l, const mgc__at *at, const mgc__node *map, void *device, uint32_t constraint,
                       int32_t previous)
{
    double coefficient;

    if (map == NULL || !mgc__want_map(l, at, map)) return;
    for (const mgc__node *item = map->u.first; item != NULL && l->status == MGC_OK; item = item->next) {
        mgc__at here = {at, item->key->u.text, 0};
        if (!mgc__read_number(l, &here, item, &coefficient)) continue;
        mgc__core_agreed(l, mgc__path(l, &here), mgc__mark_of_key(l, item),
                         mgc_device_add_term(device, constraint, item->key->u.text, coefficient, previous));
    }
}

static void read_constraint(mgc__loader *l, const mgc__at *at, const mgc__node *map, const mgc__target *target)
{
    static const char *const own[] = {"terms", "previous", "lower", "upper"};
    void *const device[] = {target->plan, target->realised};
    mgc__at at_terms = {at, "terms", 0}, at_previous = {at, "previous", 0};
    double lower, upper;

    if (!mgc__want_map(l, at, map)) return;
    mgc__check_keys(l, at, map, own, MGC__IO_COUNT(own), NULL, NULL);
    bool ok = read_bound(l, at, map, "lower", -INFINITY, &lower);
    if (!read_bound(l, at, map, "upper", INFINITY, &upper) || !ok) return;
    if (mgc__map_get(map, "terms") == NULL && mgc__map_get(map, "previous") == NULL) {
        mgc__issue(l, mgc__mark_of(l, map), &at_terms, "is missing\tterms: {variable: coefficient}");
        return;
    }
    for (size_t i = 0; i < 2 && device[i] != NULL && l->status == MGC_OK; i++) {
        uint32_t number;
        if (!mgc__core_agreed(l, mgc__path(l, at), mgc__mark_of(l, map),
                              mgc_device_add_constraint(device[i], lower, upper, &number)))
            return;
        read_terms(l, &at_terms, mgc__map_get(map, "terms"), device[i], number, 0);
        read_terms(l, &at_previous, mgc__map_get(map, "previous"), device[i], number, 1);
    }
}

static void read_linear(mgc__loader *l, const mgc__at *at, const mgc__node *map, const mgc__target *target)
{
    const mgc__node *variables = mgc__map_get(map, "variables"), *constraints = mgc__map_get(map, "constraints");
    mgc__at at_variables = {at, "variables", 0}, at_constraints = {at, "constraints", 0};
    size_t i = 0;

    if (variables == NULL)
        mgc__issue(l, mgc__mark_of(l, map), &at_variables,
                   "is missing\tvariables: {name: {upper: kW, electricity: kW per kW}}");
    else read_variables(l, &at_variables, variables, target);
    if (constraints == NULL || !mgc__want_list(l, &at_constraints, constraints)) return;
    for (const mgc__node *item = constraints->u.first; item != NULL && l->status == MGC_OK; item = item->next, i++) {
        mgc__at here = {&at_constraints, NULL, i};
        read_constraint(l, &here, item, target);
    }
}

/* --- devices ---------------------------------------------------------------------------------------------------- */

/* The type of a device, or NULL: told. */
static const char *read_type(mgc__loader *l, const mgc__at *at, const mgc__node *map)
{
    enum { TYPES_MAX = 64 };
    const char *types[TYPES_MAX], *type;
    const mgc__node *node = mgc__map_get(map, "type");
    mgc__at here = {at, "type", 0};
    uint32_t n = 0;

    while (n < TYPES_MAX && (types[n] = mgc_device_type(n)) != NULL) n++;
    if (node == NULL) {
        mgc__issue(l, mgc__mark_of(l, map), &here, "is missing\tone of load, pv, wind, chp, storage, ...");
        return NULL;
    }
    return mgc__read_word(l, &here, node, types, n, &type) ? type : NULL;
}

static bool add_device(mgc__loader *l, const mgc__at *at, const mgc__node *id, const char *type,
                       const mgc__target *site, mgc__target *target)
{
    mgc_device *plan = NULL, *realised = NULL;

    mgc_status status = mgc_microgrid_add_device(site->plan, type, id->u.text, &plan);
    if (status == MGC_OK && site->realised != NULL)
        status = mgc_microgrid_add_device(site->realised, type, id->u.text, &realised);
    *target = (mgc__target){.kind = TARGET_DEVICE, .plan = plan, .realised = realised, .scenarios = site->scenarios};
    return mgc__core_agreed(l, mgc__path(l, at), mgc__mark_of(l, id), status);
}

static void read_device(mgc__loader *l, const mgc__at *parent, size_t index, const mgc__node *map,
                        const mgc__target *site)
{
    static const char *const own[] = {"type", "id", "variables", "constraints"};
    const mgc__node *id_node = mgc__map_get(map, "id");
    mgc__at by_index = {parent, NULL, index}, at = by_index;
    mgc__target target;
    const char *id;

    if (!mgc__want_map(l, &by_index, map)) return;
    if (id_node != NULL && id_node->kind == NODE_SCALAR) at.name = id_node->u.text;
    mgc__at at_id = {&at, "id", 0};
    const char *type = read_type(l, &at, map);
    if (id_node == NULL)
        mgc__issue(l, mgc__mark_of(l, map), &at_id, "is missing\ta name of the device, unique in its microgrid");
    if (id_node == NULL || !mgc__read_id(l, &at_id, id_node, &id) || type == NULL) return;
    const mgc__keys *keys = mgc__scope_keys(l, type);
    bool linear = strcmp(type, "linear") == 0;
    if (keys == NULL) return;
    mgc__check_keys(l, &at, map, own, linear ? 4 : 2, keys, NULL);
    if (!add_device(l, &at_id, id_node, type, site, &target)) return;
    mgc__set_params(l, &at, map, keys, &target, NULL);
    mgc__tell_missing(l, &at, map, keys);
    if (linear) read_linear(l, &at, map, &target);
}

/* --- ambiguity -------------------------------------------------------------------------------------------------- */

/* What a set takes: a radius, or a confidence with its samples; a level; nothing.  The core has the last word on
 * which it has. */
struct set_kind {
    const char *name;
    const char *keys[3];
    size_t n;
};

static const struct set_kind set_kinds[] = {
    {"norm1", {"radius", "confidence", "rule"}, 3},
    {"norm_inf", {"radius", "confidence", "rule"}, 3},
    {"wasserstein", {"radius", "confidence", "rule"}, 3},
    {"kl", {"radius", "confidence", "rule"}, 3},
    {"chi2", {"radius", "confidence", "rule"}, 3},
    {"cvar", {"level", NULL, NULL}, 1},
};

static void set_ambiguity(mgc__loader *l, const mgc__at *at, const mgc__node *node, const mgc__target *site,
                          const char *set, const char *what, double value, uint32_t samples, const char *rule)
{
    mgc_status status = mgc_microgrid_set_ambiguity(site->plan, set, what, value, samples, rule);

    mgc__core_agreed(l, mgc__path(l, at), mgc__mark_of(l, node), status);
}

static void read_set(mgc__loader *l, const mgc__at *at, const mgc__node *map, const struct set_kind *kind,
                     const mgc__target *site, uint32_t samples)
{
    const mgc__node *given = NULL, *rule_node = mgc__map_get(map, "rule");
    mgc__at at_rule = {at, "rule", 0};
    const char *rule = NULL;
    double value;

    if (!mgc__want_map(l, at, map)) return;
    mgc__check_keys(l, at, map, kind->keys, kind->n, NULL, NULL);
    if (rule_node != NULL && !mgc__read_text(l, &at_rule, rule_node, &rule)) return;
    for (size_t i = 0; i < kind->n && given == NULL; i++) /* a radius comes first and wins over a confidence */
        if (strcmp(kind->keys[i], "rule") != 0) given = mgc__map_get(map, kind->keys[i]);
    if (given == NULL) {
        mgc__issue(l, mgc__mark_of_key(l, map), at, "the set has no size\tgive it a %s%s", kind->keys[0],
                   kind->n > 1 ? " or a confidence" : "");
        return;
    }
    mgc__at here = {at, given->key->u.text, 0};
    if (!mgc__read_number(l, &here, given, &value)) return;
    if (strcmp(given->key->u.text, "confidence") == 0 && samples == 0) {
        mgc__issue(
            l, mgc__mark_of(l, given), &here,
            "a confidence needs the number of past days that the probabilities come from\tgive ambiguity.samples");
        return;
    }
    set_ambiguity(l, &here, given, site, kind->name, given->key->u.text, value, samples, rule);
}

static void read_ambiguity(mgc__loader *l, const mgc__at *at, const mgc__node *map, const mgc__target *site)
{
    static const char *const own[] = {"samples", "norm1", "norm_inf", "wasserstein",
                                      "kl",      "chi2",  "cvar",     "worst_case"};
    const mgc__node *samples_node = mgc__map_get(map, "samples"), *worst = mgc__map_get(map, "worst_case");
    mgc__at at_samples = {at, "samples", 0}, at_worst = {at, "worst_case", 0};
    uint64_t samples = l->history.csv != NULL ? l->history.samples : 0;
    bool flag;

    if (map == NULL || !mgc__want_map(l, at, map)) return;
    mgc__check_keys(l, at, map, own, MGC__IO_COUNT(own), NULL, NULL);
    if (samples_node != NULL && !mgc__read_whole(l, &at_samples, samples_node, 1, UINT32_MAX, &samples)) return;
    if (samples == 0 && l->history.given) samples = 1; /* its days are unknown for a fault told at the block */
    for (size_t i = 0; i < MGC__IO_COUNT(set_kinds); i++) {
        const mgc__node *set = mgc__map_get(map, set_kinds[i].name);
        mgc__at here = {at, set_kinds[i].name, 0};
        if (set != NULL) read_set(l, &here, set, &set_kinds[i], site, (uint32_t)samples);
    }
    if (worst != NULL && mgc__read_flag(l, &at_worst, worst, &flag) && flag)
        set_ambiguity(l, &at_worst, worst, site, "worst_case", "", 0, (uint32_t)samples, NULL);
}

/* --- microgrids ------------------------------------------------------------------------------------------------- */

/* The probabilities of a microgrid's scenarios; *n is 1 where there are none. */
static bool read_probability(mgc__loader *l, const mgc__at *at, const mgc__node *list, double **probability,
                             uint32_t *n)
{
    enum { SCENARIOS_MAX = 10000 };
    double sum = 0;
    uint32_t k = 0;

    *n = 1;
    *probability = NULL;
    if (list == NULL || !mgc__want_list(l, at, list) || list->n == 0) return list == NULL || list->kind == NODE_LIST;
    if (list->n > SCENARIOS_MAX) {
        mgc__issue(l, mgc__mark_of(l, list), at, "there are %u scenarios\tat most %d", list->n, SCENARIOS_MAX);
        return false;
    }
    *n = list->n;
    *probability = mgc__take(l, list->n, sizeof **probability);
    for (const mgc__node *item = list->u.first; item != NULL && *probability != NULL; item = item->next, k++) {
        mgc__at here = {at, NULL, k};
        if (!mgc__read_number(l, &here, item, &(*probability)[k])) return false;
        if ((*probability)[k] < 0) {
            mgc__issue(l, mgc__mark_of(l, item), &here, "the probability is %s\tmust not be negative",
                       mgc__show_number(l, (*probability)[k]));
            return false;
        }
        sum += (*probability)[k];
    }
    if (*probability == NULL || fabs(sum - 1) <= 1e-6) return *probability != NULL;
    mgc__issue(l, mgc__mark_of(l, list), at, "the probabilities sum to %s\tmust sum to 1 within 1e-6",
               mgc__show_number(l, sum));
    return false;
}

static bool add_site(mgc__loader *l, const mgc__at *at, const mgc__node *map, const char *id, mgc__target *target)
{
    const mgc__node *list = mgc__map_get(map, "scenario_probability");
    mgc__at here = {at, "scenario_probability", 0}, at_id = {at, "id", 0};
    mgc_microgrid *plan = NULL, *realised = NULL;
    mgc__mark mark = mgc__mark_of(l, mgc__map_get(map, "id"));
    const char *path = mgc__path(l, &at_id);
    double *probability;
    uint32_t n;

    bool ok = read_probability(l, &here, list, &probability, &n);
    if (list != NULL && l->history.given)
        mgc__issue(l, mgc__mark_of_key(l, list), &here,
                   "the case has an uncertainty block, and probabilities come from there\tleave the key away");
    if (l->history.given) n = l->history.scenarios;
    if (!mgc__core_agreed(l, path, mark, mgc_model_add_microgrid(l->model, id, n, &plan))) return false;
    if (l->realised != NULL &&
        !mgc__core_agreed(l, path, mark, mgc_model_add_microgrid(l->realised, id, 1, &realised)))
        return false;
    if (ok && probability != NULL && !l->history.given)
        mgc__core_agreed(l, mgc__path(l, &here), mgc__mark_of(l, list),
                         mgc_microgrid_set_probability(plan, probability, n));
    *target = (mgc__target){.kind = TARGET_SITE, .plan = plan, .realised = realised, .scenarios = n};
    return true;
}

static void read_grid(mgc__loader *l, const mgc__at *at, const mgc__node *map, const mgc__target *site)
{
    const mgc__keys *keys = mgc__scope_keys(l, "microgrid");

    if (map == NULL || keys == NULL || !mgc__want_map(l, at, map)) return;
    mgc__check_keys(l, at, map, NULL, 0, keys, is_grid_key);
    mgc__set_params(l, at, map, keys, site, is_grid_key);
}

static void read_devices(mgc__loader *l, const mgc__at *at, const mgc__node *list, const mgc__target *site)
{
    size_t i = 0;

    if (list == NULL || !mgc__want_list(l, at, list)) return;
    for (const mgc__node *item = list->u.first; item != NULL && l->status == MGC_OK; item = item->next, i++)
        read_device(l, at, i, item, site);
}

static void read_site(mgc__loader *l, const mgc__at *parent, size_t index, const mgc__node *map,
                      const mgc__node *market)
{
    static const char *const own[] = {"id", "market", "grid", "scenario_probability", "ambiguity", "devices"};
    const mgc__keys *keys = mgc__scope_keys(l, "microgrid");
    const mgc__node *id_node = mgc__map_get(map, "id");
    mgc__at by_index = {parent, NULL, index}, at = by_index;
    mgc__target site;
    const char *id;

    if (keys == NULL || !mgc__want_map(l, &by_index, map)) return;
    if (id_node != NULL && id_node->kind == NODE_SCALAR) at.name = id_node->u.text;
    mgc__at at_id = {&at, "id", 0}, at_market = {&at, "market", 0}, at_grid = {&at, "grid", 0};
    mgc__at at_ambiguity = {&at, "ambiguity", 0}, at_devices = {&at, "devices", 0};
    mgc__check_keys(l, &at, map, own, MGC__IO_COUNT(own), keys, is_site_key);
    if (id_node == NULL) mgc__issue(l, mgc__mark_of(l, map), &at_id, "is missing\ta name of the microgrid");
    if (id_node == NULL || !mgc__read_id(l, &at_id, id_node, &id) || !add_site(l, &at, map, id, &site)) return;
    read_market(l, &at_market, mgc__map_get(map, "market"), &site);
    inherit_scenarios(l, market, mgc__map_get(map, "market"), &site);
    read_grid(l, &at_grid, mgc__map_get(map, "grid"), &site);
    mgc__set_params(l, &at, map, keys, &site, is_site_key);
    read_ambiguity(l, &at_ambiguity, mgc__map_get(map, "ambiguity"), &site);
    read_devices(l, &at_devices, mgc__map_get(map, "devices"), &site);
}

static void read_sites(mgc__loader *l, const mgc__node *root)
{
    const mgc__node *list = mgc__map_get(root, "microgrids");
    mgc__at at = {NULL, "microgrids", 0};
    size_t i = 0;

    if (list == NULL)
        mgc__issue(l, mgc__mark_of(l, root), &at, "is missing\ta list of microgrids with their devices");
    if (list == NULL || !mgc__want_list(l, &at, list)) return;
    if (list->n == 0) mgc__issue(l, mgc__mark_of(l, list), &at, "the list is empty\ta case needs a microgrid");
    for (const mgc__node *item = list->u.first; item != NULL && l->status == MGC_OK; item = item->next, i++)
        read_site(l, &at, i, item, mgc__map_get(root, "market"));
}

/* --- links ------------------------------------------------------------------------------------------------------ */

/* All ids that microgrids of the case claim to have, faulty microgrids included, so that
 * one fault is not told twice. */
static size_t site_ids(mgc__loader *l, const mgc__node *root, const char ***ids)
{
    const mgc__node *list = mgc__map_get(root, "microgrids");
    size_t n = 0;

    *ids = NULL;
    if (list == NULL || list->kind != NODE_LIST) return 0;
    *ids = mgc__take(l, list->n + 1, sizeof **ids); /* one more for who appends a word of its own */
    for (const mgc__node *item = list->u.first; item != NULL && *ids != NULL; item = item->next) {
        const mgc__node *id = mgc__map_get(item, "id");
        if (id != NULL && id->kind == NODE_SCALAR) (*ids)[n++] = id->u.text;
    }
    return n;
}

static bool read_between(mgc__loader *l, const mgc__at *at, const mgc__node *list, const char *const *ids, size_t n,
                         const char *member[2])
{
    size_t i = 0;

    if (!mgc__want_list(l, at, list)) return false;
    if (list->n != 2) {
        mgc__issue(l, mgc__mark_of(l, list), at, "names %u microgrids\ta link is between two", list->n);
        return false;
    }
    bool ok = true;
    for (const mgc__node *item = list->u.first; item != NULL; item = item->next, i++) { /* second, it may be the pool: word n */
        mgc__at here = {at, NULL, i};
        ok = mgc__read_word(l, &here, item, ids, i == 0 ? n : n + 1, &member[i]) && ok;
    }
    if (!ok || strcmp(member[0], member[1]) != 0) return ok;
    mgc__issue(l, mgc__mark_of(l, list), at, "the link leads from %s to itself\ta link is between two microgrids",
               member[0]);
    return false;
}

static void read_link(mgc__loader *l, const mgc__at *at, const mgc__node *map, const char *const *ids, size_t n)
{
    static const char *const own[] = {"between", "carrier"};
    const mgc__keys *keys = mgc__scope_keys(l, "link");
    const mgc__node *between = mgc__map_get(map, "between"), *carrier_node = mgc__map_get(map, "carrier");
    mgc__at at_between = {at, "between", 0}, at_carrier = {at, "carrier", 0};
    const char *member[2], *carrier = "";
    mgc_link *plan = NULL, *realised = NULL;

    if (keys == NULL || !mgc__want_map(l, at, map)) return;
    mgc__check_keys(l, at, map, own, MGC__IO_COUNT(own), keys, NULL);
    if (between == NULL) mgc__issue(l, mgc__mark_of(l, map), &at_between, "is missing\tbetween: [first, second]");
    if (carrier_node == NULL) mgc__issue(l, mgc__mark_of(l, map), &at_carrier, "is missing\telectricity or heat");
    bool ok = between != NULL && read_between(l, &at_between, between, ids, n, member);
    ok = carrier_node != NULL &&
         mgc__read_word(l, &at_carrier, carrier_node, carriers, MGC__IO_COUNT(carriers), &carrier) && ok;
    mgc__tell_missing(l, at, map, keys);
    if (!ok || mgc_model_microgrid(l->model, member[0]) == NULL ||
        (member[1] != ids[n] && mgc_model_microgrid(l->model, member[1]) == NULL))
        return;
    mgc_status status = mgc_model_add_link(l->model, member[0], member[1], carrier, &plan);
    if (status == MGC_OK && l->realised != NULL)
        status = mgc_model_add_link(l->realised, member[0], member[1], carrier, &realised);
    if (!mgc__core_agreed(l, mgc__path(l, at), mgc__mark_of(l, map), status)) return;
    mgc__target target = {.kind = TARGET_LINK, .plan = plan, .realised = realised};
    mgc__set_params(l, at, map, keys, &target, NULL);
}

static bool leads_to_pool(const mgc__loader *l, const mgc__node *link)
{
    const mgc__node *between = mgc__map_get(link, "between");

    if (between == NULL || between->kind != NODE_LIST || between->n != 2 || between->u.first->next->kind != NODE_SCALAR) return false;
    return strcmp(between->u.first->next->u.text, mgc_pool_id()) == 0 && mgc_model_microgrid(l->model, mgc_pool_id()) == NULL;
}

static void read_links(mgc__loader *l, const mgc__node *root)
{
    const mgc__node *list = mgc__map_get(root, "links");
    mgc__at at = {NULL, "links", 0};
    const char **ids;
    size_t i = 0, n = site_ids(l, root, &ids);

    if (list == NULL || ids == NULL || !mgc__want_list(l, &at, list)) return;
    ids[n] = mgc_pool_id();
    for (const mgc__node *item = list->u.first; item != NULL && l->status == MGC_OK; item = item->next, i++) {
        mgc__at here = {&at, NULL, i};
        read_link(l, &here, item, ids, n);
        if (i > 0 && leads_to_pool(l, item) != leads_to_pool(l, list->u.first))
            mgc__issue(l, mgc__mark_of(l, item), &here, "a link %s, the first one %s\tall links lead to the pool, or none does",
                       leads_to_pool(l, item) ? "leads to the pool" : "joins two microgrids",
                       leads_to_pool(l, item) ? "joins two microgrids" : "leads to the pool");
    }
}

/* --- bargaining ------------------------------------------------------------------------------------------------- */

static void read_given_weights(mgc__loader *l, const mgc__at *at, const mgc__node *map, const char *const *ids,
                               size_t n)
{
    mgc_case *kase = l->kase;
    double sum = 0;

    size_t before = mgc__issue_errors(kase);
    kase->info.weights = MGC_WEIGHTS_GIVEN;
    kase->weight = mgc__arena_alloc(&kase->arena, n, sizeof *kase->weight);
    if (kase->weight == NULL) {
        l->status = mgc__io_no_memory(l->ctx, "weights");
        return;
    }
    mgc__check_keys(l, at, map, ids, n, NULL, NULL);
    for (size_t i = 0; i < n; i++) {
        const mgc__node *node = mgc__map_get(map, ids[i]);
        mgc__at here = {at, ids[i], 0};
        if (node == NULL) mgc__issue(l, mgc__mark_of(l, map), &here, "is missing\tgive a weight to every microgrid");
        if (node == NULL || !mgc__read_number(l, &here, node, &kase->weight[i])) continue;
        if (kase->weight[i] < 0)
            mgc__issue(l, mgc__mark_of(l, node), &here, "the weight is %s\tmust not be negative",
                       mgc__show_number(l, kase->weight[i]));
        sum += kase->weight[i];
    }
    if (!(sum > 0) && mgc__issue_errors(kase) == before)
        mgc__issue(l, mgc__mark_of(l, map), at, "the weights are all 0\tone must be positive");
}

/* A pool instead of the links, once they are all there. */
static void read_pool(mgc__loader *l, const mgc__at *at, const mgc__node *node)
{
    bool pool = false;

    if (!mgc__read_flag(l, at, node, &pool) || !pool || mgc__issue_errors(l->kase) > 0) return;
    mgc_status st = mgc_pool_links(l->model);
    if (st == MGC_OK && l->realised != NULL) st = mgc_pool_links(l->realised);
    mgc__core_agreed(l, mgc__path(l, at), mgc__mark_of(l, node), st);
}

static void read_bargaining(mgc__loader *l, const mgc__node *root)
{
    static const char *const own[] = {"weights", "pool"}, *const words[] = {"equal", "contribution"};
    const mgc__node *map = mgc__map_get(root, "bargaining"), *weights = mgc__map_get(map, "weights");
    const mgc__node *pool = mgc__map_get(map, "pool");
    mgc__at at = {NULL, "bargaining", 0}, here = {&at, "weights", 0}, at_pool = {&at, "pool", 0};
    const char **ids, *word;

    l->kase->info.weights = MGC_WEIGHTS_EQUAL;
    if (map == NULL || !mgc__want_map(l, &at, map)) return;
    mgc__check_keys(l, &at, map, own, MGC__IO_COUNT(own), NULL, NULL);
    if (pool != NULL) read_pool(l, &at_pool, pool);
    if (weights == NULL) return;
    if (weights->kind == NODE_MAP) {
        size_t n = site_ids(l, root, &ids);
        read_given_weights(l, &here, weights, ids, n);
    } else if (mgc__read_word(l, &here, weights, words, MGC__IO_COUNT(words), &word)) {
        l->kase->info.weights = strcmp(word, "equal") == 0 ? MGC_WEIGHTS_EQUAL : MGC_WEIGHTS_CONTRIBUTION;
    }
}

/* --- all of it -------------------------------------------------------------------------------------------------- */

void mgc__build(mgc__loader *l, const mgc__node *root)
{
    mgc__at at = {NULL, "market", 0};
    mgc__target market = {.kind = TARGET_MODEL, .plan = l->model, .realised = l->realised};

    read_market(l, &at, mgc__map_get(root, "market"), &market);
    read_sites(l, root);
    read_links(l, root);
    read_bargaining(l, root);
    mgc__history_apply(l);
}
