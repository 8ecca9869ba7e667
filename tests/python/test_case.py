# SPDX-License-Identifier: Apache-2.0
"""Case, Model, Plan, State: building, checking, planning; a reference case with a known optimum."""
import errno
import gc
import json
import math
import pathlib
import pickle
import unittest

from support import DATA, Counting, _base, mg, numpy, small_case

INF = float("inf")


class Reference(unittest.TestCase):
    """Optima that another solver found, shipped with the reference cases."""

    @classmethod
    def setUpClass(cls):
        cls.expected = json.loads((DATA / "reference" / "expected.json").read_text())

    def test_one_scenario_relaxed_and_whole(self):
        case = mg.Case.load(DATA / "reference" / "one_scenario.json")
        for relax, name in ((True, "relaxation"), (False, "integer")):
            plan = case.plan(relax=relax)
            wanted = self.expected["one_scenario"][name]["standalone_cost"]
            for member, cost in wanted.items():
                self.assertAlmostEqual(plan.number(member, "cost"), cost, delta=2e-4 * max(1.0, abs(cost)),
                                       msg=f"{name} {member}")
            together = case.plan(relax=relax, together=True)
            wanted = self.expected["one_scenario"][name]["alliance_cost"]
            self.assertAlmostEqual(together.cost, wanted, delta=2e-4 * abs(wanted))

    def test_robust_relaxed(self):
        case = mg.Case.load(DATA / "reference" / "robust_norm1_no_units.json")
        wanted = self.expected["robust_norm1_no_units"]["relaxation"]["standalone_cost"]
        plan = case.plan(relax=True)
        for member, cost in wanted.items():
            self.assertAlmostEqual(plan.number(member, "cost"), cost, delta=1e-5 * max(1.0, abs(cost)))
            worst = plan.probability(member)
            costs = [plan.number(member, "cost", k) for k in range(len(worst))]
            self.assertAlmostEqual(sum(worst), 1.0, places=9)
            self.assertAlmostEqual(plan.number(member, "first_stage_cost") + sum(p * q for p, q in zip(worst, costs)),
                                   cost,
                                   delta=1e-5 * max(1.0, abs(cost)))

    def test_the_exact_program_by_the_solver(self):
        case = mg.Case.load(DATA / "reference" / "one_scenario.json")
        solved = case.model.program("campus").solve(relax=True)
        wanted = self.expected["one_scenario"]["relaxation"]["standalone_cost"]["campus"]
        self.assertAlmostEqual(solved.objective, wanted, delta=1e-5 * abs(wanted))


