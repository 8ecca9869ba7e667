/* SPDX-License-Identifier: Apache-2.0 */
/* Loading a case: text, tree, head, model, check; and what the case then tells. */
#include <stdlib.h>

#include "io/case.h"
#include "io/file.h"

enum { DAY = 86400, PERIODS_MAX = 8784 };

static const mgc_case_opts opts_defaults = {.struct_size = sizeof(mgc_case_opts)};

void mgc_case_opts_init(mgc_case_opts *opts, size_t size)
{
    if (opts == NULL || size < sizeof size || size > 4096) return;
    memset(opts, 0, size);
    opts->struct_size = size;
}

/* --- the head --------------------------------------------------------------------------------------------------- */

static void read_format(mgc__loader *l, const mgc__node *root)
{
    static const char format[] = "mgchain-case-1";
    const mgc__node *node = mgc__map_get(root, "format");
    mgc__at at = {NULL, "format", 0};
    const char *text;

    if (node == NULL) {
        mgc__issue(l, mgc__mark_of(l, root), &at, "is missing\tformat: %s", format);
        return;
    }
    if (mgc__read_text(l, &at, node, &text) && strcmp(text, format) != 0)
        mgc__issue(l, mgc__mark_of(l, node), &at, "\"%s\" is not a format that this library reads\tit reads %s",
                   mgc__show(l, text), format);
}

/* A text of the head that has a default, kept by the case. */
static const char *read_head_text(mgc__loader *l, const mgc__node *root, const char *key, const char *otherwise)
{
    const mgc__node *node = mgc__map_get(root, key);
    mgc__at at = {NULL, key, 0};
    const char *text;

    if (node == NULL || !mgc__read_text(l, &at, node, &text)) return otherwise;
    const char *copy = mgc__arena_copy(&l->kase->arena, text, strlen(text));
    if (copy == NULL) l->status = mgc__io_no_memory(l->ctx, "the case");
    return copy;
}

/* It heads columns of tables and stands on the ledger. */
static void check_currency(mgc__loader *l, const mgc__node *node, const char *currency)
{
    enum { CURRENCY_BYTES_MAX = 12 };
    mgc__at at = {NULL, "currency", 0};

    bool word = currency != NULL && strlen(currency) <= CURRENCY_BYTES_MAX && strpbrk(currency, "<>&\"'\\\t\n, ") == NULL;
    if (word || currency == NULL) return;
    mgc__issue(l, mgc__mark_of(l, node), &at, "\"%s\" is not a currency\tone short word, as EUR", mgc__show(l, currency));
}

static bool read_start(mgc__loader *l, const mgc__node *root)
{
    const mgc__node *node = mgc__map_get(root, "start");
    mgc__at at = {NULL, "start", 0};
    const char *text;

    if (node == NULL) {
        mgc__issue(l, mgc__mark_of(l, root), &at,
                   "is missing\tthe begin of the first period, as 2019-07-16T00:00:00Z");
        return false;
    }
    if (!mgc__read_text(l, &at, node, &text)) return false;
    if (!mgc__time_parse(text, false, &l->start) || l->start % 60 != 0) {
        mgc__issue(l, mgc__mark_of(l, node), &at,
                   "\"%s\" is not a time in whole minutes with its zone\ttimes look like 2019-07-16T00:00:00Z",
                   mgc__show(l, text));
        return false;
    }
    l->start += (int64_t)l->opts.day_shift * DAY;
    if (l->start >= 0 && l->start < (int64_t)253402300800 - 366 * DAY) return true;
    mgc__issue(l, mgc__mark_of(l, node), &at, "with day_shift %d the day leaves the years 1970 to 9998",
               l->opts.day_shift);
    return false;
}

static bool read_head_number(mgc__loader *l, const mgc__node *root, const char *key, uint32_t upper, const char *hint,
                             uint32_t *value)
{
    const mgc__node *node = mgc__map_get(root, key);
    mgc__at at = {NULL, key, 0};
    uint64_t whole;

    if (node == NULL) {
        mgc__issue(l, mgc__mark_of(l, root), &at, "is missing\t%s", hint);
        return false;
    }
    if (!mgc__read_whole(l, &at, node, 1, upper, &whole)) return false;
    *value = (uint32_t)whole;
    return true;
}

