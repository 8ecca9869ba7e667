/* SPDX-License-Identifier: Apache-2.0 */
/* Arrow-shaped matrices, with numbers: values are loaded into lanes, components factored batch by batch, what they leave on
 * the links assembled and factored; then right-hand sides.  The plan is arrow.c's.
 *
 * Sums over batches run within fixed chunks, then over the chunks: threads do not change a bit. */
#include "la/compress.h"
#include "la/lanes.h"

#include <math.h>

static const arrow_kernels *kernel_of(const arrow *a, const arrow_batch *batch)
{
    return &a->kernel[batch->width == ARROW_LANES ? 0 : 1];
}

/* --- factorisation --------------------------------------------------------------------------------------------- */

/* out[i] = in[from[i]] in lanes; those without a component keep what they have. */
static void gather(size_t count, const arrow_batch *batch, const uint32_t *from, const double *in, double *out)
{
    if (batch->lanes == batch->width)
        for (size_t i = 0; i < count * batch->width; i++) out[i] = in[from[i]];
    else
        for (size_t i = 0; i < count * batch->width; i += batch->width)
            for (uint32_t lane = 0; lane < batch->lanes; lane++) out[i + lane] = in[from[i + lane]];
}

static void scatter(size_t count, const arrow_batch *batch, const uint32_t *to, const double *in, double *out)
{
    if (batch->lanes == batch->width)
        for (size_t i = 0; i < count * batch->width; i++) out[to[i]] = in[i];
    else
        for (size_t i = 0; i < count * batch->width; i += batch->width)
            for (uint32_t lane = 0; lane < batch->lanes; lane++) out[to[i + lane]] = in[i + lane];
}

/* Shifts of links and of batches that a change of variables touches; others are taken by whoever factorises them. */
static void load_shift(mgc__ldl *ldl, const arrow *a)
{
    const double *in = ldl->given_shift;

    if (!in) return;
    for (size_t at = a->link_x; at < a->link_x + a->links; at++) ldl->shift[at] = in[a->origin[at]];
    for (uint32_t b = 0; b < a->batches; b++) {
        const arrow_batch *batch = &a->batch[b];

        if (batch->touched) gather(a->group[batch->group].size, batch, a->origin + batch->x, in, ldl->shift + batch->x);
    }
}

/* The shift of a set's rows follows the change of variables, but for terms between them: regularisation all the
 * same. */
static void compress_shift(mgc__ldl *ldl, const compression *c)
{
    for (uint32_t index = 0; index < c->sets; index++) {
        const compress_set *s = &c->set[index];
        double *z = &ldl->shift[ldl->where[s->member[0]]], *rep = &ldl->shift[ldl->where[s->member[s->rep]]];
        double first = *z, own = *rep / (s->ratio[s->rep] * s->ratio[s->rep]);

        *rep = first;
        *z = own;
    }
}

static void over_chunks(mgc__ldl *ldl, double operations, void (*task)(void *user, size_t index), void *user)
{
    arrow *a = ldl->state;

    mgc__pool_run(operations < ldl->worth_sharing ? NULL : ldl->pool, a->chunks, task, user);
}

typedef struct copy {
    const double *from;
    double *to;
    size_t n, parts;
} copy;

static void copy_part(void *user, size_t part)
{
    const copy *c = user;
    size_t begin = c->n * part / c->parts, end = c->n * (part + 1) / c->parts;

    memcpy(c->to + begin, c->from + begin, (end - begin) * sizeof *c->to);
}

static void copy_parts(mgc__ldl *ldl, const double *from, double *to, size_t n)
{
    copy c = {.from = from, .to = to, .n = n, .parts = n < 10000 ? 1 : 4};

    mgc__pool_run(ldl->pool, c.parts, copy_part, &c);
}

/* Components are loaded by whoever factorises them. */
static bool load(mgc__ldl *ldl, const double *value, const uint32_t *diagonal)
{
    arrow *a = ldl->state;
    compression *c = a->compression;

    a->given = value;
    a->steady = diagonal != NULL;
    load_shift(ldl, a);
    if (c && diagonal) {
        for (uint32_t t = 0; t < a->touches; t++) c->value[diagonal[a->touched[t]]] = value[diagonal[a->touched[t]]];
        mgc__compress_load_diagonal(c);
    } else if (c) {
        copy_parts(ldl, value, c->value, c->entries);
        if (!mgc__compress_load(c)) return false;
    }
    if (c) {
        compress_shift(ldl, c);
        value = c->value;
    }
    a->changed = value;
    for (size_t at = a->link_value; at < a->link_value + a->links + a->link_edges; at++) ldl->value[at] = value[a->source[at]];
    a->loops->weigh(a->links, ldl->value + a->link_value, ldl->side + a->link_x, ldl->weight + a->link_x);
    return true;
}

