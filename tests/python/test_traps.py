# SPDX-License-Identifier: Apache-2.0
"""One test for each trap of a ctypes binding: what each would do without its guard is a silent wrong answer or a
crash."""
import array
import ctypes
import gc
import sys
import threading
import time
import unittest
import weakref

from support import Counting, SANITIZED, _base, _native, lib, mg, numpy, run_child


INF = float("inf")


def small():
    """min x + y, x + y >= 1: optimum 1."""
    return mg.Solver([1.0, 1.0], rows=[[1.0, 1.0]], row_lower=[1.0], upper=10.0)


def knapsack(n=40):
    """A mixed-integer program that takes more than one node."""
    values = [(37 * i) % 23 + 5.3 for i in range(n)]
    weights = [(29 * i) % 19 + 3.1 for i in range(n)]
    return mg.Solver([-v for v in values], rows=[weights], row_upper=[sum(weights) / 2.0], upper=1.0, integer=range(n))


def hard(n=30):
    """Two equations over binary columns (a market split): hours of branch and bound."""
    rows = [[(31 * i * i + 17 * i) % 97 + 1.0 for i in range(n)], [(23 * i * i + 41 * i) % 89 + 1.0 for i in range(n)]]
    wide = [rows[0] + [1.0, -1.0, 0.0, 0.0], rows[1] + [0.0, 0.0, 1.0, -1.0]]
    half = [sum(row) // 2 + 0.5 for row in rows]
    return mg.Solver([0.0] * n + [1.0] * 4, rows=wide, row_lower=half, row_upper=half, upper=[1.0] * n + [INF] * 4,
                     integer=range(n))


class Prototypes(unittest.TestCase):
    """Without restype a pointer loses its upper half; without argtypes an int handed to a double becomes 0.0."""

    def test_every_function_has_both(self):
        for name, _, _, result, arguments in _native.PROTOTYPES:
            function = getattr(lib, name)
            self.assertIs(function.restype, result, name)
            self.assertEqual(tuple(function.argtypes), tuple(arguments), name)

    def test_a_pointer_keeps_its_upper_half(self):
        heap = Counting(extra=64 << 20)  # so large that each block is mapped, far up
        context = heap.context()
        address = ctypes.cast(context.handle, ctypes.c_void_p).value
        self.assertIn(address, heap.given)
        if sys.maxsize > 2**32:
            self.assertGreater(address, 2**32)
        self.assertEqual(mg.Solver([2.0], lower=1.0, context=context).check([1.0])[0], 2.0)

    def test_an_int_handed_to_a_double_is_that_number(self):
        s = mg.Solver()
        s.add_column(3, 0, 7)  # ints, where C takes doubles
        self.assertEqual(s.column(0), (3.0, 0.0, 7.0, False))

    def test_a_wrong_argument_is_refused_before_c_sees_it(self):
        self.assertRaises(ctypes.ArgumentError, lib.mgc_program_set_cost, small()._handle, "first", 1.0)
        self.assertRaises(ctypes.ArgumentError, lib.mgc_program_set_cost, _base.Context().handle, 0, 1.0)


class Thunks(unittest.TestCase):
    def test_a_thunk_lives_as_long_as_c_may_call_it(self):
        told = []
        context = mg.Context(log=lambda level, text: told.append((level, text)), log_level=4)
        solver = mg.Solver.from_mps("NAME x\nROWS\n N o\n L r\nCOLUMNS\n a o 1 r 1\nRHS\n r 5\nENDATA\n", context=context)
        solver.set_cost(0, 1.0 / 3.0)
        del context
        gc.collect()
        for _ in range(1000):  # reuse the memory of whatever was freed
            ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 1)
        solver.to_mps(fixed=True)  # the log hook is told that a number was rounded
        self.assertTrue(told)

    def test_the_finaliser_holds_what_c_points_at_not_the_object(self):
        context = mg.Context()
        solver = mg.Solver([1.0], context=context)
        seen = weakref.ref(context)
        del context
        gc.collect()
        self.assertIsNotNone(seen())
        del solver
        gc.collect()
        self.assertIsNone(seen())

    def test_parents_do_not_hold_children(self):
        context = mg.Context()
        child = weakref.ref(mg.Solver([1.0], context=context))
        gc.collect()
        self.assertIsNone(child())