static bool read_head(mgc__loader *l, const mgc__node *root)
{
    static const char *const keys[] = {"format", "name",       "currency", "start",      "period_minutes", "periods",
                                       "market", "microgrids", "links",    "bargaining", "uncertainty"};
    mgc_case_info *info = &l->kase->info;
    char start[MGC__TIME_TEXT];

    if (!mgc__want_map(l, NULL, root)) return false;
    mgc__check_keys(l, NULL, root, keys, MGC__IO_COUNT(keys), NULL, NULL);
    read_format(l, root);
    info->name = read_head_text(l, root, "name", "case");
    info->currency = read_head_text(l, root, "currency", "EUR");
    check_currency(l, mgc__map_get(root, "currency"), info->currency);
    bool ok = read_start(l, root);
    ok = read_head_number(l, root, "period_minutes", 1440, "the length of a period in minutes, as 60",
                          &l->period_minutes) &&
         ok;
    ok = read_head_number(l, root, "periods", PERIODS_MAX, "the number of periods, as 24", &l->periods) && ok;
    if (!ok || l->status != MGC_OK) return false;
    mgc__time_format(l->start, start);
    info->start = mgc__arena_copy(&l->kase->arena, start, strlen(start));
    info->start_ms = (uint64_t)l->start * 1000;
    info->period_minutes = l->period_minutes;
    info->periods = l->periods;
    if (info->start == NULL) l->status = mgc__io_no_memory(l->ctx, "the case");
    return l->status == MGC_OK;
}

/* --- the check -------------------------------------------------------------------------------------------------- */

struct check {
    mgc__loader *l;
    const mgc__node *root;
};

static const mgc__node *item_by_id(const mgc__node *list, const char *id, size_t len)
{
    if (list == NULL || list->kind != NODE_LIST) return NULL;
    for (const mgc__node *item = list->u.first; item != NULL; item = item->next) {
        const mgc__node *node = mgc__map_get(item, "id");
        if (node != NULL && node->kind == NODE_SCALAR && strlen(node->u.text) == len &&
            memcmp(node->u.text, id, len) == 0)
            return item;
    }
    return NULL;
}

static const mgc__node *item_by_index(const mgc__node *list, const char *index, size_t len)
{
    size_t i = 0;

    for (size_t j = 0; j < len; j++) i = i * 10 + (size_t)(index[j] - '0');
    const mgc__node *item = list->u.first;
    while (item != NULL && i-- > 0) item = item->next;
    return item;
}

static const mgc__node *child(const mgc__node *node, const char *part, size_t len)
{
    if (node->kind == NODE_LIST && strspn(part, "0123456789") >= len) return item_by_index(node, part, len);
    if (node->kind == NODE_LIST) return item_by_id(node, part, len);
    if (node->kind != NODE_MAP) return NULL;
    for (const mgc__node *item = node->u.first; item != NULL; item = item->next)
        if (strlen(item->key->u.text) == len && memcmp(item->key->u.text, part, len) == 0) return item;
    return NULL;
}

/* The deepest node that a path of the core ("microgrids/hospital/devices/chp/min_power_kw") leads to; *whole: to its
 * end. */
static const mgc__node *descend(const mgc__node *root, const char *where, bool *whole)
{
    const mgc__node *node = root;

    *whole = false;
    for (const char *s = where; *s != '\0';) {
        size_t len = strcspn(s, "/");
        const mgc__node *next = child(node, s, len);
        if (next == NULL) return node;
        node = next;
        s += len + (s[len] == '/');
    }
    *whole = true;
    return node;
}

/* Where the case says what a path of the core names: a microgrid's tariff stands in its own market or in the case's,
 * with the carbon ladder below.  *path: of that place. */
static const mgc__node *find_fault(mgc__loader *l, const mgc__node *root, const char *where, const char **path)
{
    static const char *const below[] = {"", "market/", "market/carbon/", "grid/"};
    const char *slash = strrchr(where, '/'), *key = slash != NULL ? slash + 1 : where;
    const char *site_end = strncmp(where, "microgrids/", 11) == 0 ? strchr(where + 11, '/') : NULL;
    bool whole;

    *path = where;
    const mgc__node *node = descend(root, where, &whole);
    for (size_t i = 0; i < 2 * MGC__IO_COUNT(below) && !whole && site_end != NULL;
         i++) { /* the microgrid's, then the case's */
        int own = i < MGC__IO_COUNT(below) ? (int)(site_end + 1 - where) : 0;
        mgc__text place = {.ctx = l->ctx};
        mgc__text_printf(&place, "%.*s%s%s", own, where, below[i % MGC__IO_COUNT(below)], key);
        const mgc__node *there = place.failed ? NULL : descend(root, place.bytes, &whole);
        if (whole) {
            node = there;
            *path = mgc__take_text(l, place.bytes, place.len);
        }
        mgc__text_free(&place);
    }
    return node;
}

