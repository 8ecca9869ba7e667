/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file settle.h
 * The one door from doubles to whole numbers: an alliance's bargain and the realised day become signed transactions.
 *
 * Rounding conserves every total (doc/settle.md):
 *  - a series of powers becomes Wh a slot whose sum is the day's energy to the nearest Wh (largest remainders, ties
 *    to the earlier slot), each slot within 1 Wh of its own value;
 *  - payments become whole micro-currency that sum to zero; what two members pay each other is, to the
 *    micro-currency, the agreed payment: energy at the trades' whole-number prices, and one transfer for the rest;
 *  - a deviation is rounded as such, so a member that does what it planned deviates by 0 Wh exactly.
 *
 * A day is built once and then handed out transaction by transaction, signed, in an order in which a node accepts
 * them. Keys belong to the host, which gives them by a callback; nothing here makes or keeps one.
 *
 * A pool (mgc_pool_id()) is on the ledger as one more microgrid, the last one, with a manager of its own: everyone's
 * counterparty.  A contract is for what passes the member's meter: of what is taken out, what arrives, at the price
 * of that.  The pool ends the day with what it began with, to the micro-currency: payments sum to zero, and its
 * halves of the fees come back with them.
 *
 * Threads: one at a time per day.
 */
#ifndef MGCHAIN_SETTLE_H
#define MGCHAIN_SETTLE_H

#include "mgchain/bargain.h"
#include "mgchain/contract.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mgc_day mgc_day; /* owned by the caller */

/**
 * Split a whole total among n parties in proportion to values, losing nothing: largest remainders, ties to the lower
 * index.
 * @param values finite, >= 0, not all 0 unless total is 0; length n
 * @param shares filled; sums to total exactly, each within 1 of total * value / sum
 * @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_RANGE (total above 2^53).  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_split(mgc_ctx *ctx, uint64_t total, const double *values, size_t n,
                                           uint64_t *shares);

/**
 * Powers to energies: wh[t] is within 1 of kw[t] * hours * 1000, and their sum is the day's energy to the nearest Wh.
 * @param kw [kW] finite, >= -1e-6 (what a solver leaves below zero counts as zero); length n
 * @param wh [Wh] filled
 * @return MGC_OK, MGC_E_INVALID_ARG (index named), MGC_E_RANGE (over 2^53 Wh in all).  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_energy_wh(mgc_ctx *ctx, const double *kw, double hours, size_t n, uint64_t *wh);

/** Amounts of one currency to micro-currency: each within 1 of its own value, their sum the whole sum to the nearest.
 *  @param amount [currency] finite; length n.  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_RANGE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_money_micro(mgc_ctx *ctx, const double *amount, size_t n, int64_t *micro);

/** Numbers of members on the chain, beside those of the model: microgrid i of the model is number i + 1, its
 *  organisation i + 2 (1 is the market's), link j number j + 1.  The pool counts as the microgrid after
 *  the model's last. */
enum {
    MGC_DAY_ADMINISTRATOR = 1,
    MGC_DAY_MARKET_OPERATOR = 2,
    MGC_DAY_DISPATCHER = 3,
    MGC_DAY_REGULATOR = 4,
    MGC_DAY_VALIDATOR = 5, /**< whom the chain's genesis names: its key founds the market together with the
                            *   administrator's */
    MGC_DAY_MANAGER = 100, /**< + microgrid's number */
    MGC_DAY_METER = 10000  /**< + meter's number: each microgrid's connections (electricity, heat, gas), then its
                             *   ends of links */
};

/** Phases of a day, in order. */
enum {
    MGC_DAY_FOUND = 1,       /**< the market, organisations, members, microgrids, links, meters; none after the first
                             *   day */
    MGC_DAY_TARIFF = 2,      /**< prices and emission factors */
    MGC_DAY_DEPOSIT = 3,     /**< money to trade with */
    MGC_DAY_COMMIT = 4,      /**< hashes of the bargain's inputs and of the bargain itself */
    MGC_DAY_NOMINATE = 5,    /**< what each microgrid buys from and sells to the grid */
    MGC_DAY_AGREE = 6,       /**< agreements and payments, signed by both sides */
    MGC_DAY_ACKNOWLEDGE = 7, /**< managers acknowledge their schedules, after the gates */
    MGC_DAY_READ = 8,        /**< meters' readings */
    MGC_DAY_SETTLE = 9,      /**< provisional amounts */
    MGC_DAY_FINALISE = 10,   /**< final amounts: escrow is paid out */
    MGC_DAY_END = 11
};