class Building(unittest.TestCase):
    def test_a_day_by_hand(self):
        # Two hours, 10 kW of demand, 0.1 and 0.3 a kWh, a lossless store of 5 kWh that must end empty: 10 (0.1) + 5
        # (0.1) + 5 (0.3).
        case = mg.Case(2, 1.0, buy_price_per_kwh=[0.1, 0.3], realtime_buy_price_per_kwh=1.0)
        site = case.add_microgrid("home", buy_limit_kw=100)
        site.add_device("load", "all", carrier="electricity", demand_kw=10)
        site.add_device("storage", "battery", carrier="electricity", energy_capacity_kwh=5, max_charge_kw=5,
                        max_discharge_kw=5,
                        initial_energy_kwh=0, final_energy_kwh=0, charge_efficiency=1.0, discharge_efficiency=1.0)
        plan = case.plan()
        self.assertEqual(plan.outcome, "optimal")
        self.assertAlmostEqual(plan.cost, 3.0, places=5)
        self.assertAlmostEqual(plan.series("home", "battery", "charge_kw")[0], 5.0, places=4)
        mine = _base.zeros(2)
        self.assertIs(plan.series("home", "", "buy_kw", out=mine), mine)
        self.assertAlmostEqual(mine[0], 15.0, places=4)

    def test_values_read_back(self):
        case = small_case(2, scenarios=2)
        self.assertEqual((case.periods, case.hours, list(case.microgrids), len(case.links)),
                         (4, 1.0, ["farm", "mill"], 1))
        farm = case["farm"]
        self.assertEqual((farm.get("buy_limit_kw"), farm.scenarios, farm["demand"].get_text("carrier")),
                         (1000.0, 2, "electricity"))
        self.assertAlmostEqual(farm["demand"].get("demand_kw", 1, 2), 144.0)
        self.assertEqual(case.links[0].get("capacity_kw", 3), 200.0)
        self.assertIsNone(farm["roof"].get_text("carrier"))
        farm.probability = [0.25, 0.75]
        self.assertEqual(list(farm.probability), [0.25, 0.75])
        farm.set("buy_limit_kw", None)
        self.assertEqual(farm.get("buy_limit_kw"), INF)
        case.links[0].set("capacity_kw", [1, 2, 3, 4])
        self.assertEqual(case.links[0].get("capacity_kw", 3), 4.0)

    def test_ambiguity_costs(self):
        case = small_case(1, scenarios=2)
        trusting = case.plan().cost
        case["farm"].add_ambiguity("norm1", radius=0.5)
        self.assertTrue(case["farm"].ambiguous)
        careful = case.plan()
        self.assertGreater(careful.cost, trusting + 0.1)
        self.assertAlmostEqual(max(careful.probability("farm")), 0.75, places=4)
        case["farm"].clear_ambiguity()
        case["farm"].add_ambiguity("worst_case")
        self.assertAlmostEqual(max(case.plan().probability("farm")), 1.0, places=4)
        self.assertRaises(TypeError, case["farm"].add_ambiguity, "norm1")
        self.assertRaises(mg.MgcError, case["farm"].add_ambiguity, "norm7", radius=0.1)

    def test_a_linear_device(self):
        case = mg.Case(3, 1.0, buy_price_per_kwh=0.2, realtime_buy_price_per_kwh=0.4)
        site = case.add_microgrid("lab", buy_limit_kw=100)
        site.add_device("load", "all", carrier="electricity", demand_kw=10)
        own = site.add_device("linear", "turbine").add_variable("power", lower=0.0, upper=[1.0, 6.0, 6.0],
                                                                cost_per_kwh=0.1, electricity=1.0)
        own.add_constraint({"power": 1.0, ("power", True): -1.0}, lower=-2.0, upper=2.0)
        self.assertEqual(case.check(), [])
        power = case.plan().series("lab", "turbine", "power")  # cheaper than the grid: 1, then 2 more an hour
        for found, wanted in zip(power, (1.0, 3.0, 5.0)):
            self.assertAlmostEqual(found, wanted, places=4)

    def test_wrong_words_and_values(self):
        case = small_case()
        for bad, error in ((lambda: case["farm"].add_device("solar", "x"), mg.MgcError),
                           (lambda: case["farm"]["roof"].set("availabel_kw", 1), mg.UnknownKey),
                           (lambda: case["farm"]["roof"].set("available_kw", [1, 2]), mg.InvalidArgument),
                           (lambda: case["farm"]["roof"].set("available_kw", -1), mg.InvalidArgument),
                           (lambda: case["farm"]["roof"].set("available_kw", float("nan")), mg.InvalidArgument),
                           (lambda: case["farm"].set("buy_limit_kw", "many"), TypeError),
                           (lambda: case.add_microgrid("farm"), mg.MgcError), (lambda: case["nobody"], KeyError),
                           (lambda: case.add_link("farm", "mill", "water"), mg.MgcError)):
            self.assertRaises(error, bad)
        with self.assertRaises(mg.UnknownKey) as caught:
            case["farm"]["roof"].set("availabel_kw", 1)
        self.assertEqual(caught.exception.hint, "available_kw")

    def test_what_is_not_there_is_the_usual_error(self):
        with self.assertRaises(FileNotFoundError) as caught:
            mg.Case.load("/nowhere/case.yaml")
        self.assertIsInstance(caught.exception, mg.NotFound)
        self.assertEqual(caught.exception.errno, errno.ENOENT)
        again = pickle.loads(pickle.dumps(caught.exception))
        self.assertEqual((type(again), str(again)), (mg.NoSuchFile, str(caught.exception)))
        with self.assertRaisesRegex(TypeError, "did you mean 'time_limit_s'"):
            small_case().plan(time_limit=1)
        with self.assertRaises(TypeError) as refused:
            small_case().solve(reserved1=0)
        self.assertNotIn("reserved", str(refused.exception).split("there are")[1])
        self.assertRaises(TypeError, mg.Case, "four")

    def test_a_check_tells_every_fault(self):
        case = mg.Case(4, 1.0)
        site = case.add_microgrid("a")
        site.add_device("load", "l", carrier="electricity")
        site.add_device("chp", "u")
        faults = case.check()
        self.assertGreaterEqual(len(faults), 3)
        self.assertTrue(any("microgrids/a/devices" in where for _, where, _ in faults))

    def test_the_table_of_parameters(self):
        for scope in ("market", "carbon", "microgrid", "link", "variable",
                      *(t for t in mg.device_types() if t != "linear")):
            found = mg.parameters(scope)
            self.assertTrue(found and all(p.key and p.text for p in found), scope)
        self.assertRaises(mg.UnknownKey, mg.parameters, "kitchen")

    @unittest.skipIf(numpy is None, "without numpy")
    def test_numpy_arrays_and_scalars_are_values(self):
        case = small_case(1)
        case["farm"]["roof"].set("available_kw", numpy.arange(4, dtype="int32"))
        self.assertEqual(case["farm"]["roof"].get("available_kw", 0, 3), 3.0)
        case["farm"].set("buy_limit_kw", numpy.float32(12))
        self.assertEqual(case["farm"].get("buy_limit_kw"), 12.0)
        self.assertIsInstance(case.plan().series("farm", "", "buy_kw"), numpy.ndarray)


