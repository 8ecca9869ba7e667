/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents: a meter that reads too little, a member that cannot pay, a settlement that is disputed.  The day's own
 * transactions are altered or stand beside others; what the contracts answer is kept line by line.
 *
 *   dishonest-meter   one reading is false; a second story is refused, the market operator corrects it in time
 *   default           a deposit is too small for the day; what is not covered becomes a debt, and who owes makes no agreement
 *   leader-crash      of several members the one that orders is gone between two phases, and comes back later
 *   partition         the one that orders is cut off with less than half of the others; both sides go on, one of them in vain
 *   low-credit        a member signs no blocks any more: its credit falls epoch by epoch; given the lead it passes it on, and it
 *                     does not follow when the one that orders is gone
 *   equivocation      a member acknowledges everything twice with two hashes; whoever sees both proves it to the ledger
 *   dispute           a manager disputes a provisional slot; it is settled anew and becomes final after another window */
#include "incident.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "day.h"

static const struct {
    const char *name;
    uint32_t bit;
} known[] = {{"dishonest-meter", INCIDENT_METER},   {"default", INCIDENT_DEFAULT},     {"dispute", INCIDENT_DISPUTE},
             {"leader-crash", INCIDENT_LEADER},     {"partition", INCIDENT_PARTITION}, {"low-credit", INCIDENT_CREDIT},
             {"equivocation", INCIDENT_LIES},       /* from here on other spellings */
             {"network-partition", INCIDENT_PARTITION}, {"low-credit-member", INCIDENT_CREDIT}, {"equivocating-member", INCIDENT_LIES},
             {"equivocate", INCIDENT_LIES},         {"crash", INCIDENT_LEADER},        {"meter", INCIDENT_METER}};
enum { KNOWN = sizeof known / sizeof known[0] };

bool incidents_read(const char *text, uint32_t *asked)
{
    const char *names[KNOWN];

    *asked = 0;
    for (size_t k = 0; k < KNOWN; k++) names[k] = known[k].name;
    for (const char *at = text; *at != '\0';) {
        size_t len = strcspn(at, ","), k = 0;
        char word[32];

        snprintf(word, sizeof word, "%.*s", (int)(len < 31 ? len : 31), at);
        for (char *c = word; *c != '\0'; c++) *c = (char)(*c == '_' ? '-' : *c);
        while (k < KNOWN && strcmp(names[k], word) != 0) k++;
        if (k == KNOWN) {
            const char *nearest = mgc_word_nearest(word, names, KNOWN);
            fprintf(stderr, "mgchain-sim: unknown incident '%s'; there are dishonest-meter, default, dispute, leader-crash, partition, "
                            "low-credit and equivocation", word);
            if (nearest != NULL) fprintf(stderr, "; did you mean '%s'?", nearest);
            fputc('\n', stderr);
            return false;
        }
        *asked |= known[k].bit;
        at += len + (at[len] == ',' ? 1 : 0);
    }
    return true;
}

/* --- the log ------------------------------------------------------------------------------------------ */

static incident_line *tell(book *b, const char *incident, const char *who)
{
    incidents *in = &b->incident;
    incident_line *line = &in->line[in->n < INCIDENT_LINES_MAX ? in->n++ : INCIDENT_LINES_MAX - 1];

    *line = (incident_line){.incident = incident, .who = who, .time_ms = b->now_ms, .as_it_should = true};
    return line;
}

void incidents_missing(book *b)
{
    static const struct {
        uint32_t bit;
        const char *name, *why;
    } reasons[] = {
        {INCIDENT_METER, "dishonest meter", "no meter takes in 10 kWh in a slot after its first one"},
        {INCIDENT_DEFAULT, "default", "no member's day costs more than what its agreements and payments reserve before it"},
        {INCIDENT_DISPUTE, "dispute", "no slot became provisional"},
        {INCIDENT_LEADER, "leader crash", "nobody led while the day went on"},
        {INCIDENT_PARTITION, "partition", "nobody led while the day went on"},
        {INCIDENT_CREDIT, "low credit", "nobody led while the day went on"},
        {INCIDENT_LIES, "equivocation", "nobody led while the day went on"},
    };

    if (!b->last_day || b->incident.missing > 0) return;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if ((b->incident.asked & ~b->incident.done & reasons[i].bit) == 0) continue;
        incident_line *line = tell(b, reasons[i].name, "this case");
        snprintf(line->what, sizeof line->what, "gives no occasion for it: %s", reasons[i].why);
        snprintf(line->answer, sizeof line->answer, "not staged");
        b->incident.missing++;
        fprintf(stderr, "mgchain-sim: the incident \"%s\" was not staged: %s; try another case\n", reasons[i].name, reasons[i].why);
    }
}

/* A microgrid as the report calls it. */
static const char *name_of(book *b, uint32_t microgrid)
{
    static char name[64];
    mgc_rows *rows = NULL;
    const mgc_row *row;

    snprintf(name, sizeof name, "microgrid %u", microgrid);
    if (mgc_node_query(b->node, 0, "microgrids", NULL, &rows) != MGC_OK) return name;
    while (mgc_rows_next(rows, &row) == MGC_ROW)
        if (mgc_row_int(row, "id") == (int64_t)microgrid) snprintf(name, sizeof name, "%s", mgc_row_text(row, "name"));
    mgc_rows_destroy(rows);
    return name;
}

