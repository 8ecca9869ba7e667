#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mgchain-sim from the outside, as a user meets it: answers, exit codes, files, crashes.

Prints TAP.  Usage: simulator.py MGCHAIN_SIM DATA_FOLDER DOC_FOLDER [--quick] [NAME...]
--quick leaves out the longest parts (for builds with sanitizers).
"""
import filecmp
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

SIM, DATA, DOC = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
QUICK = "--quick" in sys.argv
REFERENCE = DATA / "reference"
EXPECTED = json.loads((REFERENCE / "expected.json").read_text())
tests = []


class Skip(Exception):
    pass


def test(function):
    tests.append(function)
    return function


# Under an emulator everything takes thirty times as long: there on/off decisions are tried on two cases, and what a test shows
# about the ledger alone it shows on a small case.
EMULATED = bool(os.environ.get("MESON_EXE_WRAPPER"))
PATIENCE = 30 if EMULATED else 1


def sim(*words, timeout=300, cwd=None, **options):
    return subprocess.run([SIM, *map(str, words), "--progress=none"], capture_output=True, text=True,
                          timeout=PATIENCE * timeout, cwd=cwd, **options)


def solve(case, *words, wanted=0):
    done = sim("solve", REFERENCE / f"{case}.json", "--json", *words)
    assert done.returncode == wanted, f"{case} {words}: exit {done.returncode}: {done.stderr}"
    return json.loads(done.stdout)


def near(got, want, tolerance, what):
    assert abs(got - want) <= tolerance, f"{what}: {got}, wanted {want} within {tolerance}"


def agrees(result, want, relative):
    """Costs of a result with those of the independent program, as a share of the stand-alone total."""
    size = abs(want["standalone_total"])
    for member, cost in want["standalone_cost"].items():
        near(result["standalone_cost"][member], cost, relative * size, f"standalone_cost {member}")
        near(result["final_cost"][member], want["final_cost"][member], relative * size, f"final_cost {member}")
    near(result["alliance_cost"], want["alliance_cost"], relative * size, "alliance_cost")
    near(sum(result["payment"].values()), 0, 1e-6, "sum of payments")


def cases(quick=QUICK):
    return ["one_scenario", "robust_norm1_no_units"] if quick else list(EXPECTED)


def some_case(folder):
    """Words that name a case for a run of which the ledger matters, not the plan."""
    if not EMULATED:
        return []
    path = pathlib.Path(folder) / "small.yaml"
    if not path.exists():
        assert sim("new", path).returncode == 0
    return [path]


# --- answers ------------------------------------------------------------------------------------------------------


@test
def relaxation_central_is_the_independent_optimum():
    for case in cases():
        agrees(solve(case, "--relax", "--central"), EXPECTED[case]["relaxation"], 1e-6)


@test
def relaxation_by_agents_is_near_it():
    for case in cases():
        result = solve(case, "--relax", "--admm")
        agrees(result, EXPECTED[case]["relaxation"], 1e-4)
        want = EXPECTED[case]["relaxation"]
        assert result["lower_bound"] <= want["alliance_cost"] + 1e-7 * abs(want["standalone_total"]), "the lower bound is above the optimum"


@test
def integer_central_is_the_independent_optimum():
    for case in cases(QUICK or EMULATED):
        result = solve(case, "--central")
        agrees(result, EXPECTED[case]["integer"], 1e-4)


@test
def integer_by_agents_is_near_it_with_a_true_bound():
    for case in cases(QUICK or EMULATED):
        result, want = solve(case, "--admm"), EXPECTED[case]["integer"]
        agrees(result, want, 1e-3)
        # The reference itself is optimal within 1e-5 of its own cost.
        slack = 1.1e-5 * abs(want["alliance_cost"])
        assert result["lower_bound"] <= want["alliance_cost"] + slack, f"{case}: bound {result['lower_bound']} above {want['alliance_cost']}"


@test
def alone_is_the_first_step_of_together():
    result, want = solve("one_scenario", "--alone"), EXPECTED["one_scenario"]["integer"]
    for member, cost in want["standalone_cost"].items():
        near(result["standalone_cost"][member], cost, 1e-4 * abs(want["standalone_total"]), member)


def outside_optimum(tool, mps, folder):
    path = shutil.which(tool)
    if path is None:
        raise Skip(f"{tool} is not installed")
    solution = folder / "solution.txt"
    if tool == "clp":
        command = [path, str(mps), "-solve", "-quit"]
    else:
        command = [path, str(mps), "ratio", "1e-6", "seconds", "120", "solve", "quit"]
    text = subprocess.run(command, capture_output=True, text=True, timeout=200 * PATIENCE, cwd=folder).stdout
    marks = {"clp": "Optimal objective", "cbc": "Objective value:"}
    for line in text.splitlines():
        if marks[tool] in line:
            return float(line.split(marks[tool])[1].split()[0])
    raise AssertionError(f"{tool} found nothing: {text[-500:]}\n{solution}")


@test
def exported_program_has_the_same_optimum_elsewhere():
    for case, tool in (("robust_norm1_no_units", "clp"), ("one_scenario", "cbc")):
        with tempfile.TemporaryDirectory() as folder:
            mps = pathlib.Path(folder) / "case.mps"
            done = sim("export", REFERENCE / f"{case}.json", "--mps", mps)
            assert done.returncode == 0, done.stderr
            want = EXPECTED[case]["integer"]
            near(outside_optimum(tool, mps, pathlib.Path(folder)), want["alliance_cost"], 2e-5 * abs(want["standalone_total"]), f"{case} by {tool}")


@test
def exported_microgrid_is_its_stand_alone_program():
    with tempfile.TemporaryDirectory() as folder:
        mps = pathlib.Path(folder) / "hospital.mps"
        done = sim("export", REFERENCE / "one_scenario.json", "--mps", mps, "--microgrid", "hospital")
        assert done.returncode == 0, done.stderr
        want = EXPECTED["one_scenario"]["integer"]["standalone_cost"]["hospital"]
        near(outside_optimum("cbc", mps, pathlib.Path(folder)), want, 2e-5 * abs(want), "hospital by cbc")
        ours = sim("program", mps, "--json")
        assert ours.returncode == 0, ours.stderr
        near(json.loads(ours.stdout)["objective"], want, 1.2e-4 * abs(want), "hospital by mgchain-sim program")


# --- programs from files ---------------------------------------------------------------------------------------------

PROGRAM = """NAME TEST
ROWS
 N COST
 L LIMIT
COLUMNS
 X COST -1 LIMIT 1
 Y COST -2 LIMIT 1
RHS
 RHS LIMIT 4
BOUNDS
 UP BND Y {upper}
