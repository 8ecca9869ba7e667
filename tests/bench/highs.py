# SPDX-License-Identifier: Apache-2.0
"""scipy's HiGHS on a file that `member` wrote: highs.py simplex|ipm|mip FILE CAP [LEAST].

Solved again until LEAST seconds have gone; the median counts.
Prints processor seconds of the call, reading left out, as JSON.  scipy's own preparation is left out too where its private
wrapper around HiGHS is the one known here; else it is in."""
import json, statistics, sys, time

import numpy as np
from scipy.optimize import linprog, milp, LinearConstraint, Bounds
from scipy.sparse import csc_matrix


def read_mps(path):
    """Free MPS as the library writes it: no negative numbers in RANGES of E rows, names without blanks."""
    section, integer = None, False
    rows, kind, cols = {}, [], {}
    entries, cost, integral = ([], [], []), [], []
    rhs, ranges, lower, upper = {}, {}, {}, {}
    offset, objective = 0.0, None
    with open(path) as f:
        lines = f.readlines()
    for line in lines:
        if line[0] in '*\n':
            continue
        words = line.split()
        if line[0] != ' ':
            section = words[0]
            if section == 'ENDATA':
                break
            continue
        if section == 'ROWS':
            if words[0] == 'N':
                objective = words[1]
            else:
                rows[words[1]] = len(kind)
                kind.append(words[0])
        elif section == 'COLUMNS':
            if words[1] == "'MARKER'":
                integer = words[2] == "'INTORG'"
                continue
            if words[0] not in cols:
                cols[words[0]] = len(cost)
                cost.append(0.0)
                integral.append(integer)
            j = cols[words[0]]
            for name, value in zip(words[1::2], words[2::2]):
                if name == objective:
                    cost[j] = float(value)
                else:
                    for part, x in zip(entries, (float(value), rows[name], j)):
                        part.append(x)
        elif section == 'RHS':
            if words[1] == objective:
                offset = -float(words[2])
            else:
                rhs[rows[words[1]]] = float(words[2])
        elif section == 'RANGES':
            ranges[rows[words[1]]] = float(words[2])
        elif section == 'BOUNDS':
            j = cols[words[2]]
            if words[0] in ('FX', 'LO'):
                lower[j] = float(words[3])
            if words[0] in ('FX', 'UP'):
                upper[j] = float(words[3])
            if words[0] in ('FR', 'MI'):
                lower[j] = -np.inf
    m, n = len(kind), len(cost)
    lhs, top = np.full(m, -np.inf), np.full(m, np.inf)
    for i, k in enumerate(kind):
        b = rhs.get(i, 0.0)
        if k in 'EG' and b > -1e30:
            lhs[i] = b
        if k in 'EL':
            top[i] = b
        if i in ranges:
            lhs[i], top[i] = (b, b + ranges[i]) if k == 'G' else (b - ranges[i], b)
    lo, up = np.zeros(n), np.full(n, np.inf)
    for j, x in lower.items():
        lo[j] = x
    for j, x in upper.items():
        up[j] = x
    a = csc_matrix((entries[0], (entries[1], entries[2])), shape=(m, n))
    return np.array(cost), a, lhs, top, lo, up, np.array(integral, dtype=np.uint8), offset


def by_wrapper(solver, c, a, lhs, top, lo, up, integral, cap):
    from scipy.optimize._highs._highs_wrapper import _highs_wrapper
    from scipy.optimize._highs._highs_constants import CONST_INF

    options = {'presolve': True, 'sense': 1, 'solver': None if solver == 'mip' else solver, 'time_limit': cap,
               'log_to_console': False, 'output_flag': False, 'mip_rel_gap': 1e-4 if solver == 'mip' else None,
               'primal_feasibility_tolerance': None, 'dual_feasibility_tolerance': None,
               'run_crossover': False, 'ipm_optimality_tolerance': 1e-6 if solver == 'ipm' else None}
    def large(x):
        return np.where(np.isposinf(x), CONST_INF, np.where(np.isneginf(x), -CONST_INF, x))

    kinds = integral if solver == 'mip' else np.empty(0, dtype=np.uint8)
    begin = time.process_time()
    r = _highs_wrapper(c, a.indptr, a.indices, a.data, large(lhs), large(top), large(lo), large(up), kinds, options)
    used = time.process_time() - begin
    return used, (r.get('fun') if r.get('status') == 7 else None)


def by_scipy(solver, c, a, lhs, top, lo, up, integral, cap):
    begin = time.process_time()
    if solver == 'mip':
        r = milp(c, integrality=integral, bounds=Bounds(lo, up), constraints=LinearConstraint(a, lhs, top),
                 options={'mip_rel_gap': 1e-4, 'time_limit': cap})
    else:
        r = milp(c, bounds=Bounds(lo, up), constraints=LinearConstraint(a, lhs, top), options={'time_limit': cap})
        if solver == 'ipm':
            raise SystemExit('this scipy cannot be asked for the interior-point method with row ranges')
    used = time.process_time() - begin
    return used, (r.fun if r.status == 0 else None)


def main():
    solver, path, cap = sys.argv[1], sys.argv[2], float(sys.argv[3])
    least = float(sys.argv[4]) if len(sys.argv) > 4 else 0.0
    *data, offset = read_mps(path)
    times, objective = [], 0.0
    while not times or (objective is not None and sum(times) < least):
        try:
            used, objective = by_wrapper(solver, *data, cap)
        except (ImportError, TypeError, KeyError):
            used, objective = by_scipy(solver, *data, cap)
        times.append(used)
    print(json.dumps({'seconds': statistics.median(times), 'solves': len(times), 'objective': None if objective is None else objective + offset}))


if __name__ == '__main__':
    main()
