/* SPDX-License-Identifier: Apache-2.0 */
#include "transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = TRANSPORT_MEMBERS, TURNS_MOST = 60000, RESEND_MS = 25, DEADLINE_MS = 4000, LATE_TURNS = 60, SEEDS = 12 };

static const char *const ids[N] = {"north", "south", "east"};

const char *transport_case(int number)
{
    static const char *const names[TRANSPORT_CASES] = {"plain", "large", "order", "loss", "repetition", "late", "malformed",
                                                       "all of it", "silent"};

    return number >= 0 && number < TRANSPORT_CASES ? names[number] : "?";
}

/* What is done to messages between an agent and the transport; per cent of them. */
typedef struct harm {
    uint32_t delay, lose, repeat, spoil;
    bool late;
    size_t silent; /* N: nobody */
    uint64_t silent_from;
} harm;

static const harm harms[TRANSPORT_CASES] = {
    [TRANSPORT_PLAIN] = {.silent = N},
    [TRANSPORT_LARGE] = {.silent = N},
    [TRANSPORT_ORDER] = {.delay = 9, .silent = N},
    [TRANSPORT_LOSS] = {.lose = 15, .silent = N},
    [TRANSPORT_REPETITION] = {.repeat = 60, .silent = N},
    [TRANSPORT_LATE] = {.late = true, .silent = N},
    [TRANSPORT_MALFORMED] = {.spoil = 100, .silent = N},
    [TRANSPORT_ALL_OF_IT] = {.delay = 7, .lose = 10, .repeat = 20, .spoil = 20, .late = true, .silent = N},
    [TRANSPORT_SILENT] = {.silent = 1, .silent_from = 12},
};

typedef struct letter {
    uint64_t at;
    size_t from, to, len;
    uint8_t *bytes;
} letter;

typedef struct trial {
    const transport *t;
    void *self;
    harm harm;
    uint64_t seed, now;
    mgc_ctx *ctx;
    mgc_model *model;
    mgc_agent *agent[N];
    mgc_agent_output out[N];
    letter *letter; /* held back */
    size_t n, cap;
    char *why;
    size_t size;
} trial;

/* xorshift: the same harm everywhere, whatever the machine. */
static uint32_t draw(trial *r, uint32_t below)
{
    r->seed ^= r->seed << 13;
    r->seed ^= r->seed >> 7;
    r->seed ^= r->seed << 17;
    return (uint32_t)((r->seed >> 20) % below);
}

static bool fail(trial *r, const char *what, const char *detail)
{
    if (r->why[0] == '\0') snprintf(r->why, r->size, "%s: %s", what, detail);
    return false;
}

/* --- the members ---------------------------------------------------------------------------------------------------------- */

#define TRY(call) do { if ((st = (call)) != MGC_OK) return st; } while (0)

static mgc_status fill_model(mgc_model *m)
{
    const double sun[2] = {300, 200}, demand[N] = {100, 100, 60};
    mgc_microgrid *site;
    mgc_device *device;
    mgc_link *link;
    mgc_status st;

    TRY(mgc_model_set_number(m, "buy_price_per_kwh", 0.3));
    TRY(mgc_model_set_number(m, "sell_price_per_kwh", 0.1));
    TRY(mgc_model_set_number(m, "realtime_buy_price_per_kwh", 0.4));
    TRY(mgc_model_set_number(m, "realtime_sell_price_per_kwh", 0.05));
    for (int i = 0; i < N; i++) {
        TRY(mgc_model_add_microgrid(m, ids[i], 1, &site));
        TRY(mgc_microgrid_add_device(site, "load", "town", &device));
        TRY(mgc_device_set_text(device, "carrier", "electricity"));
        TRY(mgc_device_set_number(device, "demand_kw", demand[i]));
        if (i > 0) continue;
        TRY(mgc_microgrid_add_device(site, "pv", "roof", &device));
        TRY(mgc_device_set_series(device, "available_kw", sun, 2));
    }
    for (int i = 0; i < N; i++) {
        TRY(mgc_model_add_link(m, ids[i], ids[(i + 1) % N], "electricity", &link));
        TRY(mgc_link_set_number(link, "capacity_kw", 40 + 10 * i));
        TRY(mgc_link_set_number(link, "fee_per_kwh", 0.01));
    }
    return MGC_OK;
}