class Planning(unittest.TestCase):
    def test_infeasible_says_why(self):
        case = mg.Case(2, 1.0, buy_price_per_kwh=0.1, realtime_buy_price_per_kwh=0.2,
                       unserved_electricity_price_per_kwh=None)
        site = case.add_microgrid("isle", buy_limit_kw=5)
        site.add_device("load", "all", carrier="electricity", demand_kw=[3, 9])
        plan = case.plan()
        self.assertEqual(plan.outcome, "infeasible")
        self.assertFalse(plan.solved)
        self.assertIn("isle", plan.explain())
        self.assertRaises(mg.StateError, plan.series, "isle", "", "buy_kw")

    def test_everything_that_a_plan_tells(self):
        case = small_case(2, scenarios=2)
        plan = case.plan(together=True)
        table = plan.table("farm", 1)
        self.assertIn("demand.served_kw", table)
        self.assertIn("LINK:0.sent_kw", table)
        self.assertAlmostEqual(table["demand.served_kw"][2], 144.0, places=4)  # scenario 1: a fifth more
        for k in range(2):  # what comes in is what goes out, at both sites together (a link without loss)
            for t in range(4):
                rest = sum(sum(sign * plan.series(site, "", quantity, k)[t] for sign, quantity in
                               ((1, "buy_kw"), (-1, "sell_kw"), (1, "realtime_buy_kw"), (-1, "realtime_sell_kw"))) +
                           plan.series(site, "roof", "power_kw", k)[t]
                           + plan.series(site, "demand", "unserved_kw",
                                         k)[t] - plan.series(site, "demand", "demand_kw", k)[t]
                           for site in ("farm", "mill"))
                self.assertAlmostEqual(rest, 0.0, places=3)
        self.assertTrue(math.isfinite(plan.number("farm", "emission_kg")))
        self.assertRaises(mg.UnknownKey, plan.series, "farm", "roof", "powr_kw")
        self.assertRaises(mg.MgcError, plan.series, "farm", "roof", "power_kw", 7)
        self.assertIn("optimal", repr(plan))

    def test_realised_state_window(self):
        case = small_case(2, scenarios=2)
        plan = case.plan()
        realised = plan.realise(case.model.expected())
        self.assertEqual(realised.outcome, "optimal")
        state = realised.state(2, contracts=True)
        self.assertGreater(len(state), 0)
        rest = case.model.window(2, 2)
        rest.apply(state)
        self.assertEqual(rest.plan().outcome, "optimal")
        copy = mg.State(state.entries)
        self.assertEqual([e for e in copy.entries], [e for e in state.entries])

    def test_progress_and_stop(self):
        told = []
        plan = small_case(1).plan(progress=lambda *a: told.append(a) and None)
        self.assertEqual(plan.outcome, "optimal")
        self.assertTrue(all(len(a) == 3 for a in told))

        def broken(*_a):
            raise RuntimeError("mine")

        if told:
            self.assertRaisesRegex(RuntimeError, "mine", small_case(1).plan, progress=broken)


