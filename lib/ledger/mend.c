/* SPDX-License-Identifier: Apache-2.0 */
/* Mending a store: what bit rot took from the journal, put back.
 *
 *   1. Read every byte from the beginning, up to the first damage.  What was read is certain: hashes link it.
 *   2. What is lost there?  The record's header says, if it is whole; if not, what comes before and after, for records
 *      have numbers without a gap and the heights of a chain follow each other.
 *   3. A file's head, a mark, a header with one wrong byte: they follow from the rest.
 *   4. A block or a certificate: from another member, proved by a quorum's signatures from the genesis on, and the one that
 *      belongs between its neighbours here.
 *   5. Fill the hole (hole.c) and begin anew, until nothing is damaged.
 *
 * What can go wrong
 *   the one who gives it lies    no quorum signs that; a block that a quorum signed, but of another height, is not wanted
 *   a block that never was final is damaged    nobody else need have it: told, and not mended
 *   too much is lost to say what it was        told: the member begins anew from an empty store
 *   power is lost                each hole is filled whole or not at all, and step 1 finds what is left */
#include <inttypes.h>

#include "ledger/chain.h"
#include "ledger/hole.h"

enum { STEPS_MAX = 1 << 16 /* holes filled in one call: a disk that lost more is not to be written to */ };

struct mending {
    mgc_ctx *ctx;
    const mgc_ledger_opts *opts;
    mgc_ledger_opts o; /* read */
    mgc_storage_ops ops;
    const uint8_t *proof;
    size_t proof_len;
    mgc__replay replay; /* of this step */
    mgc_ledger *ledger; /* up to the damage */
    mgc__holed store;
    mgc__hole hole;
    mgc_damage found;
};

/* The record that is due where the hole begins. */
struct due {
    uint32_t type, chain;
    uint64_t height;
    uint64_t marks; /* so many come first; then type is not looked at */
};

static mgc_status lost(struct mending *m, const char *why)
{
    m->found.kind = MGC_DAMAGE_LOST;
    return mgc__fail(m->ctx, MGC_E_CORRUPT,
                     "ledger: damage in %s at byte %" PRIu64 " cannot be mended: %s; begin anew from an empty store, and keep this one",
                     m->found.file, m->found.offset, why);
}

/* --- which record is lost ------------------------------------------------------------------------ */

/* Blocks and certificates of a chain that are missing between what was read and what follows. */
struct missing {
    uint64_t blocks, certificates;
    bool known; /* a later certificate says that these are all */
};

static bool count_missing(const struct mending *m, uint32_t chain, const mgc__hole_after *after, struct missing *missing)
{
    const struct mgc__passed *passed = &m->replay.passed[chain];
    uint64_t block = after->chains[chain].block, certificate = after->chains[chain].certificate, top;

    *missing = (struct missing){.known = certificate > 0};
    if (m->ledger->chains[chain]->resume_height > 0 && passed->block == 0) return false; /* where it begins here is pruned */
    if (certificate > 0 && certificate <= passed->certificate) return false;
    if (certificate > 0) missing->certificates = certificate - 1 - passed->certificate;
    top = block > 0 ? block - 1 : certificate; /* a certificate comes after its block */
    if (top > passed->block) missing->blocks = top - passed->block;
    return true;
}

/* A chain that is silent behind the hole: the first block there pins its head, and was certified only once that was final. */
static mgc_status ask_pins(struct mending *m, const mgc__hole_after *after, uint32_t chain, struct missing *missing)
{
    const struct mgc__passed *passed = &m->replay.passed[chain];
    const mgc__record *r = &after->block;
    mgc__stored_block b;
    uint64_t head = 0;
    mgc__buf body;
    mgc_status status;

    if (r->place.length == 0 || r->chain == chain || after->chains[r->chain].last_certificate < r->height) return MGC_OK;
    mgc__buf_init(&body, m->ctx, MGC__RECORD_MAX);
    status = mgc__journal_read(m->ledger->journal, &r->place, MGC__RECORD_BLOCK, &body);
    if (status == MGC_OK) status = mgc__stored_block_read(NULL, body.bytes, body.len, &b);
    for (uint32_t i = 0; status == MGC_OK && i < b.header.n_pins; i++)
        if (memcmp(b.header.pins[i].chain_id, m->ledger->chains[chain]->id, 32) == 0) head = b.header.pins[i].height;
    mgc__buf_free(&body);
    if (status != MGC_OK) return mgc__is_fatal(status) && status != MGC_E_CORRUPT ? status : MGC_OK; /* damaged, too */
    *missing = (struct missing){.blocks = head > passed->block ? head - passed->block : 0,
                                .certificates = head > passed->certificate ? head - passed->certificate : 0,
                                .known = true};
    return MGC_OK;
}

