/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios out of the past: each day of a window before the realised day gives one joint sample of all uncertain
 * series, so that what belongs together (cold, dark, windy) stays together; the core reduces the samples to few
 * scenarios. */
#include <math.h>

#include "io/case.h"

enum { DAY = 86400, WINDOW_MAX = 3660, SCENARIOS_MAX = 1000 };

/* --- the block `uncertainty` ------------------------------------------------------------------------------------ */

static bool read_day(mgc__loader *l, const mgc__at *at, const mgc__node *node, int64_t *day)
{
    const char *text;
    int64_t date;

    *day = l->start;
    if (node == NULL) return true;
    mgc__at here = {at, "day", 0};
    if (!mgc__read_text(l, &here, node, &text)) return false;
    if (!mgc__date_parse(text, &date)) {
        mgc__issue(l, mgc__mark_of(l, node), &here, "\"%s\" is not a date\tdates look like 2019-07-16",
                   mgc__show(l, text));
        return false;
    }
    *day =
        date + (int64_t)l->opts.day_shift * DAY + l->start % DAY; /* the case's day begins at the same time of day */
    return true;
}

static bool read_count(mgc__loader *l, const mgc__at *at, const mgc__node *map, const char *key, uint32_t upper,
                       uint32_t *value)
{
    const mgc__node *node = mgc__map_get(map, key);
    mgc__at here = {at, key, 0};
    uint64_t whole;

    if (node == NULL) return true;
    if (!mgc__read_whole(l, &here, node, 1, upper, &whole)) return false;
    *value = (uint32_t)whole;
    return true;
}

static bool read_settings(mgc__loader *l, const mgc__at *at, const mgc__node *map)
{
    static const char *const methods[] = {"k-medoids", "forward-selection"};
    mgc__history *h = &l->history;
    const mgc__node *method = mgc__map_get(map, "method"), *seed = mgc__map_get(map, "seed");
    mgc__at at_method = {at, "method", 0}, at_seed = {at, "seed", 0};

    bool ok = read_day(l, at, mgc__map_get(map, "day"), &h->day);
    ok = read_count(l, at, map, "window_days", WINDOW_MAX, &h->window_days) && ok;
    ok = read_count(l, at, map, "scenarios", SCENARIOS_MAX, &h->scenarios) && ok;
    if (method != NULL) ok = mgc__read_word(l, &at_method, method, methods, MGC__IO_COUNT(methods), &h->method) && ok;
    if (seed != NULL) ok = mgc__read_whole(l, &at_seed, seed, 0, (uint64_t)1 << 53, &h->seed) && ok;
    return ok;
}

/* The row of the realised day's first period. */
static bool find_day(mgc__loader *l, const mgc__at *at, const mgc__node *map, mgc__csv *csv)
{
    mgc__history *h = &l->history;
    const mgc__node *node = mgc__map_get(map, "day");
    mgc__mark mark = mgc__mark_of(l, node != NULL ? node : map);
    mgc__at here = {at, "day", 0};
    char day[MGC__TIME_TEXT], first[MGC__TIME_TEXT], last[MGC__TIME_TEXT];
    int64_t step = (int64_t)l->period_minutes * 60;

    if (csv->time_column == SIZE_MAX) {
        mgc__issue_path(l, (mgc__mark){csv->shown, csv->header_line, 0}, mgc__path(l, at),
                        "a history needs the column \"time_utc\"\ttimes look like 2019-07-16T00:00:00Z");
        return false;
    }
    if (csv->rows == 0) {
        mgc__issue_path(l, (mgc__mark){csv->shown, csv->header_line, 0}, mgc__path(l, at), "the history has no rows");
        return false;
    }
    if (!mgc__csv_times(l, csv, mgc__path(l, at), 0, csv->rows)) return false;
    int64_t begin = csv->time[0], end = csv->time[csv->rows - 1];
    mgc__time_format(h->day, day);
    mgc__time_format(begin, first);
    mgc__time_format(end, last);
    if (h->day < begin || h->day + (int64_t)(l->periods - 1) * step > end) {
        mgc__issue(l, mark, &here, "the day begins %s and is %u periods long; the history goes from %s to %s", day,
                   l->periods, first, last);
        return false;
    }
    if ((h->day - begin) % step != 0) {
        mgc__issue(l, mark, &here, "no row of the history begins at %s\tits rows begin %s and every %u minutes after",
                   day, first, l->period_minutes);
        return false;
    }
    h->row = (size_t)((h->day - begin) / step);
    return true;
}

