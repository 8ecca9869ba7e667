/* SPDX-License-Identifier: Apache-2.0 */
#include "io/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mgc_io__text_free(mgc_io__text *t)
{
    free(t->bytes);
    *t = (mgc_io__text){0};
}

static bool reserve(mgc_io__text *t, size_t len)
{
    if (t->failed) return false;
    if (t->len + len + 1 <= t->cap) return true;
    size_t cap = t->cap < 4096 ? 4096 : t->cap;
    while (cap < t->len + len + 1) cap *= 2;
    char *grown = realloc(t->bytes, cap);
    if (grown == NULL) {
        t->failed = true;
        return false;
    }
    t->bytes = grown;
    t->cap = cap;
    return true;
}

void mgc_io__put(mgc_io__text *t, const char *bytes, size_t len)
{
    if (!reserve(t, len)) return;
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
    t->bytes[t->len] = '\0';
}

void mgc_io__puts(mgc_io__text *t, const char *text)
{
    mgc_io__put(t, text, strlen(text));
}

void mgc_io__printf(mgc_io__text *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0 || !reserve(t, (size_t)len)) return;
    va_start(args, format);
    vsnprintf(t->bytes + t->len, (size_t)len + 1, format, args);
    va_end(args);
    t->len += (size_t)len;
}

void mgc_io__fixed(mgc_io__text *t, double x, unsigned decimals, bool grouped)
{
    static const double power[] = {1, 10, 100, 1000, 1e4, 1e5, 1e6};
    char digits[32];

    if (!isfinite(x) || fabs(x) >= 1e12) {
        mgc_io__puts(t, isnan(x) ? "–" : x > 0 ? "∞" : "−∞");
        return;
    }
    double scaled = floor(fabs(x) * power[decimals] + 0.5);
    uint64_t whole = (uint64_t)scaled, unit = (uint64_t)power[decimals];
    if (x < 0 && whole > 0) mgc_io__puts(t, grouped ? "−" : "-");
    int n = snprintf(digits, sizeof digits, "%" PRIu64, whole / unit);
    for (int i = 0; i < n; i++) {
        if (grouped && i > 0 && n > 4 && (n - i) % 3 == 0) mgc_io__puts(t, "\xe2\x80\xaf");
        mgc_io__put(t, digits + i, 1);
    }
    if (decimals > 0) mgc_io__printf(t, ".%0*" PRIu64, (int)decimals, whole % unit);
}

void mgc_io__escaped(mgc_io__text *t, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&': mgc_io__puts(t, "&amp;"); break;
        case '<': mgc_io__puts(t, "&lt;"); break;
        case '>': mgc_io__puts(t, "&gt;"); break;
        case '"': mgc_io__puts(t, "&quot;"); break;
        case '\'': mgc_io__puts(t, "&#39;"); break;
        default: mgc_io__put(t, text, 1);
        }
    }
}