class Exceptions(unittest.TestCase):
    def test_one_from_a_callback_comes_out_of_the_call(self):
        class Mine(Exception):
            pass

        def stop(*_told):
            raise Mine("here")

        with self.assertRaisesRegex(Mine, "here"):
            small().solve(progress=stop, presolve=1)

    def test_even_one_that_is_no_exception(self):
        def stop(*_told):
            raise SystemExit(3)

        self.assertRaises(SystemExit, small().solve, progress=stop, presolve=1)
        solver = small()

        def interrupt(*_told):
            raise KeyboardInterrupt

        self.assertRaises(KeyboardInterrupt, solver.solve, progress=interrupt, presolve=1)
        self.assertEqual(solver.solve().outcome, "optimal")  # and the solver is as good as before

    def test_zero_is_never_answered(self):
        carrier = _base.Carrier()
        kind = _native.callback(_native.mgc_program_opts, "progress")
        for answer, wanted in ((None, 1), (True, 1), (False, 2), (0, _native.MGC_E_CALLBACK), (-12, -12)):
            self.assertEqual(carrier.thunk(kind, lambda *_a, answer=answer: answer)(None, 1, 0.0, 0.0), wanted)

        def broken(*_arguments):
            raise ValueError

        self.assertEqual(carrier.thunk(kind, broken)(None, 1, 0.0, 0.0), _native.MGC_E_CALLBACK)
        self.assertRaises(ValueError, carrier.raise_if_any)
        carrier.raise_if_any()  # raised once

    def test_zero_means_to_the_library_that_nothing_was_answered(self):
        opts = _base.options(_native.mgc_program_opts, {"presolve": 1})
        raw = _native.callback(_native.mgc_program_opts, "progress")(lambda *_a: 0)
        opts.progress = raw
        solver = small()
        self.assertEqual(lib.mgc_program_solve(solver._handle, ctypes.byref(opts), None), _native.MGC_E_CALLBACK)

    def test_stopping_is_no_exception(self):
        solved = knapsack().solve(progress=lambda *_a: False)
        self.assertEqual(solved.outcome, "cancelled")

    def test_a_wrong_answer_of_a_progress_function_is_a_type_error(self):
        self.assertRaises(TypeError, small().solve, progress=lambda *_a: "yes", presolve=1)

    def test_they_tell_status_name_and_message(self):
        with self.assertRaises(mg.InvalidArgument) as caught:
            mg.Solver([1.0, float("nan")])
        self.assertEqual((caught.exception.status, caught.exception.name), (-1, "MGC_E_INVALID_ARG"))
        self.assertIn("column 1", caught.exception.message)
        self.assertIsInstance(caught.exception, ValueError)
        self.assertIsInstance(caught.exception, mg.MgcError)

    def test_they_tell_file_and_line(self):
        with self.assertRaises(mg.FormatError) as caught:
            mg.Solver.from_mps("NAME x\nROWS\n Q r\nENDATA\n", file="plan.mps")
        self.assertEqual((caught.exception.file, caught.exception.line), ("plan.mps", 3))

    def test_they_survive_pickling(self):
        import pickle
        error = mg.UnknownKey(-400, "dispatch: x; did you mean 'y'?", hint="y")
        back = pickle.loads(pickle.dumps(error))
        self.assertEqual((type(back), back.status, back.message, back.hint, str(back)),
                         (mg.UnknownKey, -400, error.message, "y", str(error)))


class Lifetimes(unittest.TestCase):
    def test_close_twice_and_use_afterwards(self):
        solver = small()
        solver.close()
        solver.close()
        self.assertTrue(solver.closed)
        self.assertRaises(mg.StateError, solver.solve)
        self.assertRaises(mg.StateError, lambda: solver.columns)

    def test_with_closes_also_on_error(self):
        with self.assertRaises(ZeroDivisionError):
            with small() as solver:
                1 / 0
        self.assertTrue(solver.closed)

    def test_a_constructor_that_fails_leaves_nothing(self):
        heap = Counting()
        for bad in ({"upper": [1.0]}, {"rows": [[1.0]]}, {"quadratic": [[-1.0, 0.0], [1.0, -1.0]]}, {"integer": [7]}):
            self.assertRaises(Exception, mg.Solver, [1.0, 2.0], context=heap.context(), **bad)
        gc.collect()
        self.assertGreater(heap.calls, 4)
        self.assertEqual(heap.live, 0)

    def test_everything_is_given_back(self):
        heap = Counting()
        solver = mg.Solver([1.0, 1.0], rows=[[1.0, 1.0]], row_lower=[1.0], context=heap.context())
        solver.solve()
        solver.clone().solve()
        del solver
        gc.collect()
        self.assertGreater(heap.calls, 10)
        self.assertEqual(heap.live, 0)

    def test_objects_that_live_to_the_end_are_destroyed_in_order(self):
        run_child("import mgchain as mg\nkept = [mg.Solver([1.0]) for _ in range(5)]\nother = kept[0].clone()\n"
                  "kept.append(kept)\nkept[1].solve()")