/* Days of the window that lie in the file and end before the realised day begins. */
static bool find_samples(mgc__loader *l, const mgc__at *at, const mgc__node *map)
{
    mgc__history *h = &l->history;
    int64_t step = (int64_t)l->period_minutes * 60;

    if (DAY % step != 0) {
        mgc__issue(l, h->mark, at, "periods of %u minutes do not divide a day, and the history is read by days",
                   l->period_minutes);
        return false;
    }
    size_t a_day = (size_t)(DAY / step);
    h->sample = mgc__take(l, h->window_days, sizeof *h->sample);
    if (h->sample == NULL) return false;
    for (uint32_t d = h->window_days; d >= 1; d--) {
        if ((size_t)d * a_day > h->row || (size_t)d * a_day < l->periods) continue;
        h->sample[h->samples++] = h->row - (size_t)d * a_day;
    }
    const mgc__node *node = mgc__map_get(map, "window_days");
    mgc__mark mark = node != NULL ? mgc__mark_of(l, node) : h->mark;
    mgc__at here = {at, "window_days", 0};
    if (h->samples < h->scenarios) {
        mgc__issue(l, mark, &here,
                   "the history has %zu whole days before the day, of the %u asked for; %u scenarios need as many\t"
                   "choose a later day, more days, or fewer scenarios",
                   h->samples, h->window_days, h->scenarios);
        return false;
    }
    if (h->samples < h->window_days)
        mgc__warning(l, mark, &here, "the history has %zu of the %u days asked for\tsamples are counted as %zu",
                     h->samples, h->window_days, h->samples);
    return true;
}

void mgc__history_read(mgc__loader *l, const mgc__node *map)
{
    static const char *const keys[] = {"csv", "day", "window_days", "scenarios", "method", "seed"};
    mgc__at at = {NULL, "uncertainty", 0}, at_csv = {&at, "csv", 0};
    mgc__history *h = &l->history;

    h->last_wanted = &h->wanted;
    if (map == NULL) return;
    h->given = true;
    h->mark = mgc__mark_of_key(l, map);
    h->window_days = 45;
    h->scenarios = 10;
    h->method = "k-medoids";
    h->seed = 1;
    if (!mgc__want_map(l, &at, map)) return;
    mgc__check_keys(l, &at, map, keys, MGC__IO_COUNT(keys), NULL, NULL);
    bool ok = read_settings(l, &at, map);
    const mgc__node *file = mgc__map_get(map, "csv");
    if (file == NULL) {
        mgc__issue(l, h->mark, &at_csv, "is missing\tthe file of past days, with a column time_utc");
        return;
    }
    mgc__csv *csv = mgc__csv_open(l, &at_csv, file);
    if (csv != NULL && ok && find_day(l, &at, map, csv) && find_samples(l, &at, map)) h->csv = csv;
}

/* --- series that ask for it ------------------------------------------------------------------------------------- */

static size_t find_pair(mgc__loader *l, size_t actual, size_t forecast)
{
    mgc__history *h = &l->history;

    for (size_t i = 0; i < h->n_pairs; i++)
        if (h->pairs[i].actual == actual && h->pairs[i].forecast == forecast) return i;
    if (!mgc__io_grow(l->ctx, (void **)&h->pairs, &h->cap_pairs, h->n_pairs + 1, sizeof *h->pairs)) {
        l->status = mgc__io_no_memory(l->ctx, "a series of the history");
        return SIZE_MAX;
    }
    h->pairs[h->n_pairs] = (mgc__pair){actual, forecast};
    return h->n_pairs++;
}

/* One day of a column, periods values. */
static bool read_rows(mgc__loader *l, const char *path, size_t row, size_t column, double *values)
{
    for (uint32_t t = 0; t < l->periods; t++)
        if (!mgc__csv_number(l, l->history.csv, path, row + t, column, &values[t])) return false;
    return true;
}

static bool scale_day(mgc__loader *l, const mgc__at *at, const mgc_param_info *info, size_t column, double scale,
                      double offset, double *values)
{
    for (uint32_t t = 0; t < l->periods; t++) {
        values[t] = values[t] * scale + offset;
        if (!mgc__check_range(l, mgc__csv_mark(l->history.csv, l->history.row + t, column), at, info, values[t]))
            return false;
    }
    return true;
}

