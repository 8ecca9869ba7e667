#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run an example and hold what it prints against an answer that was found another way.

Prints TAP.  Usage: check.py NAME PROGRAM [MGCHAIN_SIM [TEST_SITE]], or check.py NAME --missing PACKAGE
"""
import contextlib
import csv
import io
import json
import math
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
NUMBER = r"(-?[0-9]+(?:\.[0-9]+)?)"


def numbers(text):
    return [float(x) for x in re.findall(NUMBER, text)]


def near(found, wanted, tolerance, what):
    return [] if abs(found - wanted) <= tolerance else [f"{what}: {found}, not {wanted}"]


def one_microgrid(out, _):
    """Weissman's radius for 60 samples of 3 scenarios moves mass to the dark scenario; the reason names who, when and
    the cure."""
    first, rest = out.split("outcome infeasible\n")
    cost, bound = map(float, re.search(rf"cost {NUMBER}, at least {NUMBER}", first).groups())
    p = numbers(re.search(r"worst probabilities (.*)", first)[1])
    # ln 8, ln 20, ln(8/6)
    radius = (2 / 60 * 2.0794415416798357 + 2 / 60 * 2.995732273553991 - 2 / 60 * 0.28768207245178085) ** 0.5
    optimal = first.startswith("outcome optimal\n") and bound <= cost <= bound + 1e-4 * abs(cost)
    faults = [] if optimal else ["no optimal plan"]
    faults += near(p[2], 0.2 + radius / 2, 1e-3,
                   "mass of the dark scenario") + near(sum(p), 1, 2e-4, "sum of probabilities")
    faults += near(numbers(re.search(r"midnight (.*)", first)[1])[0], 100, 0.05, "energy handed on")
    faults += [f"the reason does not say {word}"
               for word in ("greenhouse", "short by", "17:00", "raise buy_limit_kw") if word not in rest]
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
            for m in re.finditer(rf"^(\w+) +alone {NUMBER}, together {NUMBER}, pays {NUMBER}, in all {NUMBER}$", out,
                                 re.M)}
    done = subprocess.run([sim, "solve", str(HERE / "three_agents.yaml"), "--central", "--json"], capture_output=True,
                          text=True, check=True)
    whole = json.loads(done.stdout)
    if set(rows) != set(whole["standalone_cost"]):
        return [f"members {sorted(rows)}"]
    scale = sum(whole["standalone_cost"].values())
    faults = near(sum(r[2] for r in rows.values()), 0, 1e-9, "sum of payments")
    faults += near(sum(r[1] for r in rows.values()), whole["alliance_cost"], 2.5e-4 * scale, "cost of the alliance")
    gain = (scale - sum(r[1] for r in rows.values())) / 3
    for name, (alone, together, pays, final) in rows.items():
        faults += near(alone, whole["standalone_cost"][name], 1e-3,
                       name + " alone") + near(final, together + pays, 2e-6, name)
        faults += near(alone - final, gain, 1e-3, "gain of " + name)
        faults += near(final, whole["final_cost"][name], 2.5e-4 * scale, "final cost of " + name)
    return faults


def own_contract(out, _, folder):
    """The second announcement of a slot is refused with its rule, the others stand; without its code the ledger is
    not vouched for."""
    wanted = ["found: MGC_OK", "member: MGC_OK", "member: MGC_OK", "deploy: MGC_OK", "ada announces: MGC_OK",
              "ben announces: MGC_E_EXISTS: member 2 has an outage in this slot", "ben announces: MGC_OK",
              "slot 7: member 2", "slot 8: member 3"]
    done = subprocess.run([SIM, "ledger", "verify", folder], capture_output=True, text=True)
    return ([] if out.splitlines() == wanted else ["other lines are wanted"]) + (
        [] if done.returncode == 7 and "MGC_E_UNSUPPORTED" in done.stderr
        else [f"verified without the contract's code: {done.stderr}"])


def rolling(out, _, folder):
    """Costs in their order; with perfect forecasts all are one (Bellman's principle); what was bought the day before
    stands."""
    faults, bought = [], []
    for noise in ("0", "0.2"):
        done = subprocess.run([PROGRAM, noise], capture_output=True, text=True)
        best, recourse, rolled = numbers(done.stderr)
        tolerance = 1e-5 * best
        faults += [] if best <= recourse + tolerance and recourse <= rolled + tolerance else [f"{noise}: {done.stderr}"]
        faults += near(rolled, best, tolerance, "perfect forecasts") if noise == "0" else []
        faults += [] if noise == "0" or rolled > best + 1 else ["wrong forecasts cost something"]
        numbered = [line.split(",")[0] for line in done.stdout.splitlines()[1:]]
        faults += [] if numbered == [str(t) for t in range(96)] else ["96 rows are wanted"]
        bought.append([float(line.split(",")[2]) for line in done.stdout.splitlines()[1:]])
    # the day before knows the normal day in both runs
    return faults + ([] if max(abs(a - b) for a, b in zip(*bought)) <= 0.01 else ["contracts did not stand"])


def mqtt_members(out, _, folder):
    """Three processes end with one block, each store verifies, and is the same as the others' block by block."""
    blocks = re.findall(r"^member ([123]): height ([0-9]+), final ([0-9]+), block ([0-9a-f]{64})$", out, re.M)
    faults = [] if sorted(b[0] for b in blocks) == ["1", "2", "3"] else ["three members are wanted"]
    faults += [] if len({b[1:] for b in blocks}) == 1 and int(blocks[0][2]) >= 1 else ["the members differ"]
    for i in "123":
        done = subprocess.run([SIM, "ledger", "verify", f"{folder}/member-{i}"], capture_output=True, text=True)
        faults += [] if done.returncode == 0 and "1 transactions" in done.stdout else [done.stdout + done.stderr]
    return faults


def ems(out, _, folder):
    """Metered energy on the ledger is the site's own, slot by slot; the books' cost is recomputed from the tariff;
    the battery is
    where it has to be at the end."""
    net = [int(line.split(",")[1]) for line in pathlib.Path(folder, "site.csv").read_text().splitlines()]

    def ask(what):
        done = subprocess.run([SIM, "ledger", "query", folder + "/ledger", what, "--as", "4"], capture_output=True,
                              text=True, check=True)
        return list(csv.DictReader(io.StringIO(done.stdout)))

    settled = sorted(ask("settlement"), key=lambda row: int(row["slot"]))
    faults = [] if len(net) == len(settled) == 96 and [int(r["metered_wh"])
                                                           for r in settled] == net else ["metered energy differs"]
    bought = {r["slot"]: (int(r["buy_wh"]), int(r["sell_wh"])) for r in ask("nominations")}
    said = [float(x) for x in re.findall(rf"bought +{NUMBER} metered", out)]
    cost = 0
    for t, (row, wh) in enumerate(zip(settled, net)):
        x = t / 96
        price = 0.22 - 0.06 * math.cos(12.566 * (x - 0.08)) + 0.04 * math.sin(6.283 * (x - 0.4))
        buy, sell = bought.get(row["slot"], (0, 0))
        deviation = wh - buy + sell
        faults += near(said[t] * 250, buy - sell, 1.2, f"nominated in period {t}")
        cost += (buy * price - sell * 0.06 + deviation * (0.45 if deviation > 0 else 0.02)) / 1000
    faults += near(float(re.search(rf"the day costs {NUMBER}", out)[1]), cost, 1e-3, "cost")
    faults += near(float(re.findall(rf"battery +{NUMBER} kWh", out)[-1]), 100, 0.06, "battery at the end")
    return faults


@contextlib.contextmanager
def broker():
    """A broker of our own on a free port of the loopback; nothing of the machine's is used or kept."""
    program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        raise Skip("mosquitto is not installed")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    process = subprocess.Popen([program, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield [port]
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def site(program, folder):
    process = subprocess.Popen([program, folder + "/site.csv"], stdout=subprocess.PIPE, text=True)
    try:
        yield [process.stdout.readline().strip()]
    finally:
        process.wait(10)


class Skip(Exception):
    pass


def run(name, folder):
    """The finished process; what the example needs around it is started and stopped here."""
    with contextlib.ExitStack() as stack:
        arguments = []
        if name == "own_contract":
            arguments = [folder]
        elif name == "mqtt_members":
            arguments = ["127.0.0.1", *stack.enter_context(broker()), folder]
        elif name == "ems":
            arguments = ["127.0.0.1", *stack.enter_context(site(sys.argv[4], folder)), folder + "/ledger"]
        return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)


def main():
    check = globals()[NAME]
    title = f"{NAME}: {' '.join(check.__doc__.split())}"
    print("1..1")
    if PROGRAM == "--missing":
        print(f"ok 1 {title} # SKIP not built: {SIM} is not installed")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = run(NAME, folder)
            faults = check(done.stdout, SIM, folder) if check.__code__.co_argcount == 3 else check(done.stdout, SIM)
        except Skip as reason:
            print(f"ok 1 {title} # SKIP {reason}")
            return 0
        except (AttributeError, IndexError, KeyError, TypeError, ValueError, OSError,
                subprocess.CalledProcessError) as fault:
            faults = [f"not the lines that are wanted: {fault!r}"]
    if done.returncode != 0 or (done.stderr and NAME != "rolling"):
        faults.append(f"exit {done.returncode}")
    if faults:
        print("\n".join("# " + line for line in (done.stdout + done.stderr).splitlines() + faults))
    print(f"{'not ok' if faults else 'ok'} 1 {title}")
    return bool(faults)


NAME, PROGRAM, SIM = (sys.argv[1:] + [None])[:3]

if __name__ == "__main__":
    sys.exit(main())
