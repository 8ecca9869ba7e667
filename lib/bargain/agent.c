/* SPDX-License-Identifier: Apache-2.0 */
/* The agent: a pure state machine.  Time is told, bytes come in, bytes go out; what is said and learnt is in stage.c.
 *
 * One step of the run, at every member:
 *   1. prepare (solve), write one message for each link end, hand them out
 *   2. wait for one message of the same step over each link end
 *   3. listen: learn from them, which makes the next step
 *
 * A peer is at most one step ahead, since it cannot make step s + 1 without our message of step s.  So two places per link
 * end, chosen by the parity of the step, hold whatever may arrive, and order, repetition and delay of messages cannot matter.
 *
 *   message of an earlier step      duplicate
 *   sender says that it still waits our message of that step goes out once more
 *   message of a later step         more than one ahead: dropped, it will be sent again
 *   same step, other content        counted; the first one stands (both ends would otherwise hold different numbers)
 *   lost message                    sent again every resend_ms while waiting
 *   silence                         after deadline_ms the agent ends and names the peer and the phase */
#include <math.h>
#include <stdio.h>

#include "bargain/pool.h"
#include "dispatch/model.h"
#include "dispatch/site.h"

enum { MEMBERS_MAX = 8192, ROUND_LIMIT_MAX = 100000 };

static const mgc_agent_opts agent_defaults = {
    .struct_size = sizeof(mgc_agent_opts), .round_limit = 150, .weight = 1, .tolerance = 1e-4, .gap = 1e-4, .deadline_ms = 60000,
    .resend_ms = 1000,
};

void mgc_agent_opts_init(mgc_agent_opts *opts, size_t size)
{
    mgc__opts_init(opts, size, &agent_defaults, sizeof agent_defaults);
}

/* --- creating --------------------------------------------------------------------------------------------------------------- */

