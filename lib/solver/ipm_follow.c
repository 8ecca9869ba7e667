/* SPDX-License-Identifier: Apache-2.0 */
/* A parametric active-set method: from the solution of the last program along a straight line to that of the present one
 * (Best 1996; Ferreau, Bock and Diehl 2008), doc/math/solver.md, section 8.
 *
 * t goes from nought, where costs and sides are such that the point at hand is optimal, to one, where they are the
 * program's.  On the way a loose component may meet a bound, and a multiplier may come to nought: then it changes its
 * state, and the line goes on in another direction. */
#define REGISTER 2 /* memory takes the time: wider ones gain nothing */
#include "solver/ipm_follow.h"

/* Bounds and signs may be missed by so much while ties are broken (Harris 1973), in units where points and costs are near
 * one. */
#define HARRIS 1e-9
/* Rates below this are rounding. */
#define NOTHING 1e-11
/* A multiplier this many times its slack, or the other way round, tells clearly where an interior answer stands. */
#define CLEAR 10.0

/* An exchange takes a sixth of an interior-point iteration's time, an entry from an interior answer 20 to 200 of them;
 * once there, prices that settle take none to 30. */
enum { EXCHANGES = 160, CROSSED = 120 };
enum { LINES = 3 };        /* the second and third for what regularisation and rounding have left */
enum { CHANGED = 16 };     /* clear states that an answer may change for the next line to be worth while */
enum { PATIENCE_MOST = 64 };

void mgc__ipm_follow_destroy(mgc__ipm *ipm)
{
    follow *f = ipm->follow;

    if (!f) return;
    mgc__free(ipm->ctx, f->state);
    mgc__free(ipm->ctx, f->block);
    mgc__free(ipm->ctx, f);
    ipm->follow = NULL;
}

static void place_vectors(follow *f)
{
    double **vector[] = {&f->value, &f->low, &f->high, &f->rate, &f->drift, &f->stands, &f->stood, &f->rhs, &f->plain,
                         &f->step, &f->answer};

    for (size_t k = 0; k < MGC__COUNT(vector); k++) *vector[k] = f->block + k * f->stride;
}

mgc_status mgc__ipm_follow_create(mgc__ipm *ipm)
{
    size_t count = ipm->count;
    follow *f;

    if (ipm->follow) return MGC_OK;
    f = ipm->follow = mgc__alloc(ipm->ctx, 1, sizeof *f);
    if (!f) return mgc__no_memory(ipm->ctx, "an active set");
    f->patience = 1;
    f->stride = (count + LANES - 1) / LANES * LANES;
    f->state = mgc__alloc(ipm->ctx, 4 * count, sizeof *f->state);
    f->block = mgc__alloc(ipm->ctx, (10 + BORDER) * f->stride, sizeof *f->block);
    if (!f->state || !f->block) {
        mgc__ipm_follow_destroy(ipm);
        return mgc__no_memory(ipm->ctx, "an active set");
    }
    f->base = f->state + count;
    f->kind = f->base + count;
    f->seen = f->kind + count;
    memset(f->seen, UNCLEAR, count);
    place_vectors(f);
    return MGC_OK;
}

void mgc__ipm_follow_forget(mgc__ipm *ipm)
{
    if (ipm->follow) ipm->follow->left = LEFT_NOTHING;
}

void mgc__ipm_follow_values_changed(mgc__ipm *ipm)
{
    if (ipm->follow) ipm->follow->factored = false;
}

/* --- points --------------------------------------------------------------------------------- */

static double bound_of(const mgc__ipm *ipm, uint32_t i)
{
    return ipm->follow->state[i] == AT_UPPER ? ipm->up[i] : ipm->lo[i];
}

static void set_state(mgc__ipm *ipm, uint32_t i, uint8_t s)
{
    follow *f = ipm->follow;

    f->state[i] = s;
    f->stands[i] = stands_in(ipm, i, s) ? 1.0 : 0.0;
    f->low[i] = s == LOOSE ? (ipm->hl[i] > 0.0 ? ipm->lo[i] : -INFINITY) : s == AT_LOWER ? 0.0 : -INFINITY;
    f->high[i] = s == LOOSE ? (ipm->hu[i] > 0.0 ? ipm->up[i] : INFINITY) : s == AT_UPPER ? 0.0 : INFINITY;
}