class Threads(unittest.TestCase):
    def test_two_threads_in_one_handle_wait_for_each_other(self):
        solver, failures = knapsack(14), []

        def work():
            try:
                for _ in range(3):
                    solved = solver.solve()
                    self.assertEqual(solved.outcome, "optimal")
                    self.assertAlmostEqual(solver.check(solved.x)[0], solved.objective, places=7)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_a_callback_may_not_call_what_calls_it(self):
        solver = small()
        with self.assertRaises(mg.StateError):
            solver.solve(progress=lambda *_a: solver.columns and None, presolve=1)
        self.assertEqual(solver.columns, 2)

    def test_close_waits_for_a_solve(self):
        solver, begun = knapsack(), threading.Event()

        def told(*_arguments):
            begun.set()
            time.sleep(0.05)

        results = []
        thread = threading.Thread(target=lambda: results.append(solver.solve(progress=told, node_limit=5)))
        thread.start()
        begun.wait(30)
        solver.close()
        thread.join()
        self.assertEqual(len(results), 1)

    def test_the_interpreter_goes_on_meanwhile(self):
        solver, ticks, stop = hard(), [], threading.Event()

        def tick():
            while not stop.wait(0.001):
                ticks.append(1)

        thread = threading.Thread(target=tick)
        thread.start()
        try:
            solver.solve(time_limit_s=0.3, gap=0.0)
        finally:
            stop.set()
            thread.join()
        self.assertGreater(len(ticks), 3)

    def test_long_calls_work_after_a_fork(self):
        self.assertIn("optimal optimal", run_child(
            "import os, mgchain as mg\n"
            "def solve():\n    return mg.Solver([1.0], lower=1.5, integer=[0]).solve().outcome\n"
            "first = solve()\nread, write = os.pipe()\n"
            "if os.fork() == 0:\n    os.write(write, solve().encode())\n    os._exit(0)\n"
            "os.wait()\nprint(first, os.read(read, 99).decode())"))

    def test_the_kept_thread_keeps_nothing(self):
        solver = knapsack(10)
        seen = weakref.ref(solver)
        solver.solve()
        del solver
        for _ in range(100):
            gc.collect()
            if seen() is None:
                break
            time.sleep(0.01)
        self.assertIsNone(seen())

    def test_cancel_from_another_thread_ends_one_solve(self):
        solver = knapsack()

        def told(iteration, _objective, _bound):
            if iteration == 1:
                thread = threading.Thread(target=solver.cancel)
                thread.start()
                thread.join()

        self.assertEqual(solver.solve(progress=told, gap=0.0).outcome, "cancelled")
        self.assertEqual(solver.solve(node_limit=3).outcome in ("limit", "optimal"), True)