static mgc_status check_opts(mgc_ctx *ctx, const mgc_agent_opts *o)
{
    if (o->weights > MGC_WEIGHTS_CONTRIBUTION)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: weights is %u; must be one of MGC_WEIGHTS_...", o->weights);
    if (!isfinite(o->weight) || o->weight < 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: weight is %g; must be finite, >= 0", o->weight);
    if (!(o->tolerance > 0 && o->tolerance < 1))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: tolerance is %g; must be in (0, 1)", o->tolerance);
    if (!(o->gap >= 0 && o->gap < 1)) return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: gap is %g; must be in [0, 1)", o->gap);
    if (o->round_limit == 0 || o->round_limit > ROUND_LIMIT_MAX)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: round_limit is %u; must be 1..%d", o->round_limit, ROUND_LIMIT_MAX);
    if (o->members > MEMBERS_MAX)
        return mgc__fail(ctx, MGC_E_LIMIT, "bargain: members is %u; at most %d", o->members, MEMBERS_MAX);
    if (o->keep_log > 1 || o->reserved0 != 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: keep_log is %u, reserved0 %u; must be 0 or 1, and 0", o->keep_log, o->reserved0);
    if (o->deadline_ms == 0 || o->resend_ms == 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: deadline_ms and resend_ms must be > 0");
    if (o->reserved1 != 0) return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: reserved1 is %u; must be 0", o->reserved1);
    if ((o->roster == NULL) != (o->roster_n == 0))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: roster_n is %zu with roster %s; must be its length", o->roster_n,
                         o->roster == NULL ? "NULL" : "given");
    return MGC_OK;
}

/* What all members of a run must share, beside the terms of the links. */
static uint64_t options_digest(const mgc_agent_opts *o)
{
    uint64_t h = MGC__HASH_START;

    h = mgc__hash_uint(h, o->members);
    h = mgc__hash_uint(h, o->relax);
    h = mgc__hash_uint(h, o->weights);
    h = mgc__hash_uint(h, o->round_limit);
    return mgc__hash_double(h, o->tolerance);
}

static bool make_end(mgc_agent *agent, size_t e, size_t *offset)
{
    mgc__end *end = &agent->ends[e];
    size_t values = MGC__HELLO_VALUES + (size_t)agent->opts.members;

    end->terms = agent->terms[e];
    end->offset = *offset;
    end->count = (size_t)end->terms.dims * end->terms.periods;
    *offset += end->count;
    if (values < end->count) values = end->count;
    if (agent->scratch_n < values) agent->scratch_n = values;
    end->z = mgc__alloc(agent->ctx, end->count, sizeof *end->z);
    end->mu = mgc__alloc(agent->ctx, end->count, sizeof *end->mu);
    end->past = mgc__alloc(agent->ctx, 4 * end->count, sizeof *end->past);
    end->shown = mgc__alloc(agent->ctx, 2 * end->count, sizeof *end->shown);
    end->scale = mgc__alloc(agent->ctx, end->count, sizeof *end->scale);
    end->mine = mgc__alloc(agent->ctx, end->count, sizeof *end->mine);
    end->theirs = mgc__alloc(agent->ctx, end->count, sizeof *end->theirs);
    end->agreed = mgc__alloc(agent->ctx, end->count, sizeof *end->agreed);
    end->middle = mgc__alloc(agent->ctx, end->count, sizeof *end->middle);
    end->mean = mgc__alloc(agent->ctx, end->count, sizeof *end->mean);
    end->mean_mu = mgc__alloc(agent->ctx, end->count, sizeof *end->mean_mu);
    end->mean_left = mgc__alloc(agent->ctx, 2 * end->count, sizeof *end->mean_left);
    end->recent = mgc__alloc(agent->ctx, MGC__MEANS * end->count, sizeof *end->recent);
    for (size_t i = 0; i < 2; i++) {
        end->inbox[i].cap = end->count + MGC__HELLO_VALUES;
        end->inbox[i].values = mgc__alloc(agent->ctx, end->inbox[i].cap, sizeof *end->inbox[i].values);
    }
    for (size_t i = 0; i < MGC__SENT_KEPT; i++) mgc__buf_init(&end->sent[i].bytes, agent->ctx, MGC_AGENT_MESSAGE_MAX);
    mgc__buf_init(&end->nudge.bytes, agent->ctx, MGC_AGENT_MESSAGE_MAX);
    for (size_t i = 0; end->scale != NULL && i < end->count; i++) end->scale[i] = 1;
    return end->z != NULL && end->mu != NULL && end->past != NULL && end->shown != NULL && end->scale != NULL && end->mine != NULL &&
           end->theirs != NULL && end->agreed != NULL && end->middle != NULL && end->mean != NULL && end->mean_mu != NULL &&
           end->mean_left != NULL && end->recent != NULL && end->inbox[0].values != NULL && end->inbox[1].values != NULL;
}

static void join_peer(mgc_agent *agent, mgc__end *end)
{
    size_t p = 0;

    while (p < agent->n_peers && strcmp(agent->peers[p].id, end->terms.neighbour) != 0) p++;
    end->pair = p;
    if (p < agent->n_peers) return;
    agent->peers[p].id = end->terms.neighbour;
    agent->peers[p].first = strcmp(agent->id, end->terms.neighbour) < 0;
    agent->n_peers++;
}

/* Both ends must choose the same link to speak for the pair: the one of least carrier and ordinal. */
static void choose_speakers(mgc_agent *agent)
{
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        end->speaks_for_pair = true;
        for (size_t other = 0; other < agent->n_ends; other++) {
            const mgc__terms *a = &agent->ends[other].terms, *b = &end->terms;
            if (agent->ends[other].pair == end->pair &&
                (a->carrier < b->carrier || (a->carrier == b->carrier && a->ordinal < b->ordinal)))
                end->speaks_for_pair = false;
        }
    }
}

static mgc_status fill_agent(mgc_agent *agent, const mgc__terms *terms, size_t n)
{
    mgc_ctx *ctx = agent->ctx;
    size_t most = n * (MGC__SENT_KEPT + 1);

    if (mgc__terms_copy(ctx, terms, n, &agent->terms) != MGC_OK) return MGC_E_NO_MEMORY;
    agent->n_ends = n; /* terms and ends have one length from here on */
    agent->ends = mgc__alloc(ctx, n, sizeof *agent->ends);
    agent->peers = mgc__alloc(ctx, n, sizeof *agent->peers);
    agent->heard = mgc__alloc(ctx, agent->opts.members, sizeof *agent->heard);
    agent->fresh = mgc__alloc(ctx, agent->opts.members, sizeof *agent->fresh);
    agent->messages = mgc__alloc(ctx, most, sizeof *agent->messages);
    if (agent->ends == NULL || agent->peers == NULL || agent->heard == NULL || agent->fresh == NULL || agent->messages == NULL) return MGC_E_NO_MEMORY;
    for (size_t e = 0; e < n; e++) {
        agent->periods = terms[e].periods;
        if (!make_end(agent, e, &agent->coordinates)) return MGC_E_NO_MEMORY;
        join_peer(agent, &agent->ends[e]);
    }
    choose_speakers(agent);
    agent->scratch = mgc__alloc(ctx, agent->scratch_n, sizeof *agent->scratch);
    agent->x = mgc__alloc(ctx, agent->coordinates, sizeof *agent->x);
    agent->linear = mgc__alloc(ctx, agent->coordinates, sizeof *agent->linear);
    agent->quad = mgc__alloc(ctx, agent->coordinates, sizeof *agent->quad);
    agent->price_bound = mgc__alloc(ctx, 2 * agent->coordinates, sizeof *agent->price_bound);
    agent->sent_kw = mgc__alloc(ctx, 2 * n * agent->periods, sizeof *agent->sent_kw);
    agent->price = mgc__alloc(ctx, n * agent->periods * 2, sizeof *agent->price);
    if (agent->scratch == NULL || agent->x == NULL || agent->linear == NULL || agent->quad == NULL || agent->price_bound == NULL || agent->sent_kw == NULL ||
        agent->price == NULL)
        return MGC_E_NO_MEMORY;
    agent->price_relaxed = agent->price_bound + agent->coordinates;
    agent->label = agent->heard[0] = mgc__hash_value(mgc__hash_bytes(MGC__HASH_START, agent->id, strlen(agent->id)));
    agent->n_heard = 1;
    return MGC_OK;
}

mgc_status mgc__agent_make(mgc_ctx *ctx, const char *id, const mgc__terms *terms, size_t n, const mgc__local_ops *ops, void *local,
                           const mgc_agent_opts *opts, mgc_agent **out)
{
    mgc_agent *agent;
    mgc_status st;

    *out = NULL;
    agent = mgc__alloc(ctx, 1, sizeof *agent);
    if (agent == NULL) return mgc__no_memory(ctx, "bargain: an agent");
    agent->ctx = ctx;
    agent->opts = *opts;
    agent->id = mgc__strdup(ctx, id);
    agent->step = 1;
    agent->stage = MGC__STAGE_ALONE;
    agent->round = 1;
    agent->bound = -INFINITY;
    agent->inner_tolerance = 1e-6;
    agent->counts.struct_size = sizeof agent->counts;
    agent->digest = options_digest(opts);
    mgc__buf_init(&agent->bytes, ctx, SIZE_MAX);
    mgc__buf_init(&agent->start, ctx, SIZE_MAX);
    mgc__buf_init(&agent->log, ctx, SIZE_MAX);
    mgc__buf_init(&agent->saved, ctx, SIZE_MAX);
    if (agent->id == NULL || fill_agent(agent, terms, n) != MGC_OK) {
        mgc_agent_destroy(agent); /* local is not taken yet */
        return mgc__no_memory(ctx, "bargain: an agent");
    }
    if (opts->start != NULL && (st = mgc__start_read(agent, opts->start, opts->start_len)) != MGC_OK) {
        mgc_agent_destroy(agent);
        return st;
    }
    agent->opts.start = NULL; /* borrowed for the call only */
    agent->ops = ops;
    agent->local = local;
    *out = agent;
    return MGC_OK;
}

static void free_end(mgc_ctx *ctx, mgc__end *end)
{
    mgc__free(ctx, end->z);
    mgc__free(ctx, end->mu);
    mgc__free(ctx, end->past);
    mgc__free(ctx, end->shown);
    mgc__free(ctx, end->scale);
    mgc__free(ctx, end->mine);
    mgc__free(ctx, end->theirs);
    mgc__free(ctx, end->agreed);
    mgc__free(ctx, end->middle);
    mgc__free(ctx, end->mean);
    mgc__free(ctx, end->mean_mu);
    mgc__free(ctx, end->mean_left);
    mgc__free(ctx, end->recent);
    for (size_t i = 0; i < 2; i++) mgc__free(ctx, end->inbox[i].values);
    for (size_t i = 0; i < MGC__SENT_KEPT; i++) mgc__buf_free(&end->sent[i].bytes);
    mgc__buf_free(&end->nudge.bytes);
}

void mgc_agent_destroy(mgc_agent *agent)
{
    mgc_ctx *ctx;

    if (agent == NULL) return;
    ctx = agent->ctx;
    if (agent->ops != NULL) agent->ops->destroy(agent->local);
    for (size_t e = 0; agent->ends != NULL && e < agent->n_ends; e++)
        if (agent->ends[e].terms.neighbour != NULL) free_end(ctx, &agent->ends[e]);
    mgc__terms_free(ctx, agent->terms, agent->n_ends);
    mgc__pool_free(agent);
    mgc__free(ctx, agent->ends);
    mgc__free(ctx, agent->peers);
    mgc__free(ctx, agent->heard);
    mgc__free(ctx, agent->fresh);
    mgc__free(ctx, agent->messages);
    mgc__free(ctx, agent->scratch);
    mgc__free(ctx, agent->x);
    mgc__free(ctx, agent->linear);
    mgc__free(ctx, agent->quad);
    mgc__free(ctx, agent->price_bound);
    mgc__free(ctx, agent->sent_kw);
    mgc__free(ctx, agent->price);
    mgc__buf_free(&agent->bytes);
    mgc__buf_free(&agent->start);
    mgc__buf_free(&agent->log);
    mgc__buf_free(&agent->saved);
    mgc_plan_destroy(agent->plan);
    mgc_model_destroy(agent->model);
    mgc__free(ctx, agent->id);
    mgc__free(ctx, agent);
}

/* Microgrids of the model, and neighbours that it only names in links. */
static uint32_t named_members(const mgc_model *model)
{
    uint32_t n = mgc_model_microgrids(model), links = mgc_model_links(model);

    for (uint32_t i = 0; i < links; i++) {
        const char *end[2], *other[2], *carrier;
        if (mgc_model_link(model, i, &end[0], &end[1], &carrier) != MGC_OK) continue;
        for (int side = 0; side < 2; side++) {
            bool known = mgc_model_microgrid(model, end[side]) != NULL;
            for (uint32_t k = 0; k < i && !known; k++)
                known = mgc_model_link(model, k, &other[0], &other[1], &carrier) == MGC_OK &&
                        (strcmp(other[0], end[side]) == 0 || strcmp(other[1], end[side]) == 0);
            n += !known;
        }
    }
    return n;
}

/* Connected with a pool, or named in its roster; both kinds of links at once are refused. */
static mgc_status choose_kind(mgc_ctx *ctx, const char *id, const mgc__terms *terms, size_t n, const mgc_agent_opts *o, bool driven, bool *pool)
{
    size_t connections = 0;

    for (size_t i = 0; i < n; i++) connections += terms[i].pool;
    *pool = connections > 0 || (n == 0 && o->roster != NULL);
    if (*pool && o->secret == NULL && !driven)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: %s trades with a pool and has no secret; without one, whoever forwards its numbers "
                         "could read them", id);
    if (connections == 0 || connections == n) return MGC_OK;
    return mgc__fail(ctx, MGC_E_UNSUPPORTED, "bargain: %s has %zu links with the pool and %zu with members; must be of one kind", id,
                     connections, n - connections);
}

