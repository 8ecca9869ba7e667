/* SPDX-License-Identifier: Apache-2.0 */
/* Private face of contract: what the files of this room share, and what node and settle use.
 *
 * From a transaction to its effects:
 *
 *   homes.c        which chain is home to which contract
 *   host.c         finds the contract, resolves signers to members, meters, undoes
 *   schema.c       one table of all methods and their fields
 *   args.c         arguments by that table: encode, decode
 *   record.c       records as arrays of integers with bytes and a name; keys
 *   index.c        which records concern whom, for queries
 *   env.c          what a running contract can see and do; bridge.c: between chains
 *   built_in.c     from a call to its rule, from a query to its answer
 *   lookup.c       the market's parameters and parties, as other contracts read them
 *   information.c, trading.c, scheduling.c, metering.c, settlement.c   the rules */
#ifndef CONTRACT_CONTRACT_H
#define CONTRACT_CONTRACT_H

#include <inttypes.h>

#include "base/base.h"
#include "codec/cbor.h"
#include "crypto/crypto.h"
#include "ledger/exec.h"
#include "ledger/tree.h"
#include "mgchain/contract.h"

/* --- methods and arguments ------------------------------------------------------------------- */

enum { FIELDS_MAX = 10, COLUMNS_MAX = 6 };

typedef struct mgc__field {
    uint32_t kind; /* MGC_FIELD_... */
    const char *name, *columns;
    int64_t lower, upper; /* of the number, or of the length */
} mgc__field;             /* its key is its place in the method, from 1 */

typedef struct mgc__method {
    uint32_t contract;
    const char *name;
    mgc__field fields[FIELDS_MAX]; /* ends with kind 0 or at FIELDS_MAX */
} mgc__method;

const mgc__method *mgc__method_find(uint32_t contract, const char *name, size_t len); /* NULL: none */
uint32_t mgc__method_fields(const mgc__method *method);
uint32_t mgc__field_columns(const mgc__field *field);

/* Arguments taken apart by their method.  Bytes and texts are borrowed from the transaction. */
typedef struct mgc__values {
    struct mgc__value {
        int64_t number;
        const uint8_t *bytes; /* bytes, text; rows: where they begin */
        size_t len;           /* rows: to the end of the arguments */
        uint64_t rows;
    } at[FIELDS_MAX];
    const char *what; /* on failure: what is wrong, */
    size_t where;     /* and at which byte */
} mgc__values;

mgc_status mgc__values_decode(const mgc__method *method, const uint8_t *bytes, size_t len, mgc__values *values);

/* Walk the rows of a field that was decoded: begin, then next until false. */
typedef struct mgc__row_reader {
    mgc__cbor_reader reader;
    uint64_t left;
    uint32_t columns;
} mgc__row_reader;
void mgc__row_begin(mgc__row_reader *r, const mgc__method *method, const mgc__values *values, uint32_t field);
bool mgc__row_next(mgc__row_reader *r, int64_t row[COLUMNS_MAX]);

/* --- chains ------------------------------------------------------------------------------------- */

enum { HOME_INFORMATION, HOME_TRADING, HOME_SCHEDULING, HOMES, HOME_OF_ALL = HOMES };

/* The states that a contract may read, by the home of their contracts; NULL: that chain has not begun. */
typedef struct mgc__homes {
    const mgc__state *state[HOMES];
    uint32_t here;   /* the chain at hand: a home, or HOME_OF_ALL */
    uint8_t chain_id[32]; /* its id */
    uint64_t height; /* of the information chain: what keys and deployments are valid by */
} mgc__homes;

const char *mgc__home_name(uint32_t home); /* the chain's name; home < HOMES */
uint32_t mgc__home_of_name(const char *chain);
uint32_t mgc__home_of(uint32_t contract);
bool mgc__at_home(const mgc__homes *homes, uint32_t contract);
const mgc__state *mgc__state_of(const mgc__homes *homes, uint32_t contract);
/* Under execution: other chains as the block pins them.  Otherwise: as they stand. */
mgc_status mgc__homes_of_exec(mgc__exec *x, mgc__homes *homes);
mgc_status mgc__homes_of_chain(mgc_chain *chain, mgc__homes *homes);