/* The chain of the block that was given; that of the block that is due is not told by its place. */
static uint32_t chain_given(const struct mending *m)
{
    mgc_verifier v;
    mgc__stored b;

    for (uint32_t i = 0; i < m->ledger->n_chains && m->proof_len > 0; i++)
        if (mgc_verifier_init(&v, sizeof v, m->ledger->chains[i]->id) == MGC_OK &&
            mgc__verify_stored(&v, m->proof, m->proof_len, &b) == MGC_OK)
            return i;
    return MGC_CHAINS_MAX;
}

/* Headers are gone, too. */
static mgc_status find_due(struct mending *m, struct due *due)
{
    uint32_t first = MGC_CHAINS_MAX, given = chain_given(m);
    uint64_t sum = 0;
    bool all_known = true, fits = true;
    mgc__hole_after after;
    struct missing of, of_first = {0};
    mgc_status status = mgc__hole_look_after(&m->store, &m->hole, &after);

    for (uint32_t i = 0; i < m->ledger->n_chains && status == MGC_OK && fits; i++) {
        fits = count_missing(m, i, &after, &of);
        if (fits && !of.known) status = ask_pins(m, &after, i, &of);
        fits = fits && of.blocks + of.certificates <= m->hole.n;
        all_known = all_known && of.known;
        sum += of.blocks + of.certificates;
        if (of.blocks + of.certificates == 0 || (first < MGC_CHAINS_MAX && i != given)) continue;
        first = i;
        of_first = of;
    }
    if (status != MGC_OK) return status;
    if (!fits || sum > m->hole.n || m->ledger->n_chains == 0) return lost(m, "the headers are lost, and what follows does not say what stood there");
    *due = (struct due){.marks = m->hole.n - sum, .chain = first};
    /* A mark says that all before it was durable; those after it must not say less. */
    if (due->marks > 0 && (!all_known || after.resume || m->hole.synced_after < m->hole.first + due->marks - 1))
        return lost(m, "the headers are lost, and it may be more than marks that stood there");
    if (due->marks > 0) return MGC_OK;
    due->type = of_first.certificates > 0 && m->replay.passed[first].block > m->replay.passed[first].certificate ? MGC__RECORD_CERTIFICATE
                                                                                                       : MGC__RECORD_BLOCK;
    due->height = 1 + (due->type == MGC__RECORD_BLOCK ? m->replay.passed[first].block : m->replay.passed[first].certificate);
    return MGC_OK;
}

/* --- does the proof fit -------------------------------------------------------------------------- */

/* The hash that the block must have, or, where that is not known, its parent's; NULL where the store says neither. */
static bool links(const struct mending *m, const struct due *due, const mgc__stored *b)
{
    const struct mgc__passed *passed = &m->replay.passed[due->chain];
    const mgc_chain *chain = m->ledger->chains[due->chain];

    if (due->height <= chain->resume_height) return memcmp(chain->blocks[due->height - 1].hash, b->hash, 32) == 0;
    if (due->type == MGC__RECORD_CERTIFICATE) return passed->waits && memcmp(passed->first, b->hash, 32) == 0;
    if (due->height == chain->height + 1) return memcmp(b->header.previous, chain->hash, 32) == 0;
    return !passed->waits || due->height != passed->block + 1 || memcmp(b->header.previous, passed->last, 32) == 0;
}

/* A certificate takes effect where it stands, so the blocks of other chains that its block pins must have theirs.  *due: the one
 * that is to come before it. */