static mgc_status join_pool(mgc_agent *agent, const mgc_model *model, const mgc_agent_opts *o)
{
    size_t n = mgc_model_microgrids(model);
    const char **ids;
    mgc_status st;

    if (o->roster != NULL) {
        st = mgc__pool_attach(agent, o->roster, o->roster_n, o->secret, o->children);
    } else {
        ids = mgc__alloc(agent->ctx, n, sizeof *ids);
        if (ids == NULL) return mgc__no_memory(agent->ctx, "bargain: a pool");
        for (uint32_t i = 0; i < n; i++) ids[i] = mgc_model_microgrid_id(model, i);
        st = mgc__pool_attach(agent, ids, n, o->secret, o->children);
        mgc__free(agent->ctx, ids);
    }
    if (st == MGC_OK && o->start != NULL) st = mgc__pool_start_read(agent, o->start, o->start_len);
    return st;
}

static mgc_status make_kind(mgc_ctx *ctx, const mgc_model *model, const char *id, const mgc__terms *terms, size_t n, void *local,
                            const mgc_agent_opts *o, bool driven, mgc_agent **out)
{
    mgc_agent_opts own = *o;
    mgc_status st;
    bool pool;

    if ((st = choose_kind(ctx, id, terms, n, o, driven, &pool)) != MGC_OK) return st;
    if (pool) {
        own.start = NULL; /* of another form, and read once the pool is there */
        own.members = 1;  /* nobody is heard of on the way: the roster is known */
    }
    own.roster = NULL;    /* borrowed for the call only */
    own.secret = NULL;
    if ((st = mgc__agent_make(ctx, id, terms, n, &mgc__local_site_ops, local, &own, out)) != MGC_OK || !pool) return st;
    if ((st = join_pool(*out, model, o)) == MGC_OK) return MGC_OK;
    (*out)->ops = NULL; /* local is the caller's on failure */
    mgc_agent_destroy(*out);
    *out = NULL;
    return st;
}

