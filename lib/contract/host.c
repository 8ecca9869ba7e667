/* SPDX-License-Identifier: Apache-2.0 */
/* Contracts of a chain: the built-in ones, the host's own, and the executor that runs them on a ledger.
 *
 * A transaction: 1. its contract is found and active; 2. every signer's key is enrolled, valid and the member holds
 * the role;
 * 3. check, then execute, in an environment that counts; 4. a refusal goes into the receipt, the ledger undoes.
 *
 * A block begins with the gates that its time has closed: each slot once, in order, every contract told.
 *
 * What can go wrong: the node lacks an active contract's code -> MGC_E_UNSUPPORTED before the block, never a guess; a
 * contract answers nonsense or swallows a metering limit -> MGC_E_CONTRACT, undone; memory is short -> the block is
 * dropped. */
#include "contract/contract.h"
#include "contract/supervision.h"

typedef struct entry {
    mgc_contract ops;
    void *user;
    char name[MGC_NAME_MAX + 1];
    bool functional;
} entry;

struct mgc__contracts {
    mgc_ctx *ctx;
    bool unsupported; /* a block needs code that is not here */
    mgc__indexes *indexes;
    size_t n;
    entry entries[MGC_CONTRACTS_MAX]; /* ascending by id, then by version of the code */
};

/* --- registry -------------------------------------------------------------------------------------- */

static mgc_status insert(mgc__contracts *c, const mgc_contract *ops, void *user, bool functional)
{
    size_t at = 0;

    if (c->n == MGC_CONTRACTS_MAX)
        return mgc__fail(c->ctx, MGC_E_LIMIT, "contract: there are %d contracts already", MGC_CONTRACTS_MAX);
    while (at < c->n && (c->entries[at].ops.id < ops->id ||
                         (c->entries[at].ops.id == ops->id && c->entries[at].ops.code_version < ops->code_version)))
        at++;
    if (at < c->n && c->entries[at].ops.id == ops->id && c->entries[at].ops.code_version == ops->code_version)
        return mgc__fail(c->ctx, MGC_E_EXISTS, "contract: number %" PRIu32 ", version %" PRIu32 " is taken by \"%s\"",
                         ops->id, ops->code_version, c->entries[at].name);
    memmove(c->entries + at + 1, c->entries + at, (c->n - at) * sizeof *c->entries);
    c->n++;
    c->entries[at] = (entry){.ops = *ops, .user = user, .functional = functional};
    memcpy(c->entries[at].name, ops->name, strlen(ops->name));
    c->entries[at].ops.name = NULL; /* the copy counts */
    return MGC_OK;
}

mgc_status mgc__contracts_create(mgc_ctx *ctx, mgc__contracts **out)
{
    const mgc__built_in *const built_in[] = {&mgc__information, &mgc__trading, &mgc__scheduling,
                                             &mgc__settlement,  &mgc__supervision, &mgc__credit};
    mgc__contracts *c = mgc__alloc(ctx, 1, sizeof *c);

    *out = NULL;
    if (c == NULL) return mgc__no_memory(ctx, "contract: registry");
    c->ctx = ctx;
    if (mgc__indexes_create(ctx, &c->indexes) != MGC_OK) {
        mgc__free(ctx, c);
        return MGC_E_NO_MEMORY;
    }
    for (size_t i = 0; i < MGC__COUNT(built_in); i++) {
        mgc_contract ops = mgc__built_in_contract(built_in[i]);
        mgc_status st = insert(c, &ops, (void *)built_in[i], true); /* its calls only read it */
        assert(st == MGC_OK);
        (void)st;
    }
    *out = c;
    return MGC_OK;
}

void mgc__contracts_destroy(mgc__contracts *contracts)
{
    if (contracts == NULL) return;
    mgc__indexes_destroy(contracts->indexes);
    mgc__free(contracts->ctx, contracts);
}

