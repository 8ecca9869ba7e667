/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a pool (pool.h): one sum over all members in each step.
 *
 *   word of an earlier step     a child that lost the total: the total once more
 *   lost word                   asked for every resend_ms by whoever waits for it
 *   waiting for who waits       answered by "alive", so that only the silent are called silent
 *   silence                     after deadline_ms the agent ends, names the peer and the phase, and tells its own peers, which
 *                               end with the same name
 *
 * A child is at most one step behind its parent: it has the total of a step only from there, and the parent cannot go on without
 * the child's word.  So one place for each peer's word of the present step, and the total of the last step, are enough. */
#include <stdio.h>

#include "bargain/pool.h"
#include "codec/cbor.h"
#include "crypto/crypto.h"
#include "mgchain/crypto.h"

enum { SEED_WORDS = 8, END_WORDS = 1 + (MGC__ID_MAX + 6) / 7, PATIENCE = 10 };
#define MODULUS (UINT64_C(1) << 62)

/* --- creating ---------------------------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool make_sum(mgc_ctx *ctx, size_t width, mgc__pool_sum *sum)
{
    sum->values = mgc__alloc(ctx, width, sizeof *sum->values);
    return sum->values != NULL;
}

static mgc_status check_roster(mgc_agent *agent, const char *const *sorted, size_t n, size_t *me)
{
    *me = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(sorted[i]);
        if (len < 1 || len > MGC__ID_MAX)
            return mgc__fail(agent->ctx, MGC_E_INVALID_ARG, "bargain: an id of the roster has %zu bytes; must be 1..%d", len, MGC__ID_MAX);
        if (i > 0 && strcmp(sorted[i - 1], sorted[i]) == 0)
            return mgc__fail(agent->ctx, MGC_E_EXISTS, "bargain: the roster names %s twice", sorted[i]);
        if (strcmp(sorted[i], agent->id) == 0) *me = i;
    }
    if (*me != SIZE_MAX) return MGC_OK;
    return mgc__fail(agent->ctx, MGC_E_NOT_FOUND, "bargain: the roster does not name %s itself", agent->id);
}

/* What `place` is to us; false: nobody whom we talk to. */
static bool relate(const mgc__pool *pool, size_t place, size_t children, mgc__pool_peer *peer)
{
    if (place == pool->me) return false;
    peer->parent = pool->me > 0 && place == (pool->me - 1) / children;
    peer->child = place > 0 && (place - 1) / children == pool->me;
    peer->successor = place == (pool->me + 1) % pool->n;
    peer->predecessor = pool->me == (place + 1) % pool->n;
    return peer->parent || peer->child || peer->successor || peer->predecessor;
}

static bool make_peer(mgc_ctx *ctx, const mgc__pool *pool, const char *id, mgc__pool_peer *peer)
{
    peer->id = mgc__strdup(ctx, id);
    for (size_t w = 0; w < MGC__POOL_WORDS; w++) mgc__buf_init(&peer->out[w], ctx, MGC_AGENT_MESSAGE_MAX);
    return peer->id != NULL && make_sum(ctx, pool->width, &peer->word);
}

/* Fresh for every run, roster and pair: the difference of two offers under one mask would be plain. */
static mgc_status make_seed(mgc__pool *pool, const mgc_agent *agent, const uint8_t *secret)
{
    static const char tag[] = "mgchain-pool-seed-1";
    uint8_t text[sizeof tag - 1 + MGC__POOL_SEED + 16 + MGC__ID_MAX];
    size_t len = 0, id_len = strlen(agent->id);

    memcpy(text, tag, sizeof tag - 1);
    len += sizeof tag - 1;
    memcpy(text + len, secret, MGC__POOL_SEED);
    len += MGC__POOL_SEED;
    for (int i = 0; i < 8; i++) text[len++] = (uint8_t)(agent->opts.run >> (8 * i));
    for (int i = 0; i < 8; i++) text[len++] = (uint8_t)(pool->roster >> (8 * i));
    memcpy(text + len, agent->id, id_len);
    return mgc_sha256(text, len + id_len, pool->seed_out);
}

