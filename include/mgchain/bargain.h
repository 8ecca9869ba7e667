/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bargain.h
 * Microgrids that trade: what to trade (least cost of all together), who pays whom (Nash bargaining), and the proof.
 *
 * Two doors to the same method (doc/math/bargain.md):
 *   mgc_alliance_solve()  everything in one process, by agents or as one central program;
 *   mgc_agent_...         one member's agent over the host's own transport.  An agent tells its neighbours only the
 *                         trades and payments that it proposes, with round numbers and flags: never loads, devices,
 *                         costs or scenarios.
 *
 * Links join two members (bilateral), or every member with the pool (mgc_pool_id()): then all trade with all, and
 * what travels is sums of many members' offers, never one member's to another (mgc_agent_opts.secret).
 *
 * Sign of money: a payment is what a member pays; negative: it receives.
 */
#ifndef MGCHAIN_BARGAIN_H
#define MGCHAIN_BARGAIN_H

#include "mgchain/crypto.h"
#include "mgchain/dispatch.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How the trades are found. */
enum {
    MGC_ALLIANCE_ADMM = 0,   /**< by agents that exchange proposals */
    MGC_ALLIANCE_CENTRAL = 1 /**< as one program over all members' data: the yardstick */
};

/**
 * The other end of a link that connects a member with the pool: what all members send there in a period is what all
 * take out.  The member is named first; capacity_kw is its own; loss (of what it takes out) and fee_per_kwh (half of
 * it on what it sends, half on what it takes out) are the same for all members.  A link to a microgrid of this name
 * in the model is a link like any.
 * @return "pool"; static text.  Since 0.1
 */
MGC_API const char *mgc_pool_id(void);

/**
 * Replace a model's links by connections with the pool: every linked member gets one for each carrier, whose capacity
 * is the sum of its links'; loss and fee must be the same on all links of a carrier.  A model that links members with
 * the pool is left as it is.  What was handed out of the links (mgc_model_link_at()) goes.
 * @return MGC_OK; MGC_E_INVALID_ARG (which link differs in what; a member called as the pool); MGC_E_UNSUPPORTED (a
 *         link with a contract in force); MGC_E_NO_MEMORY: the model is as before.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_pool_links(mgc_model *model);

/** Bargaining powers. */
enum {
    MGC_WEIGHTS_EQUAL = 0,       /**< 1 each */
    MGC_WEIGHTS_GIVEN = 1,       /**< the host's numbers */
    MGC_WEIGHTS_CONTRIBUTION = 2 /**< by the energy that a member supplies to and receives from the others; of trades
                                      that cost the same, those of least sum of squares are agreed */
};

/** Phases of a run, in order; a phase without work is left out. */
enum {
    MGC_PHASE_ALONE = 1,  /**< stand-alone plans: the point of disagreement */
    MGC_PHASE_HELLO = 2,  /**< neighbours compare the terms of their links */
    MGC_PHASE_RELAXED = 3,/**< trades, on/off decisions relaxed */
    MGC_PHASE_COMMIT = 4, /**< each member's own on/off decisions at the trades and prices found */
    MGC_PHASE_FIXED = 5,  /**< trades again, on/off decisions kept */
    MGC_PHASE_SETTLE = 6, /**< each member's plan with the agreed trades */
    MGC_PHASE_PAY = 7,    /**< payments */
    MGC_PHASE_BOUND = 8,  /**< lower bounds at the final prices */
    MGC_PHASE_DONE = 9
};
/** "alone", "hello", "relaxed", "commit", "fixed", "settle", "pay", "bound", "done"; "?" otherwise.
 *  Static text.  Since 0.1 */
MGC_API const char *mgc_phase_name(uint32_t phase);

/* --- the alliance in one process ------------------------------------------------------------------------------------ */

typedef struct mgc_alliance mgc_alliance; /* the result; owned by the caller */

/** Where a run stands. */
typedef struct mgc_alliance_progress {
    size_t struct_size;
    uint32_t phase; /**< MGC_PHASE_... */
    uint32_t round; /**< of the phase, from 1; 0 where it has none */
    double primal;  /**< [-] largest relative disagreement of any link; 0 where the phase has none */
    double dual;    /**< [-] largest relative movement of any link */
    double seconds; /**< since the start, by the context's clock */
} mgc_alliance_progress;

