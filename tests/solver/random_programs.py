# SPDX-License-Identifier: Apache-2.0
"""Small random programs against an outside solver: verdicts, objectives, multipliers and certificates.

    random_programs.py LIBRARY [--count N] [--seed N] [--only KIND] [--keep FOLDER] [--one K]

Linear and mixed-integer programs are solved by HiGHS (through scipy) as well.  A quadratic program's answer is held against
weak duality, recomputed here from the program alone: a feasible point whose objective equals the dual's is optimal, whoever
says so.  That a quadratic program is infeasible or unbounded is a linear question, and HiGHS answers it.  Certificates are
multiplied out here.  Programs are made to be awkward: degenerate, rank-deficient, with empty, duplicate and contradicting
rows, free and fixed columns, ranges, and rows and columns scaled by powers of two between 1e-9 and 1e9.

The outside solver is not taken at its word either: a point that lies within all bounds to 1e-9 and is better settles it.
"""
import argparse, ctypes as C, json, math, os, random, subprocess, sys


def need_scipy():
    """numpy and scipy's milp as globals; under another interpreter if that one has them; a TAP skip where none has."""
    global np, LinearConstraint, Bounds, milp
    try:
        import numpy as np
        from scipy.optimize import LinearConstraint, Bounds, milp
    except ImportError:
        other = '/usr/bin/python3'
        if os.path.realpath(sys.executable) != os.path.realpath(other) and os.path.exists(other) and subprocess.run(
                [other, '-c', 'import scipy.optimize'], capture_output=True).returncode == 0:
            os.execv(other, [other] + sys.argv)
        print('1..0 # SKIP scipy with its HiGHS is not installed')
        sys.exit(0)


INF = math.inf
OPTIMAL, INFEASIBLE, UNBOUNDED, LIMIT, CANCELLED, NUMERICAL = 1, 2, 3, 4, 5, 6
WORD = {0: 'none', 1: 'optimal', 2: 'infeasible', 3: 'unbounded', 4: 'limit', 5: 'cancelled', 6: 'numerical'}


# --- the library -----------------------------------------------------------------------------------------------------

class Opts(C.Structure):
    _fields_ = [('struct_size', C.c_size_t), ('tolerance', C.c_double), ('gap', C.c_double), ('time_limit_s', C.c_double),
                ('iteration_limit', C.c_uint32), ('node_limit', C.c_uint32), ('relax', C.c_uint32), ('threads', C.c_uint32),
                ('warm_start', C.c_uint32), ('reserved0', C.c_uint32), ('progress', C.c_void_p), ('user', C.c_void_p),
                ('presolve', C.c_uint32), ('later', C.c_uint8 * 124)]  # fields appended since are left at their defaults


class Info(C.Structure):
    _fields_ = [('struct_size', C.c_size_t), ('outcome', C.c_uint32), ('iterations', C.c_uint32), ('nodes', C.c_uint32),
                ('reserved0', C.c_uint32), ('objective', C.c_double), ('bound', C.c_double), ('primal_residual', C.c_double),
                ('dual_residual', C.c_double), ('gap', C.c_double), ('seconds', C.c_double), ('later', C.c_uint8 * 128)]


