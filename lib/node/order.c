/* SPDX-License-Identifier: Apache-2.0 */
/* Who signs blocks: what the order's configurations say, in the chains' own headers.
 *
 *   1. A configuration that is executed says who votes from there on.
 *   2. The next block of each chain brings it: its voters with their keys, and a hash of the whole configuration.  Where others
 *      vote than signed so far, that block and those after it need both (joint), until a further block ends that.  Learners
 *      that are to vote, or may again by credit, sign too and do not count.
 *   3. A round is due for that alone.
 *   4. A snapshot of the order is taken where all chains say what its configuration is.  Who gets one believes of the
 *      configuration what the last of the blocks says that it fetched, each with its certificate.
 *
 * What can go wrong
 *   two configurations between two blocks     the chain goes to the later one, by joint steps of its own
 *   no round can be agreed on                 nothing is signed either; the log is compacted all the same once it is nearly
 *                                             full, and such a snapshot is refused by others until a provable one follows
 *   a leader invents a configuration          no chain says so: the snapshot is dropped */
#include "ledger/signers.h"

#include "node/kept.h"

/* Of consensus/raft.h, whose other names meet those of contract.h. */
uint32_t mgc__config_encode(const mgc_raft_config *c, uint8_t *bytes);
bool mgc__config_decode(const uint8_t *bytes, size_t len, mgc_raft_config *c);
bool mgc__config_joint(const mgc_raft_config *c);

mgc_status mgc__order_hash(const mgc_raft_config *config, uint8_t hash[32])
{
    static const char tag[] = "mgchain/config/1";
    uint8_t bytes[sizeof tag + 8 + MGC_RAFT_CONFIG_BYTES_MAX];
    uint32_t len;

    memcpy(bytes, tag, sizeof tag);
    for (int i = 0; i < 8; i++) bytes[sizeof tag + (size_t)i] = (uint8_t)(config->index >> 8 * i);
    len = mgc__config_encode(config, bytes + sizeof tag + 8);
    return mgc_sha256(bytes, sizeof tag + 8 + len, hash);
}

mgc_status mgc__order_configure(mgc__cluster *c, const mgc__raftlog_entry *e)
{
    mgc_raft_config config;

    if (!mgc__config_decode(e->body, e->len, &config)) return MGC_OK; /* the core took none such */
    config.index = e->index;
    c->config = config;
    mgc__kept_config(c, &config);
    return MGC_OK;
}

/* Those with that role, and their keys; ids ascend in configurations. */
static void voters(const mgc__cluster *c, const mgc_raft_config *config, uint32_t role, mgc__half *half)
{
    half->n = 0;
    for (uint32_t i = 0; i < config->n_members; i++) {
        const known_member *m = mgc__known(c, config->members[i].id);

        if ((config->members[i].roles & role) == 0 || m == NULL || half->n == CLUSTER_KNOWN_MAX) continue;
        half->list[half->n] = (mgc_member){.id = m->id};
        memcpy(half->list[half->n++].public_key, m->public_key, 32);
    }
    half->quorum = half->n / 2 + 1;
}

static bool same(const mgc__half *a, const mgc__half *b)
{
    if (a->n != b->n || a->quorum != b->quorum) return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (a->list[i].id != b->list[i].id || memcmp(a->list[i].public_key, b->list[i].public_key, 32) != 0) return false;
    return true;
}

/* Does the chain say that this configuration is in force? */
static bool says(const mgc__cluster *c, const mgc__signers *s, const mgc_raft_config *config, const uint8_t hash[32])
{
    bool joint = mgc__config_joint(config);
    mgc__half now, old;

    if (memcmp(s->height == 0 ? c->genesis_config : s->reason, hash, 32) != 0) return false;
    voters(c, config, MGC_RAFT_VOTER, &now);
    voters(c, config, MGC_RAFT_VOTER_OLD, &old);
    return same(&s->now, &now) && (s->joint ? joint : !joint || same(&old, &now));
}

bool mgc__order_said(const mgc__cluster *c, const mgc_raft_config *config)
{
    uint8_t hash[32];

    if (mgc__order_hash(config, hash) != MGC_OK) return false;
    for (uint32_t i = 0; i < c->node->n_chains; i++)
        if (!says(c, mgc__chain_signers(c->node->chains[i]), config, hash)) return false;
    return true;
}

/* Who is to vote, and who may again by credit: their signatures show that they are there. */
static void candidates(const mgc__cluster *c, const mgc__half *now, mgc__half *others)
{
    others->n = 0;
    for (uint32_t i = 0; i < c->config.n_members; i++) {
        const known_member *m = mgc__known(c, c->config.members[i].id);
        bool counts = false;

        for (uint32_t k = 0; k < now->n && m != NULL; k++) counts = counts || now->list[k].id == m->id;
        if (m == NULL || counts || (m->aim != MGC_STANDING_VOTER && m->by_credit == 0) || now->n + others->n == CLUSTER_KNOWN_MAX) continue;
        others->list[others->n] = (mgc_member){.id = m->id};
        memcpy(others->list[others->n++].public_key, m->public_key, 32);
    }
}

mgc_status mgc__order_announce(mgc__cluster *c, mgc_chain *chain, bool *changes)
{
    const mgc__signers *s = mgc__chain_signers(chain);
    mgc_chain_signers signers = {.struct_size = sizeof signers};
    uint8_t hash[32];
    mgc__half now, others;
    mgc_status st = mgc__order_hash(&c->config, hash);

    *changes = false;
    if (st != MGC_OK || says(c, s, &c->config, hash)) return st;
    voters(c, &c->config, MGC_RAFT_VOTER, &now);
    if (s->joint) now = s->now; /* first what was begun */
    candidates(c, &now, &others);
    *changes = true;
    signers.members = now.list;
    signers.n_members = now.n;
    signers.others = others.list;
    signers.n_others = others.n;
    signers.quorum = now.quorum;
    memcpy(signers.reason, hash, 32);
    return mgc_chain_set_signers(chain, &signers);
}
