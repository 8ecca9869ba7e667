#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every public limit stands in doc/limits.md with its value and its reason, which is its comment in the header.

limits.py ROOT            check (TAP)
limits.py ROOT --write    write doc/limits.md
"""
import difflib
import pathlib
import re
import sys

ONE = re.compile(r"\b(MGC_[A-Z0-9_]+_MAX)\s*=\s*([^,/}]+?)\s*,?\s*/\*\*<\s*(.*?)\*/", re.S)
DEFINE = re.compile(r"/\*\*\s*([^*]*?)\*/\s*#define (MGC_[A-Z0-9_]+_MAX) (\S.*)")


def value(text):
    plain = re.sub(r"\(uint64_t\)|[uU](?=\b)", "", text.strip())
    plain = re.sub(r"(\d)u\b", r"\1", plain)
    number = eval(plain, {"__builtins__": {}})  # shifts and sums of the headers
    power = number.bit_length() - 1
    return f"2^{power}" if number == 1 << power and power >= 20 else f"{number:,}".replace(",", " ")


def limits(root):
    for header in sorted((root / "include/mgchain").glob("*.h")):
        text = header.read_text()
        found = [(m.start(), m[1], m[2],
                  m[3]) for m in ONE.finditer(text)] + [(m.start(), m[2], m[3], m[1]) for m in DEFINE.finditer(text)]
        for _, name, number, reason in sorted(found):
            words = " ".join(reason.replace("\n", " ").replace("*", " ").split())
            yield name, value(number), words.replace("|", "\\|"), header.name


def unexplained(root):
    """Names that end in _MAX and have a value, but no comment: a limit without a reason."""
    known = {row[0] for row in limits(root)}
    for header in sorted((root / "include/mgchain").glob("*.h")):
        for name in re.findall(r"\b(MGC_[A-Z0-9_]+_MAX)(?:\s*=| \(?\()", header.read_text()):
            if name not in known and name not in BARE:
                yield f"{header.name}: {name}"


# Said in the comment above the enum; rows of the table are made here.
BARE = {"MGC_STORAGE_NAME_MAX": ("63", "characters of a stored file's name, [a-z0-9.-]", "storage.h"),
        "MGC_MESSAGE_BYTES_MAX": ("16 842 752", "a message: a block with its certificate and room for an envelope",
                                  "transport.h")}


def page(root):
    rows = list(limits(root)) + [(name, *rest) for name, rest in BARE.items() if f"{name} =" in
                                 "".join(h.read_text() for h in (root / "include/mgchain").glob("*.h"))]
    rows.sort(key=lambda row: (row[3], row[0]))
    return (root / "doc/site/limits-head.txt").read_text() + "".join(
        f"| `{name}` | {number} | {reason} | [{header}](../include/mgchain/{header}) |\n" for name, number, reason,
        header in rows)


def main():
    root = pathlib.Path(sys.argv[1])
    file = root / "doc/limits.md"
    if "--write" in sys.argv:
        file.write_text(page(root))
        return 0
    old = file.read_text().splitlines() if file.exists() else []
    checks = [("every limit has a reason", list(unexplained(root))),
              ("the page is what --write makes",
               list(difflib.unified_diff(old, page(root).splitlines(), lineterm="", n=0)))]
    print(f"1..{len(checks)}")
    for number, (name, faults) in enumerate(checks, 1):
        print("\n".join("# " + fault for fault in faults), end="\n" if faults else "")
        print(f"{'not ok' if faults else 'ok'} {number} {name}")
    return any(faults for _, faults in checks)


if __name__ == "__main__":
    sys.exit(main())