/* The state that bounds leave no choice of; LOOSE: there is one. */
static uint8_t forced(const mgc__ipm *ipm, uint32_t i)
{
    if (ipm->kind[i] == KIND_FIXED) return HELD;
    return ipm->kind[i] == KIND_FREE && i >= ipm->n ? ABSENT : LOOSE;
}

/* An interior answer as a point of an active set: what has more multiplier than slack is held. */
static void take_over(mgc__ipm *ipm)
{
    follow *f = ipm->follow;

    f->factored = false;
    for (uint32_t i = 0; i < ipm->count; i++) {
        uint8_t s = forced(ipm, i);

        if (s == LOOSE && ipm->hl[i] > 0.0 && ipm->zl[i] > ipm->vl[i]) s = AT_LOWER;
        if (s == LOOSE && ipm->hu[i] > 0.0 && ipm->zu[i] > ipm->vu[i]) s = AT_UPPER;
        f->state[i] = s;
        if (s == LOOSE) f->value[i] = ipm->w[i];
        else f->value[i] = i < ipm->n ? ipm->zl[i] - ipm->zu[i] : s == ABSENT ? 0.0 : ipm->y[i];
    }
}

/* Bounds may have moved, come and gone since. */
static void fit_states(mgc__ipm *ipm)
{
    follow *f = ipm->follow;

    for (uint32_t i = 0; i < ipm->count; i++) {
        uint8_t was = f->state[i], s = forced(ipm, i);

        if (s == LOOSE && ((was == AT_LOWER && ipm->hl[i] > 0.0) || (was == AT_UPPER && ipm->hu[i] > 0.0))) s = was;
        if (stands_in(ipm, i, was) != stands_in(ipm, i, s)) f->value[i] = i < ipm->n && s == LOOSE ? ipm->w[i] : 0.0;
        if (s != was) f->factored = false;
        set_state(ipm, i, s);
        if (s == LOOSE && i < ipm->n) f->value[i] = fmin(fmax(f->value[i], f->low[i]), f->high[i]);
    }
}

/* The same where bounds stand as they stood. */
static void keep_within(mgc__ipm *ipm)
{
    follow *f = ipm->follow;

    for (uint32_t j = 0; j < ipm->n; j++) {
        double x = f->value[j];

        if (f->state[j] == LOOSE) f->value[j] = x < f->low[j] ? f->low[j] : x > f->high[j] ? f->high[j] : x;
    }
}

/* s = (x, -y) of the point. */
static void read_point(const mgc__ipm *ipm, double *s)
{
    const follow *f = ipm->follow;

    for (uint32_t j = 0; j < ipm->n; j++) s[j] = f->state[j] == LOOSE ? f->value[j] : bound_of(ipm, j);
    for (uint32_t i = ipm->n; i < ipm->count; i++) s[i] = -f->stands[i] * f->value[i];
}

/* --- the line ------------------------------------------------------------------------------- */

static double line_times(const mgc__csc *a, uint32_t line, const double *x)
{
    double sum = 0.0;

    for (uint32_t e = a->start[line]; e < a->start[line + 1]; e++) sum += a->value[e] * x[a->row[e]];
    return sum;
}

/* Costs and sides for which the point is optimal, against the program's. */
static void begin(mgc__ipm *ipm)
{
    follow *f = ipm->follow;
    uint32_t n = ipm->n;
    double *qx = f->rate;

    read_point(ipm, f->rhs);
    memset(qx, 0, n * sizeof *qx);
    if (ipm->has_q) mgc__csc_symmul(&ipm->q, 1.0, f->rhs, qx);
    for (uint32_t j = 0; j < n; j++) {
        double d = ipm->c[j] + qx[j] + line_times(&ipm->a, j, f->rhs + n);

        f->drift[j] = f->state[j] == LOOSE ? d : d - f->value[j];
    }
    for (uint32_t i = n; i < ipm->count; i++) {
        double w = f->state[i] == ABSENT ? 0.0 : line_times(&ipm->at, i - n, f->rhs);

        if (f->state[i] == LOOSE) f->value[i] = w;
        f->drift[i] = f->stands[i] > 0.0 ? bound_of(ipm, i) - w : 0.0;
    }
}