ENDATA
"""


def program(text, *words, suffix=".mps"):
    with tempfile.NamedTemporaryFile("w", suffix=suffix) as file:
        file.write(text)
        file.flush()
        return sim("program", file.name, *words)


@test
def program_solves_and_speaks_json():
    done = program(PROGRAM.format(upper=3), "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0 and found["status"] == "optimal", done
    near(found["objective"], -7, 1e-6, "objective")
    near(found["bound"], -7, 1e-5, "bound")
    assert {"iterations", "seconds", "primal_residual", "dual_residual"} <= set(found)


@test
def program_says_infeasible_and_unbounded():
    done = program(PROGRAM.format(upper=3).replace("LIMIT 4", "LIMIT -4"), "--json")
    assert done.returncode == 4 and json.loads(done.stdout)["status"] == "infeasible", done
    done = program(PROGRAM.format(upper=3).replace(" X COST -1 LIMIT 1", " X COST -1 LIMIT -1"), "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 4 and found["status"] == "unbounded" and found["objective"] is None and found["bound"] is None, done


@test
def program_maximises_and_writes_again():
    """The largest in the file's own sense; written again, free, fixed and packed, it is the same program."""
    text = PROGRAM.format(upper=3).replace("ROWS", "OBJSENSE\n    MAX\nROWS", 1).replace("COST -", "COST ")
    found = json.loads(program(text, "--json").stdout)
    assert found["sense"] == "max", found
    near(found["objective"], 7, 1e-6, "objective")
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "source.mps"
        source.write_text(text)
        for name, words in (("free.mps", []), ("fixed.mps", ["--fixed"]), ("packed.mps.gz", []), ("both.mps.gz", ["--fixed"])):
            done = sim("program", source, "--mps", pathlib.Path(folder) / name, *words)
            assert done.returncode == 0 and "negated" in done.stdout, done
            packed = (pathlib.Path(folder) / name).read_bytes()[:2] == b"\x1f\x8b"
            assert packed == name.endswith(".gz"), name
            again = json.loads(sim("program", pathlib.Path(folder) / name, "--json").stdout)
            assert again["sense"] == "min", again
            near(again["objective"], -7, 1e-6, name)
        done = sim("program", source, "--mps", pathlib.Path(folder) / "none" / "x.mps")
        assert done.returncode == 6, done


@test
def program_names_the_line_of_a_fault():
    done = program(PROGRAM.format(upper="3x"))
    assert done.returncode == 3 and ":11:" in done.stderr, done.stderr
    done = sim("program", "/nonexistent/file.mps")
    assert done.returncode == 6, done


@test
def stochastic_agrees_with_the_published_optima():
    """LandS (Louveaux and Smeers 1988) with and without ambiguity."""
    published = os.environ.get("MGC_TEST_PUBLISHED")
    if not published:
        raise Skip("MGC_TEST_PUBLISHED is not set: the programs may not be shipped")
    smps = pathlib.Path(published) / "problems" / "smps"
    files = [smps / f"lands.{kind}" for kind in ("cor", "tim", "sto")]
    for words, want in (([], 381.853333), (["--norm1", "0.1"], 390.6), (["--norm1", "0.2", "--norm-inf", "0.08"], 395.848), (["--norm1", "2"], 469.333333),
                        (["--wasserstein", "0.5"], 404.353333), (["--kl", "0.1"], 411.917287), (["--chi2", "0.1"], 403.281798),
                        (["--worst-case", "--method", "ccg"], 469.333333), (["--cvar", "0", "--method", "direct"], 381.853333)):
        done = sim("stochastic", *files, *words, "--json")
        assert done.returncode == 0, done.stderr
        near(json.loads(done.stdout)["objective"], want, 1e-5 * want, f"LandS {words}")


# --- bad input: file, line, key, cure; exit 3; nothing written -----------------------------------------------------------

CASE = """format: mgchain-case-1
name: two
currency: EUR
start: 2019-07-16T00:00:00Z
period_minutes: 60
periods: 4
market:
  buy_price_per_kwh: [0.2, 0.2, 0.3, 0.3]
  sell_price_per_kwh: 0.05
  realtime_buy_price_per_kwh: 0.4
  realtime_sell_price_per_kwh: 0.02
  gas_price_per_kwh: 0.045
  heat_price_per_kwh: 0.09
  unserved_electricity_price_per_kwh: 10
  unserved_heat_price_per_kwh: 5
  grid_emission_kg_per_kwh: 0.4
  gas_emission_kg_per_kwh: 0.202
  carbon: {price_per_kg: 0.08, reward_price_per_kg: 0.06, tier_width_kg: 2000, tier_growth: 0.25, tiers: 4}
microgrids:
  - id: farm
    grid: {buy_limit_kw: 600, sell_limit_kw: 300, heat_buy_limit_kw: 500}
    carbon_quota_kg: 100
    devices:
      - {type: load, id: barn, carrier: electricity, demand_kw: [100, 120, 110, 90]}
      - {type: pv, id: roof, available_kw: [0, 200, 300, 50]}
      - {type: storage, id: battery, carrier: electricity, energy_capacity_kwh: 200, initial_energy_kwh: 100, max_charge_kw: 50, max_discharge_kw: 50}
  - id: shop
    grid: {buy_limit_kw: 600, sell_limit_kw: 300, heat_buy_limit_kw: 500}
    carbon_quota_kg: 100
    devices:
      - {type: load, id: fridge, carrier: electricity, demand_kw: 80}
links:
  - {between: [farm, shop], carrier: electricity, capacity_kw: 100, loss: 0.02, fee_per_kwh: 0.006}
bargaining: {weights: equal}
"""

# what to replace, by what, line of the message, words that it must hold
FAULTS = [
    ("gas_price_per_kwh: 0.045", "gas_price_per_kwh: .nan", 12, ["gas_price_per_kwh"]),
    ("gas_price_per_kwh: 0.045", "gas_prise_per_kwh: 0.045", 12, ["gas_prise_per_kwh", "gas_price_per_kwh"]),
    ("[0.2, 0.2, 0.3, 0.3]", "[0.2, 0.2, 0.3]", 8, ["buy_price_per_kwh", "3", "4"]),
    ("type: pv", "type: pw", 25, ["pw", "pv"]),
    ("sell_price_per_kwh: 0.05", "sell_price_per_kwh: 0.25", 9, ["sell_price_per_kwh"]),
    ("reward_price_per_kg: 0.06", "reward_price_per_kg: 0.09", 18, ["reward_price_per_kg"]),
    ("realtime_sell_price_per_kwh: 0.02", "realtime_sell_price_per_kwh: 0.5", 11, ["realtime_sell_price_per_kwh"]),
    ("between: [farm, shop]", "between: [farm, shap]", 33, ["shap", "shop"]),
    ("id: shop", "id: farm", 27, ["farm"]),
    ("periods: 4", "periods: four", 6, ["periods"]),
    ("initial_energy_kwh: 100", "initial_energy_kwh: 300", 26, ["initial_energy_kwh"]),
    ("loss: 0.02", "loss: 1.02", 33, ["loss"]),
    ("start: 2019-07-16T00:00:00Z", "start: 2019-02-30T00:00:00Z", 4, ["start"]),
    ("weights: equal", "weights: equals", 34, ["equals", "equal"]),
    ("demand_kw: 80", "demand_kw: {csv: missing.csv, column: x}", 31, ["missing.csv"]),
    ("currency: EUR", "currency: EUR\nname: again", 4, ["name"]),
    ("demand_kw: 80", "demand_kw: -80", 31, ["demand_kw"]),
]


@test
def bad_input_is_named_by_line_and_key():
    for old, new, line, words in FAULTS:
        assert old in CASE, old
        with tempfile.TemporaryDirectory() as folder:
            case, out = pathlib.Path(folder) / "case.yaml", pathlib.Path(folder) / "out"
            case.write_text(CASE.replace(old, new, 1))
            done = sim("run", case, "--out", out)
            text = f"{new}: exit {done.returncode}: {done.stderr}"
            assert done.returncode == 3, text
            lines = [message for message in done.stderr.splitlines() if f"case.yaml:{line}:" in message]
            assert lines and all(any(word in message for message in lines) for word in words), f"line {line}, {words}: {text}"
            assert not out.exists(), f"{new}: something was written"