static mgc_status make_peers(mgc_agent *agent, mgc__pool *pool, const char *const *sorted, size_t children)
{
    mgc_ctx *ctx = agent->ctx;
    size_t n = 0;

    for (size_t i = 0; i < pool->n; i++) {
        mgc__pool_peer peer = {.id = NULL};
        n += relate(pool, i, children, &peer);
    }
    pool->parent = SIZE_MAX;
    pool->peer = mgc__alloc(ctx, n, sizeof *pool->peer);
    if (pool->peer == NULL) return mgc__no_memory(ctx, "bargain: a pool");
    for (size_t i = 0; i < pool->n; i++) {
        mgc__pool_peer *peer = &pool->peer[pool->n_peers];
        if (pool->n_peers == n || !relate(pool, i, children, peer)) continue;
        if (peer->parent) pool->parent = pool->n_peers;
        pool->n_peers++;
        if (!make_peer(ctx, pool, sorted[i], peer)) return mgc__no_memory(ctx, "bargain: a pool");
    }
    mgc__free(ctx, agent->messages);
    agent->messages = mgc__alloc(ctx, n * MGC__POOL_WORDS, sizeof *agent->messages);
    return agent->messages == NULL ? mgc__no_memory(ctx, "bargain: a pool") : MGC_OK;
}

static mgc_status make_markets(mgc_agent *agent, mgc__pool *pool)
{
    for (size_t c = 0; c < MGC__COUNT(pool->market); c++) {
        mgc__market *m = &pool->market[c];
        m->end = SIZE_MAX;
        m->y = mgc__alloc(agent->ctx, agent->periods, sizeof *m->y);
        if (m->y == NULL) return mgc__no_memory(agent->ctx, "bargain: a pool");
    }
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__market *m = &pool->market[agent->ends[e].terms.carrier];
        if (m->end != SIZE_MAX)
            return mgc__fail(agent->ctx, MGC_E_INVALID_ARG, "bargain: %s has two connections of one carrier with the pool; must be one",
                             agent->id);
        if (!agent->ends[e].terms.first)
            return mgc__fail(agent->ctx, MGC_E_INVALID_ARG, "bargain: link %u names the pool first; must name the member %s first",
                             agent->ends[e].terms.link, agent->id);
        m->end = e;
    }
    return MGC_OK;
}

/* Room for what is heard as well as for what is said. */
static mgc_status make_room(mgc_agent *agent, mgc__pool *pool)
{
    size_t width = 6 * agent->periods + 16;

    pool->width = width > END_WORDS ? width : END_WORDS;
    mgc__free(agent->ctx, agent->scratch);
    agent->scratch_n = pool->width;
    agent->scratch = mgc__alloc(agent->ctx, agent->scratch_n, sizeof *agent->scratch);
    if (agent->scratch == NULL || !make_sum(agent->ctx, pool->width, &pool->up) || !make_sum(agent->ctx, pool->width, &pool->total) ||
        !make_sum(agent->ctx, pool->width, &pool->last))
        return mgc__no_memory(agent->ctx, "bargain: a pool");
    return MGC_OK;
}

static mgc_status fill(mgc_agent *agent, mgc__pool *pool, const char **sorted, const uint8_t *secret, size_t children)
{
    mgc_status st;

    qsort(sorted, pool->n, sizeof *sorted, by_text);
    if ((st = check_roster(agent, sorted, pool->n, &pool->me)) != MGC_OK) return st;
    pool->roster = MGC__HASH_START;
    for (size_t i = 0; i < pool->n; i++) pool->roster = mgc__hash_bytes(pool->roster, sorted[i], strlen(sorted[i]) + 1);
    pool->has_secret = secret != NULL;
    if (secret != NULL && (st = make_seed(pool, agent, secret)) != MGC_OK) return st;
    if ((st = make_room(agent, pool)) != MGC_OK) return st;
    if ((st = make_markets(agent, pool)) != MGC_OK) return st;
    agent->digest = mgc__hash_uint(mgc__hash_uint(mgc__hash_uint(agent->digest, pool->roster), agent->periods), children);
    return make_peers(agent, pool, sorted, children);
}