static mgc_status create(mgc_ctx *ctx, const mgc_model *model, const char *id, const mgc_agent_opts *opts, bool driven, mgc_agent **out)
{
    mgc_agent_opts o = agent_defaults;
    mgc__terms *terms = NULL;
    mgc_model *own = NULL;
    void *local = NULL;
    size_t n = 0;
    mgc_status st;

    if (ctx == NULL || model == NULL || id == NULL || out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    st = mgc__opts_read(&o, sizeof o, MGC__FIRST_SIZE(mgc_agent_opts, reserved1), opts);
    if (st != MGC_OK) return mgc__fail(ctx, st, "bargain: opts.struct_size is not one this library knows");
    if ((st = check_opts(ctx, &o)) != MGC_OK) return st;
    if (mgc_model_microgrid(model, id) == NULL) return mgc__fail(ctx, MGC_E_NOT_FOUND, "bargain: the model has no microgrid %s", id);
    if ((st = mgc__terms_read(ctx, model, id, &terms, &n)) != MGC_OK) return st;
    if (o.members == 0) o.members = named_members(model);
    st = mgc__model_copy(ctx, model, id, &own);
    if (st == MGC_OK) st = mgc__local_site_create(ctx, own, id, &(mgc__local_opts){.relax = o.relax != 0, .gap = o.gap, .tolerance = 1e-8}, &local);
    if (st == MGC_OK) st = make_kind(ctx, model, id, terms, n, local, &o, driven, out);
    mgc__terms_free(ctx, terms, n);
    if (st == MGC_OK) {
        (*out)->model = own;
        return MGC_OK;
    }
    if (local != NULL) mgc__local_site_ops.destroy(local);
    mgc_model_destroy(own);
    return st;
}

mgc_status mgc_agent_create(mgc_ctx *ctx, const mgc_model *model, const char *id, const mgc_agent_opts *opts, mgc_agent **out)
{
    return create(ctx, model, id, opts, false, out);
}

mgc_status mgc__agent_drive(mgc_ctx *ctx, const mgc_model *model, const char *id, const mgc_agent_opts *opts, mgc_agent **out)
{
    mgc_status st = create(ctx, model, id, opts, true, out);

    if (st == MGC_OK) (*out)->driven = true;
    return st;
}

void mgc__agent_hurry(mgc_agent *agent)
{
    agent->hurry = true;
}

/* --- sending ---------------------------------------------------------------------------------------------------------------- */

static mgc__sent *kept(mgc__end *end, uint64_t step)
{
    return &end->sent[step % MGC__SENT_KEPT];
}

/* Into `sent`: what is said over this end in the present step. */
static mgc_status write_message(mgc_agent *agent, mgc__end *end, mgc__sent *sent, bool again)
{
    mgc__note note = {.run = agent->opts.run, .step = agent->step, .stage = agent->stage, .round = agent->round, .from = agent->id,
                      .to = end->terms.neighbour, .carrier = end->terms.carrier, .ordinal = end->terms.ordinal, .again = again};

    note.from_len = strlen(note.from);
    note.to_len = strlen(note.to);
    mgc__stage_speak(agent, end, &note, agent->scratch);
    sent->bytes.len = 0;
    mgc__note_write(&note, &sent->bytes);
    sent->step = agent->step;
    sent->due = true;
    if (sent->bytes.status == MGC_OK) return MGC_OK;
    mgc_status st = sent->bytes.status;
    mgc__buf_free(&sent->bytes); /* a buffer that failed stays failed: begin anew should the caller try again */
    mgc__buf_init(&sent->bytes, agent->ctx, MGC_AGENT_MESSAGE_MAX);
    return mgc__fail(agent->ctx, st, "bargain: a message of %zu numbers to %s cannot be written", note.n, note.to);
}

static mgc_status speak(mgc_agent *agent, uint64_t now_ms)
{
    mgc_status st = mgc__stage_prepare(agent);

    for (size_t e = 0; st == MGC_OK && agent->state == MGC_AGENT_RUNNING && e < agent->n_ends; e++)
        st = write_message(agent, &agent->ends[e], kept(&agent->ends[e], agent->step), false);
    if (st != MGC_OK) return st;
    agent->spoken = true;
    agent->since_ms = now_ms;
    agent->resend_ms = now_ms + agent->opts.resend_ms;
    return MGC_OK;
}

/* Messages that are due, oldest step first.  Their bytes stay until the step after the next is written. */
static void hand_out(mgc_agent *agent)
{
    agent->n_messages = 0;
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        for (size_t i = 0; i <= MGC__SENT_KEPT; i++) {
            mgc__sent *sent = i < MGC__SENT_KEPT ? kept(end, agent->step + 1 + i) : &end->nudge;
            if (!sent->due) continue;
            sent->due = false;
            agent->messages[agent->n_messages++] = (mgc_message){end->terms.neighbour, sent->bytes.bytes, sent->bytes.len};
        }
    }
    agent->counts.sent += agent->n_messages;
}

