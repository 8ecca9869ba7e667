/* SPDX-License-Identifier: Apache-2.0 */
/* How inputs of fuzz_chain are changed: by acts and by the fields of their arguments, as the table of methods describes them, so
 * that most of what is tried is decoded, signed by who may sign it, and fails or succeeds by a rule.  Values come from what the
 * market has (its slots, members, registers), from the ends of a field's range, or from anywhere. */
#include "chain_world.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out,
                                 size_t max_size, unsigned seed);

enum { ARGS_MAX = 2048, HEADER_MAX = 600 };

struct act {
    uint8_t head[ACT_LEN], args[ARGS_MAX];
    size_t len;
};
struct input {
    uint8_t world;
    uint32_t n;
    struct act at[ACTS_MAX];
};

static mgc__rng rng;

static uint32_t below(uint32_t n)
{
    return (uint32_t)mgc__rng_below(&rng, n);
}

static void parse(const uint8_t *data, size_t size, struct input *in)
{
    in->n = 0;
    in->world = size > 0 ? data[0] : 0;
    for (size_t at = 1; in->n < ACTS_MAX && at + ACT_HEAD <= size; in->n++) {
        struct act *a = &in->at[in->n];
        size_t len = (size_t)data[at + ACT_LEN] | (size_t)data[at + ACT_LEN + 1] << 8;

        memcpy(a->head, data + at, ACT_LEN);
        at += ACT_HEAD;
        if (len > size - at) len = size - at;
        a->len = len < ARGS_MAX ? len : ARGS_MAX;
        memcpy(a->args, data + at, a->len);
        at += len;
    }
}

static size_t print(const struct input *in, uint8_t *out, size_t max_size)
{
    size_t at = 1;

    if (max_size == 0) return 0;
    out[0] = in->world;
    for (uint32_t i = 0; i < in->n && at + ACT_HEAD + in->at[i].len <= max_size; i++) {
        memcpy(out + at, in->at[i].head, ACT_LEN);
        out[at + ACT_LEN] = (uint8_t)in->at[i].len;
        out[at + ACT_LEN + 1] = (uint8_t)(in->at[i].len >> 8);
        memcpy(out + at + ACT_HEAD, in->at[i].args, in->at[i].len);
        at += ACT_HEAD + in->at[i].len;
    }
    return at;
}

/* --- values ---------------------------------------------------------------------------------------- */

static bool ends_with(const char *name, size_t len, const char *end)
{
    return len >= strlen(end) && memcmp(name + len - strlen(end), end, strlen(end)) == 0;
}

/* What the market has under such a name; -1: nothing that is known. */
static int64_t known(const char *name, size_t len)
{
    static const char *const grids[] = {"microgrid", "seller", "buyer", "payer", "payee", "first", "second", "subject"};

    if (ends_with(name, len, "slot")) return FIRST_SLOT + (int64_t)below(SLOTS + 2) - 1;
    for (size_t i = 0; i < MGC__COUNT(grids); i++)
        if (strlen(grids[i]) == len && memcmp(grids[i], name, len) == 0) return 1 + (int64_t)below(GRIDS);
    if (ends_with(name, len, "meter")) return 1 + (int64_t)below(METERS);
    if (ends_with(name, len, "member") || ends_with(name, len, "manager")) return chain_people[below(chain_n_people)];
    if (ends_with(name, len, "price") || ends_with(name, len, "kwh")) return below(200000);
    if (ends_with(name, len, "in_wh") || ends_with(name, len, "out_wh"))
        return below(3) == 0 ? 9500000 + below(499999) : below(1500000);
    if (ends_with(name, len, "wh") || ends_with(name, len, "_w")) return 1 + (int64_t)below(500000);
    if (ends_with(name, len, "micro")) return 1 + (int64_t)below(3000000);
    if (ends_with(name, len, "height")) return 120 + (int64_t)below(60);
    return -1;
}