/* A fault in a thing that had errors before is most likely their echo. */
static bool is_echo(const mgc__loader *l, const char *path)
{
    char thing[512];

    if ((strncmp(path, "market.", 7) == 0 || strstr(path, ".market.") != NULL) && mgc__issue_under(l->kase, "market"))
        return true;
    size_t len = strlen(path);
    const char *dot = strrchr(path, '.');

    if (dot != NULL) len = (size_t)(dot - path);
    if (len >= sizeof thing) return false;
    memcpy(thing, path, len);
    thing[len] = '\0';
    return mgc__issue_under(l->kase, thing);
}

/* A path of the core as the case's messages write it: "links/0/loss" is links[0].loss. */
static char *as_shown(mgc__loader *l, const char *path)
{
    char *shown = mgc__take(l, 2 * strlen(path) + 1, 1), *to = shown;
    bool number = false;

    for (const char *from = path; shown != NULL && *from != '\0'; from++) {
        if (*from != '/') {
            *to++ = *from;
            continue;
        }
        if (number) *to++ = ']';
        size_t digits = strspn(from + 1, "0123456789");
        number = digits > 0 && (from[1 + digits] == '/' || from[1 + digits] == '\0');
        *to++ = number ? '[' : '.';
    }
    if (number) *to++ = ']';
    return shown;
}

static void on_fault(void *user, mgc_status status, const char *where, const char *text)
{
    static const char room[] = "dispatch: ";
    struct check *check = user;
    mgc__loader *l = check->l;
    const char *place;
    const mgc__node *node = find_fault(l, check->root, where, &place);
    char *path = place != NULL ? mgc__take_text(l, place, strlen(place)) : NULL;

    (void)status;
    if (path == NULL) return;
    path = as_shown(l, path);
    if (path == NULL) return;
    if (strncmp(text, room, sizeof room - 1) == 0) text += sizeof room - 1;
    /* A price of the case's market is every microgrid's: told once. */
    if (!is_echo(l, path)) mgc__issue_path(l, mgc__mark_of_key(l, node), path, "%s", text);
}

static void check_model(mgc__loader *l, const mgc__node *root)
{
    struct check check = {l, root};

    /* Without the history every device that takes a series from it would be told to lack it. */
    if (l->opts.no_check || mgc__issue_under(l->kase, "uncertainty")) return;
    mgc_status status = mgc_model_check(l->model, on_fault, &check);
    if (status == MGC_E_NO_MEMORY) l->status = status;
    else if (status != MGC_OK && mgc__issue_errors(l->kase) == 0)
        mgc__core_agreed(l, "", mgc__mark_of(l, root), status);
    if (l->status != MGC_OK || l->realised == NULL || mgc__issue_errors(l->kase) > 0) return;
    status = mgc_model_check(l->realised, NULL, NULL);
    mgc__core_agreed(l, "uncertainty", l->history.mark, status);
}

/* --- the whole -------------------------------------------------------------------------------------------------- */

static bool create_models(mgc__loader *l, const mgc__node *root)
{
    double hours = l->period_minutes / 60.0;

    if (!mgc__core_agreed(l, "", mgc__mark_of(l, root), mgc_model_create(l->ctx, l->periods, hours, &l->model)))
        return false;
    return !l->history.given ||
           mgc__core_agreed(l, "", mgc__mark_of(l, root), mgc_model_create(l->ctx, l->periods, hours, &l->realised));
}

static void note_history(mgc__loader *l)
{
    mgc_case_info *info = &l->kase->info;
    const mgc__history *h = &l->history;
    char day[MGC__TIME_TEXT];

    info->microgrids = mgc_model_microgrids(l->model);
    info->links = mgc_model_links(l->model);
    info->history_file = info->history_day = info->method = "";
    if (!h->given || h->csv == NULL) return;
    mgc__date_format(h->day, day);
    info->history_file = h->csv->shown;
    info->history_day = mgc__arena_copy(&l->kase->arena, day, strlen(day));
    info->history_day_ms = (uint64_t)h->day * 1000;
    info->history_days = (uint32_t)h->samples;
    info->history_window = h->window_days;
    info->scenarios = h->scenarios;
    info->method = h->method; /* one of our own words */
    info->seed = h->seed;
    if (info->history_day == NULL) l->status = mgc__io_no_memory(l->ctx, "the case");
}

