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
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=timeout, env=child_environment(**more))
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
