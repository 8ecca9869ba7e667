/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of an agent: shared by the files of this room.
 *
 *   agent.c   the state machine: polling, receiving, answering
 *   stage.c   what each stage says and learns; the order of the stages
 *   admm.c    trades: one end of one link (P1)
 *   sum.c     numbers that all members add up
 *   prove.c   is the alliance as a whole close enough?
 *   choose.c  which of the last rounds' trades are best?
 *   ties.c    of trades that cost the same, those of least sum of squares
 *   pay.c     payments: one end of one pair (P2)
 *   checkpoint.c  what is kept to resume a run
 *   reopen.c  rounds with other on/off decisions, for a driver of all agents
 *   start.c   what one day's run leaves for the next
 *   message.c bytes
 *   pool.h    the same with a pool instead of links between members */
#ifndef BARGAIN_AGENT_H
#define BARGAIN_AGENT_H

#include "bargain/local.h"
#include "bargain/message.h"
#include "bargain/payment.h"

#define MGC__KW 1e6    /* proposals of trades are in mW */
#define MGC__RUBBLE_KW 1e-3 /* a flow of less is rubble of the method, not trade */
#define MGC__NANO 1e9  /* proposals of payments are in nano-currency */
enum { MGC__NANO_PER_MICRO = 1000 };

/* A message that has arrived, waiting for its step. */
typedef struct mgc__inbox {
    bool full;
    uint64_t step, hash;
    uint32_t stage, round;
    uint64_t calm, last;
    int64_t flood[MGC__FLOODS];
    int64_t *values;
    size_t n, cap;
} mgc__inbox;

enum { MGC__SENT_KEPT = 4 }; /* the present step, the one that a peer may still wait for, and two made in one poll */

typedef struct mgc__sent {
    uint64_t step; /* 0: none */
    bool due;      /* to be handed out by the next poll */
    mgc__buf bytes;
} mgc__sent;

/* What the proposals of one end showed of its cost along one coordinate. */
typedef struct mgc__shown {
    double x, slope;      /* last proposal [kW], slope of the cost there [currency/kW] */
    double moved, turned; /* squares of their changes, summed; older ones count less */
} mgc__shown;

/* One end of one link.  Numbers are in the link's own orientation, so both ends hold the same z and mu. */
typedef struct mgc__end {
    mgc__terms terms;     /* borrowed from the agent's array */
    size_t offset, count; /* its coordinates: dims * periods */
    size_t pair;
    bool speaks_for_pair; /* first link of the pair: carries the payments */
    bool moved;           /* any trade agreed */
    bool child, waited_for; /* sum.c: the neighbour tells its sums to this member; has not yet */
    bool warm;            /* began from an earlier run's trades and prices */
    bool curved;          /* the last look at the costs found a curvature */
    bool still, hushed;   /* ties.c: nothing can change what goes over this link; as of this round */
    bool softer;          /* warm, from a first penalty: the kept one is none to go on with */
    uint32_t looks, clear; /* at the costs in this stage, where anything moved; those at which both ends showed a curvature */
    double rho;           /* [currency/kW^2] power of two */
    double first_rho;     /* as this stage began */
    double *scale;        /* [count] powers of two: of rho, the penalty of each coordinate */
    double *z;            /* [count] kW: agreed so far */
    double *mu;           /* [count] currency/kW: multiplier of (first's copy - second's copy) */
    double *past;         /* [4 count] first's proposals and slopes of its cost there, then second's, at the last look at them;
                             ties.c: z, mu and the offers before */
    mgc__shown *shown;    /* [2 count] of first's proposals, then of second's */
    uint64_t start_hash;  /* of what was kept from an earlier run; 0: nothing */
    double primal, dual;  /* [-] of the last round */
    double at_stake;      /* [currency] see mgc__admm_update() */
    double mean_at_stake; /* [currency] the same of the means */
    double apart_kw;      /* largest difference of the two proposals */
    int64_t *mine, *theirs; /* [count] mW: proposals of the last round */
    int64_t *agreed;      /* [count] mW */
    double *middle;       /* [count] mW: where the last two proposals met */
    double *mean, *mean_mu; /* [count] of the last rounds, older ones count less: of middle and mu */
    bool exchanged;       /* mean_mu is the last round's, mu the mean */
    double *mean_left;    /* [2 count] of how far apart the proposals were [kW], then of where z went [currency/kW] */
    double *recent;       /* [MEANS count] mW: choose.c */
    mgc__inbox inbox[2];  /* by parity of step */
    mgc__sent sent[MGC__SENT_KEPT]; /* by step */
    mgc__sent nudge;      /* the present step's message once more, with the wish for an answer */
} mgc__end;

