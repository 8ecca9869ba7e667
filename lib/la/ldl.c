/* SPDX-License-Identifier: Apache-2.0 */
/* The seam: order and permute once, factorise by one of the engines, solve with refinement. */
#include "la/ldl_private.h"

#include <math.h>

/* order[k] = k-th node of a postorder of the forest; work: 3 n. */
static void postorder(uint32_t n, const uint32_t *parent, uint32_t *order, uint32_t *work)
{
    uint32_t *head = work, *next = work + n, *stack = next + n, k = 0;

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
}

static mgc_status apply_order(mgc__ldl *ldl, const mgc__csc *k, uint32_t *inverse)
{
    for (uint32_t i = 0; i < ldl->n; i++) inverse[ldl->perm[i]] = i;
    mgc__csc_free(ldl->ctx, &ldl->k);
    return mgc__permute_upper(ldl->ctx, k, inverse, &ldl->k, ldl->place);
}

/* Fill-reducing first, then postordered, which leaves the fill alone and brings columns of one pattern together. */
static mgc_status order_and_permute(mgc__ldl *ldl, const mgc__csc *k, const int8_t *sign)
{
    size_t n = ldl->n;
    uint32_t *work = mgc__alloc(ldl->ctx, 6 * n, sizeof *work), *parent = work + n, *order = parent + n;
    mgc_status st = work ? mgc__order_best(ldl->ctx, k, ldl->perm) : mgc__no_memory(ldl->ctx, "a permutation");

    if (st == MGC_OK) st = apply_order(ldl, k, work);
    if (st == MGC_OK) {
        mgc__etree(&ldl->k, parent, work);
        postorder(ldl->n, parent, order, order + n);
        for (size_t i = 0; i < n; i++) work[i] = ldl->perm[order[i]];
        memcpy(ldl->perm, work, n * sizeof *work);
        st = apply_order(ldl, k, work);
        for (size_t i = 0; i < n; i++) ldl->sign[i] = sign[ldl->perm[i]];
    }
    mgc__free(ldl->ctx, work);
    return st;
}

static const ldl_engine *engine_of(uint32_t method)
{
    switch (method) {
    case MGC__LDL_UPLOOKING: return &mgc__ldl_uplooking;
    case MGC__LDL_CHOLMOD: return &mgc__ldl_cholmod;
    default: return &mgc__ldl_supernodal;
    }
}

mgc_status mgc__ldl_create(mgc_ctx *ctx, const mgc__csc *k, const int8_t *sign, uint32_t method, mgc__ldl **out)
{
    mgc__ldl *ldl = mgc__alloc(ctx, 1, sizeof *ldl);
    size_t n = k->cols;
    mgc_status st;

    *out = NULL;
    if (!ldl) return mgc__no_memory(ctx, "a factorisation");
    ldl->ctx = ctx;
    ldl->n = k->cols;
    ldl->perm = mgc__alloc(ctx, n, sizeof *ldl->perm);
    ldl->place = mgc__alloc(ctx, k->start[n], sizeof *ldl->place);
    ldl->sign = mgc__alloc(ctx, n, sizeof *ldl->sign);
    ldl->b = mgc__alloc(ctx, 5 * n, sizeof *ldl->b);
    st = ldl->perm && ldl->place && ldl->sign && ldl->b ? MGC_OK : mgc__no_memory(ctx, "a factorisation");
    if (st == MGC_OK) {
        ldl->x = ldl->b + n;
        ldl->r = ldl->x + n;
        ldl->best = ldl->r + n;
        ldl->weight = ldl->best + n;
        st = order_and_permute(ldl, k, sign);
    }
    if (st == MGC_OK) {
        ldl->info.method = method == MGC__LDL_AUTO ? MGC__LDL_SUPERNODAL : method;
        ldl->engine = engine_of(method);
        st = ldl->engine->analyse(ldl);
    }
    if (st != MGC_OK) {
        mgc__ldl_destroy(ldl);
        return st;
    }
    *out = ldl;
    return MGC_OK;
}

void mgc__ldl_destroy(mgc__ldl *ldl)
{
    if (!ldl) return;
    if (ldl->engine) ldl->engine->destroy(ldl);
    mgc__csc_free(ldl->ctx, &ldl->k);
    mgc__free(ldl->ctx, ldl->perm);
    mgc__free(ldl->ctx, ldl->place);
    mgc__free(ldl->ctx, ldl->sign);
    mgc__free(ldl->ctx, ldl->b);
    mgc__free(ldl->ctx, ldl);
}

mgc_status mgc__ldl_factorise(mgc__ldl *ldl, const double *value, double plus, double minus)
{
    uint32_t nnz = ldl->k.start[ldl->n];

    for (uint32_t e = 0; e < nnz; e++) ldl->k.value[ldl->place[e]] = value[e];
    for (uint32_t j = 0; j < ldl->n; j++) ldl->weight[j] = 1.0 / sqrt(fmax(1.0, fabs(ldl->k.value[ldl->k.start[j + 1] - 1])));
    ldl->plus = plus;
    ldl->minus = minus;
    ldl->info.corrected = 0;
    return ldl->engine->factorise(ldl);
}

static double weighted(const mgc__ldl *ldl, const double *x)
{
    double most = 0.0;

    for (uint32_t i = 0; i < ldl->n; i++) {
        double t = fabs(x[i]) * ldl->weight[i];

        most = t <= most ? most : t; /* a NaN goes through */
    }
    return most;
}

/* r = b - K x; returns its largest weighted entry. */
static double residual(mgc__ldl *ldl)
{
    memcpy(ldl->r, ldl->b, ldl->n * sizeof *ldl->r);
    mgc__csc_symmul(&ldl->k, -1.0, ldl->x, ldl->r);
    return weighted(ldl, ldl->r);
}

double mgc__ldl_solve(mgc__ldl *ldl, const double *b, double *x, uint32_t steps, double target)
{
    uint32_t n = ldl->n;
    double size, error;

    for (uint32_t i = 0; i < n; i++) ldl->x[i] = ldl->b[i] = b[ldl->perm[i]];
    size = weighted(ldl, ldl->b);
    if (!(size > 0.0)) {
        memset(x, 0, n * sizeof *x);
        return 0.0;
    }
    ldl->engine->solve(ldl, ldl->x);
    error = residual(ldl);
    for (uint32_t s = 0; s < steps && error > target * size; s++) {
        double before = error;

        memcpy(ldl->best, ldl->x, n * sizeof *ldl->best);
        ldl->engine->solve(ldl, ldl->r);
        for (uint32_t i = 0; i < n; i++) ldl->x[i] += ldl->r[i];
        error = residual(ldl);
        if (!(error < before)) { /* also where it is not a number: the last good one stands */
            memcpy(ldl->x, ldl->best, n * sizeof *ldl->x);
            error = before;
            break;
        }
        if (error > 0.5 * before) break;
    }
    for (uint32_t i = 0; i < n; i++) x[ldl->perm[i]] = ldl->x[i];
    return error / size;
}

void mgc__ldl_read_info(const mgc__ldl *ldl, mgc__ldl_info *info)
{
    *info = ldl->info;
}