/* --- the environment -------------------------------------------------------------------------- */

typedef struct mgc__signer {
    uint32_t member; /* 0: the key is not enrolled */
    uint32_t role;
    const uint8_t *key; /* 32 bytes */
} mgc__signer;

/* --- pages of an answer (page.c) --- */

typedef struct mgc__page {
    const mgc_query *query;
    mgc_rows *rows;
    uint8_t chain_id[32];
    uint64_t limit;    /* rows; UINT64_MAX: no limit */
    const void *walk;  /* that is paged; NULL: it has not begun */
    uint8_t after[MGC_RECORD_KEY_MAX]; /* the place after which this page begins */
    size_t after_len;  /* 0: at the first */
} mgc__page;

/* MGC_E_RANGE: limit; MGC_E_CURSOR. */
mgc_status mgc__page_begin(mgc_ctx *ctx, const mgc_query *query, const uint8_t chain_id[32], mgc_rows *rows,
                           mgc__page *page);
bool mgc__page_full(const mgc__page *page);
/* Exactly len bytes from lower-case digits. */
bool mgc__from_hex(const char *text, uint8_t *bytes, size_t len);
/* There is more: the next page begins after this place. */
void mgc__page_end(const mgc__page *page, const uint8_t *place, size_t len);

struct mgc_env {
    mgc_ctx *ctx;
    mgc__homes homes;
    const mgc__state *state; /* of the contract's own chain */
    mgc__exec *exec;         /* NULL in a query: read only */
    mgc_chain *accounts;     /* in a query: the chain that holds the accounts; */
    mgc_chain *const *chains; /* all by home */
    struct mgc__indexes *indexes; /* in a query */
    mgc_chain *chain;        /* the contract's own */
    uint64_t height, time_ms;
    uint32_t contract; /* whose records these are */
    bool functional;   /* built in: may read other contracts' records and move what its rules say */
    uint32_t n_signers;
    mgc__signer signers[MGC_TX_SIGNATURES_MAX];
    mgc__page *page;       /* in a query that may be cut: its first walk is; NULL otherwise */
    bool at_gate;          /* a built-in contract closes a slot: all that it finds was let in, refusing it would stop the chain */
    uint64_t calls, bytes; /* metered */
    mgc_status broken;     /* sticky: a metering limit or an environment failure */
    char rule[MGC_RULE_MAX + 1];
};

/* Count a call and its bytes; MGC_E_CONTRACT beyond the limits. */
mgc_status mgc__env_meter(mgc_env *env, size_t bytes);
/* Has this execution used half of what it may?  Time to leave the rest to another one. */
bool mgc__env_half_spent(const mgc_env *env);
/* Remember an environment failure, so that no contract can swallow it. */
mgc_status mgc__env_keep(mgc_env *env, mgc_status status);
/* Is this a place to write from, and are the lengths allowed?  Counts the call. */
mgc_status mgc__env_writable(mgc_env *env, size_t key_len, size_t value_len);
/* Does the account, transfer or lock bear the contract's number? */
bool mgc__env_owns(const mgc_env *env, const uint8_t id[16]);
/* A host's contract debits its own accounts, or the money of a microgrid whose manager signed. */
mgc_status mgc__env_may_debit(mgc_env *env, const uint8_t account[16]);
/* Another contract's record, read only; for the functional contracts. */
mgc_status mgc__env_peek(mgc_env *env, uint32_t contract, const uint8_t *key, size_t key_len, const uint8_t **value,
                         size_t *value_len);
/* The first member that signed in a role; 0: none. */
uint32_t mgc__env_signed_as(const mgc_env *env, uint32_t role);
/* Whom the genesis of the chain names with this key: who signs its blocks; NULL: nobody. */
const mgc_member *mgc__env_validator(const mgc_env *env, const uint8_t *key);