/* --- receiving -------------------------------------------------------------------------------------------------------------- */

static bool same_text(const char *text, size_t len, const char *other)
{
    return strlen(other) == len && memcmp(text, other, len) == 0;
}

static mgc__end *find_end(mgc_agent *agent, const mgc__note *note)
{
    for (size_t e = 0; e < agent->n_ends; e++) {
        const mgc__terms *t = &agent->ends[e].terms;
        if (t->carrier == note->carrier && t->ordinal == note->ordinal && same_text(note->from, note->from_len, t->neighbour))
            return &agent->ends[e];
    }
    return NULL;
}

/* Everything but `again`, which may differ between copies of one message. */
static uint64_t note_hash(const mgc__note *note)
{
    uint64_t h = mgc__hash_uint(MGC__HASH_START, note->step);

    h = mgc__hash_uint(h, note->stage);
    h = mgc__hash_uint(h, note->round);
    h = mgc__hash_uint(h, note->calm);
    h = mgc__hash_uint(h, note->last);
    for (size_t i = 0; i < MGC__FLOODS; i++) h = mgc__hash_uint(h, (uint64_t)note->flood[i]);
    return mgc__hash_bytes(h, note->values, note->n * sizeof *note->values);
}

static mgc_status keep(mgc_ctx *ctx, mgc__inbox *in, const mgc__note *note, uint64_t hash)
{
    if (!mgc__grow(ctx, (void **)&in->values, &in->cap, note->n, sizeof *in->values)) return mgc__no_memory(ctx, "bargain: a message");
    in->full = true;
    in->step = note->step;
    in->hash = hash;
    in->stage = note->stage;
    in->round = note->round;
    in->calm = note->calm;
    in->last = note->last;
    memcpy(in->flood, note->flood, sizeof in->flood);
    memcpy(in->values, note->values, note->n * sizeof *in->values);
    in->n = note->n;
    return MGC_OK;
}

