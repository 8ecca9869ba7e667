# SPDX-License-Identifier: Apache-2.0
"""TwoStage, Robust, AmbiguitySet: answers by hand and by enumeration."""
import itertools
import pathlib
import tempfile
import unittest

from support import mg, numpy


def newsvendor(own=None, **ambiguity):
    """Order x at 1, sell min(x, demand_k) at 3: cost x - 3 sales."""
    ts = mg.TwoStage([0.5, 0.3, 0.2])
    x = ts.add_column(mg.FIRST_STAGE, 1.0, 0.0, 100.0, name="order")
    for k, demand in enumerate((10.0, 20.0, 40.0)):
        sold = ts.add_column(mg.scenario(k), -3.0, 0.0, demand)
        ts.add_row(mg.scenario(k), {sold: 1.0, x: -1.0}, upper=0.0)
    if own is not None or ambiguity:
        ts.set_ambiguity(own, **ambiguity)
    return ts


def worst_by_enumeration(x, radius):
    """min over x is checked outside; here the worst expectation over the L1 ball around (0.5, 0.3, 0.2), by its
    corners."""
    cost = [x - 3 * min(x, d) for d in (10, 20, 40)]
    p = [0.5, 0.3, 0.2]
    best = max(range(3), key=lambda k: cost[k])
    left = radius / 2
    take = min(left, 1 - p[best])
    p[best] += take
    for k in sorted(range(3), key=lambda k: cost[k]):
        if k != best:
            moved = min(take, p[k])
            p[k] -= moved
            take -= moved
    return sum(a * b for a, b in zip(p, cost))


class Mine(mg.AmbiguitySet):
    """The L1 ball, written again in Python."""

    def __init__(self, radius):
        self.radius, self.calls = radius, 0

    def worst(self, cost):
        self.calls += 1
        p = [0.5, 0.3, 0.2]
        best = max(range(3), key=lambda k: cost[k])
        take = min(self.radius / 2, 1 - p[best])
        p[best] += take
        for k in sorted(range(3), key=lambda k: cost[k]):
            if k != best:
                moved = min(take, p[k])
                p[k] -= moved
                take -= moved
        return p


class TwoStages(unittest.TestCase):
    def test_nominal(self):
        solved = newsvendor().solve()
        self.assertEqual(solved.outcome, "optimal")
        self.assertAlmostEqual(solved.x[0], 20.0, delta=1e-3)  # the 2/3 quantile of demand
        self.assertAlmostEqual(solved.objective, min(worst_by_enumeration(x, 0) for x in range(41)), places=4)

    def test_a_ball_by_three_ways(self):
        wanted = min(worst_by_enumeration(x / 10, 0.4) for x in range(401))
        own = Mine(0.4)
        for solved in (newsvendor(norm1=0.4).solve(), newsvendor(norm1=0.4).solve(method="ccg"), newsvendor(own).solve()):
            self.assertAlmostEqual(solved.objective, wanted, places=3)
            self.assertAlmostEqual(sum(solved.probability), 1.0, places=6)
            self.assertLessEqual(solved.bound, solved.objective + 1e-6)
        self.assertGreater(own.calls, 0)

    def test_the_oracle_alone(self):
        ts = newsvendor(Mine(0.4))
        self.assertEqual(list(ts.worst([1.0, 2.0, 3.0])), [0.3, 0.3, 0.4])
        ts.clear_ambiguity()
        for found, wanted in zip(ts.worst([1.0, 2.0, 3.0]), [0.5, 0.3, 0.2]):
            self.assertAlmostEqual(found, wanted)

    def test_an_oracle_that_fails_or_lies(self):
        class Broken(mg.AmbiguitySet):
            def worst(self, cost):
                raise LookupError("mine")

        class Short(mg.AmbiguitySet):
            def worst(self, cost):
                return [1.0]

        class Lies(mg.AmbiguitySet):
            def worst(self, cost):
                return [0.9, 0.9, 0.9]

        self.assertRaisesRegex(LookupError, "mine", newsvendor(Broken()).solve)
        self.assertRaises(ValueError, newsvendor(Short()).solve)
        with self.assertRaises(mg.MgcError) as caught:
            newsvendor(Lies()).solve()
        self.assertEqual(caught.exception.name, "MGC_E_PROBABILITY")

    def test_other_sets(self):
        nominal = newsvendor().solve().objective
        for name, value in (("norm_inf", 0.1), ("cvar", 0.5), ("kl", 0.1), ("chi2", 0.1)):
            self.assertGreater(newsvendor(**{name: value}).solve().objective, nominal + 1e-3, name)
        distance = [[abs(a - b) for b in (10.0, 20.0, 40.0)] for a in (10.0, 20.0, 40.0)]
        self.assertGreater(newsvendor(wasserstein=2.0, distances=distance).solve().objective, nominal + 1e-3)
        self.assertAlmostEqual(newsvendor(worst_case=True).solve().objective, -20.0, places=4)
        self.assertRaises(ValueError, newsvendor, wasserstein=1.0, distances=[[0.0]])

    def test_the_extensive_form_is_the_same_program(self):
        ts = newsvendor(norm1=0.4)
        self.assertAlmostEqual(ts.extensive().solve().objective, ts.solve().objective, places=4)
        self.assertEqual((ts.scenarios, ts.columns, ts.rows), (3, 4, 3))

    def test_a_wrong_probability_is_refused(self):
        self.assertRaises(mg.InvalidArgument, mg.TwoStage, [0.5, 0.9])

    def test_smps_files(self):
        core = ("NAME p\nROWS\n N c\n L r\nCOLUMNS\n x c 1 r -1\n y c -3 r 1\n"
                "RHS\nBOUNDS\n UP b x 100\n UP b y 10\nENDATA\n")
        time = "TIME p\nPERIODS\n x r1 one\n y r two\nENDATA\n"
        with tempfile.TemporaryDirectory() as folder:
            paths = [pathlib.Path(folder) / name for name in ("p.cor", "p.tim", "p.sto")]
            for path, text in zip(paths, (core, time, "rubbish\n")):
                path.write_text(text)
            with self.assertRaises(mg.MgcError) as caught:
                mg.TwoStage.read_smps(*paths)
            self.assertIn("p.", str(caught.exception))