@test
def all_faults_are_told_at_once():
    text = CASE
    for old, new, _, _ in FAULTS[1:5]:
        text = text.replace(old, new, 1)
    with tempfile.TemporaryDirectory() as folder:
        case = pathlib.Path(folder) / "case.yaml"
        case.write_text(text)
        done = sim("check", case)
        assert done.returncode == 3, done
        for line in (8, 12, 25):
            assert f"case.yaml:{line}:" in done.stderr, done.stderr


@test
def a_good_case_checks_and_solves():
    with tempfile.TemporaryDirectory() as folder:
        case = pathlib.Path(folder) / "case.yaml"
        for text in (CASE, CASE.replace("\n", "\r\n"), "\ufeff" + CASE):
            case.write_bytes(text.encode())
            done = sim("check", case)
            assert done.returncode == 0 and "2 microgrids" in done.stdout, done
            done = sim("solve", case, "--json")
            assert done.returncode == 0 and json.loads(done.stdout)["surplus"] > 1, done


@test
def an_infeasible_day_is_explained():
    with tempfile.TemporaryDirectory() as folder:
        case = pathlib.Path(folder) / "case.yaml"
        # More must be in the battery at the end than can be charged in time.
        case.write_text(CASE.replace("initial_energy_kwh: 100,", "initial_energy_kwh: 0, final_energy_kwh: 200, charge_efficiency: 0.9,")
                        .replace("max_charge_kw: 50", "max_charge_kw: 20"))
        done = sim("solve", case)
        assert done.returncode == 4, done
        assert "farm" in done.stderr and "kw" in done.stderr.lower(), done.stderr


@test
def a_cost_without_end_is_an_answer():
    """Not a failure of the program: exit code 4, and whose device it is."""
    with tempfile.TemporaryDirectory() as folder:
        case = pathlib.Path(folder) / "case.yaml"
        case.write_text("format: mgchain-case-1\nstart: 2019-07-16T00:00:00Z\nperiod_minutes: 60\nperiods: 3\n"
                        "market: {buy_price_per_kwh: 0.2, realtime_buy_price_per_kwh: 0.5}\nmicrogrids:\n"
                        "  - {id: mill, devices: [{type: linear, id: x, variables: {p: {upper: null, electricity: 1, cost_per_kwh: -1}}}]}\n"
                        "  - {id: dairy, devices: [{type: load, id: l, carrier: electricity, demand_kw: 4}]}\n"
                        "links: [{between: [mill, dairy], carrier: electricity, capacity_kw: 4}]\n")
        for words in (["solve", case], ["solve", case, "--pool"], ["run", case, "--out", folder]):
            done = sim(*words)
            assert done.returncode == 4 and "the cost of mill falls without end" in done.stderr, (words, done)
        for words in ([], ["--central"], ["--alone"]):
            done = sim("solve", case, "--json", *words)
            assert done.returncode == 4 and json.loads(done.stdout)["status"] == "unbounded", (words, done)


@test
def a_ledger_begins_where_a_period_does():
    with tempfile.TemporaryDirectory() as folder:
        case = pathlib.Path(folder) / "case.yaml"
        case.write_text(CASE.replace("T00:00:00Z", "T00:30:00Z"))
        assert sim("solve", case).returncode == 0
        done = sim("run", case, "--out", pathlib.Path(folder) / "out")
        assert done.returncode == 3 and "case.yaml: start: " in done.stderr and not (pathlib.Path(folder) / "out").exists(), done


# --- too little time, too little room ------------------------------------------------------------------------------------


@test
def too_little_time_is_a_limit_and_no_fault():
    with tempfile.TemporaryDirectory() as folder:
        case = pathlib.Path(folder) / "case.yaml"
        assert sim("new", case).returncode == 0
        for words in (["solve", case], ["solve", case, "--central"], ["solve", case, "--alone"], ["run", case], ["run", case, "--days", "2"]):
            done = sim(*words, "--time-limit", "0.001", cwd=folder)
            assert done.returncode == 5 and "within the time limit" in done.stderr and "inf" not in done.stdout, (words, done)
        told = json.loads(sim("solve", case, "--json", "--time-limit", "0.001").stdout)
        assert told["status"] == "limit" and told["alliance_cost"] is None, told
        for limit in ("0.05", "0.1", "0.2"):  # what is agreed in a hurry is a plan: the checks of run hold
            done = sim("run", case, "--time-limit", limit, cwd=folder)
            assert done.returncode in (0, 5) and "FAIL" not in done.stdout and "inf" not in done.stdout, done


@test
def a_full_disk_is_named_with_its_file():
    import resource
    with tempfile.TemporaryDirectory() as folder:
        case = pathlib.Path(folder) / "case.yaml"
        assert sim("new", case).returncode == 0
        full = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
                "restore_signals": False, "cwd": folder}  # files end there; SIGXFSZ stays ignored, as Python has it
        done = sim("run", case, **full)
        assert done.returncode == 6 and "mgchain-out/ledger/journal-00000000.mgj: cannot be written: the file would be too large" in done.stderr, done
        for words in (["run", case, "--out", case], ["run", case, "--out", f"{case}/deeper"], ["evaluate", "--out", case]):
            done = sim(*words, cwd=folder)
            assert done.returncode == 6 and "case.yaml" in done.stderr and "Not a directory" in done.stderr, done
        done = sim("ledger", "verify", f"{folder}/none")
        assert done.returncode == 6 and "it is not there" in done.stderr, done


@test
def an_evaluation_keeps_the_days_it_walked():
    with tempfile.TemporaryDirectory() as folder:
        done = sim("evaluate", "--days", "20", "--relax", "--time-limit", "0.01", "--out", "out", cwd=folder, timeout=600)
        assert done.returncode == 5 and "after 1 of 20 days" in done.stderr and done.stdout.startswith("1 day from"), done
        told = json.loads((pathlib.Path(folder) / "out/evaluation.json").read_text())
        assert len(told["days"]) == 1 and all(len(plan["cost"]) == 1 and plan["cost"][0] > 0 for plan in told["plans"].values()), told


# --- usage ---------------------------------------------------------------------------------------------------------------


@test
def misuse_is_told_with_the_nearest_word():
    for words, text in ((["sovle"], "solve"), (["solve"], "missing"), (["solve", "x.yaml", "--jsn"], "json"), (["check", "a", "b"], "too many"),
                        (["run", "--days", "0"], "days"), (["run", "--days", "x"], "--days: 'x' is not a whole number"), (["check", "x", "--relax"], "relax"), ([], "mgchain-sim"),
                        (["run", "--progress=lai"], "auto, plain, json"), (["run", "--progress="], "auto"), (["check", "x", "-v"], "unknown option '-v'")):
        done = subprocess.run([SIM, *words], capture_output=True, text=True, timeout=60 * PATIENCE)
        assert done.returncode == 2 and text in done.stderr, (words, done)
    assert sim("check", "/nonexistent.yaml").returncode == 6
    with tempfile.TemporaryDirectory() as folder:
        for words in (("verify", folder), ("query", folder, "trades"), ("export", folder, "--out", "x"), ("proof", folder, "block", "chain=main", "height=1")):
            done = sim("ledger", *words, cwd=folder)
            assert done.returncode == 6 and "there is no ledger here" in done.stderr, done
        assert not os.listdir(folder)
    assert sim("export", REFERENCE / "one_scenario.json", "--mps", "/nonexistent/x.mps").returncode == 6
    assert sim("export", REFERENCE / "one_scenario.json", "--mps", "/nonexistent/x.mps", "--microgrid", "hospitol").returncode == 3
    assert subprocess.run([SIM, "--help"], capture_output=True, timeout=60 * PATIENCE).returncode == 0
    if pathlib.Path("/dev/full").exists():
        for words in (["--help"], ["--version"], ["keys"]):
            assert subprocess.run(f"'{SIM}' {' '.join(words)} >/dev/full 2>&1", shell=True, timeout=60 * PATIENCE).returncode == 6, words


