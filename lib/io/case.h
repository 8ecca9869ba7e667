/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that load a case share: the tree of the text, issues, series files, the loader's state. */
#ifndef IO_CASE_H
#define IO_CASE_H

#include "io/calendar.h"
#include "io/memory.h"
#include "mgchain/robust.h"

/* --- the text as a tree ----------------------------------------------------------------------------------------- */

typedef enum mgc__node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP } mgc__node_kind;

typedef struct mgc__node {
    struct mgc__node *next;      /* in its list or map */
    const struct mgc__node *key; /* of a value in a map, else NULL */
    union {
        const char *text;        /* scalar: terminated, valid UTF-8, no NUL inside */
        struct mgc__node *first; /* list, map */
    } u;
    uint32_t n;            /* items */
    uint32_t line, column; /* from 1; column in characters */
    uint8_t kind, quoted;
} mgc__node;

/* --- where in the case ------------------------------------------------------------------------------------------ */

/* A chain from the root, on the stack of whoever descends. */
typedef struct mgc__at {
    const struct mgc__at *parent; /* NULL: directly under the root */
    const char *name;             /* key or id; NULL: item `index` of a list */
    size_t index;
} mgc__at;

typedef struct mgc__mark {
    const char *file; /* lives as long as the case */
    uint32_t line, column;
} mgc__mark;

/* --- series files ----------------------------------------------------------------------------------------------- */

typedef struct mgc__csv {
    struct mgc__csv *next;
    const char *name;  /* as the case has it: the key of the cache */
    const char *shown; /* in messages */
    char *bytes;       /* decompressed */
    size_t len;
    bool usable; /* false: its fault was told already */
    char separator;
    char decimal; /* '.' or ',' once one was seen, else 0 */
    size_t columns, rows;
    const char **header;
    uint32_t *start;    /* rows x (columns + 1): where fields begin; the last one: where the next would */
    uint32_t *line;     /* of each row */
    uint32_t header_line;
    int64_t *time;      /* [s] of each row once read, else NULL */
    size_t time_column; /* SIZE_MAX: none */
} mgc__csv;

/* --- the loader ------------------------------------------------------------------------------------------------- */

/* Parameters of one scope, read from the core's table. */
typedef struct mgc__keys {
    struct mgc__keys *next;
    const char *scope;
    mgc_param_info *info;
    const char **word; /* the same keys as words */
    size_t n;
} mgc__keys;

/* What parameters are set on: a thing of the model and, where there is a realised day, its twin. */
typedef struct mgc__target {
    enum { TARGET_MODEL, TARGET_SITE, TARGET_DEVICE, TARGET_LINK, TARGET_VARIABLE } kind;
    void *plan, *realised; /* realised may be NULL */
    const char *variable;
    uint32_t scenarios; /* of the microgrid; 0: of no microgrid */
} mgc__target;

/* An uncertain series that comes from history, set once all of them are known. */
typedef struct mgc__wanted {
    struct mgc__wanted *next;
    mgc__target target;
    const mgc_param_info *info;
    const char *path;
    mgc__mark mark;
    size_t pair; /* which joint series */
    double scale, offset;
} mgc__wanted;

/* A column of history, or a column with its forecast: one dimension after the other of the joint samples. */
typedef struct mgc__pair {
    size_t actual, forecast; /* columns; forecast SIZE_MAX: none */
} mgc__pair;

typedef struct mgc__history {
    bool given;     /* the case has the block */
    mgc__csv *csv;  /* NULL: it has faults, and series from history are only checked as far as possible */
    mgc__mark mark; /* of the block */
    uint32_t window_days, scenarios;
    const char *method;
    uint64_t seed;
    int64_t day;    /* [s] begin of the first period of the realised day */
    size_t row;     /* of that period */
    size_t *sample; /* first row of each past day, oldest first */
    size_t samples;
    mgc__pair *pairs;
    size_t n_pairs, cap_pairs;
    mgc__wanted *wanted, **last_wanted;
    double *probability; /* of the scenarios, once reduced */
} mgc__history;