class Files(unittest.TestCase):
    TEXT = "format: mgchain-case-1\nname: x\nperiods: zz\n"

    def test_faults_have_file_line_key_and_hint(self):
        with self.assertRaises(mg.CaseError) as caught:
            mg.Case.from_text(self.TEXT, filename="my.yaml")
        error = caught.exception
        self.assertEqual((error.file, error.name, error.status), ("my.yaml", "MGC_E_CASE", -1300))
        wrong = next(issue for issue in error.issues if issue.path == "periods")
        self.assertEqual((wrong.line, wrong.column, wrong.severity), (3, 10, "error"))
        self.assertTrue(all(issue.hint for issue in error.issues if "missing" in issue.message))
        self.assertIn("my.yaml:3:10", str(error))

    def test_a_file_that_is_not_there(self):
        with self.assertRaises(mg.MgcError) as caught:
            mg.Case.load("/nowhere/case.yaml")
        self.assertIn(caught.exception.name, ("MGC_E_NOT_FOUND", "MGC_E_IO"))
        self.assertIn("/nowhere/case.yaml", str(caught.exception))

    def test_the_builtin_case_and_its_files(self):
        case = mg.Case.builtin()
        self.assertEqual(list(case.microgrids), ["hospital", "campus", "residential"])
        self.assertEqual((case.periods, case.currency, case.issues), (24, "EUR", []))
        self.assertIsNotNone(case.realised)
        self.assertEqual(case.start.tzinfo.utcoffset(None).total_seconds(), 0)
        self.assertEqual(len(case.weights), 3)
        files = mg.builtin_files()
        opened = []

        def give(name):
            opened.append(name)
            return files[pathlib.PurePath(name).name]

        text = next(iter(files.values()))
        again = mg.Case.from_text(text, open=give)
        self.assertTrue(opened)
        self.assertEqual(again.realised["hospital"]["electric-load"].get("demand_kw", 0, 5),
                         case.realised["hospital"]["electric-load"].get("demand_kw", 0, 5))

    def test_a_function_that_opens_files_may_fail(self):
        text = next(iter(mg.builtin_files().values()))

        def absent(name):
            raise FileNotFoundError(name)

        def broken(name):
            raise ZeroDivisionError(name)

        self.assertRaises(mg.CaseError, mg.Case.from_text, text, open=absent)
        self.assertRaises(ZeroDivisionError, mg.Case.from_text, text, open=broken)

    def test_a_json_file(self):
        case = mg.Case.load(DATA / "reference" / "nominal.json", day_shift=1)
        self.assertEqual(case.start.day, 17)

    def test_lent_models_keep_the_case_and_know_when_it_is_closed(self):
        model = mg.Case.builtin().model
        gc.collect()
        self.assertEqual(model.periods, 24)
        case = mg.Case.builtin()
        model, site = case.model, case["hospital"]
        case.close()
        self.assertRaises(mg.StateError, lambda: model.periods)
        self.assertRaises(mg.StateError, site.get, "buy_limit_kw")
        self.assertRaises(mg.StateError, case.plan)

    def test_everything_is_given_back(self):
        heap = Counting()
        case = mg.Case.builtin(context=heap.context())
        site = case["hospital"]["pv"]
        del case, site
        gc.collect()
        self.assertGreater(heap.calls, 100)
        self.assertEqual(heap.live, 0)
        case = small_case(2, 2, context=heap.context())
        plan = case.plan()
        plan.realise(case.model.expected()).state(2)
        result = case.solve()
        result.plan.series("farm", "", "buy_kw"), result.trades, result.record(1).hash
        mg.Agent(case, "farm").poll(0)
        self.assertRaises(mg.MgcError, mg.Case.from_text, self.TEXT, context=heap.context())
        del case, plan, result
        gc.collect()
        self.assertEqual(heap.live, 0)


class Pandas(unittest.TestCase):
    def test_frames_or_a_cure(self):
        plan = small_case(1).plan()
        try:
            import pandas  # noqa: F401
        except ImportError:
            self.assertRaisesRegex(ImportError, "python3-pandas", plan.to_pandas, "farm")
            return
        frame = plan.to_pandas("farm")
        self.assertEqual(len(frame), 4)
        self.assertAlmostEqual(frame["buy_kw"].iloc[0], plan.series("farm", "", "buy_kw")[0])
