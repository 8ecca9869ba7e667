/* SPDX-License-Identifier: Apache-2.0 */
/* CHOLMOD: fill-reducing orders for everyone, and its simplicial L D L' as the second engine.
 *
 * Only LGPL modules are called: Core (Utility), Cholesky, Partition (for CAMD alone).  Never Supernodal, Modify or
 * MatrixOps. The matrix comes permuted already and is analysed in its natural order without postordering, upper
 * triangle: only then does cholmod_factorize() make no temporary copies. */
#include "la/ldl_private.h"

#include <math.h>
#include <suitesparse/cholmod.h>

typedef struct engine {
    cholmod_common common;
    bool started;
    cholmod_sparse k; /* borrows ldl->k's arrays; values are its own, with the shift */
    double *value;
    cholmod_factor *factor;
    cholmod_dense *x, *y, *e;
} engine;

static mgc_status failed(mgc_ctx *ctx, const cholmod_common *common)
{
    if (common->status == CHOLMOD_OUT_OF_MEMORY) return mgc__no_memory(ctx, "CHOLMOD");
    if (common->status == CHOLMOD_TOO_LARGE) return mgc__fail(ctx, MGC_E_LIMIT,
                                                              "la: the matrix is too large for CHOLMOD");
    return mgc__fail(ctx, MGC_E_INTERNAL, "la: CHOLMOD answered with status %d", common->status);
}

static void start(cholmod_common *common)
{
    cholmod_start(common);
    common->print = 0; /* the library prints nothing */
    common->error_handler = NULL;
    common->supernodal = CHOLMOD_SIMPLICIAL;
    common->final_ll = 0;
    common->nmethods = 1;
    common->postorder = 0;
    common->method[0].ordering = CHOLMOD_NATURAL;
}

static cholmod_sparse borrow(const mgc__csc *k, double *value)
{
    return (cholmod_sparse){
        .nrow = k->rows, .ncol = k->cols, .nzmax = k->start[k->cols], .p = k->start, .i = k->row, .x = value, .stype = 1,
        .itype = CHOLMOD_INT, .xtype = value ? CHOLMOD_REAL : CHOLMOD_PATTERN, .dtype = CHOLMOD_DOUBLE, .sorted = 1,
        .packed = 1};
}

mgc_status mgc__order_amd(mgc_ctx *ctx, const mgc__csc *k, uint32_t *perm)
{
    cholmod_common common;
    cholmod_sparse view = borrow(k, NULL);
    mgc_status st = MGC_OK;

    if (k->cols == 0) return MGC_OK;
    start(&common);
    if (!cholmod_amd(&view, NULL, 0, (int *)perm, &common)) st = failed(ctx, &common);
    cholmod_finish(&common);
    return st;
}

mgc_status mgc__order_constrained(mgc_ctx *ctx, const mgc__csc *k, uint32_t *group, uint32_t *perm)
{
    cholmod_common common;
    cholmod_sparse view = borrow(k, NULL);
    mgc_status st = MGC_OK;

    if (k->cols == 0) return MGC_OK;
    start(&common);
    if (!cholmod_camd(&view, NULL, 0, (int *)group, (int *)perm, &common)) st = failed(ctx, &common);
    cholmod_finish(&common);
    return st;
}

static void destroy(mgc__ldl *ldl)
{
    engine *c = ldl->state;

    if (!c) return;
    if (c->started) {
        cholmod_free_factor(&c->factor, &c->common);
        cholmod_free_dense(&c->x, &c->common);
        cholmod_free_dense(&c->y, &c->common);
        cholmod_free_dense(&c->e, &c->common);
        cholmod_finish(&c->common);
    }
    mgc__free(ldl->ctx, c->value);
    mgc__free(ldl->ctx, c);
    ldl->state = NULL;
}

static mgc_status analyse(mgc__ldl *ldl)
{
    engine *c = ldl->state = mgc__alloc(ldl->ctx, 1, sizeof *c);

    if (!c) return mgc__no_memory(ldl->ctx, "a factorisation");
    c->value = mgc__alloc(ldl->ctx, ldl->k.start[ldl->n], sizeof *c->value);
    if (!c->value) return mgc__no_memory(ldl->ctx, "a factorisation");
    start(&c->common);
    c->started = true;
    c->k = borrow(&ldl->k, c->value);
    c->factor = cholmod_analyze(&c->k, &c->common);
    if (!c->factor) return failed(ldl->ctx, &c->common);
    ldl->info.factor_nonzeros = (uint64_t)c->common.lnz - ldl->n;
    ldl->info.operations = 0.5 * c->common.fl;
    return MGC_OK;
}

static mgc_status factorise(mgc__ldl *ldl)
{
    engine *c = ldl->state;
    const mgc__csc *k = &ldl->k;

    memcpy(c->value, k->value, k->start[ldl->n] * sizeof *c->value);
    for (uint32_t j = 0; j < ldl->n; j++) c->value[k->start[j + 1] - 1] += ldl->shift[j];
    if (!cholmod_factorize(&c->k, c->factor, &c->common) && c->common.status < 0) return failed(ldl->ctx, &c->common);
    /* CHOLMOD stops at a zero pivot and keeps wrong signs; this engine replaces neither. */
    for (uint32_t j = 0; j < ldl->n; j++) {
        double d = ((const double *)c->factor->x)[((const int *)c->factor->p)[j]];

        if (!isfinite(d) || d == 0.0 || c->factor->minor < ldl->n)
            return mgc__fail(ldl->ctx, MGC_E_NUMERIC, "la: pivot %u of %u is zero or not a finite number", j, ldl->n);
    }
    return MGC_OK;
}

static void solve(mgc__ldl *ldl, double *x)
{
    engine *c = ldl->state;
    cholmod_dense b = {.nrow = ldl->n, .ncol = 1, .nzmax = ldl->n, .d = ldl->n, .x = x, .xtype = CHOLMOD_REAL,
                       .dtype = CHOLMOD_DOUBLE};

    if (cholmod_solve2(CHOLMOD_A, c->factor, &b, NULL, &c->x, NULL, &c->y, &c->e, &c->common))
        memcpy(x, c->x->x, ldl->n * sizeof *x);
    else
        memset(x, 0xff, ldl->n * sizeof *x); /* not a number everywhere: no one can mistake it for an answer */
}

const ldl_engine mgc__ldl_cholmod = {.analyse = analyse, .factorise = factorise, .solve = solve, .destroy = destroy};
