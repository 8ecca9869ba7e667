#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turn a text into an array of characters, less its licence line.  Usage: embed_text.py NAME INPUT OUTPUT.c"""
import pathlib
import sys


def main():
    name, source, output = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    lines = [line for line in source.read_text(encoding="utf-8").splitlines() if "SPDX-License-Identifier" not in line]
    data = ("\n".join(lines) + "\n").encode() + b"\0"
    rows = [",".join(map(str, data[i : i + 40])) + "," for i in range(0, len(data), 40)]  # an array: strings end at 4095 bytes
    output.write_text("\n".join(["/* Written by embed_text.py. */", '#include "sim.h"', f"const char {name}[] = {{", *rows]) + "};\n")


if __name__ == "__main__":
    main()