/* --- records ------------------------------------------------------------------------------------ */

enum { KEY_BYTES = 48, RECORD_INTS = 12 };

typedef struct mgc__key {
    uint8_t bytes[KEY_BYTES];
    size_t len;
} mgc__key;

mgc__key mgc__key_of(char kind);
mgc__key mgc__key_u8(mgc__key key, uint32_t value);
mgc__key mgc__key_u32(mgc__key key, uint32_t value);
mgc__key mgc__key_u64(mgc__key key, uint64_t value);
mgc__key mgc__key_bytes(mgc__key key, const uint8_t *bytes, size_t len);
/* Numbers of a key that was read back. */
uint64_t mgc__key_read(const uint8_t *key, size_t at, size_t width);

/* Array: n integers, then bytes, then text.  A later version may append integers: they are read as 0 where absent. */
typedef struct mgc__rec {
    int64_t v[RECORD_INTS];
    uint32_t n;
    const uint8_t *data; /* borrowed from the record, or the caller's when putting; may be NULL with 0 */
    size_t data_len;
    const char *name; /* likewise */
    size_t name_len;
} mgc__rec;

mgc_status mgc__rec_decode(const uint8_t *bytes, size_t len, mgc__rec *rec);
/* MGC_E_NOT_FOUND: rec zero */
mgc_status mgc__rec_get(mgc_env *env, uint32_t contract, const mgc__key *key, mgc__rec *rec);
mgc_status mgc__rec_put(mgc_env *env, const mgc__key *key, const mgc__rec *rec);
/* In one line: put integers alone. */
mgc_status mgc__rec_put_ints(mgc_env *env, const mgc__key *key, const int64_t *v, uint32_t n);

/* Walk a contract's records whose key begins with prefix: begin, then next until false; env->broken says whether it
 * failed. */
enum { MGC__WALK_VALUES = 64 }; /* microgrids of one reader; who has more walks all records */

typedef struct mgc__walk {
    mgc__record_cursor cursor;
    uint32_t contract;
    mgc__key prefix;
    mgc__rec rec;
    const uint8_t *key; /* borrowed until the record changes */
    size_t key_len;
    const mgc__tree *index; /* NULL: all records of the prefix; else those that stand there under: */
    uint64_t values[MGC__WALK_VALUES];
    uint32_t n_values;
} mgc__walk;
void mgc__walk_begin(mgc__walk *w, uint32_t contract, const mgc__key *prefix);
bool mgc__walk_next(mgc_env *env, mgc__walk *w);

/* --- what every rule needs (lookup.c) ------------------------------------------------------------ */