/** The host's keys.  @return the member's key, borrowed until the day is destroyed; NULL: MGC_E_MISSING_SIGNER. */
typedef const mgc_key *(*mgc_day_key_fn)(void *user, uint32_t member);

/** A chain that takes transactions. */
typedef struct mgc_day_chain {
    const uint8_t *id; /**< 32 bytes, copied */
    uint64_t height;   /**< now: transactions are valid for MGC_TX_WINDOW_MAX / 2 blocks from here */
} mgc_day_chain;

/** Options of mgc_day_create(). */
typedef struct mgc_day_opts {
    size_t struct_size;
    mgc_day_chain information; /**< must be given; as mgc_node_chain() with the contract of that name */
    mgc_day_chain trading;     /**< id NULL: there is one chain for all contracts, that of information */
    mgc_day_chain scheduling;  /**< likewise */
    uint64_t start_ms;       /**< begin of the first period, UTC; a whole number of periods since 1970; must be
                                *   given */
    uint64_t now_ms;         /**< when the transactions are handed in at the earliest; 0: a day before start_ms */
    mgc_day_key_fn key;      /**< must be given */
    void *user;              /**< first argument of key */
    /** The day before, of the same microgrids and links: its meters' registers and nonces are taken on.  NULL: the
     *  first day. It must have its realised day.  What it has not handed out yet is handed out by the new day, when
     *  it is due: the last readings of a day come after the next day's agreements.  Hand a day out up to ACKNOWLEDGE,
     *  then make the next.  The caller may destroy it at any time; the new day keeps what it needs. */
    mgc_day *previous;
    const char *name;        /**< of the market, copied; "market" */
    const char *currency;    /**< copied; "EUR" */
    uint64_t gate_ms;        /**< so long before the day begins the gate of its slots closes; 3600000 */
    uint64_t window_ms;      /**< between provisional and final; 3600000 */
    uint32_t collateral_bp;  /**< of a trade's worth, each side, in ten-thousandths; 1000 */
    uint32_t pending_blocks; /**< escrow ends by itself after so many blocks; 1000000 */
    const uint8_t *inputs_hash; /**< 32 bytes: of the bargain's inputs; NULL: none published */
    /** 32 bytes: what transfers and the bargain's commitment name as the bargain: mgc_record_hash() of the signed record;
     *  NULL: the hash of the bargain in whole numbers (doc/settle.md). */
    const uint8_t *record_hash;
    double deposit_margin;      /**< deposits cover (1 + margin) times what the day costs by plan; 1 */
} mgc_day_opts;

/** Fill with the defaults.  size: sizeof(mgc_day_opts).  Since 0.1 */
MGC_API void mgc_day_opts_init(mgc_day_opts *opts, size_t size);

/**
 * Begin a day for the microgrids and links of a model, whose ids, limits, prices and emission factors are taken over;
 * of uncertain prices and factors the first scenario.
 * @param model the caller's; may change or go afterwards
 * @param out   NULL on failure; destroy with mgc_day_destroy()
 * @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_RANGE (a price, limit or time does not fit whole numbers), MGC_E_SLOT
 *         (start_ms off the grid), MGC_E_ABI_SIZE, MGC_E_ABI_FUTURE, MGC_E_NO_MEMORY.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_day_create(mgc_ctx *ctx, const mgc_model *model, const mgc_day_opts *opts,
                                                mgc_day **out);
/** NULL is fine.  Since 0.1 */
MGC_API void mgc_day_destroy(mgc_day *day);

