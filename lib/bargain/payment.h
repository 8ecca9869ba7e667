/* SPDX-License-Identifier: Apache-2.0 */
/* Money: units, limits, and the closed forms behind the public functions. */
#ifndef BARGAIN_PAYMENT_H
#define BARGAIN_PAYMENT_H

#include "base/base.h"
#include "mgchain/bargain.h"

#define MGC__MICRO 1e6     /* micro-currency in one unit of currency */
#define MGC__MONEY_MAX 4e9 /* [currency] any amount; below 2^52 micro-currency, so a double holds each one exactly */

/* beta: doc/math/bargain.md, section 3. */
double mgc__contribution(double supplied, double most_supplied, double received, double most_received);

/* Smallest member that pairs connect each member with. */
void mgc__groups(size_t n, const uint32_t *first, const uint32_t *second, size_t pairs, uint32_t *group);

#endif