mgc_status mgc__contracts_add(mgc__contracts *contracts, const mgc_contract *contract, void *user)
{
    mgc_contract ops = {.struct_size = sizeof ops};
    mgc_status st;

    if (contract == NULL) return mgc__fail(contracts->ctx, MGC_E_INVALID_ARG, "contract: the contract is NULL");
    st = mgc__opts_read(&ops, sizeof ops, MGC__FIRST_SIZE(mgc_contract, query), contract);
    if (st != MGC_OK) return mgc__fail(contracts->ctx, st, "contract: struct_size is not one this library knows");
    if (ops.version != 1)
        return mgc__fail(contracts->ctx, MGC_E_VERSION, "contract: version %" PRIu32 "; 1 is known", ops.version);
    if (ops.name == NULL || ops.name[0] == '\0' || strlen(ops.name) > MGC_NAME_MAX)
        return mgc__fail(contracts->ctx, MGC_E_INVALID_ARG, "contract: a contract's name has 1..%d bytes",
                         MGC_NAME_MAX);
    if (ops.id < MGC_CONTRACT_HOST || ops.id >= MGC_CONTRACT_HOST_END)
        return mgc__fail(contracts->ctx, MGC_E_RANGE, "contract: \"%s\" has number %" PRIu32 "; a host's are %d..%d",
                         ops.name, ops.id, MGC_CONTRACT_HOST, MGC_CONTRACT_HOST_END - 1);
    if (ops.execute == NULL || ops.code_version == 0 || ops.reserved0 != 0)
        return mgc__fail(contracts->ctx, MGC_E_INVALID_ARG,
                         "contract: \"%s\" needs execute and a code_version, and reserved0 of 0", ops.name);
    return insert(contracts, &ops, user, false);
}

/* Any version. */
static const entry *find(const mgc__contracts *c, uint32_t id)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->entries[i].ops.id == id) return &c->entries[i];
    return NULL;
}

/* That version of the code with that hash. */
static const entry *find_code(const mgc__contracts *c, uint32_t id, int64_t version, const uint8_t hash[32])
{
    for (size_t i = 0; i < c->n; i++)
        if (c->entries[i].ops.id == id && (int64_t)c->entries[i].ops.code_version == version &&
            memcmp(c->entries[i].ops.code_hash, hash, 32) == 0)
            return &c->entries[i];
    return NULL;
}

const char *mgc__contracts_name(const mgc__contracts *contracts, uint32_t id)
{
    const entry *e = find(contracts, id);

    return e == NULL ? "?" : e->name;
}

size_t mgc__contracts_numbers(const mgc__contracts *contracts, const char *name, uint32_t numbers[MGC_CONTRACTS_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < contracts->n; i++)
        if (strcmp(mgc__contracts_name(contracts, contracts->entries[i].ops.id), name) == 0 &&
            (n == 0 || numbers[n - 1] != contracts->entries[i].ops.id)) /* versions stand together */
            numbers[n++] = contracts->entries[i].ops.id;
    return n;
}

/* --- environments ------------------------------------------------------------------------------------ */

/* @param chain the contract's own */
static mgc_status env_of_chain(mgc_env *env, mgc_ctx *ctx, mgc_chain *chain, const entry *e)
{
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_status st = mgc_chain_get_info(chain, &info);

    memset(env, 0, sizeof *env);
    env->ctx = ctx;
    env->chain = chain;
    env->state = mgc__chain_state(chain);
    env->contract = e->ops.id;
    env->functional = e->functional;
    env->height = info.height;
    env->time_ms = info.time_ms;
    return st != MGC_OK ? st : mgc__homes_of_chain(chain, &env->homes);
}

static void env_of_exec(mgc_env *env, mgc__contracts *c, mgc__exec *x, const mgc__homes *homes, const entry *e)
{
    memset(env, 0, sizeof *env);
    env->ctx = c->ctx;
    env->exec = x;
    env->chain = mgc__exec_chain(x);
    env->homes = *homes;
    env->state = mgc__exec_state(x);
    env->height = mgc__exec_height(x);
    env->time_ms = mgc__exec_time_ms(x);
    env->contract = e->ops.id;
    env->functional = e->functional;
}

/* A callback's answer, together with what the environment remembers: one status. */
static mgc_status answer(mgc_env *env, int32_t said)
{
    if (env->broken != MGC_OK) return env->broken;
    if (said == MGC_CB_DONE) return MGC_OK;
    if (said < 0 && (env->functional || said == MGC_E_NO_MEMORY || !mgc__is_fatal(said))) return said;
    return mgc_env_refuse(env, MGC_E_CONTRACT, "contract %" PRIu32 " answered %" PRId32 ", which is no word",
                          env->contract, said);
}

/* --- which contracts are active ------------------------------------------------------------------------ */