/* A neighbour, for money. */
typedef struct mgc__peer {
    const char *id;       /* borrowed from terms */
    bool first;           /* the agent's id is the smaller one: z is what the agent pays */
    bool trades;          /* something is agreed with it */
    bool pays;            /* takes part in payments */
    double z, mu;         /* payment agreed so far, its multiplier */
    int64_t mine, theirs; /* nano-currency */
    int64_t micro;        /* payment agreed: what the smaller id pays */
} mgc__peer;

/* Numbers of the last round of trades, for the picture of convergence. */
typedef struct mgc__turn {
    uint32_t stage, round;
    double primal, dual, apart_kw, traded_kwh, at_stake, mean_at_stake;
    size_t count; /* turns so far */
} mgc__turn;

enum { MGC__PROVE_STAKE = 0, MGC__PROVE_VOTE = 1, MGC__PROVE_GAP = 2 };

/* sum.c */
enum { MGC__MEANS = 3, MGC__CHOOSE_SUMS = MGC__MEANS + 1, MGC__PROVE_SUMS = 2, MGC__SUMS = MGC__CHOOSE_SUMS }; /* MEANS: choose.c */
#define MGC__SUM_MAX INT64_C(2305843009213693952) /* 2^61 */
#define MGC__REFUSED (-MGC__VALUE_MAX)
typedef struct mgc__sum {
    uint32_t begin; /* round of the stage */
    size_t n;
    int64_t least;  /* whoever says less is not believed */
    int64_t part[MGC__SUMS], total[MGC__SUMS]; /* of the subtree so far; of all, where known */
    bool known;
} mgc__sum;

/* prove.c: what is known from sums.  The same numbers at everyone, but for bound and solved. */
typedef struct mgc__prove {
    uint32_t stage, round, question; /* the rounds that pause; which sum */
    uint32_t again;      /* round of the next proof, whatever is at stake */
    bool of_means;       /* about the means of the last rounds, not the last one */
    bool solved;         /* own cost and bound are those of the trades as they are now */
    bool confirm, doubted; /* residuals say enough, is it?  it was not: they end nothing any more */
    int64_t need, dear_votes; /* votes that suffice; had where half would have */
    double least, floor; /* [currency] asked in a vote; what the |stand-alone costs| are proven to sum to */
    double dear;         /* [currency] proven where half would have sufficed */
    double stake, stake_limit, gap; /* [currency] last sums; more at stake is not worth a proof; gap < 0: not asked since */
    double bound;
} mgc__prove;

/* ties.c */
typedef struct mgc__ties {
    double eps, rho;    /* [currency/kW^2] */
    bool moved;      /* the trades are others than the rounds found */
    uint32_t rounds; /* of proposals */
} mgc__ties;

struct mgc_agent {
    mgc_ctx *ctx;
    mgc_agent_opts opts;
    char *id;
    const mgc__local_ops *ops;
    void *local;
    mgc__terms *terms;
    mgc__end *ends;
    size_t n_ends, coordinates, periods;
    mgc__peer *peers;
    size_t n_peers;
    uint64_t digest; /* of options that all must share */

    /* where it stands */
    uint32_t state, stage, round;
    uint64_t step;
    bool spoken;      /* the messages of this step are made */
    uint64_t since_ms, resend_ms;
    bool started;
    char reason[256];
    mgc_agent_counts counts;

    /* common knowledge, spread by the messages */
    int64_t *heard;   /* [members] hashes of the members heard of, ascending */
    size_t n_heard;
    int64_t *fresh;   /* [members] those first heard of in the last round */
    size_t n_fresh;
    uint64_t span;    /* longest distance between any two members */
    uint64_t calm, last;
    int64_t root;     /* least hash heard of: that member is the root of the tree of sums */
    size_t parent;    /* end over which it was heard of first; SIZE_MAX: it is this member */
    mgc__sum sum;
    mgc__prove prove;
    mgc__ties ties;
    int64_t flood[MGC__FLOODS];
    bool integers;    /* somebody has on/off decisions */
    bool hurry;       /* the driver wants an end: no more rounds, no mixed-integer programs */
    uint32_t cycle;   /* stages COMMIT that are over */
    uint32_t shrink;  /* how often the trades were made smaller because a plan was impossible (mgc__admm_agree) */

