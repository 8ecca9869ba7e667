/* SPDX-License-Identifier: Apache-2.0 */
/* The seam: order and permute once, factorise by one of the engines, solve with refinement. */
#include "la/arrow.h"

#include <math.h>

#define ROUNDING_SAFETY 4.0
/* Multiply-adds for an entry of the factor from which on dense panels are faster than single columns.  From 14 to 24 single
 * columns take 7 % less time on sixteen published programs, and 8 % on planning programs; from 24 to 34 more. */
#define PANELS_FROM 24.0
/* Columns (rows) of a right-hand side count as at least this part of its rows (columns): what is nearly nought needs
 * no relative accuracy of its own. */
#define SMALL_BLOCK 1e-3

mgc_status mgc__postorder(mgc_ctx *ctx, uint32_t n, const uint32_t *parent, uint32_t *order)
{
    uint32_t *head = mgc__alloc(ctx, 3 * (size_t)n, sizeof *head), *next, *stack, k = 0;

    if (!head) return mgc__no_memory(ctx, "an elimination order");
    next = head + n;
    stack = next + n;
    for (uint32_t j = 0; j < n; j++) head[j] = n;
    for (uint32_t j = n; j-- > 0;) {
        if (parent[j] == n) continue;
        next[j] = head[parent[j]];
        head[parent[j]] = j;
    }
    for (uint32_t root = 0; root < n; root++) {
        uint32_t depth = 0;

        if (parent[root] != n) continue;
        stack[depth++] = root;
        while (depth > 0) {
            uint32_t j = stack[depth - 1], child = head[j];

            if (child == n) {
                order[k++] = j;
                depth--;
            } else {
                head[j] = next[child];
                stack[depth++] = child;
            }
        }
    }
    assert(k == n);
    mgc__free(ctx, head);
    return MGC_OK;
}

static const ldl_engine *engine_of(uint32_t method)
{
    switch (method) {
    case MGC__LDL_COLUMNS: return &mgc__ldl_columns;
    case MGC__LDL_CHOLMOD: return &mgc__ldl_cholmod;
    default: return &mgc__ldl_supernodal;
    }
}

/* ldl->k and where each row and entry went. */
static mgc_status apply_order(mgc__ldl *ldl, const mgc__csc *k, const uint32_t *perm)
{
    for (uint32_t i = 0; i < ldl->n; i++) ldl->where[perm[i]] = i;
    return mgc__permute_upper(ldl->ctx, k, ldl->where, &ldl->k, ldl->place);
}

/* Is the factor so sparse that panels would be hardly more than single columns? */
static bool is_sparse(const uint32_t *count, uint32_t n)
{
    double entries = 0.0, operations = 0.0;

    for (uint32_t j = 0; j < n; j++) {
        entries += (double)count[j];
        operations += 0.5 * (double)count[j] * ((double)count[j] + 3.0);
    }
    return operations <= PANELS_FROM * entries;
}

/* By height in the tree, then by entries: columns of one height do not depend on each other. */
static mgc_status order_by_height(mgc_ctx *ctx, uint32_t n, const uint32_t *parent, const uint32_t *count, uint32_t *order)
{
    uint32_t *height = mgc__alloc(ctx, 3 * (size_t)n + 1, sizeof *height), *start, *by_count;

    if (!height) return mgc__no_memory(ctx, "an elimination order");
    start = height + n;
    by_count = start + n + 1;
    for (uint32_t j = 0; j < n; j++) start[count[j] + 1]++;
    for (uint32_t j = 0; j < n; j++) start[j + 1] += start[j];
    for (uint32_t j = 0; j < n; j++) by_count[start[count[j]]++] = j;
    memset(start, 0, ((size_t)n + 1) * sizeof *start);
    for (uint32_t j = 0; j < n; j++) {
        start[height[j] + 1]++;
        if (parent[j] < n && height[parent[j]] <= height[j]) height[parent[j]] = height[j] + 1;
    }
    for (uint32_t j = 0; j < n; j++) start[j + 1] += start[j];
    for (uint32_t k = 0; k < n; k++) order[start[height[by_count[k]]]++] = by_count[k];
    mgc__free(ctx, height);
    return MGC_OK;
}

