/* SPDX-License-Identifier: Apache-2.0 */
/* xoshiro256** 1.0 and splitmix64, after Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", ACM TOMS 47 (2021). */
#include "base/base.h"

static uint64_t rotate_left(uint64_t x, unsigned k)
{
    return (x << k) | (x >> (64 - k));
}

void mgc__rng_seed(mgc__rng *rng, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15u;
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        rng->s[i] = z ^ (z >> 31);
    }
}

uint64_t mgc__rng_next(mgc__rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t mgc__rng_below(mgc__rng *rng, uint64_t n)
{
    assert(n > 0);
    uint64_t reject_below = (0 - n) % n; /* 2^64 mod n: what would make some results likelier */
    uint64_t x;
    do x = mgc__rng_next(rng);
    while (x < reject_below);
    return x % n;
}

double mgc__rng_unit(mgc__rng *rng)
{
    return (double)(mgc__rng_next(rng) >> 11) * 0x1.0p-53;
}
