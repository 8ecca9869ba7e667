/* SPDX-License-Identifier: Apache-2.0 */
/* Link compression, doc/math/solver.md, section 9. */
#include "la/compress.h"

#include <math.h>

/* Ratios are those of a matrix whose rows and columns were scaled: equal up to rounding. */
#define SAME_RATIO 1e-14
/* Components that hold this part of the matrix are what links are compressed for. */
#define MAIN_PART 0.1
enum { SET_MOST = 64 }; /* members: K' has them all know one another */

void mgc__compress_destroy(mgc_ctx *ctx, compression *c)
{
    if (!c) return;
    mgc__csc_free(ctx, &c->k);
    mgc__free(ctx, c->set);
    mgc__free(ctx, c->from);
    mgc__free(ctx, c->value);
    mgc__free(ctx, c->indices);
    mgc__free(ctx, c->ratios);
    mgc__free(ctx, c);
}

/* --- finding sets ---------------------------------------------------------------------------------------------- */

typedef struct finder {
    mgc_ctx *ctx;
    const mgc__csc *k;
    const arrow_graph *g;
    const arrow_parts *p;
    const int8_t *sign;
    uint8_t *main;      /* by groups: one of those that matter */
    uint32_t *set_of;   /* n: set of a member; UINT32_MAX */
    uint32_t *next;     /* links: the next candidate of the same fingerprint */
    uint32_t *size;     /* links: members of each set */
} finder;

static bool in_main(const finder *f, uint32_t v)
{
    uint32_t c = f->p->component_of[v];

    return c != UINT32_MAX && f->main[f->p->group_of[c]];
}

static uint64_t fingerprint(const finder *f, uint32_t v)
{
    uint64_t hash = f->sign[v] > 0 ? 1 : 2;

    for (uint32_t e = f->g->start[v]; e < f->g->start[v + 1]; e++)
        if (in_main(f, f->g->neighbour[e])) {
            hash = (hash ^ f->g->neighbour[e]) * 0x9e3779b97f4a7c15u;
            hash ^= hash >> 29;
        }
    return hash;
}

/* Do links v and w know the same rows of the components, in one ratio?  None at all: no. */
static bool proportional(const finder *f, uint32_t v, uint32_t w)
{
    const arrow_graph *g = f->g;
    uint32_t e = g->start[v], h = g->start[w];
    double a0 = 0.0, b0 = 0.0;

    if (f->sign[v] != f->sign[w]) return false;
    for (;; e++, h++) {
        double a, b;

        while (e < g->start[v + 1] && !in_main(f, g->neighbour[e])) e++;
        while (h < g->start[w + 1] && !in_main(f, g->neighbour[h])) h++;
        if (e == g->start[v + 1] ||
            h == g->start[w + 1]) return e == g->start[v + 1] && h == g->start[w + 1] && a0 != 0.0;
        if (g->neighbour[e] != g->neighbour[h]) return false;
        a = f->k->value[g->entry[e]];
        b = f->k->value[g->entry[h]];
        if (a == 0.0 || b == 0.0) return false;
        if (a0 == 0.0) {
            a0 = a;
            b0 = b;
        }
        if (!(fabs(a * b0 - b * a0) <= SAME_RATIO * fabs(a * b0))) return false;
    }
}

/* Does w know a member of another set?  Then K' would tie sets together: left alone. */
static bool entangled(const finder *f, uint32_t w, uint32_t set)
{
    for (uint32_t e = f->g->start[w]; e < f->g->start[w + 1]; e++) {
        uint32_t other = f->set_of[f->g->neighbour[e]];

        if (other != UINT32_MAX && other != set) return true;
    }
    return false;
}