/* When a slot begins, UTC. */
static const char *hour_of(book *b, int64_t slot)
{
    static char text[32];
    mgc_rows *rows = NULL;
    const mgc_row *row;
    uint64_t minutes = 0;

    if (mgc_node_query(b->node, 0, "parameters", NULL, &rows) != MGC_OK) return "?";
    if (mgc_rows_next(rows, &row) == MGC_ROW) minutes = (uint64_t)slot * (uint64_t)mgc_row_int(row, "slot_ms") / 60000;
    mgc_rows_destroy(rows);
    snprintf(text, sizeof text, "%02u:%02u", (unsigned)(minutes / 60 % 24), (unsigned)(minutes % 60));
    return text;
}

/* --- transactions beside the day's -------------------------------------------------------------------- */

static uint64_t *offset_of(book *b, uint32_t member, uint32_t contract)
{
    incidents *in = &b->incident;

    for (size_t i = 0; i < in->n_offsets; i++)
        if (in->offset[i].member == member && in->offset[i].contract == contract) return &in->offset[i].by;
    if (in->n_offsets == OFFSETS_MAX) return NULL;
    in->offset[in->n_offsets].member = member;
    in->offset[in->n_offsets].contract = contract;
    in->offset[in->n_offsets].by = 0;
    return &in->offset[in->n_offsets++].by;
}

typedef struct signer {
    uint32_t member, role;
} signer;

/* Body and signatures into b->incident.bytes. */
static mgc_status sign(book *b, const mgc_tx_body *body, const signer *signers, size_t n)
{
    static uint8_t text[MGC_TX_BYTES_MAX];
    mgc_tx_signature signatures[MGC_TX_SIGNATURES_MAX];
    size_t len;

    mgc_status st = mgc_tx_encode_body(body, text, sizeof text, &len);
    for (size_t i = 0; i < n && st == MGC_OK; i++) {
        const mgc_key *key = book_key(b, signers[i].member);
        st = key == NULL ? MGC_E_MISSING_SIGNER : mgc_tx_sign(text, len, key, signers[i].role, &signatures[i]);
    }
    return st != MGC_OK ? st : mgc_tx_assemble(text, len, signatures, n, b->incident.bytes, sizeof b->incident.bytes, &b->incident.len);
}

/* One transaction of somebody, in a round of its own; what became of it is line->answer, or, without a line, expected. */
static mgc_status hand_in(book *b, incident_line *line, mgc_status wanted, uint32_t contract, const char *method, mgc_args *args,
                          const signer *signers, size_t n_signers)
{
    mgc_chain_info chain = {.struct_size = sizeof chain};
    mgc_ticket_info info = {.struct_size = sizeof info};
    mgc_tx_body body = {.struct_size = sizeof body, .contract = contract, .method = method};
    uint64_t *offset = offset_of(b, signers[0].member, contract), ticket;
    uint8_t sender[32];

    mgc_status st = offset == NULL ? MGC_E_LIMIT : mgc_chain_get_info(mgc_node_chain(b->node, contract), &chain);
    if (st == MGC_OK) st = mgc_key_public(book_key(b, signers[0].member), sender);
    if (st == MGC_OK) st = mgc_node_next_nonce(b->node, sender, contract, &body.nonce);
    if (st == MGC_OK) st = mgc_args_encode(args, &body.arguments, &body.arguments_len);
    body.chain_id = chain.chain_id;
    body.sender = sender;
    body.valid_until = chain.height + 1000;
    if (st == MGC_OK) st = sign(b, &body, signers, n_signers);
    if (st == MGC_OK) st = mgc_node_submit(b->node, b->incident.bytes, b->incident.len, &ticket);
    if (st == MGC_OK) st = book_flush(b);
    if (st == MGC_OK) st = mgc_ticket_state(b->node, ticket, &info);
    if (st != MGC_OK) return st;
    if (info.height > 0) ++*offset; /* refused there, too: its nonce is spent */
    if (line == NULL) {
        if (info.status != wanted) book_note_refusal(b, ticket, method);
        return MGC_OK;
    }
    line->as_it_should = info.status == wanted;
    if (info.status == MGC_OK) snprintf(line->answer, sizeof line->answer, "accepted in block %" PRIu64, info.height);
    else snprintf(line->answer, sizeof line->answer, "refused: %s (%s)", info.rule, mgc_status_name(info.status));
    return MGC_OK;
}

