#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every row of doc/faults.md is covered by a test that names it, or is listed here as open.

A test names its rows in the comment on or right above its START_TEST: `START_TEST(x) /* faults 14, 61-64, O3 */`.
    faults.py ROOT            check (TAP)
    faults.py ROOT --write    also write the tests' names into the page's last column
"""
import re
import sys
from pathlib import Path

ROWS = [str(n) for n in range(1, 99)] + [f"O{n}" for n in range(1, 10)]
# Row -> why no test covers it yet.  Nothing else may stay uncovered.
OPEN = {
}


def expand(text):
    """'14, 61-64, O3' -> rows"""
    for part in re.findall(r"O?\d+(?:-O?\d+)?", text):
        first, _, last = part.partition("-")
        prefix = "O" if first.startswith("O") else ""
        low = int(first.lstrip("O"))
        high = int(last.lstrip("O")) if last else low
        for n in range(low, high + 1):
            yield f"{prefix}{n}"


def named(root):
    """row -> [(file, test)] by the markers in the tests"""
    tests = {}
    for path in sorted(root.glob("tests/*/*.c")):
        lines = path.read_text().splitlines()
        for i, line in enumerate(lines):
            start = re.match(r"START_TEST\((\w+)\)(.*)", line)
            if not start:
                continue
            comment, k = start[2], i - 1
            while k >= 0 and lines[k] and not lines[k].startswith(("}", "END_TEST", "#")):
                comment = lines[k] + " " + comment
                if lines[k].startswith("/*"):
                    break
                k -= 1
            for marker in re.findall(r"\bfaults ((?:O?\d+(?:-O?\d+)?(?:, )?)+)", comment):
                for row in expand(marker):
                    tests.setdefault(row, []).append((path.relative_to(root / "tests").as_posix(), start[1]))
    return tests


def cell(found, row):
    if not found:
        return "open: " + OPEN.get(row, "?")
    return "<br>".join(f"`{file}` {test}" for file, test in found)


def main():
    root = Path(sys.argv[1])
    page = root / "doc" / "faults.md"
    tests, seen, problems, out = named(root), [], [], []
    for line in page.read_text().splitlines():
        row = re.match(r"\| (O?\d+) \|", line)
        if row:
            seen.append(row[1])
            cells = line.split(" | ")
            if "--write" in sys.argv:
                line = " | ".join(cells[:-1]) + " | " + cell(tests.get(row[1], []), row[1]) + " |"
            else:
                for file, test in re.findall(r"`([\w/]+\.c)` (\w+)", cells[-1]):
                    if (file, test) not in tests.get(row[1], []):
                        problems.append(f"the page says that {file} {test} covers row {row[1]}, which it does not name")
        out.append(line)
    if "--write" in sys.argv:
        page.write_text("\n".join(out) + "\n")
    if seen != ROWS:
        problems.append(f"the page's rows are not 1..98, O1..O9 once each in order: {sorted(set(ROWS) ^ set(seen))}")
    for row in tests:
        if row not in ROWS:
            problems.append(f"{tests[row][0]} names row {row}, which does not exist")
    print("1..2")
    for problem in problems:
        print("#", problem)
    print("not ok" if problems else "ok", "1 - the page of faults and the tests agree")
    bare = [row for row in ROWS if row not in tests and row not in OPEN]
    for row in bare:
        print(f"# row {row} is named by no test and not listed as open")
    for row in OPEN:
        state = "covered now: take it off the list of open rows" if row in tests else OPEN[row]
        print(f"# open row {row}: {state}")
    print("not ok" if bare else "ok", f"2 - {len(ROWS) - len(OPEN)} rows are covered, {len(OPEN)} open")
    return bool(problems or bare)


if __name__ == "__main__":
    sys.exit(main())