/* Fill-reducing first, then as the engine wants it, which leaves the fill alone: postordered, columns of one pattern come together. */
static mgc_status order_and_permute(mgc__ldl *ldl, const mgc__csc *k, const int8_t *sign, uint32_t *method)
{
    size_t n = ldl->n;
    uint32_t *perm = mgc__alloc(ldl->ctx, 4 * n, sizeof *perm);

    if (!perm) return mgc__no_memory(ldl->ctx, "a permutation");
    uint32_t *parent = perm + n, *count = parent + n, *order = count + n;
    mgc_status st = mgc__order_best(ldl->ctx, k, !ldl->inner, perm, parent, count);
    if (st == MGC_OK) {
        if (*method == MGC__LDL_AUTO) *method = is_sparse(count, ldl->n) ? MGC__LDL_COLUMNS : MGC__LDL_SUPERNODAL;
        st = *method == MGC__LDL_COLUMNS ? order_by_height(ldl->ctx, ldl->n, parent, count, order)
                                         : mgc__postorder(ldl->ctx, ldl->n, parent, order);
    }
    if (st == MGC_OK) {
        for (size_t i = 0; i < n; i++) order[i] = perm[order[i]];
        st = apply_order(ldl, k, order);
        for (size_t i = 0; i < n; i++) ldl->sign[i] = sign[order[i]];
    }
    mgc__free(ldl->ctx, perm);
    return st;
}

/* The engines that work on ldl->k, in any order of elimination. */
static mgc_status create_general(mgc__ldl *ldl, const mgc__csc *k, const int8_t *sign, uint32_t method)
{
    mgc_status st;

    ldl->sign = mgc__alloc(ldl->ctx, ldl->n, sizeof *ldl->sign);
    if (!ldl->sign) return mgc__no_memory(ldl->ctx, "a factorisation");
    st = order_and_permute(ldl, k, sign, &method);
    if (st != MGC_OK) return st;
    ldl->length = ldl->n;
    ldl->value = ldl->k.value;
    ldl->info.method = method;
    ldl->engine = engine_of(method);
    return ldl->engine->analyse(ldl);
}

/* Everything but ctx and pool. */
static void release(mgc__ldl *ldl)
{
    if (ldl->engine) ldl->engine->destroy(ldl);
    ldl->engine = NULL;
    mgc__csc_free(ldl->ctx, &ldl->k);
    mgc__csc_free(ldl->ctx, &ldl->pattern);
    mgc__free(ldl->ctx, ldl->where);
    mgc__free(ldl->ctx, ldl->place);
    mgc__free(ldl->ctx, ldl->sign);
    mgc__free(ldl->ctx, ldl->scenario);
    mgc__free(ldl->ctx, ldl->b);
    ldl->scenario = NULL;
    ldl->scenarios = 0;
    ldl->where = ldl->place = NULL;
    ldl->sign = NULL;
    ldl->b = NULL;
}

static mgc_status analyse(mgc__ldl *ldl, const mgc__csc *k, const int8_t *sign, uint32_t method, bool compressed)
{
    mgc_ctx *ctx = ldl->ctx;
    bool found = false;
    mgc_status st;

    ldl->n = k->cols;
    ldl->entries = k->start[ldl->n];
    ldl->where = mgc__alloc(ctx, ldl->n, sizeof *ldl->where);
    ldl->place = mgc__alloc(ctx, ldl->entries, sizeof *ldl->place);
    st = ldl->where && ldl->place ? MGC_OK : mgc__no_memory(ctx, "a factorisation");
    if (st == MGC_OK && (method == MGC__LDL_AUTO || method == MGC__LDL_ARROW))
        st = mgc__arrow_create(ldl, k, sign, method == MGC__LDL_ARROW, compressed, &found);
    if (st == MGC_OK && found) {
        ldl->info.method = MGC__LDL_ARROW;
        ldl->engine = &mgc__ldl_arrow;
        if (mgc__arrow_compressed(ldl)) st = mgc__csc_alloc(ctx, ldl->n, ldl->n, ldl->entries, &ldl->pattern);
    } else if (st == MGC_OK) {
        st = create_general(ldl, k, sign, method == MGC__LDL_ARROW ? MGC__LDL_SUPERNODAL : method);
    }
    if (st == MGC_OK && ldl->pattern.start) {
        memcpy(ldl->pattern.start, k->start, ((size_t)ldl->n + 1) * sizeof *k->start);
        memcpy(ldl->pattern.row, k->row, ldl->entries * sizeof *k->row);
    }
    if (st == MGC_OK && !(ldl->b = mgc__alloc(ctx, 7 * (size_t)ldl->length, sizeof *ldl->b)))
        st = mgc__no_memory(ctx, "a factorisation");
    if (st != MGC_OK) return st;
    ldl->x = ldl->b + ldl->length;
    ldl->r = ldl->x + ldl->length;
    ldl->best = ldl->r + ldl->length;
    ldl->weight = ldl->best + ldl->length;
    ldl->shift = ldl->weight + ldl->length;
    ldl->side = ldl->shift + ldl->length;
    for (uint32_t i = 0; i < ldl->length; i++) ldl->side[i] = ldl->sign[i] < 0 ? -1.0 : 1.0;
    return MGC_OK;
}

