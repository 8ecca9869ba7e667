# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C: sent to a child that solves, once it has said that it has what the test is about."""
import pathlib
import signal
import subprocess
import sys
import time
import unittest

from support import child_environment

HARD = """
import sys, time
sys.path.insert(0, {tests!r})
import mgchain as mg
from test_traps import hard

def begin(*_told):
    if not begin.told: print("begin", flush=True)
    begin.told = True

def has_a_point(_iteration, objective, _bound):
    if objective < 1e19: begin()

begin.told = False
"""


class CtrlC(unittest.TestCase):
    def run_child(self, body, signals=1):
        text = HARD.format(tests=str(pathlib.Path(__file__).parent)) + body
        child = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, env=child_environment())
        try:
            if signals:
                self.assertEqual(child.stdout.readline().strip(), "begin", "see what the child says")
                child.send_signal(signal.SIGINT)
            sent = time.monotonic()
            out, err = child.communicate(timeout=250)  # of the test's 300, which a slow machine multiplies
            return out.strip(), err, child.returncode, time.monotonic() - sent
        finally:
            child.kill()
            child.wait()

    def test_the_best_result_so_far_is_kept(self):
        out, err, code, seconds = self.run_child(
            "r = hard().solve(gap=0.0, progress=has_a_point)\nprint(r.outcome, r.interrupted, r.x is not None, "
            "r.objective >= r.bound - 1e-6)")
        self.assertEqual((code, out), (0, "cancelled True True True"), err)
        self.assertLess(seconds, 60)  # the solve itself takes hours

    def test_the_solver_is_as_good_as_before(self):
        out, err, code, _ = self.run_child(
            "s = hard()\nr = s.solve(gap=0.0, progress=has_a_point)\nagain = "
            "s.solve(node_limit=20)\nprint(r.interrupted, again.interrupted, again.outcome)")
        self.assertEqual((code, out), (0, "True False limit"), err)

    def test_with_nothing_to_keep_it_is_an_interrupt(self):
        out, err, code, _ = self.run_child(
            "from mgchain import _base\n"
            "c = mg.Context()\n"
            "def work():\n"
            "    begin()\n"
            "    while not _base.library().mgc_ctx_cancelled(c.handle): time.sleep(0.01)\n"
            "    return None\n"
            "print(_base.interruptible(c, work), _base.library().mgc_ctx_cancelled(c.handle))")
        self.assertEqual((code, out), (0, "(None, True) 0"), err)

    def test_twice_is_an_interrupt(self):
        out, err, code, _ = self.run_child(
            "import os, signal\n"
            "from mgchain import _base\nc = mg.Context()\nended = []\n"
            "def work():\n"
            "    os.kill(os.getpid(), signal.SIGINT)\n"
            "    while not _base.library().mgc_ctx_cancelled(c.handle): "
            "time.sleep(0.01)\n"  # two at once would count as one
            "    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(0.5)\n"
            "    ended.append(1)\n"
            "try:\n    _base.interruptible(c, work)\nexcept KeyboardInterrupt:\n    print('interrupted', len(ended))",
            signals=0)
        self.assertEqual((code, out), (0, "interrupted 1"), err)  # and not before the library had stopped

    def test_a_bargain_keeps_what_it_has(self):
        out, err, code, _ = self.run_child(
            "import os, signal\n"
            "case = mg.Case.builtin()\n"
            "def told(phase, number, *_a):\n"
            "    if phase == 'relaxed' and number == 5: os.kill(os.getpid(), signal.SIGINT)\n"
            "r = case.solve(relax=True, tolerance=1e-9, progress=told)\n"
            "print(r.outcome, r.interrupted, abs(sum(r.payment.values())) < 1e-6, r.certificate.ok, r.plan.solved)",
            signals=0)
        self.assertEqual((code, out), (0, "cancelled True True True True"), err)

    def test_a_bargain_that_has_nothing_yet_is_an_interrupt(self):
        out, err, code, _ = self.run_child(
            "import os, signal\n"
            "case = mg.Case.builtin()\n"
            "def told(phase, number, *_a):\n"
            "    if phase == 'alone': os.kill(os.getpid(), signal.SIGINT)\n"
            "try:\n    r = case.solve(relax=True, progress=told)\n    print(r.outcome, r.no_trade)\n"
            "except KeyboardInterrupt:\n    print('interrupted')\n"
            "print(case.plan(relax=True).outcome)", signals=0)
        self.assertEqual(code, 0, err)
        self.assertIn(out, ("interrupted\noptimal", "cancelled True\noptimal"))

    def test_it_works_from_a_progress_function_too(self):
        out, err, code, _ = self.run_child(
            "r = hard().solve(gap=0.0, progress=lambda *a: (has_a_point(*a), time.sleep(0.001)) and "
            "None)\nprint(r.outcome, r.interrupted)")
        self.assertEqual((code, out), (0, "cancelled True"), err)
