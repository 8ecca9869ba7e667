/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file robust.h
 * Two-stage programs whose scenario probabilities are known only roughly.  Knows nothing of energy.
 *
 *     minimise  c'x + max_{p in P} sum_k p_k Q_k(x)      x: first stage, bounded, partly integer
 *     Q_k(x) = min { d_k'y_k : rows of scenario k hold }  y_k: recourse, continuous
 *
 * P is an ambiguity set around the nominal probabilities p0 (doc/math/robust.md); P = {p0} where none is set.
 * And two-stage programs whose right-hand sides vary within a polytope: mgc_budget.
 */
#ifndef MGCHAIN_ROBUST_H
#define MGCHAIN_ROBUST_H

#include "mgchain/program.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mgc_twostage mgc_twostage; /* owned by the caller */

/** Stage of a column or row that all scenarios share. */
#define MGC_FIRST_STAGE 0u
/** Stage of a column or row of scenario k. */
#define MGC_SCENARIO(k) ((uint32_t)(k) + 1u)

/**
 * Create an empty two-stage program.
 * @param probability nominal probabilities p0, length scenarios, >= 0, summing to 1 within 1e-6 (then normalised);
 *                    copied; NULL: equal
 * @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_PROBABILITY, MGC_E_NO_MEMORY.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_create(mgc_ctx *ctx, uint32_t scenarios, const double *probability,
                                                     mgc_twostage **out);
/** NULL is fine.  Since 0.1 */
MGC_API void mgc_twostage_destroy(mgc_twostage *ts);

/** Append a column of a stage; a scenario column's cost is its share of Q_k, not weighted by probability.  Columns of all
 *  stages are numbered together in the order in which they were added.  As mgc_program_add_column().  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_add_column(mgc_twostage *ts, uint32_t stage, double cost,
                                                         double lower, double upper, uint32_t *column);
/** Append a row of a stage: a first-stage row holds first-stage columns only, a row of scenario k those and k's own;
 *  anything else is MGC_E_INVALID_ARG.  As mgc_program_add_row().  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_add_row(mgc_twostage *ts, uint32_t stage, double lower, double upper,
                                                      const uint32_t *columns, const double *values, size_t n,
                                                      uint32_t *row);

/** Change data between solves; as the functions of program.h.  Integer and quadratic: first-stage columns only
 *  (quadratic: diagonal and off-diagonal, positive semidefinite).  Since 0.1 @{ */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_cost(mgc_twostage *ts, uint32_t column, double cost);
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_bounds(mgc_twostage *ts, uint32_t column, double lower, double upper);
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_row_bounds(mgc_twostage *ts, uint32_t row, double lower, double upper);
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_integer(mgc_twostage *ts, uint32_t column, int32_t integer);
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_quadratic(mgc_twostage *ts, uint32_t i, uint32_t j, double value);
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_offset(mgc_twostage *ts, double offset);
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_column_name(mgc_twostage *ts, uint32_t column, const char *name);
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_row_name(mgc_twostage *ts, uint32_t row, const char *name);
/** @} */

/** Number of scenarios; columns and rows, those of every scenario counted.  Since 0.1 @{ */
MGC_API uint32_t mgc_twostage_scenarios(const mgc_twostage *ts);
MGC_API uint32_t mgc_twostage_columns(const mgc_twostage *ts);
MGC_API uint32_t mgc_twostage_rows(const mgc_twostage *ts);
/** @} */

/**
 * The ambiguity set: always p >= 0, sum p = 1.  A negative radius or level takes a set away; radii are >= 0, a level
 * is in [0, 1).  Norms, conditional value at risk, worst case and a Wasserstein ball may be given together and are then
 * intersected; a divergence or a host's oracle stands alone (mgc_twostage_worst() and mgc_twostage_solve() refuse
 * more, with the reason).  @return MGC_OK, MGC_E_INVALID_ARG; set unchanged.  Since 0.1 @{
 */
/** sum_k |p_k - p0_k| <= radius */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_norm1(mgc_twostage *ts, double radius);
/** max_k |p_k - p0_k| <= radius */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_norm_inf(mgc_twostage *ts, double radius);
/** p <= p0 / (1 - level): conditional value at risk */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_cvar(mgc_twostage *ts, double level);
/** 1: every p, also of scenarios with p0 = 0; 0: takes it away */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_worst_case(mgc_twostage *ts, int32_t on);
/** sum_k p_k ln(p_k / p0_k) <= radius [nat] */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_kl(mgc_twostage *ts, double radius);
/** sum_k (p_k - p0_k)^2 / p0_k <= radius */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_chi2(mgc_twostage *ts, double radius);
/** p is reached from p0 by moving mass, at a total of mass times distance <= radius (the distance's unit).  Needs the
 *  distances of scenarios, or their vectors, first: MGC_E_STATE without; MGC_E_LIMIT above 2048 scenarios (256 where
 *  other sets are intersected), MGC_E_NO_MEMORY. */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_wasserstein(mgc_twostage *ts, double radius);
/** Distances of scenarios for the Wasserstein ball: scenarios x scenarios, row-major, from row to column, >= 0, 0 on the
 *  diagonal; copied.  Takes the place of vectors. */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_distances(mgc_twostage *ts, const double *distance);
/** What each scenario is: scenarios x dimension, row-major, any units; copied.  Their distance is the sum of absolute
 *  differences, each times its weight (length dimension, >= 0; NULL: 1).  Takes the place of distances.  A program
 *  read from SMPS has them: the values of its random entries. */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_vectors(mgc_twostage *ts, const double *vectors, size_t dimension,
                                                          const double *weight);
/** The distances in use; filled, n = scenarios squared.  MGC_E_STATE where neither distances nor vectors were given. */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_get_distances(const mgc_twostage *ts, double *distance, size_t n);
/** The host's own convex set: given the costs of all scenarios, fill worst with its worst probabilities, >= 0 and
 *  summing to 1 within 1e-6.  Answers MGC_CB_DONE or a status; on the caller's thread; may not call ts.
 *  NULL takes it away. */
typedef int32_t (*mgc_oracle_fn)(void *user, const double *cost, double *worst, uint32_t scenarios);
MGC_API MGC_NODISCARD mgc_status mgc_twostage_set_oracle(mgc_twostage *ts, mgc_oracle_fn oracle, void *user);
/** @} */

/** Weighted sums of absolute differences between vectors, as mgc_twostage_set_vectors() measures them.
 *  @param vectors scenarios x dimension, row-major; weight length dimension or NULL; distance scenarios x scenarios,
 *                 filled
 *  @return MGC_OK, MGC_E_INVALID_ARG (not finite: the pair is named).  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_scenario_distances(mgc_ctx *ctx, const double *vectors, uint32_t scenarios,
                                                        size_t dimension, const double *weight, double *distance);

/**
 * Worst probabilities of the ambiguity set for given scenario costs: argmax over p in P of p'cost.
 * @param cost,worst length scenarios; cost finite, the caller's; worst filled
 * @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_PROBABILITY, MGC_E_UNSUPPORTED, the oracle's status; MGC_E_NO_MEMORY
 *         and MGC_E_NUMERIC for a Wasserstein ball.  Of equally bad answers always the same one.
 * Cost    O(K log K); Wasserstein O(K^2 log K), intersected a linear program of K^2 columns.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_worst(const mgc_twostage *ts, const double *cost, double *worst);

/** Ways to solve. */
enum {
    MGC_METHOD_AUTO = 0,   /**< DIRECT where the set has such a form of fair size, else CCG */
    MGC_METHOD_DIRECT = 1, /**< the dual reformulation as one program: polyhedral sets,
                                so neither divergences nor a host's */
    MGC_METHOD_CCG = 2     /**< column-and-constraint generation with the set's oracle: every set */
};

/** Options of mgc_twostage_solve(). */
typedef struct mgc_twostage_opts {
    size_t struct_size;
    double tolerance;      /**< [-] relative residuals and gap of each program, 1e-12..1e-2; 1e-8 */
    double gap;            /**< [-] (objective - bound) / max(1, |objective|) up to which a result is OPTIMAL; 0
                                stands for 1e-4 with integers, else for 1e-7 or 10 tolerance, whichever is more; 0 */
    double time_limit_s;   /**< [s] needs the context's clock; 0: none */
    uint32_t method;       /**< MGC_METHOD_...; AUTO */
    uint32_t relax;        /**< 1: drop integrality; 0 */
    uint32_t threads;      /**< as in mgc_program_opts; 1 */
    uint32_t warm_start;   /**< 1: start from what the last solve of this program left, cuts included; 0 */
    /** DIRECT: once per interior-point iteration or node; CCG: once per iteration, with the best upper and lower bound.
     *  On the caller's thread; may be NULL.  Answers MGC_CB_DONE, MGC_CB_STOP (outcome CANCELLED) or a status. */
    int32_t (*progress)(void *user, uint32_t iteration, double upper, double lower);
    void *user; /**< first argument of progress */
    /** 1: scenarios that the worst case gives next to no weight, whose recourse the objective therefore leaves open, are
     *  given their own optimal recourse; 0 saves a small program for each of them,
     *  for inner solves that only need x; 1 */
    uint32_t complete;
    /** As in mgc_program_opts, for each program that is solved: 0: reduced where that pays; 1: never, for who solves again
     *  with warm_start: the next solve finds the analysis of this one; 2: always; 0 */
    uint32_t presolve;
} mgc_twostage_opts;

/** Fill with the defaults of the library that runs.  size: sizeof(mgc_twostage_opts).  Since 0.1 */
MGC_API void mgc_twostage_opts_init(mgc_twostage_opts *opts, size_t size);

/** What a solve found. */
typedef struct mgc_twostage_info {
    size_t struct_size;
    uint32_t outcome;    /**< MGC_OUTCOME_... */
    uint32_t iterations; /**< of column-and-constraint generation; 1 for DIRECT */
    uint32_t inner_iterations; /**< interior-point iterations in all */
    uint32_t nodes;      /**< branch-and-bound nodes in all */
    double objective; /**< c'x + max_p p'Q(x) of the point returned, recomputed from its scenario costs by the oracle;
                           +INFINITY where there is no point */
    double bound;     /**< proven lower bound; -INFINITY where there is none */
    double first_stage_cost; /**< of the point: costs, quadratic terms and offset of the first stage */
    double gap;       /**< [-] (objective - bound) / max(1, |objective|) */
    double seconds;   /**< by the context's clock; 0 without one */
    double primal_residual; /**< [-] largest violation of a row or bound by the point,
                                 relative to 1 + its size, recomputed */
} mgc_twostage_info;

/**
 * Solve.
 *
 * @param opts NULL for defaults
 * @param info filled; may be NULL
 * @return MGC_OK and a word in info->outcome; MGC_E_INVALID_ARG, MGC_E_ABI_SIZE, MGC_E_ABI_FUTURE for options;
 *         MGC_E_NOT_CONVEX; MGC_E_UNSUPPORTED for DIRECT with a divergence or a host's oracle, or sets that cannot be
 *         intersected; MGC_E_PROBABILITY where the oracle's answer is no probability; MGC_E_NO_MEMORY; a callback's
 *         negative status.  Results are then gone.
 * Cost    the program made for the method is kept: as long as no column, row or set is added, a further solve changes
 *         only the data that were set since, and keeps its symbolic analysis.
 * Threads one call at a time per program.
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_solve(mgc_twostage *ts, const mgc_twostage_opts *opts,
                                                    mgc_twostage_info *info);

/** Results of the last solve.  Arrays filled; n must be the exact length of that solve.
 *  @return MGC_OK; MGC_E_STATE where the last solve left no such vector;
 *          MGC_E_INVALID_ARG on a wrong length.  Since 0.1 @{ */
/** all columns */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_get_x(const mgc_twostage *ts, double *x, size_t n);
/** all rows: multipliers; a scenario row's already holds its worst-case probability */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_get_y(const mgc_twostage *ts, double *y, size_t n);
/** Q_k: scenarios */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_get_cost(const mgc_twostage *ts, double *cost, size_t n);
/** worst case: scenarios */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_get_probability(const mgc_twostage *ts, double *p, size_t n);
/** INFEASIBLE: Farkas ray over the rows, as mgc_program_get_ray(). */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_get_ray(const mgc_twostage *ts, double *ray, size_t n);
/** @} */

/**
 * The direct reformulation as one program: the first columns and rows are those of ts with the same numbers, then
 * those of the reformulation.  For export, and for whoever wants another solver.  out is the caller's.
 * MGC_E_UNSUPPORTED for a divergence and a host's oracle.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_extensive(const mgc_twostage *ts, mgc_program **out);

/* --- the second family: right-hand sides that vary within a polytope -------------------------------------------- */

/**
 * Two-stage robust program with budget uncertainty (doc/math/robust.md section 7):
 *
 *     minimise  c'x + max_{z in Z} min_y { b'y :  lower + M z <= E x + G y <= upper + M z,  bounds of y }
 *     over      first-stage rows and bounds of x, some x integer
 *     Z = { z : lower_z <= z <= upper_z, rows over z }     a polytope: a budget, for instance
 *
 * Solved by column-and-constraint generation with an exact search for the worst z.
 */
typedef struct mgc_budget mgc_budget;

/** Stage of recourse columns and rows; MGC_FIRST_STAGE is the other. */
#define MGC_RECOURSE 1u

/** Create an empty program with `parameters` uncertain numbers z, each within 0..1 until mgc_budget_set_range().
 *  @return MGC_OK, MGC_E_INVALID_ARG (1..256 parameters), MGC_E_NO_MEMORY.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_budget_create(mgc_ctx *ctx, uint32_t parameters, mgc_budget **out);
/** NULL is fine.  Since 0.1 */
MGC_API void mgc_budget_destroy(mgc_budget *budget);

/** Append a column or row, as mgc_twostage_add_column() and mgc_twostage_add_row(): a first-stage row holds
 *  first-stage columns only.  Names serve explanations; copied, at most 255 bytes; NULL: none.  Since 0.1 @{ */
MGC_API MGC_NODISCARD mgc_status mgc_budget_add_column(mgc_budget *budget, uint32_t stage, double cost,
                                                       double lower, double upper, const char *name, uint32_t *column);
MGC_API MGC_NODISCARD mgc_status mgc_budget_add_row(mgc_budget *budget, uint32_t stage, double lower, double upper,
                                                    const uint32_t *columns, const double *values, size_t n,
                                                    const char *name, uint32_t *row);
/** First-stage columns only; recourse is continuous. */
MGC_API MGC_NODISCARD mgc_status mgc_budget_set_integer(mgc_budget *budget, uint32_t column, int32_t integer);
/** Both bounds of a recourse row move by value times z of the parameter; 0 removes.  (M in the formula.) */
MGC_API MGC_NODISCARD mgc_status mgc_budget_set_shift(mgc_budget *budget, uint32_t row, uint32_t parameter, double value);
/** Range of one parameter, finite; -1..1 for deviations to both sides.  A budget over |z| takes two parameters with
 *  opposite shifts, one for each side. */
MGC_API MGC_NODISCARD mgc_status mgc_budget_set_range(mgc_budget *budget, uint32_t parameter, double lower, double upper);
/** A row of the set Z:  lower <= sum_i values[i] z[parameters[i]] <= upper. */
MGC_API MGC_NODISCARD mgc_status mgc_budget_add_limit(mgc_budget *budget, double lower, double upper,
                                                      const uint32_t *parameters, const double *values, size_t n);
/** @} */

/** Options of mgc_budget_solve(). */
typedef struct mgc_budget_opts {
    size_t struct_size;
    double tolerance;      /**< [-] relative residuals of each program, 1e-12..1e-2; 1e-8 */
    double gap;            /**< [-] (upper - lower) / max(1, |upper|) up to which a result is OPTIMAL; 1e-6 */
    double time_limit_s;   /**< [s] needs the context's clock; 0: none */
    uint32_t threads;      /**< recourse problems solved at a time; 1.  The result does not depend on it */
    uint32_t round_limit;  /**< rounds of generation; 200 */
    uint32_t vertex_limit; /**< corners of Z that are listed and all tried; where there are more, branch and bound over z;
                                0..4096; 512 */
    uint32_t reserved0;    /**< 0 */
    /** Once a round, with the best upper and lower bound.  On the caller's thread; may be NULL.  Answers MGC_CB_DONE,
     *  MGC_CB_STOP (outcome CANCELLED) or a status. */
    int32_t (*progress)(void *user, uint32_t round, double upper, double lower);
    void *user; /**< first argument of progress */
} mgc_budget_opts;

/** Fill with the defaults of the library that runs.  size: sizeof(mgc_budget_opts).  Since 0.1 */
MGC_API void mgc_budget_opts_init(mgc_budget_opts *opts, size_t size);

/** What a solve found. */
typedef struct mgc_budget_info {
    size_t struct_size;
    uint32_t outcome;    /**< MGC_OUTCOME_... */
    uint32_t rounds;     /**< master problems solved */
    uint32_t scenarios;  /**< worst cases z that were added */
    uint32_t unserved;   /**< of these: such as left the recourse of the first stage that was tried without any point */
    uint64_t recourse_solves; /**< recourse problems and relaxations in all */
    double objective;    /**< proven upper bound: first stage and worst recourse cost of the point; +INFINITY where
                              there is none */
    double bound;        /**< proven lower bound */
    double first_stage_cost; /**< [cost] of the first stage alone */
    double gap;          /**< [-] (objective - bound) / max(1, |objective|) */
    double seconds;      /**< by the context's clock; 0 without one */
} mgc_budget_info;

/**
 * Solve.
 * @return MGC_OK and a word in info->outcome (INFEASIBLE and UNBOUNDED are proven; LIMIT also where the worst case
 *         cannot be searched exactly, with the reason in mgc_budget_explain()); MGC_E_INVALID_ARG (options; Z is empty),
 *         MGC_E_ABI_SIZE, MGC_E_ABI_FUTURE, MGC_E_NO_MEMORY; a callback's negative status.  Results are then gone.
 * Threads one call at a time per program; with opts.threads above 1 the allocator is called from worker threads.
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_budget_solve(mgc_budget *budget, const mgc_budget_opts *opts, mgc_budget_info *info);

/** Results of the last solve: the first stage and the recourse of the worst case, in the columns' order (n: columns),
 *  and that worst case (n: parameters).  Filled.  @return MGC_OK, MGC_E_STATE, MGC_E_INVALID_ARG.  Since 0.1 @{ */
MGC_API MGC_NODISCARD mgc_status mgc_budget_get_x(const mgc_budget *budget, double *x, size_t n);
MGC_API MGC_NODISCARD mgc_status mgc_budget_get_worst(const mgc_budget *budget, double *z, size_t n);
/** @} */

/** Why the last solve ended as it did: which z leaves which rows unmet, along which columns the cost falls without
 *  end, which row's multiplier has no bound.  Also said where a solved program met such a z on its way.  "" where
 *  there is nothing to say.  Borrowed until the next call on the program.  Since 0.1 */
MGC_API const char *mgc_budget_explain(const mgc_budget *budget);

/**
 * Exact worst case of one given first stage.
 * @param x      length columns; first-stage entries are read
 * @param z      worst case; length parameters; filled; may be NULL
 * @param cost   its recourse cost, filled: +INFINITY where some z leaves no recourse (z is one such, see
 *               mgc_budget_explain()),
 *               -INFINITY where recourse is unbounded
 * @return MGC_OK; MGC_E_UNSUPPORTED where an exact search is not possible (reason in the context's text);
 *         MGC_E_INVALID_ARG; MGC_E_NO_MEMORY; MGC_E_STOPPED where cancelled or out of time.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_budget_worst(mgc_budget *budget, const mgc_budget_opts *opts, const double *x,
                                                  size_t n, double *z, double *cost);

/**
 * Read a two-stage stochastic program in SMPS form: core (MPS, see mgc_program_read_mps()), time, and stoch with INDEP,
 * BLOCKS or SCENARIOS of discrete distributions (REPLACE, ADD, MULTIPLY).  Independent random things are multiplied out.
 *
 * @param core,time,stoch whole contents of the three files, the caller's
 * @param core_file,time_file,stoch_file names for messages "file:line: ..."; may be NULL
 * @param out             without ambiguity; columns and rows of the second stage are named NAME.SCENARIO
 * @return MGC_OK; MGC_E_SYNTAX, MGC_E_NOT_FOUND, MGC_E_PROBABILITY, MGC_E_UNSUPPORTED (more than two periods, a
 *         second stage that is integer or quadratic, continuous distributions) with file and line in the text;
 *         MGC_E_LIMIT (100,000 scenarios); MGC_E_NO_MEMORY.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_twostage_read_smps(mgc_ctx *ctx, const char *core, size_t core_len,
                                                        const char *core_file, const char *time, size_t time_len,
                                                        const char *time_file, const char *stoch, size_t stoch_len,
                                                        const char *stoch_file, mgc_twostage **out);

/** Radius of a ball around p0 that is to hold the true distribution with the given confidence, 0 < confidence < 1, by
 *  the rules of doc/math/robust.md: "weissman" (also for NULL), "zhao_guan" for norm 1; "hoeffding" (also for NULL),
 *  "zhao_guan" for norm infinity; "weissman" (also for NULL), "zhao_guan" for the Wasserstein ball, whose largest
 *  distance is the diameter.
 *  @return MGC_OK, MGC_E_INVALID_ARG.  Since 0.1 @{ */
MGC_API MGC_NODISCARD mgc_status mgc_radius_norm1(mgc_ctx *ctx, const char *rule, uint32_t scenarios,
                                                  uint32_t samples, double confidence, double *radius);
MGC_API MGC_NODISCARD mgc_status mgc_radius_norm_inf(mgc_ctx *ctx, const char *rule, uint32_t scenarios,
                                                     uint32_t samples, double confidence, double *radius);
MGC_API MGC_NODISCARD mgc_status mgc_radius_wasserstein(mgc_ctx *ctx, const char *rule, uint32_t scenarios,
                                                        double diameter, uint32_t samples, double confidence,
                                                        double *radius);
/** @} */

/**
 * Radius by the bootstrap: as many samples as there were are drawn from p0, counted, and the distance of their
 * frequencies from p0 is measured; the radius is the quantile of many such distances.
 *
 * @param set         "norm1", "norm_inf", "wasserstein", "kl" or "chi2": whose distance
 * @param probability p0, length scenarios, >= 0, sum 1
 * @param distance    scenarios x scenarios for "wasserstein", as mgc_twostage_set_distances(); else NULL
 * @param resamples   how often is drawn: 0 stands for 999; at most 10^6
 * @param seed        same seed, same radius
 * @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_PROBABILITY, MGC_E_NO_MEMORY
 * Cost    O(resamples (samples + scenarios)); Wasserstein O(resamples scenarios^3).  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_radius_bootstrap(mgc_ctx *ctx, const char *set, const double *probability,
                                                      uint32_t scenarios, const double *distance, uint32_t samples,
                                                      double confidence, uint32_t resamples, uint64_t seed,
                                                      double *radius);

/**
 * Reduce joint samples to few scenarios.  Dependence between all values of a sample is kept, since scenarios are samples.
 *
 * @param samples     n_samples x dimension, row-major, any units; each dimension's weight is its own
 * @param weight      [-] length dimension, >= 0; the distance of two samples is the weighted sum of absolute
 *                    differences; NULL: 1
 * @param method      "k-medoids" (also for NULL) or "forward-selection"
 * @param n_scenarios 1..n_samples
 * @param seed        of the random starts of k-medoids, beside the greedy one
 * @param medoid      index of the sample that is scenario k; length n_scenarios; filled, ascending
 * @param probability share of samples nearest to it; length n_scenarios; filled
 * @param assignment  scenario of each sample; length n_samples; filled; may be NULL
 * @return MGC_OK, MGC_E_INVALID_ARG (not finite: sample and dimension named), MGC_E_LIMIT above 8192 samples,
 *         MGC_E_NO_MEMORY
 * Cost    8 n_samples^2 bytes while it runs; some rounds of O(n_samples^2).  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_scenarios_reduce(mgc_ctx *ctx, const double *samples, size_t n_samples,
                                                      size_t dimension, const double *weight, const char *method,
                                                      uint32_t n_scenarios, uint64_t seed, uint32_t *medoid,
                                                      double *probability, uint32_t *assignment);

/**
 * Moments and dependence of joint samples, to hold scenarios against the samples that they stand for: call it for all
 * samples, and for the scenarios with their probabilities.  Deviations are from the mean of the same period, so that
 * a daily pattern counts neither as spread nor as dependence.
 *
 * @param samples         n_samples x series x periods, any units
 * @param probability     length n_samples, >= 0, sum 1; NULL: equal
 * @param mean            of each series over samples and periods, in its unit
 * @param deviation       root of the variance of each series, averaged over periods, in its unit
 * @param autocorrelation [-] of each series with itself one period later; 0 where it does not vary
 * @param correlation     [-] series x series, in the same period; 0 where one does not vary
 *                        each filled, length series; NULL where it is not wanted
 * @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_PROBABILITY, MGC_E_NO_MEMORY.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_scenarios_moments(mgc_ctx *ctx, const double *samples, size_t n_samples,
                                                       size_t series, size_t periods, const double *probability,
                                                       double *mean, double *deviation, double *autocorrelation,
                                                       double *correlation);

/** Kantorovich (Wasserstein, first order) distance of the samples' distribution from that of chosen samples with the
 *  shares of nearest ones as probabilities, as mgc_scenarios_reduce() gives them: the mean distance of a sample to
 *  its scenario.
 *  @param weight as mgc_scenarios_reduce(); distance filled.  @return MGC_OK, MGC_E_INVALID_ARG.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_scenarios_distance(mgc_ctx *ctx, const double *samples, size_t n_samples,
                                                        size_t dimension, const double *weight,
                                                        const uint32_t *medoid, uint32_t n_scenarios, double *distance);

/**
 * How often a ball around the observed frequencies holds the distribution that the samples came from: draws times,
 * `samples` are drawn from p0 and counted, and the distance of the frequencies to p0 is held against the radius
 * (Monte Carlo).
 *
 * @param norm        1: sum of absolute differences; 0: the largest one
 * @param probability p0, length scenarios, >= 0, sum 1
 * @param draws       1..10^7; the standard error of the share is at most 0.5 / sqrt(draws)
 * @param seed        same seed, same answer
 * @param covered     [-] share of the draws within the radius; filled
 * @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_PROBABILITY, MGC_E_NO_MEMORY.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_radius_coverage(mgc_ctx *ctx, uint32_t norm, double radius,
                                                     const double *probability, uint32_t scenarios,
                                                     uint32_t samples, uint32_t draws, uint64_t seed, double *covered);

#ifdef __cplusplus
}
#endif
#endif
