/* SPDX-License-Identifier: Apache-2.0 */
/* Who signs a chain's blocks, over its life: a list of configurations, the genesis first.
 *
 *   1. A block whose header changes who signs appends one when it is stored.
 *   2. Certificates are checked under the one that the block's own header names.
 *   3. Opening a store checks the certificate of each; so whoever can write files cannot bring signers of his own.
 *   4. Pruning keeps the certificates of those whose blocks go (record MEMBERS); their headers stand in the snapshots. */
#include <inttypes.h>

#include "ledger/chain.h"

static mgc__configuration *last_of(const mgc_chain *chain)
{
    return chain->configurations[chain->n_configurations - 1];
}

const mgc__signers *mgc__chain_signers(const mgc_chain *chain)
{
    return &last_of(chain)->signers;
}

/* Room for one more; *out is not in the list yet. */
static mgc_status make_configuration(mgc_chain *chain, const uint8_t *header, size_t len, mgc__configuration **out)
{
    mgc_ctx *ctx = chain->ledger->ctx;
    mgc__configuration *c = mgc__alloc(ctx, 1, sizeof *c);

    if (c != NULL && len > 0) c->header = mgc__alloc(ctx, len, 1);
    if (c == NULL || (len > 0 && c->header == NULL) ||
        !mgc__grow(ctx, (void **)&chain->configurations, &chain->cap_configurations, chain->n_configurations + 1,
                   sizeof *chain->configurations)) {
        mgc__configuration_free(ctx, c);
        return mgc__no_memory(ctx, "ledger: a configuration");
    }
    if (len > 0) memcpy(c->header, header, len);
    c->header_len = len;
    *out = c;
    return MGC_OK;
}

void mgc__configuration_free(mgc_ctx *ctx, mgc__configuration *c)
{
    if (c == NULL) return;
    mgc__free(ctx, c->header);
    mgc__free(ctx, c);
}

static void append(mgc_chain *chain, mgc__configuration *c)
{
    mgc__signers_all(&c->signers, &c->all);
    chain->configurations[chain->n_configurations++] = c;
}

mgc_status mgc__configurations_begin(mgc_chain *chain, const mgc_member *members)
{
    mgc__configuration *c;
    mgc_status status = make_configuration(chain, NULL, 0, &c);

    if (status != MGC_OK) return status;
    mgc__signers_begin(&c->signers, &chain->genesis, members);
    append(chain, c);
    return MGC_OK;
}

mgc_status mgc__configurations_push(mgc_chain *chain, const mgc__header *h, const uint8_t *header, size_t len)
{
    mgc__configuration *c;
    const char *why;
    mgc_status status;

    if (h->change.n == 0) return MGC_OK;
    status = make_configuration(chain, header, len, &c);
    if (status != MGC_OK) return status;
    why = mgc__signers_next(mgc__chain_signers(chain), h, &c->signers);
    if (why == NULL) {
        append(chain, c);
        return MGC_OK;
    }
    mgc__configuration_free(chain->ledger->ctx, c);
    return mgc__fail(chain->ledger->ctx, MGC_E_BAD_CERT,
                     "ledger: who signs after block %" PRIu64 " of chain %s: %s", h->height, chain->name, why);
}

void mgc__configurations_free(mgc_chain *chain)
{
    for (size_t i = 0; i < chain->n_configurations; i++)
        mgc__configuration_free(chain->ledger->ctx, chain->configurations[i]);
    mgc__free(chain->ledger->ctx, chain->configurations);
}

static mgc__configuration *find(const mgc_chain *chain, uint64_t height)
{
    for (size_t i = chain->n_configurations; i-- > 0;)
        if (chain->configurations[i]->signers.height == height) return chain->configurations[i];
    return NULL;
}

const mgc__signers *mgc__chain_signers_of(const mgc_chain *chain, const mgc__header *h, mgc__signers *next)
{
    const mgc__configuration *c = find(chain, h->config_height);

    return c == NULL || h->config_height >= h->height ? NULL : mgc__signers_of(&c->signers, h, next);
}

mgc_status mgc__chain_signers_at(mgc_chain *chain, uint64_t height, mgc__signers *signers)
{
    const mgc__configuration *c = NULL;

    for (size_t i = 0; i < chain->n_configurations; i++)
        if (chain->configurations[i]->signers.height < height ||
            (chain->configurations[i]->signers.height == height && chain->configurations[i]->signers.joint))
            c = chain->configurations[i];
    if (c == NULL) return MGC_E_NOT_FOUND;
    *signers = c->signers;
    return MGC_OK;
}

