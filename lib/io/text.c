/* SPDX-License-Identifier: Apache-2.0 */
#include "io/text.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

void mgc__text_fixed(mgc__text *t, double x, unsigned decimals, bool grouped)
{
    static const double power[] = {1, 10, 100, 1000, 1e4, 1e5, 1e6};
    char digits[32];

    assert(decimals < sizeof power / sizeof power[0]);
    if (!isfinite(x) || fabs(x) >= 1e12) {
        mgc__text_add(t, isnan(x) ? "–" : x > 0 ? "∞" : "−∞");
        return;
    }
    double scaled = floor(fabs(x) * power[decimals] + 0.5);
    uint64_t whole = (uint64_t)scaled, unit = (uint64_t)power[decimals];
    if (x < 0 && whole > 0) mgc__text_add(t, grouped ? "−" : "-");
    int n = snprintf(digits, sizeof digits, "%" PRIu64, whole / unit);
    for (int i = 0; i < n; i++) {
        if (grouped && i > 0 && n > 4 && (n - i) % 3 == 0) mgc__text_add(t, "\xe2\x80\xaf");
        mgc__text_put(t, digits + i, 1);
    }
    if (decimals > 0) mgc__text_printf(t, ".%0*" PRIu64, (int)decimals, whole % unit);
}

void mgc__text_escaped(mgc__text *t, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&': mgc__text_add(t, "&amp;"); break;
        case '<': mgc__text_add(t, "&lt;"); break;
        case '>': mgc__text_add(t, "&gt;"); break;
        case '"': mgc__text_add(t, "&quot;"); break;
        case '\'': mgc__text_add(t, "&#39;"); break;
        default: mgc__text_put(t, text, 1);
        }
    }
}