/* MGC_E_NOT_FOUND: not (yet, or any more) active.  MGC_E_UNSUPPORTED: active, but this node has other code or
 * none. */
static mgc_status active(const mgc__contracts *c, const mgc__homes *homes, uint32_t id, const entry **out)
{
    const mgc__state *state = mgc__state_of(homes, MGC_CONTRACT_INFORMATION);
    mgc__key key = mgc__key_u32(mgc__key_of('X'), id);
    const uint8_t *bytes;
    size_t len;
    int64_t version;
    bool before, known;
    mgc__rec rec;
    mgc_status st;

    *out = find(c, id);
    if (*out != NULL && (*out)->functional) return MGC_OK;
    if (state == NULL) return MGC_E_NOT_FOUND;
    st = mgc__record_get(state, MGC_CONTRACT_INFORMATION, key.bytes, key.len, &bytes, &len);
    if (st != MGC_OK) return st;
    if (mgc__rec_decode(bytes, len, &rec) != MGC_OK) return MGC_E_INTERNAL;
    before = (uint64_t)rec.v[DEPLOY_FROM] > homes->height; /* until an upgrade is active the version before it is */
    version = rec.v[before ? DEPLOY_OLD_VERSION : DEPLOY_VERSION];
    if (version == 0 || (rec.v[DEPLOY_UNTIL] != 0 && (uint64_t)rec.v[DEPLOY_UNTIL] <= homes->height))
        return MGC_E_NOT_FOUND;
    if (rec.data_len != (rec.v[DEPLOY_OLD_VERSION] == 0 ? 32 : 64)) return MGC_E_INTERNAL;
    known = *out != NULL;
    *out = find_code(c, id, version, rec.data + (before ? 32 : 0));
    if (*out == NULL)
        return mgc__fail(
            c->ctx, MGC_E_UNSUPPORTED,
            "contract: contract %" PRIu32 " version %" PRId64 " is active from height %" PRId64 "; this node has %s",
            id, version, rec.v[before ? DEPLOY_OLD_FROM : DEPLOY_FROM], known ? "other code" : "no code for it");
    return MGC_OK;
}

/* Of the contracts at home on this chain. */
static mgc_status ready(const mgc__contracts *c, const mgc__homes *homes)
{
    const mgc__state *state = mgc__state_of(homes, MGC_CONTRACT_INFORMATION);
    mgc__record_cursor cursor;

    mgc__record_first(&cursor, MGC_CONTRACT_INFORMATION, (const uint8_t *)"X", 1);
    while (state != NULL && mgc__record_next(state, &cursor)) {
        uint32_t id = (uint32_t)mgc__key_read(cursor.key, 1, 4);
        const entry *e;
        mgc_status st = mgc__at_home(homes, id) ? active(c, homes, id, &e) : MGC_OK;
        if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    }
    return MGC_OK;
}

mgc_status mgc__contracts_ready(const mgc__contracts *contracts, mgc_chain *chain)
{
    mgc__homes homes;
    mgc_status st = mgc__homes_of_chain(chain, &homes);

    if (st != MGC_OK) return st;
    if (homes.here == HOME_OF_ALL || homes.here == HOME_INFORMATION) homes.height++; /* that of the next block */
    return ready(contracts, &homes);
}

/* --- gates ---------------------------------------------------------------------------------------------- */

/* The market's parameters, and the next slot whose gate closes on a chain; false: there is no market. */
static bool read_market(const mgc__homes *homes, const mgc__state *here, mgc__market *market, int64_t *next)
{
    const mgc__state *information = mgc__state_of(homes, MGC_CONTRACT_INFORMATION);
    const uint8_t *bytes;
    size_t len;
    mgc__rec rec;

    if (information == NULL ||
        mgc__record_get(information, MGC_CONTRACT_INFORMATION, (const uint8_t *)"P", 1, &bytes, &len) != MGC_OK ||
        mgc__rec_decode(bytes, len, &rec) != MGC_OK)
        return false;
    mgc__market_read(&rec, market);
    *next = mgc__next_gate(here, market);
    return true;
}

bool mgc__contracts_next_gate(mgc_chain *chain, uint64_t *time_ms)
{
    mgc__homes homes;
    mgc__market market;
    int64_t next;

    if (mgc__homes_of_chain(chain, &homes) != MGC_OK ||
        !read_market(&homes, mgc__chain_state(chain), &market, &next))
        return false;
    *time_ms = mgc__gate_ms(&market, (uint64_t)next);
    return true;
}

