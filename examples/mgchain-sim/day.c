/* SPDX-License-Identifier: Apache-2.0 */
#include "day.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NODE_MEMBER = 1, NODE_KEYS = 1000000 /* beyond all members of a market */ };

/* A key of the simulation: everyone who knows the seed knows it.  Real members bring their own. */
static mgc_status key_from_seed(book *b, uint32_t member, mgc_key **out)
{
    char text[80];
    uint8_t seed[32];

    int len = snprintf(text, sizeof text, "mgchain-sim key, seed %llu, member %u", (unsigned long long)b->s->seed, member);
    mgc_status st = mgc_sha256((const uint8_t *)text, (size_t)len, seed);
    return st == MGC_OK ? mgc_key_from_seed(b->s->ctx, seed, out) : st;
}

static const mgc_key *key_of(void *user, uint32_t member)
{
    book *b = user;

    if (member == MGC_DAY_VALIDATOR) return b->node_key;
    for (size_t i = 0; i < b->n_keys; i++)
        if (b->keys[i].member == member) return b->keys[i].key;
    if (b->n_keys == KEYS_MAX || key_from_seed(b, member, &b->keys[b->n_keys].key) != MGC_OK) return NULL;
    b->keys[b->n_keys].member = member;
    return b->keys[b->n_keys++].key;
}

const mgc_key *book_key(book *b, uint32_t member)
{
    return key_of(b, member);
}

uint32_t book_member(book *b, const uint8_t public_key[32])
{
    uint8_t own[32];

    if (mgc_key_public(b->node_key, own) == MGC_OK && memcmp(own, public_key, 32) == 0) return MGC_DAY_VALIDATOR;
    for (size_t i = 0; i < b->n_keys; i++)
        if (mgc_key_public(b->keys[i].key, own) == MGC_OK && memcmp(own, public_key, 32) == 0) return b->keys[i].member;
    return 0;
}

mgc_status book_node_key(book *b, uint32_t id, mgc_key **out)
{
    return key_from_seed(b, id == NODE_MEMBER ? 0 : NODE_KEYS + id, out);
}

mgc_status book_flush(book *b)
{
    return b->peers.n > 0 ? peers_settle(b) : mgc_node_flush(b->node, b->now_ms);
}

mgc_status book_step(book *b)
{
    return b->peers.n > 0 ? peers_settle(b) : mgc_node_step(b->node, b->now_ms, NULL);
}

static mgc_status open_alone(book *b, uint64_t genesis_ms)
{
    mgc_node_opts opts;

    mgc_status st = mgc_storage_files(b->s->ctx, b->folder, 1, &b->storage, &b->storage_user);
    if (st != MGC_OK) return st;
    mgc_node_opts_init(&opts, sizeof opts);
    opts.id = NODE_MEMBER;
    opts.key = b->node_key;
    opts.genesis_time_ms = genesis_ms;
    opts.chain = NULL; /* information, trading and scheduling */
    st = mgc_node_create(b->s->ctx, &opts, &b->node);
    if (st == MGC_OK) st = mgc_node_set_storage(b->node, &b->storage, b->storage_user);
    return st == MGC_OK ? mgc_node_start(b->node) : st;
}

mgc_status book_open(book *b, sim *s, const char *folder, uint64_t genesis_ms)
{
    memset(b, 0, sizeof *b);
    b->s = s;
    b->incident.asked = s->incidents;
    b->now_ms = genesis_ms + 1000;
    snprintf(b->folder, sizeof b->folder, "%s", folder);
    mgc_status st = key_from_seed(b, 0, &b->node_key);
    if (st != MGC_OK) return st;
    if (s->members == 1) return open_alone(b, genesis_ms);
    st = peers_open(b, s->members, genesis_ms);
    b->node = b->peers.list[0].node;
    b->storage = b->peers.list[0].storage;
    b->storage_user = b->peers.list[0].storage_user;
    return st;
}

void book_close(book *b)
{
    mgc_day_destroy(b->previous);
    b->previous = NULL;
    if (b->peers.n == 0) {
        mgc_node_destroy(b->node);
        mgc_storage_files_destroy(b->storage_user);
    }
    peers_close(b);
    b->node = NULL;
    b->storage_user = NULL;
    for (size_t i = 0; i < b->n_keys; i++) mgc_key_destroy(b->keys[i].key);
    b->n_keys = 0;
    mgc_key_destroy(b->node_key);
    b->node_key = NULL;
}