/** Options of mgc_alliance_solve(). */
typedef struct mgc_alliance_opts {
    size_t struct_size;
    uint32_t method;      /**< MGC_ALLIANCE_...; ADMM */
    uint32_t relax;       /**< 1: drop integrality everywhere; 0 */
    uint32_t weights;     /**< MGC_WEIGHTS_...; EQUAL */
    uint32_t threads;     /**< 1.  The result does not depend on it */
    const double *weight; /**< GIVEN: bargaining powers in the model's order, >= 0, not all 0; borrowed for the call */
    size_t weights_n;     /**< length of weight */
    double tolerance;     /**< [-] aim for (cost - optimum) / sum of |stand-alone cost|, continuous part; 1e-4.
                               OPTIMAL: the agents' residuals are below 10 times this, or sums over all members
                               prove it */
    double gap;           /**< [-] relative gap of each mixed-integer program; 1e-4 */
    double time_limit_s;  /**< [s] 0: none; needs the context's clock */
    uint32_t round_limit; /**< rounds of each of the phases RELAXED and FIXED; 150 */
    uint32_t reserved0;   /**< 0 */
    /** Told after each step of the run, on the caller's thread; answers MGC_CB_DONE, MGC_CB_STOP (outcome CANCELLED
     *  with the best result so far) or a status.  progress is borrowed until the hook returns. */
    int32_t (*progress)(void *user, const mgc_alliance_progress *progress);
    void *user; /**< first argument of progress */
    /** What an earlier run left (mgc_alliance_get_state()): its trades and prices are where this one starts.  NULL: a
     *  cold start.  Borrowed for the call; links that the bytes do not name start cold. */
    const uint8_t *start;
    size_t start_len; /**< bytes in start */
    uint32_t pool;      /**< 1: instead of the model's links, one connection of every linked member with the pool:
                             capacities of its links of a carrier add up, loss and fee must be the same on all
                             links; 0.  See mgc_pool_links().  A model that links members with mgc_pool_id() needs no
                             option */
    uint32_t reserved1; /**< 0 */
    /* By agents, on several processes that hold the same model and options, as under MPI: each solves the programs of
     * its own members (i with i % processes == process), hears what the others found, and ends with the whole
     * result, the same bytes as one process alone. */
    uint32_t process;   /**< which one this is, from 0; 0 */
    uint32_t processes; /**< how many there are; 0 or 1: this one alone */
    /** Hand out this process' bytes and wait for all processes'.  all: one after the other, in order of processes, own
     *  ones included; lengths: [processes]; both borrowed until the next call.  Called on the caller's thread, as
     *  often at one process as at another; one that fails must let the others know, for they wait.
     *  @return MGC_CB_DONE or a negative status, which mgc_alliance_solve() returns */
    int32_t (*exchange)(void *user, const uint8_t *bytes, size_t len, const uint8_t **all, const size_t **lengths);
    void *exchange_user; /**< first argument of exchange */
} mgc_alliance_opts;

/** Fill with the defaults.  size: sizeof(mgc_alliance_opts).  Since 0.1 */
MGC_API void mgc_alliance_opts_init(mgc_alliance_opts *opts, size_t size);

/**
 * Find trades and payments of all members of a model.
 *
 * The trades are agreed by both ends, every member's plan with them is feasible, no member is worse off after
 * payments than alone: where cooperation would not pay, the result is "no trade".  The lower bound holds whatever the
 * heuristics did.
 *
 * @param model the caller's; may change or go afterwards
 * @param opts  NULL for defaults
 * @param out   NULL on failure; destroy with mgc_alliance_destroy()
 * @return MGC_OK and info.outcome: OPTIMAL (converged; mixed-integer: see gap), LIMIT, CANCELLED (best result so far,
 *         trades and payments still consistent), INFEASIBLE (a member has no plan alone: mgc_plan_explain() of the
 *         plan ALONE says why), NUMERICAL; what mgc_model_check() refuses; MGC_E_INVALID_ARG, MGC_E_NO_MEMORY; a
 *         callback's negative status
 * Threads  opts.threads solve members side by side; the same bytes for every number of threads
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_alliance_solve(const mgc_model *model, const mgc_alliance_opts *opts,
                                                    mgc_alliance **out);
/** NULL is fine.  Since 0.1 */
MGC_API void mgc_alliance_destroy(mgc_alliance *alliance);