static mgc_status take_note(mgc_agent *agent, mgc__end *end, const mgc__note *note)
{
    mgc__inbox *in = &end->inbox[note->step & 1];
    uint64_t hash = note_hash(note);

    /* Of the present step too: where three wait for each other in a ring, each has heard the one that waits for it. */
    if (note->again && kept(end, note->step)->step == note->step) kept(end, note->step)->due = true;
    if (note->step < agent->step) {
        agent->counts.duplicate++;
    } else if (note->step > agent->step + 1) {
        agent->counts.early++;
    } else if (!in->full) {
        mgc_status st = keep(agent->ctx, in, note, hash);
        if (st != MGC_OK) return st; /* as if it were lost: it will be sent again */
        agent->counts.accepted++;
    } else if (in->hash == hash) {
        agent->counts.duplicate++;
    } else {
        agent->counts.conflicting++;
    }
    return MGC_OK;
}

static size_t values_room(const mgc_agent *agent, const mgc__end *end)
{
    size_t hello = MGC__HELLO_VALUES + (size_t)agent->opts.members;

    return hello > end->count ? hello : end->count;
}

mgc_status mgc_agent_receive(mgc_agent *agent, uint64_t now_ms, const char *from, const uint8_t *bytes, size_t len)
{
    mgc__note note;
    mgc__end *end;

    (void)now_ms; /* a message has no time of its own; the deadline is poll's */
    if (agent == NULL || from == NULL || (bytes == NULL && len > 0)) return MGC_E_INVALID_ARG;
    if (agent->pool != NULL) return mgc__pool_receive(agent, now_ms, from, bytes, len);
    if (mgc__note_read(bytes, len, &note, agent->scratch, agent->scratch_n) != MGC_OK) {
        agent->counts.malformed++;
        return MGC_OK;
    }
    end = find_end(agent, &note);
    if (note.run != agent->opts.run || end == NULL || !same_text(note.from, note.from_len, from) ||
        !same_text(note.to, note.to_len, agent->id))
        agent->counts.foreign++;
    else if (note.step == 0 || !mgc__stage_talks(note.stage) || note.n > values_room(agent, end))
        agent->counts.malformed++;
    else
        return take_note(agent, end, &note);
    return MGC_OK;
}

