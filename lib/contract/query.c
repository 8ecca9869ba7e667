/* SPDX-License-Identifier: Apache-2.0 */
/* Questions: "k=v&k=v", who may see what, cells that name microgrids. */
#include "contract/contract.h"

/* The value of a key: where it begins, and its length; NULL: it is not there. */
static const char *value_of(const char *arguments, const char *key, size_t *len)
{
    size_t key_len = strlen(key);

    for (const char *at = arguments; at != NULL && *at != '\0';) {
        const char *end = strchr(at, '&');
        size_t item = end == NULL ? strlen(at) : (size_t)(end - at);

        if (item > key_len && memcmp(at, key, key_len) == 0 && at[key_len] == '=') {
            *len = item - key_len - 1;
            return at + key_len + 1;
        }
        at = end == NULL ? NULL : end + 1;
    }
    return NULL;
}

int32_t mgc_query_text(const mgc_query *query, const char *key, char *text, size_t cap)
{
    size_t len = 0;
    const char *value;

    if (query == NULL || key == NULL || text == NULL || cap == 0) return 0;
    text[0] = '\0';
    value = value_of(query->arguments, key, &len);
    if (value == NULL || len >= cap) return 0;
    memcpy(text, value, len);
    text[len] = '\0';
    return 1;
}

/* Digits only, no sign, at most 2^63 - 1. */
static bool number_of(const char *text, size_t len, uint64_t *value)
{
    *value = 0;
    if (len == 0 || len > 19) return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        *value = *value * 10 + (uint64_t)(text[i] - '0');
    }
    return *value <= INT64_MAX;
}

int32_t mgc_query_uint(const mgc_query *query, const char *key, uint64_t *value)
{
    size_t len = 0;
    const char *text;

    if (query == NULL || key == NULL || value == NULL) return 0;
    text = value_of(query->arguments, key, &len);
    return text != NULL && number_of(text, len, value) ? 1 : 0;
}

bool mgc__query_has(const mgc_query *query, const char *key)
{
    size_t len;

    return value_of(query->arguments, key, &len) != NULL;
}

/* Is the word one of those with | between? */
static bool one_of(const char *words, const char *word, size_t len)
{
    for (const char *at = words; *at != '\0';) {
        const char *end = strchr(at, '|');
        size_t item = end == NULL ? strlen(at) : (size_t)(end - at);

        if (item == len && memcmp(at, word, len) == 0) return true;
        at += item + (end == NULL ? 0 : 1);
    }
    return false;
}

mgc_status mgc__query_keys(mgc_ctx *ctx, const mgc_query *query, const char *keys)
{
    for (const char *at = query->arguments; *at != '\0';) {
        const char *end = strchr(at, '&');
        size_t item = end == NULL ? strlen(at) : (size_t)(end - at);
        const char *equals = memchr(at, '=', item);

        if (equals == NULL || !(one_of(keys, at, (size_t)(equals - at)) || one_of("limit|cursor", at, (size_t)(equals - at))))
            return mgc__fail(ctx, MGC_E_INVALID_ARG, "contract: query \"%s\" does not know \"%.*s\"; it knows: %s",
                             query->what, (int)(item < 64 ? item : 64), at, keys[0] == '\0' ? "nothing" : keys);
        at += item + (end == NULL ? 0 : 1);
    }
    return MGC_OK;
}

/* --- who may see what ---------------------------------------------------------------------------------- */

static mgc_status microgrid_by_name(mgc_env *env, const char *name, size_t len, uint32_t *id)
{
    mgc__key prefix = mgc__key_of('G');
    mgc__walk w;

    *id = UINT32_MAX;
    mgc__walk_begin(&w, MGC_CONTRACT_INFORMATION, &prefix);
    while (mgc__walk_next(env, &w))
        if (w.rec.name_len == len && memcmp(w.rec.name, name, len) == 0) {
            *id = (uint32_t)mgc__key_read(w.key, 1, 4);
            break;
        }
    return env->broken;
}

mgc_status mgc__query_number(mgc_env *env, const mgc_query *query, const char *key, uint64_t *number)
{
    size_t len = 0;
    const char *text = value_of(query->arguments, key, &len);

    *number = UINT64_MAX;
    if (text == NULL || number_of(text, len, number)) return MGC_OK;
    return mgc_env_refuse(env, MGC_E_INVALID_ARG, "%s \"%.*s\" is not a number", key, (int)(len < 32 ? len : 32), text);
}

