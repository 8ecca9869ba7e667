#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ledger's speed beside the machine's own limits, in one run.

    ledger.py BUILD/tests/bench [--rounds N] [--largest N] [--smoke]

Every figure is the median of the rounds, in which all are taken in turn: on a machine that others use too, ratios hold and
absolute figures do not.  Processor seconds are given where the disk plays no part, the wall clock's where it does and for two
threads.  --smoke: small numbers, TAP, no judgement of speed.
"""
import argparse
import contextlib
import io
import json
import math
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile

ARGUMENTS = argparse.ArgumentParser()
ARGUMENTS.add_argument("folder", type=pathlib.Path)
ARGUMENTS.add_argument("--rounds", type=int, default=5)
ARGUMENTS.add_argument("--largest", type=int, default=1000000)
ARGUMENTS.add_argument("--smoke", action="store_true")


def bench(folder, *words, program="bench_ledger"):
    done = subprocess.run([folder.resolve() / program, *map(str, words)], capture_output=True, text=True, check=True)
    return {line["what"]: line for line in map(json.loads, done.stdout.splitlines())}


def openssl_verify_rate():
    """Ed25519 verifications a second as openssl's own measurement has it; None where there is no openssl."""
    if shutil.which("openssl") is None:
        return None
    done = subprocess.run(["openssl", "speed", "-seconds", "1", "ed25519"], capture_output=True, text=True)
    found = re.search(r"EdDSA \(Ed25519\)\s+\S+\s+\S+\s+(\S+)\s+(\S+)", done.stdout)
    return float(found[2]) if found else None


def one_round(folder, scratch, n):
    verify = bench(folder, "verify", n)["verify"]
    one = bench(folder, "signed", n, 1)["signed transactions"]
    two = bench(folder, "signed", n, 2)["signed transactions"]
    moved = bench(folder, "transfers", 20 * n)
    sync = bench(folder, "sync", scratch, 50)["append 4 KiB and fdatasync"]
    return {"libcrypto verify/s": verify["per_cpu_s"], "openssl speed verify/s": openssl_verify_rate() or math.nan,
            "4 KiB append + fdatasync/s": sync["per_wall_s"], "signed tx/s, one thread": one["per_cpu_s"],
            "signed / verify": one["per_cpu_s"] / verify["per_cpu_s"], "two threads / one, wall": two["per_wall_s"] / one["per_wall_s"],
            "transfers/s, state machine": moved["transfers in the state machine"]["per_cpu_s"],
            "transfers/s, blocks stored too": moved["transfers, blocks stored too"]["per_cpu_s"]}


FLOORS = {"signed / verify": .85, "two threads / one, wall": 1.6, "transfers/s, state machine": 300000}


def speed(folder, rounds, n):
    with tempfile.TemporaryDirectory() as scratch:
        taken = [one_round(folder, scratch, n) for _ in range(rounds)]
    for name in taken[0]:
        values = sorted(one[name] for one in taken)
        middle = statistics.median(values)
        digits = 2 if middle < 100 else 0
        floor = FLOORS.get(name)
        judged = "" if floor is None else f"   at least {floor:g}: {'reached' if middle >= floor else 'NOT REACHED'}"
        print(f"{name:34s}{middle:12,.{digits}f}   ({values[0]:,.{digits}f} to {values[-1]:,.{digits}f}){judged}", flush=True)


def growth(folder, sizes):
    """Time and memory by the number of transactions, and the exponent between first and last."""
    lines = {}
    for n in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            lines[n] = bench(folder, "grow", scratch, n)
    print(f"\n{'transactions':40s}" + "".join(f"{n:>14,}" for n in sizes) + "   exponent")
    for name, unit, key in (("open and replay", "s", "wall_s"), ("open from the snapshot", "s", "wall_s"), ("verify from end to end", "s", "wall_s"),
                            ("queries of a transfer", "us each", None), ("proofs verified, one vote each", "ms each", None),
                            ("open and replay", "MiB peak", "peak_kb"), ("open and replay", "MiB stored", "bytes")):
        scale = {"peak_kb": 1 / 1024, "bytes": 2 ** -20}.get(key, 1)
        values = [lines[n][name][key] * scale if key else (1e6 if "us" in unit else 1e3) * lines[n][name]["cpu_s"] / lines[n][name]["n"] for n in sizes]
        exponent = math.log(max(values[-1], 1e-9) / max(values[0], 1e-9)) / math.log(sizes[-1] / sizes[0]) if len(sizes) > 1 else math.nan
        print(f"{name + ', ' + unit:40s}" + "".join(f"{value:14,.3f}" for value in values) + f"   {exponent:5.2f}")
    return lines


def questions(folder, sizes):
    """What a page of ten costs by the number of transactions, and the first question of its kind, which makes its index."""
    lines = {}
    for n in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            lines[n] = bench(folder, scratch, n, program="bench_ask")
    print(f"\n{'question, processor us a page':58s}" + "".join(f"{n:>14,}" for n in sizes) + "   exponent   first, ms")
    for name in lines[sizes[0]]:
        values = [lines[n][name]["each_us"] for n in sizes]
        exponent = math.log(values[-1] / max(values[0], .1)) / math.log(sizes[-1] / sizes[0]) if len(sizes) > 1 else math.nan
        print(f"{name:58s}" + "".join(f"{value:14,.1f}" for value in values) + f"   {exponent:8.2f}   {lines[sizes[-1]][name]['first_ms']:9,.1f}")
    return lines


def main():
    args = ARGUMENTS.parse_args()
    if args.smoke:
        one = one_round(args.folder, tempfile.gettempdir(), 300)
        with contextlib.redirect_stdout(io.StringIO()):  # a table is no TAP
            lines = growth(args.folder, [600])[600]
            asked = questions(args.folder, [600])[600]
        good = all(value > 0 for value in one.values() if not math.isnan(value)) and len(lines) == 5 and len(asked) == 16
        print(f"{'' if good else 'not '}ok 1 every figure is there\n1..1")
        return not good
    speed(args.folder, args.rounds, 20000)
    sizes = [n for n in (10 ** 4, 10 ** 5, 10 ** 6) if n <= args.largest]
    growth(args.folder, sizes)
    questions(args.folder, sizes)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