static int64_t number(const char *name, size_t len, int64_t lower, int64_t upper)
{
    uint64_t range = (uint64_t)upper - (uint64_t)lower;
    int64_t value = known(name, len);

    if (value >= 0 && below(4) != 0) return value;
    switch (below(6)) {
    case 0: return lower;
    case 1: return upper;
    case 2: return lower + (int64_t)(range == UINT64_MAX ? mgc__rng_next(&rng) : mgc__rng_below(&rng, range + 1));
    case 3: return (int64_t)(mgc__rng_next(&rng) >> below(64)); /* beyond the range, too */
    default: return lower + (int64_t)below(range < 6 ? (uint32_t)range + 1 : 6);
    }
}

/* The order that is sealed and later revealed by a microgrid: always the same, so that the two meet. */
enum { BID_WH = 100000, BID_PRICE = 90000 };

static size_t bytes_for(const char *name, const mgc__values *old, uint8_t *out)
{
    struct market *m = chain_world(0);
    size_t n = 32;

    if (strcmp(name, "key") == 0 || strcmp(name, "administrator") == 0) {
        must(mgc_key_public(market_key(m, chain_people[below(chain_n_people)]), out) == MGC_OK, "a key");
    } else if (strcmp(name, "hash") == 0 && old->at[0].number >= 1 && old->at[0].number <= GRIDS) {
        market_bid_hash((uint32_t)old->at[0].number, (uint64_t)old->at[1].number, (uint8_t)old->at[2].number,
                        old->at[0].number == 1, BID_WH, BID_PRICE, out);
    } else if (strcmp(name, "header") == 0 || strcmp(name, "first") == 0 || strcmp(name, "second") == 0) {
        uint64_t height = 1 + below((uint32_t)market_height(m, MGC_CONTRACT_CREDIT));
        n = market_header(m, MGC_CONTRACT_CREDIT, height, below(2), out, HEADER_MAX);
    } else if (ends_with(name, strlen(name), "_signature")) {
        const struct mgc__value *signed_value = &old->at[strcmp(name, "first_signature") == 0 ? 2 : 4];
        n = 64;
        memset(out, 1, n);
        if (signed_value->bytes != NULL && signed_value->len < ARGS_MAX)
            market_vote(m, MGC_CONTRACT_CREDIT, signed_value->bytes, signed_value->len, m->key, out);
    } else if (strcmp(name, "salt") == 0) {
        memset(out, 1 + (int)below(GRIDS), n);
    } else {
        memset(out, (int)below(256), n);
    }
    return n;
}

/* --- arguments ------------------------------------------------------------------------------------- */

static void put_row(mgc__cbor_writer *w, const mgc__field *field, const int64_t *old, int64_t slot_later)
{
    uint32_t columns = mgc__field_columns(field), changed = old == NULL ? UINT32_MAX : below(3 * columns);
    const char *name = field->columns;

    mgc__cbor_put_array(w, columns);
    for (uint32_t c = 0; c < columns; c++) {
        size_t len = strcspn(name, " ");
        int64_t value = old == NULL || c == changed ? number(name, len, -1000, INT64_C(1) << 40) : old[c];

        mgc__cbor_put_int(w, c == 0 ? value + slot_later : value);
        name += len + (name[len] == ' ');
    }
}

/* Rows as they were, some changed, one more or one less. */
static void put_rows(mgc__cbor_writer *w, const mgc__method *method, uint32_t i, const mgc__values *old)
{
    const mgc__field *field = &method->fields[i];
    uint64_t n = old == NULL ? 0 : old->at[i].rows, keep = n, more = 0;
    mgc__row_reader r;
    int64_t row[COLUMNS_MAX];

    if (n == 0 || below(4) == 0) more = 1;
    if (n > 1 && below(4) == 0) keep = n - 1;
    mgc__cbor_put_array(w, keep + more);
    if (n > 0) mgc__row_begin(&r, method, old, i);
    for (uint64_t k = 0; k < keep && mgc__row_next(&r, row); k++) put_row(w, field, row, 0);
    if (more > 0) put_row(w, field, n > 0 ? row : NULL, n > 0);
}