/* Values of a batch: of one that no change of variables touches, the diagonals alone where no other has changed. */
static void load_batch(mgc__ldl *ldl, const arrow *a, const arrow_batch *batch)
{
    const arrow_group *g = &a->group[batch->group];
    bool diagonal = a->steady && !batch->touched;
    double *value = ldl->value + batch->value;

    gather((size_t)g->size + (diagonal ? 0 : g->k_entries), batch, a->source + batch->value,
           diagonal ? a->given : a->changed, value);
    if (ldl->given_shift && !batch->touched) gather(g->size, batch, a->origin + batch->x, ldl->given_shift, ldl->shift + batch->x);
    a->loops->weigh((size_t)g->size * batch->width, value, ldl->side + batch->x, ldl->weight + batch->x);
}

static void factorise_chunk(void *user, size_t index)
{
    mgc__ldl *ldl = user;
    arrow *a = ldl->state;
    arrow_chunk *chunk = &a->chunk[index];
    size_t packed = (size_t)a->links * (a->links + 1) / 2;

    if (a->top.ldl) mgc__arrow_top_clear(&a->top, a->links, chunk->schur);
    else memset(chunk->schur, 0, packed * sizeof *chunk->schur);
    memset(chunk->size, 0, a->links * sizeof *chunk->size);
    chunk->corrected = 0;
    chunk->finite = true;
    for (uint32_t b = chunk->begin; b < chunk->end && chunk->finite && !mgc_ctx_cancelled(ldl->ctx); b++) {
        const arrow_batch *batch = &a->batch[b];
        const arrow_group *g = &a->group[batch->group];
        const arrow_target target = {.links = a->links, .lanes = batch->lanes, .schur = chunk->schur,
                                     .size = chunk->size,
                                     .link = g->link + (size_t)batch->first * g->border, .corrected = &chunk->corrected};

        load_batch(ldl, a, batch);
        chunk->finite = kernel_of(a, batch)->factorise(g, &target, ldl->value + batch->value, ldl->shift + batch->x,
                                             a->l + batch->l,
                                             a->d + batch->x, a->d_inverse + batch->x, chunk->work);
        if (chunk->finite) mgc__arrow_schur(g, batch, &target, a->l + batch->l, a->d + batch->x, chunk->link, chunk->panel);
    }
}

/* S, lower triangle, and the magnitudes of what made its diagonal: K's entries, then the chunks' in their order.  Every
 * `chunks`-th column. */
static void assemble_columns(void *user, size_t first)
{
    mgc__ldl *ldl = user;
    arrow *a = ldl->state;
    const double *value = ldl->value + a->link_value;
    uint32_t n = a->links;

    for (uint32_t c = (uint32_t)first; c < n; c += a->chunks) {
        double *column = a->schur + (size_t)c * n;
        size_t packed = arrow_packed(n, c);

        memset(column, 0, n * sizeof *column);
        column[c] = value[c];
        a->size[c] = fabs(value[c]);
        for (uint32_t k = 0; k < a->chunks; k++) {
            const double *from = a->chunk[k].schur + packed;

            for (uint32_t r = c; r < n; r++) column[r] += from[r];
            a->size[c] += a->chunk[k].size[c];
        }
    }
}

static void assemble_links(mgc__ldl *ldl, arrow *a)
{
    const double *value = ldl->value + a->link_value;
    uint32_t n = a->links;

    over_chunks(ldl, 0.5 * n * n * a->chunks, assemble_columns, ldl);
    for (uint32_t e = 0; e < a->link_edges; e++) a->schur[(size_t)a->link_column[e] * n + a->link_row[e]] += value[n + e];
}

static mgc_status factorise(mgc__ldl *ldl)
{
    arrow *a = ldl->state;

    over_chunks(ldl, ldl->info.operations, factorise_chunk, ldl);
    for (uint32_t k = 0; k < a->chunks; k++) {
        ldl->info.corrected += a->chunk[k].corrected;
        if (!a->chunk[k].finite)
            return mgc__fail(ldl->ctx, MGC_E_NUMERIC, "la: a pivot of components %u to %u is not a finite number",
                             a->chunk[k].begin * LANES, a->chunk[k].end * LANES - 1);
    }
    if (mgc_ctx_cancelled(ldl->ctx)) return MGC_E_STOPPED;
    if (a->top.ldl) return mgc__arrow_top_factorise(ldl, a);
    assemble_links(ldl, a);
    return mgc__dense_ldl(ldl, a->links, a->schur, ldl->sign + a->link_x, ldl->shift + a->link_x, a->size, a->link_d,
                          a->link_d_inverse, a->work);
}

