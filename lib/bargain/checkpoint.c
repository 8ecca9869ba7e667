/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoint and resume.  An agent is a pure function of the messages it has taken, so what is kept is those messages, and to
 * resume is to take them again: every solve is repeated from the same start, so that the resumed run says the same bytes as an
 * uninterrupted one, warm starts of the solver and all.  A hash of what was said last proves it; on another machine or version
 * of the library the last digits may differ, and then the checkpoint is refused, since neighbours hold the old words.
 *
 *   {1: version 1, 2: run, 3: id, 4: digest of options and terms, 5: steps, 6: log as bytes, 7: hash of the words said last or 0}
 *   log, for each step and link end:  [stage, round, calm, last, [floods], [values]]; with a pool: [sender, message as bytes] as they came
 *
 * Cost: the time of the run so far.  A hash stops accidents; whoever can write a host's checkpoint is the host. */
#include "bargain/pool.h"
#include "codec/cbor.h"

enum { VERSION = 1 };
#define STEPS_MAX UINT64_C(10000000)

static uint64_t terms_digest(const mgc_agent *agent)
{
    uint64_t h = mgc__hash_uint(MGC__HASH_START, agent->digest);

    for (size_t e = 0; e < agent->n_ends; e++) h = mgc__hash_uint(h, agent->ends[e].terms.digest);
    return (uint64_t)mgc__hash_value(h);
}

static uint64_t said_last(const mgc_agent *agent)
{
    uint64_t h = MGC__HASH_START;

    if (agent->pool != NULL) return mgc__pool_said(agent);
    if (!agent->spoken) return 0;
    for (size_t e = 0; e < agent->n_ends; e++) {
        const mgc__sent *sent = &agent->ends[e].sent[agent->step % MGC__SENT_KEPT];
        h = mgc__hash_bytes(h, sent->bytes.bytes, sent->bytes.len);
    }
    return (uint64_t)mgc__hash_value(h);
}

/* --- writing ---------------------------------------------------------------------------------------------------------------- */

/* The answers of the step that is just over.  Should memory fail, the log stays failed and mgc_agent_save() says so. */
void mgc__checkpoint_note(mgc_agent *agent)
{
    mgc__cbor_writer w;

    if (!agent->opts.keep_log || agent->log.status != MGC_OK) return;
    mgc__cbor_to_buf(&w, &agent->log);
    for (size_t e = 0; e < agent->n_ends; e++) {
        const mgc__inbox *in = &agent->ends[e].inbox[agent->step & 1];

        mgc__cbor_put_array(&w, 6);
        mgc__cbor_put_uint(&w, in->stage);
        mgc__cbor_put_uint(&w, in->round);
        mgc__cbor_put_uint(&w, in->calm);
        mgc__cbor_put_uint(&w, in->last);
        mgc__cbor_put_array(&w, MGC__FLOODS);
        for (size_t i = 0; i < MGC__FLOODS; i++) mgc__cbor_put_int(&w, in->flood[i]);
        mgc__cbor_put_array(&w, in->n);
        for (size_t i = 0; i < in->n; i++) mgc__cbor_put_int(&w, in->values[i]);
    }
    if (agent->log.status == MGC_OK) agent->log.status = w.status;
    agent->logged++;
}

mgc_status mgc_agent_save(mgc_agent *agent, const uint8_t **bytes, size_t *len)
{
    mgc__cbor_writer w;

    if (agent == NULL || bytes == NULL || len == NULL) return MGC_E_INVALID_ARG;
    *bytes = NULL;
    *len = 0;
    if (!agent->opts.keep_log)
        return mgc__fail(agent->ctx, MGC_E_STATE, "bargain: %s keeps no log; the option keep_log must be 1", agent->id);
    if (agent->log.status != MGC_OK) return mgc__no_memory(agent->ctx, "bargain: the log of a run");
    mgc__buf_free(&agent->saved);
    mgc__buf_init(&agent->saved, agent->ctx, SIZE_MAX);
    mgc__cbor_to_buf(&w, &agent->saved);
    mgc__cbor_put_map(&w, 7);
    mgc__cbor_put_uint_at(&w, 1, VERSION);
    mgc__cbor_put_uint_at(&w, 2, agent->opts.run);
    mgc__cbor_put_text_at(&w, 3, agent->id, strlen(agent->id));
    mgc__cbor_put_uint_at(&w, 4, terms_digest(agent));
    mgc__cbor_put_uint_at(&w, 5, agent->logged);
    mgc__cbor_put_bytes_at(&w, 6, agent->log.bytes, agent->log.len);
    mgc__cbor_put_uint_at(&w, 7, said_last(agent));
    if (agent->saved.status != MGC_OK || w.status != MGC_OK) return mgc__no_memory(agent->ctx, "bargain: a checkpoint");
    *bytes = agent->saved.bytes;
    *len = agent->saved.len;
    return MGC_OK;
}

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

typedef struct header {
    uint64_t steps, said;
    const uint8_t *log;
    size_t log_len;
} header;