static mgc_status make_agents(trial *r)
{
    mgc_agent_opts o;
    mgc_status st;

    TRY(mgc_ctx_create(NULL, &r->ctx));
    TRY(mgc_model_create(r->ctx, 2, 1.0, &r->model));
    TRY(fill_model(r->model));
    mgc_agent_opts_init(&o, sizeof o);
    o.run = 42;
    o.resend_ms = RESEND_MS;
    o.deadline_ms = DEADLINE_MS;
    for (size_t i = 0; i < N; i++)
        if (r->t == NULL || r->t->mine(r->self, i)) TRY(mgc_agent_create(r->ctx, r->model, ids[i], &o, &r->agent[i]));
    return MGC_OK;
}

static void free_trial(trial *r)
{
    for (size_t i = 0; i < N; i++) mgc_agent_destroy(r->agent[i]);
    for (size_t k = 0; k < r->n; k++) free(r->letter[k].bytes);
    free(r->letter);
    mgc_model_destroy(r->model);
    mgc_ctx_destroy(r->ctx);
}

static size_t index_of(const char *id)
{
    size_t i = 0;

    while (i < N && strcmp(ids[i], id) != 0) i++;
    return i;
}

/* --- harm ------------------------------------------------------------------------------------------------------------------ */

static bool hold(trial *r, uint64_t at, size_t from, size_t to, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len + 1);

    if (copy != NULL && r->n == r->cap) {
        size_t cap = 2 * r->cap + 64;
        letter *more = realloc(r->letter, cap * sizeof *more);
        if (more != NULL) {
            r->letter = more;
            r->cap = cap;
        }
    }
    if (copy == NULL || r->n == r->cap) {
        free(copy);
        return fail(r, "the suite", "out of memory");
    }
    memcpy(copy, bytes, len);
    r->letter[r->n++] = (letter){at, from, to, len, copy};
    return true;
}

static bool spoil(trial *r, size_t from, size_t to, const uint8_t *bytes, size_t len)
{
    bool ok = hold(r, r->now, from, to, bytes, len);
    letter *l = &r->letter[r->n - 1];

    if (!ok) return false;
    switch (draw(r, 3)) {
    case 0: l->bytes[draw(r, (uint32_t)len)] ^= (uint8_t)(1 + draw(r, 255)); break;
    case 1: l->len = draw(r, (uint32_t)len); break;
    default: l->from = (from + 1) % N == to ? (from + 2) % N : (from + 1) % N; break; /* another's word */
    }
    return true;
}

static bool say(trial *r, size_t from, const mgc_message *m)
{
    size_t to = index_of(m->to);
    const harm *h = &r->harm;
    bool ok = true;

    if (to == N) return fail(r, "an agent writes to a stranger", m->to);
    if (from == h->silent && r->now >= h->silent_from) return true;
    if (draw(r, 100) < h->spoil) ok = spoil(r, from, to, m->bytes, m->len);
    for (uint32_t copy = 0; ok && copy < 1 + (uint32_t)(draw(r, 100) < h->repeat); copy++)
        if (draw(r, 100) >= h->lose) ok = hold(r, r->now + draw(r, h->delay + 1), from, to, m->bytes, m->len);
    return ok && (!h->late || hold(r, r->now + LATE_TURNS, from, to, m->bytes, m->len));
}

/* Hand over what is due, in an order that changes. */
static bool post(trial *r)
{
    for (size_t i = 0; i < r->n;) {
        letter l = r->letter[i];
        bool carried;

        if (l.at > r->now) {
            i++;
            continue;
        }
        r->letter[i] = r->letter[--r->n];
        carried = r->t->send(r->self, l.from, l.to, l.bytes, l.len);
        free(l.bytes);
        if (!carried) return fail(r, r->t->name, "send refuses a message");
    }
    return true;
}

