#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Optima of the small worlds in test_solve.c by HiGHS, from the definition of the norms: prints the table there.

The worst case is dualised from  p - p0 <= v, p0 - p <= v, v <= theta_inf, sum v <= theta_1: another form than the library's.
Needs numpy and scipy; not run by the tests.
"""
import numpy as np
from scipy.optimize import LinearConstraint, Bounds, milp

SITES, PLACES, WORLDS = 3, 2, 40


class Stream:
    """The numbers that test_solve.c draws, in the same order."""

    def __init__(self, seed):
        self.seed, self.count = seed, 0

    def __call__(self):
        self.count += 1
        x = (self.seed * 1000003 + self.count * 7919) % 104729
        return x * x % 104729 % 1000 / 1000


def optimum(seed):
    u = Stream(seed)
    n_scenarios = 2 + seed % 5
    weight = [1 + 9 * u() for _ in range(n_scenarios)]
    if seed % 3 == 0:
        weight[0] = 0
    p0 = np.array(weight) / sum(weight)
    theta_1, theta_inf = 0.1 + 0.9 * u(), 0.05 + 0.25 * u()
    if seed % 7 == 0:
        theta_1 = theta_inf = 0
    theta_1 = 2 if seed % 4 == 0 and seed % 7 else theta_1
    theta_inf = 1 if seed % 4 == 1 and seed % 7 else theta_inf
    cost, lower, upper, integer, rows, row_lower = [], [], [], [], [], []

    def column(c, low, high, whole=0):
        cost.append(c), lower.append(low), upper.append(high), integer.append(whole)
        return len(cost) - 1

    def row(terms, low):
        rows.append(terms), row_lower.append(low)

    x = [column(1 + 9 * u(), 0, 5 + int(6 * u()), seed % 2) for _ in range(SITES)]
    row({j: 1.0 for j in x}, 4)
    alpha, beta = column(1, -np.inf, np.inf), column(theta_1, 0, np.inf)
    for k in range(n_scenarios):
        demand = [2 + 8 * u() for _ in range(PLACES)]
        carry = [[(column(0, 0, np.inf), 0.5 + 4 * u()) for _ in range(PLACES)] for _ in range(SITES)]
        short = [(column(0, 0, np.inf), 20 + 20 * u()) for _ in range(PLACES)]
        for i in range(SITES):
            row({x[i]: 1.0, **{j: -1.0 for j, _ in carry[i]}}, 0)
        for j in range(PLACES):
            row({short[j][0]: 1.0, **{carry[i][j][0]: 1.0 for i in range(SITES)}}, demand[j])
        above, below, single = column(p0[k], 0, np.inf), column(-p0[k], 0, np.inf), column(theta_inf, 0, np.inf)
        row({alpha: 1.0, above: 1.0, below: -1.0, **{j: -c for site in carry + [short] for j, c in site}}, 0)
        row({above: -1.0, below: -1.0, single: 1.0, beta: 1.0}, 0)
    matrix = np.zeros((len(rows), len(cost)))
    for i, terms in enumerate(rows):
        for j, value in terms.items():
            matrix[i, j] = value
    found = milp(cost, constraints=LinearConstraint(matrix, row_lower, np.inf), bounds=Bounds(lower, upper), integrality=integer,
                 options={"mip_rel_gap": 1e-9})
    assert found.status == 0, found.message
    return found.fun


if __name__ == "__main__":
    values = [f"{optimum(seed):.9g}" for seed in range(WORLDS)]
    for i in range(0, WORLDS, 8):
        print("    " + ", ".join(values[i:i + 8]) + ",")