/* Tell every active contract.  A host's contract that refuses is undone and heard of by an event; ours must not. */
static mgc_status close_gate(mgc__contracts *c, mgc__exec *x, const mgc__homes *homes, uint64_t slot)
{
    for (size_t i = 0; i < c->n; i++) {
        const entry *e = &c->entries[i];
        mgc__mark mark = mgc__exec_mark(x);
        mgc_env env;
        mgc_status st;

        if (e->ops.on_slot == NULL || !mgc__at_home(homes, e->ops.id)) continue;
        st = active(c, homes, e->ops.id, &e);
        if (st == MGC_E_NOT_FOUND) continue;
        if (st != MGC_OK) return st;
        if (e != &c->entries[i]) continue; /* another version of it is active */
        env_of_exec(&env, c, x, homes, e);
        env.at_gate = e->functional;
        st = answer(&env, e->ops.on_slot(e->user, &env, slot));
        if (st == MGC_OK) continue;
        if (mgc__is_fatal(st)) return st;
        if (e->functional)
            return mgc__fail(c->ctx, MGC_E_INTERNAL, "contract: %s refused the gate of slot %" PRIu64 ": %s", e->name,
                             slot, env.rule);
        mgc__exec_undo(x, mark);
        st = mgc__exec_emit(x, e->ops.id, "slot-refused", (const uint8_t *)env.rule, strlen(env.rule));
        if (st != MGC_OK) return st;
    }
    return MGC_OK;
}

/* The slots whose gates may close here: all before this one.  A schedule is made of what was agreed, so that trading
 * closes a slot first. */
static int64_t closed_before(const mgc__homes *homes)
{
    mgc__market market;
    int64_t next = INT64_MAX;

    if (homes->here != HOME_SCHEDULING) return INT64_MAX;
    if (homes->state[HOME_TRADING] == NULL || !read_market(homes, homes->state[HOME_TRADING], &market, &next)) return 0;
    return next;
}

static mgc_status close_gates(mgc__contracts *c, mgc__exec *x, const mgc__homes *homes)
{
    const entry *information = find(c, MGC_CONTRACT_INFORMATION); /* whose record it is, on every chain */
    mgc__key key = mgc__key_of('Z');
    int64_t next, end = closed_before(homes);
    mgc__market market;
    mgc_env env;

    if (!read_market(homes, mgc__exec_state(x), &market, &next)) return MGC_OK;
    for (uint32_t i = 0; i < MGC_SLOTS_PER_BLOCK_MAX && next < end &&
                         mgc__gate_ms(&market, (uint64_t)next) <= mgc__exec_time_ms(x);
         i++) {
        mgc_status st = close_gate(c, x, homes, (uint64_t)next);

        if (st != MGC_OK) return st;
        env_of_exec(&env, c, x, homes, information);
        next++;
        st = mgc__rec_put_ints(&env, &key, &next, 1);
        if (st != MGC_OK) return st;
    }
    return MGC_OK;
}

static mgc_status begin_block(void *user, mgc__exec *x)
{
    mgc__contracts *c = user;
    mgc__homes homes;
    mgc_status st = mgc__homes_of_exec(x, &homes);

    if (st == MGC_OK) st = ready(c, &homes);
    if (st == MGC_E_UNSUPPORTED) c->unsupported = true;
    return st != MGC_OK ? st : close_gates(c, x, &homes);
}

/* --- transactions ------------------------------------------------------------------------------------------ */