/* Places of the integers in records of the information contract; doc/contracts.md. */
enum {
    MARKET_SLOT_MS,
    MARKET_GATE_MS,
    MARKET_GATE_SLOTS,
    MARKET_WINDOW_MS,
    MARKET_COLLATERAL_BP,
    MARKET_PENDING_BLOCKS,
    MARKET_FIRST_SLOT,
    MARKET_INTS
};
enum { MEMBER_ORGANISATION, MEMBER_ROLES, MEMBER_INTS }; /* data: current key; name */
enum { PUBKEY_MEMBER, PUBKEY_FROM, PUBKEY_REVOKED, PUBKEY_INTS };
enum { GRID_ORGANISATION, GRID_MANAGER, GRID_INTS }; /* a microgrid; name */
enum { LIMIT_IMPORT, LIMIT_EXPORT, LIMIT_SALE, LIMIT_INTS };
enum { LINK_FIRST, LINK_SECOND, LINK_CARRIER, LINK_CAPACITY, LINK_LOSS, LINK_FEE, LINK_INTS };
enum {
    METER_MICROGRID,
    METER_CARRIER,
    METER_LINK,
    METER_MEMBER,
    METER_FROM,
    METER_DIGITS,
    METER_MAX,
    METER_IN,
    METER_OUT,
    METER_INTS
};
/* data: hash of the code, then of the code before an upgrade; name */
enum { DEPLOY_VERSION, DEPLOY_FROM, DEPLOY_UNTIL, DEPLOY_OLD_VERSION, DEPLOY_OLD_FROM, DEPLOY_INTS };
/* ... of trading */
enum { NOMINATION_BUY, NOMINATION_SELL, NOMINATION_INTS };
enum {
    TRADE_SELLER,
    TRADE_BUYER,
    TRADE_LINK,
    TRADE_CARRIER,
    TRADE_WH,
    TRADE_DELIVERED,
    TRADE_PRICE,
    TRADE_WORTH,
    TRADE_COLLATERAL,
    TRADE_HEIGHT,
    TRADE_COLLATERAL_BUYER, /* from here on 0 in records of before */
    TRADE_INTS
};
/* data: run hash */
enum { PAYMENT_PAYER, PAYMENT_PAYEE, PAYMENT_AMOUNT, PAYMENT_FIRST, PAYMENT_HEIGHT, PAYMENT_INTS };
/* ... of scheduling */
enum {
    SCHEDULE_BUY,
    SCHEDULE_SELL,
    SCHEDULE_RECEIVED,
    SCHEDULE_SENT,
    SCHEDULE_ACKNOWLEDGED,
    SCHEDULE_FEE,
    SCHEDULE_MADE, /* so many when its gate closes */
    SCHEDULE_TAKE_LESS = SCHEDULE_MADE, /* curtailed since: 0 in records of before */
    SCHEDULE_GIVE_LESS,
    SCHEDULE_INTS
};
enum { TERMS_CAPACITY, TERMS_FEE, TERMS_INTS };
enum { READING_IN, READING_OUT, READING_QUALITY, READING_HEIGHT, READING_INTS };
/* ... of settlement */
enum { TARIFF_BUY, TARIFF_SELL, TARIFF_SHORT, TARIFF_LONG, TARIFF_EMISSION, TARIFF_INTS };
enum { SETTLED_STATE, SETTLED_TIME, SETTLED_USUAL, SETTLED_STANDING = SETTLED_USUAL, SETTLED_INTS };
enum {
    RESULT_METERED,
    RESULT_POSITION,
    RESULT_GRID,
    RESULT_IMBALANCE,
    RESULT_FEE,
    RESULT_CARBON,
    RESULT_EXPORT,
    RESULT_USUAL, /* so many where nothing was curtailed */
    RESULT_CURTAILED = RESULT_USUAL,
    RESULT_INTS
};

enum { STATE_PROVISIONAL = 1, STATE_FINAL = 2, STATE_DISPUTED = 3 };
/* Of provisional results.  Revised: found at the end of a window; nothing is read or corrected any more.  Confirmed: a dispute
 * changed nothing; there is no second one. */
enum { STANDING_OPEN, STANDING_REVISED, STANDING_CONFIRMED };

#define PRICE_MAX                                                                                                    \
    INT64_C(1000000000) /* [micro-currency/kWh] a thousand of the currency for one kWh: beyond is a
                                       * slip */

typedef struct mgc__market {
    uint64_t slot_ms, gate_ms, gate_slots, window_ms, pending_blocks, first_slot;
    uint32_t collateral_bp;
} mgc__market;