/* Why a transaction that the day was built of did not go through: kept for the self-check. */
void book_note_refusal(book *b, uint64_t ticket, const char *method)
{
    mgc_ticket_info info = {.struct_size = sizeof info};

    if (mgc_ticket_state(b->node, ticket, &info) != MGC_OK || info.state == MGC_TICKET_COMMITTED) return;
    if (b->refused++ == 0)
        snprintf(b->first_refusal, sizeof b->first_refusal, "%s: %s (%s)", method,
                 info.state == MGC_TICKET_OPEN ? "never came into a block" : info.rule, mgc_status_name(info.status));
}

enum { BATCH_MAX = 4096 };

typedef struct batch {
    uint64_t ticket[BATCH_MAX];
    const char *method[BATCH_MAX]; /* static texts */
    size_t n;
} batch;

/* The round of blocks, and what became of the batch. */
static mgc_status flush(book *b, batch *in)
{
    mgc_status st = book_flush(b);

    for (size_t i = 0; st == MGC_OK && i < in->n; i++) book_note_refusal(b, in->ticket[i], in->method[i]);
    in->n = 0;
    return st;
}

static void show_progress(book *b, uint32_t phase)
{
    char text[48];

    if (b->submitted % 16 != 0) return;
    snprintf(text, sizeof text, "%llu transactions", (unsigned long long)b->submitted);
    phase_step(b->s, (double)phase / MGC_DAY_END, text);
}

/* Hand in the day transaction by transaction; a round of blocks closes whenever time moves on or a phase ends, for what
 * follows may stand on another chain and read what this phase wrote. */
static mgc_status hand_in(book *b, mgc_day *day, uint32_t until, batch *in)
{
    const uint8_t *bytes;
    uint32_t phase = 0;
    size_t len;

    for (;;) {
        mgc_day_tx tx = {.struct_size = sizeof tx};
        mgc_status st = mgc_day_next(day, until, &tx);
        bool none = st == MGC_E_NOT_FOUND;
        if (st != MGC_OK && !none) return st;
        st = MGC_OK;
        if (none || tx.due_ms > b->now_ms || tx.phase != phase || in->n == BATCH_MAX) st = in->n > 0 || none ? flush(b, in) : MGC_OK;
        if (st == MGC_OK && (none || tx.phase != phase)) st = incident_after(b, phase);
        if (st != MGC_OK || none) return st;
        if (tx.due_ms > b->now_ms) {
            b->now_ms = tx.due_ms;
            st = book_step(b);
        }
        phase = tx.phase;
        if (st == MGC_OK) st = incident_alter(b, day, &tx, &bytes, &len);
        if (st == MGC_OK) st = mgc_node_submit(b->node, bytes, len, &in->ticket[in->n]);
        if (st != MGC_OK) return st;
        in->method[in->n++] = tx.method;
        b->submitted++;
        show_progress(b, tx.phase);
        if (mgc_ctx_cancelled(b->s->ctx)) return flush(b, in) == MGC_OK ? MGC_E_STOPPED : MGC_E_IO;
    }
}