mgc_status mgc__pool_attach(mgc_agent *agent, const char *const *roster, size_t n, const uint8_t *secret, uint32_t children)
{
    const char **sorted;
    mgc_status st;

    if (n < 1 || n > MGC__POOL_MEMBERS_MAX)
        return mgc__fail(agent->ctx, MGC_E_LIMIT, "bargain: the roster has %zu members; must be 1..%d", n, MGC__POOL_MEMBERS_MAX);
    if (agent->periods > MGC__POOL_PERIODS_MAX)
        return mgc__fail(agent->ctx, MGC_E_LIMIT, "bargain: %zu periods; a pool takes at most %d", agent->periods, MGC__POOL_PERIODS_MAX);
    sorted = mgc__alloc(agent->ctx, n, sizeof *sorted);
    agent->pool = mgc__alloc(agent->ctx, 1, sizeof *agent->pool);
    if (sorted == NULL || agent->pool == NULL) {
        mgc__free(agent->ctx, sorted);
        return mgc__no_memory(agent->ctx, "bargain: a pool");
    }
    for (size_t i = 0; i < n; i++) sorted[i] = roster[i];
    agent->pool->n = n;
    agent->pool->seeded = n == 1; /* nobody to wait for */
    st = fill(agent, agent->pool, sorted, secret, children == 0 ? MGC__POOL_CHILDREN : children);
    mgc__free(agent->ctx, sorted);
    return st;
}

void mgc__pool_free(mgc_agent *agent)
{
    mgc_ctx *ctx = agent->ctx;
    mgc__pool *pool = agent->pool;

    if (pool == NULL) return;
    for (size_t p = 0; p < pool->n_peers; p++) {
        mgc__free(ctx, pool->peer[p].id);
        mgc__free(ctx, pool->peer[p].word.values);
        for (size_t w = 0; w < MGC__POOL_WORDS; w++) mgc__buf_free(&pool->peer[p].out[w]);
    }
    mgc__free(ctx, pool->peer);
    for (size_t c = 0; c < MGC__COUNT(pool->market); c++) mgc__free(ctx, pool->market[c].y);
    mgc__free(ctx, pool->up.values);
    mgc__free(ctx, pool->total.values);
    mgc__free(ctx, pool->last.values);
    mgc__wipe(pool->seed_out, sizeof pool->seed_out);
    mgc__wipe(pool->seed_in, sizeof pool->seed_in);
    mgc__free(ctx, pool);
    agent->pool = NULL;
}

/* --- masks -------------------------------------------------------------------------------------------------------------------- */

int64_t mgc__pool_wrap(uint64_t x)
{
    x &= MODULUS - 1;
    return x < MODULUS / 2 ? (int64_t)x : (int64_t)x - (int64_t)MODULUS;
}

/* values += sign * H(seed, step, block): SHA-256 of 44 bytes, all of one length, gives four numbers. */
static mgc_status add_mask(const uint8_t *seed, uint64_t step, bool plus, int64_t *values, size_t n)
{
    uint8_t text[MGC__POOL_SEED + 12], hash[32];

    memcpy(text, seed, MGC__POOL_SEED);
    for (int i = 0; i < 8; i++) text[MGC__POOL_SEED + i] = (uint8_t)(step >> (8 * i));
    for (size_t i = 0; i < n; i++) {
        uint64_t word = 0;
        if (i % 4 == 0) {
            mgc_status st;
            for (int k = 0; k < 4; k++) text[MGC__POOL_SEED + 8 + k] = (uint8_t)(i / 4 >> (8 * k));
            if ((st = mgc_sha256(text, sizeof text, hash)) != MGC_OK) return st;
        }
        for (int k = 0; k < 8; k++) word |= (uint64_t)hash[i % 4 * 8 + (size_t)k] << (8 * k);
        values[i] = mgc__pool_wrap((uint64_t)values[i] + (plus ? word : UINT64_C(0) - word));
    }
    mgc__wipe(text, sizeof text);
    return MGC_OK;
}

static mgc_status mask(const mgc_agent *agent, mgc__pool_sum *sum)
{
    const mgc__pool *pool = agent->pool;
    mgc_status st = MGC_OK;

    if (pool->has_secret) st = add_mask(pool->seed_out, agent->step, true, sum->values, sum->n);
    if (st == MGC_OK && pool->masks_in) st = add_mask(pool->seed_in, agent->step, false, sum->values, sum->n);
    return st;
}