/* MGC_E_STATE, as a refusal, where the market is not founded. */
mgc_status mgc__market_get(mgc_env *env, mgc__market *market);
/* A record of the information contract by number; refuses with MGC_E_NOT_FOUND and its name. */
mgc_status mgc__party(mgc_env *env, char kind, const char *what, int64_t id, mgc__rec *rec);
/* The manager of a microgrid signed as such, or a refusal with MGC_E_MISSING_SIGNER. */
mgc_status mgc__manager_signed(mgc_env *env, int64_t microgrid, const mgc__rec *grid);
/* Somebody signed in this role, or a refusal with MGC_E_FORBIDDEN. */
mgc_status mgc__role_signed(mgc_env *env, uint32_t role, const char *name);
/* May the slot still be traded?  Refuses with MGC_E_SLOT or MGC_E_GATE_CLOSED. */
mgc_status mgc__slot_open(mgc_env *env, const mgc__market *market, int64_t slot);
/* The slot lies on the market's grid and not absurdly far ahead. */
mgc_status mgc__slot_known(mgc_env *env, const mgc__market *market, int64_t slot);
/* When the slot's gate closes: gate_ms before the first of the gate_slots slots that share it, counted from the
 * market's first. */
uint64_t mgc__gate_ms(const mgc__market *market, uint64_t slot);
/* The next slot whose gate closes on the chain of a state: its own count, record (1, "Z"). */
int64_t mgc__next_gate(const mgc__state *state, const mgc__market *market);
/* Has the slot's schedule been made? */
bool mgc__scheduled(const mgc_env *env, const mgc__market *market, int64_t slot);
void mgc__market_read(const mgc__rec *rec, mgc__market *market);
/* A link's capacity and fee in a slot: the dispatcher's terms for it, or those of its enrolment. */
mgc_status mgc__link_in_slot(mgc_env *env, int64_t id, int64_t slot, mgc__rec *link);
/* refuses where no meter is enrolled for it */
mgc_status mgc__metered(mgc_env *env, int64_t microgrid, int64_t carrier);
const char *mgc__carrier_name(int64_t carrier);

/* --- what one side of an order must be allowed (order.c), for agreements and auctions ---------------- */

typedef struct mgc__order {
    int64_t microgrid, carrier, slot, wh, worth;
    bool sells;
    uint32_t collateral_bp; /* filled: the side's rate */
    int64_t exposed;        /* filled: what it adds to the exposure; 0 where it closes */
} mgc__order;

/* Not frozen, no debt, credit at or above the threshold or closing, exposure within the limit, not too many orders.
 * Counts the order in the exposure, the sums of what was sold and bought, and the number of orders. */
mgc_status mgc__order_admit(mgc_env *env, const mgc__market *market, mgc__order *order);
/* One more order of a microgrid in a slot, or MGC_E_RATE; admitting does it too. */
mgc_status mgc__order_count(mgc_env *env, int64_t slot, int64_t microgrid);
/* Take back what admitting counted, in whole or in part; the number of orders stays. */
mgc_status mgc__order_release(mgc_env *env, const mgc__order *order, int64_t wh, int64_t exposed_less);

/* --- accounts and transfers of the functional contracts ------------------------------------------ */

/* Kinds of transfers (their `code`). */
enum {
    CODE_DEPOSIT = 1,
    CODE_WITHDRAW = 2,
    CODE_DEBT = 3,
    CODE_TRADE = 10,
    CODE_COLLATERAL = 11,
    CODE_DELIVERY = 12,
    CODE_LOSS = 13,
    CODE_PAYMENT = 14,
    CODE_GRID_BUY = 20,
    CODE_GRID_SELL = 21,
    CODE_IMBALANCE = 22,
    CODE_FEE = 23,
    CODE_CARBON = 24,
    CODE_GRID_ENERGY = 25,
    CODE_BID_DEPOSIT = 26,
    CODE_BID_ESCROW = 27,
    CODE_CALL_FEE = 28,
    CODE_CURTAILED = 29
};
/* Parts of a transfer's id, so that each thing that moves has its own: contract, number, part. */
enum {
    PART_TRADE = 1,
    PART_COLLATERAL_SELLER,
    PART_COLLATERAL_BUYER,
    PART_DELIVERY,
    PART_LOSS,
    PART_DEPOSIT = 32,
    PART_DEPOSIT_DEBT,
    PART_WITHDRAW,
    PART_PAYMENT = 48,
    PART_BID_DEPOSIT,
    PART_BID_ESCROW,
    PART_SECOND_PHASE = 64, /* added to the part of the pending one */
    PART_DUE = 128          /* added where a charge goes to the debt */
};

