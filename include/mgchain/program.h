/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file program.h
 * Linear, convex quadratic and mixed-integer programs: build, solve, inspect, read, write.
 *
 *     minimise    1/2 x'Qx + c'x + c0
 *     subject to  row_lower <= A x <= row_upper
 *                 lower <= x <= upper,   x_j integer for j in J
 *
 * Q is symmetric positive semidefinite.  A bound of -INFINITY or INFINITY is no bound; equal bounds fix.
 * The method, its sources and what is guaranteed: doc/math/solver.md.
 */
#ifndef MGCHAIN_PROGRAM_H
#define MGCHAIN_PROGRAM_H

#include "mgchain/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mgc_program mgc_program; /* owned by the caller */

/** Create an empty program.  Its parent ctx must outlive it.
 *  @param out the caller's; NULL on failure
 *  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_NO_MEMORY.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_program_create(mgc_ctx *ctx, mgc_program **out);

/** Destroy; NULL is fine.  Since 0.1 */
MGC_API void mgc_program_destroy(mgc_program *program);

/** A copy that shares nothing with the original; what was solved is not copied.
 *  @return as mgc_program_create().  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_program_clone(const mgc_program *program, mgc_program **out);

/**
 * Append one column.
 *
 * @param cost   [objective per unit of x] finite
 * @param lower  may be -INFINITY, not INFINITY, not NaN
 * @param upper  may be INFINITY, not -INFINITY, not NaN; >= lower
 * @param column its index, filled; may be NULL
 * @return MGC_OK; MGC_E_INVALID_ARG (the text names column and value), MGC_E_NO_MEMORY, MGC_E_LIMIT; program unchanged
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_program_add_column(mgc_program *program, double cost, double lower, double upper,
                                                        uint32_t *column);

/**
 * Append one row  lower <= sum_k values[k] x[columns[k]] <= upper.
 *
 * @param columns,values length n, copied; columns exist already; a column named twice is summed; n may be 0
 * @param row            its index, filled; may be NULL
 * @return as mgc_program_add_column().  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_program_add_row(mgc_program *program, double lower, double upper,
                                                     const uint32_t *columns, const double *values, size_t n,
                                                     uint32_t *row);

/** Change single data of an existing program; what was solved before stays readable until the next solve.
 *  Every value is checked as on adding; on failure the program is unchanged.
 *  @return MGC_OK; MGC_E_INVALID_ARG (no such column or row, a value not allowed: named in the text), MGC_E_LIMIT,
 *          MGC_E_NO_MEMORY.
 *  Cost: constant, or the logarithm of a column's length.  Since 0.1 @{ */
MGC_API MGC_NODISCARD mgc_status mgc_program_set_cost(mgc_program *program, uint32_t column, double cost);
MGC_API MGC_NODISCARD mgc_status mgc_program_set_bounds(mgc_program *program, uint32_t column, double lower,
                                                        double upper);
MGC_API MGC_NODISCARD mgc_status mgc_program_set_row_bounds(mgc_program *program, uint32_t row, double lower,
                                                            double upper);
MGC_API MGC_NODISCARD mgc_status mgc_program_set_integer(mgc_program *program, uint32_t column, int32_t integer);
MGC_API MGC_NODISCARD mgc_status mgc_program_set_offset(mgc_program *program, double offset);
/** Set the entries (i, j) and (j, i) of Q; 0 removes.  On the diagonal the objective holds 1/2 value x_i^2. */
MGC_API MGC_NODISCARD mgc_status mgc_program_set_quadratic(mgc_program *program, uint32_t i, uint32_t j, double value);
/** Set one coefficient of A; 0 removes. */
MGC_API MGC_NODISCARD mgc_status mgc_program_set_coefficient(mgc_program *program, uint32_t row, uint32_t column,
                                                             double value);
/** Names are for files and messages; copied; at most 255 bytes.  Unnamed ones are written as C1.., R1... */
MGC_API MGC_NODISCARD mgc_status mgc_program_set_column_name(mgc_program *program, uint32_t column, const char *name);
MGC_API MGC_NODISCARD mgc_status mgc_program_set_row_name(mgc_program *program, uint32_t row, const char *name);
MGC_API MGC_NODISCARD mgc_status mgc_program_set_name(mgc_program *program, const char *name);
/** @} */