mgc_status mgc__ldl_create_blocks(mgc_ctx *ctx, const mgc__csc *k, const int8_t *sign, uint32_t method, const uint32_t *block,
                                  mgc__pool *pool, mgc__ldl **out)
{
    mgc__ldl *ldl = mgc__alloc(ctx, 1, sizeof *ldl);
    mgc_status st = MGC_OK;

    *out = NULL;
    if (!ldl) return mgc__no_memory(ctx, "a factorisation");
    ldl->ctx = ctx;
    ldl->worth_sharing = WORTH_SHARING;
    ldl->pool = pool;
    ldl->told = block != NULL;
    ldl->block = mgc__alloc(ctx, k->cols, sizeof *ldl->block);
    if (!ldl->block) st = mgc__no_memory(ctx, "a factorisation");
    else if (block) memcpy(ldl->block, block, k->cols * sizeof *block);
    if (st == MGC_OK) st = analyse(ldl, k, sign, method, true);
    if (st == MGC_OK) *out = ldl;
    else mgc__ldl_destroy(ldl);
    return st;
}

mgc_status mgc__ldl_create_inner(mgc_ctx *ctx, const mgc__csc *k, const int8_t *sign, mgc__ldl **out)
{
    mgc__ldl *ldl = mgc__alloc(ctx, 1, sizeof *ldl);
    mgc_status st;

    *out = NULL;
    if (!ldl) return mgc__no_memory(ctx, "a factorisation");
    ldl->ctx = ctx;
    ldl->inner = true;
    st = analyse(ldl, k, sign, MGC__LDL_SUPERNODAL, false);
    if (st == MGC_OK) *out = ldl;
    else mgc__ldl_destroy(ldl);
    return st;
}

mgc_status mgc__ldl_create(mgc_ctx *ctx, const mgc__csc *k, const int8_t *sign, uint32_t method, mgc__ldl **out)
{
    return mgc__ldl_create_blocks(ctx, k, sign, method, NULL, NULL, out);
}

void mgc__ldl_destroy(mgc__ldl *ldl)
{
    if (!ldl) return;
    release(ldl);
    mgc__free(ldl->ctx, ldl->block);
    mgc__free(ldl->ctx, ldl);
}

/* Values have come that the analysis does not fit: links are no longer in proportion. */
static mgc_status analyse_again(mgc__ldl *ldl)
{
    mgc__csc k = ldl->pattern;
    int8_t *sign = mgc__alloc(ldl->ctx, ldl->n, 1);
    mgc_status st = sign ? MGC_OK : mgc__no_memory(ldl->ctx, "a factorisation");

    for (uint32_t i = 0; st == MGC_OK && i < ldl->n; i++) sign[i] = ldl->sign[ldl->where[i]];
    ldl->pattern = (mgc__csc){0};
    if (st == MGC_OK) {
        release(ldl);
        st = analyse(ldl, &k, sign, MGC__LDL_ARROW, false);
    }
    mgc__csc_free(ldl->ctx, &k);
    mgc__free(ldl->ctx, sign);
    return st;
}

void mgc__ldl_set_pool(mgc__ldl *ldl, mgc__pool *pool)
{
    ldl->pool = pool;
}

/* --- vectors, shared out in parts that do not depend on threads --- */

enum { PARTS_MOST = 8, PART_LEAST = 4096 };

