/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and their values as the core's table has them: a new parameter there is a new key here. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/case.h"

enum { WORDS_MAX = 16 };

const mgc__keys *mgc__scope_keys(mgc__loader *l, const char *scope)
{
    mgc_param_info info = {.struct_size = sizeof info};
    uint32_t n = 0;

    for (mgc__keys *keys = l->keys; keys != NULL; keys = keys->next)
        if (strcmp(keys->scope, scope) == 0) return keys;
    while (mgc_param_describe(scope, n, &info) == MGC_OK) n++;
    mgc__keys *keys = mgc__take(l, 1, sizeof *keys);
    if (keys == NULL) return NULL;
    keys->scope = mgc__take_text(l, scope, strlen(scope));
    keys->info = mgc__take(l, n, sizeof *keys->info);
    keys->word = mgc__take(l, n, sizeof *keys->word);
    if (keys->scope == NULL || keys->info == NULL || keys->word == NULL) return NULL;
    for (uint32_t i = 0; i < n; i++) {
        keys->info[i].struct_size = sizeof info;
        if (mgc_param_describe(scope, i, &keys->info[i]) != MGC_OK) break;
        keys->word[i] = keys->info[i].key;
        keys->n++;
    }
    keys->next = l->keys;
    l->keys = keys;
    return keys;
}

const mgc_param_info *mgc__find_key(const mgc__keys *keys, const char *key)
{
    for (size_t i = 0; keys != NULL && i < keys->n; i++)
        if (strcmp(keys->word[i], key) == 0) return &keys->info[i];
    return NULL;
}

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, words[i]) == 0) return true;
    return false;
}

/* The same key in another unit: with the name goes the number.  NULL: it is none. */
static const char *in_other_unit(const char *key, const char *const *words, size_t n)
{
    static const struct {
        const char *unit, *here, *cure;
    } units[] = {{"_mw", "_kw", "units are in the keys, and 1 MW is 1000 kW"},      {"_w", "_kw", "units are in the keys, and 1 kW is 1000 W"},
                 {"_mwh", "_kwh", "units are in the keys, and 1 MWh is 1000 kWh"},  {"_wh", "_kwh", "units are in the keys, and 1 kWh is 1000 Wh"},
                 {"_t", "_kg", "units are in the keys, and 1 t is 1000 kg"},        {"_g", "_kg", "units are in the keys, and 1 kg is 1000 g"},
                 {"_percent", "_share", "shares are parts of 1, and 5 % is 0.05"}};
    char other[64];
    size_t length = strlen(key);

    for (size_t i = 0; i < MGC__IO_COUNT(units); i++) {
        size_t end = strlen(units[i].unit);
        if (length <= end || length + 4 > sizeof other || strcmp(key + length - end, units[i].unit) != 0) continue;
        snprintf(other, sizeof other, "%.*s%s", (int)(length - end), key, units[i].here);
        if (is_one_of(other, words, n)) return units[i].cure;
    }
    return NULL;
}

/* What to do about a key that is not known: the likely slip, the right place, the likely mistake. */
static const char *cure(mgc__loader *l, const char *key, const char *const *words, size_t n, const mgc__keys *keys)
{
    if (*key != '\0' && key[strspn(key, "0123456789")] == '\0')
        return "was a decimal comma meant? write a decimal point";
    if (mgc__find_key(keys, key) !=
        NULL) /* known to the scope, kept away by the filter: the two places of a microgrid */
        return is_one_of("id", words, n) ? "it belongs under grid" : "it belongs beside grid, not under it";
    const char *unit = in_other_unit(key, words, n), *suggested = mgc__suggest(l, key, words, n);
    return unit == NULL ? suggested : mgc__joined(l, suggested, unit);
}

void mgc__check_keys(mgc__loader *l, const mgc__at *at, const mgc__node *map, const char *const *own, size_t n_own,
                     const mgc__keys *keys, mgc__key_filter filter)
{
    size_t n = 0, most = n_own + (keys != NULL ? keys->n : 0);
    const char **words = mgc__take(l, most, sizeof *words);

    if (words == NULL) return;
    for (size_t i = 0; i < n_own; i++) words[n++] = own[i];
    for (size_t i = 0; keys != NULL && i < keys->n; i++)
        if (filter == NULL || filter(keys->word[i])) words[n++] = keys->word[i];
    for (const mgc__node *item = map->u.first; item != NULL && l->status == MGC_OK; item = item->next) {
        const char *key = item->key->u.text;
        if (is_one_of(key, words, n)) continue;
        mgc__at here = {at, key, 0};
        mgc__issue(l, mgc__mark_of_key(l, item), &here, "the key \"%s\" is not known here\t%s", mgc__show(l, key),
                   cure(l, key, words, n, keys));
    }
}