static void load(mgc__loader *l, const char *text, size_t len)
{
    mgc__node *root = mgc__tree_parse(l, text, len);

    if (root == NULL || !read_head(l, root)) return;
    mgc__history_read(l, mgc__map_get(root, "uncertainty"));
    if (l->status != MGC_OK || !create_models(l, root)) return;
    mgc__build(l, root);
    if (l->status == MGC_OK) check_model(l, root);
    if (l->status == MGC_OK) note_history(l);
}

static int by_place(const void *a, const void *b)
{
    const mgc__issue_record *x = a, *y = b;
    int order = x->line < y->line ? -1 : x->line > y->line;

    if (order == 0) order = x->column < y->column ? -1 : x->column > y->column;
    return order != 0 ? order : x->order < y->order ? -1 : x->order > y->order;
}

/* Issues of the case in the order of its lines, then those of series files. */
static void sort_issues(mgc_case *kase, const char *file)
{
    size_t n = 0;

    for (size_t i = 0; i < kase->issues; i++) {
        if (strcmp(kase->issue[i].file, file) != 0) continue;
        mgc__issue_record own = kase->issue[i];
        memmove(kase->issue + n + 1, kase->issue + n, (i - n) * sizeof own);
        kase->issue[n++] = own;
    }
    if (n > 1) qsort(kase->issue, n, sizeof *kase->issue, by_place);
}

static void count_dropped(mgc__loader *l)
{
    size_t dropped = l->kase->dropped;
    mgc_case *kase = l->kase;

    if (dropped == 0) return;
    kase->dropped = 0;
    mgc__issue_record *last = &kase->issue[kase->issues - 1];
    mgc__text text = {.ctx = l->ctx};
    mgc__text_printf(&text, "%s: and %zu more", l->file, dropped);
    char *copy = text.failed ? NULL : mgc__arena_copy(&kase->arena, text.bytes, text.len);
    mgc__text_free(&text);
    if (copy == NULL ||
        !mgc__io_grow(l->ctx, (void **)&kase->issue, &kase->cap_issues, kase->issues + 1, sizeof *last)) {
        l->status = mgc__io_no_memory(l->ctx, "a message");
        return;
    }
    kase->issue[kase->issues++] = (mgc__issue_record){.file = l->file,
                                                      .path = "",
                                                      .message = copy + strlen(l->file) + 2,
                                                      .hint = "",
                                                      .text = copy,
                                                      .severity = MGC_ISSUE_ERROR};
}

static void release(mgc__loader *l)
{
    mgc__csv_free(l);
    mgc_ctx_release(l->ctx, l->history.pairs);
    mgc__arena_free(&l->arena);
}

static mgc_status finish(mgc__loader *l, mgc_case **out)
{
    mgc_case *kase = l->kase;

    kase->model = l->model;
    kase->realised = l->realised;
    if (l->status == MGC_OK) {
        sort_issues(kase, l->file);
        count_dropped(l);
    }
    bool faulty = mgc__issue_errors(kase) > 0;
    mgc_status status = l->status;
    release(l);
    if (status != MGC_OK) {
        mgc_case_destroy(kase);
        return mgc__io_no_memory(l->ctx, "the case");
    }
    *out = kase;
    if (!faulty) return MGC_OK;
    mgc_model_destroy(kase->model);
    mgc_model_destroy(kase->realised);
    kase->model = kase->realised = NULL;
    for (size_t i = 0; i < kase->issues; i++)
        if (kase->issue[i].severity == MGC_ISSUE_ERROR) return mgc_ctx_fail(l->ctx, MGC_E_CASE, kase->issue[i].text);
    return MGC_E_CASE;
}

/* Begin: the case and the loader, names copied.  The loader's arena holds base_dir. */
static mgc_status begin(mgc__loader *l, mgc_ctx *ctx, const mgc_case_opts *opts, const char *filename)
{
    *l = (mgc__loader){.ctx = ctx, .arena = {.ctx = ctx}, .opts = opts_defaults};
    mgc_status status = mgc_struct_read(&l->opts, sizeof l->opts, MGC__FIRST_SIZE(mgc_case_opts, no_check), opts);
    if (status != MGC_OK) return status;
    if (l->opts.filename != NULL) filename = l->opts.filename;
    l->kase = mgc__io_alloc(ctx, 1, sizeof *l->kase);
    if (l->kase == NULL) return mgc__io_no_memory(ctx, "a case");
    l->kase->ctx = ctx;
    l->kase->arena.ctx = ctx;
    l->file = mgc__arena_copy(&l->kase->arena, filename, strlen(filename));
    const char *slash = strrchr(filename, '/');
    if (l->opts.base_dir == NULL && slash != NULL)
        l->opts.base_dir = mgc__arena_copy(&l->arena, filename, slash == filename ? 1 : (size_t)(slash - filename));
    if (l->file != NULL && (slash == NULL || l->opts.base_dir != NULL)) return MGC_OK;
    mgc_case_destroy(l->kase);
    return mgc__io_no_memory(ctx, "a case");
}