typedef struct walk {
    mgc__ldl *ldl;
    uint32_t length, parts;
    const double *in; /* the caller's shift; or the last step of refinement */
    double *out;      /* the caller's x */
    ldl_pair largest[PARTS_MOST], rounding[PARTS_MOST];
} walk;

static void share(walk *w, uint32_t length, void (*task)(void *user, size_t part))
{
    uint32_t parts = length / PART_LEAST;

    w->length = length;
    w->parts = parts < 1 ? 1 : parts > PARTS_MOST ? PARTS_MOST : parts;
    mgc__pool_run(w->ldl->pool, w->parts, task, w);
}

static uint32_t part_begin(const walk *w, size_t part)
{
    return (uint32_t)((uint64_t)w->length * part / w->parts);
}

static ldl_pair largest_of_parts(const ldl_pair *of, uint32_t parts)
{
    ldl_pair largest = of[0];

    for (uint32_t k = 1; k < parts; k++) largest = ldl_larger(largest, of[k]);
    return largest;
}

static void take_shift(void *user, size_t part)
{
    const walk *w = user;

    for (uint32_t j = part_begin(w, part); j < part_begin(w, part + 1); j++) w->ldl->shift[w->ldl->where[j]] = w->in[j];
}

static void give_x(void *user, size_t part)
{
    const walk *w = user;

    for (uint32_t i = part_begin(w, part); i < part_begin(w, part + 1); i++) w->out[i] = w->ldl->x[w->ldl->where[i]];
}

/* r = shift times the last step */
static void shift_step(void *user, size_t part)
{
    const walk *w = user;

    for (uint32_t i = part_begin(w, part); i < part_begin(w, part + 1); i++) w->ldl->r[i] = w->ldl->shift[i] * w->in[i];
}

static void measure_step(void *user, size_t part)
{
    walk *w = user;
    const mgc__ldl *ldl = w->ldl;
    uint32_t at = part_begin(w, part);

    w->largest[part] = mgc__ldl_loops()->largest_product(part_begin(w, part + 1) - at, ldl->r + at, ldl->shift + at,
                                                         ldl->weight + at);
}

static void add_step(void *user, size_t part)
{
    const walk *w = user;

    for (uint32_t i = part_begin(w, part); i < part_begin(w, part + 1); i++) w->ldl->x[i] += w->ldl->r[i];
}

/* --- the general engines' part --------------------------------------------------------------------------------- */

static void load(mgc__ldl *ldl, const double *value, const uint32_t *diagonal)
{
    if (diagonal)
        for (uint32_t i = 0; i < ldl->n; i++) ldl->value[ldl->place[diagonal[i]]] = value[diagonal[i]];
    else
        for (uint32_t e = 0; e < ldl->entries; e++) ldl->value[ldl->place[e]] = value[e];
    for (uint32_t j = 0; j < ldl->n; j++) {
        double size = fabs(ldl->value[ldl->k.start[j + 1] - 1]);

        ldl->weight[j] = (size > 1.0 ? 1.0 / size : 1.0) * ldl->sign[j]; /* fmax() would be a call */
    }
}

static ldl_sizes first(mgc__ldl *ldl, const double *b, double *x)
{
    const ldl_loops *loops = mgc__ldl_loops();
    const uint32_t *where = ldl->where;
    ldl_sizes sizes;

    for (uint32_t i = 0; i < ldl->n; i++) ldl->b[where[i]] = b[i];
    memcpy(ldl->x, ldl->b, ldl->length * sizeof *ldl->x);
    sizes.b = loops->largest(ldl->length, ldl->b, ldl->weight);
    ldl->engine->solve(ldl, ldl->x);
    sizes.shifted = loops->largest_product(ldl->length, ldl->x, ldl->shift, ldl->weight);
    for (uint32_t i = 0; i < ldl->n; i++) x[i] = ldl->x[where[i]];
    return sizes;
}

/* --- factorising and solving ------------------------------------------------------------------------------------ */