/* What is known the day before: the forecast where there is one, else the day's own values; realised: those. */
static void set_certain(mgc__loader *l, const mgc__at *at, const mgc__node *map, const mgc_param_info *info,
                        const mgc__target *target, mgc__pair pair, double scale, double offset)
{
    size_t known = pair.forecast != SIZE_MAX ? pair.forecast : pair.actual, row = l->history.row;
    double *plan = mgc__take(l, l->periods, sizeof *plan), *realised = mgc__take(l, l->periods, sizeof *realised);
    const char *path = mgc__path(l, at);

    if (plan == NULL || realised == NULL) return;
    if (!read_rows(l, path, row, known, plan) || !read_rows(l, path, row, pair.actual, realised)) return;
    if (!scale_day(l, at, info, known, scale, offset, plan) ||
        !scale_day(l, at, info, pair.actual, scale, offset, realised))
        return;
    mgc__target_series(l, target, path, mgc__mark_of(l, map), info->key, plan, realised);
}

void mgc__history_want(mgc__loader *l, const mgc__at *at, const mgc__node *map, const mgc_param_info *info,
                       const mgc__target *target)
{
    static const char *const keys[] = {"history", "forecast", "scale", "offset"};
    const mgc__node *actual = mgc__map_get(map, "history"), *forecast = mgc__map_get(map, "forecast");
    mgc__at at_actual = {at, "history", 0}, at_forecast = {at, "forecast", 0};
    mgc__history *h = &l->history;
    mgc__pair pair = {SIZE_MAX, SIZE_MAX};
    double scale, offset;

    mgc__check_keys(l, at, map, keys, MGC__IO_COUNT(keys), NULL, NULL);
    bool ok = mgc__read_scale(l, at, map, &scale, &offset);
    if (!h->given) {
        mgc__issue(l, mgc__mark_of(l, map), at,
                   "the case has no uncertainty block to take history from\t"
                   "uncertainty: {csv: file, day: date, window_days: 45, scenarios: 10}");
        return;
    }
    if (h->csv == NULL) return; /* told at the block */
    pair.actual = mgc__csv_column(l, h->csv, &at_actual, actual);
    if (forecast != NULL) {
        pair.forecast = mgc__csv_column(l, h->csv, &at_forecast, forecast);
        ok = ok && pair.forecast != SIZE_MAX;
    }
    if (!ok || pair.actual == SIZE_MAX) return;
    /* A column that is its own forecast is known: no error was ever made. */
    if (info->kind != MGC_PARAM_UNCERTAIN || target->scenarios == 0 || pair.actual == pair.forecast) {
        set_certain(l, at, map, info, target, pair, scale, offset);
        return;
    }
    mgc__wanted *w = mgc__take(l, 1, sizeof *w);
    if (w == NULL) return;
    *w = (mgc__wanted){.target = *target,
                       .info = info,
                       .path = mgc__path(l, at),
                       .mark = mgc__mark_of(l, map),
                       .scale = scale,
                       .offset = offset};
    w->pair = find_pair(l, pair.actual, pair.forecast);
    *h->last_wanted = w;
    h->last_wanted = &w->next;
}

/* --- samples, scenarios, values --------------------------------------------------------------------------------- */

/* Lowest and highest value that a column ever had, the realised day held out: the
 * physical range of what it measures. */
static bool column_range(mgc__loader *l, const char *path, size_t column, double *lowest, double *highest)
{
    const mgc__history *h = &l->history;
    double x;

    *lowest = INFINITY;
    *highest = -INFINITY;
    for (size_t row = 0; row < h->csv->rows; row++) {
        if (row >= h->row && row < h->row + l->periods) continue;
        if (!mgc__csv_number(l, h->csv, path, row, column, &x)) return false;
        *lowest = fmin(*lowest, x);
        *highest = fmax(*highest, x);
    }
    return true;
}