/* --- saying ------------------------------------------------------------------------------------------------------------------- */

static size_t end_words(const mgc_agent *agent, int64_t *values)
{
    size_t len = strlen(agent->pool->culprit);

    values[0] = agent->state;
    for (size_t i = 0; i < (len + 6) / 7; i++) {
        values[1 + i] = 0;
        for (size_t k = 0; k < 7 && 7 * i + k < len; k++)
            values[1 + i] |= (int64_t)((uint64_t)(uint8_t)agent->pool->culprit[7 * i + k] << (8 * k));
    }
    return 1 + (len + 6) / 7;
}

static void take_sum(mgc__note *note, const mgc__pool_sum *sum)
{
    note->step = sum->step;
    note->stage = sum->stage;
    note->round = sum->round;
    note->values = sum->values;
    note->n = sum->n;
    memcpy(note->flood, sum->flood, sizeof note->flood);
}

static mgc_status write_word(mgc_agent *agent, mgc__pool_peer *peer, uint32_t word)
{
    mgc__pool *pool = agent->pool;
    mgc__note note = {.run = agent->opts.run, .step = agent->step, .stage = agent->stage, .round = agent->round, .from = agent->id,
                      .to = peer->id, .carrier = MGC__POOL_LINK, .ordinal = word, .values = agent->scratch};
    mgc__buf *out = &peer->out[word];

    note.from_len = strlen(note.from);
    note.to_len = strlen(note.to);
    if (word == MGC__POOL_UP) take_sum(&note, &pool->up);
    if (word == MGC__POOL_DOWN) take_sum(&note, &pool->last);
    if (word == MGC__POOL_SEED_WORD || (word == MGC__POOL_ASK && peer->predecessor && !pool->seeded)) note.step = 0;
    if (word == MGC__POOL_SEED_WORD)
        for (note.n = 0; note.n < SEED_WORDS; note.n++) {
            uint64_t x = 0;
            for (size_t k = 0; k < 4; k++) x |= (uint64_t)pool->seed_out[4 * note.n + k] << (8 * k);
            agent->scratch[note.n] = (int64_t)x;
        }
    if (word == MGC__POOL_END) note.n = end_words(agent, agent->scratch);
    out->len = 0;
    mgc__note_write(&note, out);
    if (out->status == MGC_OK) return MGC_OK;
    mgc_status st = out->status;
    mgc__buf_free(out); /* a buffer that failed stays failed: begin anew should the caller try again */
    mgc__buf_init(out, agent->ctx, MGC_AGENT_MESSAGE_MAX);
    return mgc__fail(agent->ctx, st, "bargain: a message of %zu numbers to %s cannot be written", note.n, peer->id);
}

static mgc_status hand_out(mgc_agent *agent)
{
    mgc__pool *pool = agent->pool;

    agent->n_messages = 0;
    for (size_t p = 0; p < pool->n_peers; p++)
        for (uint32_t w = 0; w < MGC__POOL_WORDS; w++) {
            mgc__pool_peer *peer = &pool->peer[p];
            if (!peer->due[w]) continue;
            mgc_status st = write_word(agent, peer, w);
            if (st != MGC_OK) return st;
            peer->due[w] = false;
            agent->messages[agent->n_messages++] = (mgc_message){peer->id, peer->out[w].bytes, peer->out[w].len};
        }
    agent->counts.sent += agent->n_messages;
    return MGC_OK;
}

/* Whoever ends without an agreement tells its peers, once: should the word be lost, their own patience ends too. */
static void tell_end(mgc_agent *agent)
{
    mgc__pool *pool = agent->pool;

    if (agent->state == MGC_AGENT_RUNNING || agent->state == MGC_AGENT_AGREED || agent->state == MGC_AGENT_INFEASIBLE || pool->told) return;
    pool->told = true;
    for (size_t p = 0; p < pool->n_peers; p++) pool->peer[p].due[MGC__POOL_END] = true;
}

/* --- hearing ------------------------------------------------------------------------------------------------------------------ */

static bool same_text(const char *text, size_t len, const char *other)
{
    return strlen(other) == len && memcmp(text, other, len) == 0;
}

