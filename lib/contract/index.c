/* SPDX-License-Identifier: Apache-2.0 */
/* Which records concern whom: ordered indexes over records and accounts, for queries.
 *
 * Keys of records begin with their slot, because rules go by slots.  Whoever asks for a microgrid, a carrier or a number
 * would have to look through all that ever was.  So each kind of record has, for each condition that is asked for, an
 * index: made from the state when it is first asked for, and brought up to the head by what blocks wrote since.  It is
 * no part of the state and never stored.
 *
 *   what the condition asks for 8 || the record's key
 *
 * An entry may outlive its record, or what it says of it: whoever reads looks at the record itself. */
#include "contract/contract.h"
#include "ledger/state.h"

enum { INDEXES_MAX = 48, VALUE = 8, CONDITIONS = 2 };

struct mgc__index {
    uint32_t contract; /* 0: accounts */
    char letter;
    uint32_t by;
    uint64_t upto; /* height */
    mgc__tree tree;
};

struct mgc__indexes {
    mgc_ctx *ctx;
    size_t n;
    struct mgc__index at[INDEXES_MAX];
};

/* --- what a record is about --------------------------------------------------------------------------- */

typedef struct subject {
    int64_t grid[CONDITIONS]; /* microgrids; 0: none */
    uint64_t carrier, slot, number;
} subject;

enum { GRID = 1, CARRIER = 2, SLOT = 4, NUMBER = 8 };

static const struct form {
    uint32_t contract;
    char letter;
    uint8_t grid, carrier, slot, number; /* where in the key; 0: not there */
    uint8_t first_v, other_v, carrier_v, number_v; /* place among the integers + 1 */
    char party;                          /* of whose record they are: the meter's or link's, whose number stands at: */
    uint8_t party_at;
    uint8_t has;
} forms[] = {
    {.contract = MGC_CONTRACT_INFORMATION, .letter = 'K', .number_v = PUBKEY_MEMBER + 1, .has = NUMBER},
    {.contract = MGC_CONTRACT_TRADING, .letter = 'N', .grid = 9, .carrier = 13, .has = GRID | CARRIER},
    {.contract = MGC_CONTRACT_TRADING, .letter = 'A', .number = 9, .first_v = TRADE_SELLER + 1, .other_v = TRADE_BUYER + 1,
     .carrier_v = TRADE_CARRIER + 1, .has = GRID | CARRIER | NUMBER},
    {.contract = MGC_CONTRACT_TRADING, .letter = 'B', .first_v = PAYMENT_PAYER + 1, .other_v = PAYMENT_PAYEE + 1, .has = GRID},
    {.contract = MGC_CONTRACT_TRADING, .letter = 'o', .carrier = 9, .first_v = 1 /* BID_MICROGRID */, .has = GRID | CARRIER},
    {.contract = MGC_CONTRACT_TRADING, .letter = 'p', .carrier = 9, .has = CARRIER},
    {.contract = MGC_CONTRACT_SCHEDULING, .letter = 'S', .grid = 9, .carrier = 13, .has = GRID | CARRIER},
    {.contract = MGC_CONTRACT_SCHEDULING, .letter = 'F', .first_v = LINK_FIRST + 1, .other_v = LINK_SECOND + 1,
     .carrier_v = LINK_CARRIER + 1, .party = 'L', .party_at = 9, .has = GRID | CARRIER},
    {.contract = MGC_CONTRACT_SCHEDULING, .letter = 'L', .slot = 5, .has = SLOT},
    {.contract = MGC_CONTRACT_SCHEDULING, .letter = 'R', .slot = 5, .first_v = METER_MICROGRID + 1,
     .carrier_v = METER_CARRIER + 1, .party = 'T', .party_at = 1, .has = GRID | CARRIER | SLOT},
    {.contract = MGC_CONTRACT_SETTLEMENT, .letter = 'D', .grid = 9, .carrier = 13, .has = GRID | CARRIER},
    {.contract = MGC_CONTRACT_SETTLEMENT, .letter = 'T', .slot = 6, .carrier = 5, .has = CARRIER | SLOT},
    {.contract = MGC_CONTRACT_SETTLEMENT, .letter = 'O', .first_v = 2 /* ORIGIN_OWNER */, .has = GRID},
    {.contract = MGC_CONTRACT_SETTLEMENT, .letter = 'P', .grid = 1, .has = GRID},
};

