#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The reference builds from the headers with no symbol undocumented.  Prints TAP.  Usage: reference.py SOURCE_ROOT"""
import pathlib
import shutil
import subprocess
import sys
import tempfile


def build(root, folder, include):
    done = subprocess.run([str(root / "tools" / "build-reference"), str(folder), str(include)],
                          capture_output=True, text=True)
    return [] if done.returncode == 0 else (done.stderr.splitlines() or [f"build-reference ended with {done.returncode}"])


def main():
    root = pathlib.Path(sys.argv[1])
    if not shutil.which("doxygen"):
        print("1..0 # SKIP doxygen is not installed")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        faults = build(root, pathlib.Path(folder) / "html", root / "include")
        include = pathlib.Path(folder) / "include"
        shutil.copytree(root / "include", include)
        header = include / "mgchain" / "base.h"
        text = header.read_text()
        line = "/** Destroy a context; NULL is fine.  Since 0.1 */\n"
        header.write_text(text.replace(line, "", 1))
        seen = line in text and any("mgc_ctx_destroy" in fault
                                    for fault in build(root, pathlib.Path(folder) / "plant", include))
    print("1..2")
    print("\n".join("# " + fault for fault in faults), end="\n" if faults else "")
    print("not ok 1" if faults else "ok 1", "the reference has every symbol")
    print("ok 2" if seen else "not ok 2", "plant: a function without its comment")
    return bool(faults) or not seen


if __name__ == "__main__":
    sys.exit(main())
