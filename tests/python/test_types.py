# SPDX-License-Identifier: Apache-2.0
"""Type hints: a type checker believes them, in the package and in what a host writes with it."""
import importlib.util
import pathlib
import subprocess
import sys
import tempfile
import unittest

from support import PACKAGE, SANITIZED, mg, plain_environment

CACHE = tempfile.TemporaryDirectory()

# As a host writes it that checks its own code strictly: every name is exported, every answer has a type.
HOST = '''
from typing import Iterable, Optional, Sequence, Tuple
import mgchain as mg


class Mine(mg.AmbiguitySet):
    def worst(self, cost: Sequence[float]) -> Sequence[float]:
        return [1.0 / len(cost)] * len(cost)


class Wire(mg.Transport):
    def send(self, to: int, data: bytes) -> None:
        print(to, len(data))


def gain(path: str) -> float:
    try:
        result: mg.Result = mg.Case.load(path).solve(progress=lambda *told: True)
    except mg.CaseError as error:
        raise SystemExit("\\n".join(f"{issue.file}:{issue.line}: {issue.message}" for issue in error.issues))
    payment: float = result.payment["hospital"]
    for trade in result.trades:
        seller: str = trade.seller
    with mg.Ledger.open("ledger", as_="regulator") as ledger:
        found: mg.Verification = ledger.verify()
    return payment + result.saving
'''
WRONG = {"mg.Case.load(7)": "incompatible type", "mg.Solver([1.0]).solve().objektive": "has no attribute",
         "mg.Nobody()": "has no attribute", 'len(mg.Case.builtin().solve().saving)': "incompatible type"}


def mypy(*words):
    command = [sys.executable, "-m", "mypy", "--cache-dir", CACHE.name, "--no-site-packages", "--ignore-missing-imports", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=dict(plain_environment(), MYPYPATH=str(PACKAGE)))
    return done.stdout + done.stderr


@unittest.skipIf(importlib.util.find_spec("mypy") is None or SANITIZED, "mypy is not installed, or a sanitizer runs")
class Types(unittest.TestCase):
    def test_the_package_is_as_its_hints_say(self):
        # What C answers has any type: a prototype says what it is.
        said = mypy("--strict", "--no-warn-return-any", "--no-warn-unused-ignores", str(PACKAGE / "mgchain"))
        self.assertIn("Success", said)

    def test_a_host_that_checks_strictly_is_content_and_its_slips_are_seen(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "host.py"
            file.write_text(HOST)
            self.assertIn("Success", mypy("--strict", "--follow-imports=silent", str(file)))
            file.write_text("import mgchain as mg\n" + "\n".join(WRONG) + "\n")
            said = mypy("--follow-imports=silent", str(file)).splitlines()
            for number, (slip, word) in enumerate(WRONG.items(), 2):
                self.assertTrue(any(f":{number}: " in line and word in line for line in said), f"{slip} passes: {said}")

    def test_what_is_exported_is_there(self):
        self.assertEqual([name for name in mg.__all__ if not hasattr(mg, name)], [])
        public = {name for name, value in vars(mg).items() if getattr(value, "__module__", "").startswith("mgchain.") and not name.startswith("_")}
        self.assertEqual(sorted(public - set(mg.__all__)), [])
        undocumented = [name for name in mg.__all__ if callable(getattr(mg, name)) and not (getattr(mg, name).__doc__ or "").strip()]
        self.assertEqual(undocumented, [])