static void put_field(mgc__cbor_writer *w, const mgc__method *method, uint32_t i, const mgc__values *old, bool change,
                      const mgc__values *so_far)
{
    const mgc__field *field = &method->fields[i];
    uint8_t bytes[ARGS_MAX];

    switch (field->kind) {
    case MGC_FIELD_UINT:
    case MGC_FIELD_INT:
        mgc__cbor_put_int(w, change ? number(field->name, strlen(field->name), field->lower, field->upper) : old->at[i].number);
        break;
    case MGC_FIELD_TEXT:
        if (change) mgc__cbor_put_text(w, "why", below(4));
        else mgc__cbor_put_text(w, (const char *)old->at[i].bytes, old->at[i].len);
        break;
    case MGC_FIELD_BYTES:
        if (change) mgc__cbor_put_bytes(w, bytes, bytes_for(field->name, so_far, bytes));
        else mgc__cbor_put_bytes(w, old->at[i].bytes, old->at[i].len);
        break;
    default: put_rows(w, method, i, old);
    }
}

static const mgc__method *method_of(const struct act *a, uint32_t *contract)
{
    uint32_t methods = 0;
    const char *name;

    *contract = 1 + a->head[ACT_CONTRACT] % CONTRACTS;
    while (mgc_method_name(*contract, methods) != NULL) methods++;
    if (methods == 0) return NULL;
    name = mgc_method_name(*contract, a->head[ACT_METHOD] % methods);
    return mgc__method_find(*contract, name, strlen(name));
}

/* Change one field, or make them all where there is nothing to keep.  Bytes may depend on fields before them, which are read again
 * from what was written. */
static void change_fields(struct act *a, const mgc__method *method)
{
    uint8_t made[ARGS_MAX];
    uint32_t fields = mgc__method_fields(method), changed = below(fields + 1);
    mgc__values old, so_far = {0};
    bool fresh = mgc__values_decode(method, a->args, a->len, &old) != MGC_OK;
    mgc__cbor_writer w;

    if (!fresh) so_far = old;
    mgc__cbor_to_fixed(&w, made, sizeof made);
    mgc__cbor_put_map(&w, fields);
    for (uint32_t i = 0; i < fields && w.status == MGC_OK; i++) {
        mgc__cbor_put_uint(&w, i + 1);
        size_t before = w.len;
        put_field(&w, method, i, fresh ? NULL : &old, fresh || i == changed, &so_far);
        if (w.status != MGC_OK) return;
        mgc__cbor_reader r;
        mgc__cbor_item item;
        mgc__cbor_read(&r, made + before, w.len - before);
        if (mgc__cbor_next(&r, &item) && item.type <= 1) so_far.at[i].number = (int64_t)item.value;
        else so_far.at[i].bytes = item.bytes, so_far.at[i].len = item.len;
    }
    if (w.status != MGC_OK) return;
    memcpy(a->args, made, w.len);
    a->len = w.len;
}

/* --- signers --------------------------------------------------------------------------------------- */

static uint8_t person(uint32_t member)
{
    for (uint8_t i = 0; i < chain_n_people; i++)
        if (chain_people[i] == member) return i;
    return 0;
}

/* Who may sign such a thing, as far as it can be told from the contract and the first numbers of the arguments. */
static void sign_rightly(struct act *a, const mgc__method *method)
{
    static const char *const operators[] = {"deposit", "tariff", "settle", "finalise", "surrender", "issue", "correct"};
    mgc__values values;
    uint32_t first = ADMIN, role = MGC_ROLE_ADMINISTRATOR, second = 0, second_role = MGC_ROLE_MANAGER;
    int64_t subject = mgc__values_decode(method, a->args, a->len, &values) == MGC_OK ? values.at[0].number : 1;

    if (method->contract != MGC_CONTRACT_INFORMATION) {
        first = MANAGER + (uint32_t)(subject >= 1 && subject <= GRIDS ? subject : 1 + below(GRIDS));
        role = MGC_ROLE_MANAGER;
    }
    if (strcmp(method->name, "agree") == 0 || strcmp(method->name, "pay") == 0)
        second = MANAGER + (uint32_t)(values.at[1].number & 3);
    for (size_t i = 0; i < MGC__COUNT(operators); i++)
        if (strcmp(method->name, operators[i]) == 0) first = OPERATOR, role = MGC_ROLE_MARKET_OPERATOR;
    if (strcmp(method->name, "withdraw") == 0) second = OPERATOR, second_role = MGC_ROLE_MARKET_OPERATOR;
    if (strcmp(method->name, "found") == 0) second = VALIDATOR, second_role = MGC_ROLE_VALIDATOR;
    if (strcmp(method->name, "terms") == 0) first = DISPATCHER, role = MGC_ROLE_DISPATCHER;
    if (strcmp(method->name, "read") == 0 && method->contract == MGC_CONTRACT_SCHEDULING)
        first = METER + (uint32_t)(subject % 10), role = MGC_ROLE_METER;
    if (method->contract == MGC_CONTRACT_SUPERVISION)
        first = REGULATOR, role = MGC_ROLE_REGULATOR, second = MANAGER + 1 + below(GRIDS);
    a->head[ACT_SIGNER] = person(first);
    a->head[ACT_ROLE] = (uint8_t)role;
    a->head[ACT_SECOND] = second != 0 ? person(second) : 0;
    a->head[ACT_SECOND_ROLE] = (uint8_t)second_role;
}

