/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal numbers and words, read and written the same in every locale. */
#define _GNU_SOURCE /* strtod_l */
#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>

#include "base/base.h"

/* The "C" locale as an object: immutable after the first use, never freed. */
static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static bool starts_number(const char *s)
{
    if (*s == '+' || *s == '-') s++;
    if (*s == '.') s++;
    return *s >= '0' && *s <= '9';
}

/* Up to 15 digits and a power of ten up to 22 are exact in a double, so one multiplication or
 * division rounds correctly (Clinger 1990, "How to read floating point numbers accurately").
 * Returns false where that does not apply. */
static bool parse_fast(const char *text, double *value, const char **end)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *s = text;
    bool negative = *s == '-', point = false;
    uint64_t digits = 0;
    int n = 0, exponent = 0;

    if (*s == '+' || *s == '-') s++;
    for (;; s++) {
        if (*s == '.' && !point) {
            point = true;
        } else if (*s >= '0' && *s <= '9') {
            if (++n > 15) return false;
            digits = digits * 10 + (uint64_t)(*s - '0');
            exponent -= point;
        } else {
            break;
        }
    }
    if (*s == 'e' || *s == 'E' || *s == 'x' || *s == 'X' || exponent < -22) return false;
    double x = (double)digits / power[-exponent];
    *value = negative ? -x : x;
    *end = s;
    return true;
}

double mgc__parse_double(const char *text, const char **end)
{
    double value;
    char *stop;

    *end = text;
    if (!starts_number(text)) return 0.0;
    if (parse_fast(text, &value, end)) return value;
    const char *s = text + (*text == '+' || *text == '-');
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) { /* hexadecimal is not decimal: just "0" */
        *end = s + 1;
        return 0.0;
    }
    pthread_once(&c_locale_once, make_c_locale);
    if (c_locale == (locale_t)0) return 0.0; /* no memory for it: read as "no number here" */
    value = strtod_l(text, &stop, c_locale);
    *end = stop;
    return value;
}

int mgc__vformat(char *text, size_t room, const char *format, va_list args)
{
    pthread_once(&c_locale_once, make_c_locale);
    locale_t hosts = c_locale != (locale_t)0 ? uselocale(c_locale) : (locale_t)0; /* of this thread alone */
    int len = vsnprintf(text, room, format, args);
    if (hosts != (locale_t)0) uselocale(hosts);
    return len;
}

int mgc__format(char *text, size_t room, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int len = mgc__vformat(text, room, format, args);
    va_end(args);
    return len;
}

size_t mgc__format_double(double x, char text[MGC__DOUBLE_TEXT])
{
    const char *end;

    if (!isfinite(x)) return (size_t)snprintf(text, MGC__DOUBLE_TEXT, "%s", isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, MGC__DOUBLE_TEXT, "%.*g", digits, x);
        for (char *s = text; *s != '\0'; s++) /* whatever the locale's decimal point is */
            if (strchr("+-0123456789eE", *s) == NULL) {
                *s = '.';
                if (s[1] != '\0' && strchr("0123456789eE", s[1]) == NULL) memmove(s + 1, s + 2, strlen(s + 2) + 1);
            }
        if (mgc__parse_double(text, &end) == x) break;
    }
    return strlen(text);
}

enum { WORD_MAX = 64 };

/* Optimal string alignment distance (Damerau 1964, Levenshtein 1966), for words up to WORD_MAX. */
static size_t edit_distance(const char *a, size_t na, const char *b, size_t nb)
{
    size_t row[3][WORD_MAX + 1];
    size_t *before = row[0], *last = row[1], *now = row[2];

    for (size_t j = 0; j <= nb; j++) last[j] = j;
    for (size_t i = 1; i <= na; i++) {
        now[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best) best = last[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
        size_t *reuse = before;
        before = last;
        last = now;
        now = reuse;
    }
    return last[nb];
}

const char *mgc__nearest(const char *word, const char *const words[], size_t n)
{
    size_t length = strlen(word), best = SIZE_MAX;
    const char *nearest = NULL;

    if (length == 0 || length > WORD_MAX) return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t other = strlen(words[i]);
        if (other > WORD_MAX) continue;
        size_t distance = edit_distance(word, length, words[i], other);
        /* "buy_price" for "buy_price_per_kwh" is a likely slip too: a forgotten unit. */
        if (length >= 4 && other > length && strncmp(word, words[i], length) == 0) distance = 1;
        size_t longer = length > other ? length : other;
        if (distance < best && distance <= (longer + 2) / 3) {
            best = distance;
            nearest = words[i];
        }
    }
    return nearest;
}