mgc_status mgc__filter_read(mgc_env *env, const mgc_query *query, mgc__filter *filter)
{
    size_t len = 0;
    const char *text = value_of(query->arguments, "microgrid", &len);
    uint64_t number;
    mgc_status st;

    *filter = (mgc__filter){.query = query, .slot = UINT64_MAX, .number = UINT64_MAX};
    if (text != NULL) {
        st = microgrid_by_name(env, text, len, &filter->microgrid);
        if (st != MGC_OK) return st;
        if (filter->microgrid == UINT32_MAX && number_of(text, len, &number) && number > 0 && number <= MGC_PARTY_MAX)
            filter->microgrid = (uint32_t)number;
    }
    st = mgc__query_number(env, query, "slot", &filter->slot);
    if (st != MGC_OK) return st;
    text = value_of(query->arguments, "carrier", &len);
    for (uint64_t c = MGC_CARRIER_ELECTRICITY; text != NULL && c <= MGC_CARRIER_GAS; c++)
        if ((len == 1 && text[0] == (char)('0' + c)) ||
            (strlen(mgc__carrier_name((int64_t)c)) == len && memcmp(mgc__carrier_name((int64_t)c), text, len) == 0))
            filter->carrier = c;
    if (text != NULL && filter->carrier == 0)
        return mgc_env_refuse(env, MGC_E_INVALID_ARG, "carrier \"%.*s\" is none; there are electricity, heat and gas, 1 to 3",
                              (int)(len < 32 ? len : 32), text);
    return MGC_OK;
}

mgc__key mgc__slot_prefix(char kind, const mgc__filter *filter)
{
    mgc__key key = mgc__key_of(kind);

    return filter->slot == UINT64_MAX ? key : mgc__key_u64(key, filter->slot);
}

/* Who oversees the market sees what belongs to others, but only what his office needs: `but` is withheld. */
static const struct {
    uint32_t role;
    const char *but;
} overseers[] = {
    {MGC_ROLE_REGULATOR, ""},
    {MGC_ROLE_AUDITOR, ""},
    {MGC_ROLE_MARKET_OPERATOR, "credit|events|history|transactions"},
    {MGC_ROLE_DISPATCHER, "accounts|auctions|bids|certificates|credit|events|history|nominations|payments|readings|settlement|"
                          "surrendered|trades|transactions|transfers"},
};

bool mgc__roles_see_all(uint32_t roles, const char *what)
{
    for (size_t i = 0; i < MGC__COUNT(overseers); i++)
        if ((roles >> overseers[i].role & 1) != 0 && !one_of(overseers[i].but, what, strlen(what))) return true;
    return false;
}

/* A microgrid's manager, and the users of its organisation. */
bool mgc__reads_for(mgc_env *env, uint32_t caller, int64_t microgrid)
{
    mgc__key key = mgc__key_u32(mgc__key_of('G'), (uint32_t)microgrid);
    mgc__rec grid, member;

    if (caller == 0 || mgc__rec_get(env, MGC_CONTRACT_INFORMATION, &key, &grid) != MGC_OK) return false;
    if (grid.v[GRID_MANAGER] == (int64_t)caller) return true;
    key = mgc__key_u32(mgc__key_of('M'), caller);
    return mgc__rec_get(env, MGC_CONTRACT_INFORMATION, &key, &member) == MGC_OK &&
           (member.v[MEMBER_ROLES] >> MGC_ROLE_USER & 1) != 0 && member.v[MEMBER_ORGANISATION] == grid.v[GRID_ORGANISATION];
}

bool mgc__filter_carrier(const mgc__filter *filter, int64_t carrier)
{
    return filter->carrier == 0 || carrier == 0 || filter->carrier == (uint64_t)carrier;
}

bool mgc__filter_passes(mgc_env *env, const mgc__filter *filter, int64_t microgrid, int64_t other, int64_t carrier)
{
    if (!mgc__filter_carrier(filter, carrier)) return false;
    if (filter->microgrid != 0 && filter->microgrid != (uint32_t)microgrid &&
        (other == 0 || filter->microgrid != (uint32_t)other))
        return false;
    if (filter->query->sees_all) return true;
    return mgc__reads_for(env, filter->query->caller, microgrid) ||
           (other != 0 && mgc__reads_for(env, filter->query->caller, other));
}

mgc_status mgc__rows_put_microgrid(mgc_env *env, mgc_rows *rows, int64_t microgrid)
{
    mgc__key key = mgc__key_u32(mgc__key_of('G'), (uint32_t)microgrid);
    mgc__rec grid;
    mgc_status st = mgc__rec_get(env, MGC_CONTRACT_INFORMATION, &key, &grid);

    if (st == MGC_E_NOT_FOUND) return mgc_rows_put_int(rows, microgrid);
    return st != MGC_OK ? st : mgc_rows_put_text(rows, grid.name, grid.name_len);
}