/* --- changes --------------------------------------------------------------------------------------- */

static void insert(struct input *in, uint32_t at, const struct act *a)
{
    if (in->n == ACTS_MAX) return;
    memmove(&in->at[at + 1], &in->at[at], (in->n - at) * sizeof *in->at);
    in->at[at] = *a;
    in->n++;
}

static void insert_new(struct input *in, uint32_t at)
{
    static struct act a;
    const mgc__method *method;
    uint32_t contract;

    memset(&a, 0, sizeof a);
    a.head[ACT_CONTRACT] = (uint8_t)below(CONTRACTS - 1);
    a.head[ACT_METHOD] = (uint8_t)below(64);
    a.head[ACT_WAIT] = (uint8_t)(below(2) == 0 ? 0 : below(CHAIN_STEPS) + (below(3) == 0 ? CHAIN_STEPS * below(24) : 0));
    method = method_of(&a, &contract);
    if (method == NULL) return;
    change_fields(&a, method);
    sign_rightly(&a, method);
    insert(in, at, &a);
}

static void change_act(struct act *a)
{
    uint32_t contract;
    const mgc__method *method = method_of(a, &contract);

    switch (below(8)) {
    case 0: a->head[ACT_WAIT] = (uint8_t)(below(3) == 0 ? 0 : below(256)); break;
    case 1: a->head[ACT_SIGNER + below(4)] = (uint8_t)below(18); break;
    case 2: a->head[ACT_TWIST] = (uint8_t)(below(2) == 0 ? 0 : below(TWISTS)); break;
    case 3: a->len = LLVMFuzzerMutate(a->args, a->len, ARGS_MAX); break;
    case 4:
        if (method != NULL) sign_rightly(a, method);
        break;
    default:
        if (method != NULL) change_fields(a, method);
        if (method != NULL && below(2) == 0) sign_rightly(a, method);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static struct input in;

    mgc__rng_seed(&rng, seed);
    parse(data, size, &in);
    uint32_t at = in.n > 0 ? below(in.n) : 0;
    switch (in.n == 0 ? 0 : below(10)) {
    case 0:
    case 1: insert_new(&in, below(in.n + 1)); break;
    case 2:
        if (below(2) == 0) {
            insert(&in, below(in.n + 1), &in.at[at]);
            break;
        } /* short inputs say as much in less time */ /* fall through */
    case 3:
        memmove(&in.at[at], &in.at[at + 1], (in.n - at - 1) * sizeof in.at[0]);
        in.n--;
        break;
    case 4: {
        uint32_t other = below(in.n);
        struct act swap = in.at[at];
        in.at[at] = in.at[other];
        in.at[other] = swap;
        break;
    }
    case 5: in.world = (uint8_t)below(WORLDS); break;
    default: change_act(&in.at[at]);
    }
    return print(&in, data, max_size);
}

/* Some acts of both, in their order. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out,
                                 size_t max_size, unsigned seed)
{
    static struct input first, second, made;

    mgc__rng_seed(&rng, seed);
    parse(a, a_len, &first);
    parse(b, b_len, &second);
    made.world = first.world;
    made.n = 0;
    for (uint32_t i = 0; i < first.n || i < second.n; i++) {
        if (i < first.n && below(2) != 0) insert(&made, made.n, &first.at[i]);
        if (i < second.n && below(3) == 0) insert(&made, made.n, &second.at[i]);
    }
    return print(&made, out, max_size);
}