/* The member behind a key: enrolled, valid at this height, not revoked, holding the role. */
static mgc_status resolve(mgc_env *env, mgc__signer *signer)
{
    const mgc__state *information = mgc__state_of(&env->homes, MGC_CONTRACT_INFORMATION);
    mgc__key key = mgc__key_bytes(mgc__key_of('K'), signer->key, 32);
    const uint8_t *bytes;
    size_t len;
    mgc__rec held, member;
    mgc_status st = information == NULL ? MGC_E_NOT_FOUND
                                        : mgc__record_get(information, MGC_CONTRACT_INFORMATION, key.bytes, key.len,
                                                          &bytes, &len);

    if (st == MGC_E_NOT_FOUND) return MGC_OK; /* a key that is enrolled by this very transaction; nobody otherwise */
    if (st != MGC_OK) return st;
    if (mgc__rec_decode(bytes, len, &held) != MGC_OK) return MGC_E_INTERNAL;
    if (held.v[PUBKEY_REVOKED] != 0)
        return mgc_env_refuse(env, MGC_E_KEY_REVOKED,
                              "the key of member %" PRId64 " is revoked since height %" PRId64, held.v[PUBKEY_MEMBER],
                              held.v[PUBKEY_REVOKED]);
    if (mgc__key_barred(information, signer->key))
        return mgc_env_refuse(env, MGC_E_KEY_REVOKED, "the key of member %" PRId64 " is revoked by an act",
                              held.v[PUBKEY_MEMBER]);
    if ((uint64_t)held.v[PUBKEY_FROM] > env->homes.height)
        return mgc_env_refuse(env, MGC_E_KEY_NOT_YET, "the key of member %" PRId64 " is valid from height %" PRId64,
                              held.v[PUBKEY_MEMBER], held.v[PUBKEY_FROM]);
    key = mgc__key_u32(mgc__key_of('M'), (uint32_t)held.v[PUBKEY_MEMBER]);
    st = mgc__record_get(information, MGC_CONTRACT_INFORMATION, key.bytes, key.len, &bytes, &len);
    if (st != MGC_OK || mgc__rec_decode(bytes, len, &member) != MGC_OK) return MGC_E_INTERNAL;
    if (signer->role != MGC_ROLE_NONE && (signer->role > 62 || (member.v[MEMBER_ROLES] >> signer->role & 1) == 0))
        return mgc_env_refuse(env, MGC_E_FORBIDDEN,
                              "member %" PRId64 " has not the role %" PRIu32 " in which it signed",
                              held.v[PUBKEY_MEMBER], signer->role);
    signer->member = (uint32_t)held.v[PUBKEY_MEMBER];
    return MGC_OK;
}

/* Founding a market and taking a new key are signed by keys that nobody knows yet; and whoever signs blocks reports to credit
 * with the key that the chain's genesis names. */
static bool stranger_allowed(const mgc_env *env, const mgc__tx *tx, const uint8_t *key)
{
    if (tx->contract == MGC_CONTRACT_CREDIT) return mgc__env_validator(env, key) != NULL;
    return tx->contract == MGC_CONTRACT_INFORMATION &&
           (mgc__tx_method_is(tx, "found") || mgc__tx_method_is(tx, "rotate"));
}

static mgc_status resolve_all(mgc_env *env, const mgc__tx *tx)
{
    for (uint32_t i = 0; i < tx->n_signatures; i++) {
        mgc__signer *signer = &env->signers[i];
        mgc_status st;

        *signer = (mgc__signer){.role = tx->signers[i].role, .key = tx->signers[i].public_key};
        st = resolve(env, signer);
        if (st != MGC_OK) return st;
        if (signer->member == 0 && !stranger_allowed(env, tx, signer->key))
            return mgc_env_refuse(env, MGC_E_FORBIDDEN, "signer %" PRIu32 " is not enrolled", i);
    }
    env->n_signers = tx->n_signatures;
    return MGC_OK;
}

static mgc_status run(mgc_env *env, const entry *e, const mgc__tx *tx)
{
    mgc_call call = {.struct_size = sizeof call,
                     .method = tx->method,
                     .method_len = tx->method_len,
                     .arguments = tx->arguments,
                     .arguments_len = tx->arguments_len,
                     .sender = tx->sender};
    mgc_status st = resolve_all(env, tx);

    if (st == MGC_OK && e->ops.check != NULL) st = answer(env, e->ops.check(e->user, env, &call));
    if (st == MGC_OK) st = answer(env, e->ops.execute(e->user, env, &call));
    return st;
}