    /* own problem */
    double alone_cost, alone_bound, cost, bound;
    double own_gap; /* own cost with trades at the final prices, less its bound: own part of what is still to be gained */
    uint32_t alone_outcome, blunders; /* proposals that could not be solved */
    double *x, *linear, *quad; /* [coordinates] */
    double *price_bound;       /* [coordinates] multipliers with which the bound is computed: the last ones */
    double *price_relaxed;     /* [coordinates] the last ones of the stage RELAXED */
    double inner_tolerance;
    mgc__turn turn;
    double weight, weight_scale, supplied_kwh, received_kwh;
    int64_t label;
    bool split;       /* pairs that trade do not connect everyone: all linked pairs pay */
    bool no_trade, at_limit;
    uint32_t pay_rounds;
    double pay_primal;

    /* results */
    double *sent_kw, *price; /* [ends * 2 directions * periods] */
    mgc__buf bytes, start;
    mgc__buf log, saved;     /* messages taken so far, for a checkpoint */
    uint64_t logged;         /* steps in it */
    bool resumed;            /* not polled since */
    int64_t *scratch;        /* values of one message */
    size_t scratch_n;
    mgc_message *messages;
    size_t n_messages;
    mgc_model *model;        /* own copy: the member and its links; NULL where the local problem is not a microgrid */
    mgc_plan *plan;
    struct mgc__pool *pool;  /* pool.h; NULL: links between members */
    bool driven;             /* by mgc_alliance_solve(), which makes plans and bounds itself */
};

/* agent.c */
mgc_status mgc__agent_make(mgc_ctx *ctx, const char *id, const mgc__terms *terms, size_t n, const mgc__local_ops *ops, void *local,
                           const mgc_agent_opts *opts, mgc_agent **out); /* takes local on success */
/* mgc_agent_create() for a driver that makes plans and bounds itself, in one process: a pool needs no secret. */
mgc_status mgc__agent_drive(mgc_ctx *ctx, const mgc_model *model, const char *id, const mgc_agent_opts *opts, mgc_agent **out);
/* End the rounds of trades with the present one.  Every agent of a group must hear it between the same two polls. */
void mgc__agent_hurry(mgc_agent *agent);
mgc_status mgc__agent_finish(mgc_agent *agent); /* plan, bound and bytes; solves */
void mgc__agent_end(mgc_agent *agent, uint32_t state, const char *format, ...) MGC_PRINTF(3, 4);

/* outcome.c */
mgc_status mgc__agent_close(mgc_agent *agent); /* trades, prices and bytes of the agreement */
mgc_status mgc__agent_bound(mgc_agent *agent); /* solves */
/* Own part of the bound, and of what is still to be gained, at the prices of the relaxation; solves. */
mgc_status mgc__agent_bound_relaxed(mgc_agent *agent, double *bound, double *gap);
/* Own part of the bound at the last prices with the on/off decisions as they are; solves. */
mgc_status mgc__agent_bound_committed(mgc_agent *agent, double *bound);

/* stage.c */
bool mgc__stage_talks(uint32_t stage);
/* Work of the present stage and round before anything is said; may solve.  Repeatable after a failure. */
mgc_status mgc__stage_prepare(mgc_agent *agent);
/* What is said over one end. */
void mgc__stage_speak(const mgc_agent *agent, const mgc__end *end, mgc__note *note, int64_t *values);
/* All ends have answered: learn, and move on to the next round or stage. */
mgc_status mgc__stage_listen(mgc_agent *agent);
uint32_t mgc__stage_phase(uint32_t stage);
size_t mgc__stage_values(const mgc_agent *agent, const mgc__end *end, uint32_t stage, uint32_t round); /* SIZE_MAX: up to members */

/* Decisions will still move the trades. */
bool mgc__stage_on_the_way(const mgc_agent *agent);
void mgc__stage_enter(mgc_agent *agent, uint32_t stage);
void mgc__stage_leave_trades(mgc_agent *agent);
void mgc__stage_take_prices(mgc_agent *agent); /* the bound is asked at the prices as they are */
void mgc__stage_settle(mgc_agent *agent); /* the trades are found: TIES or SETTLE */
/* The trades of the last two proposals, into `agreed` and `x`. */
void mgc__stage_take_agreed(mgc_agent *agent);
uint32_t mgc__agent_phase(const mgc_agent *agent);
void mgc__stage_hear_floods(mgc_agent *agent);
/* The stopping rule of stage.c.  true: this was the last round. */
bool mgc__stage_hear_calm(mgc_agent *agent, bool agreed, uint32_t limit);