/* set_of for every member; returns the number of sets, each of two members or more. */
static uint32_t find_sets(finder *f, uint64_t *hash, uint32_t *head)
{
    uint32_t links = f->p->links, sets = 0, buckets = links + 1;

    for (uint32_t v = 0; v < f->g->n; v++) f->set_of[v] = UINT32_MAX;
    for (uint32_t b = 0; b < buckets; b++) head[b] = UINT32_MAX;
    for (uint32_t r = 0; r < links; r++) {
        uint32_t bucket;

        hash[r] = fingerprint(f, f->p->link[r]);
        bucket = (uint32_t)(hash[r] % buckets);
        for (uint32_t s = head[bucket]; s != UINT32_MAX; s = f->next[s]) { /* the first of each kind stands for it */
            uint32_t v = f->p->link[s], w = f->p->link[r], set = f->set_of[v];

            if (hash[s] != hash[r] || !proportional(f, v, w)) continue;
            if (set == UINT32_MAX) set = sets;
            if (set == sets ? entangled(f, v, set) : f->size[set] == SET_MOST) continue;
            if (!entangled(f, w, set)) {
                f->set_of[v] = f->set_of[w] = set;
                f->size[set] = set == sets ? 2 : f->size[set] + 1;
                sets = set == sets ? sets + 1 : sets;
            }
            break;
        }
        if (f->set_of[f->p->link[r]] == UINT32_MAX) {
            f->next[r] = head[bucket];
            head[bucket] = r;
        }
    }
    return sets;
}

static void mark_main(finder *f, uint32_t *size)
{
    for (uint32_t c = 0; c < f->p->components; c++) size[f->p->group_of[c]] += f->p->start[c + 1] - f->p->start[c];
    for (uint32_t k = 0; k < f->p->groups; k++) f->main[k] = size[k] >= MAIN_PART * f->g->n;
}

/* --- the sets' entries, and K' ---------------------------------------------------------------------------------- */

/* Two passes over the members' neighbours: sizes, then entries. */
static void measure_sets(const finder *f, compression *c, uint32_t *mark)
{
    for (uint32_t v = 0; v < f->g->n; v++) {
        if (f->set_of[v] != UINT32_MAX) c->set[f->set_of[v]].k++;
        mark[v] = UINT32_MAX;
    }
    for (uint32_t v = 0; v < f->g->n; v++) {
        compress_set *s = f->set_of[v] == UINT32_MAX ? NULL : &c->set[f->set_of[v]];
        uint32_t rows = 0;

        for (uint32_t e = f->g->start[v]; s && e < f->g->start[v + 1]; e++) {
            uint32_t u = f->g->neighbour[e];

            if (in_main(f, u)) rows++;
            else if (f->set_of[u] == UINT32_MAX && mark[u] != f->set_of[v]) {
                mark[u] = f->set_of[v]; /* members of one set need not stand together: counted twice at worst */
                s->outside++;
            }
        }
        if (s) s->rows = rows;
    }
}

static mgc_status allocate(mgc_ctx *ctx, compression *c)
{
    size_t words = 0, members = 0;
    uint32_t *at;
    double *ratio;

    c->length = c->entries;
    for (uint32_t s = 0; s < c->sets; s++) {
        const compress_set *set = &c->set[s];

        members += set->k;
        words += set->k * (1 + (size_t)set->rows + set->k + set->outside);
        c->length += set->k * ((size_t)set->k + set->outside);
    }
    c->indices = at = mgc__alloc(ctx, words, sizeof *at);
    c->ratios = ratio = mgc__alloc(ctx, members, sizeof *ratio);
    c->value = mgc__alloc(ctx, c->length, sizeof *c->value);
    if (!at || !ratio || !c->value) return mgc__no_memory(ctx, "a factorisation");
    c->length = c->entries;
    for (uint32_t s = 0; s < c->sets; s++) {
        compress_set *set = &c->set[s];

        set->member = at;
        set->entry = (at += set->k);
        set->inner = (at += (size_t)set->k * set->rows);
        set->outer = (at += (size_t)set->k * set->k);
        at += (size_t)set->k * set->outside;
        set->ratio = ratio;
        ratio += set->k;
        set->special = c->length;
        c->length += set->k * ((size_t)set->k + set->outside);
        memset(set->inner, 0xff, ((size_t)set->k * set->k + (size_t)set->k * set->outside) * sizeof *set->inner);
        set->k = set->outside = 0; /* counted again as they are filled */
    }
    return MGC_OK;
}

/* mark[v]: place of a member in its set; seen[u]: place of an outside row in the set that looked last, by owner[u].
 * */
