/* SPDX-License-Identifier: Apache-2.0 */
/* Arrow-shaped matrices: many components that fall apart once a few links are taken out, most of them alike.
 * arrow_detect.c finds them, arrow_symbolic.c plans one factor for each kind, arrow.c lays them out,
 * arrow_solve.c computes with them. */
#ifndef LA_ARROW_H
#define LA_ARROW_H

#include "la/ldl_private.h"

/* Components that are computed side by side, one in each lane of a vector; and the few that are left over. */
enum { ARROW_LANES = 8, ARROW_NARROW = 4 };

/* The full pattern of K without its diagonal, each vertex' neighbours ascending. */
typedef struct arrow_graph {
    uint32_t n;
    uint32_t *start, *neighbour; /* n + 1, both triangles */
    uint32_t *entry;             /* of K, for each neighbour */
} arrow_graph;

/* Links and components, as detection found them. */
typedef struct arrow_parts {
    uint32_t links, components, groups;
    uint32_t *link;             /* n: vertex of each link, ascending; the first `links` count */
    uint32_t *component_of;     /* n; UINT32_MAX: a link */
    uint32_t *rank;             /* n: of a vertex in its component, or of a link among the links */
    uint32_t *start, *vertex;   /* components + 1: vertices of each, ascending */
    uint32_t *group_of;         /* components */
    uint32_t *first;            /* groups: its first component */
    uint32_t *border_start, *border; /* components + 1: links that each touches, ascending ranks */
    uint32_t *block, *border_block;
} arrow_parts;

mgc_status mgc__arrow_graph(mgc_ctx *ctx, const mgc__csc *k, arrow_graph *out);
void mgc__arrow_graph_free(mgc_ctx *ctx, arrow_graph *g);
/* block: as at mgc__ldl_create_blocks(), or NULL.  by_pattern: look where that says nothing, too.
 * *found: whether K is an arrow that is worth the name.  Parts are to be freed in any case. */
mgc_status mgc__arrow_detect(mgc_ctx *ctx, const arrow_graph *g, const int8_t *sign, const uint32_t *block, bool by_pattern,
                             arrow_parts *out, bool *found);
/* The same with the vertices that are taken out for links; *found: whether the rest falls into few enough kinds. */
mgc_status mgc__arrow_take_out(mgc_ctx *ctx, const arrow_graph *g, const int8_t *sign, const uint8_t *taken, arrow_parts *out,
                               bool *found);
void mgc__arrow_parts_free(mgc_ctx *ctx, arrow_parts *parts);

/* One kind of component and the plan of its factor: columns 0..size-1 are its vertices in order of elimination, rows
 * size..size+border-1 the links that it touches. */
typedef struct arrow_group {
    uint32_t size, border, members;
    uint32_t *column;              /* size: of each vertex by its rank in the component */
    int8_t *sign;                  /* size */
    uint32_t *start, *split, *row; /* L: size + 1; split: first entry of a column that lies in the border */
    uint32_t *k_start, *k_row;     /* K below the diagonal, by the same columns */
    uint32_t k_entries, l_entries;
    uint32_t *slot;                /* for the t-th edge of a component, in detection's order: its value's slot */
    uint32_t *update_start;        /* size + border + 1 */
    struct arrow_update *update;
    uint32_t *link;                /* members * border: which links */
    bool uniform;                  /* every member touches the same links */
    uint32_t batch;                /* the first of its batches */
    double operations;             /* of one member */
    struct arrow_panel *panel;     /* panels; none where members differ in their links, or know few */
    uint32_t panels, *panel_column; /* their columns, panel after panel */
    size_t panel_work;             /* doubles that mgc__arrow_schur() needs */
    void *block;
} arrow_group;

/* Columns of L that know the same links. */
typedef struct arrow_panel {
    uint32_t row, rows;      /* where their rows of the border begin in arrow_group.row */
    uint32_t first, columns; /* in arrow_group.panel_column */
} arrow_panel;

/* Column `from` has entry `at` in the row that is eliminated now; `width` such in a row share the pattern from there
 * on. */
typedef struct arrow_update {
    uint32_t from, at, width;
} arrow_update;

mgc_status mgc__arrow_plan(mgc_ctx *ctx, const arrow_graph *g, const arrow_parts *parts, const int8_t *sign,
                           uint32_t group,
                           arrow_group *out);
/* arrow_schur.c: part of the plan. */
mgc_status mgc__arrow_panels(mgc_ctx *ctx, arrow_group *group);
void mgc__arrow_group_free(mgc_ctx *ctx, arrow_group *group);

/* Up to ARROW_LANES members of a group.  Places are in doubles. */
typedef struct arrow_batch {
    uint32_t group, first, lanes, width; /* lanes: those with a member; width: of its vectors */
    bool touched; /* by the change of variables that compresses links */
    size_t value, l, x; /* in the values of K; in the factor; in vectors (and pivots) */
} arrow_batch;

/* What a fixed run of batches adds up for itself, so that sums do not depend on threads. */
typedef struct arrow_chunk {
    uint32_t begin, end;   /* batches */
    double *work;          /* lanes: a dense column, and two vectors on the border */
    double *schur, *size;  /* packed lower triangle on the links; magnitudes of its diagonal */
    double *rhs;           /* links */
    double *panel;         /* for mgc__arrow_schur() */
    uint32_t *link;
    uint32_t corrected;
    bool finite;
    ldl_sizes sizes;
    void *block;
} arrow_chunk;