/* --- stepping ----------------------------------------------------------------------------------------------------------------- */

/* Is this what the present step asks for?  Only now is it known what that is. */
static bool fits(const mgc_agent *agent, const mgc__end *end, const mgc__inbox *in)
{
    size_t want = mgc__stage_values(agent, end, agent->stage, agent->round);

    if (in->stage != agent->stage || in->round != agent->round) return false;
    if (want == SIZE_MAX ? in->n < MGC__HELLO_VALUES || in->n > MGC__HELLO_VALUES + (size_t)agent->opts.members : in->n != want) return false;
    if (agent->stage != MGC__STAGE_RELAXED && agent->stage != MGC__STAGE_FIXED && (agent->stage != MGC__STAGE_TIES || in->n < end->count))
        return true;
    for (size_t i = 0; i < in->n; i++) {
        double x = (double)in->values[i], most = end->terms.capacity_kw[i % end->terms.periods] * MGC__KW + 1;
        if (x > most || x < (end->terms.dims == 1 ? -most : -1)) return false;
    }
    return true;
}

static bool answered(mgc_agent *agent)
{
    bool all = true;

    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__inbox *in = &agent->ends[e].inbox[agent->step & 1];
        if (in->full && (in->step != agent->step || !fits(agent, &agent->ends[e], in))) {
            in->full = false;
            agent->counts.malformed++;
        }
        all &= in->full;
    }
    return all;
}

static mgc_status step_on(mgc_agent *agent)
{
    mgc_status st = mgc__stage_listen(agent);

    if (st != MGC_OK) return st;
    mgc__checkpoint_note(agent);
    for (size_t e = 0; e < agent->n_ends; e++) agent->ends[e].inbox[agent->step & 1].full = false;
    agent->step++;
    agent->spoken = false;
    return MGC_OK;
}