static void fill_sets(const finder *f, compression *c, uint32_t *mark, uint32_t *owner, uint32_t *outside_vertex)
{
    for (uint32_t v = 0; v < f->g->n; v++)
        if (f->set_of[v] != UINT32_MAX) {
            compress_set *s = &c->set[f->set_of[v]];

            mark[v] = s->k;
            s->member[s->k++] = v;
        }
    for (uint32_t v = 0; v < f->g->n; v++) owner[v] = UINT32_MAX;
    for (uint32_t index = 0; index < c->sets; index++) {
        compress_set *s = &c->set[index];

        for (uint32_t a = 0; a < s->k; a++) {
            uint32_t v = s->member[a], row = 0;

            s->inner[a * s->k + a] = f->k->start[v + 1] - 1;
            for (uint32_t e = f->g->start[v]; e < f->g->start[v + 1]; e++) {
                uint32_t u = f->g->neighbour[e];

                if (in_main(f, u)) s->entry[a * s->rows + row++] = f->g->entry[e];
                else if (f->set_of[u] == index) s->inner[a * s->k + mark[u]] = f->g->entry[e];
                else {
                    if (owner[u] != index) {
                        owner[u] = index;
                        mark[u] = s->outside++;
                    }
                    s->outer[mark[u] * s->k + a] = f->g->entry[e];
                    outside_vertex[s->special + s->k * s->k + mark[u] * s->k - c->entries] = u;
                }
            }
        }
    }
}

typedef struct triplets {
    uint32_t *i, *j;
    double *v; /* place in compression.value */
    size_t n;
} triplets;

static void put(triplets *t, uint32_t a, uint32_t b, size_t place)
{
    t->i[t->n] = a < b ? a : b;
    t->j[t->n] = a < b ? b : a;
    t->v[t->n++] = (double)place;
}

/* Entries of K' that no single entry of K is, and where their values lie. */
static void list_special(const compression *c, const uint32_t *outside_vertex, triplets *t)
{
    for (uint32_t index = 0; index < c->sets; index++) {
        const compress_set *s = &c->set[index];

        for (uint32_t a = 0; a < s->k; a++)
            for (uint32_t b = 0; b <= a; b++) put(t, s->member[a], s->member[b], s->special + a * s->k + b);
        for (uint32_t o = 0; o < s->outside; o++)
            for (uint32_t a = 0; a < s->k; a++) {
                size_t place = s->special + s->k * s->k + o * s->k;

                put(t, outside_vertex[place - c->entries], s->member[a], place + a);
            }
    }
}

/* Does K' have entry (i, j) of K as it is?  Of the members of a set only the first knows the components. */
static bool keeps(const finder *f, const compression *c, uint32_t i, uint32_t j)
{
    uint32_t set = f->set_of[i] != UINT32_MAX ? f->set_of[i] : f->set_of[j];
    uint32_t member = f->set_of[i] != UINT32_MAX ? i : j;

    if (set == UINT32_MAX) return true;
    return (in_main(f, i) || in_main(f, j)) && c->set[set].member[0] == member;
}

static void add_entry(compression *c, uint32_t *at, uint32_t row, uint32_t from)
{
    c->k.row[*at] = row;
    c->from[(*at)++] = from;
}

/* What K' keeps of K and its special entries, both by columns and with ascending rows: no row is in both. */
static void merge(const finder *f, compression *c, const mgc__csc *special)
{
    const mgc__csc *k = f->k;
    uint32_t at = 0;

    for (uint32_t j = 0; j < k->cols; j++) {
        uint32_t next = special->start[j], end = special->start[j + 1];

        for (uint32_t e = k->start[j]; e < k->start[j + 1]; e++) {
            if (!keeps(f, c, k->row[e], j)) continue;
            for (; next < end && special->row[next] < k->row[e]; next++) add_entry(c, &at, special->row[next], (uint32_t)special->value[next]);
            add_entry(c, &at, k->row[e], e);
        }
        for (; next < end; next++) add_entry(c, &at, special->row[next], (uint32_t)special->value[next]);
        c->k.start[j + 1] = at;
    }
}

