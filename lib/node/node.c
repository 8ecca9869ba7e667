/* SPDX-License-Identifier: Apache-2.0 */
/* A node's life: options, what the host plugs in, start and stop. */
#include "node/cluster.h"

static const mgc_node_opts node_defaults = {
    .struct_size = sizeof(mgc_node_opts),
    .block_txs_max = 1024,
    .chain = "main",
    .block_interval_ms = 1000,
    .tick_ms = 50,
    .election_ticks = 10,
    .credit = 1,
};

void mgc_node_opts_init(mgc_node_opts *opts, size_t size)
{
    mgc__opts_init(opts, size, &node_defaults, sizeof node_defaults);
}

static mgc_status check_opts(mgc_ctx *ctx, const mgc_node_opts *o)
{
    if (o->read_only > 2 || o->join > 1 || o->sign_messages > 1 || o->credit > 1 || o->snapshots > 2)
        return mgc__fail(ctx, MGC_E_INVALID_ARG,
                         "node: join, sign_messages and credit are %" PRIu32 ", %" PRIu32 ", %" PRIu32
                         "; must be 0..1; read_only %" PRIu32 ", snapshots %" PRIu32 ", must be 0..2",
                         o->join, o->sign_messages, o->credit, o->read_only, o->snapshots);
    if (o->read_only == 0 && o->key == NULL)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "node: key is NULL; a node that writes must sign");
    if (o->read_only == 0 && o->id == 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "node: id is 0; members begin at 1");
    if (o->chain != NULL && (o->chain[0] == '\0' || strlen(o->chain) > MGC_CHAIN_NAME_MAX))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "node: the chain's name must have 1..%d bytes", MGC_CHAIN_NAME_MAX);
    if (o->chain != NULL && mgc__home_of_name(o->chain) != HOME_OF_ALL)
        return mgc__fail(ctx, MGC_E_INVALID_ARG,
                         "node: \"%s\" is one of the market's three chains and cannot stand alone; chain NULL means "
                         "the three",
                         o->chain);
    if (o->block_txs_max == 0 || o->block_txs_max > MGC_BLOCK_TXS_MAX)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "node: block_txs_max is %" PRIu32 "; must be 1..%d",
                         o->block_txs_max, MGC_BLOCK_TXS_MAX);
    return MGC_OK;
}

/* Ids ascending, own: found among them. */
static mgc_status check_list(mgc_ctx *ctx, const char *what, const mgc_member *list, size_t n, uint32_t id, bool *own)
{
    if ((list == NULL) != (n == 0) || n > CLUSTER_MEMBERS_MAX)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "node: %zu %s; at most %d, and none without the list", n, what, CLUSTER_MEMBERS_MAX);
    for (size_t i = 0; i < n; i++) {
        *own = *own || list[i].id == id;
        if (list[i].id == 0 || (i > 0 && list[i].id <= list[i - 1].id))
            return mgc__fail(ctx, MGC_E_INVALID_ARG, "node: number %zu of the %s has id %" PRIu32 "; ids begin at 1 and ascend", i, what,
                             list[i].id);
    }
    return MGC_OK;
}

static mgc_status check_members(mgc_ctx *ctx, const mgc_node_opts *o)
{
    bool own = false;
    mgc_status st = check_list(ctx, "members", o->members, o->n_members, o->id, &own);

    if (st == MGC_OK) st = check_list(ctx, "learners", o->learners, o->n_learners, o->id, &own);
    if (st != MGC_OK) return st;
    if (o->members == NULL && (o->learners != NULL || o->join != 0))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "node: learners, and who joins, need members");
    if (o->members == NULL) return MGC_OK;
    for (size_t i = 0; i < o->n_learners; i++)
        for (size_t k = 0; k < o->n_members; k++)
            if (o->learners[i].id == o->members[k].id)
                return mgc__fail(ctx, MGC_E_INVALID_ARG, "node: %" PRIu32 " is a member and a learner", o->members[k].id);
    if (o->tick_ms == 0 || o->election_ticks < 2)
        return mgc__fail(ctx, MGC_E_INVALID_ARG,
                         "node: ticks of %" PRIu32 " ms, elections after %" PRIu32 " of them; at least 1 ms and 2 ticks", o->tick_ms,
                         o->election_ticks);
    if (own != (o->join != 0)) return MGC_OK;
    return mgc__fail(ctx, MGC_E_INVALID_ARG,
                     own ? "node: member %" PRIu32 " is in the lists, so it does not join"
                         : "node: member %" PRIu32 " is not among the members or learners, and does not join",
                     o->id);
}