static const struct form *form_of(uint32_t contract, char letter)
{
    for (size_t i = 0; i < MGC__COUNT(forms); i++)
        if (forms[i].contract == contract && forms[i].letter == letter) return &forms[i];
    return NULL;
}

static int64_t integer(const mgc__rec *rec, uint8_t place)
{
    return place == 0 ? 0 : rec->v[place - 1];
}

static mgc_status read_subject(mgc_env *env, const struct form *f, const uint8_t *key, const uint8_t *value, size_t len,
                               subject *s)
{
    mgc__key party = mgc__key_of(f->party);
    mgc__rec rec;
    mgc_status st;

    memset(s, 0, sizeof *s);
    if (f->grid != 0) s->grid[0] = (int64_t)mgc__key_read(key, f->grid, 4);
    if (f->carrier != 0) s->carrier = key[f->carrier];
    if (f->slot != 0) s->slot = mgc__key_read(key, f->slot, 8);
    if (f->number != 0) s->number = mgc__key_read(key, f->number, 8);
    if (f->first_v == 0 && f->number_v == 0) return MGC_OK;
    if (f->party != 0) {
        party = mgc__key_u32(party, (uint32_t)mgc__key_read(key, f->party_at, 4));
        st = mgc__rec_get(env, MGC_CONTRACT_INFORMATION, &party, &rec);
    } else {
        st = mgc__rec_decode(value, len, &rec);
    }
    if (st != MGC_OK) return MGC_E_INTERNAL; /* the contracts wrote both */
    s->grid[1] = integer(&rec, f->other_v);
    if (f->first_v != 0) s->grid[0] = integer(&rec, f->first_v);
    if (f->carrier_v != 0) s->carrier = (uint64_t)integer(&rec, f->carrier_v);
    if (f->number_v != 0) s->number = (uint64_t)integer(&rec, f->number_v);
    return MGC_OK;
}

/* Microgrids are below 2^21, carriers below 4; numbers of one contract's things stay below 2^40 for all time. */
uint64_t mgc__index_value(uint32_t by, uint64_t microgrid, uint64_t other)
{
    if (by == MGC__BY_BOTH) return microgrid << 2 | other;
    if (by == MGC__BY_OWN_NUMBER) return microgrid << 40 | other;
    return by == MGC__BY_MICROGRID ? microgrid : other;
}

/* --- entries -------------------------------------------------------------------------------------------- */

static mgc_status enter(mgc_ctx *ctx, struct mgc__index *x, uint64_t value, const uint8_t *key, size_t key_len)
{
    uint8_t bytes[VALUE + MGC_RECORD_KEY_MAX];
    mgc__item *item, *old;

    mgc__put_be64(bytes, value);
    memcpy(bytes + VALUE, key, key_len);
    if (mgc__tree_get(&x->tree, bytes, VALUE + key_len) != NULL) return MGC_OK; /* written again */
    item = mgc__item_create(ctx, bytes, VALUE + key_len, NULL, 0);
    if (item != NULL && mgc__tree_put(&x->tree, item, &old)) return MGC_OK;
    mgc__free(ctx, item);
    return mgc__no_memory(ctx, "contract: an index");
}

static mgc_status enter_record(mgc_env *env, struct mgc__index *x, const uint8_t *key, size_t key_len, const uint8_t *value,
                               size_t len)
{
    bool grids = x->by == MGC__BY_MICROGRID || x->by == MGC__BY_BOTH || x->by == MGC__BY_OWN_NUMBER;
    subject s;
    uint64_t other;
    mgc_status st = read_subject(env, form_of(x->contract, x->letter), key, value, len, &s);

    other = x->by == MGC__BY_SLOT ? s.slot : x->by == MGC__BY_NUMBER || x->by == MGC__BY_OWN_NUMBER ? s.number : s.carrier;
    if (st == MGC_OK && !grids) return enter(env->ctx, x, mgc__index_value(x->by, 0, other), key, key_len);
    for (size_t i = 0; i < CONDITIONS && st == MGC_OK; i++)
        if (s.grid[i] != 0)
            st = enter(env->ctx, x, mgc__index_value(x->by, (uint64_t)s.grid[i], other), key, key_len);
    return st;
}

