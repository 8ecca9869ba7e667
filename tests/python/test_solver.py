# SPDX-License-Identifier: Apache-2.0
"""Solver: programs with known answers, by hand and by other solvers."""
import gzip
import math
import pathlib
import random
import tempfile
import unittest

from support import _base, mg, numpy

INF = float("inf")


class Linear(unittest.TestCase):
    def test_known_optimum_duals_and_reduced_costs(self):
        # Dantzig's example: max 3x + 5y, x <= 4, 2y <= 12, 3x + 2y <= 18; optimum 36 at (2, 6), duals 0, 3/2, 1.
        s = mg.Solver([-3, -5], rows=[[1, 0], [0, 2], [3, 2]], row_upper=[4, 12, 18])
        solved = s.solve(tolerance=1e-10)
        self.assertTrue(solved.optimal)
        self.assertAlmostEqual(solved.objective, -36.0, places=6)
        for found, wanted in zip(solved.x, (2, 6)):
            self.assertAlmostEqual(found, wanted, places=6)
        for found, wanted in zip(solved.y, (0, -1.5, -1)):
            self.assertAlmostEqual(found, wanted, places=6)
        for j in range(2):
            reduced = (-3, -5)[j] - sum(s.coefficient(i, j) * solved.y[i] for i in range(3))
            self.assertAlmostEqual(solved.z[j], reduced, places=7)
        self.assertLessEqual(solved.bound, solved.objective + 1e-6)
        self.assertIsNone(solved.ray)

    def test_infeasible_with_its_ray(self):
        s = mg.Solver([1.0], rows=[[1.0], [1.0]], row_lower=[2.0, -INF], row_upper=[INF, 1.0])
        solved = s.solve()
        self.assertEqual((solved.outcome, solved.x), ("infeasible", None))
        self.assertGreater(s.check_ray("infeasible", solved.ray), 0.0)

    def test_unbounded_with_its_ray(self):
        s = mg.Solver([-1.0, 0.0], rows=[[1.0, -1.0]], row_upper=[1.0])
        solved = s.solve()
        self.assertEqual(solved.outcome, "unbounded")
        self.assertGreater(s.check_ray("unbounded", solved.ray), 0.0)

    def test_every_form_of_rows_is_the_same_program(self):
        dense = [[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]
        forms = [dense, ([1.0, 2.0, 3.0], [0, 2, 1], [0, 2, 3])]
        try:
            if numpy is not None:
                import scipy.sparse
                forms += [scipy.sparse.csr_matrix(dense), scipy.sparse.coo_matrix(dense), scipy.sparse.csc_matrix(dense)]
        except ImportError:
            pass
        texts = set()
        for form in forms:
            s = mg.Solver([1.0, 2.0, 3.0], rows=form, row_lower=[1.0, 1.0])
            for i in range(2):
                for j in range(3):
                    self.assertEqual(s.coefficient(i, j), dense[i][j])
            texts.add(s.to_mps())
        self.assertEqual(len(texts), 1)
        self.assertRaises(ValueError, mg.Solver, [1.0], rows=([1.0], [0], [0, 2]))

    @unittest.skipIf(numpy is None, "without numpy")
    def test_random_programs_against_another_solver(self):
        try:
            from scipy.optimize import linprog
        except ImportError:
            self.skipTest("scipy is not installed")
        random.seed(7)
        for _ in range(20):
            n, m = random.randint(2, 12), random.randint(1, 10)
            cost = [random.uniform(-1, 1) for _ in range(n)]
            rows = [[random.choice((0.0, random.uniform(-1, 1))) for _ in range(n)] for _ in range(m)]
            upper = [random.uniform(0.5, 2.0) for _ in range(m)]
            theirs = linprog(cost, A_ub=rows, b_ub=upper, bounds=[(0, 5)] * n, method="highs")
            mine = mg.Solver(cost, rows=rows, row_upper=upper, upper=5.0).solve()
            self.assertEqual(mine.outcome, "optimal")
            self.assertAlmostEqual(mine.objective, theirs.fun, delta=1e-6 * max(1, abs(theirs.fun)))


class Quadratic(unittest.TestCase):
    def test_every_form_of_q(self):
        # min x^2 + xy + y^2 - 3x: optimum -3 at (2, -1)
        forms = [[[2.0, 1.0], [1.0, 2.0]], ([0, 0, 1], [0, 1, 1], [2.0, 1.0, 2.0])]
        for form in forms:
            solved = mg.Solver([-3.0, 0.0], lower=-INF, quadratic=form, offset=1.0).solve()
            self.assertAlmostEqual(solved.objective, -2.0, places=6)
            self.assertAlmostEqual(solved.x[1], -1.0, places=4)
        self.assertRaises(ValueError, mg.Solver, [0.0, 0.0], quadratic=[[1.0, 2.0], [0.0, 1.0]])

    def test_what_is_not_convex_is_refused(self):
        with self.assertRaises(mg.MgcError) as caught:
            mg.Solver([0.0], upper=1.0, quadratic=[[-1.0]]).solve()
        self.assertEqual(caught.exception.name, "MGC_E_NOT_CONVEX")


class Integer(unittest.TestCase):
    def test_a_small_world_tried_whole(self):
        random.seed(3)
        for _ in range(6):
            n = 8
            cost = [random.randint(-9, 9) for _ in range(n)]
            weights = [random.randint(1, 9) for _ in range(n)]
            limit = sum(weights) // 2
            best = min(sum(c for i, c in enumerate(cost) if code >> i & 1) for code in range(2**n)
                       if sum(w for i, w in enumerate(weights) if code >> i & 1) <= limit)
            solved = mg.Solver(cost, rows=[weights], row_upper=[limit], upper=1.0, integer=[True] * n).solve(gap=0.0)
            self.assertAlmostEqual(solved.objective, best, places=6)
            self.assertTrue(all(abs(v - round(v)) < 1e-6 for v in solved.x))

    def test_relaxed_it_costs_no_more(self):
        s = mg.Solver([-5, -4], rows=[[6, 4], [1, 2]], row_upper=[24, 6.5], integer=[0, 1])
        self.assertLessEqual(s.solve(relax=True).objective, s.solve().objective + 1e-9)


class Changing(unittest.TestCase):
    def test_step_by_step_and_again(self):
        s = mg.Solver()
        x, y = s.add_column(1.0, name="x"), s.add_column(2.0, upper=4.0, name="y")
        row = s.add_row({x: 1.0, y: 1.0}, lower=3.0, name="demand")
        self.assertEqual((x, y, row, s.columns, s.rows, s.nonzeros), (0, 1, 0, 2, 1, 2))
        self.assertAlmostEqual(s.solve().objective, 3.0, places=6)
        s.set_bounds(x, 0.0, 1.0)
        self.assertAlmostEqual(s.solve().objective, 5.0, places=6)
        s.set_cost(y, 3.0), s.set_row_bounds(row, 4.0, INF), s.set_offset(10.0)
        self.assertAlmostEqual(s.solve().objective, 20.0, places=6)
        s.set_coefficient(row, y, 2.0)
        self.assertAlmostEqual(s.solve().objective, 15.5, places=6)
        s.set_quadratic(y, y, 2.0), s.set_integer(y)
        self.assertEqual((s.integers, s.row(row), s.row_name(row), s.column_name(y)), (1, (4.0, INF), "demand", "y"))
        self.assertRaises(mg.InvalidArgument, s.set_cost, 9, 1.0)
        self.assertIn("2 columns", repr(s))

    def test_a_clone_is_a_program_of_its_own(self):
        s = mg.Solver([1.0], lower=1.0)
        other = s.clone()
        s.set_cost(0, 5.0)
        self.assertAlmostEqual(other.solve().objective, 1.0, places=6)
        s.close()
        self.assertAlmostEqual(other.solve().objective, 1.0, places=6)

    def test_a_warm_start_is_handed_on(self):
        def make():
            return mg.Solver([-3, -5], rows=[[1, 0], [0, 2], [3, 2]], row_upper=[4, 12, 18])

        first, second = make(), make()
        first.solve(presolve=1)
        second.start = first.start
        self.assertAlmostEqual(second.solve(presolve=1, warm_start=True).objective, -36.0, places=5)
        with self.assertRaises(mg.MgcError):
            second.start = b"rubbish"


class Files(unittest.TestCase):
    def test_mps_there_and_back(self):
        s = mg.Solver([1.25, -2.0], lower=[0.0, -INF], upper=[INF, 7.5], rows=[[1, 2]], row_lower=[1], integer=[0])
        back = mg.Solver.from_mps(s.to_mps())
        self.assertEqual(back.to_mps(), s.to_mps())
        self.assertEqual(back.column(1), (-2.0, -INF, 7.5, False))
        self.assertIn("COLUMNS", s.to_mps(fixed=True))

    def test_files_packed_and_not(self):
        text = mg.Solver([1.0], lower=2.0).to_mps()
        with tempfile.TemporaryDirectory() as folder:
            plain, packed = pathlib.Path(folder) / "a.mps", pathlib.Path(folder) / "a.mps.gz"
            plain.write_text(text)
            packed.write_bytes(gzip.compress(text.encode()))
            for path in (plain, packed, str(plain)):
                self.assertAlmostEqual(mg.Solver.read_mps(path).solve().objective, 2.0, places=6)
            plain.write_text("NAME x\nROWS\n N o\nBOUNDS\n XX b c 1\nENDATA\n")
            with self.assertRaises(mg.FormatError) as caught:
                mg.Solver.read_mps(plain)
            self.assertEqual(caught.exception.line, 4)

    def test_a_text_that_maximises_says_so(self):
        self.assertTrue(mg.Solver.from_mps("NAME x\nOBJSENSE\n MAX\nROWS\n N o\n L r\nCOLUMNS\n a o 1 r 1\nRHS\n r "
                                           "5\nENDATA\n").maximises)


class Telling(unittest.TestCase):
    def test_progress_is_told(self):
        told = []
        mg.Solver([-3, -5], rows=[[1, 0], [0, 2], [3, 2]],
                  row_upper=[4, 12, 18]).solve(progress=lambda *a: told.append(a), presolve=1)
        self.assertGreater(len(told), 2)
        self.assertEqual(len(told[0]), 3)

    def test_a_line_is_drawn_on_terminals_alone(self):
        import io

        class Terminal(io.StringIO):
            def isatty(self):
                return True

        for stream, wanted in ((Terminal(), True), (io.StringIO(), False)):
            line = _base.ProgressLine(stream)
            line.show("round 1")
            line.end()
            self.assertEqual(bool(stream.getvalue()), wanted)

    def test_limits_are_outcomes(self):
        solved = mg.Solver([-3, -5], rows=[[1, 0], [0, 2], [3, 2]],
                           row_upper=[4, 12, 18]).solve(iteration_limit=1, presolve=1)
        self.assertEqual(solved.outcome, "limit")
        self.assertFalse(solved.optimal)
        self.assertTrue(math.isfinite(solved.seconds))