/* The same transaction again with another nonce or other arguments. */
static mgc_status sign_again(book *b, const mgc_tx_info *tx, const uint8_t *bytes, size_t len, uint64_t more, mgc_args *args)
{
    mgc_tx_body body = {.struct_size = sizeof body, .chain_id = tx->chain_id, .sender = tx->sender, .contract = tx->contract,
                        .arguments = tx->arguments, .arguments_len = tx->arguments_len, .nonce = tx->nonce + more,
                        .valid_until = tx->valid_until};
    signer signers[MGC_TX_SIGNATURES_MAX];
    char method[MGC_METHOD_MAX + 1];
    size_t n = 0;

    snprintf(method, sizeof method, "%.*s", (int)tx->method_len, tx->method);
    body.method = method;
    for (uint32_t i = 0; i < tx->n_signatures; i++) {
        mgc_tx_signature signature;
        mgc_status st = mgc_tx_decode_signature(bytes, len, i, &signature);
        if (st != MGC_OK) return st;
        signers[n].member = book_member(b, signature.public_key);
        signers[n++].role = signature.role;
    }
    mgc_status st = args == NULL ? MGC_OK : mgc_args_encode(args, &body.arguments, &body.arguments_len);
    return st != MGC_OK ? st : sign(b, &body, signers, n);
}

/* --- reading a transaction's arguments ------------------------------------------------------------------ */

/* The next whole number of deterministic CBOR; heads of arrays and maps are passed over. */
static bool next_number(const uint8_t **at, const uint8_t *end, int64_t *value)
{
    while (*at < end) {
        uint8_t head = *(*at)++, major = head >> 5, more = head & 31;
        size_t width = more < 24 ? 0 : more < 28 ? (size_t)1 << (more - 24) : 0;
        uint64_t x = more < 24 ? more : 0;

        if ((size_t)(end - *at) < width) return false;
        for (size_t i = 0; i < width; i++) x = x << 8 | *(*at)++;
        if (major == 4 || major == 5) continue;
        if (major > 1) return false;
        *value = major == 0 ? (int64_t)x : -1 - (int64_t)x;
        return true;
    }
    return false;
}

static size_t numbers_of(const mgc_tx_info *tx, int64_t *values, size_t cap)
{
    const uint8_t *at = tx->arguments, *end = at + tx->arguments_len;
    size_t n = 0;

    while (n < cap && next_number(&at, end, &values[n])) n++;
    return n;
}

/* --- the dishonest meter ---------------------------------------------------------------------------------- */

static mgc_status read_args(book *b, const char *method, int64_t meter, const int64_t row[4], const char *reason, mgc_args **args)
{
    mgc_status st = mgc_args_create(b->s->ctx, MGC_CONTRACT_SCHEDULING, method, args);

    if (st == MGC_OK) st = mgc_args_set_int(*args, "meter", meter);
    if (st == MGC_OK) st = mgc_args_add_row(*args, "rows", row, 4);
    if (st == MGC_OK && reason != NULL) st = mgc_args_set_text(*args, "reason", reason);
    return st;
}

/* Register of the slot before, as the ledger knows it; -1: it does not. */
static int64_t register_before(book *b, int64_t meter, int64_t slot)
{
    char question[64];
    mgc_rows *rows = NULL;
    const mgc_row *row;
    int64_t in = -1;

    snprintf(question, sizeof question, "meter=%" PRId64 "&slot=%" PRId64, meter, slot - 1);
    if (mgc_node_query(b->node, MGC_DAY_REGULATOR, "readings", question, &rows) != MGC_OK) return -1;
    while (mgc_rows_next(rows, &row) == MGC_ROW) in = mgc_row_int(row, "in_wh");
    mgc_rows_destroy(rows);
    return in;
}

/* A reading of the first meter that took in more than 10 kWh in the slot: 40 % of it disappear. */
static mgc_status falsify(book *b, const mgc_day_tx *day_tx, const mgc_tx_info *tx)
{
    int64_t v[8];
    mgc_args *args = NULL;

    if (numbers_of(tx, v, 8) != 7) return MGC_OK; /* 1: meter, 2: [[slot, in, out, quality]] */
    int64_t before = register_before(b, v[1], v[3]), moved = v[4] - before;
    if (before < 0 || moved < 10000) return MGC_OK;
    b->incident.meter = v[1];
    b->incident.slot = v[3];
    b->incident.in_wh = v[4];
    b->incident.out_wh = v[5];
    incident_line *line = tell(b, "dishonest meter", "meter");
    snprintf(line->what, sizeof line->what, "meter %" PRId64 " reports %" PRId64 " Wh for the slot of %s; it took in %" PRId64 " Wh", v[1],
             moved * 6 / 10, hour_of(b, v[3]), moved);
    snprintf(line->answer, sizeof line->answer, "accepted: it fits the readings around it");
    mgc_status st = read_args(b, "read", v[1], (int64_t[]){v[3], before + moved * 6 / 10, v[5], 0}, NULL, &args);
    uint64_t *offset = offset_of(b, book_member(b, tx->sender), tx->contract);
    if (st == MGC_OK) st = offset == NULL ? MGC_E_LIMIT : sign_again(b, tx, day_tx->bytes, day_tx->len, *offset, args);
    mgc_args_destroy(args);
    if (st == MGC_OK) b->incident.done |= INCIDENT_METER;
    return st;
}