class Arrays(unittest.TestCase):
    def check(self, x):
        return small().check(x)[0]

    def test_lists_tuples_generators_ranges_and_arrays(self):
        for given in ([1, 2], (1.0, 2.0), range(1, 3), array.array("d", [1, 2]), array.array("f", [1, 2]),
                      array.array("i", [1, 2]),
                      memoryview(array.array("d", [1, 2])), (ctypes.c_double * 2)(1, 2)):
            self.assertEqual(self.check(given), 3.0, repr(given))

    def test_a_strided_view_is_read_by_its_strides(self):
        view = memoryview(array.array("d", [1, 100, 2, 100]))[::2]
        self.assertEqual(self.check(view), 3.0)

    def test_a_view_of_floats_is_converted(self):
        self.assertEqual(self.check(memoryview(array.array("f", [1, 2]))), 3.0)

    def test_what_is_no_number_is_refused(self):
        for bad in ("12", b"12", ["a", "b"], [None, 1.0], [1j, 2.0], 3.0, None, {"a": 1}, memoryview(b"\1" * 16)):
            self.assertRaises((TypeError, ValueError), self.check, bad)

    def test_the_wrong_shape_is_refused(self):
        self.assertRaises(ValueError, self.check, [[1.0, 2.0]])
        self.assertRaises(mg.InvalidArgument, self.check, [1.0, 2.0, 3.0])
        self.assertRaises(ValueError, mg.Solver, [1.0, 2.0], rows=[[1.0, 2.0, 3.0]])
        self.assertRaises(ValueError, mg.Solver, [1.0, 2.0], rows=[[1.0], [1.0, 2.0]])
        self.assertRaises(ValueError, mg.Solver, [1.0, 2.0], upper=[1.0, 2.0, 3.0])

    def test_what_does_not_fit_is_refused(self):
        self.assertRaises(OverflowError, _base.numbers, [-1], code="I")
        self.assertRaises(OverflowError, _base.numbers, [2**32], code="I")
        self.assertRaises(TypeError, _base.numbers, [1.5], code="I")
        self.assertRaises(OverflowError, small().solve, iteration_limit=2**32)
        self.assertRaises(OverflowError, small().solve, iteration_limit=-1)
        self.assertRaises(TypeError, small().solve, iteration_limit=1.5)
        self.assertRaises(TypeError, small().solve, tolerence=1e-6)

    def test_a_suitable_array_is_not_copied(self):
        given = array.array("d", [1.0, 2.0])
        self.assertEqual(ctypes.addressof(_base.numbers(given).pointer.contents), given.buffer_info()[0])

    def test_it_lives_for_the_call(self):
        made = _base.numbers([1.0, 2.0, 3.0])
        gc.collect()
        [array.array("d", [9.0] * 3) for _ in range(100)]
        self.assertEqual(made.pointer[:3], [1.0, 2.0, 3.0])
        pointer = _base.numbers([1.0, 2.0, 3.0]).pointer  # the pointer alone keeps it too
        gc.collect()
        [array.array("d", [9.0] * 3) for _ in range(100)]
        self.assertEqual(pointer[:3], [1.0, 2.0, 3.0])

    def test_room_that_c_fills_is_the_callers_own(self):
        mine = array.array("d", [0.0, 0.0])
        self.assertIs(_base.filled(_base.room(2, mine)), mine)
        self.assertRaises(ValueError, _base.room, 3, mine)
        self.assertRaises(TypeError, _base.room, 2, array.array("f", [0, 0]))
        self.assertRaises(TypeError, _base.room, 2, memoryview(mine).toreadonly())
        self.assertRaises(TypeError, _base.room, 2, memoryview(array.array("d", [0.0] * 4))[::2])


@unittest.skipIf(numpy is None, "without numpy")
class NumpyArrays(unittest.TestCase):
    def check(self, x):
        return small().check(x)[0]

    def test_a_suitable_array_is_not_copied_in_or_out(self):
        given = numpy.array([1.0, 2.0])
        self.assertEqual(ctypes.addressof(_base.numbers(given).pointer.contents), given.ctypes.data)
        made = _base.room(3)
        self.assertEqual(ctypes.addressof(made.pointer.contents), _base.filled(made).ctypes.data)
        self.assertIsInstance(small().solve().x, numpy.ndarray)

    def test_a_read_only_one_is_fine_to_read(self):
        given = numpy.array([1.0, 2.0])
        given.setflags(write=False)
        self.assertEqual(ctypes.addressof(_base.numbers(given).pointer.contents), given.ctypes.data)
        self.assertRaises(TypeError, _base.room, 2, given)

    def test_slices_floats_ints_byte_order_and_columns(self):
        wide = numpy.array([1.0, 100.0, 2.0, 100.0])
        fortran = numpy.asfortranarray(numpy.array([[1.0, 2.0], [3.0, 4.0]]))
        unaligned = numpy.frombuffer(b"\0" + numpy.array([1.0, 2.0]).tobytes(), dtype="u1")[1:].view("f8")
        for given in (wide[::2], numpy.array([1, 2], dtype="float32"), numpy.array([1, 2]),
                      numpy.array([1.0, 2.0], dtype=">f8"),
                      fortran[0], wide[2::-2][::-1], unaligned, numpy.array([True, True]) + [0, 1]):
            self.assertEqual(self.check(given), 3.0, repr(given))
        s = mg.Solver([1.0, 1.0], rows=fortran)
        self.assertEqual([s.coefficient(i, j) for i in (0, 1) for j in (0, 1)], [1.0, 2.0, 3.0, 4.0])

    def test_what_is_no_number_is_refused(self):
        for bad in (numpy.array([1j, 2.0]), numpy.array(["a", "b"]), numpy.array([None, 1.0]),
                    numpy.array([1, 2], dtype="datetime64[s]")):
            self.assertRaises(TypeError, self.check, bad)
        self.assertRaises(OverflowError, _base.numbers, numpy.array([-1]), code="I")
        self.assertRaises(TypeError, _base.numbers, numpy.array([1.0]), code="I")
        self.assertRaises(ValueError, self.check, numpy.array([[1.0, 2.0]]))