/* Without history the day is a scenario, drawn by the seed: its recourse is the day as it was. */
static mgc_status meter_scenario(book *b, mgc_day *day, const mgc_case *kase, const mgc_alliance *alliance)
{
    const mgc_plan *plan;
    const mgc_model *model = mgc_case_model(kase);
    uint32_t n = mgc_model_periods(model);
    double *net = calloc(2 * (size_t)n, sizeof *net), *one = net != NULL ? net + n : NULL;

    mgc_status st = net == NULL ? MGC_E_NO_MEMORY : mgc_alliance_get_plan(alliance, MGC_DISPATCH_ALLIANCE, &plan);
    for (uint32_t i = 0; st == MGC_OK && i < mgc_model_microgrids(model); i++) {
        static const struct { const char *quantity; double sign; } flows[] = {
            {"buy_kw", 1}, {"sell_kw", -1}, {"realtime_buy_kw", 1}, {"realtime_sell_kw", -1}};
        const char *id = mgc_model_microgrid_id(model, i);
        const mgc_microgrid *site = mgc_model_microgrid(model, id);
        uint32_t scenario = (uint32_t)(b->s->seed % mgc_microgrid_scenarios(site));
        memset(net, 0, n * sizeof *net);
        for (size_t f = 0; f < 4 && st == MGC_OK; f++) {
            st = mgc_plan_get_series(plan, id, "", flows[f].quantity, scenario, one, n);
            for (uint32_t t = 0; st == MGC_OK && t < n; t++) net[t] += flows[f].sign * one[t];
        }
        if (st == MGC_OK) st = mgc_day_set_metered(day, i, MGC_CARRIER_ELECTRICITY, net);
        if (st == MGC_OK) st = mgc_plan_get_series(plan, id, "", "heat_buy_kw", scenario, one, n);
        if (st == MGC_OK) st = mgc_day_set_metered(day, i, MGC_CARRIER_HEAT, one);
        memset(net, 0, n * sizeof *net);
        for (uint32_t d = 0; st == MGC_OK && d < mgc_microgrid_devices(site); d++) {
            if (mgc_plan_get_series(plan, id, mgc_microgrid_device_id(site, d), "gas_kw", scenario, one, n) != MGC_OK) continue;
            for (uint32_t t = 0; t < n; t++) net[t] += one[t];
        }
        if (st == MGC_OK) st = mgc_day_set_metered(day, i, MGC_CARRIER_GAS, net);
    }
    free(net);
    return st;
}

/* The chains as a day's transactions name them; ids are copied to where they stay. */
static mgc_status name_chains(book *b, mgc_day_opts *opts, uint8_t ids[3][32])
{
    static const uint32_t contracts[3] = {MGC_CONTRACT_INFORMATION, MGC_CONTRACT_TRADING, MGC_CONTRACT_SCHEDULING};
    mgc_day_chain *const chains[3] = {&opts->information, &opts->trading, &opts->scheduling};

    for (int i = 0; i < 3; i++) {
        mgc_chain_info info = {.struct_size = sizeof info};
        mgc_status st = mgc_chain_get_info(mgc_node_chain(b->node, contracts[i]), &info);
        if (st != MGC_OK) return st;
        memcpy(ids[i], info.chain_id, 32);
        *chains[i] = (mgc_day_chain){ids[i], info.height};
    }
    return MGC_OK;
}

mgc_status book_record(book *b, const mgc_case *kase, const mgc_alliance *alliance, mgc_record **out)
{
    const mgc_model *model = mgc_case_model(kase);
    mgc_case_info info = {.struct_size = sizeof info};

    *out = NULL;
    mgc_status st = mgc_case_get_info(kase, &info);
    if (st == MGC_OK) st = mgc_record_from_alliance(alliance, info.start_ms / 86400000, out);
    for (uint32_t i = 0; st == MGC_OK && i < mgc_model_microgrids(model); i++) {
        const mgc_key *key = key_of(b, MGC_DAY_MANAGER + i + 1);
        st = key == NULL ? MGC_E_NO_MEMORY : mgc_record_sign(*out, mgc_model_microgrid_id(model, i), key);
    }
    return st;
}