/** How a run of an alliance ended. */
typedef struct mgc_alliance_info {
    size_t struct_size;
    uint32_t outcome;  /**< MGC_OUTCOME_... */
    uint32_t method;   /**< MGC_ALLIANCE_... */
    uint32_t members, trades, pairs; /**< members; directions of links that are used;
                                          pairs of members that pay each other */
    uint32_t rounds;   /**< of proposals for trades, all phases; entries of the history */
    uint32_t pay_rounds; /**< of proposals for payments */
    uint32_t no_trade; /**< 1: cooperation did not pay (or was not reached), members stay alone */
    double standalone_total; /**< [currency] */
    double cost;             /**< [currency] of the alliance's feasible plan */
    double lower_bound;      /**< [currency] proven; -INFINITY where none was reached */
    double gap;              /**< [-] (cost - lower_bound) / max(1, sum of |stand-alone cost|) */
    double surplus;          /**< [currency] standalone_total - cost */
    double primal_residual, dual_residual; /**< [-] of the last round */
    double seconds_alone, seconds_trade, seconds_pay, seconds_bound; /**< by the context's clock */
} mgc_alliance_info;
/** How the run ended, filled up to info->struct_size.  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_alliance_get_info(const mgc_alliance *alliance, mgc_alliance_info *info);

/**
 * What to hand to tomorrow's run as opts.start: trades, prices and penalties of all links.  Canonical bytes.
 * @param bytes borrowed until the result is destroyed
 * @return MGC_OK; MGC_E_STATE where the run was not by agents or ended before they traded.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_alliance_get_state(const mgc_alliance *alliance, const uint8_t **bytes, size_t *len);

/** One line that says how the run ended and, where it did not converge, which link is to blame.  Borrowed.  Since 0.1 */
MGC_API const char *mgc_alliance_reason(const mgc_alliance *alliance);

/** What the run means for one member. */
typedef struct mgc_member_info {
    size_t struct_size;
    const char *id;          /**< borrowed until the result is destroyed, as every text and array of these structs */
    double standalone_cost;  /**< [currency] C0 */
    double standalone_bound; /**< [currency] proven */
    double cost;             /**< [currency] C*, before payments */
    double payment;          /**< [currency] pays (> 0) or receives; sums to 0 in whole micro-currency */
    double final_cost;       /**< [currency] cost + payment */
    double weight;           /**< [-] bargaining power */
    double supplied_kwh;     /**< sent to the others over the day, both carriers */
    double received_kwh;     /**< received from them, after losses */
    double lower_bound;      /**< [currency] proven: min of own cost minus trades valued at the final prices;
                                  -INFINITY: none */
} mgc_member_info;
/** @param index of the model's order.  @return MGC_OK; MGC_E_RANGE past the last one.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_alliance_get_member(const mgc_alliance *alliance, uint32_t index,
                                                         mgc_member_info *info);

/** One direction of one link on which something is sent. */
typedef struct mgc_trade {
    size_t struct_size;
    const char *from, *to; /**< ids of sender and receiver */
    uint32_t link;           /**< index in the model */
    uint32_t carrier;        /**< MGC_CARRIER_ELECTRICITY or MGC_CARRIER_HEAT */
    uint32_t direction;      /**< 0: from the link's first member to its second */
    uint32_t periods; /**< length of the two series */
    const double *sent_kw;       /**< [periods]; `to` receives (1 - loss) of it */
    const double *price_per_kwh; /**< [periods] of the energy sent: multiplier of the coupling constraint */
    double sent_kwh;         /**< over the day */
    double money;            /**< [currency] sum of price x energy; `to` pays it to `from` */
} mgc_trade;
/** @param index 0..info.trades - 1.  @return MGC_OK; MGC_E_RANGE past the last one; MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_alliance_get_trade(const mgc_alliance *alliance, uint32_t index, mgc_trade *trade);

/** Money between two members. */
typedef struct mgc_pair {
    size_t struct_size;
    const char *first, *second; /**< ids of the two */
    double payment;  /**< [currency] first pays second over the day, all in all; whole micro-currency */
    double trades;   /**< [currency] of it for energy at the trades' prices */
    double transfer; /**< [currency] the rest: one transfer a day; payment = trades + transfer */
} mgc_pair;
/** @param index 0..info.pairs - 1.  @return MGC_OK; MGC_E_RANGE past the last one; MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_alliance_get_pair(const mgc_alliance *alliance, uint32_t index, mgc_pair *pair);

/** One round of proposals, for the picture of convergence. */
typedef struct mgc_round {
    size_t struct_size;
    uint32_t phase, round; /**< MGC_PHASE_...; of the phase, from 1 */
    double primal;      /**< [-] largest relative disagreement of any link */
    double dual;        /**< [-] largest relative movement of any link */
    double traded_kwh;  /**< agreed so far, over the day */
    double disagreement_kw; /**< largest difference of two ends' proposals */
} mgc_round;
/** @param index 0..info.rounds - 1.  @return MGC_OK; MGC_E_RANGE past the last one; MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_alliance_get_round(const mgc_alliance *alliance, uint32_t index, mgc_round *round);

/** @param together MGC_DISPATCH_ALONE or MGC_DISPATCH_ALLIANCE
 *  @param plan     borrowed until the result is destroyed
 *  @return MGC_OK; MGC_E_STATE where the run ended before there was one.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_alliance_get_plan(const mgc_alliance *alliance, uint32_t together,
                                                       const mgc_plan **plan);

/**
 * What anyone can check of a result, recomputed from trades, plans, prices and payments by code that shares nothing
 * with the rounds.  A sound result has every number of the first group at most its tolerance, and ok 1.
 */
