#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every status has a cause and a cure, nothing else has, and doc/errors.md says so.

errors.py ROOT            check (TAP)
errors.py ROOT --write    write doc/errors.md
"""
import difflib
import pathlib
import re
import sys

ROOMS = [(0, "Any room"), (-100, "Linear algebra (`la`)"), (-200, "Solver"), (-300, "Robust programs"),
         (-400, "Dispatch"), (-500, "Bargaining"),
         (-600, "Encoding (`codec`)"), (-700, "Cryptography"), (-800, "Ledger"), (-900, "Contracts"),
         (-1000, "Consensus"), (-1100, "Settlement"),
         (-1200, "Node"), (-1300, "Files (`io`)")]
HEAD = """<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by tests/doc/errors.py --write out of base.h and doc/site/errors.tsv. -->
# Error codes, with cause and cure

A call answers `MGC_OK` or one of these, a negative number that is never reused. `mgc_status_name()` and `mgc_status_text()` turn a
number into words; **`mgc_ctx_error()` has the sentence that matters**: what is wrong with which thing, what was found, what is allowed.
Infeasible, limit reached, cancelled are not here: they are outcomes, told in info structs beside `MGC_OK`.

A refused transaction carries the same codes, with the rule that refused it, in its ticket and receipt. `mgchain-sim` prints code and
sentence on stderr and ends with one of its [exit codes](reference.md#exit-codes).
"""


def statuses(root):
    text = (root / "include/mgchain/base.h").read_text()
    return [(name, int(number), meaning) for name, number, meaning in re.findall(r'X\((\w+), (-?\d+), "([^"]+)"\)', text)]


def table(root):
    lines = (root / "doc/site/errors.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    crooked = [row for row in rows if len(row) != 3 or not all(len(cell) > 3 for cell in row)]
    return {row[0]: row[1:] for row in rows}, crooked


def page(root):
    known, room = table(root)[0], None
    out = [HEAD]
    for name, number, meaning in statuses(root):
        here = [title for first, title in ROOMS if number <= first][-1]
        if here != room:
            out.append(f"## {here}\n\n| code | meaning | cause | cure |\n| --- | --- | --- | --- |")
            room = here
        cause, cure = known.get(name, ["?", "?"])
        anchor = f'<a id="{name.lower()}"></a>'
        out.append(f"| {anchor}`{name}` {number} | {meaning} | {cause} | {cure} |")
    return "\n".join(out).replace("| --- |\n| <a", "| --- |\n| <a").replace("\n## ", "\n\n## ") + "\n"


def main():
    root = pathlib.Path(sys.argv[1])
    file = root / "doc/errors.md"
    if "--write" in sys.argv:
        file.write_text(page(root))
        return 0
    known, crooked = table(root)
    names = {name for name, _, _ in statuses(root)}
    old = file.read_text().splitlines() if file.exists() else []
    checks = [("every status has a cause and a cure", sorted(names - set(known))),
              ("nothing else has", sorted(set(known) - names)),
              ("each row has three cells", [str(row) for row in crooked]),
              ("the page is what --write makes",
               list(difflib.unified_diff(old, page(root).splitlines(), lineterm="", n=0)))]
    print(f"1..{len(checks)}")
    for number, (name, faults) in enumerate(checks, 1):
        print("\n".join("# " + fault for fault in faults), end="\n" if faults else "")
        print(f"{'not ok' if faults else 'ok'} {number} {name}")
    return any(faults for _, faults in checks)


if __name__ == "__main__":
    sys.exit(main())
