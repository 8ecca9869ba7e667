# SPDX-License-Identifier: Apache-2.0
"""Thousands of cycles without growth; what the binding costs beside the library."""
import ctypes
import gc
import statistics
import threading
import time
import unittest

from support import LONG, SANITIZED, Counting, _base, _native, lib, mg, resident_kib, small_case

CYCLES = 10000


def cycle(n):
    """Create, solve, destroy: everything that has a finaliser or a thunk."""
    solver = mg.Solver([1.0, 1.0], rows=[[1.0, 1.0]], row_lower=[1.0 + n % 3], upper=10.0)
    told = []
    assert solver.solve(progress=lambda *a: told.append(a), presolve=1).optimal
    if n % 5 == 0:
        try:
            mg.Solver([float("nan")])
        except mg.InvalidArgument:
            pass
        solver.close()
    if n % 10 == 0:
        case = small_case(1)
        plan = case.plan()
        plan.series("farm", "", "buy_kw")
    if n % 50 == 0:
        result = small_case(2).solve()
        result.trades, result.plan.series("farm", "", "buy_kw"), result.record(1).bytes
    if n % 25 == 0:
        with mg.Node(mg.MemoryStorage(), mg.Key.from_seed(bytes(32)), chain="main", genesis_time_ms=1000,
                     empty_interval_ms=1000) as node:
            node.step(5000)
            node.blocks()
    if n % 20 == 0:
        ts = mg.TwoStage([0.5, 0.5])
        ts.add_column(mg.FIRST_STAGE, 1.0, 0.0, 1.0)
        ts.worst([1.0, 2.0])


class Growth(unittest.TestCase):
    @unittest.skipIf(SANITIZED, "the sanitizer's own memory grows")
    def test_cycles_without_growth(self):
        for n in range(200):  # what is made once: thunks, caches, the allocator's arenas
            cycle(n)
        gc.collect()
        before, objects = resident_kib(), len(gc.get_objects())
        begin = time.process_time()
        for n in range(CYCLES):
            cycle(n)
        gc.collect()
        after = resident_kib()
        print(f"# {CYCLES} cycles: resident {before} KiB -> {after} KiB, objects {objects} -> {len(gc.get_objects())}, "
              f"{1000 * (time.process_time() - begin) / CYCLES:.2f} ms each")
        self.assertLess(after - before, 2048, "KiB grown")  # fragmentation of the allocator comes to some hundred
        self.assertLess(len(gc.get_objects()) - objects, 50)

    def test_cycles_leave_no_block_of_the_library(self):
        heap = Counting()
        for _ in range(50):
            context = heap.context()
            mg.Solver([1.0, 1.0], rows=[[1.0, 1.0]], row_lower=[1.0], context=context).solve()
            small_case(1, context=context).plan()
        del context
        gc.collect()
        self.assertEqual(heap.live, 0)


class Overhead(unittest.TestCase):
    """What Python adds to a solve of the embedded case (one process, the same work by naked calls and by the objects,
    by turns)."""

    @unittest.skipIf(SANITIZED, "a sanitizer's times say nothing")
    def test_below_three_percent(self):
        case = mg.Case.builtin()
        model = case.model
        opts = _base.options(_native.mgc_dispatch_opts, {"relax": True})
        value, n = (ctypes.c_double * 24)(), 24

        def naked():
            plan = ctypes.POINTER(_native.mgc_plan)()
            assert lib.mgc_dispatch_solve(model._handle, ctypes.byref(opts), ctypes.byref(plan)) == 0
            for site in (b"hospital", b"campus", b"residential"):
                assert lib.mgc_plan_get_series(plan, site, b"", b"buy_kw", 0, value, n) == 0
            lib.mgc_plan_destroy(plan)

        def objects():
            with model.plan(relax=True) as plan:
                for site in ("hospital", "campus", "residential"):
                    plan.series(site, "", "buy_kw")

        calls = []

        def told():
            with model.plan(relax=True, progress=lambda *_a: calls.append(1)) as plan:
                for site in ("hospital", "campus", "residential"):
                    plan.series(site, "", "buy_kw")

        ways = {"naked": naked, "objects": objects, "told": told}
        spent = {name: [] for name in ways}
        for way in ways.values():
            way()
        del calls[:]
        rounds = 30 if LONG else 9
        names = list(ways)
        for k in range(rounds):  # each way is as often first, second and third
            for name in names[k % 3:] + names[:k % 3]:
                begin = time.process_time()  # of all threads
                ways[name]()
                spent[name].append(time.process_time() - begin)
        usual = {name: statistics.median(times) for name, times in spent.items()}
        for name in ("objects", "told"):
            print(f"# {name}: {1000 * usual[name]:.1f} ms beside {1000 * usual['naked']:.1f} ms: "
                  f"{100 * (usual[name] / usual['naked'] - 1):+.2f} %")
        # The same work differs by a few percent from run to run on a shared machine, so what Python adds is measured
        # by itself too.
        fixed, callback = self.fixed_cost(model), self.callback_cost()
        told_cost = fixed + callback * len(calls) / rounds
        print(f"# a call by the objects: {1000 * fixed:.3f} ms, {100 * fixed / usual['naked']:.2f} % of the solve; with "
              f"{len(calls) / rounds:.0f} times {1e6 * callback:.1f} us of progress "
              f"{100 * told_cost / usual['naked']:.2f} %")
        self.assertGreater(len(calls), 10 * rounds)
        self.assertLess(told_cost, 0.03 * usual["naked"])
        for name in ("objects", "told"):
            self.assertLess(usual[name], 1.15 * usual["naked"])

    def test_every_solve_is_made_by_the_same_thread(self):
        """A fresh one would touch 4000 pages anew."""
        model, threads = mg.Case.builtin().model, set()
        for _ in range(3):
            with model.plan(relax=True, progress=lambda *_a: threads.add(threading.get_native_id())):
                pass
        self.assertEqual(len(threads), 1)

    @staticmethod
    def callback_cost():
        """A progress function, called as C calls it."""
        carrier, kind = _base.Carrier(), _native.callback(_native.mgc_dispatch_opts, "progress")
        with _base.progress_of(lambda *_a: None, None, carrier, kind, lambda *told: told) as thunk:
            begin = time.process_time()
            for n in range(10000):
                thunk(None, n, 2.0, 1.0)
            return (time.process_time() - begin) / 10000

    @staticmethod
    def fixed_cost(model):
        """A call whose solve does nothing: everything around it, 200 times."""
        real = _native._library.mgc_dispatch_solve

        class Fast:
            def __getattr__(self, name):
                if name == "mgc_dispatch_solve":
                    return lambda *_a: 0
                if name == "mgc_plan_destroy":
                    return lambda *_a: None
                return getattr(lib, name)

        from mgchain import case as module
        kept, module.library = module.library, lambda: Fast()
        try:
            begin = time.process_time()
            for _ in range(200):
                model.plan(relax=True).close()
            return (time.process_time() - begin) / 200
        finally:
            module.library = kept
            assert _native._library.mgc_dispatch_solve is real