/** Sizes and data as they stand.  Pointers are borrowed until the program changes.  Since 0.1 @{ */
MGC_API uint32_t mgc_program_columns(const mgc_program *program);
MGC_API uint32_t mgc_program_rows(const mgc_program *program);
MGC_API uint64_t mgc_program_nonzeros(const mgc_program *program);
MGC_API uint32_t mgc_program_integers(const mgc_program *program);
MGC_API const char *mgc_program_column_name(const mgc_program *program, uint32_t column); /**< "" where unnamed */
MGC_API const char *mgc_program_row_name(const mgc_program *program, uint32_t row);
/** Data of one column or row; any place may be NULL where it is not wanted.  MGC_OK or MGC_E_INVALID_ARG. */
MGC_API MGC_NODISCARD mgc_status mgc_program_get_column(const mgc_program *program, uint32_t column, double *cost,
                                                        double *lower, double *upper, int32_t *integer);
MGC_API MGC_NODISCARD mgc_status mgc_program_get_row(const mgc_program *program, uint32_t row, double *lower,
                                                     double *upper);
/** One coefficient of A or Q, 0 where there is none.  MGC_OK, MGC_E_INVALID_ARG, MGC_E_NO_MEMORY. */
MGC_API MGC_NODISCARD mgc_status mgc_program_get_coefficient(const mgc_program *program, uint32_t row, uint32_t column,
                                                             double *value);
MGC_API MGC_NODISCARD mgc_status mgc_program_get_quadratic(const mgc_program *program, uint32_t i, uint32_t j,
                                                           double *value);
MGC_API MGC_NODISCARD mgc_status mgc_program_get_offset(const mgc_program *program, double *offset);
/** @} */

/** Options of mgc_program_solve(); fill with mgc_program_opts_init() first.  A value out of its range is refused. */
typedef struct mgc_program_opts {
    size_t struct_size;
    double tolerance;      /**< [-] 1e-13..0.1: largest violation of a row or bound relative to 1 + its size, of
                                stationarity relative to 1 + the largest entry of c and Qx, and gap relative to max(1,
                                |objective|), that OPTIMAL stands for; 1e-8 */
    double gap;            /**< [-] >= 0; mixed-integer: (objective - bound) / max(1, |objective|) up to which a point
                                is OPTIMAL; 1e-4 */
    double time_limit_s;   /**< [s] up to 1e9; needs the context's clock; 0: none.
                                Looked at once per iteration and node */
    uint32_t iteration_limit; /**< [-] interior-point iterations of one relaxation, >= 1; 200 */
    uint32_t node_limit;   /**< [-] branch-and-bound nodes; the children of one node are solved together, so the count
                                may end a few above; 0: none */
    uint32_t relax;        /**< 1: drop integrality; 0 */
    uint32_t threads;      /**< 1..256 threads, the caller's among them; 1.  The result does not depend on it,
                                bit for bit */
    uint32_t warm_start;   /**< 1: start from what the last solve of this program left, where that helps; 0 */
    uint32_t reserved0;    /**< 0 */
    /** Called once per interior-point iteration (without integers) or node (with them), on the caller's thread; may
     *  be NULL.  primal_objective: of the present iterate or best point, INFINITY where there is none; bound:
     *  -INFINITY where there is none.  It may call mgc_ctx_cancel() and nothing of the program.
     *  @return MGC_CB_DONE; MGC_CB_STOP: outcome CANCELLED with the best result so far; a negative status: the solve
     *          returns it;
     *  anything else: MGC_E_CALLBACK */
    int32_t (*progress)(void *user, uint32_t iteration, double primal_objective, double bound);
    void *user;            /**< first argument of progress */
    uint32_t presolve;     /**< 0: reduce the program before it is solved where that pays; 1: never; 2: always */
    uint32_t polish;       /**< 1: move an OPTIMAL answer to where its active bounds and rows meet, if that is better:
                                of primal residual, dual residual and gap none grows beyond 1e-13 and one at least
                                falls tenfold, else the answer stays as it was, bit for bit.  Costs up to three
                                analyses and factorisations.  Not with warm_start nor for mixed-integer programs; 0 */
} mgc_program_opts;

/** Fill with the defaults of the library that runs; size: sizeof(mgc_program_opts).  Since 0.1 */
MGC_API void mgc_program_opts_init(mgc_program_opts *opts, size_t size);

