/* SPDX-License-Identifier: Apache-2.0 */
/* One number a period: a number, a list, a column of a file; or one of these for each scenario; or out of history. */
#include <math.h>

#include "io/case.h"

enum { COMPLAINTS_MAX = 3 }; /* about one series: a wrong unit should not fill the list of issues */

/* What is done to every value before it is checked and kept. */
struct shape {
    const mgc_param_info *info;
    double scale, offset;
};

static bool keep_value(mgc__loader *l, const mgc__at *at, mgc__mark mark, const struct shape *shape, double raw,
                       double *value)
{
    *value = raw * shape->scale + shape->offset;
    return mgc__check_range(l, mark, at, shape->info, *value);
}

bool mgc__read_scale(mgc__loader *l, const mgc__at *at, const mgc__node *map, double *scale, double *offset)
{
    const mgc__node *scale_node = mgc__map_get(map, "scale"), *offset_node = mgc__map_get(map, "offset");
    mgc__at at_scale = {at, "scale", 0}, at_offset = {at, "offset", 0};
    bool ok = true;

    *scale = 1;
    *offset = 0;
    if (scale_node != NULL) ok = mgc__read_number(l, &at_scale, scale_node, scale);
    if (offset_node != NULL) ok = mgc__read_number(l, &at_offset, offset_node, offset) && ok;
    return ok;
}

static bool read_list(mgc__loader *l, const mgc__at *at, const mgc__node *list, const struct shape *shape,
                      double *values)
{
    uint32_t complaints = 0, t = 0;
    double raw;

    if (list->n != l->periods) {
        mgc__issue(l, mgc__mark_of(l, list), at, "the series has %u values\tmust be %u, one a period", list->n,
                   l->periods);
        return false;
    }
    for (const mgc__node *item = list->u.first; item != NULL && complaints < COMPLAINTS_MAX; item = item->next, t++) {
        mgc__at here = {at, NULL, t};
        if (!mgc__read_number(l, &here, item, &raw) ||
            !keep_value(l, &here, mgc__mark_of(l, item), shape, raw, &values[t]))
            complaints++;
    }
    return complaints == 0;
}

/* Rows that the days of a rolling run have used up. */
static uint64_t shifted_rows(const mgc__loader *l)
{
    return l->opts.day_shift > 0 ? (uint64_t)l->opts.day_shift * 1440 / l->period_minutes : 0;
}

/* Rows are taken by their number.  Where the file says that they are those of another time, the user hears it. */
static void tell_other_day(mgc__loader *l, const mgc__csv *csv, const mgc__at *at, const mgc__node *map, size_t row)
{
    char found[MGC__TIME_TEXT], wanted[MGC__TIME_TEXT];
    int64_t step = (int64_t)l->period_minutes * 60;

    if (csv->time_column == SIZE_MAX || csv->time[row] == l->start) return;
    mgc__time_format(csv->time[row], found);
    mgc__time_format(l->start, wanted);
    int64_t away = (int64_t)row + (l->start - csv->time[row]) / step - (int64_t)shifted_rows(l);
    if (away >= 0 && away + l->periods <= (int64_t)csv->rows && (l->start - csv->time[row]) % step == 0)
        mgc__warning(l, mgc__mark_of(l, map), at,
                     "%s begins at %s in the row taken, the case at %s\t\"skip: %lld\" takes that row",
                     mgc__show(l, csv->name), found, wanted, (long long)away);
    else
        mgc__warning(l, mgc__mark_of(l, map), at, "%s begins at %s in the row taken, the case at %s",
                     mgc__show(l, csv->name), found, wanted);
}

static bool read_column(mgc__loader *l, const mgc__at *at, const mgc__node *map, const struct shape *shape,
                        double *values)
{
    static const char *const keys[] = {"csv", "column", "skip", "scale", "offset"};
    const mgc__node *csv_node = mgc__map_get(map, "csv"), *column_node = mgc__map_get(map, "column"),
                    *skip_node = mgc__map_get(map, "skip");
    mgc__at at_csv = {at, "csv", 0}, at_column = {at, "column", 0}, at_skip = {at, "skip", 0};
    struct shape inner = *shape;
    double scale, offset, raw;
    uint64_t skip = 0;

    mgc__check_keys(l, at, map, keys, MGC__IO_COUNT(keys), NULL, NULL);
    bool ok = mgc__read_scale(l, at, map, &scale, &offset);
    if (column_node == NULL)
        mgc__issue(l, mgc__mark_of(l, map), &at_column, "is missing\tthe name of a column of the file");
    if (skip_node != NULL) ok = mgc__read_whole(l, &at_skip, skip_node, 0, UINT32_MAX, &skip) && ok;
    mgc__csv *csv = mgc__csv_open(l, &at_csv, csv_node);
    if (csv == NULL || column_node == NULL) return false;
    size_t column = mgc__csv_column(l, csv, &at_column, column_node);
    if (column == SIZE_MAX || !ok) return false;
    skip += shifted_rows(l);
    if (csv->rows < skip || csv->rows - skip < l->periods) {
        mgc__issue(l, mgc__mark_of(l, map), at, "%s has %zu rows, %zu of them after skip; one a period are %u",
                   mgc__show(l, csv->name), csv->rows, csv->rows < skip ? (size_t)0 : csv->rows - (size_t)skip,
                   l->periods);
        return false;
    }
    const char *path = mgc__path(l, at);
    if (!mgc__csv_times(l, csv, path, (size_t)skip, l->periods)) return false;
    tell_other_day(l, csv, at, map, (size_t)skip);
    inner.offset = offset * shape->scale + shape->offset;
    inner.scale = scale * shape->scale;
    uint32_t complaints = 0;
    for (uint32_t t = 0; t < l->periods && complaints < COMPLAINTS_MAX; t++) {
        size_t row = (size_t)skip + t;
        if (!mgc__csv_number(l, csv, path, row, column, &raw) ||
            !keep_value(l, at, mgc__csv_mark(csv, row, column), &inner, raw, &values[t]))
            complaints++;
    }
    return complaints == 0;
}

