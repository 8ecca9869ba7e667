#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three processes of examples/member.c found a market together; then two of them are started again on their stores.

Prints TAP.  Usage: member_test.py MEMBER
"""
import pathlib
import subprocess
import sys
import tempfile


def run(program, folder, ids):
    members = [subprocess.Popen([program, folder, str(i), "3"], stdout=subprocess.PIPE, text=True) for i in ids]
    outputs = [m.communicate(timeout=60)[0] for m in members]
    return [m.returncode for m in members], outputs


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    print("1..2")
    with tempfile.TemporaryDirectory(prefix="mgchain-member-") as folder:
        codes, outputs = run(program, folder, (1, 2, 3))
        good = codes == [0, 0, 0] and all('market "example"' in text for text in outputs)
        print("ok" if good else "not ok", "1 - three processes found a market", "" if good else f"# {codes} {outputs}")
        codes, outputs = run(program, folder, (2, 3))
        again = codes == [0, 0] and all('market "example"' in text for text in outputs)
        print("ok" if again else "not ok", "2 - and have it when they start again", "" if again else f"# {codes} {outputs}")
    return 0 if good and again else 1


if __name__ == "__main__":
    sys.exit(main())