void mgc__transfer_id(uint32_t contract, uint64_t number, uint32_t part, uint8_t id[16]);

typedef struct mgc__move {
    uint32_t code, unit, flags;
    uint64_t number; /* with part: what the transfer's id is made of */
    uint32_t part;
    uint64_t amount, timeout;
    uint32_t from_kind, from, to_kind, to; /* accounts: kind, microgrid */
} mgc__move;

/* Nothing for an amount of 0. */
mgc_status mgc__move_make(mgc_env *env, const mgc__move *move);
/* Second phase of a pending transfer of trading (contract, number, part). */
/* state 0: none */
mgc_status mgc__pending_state(mgc_env *env, uint64_t number, uint32_t part, uint32_t *state, uint64_t *amount);
mgc_status mgc__pending_end(mgc_env *env, uint64_t number, uint32_t part, uint32_t code, uint32_t flag);
/* Take an amount from a microgrid's money; what is not there becomes its debt. */
mgc_status mgc__charge(mgc_env *env, const mgc__move *move);
/* What a microgrid owes. */
mgc_status mgc__debt(mgc_env *env, int64_t microgrid, uint64_t *debt);
mgc_status mgc__no_debt(mgc_env *env, int64_t microgrid); /* or a refusal with MGC_E_EXCEEDS_CREDIT */
mgc_status mgc__open_accounts(mgc_env *env, uint32_t microgrid);

/* --- contracts ------------------------------------------------------------------------------------ */

typedef struct mgc__contracts mgc__contracts;

mgc_status mgc__contracts_create(mgc_ctx *ctx, mgc__contracts **out);
void mgc__contracts_destroy(mgc__contracts *contracts);
mgc_status mgc__contracts_add(mgc__contracts *contracts, const mgc_contract *contract, void *user);
/* Set the chain's executor.  contracts is borrowed until the chain goes. */
void mgc__contracts_attach(mgc__contracts *contracts, mgc_chain *chain);
/* Is the code of every contract that is active in the chain's next block here?  MGC_E_UNSUPPORTED names the first that
 * is not. */
mgc_status mgc__contracts_ready(const mgc__contracts *contracts, mgc_chain *chain);
/* When the next gate of a chain closes, for whoever decides when to build a block; false: there is no market yet. */
bool mgc__contracts_next_gate(mgc_chain *chain, uint64_t *time_ms);
/* Ask all contracts, each on its home chain.  MGC_E_NOT_FOUND where none knows `what`. */
mgc_status mgc__contracts_query(mgc__contracts *contracts, mgc_chain *const chains[HOMES], uint32_t caller,
                                const char *what, const char *arguments, mgc_rows *rows);
/* Does one of the caller's roles see what belongs to others, asked so? */
bool mgc__contracts_sees_all(mgc_chain *information, uint32_t caller, const char *what);
/* The same of roles, a bit for each. */
bool mgc__roles_see_all(uint32_t roles, const char *what);
/* Roles of a member, a bit for each MGC_ROLE_...; 0: unknown. */
uint32_t mgc__contracts_roles(mgc_chain *information, uint32_t member);
/* Whose key this is or was; 0: nobody's. */
uint32_t mgc__contracts_member(mgc_chain *information, const uint8_t public_key[32]);
const char *mgc__contracts_name(const mgc__contracts *contracts, uint32_t id); /* "?" where unknown */
/* Of the contracts of a name; how many. */
size_t mgc__contracts_numbers(const mgc__contracts *contracts, const char *name, uint32_t numbers[MGC_CONTRACTS_MAX]);
/* The keys that a member has or had; keys: the caller's to free, NULL for none. */
mgc_status mgc__contracts_keys(mgc__contracts *contracts, mgc_chain *const chains[HOMES], uint32_t member,
                               uint8_t (**keys)[32], size_t *n);