static mgc__pool_peer *find_peer(mgc__pool *pool, const char *id)
{
    size_t low = 0, high = pool->n_peers;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(pool->peer[middle].id, id) < 0) low = middle + 1;
        else high = middle;
    }
    return low < pool->n_peers && strcmp(pool->peer[low].id, id) == 0 ? &pool->peer[low] : NULL;
}

static uint64_t word_hash(const mgc__note *note)
{
    uint64_t h = mgc__hash_uint(mgc__hash_uint(mgc__hash_uint(MGC__HASH_START, note->step), note->stage), note->round);

    h = mgc__hash_bytes(h, note->flood, sizeof note->flood);
    return mgc__hash_bytes(h, note->values, note->n * sizeof *note->values);
}

/* Messages that were taken in, as they came: [sender's id, bytes]. */
static void keep_log(mgc_agent *agent, const char *from, const uint8_t *bytes, size_t len)
{
    mgc__cbor_writer w;

    agent->counts.accepted++;
    if (!agent->opts.keep_log || agent->log.status != MGC_OK) return;
    mgc__cbor_to_buf(&w, &agent->log);
    mgc__cbor_put_array(&w, 2);
    mgc__cbor_put_text(&w, from, strlen(from));
    mgc__cbor_put_bytes(&w, bytes, len);
    if (agent->log.status == MGC_OK) agent->log.status = w.status;
    agent->logged++;
}

/* true: a new word of the present step. */
static bool take_word(mgc_agent *agent, mgc__pool_peer *peer, const mgc__note *note)
{
    uint64_t hash = word_hash(note);

    if (note->step != agent->step) {
        agent->counts.duplicate += note->step < agent->step;
        agent->counts.early += note->step > agent->step;
        return false;
    }
    if (peer->full) {
        agent->counts.duplicate += peer->hash == hash;
        agent->counts.conflicting += peer->hash != hash;
        return false;
    }
    if (note->n > agent->pool->width) {
        agent->counts.malformed++;
        return false;
    }
    peer->full = true;
    peer->hash = hash;
    peer->word.step = note->step;
    peer->word.stage = note->stage;
    peer->word.round = note->round;
    peer->word.n = note->n;
    memcpy(peer->word.values, note->values, note->n * sizeof *note->values);
    memcpy(peer->word.flood, note->flood, sizeof note->flood);
    return true;
}

static bool take_seed(mgc_agent *agent, const mgc__note *note)
{
    mgc__pool *pool = agent->pool;

    if (pool->seeded) {
        agent->counts.duplicate++;
        return false;
    }
    for (size_t i = 0; i < SEED_WORDS; i++) {
        if (note->n != SEED_WORDS || note->values[i] < 0 || note->values[i] > (int64_t)UINT32_MAX) {
            agent->counts.malformed++;
            return false;
        }
        for (size_t k = 0; k < 4; k++) pool->seed_in[4 * i + k] = (uint8_t)((uint64_t)note->values[i] >> (8 * k));
        pool->masks_in |= note->values[i] != 0;
    }
    pool->seeded = true;
    return true;
}

/* A parent or child says that the run is over. */
static bool take_end(mgc_agent *agent, const mgc__pool_peer *peer, const mgc__note *note)
{
    mgc__pool *pool = agent->pool;
    size_t len = 0;

    if (agent->state != MGC_AGENT_RUNNING || note->n < 1 || note->n > END_WORDS || note->values[0] < MGC_AGENT_SILENT ||
        note->values[0] > MGC_AGENT_CANCELLED) {
        agent->counts.malformed += agent->state == MGC_AGENT_RUNNING;
        return false;
    }
    for (size_t i = 1; i < note->n; i++)
        for (size_t k = 0; k < 7; k++) {
            char c = (char)((uint64_t)note->values[i] >> (8 * k) & 0x7f);
            if (c > ' ' && len < MGC__ID_MAX) pool->culprit[len++] = c;
        }
    pool->culprit[len] = '\0';
    mgc__agent_end(agent, (uint32_t)note->values[0], "%s %s, says %s", pool->culprit,
                   note->values[0] == MGC_AGENT_SILENT ? "is silent" : note->values[0] == MGC_AGENT_CANCELLED ? "was cancelled"
                   : "holds other terms", peer->id);
    return true;
}