static mgc_status build_pattern(const finder *f, compression *c, const uint32_t *outside_vertex)
{
    size_t most = c->length - c->entries;
    triplets t = {.n = 0};
    mgc__csc special = {0};
    mgc_status st = MGC_OK;

    t.i = mgc__alloc(f->ctx, 2 * most, sizeof *t.i);
    t.v = mgc__alloc(f->ctx, most, sizeof *t.v);
    c->from = mgc__alloc(f->ctx, c->length, sizeof *c->from);
    if (!t.i || !t.v || !c->from) st = mgc__no_memory(f->ctx, "a factorisation");
    if (st == MGC_OK) {
        t.j = t.i + most;
        list_special(c, outside_vertex, &t);
        st = mgc__csc_from_triplets(f->ctx, f->k->rows, f->k->cols, t.n, t.i, t.j, t.v, &special);
    }
    if (st == MGC_OK) st = mgc__csc_alloc(f->ctx, f->k->rows, f->k->cols, c->length, &c->k);
    if (st == MGC_OK) merge(f, c, &special);
    mgc__csc_free(f->ctx, &special);
    mgc__free(f->ctx, t.i);
    mgc__free(f->ctx, t.v);
    return st;
}

static mgc_status build(const finder *f, uint32_t sets, uint32_t *work, compression **out)
{
    mgc_ctx *ctx = f->ctx;
    compression *c = mgc__alloc(ctx, 1, sizeof *c);
    uint32_t *outside_vertex = NULL;
    mgc_status st = MGC_OK;

    if (!c) return mgc__no_memory(ctx, "a factorisation");
    c->sets = sets;
    c->entries = f->k->start[f->k->cols];
    c->set = mgc__alloc(ctx, sets, sizeof *c->set);
    if (!c->set) st = mgc__no_memory(ctx, "a factorisation");
    if (st == MGC_OK) {
        measure_sets(f, c, work);
        st = allocate(ctx, c);
    }
    if (st == MGC_OK && !(outside_vertex = mgc__alloc(ctx, c->length - c->entries, sizeof *outside_vertex)))
        st = mgc__no_memory(ctx, "a factorisation");
    if (st == MGC_OK) {
        fill_sets(f, c, work, work + f->g->n, outside_vertex);
        st = build_pattern(f, c, outside_vertex);
    }
    mgc__free(ctx, outside_vertex);
    if (st == MGC_OK) *out = c;
    else mgc__compress_destroy(ctx, c);
    return st;
}

mgc_status mgc__compress_create(mgc_ctx *ctx, const mgc__csc *k, const arrow_graph *g, const arrow_parts *parts,
                                const int8_t *sign, compression **out)
{
    finder f = {.ctx = ctx, .k = k, .g = g, .p = parts, .sign = sign};
    size_t links = parts->links;
    uint32_t *work = mgc__alloc(ctx, 3 * (size_t)g->n + 3 * links + parts->groups + 1, sizeof *work), sets;
    uint64_t *hash = mgc__alloc(ctx, links, sizeof *hash);
    mgc_status st = MGC_OK;

    *out = NULL;
    f.main = mgc__alloc(ctx, parts->groups, 1);
    if (work && hash && f.main) {
        f.set_of = work + 2 * (size_t)g->n;
        f.next = f.set_of + g->n;
        f.size = f.next + links;
        mark_main(&f, f.size + 2 * links + 1);
        sets = find_sets(&f, hash, f.size + links);
        if (sets > 0) st = build(&f, sets, work, out);
    } else {
        st = mgc__no_memory(ctx, "a factorisation");
    }
    mgc__free(ctx, work);
    mgc__free(ctx, hash);
    mgc__free(ctx, f.main);
    return st;
}

/* --- values and vectors ----------------------------------------------------------------------------------------- */

/* The ratios of a set, from its largest entry; false: the columns are not proportional. */
static bool find_ratios(compress_set *s, double *value)
{
    uint32_t at = 0;
    double most = 0.0;
    const double *b;

    for (uint32_t e = 0; e < s->k * s->rows; e++) {
        if (!(fabs(value[s->entry[e]]) > most)) continue;
        most = fabs(value[s->entry[e]]);
        at = e;
    }
    for (uint32_t a = 0; a < s->k; a++) s->ratio[a] = a == 0 ? 1.0 : 0.0;
    if (!(most > 0.0)) return true; /* a set that knows nobody: z is x_0 */
    b = value;
    for (uint32_t a = 0; a < s->k; a++) {
        const uint32_t *own = s->entry + (size_t)a * s->rows, *base = s->entry + (size_t)(at / s->rows) * s->rows;

        s->ratio[a] = b[own[at % s->rows]] / b[s->entry[at]];
        for (uint32_t r = 0; r < s->rows; r++)
            if (!(fabs(b[own[r]] - s->ratio[a] * b[base[r]]) <= SAME_RATIO * fabs(b[own[r]]))) return false;
    }
    if (at >= s->rows) /* entries of z lie in the places of member 0 */
        for (uint32_t r = 0; r < s->rows; r++) value[s->entry[r]] = b[s->entry[(size_t)(at / s->rows) * s->rows + r]];
    return true;
}