/* --- queries ---------------------------------------------------------------------------------------- */

mgc_status mgc__rows_create(mgc_ctx *ctx, mgc_rows **out);
void mgc__rows_set_cursor(mgc_rows *rows, const char *cursor);
/* Reset the row at hand of mgc_rows_next(). */
void mgc__rows_rewind(mgc_rows *rows);
/* Is there such a key among the arguments? */
bool mgc__query_has(const mgc_query *query, const char *key);
/* Is every key of the arguments, beside "limit" and "cursor", one of these, with | between?  Names the stranger. */
mgc_status mgc__query_keys(mgc_ctx *ctx, const mgc_query *query, const char *keys);
/* A filter on microgrids: of the arguments ("microgrid=name or number") and of what the caller may see. */
typedef struct mgc__filter {
    const mgc_query *query;
    uint32_t microgrid; /* 0: all; UINT32_MAX: one that does not exist */
    uint64_t slot;      /* UINT64_MAX: all */
    uint64_t carrier;   /* 0: all */
    uint64_t number;    /* UINT64_MAX: all */
} mgc__filter;
mgc_status mgc__filter_read(mgc_env *env, const mgc_query *query, mgc__filter *filter);
/* other 0: none; carrier 0: it is no matter of one */
bool mgc__filter_passes(mgc_env *env, const mgc__filter *filter, int64_t microgrid, int64_t other, int64_t carrier);
bool mgc__filter_carrier(const mgc__filter *filter, int64_t carrier);
/* A number among the arguments, UINT64_MAX where the key is not there; MGC_E_INVALID_ARG where it is none. */
mgc_status mgc__query_number(mgc_env *env, const mgc_query *query, const char *key, uint64_t *number);
/* Is it a microgrid of the caller's: its manager's, or of the organisation whose user he is? */
bool mgc__reads_for(mgc_env *env, uint32_t caller, int64_t microgrid);
/* Where to walk records whose keys begin with their kind and slot: those of the filter's slot, or all. */
mgc__key mgc__slot_prefix(char kind, const mgc__filter *filter);

/* --- indexes of records and accounts (index.c) --- */

typedef struct mgc__indexes mgc__indexes;

enum { MGC__BY_MICROGRID, MGC__BY_BOTH /* and carrier */, MGC__BY_OWN_NUMBER /* microgrid and number */, MGC__BY_CARRIER,
       MGC__BY_SLOT, MGC__BY_NUMBER };

mgc_status mgc__indexes_create(mgc_ctx *ctx, mgc__indexes **out);
void mgc__indexes_clear(mgc__indexes *indexes); /* the chains are opened anew */
void mgc__indexes_destroy(mgc__indexes *indexes);
/* As mgc__walk_begin() in a query, but where the filter allows it over an index: records that pass the filter and some
 * that do not, in the order of their keys. */
void mgc__walk_of(mgc_env *env, mgc__walk *w, const mgc__key *prefix, const mgc__filter *filter);
/* Up to the head.  letter: the first byte of the records' keys; contract 0: accounts by their microgrids. */
mgc_status mgc__index_get(mgc_env *env, uint32_t contract, char letter, uint32_t by, const mgc__tree **tree);
/* The next entry under any of these values whose record's key, behind the first eight bytes, is greater. */
const mgc__item *mgc__index_next(const mgc__tree *index, const uint64_t *values, uint32_t n, const uint8_t *after, size_t len);
uint64_t mgc__index_value(uint32_t by, uint64_t microgrid, uint64_t other);
/* The microgrids whose rows may pass the filter, as values; false: all, or too many. */
bool mgc__whose(mgc_env *env, const mgc__filter *filter, mgc__walk *w);

/* Cells: the microgrid's name, or its number where it has none. */
mgc_status mgc__rows_put_microgrid(mgc_env *env, mgc_rows *rows, int64_t microgrid);
mgc_status mgc__rows_put_ints(mgc_rows *rows, const int64_t *values, uint32_t n);

