/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C: polynomial 0x1EDC6F41 of Castagnoli, Braeuer and Herrmann (1993), reflected, as in RFC 3720.  It finds
 * every burst of up to 32 bits and any 3 flipped bits in records up to 2^31 bits.  Eight table look-ups at once after
 * Kounavis and Berry (2005). */
#include "base/base.h"

void mgc__crc32c_init(mgc__crc32c *c)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
        c->table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (uint32_t k = 1; k < 8; k++)
            c->table[k][i] = c->table[k - 1][i] >> 8 ^ c->table[0][c->table[k - 1][i] & 0xff];
}

uint32_t mgc__crc32c_of(const mgc__crc32c *c, uint32_t crc, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    crc = ~crc;
    for (; len >= 8; at += 8, len -= 8) {
        uint32_t low = crc ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
        crc = c->table[7][low & 0xff] ^ c->table[6][low >> 8 & 0xff] ^ c->table[5][low >> 16 & 0xff] ^
              c->table[4][low >> 24] ^ c->table[3][at[4]] ^ c->table[2][at[5]] ^ c->table[1][at[6]] ^
              c->table[0][at[7]];
    }
    for (; len > 0; at++, len--) crc = crc >> 8 ^ c->table[0][(crc ^ *at) & 0xff];
    return ~crc;
}
