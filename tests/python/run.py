#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run unittest modules of this folder and print TAP.  Usage: run.py MODULE..."""
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import support  # noqa: E402  (sets the path of the package)


class Tap(unittest.TestResult):
    """One line a test, faults as comments."""

    def __init__(self):
        super().__init__()
        self.number = 0
        self.broken = False

    def startTest(self, test):
        super().startTest(test)
        self.begun = time.monotonic()

    def line(self, good, test, after=""):
        self.number += 1
        name = test.id().split(".", 1)[1] if "." in test.id() else test.id()
        print(f"{'ok' if good else 'not ok'} {self.number} {name}{after}", flush=True)
        if time.monotonic() - getattr(self, "begun", time.monotonic()) > 2.0:
            print(f"# took {time.monotonic() - self.begun:.1f} s")

    def told(self, test, error):
        self.broken = True
        for row in self._exc_info_to_string(error, test).splitlines():
            print("# " + row)

    def addSuccess(self, test):
        self.line(True, test)

    def addFailure(self, test, err):
        self.told(test, err)
        self.line(False, test)

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.told(subtest, err)
            self.line(False, subtest)

    def addSkip(self, test, reason):
        self.line(True, test, f" # SKIP {reason}")

    def addExpectedFailure(self, test, err):
        self.line(True, test)

    def addUnexpectedSuccess(self, test):
        self.broken = True
        self.line(False, test, " (was to fail)")


def main():
    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromName(name) for name in sys.argv[1:])
    if suite.countTestCases() == 0:
        print("1..0")
        return 1
    print(f"# Python {sys.version.split()[0]}, numpy {support.NUMPY_VERSION}, library {support.LIBRARY}")
    result = Tap()
    suite.run(result)
    print(f"1..{result.number}")
    return 1 if result.broken else 0


if __name__ == "__main__":
    sys.exit(main())