typedef struct mgc_certificate {
    size_t struct_size;
    uint32_t ok;             /**< 1: all hold */
    uint32_t reserved0;
    double imbalance_kw;     /**< largest difference between a trade and either end's plan; <= 1e-3 */
    double capacity_kw;      /**< largest excess over a link's capacity; <= 1e-6 */
    double payment_sum;      /**< [currency] |sum of payments|; <= 1e-9 x members */
    double pair_sum;         /**< [currency] largest |member's payment - sum over its pairs|; <= 1e-9 x members */
    double worst_loss;       /**< [currency] largest final cost minus stand-alone cost; <= 1e-6 x members */
    double nash;             /**< [currency] largest distance of a member's gain from its Nash share; <= 1e-5 x members */
    double gap;              /**< [-] (cost - lower bound) / max(1, sum of |stand-alone cost|), recomputed from the
                                  members' bounds */
} mgc_certificate;
/** Recompute it.  @return MGC_OK; MGC_E_STATE where the run ended without plans; MGC_E_ABI_SIZE,
 *  MGC_E_NO_MEMORY.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_alliance_certificate(const mgc_alliance *alliance, mgc_certificate *certificate);

/* --- one member's agent over the host's transport --------------------------------------------------------------- */

typedef struct mgc_agent mgc_agent; /* owned by the caller */

/** Options of mgc_agent_create(). */
typedef struct mgc_agent_opts {
    size_t struct_size;
    uint64_t run;          /**< number of this bargaining run, the same at all members (a day's number); 0 */
    uint32_t members;      /**< how many members the run has at most, the same at all; 0: those that the model names */
    uint32_t relax;        /**< as in mgc_alliance_opts, the same at all */
    uint32_t weights;      /**< MGC_WEIGHTS_..., the same at all */
    uint32_t round_limit;  /**< the same at all; 150 */
    double weight;         /**< GIVEN: this member's bargaining power, >= 0; 1 */
    double tolerance;      /**< [-] the same at all; 1e-4 */
    double gap;            /**< [-] 1e-4 */
    uint64_t deadline_ms;  /**< [ms] a peer that keeps the agent waiting longer is named silent; 60000 */
    uint64_t resend_ms;    /**< [ms] an unanswered message is sent again; 1000 */
    const uint8_t *start;  /**< what yesterday's agent of this member (mgc_agent_get_state()) or an alliance left;
                                borrowed for the call.  A link starts warm where both ends hand in the same of it;
                                NULL: cold */
    size_t start_len; /**< bytes in start */
    uint32_t keep_log;     /**< 1: keep what mgc_agent_save() needs, some kB a round; 0 */
    uint32_t reserved0;    /**< 0 */
    /* With a pool (links to mgc_pool_id()): */
    const char *const *roster; /**< ids of all members, own included, in any order, the same at all; borrowed for the
                                    call.  NULL: the microgrids of the model */
    size_t roster_n;       /**< length of roster */
    const uint8_t *secret; /**< 32 random bytes that nobody else knows, never used before for this run number with
                                other data: they mask what this member adds to sums, so that whoever forwards a sum
                                cannot read an offer from it.  Borrowed for the call; with a pool it must be there */
    uint32_t children;     /**< of a node of the tree over which sums travel, the same at all; 0: 8 */
    uint32_t reserved1;    /**< 0 */
} mgc_agent_opts;
/** Fill with the defaults of the library that runs.  size: sizeof(mgc_agent_opts).  Since 0.1 */
MGC_API void mgc_agent_opts_init(mgc_agent_opts *opts, size_t size);

