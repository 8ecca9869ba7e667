#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Worst expected costs of the ambiguity sets in test_ambiguity.c: linear sets by HiGHS, divergences by a scan of their
one-dimensional duals at 60 digits.  Prints the table there.  Needs numpy and scipy; not run by the tests.
"""
from decimal import Decimal, getcontext

import numpy as np
from scipy.optimize import linprog

getcontext().prec = 60
N, WORLDS = 6, 12


class Stream:
    """The numbers that test_ambiguity.c draws, in the same order."""

    def __init__(self, seed):
        self.seed, self.count = seed, 0

    def __call__(self):
        self.count += 1
        x = (self.seed * 1000003 + self.count * 7919) % 104729
        return x * x % 104729 % 1000 / 1000


def world(seed):
    u = Stream(seed)
    weight = np.array([1 + 9 * u() for _ in range(N)])
    if seed % 3 == 0:
        weight[1] = 0
    cost = np.array([20 * u() for _ in range(N)])
    place = np.array([[u() for _ in range(2)] for _ in range(N)])
    distance = np.abs(place[:, None, :] - place[None, :, :]).sum(axis=2)
    return weight / weight.sum(), cost, distance, 0.05 + 0.3 * u()


def linear(p0, cost, distance, wasserstein=None, norm1=None, norm_inf=None, cvar=None):
    """Columns: plan k -> l, then the absolute deviations."""
    n = len(p0)
    c = np.concatenate([-np.tile(cost, n), np.zeros(n)])
    a_eq = np.zeros((n, n * n + n))
    for k in range(n):
        a_eq[k, k * n:(k + 1) * n] = 1
    a_ub, b_ub = [], []
    into = [np.concatenate([np.tile(np.eye(n)[l], n), np.zeros(n)]) for l in range(n)]
    over = [np.concatenate([np.zeros(n * n), np.eye(n)[l]]) for l in range(n)]
    for l in range(n):
        a_ub += [into[l] - over[l], -into[l] - over[l]]
        b_ub += [p0[l], -p0[l]]
        if norm_inf is not None:
            a_ub.append(over[l]), b_ub.append(norm_inf)
        if cvar is not None:
            a_ub.append(into[l]), b_ub.append(p0[l] / (1 - cvar))
    if norm1 is not None:
        a_ub.append(sum(over)), b_ub.append(norm1)
    if wasserstein is not None:
        a_ub.append(np.concatenate([distance.ravel(), np.zeros(n)])), b_ub.append(wasserstein)
    found = linprog(c, A_ub=np.array(a_ub), b_ub=b_ub, A_eq=a_eq, b_eq=p0, method="highs")
    assert found.status == 0, found.message
    return -found.fun


def kl(p0, cost, radius):
    pairs = [(Decimal(float(p)), Decimal(float(q))) for p, q in zip(p0, cost) if p > 0]
    most = max(q for _, q in pairs)

    def tilted(t):
        weight = [p * (t * (q - most)).exp() for p, q in pairs]
        total = sum(weight)
        p = [w / total for w in weight]
        return sum(a * q for a, (_, q) in zip(p, pairs)), sum(a * (a / b).ln() for a, (b, _) in zip(p, pairs))

    if radius >= -sum(p for p, q in pairs if q == most).ln():
        return float(most)
    low, high = Decimal(0), Decimal(1000)
    for _ in range(180):
        t = (low + high) / 2
        low, high = (t, high) if tilted(t)[1] < radius else (low, t)
    return float(tilted(low)[0])


def chi2(p0, cost, radius):
    """min over alpha of alpha + sqrt((1 + rho) sum p0 max(Q - alpha, 0)^2), the dual for r >= 0 (Duchi and Namkoong 2021)."""
    pairs = [(Decimal(float(p)), Decimal(float(q))) for p, q in zip(p0, cost) if p > 0]

    def dual(alpha):
        return alpha + ((1 + Decimal(float(radius))) * sum(p * max(q - alpha, Decimal(0)) ** 2 for p, q in pairs)).sqrt()

    low, high = Decimal(-10) ** 5, max(q for _, q in pairs)
    for _ in range(400):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, b) if dual(a) < dual(b) else (a, high)
    return float(dual((low + high) / 2))


if __name__ == "__main__":
    for seed in range(WORLDS):
        p0, cost, distance, size = world(seed)
        values = [linear(p0, cost, distance, wasserstein=size), kl(p0, cost, size), chi2(p0, cost, 3 * size),
                  linear(p0, cost, distance, cvar=2 * size),
                  linear(p0, cost, distance, wasserstein=size, norm1=size, norm_inf=size / 3),
                  linear(p0, cost, distance, wasserstein=size / 2, cvar=2 * size), linear(p0, cost, distance, cvar=size, norm1=size)]
        print("    {" + ", ".join(f"{v:.12g}" for v in values) + "},")