/** The bargain: trades, prices, payments, certificate, and the day-ahead purchases and sales of the plan.
 *  @param alliance the caller's.  @return MGC_OK, MGC_E_STATE (set already), MGC_E_INVALID_ARG, MGC_E_RANGE,
 *  MGC_E_NO_MEMORY.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_day_set_alliance(mgc_day *day, const mgc_alliance *alliance);
/** The realised day, one scenario, as mgc_plan_realise() gives it.  After the bargain.  @return as above.  Since
 *  0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_day_set_realised(mgc_day *day, const mgc_plan *plan);

/**
 * The same from arrays, for hosts that plan by other means.  Each of length periods, copied; each may be set once;
 * what is not set is zero.  carrier: MGC_CARRIER_...  Indices of the model.  @return MGC_OK, MGC_E_STATE,
 * MGC_E_INVALID_ARG, MGC_E_RANGE.  Since 0.1 @{
 */
MGC_API MGC_NODISCARD mgc_status mgc_day_set_grid(mgc_day *day, uint32_t microgrid, uint32_t carrier,
                                                  const double *buy_kw, const double *sell_kw);
/** direction 0: from the link's first member; prices of the energy sent, may be negative */
MGC_API MGC_NODISCARD mgc_status mgc_day_set_trade(mgc_day *day, uint32_t link, uint32_t direction,
                                                   const double *sent_kw, const double *price_per_kwh);
/** What first pays second over the day, all in all (negative: the other way).  [currency] */
MGC_API MGC_NODISCARD mgc_status mgc_day_set_payment(mgc_day *day, uint32_t first, uint32_t second, double payment);
/** What the meter at the connection to the grid reads, purchases less sales; for gas: what is burnt.  [kW] */
MGC_API MGC_NODISCARD mgc_status mgc_day_set_metered(mgc_day *day, uint32_t microgrid, uint32_t carrier,
                                                     const double *net_kw);
/** What really went over a link; not set: what was agreed.  [kW] */
MGC_API MGC_NODISCARD mgc_status mgc_day_set_delivered(mgc_day *day, uint32_t link, uint32_t direction,
                                                       const double *sent_kw);
/** @} */

/** A transaction that a day brings forth. */
typedef struct mgc_day_tx {
    size_t struct_size;
    uint32_t phase; /**< MGC_DAY_...; let the node build its blocks (mgc_node_flush()) before the first of another
                     *   phase: on three chains it reads what this phase wrote on another one */
    uint32_t contract; /**< MGC_CONTRACT_... */
    const char *method;   /**< static text */
    uint64_t due_ms;      /**< let the node step to this time before handing it in; never decreases */
    const uint8_t *bytes; /**< signed; borrowed until the next call on the day */
    size_t len; /**< bytes in bytes */
} mgc_day_tx;

/**
 * The next transaction, in the order of phases (of two days: of due_ms).  A host may set the realised day after the
 * phase ACKNOWLEDGE.
 * @param until the last phase that is wanted now
 * @return MGC_OK; MGC_E_NOT_FOUND: none is left up to that phase (tx->phase is END when the day is done) MGC_E_STATE
 *         (no bargain yet, or from the phase READ on no realised day) MGC_E_MISSING_SIGNER (the host gave no key),
 *         MGC_E_OVERFLOW, MGC_E_TOO_LARGE, MGC_E_NO_MEMORY, mgc_tx_sign()'s
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_day_next(mgc_day *day, uint32_t until, mgc_day_tx *tx);

/** What the ledger must show at the end of the day, computed from the day's whole numbers alone.  [micro-currency,
 *  Wh, g] */
typedef struct mgc_day_expectation {
    size_t struct_size;
    int64_t trades_micro;    /**< receives (> 0) or pays for energy of other members */
    int64_t transfer_micro;  /**< receives or pays as the rest of the bargain's payments */
    int64_t grid_micro;      /**< pays (< 0) the utility for what was nominated */
    int64_t imbalance_micro; /**< pays (< 0) or receives for deviations */
    int64_t fee_micro;       /**< pays (< 0) the links' fees */
    int64_t deposit_micro; /**< stays reserved as a deposit */
    int64_t electricity_wh; /**< taken in over the day, all in all */
    int64_t heat_wh; /**< likewise, heat */
    int64_t carbon_g; /**< emission that is counted */
} mgc_day_expectation;
/** @param microgrid index in the model.  @return MGC_OK, MGC_E_RANGE, MGC_E_STATE (before the realised day),
 *  MGC_E_OVERFLOW.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_day_expect(mgc_day *day, uint32_t microgrid, mgc_day_expectation *expectation);

#ifdef __cplusplus
}
#endif
#endif