/** State of an agent. */
enum {
    MGC_AGENT_RUNNING = 0,
    MGC_AGENT_AGREED = 1,    /**< trades and payments stand; "no trade" is an agreement too */
    MGC_AGENT_INFEASIBLE = 2,/**< no plan, not even alone */
    MGC_AGENT_SILENT = 3,    /**< a peer did not answer within the deadline; reason names it and the phase */
    MGC_AGENT_DISAGREED = 4, /**< a peer's terms differ or it contradicts itself; reason names it and what */
    MGC_AGENT_CANCELLED = 5  /**< mgc_ctx_cancel() */
};

/** A message to a member. */
typedef struct mgc_message {
    const char *to;       /**< member's id */
    const uint8_t *bytes; /**< what to send */
    size_t len; /**< bytes in bytes */
} mgc_message;

/** What mgc_agent_poll() answers; everything in it is borrowed until the next call on the agent. */
typedef struct mgc_agent_output {
    const mgc_message *messages; /**< to be sent, in any order, at least once */
    size_t n_messages; /**< length of messages */
    uint64_t wake_ms;     /**< poll again at this time at the latest */
    uint32_t state;       /**< MGC_AGENT_... */
    uint32_t phase;       /**< MGC_PHASE_... */
    uint32_t round; /**< of the phase, from 1; 0 where it has none */
    uint32_t reserved0;
    const char *reason;   /**< one line on how it stands */
    double primal, dual;  /**< [-] own links' residuals of the last round */
} mgc_agent_output;

/** Longest message that an agent sends or looks at; longer ones are refused unread. */
#define MGC_AGENT_MESSAGE_MAX 262144u

/**
 * Create the agent of one member.
 *
 * @param model holds the member itself and the links to its neighbours; the neighbours' microgrids need not be in it.
 *              the caller's; may change or go afterwards
 * @param id    the member
 * @return MGC_OK; what mgc_model_check() refuses; MGC_E_NOT_FOUND; MGC_E_INVALID_ARG, MGC_E_NO_MEMORY
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_agent_create(mgc_ctx *ctx, const mgc_model *model, const char *id,
                                                  const mgc_agent_opts *opts, mgc_agent **out);
/** NULL is fine.  Since 0.1 */
MGC_API void mgc_agent_destroy(mgc_agent *agent);

