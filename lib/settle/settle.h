/* SPDX-License-Identifier: Apache-2.0 */
/* Private face of settle: a day in whole numbers, and the transactions made of it.
 *
 *   round.c    doubles become whole numbers; nothing after it sees a double of the day
 *   day.c      a day: what is taken over from the model
 *   gather.c   the bargain and the realised day, by handle or by arrays
 *   phase.c    each phase as drafts of transactions
 *   hand.c     drafts signed and handed out in order
 *   expect.c   what the ledger must show, from the same whole numbers by other code */
#ifndef SETTLE_SETTLE_H
#define SETTLE_SETTLE_H

#include <inttypes.h>

#include "base/base.h"
#include "codec/cbor.h"
#include "contract/contract.h"
#include "mgchain/settle.h"

enum { CARRIERS = 3, DIRECTIONS = 2 };

#define WH_MAX ((double)(UINT64_C(1) << 53)) /* beyond, a double is no longer a whole number of Wh */
#define PRICE_LIMIT 1000.0                   /* [currency/kWh] what a contract takes */

/* [micro-currency/kWh] and [mg/kWh] of one carrier in one period: a row of the tariff. */
typedef struct tariff {
    int64_t buy, sell, shortage, surplus, emission;
} tariff;

typedef struct meter {
    uint32_t microgrid, carrier;
    uint32_t link;      /* index + 1; 0: the connection to the grid */
    uint32_t direction; /* of the link, away from this microgrid */
    uint64_t in, out;   /* registers at the begin of the day */
} meter;

typedef struct microgrid {
    char *name;
    uint64_t limits[2][3];        /* [Wh] electricity, heat: import, export, sale */
    tariff *tariffs[CARRIERS];    /* [periods] */
    uint64_t *buy[2], *sell[2];   /* [Wh] nominated */
    double *net_kw[2];            /* nominated, as planned: deviations are taken from it before they are
                                         * rounded */
    int64_t *deviation[CARRIERS]; /* [Wh] at the connection: metered less nominated; of gas: metered */
    char **gas_devices;           /* ids of those that burn gas */
    uint32_t n_gas;
    bool grid_set[2], metered_set[CARRIERS], connected[CARRIERS]; /* connected: it has a meter for the carrier */
} microgrid;

typedef struct line {
    uint32_t first, second, carrier, loss_ppm;
    double pool_loss;                /* of a connection with the pool, whose contracts are for what arrives */
    uint64_t *capacity;              /* [Wh] of each period */
    int64_t *fee;                    /* [micro-currency/kWh] of each period */
    uint64_t *sent[DIRECTIONS];      /* [Wh] agreed */
    int64_t *price[DIRECTIONS];      /* [micro-currency/kWh] */
    uint64_t *delivered[DIRECTIONS]; /* [Wh] sent as metered; NULL: as agreed */
    bool set[DIRECTIONS];
} line;

typedef struct payment {
    uint32_t first, second;
    int64_t micro; /* first pays second over the day, all in all */
} payment;

/* Nonces of all senders, shared by days that follow each other. */
typedef struct nonces {
    uint32_t uses;
    struct nonce {
        uint32_t member, contract;
        uint64_t next;
    } * list;
    size_t n, cap;
} nonces;

/* A transaction before it is signed. */
typedef struct draft {
    uint32_t phase, contract;
    const char *method; /* static */
    mgc_args *args;
    uint64_t due_ms;
    struct {
        uint32_t member, role;
    } signers[2];
    uint32_t n_signers; /* the first one sends */
} draft;

struct mgc_day {
    uint32_t uses; /* the caller's, and that of the day after while this one has something left */
    mgc_ctx *ctx;
    mgc_day_opts opts;
    struct {
        uint8_t id[32];
        uint64_t height;
    } chains[HOMES];
    uint8_t inputs_hash[32], record_hash[32];
    char *name, *currency;
    uint32_t periods;
    double hours;
    uint64_t slot_ms, first_slot;
    uint32_t n, links; /* n: the pool among them */
    bool pool;         /* the last of the microgrids is the pool: everyone's counterparty, with no grid and no devices */
    microgrid *microgrids;
    line *lines;
    meter *meters;
    uint32_t n_meters;
    payment *payments;
    size_t n_payments, payments_cap;
    bool bargained, realised;
    int64_t *deposit; /* [microgrids] micro-currency */

    nonces *numbers;
    bool continues;    /* there was a day before: nothing is founded again */
    mgc_day *previous; /* while it still has something to hand out */
    draft *drafts;     /* of the phase at hand */
    size_t n_drafts, drafts_cap, next_draft;
    uint32_t phase;     /* of the drafts; 0: none made yet */
    uint64_t due_ms;    /* of the last one handed out */
    uint8_t *tx, *body; /* MGC_TX_BYTES_MAX each */
};

/* --- round.c ------------------------------------------------------------------------------------ */

/* To the nearest, halves away from zero; false beyond 2^53. */
bool mgc__whole(double x, int64_t *whole);
/* exact (overwritten) to whole numbers whose sum is the whole sum to the nearest; what names them in the error
 * text. */
mgc_status mgc__round_all(mgc_ctx *ctx, double *exact, size_t n, const char *what, int64_t *whole);

/* --- phase.c ------------------------------------------------------------------------------------- */

/* Fill drafts with those of a phase. */
mgc_status mgc__day_draft(mgc_day *day, uint32_t phase);
void mgc__day_drop_drafts(mgc_day *day);
/* Hash of the bargain in whole numbers; bytes are the canonical encoding that was hashed, to be freed by the caller's
 * buffer. */
mgc_status mgc__day_bargain(const mgc_day *day, mgc__buf *bytes, uint8_t hash[32]);

/* --- arithmetic shared by phases and expectations ----------------------------------------------- */

/* What first pays second beside the trades: payment less worth of energy that flows from second to first and back; to the
 * pool, its ends' halves of the fees too. */
mgc_status mgc__day_transfer(const mgc_day *day, const payment *p, int64_t *micro);
uint64_t mgc__day_arrived(const line *l, uint64_t sent); /* what is left at the other end */
/* [Wh] sent over a line as its meter at the sending end reads it. */
uint64_t mgc__day_metered(const line *l, uint32_t direction, uint32_t period);
/* What a meter's registers move by in a period. */
void mgc__day_moved(const mgc_day *day, const meter *m, uint32_t period, uint64_t *in, uint64_t *out);
uint32_t mgc__day_meter_number(const mgc_day *day, const meter *m);

#endif