@test
def the_documented_keys_are_those_of_the_table():
    text = (DOC / "case-files.md").read_text()
    part = text.split("<!-- begin of mgchain-sim keys -->\n")[1].split("<!-- end of mgchain-sim keys -->")[0]
    assert part == sim("keys").stdout, "doc/case-files.md is old: put the output of 'mgchain-sim keys' between its two marks"


@test
def doctor_finds_everything_in_order():
    with tempfile.TemporaryDirectory() as folder:
        done = sim("doctor", cwd=folder)
        assert done.returncode == 0 and done.stdout.count("works") >= 4, done
        assert not os.listdir(folder)


@test
def plans_are_held_against_the_days_that_came():
    with tempfile.TemporaryDirectory() as folder:
        done = sim("evaluate", "--days", "2", "--relax", "--out", "out", "--json", cwd=folder)
        assert done.returncode == 0, done
        got = json.loads(done.stdout)
        assert got == json.loads((pathlib.Path(folder) / "out" / "evaluation.json").read_text())
        assert len(got["days"]) == 2 and got["days"][0] < got["days"][1]
        plans = got["plans"]
        for plan in plans.values():
            for day in range(2):
                assert plan["cost"][day] >= got["hindsight"][day] * (1 - 1e-6), "no plan beats knowing the day"
                assert plan["unserved_kwh"][day] >= 0 and plan["emission_kg"][day] > 0
        for day in range(2):  # a larger set promises no less
            promises = [plans[k]["promise"][day] for k in ("stochastic", "distributionally robust", "robust")]
            assert promises[0] < promises[1] < promises[2], promises
        rules = {rule["rule"]: rule for rule in got["rules"]}
        assert rules["norm1 weissman"]["measured"] > 0.95 and rules["norm_inf zhao_guan"]["measured"] < 0.2
        for name in ("norm1 bootstrap", "norm_inf bootstrap"):  # less than promised: asymptotic
            assert 0.6 < rules[name]["measured"] < 0.99 and 0 < rules[name]["radius"] < rules[name.replace("bootstrap", "weissman" if "1" in name else "hoeffding")]["radius"], rules[name]
        page = (pathlib.Path(folder) / "out" / "evaluation.html").read_text()
        assert page.count("<svg") == 5 and "src=" not in page and "<script" not in page
    with tempfile.TemporaryDirectory() as folder:
        done = sim("evaluate", pathlib.Path(DATA).resolve() / "reference" / "one_scenario.json", "--days", "2", cwd=folder)
        assert done.returncode == 3 and "uncertainty" in done.stderr, done
        assert not os.path.exists(os.path.join(folder, "mgchain-out", "evaluation.html"))


@test
def a_new_case_is_sound_and_runs():
    with tempfile.TemporaryDirectory() as folder:
        done = sim("new", "mine.yaml", cwd=folder)
        assert done.returncode == 0 and "mine.yaml" in done.stdout, done
        text = (pathlib.Path(folder) / "mine.yaml").read_text()
        assert text.count("#") > 10, "without comments"
        assert sim("check", "mine.yaml", cwd=folder).returncode == 0
        central = sim("solve", "mine.yaml", "--central", "--json", cwd=folder)
        assert central.returncode == 0, central.stderr
        day = sim("run", "mine.yaml", "--json", cwd=folder)
        assert day.returncode == 0, day.stderr
        want, got = json.loads(central.stdout), json.loads(day.stdout)
        near(got["alliance_cost"], want["alliance_cost"], 1e-3 * sum(map(abs, want["standalone_cost"].values())), "agents against one program")
        pooled = sim("run", "mine.yaml", "--pool", "--out", "pooled", "--progress=none", cwd=folder)
        assert pooled.returncode == 0 and pooled.stderr == "", pooled.stderr
        staged = sim("run", "mine.yaml", "--incident", "dishonest-meter,default,dispute", "--out", "staged", cwd=folder)
        assert staged.returncode == 0, staged.stdout + staged.stderr
        again = sim("new", "mine.yaml", cwd=folder)
        assert again.returncode == 6 and "another name" in again.stderr, again
        assert (pathlib.Path(folder) / "mine.yaml").read_text() == text, "the user's file was written over"


@test
def a_case_without_devices_is_an_empty_day():
    with tempfile.TemporaryDirectory() as folder:
        head = ("format: mgchain-case-1\nname: empty\ncurrency: EUR\nstart: 2024-06-11T00:00:00Z\nperiod_minutes: 60\nperiods: 3\n"
                "market: {buy_price_per_kwh: 0.2, sell_price_per_kwh: 0.06, realtime_buy_price_per_kwh: 0.4}\n")
        (pathlib.Path(folder) / "case.yaml").write_text(head + "microgrids:\n  - {id: farm}\n  - {id: mill, devices: []}\n")
        checked = sim("check", "case.yaml", cwd=folder)
        assert checked.returncode == 0 and checked.stdout.count("1 scenario: no devices") == 2, checked
        done = sim("run", "case.yaml", "--json", cwd=folder)
        assert done.returncode == 0, done
        result = json.loads(done.stdout)
        assert result["alliance_cost"] == 0 and not result["trades"] and all(check["ok"] for check in result["checks"]), result["checks"]


def on_terminal(command, environment, stream="stdout", case=None):
    """What a terminal is shown on one of the streams."""
    import pty

    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = pty.openpty()
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: theirs}
        child = subprocess.Popen([SIM, command, str((case or REFERENCE / "one_scenario.json").resolve()), *environment.pop("words", [])], **streams,
                                 cwd=folder, env={**os.environ, "TERM": "xterm", **environment})
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            seen += part
        os.close(ours)
        assert child.wait(timeout=300 * PATIENCE) == 0
        return seen


@test
def colours_only_for_eyes_that_want_them():
    assert b"\033[32mok" in on_terminal("run", {"NO_COLOR": "", "words": ["--progress=none"]})
    plain = on_terminal("run", {"NO_COLOR": "1", "words": ["--progress=none"]})
    assert b"\033" not in plain and b"ok " in plain


@test
def a_bar_only_where_a_terminal_can_draw_it():
    with tempfile.TemporaryDirectory() as folder:
        many = pathlib.Path(folder) / "thirty.json"  # long enough for a bar to be drawn again on any machine
        community = pathlib.Path(__file__).parent.parent / "bargain" / "community.py"
        many.write_text(subprocess.run([sys.executable, community, "30"], capture_output=True, text=True, check=True).stdout, encoding="utf-8")
        bar, ascii_bar = (on_terminal("solve", {"LC_ALL": locale}, "stderr", many) for locale in ("C.UTF-8", "C"))
    assert b"\033[K" in bar and "░".encode() in bar and "round" in bar.decode()
    assert b"\033[K" in ascii_bar and ascii_bar.isascii() and b"..." in ascii_bar
    for environment in ({"TERM": "dumb"}, {"words": ["--progress=plain"]}):
        lines = on_terminal("solve", environment, "stderr")
        assert b"\033" not in lines and lines.isascii() and b"relaxed" in lines, lines
    assert on_terminal("solve", {"words": ["--progress", "none"]}, "stderr") == b""