/* --- one run --------------------------------------------------------------------------------------------------------------- */

static bool poll(trial *r, bool *running)
{
    *running = false;
    for (size_t i = 0; i < N; i++) {
        if (r->agent[i] == NULL) continue;
        if (mgc_agent_poll(r->agent[i], r->now, &r->out[i]) != MGC_OK) return fail(r, "an agent fails", mgc_ctx_error(r->ctx));
        *running |= r->out[i].state == MGC_AGENT_RUNNING;
        for (size_t k = 0; k < r->out[i].n_messages; k++)
            if (!say(r, i, &r->out[i].messages[k])) return false;
    }
    return true;
}

static bool take(trial *r)
{
    size_t from, to, len;
    const uint8_t *bytes;

    while (r->t->next(r->self, &from, &to, &bytes, &len)) {
        if (from >= N || to >= N || r->agent[to] == NULL) return fail(r, r->t->name, "a message for somebody else");
        if (mgc_agent_receive(r->agent[to], r->now, ids[from], bytes, len) != MGC_OK) return fail(r, "an agent fails", mgc_ctx_error(r->ctx));
    }
    return true;
}

static bool run(trial *r)
{
    bool running = true, ok = true;

    for (r->now = 0; r->now < TURNS_MOST; r->now++) {
        ok = ok && poll(r, &running) && post(r);
        if (r->t->all(r->self, !ok || !running)) return ok;
        ok = ok && take(r);
    }
    return fail(r, r->t->name, "the agents do not come to an end");
}

/* --- in one process without any transport: what is to be agreed --------------------------------------------------------------- */

static bool reference(trial *r)
{
    for (uint64_t now = 0; now < TURNS_MOST; now++) {
        bool running = false;
        for (size_t i = 0; i < N; i++) {
            if (mgc_agent_poll(r->agent[i], now, &r->out[i]) != MGC_OK) return fail(r, "an agent fails", mgc_ctx_error(r->ctx));
            running |= r->out[i].state == MGC_AGENT_RUNNING;
            for (size_t k = 0; k < r->out[i].n_messages; k++) {
                const mgc_message *m = &r->out[i].messages[k];
                if (mgc_agent_receive(r->agent[index_of(m->to)], now, ids[i], m->bytes, m->len) != MGC_OK)
                    return fail(r, "an agent fails", mgc_ctx_error(r->ctx));
            }
        }
        if (!running) return true;
    }
    return fail(r, "the suite", "no agreement without a transport");
}

static bool same_agreement(trial *r, trial *want, size_t i)
{
    mgc_agreement a = {.struct_size = sizeof a}, b = {.struct_size = sizeof b};

    if (r->out[i].state != MGC_AGENT_AGREED) return fail(r, ids[i], r->out[i].reason);
    if (mgc_agent_agreement(r->agent[i], &a) != MGC_OK || mgc_agent_agreement(want->agent[i], &b) != MGC_OK || b.trades == 0)
        return fail(r, ids[i], "no agreement to read");
    if (a.len != b.len || memcmp(a.bytes, b.bytes, a.len) != 0 || memcmp(&a.final_cost, &b.final_cost, sizeof a.final_cost) != 0)
        return fail(r, ids[i], "agrees on other bytes than in one process");
    return true;
}

static bool names_the_silent(trial *r, size_t i)
{
    if (i == r->harm.silent) return true; /* it hears the others, and ends as it may */
    if (r->out[i].state != MGC_AGENT_SILENT || strstr(r->out[i].reason, ids[r->harm.silent]) == NULL ||
        strstr(r->out[i].reason, "in phase") == NULL)
        return fail(r, ids[i], r->out[i].reason);
    if (r->now > r->harm.silent_from + 3 * DEADLINE_MS) return fail(r, ids[i], "names the silent member too late");
    return true;
}

static bool counts_of(trial *r, int number, size_t i)
{
    mgc_agent_counts c = {.struct_size = sizeof c};

    if (mgc_agent_get_counts(r->agent[i], &c) != MGC_OK) return fail(r, ids[i], "no counts");
    if ((number == TRANSPORT_REPETITION || number == TRANSPORT_LATE) && c.duplicate == 0) return fail(r, ids[i], "saw nothing twice: is the transport silent about repetition?");
    if (number == TRANSPORT_MALFORMED && c.malformed + c.foreign == 0) return fail(r, ids[i], "refused nothing");
    return true;
}

