#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The arrows between rooms are a table; an include that turns one round fails here.

Prints TAP.  Usage: arrows.py SOURCE_ROOT
"""
import pathlib
import re
import sys

ALLOWED = {
    "base": set(),
    "la": {"base"},
    "solver": {"base", "la"},
    "robust": {"base", "la", "solver"},
    "dispatch": {"base", "la", "solver", "robust"},
    "codec": {"base"},
    "crypto": {"base"},
    "bargain": {"base", "la", "solver", "robust", "dispatch", "codec", "crypto"},
    "ledger": {"base", "codec", "crypto"},
    "contract": {"base", "codec", "crypto", "ledger"},
    "consensus": {"base", "codec", "crypto"},
    "settle": {"base", "codec", "bargain", "contract"},
    "node": {"base", "codec", "crypto", "ledger", "contract", "consensus"},
    "io": set(),  # outside the core: public headers only
}
# Foreign headers that only one room may see.
FOREIGN = {r"suitesparse/|cholmod|lapacke|cblas": {"la"}, r"openssl/": {"crypto"}, r"yaml\.h|jansson\.h|zlib\.h": {"io"}}


def bad_includes(lib):
    for path in sorted(lib.rglob("*.[ch]")):
        room = path.relative_to(lib).parts[0]
        for number, text in enumerate(path.read_text().splitlines(), 1):
            own = re.match(r'\s*#\s*include\s+"([a-z_]+)/', text)
            if own and own[1] not in {"mgchain", room} | ALLOWED.get(room, set()):
                yield f"{path}:{number}: room {room} must not include {own[1]}"
            if own and own[1] == "mgchain":
                header = re.search(r'"mgchain/([a-z_]+)\.h"', text)[1]
                home = {"program": "solver", "storage": "base", "transport": "node", "verify": "ledger"}.get(header, header)
                if room != "io" and home not in {room, "base"} | ALLOWED.get(room, set()):
                    yield f"{path}:{number}: room {room} must not include mgchain/{header}.h"
            foreign = re.match(r"\s*#\s*include\s+<([^>]+)>", text)
            for pattern, homes in FOREIGN.items():
                if foreign and re.search(pattern, foreign[1]) and room not in homes:
                    yield f"{path}:{number}: only {', '.join(homes)} may include <{foreign[1]}>"


def without_licence(root):
    for folder in ("lib", "include", "examples", "tests", "tools", "bindings"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".c", ".h", ".py", ".sh"} or path.name == "meson.build":
                if "SPDX-License-Identifier: Apache-2.0" not in path.read_text()[:300]:
                    yield f"{path}: no SPDX line"


def credit_in_two_places(lib):
    """Who counts majorities sees nothing of the room, and one file alone reads the credit view."""
    room = lib / "consensus"
    for path in (room / "quorum.c", room / "quorum.h"):
        text = path.read_text()
        for include in re.findall(r"#\s*include\s+(\S+)", text):
            if include not in {"<stdbool.h>", "<stdint.h>", '"consensus/quorum.h"'}:
                yield f"{path}: must not include {include}"
        if "credit" in text.lower():
            yield f"{path}: must not know of credit"
    for path in sorted(room.glob("*.c")):
        if path.name != "credit.c" and re.search(r"->\s*(n_)?credit\s*\[|r->(n_)?credit\b|mgc_raft_credit\s+\w", path.read_text()):
            yield f"{path}: only credit.c reads the credit view"
    callers = {"mgc__credit_deadline": {"election.c", "init.c"}, "mgc__credit_holds_back": {"election.c"},
               "mgc__credit_refuses_prevote": {"election.c"}, "mgc__credit_view": {"step.c"}}
    for path in sorted(room.glob("*.c")):
        for name in sorted(set(re.findall(r"\bmgc__credit_\w+", path.read_text()))):
            if path.name != "credit.c" and path.name not in callers.get(name, set()):
                yield f"{path}: must not call {name}"


def main():
    root = pathlib.Path(sys.argv[1])
    checks = [("includes follow the arrows", list(bad_includes(root / "lib"))),
              ("majorities are counted without seeing credit", list(credit_in_two_places(root / "lib"))),
              ("every file names its licence", list(without_licence(root)))]
    print(f"1..{len(checks)}")
    for number, (name, faults) in enumerate(checks, 1):
        print("\n".join("# " + fault for fault in faults), end="\n" if faults else "")
        print(f"{'not ok' if faults else 'ok'} {number} {name}")
    return any(faults for _, faults in checks)


if __name__ == "__main__":
    sys.exit(main())