static mgc_status correct_meter(book *b)
{
    incidents *in = &b->incident;
    const int64_t row[4] = {in->slot, in->in_wh, in->out_wh, 0};
    mgc_args *args = NULL;

    incident_line *line = tell(b, "dishonest meter", "meter");
    snprintf(line->what, sizeof line->what, "meter %" PRId64 " tells the slot of %s again, with %" PRId64 " Wh on its register", in->meter,
             hour_of(b, in->slot), in->in_wh);
    mgc_status st = read_args(b, "read", in->meter, row, NULL, &args);
    if (st == MGC_OK)
        st = hand_in(b, line, MGC_E_DOUBLE_REPORT, MGC_CONTRACT_SCHEDULING, "read", args,
                     (signer[]){{MGC_DAY_METER + (uint32_t)in->meter, MGC_ROLE_METER}}, 1);
    mgc_args_destroy(args);
    if (st != MGC_OK) return st;
    line = tell(b, "dishonest meter", "market operator");
    snprintf(line->what, sizeof line->what, "corrects the reading by the grid operator's own meter before the slot is settled");
    st = read_args(b, "correct", in->meter, row, "the grid operator's own meter", &args);
    if (st == MGC_OK)
        st = hand_in(b, line, MGC_OK, MGC_CONTRACT_SCHEDULING, "correct", args, (signer[]){{MGC_DAY_MARKET_OPERATOR, MGC_ROLE_MARKET_OPERATOR}}, 1);
    mgc_args_destroy(args);
    return st;
}

/* --- the default --------------------------------------------------------------------------------------------- */

/* Money that must be there when agreements are made, and what the day costs in all.  The deposit is twice what the plan takes
 * from a member (deposit_margin 1): without what it buys from the grid that is what agreements reserve, with what it sells there
 * somewhat more. */
static mgc_status needs(mgc_day *day, uint32_t i, int64_t *reserved, int64_t *total)
{
    mgc_day_expectation e = {.struct_size = sizeof e};
    mgc_status st = mgc_day_expect(day, i, &e);

    *reserved = e.deposit_micro / 2 + (e.grid_micro < 0 ? e.grid_micro : 0);
    *total = -(e.trades_micro + e.transfer_micro + e.grid_micro + e.imbalance_micro + e.fee_micro);
    return st;
}

/* The member whose bill is the largest beside what it must reserve brings too little for it: on the last day of the run, for until
 * then the next day's deposit would pay.  Before that it brings just what each day costs, so that nothing is left over. */
static mgc_status choose_debtor(book *b, mgc_day *day, uint32_t members)
{
    int64_t best = 0;

    for (uint32_t i = 0; i < members; i++) {
        int64_t reserved, total;
        mgc_status st = needs(day, i, &reserved, &total);
        if (st != MGC_OK) return st;
        if (total - reserved <= best) continue;
        best = total - reserved;
        b->incident.debtor = i + 1;
    }
    return MGC_OK;
}

static mgc_status bring_less(book *b, mgc_day *day, const mgc_day_tx *day_tx, const mgc_tx_info *tx)
{
    int64_t v[5], reserved, total;
    mgc_args *args = NULL;

    if (b->incident.debtor == 0 && b->previous == NULL) {
        mgc_status st = choose_debtor(b, day, b->members);
        if (st != MGC_OK) return st;
    }
    if (numbers_of(tx, v, 4) < 4 || v[1] != (int64_t)b->incident.debtor) return MGC_OK; /* 1: microgrid, 2: amount, 3: reference */
    mgc_status st = needs(day, b->incident.debtor - 1, &reserved, &total);
    if (st != MGC_OK || total <= reserved) return st;
    int64_t brought = b->last_day ? reserved + (total - reserved) / 2 : total;
    incident_line *line = tell(b, "default", "member");
    snprintf(line->what, sizeof line->what, "%s brings %s of the %s that its day will cost", name_of(b, b->incident.debtor),
             fixed((double)brought / 1e6, 2), fixed((double)total / 1e6, 2));
    snprintf(line->answer, sizeof line->answer, "accepted: enough to reserve what it agrees");
    st = mgc_args_create(b->s->ctx, MGC_CONTRACT_TRADING, "deposit", &args);
    if (st == MGC_OK) st = mgc_args_set_int(args, "microgrid", v[1]);
    if (st == MGC_OK) st = mgc_args_set_int(args, "amount_micro", brought);
    if (st == MGC_OK) st = mgc_args_set_text(args, "reference", b->last_day ? "too little" : "the day's bill");
    uint64_t *offset = offset_of(b, book_member(b, tx->sender), tx->contract);
    if (st == MGC_OK) st = offset == NULL ? MGC_E_LIMIT : sign_again(b, tx, day_tx->bytes, day_tx->len, *offset, args);
    mgc_args_destroy(args);
    if (st == MGC_OK && b->last_day) b->incident.done |= INCIDENT_DEFAULT;
    return st;
}

static int64_t balance_of(book *b, uint32_t kind)
{
    mgc_account_info account = {.struct_size = sizeof account};
    uint8_t id[MGC_ID_BYTES];

    mgc_account_id(kind, b->incident.debtor, id);
    if (mgc_chain_get_account(mgc_node_chain(b->node, MGC_CONTRACT_TRADING), id, &account) != MGC_OK) return 0;
    return (int64_t)account.credits_posted - (int64_t)account.debits_posted;
}