/* Do all transfers of the bargain name this hash? */
static bool named_by_payments(book *b, const uint8_t hash[32], uint64_t first_slot)
{
    char hex[65];
    mgc_rows *rows = NULL;
    const mgc_row *row;
    bool same = mgc_node_query(b->node, MGC_DAY_REGULATOR, "payments", NULL, &rows) == MGC_OK;

    for (size_t i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    while (same && mgc_rows_next(rows, &row) == MGC_ROW)
        if ((uint64_t)mgc_row_int(row, "first_slot") == first_slot) same = strcmp(mgc_row_text(row, "run_hash"), hex) == 0;
    mgc_rows_destroy(rows);
    return same;
}

void book_check_record(book *b, checks *c, const mgc_case *kase, const mgc_alliance *alliance)
{
    const mgc_model *model = mgc_case_model(kase);
    mgc_case_info info = {.struct_size = sizeof info};
    mgc_record_report report = {.struct_size = sizeof report};
    mgc_record *record = NULL;
    uint32_t n = mgc_model_microgrids(model);
    uint8_t hash[32], (*publics)[32] = calloc(n, 32);
    const uint8_t **keys = calloc(n, sizeof *keys);
    const char **ids = calloc(n, sizeof *ids);

    mgc_status st = publics == NULL || keys == NULL || ids == NULL ? MGC_E_NO_MEMORY : book_record(b, kase, alliance, &record);
    for (uint32_t i = 0; st == MGC_OK && i < n; i++) {
        ids[i] = mgc_model_microgrid_id(model, i);
        keys[i] = publics[i];
        st = mgc_key_public(key_of(b, MGC_DAY_MANAGER + i + 1), publics[i]);
    }
    if (st == MGC_OK) st = mgc_case_get_info(kase, &info);
    if (st == MGC_OK) st = mgc_record_verify(record, ids, keys, n, -1, &report);
    if (st == MGC_OK) st = mgc_record_hash(record, hash);
    bool named = st == MGC_OK && named_by_payments(b, hash, info.start_ms / (info.period_minutes * UINT64_C(60000)));
    check_add(c, "agreement signed by all", st == MGC_OK && report.ok == 1 && named, "%u of %u signatures; %s", report.signatures, n,
              st != MGC_OK ? mgc_status_name(st) : report.ok != 1 ? report.reason : named ? "the ledger names its hash" : "the ledger names another hash");
    mgc_record_destroy(record);
    free(publics);
    free((void *)(uintptr_t)keys);
    free((void *)(uintptr_t)ids);
}

mgc_status book_day(book *b, const mgc_case *kase, const mgc_alliance *alliance, const mgc_plan *realised, uint32_t until)
{
    mgc_day_opts opts;
    mgc_day *day = NULL;
    mgc_case_info info = {.struct_size = sizeof info};
    mgc_record *record = NULL;
    uint8_t ids[3][32], hash[32];
    batch *in = calloc(1, sizeof *in);

    if (in == NULL) return MGC_E_NO_MEMORY;
    mgc_status st = mgc_case_get_info(kase, &info);
    mgc_day_opts_init(&opts, sizeof opts);
    if (st == MGC_OK) st = name_chains(b, &opts, ids);
    if (st == MGC_OK) st = book_record(b, kase, alliance, &record);
    if (st == MGC_OK) st = mgc_record_hash(record, hash);
    mgc_record_destroy(record);
    if (st == MGC_OK) {
        opts.record_hash = hash;
        opts.start_ms = info.start_ms;
        opts.key = key_of;
        opts.user = b;
        opts.previous = b->previous;
        opts.name = info.name;
        opts.currency = info.currency;
        st = mgc_day_create(b->s->ctx, mgc_case_model(kase), &opts, &day);
    }
    b->members = mgc_model_microgrids(mgc_case_model(kase));
    b->first_slot = info.start_ms / (info.period_minutes * UINT64_C(60000));
    b->last_day = until == MGC_DAY_END;
    if (st == MGC_OK) st = mgc_day_set_alliance(day, alliance);
    if (st == MGC_OK) st = realised != NULL ? mgc_day_set_realised(day, realised) : meter_scenario(b, day, kase, alliance);
    if (st == MGC_OK) st = hand_in(b, day, until, in);
    if (st == MGC_OK && until == MGC_DAY_END) st = book_end(b, b->first_slot + info.periods - 1);
    free(in);
    if (st != MGC_OK) {
        mgc_day_destroy(day);
        return st;
    }
    mgc_day_destroy(b->previous);
    b->previous = day;
    return MGC_OK;
}

/* --- checks ---------------------------------------------------------------------------------------- */

/* Rows of a table, as the regulator sees it; SIZE_MAX: the ledger did not answer. */
static size_t rows_of(book *b, const char *what)
{
    mgc_rows *rows = NULL;
    const mgc_row *row;
    size_t n = 0;

    if (mgc_node_query(b->node, MGC_DAY_REGULATOR, what, NULL, &rows) != MGC_OK) return SIZE_MAX;
    while (mgc_rows_next(rows, &row) == MGC_ROW) n++;
    mgc_rows_destroy(rows);
    return n;
}

/* Sum of debits less credits over all accounts of a unit must be zero; no account keeps anything pending.  There is no account
 * where nobody ever had anything to pay. */
static void check_accounts(book *b, checks *c, bool ended)
{
    mgc_rows *rows = NULL;
    const mgc_row *row;
    int64_t debits = 0, credits = 0, pending = 0;
    size_t accounts = 0;

    if (mgc_node_query(b->node, MGC_DAY_REGULATOR, "accounts", NULL, &rows) != MGC_OK) {
        check_add(c, "accounts balance", false, "the ledger did not answer");
        return;
    }
    while (mgc_rows_next(rows, &row) == MGC_ROW) {
        debits += mgc_row_int(row, "debits_posted");
        credits += mgc_row_int(row, "credits_posted");
        pending += mgc_row_int(row, "debits_pending");
        accounts++;
    }
    mgc_rows_destroy(rows);
    bool complete = accounts > 0 || (rows_of(b, "payments") == 0 && rows_of(b, "trades") == 0);
    check_add(c, "accounts balance", debits == credits && complete, "debits less credits over %zu accounts: %lld", accounts, (long long)(debits - credits));
    if (ended) check_add(c, "every reserved amount ended", pending == 0, "still reserved: %lld", (long long)pending);
}

void book_checks(book *b, checks *c, bool ended)
{
    mgc_ledger_opts opts;
    mgc_verify_info info = {.struct_size = sizeof info};

    if (b->refused > 0) check_add(c, "every transaction went through", false, "%llu refused; first %s", (unsigned long long)b->refused, b->first_refusal);
    else check_add(c, "every transaction went through", b->submitted > 0, "%llu transactions", (unsigned long long)b->submitted);
    check_accounts(b, c, ended);
    if (b->incident.asked != 0) {
        size_t right = 0, n;
        incidents_missing(b);
        n = b->incident.n - b->incident.missing;
        for (size_t i = 0; i < n; i++) right += b->incident.line[i].as_it_should ? 1 : 0;
        if (b->incident.missing == 0) check_add(c, "incidents end as they should", right == n, "%zu of %zu answers", right, n);
        else check_add(c, "incidents end as they should", right == n, "%zu of %zu answers; %u not staged: this case gives no occasion", right, n, b->incident.missing);
    }
    if (b->peers.n > 0)
        check_add(c, "all members stand alike", peers_that_differ(b) == 0, "%u members, %llu messages; every block signed by more than half", b->peers.n,
                  (unsigned long long)b->peers.messages);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &b->storage;
    opts.storage_user = b->storage_user;
    opts.read_only = 1;
    mgc_status st = mgc_contract_verify(b->s->ctx, &opts, NULL, NULL, 0, &info);
    if (st == MGC_OK) check_add(c, "ledger verifies", true, "%llu blocks executed again from the first byte", (unsigned long long)info.blocks);
    else check_add(c, "ledger verifies", false, "%s", mgc_ctx_error(b->s->ctx));
}

/* --- tables ----------------------------------------------------------------------------------------- */

void free_tables(tables *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free((void *)(uintptr_t)t->cells[i]);
        free(t->texts[i]);
    }
    t->n = 0;
}