/* What becomes of each value along the direction that f->step is. */
static void set_rates(mgc__ipm *ipm)
{
    follow *f = ipm->follow;
    uint32_t n = ipm->n;
    double *qx = f->rate;

    memset(qx, 0, n * sizeof *qx);
    if (ipm->has_q) mgc__csc_symmul(&ipm->q, 1.0, f->step, qx);
    for (uint32_t j = 0; j < n; j++) {
        if (f->state[j] == LOOSE) f->rate[j] = f->step[j];
        else f->rate[j] = f->state[j] == HELD ? 0.0 : f->drift[j] + qx[j] + line_times(&ipm->a, j, f->step + n);
    }
    for (uint32_t i = n; i < ipm->count; i++)
        f->rate[i] = f->state[i] == LOOSE ? line_times(&ipm->at, i - n, f->step) : -f->step[i];
}

static double room_of(const follow *f, uint32_t i)
{
    return fmax(0.0, f->rate[i] > 0.0 ? f->high[i] - f->value[i] : f->value[i] - f->low[i]);
}

/* Does any of eight components from i on come further than its limit, and the tolerance, within t? */
static bool any_beyond(const follow *f, size_t i, double t)
{
    piece_mask any = {0};

    for (size_t end = i + LANES; i < end; i += REGISTER) {
        piece value = LOAD(f->value + i), ahead = value + LOAD(f->rate + i) * t;

        any |= (piece_mask)(ahead > LOAD(f->high + i) + HARRIS) | (piece_mask)(ahead < LOAD(f->low + i) - HARRIS);
    }
    return (any[0] | any[1]) != 0;
}

/* How far everything stays within its limits, by Harris' two passes: of those that stop the line first, up to a
 * tolerance, the fastest.  stop: which; UINT32_MAX: none before `left`.  crossed: how many would on a line without stops. */
static double longest(const mgc__ipm *ipm, double left, uint32_t *stop, uint32_t *crossed)
{
    const follow *f = ipm->follow;
    double most = left, best = NOTHING;
    uint32_t among[CROSSED];

    *stop = UINT32_MAX;
    *crossed = 0;
    for (size_t from = 0; from < f->stride; from += LANES) {
        if (!any_beyond(f, from, left)) continue;
        for (uint32_t i = (uint32_t)from; i < ipm->count && i < from + LANES; i++) {
            double room = room_of(f, i) + HARRIS, speed = fabs(f->rate[i]);

            if (speed <= NOTHING || !(speed * left > room)) continue;
            if (*crossed == CROSSED) return *crossed += 1, left;
            among[*crossed] = i;
            *crossed += 1;
            most = fmin(most, room / speed);
        }
    }
    for (uint32_t k = 0; k < *crossed; k++) {
        double speed = fabs(f->rate[among[k]]);

        if (speed <= best || room_of(f, among[k]) > speed * most) continue;
        best = speed;
        *stop = among[k];
    }
    return *stop == UINT32_MAX ? left : fmin(left, room_of(f, *stop) / best);
}

/* Component i has met its bound, or its multiplier has come to nought. */
static mgc_status exchange(mgc__ipm *ipm, uint32_t i)
{
    follow *f = ipm->follow;
    mgc_status st;

    if (f->state[i] == LOOSE) {
        set_state(ipm, i, f->rate[i] > 0.0 ? AT_UPPER : AT_LOWER);
        f->value[i] = 0.0;
        if (i >= ipm->n) f->drift[i] = 0.0;
    } else {
        f->value[i] = bound_of(ipm, i);
        set_state(ipm, i, LOOSE);
    }
    f->exchanges++;
    if (f->count < BORDER) {
        mgc__border_change(ipm, i);
        return MGC_OK;
    }
    st = mgc__border_factorise(ipm);
    if (st == MGC_OK) mgc__border_begin(ipm);
    return st;
}

static bool in_time(const mgc__ipm *ipm, const mgc__ipm_opts *opts)
{
    return !mgc_ctx_cancelled(ipm->ctx) && (opts->deadline_ms == 0 || mgc__now_ms(ipm->ctx) < opts->deadline_ms);
}

