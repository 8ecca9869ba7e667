#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every named danger of consensus has a test of its name, and every use of credit too.

A test is a scenario file `M01_...scn`, a `START_TEST(M01_...)` that its suite also runs, or a function `C11_...` of the
simulator.  M: membership, A: asynchronous disks, T: damaged disks, Q: reads, C: credit, X: accountability.
    scenarios.py ROOT            check (TAP)
"""
import re
import sys
from pathlib import Path

NAMES = ([f"M{n}" for n in range(1, 13)] + [f"A{n}" for n in range(1, 8)] + [f"T{n}" for n in range(1, 12)] + ["Q3", "Q4"] +
         [f"C{n}" for n in range(1, 12)] + [f"X{n}" for n in range(1, 5)] + ["U5", "U6"])
FOLDERS = ("consensus", "consensus/sim", "contract", "node", "ledger")


def canonical(name):
    """M01b -> M1"""
    letter, number = re.match(r"([A-Z])0*(\d+)", name).groups()
    return letter + number


def found(root):
    tests, problems = {}, []
    for path in sorted((root / "tests/consensus/scenarios").glob("*.scn")):
        named = re.match(r"[A-Z]\d+[a-z]?_\w+\.scn$", path.name)
        if not named:
            problems.append(f"{path.name}: a scenario is named by letter, number and words")
            continue
        tests.setdefault(canonical(path.name), []).append(path.name)
    for folder in FOLDERS:
        for path in sorted((root / "tests" / folder).glob("*.c")):
            text = path.read_text()
            for name in re.findall(r"START_TEST\(([A-Z]\d+[a-z]?_\w+)\)", text):
                if not re.search(r"tcase_add_\w*test\(\w+, " + name + r"\b", text):
                    problems.append(f"{path.name}: {name} is written and never run")
                tests.setdefault(canonical(name), []).append(name)
            for name in re.findall(r"^static bool ([A-Z]\d+_\w+)\(", text, re.M):
                tests.setdefault(canonical(name), []).append(name)
    return tests, problems


def main():
    tests, problems = found(Path(sys.argv[1]))
    missing = [name for name in NAMES if name not in tests]
    print("1..2")
    for text in problems:
        print("#", text)
    print("not ok 1" if problems else "ok 1", "- tests are named, and run")
    for name in missing:
        print("# no test is named", name)
    print("not ok 2" if missing else "ok 2", f"- each of {len(NAMES)} dangers has a test of its name")
    return 0


if __name__ == "__main__":
    sys.exit(main())