/** What a solve found.  Residuals and objective are recomputed from the caller's data after the solve, by other code. */
typedef struct mgc_program_info {
    size_t struct_size;
    uint32_t outcome;    /**< MGC_OUTCOME_...: OPTIMAL within the tolerances; INFEASIBLE, UNBOUNDED with a ray where
                              mgc_program_get_ray() gives one (an integer program may be infeasible without); LIMIT,
                              CANCELLED, NUMERICAL with the best point so far, if there is one */
    uint32_t iterations; /**< interior-point iterations, all nodes together; 0: from the last active set */
    uint32_t nodes;      /**< branch-and-bound nodes */
    uint32_t reserved0;
    double objective;    /**< of the point that mgc_program_get_x() gives; +INFINITY where there is none */
    double bound;        /**< proven lower bound of the optimum; -INFINITY where there is none.  Where columns lack the
                              bound that the proof needs, it holds for points that stay within 100 times (mixed-integer
                              nodes: 10^4 times) their present size: give finite bounds where it matters
                              (doc/math/solver.md, section 6) */
    double primal_residual; /**< [-] largest violation of a row or bound, relative to 1 + its size */
    double dual_residual;   /**< [-] largest violation of stationarity, relative to 1 + largest entry of c and Qx */
    double gap;          /**< [-] (objective - bound) / max(1, |objective|) */
    double seconds;      /**< by the context's clock; 0 without one */
} mgc_program_info;

/**
 * Solve by a primal-dual interior-point method, with branch and bound over it for integer columns.
 *
 * @param opts NULL for defaults; the caller's
 * @param info filled up to its struct_size; may be NULL
 * @return MGC_OK and a word in info->outcome.  On anything else info and the last result are gone: MGC_E_INVALID_ARG
 *         (an option out of its range: the text names it, its value and what is allowed), MGC_E_ABI_SIZE,
 *         MGC_E_ABI_FUTURE; MGC_E_NOT_CONVEX; MGC_E_NO_MEMORY; MGC_E_CALLBACK; the callback's own negative status
 * Threads  one call at a time per program; programs of different contexts are independent.  mgc_ctx_cancel() from any
 *          thread ends it with outcome CANCELLED within an iteration; a request that stands already ends it at once.
 * Cost     one symbolic analysis per sparsity pattern, kept between solves of the same program; no allocation by us
 *          during iterations.
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_program_solve(mgc_program *program, const mgc_program_opts *opts,
                                                   mgc_program_info *info);

/**
 * Read the result of the last solve; arrays filled, lengths as given must equal the program's sizes.
 * x: columns.  y: row multipliers, y_i = d(optimal value)/d(right-hand side of row i).
 * z: reduced costs, c + Qx - A'y.  Mixed-integer: y and z belong to the program with the integers fixed.
 * @return MGC_OK; MGC_E_STATE where the last solve left no such vector; MGC_E_INVALID_ARG on a wrong length.
 *         Since 0.1 @{
 */
MGC_API MGC_NODISCARD mgc_status mgc_program_get_x(const mgc_program *program, double *x, size_t n);
MGC_API MGC_NODISCARD mgc_status mgc_program_get_y(const mgc_program *program, double *y, size_t n);
MGC_API MGC_NODISCARD mgc_status mgc_program_get_z(const mgc_program *program, double *z, size_t n);
/** Certificate.  INFEASIBLE: ray y over rows (length rows): the rows so combined exclude every point within the
 *  bounds (one multiplication A'y shows it).  UNBOUNDED: direction x over columns along which
 *  the objective falls for ever. */
MGC_API MGC_NODISCARD mgc_status mgc_program_get_ray(const mgc_program *program, double *ray, size_t n);
/** @} */

/**
 * What the last solve leaves for a warm start, as bytes that another program of the same shape, or another process on a
 * machine of the same byte order, can start from: yesterday's plan, a copy on another thread.
 *
 * mgc_program_get_start()  fills bytes (room of them) and *size; bytes NULL: *size alone
 * mgc_program_set_start()  reads them, copied; the next solve with opts.warm_start = 1 starts there if they fit
 *
 * The bytes have a version and a checksum and are never trusted: what does not fit costs time, not correctness, for every
 * answer is judged as always.  Presolve changes the shape: solve with presolve = 1 before mgc_program_get_start().
 *
 * @return MGC_OK; get: MGC_E_STATE where there is nothing to start from, MGC_E_INVALID_ARG where room is too small;
 *         set: MGC_E_TRUNCATED, MGC_E_VERSION, MGC_E_WRONG_LENGTH (another shape), MGC_E_CORRUPT, MGC_E_NO_MEMORY, and
 *         what was set before stands
 * Threads  as mgc_program_solve().  Since 0.1 @{
 */