mgc_status mgc_node_create(mgc_ctx *ctx, const mgc_node_opts *opts, mgc_node **out)
{
    mgc_node_opts o = node_defaults;
    mgc_node *node;
    mgc_status st;

    if (ctx == NULL || out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    st = mgc__opts_read(&o, sizeof o, MGC__FIRST_SIZE(mgc_node_opts, snapshots), opts);
    if (st != MGC_OK) return mgc__fail(ctx, st, "node: opts.struct_size is not one that this library knows");
    st = check_opts(ctx, &o);
    if (st == MGC_OK) st = check_members(ctx, &o);
    if (st != MGC_OK) return st;
    node = mgc__alloc(ctx, 1, sizeof *node);
    if (node == NULL) return mgc__no_memory(ctx, "node");
    node->ctx = ctx;
    node->opts = o;
    if (o.chain != NULL) memcpy(node->chain_name, o.chain, strlen(o.chain));
    node->opts.chain = NULL; /* the copies count */
    if (o.n_members > 0) memcpy(node->members, o.members, o.n_members * sizeof *o.members);
    if (o.n_learners > 0) memcpy(node->learners, o.learners, o.n_learners * sizeof *o.learners);
    node->n_members = o.n_members;
    node->n_learners = o.n_learners;
    node->opts.members = node->opts.learners = NULL;
    node->next_ticket = 1;
    st = mgc__contracts_create(ctx, &node->contracts);
    if (st != MGC_OK) {
        mgc_node_destroy(node);
        return st;
    }
    *out = node;
    return MGC_OK;
}

void mgc_node_destroy(mgc_node *node)
{
    if (node == NULL) return;
    mgc__cluster_stop(node);
    mgc__mend_end(node);
    mgc_ledger_close(node->ledger);
    mgc__contracts_destroy(node->contracts);
    mgc__node_pool_free(node);
    mgc__free(node->ctx, node);
}

static mgc_status before_start(const mgc_node *node, const void *ops)
{
    if (node == NULL) return MGC_E_INVALID_ARG;
    if (ops == NULL) return mgc__fail(node->ctx, MGC_E_INVALID_ARG, "node: the table of calls is NULL");
    if (node->ledger != NULL || node->mending != NULL) return mgc__fail(node->ctx, MGC_E_STATE, "node: it has started already");
    return MGC_OK;
}

mgc_status mgc_node_set_storage(mgc_node *node, const mgc_storage_ops *ops, void *user)
{
    mgc_status st = before_start(node, ops);

    if (st != MGC_OK) return st;
    mgc_storage_ops read = {.struct_size = sizeof read};
    st = mgc__opts_read(&read, sizeof read, MGC__FIRST_SIZE(mgc_storage_ops, begin_write), ops);
    if (st != MGC_OK) return mgc__fail(node->ctx, st, "node: storage.struct_size is not one that this library knows");
    if (read.reserved0 != 0)
        return mgc__fail(node->ctx, MGC_E_INVALID_ARG, "node: storage.reserved0 is %" PRIu32 "; it must be 0", read.reserved0);
    node->storage = read;
    node->storage_user = user;
    node->has_storage = true;
    return MGC_OK;
}

mgc_status mgc_node_set_transport(mgc_node *node, const mgc_transport_ops *ops, void *user)
{
    mgc_transport_ops read = {.struct_size = sizeof read};
    mgc_status st = before_start(node, ops);

    if (st != MGC_OK) return st;
    st = mgc__opts_read(&read, sizeof read, MGC__FIRST_SIZE(mgc_transport_ops, send), ops);
    if (st != MGC_OK)
        return mgc__fail(node->ctx, st, "node: transport.struct_size is not one that this library knows");
    if (read.version != 1)
        return mgc__fail(node->ctx, MGC_E_VERSION, "node: transport version %" PRIu32 "; 1 is known", read.version);
    if (read.send == NULL || read.reserved0 != 0)
        return mgc__fail(node->ctx, MGC_E_INVALID_ARG, "node: a transport needs send, and reserved0 of 0");
    node->transport = read;
    node->transport_user = user;
    return MGC_OK;
}

mgc_status mgc_node_add_contract(mgc_node *node, const mgc_contract *contract, void *user)
{
    mgc_status st = before_start(node, contract);

    return st != MGC_OK ? st : mgc__contracts_add(node->contracts, contract, user);
}

/* --- start ---------------------------------------------------------------------------------------- */

static mgc_status begin_chain(mgc_node *node, const char *name, mgc_chain **chain)
{
    mgc_member self = {.id = node->opts.id};
    mgc_genesis genesis = {.struct_size = sizeof genesis,
                           .name = name,
                           .time_ms = node->opts.genesis_time_ms == 0 ? 1 : node->opts.genesis_time_ms,
                           .members = &self,
                           .n_members = 1,
                           .quorum = 1};
    mgc_status st = mgc_key_public(node->opts.key, self.public_key);

    if (st != MGC_OK) return mgc__fail(node->ctx, st, "node: its key has no public half");
    if (node->n_members > 0) {
        genesis.members = node->members;
        genesis.n_members = node->n_members;
        genesis.quorum = (uint32_t)node->n_members / 2 + 1;
    }
    memcpy(genesis.nonce, node->opts.genesis_nonce, sizeof genesis.nonce);
    st = mgc_ledger_add_chain(node->ledger, &genesis, chain);
    return st != MGC_OK ? st : mgc_ledger_sync(node->ledger);
}

/* A crash between storing a block and its certificate leaves it without one. */
static mgc_status certify_rest(mgc_node *node, mgc_chain *chain)
{
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_status st = mgc_chain_get_info(chain, &info);

    if (st == MGC_OK && info.quorum != 1)
        return mgc__fail(node->ctx, MGC_E_UNSUPPORTED,
                         "node: chain \"%s\" needs %" PRIu32 " signatures a block; one member orders here",
                         info.name, info.quorum);
    for (uint64_t height = info.final_height + 1; st == MGC_OK && height <= info.height; height++) {
        mgc_vote vote = {.member = node->opts.id};

        st = mgc_chain_vote(chain, height, node->opts.key, vote.signature);
        if (st == MGC_OK) st = mgc_chain_certify(chain, height, &vote, 1);
    }
    if (st == MGC_OK && info.acked_height < info.height) st = mgc_ledger_sync(node->ledger);
    return st;
}

static mgc_status open_chain(mgc_node *node, const char *name)
{
    mgc_chain *chain;
    mgc_status st = mgc_ledger_chain(node->ledger, name, &chain);

    if (st == MGC_E_NOT_FOUND && node->opts.read_only == 0) st = begin_chain(node, name, &chain);
    if (st != MGC_OK) return st;
    node->chains[node->n_chains++] = chain;
    mgc__contracts_attach(node->contracts, chain);
    return node->opts.read_only == 0 && node->n_members == 0 ? certify_rest(node, chain) : MGC_OK;
}

static mgc_status open_chains(mgc_node *node)
{
    mgc_status st = MGC_OK;

    if (node->chain_name[0] != '\0') st = open_chain(node, node->chain_name);
    for (uint32_t i = 0; i < HOMES && node->chain_name[0] == '\0' && st == MGC_OK; i++)
        st = open_chain(node, mgc__home_name(i));
    for (uint32_t i = 0; i < node->n_chains && st == MGC_OK; i++)
        st = mgc__contracts_ready(node->contracts, node->chains[i]);
    return st;
}

void mgc__node_ledger_opts(const mgc_node *node, mgc_ledger_opts *opts)
{
    mgc_ledger_opts_init(opts, sizeof *opts);
    opts->storage = &node->storage;
    opts->storage_user = node->storage_user;
    opts->salt = node->opts.salt;
    opts->read_only = node->opts.read_only;
    if (node->opts.segment_bytes != 0) opts->segment_bytes = node->opts.segment_bytes;
}

static mgc_status open_ledger(mgc_node *node)
{
    mgc_ledger_opts opts;
    mgc_status st;

    mgc__node_ledger_opts(node, &opts);
    st = mgc_ledger_open(node->ctx, &opts, &node->ledger);
    if (st == MGC_OK) st = open_chains(node);
    if (st == MGC_OK && node->n_members > 0 && node->opts.read_only == 0) st = mgc__cluster_start(node);
    if (st != MGC_OK) {
        mgc_ledger_close(node->ledger);
        node->ledger = NULL;
        node->n_chains = 0;
    }
    return st;
}

mgc_status mgc_node_start(mgc_node *node)
{
    bool whole = false;
    mgc_status st;

    if (node == NULL) return MGC_E_INVALID_ARG;
    if (node->ledger != NULL || node->mending != NULL) return mgc__fail(node->ctx, MGC_E_STATE, "node: it has started already");
    if (!node->has_storage) return mgc__fail(node->ctx, MGC_E_STATE, "node: no storage is set");
    st = open_ledger(node);
    if ((st != MGC_E_CORRUPT && st != MGC_E_IO) || node->opts.read_only != 0 || node->n_members < 2 || node->storage.rename == NULL) return st;
    st = mgc__mend_begin(node, &whole);
    return st == MGC_OK && whole ? open_ledger(node) : st;
}

mgc_status mgc__node_started(const mgc_node *node, bool writing)
{
    if (node == NULL) return MGC_E_INVALID_ARG;
    if (node->mending != NULL) return mgc__mend_state(node);
    if (node->n_chains == 0) return mgc__fail(node->ctx, MGC_E_STATE, "node: it has not started");
    if (writing && node->opts.read_only != 0)
        return mgc__fail(node->ctx, MGC_E_STATE, "node: it was opened to read only");
    return MGC_OK;
}

mgc_status mgc_node_receive(mgc_node *node, uint32_t from, const uint8_t *bytes, size_t len)
{
    bool whole = false;
    mgc_status st;

    if (node != NULL && node->mending != NULL) {
        st = mgc__mend_receive(node, from, bytes, len, &whole);
        if (st != MGC_OK || !whole) return st;
        mgc__mend_end(node);
        return open_ledger(node);
    }
    st = mgc__node_started(node, true);
    if (st != MGC_OK) return st;
    if (node->cluster != NULL) return mgc__node_store_failed(node, mgc__cluster_receive(node, from, bytes, len));
    return mgc__fail(node->ctx, MGC_E_UNSUPPORTED,
                     "node: %zu bytes from member %" PRIu32 "; a chain of one member has no peers", len, from);
}

static void fill_cluster(const mgc__cluster *c, const mgc_raft_info *raft, mgc_node_info *info)
{
    const mgc_raft_config *config = mgc_raft_config_now(c->raft);

    info->standing = mgc__standing_of(c, c->node->opts.id);
    for (uint32_t i = 0; i < config->n_members; i++) {
        bool voter = (config->members[i].roles & (MGC_RAFT_VOTER | MGC_RAFT_VOTER_OLD)) != 0;

        info->n_voters += voter;
        info->n_learners += !voter;
    }
    info->changing = raft->joint != 0 || raft->config_index > raft->commit;
    info->config_index = raft->config_index;
    info->dropped = c->dropped;
    info->forged = c->forged;
    info->evidence = c->evidence;
}

mgc_status mgc_node_get_info(const mgc_node *node, mgc_node_info *info)
{
    mgc_chain_info chain = {.struct_size = sizeof chain};
    mgc_node_info filled = {.struct_size = sizeof filled};
    mgc_status st = mgc__node_started(node, false);

    if (st != MGC_OK) return st;
    if (info == NULL) return mgc__fail(node->ctx, MGC_E_INVALID_ARG, "node: info is NULL");
    for (uint32_t i = node->n_chains; i-- > 0 && st == MGC_OK;) { /* the first one last: it fills what follows */
        st = mgc_chain_get_info(node->chains[i], &chain);
        filled.transactions += chain.n_transactions;
        filled.blocks += chain.height;
        if (chain.time_ms > filled.time_ms) filled.time_ms = chain.time_ms;
    }
    if (st != MGC_OK) return st;
    memcpy(filled.chain_id, chain.chain_id, 32);
    memcpy(filled.block_hash, chain.block_hash, 32);
    memcpy(filled.state_digest, chain.state_digest, 32);
    filled.height = chain.height;
    filled.n_chains = node->n_chains;
    filled.waiting = (uint32_t)node->pool_n;
    filled.refused = node->refused;
    filled.final_height = chain.final_height;
    filled.mended = node->mended;
    if (node->cluster != NULL) {
        mgc_raft_info raft = {.struct_size = sizeof raft};
        st = mgc_raft_get_info(node->cluster->raft, &raft);
        filled.term = raft.term;
        filled.leader = raft.leader;
        filled.role = raft.role;
        filled.ordered = node->cluster->ordered;
        fill_cluster(node->cluster, &raft, &filled);
    }
    if (st != MGC_OK) return st;
    return mgc__info_write(info, &filled, sizeof filled, MGC__FIRST_SIZE(mgc_node_info, mended));
}

/* A snapshot that cannot be written is tried again a day later: nothing depends on it. */
mgc_status mgc__node_day_close(mgc_node *node)
{
    enum { DAY_MS = 86400000 };
    uint64_t day = 0;
    mgc_status st = MGC_OK;

    if (node->opts.snapshots == 0) return MGC_OK;
    for (uint32_t i = 0; i < node->n_chains && st == MGC_OK; i++) {
        mgc_chain_info info = {.struct_size = sizeof info};

        st = mgc_chain_get_info(node->chains[i], &info);
        if (info.acked_height != info.height) return st; /* the day's first block is not acknowledged yet */
        if (info.time_ms / DAY_MS > day) day = info.time_ms / DAY_MS;
    }
    if (st != MGC_OK || day == node->day_closed) return st;
    st = mgc_ledger_snapshot(node->ledger);
    if (st == MGC_OK && node->opts.snapshots == 2) st = mgc_ledger_prune(node->ledger, NULL);
    if (st == MGC_E_FAILED || st == MGC_E_NO_MEMORY) return st;
    node->day_closed = day;
    return MGC_OK;
}

uint32_t mgc__node_home(const mgc_node *node, uint32_t contract)
{
    return node->n_chains == 1 || contract == 0 ? 0 : mgc__home_of(contract);
}

mgc_chain *mgc_node_chain(mgc_node *node, uint32_t contract)
{
    return node == NULL || node->n_chains == 0 ? NULL : node->chains[mgc__node_home(node, contract)];
}