static mgc_status show_debt(book *b)
{
    incident_line *line = tell(b, "default", "settlement");
    int64_t debt = -balance_of(b, MGC_ACCOUNT_DUE);

    snprintf(line->what, sizeof line->what, "%s's money does not cover every bill when it is due", name_of(b, b->incident.debtor));
    snprintf(line->answer, sizeof line->answer, "a debt of %s stands on its account; who owes makes no agreement", fixed((double)debt / 1e6, 2));
    line->as_it_should = debt > 0;
    return MGC_OK;
}

/* --- the dispute ----------------------------------------------------------------------------------------------- */

static mgc_status slot_args(book *b, const char *method, int64_t slot, mgc_args **args)
{
    mgc_status st = mgc_args_create(b->s->ctx, MGC_CONTRACT_SETTLEMENT, method, args);

    return st == MGC_OK ? mgc_args_set_int(*args, "slot", slot) : st;
}

static mgc_status by_operator(book *b, const char *method, const char *why)
{
    incident_line *line = tell(b, "dispute", "market operator");
    mgc_args *args = NULL;

    snprintf(line->what, sizeof line->what, "%s", why);
    mgc_status st = slot_args(b, method, b->incident.slot, &args);
    if (st == MGC_OK)
        st = hand_in(b, line, MGC_OK, MGC_CONTRACT_SETTLEMENT, method, args, (signer[]){{MGC_DAY_MARKET_OPERATOR, MGC_ROLE_MARKET_OPERATOR}}, 1);
    mgc_args_destroy(args);
    return st;
}

enum { HALF_A_WINDOW_MS = 1800000, TWO_WINDOWS_MS = 7200000 };

static mgc_status wait(book *b, uint64_t ms)
{
    b->now_ms += ms;
    return book_step(b);
}

static mgc_status dispute(book *b)
{
    mgc_status waited = wait(b, HALF_A_WINDOW_MS);
    incident_line *line = tell(b, "dispute", "manager");
    mgc_args *args = NULL;

    if (waited != MGC_OK) return waited;

    if (b->incident.slot < (int64_t)b->first_slot) b->incident.slot = (int64_t)b->first_slot;
    snprintf(line->what, sizeof line->what, "the manager of %s disputes its provisional settlement of the slot of %s", name_of(b, 1),
             hour_of(b, b->incident.slot));
    mgc_status st = slot_args(b, "dispute", b->incident.slot, &args);
    if (st == MGC_OK) st = mgc_args_set_int(args, "microgrid", 1);
    if (st == MGC_OK) st = mgc_args_set_text(args, "reason", "the reading is not ours");
    if (st == MGC_OK) st = hand_in(b, line, MGC_OK, MGC_CONTRACT_SETTLEMENT, "dispute", args, (signer[]){{MGC_DAY_MANAGER + 1, MGC_ROLE_MANAGER}}, 1);
    mgc_args_destroy(args);
    if (st == MGC_OK) st = by_operator(b, "settle", "looks at the meters again and settles the slot anew, which opens another window");
    if (st == MGC_OK) b->incident.done |= INCIDENT_DISPUTE;
    return st;
}

/* --- the crash ------------------------------------------------------------------------------------------------- */

static mgc_status crash_leader(book *b)
{
    incident_line *line = tell(b, "leader crash", "member");
    uint32_t leader = peers_leader(b);
    uint64_t before = b->now_ms;

    snprintf(line->what, sizeof line->what, "member %u, who orders, is gone", leader);
    peers_stop(b, leader);
    b->incident.crashed = leader;
    b->incident.done |= INCIDENT_LEADER;
    mgc_status st = peers_new_leader(b, leader);
    snprintf(line->answer, sizeof line->answer, "member %u orders after %" PRIu64 " ms", peers_leader(b), b->now_ms - before);
    line->as_it_should = peers_leader(b) != 0 && peers_leader(b) != leader;
    return st;
}

static mgc_status bring_back(book *b)
{
    uint64_t behind = 0;
    incident_line *line = tell(b, "leader crash", "member");

    mgc_status st = peers_restart(b, b->incident.crashed, &behind);
    snprintf(line->what, sizeof line->what, "member %u comes back, %" PRIu64 " blocks behind", b->incident.crashed, behind);
    if (st == MGC_OK) st = peers_settle(b);
    snprintf(line->answer, sizeof line->answer, "%s", st == MGC_OK ? "it has every block again, checked one by one" : "it did not catch up");
    line->as_it_should = st == MGC_OK && behind > 0;
    b->incident.crashed = 0;
    return st;
}

uint32_t incident_members(uint32_t asked)
{
    uint32_t bad = 0;

    for (uint32_t bit = INCIDENT_LEADER; bit <= INCIDENT_LIES; bit <<= 1) bad += bit != INCIDENT_PARTITION && (asked & bit) != 0;
    if (bad == 0 && (asked & INCIDENT_PARTITION) == 0) return 1;
    return 2 * (bad == 0 ? 1 : bad) + 1;
}