/* From t = 0 to 1; false: it would take too many exchanges, or numbers fail. */
static bool walk(mgc__ipm *ipm, const mgc__ipm_opts *opts)
{
    follow *f = ipm->follow;
    double left = 1.0, step;
    uint32_t stop, crossed;

    mgc__border_begin(ipm);
    while (in_time(ipm, opts) && mgc__border_solve(ipm)) {
        set_rates(ipm);
        step = longest(ipm, left, &stop, &crossed);
        if (crossed > CROSSED || f->exchanges >= EXCHANGES) return false;
        for (size_t i = 0; i < f->stride; i += REGISTER) STORE(f->value + i) += LOAD(f->rate + i) * step;
        if (stop == UINT32_MAX) return true;
        left -= step;
        if (exchange(ipm, stop) != MGC_OK) return false;
    }
    return false;
}

/* --- what it comes to ----------------------------------------------------------------------- */

/* The point in the core's vectors, and what it is worth. */
static void show(mgc__ipm *ipm)
{
    follow *f = ipm->follow;
    uint32_t n = ipm->n;

    read_point(ipm, f->rhs);
    for (uint32_t i = 0; i < ipm->count; i++) {
        double z = i >= n ? -f->rhs[i] : f->state[i] == LOOSE ? 0.0 : f->value[i];

        if (i < n) ipm->w[i] = f->rhs[i];
        else ipm->y[i] = z;
        ipm->vl[i] = ipm->vu[i] = 1.0;
        ipm->zl[i] = f->state[i] == AT_LOWER ? fmax(z, 0.0) : 0.0;
        ipm->zu[i] = f->state[i] == AT_UPPER ? fmax(-z, 0.0) : 0.0;
    }
    mgc__ipm_residuals(ipm, &ipm->now);
}

static bool follow_line(mgc__ipm *ipm, const mgc__ipm_opts *opts)
{
    follow *f = ipm->follow;

    if (f->left == LEFT_INNER) take_over(ipm);
    if (f->left == LEFT_POINT && ipm->bounds_stand) keep_within(ipm);
    else fit_states(ipm);
    if (!f->factored || memcmp(f->kind, ipm->kind, ipm->count) != 0)
        if (mgc__border_factorise(ipm) != MGC_OK) return false;
    for (uint32_t k = 0; k < LINES; k++) {
        begin(ipm);
        if (!walk(ipm, opts)) return false;
        show(ipm);
        if (ipm->now.merit <= opts->tolerance) return true;
    }
    return false;
}

bool mgc__ipm_follow_solution(mgc__ipm *ipm, const mgc__ipm_opts *opts)
{
    follow *f = ipm->follow;
    bool found;

    if (!f || f->left == LEFT_NOTHING) return false;
    mgc__ipm_load(ipm, AS_GIVEN, true);
    f->exchanges = 0;
    found = follow_line(ipm, opts);
    f->left = found ? LEFT_POINT : LEFT_NOTHING;
    if (found) {
        memcpy(f->seen, f->state, ipm->count);
        f->patience = 1;
    } else {
        f->pause = f->patience;
        f->patience = f->patience < PATIENCE_MOST ? 2 * f->patience : PATIENCE_MOST;
    }
    return found;
}

/* --- when to begin -------------------------------------------------------------------------- */

/* What an interior answer says of component i. */
static uint8_t clear_state(const mgc__ipm *ipm, uint32_t i)
{
    double l = ipm->zl[i] / ipm->vl[i], u = ipm->zu[i] / ipm->vu[i];

    if (ipm->kind[i] != KIND_BOUNDED) return UNCLEAR;
    if (l > CLEAR || u > CLEAR) return l > CLEAR ? AT_LOWER : AT_UPPER;
    return l < 1.0 / CLEAR && u < 1.0 / CLEAR ? LOOSE : UNCLEAR;
}

bool mgc__ipm_follow_is_near(mgc__ipm *ipm)
{
    follow *f = ipm->follow;
    uint32_t known = 0, changed = 0;

    if (!f) return false;
    for (uint32_t i = 0; i < ipm->count; i++) {
        uint8_t now = clear_state(ipm, i), was = f->seen[i];

        if (was == AT_LOWER || was == AT_UPPER || was == LOOSE) {
            changed += now != UNCLEAR && now != was;
            known++;
        }
        f->seen[i] = now;
    }
    if (known == 0 || changed > CHANGED) return false;
    if (f->pause == 0) return true;
    f->pause--;
    return false;
}

void mgc__ipm_follow_adopt(mgc__ipm *ipm)
{
    ipm->follow->left = LEFT_INNER;
}