static mgc_status read_header(const mgc_agent *agent, const uint8_t *bytes, size_t len, header *h)
{
    mgc__cbor_reader r;
    const char *id;
    size_t id_len = 0;
    uint64_t run, digest;

    mgc__cbor_read(&r, bytes, len);
    mgc__cbor_get_map(&r, 7);
    mgc__cbor_get_key(&r, 1);
    if (mgc__cbor_get_uint(&r, UINT32_MAX) != VERSION) mgc__cbor_refuse(&r, MGC_E_VERSION, "another version");
    mgc__cbor_get_key(&r, 2);
    run = mgc__cbor_get_uint(&r, UINT64_MAX);
    mgc__cbor_get_key(&r, 3);
    id = mgc__cbor_get_text(&r, &id_len, MGC__ID_MAX);
    mgc__cbor_get_key(&r, 4);
    digest = mgc__cbor_get_uint(&r, UINT64_MAX);
    mgc__cbor_get_key(&r, 5);
    h->steps = mgc__cbor_get_uint(&r, STEPS_MAX);
    mgc__cbor_get_key(&r, 6);
    h->log = mgc__cbor_get_bytes(&r, &h->log_len, len);
    mgc__cbor_get_key(&r, 7);
    h->said = mgc__cbor_get_uint(&r, UINT64_MAX);
    if (mgc__cbor_finish(&r) != MGC_OK) return mgc__cbor_fail(agent->ctx, &r, "checkpoint");
    if (run != agent->opts.run || id_len != strlen(agent->id) || memcmp(id, agent->id, id_len) != 0 || digest != terms_digest(agent))
        return mgc__fail(agent->ctx, MGC_E_MESSAGE, "bargain: the checkpoint is of another run, member, or of other options or links than %s's",
                         agent->id);
    return MGC_OK;
}

/* One item of the log; `used` bytes were read. */
static mgc_status read_note(const uint8_t *at, size_t len, size_t *used, mgc__note *note, int64_t *values, size_t cap)
{
    mgc__cbor_reader r;

    mgc__cbor_read(&r, at, len);
    mgc__cbor_get_array_of(&r, 6);
    note->stage = (uint32_t)mgc__cbor_get_uint(&r, MGC__STAGE_LAST);
    note->round = (uint32_t)mgc__cbor_get_uint(&r, MGC__ROUND_MAX);
    note->calm = mgc__cbor_get_uint(&r, MGC__ROUND_MAX);
    note->last = mgc__cbor_get_uint(&r, MGC__ROUND_MAX);
    mgc__cbor_get_array_of(&r, MGC__FLOODS);
    for (size_t i = 0; i < MGC__FLOODS; i++) note->flood[i] = mgc__cbor_get_int(&r);
    note->n = (size_t)mgc__cbor_get_array(&r, cap);
    for (size_t i = 0; i < note->n && r.status == MGC_OK; i++) values[i] = mgc__cbor_get_int(&r);
    note->values = values;
    *used = (size_t)(r.at - r.begin);
    return r.status;
}

static mgc_status replay_step(mgc_agent *agent, const uint8_t **at, size_t *left)
{
    if (agent->pool != NULL) return mgc__pool_replay(agent, at, left);
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__note note = {.step = agent->step};
        size_t used;
        mgc_status st = read_note(*at, *left, &used, &note, agent->scratch, agent->scratch_n);

        if (st != MGC_OK) return mgc__fail(agent->ctx, st, "bargain: the checkpoint's log breaks off in step %llu", (unsigned long long)agent->step);
        if ((st = mgc__agent_hear(agent, &agent->ends[e], &note)) != MGC_OK) return st;
        *at += used;
        *left -= used;
    }
    return MGC_OK;
}

mgc_status mgc__checkpoint_replay(mgc_agent *agent, const uint8_t *bytes, size_t len)
{
    header h = {.steps = 0};
    mgc_status st = read_header(agent, bytes, len, &h);

    agent->opts.keep_log = 1;
    for (uint64_t s = 0; st == MGC_OK && s < h.steps; s++) {
        st = mgc__agent_advance(agent);
        if (st == MGC_OK && agent->log.status != MGC_OK) st = mgc__no_memory(agent->ctx, "bargain: the log of a run");
        if (st == MGC_OK && (agent->state != MGC_AGENT_RUNNING || agent->logged != s))
            st = mgc__fail(agent->ctx, MGC_E_MESSAGE, "bargain: the checkpoint's log does not fit %s: step %llu", agent->id, (unsigned long long)s + 1);
        if (st == MGC_OK) st = replay_step(agent, &h.log, &h.log_len);
    }
    if (st == MGC_OK) st = mgc__agent_advance(agent);
    if (st == MGC_OK && agent->log.status != MGC_OK) st = mgc__no_memory(agent->ctx, "bargain: the log of a run");
    if (st != MGC_OK) return st;
    if (h.log_len != 0 || agent->logged != h.steps || (h.said != 0 && h.said != said_last(agent)))
        return mgc__fail(agent->ctx, MGC_E_STATE, "bargain: %s says something else than before its checkpoint (another version or machine?)",
                         agent->id);
    agent->resumed = true;
    return MGC_OK;
}

mgc_status mgc_agent_restore(mgc_ctx *ctx, const mgc_model *model, const char *id, const mgc_agent_opts *opts, const uint8_t *bytes,
                             size_t len, mgc_agent **out)
{
    mgc_status st;

    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (bytes == NULL) return MGC_E_INVALID_ARG;
    if ((st = mgc_agent_create(ctx, model, id, opts, out)) != MGC_OK) return st;
    if ((st = mgc__checkpoint_replay(*out, bytes, len)) == MGC_OK) return MGC_OK;
    mgc_agent_destroy(*out);
    *out = NULL;
    return st;
}