/* --- the partition --------------------------------------------------------------------------------------------- */

static mgc_status cut_off(book *b)
{
    incident_line *line = tell(b, "partition", "member");
    incidents *in = &b->incident;
    uint32_t n = (b->peers.n - 1) / 2;

    in->cut = peers_leader(b);
    in->cut_blocks = peers_blocks(&b->peers.list[in->cut - 1]);
    in->done |= INCIDENT_PARTITION;
    snprintf(line->what, sizeof line->what, "member %u, who orders, is cut off from the others, %u of %u members on its side", in->cut, n,
             b->peers.n);
    uint64_t before = b->now_ms;
    peers_cut(b, n, in->cut);
    mgc_status st = peers_new_leader(b, in->cut);
    snprintf(line->answer, sizeof line->answer, "the larger side has member %u order after %" PRIu64 " ms", peers_leader(b), b->now_ms - before);
    line->as_it_should = peers_leader(b) != 0 && b->peers.list[peers_leader(b) - 1].side == 0;
    return st;
}

static mgc_status heal(book *b)
{
    incidents *in = &b->incident;
    incident_line *line = tell(b, "partition", "member");
    peer *old = &b->peers.list[in->cut - 1];
    uint64_t blocks = 0, built = peers_blocks(old) - in->cut_blocks;

    for (uint32_t i = 0; i < b->peers.n; i++)
        if (b->peers.list[i].node == b->node) blocks = peers_blocks(&b->peers.list[i]) - in->cut_blocks;
    snprintf(line->what, sizeof line->what, "the sides meet again; the larger one built %" PRIu64 " blocks, the smaller one %" PRIu64, blocks, built);
    peers_heal(b);
    in->cut = 0;
    mgc_status st = peers_settle(b);
    line->as_it_should = st == MGC_OK && blocks > 0 && built == 0;
    snprintf(line->answer, sizeof line->answer, "%s", st == MGC_OK ? "all members have the same blocks" : "they did not come together");
    return st;
}

/* --- low credit -------------------------------------------------------------------------------------------------- */

/* The last member that votes, is there, does not lead and is not in another incident; 0: nobody. */
static uint32_t somebody(book *b)
{
    const incidents *in = &b->incident;

    for (uint32_t id = b->peers.n; id >= 1; id--) {
        mgc_node_member_info info;
        bool busy = id == peers_leader(b) || id == in->liar || id == in->unreliable || b->peers.list[id - 1].node == NULL;
        if (!busy && peers_member(b, id, &info) && info.standing == MGC_STANDING_VOTER && info.convicted == 0) return id;
    }
    return 0;
}

static mgc_status begin_unreliable(book *b)
{
    incident_line *line = tell(b, "low credit", "member");
    mgc_node_member_info info;
    incidents *in = &b->incident;

    in->unreliable = somebody(b);
    in->done |= INCIDENT_CREDIT;
    if (in->unreliable == 0) {
        snprintf(line->what, sizeof line->what, "every member leads or has another incident");
        return MGC_OK;
    }
    b->peers.list[in->unreliable - 1].mute = true;
    line->as_it_should = peers_member(b, in->unreliable, &info);
    snprintf(line->what, sizeof line->what, "member %u signs no blocks any more", in->unreliable);
    snprintf(line->answer, sizeof line->answer, "its credit is %u; every epoch counts who signed", info.node_credit);
    return MGC_OK;
}

/* Leadership is given to it all the same: it passes it on. */
static mgc_status give_it_the_lead(book *b, uint32_t low)
{
    incident_line *line = tell(b, "low credit", "member");
    uint32_t old = peers_leader(b);
    size_t terms = b->peers.n_terms;

    mgc_status st = mgc_node_hand_over(b->peers.list[old - 1].node, low);
    for (uint64_t end = b->now_ms + 5000; st == MGC_OK && b->now_ms < end && b->peers.n_terms < terms + 2; b->now_ms += 5) st = peers_step(b);
    const term_line *t = &b->peers.term[terms % TERMS_MAX];
    snprintf(line->what, sizeof line->what, "member %u, who orders, hands over to member %u", old, low);
    line->as_it_should = b->peers.n_terms >= terms + 2 && t->leader == low;
    snprintf(line->answer, sizeof line->answer, "member %u orders for %" PRIu64 " ms and hands over to member %u", t->leader,
             b->peers.term[(terms + 1) % TERMS_MAX].from_ms - t->from_ms, peers_leader(b));
    return st;
}