class Library:
    def __init__(self, path):
        self.lib = C.CDLL(path)
        self.lib.mgc_ctx_error.restype = C.c_char_p
        d, u, p, z = C.c_double, C.c_uint32, C.c_void_p, C.c_size_t
        for name, types in {
                'add_column': [p, d, d, d, p], 'add_row': [p, d, d, p, p, z, p], 'set_quadratic': [p, u, u, d],
                'set_integer': [p, u, C.c_int32], 'set_offset': [p, d], 'solve': [p, p, p], 'get_x': [p, p, z],
                'get_y': [p, p, z], 'get_z': [p, p, z], 'get_ray': [p, p, z]}.items():
            getattr(self.lib, 'mgc_program_' + name).argtypes = types
        self.lib.mgc_program_destroy.argtypes = [p]
        self.lib.mgc_program_opts_init.argtypes = [p, z]
        self.ctx = p()
        assert self.lib.mgc_ctx_create(None, C.byref(self.ctx)) == 0

    def call(self, name, *args):
        status = getattr(self.lib, 'mgc_program_' + name)(*args)
        if status != 0:
            raise RuntimeError(f'mgc_program_{name}: {status}: {self.lib.mgc_ctx_error(self.ctx).decode()}')

    def build(self, m):
        p = C.c_void_p()
        assert self.lib.mgc_program_create(self.ctx, C.byref(p)) == 0
        for j in range(m.n):
            self.call('add_column', p, m.c[j], m.lo[j], m.up[j], None)
            if m.integer[j]:
                self.call('set_integer', p, j, 1)
        for i in range(m.m):
            at = [j for j in range(m.n) if m.a[i][j] != 0]
            self.call('add_row', p, m.rlo[i], m.rup[i], (C.c_uint32 * len(at))(*at),
                      (C.c_double * len(at))(*[m.a[i][j] for j in at]), len(at), None)
        for i, j in m.q_entries():
            self.call('set_quadratic', p, i, j, m.q[i][j])
        return p

    def vector(self, p, what, n):
        v = (C.c_double * max(n, 1))()
        return list(v)[:n] if getattr(self.lib, 'mgc_program_' + what)(p, v, n) == 0 and (v := v) is not None else None

    def solve(self, m, **options):
        p = self.build(m)
        try:
            o, info = Opts(), Info()
            self.lib.mgc_program_opts_init(C.byref(o), C.sizeof(o))
            for key, value in options.items():
                setattr(o, key, value)
            info.struct_size = C.sizeof(info)
            self.call('solve', p, C.byref(o), C.byref(info))
            ray = self.vector(p, 'get_ray', m.m if info.outcome == INFEASIBLE else m.n)
            return info, *(self.vector(p, 'get_' + v, k) for v, k in (('x', m.n), ('y', m.m), ('z', m.n))), ray
        finally:
            self.lib.mgc_program_destroy(p)


# --- programs --------------------------------------------------------------------------------------------------------

class Model:
    def __init__(self, n, m):
        self.n, self.m = n, m
        self.c, self.lo, self.up = [0.0] * n, [0.0] * n, [INF] * n
        self.integer = [False] * n
        self.a = [[0.0] * n for _ in range(m)]
        self.rlo, self.rup = [-INF] * m, [INF] * m
        self.q = [[0.0] * n for _ in range(n)]

    def q_entries(self):
        return [(i, j) for j in range(self.n) for i in range(j + 1) if self.q[i][j] != 0]

    def row(self, i, x):
        return math.fsum(self.a[i][j] * x[j] for j in range(self.n))

    def qx(self, x):
        return [math.fsum(self.q[i][j] * x[j] for j in range(self.n)) for i in range(self.n)]

    def objective(self, x):
        return math.fsum(self.c[j] * x[j] for j in range(self.n)) + 0.5 * math.fsum(v * w for v, w in zip(self.qx(x), x))

    def magnitude(self, x):
        """Size of the terms that the objective is the sum of."""
        return math.fsum(abs(self.c[j] * x[j]) for j in range(self.n)) + math.fsum(
            abs(self.q[i][j] * x[i] * x[j]) for i in range(self.n) for j in range(self.n))

    def text(self):
        """Free MPS, to look at a difference elsewhere."""
        out = ['NAME random FREE', 'ROWS', ' N OBJ']
        kind = ['E' if self.rlo[i] == self.rup[i] else 'L' if self.rlo[i] == -INF and self.rup[i] < INF else 'G' for i in range(self.m)]
        out += [f' {k} R{i + 1}' for i, k in enumerate(kind)] + ['COLUMNS']
        for j in range(self.n):
            if self.integer[j]:
                out.append(" M 'MARKER' 'INTORG'")
            out.append(f' C{j + 1} OBJ {self.c[j]!r}')
            out += [f' C{j + 1} R{i + 1} {self.a[i][j]!r}' for i in range(self.m) if self.a[i][j] != 0]
            if self.integer[j]:
                out.append(" M 'MARKER' 'INTEND'")
        out.append('RHS')
        for i in range(self.m):
            b = self.rup[i] if kind[i] == 'L' else self.rlo[i] if self.rlo[i] > -INF else -1e30
            out.append(f' RHS R{i + 1} {b!r}')
        out.append('RANGES')
        out += [f' RNG R{i + 1} {self.rup[i] - self.rlo[i]!r}' for i in range(self.m)
                if kind[i] == 'G' and self.rup[i] < INF and self.rlo[i] > -INF]
        out.append('BOUNDS')
        for j in range(self.n):
            out.append(f' MI B C{j + 1}' if self.lo[j] == -INF else f' LO B C{j + 1} {self.lo[j]!r}')
            out.append(f' PL B C{j + 1}' if self.up[j] == INF else f' UP B C{j + 1} {self.up[j]!r}')
        if self.q_entries():
            out.append('QUADOBJ')
            out += [f' C{j + 1} C{i + 1} {self.q[i][j]!r}' for i, j in self.q_entries()]
        return '\n'.join(out + ['ENDATA', ''])