mgc_status mgc__agent_finish(mgc_agent *agent)
{
    mgc_status st = MGC_OK;

    if (!agent->driven && agent->model != NULL && agent->plan == NULL) {
        mgc__site *site = mgc__local_site(agent->local);
        st = mgc__plan_from_sites(agent->ctx, agent->model, &site, 1, &agent->plan);
    }
    if (st == MGC_OK && !agent->driven) st = mgc__agent_bound(agent);
    if (st == MGC_OK) st = mgc__agent_close(agent);
    if (st != MGC_OK) return st;
    agent->stage = MGC__STAGE_DONE;
    mgc__agent_end(agent, MGC_AGENT_AGREED, agent->no_trade ? "no trade: cooperation would not pay" : agent->at_limit
                   ? "agreed at the limit of rounds" : "agreed");
    return MGC_OK;
}

/* As far as it goes without another message. */
static mgc_status advance(mgc_agent *agent, uint64_t now_ms)
{
    mgc_status st = MGC_OK;

    while (st == MGC_OK && agent->state == MGC_AGENT_RUNNING) {
        if (agent->stage == MGC__STAGE_BOUND)
            st = mgc__agent_finish(agent);
        else if (!mgc__stage_talks(agent->stage))
            st = mgc__stage_prepare(agent);
        else if (!agent->spoken)
            st = speak(agent, now_ms);
        else if (answered(agent))
            st = step_on(agent);
        else
            break;
    }
    return st;
}

mgc_status mgc__agent_advance(mgc_agent *agent)
{
    return agent->pool != NULL ? mgc__pool_advance(agent, 0) : advance(agent, 0);
}

mgc_status mgc__agent_hear(mgc_agent *agent, mgc__end *end, const mgc__note *note)
{
    return take_note(agent, end, note);
}

static mgc_status wait_on(mgc_agent *agent, uint64_t now_ms)
{
    mgc_status st = MGC_OK;

    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        if (end->inbox[agent->step & 1].full) continue;
        if (now_ms - agent->since_ms >= agent->opts.deadline_ms && agent->state == MGC_AGENT_RUNNING)
            mgc__agent_end(agent, MGC_AGENT_SILENT, "%s is silent: no word in phase %s, round %u, for %llu ms", end->terms.neighbour,
                           mgc_phase_name(mgc__agent_phase(agent)), agent->round,
                           (unsigned long long)(now_ms - agent->since_ms));
        if (now_ms >= agent->resend_ms && st == MGC_OK) st = write_message(agent, end, &end->nudge, true);
    }
    if (now_ms >= agent->resend_ms) agent->resend_ms = now_ms + agent->opts.resend_ms;
    return st;
}

static uint64_t wake_time(const mgc_agent *agent)
{
    uint64_t deadline = agent->since_ms + agent->opts.deadline_ms;

    if (agent->state != MGC_AGENT_RUNNING) return UINT64_MAX;
    return deadline < agent->resend_ms ? deadline : agent->resend_ms;
}

mgc_status mgc_agent_poll(mgc_agent *agent, uint64_t now_ms, mgc_agent_output *out)
{
    mgc_status st;

    if (agent == NULL || out == NULL) return MGC_E_INVALID_ARG;
    if (agent->pool != NULL) return mgc__pool_poll(agent, now_ms, out);
    if (agent->resumed) { /* its words may have been lost with it: said again at once */
        agent->since_ms = agent->resend_ms = now_ms;
        agent->resumed = false;
    }
    st = advance(agent, now_ms);
    if (st == MGC_OK && agent->state == MGC_AGENT_RUNNING) st = wait_on(agent, now_ms);
    hand_out(agent);
    *out = (mgc_agent_output){.messages = agent->messages, .n_messages = agent->n_messages, .wake_ms = wake_time(agent),
                              .state = agent->state, .phase = mgc__agent_phase(agent), .round = agent->round,
                              .reason = agent->reason, .primal = agent->turn.primal, .dual = agent->turn.dual};
    return st;
}

mgc_status mgc_agent_get_counts(const mgc_agent *agent, mgc_agent_counts *counts)
{
    if (agent == NULL || counts == NULL) return MGC_E_INVALID_ARG;
    return mgc__info_write(counts, &agent->counts, sizeof agent->counts, MGC__FIRST_SIZE(mgc_agent_counts, sent));
}
