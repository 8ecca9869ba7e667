# SPDX-License-Identifier: Apache-2.0
"""What the tests of the binding share."""
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "bindings" / "python"
DATA = pathlib.Path(os.environ.get("MGC_TEST_SHIPPED", ROOT / "tests" / "data"))
LONG = os.environ.get("MGC_TEST_LONG") == "1"
SANITIZED = "asan" in os.environ.get("LD_PRELOAD", "")

if os.environ.get("MGCHAIN_INSTALLED") != "1":
    sys.path.insert(0, str(PACKAGE))
sys.dont_write_bytecode = True

import mgchain as mg  # noqa: E402
from mgchain import _base, _native  # noqa: E402

numpy = _base.numpy
NUMPY_VERSION = numpy.__version__ if numpy is not None else "none"
lib = _native.library()
LIBRARY = lib._core._name


def child_environment(**more):
    """For a child that imports the package, with the same library."""
    made = dict(os.environ, PYTHONPATH=str(PACKAGE), PYTHONDONTWRITEBYTECODE="1", **more)
    return made


def plain_environment():
    """For compilers and other tools: without the sanitizer's runtime."""
    return {name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "PYTHONMALLOC")}


def run_child(text, timeout=120, **more):
    """Run Python text in a child; its output."""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=timeout,
                          env=child_environment(**more))
    if done.returncode != 0:
        raise AssertionError(f"child ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def resident_kib():
    """Memory of this process that is resident, by the kernel's account."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise unittest.SkipTest("no /proc/self/status here")


class Counting:
    """An allocator that counts: what an object leaves behind is `live`, told by the library's own calls."""

    def __init__(self, extra=0):
        import ctypes
        libc = ctypes.CDLL(None)
        libc.malloc.restype = libc.realloc.restype = ctypes.c_void_p
        libc.malloc.argtypes, libc.free.argtypes = [ctypes.c_size_t], [ctypes.c_void_p]
        libc.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        self.live, self.calls, self.given = 0, 0, set()

        def alloc(_user, size):
            self.calls += 1
            self.live += 1
            block = libc.malloc(size + extra)
            if extra:
                self.given.add(block)
            return block

        def resize(_user, block, size):
            self.calls += 1
            self.live += not block
            return libc.realloc(block, size + extra)

        def release(_user, block):
            self.live -= 1
            libc.free(block)

        kind = _native.mgc_allocator
        self.made = kind(_native.callback(kind, "alloc")(alloc), _native.callback(kind, "resize")(resize),
                         _native.callback(kind, "release")(release), None)

    def context(self):
        return mg.Context(allocator=self.made)


# --- a small market -------------------------------------------------------------------------------------------------

MORNING = 1700006400000  # 2023-11-15T00:00Z, a whole number of hours since 1970
SITES = (("farm", (100, 100, 120, 120), (0, 150, 90, 0)), ("mill", (50, 60, 70, 80), (200, 100, 50, 0)),
         ("school", (30, 90, 90, 20), (0, 60, 80, 10)))


def small_case(sites=2, scenarios=1, context=None):
    """Sites with sun and demand at different hours: trading pays."""
    case = mg.Case(4, 1.0, context=context, buy_price_per_kwh=[0.2, 0.2, 0.35, 0.35], sell_price_per_kwh=0.05,
                   realtime_buy_price_per_kwh=0.5, realtime_sell_price_per_kwh=0.01)
    for name, demand, sun in SITES[:sites]:
        site = case.add_microgrid(name, scenarios, buy_limit_kw=1000, sell_limit_kw=1000)
        site.add_device("load", "demand", carrier="electricity",
                        demand_kw=[[d * (1 + 0.2 * k) for d in demand] for k in range(scenarios)])
        site.add_device("pv", "roof", available_kw=[[s * (1 - 0.3 * k) for s in sun] for k in range(scenarios)])
    for first in range(sites):
        for second in range(first + 1, sites):
            case.add_link(SITES[first][0], SITES[second][0], "electricity", capacity_kw=200)
    return case


def market_keys():
    """Keys of a market by number; the node's own is the validator's."""
    keys = mg.Keys(b"tests")
    return keys, lambda member: keys[0] if member == _native.MGC_DAY_VALIDATOR else keys[member]


def open_node(storage, **opts):
    opts.setdefault("genesis_time_ms", MORNING - 2 * 86400000)
    return mg.Node(storage, market_keys()[0][0], **opts)


def carry_day(node, case=None, result=None, until="end"):
    """A whole day on the ledger; the day, and the time then."""
    case = case or small_case()
    result = result or case.solve()
    day = mg.Day(case, node, market_keys()[1], start_ms=MORNING)
    day.set_result(result)
    day.set_realised(result.plan.realise(case.model.expected()))
    return day, day.carry(node, MORNING - 86400000, until)