static mgc_status execute(void *user, mgc__exec *x, const mgc__tx *tx)
{
    mgc__contracts *c = user;
    const entry *e;
    mgc__homes homes;
    mgc_env env;
    mgc_status st = mgc__homes_of_exec(x, &homes);

    if (st != MGC_OK) return st;
    if (!mgc__at_home(&homes, tx->contract))
        return mgc__exec_refuse(x, MGC_E_WRONG_CHAIN, "contract %" PRIu32 " runs on chain \"%s\"", tx->contract,
                                mgc__home_name(mgc__home_of(tx->contract)));
    st = active(c, &homes, tx->contract, &e);
    if (st == MGC_E_NOT_FOUND) return mgc__exec_refuse(x, st, "no contract %" PRIu32 " is active", tx->contract);
    if (st != MGC_OK) return st;
    env_of_exec(&env, c, x, &homes, e);
    st = run(&env, e, tx);
    mgc__exec_set_cost(x, env.calls);
    if (st == MGC_OK || mgc__is_fatal(st)) return st;
    return mgc__exec_refuse(x, st, "%s", env.rule[0] != '\0' ? env.rule : mgc_status_text(st));
}

/* The microgrid that pays for what a key sends: the first that its member manages; 0: none. */
static mgc_status payer_of(mgc_env *env, const uint8_t sender[32], uint32_t *microgrid)
{
    mgc__key key = mgc__key_bytes(mgc__key_of('K'), sender, 32), prefix = mgc__key_of('G');
    mgc__rec held;
    mgc__walk w;
    mgc_status st = mgc__rec_get(env, MGC_CONTRACT_INFORMATION, &key, &held);

    *microgrid = 0;
    if (st != MGC_OK) return st == MGC_E_NOT_FOUND ? MGC_OK : st;
    mgc__walk_begin(&w, MGC_CONTRACT_INFORMATION, &prefix);
    while (*microgrid == 0 && mgc__walk_next(env, &w))
        if (w.rec.v[GRID_MANAGER] == held.v[PUBKEY_MEMBER]) *microgrid = (uint32_t)mgc__key_read(w.key, 1, 4);
    return env->broken;
}

/* As much as is there, from the payer's money to the network's account; ids 0 || 12 bytes of the transaction's. */
static mgc_status take_fee(mgc__exec *x, const mgc__tx *tx, uint32_t microgrid, uint64_t fee)
{
    mgc_transfer_info t = {
        .struct_size = sizeof t, .unit = MGC_UNIT_MICRO_CURRENCY, .code = CODE_CALL_FEE, .user_data_64 = tx->contract};
    mgc_account_info money = {.struct_size = sizeof money};
    uint64_t there;
    mgc_status st;

    memcpy(t.id + 4, tx->id, 12);
    mgc_account_id(MGC_ACCOUNT_MONEY, microgrid, t.debit_account);
    mgc_account_id(MGC_ACCOUNT_NETWORK, 0, t.credit_account);
    st = mgc__account_get(mgc__exec_state(x), t.debit_account, &money);
    if (st != MGC_OK) return mgc__is_fatal(st) ? st : MGC_OK; /* it never had any */
    there = money.credits_posted - money.debits_posted - money.debits_pending;
    t.amount = fee < there ? fee : there;
    if (t.amount == 0) return MGC_OK;
    st = mgc__transfer_create(x, &t);
    return mgc__is_fatal(st) ? st : MGC_OK;
}

/* What a host's contract used is paid for, also where it was refused and its effects are undone (fault 93). */
static mgc_status charge(void *user, mgc__exec *x, const mgc__tx *tx)
{
    mgc__contracts *c = user;
    uint64_t thousands = (mgc__exec_cost(x) + 999) / 1000;
    uint32_t microgrid;
    int64_t fee;
    mgc__homes homes;
    mgc_env env;
    mgc_status st;

    if (tx->contract < MGC_CONTRACT_HOST || thousands == 0) return MGC_OK;
    st = mgc__homes_of_exec(x, &homes);
    if (st != MGC_OK) return st;
    env_of_exec(&env, c, x, &homes, find(c, MGC_CONTRACT_SUPERVISION)); /* it only reads */
    st = mgc__parameter(&env, PARAMETER_CALL_FEE, &fee);
    if (st != MGC_OK || fee == 0) return st;
    st = payer_of(&env, tx->sender, &microgrid);
    return st != MGC_OK || microgrid == 0 ? st : take_fee(x, tx, microgrid, (uint64_t)fee * thousands);
}

void mgc__contracts_attach(mgc__contracts *contracts, mgc_chain *chain)
{
    mgc__executor executor = {.user = contracts, .begin_block = begin_block, .execute = execute, .charge = charge};

    mgc__indexes_clear(contracts->indexes);
    mgc__chain_set_executor(chain, &executor);
}