# --- the day ------------------------------------------------------------------------------------------------------------------

day = {}


def run_day(name):
    if name not in day:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="mgchain-test-"))
        started = time.monotonic()
        words = some_case(folder) if name.endswith("small") else []
        done = sim("run", *words, "--out", "out", "--seed", "7", cwd=folder, timeout=900)
        print(f"# run: {time.monotonic() - started:.1f} s, exit {done.returncode}")
        assert done.returncode == 0, done.stdout + done.stderr
        day[name] = folder / "out", done
    return day[name]


@test
def the_built_in_day_runs_in_an_empty_folder():
    out, done = run_day("first")
    for name in ("report.html", "results.json", "trades.csv", "manifest.json", "ledger"):
        assert (out / name).exists(), name
    assert os.listdir(out.parent) == ["out"], "something was written outside the folder"
    assert "FAIL" not in done.stdout and "hospital" in done.stdout, done.stdout
    result = json.loads((out / "results.json").read_text())
    assert result["format"] == "mgchain-result-1" and result["surplus"] > 0
    assert all(check["ok"] for check in result["checks"])
    for member, cost in result["final_cost"].items():
        assert cost <= result["standalone_cost"][member] + 1e-6, member
    near(sum(result["payment"].values()), 0, 1e-6, "payments")
    assert {trade["carrier"] for trade in result["trades"]} == {"electricity", "heat"}


@test
def the_report_needs_nothing_else():
    text = (run_day("first")[0] / "report.html").read_text()
    assert "http" not in text.replace("http-equiv", ""), "the report refers to another place"
    assert "<script" not in text and text.count("<svg") >= 15
    import html.parser

    class Balance(html.parser.HTMLParser):
        open_tags = []

        def handle_starttag(self, tag, attrs):
            if tag in ("svg", "g", "figure", "table", "div", "main", "figcaption"):
                self.open_tags.append(tag)

        def handle_endtag(self, tag):
            if tag in ("svg", "g", "figure", "table", "div", "main", "figcaption"):
                assert self.open_tags and self.open_tags.pop() == tag, f"</{tag}> without its beginning"

    parser = Balance()
    parser.feed(text)
    assert not parser.open_tags, parser.open_tags


@test
def the_report_says_what_the_results_say():
    out = run_day("first")[0]
    text = (out / "report.html").read_text()
    result = json.loads((out / "results.json").read_text())
    pay = text[text.index('id="pay"'):text.index('id="members"')]
    plain = re.sub("<[^>]*>", "", pay).replace("\u2009", "").replace("\u202f", "").replace("\u00a0", "")
    for member, cost in result["final_cost"].items():
        assert f"{member} pays {cost:.2f} EUR for the day" in plain, (member, cost, plain)
        assert f"{result['standalone_cost'][member]:.2f}" in plain
    for place in re.findall(r'href="#([a-z]+)"', text):
        assert f'id="{place}"' in text, f"the contents name {place}, which is not there"
    for figure in ("Electricity, hour by hour", "How the gain is split", "carbon ladder", "What the day may bring", "Weight of the scenarios",
                   "Residuals", "price of robustness", "Column-and-constraint generation", "Agreements", "Transactions", "Trading credit"):
        assert figure in text, figure
    for figure in ("Transactions", "Growth of the ledger", "Trading credit", "Residuals"):
        assert "<summary>numbers" in text[text.index(f"<figcaption>{figure} "):].split("</figure>")[1][:40], f"{figure} has no table behind it"
    credit = text[text.index("<figcaption>Trading credit "):].split("</svg>")[0]
    assert len(re.findall(r">5000</text>", credit)) == len(result["final_cost"]), "columns without their values"
    trusts, planned, fears = (next(c for c in result["caution"] if c["plan"] == p) for p in ("trusts the past", "as planned", "fears the worst"))
    near(trusts["nominal"], trusts["promised"], 1e-5 * trusts["nominal"], "who trusts the past promises what it expects")
    near(fears["worst_scenario"], fears["promised"], 1e-5 * fears["promised"], "who fears the worst promises it")
    assert trusts["nominal"] < planned["nominal"] < fears["nominal"], "caution costs"
    assert trusts["worst_scenario"] > planned["worst_scenario"] > fears["worst_scenario"], "and caution saves"
    bounds = text[text.index("Column-and-constraint generation"):]
    upper, lower = ([float(y) for _, y in re.findall(r"[ML]([0-9.]+) ([0-9.]+)", path)] for path in re.findall(r'<path class="curve"[^>]* d="([^"]*)"', bounds)[:2])
    assert len(lower) >= 2 and lower == sorted(lower, reverse=True), "the lower bound falls: on paper up is less"
    assert upper == sorted(upper), "the upper bound rises"
    near(upper[-1], lower[-1], 3, "the bounds meet, but for a point of the picture")
    near(result["lower_bound"], result["alliance_cost"], 1e-2 * result["alliance_cost"], "bound")


def lab(rgb):
    x, y, z = (sum(a * b for a, b in zip(row, rgb)) / white for row, white in
               (((.4124, .3576, .1805), .9505), ((.2126, .7152, .0722), 1), ((.0193, .1192, .9505), 1.089)))
    f = [v ** (1 / 3) if v > .008856 else 7.787 * v + 16 / 116 for v in (x, y, z)]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


# Machado, Oliveira and Fernandes 2009, severity 1: what eyes without one kind of cone see, in linear light.
EYES = {"all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        "protanopia": ((.152286, 1.052583, -.204868), (.114503, .786281, .099216), (-.003882, -.048116, 1.051998)),
        "deuteranopia": ((.367322, .860646, -.227968), (.280085, .672501, .047413), (-.011820, .042940, .968881)),
        "tritanopia": ((1.255528, -.076749, -.178779), (-.078411, .930809, .147602), (.004733, .691367, .303900))}


def seen(color, eye):
    linear = [int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= .04045 else ((c + .055) / 1.055) ** 2.4 for c in linear]
    return lab([min(1, max(0, sum(a * b for a, b in zip(row, linear)))) for row in EYES[eye]])


@test
def no_two_colours_of_a_figure_look_alike_to_any_eye():
    text = (run_day("first")[0] / "report.html").read_text()
    on_dark = dict(re.findall(r'\[fill="(#[0-9a-f]{6})"\]\{fill:(#[0-9a-f]{6})\}', text))
    compared = look_apart(text, {}) + look_apart(text, on_dark)
    assert on_dark and compared > 200
    page = re.search(r"dark\)\{:root\{[^}]*--page:(#[0-9a-f]{6})", text)[1]
    for color in {c for legend in LEGEND.findall(text) for c, _ in ENTRY.findall(legend)}:
        assert contrast(on_dark.get(color, color), page) > 2.5, f"{color} is swallowed by a dark page"


LEGEND = re.compile(r'<div class="legend">(.*?)</div>')
ENTRY = re.compile(r'style="(?:background|border-color):(#[0-9a-f]{6})"></i>([^<]*)')