/* It is reliable again from here on, but low; and the one who orders is gone. */
static mgc_status after_the_fall(book *b, const mgc_node_member_info *info)
{
    incidents *in = &b->incident;
    uint32_t low = in->unreliable;
    incident_line *line = tell(b, "low credit", "ledger");

    snprintf(line->what, sizeof line->what, "member %u has a credit of %u: below 3000 it does not ask to lead while others may", low, info->node_credit);
    snprintf(line->answer, sizeof line->answer, "its rank is %u of %u", info->rank + 1, b->peers.n);
    b->peers.list[low - 1].mute = false;
    in->unreliable = 0;
    mgc_status st = give_it_the_lead(b, low);
    uint32_t leader = peers_leader(b);
    if (st != MGC_OK || leader == 0 || in->crashed != 0) return st;
    line = tell(b, "low credit", "member");
    snprintf(line->what, sizeof line->what, "member %u, who orders now, is gone; member %u would be free to follow", leader, low);
    uint64_t before = b->now_ms;
    peers_stop(b, leader);
    in->gone = leader;
    st = peers_new_leader(b, leader);
    line->as_it_should = peers_leader(b) != 0 && peers_leader(b) != leader && peers_leader(b) != low;
    snprintf(line->answer, sizeof line->answer, "member %u orders after %" PRIu64 " ms", peers_leader(b), b->now_ms - before);
    return st;
}

static mgc_status bring_back_gone(book *b)
{
    uint64_t behind = 0;
    incident_line *line = tell(b, "low credit", "member");

    mgc_status st = peers_restart(b, b->incident.gone, &behind);
    snprintf(line->what, sizeof line->what, "member %u comes back, %" PRIu64 " blocks behind", b->incident.gone, behind);
    if (st == MGC_OK) st = peers_settle(b);
    snprintf(line->answer, sizeof line->answer, "%s", st == MGC_OK ? "it has every block again, checked one by one" : "it did not catch up");
    line->as_it_should = st == MGC_OK;
    b->incident.gone = 0;
    return st;
}

/* --- two truths -------------------------------------------------------------------------------------------------- */

static void begin_lies(book *b)
{
    incidents *in = &b->incident;
    incident_line *line = tell(b, "equivocation", "member");

    in->liar = somebody(b);
    in->done |= INCIDENT_LIES;
    if (in->liar == 0) {
        snprintf(line->what, sizeof line->what, "every member leads or has another incident");
        return;
    }
    b->peers.list[in->liar - 1].lies = true;
    snprintf(line->what, sizeof line->what, "member %u signs two acknowledgements of one entry with two hashes", in->liar);
    snprintf(line->answer, sizeof line->answer, "who sees both hands them in as evidence");
}

static mgc_status convicted(book *b, const mgc_node_member_info *info)
{
    incidents *in = &b->incident;
    incident_line *line = tell(b, "equivocation", "ledger");
    mgc_node_member_info later;

    snprintf(line->what, sizeof line->what, "both signatures verify: member %u is convicted", in->liar);
    snprintf(line->answer, sizeof line->answer, "its credit is %u of 10000, and stays", info->node_credit);
    line->as_it_should = info->node_credit == 0;
    b->peers.list[in->liar - 1].lies = false;
    if (b->peers.n <= 3) {
        in->liar = 0;
        return MGC_OK;
    }
    for (uint64_t end = b->now_ms + 5000; b->now_ms < end;) { /* the others decide by themselves */
        mgc_status st = book_step(b);
        if (st != MGC_OK) return st;
        if (peers_member(b, in->liar, &later) && later.standing == MGC_STANDING_REMOVED) break;
        b->now_ms += PEER_TICK_MS;
    }
    line = tell(b, "equivocation", "members");
    snprintf(line->what, sizeof line->what, "more than half of the members approve that member %u goes", in->liar);
    line->as_it_should = later.standing == MGC_STANDING_REMOVED;
    snprintf(line->answer, sizeof line->answer, "%s", line->as_it_should ? "it is no longer one of those who order" : "it is still one of those who order");
    in->liar = 0;
    return MGC_OK;
}

mgc_status incident_settled(book *b)
{
    incidents *in = &b->incident;
    mgc_node_member_info info;
    mgc_status st = MGC_OK;

    if (in->watching) return MGC_OK;
    in->watching = true;
    if (in->unreliable != 0 && peers_member(b, in->unreliable, &info) && info.early == 0) st = after_the_fall(b, &info);
    if (st == MGC_OK && in->liar != 0 && peers_member(b, in->liar, &info) && info.convicted != 0) st = convicted(b, &info);
    in->watching = false;
    return st;
}

/* --- when --------------------------------------------------------------------------------------------------------- */

static bool method_is(const mgc_tx_info *tx, const char *method)
{
    return tx->method_len == strlen(method) && memcmp(tx->method, method, tx->method_len) == 0;
}

mgc_status incident_alter(book *b, mgc_day *day, const mgc_day_tx *tx, const uint8_t **bytes, size_t *len)
{
    incidents *in = &b->incident;
    mgc_tx_info info = {.struct_size = sizeof info};
    uint32_t open = in->asked & ~in->done;

    *bytes = tx->bytes;
    *len = tx->len;
    if (in->asked == 0) return MGC_OK;
    in->len = 0;
    mgc_status st = mgc_tx_decode(tx->bytes, tx->len, &info);
    if (st == MGC_OK && (open & INCIDENT_METER) != 0 && method_is(&info, "read")) st = falsify(b, tx, &info);
    if (st == MGC_OK && (open & INCIDENT_DEFAULT) != 0 && method_is(&info, "deposit")) st = bring_less(b, day, tx, &info);
    if (st == MGC_OK && (tx->phase == MGC_DAY_SETTLE || tx->phase == MGC_DAY_FINALISE)) {
        int64_t v[2];
        if (numbers_of(&info, v, 2) == 2) in->settled = v[1]; /* 1: slot */
    }
    if (st == MGC_OK && in->len == 0) {
        uint64_t *offset = NULL;
        uint32_t sender = book_member(b, info.sender);
        for (size_t i = 0; i < in->n_offsets; i++)
            if (in->offset[i].member == sender && in->offset[i].contract == info.contract) offset = &in->offset[i].by;
        if (offset != NULL && *offset > 0) st = sign_again(b, &info, tx->bytes, tx->len, *offset, NULL);
    }
    if (st == MGC_OK && in->len > 0) {
        *bytes = in->bytes;
        *len = in->len;
    }
    return st;
}