class Elements(unittest.TestCase):
    """A callback costs about a microsecond: one for each element would cost more than the solve."""

    @staticmethod
    def asked(scenarios):
        class Nominal(mg.AmbiguitySet):
            calls = 0

            def worst(self, cost):
                self.calls += 1
                return [1.0 / scenarios] * scenarios

        own, ts = Nominal(), mg.TwoStage([1.0 / scenarios] * scenarios)
        x = ts.add_column(mg.FIRST_STAGE, 1.0, 0.0, 100.0)
        for k in range(scenarios):
            sold = ts.add_column(mg.scenario(k), -3.0, 0.0, (10.0, 20.0)[k % 2])
            ts.add_row(mg.scenario(k), {sold: 1.0, x: -1.0}, upper=0.0)
        ts.set_ambiguity(own)
        return ts.solve().objective, own.calls

    def test_a_callback_is_handed_a_whole_vector(self):
        (few, calls), (many, more) = self.asked(4), self.asked(400)
        self.assertAlmostEqual(few, many, 5)
        self.assertLessEqual(more, 2 * calls + 4)


class Texts(unittest.TestCase):
    """The library lends `const char *`; an owned one turned into bytes could never be freed."""

    def test_no_prototype_answers_an_owned_text(self):
        for name, _, _, result, _ in _native.PROTOTYPES:
            if result is ctypes.c_char_p:
                self.assertNotIn("dup", name)  # by the library's rule every returned text is borrowed
            self.assertIsNot(result, ctypes.POINTER(ctypes.c_char), name)

    def test_a_text_with_a_length_is_not_read_to_a_nul(self):
        for struct, field in ((_native.mgc_call, "method"), (_native.mgc_tx_info, "method"),
                              (_native.mgc_receipt_info, "rule"),
                              (_native.mgc_event_info, "name")):
            self.assertIs(_native.callback(struct, field), ctypes.POINTER(ctypes.c_char))
        self.assertIs(_native.mgc_write_fn._argtypes_[1], ctypes.POINTER(ctypes.c_char))

    def test_a_borrowed_text_is_copied_at_once(self):
        solver = mg.Solver()
        solver.add_column(name="first")
        name = solver.column_name(0)
        solver.close()
        self.assertEqual(name, "first")

    def test_a_nul_inside_does_not_cut_the_text(self):
        self.assertRaises(ValueError, mg.Solver().set_name, "a\0b")
        self.assertRaises(TypeError, mg.Solver().set_name, b"a")

    def test_every_character_goes_through(self):
        solver = mg.Solver()
        solver.add_column(name="Größe_电")
        self.assertEqual(solver.column_name(0), "Größe_电")


class Options(unittest.TestCase):
    def test_defaults_are_the_running_librarys(self):
        opts = _base.options(_native.mgc_program_opts, {"gap": None})
        self.assertEqual((opts.struct_size, opts.tolerance, opts.iteration_limit), (ctypes.sizeof(opts), 1e-8, 200))

    def test_every_option_struct_has_its_initialiser(self):
        for name, kind in vars(_native).items():
            if name.endswith("_opts"):
                self.assertEqual(_base.options(kind, {}).struct_size, ctypes.sizeof(kind), name)


class Sanitizer(unittest.TestCase):
    @unittest.skipUnless(SANITIZED, "not under AddressSanitizer")
    def test_it_is_awake(self):
        """A read beyond an array must be found: else a silent sanitizer would look like a clean run."""
        import os
        import subprocess
        from support import child_environment
        text = ("import ctypes, mgchain as mg\nfrom mgchain import _native\ns = mg.Solver([1.0])\nlib = "
                "_native.library()\n"
                "short = (ctypes.c_double * 1)(0.0)\nx = ctypes.c_double()\n"
                "s.add_column(), s.add_column(), s.add_column()\n"
                "lib.mgc_program_check_x(s._handle, short, 4, ctypes.byref(x), ctypes.byref(x))\n")
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True,
                              env=child_environment(PYTHONMALLOC="malloc"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("AddressSanitizer", done.stderr)