/* --- queries ---------------------------------------------------------------------------------- */

bool mgc__contracts_sees_all(mgc_chain *information, uint32_t caller, const char *what)
{
    return mgc__roles_see_all(mgc__contracts_roles(information, caller), what);
}

uint32_t mgc__contracts_roles(mgc_chain *information, uint32_t member)
{
    mgc__key key = mgc__key_u32(mgc__key_of('M'), member);
    const uint8_t *bytes;
    size_t len;
    mgc__rec rec;

    if (member == 0 ||
        mgc__record_get(mgc__chain_state(information), MGC_CONTRACT_INFORMATION, key.bytes, key.len, &bytes, &len) != MGC_OK ||
        mgc__rec_decode(bytes, len, &rec) != MGC_OK)
        return 0;
    return (uint32_t)rec.v[MEMBER_ROLES];
}

uint32_t mgc__contracts_member(mgc_chain *information, const uint8_t public_key[32])
{
    mgc__key key = mgc__key_bytes(mgc__key_of('K'), public_key, 32);
    const uint8_t *bytes;
    size_t len;
    mgc__rec held;

    if (mgc__record_get(mgc__chain_state(information), MGC_CONTRACT_INFORMATION, key.bytes, key.len, &bytes, &len) !=
            MGC_OK ||
        mgc__rec_decode(bytes, len, &held) != MGC_OK)
        return 0;
    return (uint32_t)held.v[PUBKEY_MEMBER];
}

static mgc_status query_contract(mgc_rows *rows, int64_t id, const char *name, size_t name_len, int64_t version,
                                 const uint8_t hash[32], int64_t from)
{
    mgc_status st = mgc_rows_put_int(rows, id);

    if (st == MGC_OK) st = mgc_rows_put_text(rows, name, name_len);
    if (st == MGC_OK) st = mgc_rows_put_int(rows, version);
    if (st == MGC_OK) st = mgc_rows_put_hex(rows, hash, 32);
    return st != MGC_OK ? st : mgc_rows_put_int(rows, from);
}

/* The built-in ones, then what was deployed. */
static mgc_status query_contracts(const mgc__contracts *c, const mgc__state *state, mgc_rows *rows)
{
    mgc__record_cursor cursor;
    mgc_status st = mgc_rows_begin(rows, "id name version code_hash activation_height");

    for (size_t i = 0; i < c->n && st == MGC_OK; i++)
        if (c->entries[i].functional)
            st = query_contract(rows, c->entries[i].ops.id, c->entries[i].name, strlen(c->entries[i].name),
                                c->entries[i].ops.code_version, c->entries[i].ops.code_hash, 0);
    mgc__record_first(&cursor, MGC_CONTRACT_INFORMATION, (const uint8_t *)"X", 1);
    while (st == MGC_OK && mgc__record_next(state, &cursor)) {
        mgc__rec rec;

        if (mgc__rec_decode(cursor.value, cursor.value_len, &rec) != MGC_OK || rec.data_len < 32)
            return MGC_E_INTERNAL;
        st = query_contract(rows, (int64_t)mgc__key_read(cursor.key, 1, 4), rec.name, rec.name_len,
                            rec.v[DEPLOY_VERSION], rec.data, rec.v[DEPLOY_FROM]);
    }
    return st;
}

/* Ask one contract on its own chain; MGC_E_NOT_FOUND where it knows nothing of the kind. */
static mgc_status ask_one(mgc__contracts *c, const entry *e, mgc_chain *const chains[HOMES], const mgc_query *query,
                          mgc_rows *rows)
{
    mgc_chain *own = chains[mgc__home_of(e->ops.id)];
    const entry *in_force;
    mgc_env env;
    mgc_status st = env_of_chain(&env, c->ctx, own, e);

    if (st == MGC_OK) st = active(c, &env.homes, e->ops.id, &in_force);
    if (st == MGC_OK && in_force != e) return MGC_E_NOT_FOUND; /* another version of it */
    if (st != MGC_OK) return st;
    env.accounts = chains[HOME_TRADING];
    env.chains = chains;
    env.indexes = c->indexes;
    st = answer(&env, e->ops.query(e->user, &env, query, rows));
    if (st == MGC_E_NOT_FOUND && mgc_rows_column(rows, 0) == NULL) return st;
    if (st != MGC_OK && env.rule[0] != '\0')
        return mgc__fail(c->ctx, st, "contract: query \"%s\": %s", query->what, env.rule);
    return st == MGC_E_NOT_FOUND ? MGC_E_INTERNAL : st; /* it had begun to answer */
}