typedef struct mgc__loader {
    mgc_ctx *ctx;
    mgc_case *kase;
    mgc_case_opts opts;
    const char *file;  /* name in messages */
    mgc__arena arena;  /* tree and scratch: gone when loading ends */
    mgc_status status; /* MGC_E_NO_MEMORY once memory ran out: nothing after it counts */
    mgc__keys *keys;
    mgc__csv *csvs;
    mgc__history history;
    mgc_model *model, *realised;
    uint32_t periods, period_minutes;
    int64_t start; /* [s], shifted */
} mgc__loader;

/* Scratch memory; sets the loader's status where there is none. */
void *mgc__take(mgc__loader *l, size_t n, size_t size);
char *mgc__take_text(mgc__loader *l, const char *text, size_t len);

/* tree.c: NULL where an issue was told or memory ran out. */
mgc__node *mgc__tree_parse(mgc__loader *l, const char *text, size_t len);
mgc__mark mgc__mark_of(const mgc__loader *l, const mgc__node *node);
mgc__mark mgc__mark_of_key(const mgc__loader *l, const mgc__node *node); /* the node's own where it has no key */
mgc__node *mgc__map_get(const mgc__node *map, const char *key);          /* NULL: none */

/* issue.c.  The format is "message" or "message\thint"; no floating-point conversions. */
void mgc__issue(mgc__loader *l, mgc__mark mark, const mgc__at *at, const char *format, ...) MGC_PRINTF(4, 5);
void mgc__issue_path(mgc__loader *l, mgc__mark mark, const char *path, const char *format, ...) MGC_PRINTF(4, 5);
void mgc__warning(mgc__loader *l, mgc__mark mark, const mgc__at *at, const char *format, ...) MGC_PRINTF(4, 5);
const char *mgc__path(mgc__loader *l, const mgc__at *at); /* scratch */
const char *mgc__show(mgc__loader *l,
                      const char *text); /* fit for a message: short, no control characters; scratch */
const char *mgc__found(mgc__loader *l, const mgc__node *node); /* what stands there, for a message; scratch */
const char *mgc__show_number(mgc__loader *l, double x);        /* scratch */
/* "; did you mean \"x\"?" or "; allowed: a, b, c", for unknown words; scratch. */
const char *mgc__suggest(mgc__loader *l, const char *word, const char *const *words, size_t n);
const char *mgc__joined(mgc__loader *l, const char *first, const char *second); /* with a blank between; scratch */
/* Whether an error was told at this path or below it. */
bool mgc__issue_under(const mgc_case *kase, const char *path);
size_t mgc__issue_errors(const mgc_case *kase);

/* scalar.c: each tells an issue and gives false where the node is not what it asks for. */
bool mgc__read_number(mgc__loader *l, const mgc__at *at, const mgc__node *node, double *value);
bool mgc__read_whole(mgc__loader *l, const mgc__at *at, const mgc__node *node, uint64_t lower, uint64_t upper,
                     uint64_t *value);
bool mgc__read_flag(mgc__loader *l, const mgc__at *at, const mgc__node *node, bool *value);
bool mgc__read_text(mgc__loader *l, const mgc__at *at, const mgc__node *node, const char **value);
bool mgc__read_word(mgc__loader *l, const mgc__at *at, const mgc__node *node, const char *const *words, size_t n,
                    const char **value);
bool mgc__read_id(mgc__loader *l, const mgc__at *at, const mgc__node *node, const char **value);
bool mgc__want_map(mgc__loader *l, const mgc__at *at, const mgc__node *node);
bool mgc__want_list(mgc__loader *l, const mgc__at *at, const mgc__node *node);
bool mgc__is_null(const mgc__node *node);

/* schema.c */
const mgc__keys *mgc__scope_keys(mgc__loader *l, const char *scope); /* NULL: no memory */
const mgc_param_info *mgc__find_key(const mgc__keys *keys, const char *key);
/* Which keys of a scope a map may hold; NULL: all. */
typedef bool (*mgc__key_filter)(const char *key);
/* Tell every key of the map that is neither one of `own` nor of the scope (which may be NULL). */
void mgc__check_keys(mgc__loader *l, const mgc__at *at, const mgc__node *map, const char *const *own, size_t n_own,
                     const mgc__keys *keys, mgc__key_filter filter);