/* Every process sends; whoever runs the receiver checks. */
static bool large(trial *r)
{
    static const size_t lengths[] = {MGC_AGENT_MESSAGE_MAX, 1, 70001, 0};
    uint8_t *bytes = malloc(MGC_AGENT_MESSAGE_MAX);
    size_t seen = 0, want = 0;
    bool ok = bytes != NULL || fail(r, "the suite", "out of memory");

    for (size_t from = 0; ok && from < N; from++)
        for (size_t k = 0; ok && k < sizeof lengths / sizeof *lengths; k++) {
            size_t to = (from + 1) % N;
            for (size_t b = 0; b < lengths[k]; b++) bytes[b] = (uint8_t)(b * 7 + from + k);
            want += r->t->mine(r->self, to);
            if (r->t->mine(r->self, from) && !r->t->send(r->self, from, to, bytes, lengths[k])) ok = fail(r, r->t->name, "send refuses a long message");
        }
    for (uint64_t turn = 0; turn < 2000; turn++) {
        size_t from, to, len;
        const uint8_t *got;
        bool end = r->t->all(r->self, !ok || seen == want);

        while (r->t->next(r->self, &from, &to, &got, &len)) {
            size_t k = 0;
            while (k < sizeof lengths / sizeof *lengths && lengths[k] != len) k++;
            if (k == sizeof lengths / sizeof *lengths || to != (from + 1) % N) ok = fail(r, r->t->name, "a message of another length or receiver");
            for (size_t b = 0; ok && b < len; b++)
                if (got[b] != (uint8_t)(b * 7 + from + k)) ok = fail(r, r->t->name, "other bytes than were sent");
            seen++;
        }
        if (end) break;
    }
    free(bytes);
    return ok && (seen == want || fail(r, r->t->name, "messages are missing, or too many"));
}

static bool try_once(const transport *t, int number, uint64_t seed, char *why, size_t size)
{
    trial r = {.t = t, .seed = 0x9e3779b97f4a7c15u * (seed + 1) + (uint64_t)number, .why = why, .size = size};
    trial want = {.why = why, .size = size};
    bool ok;

    why[0] = '\0';
    if (number < 0 || number >= TRANSPORT_CASES) return fail(&r, "the suite", "no such case");
    r.harm = harms[number];
    r.self = t->open(N);
    if (r.self == NULL) return fail(&r, t->name, "open answers NULL");
    ok = make_agents(&r) == MGC_OK || fail(&r, "the suite", mgc_ctx_error(r.ctx));
    if (number == TRANSPORT_LARGE) {
        ok = large(&r) && ok;
    } else {
        ok = run(&r) && ok;
        ok = ok && (number == TRANSPORT_SILENT || (make_agents(&want) == MGC_OK && reference(&want)));
        for (size_t i = 0; ok && i < N; i++) {
            if (r.agent[i] == NULL) continue;
            ok = number == TRANSPORT_SILENT ? names_the_silent(&r, i) : same_agreement(&r, &want, i) && counts_of(&r, number, i);
        }
    }
    free_trial(&r);
    free_trial(&want);
    t->close(r.self);
    return ok;
}

/* What is drawn decides which messages meet: a ring of three that each lost the one word it needs takes some tries. */
bool transport_conforms(const transport *t, int number, char *why, size_t size)
{
    bool drawn = number == TRANSPORT_LOSS || number == TRANSPORT_ALL_OF_IT, ok = true;

    for (uint64_t seed = 0; seed < (drawn ? SEEDS : 1); seed++) {
        char reason[256];
        if (try_once(t, number, seed, reason, sizeof reason) || !ok) continue; /* every process goes through all of them */
        snprintf(why, size, "%s", reason);
        ok = false;
    }
    if (ok) why[0] = '\0';
    return ok;
}