const mgc__signers *mgc__chain_configuration(const mgc_chain *chain, size_t number)
{
    return number < chain->n_configurations ? &chain->configurations[number]->signers : NULL;
}

const mgc_member *mgc__chain_members(const mgc_chain *chain, uint32_t *n)
{
    const mgc__configuration *c = last_of(chain);

    *n = c->all.n;
    return c->all.list;
}

const mgc_member *mgc__chain_member_ever(const mgc_chain *chain, uint32_t id)
{
    for (size_t i = chain->n_configurations; i-- > 0;) {
        const mgc__half *all = &chain->configurations[i]->all;

        for (uint32_t k = 0; k < all->n; k++)
            if (all->list[k].id == id) return &all->list[k];
    }
    return NULL;
}

/* --- changing ------------------------------------------------------------------------------------ */

mgc_status mgc__members_check(const mgc_chain *chain, const mgc_member *members, size_t n, uint32_t quorum)
{
    mgc_ctx *ctx = chain->ledger->ctx;

    if (n == 0 || n > MGC__CHANGE_MAX || quorum > n || 2 * (size_t)quorum <= n)
        return mgc__fail(ctx, MGC_E_INVALID_ARG,
                         "ledger: %zu members with a quorum of %" PRIu32 "; 1..%d of them, more than half and at most all", n, quorum,
                         MGC__CHANGE_MAX);
    for (size_t i = 0; i < n; i++) {
        mgc_status status = mgc_public_key_check(members[i].public_key, MGC_PUBLIC_KEY_BYTES);

        if (status != MGC_OK)
            return mgc__fail(ctx, status, "ledger: the key of member %" PRIu32 " may not be used", members[i].id);
        if (members[i].id == 0 || (i > 0 && members[i].id <= members[i - 1].id))
            return mgc__fail(ctx, MGC_E_INVALID_ARG, "ledger: member number %zu is %" PRIu32 "; ids begin at 1 and ascend", i,
                             members[i].id);
        for (size_t k = 0; k < i; k++)
            if (memcmp(members[i].public_key, members[k].public_key, MGC_PUBLIC_KEY_BYTES) == 0)
                return mgc__fail(ctx, MGC_E_BAD_KEY, "ledger: members %" PRIu32 " and %" PRIu32 " have one key", members[k].id,
                                 members[i].id);
    }
    return MGC_OK;
}

static mgc_status read_signers(mgc_chain *chain, const mgc_chain_signers *signers, mgc__change *change)
{
    mgc_chain_signers o = {.struct_size = sizeof o};
    mgc_ctx *ctx = chain->ledger->ctx;
    mgc_status status = mgc__opts_read(&o, sizeof o, MGC__FIRST_SIZE(mgc_chain_signers, reason), signers);

    if (status != MGC_OK) return mgc__fail(ctx, status, "ledger: signers.struct_size is not one that this library knows");
    if (o.members == NULL || (o.others == NULL && o.n_others > 0) || o.reserved0 != 0 ||
        o.n_members > MGC__CHANGE_MAX || o.n_others > MGC__CHANGE_MAX - o.n_members)
        return mgc__fail(ctx, MGC_E_INVALID_ARG,
                         "ledger: %zu members and %zu others who sign; at most %d together, the lists not NULL, reserved0 0",
                         o.n_members, o.n_others, MGC__CHANGE_MAX);
    status = mgc__members_check(chain, o.members, o.n_members, o.quorum);
    if (status == MGC_OK && o.n_others > 0) status = mgc__members_check(chain, o.others, o.n_others, (uint32_t)o.n_others);
    if (status != MGC_OK) return status;
    *change = (mgc__change){.quorum = o.quorum, .n = (uint32_t)o.n_members, .n_others = (uint32_t)o.n_others};
    memcpy(change->list, o.members, o.n_members * sizeof *o.members);
    if (o.n_others > 0) memcpy(change->others, o.others, o.n_others * sizeof *o.others);
    memcpy(change->reason, o.reason, 32);
    return MGC_OK;
}

mgc_status mgc_chain_set_signers(mgc_chain *chain, const mgc_chain_signers *signers)
{
    const mgc__signers *now;
    mgc__header h = {0};
    mgc__signers next;
    const char *why;
    mgc_status status;

    if (chain == NULL) return MGC_E_INVALID_ARG;
    if (signers == NULL) return mgc__fail(chain->ledger->ctx, MGC_E_INVALID_ARG, "ledger: signers is NULL");
    if (!chain->open)
        return mgc__fail(chain->ledger->ctx, MGC_E_STATE, "ledger: chain %s has no open block", chain->name);
    status = read_signers(chain, signers, &h.change);
    if (status != MGC_OK) return status;
    now = mgc__chain_signers(chain);
    why = mgc__signers_next(now, &h, &next);
    if (why != NULL && !now->joint) {
        h.change.joint = true;
        why = mgc__signers_next(now, &h, &next);
    }
    if (why != NULL)
        return mgc__fail(chain->ledger->ctx, MGC_E_STATE, "ledger: who signs the blocks of chain %s: %s", chain->name, why);
    chain->change = h.change;
    return MGC_OK;
}