MGC_API MGC_NODISCARD mgc_status mgc_program_get_start(const mgc_program *program, uint8_t *bytes, size_t room,
                                                       size_t *size);
MGC_API MGC_NODISCARD mgc_status mgc_program_set_start(mgc_program *program, const uint8_t *bytes, size_t size);
/** @} */

/**
 * Check a point or certificate against the program's own data, by code that shares nothing with the solver.
 * mgc_program_check_ray() gives how clearly a ray proves the outcome: > 0 proves, <= 0 does not.  Since 0.1 @{
 */
MGC_API MGC_NODISCARD mgc_status mgc_program_check_x(const mgc_program *program, const double *x, size_t n,
                                                     double *objective, double *primal_residual);
MGC_API MGC_NODISCARD mgc_status mgc_program_check_ray(const mgc_program *program, uint32_t outcome,
                                                       const double *ray, size_t n, double *margin);
/** @} */

/**
 * Read MPS or QPS text, fixed or free format; which of the two is found from the text.
 *
 * Sections NAME, OBJSENSE, OBJMAX, OBJMIN, OBJNAME, ROWS, COLUMNS with INTORG markers, RHS, RANGES (on an E row a
 * positive range goes up, a negative one down), BOUNDS (LO UP FX FR MI PL BV LI UI), QUADOBJ or QSECTION of the
 * objective (one triangle) or QMATRIX (both), ENDATA.  Where readers differ, lib/solver/mps_read.c says what is done;
 * in short: the first N row is the objective unless OBJNAME names another, further N rows are left out; RHS on the
 * objective is minus its constant; an integer column without bounds is binary; an UP bound below 0 without a lower
 * one takes the lower one away; 1e30 and more is no bound.  A text that maximises becomes the minimisation of the
 * negated objective: mgc_program_maximises() tells.  Semi-continuous columns, special ordered sets, indicators and
 * quadratic rows are refused by name.  `$` begins a comment in field 3 or 5 unless a row or column is called so; a
 * blank name on a card is that of the card before.  Numbers are read alike in every locale, also with Fortran's
 * exponents (1.5D3).
 *
 * @param text,len the whole file's content, unpacked; the caller's
 * @param file     name for messages "file:line: ..."; may be NULL
 * @param out      the caller's; NULL on failure
 * @return MGC_OK; MGC_E_SYNTAX, MGC_E_UNSUPPORTED, MGC_E_LIMIT with file and line in the text; MGC_E_INVALID_ARG;
 *         MGC_E_NO_MEMORY
 * Cost    time and memory grow with len.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_program_read_mps(mgc_ctx *ctx, const char *text, size_t len, const char *file,
                                                      mgc_program **out);

/** 1 where the program was read from a text that maximises: costs, Q and offset then stand negated, and so do
 *  objective and bound of a solve.  Else 0.  Since 0.1 */
MGC_API int32_t mgc_program_maximises(const mgc_program *program);

/** Bytes of a text that the library writes: told piece by piece.  Answers MGC_CB_DONE or a status. */
typedef int32_t (*mgc_write_fn)(void *user, const char *text, size_t len);

/** Formats of mgc_program_write_mps_as(). */
enum {
    MGC_MPS_FREE = 0, /**< reading it back gives the same program, bit for bit */
    MGC_MPS_FIXED = 1 /**< the punched card, for programs that read nothing else: where one name is longer than 8
                           bytes all are replaced (C1.., R1..); numbers of more than 12 bytes are rounded, which the
                           log hook is told */
};

/**
 * Write everything as MPS (QUADOBJ for Q), always a minimisation.  Blanks in names become underscores, equal names
 * are told apart by a number.
 * @param write called with pieces of at most 4096 bytes, on the caller's thread; it may not call the program
 * @return MGC_OK; MGC_E_RANGE where a bound's magnitude is 1e30 or more, which the format reads as none; MGC_E_LIMIT
 *         (fixed: more than 9,999,999 columns or rows); MGC_E_INVALID_ARG; MGC_E_NO_MEMORY; MGC_E_CALLBACK, or
 *         write's own status: the text is then torn.  Since 0.1 @{
 */
/** free */
MGC_API MGC_NODISCARD mgc_status mgc_program_write_mps(const mgc_program *program, mgc_write_fn write, void *user);
MGC_API MGC_NODISCARD mgc_status mgc_program_write_mps_as(const mgc_program *program, uint32_t format, mgc_write_fn write,
                                                          void *user);
/** @} */

#ifdef __cplusplus
}
#endif
#endif