def number(r):
    return float(r.choice([r.randint(-9, 9), r.randint(-3, 3), r.choice([-1, 1]), round(r.uniform(-5, 5), 2), r.uniform(-1, 1)]))


def random_model(r, kind):
    m = Model(r.randint(1, 9), r.randint(0, 9))
    x0 = [float(r.randint(-4, 4)) if r.random() < 0.7 else r.uniform(-4, 4) for _ in range(m.n)]
    for j in range(m.n):
        m.c[j] = number(r) if r.random() < 0.85 else 0.0
        shape = r.random()
        room = [r.choice([0.0, 1.0, 2.0, 5.0, r.uniform(0, 3)]) for _ in range(2)]
        m.lo[j], m.up[j] = x0[j] - room[0], x0[j] + room[1]
        if shape < 0.12:
            m.lo[j], m.up[j] = -INF, INF
        elif shape < 0.4:
            m.up[j] = INF
        elif shape < 0.5:
            m.lo[j] = -INF
        elif shape < 0.56:
            m.lo[j] = m.up[j] = x0[j]
    if kind == 'mip':
        for j in range(m.n):
            if r.random() < 0.6:
                m.integer[j] = True
                x0[j] = float(round(x0[j]))
                m.lo[j] = x0[j] - r.randint(0, 3)
                m.up[j] = x0[j] + r.randint(0, 6)
            else:  # bounded, so that branch and bound ends
                m.lo[j], m.up[j] = max(m.lo[j], x0[j] - 20), min(m.up[j], x0[j] + 20)
    density = r.choice([0.2, 0.5, 0.9])
    for i in range(m.m):
        m.a[i] = [number(r) if r.random() < density else 0.0 for _ in range(m.n)]
        if i > 0 and r.random() < 0.1:
            factor = r.choice([1.0, -1.0, 2.0, 0.5])
            m.a[i] = [factor * v for v in m.a[r.randrange(i)]]  # duplicate
        if i > 1 and r.random() < 0.1:
            m.a[i] = [u + v for u, v in zip(m.a[i - 1], m.a[i - 2])]  # rank deficient
        at = m.row(i, x0)
        slack = r.choice([0.0, 0.0, 1.0, r.uniform(0, 4)])
        shape = r.random()
        if shape < 0.25:
            m.rlo[i] = m.rup[i] = at
        elif shape < 0.5:
            m.rup[i] = at + slack
        elif shape < 0.75:
            m.rlo[i] = at - slack
        elif shape < 0.95:
            m.rlo[i], m.rup[i] = at - slack, at + r.choice([1.0, 3.0])
    if r.random() < 0.2 and m.m > 0:  # as likely as not infeasible
        i = r.randrange(m.m)
        move = r.choice([1.0, 5.0, 30.0]) * r.choice([-1, 1])
        m.rlo[i] += move
        m.rup[i] += move
    if r.random() < 0.2:  # costs that make many dual solutions
        y = [float(r.randint(-2, 2)) for _ in range(m.m)]
        m.c = [math.fsum(y[i] * m.a[i][j] for i in range(m.m)) for j in range(m.n)]
    if kind == 'qp':
        rank = r.randint(1, m.n)
        f = [[number(r) if r.random() < 0.5 else 0.0 for _ in range(m.n)] for _ in range(rank)]
        for i in range(m.n):
            for j in range(m.n):
                m.q[i][j] = math.fsum(f[k][i] * f[k][j] for k in range(rank))
    return m