/* ties.c */
bool mgc__ties_due(const mgc_agent *agent);
void mgc__ties_enter(mgc_agent *agent);
void mgc__ties_prepare(mgc_agent *agent);
size_t mgc__ties_values(const mgc_agent *agent, const mgc__end *end, uint32_t round);
void mgc__ties_speak(const mgc_agent *agent, const mgc__end *end, int64_t *values);
void mgc__ties_listen(mgc_agent *agent);
/* eps, from exponents of the least fee [currency/kW] and the largest flow [kW]; MGC__TIES_NONE: there is none. */
double mgc__ties_weight(int fee, int flow);
enum { MGC__TIES_NONE = -5000 }; /* below every exponent of a double */

/* prove.c */
bool mgc__prove_due(const mgc_agent *agent);
bool mgc__prove_confirms(const mgc_agent *agent); /* the last round: is it proven, too? */
void mgc__prove_enter(mgc_agent *agent, bool confirm);
mgc_status mgc__prove_prepare(mgc_agent *agent); /* may solve; repeatable after a failure */
mgc_status mgc__prove_listen(mgc_agent *agent);

/* choose.c */
void mgc__choose_note(mgc_agent *agent); /* after every round of trades */
bool mgc__choose_due(const mgc_agent *agent);
void mgc__choose_enter(mgc_agent *agent);
mgc_status mgc__choose_prepare(mgc_agent *agent); /* solves; repeatable after a failure */
mgc_status mgc__choose_listen(mgc_agent *agent);

/* sum.c: n numbers, none below `least`; own ones go to sum.part before anything is said.  A message holds n + 1 values. */
void mgc__sum_begin(mgc_agent *agent, size_t n, int64_t least);
void mgc__sum_speak(const mgc_agent *agent, const mgc__end *end, int64_t *values);
bool mgc__sum_listen(mgc_agent *agent); /* true: sum.total is known, or REFUSED */

/* admm.c */
double mgc__admm_first_penalty(const mgc__terms *terms);
void mgc__admm_objective(const mgc__end *end, double *linear, double *quad);
/* The same with the first penalty, whatever the rounds made of it. */
void mgc__admm_objective_near(const mgc__end *end, double *linear, double *quad);
/* stiffer: powers of two by which the penalty rises after this round where the costs show no curvature; -1: it follows them. */
void mgc__admm_update(mgc__end *end, uint32_t round, int stiffer);
/* The means take the place of the last round's trades and prices, and those theirs: done twice, all is as it was. */
void mgc__admm_exchange_means(mgc__end *end);
void mgc__admm_exchange_prices(mgc__end *end); /* of them the prices alone */
/* Costs that are smooth wherever trades went: their penalty is one of the costs, and not of the way that the rounds took. */
bool mgc__admm_smooth(const mgc__end *end);
void mgc__admm_agree(mgc__end *end, uint32_t shrink);
enum { MGC__SHRINK_LEVELS = 7 };

/* As far as it goes without another message. */
mgc_status mgc__agent_advance(mgc_agent *agent);
/* A message of the present step, as if it had arrived. */
mgc_status mgc__agent_hear(mgc_agent *agent, mgc__end *end, const mgc__note *note);

/* checkpoint.c */
void mgc__checkpoint_note(mgc_agent *agent);
mgc_status mgc__checkpoint_replay(mgc_agent *agent, const uint8_t *bytes, size_t len); /* of an agent fresh from its making */

/* start.c */
mgc_status mgc__start_read(mgc_agent *agent, const uint8_t *bytes, size_t len);
void mgc__start_forget(mgc__end *end);
void mgc__start_head(size_t entries, mgc__buf *buf);
void mgc__start_write(const mgc_agent *agent, bool owned, mgc__buf *buf);
size_t mgc__start_count(const mgc_agent *agent, bool owned);

/* pay.c */
void mgc__pay_propose(mgc_agent *agent);
void mgc__pay_update(mgc_agent *agent);
bool mgc__pay_close(mgc_agent *agent);

#endif