/* shift: the caller's, or NULL: plus and minus by signs. */
static mgc_status factorise(mgc__ldl *ldl, const double *value, const uint32_t *diagonal, const double *shift, double plus,
                            double minus)
{
    const uint32_t *changed = ldl->loaded ? diagonal : NULL;
    mgc_status result;

    ldl->loaded = false;
    for (uint32_t attempt = 0;; attempt++) {
        bool fits = true;
        mgc_status st;

        for (uint32_t i = 0; !shift && i < ldl->length; i++)
            ldl->shift[i] = ldl->sign[i] > 0 ? plus : ldl->sign[i] < 0 ? -minus : 0.0;
        ldl->given_shift = shift;
        if (shift && !ldl->engine->load) share(&(walk){.ldl = ldl, .in = shift}, ldl->n, take_shift);
        if (ldl->engine->load) fits = ldl->engine->load(ldl, value, changed);
        else load(ldl, value, changed);
        if (fits) break;
        assert(attempt == 0);
        st = analyse_again(ldl);
        if (st != MGC_OK) return st;
    }
    ldl->info.corrected = 0;
    ldl->judged = ldl->weighed = false;
    result = ldl->engine->factorise(ldl);
    ldl->loaded = result == MGC_OK; /* engines load on the way */
    return result;
}

mgc_status mgc__ldl_factorise(mgc__ldl *ldl, const double *value, double plus, double minus)
{
    return factorise(ldl, value, NULL, NULL, plus, minus);
}

mgc_status mgc__ldl_factorise_shifted(mgc__ldl *ldl, const double *value, const uint32_t *diagonal, const double *shift)
{
    return factorise(ldl, value, diagonal, shift, 0.0, 0.0);
}

/* What residuals are measured by: the size of b, each sign's rows by their own part of it. */
typedef struct yardstick {
    ldl_pair size;
    double total;
} yardstick;

static yardstick measure(const mgc__ldl *ldl, ldl_pair squares)
{
    yardstick y = {.size = {sqrt(squares.plus), sqrt(squares.minus)}};

    y.total = fmax(y.size.plus, y.size.minus);
    y.size.plus = fmax(y.size.plus, ldl->weighed ? y.total : SMALL_BLOCK * y.total);
    y.size.minus = fmax(y.size.minus, ldl->weighed ? y.total : SMALL_BLOCK * y.total);
    return y;
}

static double relative(const yardstick *y, ldl_pair squares)
{
    double plus = sqrt(squares.plus) / y->size.plus, minus = sqrt(squares.minus) / y->size.minus;

    return ldl_larger_of(plus, minus);
}

static void copy_b(void *user, size_t part)
{
    const walk *w = user;
    uint32_t at = part_begin(w, part);

    memcpy(w->ldl->r + at, w->ldl->b + at, (part_begin(w, part + 1) - at) * sizeof *w->ldl->r);
}

static void measure_residual(void *user, size_t part)
{
    walk *w = user;
    uint32_t at = part_begin(w, part);

    w->largest[part] = mgc__ldl_loops()->largest(part_begin(w, part + 1) - at, w->ldl->r + at, w->ldl->weight + at);
}

/* And what the shift does not explain of the residual. */
static void measure_rounding(void *user, size_t part)
{
    walk *w = user;
    mgc__ldl *ldl = w->ldl;
    uint32_t at = part_begin(w, part), end = part_begin(w, part + 1);

    measure_residual(user, part);
    for (uint32_t i = at; i < end; i++) ldl->best[i] = ldl->r[i] - ldl->shift[i] * ldl->x[i];
    w->rounding[part] = mgc__ldl_loops()->largest(end - at, ldl->best + at, ldl->weight + at);
}

/* In exact arithmetic (K + shift) x = b leaves b - K x = shift x.  How far is the residual from that? */
static void judge(mgc__ldl *ldl, const yardstick *y, const walk *w)
{
    ldl_pair squares = largest_of_parts(w->rounding, w->parts);

    ldl->rounding = (ldl_pair){sqrt(squares.plus) / y->total, sqrt(squares.minus) / y->total};
    ldl->judged = true;
}

/* ldl->r = b - K x; returns its relative size.  rounding: judge the factor by it. */
static double residual(mgc__ldl *ldl, const yardstick *y, bool rounding)
{
    walk w = {.ldl = ldl};

    if (ldl->engine->residual) {
        ldl->engine->residual(ldl, ldl->x, ldl->r);
    } else {
        share(&w, ldl->length, copy_b);
        mgc__csc_symmul(&ldl->k, -1.0, ldl->x, ldl->r);
    }
    share(&w, ldl->length, rounding ? measure_rounding : measure_residual);
    if (rounding) judge(ldl, y, &w);
    return relative(y, largest_of_parts(w.largest, w.parts));
}