/* The samples of one pair: the past days themselves, or today's forecast plus each past day's forecast error. */
static bool sample_pair(mgc__loader *l, const char *path, mgc__pair pair, double *first, size_t stride)
{
    const mgc__history *h = &l->history;
    double lowest = -INFINITY, highest = INFINITY;
    double *today = mgc__take(l, l->periods, sizeof *today), *forecast = mgc__take(l, l->periods, sizeof *forecast);
    bool errors = pair.forecast != SIZE_MAX;

    if (today == NULL || forecast == NULL) return false;
    if (errors &&
        (!column_range(l, path, pair.actual, &lowest, &highest) || !read_rows(l, path, h->row, pair.forecast, today)))
        return false;
    for (size_t i = 0; i < h->samples; i++) {
        double *day = first + i * stride;
        if (!read_rows(l, path, h->sample[i], pair.actual, day)) return false;
        if (!errors) continue;
        if (!read_rows(l, path, h->sample[i], pair.forecast, forecast)) return false;
        for (uint32_t t = 0; t < l->periods; t++)
            day[t] = fmin(fmax(today[t] + day[t] - forecast[t], lowest), highest);
    }
    return true;
}

/* Series of any size count alike: the weight of a series is the inverse of its mean magnitude. */
static void weigh(const mgc__loader *l, const double *samples, size_t dimension, double *weight)
{
    for (size_t j = 0; j < dimension; j += l->periods) {
        double sum = 0;
        for (size_t i = 0; i < l->history.samples; i++)
            for (size_t t = 0; t < l->periods; t++) sum += fabs(samples[i * dimension + j + t]);
        double mean = sum / ((double)l->history.samples * l->periods);
        for (size_t t = 0; t < l->periods; t++) weight[j + t] = mean > 0 ? 1 / mean : 0;
    }
}

static const char *path_of_pair(const mgc__history *h, size_t pair)
{
    for (const mgc__wanted *w = h->wanted; w != NULL; w = w->next)
        if (w->pair == pair) return w->path;
    return "uncertainty";
}

/* Joint samples, samples x (pairs x periods); NULL: told. */
static double *draw(mgc__loader *l, size_t dimension)
{
    const mgc__history *h = &l->history;
    double *samples = mgc__take(l, h->samples, dimension * sizeof *samples);
    bool ok = samples != NULL;

    for (size_t p = 0; p < h->n_pairs && ok; p++)
        ok = sample_pair(l, path_of_pair(h, p), h->pairs[p], samples + p * l->periods, dimension);
    return ok ? samples : NULL;
}

/* Range errors of a scaled value cannot be a past day's fault alone: they are the scale's. */
static void set_wanted(mgc__loader *l, const mgc__wanted *w, const double *samples, size_t dimension,
                       const uint32_t *medoid)
{
    const mgc__history *h = &l->history;
    size_t periods = l->periods;
    double *plan = mgc__take(l, h->scenarios, periods * sizeof *plan),
           *realised = mgc__take(l, periods, sizeof *realised);

    if (plan == NULL || realised == NULL) return;
    for (size_t k = 0; k < h->scenarios; k++)
        for (size_t t = 0; t < periods; t++)
            plan[k * periods + t] = samples[medoid[k] * dimension + w->pair * periods + t] * w->scale + w->offset;
    if (!read_rows(l, w->path, h->row, h->pairs[w->pair].actual, realised)) return;
    for (size_t t = 0; t < periods; t++) realised[t] = realised[t] * w->scale + w->offset;
    mgc__target_scenarios(l, &w->target, w->path, w->mark, w->info->key, plan, realised);
}

/* Which day each scenario is, and how many it stands for. */
static void note_scenarios(mgc__loader *l, const uint32_t *medoid, const uint32_t *assignment)
{
    const mgc__history *h = &l->history;
    mgc_case *kase = l->kase;

    kase->scenario_ms = mgc__arena_alloc(&kase->arena, h->scenarios, sizeof *kase->scenario_ms);
    kase->scenario_members = mgc__arena_alloc(&kase->arena, h->scenarios, sizeof *kase->scenario_members);
    if (kase->scenario_ms == NULL || kase->scenario_members == NULL) {
        l->status = mgc__io_no_memory(l->ctx, "scenarios");
        return;
    }
    for (uint32_t k = 0; k < h->scenarios; k++)
        kase->scenario_ms[k] = (uint64_t)h->csv->time[h->sample[medoid[k]]] * 1000;
    for (size_t i = 0; i < h->samples; i++) kase->scenario_members[assignment[i]]++;
}

/* Moments of the series, joint over all of them: mean, deviation, autocorrelation (one a series each), correlation. */
static double *moments_of(mgc__loader *l, const double *samples, size_t n, const double *probability)
{
    size_t series = l->history.n_pairs;
    double *m = mgc__take(l, (series + 3) * series, sizeof *m);
    mgc_status status = m == NULL ? MGC_OK
                                  : mgc_scenarios_moments(l->ctx, samples, n, series, l->periods, probability, m, m + series,
                                                          m + 2 * series, m + 3 * series);
    return m != NULL && mgc__core_agreed(l, "uncertainty", l->history.mark, status) ? m : NULL;
}

