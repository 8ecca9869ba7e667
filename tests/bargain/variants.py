# SPDX-License-Identifier: Apache-2.0
"""A newcomer's case is none of the reference cases: the one that `mgchain-sim new` writes, at other prices and with other loads, is agreed
and proven in some hundred rounds, every time.  Where two members are alike and costs have corners the rounds swing about the optimum.

    variants.py BENCH_ALLIANCE NEW_CASE.yaml        prints TAP
"""
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

GAP, MOST_ROUNDS, ROUNDS_A_CASE = 1e-4, 150, 80
PATIENCE = 30 if os.environ.get("MESON_EXE_WRAPPER") else 1  # an emulator
NUMBER = re.compile(r"\d+\.?\d*")


def times(text, keys, factor):
    """The numbers of every key that `keys` matches, times one factor for each key found."""
    value = re.compile(rf"(\w*(?:{keys})\w*: *(?:#[^\n]*\n)?\s*)(\[[^]]*\]|[\d.]+)")

    def scaled(match):
        by = factor()
        return match[1] + NUMBER.sub(lambda n: f"{float(n[0]) * by:.6f}", match[2])

    return value.sub(scaled, text)


def variants(case):
    for percent in range(1, 15):
        yield f"prices {percent} % higher", times(case, "price|cost|fee", lambda p=percent: 1 + p / 100)
    for seed in range(8):
        yield f"other loads, seed {seed}", times(case, "demand_kw", lambda r=random.Random(seed): r.uniform(0.8, 1.2))


def main():
    program, case = sys.argv[1], pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")
    total, made = 0, list(variants(case))
    print(f"1..{len(made) + 1}")
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, text) in enumerate(made, 1):
            path = pathlib.Path(folder) / "case.yaml"
            path.write_text(text, encoding="utf-8")
            done = subprocess.run([program, "--threads", "1", "--gap", str(GAP), "--tolerance", str(GAP), path], capture_output=True,
                                  text=True, timeout=60 * PATIENCE, check=True)
            answer = json.loads(done.stdout)
            total += answer["rounds"]
            good = text != case and answer["outcome"] == "optimal" and answer["gap"] <= GAP and answer["rounds"] <= MOST_ROUNDS
            print(f"{'ok' if good else 'not ok'} {number} - {name}: {answer['rounds']} rounds, gap {answer['gap']:.1e}", flush=True)
    print(f"{'ok' if total <= ROUNDS_A_CASE * len(made) else 'not ok'} {len(made) + 1} - {total} rounds in all")


if __name__ == "__main__":
    main()