typedef struct column {
    const char *of; /* column of the answer */
    const char *header;
    enum { AS_IT_IS, MICRO, HASH, SLOT, TIME, CARRIER, WH, AGREED_WH, YES } as;
} column;

static void cell_text(const column *col, const mgc_row *row, uint64_t slot_ms, char *text, size_t size)
{
    int64_t value = mgc_row_int(row, col->of);
    const char *plain = mgc_row_text(row, col->of);
    uint64_t minutes;

    switch (col->as) {
    case MICRO: snprintf(text, size, "%s%s", value < 0 ? "−" : "", fixed(fabs((double)value) / 1e6, 4)); break;
    case AGREED_WH: /* gas is metered for its carbon; nobody agrees on it */
        if (mgc_row_int(row, "carrier") == MGC_CARRIER_GAS) {
            text[0] = '\0';
            break;
        } /* fall through */
    case WH: snprintf(text, size, "%s%s", value < 0 ? "−" : "", fixed(fabs((double)value) / 1e3, 3)); break;
    case YES: snprintf(text, size, "%s", value != 0 ? "yes" : "no"); break;
    case HASH: snprintf(text, size, "%.16s", plain != NULL ? plain : ""); break;
    case CARRIER: snprintf(text, size, "%s", value == MGC_CARRIER_HEAT ? "heat" : value == MGC_CARRIER_GAS ? "gas" : "electricity"); break;
    case SLOT:
    case TIME:
        minutes = (uint64_t)value * (col->as == SLOT ? slot_ms : 1) / 60000 % 1440;
        snprintf(text, size, "%02llu:%02llu", (unsigned long long)(minutes / 60), (unsigned long long)(minutes % 60));
        break;
    default: snprintf(text, size, "%s", plain != NULL ? plain : ""); break;
    }
}