def scaled(r, m):
    """The same program with rows and columns in other units; powers of two, so that nothing is rounded."""
    s = Model(m.n, m.m)
    span = r.choice([5, 15, 30])
    row = [2.0 ** r.randint(-span, span) for _ in range(m.m)]
    col = [1.0 if m.integer[j] else 2.0 ** r.randint(-span, span) for j in range(m.n)]  # x_j = col_j * new x_j
    s.integer = list(m.integer)
    for j in range(m.n):
        s.c[j], s.lo[j], s.up[j] = m.c[j] * col[j], m.lo[j] / col[j], m.up[j] / col[j]
    for i in range(m.m):
        s.a[i] = [row[i] * m.a[i][j] * col[j] for j in range(m.n)]
        s.rlo[i], s.rup[i] = m.rlo[i] * row[i], m.rup[i] * row[i]
    for i in range(m.n):
        s.q[i] = [m.q[i][j] * col[i] * col[j] for j in range(m.n)]
    return s, col


# --- the outside solver ----------------------------------------------------------------------------------------------

def highs(m, objective=True, integer=True, extra=None):
    """(word, optimum, point): 'optimal', 'infeasible', 'unbounded', or None where it does not know."""
    constraint = [LinearConstraint(np.array(m.a, dtype=float).reshape(m.m, m.n), m.rlo, m.rup)] if m.m > 0 else []
    c = np.array(m.c) if objective else np.zeros(m.n)
    r = milp(c, integrality=np.array(m.integer, dtype=int) if integer else None, bounds=Bounds(m.lo, m.up),
             constraints=constraint, options={'mip_rel_gap': 0.0})
    if r.status == 0:
        return 'optimal', float(r.fun), [float(v) for v in r.x]
    if r.status == 2:
        return 'infeasible', None, None
    if r.status == 3:
        return 'unbounded', None, None
    return None, None, None


def recedes(m):
    """Whether some direction stays feasible for ever and lowers the objective for ever: a linear program of its own."""
    d = Model(m.n, m.m + m.n)
    d.c = m.c
    for j in range(m.n):
        d.lo[j], d.up[j] = (0.0 if m.lo[j] > -INF else -1.0), (0.0 if m.up[j] < INF else 1.0)
    for i in range(m.m):
        d.a[i] = m.a[i]
        d.rlo[i], d.rup[i] = (0.0 if m.rlo[i] > -INF else -INF), (0.0 if m.rup[i] < INF else INF)
    for i in range(m.n):
        d.a[m.m + i] = m.q[i]
        d.rlo[m.m + i] = d.rup[m.m + i] = 0.0
    word, value, _ = highs(d)
    return None if word != 'optimal' else value < -1e-7


def verdict(m):
    """What is true of a program, as far as the outside solver can say: word, optimum and point (None for quadratic ones)."""
    if not m.q_entries():
        word, value, point = highs(m)
        if word != 'optimal':  # HiGHS leaves open which of the two, and has called unbounded programs infeasible
            feasible, _, point = highs(m, objective=False)
            word = {'optimal': 'unbounded', 'infeasible': 'infeasible'}.get(feasible)
        return word, value, point
    feasible, _, point = highs(m, objective=False)
    if feasible != 'optimal':
        return feasible, None, None
    falls = recedes(m)
    return None if falls is None else 'unbounded' if falls else 'optimal', None, point