static bool others_come_first(const struct mending *m, const mgc__stored *b, struct due *due)
{
    for (uint32_t i = 0; i < b->header.n_pins && due->type == MGC__RECORD_CERTIFICATE && !m->hole.known; i++)
        for (uint32_t k = 0; k < m->ledger->n_chains; k++) {
            const struct mgc__passed *passed = &m->replay.passed[k];
            if (memcmp(m->ledger->chains[k]->id, b->header.pins[i].chain_id, 32) != 0 ||
                m->ledger->chains[k]->height >= b->header.pins[i].height)
                continue;
            due->chain = k;
            due->type = passed->block > passed->certificate ? MGC__RECORD_CERTIFICATE : MGC__RECORD_BLOCK;
            due->height = 1 + (due->type == MGC__RECORD_BLOCK ? passed->block : passed->certificate);
            return true;
        }
    return false;
}

static bool same_record(const struct mending *m, const mgc__record *r)
{
    return r->place.length == m->hole.record.place.length && mgc__crc32c(0, r->body, r->place.length) == m->hole.sum;
}

static mgc_status fill(struct mending *m, const mgc__record *records, size_t n, bool *filled)
{
    mgc_status status;

    if (m->o.read_only != 0) {
        m->found.kind = MGC_DAMAGE_OWN;
        return MGC_OK;
    }
    status = m->hole.head ? mgc__hole_fill_head(&m->store, &m->hole) : mgc__hole_fill(&m->store, &m->hole, records, n);
    if (status != MGC_OK) return status;
    *filled = true;
    m->found.n_mended++;
    mgc__log(m->ctx, MGC_LOG_WARN, "ledger: damage in %s at byte %" PRIu64 " was mended", m->found.file, m->found.offset);
    return MGC_OK;
}

static void want(struct mending *m, const struct due *due)
{
    m->found.kind = MGC_DAMAGE_WANTS;
    m->found.height = due->height;
    memcpy(m->found.chain_id, m->ledger->chains[due->chain]->id, 32);
}

static mgc_status untrue(const struct mending *m, const struct due *due, mgc_status status)
{
    return mgc__fail(m->ctx, status, "ledger: what was given for block %" PRIu64 " of chain %s: %s", due->height,
                     m->ledger->chains[due->chain]->name, mgc_status_text(status));
}

/* Fill the place of the record that is due with what the proof shows, or say that it is wanted. */
static mgc_status give(struct mending *m, struct due *due, bool *filled)
{
    const mgc_chain *chain = m->ledger->chains[due->chain];
    mgc__record r = {.synced = m->hole.known ? m->hole.record.synced : m->hole.synced, .type = due->type, .chain = due->chain, .height = due->height};
    mgc_verifier v;
    mgc__stored b;
    mgc_status status;

    want(m, due);
    if (m->proof_len == 0 || m->o.read_only != 0) return MGC_OK;
    status = mgc_verifier_init(&v, sizeof v, chain->id);
    mgc__trust_own_members(chain, &v);
    if (status == MGC_OK) status = mgc__verify_stored(&v, m->proof, m->proof_len, &b);
    if (status == MGC_E_WRONG_CHAIN) return MGC_OK; /* of a block that was wanted before */
    if (status != MGC_OK) return untrue(m, due, status);
    if (b.header.height != due->height) return MGC_OK;
    if (!links(m, due, &b)) return untrue(m, due, MGC_E_BAD_PARENT);
    if (others_come_first(m, &b, due)) {
        want(m, due);
        return MGC_OK;
    }
    r.body = due->type == MGC__RECORD_BLOCK ? b.bytes : b.certificate;
    r.place.length = (uint32_t)(due->type == MGC__RECORD_BLOCK ? b.len : b.certificate_len);
    if (m->hole.known && due->type == MGC__RECORD_BLOCK && !same_record(m, &r))
        return lost(m, "it is a block that is not the final one of its height, and no other member need have it");
    return fill(m, &r, 1, filled);
}

/* --- one step ------------------------------------------------------------------------------------ */

static mgc_status fill_marks(struct mending *m, uint64_t n, bool *filled)
{
    mgc__record *marks = mgc__alloc(m->ctx, (size_t)n, sizeof *marks);
    mgc_status status;

    if (marks == NULL) return mgc__no_memory(m->ctx, "ledger: marks");
    for (uint64_t i = 0; i < n; i++)
        marks[i] = (mgc__record){.type = MGC__RECORD_MARK, .synced = m->hole.first + i, .body = (const uint8_t *)""};
    status = fill(m, marks, (size_t)n, filled);
    mgc__free(m->ctx, marks);
    return status;
}

