/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/cbor.h"

/* Well-formed byte sequences, Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
 * The second byte has its own range after E0, ED, F0 and F4; all later ones are 80..BF. */
static size_t sequence(const uint8_t *s, size_t left)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t len;

    if (s[0] < 0x80) return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
    len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (len > left) return 0;
    if (s[0] == 0xe0) low = 0xa0;
    if (s[0] == 0xed) high = 0x9f;
    if (s[0] == 0xf0) low = 0x90;
    if (s[0] == 0xf4) high = 0x8f;
    if (s[1] < low || s[1] > high) return 0;
    for (size_t i = 2; i < len; i++)
        if (s[i] < 0x80 || s[i] > 0xbf) return 0;
    return len;
}

bool mgc__utf8_valid(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t step = sequence(bytes + i, len - i);
        if (step == 0) return false;
        i += step;
    }
    return true;
}