/**
 * Let the agent work as far as it can with what it has received; this is where it solves.  A pure function of the
 * calls so far: no clock is read.
 *
 * @param now_ms the host's monotonic time
 * @param out    filled
 * @return MGC_OK with out->state; MGC_E_NO_MEMORY, MGC_E_NUMERIC (out->state stays RUNNING; the call may be repeated)
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_agent_poll(mgc_agent *agent, uint64_t now_ms, mgc_agent_output *out);

/**
 * Hand in bytes that arrived.  Cheap: nothing is solved.
 *
 * @param from  the sender as the transport knows it (authenticated there)
 * @param bytes the caller's
 * @return MGC_OK also where the message was refused (malformed, foreign, late, of another run):
 *         mgc_agent_get_counts() counts them; MGC_E_INVALID_ARG for NULL; MGC_E_NO_MEMORY: as if the message were
 *         lost.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_agent_receive(mgc_agent *agent, uint64_t now_ms, const char *from,
                                                   const uint8_t *bytes, size_t len);

/**
 * A checkpoint: what is needed to go on after a crash.  Save before the messages of a poll are sent, and nothing that
 * anyone has heard can be lost.
 * @param bytes canonical; borrowed until the next call on the agent
 * @return MGC_OK; MGC_E_STATE unless opts.keep_log; MGC_E_NO_MEMORY.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_agent_save(mgc_agent *agent, const uint8_t **bytes, size_t *len);

/**
 * mgc_agent_create(), then take every message of the checkpoint again: the agent goes on with the same bytes as if it
 * had never stopped.  keep_log is 1 from then on.
 * @param model,id,opts as at mgc_agent_create(), unchanged
 * @return as mgc_agent_create(); MGC_E_MESSAGE for another run's, member's or model's checkpoint; MGC_E_STATE where
 *         this library or machine comes to other numbers; MGC_E_SCHEMA, MGC_E_NONCANONICAL, MGC_E_TRUNCATED,
 *         MGC_E_RANGE, MGC_E_VERSION
 * Cost   the time that the run took so far.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_agent_restore(mgc_ctx *ctx, const mgc_model *model, const char *id,
                                                   const mgc_agent_opts *opts, const uint8_t *bytes, size_t len,
                                                   mgc_agent **out);

/** What became of the messages. */
typedef struct mgc_agent_counts {
    size_t struct_size;
    uint64_t accepted; /**< taken in */
    uint64_t duplicate; /**< seen already, or of a step that is over */
    uint64_t malformed; /**< not the canonical encoding, or outside the schema */
    uint64_t foreign;   /**< another run, an unknown sender, a sender that names another, a link that is not shared */
    uint64_t early;     /**< more than one step ahead: dropped, the peer will send it again */
    uint64_t conflicting; /**< same step, other content: the first one stands */
    uint64_t sent; /**< messages handed out, those sent again included */
} mgc_agent_counts;
/** @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_agent_get_counts(const mgc_agent *agent, mgc_agent_counts *counts);

/** The agreement as this member sees it. */
typedef struct mgc_agreement {
    size_t struct_size;
    uint32_t trades, pairs;   /**< for the two functions below */
    uint32_t rounds; /**< of proposals for trades */
    uint32_t no_trade; /**< 1: cooperation did not pay; the member stays alone */
    double standalone_cost, standalone_bound, cost, payment, final_cost; /**< [currency] as in mgc_member_info;
                                                                              never sent to anyone */
    double lower_bound;       /**< [currency] as in mgc_member_info */
    double primal, dual;      /**< [-] of the last round, own links */
    const uint8_t *bytes;     /**< canonical bytes of trades, prices and payments: for each pair the same at both
                                   ends; borrowed */
    size_t len; /**< bytes in bytes */
} mgc_agreement;
/** @return MGC_OK; MGC_E_STATE unless the agent's state is AGREED.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_agent_agreement(const mgc_agent *agent, mgc_agreement *agreement);
/**
 * A second bound, for whoever sums the members' agreement.lower_bound to that of the alliance: at the prices with
 * which the relaxation of on/off decisions ended.  It may prove more than the last ones do; the larger of the two
 * sums holds, never a sum of some of these and some of those.  Costs a solve of the member's program.
 * @param bound [currency] filled; -INFINITY where none was reached
 * @return MGC_OK; MGC_E_STATE unless the agent's state is AGREED; MGC_E_NO_MEMORY.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_agent_relaxed_bound(mgc_agent *agent, double *bound);
/** @param index 0..agreement.trades - 1.  @return MGC_OK; MGC_E_RANGE past the last one; MGC_E_STATE unless AGREED;
 *  MGC_E_ABI_SIZE.
 *  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_agent_get_trade(const mgc_agent *agent, uint32_t index, mgc_trade *trade);
/** first is the agent's own member.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_agent_get_pair(const mgc_agent *agent, uint32_t index, mgc_pair *pair);
/** What to hand to tomorrow's agent as opts.start: trades, prices and penalties of own links; borrowed until the agent is
 *  destroyed.  @return MGC_OK; MGC_E_STATE unless the agent's state is AGREED.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_agent_get_state(const mgc_agent *agent, const uint8_t **bytes, size_t *len);
/** The member's own plan with the agreed trades; borrowed until the agent is destroyed.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_agent_get_plan(const mgc_agent *agent, const mgc_plan **plan);

/* --- the record that a third party can check -------------------------------------------------------------------- */

/** An agreement as whole numbers in canonical bytes: trades, prices and payments of all links and members, what each
 *  member says is still to be gained at the final prices, and the members' signatures.  No loads, devices or costs. */
typedef struct mgc_record mgc_record; /* owned by the caller */