/* Rounding varies with the right-hand side: what one solve showed, times a safety, is taken for all with one factor.
 * */
static double noise_of(const mgc__ldl *ldl, const yardstick *y)
{
    if (!ldl->judged) return INFINITY;
    return ROUNDING_SAFETY * y->total * fmax(ldl->rounding.plus / y->size.plus, ldl->rounding.minus / y->size.minus);
}

/* Refinement by the shift alone, without K: steps of (K + shift) d = r leave r = shift d.  Returns the error, which
 * rounding is not part of. */
static double refine_by_shift(mgc__ldl *ldl, const yardstick *y, double error, uint32_t steps, double goal)
{
    walk w = {.ldl = ldl, .in = ldl->x};

    for (uint32_t s = 0; s < steps && error > goal; s++) {
        double before = error;

        share(&w, ldl->length, shift_step);
        ldl->engine->solve(ldl, ldl->r);
        share(&w, ldl->length, measure_step);
        error = relative(y, largest_of_parts(w.largest, w.parts));
        if (!(error < before)) return before;
        share(&w, ldl->length, add_step);
        w.in = ldl->r;
    }
    return error;
}

static void keep_x(void *user, size_t part)
{
    const walk *w = user;
    uint32_t at = part_begin(w, part);

    memcpy(w->ldl->best + at, w->ldl->x + at, (part_begin(w, part + 1) - at) * sizeof *w->ldl->x);
}

/* Refinement on K itself. */
static double refine(mgc__ldl *ldl, const yardstick *y, double error, uint32_t steps, double goal)
{
    walk w = {.ldl = ldl};

    for (uint32_t s = 0; s < steps && error > goal; s++) {
        double before = error;

        share(&w, ldl->length, keep_x);
        ldl->engine->solve(ldl, ldl->r);
        share(&w, ldl->length, add_step);
        error = residual(ldl, y, false);
        if (!(error < before)) { /* also where it is not a number: the last good one stands */
            memcpy(ldl->x, ldl->best, ldl->length * sizeof *ldl->x);
            return before;
        }
        if (error > 0.5 * before) break;
    }
    return error;
}

double mgc__ldl_solve(mgc__ldl *ldl, const double *b, double *x, uint32_t steps, double target)
{
    ldl_sizes sizes = ldl->engine->first ? ldl->engine->first(ldl, b, x) : first(ldl, b, x);
    yardstick y = measure(ldl, sizes.b);
    double noise, error;

    if (y.total <= 0.0) { /* not where b has a NaN */
        memset(x, 0, ldl->n * sizeof *x);
        return 0.0;
    }
    noise = noise_of(ldl, &y);
    error = relative(&y, sizes.shifted) + noise;
    if (error <= target) return error;
    if (noise <= 0.5 * target) {
        error = noise + refine_by_shift(ldl, &y, error - noise, steps, target - noise);
    } else {
        error = residual(ldl, &y, !ldl->judged && !ldl->weighed);
        if (error <= target) return error; /* x is there */
        error = refine(ldl, &y, error, steps, target);
    }
    share(&(walk){.ldl = ldl, .out = x}, ldl->n, give_x);
    if (ldl->engine->finish) ldl->engine->finish(ldl, x);
    return error;
}

void mgc__ldl_apply(mgc__ldl *ldl, const double *b, double *x)
{
    (void)(ldl->engine->first ? ldl->engine->first(ldl, b, x) : first(ldl, b, x));
}

void mgc__ldl_weigh(mgc__ldl *ldl, const double *weight)
{
    for (uint32_t i = 0; i < ldl->n; i++) ldl->weight[ldl->where[i]] = weight[i] * weight[i] * ldl->side[ldl->where[i]];
    ldl->weighed = true;
    ldl->judged = false;
}

const uint8_t *mgc__ldl_scenarios(const mgc__ldl *ldl, uint32_t *count)
{
    *count = ldl->scenarios;
    return ldl->scenario;
}

void mgc__ldl_read_info(const mgc__ldl *ldl, mgc__ldl_info *info)
{
    *info = ldl->info;
}
