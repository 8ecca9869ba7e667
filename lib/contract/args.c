/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments by the table of methods: a CBOR map whose keys are the fields' places, 1, 2, 3 ..., all of them. */
#include "contract/contract.h"

/* --- decoding ------------------------------------------------------------------------------------ */

static void decode_rows(mgc__cbor_reader *r, const mgc__field *field, struct mgc__value *value)
{
    uint32_t columns = mgc__field_columns(field);

    value->bytes = r->at;
    value->rows = mgc__cbor_get_array(r, (uint64_t)field->upper);
    if (r->status == MGC_OK && value->rows < (uint64_t)field->lower) mgc__cbor_refuse(r, MGC_E_RANGE, "no rows");
    for (uint64_t i = 0; i < value->rows && r->status == MGC_OK; i++) {
        mgc__cbor_get_array_of(r, columns);
        for (uint32_t c = 0; c < columns; c++) (void)mgc__cbor_get_int(r);
    }
    value->len = (size_t)(r->end - value->bytes);
}

static void decode_field(mgc__cbor_reader *r, const mgc__field *field, struct mgc__value *value)
{
    switch (field->kind) {
    case MGC_FIELD_UINT:
        value->number = (int64_t)mgc__cbor_get_uint(r, (uint64_t)field->upper);
        if (r->status == MGC_OK && value->number < field->lower)
            mgc__cbor_refuse(r, MGC_E_RANGE, "a number is too small");
        break;
    case MGC_FIELD_INT:
        value->number = mgc__cbor_get_int(r);
        if (r->status == MGC_OK && (value->number < field->lower || value->number > field->upper))
            mgc__cbor_refuse(r, MGC_E_RANGE, "a number is out of range");
        break;
    case MGC_FIELD_TEXT:
        value->bytes = (const uint8_t *)mgc__cbor_get_text(r, &value->len, (size_t)field->upper);
        if (r->status == MGC_OK && (int64_t)value->len < field->lower)
            mgc__cbor_refuse(r, MGC_E_RANGE, "a text is too short");
        break;
    case MGC_FIELD_BYTES:
        value->bytes = mgc__cbor_get_bytes(r, &value->len, (size_t)field->upper);
        if (r->status == MGC_OK && (int64_t)value->len < field->lower)
            mgc__cbor_refuse(r, MGC_E_RANGE, "bytes are too short");
        break;
    default: assert(field->kind == MGC_FIELD_ROWS); decode_rows(r, field, value);
    }
}

mgc_status mgc__values_decode(const mgc__method *method, const uint8_t *bytes, size_t len, mgc__values *values)
{
    uint32_t n = mgc__method_fields(method);
    mgc__cbor_reader r;
    mgc_status st;

    memset(values, 0, sizeof *values);
    mgc__cbor_read(&r, bytes, len);
    mgc__cbor_get_map(&r, n);
    for (uint32_t i = 0; i < n && r.status == MGC_OK; i++) {
        mgc__cbor_get_key(&r, i + 1);
        if (r.status == MGC_OK) decode_field(&r, &method->fields[i], &values->at[i]);
    }
    st = mgc__cbor_finish(&r);
    values->what = r.what;
    values->where = r.where;
    return st;
}

void mgc__row_begin(mgc__row_reader *r, const mgc__method *method, const mgc__values *values, uint32_t field)
{
    mgc__cbor_read(&r->reader, values->at[field].bytes, values->at[field].len);
    r->left = mgc__cbor_get_array(&r->reader, MGC_ROWS_MAX);
    r->columns = mgc__field_columns(&method->fields[field]);
    assert(r->left == values->at[field].rows);
}

bool mgc__row_next(mgc__row_reader *r, int64_t row[COLUMNS_MAX])
{
    if (r->left == 0) return false;
    r->left--;
    mgc__cbor_get_array_of(&r->reader, r->columns);
    for (uint32_t c = 0; c < r->columns; c++) row[c] = mgc__cbor_get_int(&r->reader);
    assert(r->reader.status == MGC_OK); /* decoded once already */
    return true;
}

/* --- values by name ------------------------------------------------------------------------------ */

struct mgc_args {
    mgc_ctx *ctx;
    const mgc__method *method;
    struct field_value {
        bool set;
        int64_t number;
        uint8_t *bytes; /* text, bytes */
        size_t len;
        int64_t *cells; /* rows, one after the other */
        size_t n_cells, cap;
    } at[FIELDS_MAX];
    uint8_t *encoded;
    size_t encoded_len;
};