/* To answer what is asked: the word if it is made, else that we wait ourselves. */
static void answer_ask(mgc_agent *agent, mgc__pool_peer *peer, const mgc__note *note)
{
    if (note->step == 0 && peer->successor) peer->due[MGC__POOL_SEED_WORD] = true;
    else if (peer->parent && agent->pool->gathered && note->step == agent->step) peer->due[MGC__POOL_UP] = true;
    else peer->due[MGC__POOL_ALIVE] = true;
}

static void take_up(mgc_agent *agent, mgc__pool_peer *peer, const mgc__note *note, bool *kept)
{
    mgc__pool *pool = agent->pool;
    bool had = peer->full && note->step == agent->step;

    if (pool->last.step != 0 && note->step == pool->last.step) peer->due[MGC__POOL_DOWN] = true; /* it lost the total */
    *kept = take_word(agent, peer, note);
    if (had) peer->due[MGC__POOL_ALIVE] = true; /* it waits for the total, we for the others */
}

mgc_status mgc__pool_receive(mgc_agent *agent, uint64_t now_ms, const char *from, const uint8_t *bytes, size_t len)
{
    mgc__note note;
    mgc__pool_peer *peer;
    bool kept = false;

    if (mgc__note_read(bytes, len, &note, agent->scratch, agent->scratch_n) != MGC_OK) {
        agent->counts.malformed++;
        return MGC_OK;
    }
    peer = find_peer(agent->pool, from);
    if (peer == NULL || note.run != agent->opts.run || note.carrier != MGC__POOL_LINK || !same_text(note.from, note.from_len, from) ||
        !same_text(note.to, note.to_len, agent->id)) {
        agent->counts.foreign++;
        return MGC_OK;
    }
    peer->heard_ms = now_ms;
    if (note.ordinal == MGC__POOL_UP && peer->child) take_up(agent, peer, &note, &kept);
    else if (note.ordinal == MGC__POOL_DOWN && peer->parent) kept = take_word(agent, peer, &note);
    else if (note.ordinal == MGC__POOL_SEED_WORD && peer->predecessor) kept = take_seed(agent, &note);
    else if (note.ordinal == MGC__POOL_END && (peer->child || peer->parent)) kept = take_end(agent, peer, &note);
    else if (note.ordinal == MGC__POOL_ASK) answer_ask(agent, peer, &note);
    else if (note.ordinal != MGC__POOL_ALIVE) agent->counts.malformed++;
    if (kept) keep_log(agent, from, bytes, len);
    return MGC_OK;
}

/* --- stepping ----------------------------------------------------------------------------------------------------------------- */

/* Is a peer's word what this step asks for?  If not, as if it had not come. */
static bool has_word(mgc_agent *agent, mgc__pool_peer *peer)
{
    const mgc__pool_sum *word = &peer->word;

    if (peer->full && (word->step != agent->step || word->stage != agent->stage || word->round != agent->round ||
                       word->n != mgc__pool_values(agent))) {
        peer->full = false;
        agent->counts.malformed++;
    }
    return peer->full;
}

static bool all_children(mgc_agent *agent)
{
    bool all = true;

    for (size_t p = 0; p < agent->pool->n_peers; p++)
        if (agent->pool->peer[p].child) all &= has_word(agent, &agent->pool->peer[p]);
    return all;
}

static void disagree(mgc_agent *agent, const char *id)
{
    snprintf(agent->pool->culprit, sizeof agent->pool->culprit, "%s", id);
    mgc__agent_end(agent, MGC_AGENT_DISAGREED, "%s holds other terms of the pool (members, loss, fee, periods) or of the run", id);
}

static mgc_status speak(mgc_agent *agent, uint64_t now_ms)
{
    mgc__pool *pool = agent->pool;
    mgc_status st;

    pool->up.step = agent->step;
    pool->up.stage = agent->stage;
    pool->up.round = agent->round;
    memset(pool->up.flood, 0, sizeof pool->up.flood);
    st = mgc__pool_prepare(agent, &pool->up);
    if (st != MGC_OK || agent->state != MGC_AGENT_RUNNING) return st;
    pool->up.n = mgc__pool_values(agent);
    agent->spoken = true;
    pool->gathered = false;
    agent->since_ms = now_ms;
    agent->resend_ms = now_ms + agent->opts.resend_ms;
    return MGC_OK;
}