enum { CELL_BYTES = 72, ROWS_SHOWN_MAX = 400, COLUMNS_MAX = 10 };

/* A row without a slot belongs to every day. */
static bool of_this_day(const mgc_row *row, const mgc_case_info *info)
{
    uint64_t slot_ms = info->period_minutes * UINT64_C(60000), first = info->start_ms / slot_ms;
    const char *name = mgc_row_text(row, "slot") != NULL ? "slot" : mgc_row_text(row, "first_slot") != NULL ? "first_slot" : NULL;

    if (name == NULL) return true;
    uint64_t slot = (uint64_t)mgc_row_int(row, name);
    return slot >= first && slot < first + info->periods;
}

/* Money is in the case's currency. */
static const char *header_of(const column *c, const char *currency, char *text)
{
    if (c->as != MICRO) return c->header;
    snprintf(text, CELL_BYTES, "%.*s, %s>", (int)strcspn(c->header, ">"), c->header, currency);
    return text;
}

static mgc_status add_table(book *b, const mgc_case_info *info, tables *t, const char *what, const char *title, const char *note,
                            const column *columns, size_t n)
{
    static const char *headers[TABLES_MAX][COLUMNS_MAX];
    mgc_rows *rows = NULL;
    const mgc_row *row;
    size_t used = 0;

    mgc_status st = mgc_node_query(b->node, MGC_DAY_REGULATOR, what, NULL, &rows);
    if (st != MGC_OK) return st;
    size_t shown = mgc_rows_count(rows) < ROWS_SHOWN_MAX ? mgc_rows_count(rows) : ROWS_SHOWN_MAX;
    char *texts = calloc((shown + 1) * n, CELL_BYTES); /* with the headers that name the currency */
    const char **cells = calloc(shown * n + 1, sizeof *cells);
    if (texts != NULL && cells != NULL) {
        while (used < shown && mgc_rows_next(rows, &row) == MGC_ROW) {
            if (!of_this_day(row, info)) continue;
            for (size_t k = 0; k < n; k++) {
                char *text = texts + (used * n + k) * CELL_BYTES;
                cell_text(&columns[k], row, info->period_minutes * UINT64_C(60000), text, CELL_BYTES);
                cells[used * n + k] = text;
            }
            used++;
        }
        for (size_t k = 0; k < n; k++) headers[t->n][k] = header_of(&columns[k], info->currency, texts + (shown * n + k) * CELL_BYTES);
        t->list[t->n] = (mgc_report_table){title, note, headers[t->n], cells, n, used};
        t->cells[t->n] = cells;
        t->texts[t->n] = texts;
        t->n++;
    } else {
        free(texts);
        free((void *)(uintptr_t)cells);
        st = MGC_E_NO_MEMORY;
    }
    mgc_rows_destroy(rows);
    return st;
}

/* What was done that should not have been, and what came of it. */
static mgc_status incident_table(book *b, uint64_t slot_ms, tables *t)
{
    static const char *const headers[] = {"time", "incident", "who", "does", "the ledger's answer"};
    const incidents *in = &b->incident;
    enum { N = 5, TIME_BYTES = 32, DAY_MS = 86400000 };

    if (in->n == 0) return MGC_OK;
    uint64_t today = b->first_slot * slot_ms / DAY_MS;
    char *texts = calloc(in->n, TIME_BYTES);
    const char **cells = calloc(in->n * N, sizeof *cells);
    if (texts == NULL || cells == NULL) {
        free(texts);
        free((void *)(uintptr_t)cells);
        return MGC_E_NO_MEMORY;
    }
    for (size_t i = 0; i < in->n; i++) {
        uint64_t minutes = in->line[i].time_ms / 60000 % 1440, day = in->line[i].time_ms / DAY_MS;
        char *text = texts + TIME_BYTES * i;
        int len = snprintf(text, TIME_BYTES, "%02u:%02u", (unsigned)(minutes / 60), (unsigned)(minutes % 60));
        if (day != today) snprintf(text + len, (size_t)(TIME_BYTES - len), day < today ? " the day before" : day == today + 1 ? " the next day" : " days later");
        const char *row[N] = {text, in->line[i].incident, in->line[i].who, in->line[i].what, in->line[i].answer};
        memcpy(cells + i * N, row, sizeof row);
    }
    t->list[t->n] = (mgc_report_table){"Incidents", "Somebody did what he should not; every answer is the contracts' own and stands on the ledger.",
                                       headers, cells, N, in->n};
    t->cells[t->n] = cells;
    t->texts[t->n++] = texts;
    return MGC_OK;
}