mgc_status mgc__contracts_keys(mgc__contracts *contracts, mgc_chain *const chains[HOMES], uint32_t member,
                               uint8_t (**keys)[32], size_t *n)
{
    uint64_t value = member;
    const mgc__tree *index;
    void *block = NULL;
    uint8_t after[MGC_RECORD_KEY_MAX];
    const mgc__item *item;
    size_t after_len = 0, cap = 0;
    mgc_env env;
    mgc_status st = env_of_chain(&env, contracts->ctx, chains[HOME_INFORMATION], find(contracts, MGC_CONTRACT_INFORMATION));

    *keys = NULL;
    *n = 0;
    env.chains = chains;
    env.indexes = contracts->indexes;
    if (st == MGC_OK) st = mgc__index_get(&env, MGC_CONTRACT_INFORMATION, 'K', MGC__BY_NUMBER, &index);
    while (st == MGC_OK && (item = mgc__index_next(index, &value, 1, after, after_len)) != NULL) {
        after_len = item->key_len - 8;
        memcpy(after, item->bytes + 8, after_len);
        if (after_len != 33 || mgc__contracts_member(chains[HOME_INFORMATION], after + 1) != member) continue;
        if (!mgc__grow(contracts->ctx, &block, &cap, *n + 1, 32)) {
            mgc__free(contracts->ctx, block);
            *keys = NULL;
            *n = 0;
            return mgc__no_memory(contracts->ctx, "contract: a member's keys");
        }
        *keys = block;
        memcpy((*keys)[(*n)++], after + 1, 32);
    }
    return st;
}

mgc_status mgc__contracts_query(mgc__contracts *contracts, mgc_chain *const chains[HOMES], uint32_t caller,
                                const char *what, const char *arguments, mgc_rows *rows)
{
    const mgc__state *information = mgc__chain_state(chains[HOME_INFORMATION]);
    mgc_query query = {.struct_size = sizeof query,
                       .what = what,
                       .arguments = arguments == NULL ? "" : arguments,
                       .caller = caller,
                       .sees_all = mgc__contracts_sees_all(chains[HOME_INFORMATION], caller, what) ? 1 : 0};

    if (strcmp(what, "contracts") == 0) {
        mgc_status st = mgc__query_keys(contracts->ctx, &query, "");
        return st != MGC_OK ? st : query_contracts(contracts, information, rows);
    }
    for (size_t i = 0; i < contracts->n; i++) {
        mgc_status st;

        if (contracts->entries[i].ops.query == NULL) continue;
        st = ask_one(contracts, &contracts->entries[i], chains, &query, rows);
        if (st != MGC_E_NOT_FOUND) return st;
    }
    return mgc__fail(contracts->ctx, MGC_E_NOT_FOUND, "contract: there is nothing called \"%s\" to ask for", what);
}

/* --- verifying -------------------------------------------------------------------------------- */

static void attach(void *user, mgc_chain *chain)
{
    mgc__contracts_attach(user, chain);
}

mgc_status mgc_contract_verify(mgc_ctx *ctx, const mgc_ledger_opts *opts, const mgc_contract *contracts,
                               void *const *users, size_t n_contracts, mgc_verify_info *info)
{
    mgc__contracts *c;
    mgc_status st;

    if (ctx == NULL) return MGC_E_INVALID_ARG;
    if (contracts == NULL && n_contracts > 0) return mgc__fail(ctx, MGC_E_INVALID_ARG, "contract: contracts is NULL");
    st = mgc__contracts_create(ctx, &c);
    for (size_t i = 0; i < n_contracts && st == MGC_OK; i++)
        st = mgc__contracts_add(c, &contracts[i], users == NULL ? NULL : users[i]);
    if (st == MGC_OK) st = mgc__ledger_verify(ctx, opts, attach, c, info);
    if (st != MGC_OK && c != NULL && c->unsupported)
        st = mgc__fail(ctx, MGC_E_UNSUPPORTED,
                       "contract: the store uses a contract, or a version of one, that was not given");
    mgc__contracts_destroy(c);
    return st;
}