static double at_entry(const double *value, uint32_t entry)
{
    return entry == UINT32_MAX ? 0.0 : value[entry];
}

/* Member of the original set that place a of the new one holds, a > 0. */
static uint32_t held(const compress_set *s, uint32_t a)
{
    return a == s->rep ? 0 : a;
}

static void choose_rep(compress_set *s, const double *value)
{
    double least = INFINITY;

    s->rep = s->ratio[0] != 0.0 ? 0 : UINT32_MAX;
    for (uint32_t a = 0; a < s->k; a++) {
        double d = fabs(value[s->inner[a * s->k + a]]) / (s->ratio[a] * s->ratio[a]);

        if (s->ratio[a] == 0.0 || !(d < least)) continue;
        least = d;
        s->rep = a;
    }
    assert(s->rep != UINT32_MAX);
}

/* K's rows of the set after the change of variables: with u = the row of x_rep over its ratio, z gets u and x_j gets
 * its own less ratio_j u; for K among members, on both sides. */
static void transform(const compress_set *s, double *value)
{
    double *inner = value + s->special, *outer = inner + (size_t)s->k * s->k, own = s->ratio[s->rep];
    uint32_t k = s->k, rep = s->rep;
    double corner = value[s->inner[rep * k + rep]] / (own * own);

    inner[0] = corner;
    for (uint32_t a = 1; a < k; a++) {
        uint32_t m = held(s, a);
        double across = at_entry(value, s->inner[m * k + rep]) / own, t = s->ratio[m];

        inner[a * k] = across - t * corner;
        for (uint32_t b = 1; b <= a; b++) {
            uint32_t q = held(s, b);

            inner[a * k + b] = at_entry(value,
                                        s->inner[m * k + q]) - t * (at_entry(value, s->inner[q * k + rep]) / own) -
                               s->ratio[q] * across + t * (s->ratio[q] * corner);
        }
    }
    for (uint32_t o = 0; o < s->outside; o++) {
        double u = at_entry(value, s->outer[o * k + rep]) / own;

        outer[o * k] = u;
        for (uint32_t a = 1; a < k; a++) {
            uint32_t m = held(s, a);

            outer[o * k + a] = at_entry(value, s->outer[o * k + m]) - s->ratio[m] * u;
        }
    }
}

bool mgc__compress_load(compression *c)
{
    for (uint32_t s = 0; s < c->sets; s++)
        if (!find_ratios(&c->set[s], c->value)) return false;
    mgc__compress_load_diagonal(c);
    return true;
}

void mgc__compress_load_diagonal(compression *c)
{
    for (uint32_t s = 0; s < c->sets; s++) {
        choose_rep(&c->set[s], c->value);
        transform(&c->set[s], c->value);
    }
}

void mgc__compress_right(const compression *c, double *b)
{
    for (uint32_t index = 0; index < c->sets; index++) {
        const compress_set *s = &c->set[index];
        double u = b[s->member[s->rep]] / s->ratio[s->rep], first = b[s->member[0]];

        for (uint32_t a = 1; a < s->k; a++) {
            uint32_t m = held(s, a);

            b[s->member[a]] = (m == 0 ? first : b[s->member[m]]) - s->ratio[m] * u;
        }
        b[s->member[0]] = u;
    }
}

void mgc__compress_left(const compression *c, double *x)
{
    for (uint32_t index = 0; index < c->sets; index++) {
        const compress_set *s = &c->set[index];
        double z = x[s->member[0]], first;

        for (uint32_t a = 1; a < s->k; a++) z -= s->ratio[held(s, a)] * x[s->member[a]];
        z /= s->ratio[s->rep];
        first = s->rep == 0 ? z : x[s->member[s->rep]];
        x[s->member[s->rep]] = z;
        x[s->member[0]] = first;
    }
}
