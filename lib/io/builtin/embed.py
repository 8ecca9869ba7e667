#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turn files into C arrays.  Usage: embed.py OUTPUT.c FILE...  (mgc__builtin[] in io/builtin.h, in the order given)"""
import pathlib
import sys


def main():
    output, files = pathlib.Path(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]]
    lines = ["/* SPDX-License-Identifier: Apache-2.0 */", "/* Written by embed.py. */", '#include "io/builtin.h"', ""]
    for number, path in enumerate(files):
        data = path.read_bytes()
        lines.append(f"static const uint8_t file_{number}[] = {{")
        lines += [",".join(map(str, data[i : i + 40])) + "," for i in range(0, len(data), 40)]
        lines += ["};", ""]
    lines.append("const mgc__builtin_file mgc__builtin[] = {")
    lines += [f'    {{"{path.name}", file_{number}, sizeof file_{number}}},' for number, path in enumerate(files)]
    lines += ["};", "const size_t mgc__builtin_count = sizeof mgc__builtin / sizeof mgc__builtin[0];", ""]
    output.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
