#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every public header compiles alone, as C11 and as C++17, and every function in it is exported by the library.

Prints TAP.  Usage: headers.py INCLUDE_DIR SHARED_LIBRARY...
"""
import pathlib
import re
import subprocess
import sys

WARN = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-fsyntax-only"]


def compiles(header, include, compiler, standard, language):
    text = f"#include <mgchain/{header.name}>\nextern int unused;\n"
    done = subprocess.run([compiler, f"-std={standard}", *WARN, f"-I{include}", "-x", language, "-"],
                          input=text, capture_output=True, text=True)
    return done.stderr.strip().splitlines() if done.returncode else []


def declared(include):
    """Names of the functions that the public headers promise."""
    names = set()
    for header in sorted((include / "mgchain").glob("*.h")):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        text = re.sub(r"^\s*#.*$", "", text, flags=re.M)
        for statement in re.findall(r"MGC_API[^;]*;", text):
            names.add(re.search(r"(mgc_[a-z0-9_]+)\s*\(", statement)[1])
    return names


def exported(library):
    out = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    return {line.split()[2].split("@")[0] for line in out.splitlines() if len(line.split()) == 3 and line.split()[1] != "A"}


def main():
    include, libraries = pathlib.Path(sys.argv[1]), sys.argv[2:]
    checks = []
    for header in sorted((include / "mgchain").glob("*.h")):
        checks.append((f"{header.name} as C11", compiles(header, include, "cc", "c11", "c")))
        checks.append((f"{header.name} as C++17", compiles(header, include, "c++", "c++17", "c++")))
    promised, found = declared(include), set().union(*map(exported, libraries))
    checks.append(("what headers promise is exported", sorted(promised - found)))
    checks.append(("what is exported stands in a header", sorted(found - promised)))
    print(f"1..{len(checks)}")
    for number, (name, faults) in enumerate(checks, 1):
        print("\n".join("# " + fault for fault in faults), end="\n" if faults else "")
        print(f"{'not ok' if faults else 'ok'} {number} {name}")
    return any(faults for _, faults in checks)


if __name__ == "__main__":
    sys.exit(main())