/**
 * The record of a result, without signatures.
 * @param run number of the bargaining run (a day's number), part of what is signed
 * @param out NULL on failure; destroy with mgc_record_destroy()
 * @return MGC_OK; MGC_E_STATE where the run ended without an agreement; MGC_E_RANGE for a number beyond 2^62 units;
 *         MGC_E_NO_MEMORY.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_record_from_alliance(const mgc_alliance *alliance, uint64_t run, mgc_record **out);
/** Read a record from anywhere.  @return MGC_OK; MGC_E_SCHEMA, MGC_E_NONCANONICAL, MGC_E_TRUNCATED, MGC_E_RANGE,
 *  MGC_E_VERSION, MGC_E_LIMIT (what and where in the context's text); MGC_E_NO_MEMORY.  What it says is not believed:
 *  mgc_record_verify().  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_record_read(mgc_ctx *ctx, const uint8_t *bytes, size_t len, mgc_record **out);
/** NULL is fine.  Since 0.1 */
MGC_API void mgc_record_destroy(mgc_record *record);
/** Canonical bytes, signatures included.  @param bytes borrowed until the record is signed again or destroyed.
 *  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_record_bytes(mgc_record *record, const uint8_t **bytes, size_t *len);
/** SHA-256 of what the signatures are over: the same however many have signed.  For a ledger.
 *  @param hash 32 bytes.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_record_hash(const mgc_record *record, uint8_t *hash);

/**
 * A member's acceptance: its signature over "mgchain-acceptance-1", the hash, its id.  It says: these trades are in
 * my plan, and with this payment I am not worse off than alone.
 * @param id  a member of the record  @param key the member's
 * @return MGC_OK; MGC_E_NOT_FOUND; MGC_E_EXISTS where it has signed; what mgc_key_sign() answers.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_record_sign(mgc_record *record, const char *id, const mgc_key *key);
/**
 * The same by an agent, which first compares the record with what it agreed: every trade of its links, its payment to
 * every pair, and that it is not worse off.
 * @return as mgc_record_sign(); MGC_E_MESSAGE where the record says something else (named); MGC_E_STATE unless
 *         AGREED.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_agent_sign_record(const mgc_agent *agent, mgc_record *record, const mgc_key *key);

/** What mgc_record_verify() found; amounts in whole micro-currency, trades in whole mW. */
typedef struct mgc_record_report {
    size_t struct_size;
    uint32_t ok;           /**< 1: everything below holds and every member has signed */
    uint32_t members, links, pairs; /**< what the record holds */
    uint32_t signatures;   /**< that verify */
    uint32_t missing;      /**< members without one, or with one that does not verify */
    int64_t payment_sum;   /**< of all members; must be 0 */
    int64_t pair_mismatch; /**< largest |payment - sum over own pairs|; must be 0 */
    int64_t over_capacity; /**< largest trade beyond its link's capacity; must be <= 0 */
    int64_t both_ways;     /**< largest smaller one of two opposite flows on a link without loss; must be 0 */
    int64_t gap;           /**< sum of what members say is still to be gained; -1: a member does not say */
    char reason[128];      /**< the first thing that does not hold; "" */
    int64_t pool_imbalance; /**< largest difference of what is sent to a pool and taken out of it in a period;
                                 must be 0 */
} mgc_record_report;

/**
 * Check a record, with nothing but the members' public keys.
 * @param ids,keys     the members that must have signed and their public keys, 32 bytes each; n of them
 * @param gap_limit    [micro-currency] largest gap to be called ok; < 0: any
 * @param report       filled
 * @return MGC_OK also where it does not hold (report.ok 0); MGC_E_INVALID_ARG; MGC_E_CRYPTO.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_record_verify(const mgc_record *record, const char *const *ids,
                                                   const uint8_t *const *keys, size_t n, int64_t gap_limit,
                                                   mgc_record_report *report);

/* --- payments alone --------------------------------------------------------------------------------------------- */