/* --- solving --------------------------------------------------------------------------------------------------- */

/* One pass over the chunks: vectors as the engine's operations take them; from, to: the caller's, or NULL. */
typedef struct sweep {
    mgc__ldl *ldl;
    double *x, *r;
    const double *from;
    double *to;
} sweep;

static double *border_of(const arrow_chunk *chunk, const arrow_group *g, uint32_t which)
{
    return chunk->work + ((size_t)g->size + which * (size_t)g->border) * LANES;
}

/* Lanes of the border from the vector on the links; 0 in lanes without a component. */
static void spread(const arrow *a, const arrow_batch *batch, const double *link_x, double *border)
{
    const arrow_group *g = &a->group[batch->group];

    for (uint32_t lane = 0; lane < batch->width; lane++) {
        const uint32_t *link = g->link + (size_t)(batch->first + (lane < batch->lanes ? lane : 0)) * g->border;

        for (uint32_t i = 0; i < g->border; i++) border[i * batch->width + lane] = lane < batch->lanes ? link_x[link[i]] : 0.0;
    }
}

/* The other way: add the lanes of the border to the chunk's sum. */
static void collect(const arrow *a, const arrow_batch *batch, const double *border, double *sum)
{
    const arrow_group *g = &a->group[batch->group];

    for (uint32_t lane = 0; lane < batch->lanes; lane++) {
        const uint32_t *link = g->link + (size_t)(batch->first + lane) * g->border;

        for (uint32_t i = 0; i < g->border; i++) sum[link[i]] += border[i * batch->width + lane];
    }
}

/* The caller's right-hand side of a batch. */
static void take_in(const sweep *s, arrow_chunk *chunk, const arrow_batch *batch)
{
    const arrow *a = s->ldl->state;
    size_t size = a->group[batch->group].size;
    double *x = s->x + batch->x;

    gather(size, batch, a->origin + batch->x, batch->touched ? a->b_touched : s->from, x);
    chunk->sizes.b = ldl_larger(chunk->sizes.b, a->loops->largest(size * batch->width, x, s->ldl->weight + batch->x));
}

static void give_out(const sweep *s, arrow_chunk *chunk, const arrow_batch *batch)
{
    const arrow *a = s->ldl->state;
    size_t size = a->group[batch->group].size;
    const double *x = s->x + batch->x;
    ldl_pair shifted = a->loops->largest_product(size * batch->width, x, s->ldl->shift + batch->x,
                                                 s->ldl->weight + batch->x);

    chunk->sizes.shifted = ldl_larger(chunk->sizes.shifted, shifted);
    scatter(size, batch, a->origin + batch->x, x, s->to);
}

static void forward_chunk(void *user, size_t index)
{
    const sweep *s = user;
    const arrow *a = s->ldl->state;
    arrow_chunk *chunk = &a->chunk[index];

    chunk->sizes = (ldl_sizes){{0.0, 0.0}, {0.0, 0.0}};
    memset(chunk->rhs, 0, a->links * sizeof *chunk->rhs);
    for (uint32_t b = chunk->begin; b < chunk->end; b++) {
        const arrow_batch *batch = &a->batch[b];
        const arrow_group *g = &a->group[batch->group];
        double *border = border_of(chunk, g, 0);

        if (s->from) take_in(s, chunk, batch);
        memset(border, 0, (size_t)g->border * batch->width * sizeof *border);
        kernel_of(a, batch)->forward(g, a->l + batch->l, s->x + batch->x, border);
        collect(a, batch, border, chunk->rhs);
    }
}

static void backward_chunk(void *user, size_t index)
{
    const sweep *s = user;
    const arrow *a = s->ldl->state;
    arrow_chunk *chunk = &a->chunk[index];

    for (uint32_t b = chunk->begin; b < chunk->end; b++) {
        const arrow_batch *batch = &a->batch[b];
        const arrow_group *g = &a->group[batch->group];
        double *border = border_of(chunk, g, 0);

        spread(a, batch, s->x + a->link_x, border);
        kernel_of(a, batch)->backward(g, a->l + batch->l, a->d_inverse + batch->x, s->x + batch->x, border);
        if (s->to) give_out(s, chunk, batch);
    }
}