/* Of several days each is settled once the next one has been agreed, which debts and waiting for another window would hold up. */
static bool settles_last_day(const book *b)
{
    return b->last_day && b->incident.settled >= (int64_t)b->first_slot;
}

mgc_status incident_after(book *b, uint32_t phase)
{
    incidents *in = &b->incident;
    mgc_status st = MGC_OK;

    uint32_t open = in->asked & ~in->done;

    if (phase == MGC_DAY_DEPOSIT && (open & INCIDENT_LIES) != 0) begin_lies(b);
    if (phase == MGC_DAY_NOMINATE && (open & INCIDENT_PARTITION) != 0) st = cut_off(b);
    if (phase == MGC_DAY_AGREE && in->cut != 0 && st == MGC_OK) st = heal(b);
    if (phase == MGC_DAY_AGREE && (open & INCIDENT_LEADER) != 0 && st == MGC_OK) st = crash_leader(b);
    if (phase == MGC_DAY_ACKNOWLEDGE && (open & INCIDENT_CREDIT) != 0 && st == MGC_OK) st = begin_unreliable(b);
    if (phase == MGC_DAY_READ && in->crashed != 0 && st == MGC_OK) st = bring_back(b);
    if (phase == MGC_DAY_READ && in->gone != 0 && st == MGC_OK) st = bring_back_gone(b);
    if (st != MGC_OK) return st;
    if (phase == MGC_DAY_READ && (in->done & INCIDENT_METER) != 0 && in->meter != 0) {
        st = correct_meter(b);
        in->meter = 0;
    }
    if (!settles_last_day(b)) return st;
    if (phase == MGC_DAY_SETTLE && (open & INCIDENT_DISPUTE) != 0) st = dispute(b);
    if (phase != MGC_DAY_FINALISE || st != MGC_OK) return st;
    if ((in->done & INCIDENT_DISPUTE) != 0 && in->slot >= 0) {
        st = wait(b, TWO_WINDOWS_MS);
        if (st == MGC_OK) st = by_operator(b, "finalise", "makes the disputed slot final after its second window");
        in->slot = -1;
    }
    if (st == MGC_OK && (in->done & INCIDENT_DEFAULT) != 0 && in->debtor != 0) {
        st = show_debt(b);
        in->debtor = 0;
    }
    return st;
}

/* --- at the end of the day --------------------------------------------------------------------------------------- */

/* Several members count epochs by themselves; this one is the next. */
static int64_t next_epoch(book *b)
{
    mgc_rows *rows = NULL;
    int64_t n = 1;

    if (mgc_node_query(b->node, MGC_DAY_REGULATOR, "epochs", NULL, &rows) == MGC_OK) n += (int64_t)mgc_rows_count(rows);
    mgc_rows_destroy(rows);
    return n;
}

/* The regulator says on the ledger what it reads, then credit is counted from what stands there. */
mgc_status book_end(book *b, uint64_t last_slot)
{
    mgc_args *args = NULL;

    mgc_status st = mgc_args_create(b->s->ctx, MGC_CONTRACT_SUPERVISION, "read", &args);
    if (st == MGC_OK) st = mgc_args_set_text(args, "what", "trades settlement accounts");
    if (st == MGC_OK) st = mgc_args_set_text(args, "arguments", "");
    if (st == MGC_OK) st = mgc_args_set_text(args, "reason", "the day's report");
    if (st == MGC_OK)
        st = hand_in(b, NULL, MGC_OK, MGC_CONTRACT_SUPERVISION, "read", args, (signer[]){{MGC_DAY_REGULATOR, MGC_ROLE_REGULATOR}}, 1);
    mgc_args_destroy(args);
    if (st == MGC_OK) st = mgc_args_create(b->s->ctx, MGC_CONTRACT_CREDIT, "epoch", &args);
    if (st == MGC_OK) st = mgc_args_set_int(args, "number", next_epoch(b));
    if (st == MGC_OK) st = mgc_args_set_int(args, "last_slot", (int64_t)last_slot);
    if (st == MGC_OK)
        st = hand_in(b, NULL, MGC_OK, MGC_CONTRACT_CREDIT, "epoch", args, (signer[]){{MGC_DAY_MARKET_OPERATOR, MGC_ROLE_MARKET_OPERATOR}}, 1);
    mgc_args_destroy(args);
    return st;
}