/* Own numbers and the children's, once all are here. */
static mgc_status gather(mgc_agent *agent)
{
    mgc__pool *pool = agent->pool;
    mgc_status st = mask(agent, &pool->up);

    for (size_t p = 0; st == MGC_OK && p < pool->n_peers; p++) {
        if (!pool->peer[p].child || mgc__pool_merge(agent, &pool->up, &pool->peer[p].word)) continue;
        disagree(agent, pool->peer[p].id);
        return MGC_OK;
    }
    if (st != MGC_OK) {
        agent->spoken = false; /* half masked: made anew should the caller try again */
        return st;
    }
    pool->gathered = true;
    if (pool->parent != SIZE_MAX) pool->peer[pool->parent].due[MGC__POOL_UP] = true;
    return MGC_OK;
}

static void copy_sum(mgc__pool_sum *to, const mgc__pool_sum *from)
{
    int64_t *values = to->values;

    memcpy(values, from->values, from->n * sizeof *values);
    *to = *from;
    to->values = values;
}

static mgc_status step_on(mgc_agent *agent)
{
    mgc__pool *pool = agent->pool;
    bool root = pool->parent == SIZE_MAX;
    mgc_status st;

    copy_sum(&pool->total, root ? &pool->up : &pool->peer[pool->parent].word);
    if (!mgc__pool_merge(agent, NULL, &pool->total)) {
        disagree(agent, pool->peer[pool->parent].id);
        return MGC_OK;
    }
    if ((st = mgc__pool_listen(agent, &pool->total)) != MGC_OK) return st;
    copy_sum(&pool->last, &pool->total);
    for (size_t p = 0; p < pool->n_peers; p++) {
        pool->peer[p].full = false;
        pool->peer[p].due[MGC__POOL_UP] = pool->peer[p].due[MGC__POOL_ALIVE] = false;
        pool->peer[p].due[MGC__POOL_DOWN] = pool->peer[p].child;
    }
    agent->step++;
    agent->spoken = pool->gathered = false;
    return MGC_OK;
}

mgc_status mgc__pool_advance(mgc_agent *agent, uint64_t now_ms)
{
    mgc__pool *pool = agent->pool;
    mgc_status st = MGC_OK;

    if (!agent->started) { /* the seed for the successor goes out first */
        agent->started = true;
        for (size_t p = 0; p < pool->n_peers; p++) pool->peer[p].due[MGC__POOL_SEED_WORD] = pool->peer[p].successor;
        agent->since_ms = now_ms;
    }
    while (st == MGC_OK && agent->state == MGC_AGENT_RUNNING) {
        if (agent->stage == MGC__STAGE_BOUND)
            st = mgc__agent_finish(agent);
        else if (!mgc__pool_talks(agent->stage))
            st = mgc__pool_prepare(agent, NULL);
        else if (!agent->spoken)
            st = speak(agent, now_ms);
        else if (!pool->gathered && pool->seeded && all_children(agent))
            st = gather(agent);
        else if (pool->gathered && (pool->parent == SIZE_MAX || has_word(agent, &pool->peer[pool->parent])))
            st = step_on(agent);
        else
            break;
    }
    tell_end(agent);
    return st;
}

/* Whom we wait for now, and for which word. */
static bool waits_for(const mgc__pool *pool, const mgc__pool_peer *peer)
{
    if (peer->predecessor && !pool->seeded) return true;
    if (!pool->gathered) return peer->child && !peer->full;
    return peer->parent && !peer->full;
}

static void give_up(mgc_agent *agent, const mgc__pool_peer *peer, uint64_t silent_ms, const char *how)
{
    snprintf(agent->pool->culprit, sizeof agent->pool->culprit, "%s", peer->id);
    mgc__agent_end(agent, MGC_AGENT_SILENT, "%s is silent: no %s in phase %s, round %u, for %llu ms", peer->id, how,
                   mgc_phase_name(mgc__stage_phase(agent->stage)), agent->round, (unsigned long long)silent_ms);
}