mgc_status mgc_args_create(mgc_ctx *ctx, uint32_t contract, const char *method, mgc_args **out)
{
    const mgc__method *found;

    if (ctx == NULL || out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (method == NULL) return mgc__fail(ctx, MGC_E_INVALID_ARG, "contract: the method's name is NULL");
    found = mgc__method_find(contract, method, strlen(method));
    if (found == NULL)
        return mgc__fail(ctx, MGC_E_NOT_FOUND, "contract: contract %" PRIu32 " has no method \"%s\"", contract,
                         method);
    *out = mgc__alloc(ctx, 1, sizeof **out);
    if (*out == NULL) return mgc__no_memory(ctx, "contract: arguments");
    (*out)->ctx = ctx;
    (*out)->method = found;
    return MGC_OK;
}

void mgc_args_destroy(mgc_args *args)
{
    if (args == NULL) return;
    for (size_t i = 0; i < FIELDS_MAX; i++) {
        mgc__free(args->ctx, args->at[i].bytes);
        mgc__free(args->ctx, args->at[i].cells);
    }
    mgc__free(args->ctx, args->encoded);
    mgc__free(args->ctx, args);
}

static mgc_status field_named(mgc_args *args, const char *name, uint32_t *index)
{
    const char *names[FIELDS_MAX];
    uint32_t n = mgc__method_fields(args->method);

    for (*index = 0; *index < n; (*index)++) {
        names[*index] = args->method->fields[*index].name;
        if (strcmp(names[*index], name) == 0) return MGC_OK;
    }
    const char *nearest = mgc__nearest(name, names, n);
    return mgc__fail(args->ctx, MGC_E_UNKNOWN_KEY, "contract: method %s has no field \"%s\"%s%s%s",
                     args->method->name, name, nearest != NULL ? "; did you mean \"" : "",
                     nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

/* The field of that name and kind; number and byte fields of either sign or sort are told apart by `kind2`. */
static mgc_status find_field(mgc_args *args, const char *name, uint32_t kind, uint32_t kind2, uint32_t *index)
{
    if (args == NULL) return MGC_E_INVALID_ARG;
    if (name == NULL) return mgc__fail(args->ctx, MGC_E_INVALID_ARG, "contract: the field's name is NULL");
    mgc_status st = field_named(args, name, index);
    if (st != MGC_OK || args->method->fields[*index].kind == kind || args->method->fields[*index].kind == kind2) return st;
    return mgc__fail(args->ctx, MGC_E_INVALID_ARG, "contract: field \"%s\" of %s takes another kind of value", name,
                     args->method->name);
}

mgc_status mgc_args_set_int(mgc_args *args, const char *field, int64_t value)
{
    uint32_t i = 0;
    mgc_status st = find_field(args, field, MGC_FIELD_UINT, MGC_FIELD_INT, &i);

    if (st != MGC_OK) return st;
    if (value < args->method->fields[i].lower || value > args->method->fields[i].upper)
        return mgc__fail(args->ctx, MGC_E_RANGE, "contract: %s of %s is %" PRId64 "; must be %" PRId64 "..%" PRId64,
                         field, args->method->name, value, args->method->fields[i].lower,
                         args->method->fields[i].upper);
    args->at[i].number = value;
    args->at[i].set = true;
    return MGC_OK;
}

static mgc_status set_bytes(mgc_args *args, uint32_t i, const void *bytes, size_t len)
{
    const mgc__field *field = &args->method->fields[i];
    uint8_t *copy;

    if ((uint64_t)len < (uint64_t)field->lower || (uint64_t)len > (uint64_t)field->upper)
        return mgc__fail(args->ctx, MGC_E_RANGE, "contract: %s of %s has %zu bytes; must have %" PRId64 "..%" PRId64,
                         field->name, args->method->name, len, field->lower, field->upper);
    copy = mgc__alloc(args->ctx, len, 1);
    if (copy == NULL) return mgc__no_memory(args->ctx, "contract: arguments");
    if (len > 0) memcpy(copy, bytes, len);
    mgc__free(args->ctx, args->at[i].bytes);
    args->at[i].bytes = copy;
    args->at[i].len = len;
    args->at[i].set = true;
    return MGC_OK;
}

static mgc_status set_text(mgc_args *args, uint32_t i, const char *text, size_t len)
{
    if (!mgc__utf8_valid((const uint8_t *)text, len))
        return mgc__fail(args->ctx, MGC_E_INVALID_ARG, "contract: the text of %s is not UTF-8",
                         args->method->fields[i].name);
    return set_bytes(args, i, text, len);
}

mgc_status mgc_args_set_text(mgc_args *args, const char *field, const char *text)
{
    uint32_t i = 0;
    mgc_status st = find_field(args, field, MGC_FIELD_TEXT, MGC_FIELD_TEXT, &i);

    if (st != MGC_OK) return st;
    if (text == NULL) return mgc__fail(args->ctx, MGC_E_INVALID_ARG, "contract: the text of %s is NULL", field);
    return set_text(args, i, text, strlen(text));
}

mgc_status mgc_args_set_bytes(mgc_args *args, const char *field, const uint8_t *bytes, size_t len)
{
    uint32_t i = 0;
    mgc_status st = find_field(args, field, MGC_FIELD_BYTES, MGC_FIELD_BYTES, &i);

    if (st != MGC_OK) return st;
    if (bytes == NULL && len > 0)
        return mgc__fail(args->ctx, MGC_E_INVALID_ARG, "contract: the bytes of %s are NULL", field);
    return set_bytes(args, i, bytes, len);
}

mgc_status mgc_args_add_row(mgc_args *args, const char *field, const int64_t *values, size_t n)
{
    uint32_t i = 0;
    mgc_status st = find_field(args, field, MGC_FIELD_ROWS, MGC_FIELD_ROWS, &i);
    struct field_value *at;

    if (st != MGC_OK) return st;
    at = &args->at[i];
    if (values == NULL || n != mgc__field_columns(&args->method->fields[i]))
        return mgc__fail(args->ctx, MGC_E_INVALID_ARG, "contract: a row of %s has %zu values; must be: %s", field, n,
                         args->method->fields[i].columns);
    if (at->n_cells / n >= MGC_ROWS_MAX)
        return mgc__fail(args->ctx, MGC_E_RANGE, "contract: %s has over %d rows", field, MGC_ROWS_MAX);
    void *block = at->cells;
    if (!mgc__grow(args->ctx, &block, &at->cap, at->n_cells + n, sizeof *at->cells))
        return mgc__no_memory(args->ctx, "contract: rows of arguments");
    at->cells = block;
    memcpy(at->cells + at->n_cells, values, n * sizeof *values);
    at->n_cells += n;
    at->set = true;
    return MGC_OK;
}

/* --- out of words -------------------------------------------------------------------------------- */

/* Part of a text, not ended by NUL. */
typedef struct span {
    const char *at;
    size_t len;
} span;

/* Cut off what stands before the mark.  false: the mark is not there, and nothing is left. */
static bool cut(span *rest, char mark, span *first)
{
    const char *end = rest->len == 0 ? NULL : memchr(rest->at, mark, rest->len);
    size_t taken = end == NULL ? rest->len : (size_t)(end - rest->at);

    *first = (span){rest->at, taken};
    rest->at += taken + (end != NULL);
    rest->len -= taken + (end != NULL);
    return end != NULL;
}

/* Counted downwards: the lowest number has no positive. */
static bool int_of(span word, int64_t *value)
{
    size_t minus = word.len > 0 && word.at[0] == '-';
    int64_t n = 0;

    if (word.len == minus) return false;
    for (size_t i = minus; i < word.len; i++) {
        int digit = word.at[i] - '0';
        if (digit < 0 || digit > 9 || n < (INT64_MIN + digit) / 10) return false;
        n = n * 10 - digit;
    }
    if (minus == 0 && n == INT64_MIN) return false;
    *value = minus == 1 ? n : -n;
    return true;
}

static mgc_status refuse_word(mgc_args *args, uint32_t i, span word, const char *wanted)
{
    return mgc__fail(args->ctx, MGC_E_SYNTAX, "contract: %s of %s is \"%.*s\"; must be %s", args->method->fields[i].name,
                     args->method->name, (int)(word.len < 40 ? word.len : 40), word.at, wanted);
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static mgc_status parse_bytes(mgc_args *args, uint32_t i, span word)
{
    uint8_t *bytes = mgc__alloc(args->ctx, word.len / 2 + 1, 1);
    mgc_status st = bytes == NULL ? mgc__no_memory(args->ctx, "contract: arguments") : MGC_OK;

    if (word.len % 2 != 0 && st == MGC_OK) st = refuse_word(args, i, word, "pairs of hexadecimal digits");
    for (size_t k = 0; k + 1 < word.len && st == MGC_OK; k += 2) {
        int high = nibble(word.at[k]), low = nibble(word.at[k + 1]);
        if (high < 0 || low < 0) st = refuse_word(args, i, word, "pairs of hexadecimal digits");
        else bytes[k / 2] = (uint8_t)(high << 4 | low);
    }
    if (st == MGC_OK) st = set_bytes(args, i, bytes, word.len / 2);
    mgc__free(args->ctx, bytes);
    return st;
}

static mgc_status parse_row(mgc_args *args, uint32_t i, span row)
{
    const mgc__field *field = &args->method->fields[i];
    int64_t values[COLUMNS_MAX];
    span left = row, cell;
    size_t n = 0;
    bool more = true, good = true;

    while (more && good && n < COLUMNS_MAX) {
        more = cut(&left, ',', &cell);
        good = int_of(cell, &values[n++]);
    }
    if (more || !good || n != mgc__field_columns(field)) return refuse_word(args, i, row, field->columns);
    return mgc_args_add_row(args, field->name, values, n);
}

static mgc_status parse_rows(mgc_args *args, uint32_t i, span word)
{
    mgc_status st = MGC_OK;

    for (bool more = true; more && st == MGC_OK;) {
        span row;
        more = cut(&word, ';', &row);
        st = parse_row(args, i, row);
    }
    return st;
}

static mgc_status parse_field(mgc_args *args, uint32_t i, span word)
{
    int64_t number;

    switch (args->method->fields[i].kind) {
    case MGC_FIELD_TEXT: return set_text(args, i, word.at, word.len);
    case MGC_FIELD_BYTES: return parse_bytes(args, i, word);
    case MGC_FIELD_ROWS: return parse_rows(args, i, word);
    default:
        if (!int_of(word, &number)) return refuse_word(args, i, word, "a whole number");
        return mgc_args_set_int(args, args->method->fields[i].name, number);
    }
}

/* One "field=value"; told: of which fields one stood before. */
static mgc_status parse_item(mgc_args *args, span item, bool told[FIELDS_MAX])
{
    char field[MGC_NAME_MAX + 1];
    span value = item, name;
    uint32_t i = 0;

    if (!cut(&value, '=', &name) || name.len == 0 || name.len > MGC_NAME_MAX)
        return mgc__fail(args->ctx, MGC_E_SYNTAX, "contract: \"%.*s\" in the words of %s; must be field=value",
                         (int)(item.len < 40 ? item.len : 40), item.at, args->method->name);
    memcpy(field, name.at, name.len);
    field[name.len] = '\0';
    mgc_status st = field_named(args, field, &i);
    if (st != MGC_OK) return st;
    if (told[i])
        return mgc__fail(args->ctx, MGC_E_SYNTAX, "contract: %s stands twice in the words of %s", field, args->method->name);
    told[i] = true;
    return parse_field(args, i, value);
}

mgc_status mgc_args_parse(mgc_args *args, const char *words)
{
    bool told[FIELDS_MAX] = {false};
    mgc_status st = MGC_OK;

    if (args == NULL) return MGC_E_INVALID_ARG;
    if (words == NULL) return mgc__fail(args->ctx, MGC_E_INVALID_ARG, "contract: the words are NULL");
    span left = {words, strlen(words)}, item;
    for (bool more = left.len > 0; more && st == MGC_OK;) {
        more = cut(&left, '&', &item);
        st = parse_item(args, item, told);
    }
    return st;
}

/* --- into bytes ---------------------------------------------------------------------------------- */

static void encode_field(mgc__cbor_writer *w, const mgc__field *field, const struct field_value *at)
{
    size_t columns = mgc__field_columns(field);

    switch (field->kind) {
    case MGC_FIELD_UINT:
    case MGC_FIELD_INT: mgc__cbor_put_int(w, at->number); break;
    case MGC_FIELD_TEXT: mgc__cbor_put_text(w, (const char *)at->bytes, at->len); break;
    case MGC_FIELD_BYTES: mgc__cbor_put_bytes(w, at->bytes, at->len); break;
    default:
        mgc__cbor_put_array(w, at->n_cells / columns);
        for (size_t i = 0; i < at->n_cells; i++) {
            if (i % columns == 0) mgc__cbor_put_array(w, columns);
            mgc__cbor_put_int(w, at->cells[i]);
        }
    }
}

mgc_status mgc_args_encode(mgc_args *args, const uint8_t **bytes, size_t *len)
{
    mgc__cbor_writer w;
    uint32_t n;

    if (args == NULL || bytes == NULL || len == NULL) return MGC_E_INVALID_ARG;
    n = mgc__method_fields(args->method);
    for (uint32_t i = 0; i < n; i++)
        if (!args->at[i].set)
            return mgc__fail(args->ctx, MGC_E_SCHEMA, "contract: field \"%s\" of %s is not set",
                             args->method->fields[i].name, args->method->name);
    if (args->encoded == NULL) args->encoded = mgc__alloc(args->ctx, MGC_TX_BYTES_MAX, 1);
    if (args->encoded == NULL) return mgc__no_memory(args->ctx, "contract: encoded arguments");
    mgc__cbor_to_fixed(&w, args->encoded, MGC_TX_BYTES_MAX);
    mgc__cbor_put_map(&w, n);
    for (uint32_t i = 0; i < n; i++) {
        mgc__cbor_put_uint(&w, i + 1);
        encode_field(&w, &args->method->fields[i], &args->at[i]);
    }
    if (w.status != MGC_OK)
        return mgc__fail(args->ctx, w.status, "contract: the arguments of %s are longer than %d bytes",
                         args->method->name, MGC_TX_BYTES_MAX);
    *bytes = args->encoded;
    *len = w.len;
    return MGC_OK;
}