/**
 * Nash bargaining over payments in closed form: final cost = standalone - weight / sum of weights x surplus.
 *
 * @param standalone,cost [currency] C0 and C*; length n
 * @param weight          [-] >= 0; all 0: shared equally; NULL: equal
 * @param payment         [currency] filled; sums to 0 in whole micro-currency (largest remainders, ties to the lower
 *                        index)
 * @return MGC_OK; MGC_E_INVALID_ARG (not finite, negative weight: index named); MGC_E_RANGE where the surplus is negative
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_nash_payments(mgc_ctx *ctx, const double *standalone, const double *cost,
                                                   const double *weight, size_t n, double *payment);

/**
 * Contribution weights: beta_i = exp(supplied_i / max supplied) - exp(-received_i / max received); a ratio over 0 is 0.
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_contribution_weights(mgc_ctx *ctx, const double *supplied_kwh,
                                                          const double *received_kwh, size_t n, double *weight);

/**
 * Payments between pairs: of all that give every member its payment, the one of least sum of squares.
 *
 * @param payment       [currency] length n; must sum to 0 within each group of members that pairs connect, to 1e-6 x n
 * @param first,second  members of each pair, length pairs; first != second
 * @param pair_payment  [currency] what first pays second; filled; whole micro-currency, each member's sum exactly its
 *                      payment (payments rounded to whole micro-currency)
 * @return MGC_OK; MGC_E_INVALID_ARG (which group does not balance); MGC_E_NO_MEMORY.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_pair_payments(mgc_ctx *ctx, const double *payment, size_t n, const uint32_t *first,
                                                   const uint32_t *second, size_t pairs, double *pair_payment);

/* --- coalitions: other rules of sharing, for comparison --------------------------------------------------------- */

/** Members up to which all coalitions are looked at: 4096 of them, most of them a program of its own. */
#define MGC_COALITION_MEMBERS_MAX 12u

/** Options of mgc_coalition_values(). */
typedef struct mgc_coalition_opts {
    size_t struct_size;
    uint32_t relax;   /**< 1: drop integrality everywhere; 0 */
    uint32_t threads; /**< coalitions side by side; 1.  The result does not depend on it */
    double gap;       /**< [-] relative gap of each mixed-integer program; 1e-4 */
    /** Told after each batch of coalitions, on the caller's thread: done of total programs.  MGC_CB_STOP ends with
     *  MGC_E_STOPPED. */
    int32_t (*progress)(void *user, uint32_t done, uint32_t total);
    void *user; /**< first argument of progress */
} mgc_coalition_opts;
/** Fill with the defaults.  size: sizeof(mgc_coalition_opts).  Since 0.1 */
MGC_API void mgc_coalition_opts_init(mgc_coalition_opts *opts, size_t size);

/**
 * What each coalition of members would save by trading among themselves: v(S) = sum of stand-alone costs - cost of S
 * as one program.  Coalition S is the number whose bit i is set where member i (of the model's order) is in it.  A
 * coalition that links do not connect is worth the sum of its parts, which is not solved again; a coalition is worth
 * at least what its best split is worth (gaps of mixed-integer programs apart, that follows).
 *
 * @param standalone [currency] length n; filled; may be NULL
 * @param value      [currency] length 2^n; filled; value[0] and single members 0
 * @param n          the model's number of members, 1..MGC_COALITION_MEMBERS_MAX
 * @return MGC_OK; what mgc_model_check() refuses; MGC_E_LIMIT for more members; MGC_E_INVALID_ARG; MGC_E_NUMERIC where a
 *         coalition has no plan (named); MGC_E_STOPPED, MGC_E_NO_MEMORY.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_coalition_values(const mgc_model *model, const mgc_coalition_opts *opts,
                                                      double *standalone, double *value, size_t n);

/** Shapley value: the mean over all orders of joining of what a member adds; sums to value of all.
 *  @param value length 2^n, finite, value[0] = 0;  @param share length n, filled.  @return MGC_OK, MGC_E_LIMIT,
 *  MGC_E_INVALID_ARG.
 *  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_shapley(mgc_ctx *ctx, const double *value, size_t n, double *share);

/** Is a split stable?  The most that any coalition (but none and all) would gain by leaving: max v(S) - sum of shares
 *  in S.  At most 0: the split is in the core.
 *  @param excess [currency] filled; -INFINITY for one member  @param coalition filled: the one that gains it; may be NULL
 *  @return as mgc_shapley().  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_core_excess(mgc_ctx *ctx, const double *value, const double *share, size_t n,
                                                 double *excess, uint32_t *coalition);

/** The most stable split: least largest excess (the least core), by a linear program.  The core is empty exactly
 *  where it is above 0.  @param share length n, filled, sums to v of all  @param excess [currency] filled.
 *  @return as mgc_shapley(); MGC_E_NUMERIC, MGC_E_NO_MEMORY.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_least_core(mgc_ctx *ctx, const double *value, size_t n, double *share,
                                                double *excess);

#ifdef __cplusplus
}
#endif
#endif
