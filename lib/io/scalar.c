/* SPDX-License-Identifier: Apache-2.0 */
/* What a number, a flag, a word look like: as in JSON, with the few freedoms of YAML 1.2's core schema that mislead
 * nobody. */
#include <math.h>

#include "io/case.h"

bool mgc__is_null(const mgc__node *node)
{
    return node->kind == NODE_SCALAR && !node->quoted &&
           (strcmp(node->u.text, "null") == 0 || strcmp(node->u.text, "~") == 0);
}

const char *mgc__found(mgc__loader *l, const mgc__node *node)
{
    if (node->kind != NODE_SCALAR) return node->kind == NODE_LIST ? "a list" : "a map";
    if (!node->quoted) return *node->u.text != '\0' ? mgc__show(l, node->u.text) : "nothing";
    mgc__text text = {.ctx = l->ctx};
    mgc__text_printf(&text, "the quoted text \"%s\"", mgc__show(l, node->u.text));
    const char *copy = text.failed ? NULL : mgc__take_text(l, text.bytes, text.len);
    mgc__text_free(&text);
    return copy != NULL ? copy : "";
}

static bool is_word_of(const char *text, const char *const words[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, words[i]) == 0) return true;
    return false;
}

/* Why a text is no number; "" where there is nothing special to say. */
static const char *why_no_number(const char *text)
{
    static const char *const not_finite[] = {".inf",  ".Inf", ".INF",     "-.inf",     "-.Inf", "-.INF",
                                             "+.inf", ".nan", ".NaN",     ".NAN",      "inf",   "-inf",
                                             "nan",   "NaN",  "Infinity", "-Infinity", "-NaN"};
    size_t digits = strspn(text, "+-0123456789.,_eE");

    if (is_word_of(text, not_finite, MGC__IO_COUNT(not_finite)))
        return "\tnumbers must be finite; where no limit is meant, write null";
    if (text[digits] == '\0' && strchr(text, ',') != NULL)
        return "\twrite a decimal point, and no thousands separators";
    if (text[digits] == '\0' && strchr(text, '_') != NULL) return "\twrite the digits without _";
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'o' || text[1] == 'b')) return "\twrite a decimal number";
    const char *end;
    (void)mgc_number_parse(text, &end);
    if (end != text && (*end == '%' || *end == ' ' || (*end >= 'A' && *end <= 'z')))
        return "\twrite the number alone; its unit is in the key";
    return "";
}

/* -? (0 | [1-9][0-9]*)? (. [0-9]*)? ([eE] [+-]? [0-9]+)?, a leading + allowed. */
static bool looks_like_number(const char *s, bool *leading_zero)
{
    const char *t = s + (*s == '+' || *s == '-');
    size_t whole = strspn(t, "0123456789");

    *leading_zero = whole > 1 && *t == '0';
    const char *rest = t + whole;
    size_t fraction = 0;
    if (*rest == '.') {
        fraction = strspn(rest + 1, "0123456789");
        rest += 1 + fraction;
    }
    if (whole + fraction == 0) return false;
    if (*rest == 'e' || *rest == 'E') {
        rest++;
        rest += *rest == '+' || *rest == '-';
        size_t exponent = strspn(rest, "0123456789");
        if (exponent == 0) return false;
        rest += exponent;
    }
    return *rest == '\0';
}

bool mgc__read_number(mgc__loader *l, const mgc__at *at, const mgc__node *node, double *value)
{
    mgc__mark mark = mgc__mark_of(l, node);
    bool leading_zero;
    const char *end;

    if (node->kind != NODE_SCALAR || node->quoted || *node->u.text == '\0') {
        mgc__issue(l, mark, at, "must be a number; found %s%s", mgc__found(l, node),
                   node->quoted ? "\tleave the quotes away" : "");
        return false;
    }
    const char *text = node->u.text;
    if (!looks_like_number(text, &leading_zero)) {
        mgc__issue(l, mark, at, "must be a number; found %s%s", mgc__show(l, text), why_no_number(text));
        return false;
    }
    if (leading_zero) {
        mgc__issue(l, mark, at, "the number %s begins with 0, which some read as octal\tleave the leading 0 away",
                   mgc__show(l, text));
        return false;
    }
    *value = mgc_number_parse(text, &end);
    if (isfinite(*value)) return true;
    mgc__issue(l, mark, at, "the number %s is larger than any double", mgc__show(l, text));
    return false;
}

bool mgc__read_whole(mgc__loader *l, const mgc__at *at, const mgc__node *node, uint64_t lower, uint64_t upper,
                     uint64_t *value)
{
    double x;

    if (!mgc__read_number(l, at, node, &x)) return false;
    if (x != floor(x) || x < (double)lower || x > (double)upper) {
        mgc__issue(l, mgc__mark_of(l, node), at, "is %s\tmust be a whole number from %llu to %llu",
                   mgc__show_number(l, x), (unsigned long long)lower, (unsigned long long)upper);
        return false;
    }
    *value = (uint64_t)x;
    return true;
}

bool mgc__read_flag(mgc__loader *l, const mgc__at *at, const mgc__node *node, bool *value)
{
    bool word = node->kind == NODE_SCALAR && !node->quoted;

    if (word && strcmp(node->u.text, "true") == 0) return *value = true;
    if (word && strcmp(node->u.text, "false") == 0) {
        *value = false;
        return true;
    }
    mgc__issue(l, mgc__mark_of(l, node), at, "must be true or false; found %s", mgc__found(l, node));
    return false;
}

bool mgc__read_text(mgc__loader *l, const mgc__at *at, const mgc__node *node, const char **value)
{
    if (node->kind == NODE_SCALAR && !mgc__is_null(node) && *node->u.text != '\0') {
        *value = node->u.text;
        return true;
    }
    mgc__issue(l, mgc__mark_of(l, node), at, "must be a text; found %s", mgc__found(l, node));
    return false;
}

bool mgc__read_word(mgc__loader *l, const mgc__at *at, const mgc__node *node, const char *const *words, size_t n,
                    const char **value)
{
    const char *text;

    if (!mgc__read_text(l, at, node, &text)) return false;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, words[i]) != 0) continue;
        *value = words[i];
        return true;
    }
    mgc__issue(l, mgc__mark_of(l, node), at, "\"%s\" is not known\t%s", mgc__show(l, text),
               mgc__suggest(l, text, words, n));
    return false;
}

bool mgc__read_id(mgc__loader *l, const mgc__at *at, const mgc__node *node, const char **value)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    enum { ID_MAX = 63 };

    if (!mgc__read_text(l, at, node, value)) return false;
    size_t len = strlen(*value);
    if (strspn(*value, allowed) == len && len <= ID_MAX) return true;
    mgc__issue(l, mgc__mark_of(l, node), at,
               "the id \"%s\" is not allowed\tuse 1 to 63 of the characters A-Z a-z 0-9 _ . -", mgc__show(l, *value));
    return false;
}

bool mgc__want_map(mgc__loader *l, const mgc__at *at, const mgc__node *node)
{
    if (node->kind == NODE_MAP) return true;
    mgc__issue(l, mgc__mark_of(l, node), at, "must be a map of keys and values; found %s", mgc__found(l, node));
    return false;
}

bool mgc__want_list(mgc__loader *l, const mgc__at *at, const mgc__node *node)
{
    if (node->kind == NODE_LIST) return true;
    mgc__issue(l, mgc__mark_of(l, node), at, "must be a list; found %s", mgc__found(l, node));
    return false;
}