class Budget(unittest.TestCase):
    def test_every_corner_tried(self):
        """Supply x at 1, shortfall y_i at 5 for demands 2 + 3 z_i, at most two of three z at a time."""
        robust = mg.Robust(3)
        x = [robust.add_column(mg.FIRST_STAGE, 1.0, 0.0, 10.0, name=f"x{i}") for i in range(3)]
        y = [robust.add_column(mg.RECOURSE, 1.5, 0.0) for _ in range(3)]
        for i in range(3):
            robust.add_row(mg.RECOURSE, {x[i]: 1.0, y[i]: 1.0}, lower=2.0, shift={i: 3.0})
        robust.add_limit([(0, 1.0), (1, 1.0), (2, 1.0)], upper=2.0)
        solved = robust.solve()
        corners = [z for z in itertools.product((0, 1), repeat=3) if sum(z) <= 2]
        best = min(sum(levels) + max(sum(1.5 * max(0.0, 2 + 3 * z[i] - levels[i]) for i in range(3)) for z in corners)
                   for levels in itertools.product([v / 2 for v in range(11)], repeat=3))
        self.assertEqual(solved.outcome, "optimal")
        self.assertAlmostEqual(solved.objective, best, places=4)
        self.assertLessEqual(sum(solved.worst), 2.0 + 1e-6)

    def test_a_range_and_progress(self):
        robust = mg.Robust(1)
        x = robust.add_column(mg.FIRST_STAGE, 1.0, integer=True)
        y = robust.add_column(mg.RECOURSE, 10.0)
        robust.add_row(mg.RECOURSE, {x: 1.0, y: 1.0}, lower=0.5, shift={0: 1.0})
        robust.set_range(0, -1.0, 2.0)
        told = []
        solved = robust.solve(progress=lambda *a: told.append(a))
        self.assertAlmostEqual(solved.objective, 3.0, places=5)
        self.assertTrue(told)

        def broken(*_a):
            raise KeyError("mine")

        self.assertRaises(KeyError, robust.solve, progress=broken)


class Helpers(unittest.TestCase):
    def test_reduction_of_scenarios(self):
        samples = [[0.0, 0.0], [0.1, 0.0], [5.0, 5.0], [5.0, 5.1], [5.1, 5.0]]
        reduced = mg.reduce_scenarios(samples, 2)
        self.assertEqual(sorted(reduced.probability), [0.4, 0.6])
        self.assertEqual(len(set(list(reduced.assignment)[:2])), 1)
        if numpy is not None:
            again = mg.reduce_scenarios(numpy.array(samples), 2)
            self.assertEqual(list(again.medoid), list(reduced.medoid))
        self.assertRaises(mg.MgcError, mg.reduce_scenarios, samples, 9)
        self.assertRaises(ValueError, mg.reduce_scenarios, [1.0, 2.0], 1)

    def test_radii(self):
        for name in ("norm1", "norm_inf", "wasserstein"):
            self.assertGreater(mg.radius(name, 10, 90, 0.95), mg.radius(name, 10, 900, 0.95))
        self.assertRaises(mg.MgcError, mg.radius, "norm1", 10, 90, 1.5)