mgc_status book_tables(book *b, const mgc_case *kase, tables *t)
{
    mgc_case_info info = {.struct_size = sizeof info};
    static const column agreements[] = {{"slot", "hour", SLOT}, {"seller", "from", AS_IT_IS}, {"buyer", "to", AS_IT_IS}, {"carrier", "carrier", CARRIER},
                                        {"wh", "kWh>", WH}, {"delivered_wh", "arrives, kWh>", WH}, {"price", "price a kWh>", MICRO},
                                        {"worth_micro", "worth>", MICRO}, {"state", "state", AS_IT_IS}};
    static const column payments[] = {{"payer", "pays", AS_IT_IS}, {"payee", "to", AS_IT_IS}, {"amount_micro", "amount>", MICRO}, {"state", "state", AS_IT_IS},
                                      {"run_hash", "bargain's certificate", HASH}};
    static const column settled[] = {{"slot", "hour", SLOT}, {"microgrid", "member", AS_IT_IS}, {"carrier", "carrier", CARRIER}, {"metered_wh", "metered, kWh>", WH},
                                     {"position_wh", "scheduled, kWh>", AGREED_WH}, {"deviation_wh", "deviation, kWh>", AGREED_WH}, {"imbalance_micro", "imbalance>", MICRO},
                                     {"carbon_g", "CO₂, kg>", WH}, {"state", "state", AS_IT_IS}};
    static const column credit[] = {{"name", "member", AS_IT_IS}, {"trade", "trading credit>", AS_IT_IS}, {"suspended", "suspended", YES}};
    static const column blocks[] = {{"chain", "chain", AS_IT_IS}, {"height", "height>", AS_IT_IS}, {"time_ms", "time", TIME}, {"transactions", "transactions>", AS_IT_IS},
                                    {"refused", "refused>", AS_IT_IS}, {"bytes", "bytes>", AS_IT_IS}, {"hash", "hash", HASH}, {"previous", "previous", HASH},
                                    {"votes", "signatures>", AS_IT_IS}};
    static const column contracts[] = {{"id", "number>", AS_IT_IS}, {"name", "contract", AS_IT_IS}, {"version", "version>", AS_IT_IS},
                                       {"activation_height", "active from height>", AS_IT_IS}};

    t->n = 0;
    mgc_status st = mgc_case_get_info(kase, &info);
    if (st == MGC_OK) st = add_table(b, &info, t, "contracts", "Contracts in force", NULL, contracts, 4);
    if (st == MGC_OK) st = add_table(b, &info, t, "trades", "Agreements of the day", "Signed by both sides; money and collateral are reserved until the slot is settled.", agreements, 9);
    if (st == MGC_OK) st = add_table(b, &info, t, "payments", "Bargaining transfers", "What is left of the Nash payments once energy is paid at its price: one transfer a pair and day.", payments, 5);
    if (st == MGC_OK) st = add_table(b, &info, t, "settlement", "Settlement", "Metered against the schedule (nominated and agreed), netted for each member, slot and carrier.", settled, 9);
    if (st == MGC_OK) st = incident_table(b, info.period_minutes * UINT64_C(60000), t);
    if (st == MGC_OK) st = add_table(b, &info, t, "credit", "Credit", "From 0 to 10000, 5000 at first; falls four times faster than it rises. Out of committed facts alone.", credit, 3);
    if (st == MGC_OK) st = add_table(b, &info, t, "blocks", "The ledger", "Each block names its predecessor's hash; every byte can be checked offline with mgchain-sim ledger verify.", blocks, 9);
    return st;
}
