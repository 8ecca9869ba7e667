#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three processes of examples/member.c found a market together and end at Ctrl-C; started again on their stores they have it,
and a fourth joins that two of them approve.

Prints TAP.  Usage: member_test.py MEMBER
"""
import pathlib
import selectors
import signal
import subprocess
import sys
import tempfile
import time


def run(program, folder, members, seconds=60):
    """Start them, wait until each has said that it is a voter with the market on its ledger, end them; is all of it so?"""
    started = {i: subprocess.Popen([program, folder, str(i), "3", *more], stdout=subprocess.PIPE) for i, more in members}
    waiting = selectors.DefaultSelector()
    for i, process in started.items():
        waiting.register(process.stdout, selectors.EVENT_READ, i)
    end = time.monotonic() + seconds
    while waiting.get_map() and time.monotonic() < end:
        for key, _ in waiting.select(1):
            line = key.fileobj.readline().decode()
            if not line:
                print(f"# member {key.data} ended by itself")
                end = 0
            if not line or f"the market is founded; member {key.data} is a voter" in line:
                waiting.unregister(key.fileobj)
    good = not waiting.get_map() and end > 0
    for process in started.values():
        process.send_signal(signal.SIGINT)
    return good, [process.wait(10) for process in started.values()] == [0] * len(members)


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    print("1..4")
    with tempfile.TemporaryDirectory(prefix="mgchain-member-") as folder:
        good, ended = run(program, folder, [(1, []), (2, []), (3, [])])
        print("ok" if good else "not ok", "1 - three processes found a market")
        print("ok" if ended else "not ok", "2 - and end at Ctrl-C")
        again, ended_again = run(program, folder, [(1, ["4"]), (2, ["4"]), (3, []), (4, [])])
        print("ok" if again else "not ok", "3 - they have it when they start again, and a fourth joins that two approve")
        print("ok" if ended_again else "not ok", "4 - and end at Ctrl-C")
    return 0 if good and ended and again and ended_again else 1


if __name__ == "__main__":
    sys.exit(main())