/* A plain series: a number, a list or a column of a file, into values[periods]. */
static bool read_plain(mgc__loader *l, const mgc__at *at, const mgc__node *node, const struct shape *shape,
                       double *values)
{
    if (node->kind == NODE_LIST) return read_list(l, at, node, shape, values);
    if (node->kind == NODE_MAP) {
        if (mgc__map_get(node, "csv") != NULL) return read_column(l, at, node, shape, values);
        mgc__issue(l, mgc__mark_of(l, node), at,
                   "a series that is a map must say csv\t{csv: file, column: name, skip: rows, scale: x}");
        return false;
    }
    double raw;
    if (!mgc__read_number(l, at, node, &raw) || !keep_value(l, at, mgc__mark_of(l, node), shape, raw, &values[0]))
        return false;
    for (uint32_t t = 1; t < l->periods; t++) values[t] = values[0];
    return true;
}

static bool may_have_scenarios(mgc__loader *l, const mgc__at *at, const mgc__node *map, const mgc_param_info *info,
                               const mgc__target *target)
{
    if (info->kind != MGC_PARAM_UNCERTAIN) {
        mgc__issue(l, mgc__mark_of_key(l, map), at, "%s is not uncertain and takes no scenarios\tgive one series",
                   info->key);
        return false;
    }
    if (l->history.given) {
        mgc__issue(l, mgc__mark_of_key(l, map), at,
                   "the case has an uncertainty block, and its scenarios come from there\twrite {history: column}");
        return false;
    }
    return target->scenarios > 0;
}

static void set_scenarios(mgc__loader *l, const mgc__at *at, const mgc__node *map, const mgc_param_info *info,
                          const mgc__target *target)
{
    static const char *const keys[] = {"scenarios", "scale", "offset"};
    const mgc__node *list = mgc__map_get(map, "scenarios");
    mgc__at at_list = {at, "scenarios", 0};
    struct shape shape = {.info = info};
    uint32_t k = 0;

    mgc__check_keys(l, at, map, keys, MGC__IO_COUNT(keys), NULL, NULL);
    bool ok = mgc__read_scale(l, at, map, &shape.scale, &shape.offset) && mgc__want_list(l, &at_list, list);
    if (!ok || !may_have_scenarios(l, at, map, info, target)) return;
    if (list->n != target->scenarios) {
        mgc__issue(l, mgc__mark_of(l, list), &at_list, "there are %u scenarios; scenario_probability has %u%s",
                   list->n, target->scenarios,
                   target->scenarios == 1 ? "\tgive the microgrid a scenario_probability of as many entries" : "");
        return;
    }
    double *values = mgc__take(l, (size_t)list->n * l->periods, sizeof *values);
    for (const mgc__node *item = list->u.first; item != NULL && values != NULL; item = item->next, k++) {
        mgc__at here = {&at_list, NULL, k};
        ok = read_plain(l, &here, item, &shape, values + (size_t)k * l->periods) && ok;
    }
    if (ok && values != NULL)
        mgc__target_scenarios(l, target, mgc__path(l, at), mgc__mark_of(l, map), info->key, values, values);
}

void mgc__set_series(mgc__loader *l, const mgc__at *at, const mgc__node *node, const mgc_param_info *info,
                     const mgc__target *target)
{
    struct shape shape = {info, 1, 0};
    double number;

    if (node->kind == NODE_SCALAR) {
        if (mgc__read_number(l, at, node, &number) && mgc__check_range(l, mgc__mark_of(l, node), at, info, number))
            mgc__target_number(l, target, mgc__path(l, at), mgc__mark_of(l, node), info->key, number);
        return;
    }
    if (mgc__map_get(node, "scenarios") != NULL) {
        set_scenarios(l, at, node, info, target);
        return;
    }
    if (mgc__map_get(node, "history") != NULL) {
        mgc__history_want(l, at, node, info, target);
        return;
    }
    if (node->kind == NODE_MAP && mgc__map_get(node, "csv") == NULL) {
        static const char *const keys[] = {"csv", "scenarios", "history"};
        mgc__check_keys(l, at, node, keys, MGC__IO_COUNT(keys), NULL, NULL);
        if (node->n == 0) mgc__issue(l, mgc__mark_of(l, node), at, "the map is empty\tsay csv, scenarios or history");
        return;
    }
    double *values = mgc__take(l, l->periods, sizeof *values);
    if (values != NULL && read_plain(l, at, node, &shape, values))
        mgc__target_series(l, target, mgc__path(l, at), mgc__mark_of(l, node), info->key, values, values);
}