def contrast(one, other):
    """WCAG 2.1, relative luminance."""
    darker, lighter = sorted(sum(w * (c / 12.92 if c <= .03928 else ((c + .055) / 1.055) ** 2.4) for w, c in
                                 zip((.2126, .7152, .0722), (int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)))) for color in (one, other))
    return (lighter + .05) / (darker + .05)


def look_apart(text, instead):
    """No two colours of one legend alike, some standing for others; how many pairs were compared."""
    compared = 0
    for legend in LEGEND.findall(text):
        entries = [(instead.get(color, color), name) for color, name in ENTRY.findall(legend)]
        for i, (color, name) in enumerate(entries):
            for other, other_name in entries[:i]:
                if color == other:
                    continue  # one thing, above and below
                for eye in EYES:
                    distance = sum((a - b) ** 2 for a, b in zip(seen(color, eye), seen(other, eye))) ** .5
                    assert distance > 12, f"{name} and {other_name} ({color}, {other}) look alike with {eye}: {distance:.1f}"
                    compared += 1
    return compared


@test
def the_same_seed_gives_the_same_bytes():
    first, second = (run_day(f"{name}, small" if EMULATED else name)[0] for name in ("first", "second"))
    for path in [p.relative_to(first) for p in sorted(first.rglob("*")) if p.is_file() and p.name not in ("manifest.json", "LOCK", "lock")]:
        assert filecmp.cmp(first / path, second / path, shallow=False), f"{path} differs"


@test
def a_flipped_bit_is_found():
    ledger = run_day("first")[0] / "ledger"
    assert sim("ledger", "verify", ledger).returncode == 0
    seeded, tried = random.Random(1), 0
    for path in sorted(p for p in ledger.rglob("*") if p.is_file() and p.stat().st_size > 0):
        good = path.read_bytes()
        places = {0, len(good) - 1, *(seeded.randrange(len(good)) for _ in range(4 if QUICK or EMULATED else 40))}
        for place in sorted(places):
            bad = bytearray(good)
            bad[place] ^= 1 << seeded.randrange(8)
            path.write_bytes(bad)
            done = sim("ledger", "verify", ledger)
            tried += 1
            assert done.returncode == 7, f"{path.name}, byte {place} of {len(good)}: exit {done.returncode}, {done.stdout}"
        path.write_bytes(good)
    assert tried >= 5
    assert sim("ledger", "verify", ledger).returncode == 0