/* Where a batch adds what it does to the links. */
typedef struct arrow_target {
    uint32_t links, lanes;
    const uint32_t *link;  /* of the batch' first member; the others' follow */
    double *schur, *size;
    uint32_t *corrected;
} arrow_target;

/* Column c of a packed lower triangle of order n begins, as if from row 0, here. */
static inline size_t arrow_packed(uint32_t n, uint32_t c)
{
    return (size_t)c * (2 * (size_t)n - c - 1) / 2;
}

/* All vectors and values come in lanes.  d, x, r: by columns of the group; border: by its links. */
typedef struct arrow_kernels {
    /* false: a pivot is not finite.  w: size + border.  Of a group with panels, the links' matrix is left to mgc__arrow_schur(). */
    bool (*factorise)(const arrow_group *g, const arrow_target *target, const double *value, const double *shift,
                      double *l, double *d, double *d_inverse, double *w);
    void (*forward)(const arrow_group *g, const double *l, double *x, double *border);
    void (*backward)(const arrow_group *g, const double *l, const double *d_inverse, double *x, const double *border);
    void (*residual)(const arrow_group *g, const double *value, const double *x, const double *border, double *r,
                     double *border_r);
} arrow_kernels;

/* Add to the links' matrix what the columns of a factorised batch leave there.  link: 2 border; work: panel_work doubles. */
void mgc__arrow_schur(const arrow_group *g, const arrow_batch *batch, const arrow_target *target, const double *l,
                      const double *d, uint32_t *link, double *work);

const arrow_kernels *mgc__arrow_kernels(void); /* two: for ARROW_LANES, and for ARROW_NARROW */

/* The links' matrix where it is sparse (arrow_cut.c); its engine counts links from the last to the first. */
typedef struct arrow_top {
    mgc__ldl *ldl;                  /* NULL: the links' matrix is dense */
    size_t entries;                 /* of its lower triangle */
    uint32_t *run_start, *run;      /* columns' rows: from run[q] to below run[q + 1] */
    uint32_t *end;                  /* columns' ends among the values given to the engine */
    uint32_t *edge;                 /* link_edges: their values' places in the engine */
    double *x;                      /* links */
} arrow_top;

typedef struct arrow {
    uint32_t links, groups, batches, chunks;
    arrow_group *group;
    arrow_batch *batch;
    arrow_chunk *chunk;
    size_t link_value, link_x;        /* where the links' part of values and of vectors begins */
    uint32_t *link_row, *link_column; /* entries between links, off the diagonal: link_edges */
    uint32_t link_edges;
    double *l, *d, *d_inverse;        /* factor; pivots by vectors' places */
    double *schur, *size, *work;      /* links x links, by columns, then its L D L'; magnitudes on its diagonal */
    double *link_d, *link_d_inverse;
    arrow_top top;
    uint32_t *source, *origin;        /* entry of the caller's K for each value, row for each entry of vectors */
    const double *given, *changed;    /* values while it factorises: the caller's; in the variables of compression */
    bool steady;                      /* of the caller's values only the diagonal has changed */
    struct compression *compression;  /* NULL: links are as they are */
    uint32_t *touched, touches;       /* the caller's rows of links and of touched batches */
    double *right;                    /* n: a right-hand side in its variables, where touched; or a copy */
    const double *b, *b_touched;      /* the present right-hand side, by the caller's rows */
    const arrow_kernels *kernel;
    const ldl_loops *loops;
    void *l_block, *value_block;
    bool forced, worth;               /* whether it is worth the effort, or asked for anyway */
} arrow;

/* arrow_cut.c: parts of smaller components, of which more vertices are links, by the plan of the present ones. */
mgc_status mgc__arrow_cut(mgc_ctx *ctx, const arrow_graph *graph, const int8_t *sign, const arrow_parts *parts,
                          const arrow_group *group, arrow_parts *out, bool *found);
mgc_status mgc__arrow_top_create(mgc_ctx *ctx, const arrow_graph *graph, const arrow_parts *parts, const int8_t *sign,
                                 arrow_top *top);
mgc_status mgc__arrow_top_edges(mgc_ctx *ctx, arrow *a); /* once these are known */
void mgc__arrow_top_destroy(mgc_ctx *ctx, arrow_top *top);
void mgc__arrow_top_clear(const arrow_top *top, uint32_t links, double *schur); /* what is ever added to */
mgc_status mgc__arrow_top_factorise(mgc__ldl *ldl, arrow *a);
void mgc__arrow_top_solve(const arrow *a, double *link_x);

/* Are links compressed? */
bool mgc__arrow_compressed(const mgc__ldl *ldl);

/* Takes the place of the general engine if K is an arrow.  forced: even where another engine is faster;
 * compressed: links may be compressed, after the values of k. */
mgc_status mgc__arrow_create(mgc__ldl *ldl, const mgc__csc *k, const int8_t *sign, bool forced, bool compressed,
                             bool *found);
void mgc__arrow_destroy(mgc__ldl *ldl);

#endif
