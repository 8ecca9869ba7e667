#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run an example and hold what it prints against an answer that was found another way.

Prints TAP.  Usage: check.py NAME PROGRAM [MGCHAIN_SIM]
"""
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
NUMBER = r"(-?[0-9]+(?:\.[0-9]+)?)"


def numbers(text):
    return [float(x) for x in re.findall(NUMBER, text)]


def near(found, wanted, tolerance, what):
    return [] if abs(found - wanted) <= tolerance else [f"{what}: {found}, not {wanted}"]


def one_microgrid(out, _):
    """Weissman's radius for 60 samples of 3 scenarios moves mass to the dark scenario; the reason names who, when and the cure."""
    first, rest = out.split("outcome infeasible\n")
    cost, bound = map(float, re.search(rf"cost {NUMBER}, at least {NUMBER}", first).groups())
    p = numbers(re.search(r"worst probabilities (.*)", first)[1])
    radius = (2 / 60 * 2.0794415416798357 + 2 / 60 * 2.995732273553991 - 2 / 60 * 0.28768207245178085) ** 0.5  # ln 8, ln 20, ln(8/6)
    faults = [] if first.startswith("outcome optimal\n") and bound <= cost <= bound + 1e-4 * abs(cost) else ["no optimal plan"]
    faults += near(p[2], 0.2 + radius / 2, 1e-3, "mass of the dark scenario") + near(sum(p), 1, 2e-4, "sum of probabilities")
    faults += near(numbers(re.search(r"midnight (.*)", first)[1])[0], 100, 0.05, "energy handed on")
    faults += [f"the reason does not say {word}" for word in ("greenhouse", "short by", "17:00", "raise buy_limit_kw") if word not in rest]
    return faults


def custom_device(out, _):
    """The plan that the example's own comment finds by hand."""
    faults = near(numbers(out.splitlines()[0])[0], 27, 1e-3, "earns")
    for line, p in zip(out.splitlines()[1:], (300, 150, 0, 0, 150, 300)):
        _, _, electricity, gas = numbers(line)
        faults += near(electricity, p, 0.1, line) + near(gas, 0.6 * p, 0.1, line)
    return faults + ([] if len(out.splitlines()) == 7 else ["six periods are wanted"])


def own_ambiguity(out, _):
    """Every purchase from 0 to 250 in steps of 0.1 is tried, with the worst of the set written out."""
    demand, nominal = (60, 80, 100, 120, 200), (0.2, 0.3, 0.3, 0.15, 0.05)

    def cost(b, share):
        q = [0.30 * max(d - b, 0) - 0.02 * max(b - d, 0) for d in demand]
        return 0.10 * b + (1 - share) * sum(p * c for p, c in zip(nominal, q)) + share * max(q)

    faults = []
    for line, share in zip(out.splitlines(), (0, 0.2)):
        buy, found = map(float, re.search(rf"buy {NUMBER}, cost {NUMBER}", line).groups())
        best = min(range(2501), key=lambda b: cost(b / 10, share)) / 10
        faults += near(buy, best, 0.051, line) + near(found, cost(best, share), 1e-3, line)
        faults += [] if "optimal" in line else [line]
    return faults + ([] if numbers(out.splitlines()[2])[0] >= 2 else ["the oracle was not asked"])


def three_agents(out, sim):
    """Against the whole world solved as one program; gains are shared equally, payments sum to zero."""
    rows = {m[1]: [float(x) for x in m.groups()[1:]]
            for m in re.finditer(rf"^(\w+) +alone {NUMBER}, together {NUMBER}, pays {NUMBER}, in all {NUMBER}$", out, re.M)}
    done = subprocess.run([sim, "solve", str(HERE / "three_agents.yaml"), "--central", "--json"], capture_output=True, text=True, check=True)
    whole = json.loads(done.stdout)
    if set(rows) != set(whole["standalone_cost"]):
        return [f"members {sorted(rows)}"]
    scale = sum(whole["standalone_cost"].values())
    faults = near(sum(r[2] for r in rows.values()), 0, 1e-9, "sum of payments")
    faults += near(sum(r[1] for r in rows.values()), whole["alliance_cost"], 2.5e-4 * scale, "cost of the alliance")
    gain = (scale - sum(r[1] for r in rows.values())) / 3
    for name, (alone, together, pays, final) in rows.items():
        faults += near(alone, whole["standalone_cost"][name], 1e-3, name + " alone") + near(final, together + pays, 2e-6, name)
        faults += near(alone - final, gain, 1e-3, "gain of " + name)
        faults += near(final, whole["final_cost"][name], 2.5e-4 * scale, "final cost of " + name)
    return faults


def main():
    name, program = sys.argv[1:3]
    done = subprocess.run([program], capture_output=True, text=True, timeout=100)
    print("1..1")
    if done.returncode == 77:
        print(f"ok 1 {name} # SKIP {done.stdout.strip()}")
        return 0
    try:
        faults = globals()[name](done.stdout, *sys.argv[3:4] or [None])
    except (AttributeError, IndexError, KeyError, ValueError, subprocess.CalledProcessError) as fault:
        faults = [f"not the lines that are wanted: {fault!r}"]
    if done.returncode != 0 or done.stderr:
        faults.append(f"exit {done.returncode}")
    if faults:
        print("\n".join("# " + line for line in (done.stdout + done.stderr).splitlines() + faults))
    print(f"{'not ok' if faults else 'ok'} 1 {name}: {globals()[name].__doc__}")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