/* --- what shows it -------------------------------------------------------------------------------- */

mgc_status mgc__configuration_certificate(const mgc_chain *chain, const mgc__configuration *c, mgc__buf *bytes)
{
    const mgc__place *place = &chain->blocks[c->signers.height - 1].certificate;
    uint32_t type = MGC__RECORD_CERTIFICATE;

    if (place->length == 0) {
        place = &c->kept;
        type = MGC__RECORD_MEMBERS;
    }
    if (place->length == 0)
        return mgc__fail(chain->ledger->ctx, MGC_E_CORRUPT,
                         "ledger: block %" PRIu64 " of chain %s changes who signs, and its certificate is not in the store",
                         c->signers.height, chain->name);
    return mgc__journal_read(chain->ledger->journal, place, type, bytes);
}

/* The header is that of the block that stands there, and a quorum of those before (and of those who come) signed it. */
static mgc_status check_one(const mgc_chain *chain, const mgc__configuration *before, const mgc__configuration *c)
{
    mgc_ctx *ctx = chain->ledger->ctx;
    mgc__certificate certificate;
    mgc__signers next;
    mgc__header h;
    mgc__buf bytes;
    uint8_t hash[32];
    uint32_t wrong;
    mgc_status status;

    mgc__header_hash(c->header, c->header_len, hash);
    mgc__buf_init(&bytes, ctx, MGC__RECORD_MAX);
    status = mgc__header_read(ctx, c->header, c->header_len, &h);
    if (status == MGC_OK) status = mgc__configuration_certificate(chain, c, &bytes);
    if (status == MGC_OK) status = mgc__certificate_read(ctx, bytes.bytes, bytes.len, &certificate);
    if (status == MGC_OK)
        status = mgc__signers_check(ctx, mgc__signers_of(&before->signers, &h, &next), chain->id, c->header, c->header_len, hash,
                                    &certificate, &wrong);
    if (status == MGC_OK && memcmp(hash, chain->blocks[c->signers.height - 1].hash, 32) != 0) status = MGC_E_BAD_CERT;
    if (status == MGC_E_BAD_CERT)
        status = mgc__fail(ctx, status, "ledger: block %" PRIu64 " of chain %s changes who signs without a quorum", c->signers.height,
                           chain->name);
    mgc__buf_free(&bytes);
    return status;
}

mgc_status mgc__configurations_check(const mgc_chain *chain)
{
    mgc_status status = MGC_OK;

    for (size_t i = 1; i < chain->n_configurations && status == MGC_OK; i++)
        status = check_one(chain, chain->configurations[i - 1], chain->configurations[i]);
    return status;
}

/* --- keeping it ----------------------------------------------------------------------------------- */

/* Journal files before that one are about to go. */
mgc_status mgc__configurations_keep(mgc_chain *chain, uint32_t before)
{
    mgc_status status = MGC_OK;

    for (size_t i = 1; i < chain->n_configurations && status == MGC_OK; i++) {
        mgc__configuration *c = chain->configurations[i];
        const mgc__place *place = &chain->blocks[c->signers.height - 1].certificate;
        mgc__buf bytes;

        if ((place->length > 0 && place->segment >= before) || (c->kept.length > 0 && c->kept.segment >= before)) continue;
        mgc__buf_init(&bytes, chain->ledger->ctx, MGC__RECORD_MAX);
        status = mgc__configuration_certificate(chain, c, &bytes);
        if (status == MGC_OK)
            status = mgc__journal_append(chain->ledger->journal, MGC__RECORD_MEMBERS, chain->index, c->signers.height, bytes.bytes,
                                         bytes.len, &c->kept);
        mgc__buf_free(&bytes);
    }
    return status;
}

mgc_status mgc__replay_members(mgc_chain *chain, const mgc__record *record)
{
    mgc__configuration *c = find(chain, record->height);

    if (record->height == 0 || c == NULL)
        return mgc__fail(chain->ledger->ctx, MGC_E_CORRUPT,
                         "ledger: what is kept of block %" PRIu64 " of chain %s, which changes nobody", record->height, chain->name);
    c->kept = record->place;
    return MGC_OK;
}