/* "from 0 (not itself) to 1", "at least 0", for messages. */
static const char *range_text(mgc__loader *l, const mgc_param_info *info)
{
    mgc__text text = {.ctx = l->ctx};

    mgc__text_add(&text, info->integer ? "a whole number " : "");
    mgc__text_add(&text, info->lower_open ? "above " : "from ");
    mgc__text_number(&text, info->lower);
    mgc__text_add(&text, info->upper_open ? " to below " : " to ");
    mgc__text_number(&text, info->upper);
    if (strcmp(info->unit, "-") != 0) mgc__text_printf(&text, " %s", info->unit);
    if (info->nullable) mgc__text_add(&text, ", or null for no limit");
    const char *copy = text.failed ? NULL : mgc__take_text(l, text.bytes, text.len);
    mgc__text_free(&text);
    return copy != NULL ? copy : "";
}

bool mgc__check_range(mgc__loader *l, mgc__mark mark, const mgc__at *at, const mgc_param_info *info, double x)
{
    bool below = x < info->lower || (info->lower_open && x <= info->lower);
    bool above = x > info->upper || (info->upper_open && x >= info->upper);

    if (!below && !above && isfinite(x) && (!info->integer || x == floor(x))) return true;
    mgc__issue(l, mark, at, "is %s, outside its range\tmust be %s", mgc__show_number(l, x), range_text(l, info));
    return false;
}

static void set_word(mgc__loader *l, const mgc__at *at, const mgc__node *node, const mgc_param_info *info,
                     const mgc__target *target)
{
    const char *words[WORDS_MAX], *word;
    size_t n = 0;

    for (const char *s = info->words; *s != '\0' && n < WORDS_MAX;) {
        size_t len = strcspn(s, "|");
        words[n] = mgc__take_text(l, s, len);
        if (words[n++] == NULL) return;
        s += len + (s[len] == '|');
    }
    if (mgc__read_word(l, at, node, words, n, &word))
        mgc__target_word(l, target, mgc__path(l, at), mgc__mark_of(l, node), info->key, word);
}

void mgc__set_param(mgc__loader *l, const mgc__at *at, const mgc__node *node, const mgc_param_info *info,
                    const mgc__target *target)
{
    mgc__mark mark = mgc__mark_of(l, node);
    double value;
    bool flag;

    if (mgc__is_null(node)) {
        if (info->nullable)
            mgc__target_number(l, target, mgc__path(l, at), mark, info->key,
                               strcmp(info->key, "lower") == 0 ? -INFINITY : INFINITY);
        else
            mgc__issue(l, mark, at, "null is not allowed here\tmust be %s, or leave the key away",
                       info->kind == MGC_PARAM_FLAG   ? "true or false"
                       : info->kind == MGC_PARAM_TEXT ? info->words
                                                      : range_text(l, info));
        return;
    }
    switch (info->kind) {
    case MGC_PARAM_NUMBER:
        if (mgc__read_number(l, at, node, &value) && mgc__check_range(l, mark, at, info, value))
            mgc__target_number(l, target, mgc__path(l, at), mark, info->key, value);
        break;
    case MGC_PARAM_FLAG:
        if (mgc__read_flag(l, at, node, &flag))
            mgc__target_number(l, target, mgc__path(l, at), mark, info->key, flag);
        break;
    case MGC_PARAM_TEXT: set_word(l, at, node, info, target); break;
    default: mgc__set_series(l, at, node, info, target); break;
    }
}

void mgc__set_params(mgc__loader *l, const mgc__at *at, const mgc__node *map, const mgc__keys *keys,
                     const mgc__target *target, mgc__key_filter filter)
{
    for (const mgc__node *item = map->u.first; item != NULL && l->status == MGC_OK; item = item->next) {
        const mgc_param_info *info = mgc__find_key(keys, item->key->u.text);
        if (info == NULL || (filter != NULL && !filter(info->key))) continue;
        mgc__at here = {at, info->key, 0};
        mgc__set_param(l, &here, item, info, target);
    }
}

void mgc__tell_missing(mgc__loader *l, const mgc__at *at, const mgc__node *map, const mgc__keys *keys)
{
    for (size_t i = 0; keys != NULL && i < keys->n; i++) {
        const mgc_param_info *info = &keys->info[i];
        if (!info->required || mgc__map_get(map, info->key) != NULL) continue;
        mgc__at here = {at, info->key, 0};
        mgc__issue(l, mgc__mark_of(l, map), &here, "is missing\t%s [%s]", info->text, info->unit);
    }
}