mgc_status mgc_case_load_text(mgc_ctx *ctx, const char *text, size_t len, const mgc_case_opts *opts, mgc_case **out)
{
    mgc__loader l;

    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (ctx == NULL || (text == NULL && len > 0)) return MGC_E_INVALID_ARG;
    if (len > MGC_CASE_BYTES_MAX)
        return mgc__io_fail(ctx, MGC_E_TOO_LARGE, "io: the case has %zu bytes; at most %d", len, MGC_CASE_BYTES_MAX);
    mgc_status status = begin(&l, ctx, opts, "case");
    if (status != MGC_OK) return status;
    load(&l, text != NULL ? text : "", len);
    return finish(&l, out);
}

mgc_status mgc_case_load_file(mgc_ctx *ctx, const char *path, const mgc_case_opts *opts, mgc_case **out)
{
    mgc_case_opts o = opts_defaults;
    const char *why;
    char *bytes;
    size_t len;

    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (ctx == NULL || path == NULL) return MGC_E_INVALID_ARG;
    mgc_status status = mgc_struct_read(&o, sizeof o, MGC__FIRST_SIZE(mgc_case_opts, no_check), opts);
    if (status != MGC_OK) return status;
    if (o.filename == NULL) o.filename = path;
    status = mgc__file_read(ctx, path, MGC_CASE_BYTES_MAX, &bytes, &len, &why);
    if (status != MGC_OK) return mgc__io_fail(ctx, status, "io: the case %s cannot be read: %s", path, why);
    status = mgc_case_load_text(ctx, bytes, len, &o, out);
    mgc_ctx_release(ctx, bytes);
    return status;
}

void mgc_case_destroy(mgc_case *kase)
{
    if (kase == NULL) return;
    mgc_model_destroy(kase->model);
    mgc_model_destroy(kase->realised);
    mgc_ctx_release(kase->ctx, kase->issue);
    mgc__arena_free(&kase->arena);
    mgc_ctx_release(kase->ctx, kase);
}

/* --- telling ---------------------------------------------------------------------------------------------------- */

mgc_status mgc_case_get_info(const mgc_case *kase, mgc_case_info *info)
{
    if (kase == NULL || info == NULL) return MGC_E_INVALID_ARG;
    if (kase->model == NULL) return MGC_E_STATE;
    mgc_case_info full = kase->info;
    full.struct_size = sizeof full;
    full.links = mgc_model_links(kase->model); /* the host may change it */
    return mgc_struct_write(info, &full, sizeof full, MGC__FIRST_SIZE(mgc_case_info, reserved0));
}

mgc_status mgc_case_series_moments(const mgc_case *kase, uint32_t series, mgc_case_moments *moments)
{
    if (kase == NULL || moments == NULL) return MGC_E_INVALID_ARG;
    if (kase->moments == NULL || series >= kase->info.history_series) return MGC_E_NOT_FOUND;
    return mgc_struct_write(moments, &kase->moments[series],
                            sizeof *moments, MGC__FIRST_SIZE(mgc_case_moments, correlation_change));
}

mgc_model *mgc_case_model(const mgc_case *kase)
{
    return kase != NULL ? kase->model : NULL;
}

mgc_model *mgc_case_realised(const mgc_case *kase)
{
    return kase != NULL ? kase->realised : NULL;
}

mgc_status mgc_case_weights(const mgc_case *kase, double *weight, size_t n)
{
    if (kase == NULL || weight == NULL) return MGC_E_INVALID_ARG;
    if (kase->model == NULL) return MGC_E_STATE;
    if (n != kase->info.microgrids) return MGC_E_INVALID_ARG;
    for (size_t i = 0; i < n; i++) weight[i] = kase->weight != NULL ? kase->weight[i] : 1;
    return MGC_OK;
}

mgc_status mgc_case_scenario(const mgc_case *kase, uint32_t scenario, uint64_t *day_ms, uint32_t *members)
{
    if (kase == NULL || day_ms == NULL || members == NULL) return MGC_E_INVALID_ARG;
    if (kase->model == NULL || kase->scenario_ms == NULL || scenario >= kase->info.scenarios) return MGC_E_NOT_FOUND;
    *day_ms = kase->scenario_ms[scenario];
    *members = kase->scenario_members[scenario];
    return MGC_OK;
}