static mgc_status heal(struct mending *m, bool *filled)
{
    mgc__buf body;
    mgc_status status;

    if (m->hole.known) return MGC_OK;
    mgc__buf_init(&body, m->ctx, (size_t)MGC__RECORD_MAX + 1);
    status = mgc__hole_heal(&m->store, &m->hole, &body);
    if (status == MGC_OK && m->hole.known) {
        mgc__record r = m->hole.record;
        r.body = body.bytes;
        status = fill(m, &r, 1, filled);
    }
    mgc__buf_free(&body);
    return status;
}

static mgc_status mend_one(struct mending *m, bool *filled)
{
    struct due due = {0};
    mgc_status status;

    if (m->hole.head) return fill(m, NULL, 0, filled);
    status = heal(m, filled);
    if (status != MGC_OK || *filled || m->found.kind == MGC_DAMAGE_OWN) return status;
    if (m->hole.known) due = (struct due){.type = m->hole.record.type, .chain = m->hole.record.chain, .height = m->hole.record.height};
    else status = find_due(m, &due);
    if (status != MGC_OK) return status;
    if (due.marks > 0) return fill_marks(m, due.marks, filled);
    if ((due.type != MGC__RECORD_BLOCK && due.type != MGC__RECORD_CERTIFICATE) || due.chain >= m->ledger->n_chains || due.height == 0)
        return lost(m, "it is a record that is this member's own");
    return give(m, &due, filled);
}

static mgc_status step(struct mending *m, bool *filled)
{
    mgc_status status;

    *filled = false;
    m->found.kind = MGC_DAMAGE_NONE;
    m->found.file[0] = '\0';
    m->found.offset = m->found.height = 0;
    m->replay = (mgc__replay){.mending = true};
    status = mgc__ledger_load(m->ctx, m->opts, false, &m->replay);
    m->ledger = m->replay.ledger;
    if (status == MGC_OK && mgc__journal_is_damaged(m->ledger->journal)) {
        mgc__journal_stop stop = mgc__journal_stopped(m->ledger->journal);

        mgc__journal_file_name(stop.segment, m->found.file);
        m->found.offset = stop.offset;
        m->store.journal = m->ledger->journal;
        status = mgc__hole_find(&m->store, &m->hole);
        if (status == MGC_E_CORRUPT) m->found.kind = MGC_DAMAGE_LOST;
        if (status == MGC_OK) status = mend_one(m, filled);
    }
    mgc_ledger_close(m->ledger);
    return status;
}

mgc_status mgc_ledger_mend(mgc_ctx *ctx, const mgc_ledger_opts *opts, const uint8_t *proof, size_t len, mgc_damage *damage)
{
    struct mending m = {.ctx = ctx, .opts = opts, .proof = proof, .proof_len = len, .found = {.struct_size = sizeof m.found}};
    bool filled = true, locked = false;
    mgc_status status, written;

    if (ctx == NULL || (proof == NULL && len > 0)) return MGC_E_INVALID_ARG;
    status = mgc__ledger_read_opts(ctx, opts, &m.o, &m.ops);
    if (status == MGC_OK && m.o.read_only == 0 && m.ops.rename == NULL)
        status = mgc__fail(ctx, MGC_E_UNSUPPORTED, "ledger: the storage cannot rename, so nothing is mended");
    if (status == MGC_OK && m.o.read_only == 0 && m.ops.lock != NULL) {
        status = mgc__verdict(m.ops.lock(m.o.storage_user));
        locked = status == MGC_OK;
        if (!locked) status = mgc__fail(ctx, status, "ledger: the store could not be locked: %s", mgc_status_text(status));
    }
    m.store = (mgc__holed){.ctx = ctx, .ops = &m.ops, .user = m.o.storage_user, .salt = m.o.salt};
    for (int i = 0; i < STEPS_MAX && status == MGC_OK && filled; i++) status = step(&m, &filled);
    if (locked && m.ops.unlock != NULL) (void)m.ops.unlock(m.o.storage_user);
    if (damage == NULL) return status;
    written = mgc__info_write(damage, &m.found, sizeof m.found, MGC__FIRST_SIZE(mgc_damage, file));
    return status != MGC_OK ? status : written;
}
