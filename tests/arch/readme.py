#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The README's program compiles without a warning, runs and prints what it says; the files that it names are there.

Prints TAP.  Usage: readme.py SOURCE_ROOT BUILD_ROOT
"""
import pathlib
import re
import subprocess
import sys
import tempfile

root, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
text = (root / "README.md").read_text()


def snippet_runs():
    source = re.search(r"```c\n(.*?)```", text, flags=re.S)[1]
    with tempfile.TemporaryDirectory() as folder:
        file, program = pathlib.Path(folder) / "farm.c", pathlib.Path(folder) / "farm"
        file.write_text(source)
        libraries = build / "lib"
        compiled = subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{root / 'include'}", str(file), "-o", str(program),
                                   f"-L{libraries}", "-lmgchain", f"-Wl,-rpath,{libraries}"], capture_output=True, text=True)
        if compiled.returncode != 0:
            return compiled.stderr.splitlines()
        done = subprocess.run([str(program)], capture_output=True, text=True, timeout=60)
        # Sun gives 240 of 440 kWh; the rest costs at least 0.20 and at most 0.35 a kWh.
        cost = re.match(r"cost ([0-9.]+), charging at noon ([0-9.]+) kW", done.stdout)
        if done.returncode != 0 or cost is None or not 30 <= float(cost[1]) <= 80 or not 0 < float(cost[2]) <= 50.001:
            return [f"exit {done.returncode}: {done.stdout}{done.stderr}"]
    return []


def links_lead_somewhere():
    names = re.findall(r"\]\(([^)#]+)\)", text)
    return [name for name in names if "://" not in name and not (root / name).exists()]


def main():
    checks = [("the program in the README", snippet_runs()), ("the files that the README names", links_lead_somewhere())]
    print(f"1..{len(checks)}")
    for number, (name, faults) in enumerate(checks, 1):
        print("\n".join(f"# {fault}" for fault in faults), end="\n" if faults else "")
        print(f"{'not ok' if faults else 'ok'} {number} {name}")
    return any(faults for _, faults in checks)


if __name__ == "__main__":
    sys.exit(main())