# --- checks of an answer by the program alone --------------------------------------------------------------------------

def violation(m, x):
    worst = 0.0
    for lo, up, v in [(m.lo[j], m.up[j], x[j]) for j in range(m.n)] + [(m.rlo[i], m.rup[i], m.row(i, x)) for i in range(m.m)]:
        if v < lo:
            worst = max(worst, (lo - v) / (1 + abs(lo)))
        if v > up:
            worst = max(worst, (v - up) / (1 + abs(up)))
    if any(m.integer):
        worst = max(worst, max(abs(x[j] - round(x[j])) for j in range(m.n) if m.integer[j]))
    return worst


def dual_gap(m, x, y):
    """Objective less the bound that weak duality gives with x and y, and how much of the bound rests on columns without one."""
    qx = m.qx(x)
    aty = [math.fsum(m.a[i][j] * y[i] for i in range(m.m)) for j in range(m.n)]
    parts, loose = [-0.5 * math.fsum(a * b for a, b in zip(qx, x))], 0.0
    most = 1 + max(map(abs, m.c + qx), default=0)  # what the library promises stationarity relative to
    for i in range(m.m):
        side = m.rlo[i] if y[i] > 0 else m.rup[i]
        if y[i] != 0:
            if math.isinf(side):
                loose = max(loose, abs(y[i]) / most)
            else:
                parts.append(y[i] * side)
    for j in range(m.n):
        d = m.c[j] + qx[j] - aty[j]
        side = m.lo[j] if d > 0 else m.up[j]
        if d != 0:
            if math.isinf(side):
                parts.append(d * x[j])
                loose = max(loose, abs(d) / most)
            else:
                parts.append(d * side)
    return m.objective(x) - math.fsum(parts), loose


def farkas(m, y):
    """How clearly y'(rows) excludes every point of the bounds, relative to the terms; <= 0: it does not."""
    total, size = [], 0.0
    for i in range(m.m):
        if y[i] == 0:
            continue
        side = m.rlo[i] if y[i] > 0 else m.rup[i]
        if math.isinf(side):
            return -INF
        total.append(y[i] * side)
        size = max(size, abs(y[i] * side))
    for j in range(m.n):
        terms = [m.a[i][j] * y[i] for i in range(m.m)]
        g = math.fsum(terms)
        if g == 0:
            continue
        side = m.up[j] if g > 0 else m.lo[j]
        if math.isinf(side):
            if abs(g) > 1e-9 * max(map(abs, terms)):
                return -INF
            continue
        total.append(-g * side)
        size = max(size, abs(g * side))
    return math.fsum(total) / size if size > 0 else -INF


def falling(m, d):
    """How clearly the objective falls along d while everything stays feasible."""
    size = max(map(abs, d), default=0.0)
    if size == 0 or math.fsum(c * v for c, v in zip(m.c, d)) >= 0:
        return -INF
    for j in range(m.n):
        if (m.lo[j] > -INF and d[j] < -1e-9 * size) or (m.up[j] < INF and d[j] > 1e-9 * size):
            return -INF
    for i in range(m.m):
        terms = [m.a[i][j] * d[j] for j in range(m.n)]
        v, scale = math.fsum(terms), 1e-8 * size * max(map(abs, m.a[i]), default=0.0)
        if (m.rlo[i] > -INF and v < -scale) or (m.rup[i] < INF and v > scale):
            return -INF
    for i in range(m.n):
        terms = [m.q[i][j] * d[j] for j in range(m.n)]
        if abs(math.fsum(terms)) > 1e-8 * size * max(map(abs, m.q[i]), default=0.0):
            return -INF
    terms = [m.c[j] * d[j] for j in range(m.n)]
    return -math.fsum(terms) / max(map(abs, terms), default=1.0) if any(terms) else -INF