static mgc_status enter_account(mgc_env *env, struct mgc__index *x, const mgc_account_info *account)
{
    return enter(env->ctx, x, account->user_data_32, account->id, sizeof account->id);
}

/* --- from the state, and up to the head -------------------------------------------------------------------- */

static mgc_status build(mgc_env *env, mgc_chain *chain, struct mgc__index *x)
{
    mgc_account_info account = {.struct_size = sizeof account};
    uint8_t after[MGC_ID_BYTES];
    mgc__record_cursor c;
    mgc_status st = MGC_OK;

    if (x->contract == 0) {
        st = mgc_chain_next_account(chain, NULL, &account);
        while (st == MGC_OK) {
            st = enter_account(env, x, &account);
            memcpy(after, account.id, sizeof after);
            if (st == MGC_OK) st = mgc_chain_next_account(chain, after, &account);
        }
        return st == MGC_E_NOT_FOUND ? MGC_OK : st;
    }
    mgc__record_first(&c, x->contract, (const uint8_t *)&x->letter, 1);
    while (st == MGC_OK && mgc__record_next(mgc__chain_state(chain), &c))
        st = enter_record(env, x, c.key, c.key_len, c.value, c.value_len);
    return st;
}

struct writes {
    mgc_env *env;
    mgc_chain *chain;
    struct mgc__index *index;
};

static mgc_status enter_write(void *user, const uint8_t *key, size_t key_len, const uint8_t *value, size_t len)
{
    mgc_account_info account = {.struct_size = sizeof account};
    struct writes *w = user;
    struct mgc__index *x = w->index;

    if (value == NULL) return MGC_OK;
    if (x->contract == 0 && key[0] == MGC__AREA_ACCOUNT && mgc_chain_get_account(w->chain, key + 1, &account) == MGC_OK)
        return enter_account(w->env, x, &account);
    if (x->contract == 0 || key[0] != MGC__AREA_RECORD || key_len < 6 || mgc__get_be32(key + 1) != x->contract ||
        key[5] != (uint8_t)x->letter)
        return MGC_OK;
    return enter_record(w->env, x, key + 5, key_len - 5, value, len);
}

static mgc_status refresh(mgc_env *env, mgc_chain *chain, struct mgc__index *x, bool built)
{
    struct writes w = {.env = env, .chain = chain, .index = x};
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_status st = mgc_chain_get_info(chain, &info);

    for (uint64_t height = x->upto + 1; built && st == MGC_OK && height <= info.height; height++) {
        st = mgc__chain_writes(chain, height, enter_write, &w);
        if (st == MGC_OK) x->upto = height;
    }
    if (st == MGC_OK && built) return MGC_OK;
    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    st = build(env, chain, x); /* the first time, or blocks were pruned that it had not seen */
    if (st == MGC_OK) x->upto = info.height;
    return st;
}

mgc_status mgc__index_get(mgc_env *env, uint32_t contract, char letter, uint32_t by, const mgc__tree **tree)
{
    mgc__indexes *all = env->indexes;
    mgc_chain *chain = contract == 0 ? env->accounts : env->chains[mgc__home_of(contract)];
    struct mgc__index *x;
    mgc_status st;
    size_t i = 0;

    *tree = NULL;
    while (i < all->n && (all->at[i].contract != contract || all->at[i].letter != letter || all->at[i].by != by)) i++;
    x = &all->at[i];
    if (i == all->n) {
        assert(i < INDEXES_MAX); /* forms times conditions are fewer */
        *x = (struct mgc__index){.contract = contract, .letter = letter, .by = by};
        mgc__tree_init(&x->tree, all->ctx);
    }
    st = refresh(env, chain, x, i < all->n);
    if (st != MGC_OK && i == all->n) mgc__tree_free(&x->tree);
    if (st != MGC_OK) return st;
    if (i == all->n) all->n++;
    *tree = &x->tree;
    return MGC_OK;
}

/* --- which one answers a question -------------------------------------------------------------------------- */

