# SPDX-License-Identifier: Apache-2.0
"""Examples, pages and pictures: each is run."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from support import DATA, LONG, PACKAGE, ROOT, SANITIZED, child_environment, mg, small_case

EXAMPLES = PACKAGE / "examples"
# A small case stands in for the embedded one, which takes most of a minute: MGC_TEST_LONG=1 runs that.
CASE = DATA / "reference" / "one_scenario.json"
SMALL = "" if LONG else ("import mgchain\n"
                         f"mgchain.Case.builtin = classmethod(lambda cls, **o: cls.load({str(CASE)!r}, **o))\n")


def have(module):
    try:
        __import__(module)
        return True
    except ImportError:
        return False


class Examples(unittest.TestCase):
    def run_example(self, name, *arguments, **environment):
        done = subprocess.run([sys.executable, str(EXAMPLES / name), *arguments], capture_output=True,
                              text=True, timeout=500,
                              env=child_environment(**environment))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_quick_start(self):
        done = subprocess.run([sys.executable, "-c", SMALL + (EXAMPLES / "quick_start.py").read_text()],
                              capture_output=True, text=True,
                              timeout=500, env=child_environment())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"together they save \d+\.\d\d; the hospital pays")

    def test_one_site(self):
        self.assertIn("optimal: costs 477.10", self.run_example("one_site.py"))

    def test_own_ambiguity(self):
        out = self.run_example("own_ambiguity.py")
        self.assertIn("share 0.0: order  20.0, worst expected profit 25.00", out)
        self.assertIn("share 0.6: order  10.0", out)

    def test_three_agents(self):
        out = self.run_example("three_agents.py")
        self.assertIn("payments sum to 0.000000", out)
        one = small_case(3).solve()
        for name, payment in one.payment.items():
            self.assertAlmostEqual(float(re.search(rf"{name}: alone .*, pays ([-+.0-9]+),", out)[1]), payment, delta=0.02)

    def test_ledger_day(self):
        with tempfile.TemporaryDirectory() as folder:
            out = self.run_example("ledger_day.py", folder)
            self.assertIn("executed=True", out)
            self.assertIn("record proved by", out)

    def test_pictures(self):
        with tempfile.TemporaryDirectory() as folder:
            out = self.run_example("pictures.py", folder, *([] if LONG else [str(CASE)]), MGCHAIN_EXAMPLE_QUICK="1",
                                   MPLBACKEND="Agg")
            if not have("matplotlib"):
                self.assertIn("matplotlib is not installed", out)
                self.skipTest("matplotlib is not installed: the example says so and ends")
            for name in ("costs", "payments", "trades", "convergence", "dispatch-hospital-electricity",
                         "storage-hospital", "split", "chord",
                         "carbon-hospital", "emissions", "ledger-transactions", "yours"):
                self.assertEqual((pathlib.Path(folder) / f"{name}.png").read_bytes()[:4], b"\x89PNG", name)
            self.assertTrue((pathlib.Path(folder) / "report.html").is_file())

    def test_each_example_is_a_test(self):
        tested = {"quick_start.py", "one_site.py", "own_ambiguity.py", "three_agents.py", "ledger_day.py", "pictures.py"}
        self.assertEqual({path.name for path in EXAMPLES.glob("*.py")}, tested)


class Pages(unittest.TestCase):
    def test_every_snippet_runs(self):
        for page in (ROOT / "doc" / "python.md", PACKAGE / "README.md"):
            snippets = re.findall(r"^```python\n(.*?)^```", page.read_text(), flags=re.S | re.M)
            self.assertTrue(snippets, page)
            for snippet in snippets:
                with tempfile.TemporaryDirectory() as folder:
                    done = subprocess.run([sys.executable, "-c", SMALL + snippet], capture_output=True, text=True,
                                          timeout=500, cwd=folder,
                                          env=child_environment())
                    self.assertEqual(done.returncode, 0, f"{page.name}:\n{snippet}\n{done.stderr}")

    def test_everything_public_has_a_docstring_and_types(self):
        import inspect
        checked = 0
        for name, thing in vars(mg).items():
            if name.startswith("_") or inspect.ismodule(thing):
                continue
            if inspect.isclass(thing) or inspect.isfunction(thing):
                self.assertTrue(thing.__doc__, name)
            if inspect.isfunction(thing):
                self.assertIn("return", thing.__annotations__, name)
            if inspect.isclass(thing) and thing.__module__.startswith("mgchain"):
                for member, what in vars(thing).items():
                    callable_ = inspect.isfunction(what) or isinstance(what, (property, classmethod, staticmethod))
                    if member.startswith("_") or not callable_:
                        continue
                    function = what.fget if isinstance(what, property) else getattr(what, "__func__", what)
                    inherited = any(member in vars(base) for base in thing.__mro__[1:])
                    self.assertTrue(function.__doc__ or inherited, f"{name}.{member}")
                    if not issubclass(thing, tuple):
                        self.assertIn("return", function.__annotations__, f"{name}.{member}")
                    checked += 1
        self.assertGreater(checked, 200)

    def test_the_package_says_that_it_is_typed(self):
        self.assertTrue((PACKAGE / "mgchain" / "py.typed").exists())


class Pictures(unittest.TestCase):
    def test_without_matplotlib_the_cure_is_named(self):
        if have("matplotlib"):
            self.skipTest("matplotlib is installed")
        from mgchain import plot
        self.assertRaisesRegex(ImportError, "python3-matplotlib", plot.costs, small_case(2).solve())

    def test_a_kind_of_device_looks_the_same_at_every_member(self):
        from mgchain import plot
        with small_case(2).plan() as plan:
            farm = plot._colours(plan, "farm", ["grid", "demand", "roof", "from mill", "to mill"])
            mill = plot._colours(plan, "mill", ["roof", "demand", "to farm"])
        self.assertEqual((farm["roof"], farm["demand"]), (mill["roof"], mill["demand"]))
        self.assertEqual(farm["from mill"], farm["to mill"])
        self.assertEqual(len({farm["grid"], farm["demand"], farm["roof"], farm["to mill"]}), 4)

    @unittest.skipUnless(have("matplotlib"), "matplotlib is not installed (apt install python3-matplotlib)")
    def test_every_picture_on_axes_of_ones_own(self):
        import matplotlib
        matplotlib.use("Agg")
        from matplotlib import pyplot
        from mgchain import plot
        case = small_case(2, 2)
        result = case.solve()
        axes = pyplot.figure().add_subplot()
        self.assertIs(plot.dispatch(result.plan, "farm", 1, ax=axes), axes)
        supplied = sum(bar.get_height() for bar in axes.patches if bar.get_height() > 0)
        used = -sum(bar.get_height() for bar in axes.patches if bar.get_height() < 0)
        self.assertAlmostEqual(supplied, used, delta=0.02 * supplied)  # what comes in goes out
        with tempfile.TemporaryDirectory() as folder:
            made = plot.day(result, folder)
            self.assertGreater(len(made), 8)
            self.assertTrue(all(pathlib.Path(path).stat().st_size > 2000 for path in made))


class Installing(unittest.TestCase):
    """pip from the tree, without network, into an empty folder."""

    @unittest.skipIf(SANITIZED, "pip is not ours to sanitize")
    def test_pip_installs_and_the_package_works(self):
        # setuptools first: after pip it finds the wrong distutils, on Debian
        probe = subprocess.run([sys.executable, "-c", "import setuptools, pip, wheel; print(setuptools.__version__)"],
                               capture_output=True, text=True)
        if probe.returncode != 0:
            probe = subprocess.run([sys.executable, "-c", "import setuptools, pip; print(setuptools.__version__)"],
                                   capture_output=True, text=True)
        if probe.returncode != 0:
            self.skipTest("pip or setuptools is not installed")
        if int(probe.stdout.split(".")[0]) < 61:
            self.skipTest("setuptools is older than 61")
        import shutil
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "source"
            shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
            target = pathlib.Path(folder) / "target"
            environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
            done = subprocess.run([sys.executable, "-m", "pip", "install", "--no-build-isolation", "--no-index",
                                   "--no-deps", "--quiet",
                                   "--disable-pip-version-check", "--target", str(target), str(source)],
                                  capture_output=True, text=True,
                                  timeout=200, env=environment)
            if done.returncode != 0 and "bdist_wheel" in done.stderr + done.stdout:
                self.skipTest("wheel is not installed (apt install python3-wheel)")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertTrue((target / "mgchain" / "py.typed").is_file())
            out = subprocess.run([sys.executable, "-c",
                                  "import mgchain; print(mgchain.__file__, mgchain.Solver([1.0], "
                                  "lower=2.0).solve().objective)"],
                                 capture_output=True, text=True, timeout=60, cwd=folder,
                                 env={**environment, "PYTHONPATH": str(target),
                                      "MGCHAIN_LIBRARY": os.environ.get("MGCHAIN_LIBRARY", "")})
            self.assertEqual(out.returncode, 0, out.stderr)
            self.assertIn(str(target), out.stdout)