/* --- the built-in contracts ------------------------------------------------------------------------- */

/* A handler of a method: arguments decoded, signers resolved. */
typedef mgc_status (*mgc__handler)(mgc_env *env, const mgc__method *method, const mgc__values *values);
typedef struct mgc__rule {
    const char *method;
    mgc__handler handle;
} mgc__rule;
/* What a contract answers to a query, and the keys that the query's arguments may have, with | between. */
typedef struct mgc__answer {
    const char *what, *keys;
    mgc_status (*put)(mgc_env *env, const mgc__filter *filter, mgc_rows *rows);
} mgc__answer;

typedef struct mgc__built_in {
    uint32_t id, code_version;
    const char *name;
    const mgc__rule *rules; /* one for each of its methods in schema.c */
    const mgc__answer *answers;
    size_t n_rules, n_answers;
    int32_t (*on_slot)(void *user, mgc_env *env, uint64_t slot); /* NULL: gates are none of its business */
} mgc__built_in;

/* --- books.c: what information answers about accounts ------------------------------------------------- */

mgc_status mgc__query_accounts(mgc_env *env, const mgc__filter *filter, mgc_rows *rows);
mgc_status mgc__query_transfers(mgc_env *env, const mgc__filter *filter, mgc_rows *rows);
mgc_status mgc__query_history(mgc_env *env, const mgc__filter *filter, mgc_rows *rows);

/* --- totals.c: what everybody may know ------------------------------------------------------------------ */

enum { MGC__CROWD = 3 }; /* organisations: of fewer a total tells too much */

/* Different organisations, counted no further than that. */
typedef struct mgc__crowd {
    int64_t organisation[MGC__CROWD];
    uint32_t n;
} mgc__crowd;
mgc_status mgc__crowd_add(mgc_env *env, mgc__crowd *crowd, int64_t microgrid);
mgc_status mgc__query_totals(mgc_env *env, const mgc__filter *filter, mgc_rows *rows);

/* --- metering.c: readings, as scheduling's rules and for settlement ----------------------------------- */

mgc_status mgc__meter_read(mgc_env *env, const mgc__method *method, const mgc__values *values);
mgc_status mgc__meter_correct(mgc_env *env, const mgc__method *method, const mgc__values *values);
mgc_status mgc__query_readings(mgc_env *env, const mgc__filter *filter, mgc_rows *rows);
/* What a meter's device is, or was, in a slot: v as METER_...; before the first one that one, whose METER_FROM is later.
 * until: the first slot of the next device, INT64_MAX where there is none; may be NULL. */
mgc_status mgc__meter_in(mgc_env *env, int64_t id, int64_t slot, mgc__rec *meter, int64_t *until);
/* Registers of a device at the end of a slot; those that it came with at the end of the one before its first.
 * MGC_E_NOT_FOUND: not read yet. */
mgc_status mgc__registers_at(mgc_env *env, int64_t id, const mgc__rec *meter, int64_t slot, int64_t registers[2]);
/* From one register value to a later one; a register that passes its last digit begins at 0 again.  Only a step that
 * the meter can make in a slot counts as that. */
mgc_status mgc__register_step(mgc_env *env, int64_t id, const mgc__rec *meter, int64_t slot, int64_t before,
                              int64_t after, int64_t *moved);

extern const mgc__built_in mgc__information, mgc__trading, mgc__scheduling, mgc__settlement;
extern const mgc__built_in mgc__supervision, mgc__credit;

/* Hash of a built-in contract's version and of its methods with their fields, as schema.c has them. */
void mgc__code_hash(uint32_t contract, uint32_t code_version, const char *name, uint8_t hash[32]);
/* As a contract like a host's.  The user of its calls is built_in itself. */
mgc_contract mgc__built_in_contract(const mgc__built_in *built_in);

#endif