/* The microgrids that the caller reads for; false: too many for a walk of each. */
static bool own_microgrids(mgc_env *env, const mgc__filter *filter, mgc__walk *w)
{
    mgc__key prefix = mgc__key_of('G');
    mgc__page *page = env->page;
    bool fits = true;
    mgc__walk grids;

    w->n_values = 0;
    env->page = NULL; /* this is not the walk whose pages are told */
    mgc__walk_begin(&grids, MGC_CONTRACT_INFORMATION, &prefix);
    while (fits && mgc__walk_next(env, &grids)) {
        int64_t id = (int64_t)mgc__key_read(grids.key, 1, 4);

        if (!mgc__reads_for(env, filter->query->caller, id)) continue;
        if (filter->microgrid == (uint32_t)id) { /* all its rows pass, and no others */
            w->values[0] = (uint64_t)id;
            w->n_values = 1;
            break;
        }
        fits = w->n_values < MGC__WALK_VALUES;
        if (fits) w->values[w->n_values++] = (uint64_t)id;
    }
    env->page = page;
    return fits;
}

bool mgc__whose(mgc_env *env, const mgc__filter *filter, mgc__walk *w)
{
    if (filter->query->sees_all == 0) return own_microgrids(env, filter, w);
    w->values[0] = filter->microgrid;
    w->n_values = 1;
    return filter->microgrid != 0;
}

void mgc__walk_of(mgc_env *env, mgc__walk *w, const mgc__key *prefix, const mgc__filter *filter)
{
    const struct form *f = form_of(env->contract, (char)prefix->bytes[0]);
    uint32_t has = f == NULL ? 0 : f->has, by;
    bool number = (has & NUMBER) != 0 && filter->number != UINT64_MAX;
    bool carrier = (has & CARRIER) != 0 && filter->carrier != 0;
    uint64_t other = number ? filter->number : carrier ? filter->carrier : 0;

    mgc__walk_begin(w, env->contract, prefix);
    if (f == NULL || prefix->len > 1 || env->indexes == NULL) return; /* narrowed down already */
    if ((has & SLOT) != 0 && filter->slot != UINT64_MAX) {
        by = MGC__BY_SLOT;
        other = filter->slot;
        w->n_values = 1;
    } else if (number && filter->query->sees_all != 0) {
        by = MGC__BY_NUMBER;
        w->n_values = 1;
    } else if ((has & GRID) != 0 && mgc__whose(env, filter, w)) {
        by = number ? MGC__BY_OWN_NUMBER : carrier ? MGC__BY_BOTH : MGC__BY_MICROGRID;
    } else if (carrier) {
        by = MGC__BY_CARRIER;
        w->n_values = 1;
    } else {
        return;
    }
    for (uint32_t i = 0; i < w->n_values; i++) w->values[i] = mgc__index_value(by, w->values[i], other);
    (void)mgc__env_keep(env, mgc__index_get(env, env->contract, f->letter, by, &w->index));
}

const mgc__item *mgc__index_next(const mgc__tree *index, const uint64_t *values, uint32_t n, const uint8_t *after, size_t len)
{
    const mgc__item *least = NULL;
    uint8_t key[VALUE + MGC_RECORD_KEY_MAX];

    for (uint32_t i = 0; i < n; i++) {
        const mgc__item *item;

        mgc__put_be64(key, values[i]);
        if (len > 0) memcpy(key + VALUE, after, len);
        item = mgc__tree_after(index, key, VALUE + len, false);
        if (item == NULL || memcmp(item->bytes, key, VALUE) != 0) continue;
        if (least == NULL || mgc__key_compare(item->bytes + VALUE, item->key_len - VALUE, least->bytes + VALUE,
                                              least->key_len - VALUE) < 0)
            least = item;
    }
    return least;
}

/* --- life ---------------------------------------------------------------------------------------------------- */

mgc_status mgc__indexes_create(mgc_ctx *ctx, mgc__indexes **out)
{
    *out = mgc__alloc(ctx, 1, sizeof **out);
    if (*out == NULL) return mgc__no_memory(ctx, "contract: indexes");
    (*out)->ctx = ctx;
    return MGC_OK;
}

void mgc__indexes_clear(mgc__indexes *indexes)
{
    while (indexes->n > 0) mgc__tree_free(&indexes->at[--indexes->n].tree);
}

void mgc__indexes_destroy(mgc__indexes *indexes)
{
    if (indexes == NULL) return;
    mgc__indexes_clear(indexes);
    mgc__free(indexes->ctx, indexes);
}