/* What the reduction kept, for whoever asks. */
static void note_moments(mgc__loader *l, const double *samples, size_t dimension, const double *weight,
                         const uint32_t *medoid)
{
    const mgc__history *h = &l->history;
    mgc_case *kase = l->kase;
    double *chosen = mgc__take(l, h->scenarios, dimension * sizeof *chosen), distance = 0;

    if (chosen == NULL) return;
    for (size_t k = 0; k < h->scenarios; k++)
        memcpy(chosen + k * dimension, samples + medoid[k] * dimension, dimension * sizeof *chosen);
    const double *before = moments_of(l, samples, h->samples, NULL);
    const double *after = moments_of(l, chosen, h->scenarios, h->probability);
    kase->moments = mgc__arena_alloc(&kase->arena, h->n_pairs, sizeof *kase->moments);
    if (before == NULL || after == NULL || kase->moments == NULL) {
        if (kase->moments == NULL) l->status = mgc__io_no_memory(l->ctx, "scenarios");
        return;
    }
    for (size_t s = 0, n = h->n_pairs; s < n; s++) {
        mgc_case_moments *m = &kase->moments[s];
        const char *path = path_of_pair(h, s);
        char *name = mgc__arena_alloc(&kase->arena, strlen(path) + 1, 1);
        if (name == NULL) {
            l->status = mgc__io_no_memory(l->ctx, "scenarios");
            return;
        }
        memcpy(name, path, strlen(path) + 1);
        *m = (mgc_case_moments){.struct_size = sizeof *m, .name = name, .mean = {before[s], after[s]},
                                .deviation = {before[n + s], after[n + s]},
                                .autocorrelation = {before[2 * n + s], after[2 * n + s]}};
        for (size_t o = 0; o < n; o++)
            m->correlation_change =
                fmax(m->correlation_change, fabs(after[(3 + s) * n + o] - before[(3 + s) * n + o]));
    }
    mgc_status status = mgc_scenarios_distance(l->ctx, samples, h->samples, dimension, weight, medoid, h->scenarios, &distance);
    if (!mgc__core_agreed(l, "uncertainty", h->mark, status)) return;
    kase->info.reduction_distance = distance / (double)dimension;
    kase->info.history_series = (uint32_t)h->n_pairs;
}

void mgc__history_apply(mgc__loader *l)
{
    mgc__history *h = &l->history;
    mgc__at at = {NULL, "uncertainty", 0};
    size_t dimension = h->n_pairs * l->periods;

    if (h->csv == NULL || l->status != MGC_OK) return;
    if (h->n_pairs == 0) {
        mgc__issue(l, h->mark, &at,
                   "no uncertain series of the case takes its values from history\twrite {history: column} where one "
                   "is uncertain");
        return;
    }
    double *samples = draw(l, dimension);
    double *weight = mgc__take(l, dimension, sizeof *weight);
    uint32_t *medoid = mgc__take(l, h->scenarios, sizeof *medoid),
             *assignment = mgc__take(l, h->samples, sizeof *assignment);
    h->probability = mgc__take(l, h->scenarios, sizeof *h->probability);
    if (samples == NULL || weight == NULL || medoid == NULL || assignment == NULL || h->probability == NULL) return;
    weigh(l, samples, dimension, weight);
    mgc_status status = mgc_scenarios_reduce(l->ctx, samples, h->samples, dimension, weight, h->method, h->scenarios,
                                             h->seed, medoid, h->probability, assignment);
    if (!mgc__core_agreed(l, "uncertainty", h->mark, status)) return;
    note_scenarios(l, medoid, assignment);
    note_moments(l, samples, dimension, weight, medoid);
    for (const mgc__wanted *w = h->wanted; w != NULL && l->status == MGC_OK; w = w->next)
        set_wanted(l, w, samples, dimension, medoid);
    for (uint32_t i = 0; i < mgc_model_microgrids(l->model) && l->status == MGC_OK; i++) {
        mgc_microgrid *site = mgc_model_microgrid(l->model, mgc_model_microgrid_id(l->model, i));
        mgc__core_agreed(l, "uncertainty", h->mark,
                         mgc_microgrid_set_probability(site, h->probability, h->scenarios));
    }
}