/* Tell a value outside the parameter's range. */
bool mgc__check_range(mgc__loader *l, mgc__mark mark, const mgc__at *at, const mgc_param_info *info, double value);
/* Set one parameter, or what the map says of the scope's. */
void mgc__set_param(mgc__loader *l, const mgc__at *at, const mgc__node *node, const mgc_param_info *info,
                    const mgc__target *target);
void mgc__set_params(mgc__loader *l, const mgc__at *at, const mgc__node *map, const mgc__keys *keys,
                     const mgc__target *target, mgc__key_filter filter);
/* Tell required parameters that the map lacks. */
void mgc__tell_missing(mgc__loader *l, const mgc__at *at, const mgc__node *map, const mgc__keys *keys);

/* target.c: false where the core refused and an issue was told.  plan: periods values, or scenarios x periods;
 * realised: periods values. */
bool mgc__target_number(mgc__loader *l, const mgc__target *t, const char *path, mgc__mark mark, const char *key,
                        double value);
bool mgc__target_word(mgc__loader *l, const mgc__target *t, const char *path, mgc__mark mark, const char *key,
                      const char *word);
bool mgc__target_series(mgc__loader *l, const mgc__target *t, const char *path, mgc__mark mark, const char *key,
                        const double *plan, const double *realised);
bool mgc__target_scenarios(mgc__loader *l, const mgc__target *t, const char *path, mgc__mark mark, const char *key,
                           const double *plan, const double *realised);
/* Tell what the core said of its refusal; true where there was none. */
bool mgc__core_agreed(mgc__loader *l, const char *path, mgc__mark mark, mgc_status status);

/* series.c: set a SERIES or UNCERTAIN parameter from a number, list or map. */
void mgc__set_series(mgc__loader *l, const mgc__at *at, const mgc__node *node, const mgc_param_info *info,
                     const mgc__target *target);
/* `scale` and `offset` of a series map; false: told. */
bool mgc__read_scale(mgc__loader *l, const mgc__at *at, const mgc__node *map, double *scale, double *offset);

/* csv.c */
mgc__csv *mgc__csv_open(mgc__loader *l, const mgc__at *at, const mgc__node *name);               /* NULL: told */
size_t mgc__csv_column(mgc__loader *l, mgc__csv *csv, const mgc__at *at, const mgc__node *name); /* SIZE_MAX: told */
bool mgc__csv_number(mgc__loader *l, mgc__csv *csv, const char *path, size_t row, size_t column, double *value);
mgc__mark mgc__csv_mark(const mgc__csv *csv, size_t row, size_t column);
/* Read and check the times of rows first .. first + n - 1: one period apart.  true too
 * where there is no time column. */
bool mgc__csv_times(mgc__loader *l, mgc__csv *csv, const char *path, size_t first, size_t n);
void mgc__csv_free(mgc__loader *l);

/* history.c */
void mgc__history_read(mgc__loader *l, const mgc__node *node); /* the block `uncertainty` */
/* A series `{history: column, ...}`: of an uncertain parameter it is noted for later, of another one the day's own
 * values are set. */
void mgc__history_want(mgc__loader *l, const mgc__at *at, const mgc__node *map, const mgc_param_info *info,
                       const mgc__target *target);
void mgc__history_apply(mgc__loader *l); /* reduce the joint samples and set the scenarios */

/* build.c */
void mgc__build(mgc__loader *l, const mgc__node *root);

/* gunzip.c: MGC_OK, MGC_E_SYNTAX (damaged), MGC_E_TOO_LARGE, MGC_E_NO_MEMORY. */
bool mgc__is_gzip(const uint8_t *bytes, size_t len);
mgc_status mgc__gunzip(mgc_ctx *ctx, const uint8_t *bytes, size_t len, size_t max, char **out, size_t *out_len);

/* --- the case --------------------------------------------------------------------------------------------------- */

typedef struct mgc__issue_record {
    const char *file, *path, *message, *hint, *text;
    uint32_t severity, line, column, order;
} mgc__issue_record;

struct mgc_case {
    mgc_ctx *ctx;
    mgc__arena arena; /* texts */
    mgc_model *model, *realised;
    mgc_case_info info;
    double *weight; /* GIVEN: one a microgrid */
    uint64_t *scenario_ms;
    uint32_t *scenario_members;
    mgc_case_moments *moments; /* info.history_series */
    mgc__issue_record *issue;
    size_t issues, cap_issues, dropped;
};

#endif