static void sweep_all(sweep *s)
{
    mgc__ldl *ldl = s->ldl;
    arrow *a = ldl->state;
    double *link_x = s->x + a->link_x;
    double operations = (double)ldl->info.factor_nonzeros;

    over_chunks(ldl, operations, forward_chunk, s);
    for (uint32_t k = 0; k < a->chunks; k++)
        for (uint32_t r = 0; r < a->links; r++) link_x[r] += a->chunk[k].rhs[r];
    if (a->top.ldl) mgc__arrow_top_solve(a, link_x);
    else mgc__dense_ldl_solve(a->links, a->schur, a->link_d_inverse, link_x);
    over_chunks(ldl, operations, backward_chunk, s);
}

static void solve(mgc__ldl *ldl, double *x)
{
    sweep s = {.ldl = ldl, .x = x};

    sweep_all(&s);
}

static void finish(mgc__ldl *ldl, double *x)
{
    const arrow *a = ldl->state;

    if (a->compression) mgc__compress_left(a->compression, x);
}

static ldl_sizes first(mgc__ldl *ldl, const double *b, double *x)
{
    arrow *a = ldl->state;
    sweep s = {.ldl = ldl, .x = ldl->x, .from = b, .to = x};
    double *link_x = ldl->x + a->link_x;
    const double *weight = ldl->weight + a->link_x;
    ldl_sizes sizes;

    if (b == x) { /* the residual will ask for it again */
        copy_parts(ldl, b, a->right, ldl->n);
        s.from = a->right;
    }
    a->b = a->b_touched = s.from;
    if (a->compression) {
        for (uint32_t t = 0; t < a->touches; t++) a->right[a->touched[t]] = b[a->touched[t]];
        mgc__compress_right(a->compression, a->right);
        a->b_touched = a->right;
    }
    for (uint32_t k = 0; k < a->links; k++) link_x[k] = a->b_touched[a->origin[a->link_x + k]];
    sizes.b = a->loops->largest(a->links, link_x, weight);
    sweep_all(&s);
    sizes.shifted = a->loops->largest_product(a->links, link_x, ldl->shift + a->link_x, weight);
    for (uint32_t k = 0; k < a->links; k++) x[a->origin[a->link_x + k]] = link_x[k];
    finish(ldl, x);
    for (uint32_t k = 0; k < a->chunks; k++) {
        sizes.b = ldl_larger(sizes.b, a->chunk[k].sizes.b);
        sizes.shifted = ldl_larger(sizes.shifted, a->chunk[k].sizes.shifted);
    }
    return sizes;
}

static void residual_chunk(void *user, size_t index)
{
    const sweep *s = user;
    const arrow *a = s->ldl->state;
    const arrow_chunk *chunk = &a->chunk[index];

    memset(chunk->rhs, 0, a->links * sizeof *chunk->rhs);
    for (uint32_t b = chunk->begin; b < chunk->end; b++) {
        const arrow_batch *batch = &a->batch[b];
        const arrow_group *g = &a->group[batch->group];
        double *border = border_of(chunk, g, 0), *border_r = border_of(chunk, g, 1);

        gather(g->size, batch, a->origin + batch->x, batch->touched ? a->b_touched : a->b, s->r + batch->x);
        spread(a, batch, s->x + a->link_x, border);
        memset(border_r, 0, (size_t)g->border * batch->width * sizeof *border_r);
        kernel_of(a, batch)->residual(g, s->ldl->value + batch->value, s->x + batch->x, border, s->r + batch->x, border_r);
        collect(a, batch, border_r, chunk->rhs);
    }
}

static void residual(mgc__ldl *ldl, const double *x, double *r)
{
    arrow *a = ldl->state;
    sweep s = {.ldl = ldl, .x = (double *)(uintptr_t)x, .r = r};
    const double *value = ldl->value + a->link_value, *link_x = x + a->link_x;
    double *link_r = r + a->link_x;

    for (uint32_t k = 0; k < a->links; k++) link_r[k] = a->b_touched[a->origin[a->link_x + k]];
    over_chunks(ldl, (double)ldl->info.factor_nonzeros, residual_chunk, &s);
    for (uint32_t k = 0; k < a->links; k++) link_r[k] -= value[k] * link_x[k];
    for (uint32_t e = 0; e < a->link_edges; e++) {
        double v = value[a->links + e];

        link_r[a->link_row[e]] -= v * link_x[a->link_column[e]];
        link_r[a->link_column[e]] -= v * link_x[a->link_row[e]];
    }
    for (uint32_t k = 0; k < a->chunks; k++)
        for (uint32_t r2 = 0; r2 < a->links; r2++) link_r[r2] += a->chunk[k].rhs[r2];
}

const ldl_engine mgc__ldl_arrow = {.load = load, .factorise = factorise, .solve = solve, .first = first,
                                   .finish = finish, .residual = residual, .destroy = mgc__arrow_destroy};