# --- one program -----------------------------------------------------------------------------------------------------

def refuted(m, x, value, point):
    """Whether the points show the outside solver wrong: ours lies within the bounds to 1e-9, where there is said to be none, or
    is better than what is said to be best; or the better one found elsewhere does not lie within them."""
    if value is not None and m.objective(x) > value:
        return violation(m, point) > 1e-9
    return violation(m, x) <= 1e-9


def check_optimal(m, base, kind, info, x, y, z, point_in):
    scale = max(1.0, abs(info.objective))
    if violation(m, x) > 1e-6:
        return f'optimal at a point that violates by {violation(m, x):.1e}'
    if abs(m.objective(x) - info.objective) > 1e-9 * scale + 1e-14 * m.magnitude(x):
        return f'objective {info.objective!r}; x gives {m.objective(x)!r}'
    if info.bound > info.objective + 1e-6 * scale:
        return f'bound {info.bound!r} above objective {info.objective!r}'
    truth, value, point = verdict(base)
    point = None if point is None else point_in(point)
    if truth in ('infeasible', 'unbounded') and not refuted(m, x, value, point):
        return f'optimal ({info.objective:.9g}); it is {truth}'
    if value is not None and abs(value - info.objective) > 3e-6 * max(1.0, abs(value)) and not refuted(m, x, value, point):
        return f'optimum {info.objective:.12g}; {value:.12g} elsewhere'
    if kind == 'mip':
        return None
    gap, loose = dual_gap(m, x, y)
    if abs(gap) > 2e-6 * scale or loose > 1e-6:
        return f'weak duality leaves a gap of {gap:.2e}, {loose:.1e} on columns without bound'
    aty = [math.fsum(m.a[i][j] * y[i] for i in range(m.m)) for j in range(m.n)]
    for j, q in enumerate(m.qx(x)):
        size = abs(m.c[j]) + abs(q) + sum(abs(m.q[j][k] * x[k]) for k in range(m.n)) + sum(abs(m.a[i][j] * y[i]) for i in range(m.m))
        if abs(m.c[j] + q - aty[j] - z[j]) > 1e-12 * (1 + size):
            return f'z of column {j} differs from c + Qx - A\'y by {abs(m.c[j] + q - aty[j] - z[j]):.1e}'
    return None


def check_infeasible(m, base, kind, ray, point_in):
    truth, _, point = verdict(base)
    if truth in ('optimal', 'unbounded') and (point is None or violation(m, point_in(point)) <= 1e-9):
        return f'infeasible; it is {truth}'
    if ray is None:
        return None if kind == 'mip' else 'infeasible without a ray'
    return None if farkas(m, ray) > 0 else f'the ray does not exclude every point: {farkas(m, ray):.1e}'


def check_unbounded(m, base, ray):
    truth, _, _ = verdict(base)
    if truth in ('optimal', 'infeasible'):
        return f'unbounded; it is {truth}'
    return None if ray is not None and falling(m, ray) > 0 else 'the direction does not fall for ever'


def compare(lib, m, base, kind, point_in):
    """What is wrong with the library's answer, or None, and the outcome.  base: the program as it was before scaling, whose
    points point_in() turns into points of m."""
    info, x, y, z, ray = lib.solve(m, **({'gap': 1e-6} if kind == 'mip' else {}))
    ours = WORD[info.outcome]
    if ours == 'optimal':
        return check_optimal(m, base, kind, info, x, y, z, point_in), ours
    if ours == 'infeasible':
        return check_infeasible(m, base, kind, ray, point_in), ours
    if ours == 'unbounded':
        return check_unbounded(m, base, ray), ours
    return None if ours in ('numerical', 'limit') else f'ended {ours} unasked', ours  # the default iteration limit may be met