/* PATIENCE: whoever only ever says that it is alive keeps the run no longer than that many deadlines. */
static void wait_on(mgc_agent *agent, uint64_t now_ms)
{
    mgc__pool *pool = agent->pool;
    bool ask = now_ms >= agent->resend_ms;

    for (size_t p = 0; p < pool->n_peers && agent->state == MGC_AGENT_RUNNING; p++) {
        mgc__pool_peer *peer = &pool->peer[p];
        uint64_t since = peer->heard_ms > agent->since_ms ? peer->heard_ms : agent->since_ms;

        if (!waits_for(pool, peer)) continue;
        if (now_ms > since && now_ms - since >= agent->opts.deadline_ms) give_up(agent, peer, now_ms - since, "word");
        else if (now_ms > agent->since_ms && (now_ms - agent->since_ms) / PATIENCE >= agent->opts.deadline_ms)
            give_up(agent, peer, now_ms - agent->since_ms, "numbers");
        if (ask) peer->due[peer->parent && pool->gathered ? MGC__POOL_UP : MGC__POOL_ASK] = true;
    }
    if (ask) agent->resend_ms = now_ms + agent->opts.resend_ms;
    tell_end(agent);
}

static uint64_t wake_time(const mgc_agent *agent)
{
    uint64_t deadline = agent->since_ms + agent->opts.deadline_ms;

    if (agent->state != MGC_AGENT_RUNNING) return UINT64_MAX;
    return deadline < agent->resend_ms ? deadline : agent->resend_ms;
}

mgc_status mgc__pool_poll(mgc_agent *agent, uint64_t now_ms, mgc_agent_output *out)
{
    mgc__pool *pool = agent->pool;
    mgc_status st;

    if (agent->resumed) { /* its words may have been lost with it: said again at once */
        agent->since_ms = agent->resend_ms = now_ms;
        agent->resumed = false;
        for (size_t p = 0; p < pool->n_peers; p++) {
            pool->peer[p].heard_ms = now_ms;
            pool->peer[p].due[MGC__POOL_DOWN] = pool->peer[p].child && pool->last.step != 0;
        }
    }
    st = mgc__pool_advance(agent, now_ms);
    if (st == MGC_OK && agent->state == MGC_AGENT_RUNNING) wait_on(agent, now_ms);
    if (st == MGC_OK) st = hand_out(agent);
    *out = (mgc_agent_output){.messages = agent->messages, .n_messages = st == MGC_OK ? agent->n_messages : 0, .wake_ms = wake_time(agent),
                              .state = agent->state, .phase = mgc__stage_phase(agent->stage), .round = agent->round,
                              .reason = agent->reason, .primal = agent->turn.primal, .dual = agent->turn.dual};
    return st;
}

/* --- checkpoint --------------------------------------------------------------------------------------------------------------- */

uint64_t mgc__pool_said(const mgc_agent *agent)
{
    const mgc__pool *pool = agent->pool;
    uint64_t h = mgc__hash_uint(MGC__HASH_START, agent->step);

    if (!pool->gathered) return 0;
    h = mgc__hash_uint(mgc__hash_uint(h, pool->up.stage), pool->up.round);
    h = mgc__hash_bytes(h, pool->up.flood, sizeof pool->up.flood);
    return (uint64_t)mgc__hash_value(mgc__hash_bytes(h, pool->up.values, pool->up.n * sizeof *pool->up.values));
}

mgc_status mgc__pool_replay(mgc_agent *agent, const uint8_t **at, size_t *left)
{
    mgc__cbor_reader r;
    const char *from;
    const uint8_t *bytes;
    char id[MGC__ID_MAX + 1] = "";
    size_t from_len = 0, len = 0;

    mgc__cbor_read(&r, *at, *left);
    mgc__cbor_get_array_of(&r, 2);
    from = mgc__cbor_get_text(&r, &from_len, MGC__ID_MAX);
    bytes = mgc__cbor_get_bytes(&r, &len, MGC_AGENT_MESSAGE_MAX);
    if (r.status != MGC_OK)
        return mgc__fail(agent->ctx, r.status, "bargain: the checkpoint's log breaks off after %llu messages", (unsigned long long)agent->logged);
    memcpy(id, from, from_len);
    *left -= (size_t)(r.at - r.begin);
    *at = r.at;
    return mgc__pool_receive(agent, 0, id, bytes, len);
}