@test
def a_damaged_ledger_is_told_as_far_as_it_is_whole():
    with tempfile.TemporaryDirectory() as folder:
        ledger = pathlib.Path(folder) / "ledger"
        shutil.copytree(run_day("first")[0] / "ledger", ledger)
        whole = sim("ledger", "query", ledger, "blocks").stdout.splitlines()
        journal = max((p for p in ledger.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
        data = bytearray(journal.read_bytes())
        data[len(data) * 9 // 10] ^= 1
        journal.write_bytes(data)
        done = sim("ledger", "query", ledger, "blocks")
        rows = done.stdout.splitlines()
        assert done.returncode == 7 and "before the damage" in done.stderr, done.stderr
        assert 2 < len(rows) < len(whole) and set(rows) <= set(whole), f"{len(rows)} rows of {len(whole)}"
        done = sim("ledger", "proof", ledger, "block", "chain=trading", "height=1")
        assert done.returncode == 7 and "before the damage" in done.stderr, done.stdout + done.stderr


@test
def a_damaged_ledger_is_mended_out_of_another_one():
    with tempfile.TemporaryDirectory() as folder:
        whole, ledger = run_day("first")[0] / "ledger", pathlib.Path(folder) / "ledger"
        shutil.copytree(whole, ledger)
        journal = max((p for p in ledger.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
        data = journal.read_bytes()
        for at, n in ((len(data) // 2, 1), (len(data) * 2 // 3, 512)):
            journal.write_bytes(data[:at] + bytes(255 - b for b in data[at:at + n]) + data[at + n:])
            assert sim("ledger", "verify", ledger).returncode == 7
            done = sim("ledger", "mend", ledger)
            assert done.returncode == 7 and "--from" in done.stderr and journal.name in done.stderr, done.stdout + done.stderr
            done = sim("ledger", "mend", ledger, "--from", whole)
            assert done.returncode == 0 and "whole again" in done.stdout, done.stdout + done.stderr
            assert journal.read_bytes() == data
            assert sim("ledger", "verify", ledger).returncode == 0
        done = sim("ledger", "mend", ledger, "--json")
        assert json.loads(done.stdout) == {"ok": True, "mended": 0, "file": "", "offset": 0, "height": 0}, done.stdout
        assert sim("ledger", "mend", ledger, "--from", folder + "/nowhere").returncode == 6


@test
def a_killed_run_leaves_a_ledger_that_verifies():
    with tempfile.TemporaryDirectory() as folder:
        # Kill while blocks are being written: as soon as the journal is there, then a little later each time.
        for attempt in range(2 if QUICK or EMULATED else 4):
            out = pathlib.Path(folder) / f"out{attempt}"
            process = subprocess.Popen([SIM, "run", *some_case(folder), "--out", out, "--progress=json"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
            for line in process.stderr:
                if '"ledger"' in line and "begin" in line:
                    break
            time.sleep(0.01 + 0.05 * attempt)
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stderr.close()
            done = sim("ledger", "verify", out / "ledger")
            assert done.returncode == 0, f"attempt {attempt}: {done.stdout}{done.stderr}"
            assert not (out / "results.json").exists(), "the run ended before it was killed: the test is too slow"


@test
def interrupting_leaves_no_half_written_file():
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([SIM, "run", *some_case(folder), "--out", "out", "--progress=json"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=folder)
        for line in process.stderr:
            if '"relaxed"' in line:
                break
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.stderr.read()
        process.wait(timeout=60 * PATIENCE)
        assert process.returncode == 130, process.returncode
        assert time.monotonic() - started < (30 if QUICK else 5), "it took too long to stop"
        out = pathlib.Path(folder) / "out"
        names = sorted(p.name for p in out.iterdir()) if out.exists() else []
        assert not any(name.endswith((".tmp", ".part", "~")) for name in names), names
        for path in out.glob("*.json"):
            json.loads(path.read_text())
        kept = json.loads((out / "results.json").read_text())  # the best so far
        assert kept["status"] == "cancelled" and abs(sum(kept["payment"].values())) < 1e-6, kept


@test
def who_names_the_wrong_folder_is_led_to_the_ledger():
    out = run_day("first")[0]
    for words in (("verify", out), ("query", out, "blocks"), ("export", out), ("proof", out, "head")):
        done = sim("ledger", *words)
        assert done.returncode == 6 and f"there is one in {out}/ledger" in done.stderr, f"{words}: {done.returncode}: {done.stderr}"
    with tempfile.TemporaryDirectory() as empty:
        done = sim("ledger", "query", empty, "blocks")
        assert done.returncode == 6 and "there is no ledger here" in done.stderr and "--out" in done.stderr, done.stderr


@test
def a_ledger_answers_by_role_and_page():
    out = run_day("first")[0]
    ledger = out / "ledger"

    def ask(*words, wanted=0):
        done = sim("ledger", "query", ledger, *words)
        assert done.returncode == wanted, f"{words}: exit {done.returncode}: {done.stderr}"
        return done.stdout.splitlines(), done.stderr

    every = ask("trades", "--as", "regulator")[0]
    assert len(every) > 10 and every[0].startswith("id,slot,seller,buyer"), every[:2]
    assert ask("trades")[0] == every[:1], "the public sees agreements"
    member = every[1].split(",")[2]
    manager = next(line.split(",")[3] for line in ask("microgrids")[0] if line.split(",")[1] == member)
    own = ask("trades", "--as", manager)[0]
    assert own == [line for line in every if line.split(",")[2] == member or line.split(",")[3] == member or line is every[0]]
    paged, cursor = [every[0]], []
    while True:
        rows, said = ask("trades", "--as", "regulator", "--limit", "7", *cursor)
        paged += rows[1:]
        if "--cursor" not in said:
            break
        cursor = ["--cursor", said.split("--cursor")[1].strip()]
    assert paged == every, "the pages together are not the whole"
    assert "did you mean 'readings'" in ask("readngs", wanted=2)[1]
    assert " settlement " in ask("nothing-like-it", wanted=2)[1], "what can be asked is not told"
    assert ask("trades", "--limit", "2", "--cursor", "00ff", wanted=2)[1]
    assert "no member" in ask("trades", "--as", "nobody", wanted=2)[1]
    assert "--as MEMBER" in ask("trades")[1] and "--as MEMBER" not in ask("tariffs")[1]
    assert len(ask("totals")[0]) > 1 and len(ask("history", "contract=6", "key=4b", "--as", "regulator")[0]) > 1
    answer = json.loads(sim("ledger", "query", ledger, "blocks", "chain=trading", "--json").stdout)
    assert [int(row["height"]) for row in answer["rows"]] == list(range(1, len(answer["rows"]) + 1))


@test
def proofs_hold_without_the_ledger():
    out = run_day("first")[0]
    ledger = out / "ledger"
    chains = {c["name"]: c["chain_id"] for c in json.loads((out / "results.json").read_text())["ledger"]["chains"]}
    with tempfile.TemporaryDirectory() as folder:
        proof = pathlib.Path(folder) / "proof"
        rows = sim("ledger", "query", ledger, "transactions", "contract=trading").stdout.splitlines()
        tx_id = rows[-1].split(",")[3]
        account = sim("ledger", "query", ledger, "accounts", "--as", "regulator").stdout.splitlines()[1].split(",")[0]
        for words in (("transaction", f"tx_id={tx_id}"), ("receipt", f"tx_id={tx_id}"), ("account", f"id={account}"),
                      ("block", "chain=trading", "height=2")):
            made = sim("ledger", "proof", ledger, *words, "--out", proof)
            assert made.returncode == 0, f"{words}: {made.stderr}"
            good = json.loads(sim("ledger", "verify", proof, "--chain", chains["trading"], "--json").stdout)
            assert good["ok"], f"{words}: {good}"
            assert sim("ledger", "verify", proof, "--chain", chains["scheduling"]).returncode == 7
            gone = sim("ledger", "verify", f"{proof}.gone", "--chain", chains["trading"])
            assert gone.returncode == 6 and "no such file" in gone.stderr, gone.stderr
            bytes_ = proof.read_bytes()
            for at in range(0, len(bytes_), max(1, len(bytes_) // 25)):
                proof.write_bytes(bytes_[:at] + bytes([bytes_[at] ^ 1]) + bytes_[at + 1:])
                assert sim("ledger", "verify", proof, "--chain", chains["trading"]).returncode == 7, f"{words}: a flipped bit at {at} holds"
        assert sim("ledger", "proof", ledger, "transaction", "tx_id=" + "0" * 64).returncode == 2
        assert sim("ledger", "proof", ledger, "transaction").returncode == 2
        done = sim("ledger", "export", ledger, "--out", folder + "/all", "--as", "regulator")
        assert done.returncode == 0, done.stderr
        assert len(list(pathlib.Path(folder, "all").glob("*.csv"))) >= 30
        for words, cure in ((("transaction", "tx_id=12"), "64 hexadecimal digits"), (("account", "id=zz"), "32 hexadecimal digits"),
                            (("block", "chain=none", "height=1"), "no such chain")):
            done = sim("ledger", "proof", ledger, *words)
            assert done.returncode == 2 and cure in done.stderr, done.stderr


@test
def incidents_are_answered_by_the_contracts():
    assert "did you mean 'dispute'" in sim("run", "--incident", "dispote").stderr
    if QUICK:
        raise Skip("long")
    with tempfile.TemporaryDirectory() as folder:
        done = sim("run", "--incident", "dishonest-meter,default,dispute", "--out", "out", cwd=folder, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        out = pathlib.Path(folder) / "out"
        lines = json.loads((out / "results.json").read_text())["incidents"]
        by = {name: [line["answer"] for line in lines if line["incident"] == name] for name in ("dishonest meter", "default", "dispute")}
        assert len(by["dishonest meter"]) == 3 and "MGC_E_DOUBLE_REPORT" in by["dishonest meter"][1] and "accepted" in by["dishonest meter"][2]
        assert len(by["dispute"]) == 3 and all("accepted" in answer for answer in by["dispute"])
        assert len(by["default"]) == 2 and "a debt of" in by["default"][1]
        ledger = out / "ledger"

        def rows(*words):
            text = sim("ledger", "query", ledger, *words, "--as", "regulator").stdout.splitlines()
            return [dict(zip(text[0].split(","), line.split(","))) for line in text[1:]]

        assert [e["name"] for e in rows("events", "name=corrected") + rows("events", "name=disputed")] == ["corrected", "disputed"]
        due = [int(a["balance"]) for a in rows("accounts") if a["kind"] == "2"]
        assert sum(balance < 0 for balance in due) == 1, f"one member owes: {due}"
        assert all(row["state"] == "final" for row in rows("settlement"))
        assert "Incidents" in (out / "report.html").read_text()
        assert sim("ledger", "verify", ledger).returncode == 0
        # what a case gives no occasion for is said, and nothing else fails for it
        done = sim("run", (REFERENCE / "one_scenario.json").resolve(), "--incident", "default,dispute", "--out", "none", cwd=folder, timeout=600)
        assert done.returncode == 0 and 'the incident "default" was not staged' in done.stderr, done.stdout + done.stderr
        lines = json.loads((pathlib.Path(folder) / "none" / "results.json").read_text())["incidents"]
        assert [line["answer"] for line in lines if line["incident"] == "default"] == ["not staged"]


@test
def a_day_may_be_robust_against_sets_that_no_one_program_knows():
    with tempfile.TemporaryDirectory() as folder:
        case, old = pathlib.Path(folder) / "case.yaml", "norm1: {confidence: 0.9}"
        assert sim("new", case).returncode == 0
        text = case.read_text()
        assert text.count(old) == 2
        case.write_text(text.replace(old, "kl: {radius: 0.05}", 1).replace(old, "chi2: {radius: 0.1}"))
        done = sim("run", case, "--out", "out", cwd=folder, timeout=600)
        assert done.returncode == 0 and "one program" not in done.stdout, done.stdout + done.stderr
        checks = json.loads((pathlib.Path(folder) / "out" / "results.json").read_text())["checks"]
        assert len(checks) > 10 and all(check["ok"] for check in checks)


@test
def of_several_days_the_last_one_has_the_debt_and_the_dispute():
    if QUICK:
        raise Skip("long")
    with tempfile.TemporaryDirectory() as folder:
        done = sim("run", *some_case(folder), "--incident", "dishonest-meter,default,dispute", "--days", "2", "--out", "out", cwd=folder, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        out = pathlib.Path(folder) / "out"
        lines = json.loads((out / "day-02" / "results.json").read_text())["incidents"]
        for name in ("default", "dispute"):
            last = [line for line in lines if line["incident"] == name][-1]
            assert "a debt of" in last["answer"] if name == "default" else "accepted" in last["answer"], lines
        assert sim("ledger", "verify", out / "ledger").returncode == 0


@test
def five_members_go_on_without_their_leader():
    assert sim("run", "--incident", "leader-crash").returncode == 2, "one member has nobody to follow"
    assert sim("run", "--members", "17").returncode == 2
    if QUICK:
        raise Skip("long")
    with tempfile.TemporaryDirectory() as folder:
        done = sim("run", *some_case(folder), "--members", "5", "--incident", "leader-crash", "--out", "out", cwd=folder, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        out = pathlib.Path(folder) / "out"
        lines = json.loads((out / "results.json").read_text())["incidents"]
        assert len(lines) == 2 and "orders after" in lines[0]["answer"] and "every block again" in lines[1]["answer"], lines
        stores = [out / "ledger"] + [out / f"ledger.member-{k}" for k in range(2, 6)]
        blocks = [sim("ledger", "query", store, "blocks").stdout for store in stores]
        hashes = [[line.split(",")[5] for line in text.splitlines()] for text in blocks]
        assert len(hashes[0]) > 30 and all(h == hashes[0] for h in hashes), "the members' ledgers differ"
        rows = [line.split(",") for line in blocks[0].splitlines()[1:]]
        assert all(int(row[8]) >= 3 for row in rows), "a block without a quorum's signatures"
        assert len({row[7] for row in rows}) >= 2, "one member ordered everything although it crashed"
        for store in stores:
            assert sim("ledger", "verify", store).returncode == 0, store


@test
def members_bear_partition_low_credit_and_lies():
    assert sim("run", "--members", "3", "--incident", "leader-crash,equivocation").returncode == 2, "two of three may not fail"
    if QUICK:
        raise Skip("long")
    with tempfile.TemporaryDirectory() as folder:
        for incident, words in (("partition", ("cut off", "the smaller one 0")), ("low_credit", ("hands over to member", "is gone")),
                                ("equivocation", ("is convicted", "approve that"))):
            done = sim("run", *some_case(folder), "--members", "5", "--incident", incident, "--out", incident, cwd=folder, timeout=600)
            assert done.returncode == 0, done.stdout + done.stderr
            result = json.loads((pathlib.Path(folder) / incident / "results.json").read_text())
            told = " ".join(line["what"] for line in result["incidents"])
            assert all(word in told for word in words), told
            found = result["ledger"]["consensus"]
            terms = [t["term"] for t in found["terms"]]
            assert terms == sorted(set(terms)), "two leaders in a term"
            report = (pathlib.Path(folder) / incident / "report.html").read_text()
            last = found["terms"][-1]
            assert ">Terms <" in report and f"{last['term']}: member {last['leader']}" in report, "the report lacks the terms"
            credit = found["credit"]
            assert len(credit["members"]) == 5 and all(len(m["node"]) == len(credit["time_ms"]) for m in credit["members"])
            lowest = {m["member"]: min(m["node"]) for m in credit["members"]}
            if incident == "partition":
                assert found["failovers"][0]["why"] == "partition" and 0 < found["failovers"][0]["took_ms"] < 4 * found["election_ms"]
            if incident == "low_credit":
                assert min(lowest.values()) < 3000 and [f["why"] for f in found["failovers"]] == ["hand-over", "hand-over", "crash"]
            if incident == "equivocation":
                liars = [m for m in credit["members"] if m["convicted"][-1]]
                assert len(liars) == 1 and liars[0]["node"][-1] == 0 and liars[0]["standing"][-1] == 4, liars


@test
def two_days_roll_on_one_ledger():
    if QUICK:
        raise Skip("long")
    with tempfile.TemporaryDirectory() as folder:
        done = sim("run", "--days", "2", "--out", "out", cwd=folder, timeout=900)
        assert done.returncode == 0, done.stdout + done.stderr
        out = pathlib.Path(folder) / "out"
        first, second = (json.loads((out / f"day-0{k}" / "results.json").read_text()) for k in (1, 2))
        assert [c["chain_id"] for c in first["ledger"]["chains"]] == [c["chain_id"] for c in second["ledger"]["chains"]] and first["ledger"]["blocks"] <= second["ledger"]["blocks"]
        assert first["trades"] != second["trades"], "the second day is the first once more"
        assert sim("ledger", "verify", out / "ledger").returncode == 0


@test
def a_pool_carries_the_day():
    with tempfile.TemporaryDirectory() as folder:
        one_day = QUICK or EMULATED
        done = sim("run", "--pool", "--out", "out", *([] if one_day else ["--days", "2"]), cwd=folder, timeout=900)
        assert done.returncode == 0, done.stdout + done.stderr
        for day in [pathlib.Path(folder) / "out"] if one_day else sorted((pathlib.Path(folder) / "out").glob("day-*")):
            result = json.loads((day / "results.json").read_text())
            assert all(check["ok"] for check in result["checks"])
            balance = {}
            for trade in result["trades"]:
                assert (trade["from"] == "pool") != (trade["to"] == "pool")
                for t, kw in enumerate(trade["sent_kw"]):
                    key = trade["carrier"], t
                    balance[key] = balance.get(key, 0) + (kw if trade["to"] == "pool" else -kw)
            assert max(map(abs, balance.values())) < 1e-6, "the pool is not in balance"
            for carrier in ("electricity", "heat"):
                prices = [trade["price_per_kwh"] for trade in result["trades"] if trade["carrier"] == carrier]
                assert all(other == prices[0] for other in prices), "there is more than one price"
            assert "through the pool" in (day / "report.html").read_text()
        ledger = pathlib.Path(folder) / "out" / "ledger"
        assert sim("ledger", "verify", ledger).returncode == 0
        rows = json.loads(sim("ledger", "query", ledger, "settlement", "microgrid=pool", "--as", "regulator", "--json").stdout)["rows"]
        assert rows and all(int(row["deviation_wh"]) == 0 for row in rows), rows[:3]


@test
def a_pool_agrees_with_one_program():
    for case in cases():
        agents, one = solve(case, "--relax", "--pool"), solve(case, "--relax", "--pool", "--central")
        size = sum(abs(cost) for cost in one["standalone_cost"].values())
        near(agents["alliance_cost"], one["alliance_cost"], 1e-4 * size, case)
        assert agents["lower_bound"] <= one["alliance_cost"] + 1e-6 * size, case
        links = solve(case, "--relax", "--central")
        assert one["alliance_cost"] <= links["alliance_cost"] + 1e-6 * size, "what links can do, the pool can"


def main():
    wanted = [word for word in sys.argv[4:] if not word.startswith("--")]
    chosen = [t for t in tests if not wanted or t.__name__ in wanted]
    print(f"1..{len(chosen)}")
    failures = 0
    for number, run in enumerate(chosen, 1):
        name = run.__name__.replace("_", " ")
        started = time.monotonic()
        try:
            run()
            print(f"ok {number} {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} {name} # SKIP {reason}", flush=True)
        except Exception:
            failures += 1
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            print(f"not ok {number} {name}", flush=True)
        print(f"# {time.monotonic() - started:.1f} s")
    for folder, _ in day.values():
        shutil.rmtree(folder.parent, ignore_errors=True)
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