def try_one(lib, k, kind, args):
    """Name, outcome and fault of program k."""
    r = random.Random(args.seed * 1000003 + k)
    base = random_model(r, kind)
    name, m, col = kind, base, [1.0] * base.n
    if r.random() < 0.3:
        name, (m, col) = f'{kind} scaled', scaled(r, base)
    fault, ours = compare(lib, m, base, kind, lambda x: [v / c for v, c in zip(x, col)])
    if args.keep and (fault is not None or ours in ('numerical', 'limit') or args.one is not None):
        os.makedirs(args.keep, exist_ok=True)
        with open(os.path.join(args.keep, f'{name.replace(" ", "-")}-{args.seed}-{k}.qps'), 'w') as f:
            f.write(m.text())
    return name, ours, fault


def work(lib, numbers, kinds, args, out):
    """In a child: one line a program, first its number, then what came of it."""
    for k in numbers:
        print(k, file=out, flush=True)
        print(json.dumps(try_one(lib, k, kinds[k % len(kinds)], args)), file=out, flush=True)
    print('done', file=out, flush=True)


def tried(lib, numbers, kinds, args):
    """(number, name, outcome, fault) of each program; the outside solver has been seen to abort, so a child does the work and
    another one goes on behind the program that ended it."""
    numbers = list(numbers)
    while numbers:
        read_end, write_end = os.pipe()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os.close(read_end)
            with os.fdopen(write_end, 'w') as out:
                work(lib, numbers, kinds, args, out)
            os._exit(0)
        os.close(write_end)
        at, finished = None, False
        with os.fdopen(read_end) as lines:
            for line in lines:
                if line.strip() == 'done':
                    finished = True
                elif line[0] == '[':
                    yield at, *json.loads(line)
                    at = None
                else:
                    at = int(line)
        os.waitpid(child, 0)
        if finished:
            return
        if at is None:
            raise SystemExit('the child ended between two programs')
        yield at, kinds[at % len(kinds)], 'aborted', None
        numbers = numbers[numbers.index(at) + 1:]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('library')
    parser.add_argument('--count', type=int, default=10000 if os.environ.get('MGC_TEST_LONG') else 1000)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--only', choices=['lp', 'qp', 'mip'])
    parser.add_argument('--keep', help='folder for the programs that differ')
    parser.add_argument('--one', type=int, help='this number alone')
    args = parser.parse_args()
    need_scipy()
    lib = Library(args.library)
    faults, outcomes, unsolved = {}, {}, []
    kinds = [args.only] if args.only else ['lp', 'qp', 'mip']
    names = [f'{kind}{suffix}' for kind in kinds for suffix in ('', ' scaled')]
    for k, name, ours, fault in tried(lib, range(args.count) if args.one is None else [args.one], kinds, args):
        outcomes.setdefault(name, {}).setdefault(ours, 0)
        outcomes[name][ours] += 1
        if ours == 'aborted':  # whose fault?  The library alone is asked again, here: if it is ours, this process ends too
            lib.solve(random_model(random.Random(args.seed * 1000003 + k), kinds[k % len(kinds)]))
            print(f'# {name} {k}: the outside solver aborted')
        if ours in ('numerical', 'limit'):
            unsolved.append(k)
        if fault is not None:
            faults.setdefault(name, []).append((k, fault))
            print(f'# {name} {k}: {fault}', flush=True)
    print(f'1..{2 * len(names)}')
    for i, name in enumerate(names):
        found = outcomes.get(name, {})
        total, open_ended, wrong = sum(found.values()), found.get('numerical', 0) + found.get('limit', 0), len(faults.get(name, []))
        print(f'{"not ok" if wrong else "ok"} {2 * i + 1} - {name}: {total - wrong} programs agree, {wrong} differ: '
              + ', '.join(f'{v} {w}' for w, v in sorted(found.items())))
        few = open_ended <= total * (0.03 if 'scaled' in name else 0.01)
        print(f'{"ok" if few else "not ok"} {2 * i + 2} - {name}: {open_ended} of {total} left unsolved')
    if unsolved:
        print(f'# unsolved: {" ".join(map(str, unsolved[:40]))}')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
