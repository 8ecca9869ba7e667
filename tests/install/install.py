#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `meson install` puts into an empty root is whole, and programs build against it by pkg-config, by CMake and
statically.

The programs are the one-page examples and one that reads a case.  Prints TAP.  Usage: install.py SOURCE_ROOT
BUILD_ROOT CC
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

EXAMPLES = ["one_microgrid", "custom_device", "own_ambiguity", "three_agents", "zeng_zhao"]
CASE = r"""
#include <stdio.h>
#include <mgchain/io.h>
#include <mgchain/mgchain.h>
int main(void)
{
    mgc_ctx *ctx;
    mgc_case *kase;
    mgc_case_info info = {.struct_size = sizeof info};
    if (mgc_ctx_create(NULL, &ctx) != MGC_OK || mgc_case_builtin(ctx, NULL, &kase) != MGC_OK ||
        mgc_case_get_info(kase, &info) != MGC_OK)
        return 1;
    printf("%s: %u microgrids\n", info.name, info.microgrids);
    mgc_case_destroy(kase);
    mgc_ctx_destroy(ctx);
    return info.microgrids == 3 ? 0 : 1;
}
"""
CMAKE = """
cmake_minimum_required(VERSION 3.13)
project(uses_mgchain C)
set(CMAKE_C_STANDARD 11)
find_package(mgchain 0.1 REQUIRED COMPONENTS io static)
foreach(name {names})
  add_executable(${{name}} ${{name}}.c)
  target_link_libraries(${{name}} mgchain::mgchain m)
endforeach()
add_executable(reads_a_case reads_a_case.c)
target_link_libraries(reads_a_case mgchain::io)
add_executable(static_case reads_a_case.c)
target_link_libraries(static_case mgchain::io-static)
"""


class Tree:
    """The installed tree and how to use it."""

    def __init__(self, source, build, folder, cc):
        self.source, self.build, self.folder, self.cc = source, build, pathlib.Path(folder), cc.split()
        self.root = self.folder / "root"
        done = subprocess.run(["meson", "install", "-C", str(build), "--no-rebuild", "--quiet",
                               "--destdir", str(self.root)],
                              capture_output=True, text=True)
        self.fault = (done.stdout + done.stderr).splitlines() if done.returncode else []
        options = {o["name"]: o["value"]
                                for o in json.loads((build / "meson-info" / "intro-buildoptions.json").read_text())}
        self.prefix = self.root / options["prefix"].lstrip("/")
        self.libdir, self.include = self.prefix / options["libdir"], self.prefix / options["includedir"]
        self.env = dict(os.environ, LD_LIBRARY_PATH=str(self.libdir), PKG_CONFIG_SYSROOT_DIR=str(self.root),
                        PKG_CONFIG_PATH=str(self.libdir / "pkgconfig"))

    def run(self, *command, cwd=None):
        """What went wrong, as lines."""
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=self.env,
                              cwd=cwd, timeout=300)
        said = (done.stdout + done.stderr).splitlines()[-20:]
        return [] if done.returncode == 0 else [" ".join(map(str, command))] + said

    def flags(self, *words):
        return subprocess.run(["pkg-config", *words], capture_output=True, text=True, env=self.env,
                              check=True).stdout.split()


def files_are_there(tree):
    want = [f"include/mgchain/{path.name}" for path in (tree.source / "include" / "mgchain").glob("*.h")]
    want = [str(tree.include.relative_to(tree.prefix) / pathlib.Path(name).relative_to("include")) for name in want]
    libdir = tree.libdir.relative_to(tree.prefix)
    for name in ("mgchain", "mgchain-io"):
        want += [str(libdir / f"lib{name}{end}") for end in (".so", ".so.0", ".so.0.1.0",
                                                             ".a")] + [str(libdir / "pkgconfig" / f"{name}.pc")]
    want += [str(libdir / "cmake/mgchain" / name) for name in ("mgchain-config.cmake",
                                                               "mgchain-config-version.cmake")] + ["bin/mgchain-sim"]
    return [f"{name} is not installed" for name in want if not (tree.prefix / name).exists()]


def nothing_of_the_build(tree):
    """No run path and, in texts, no path of source or build."""
    faults = []
    for path in tree.prefix.rglob("*"):
        if path.is_file() and not path.is_symlink() and (".so" in path.name or path.parent.name == "bin"):
            if path.read_bytes()[:4] == b"\x7fELF":
                out = subprocess.run(["readelf", "-d", str(path)], capture_output=True, text=True, check=True).stdout
                faults += [f"{path.name}: {line.strip()}" for line in out.splitlines() if "RUNPATH" in line
                           or "RPATH" in line]
        if path.suffix not in (".pc", ".cmake"):
            continue
        if str(tree.source) in path.read_text() or str(tree.build) in path.read_text():
            faults.append(f"{path.name} names the folder that it was built in")
    return faults


def by_pkg_config(tree):
    out, faults = tree.folder / "pc", []
    out.mkdir()
    for name in EXAMPLES:
        program = out / name
        faults += tree.run(*tree.cc, "-std=c11", "-Wall", "-Wextra", "-Werror",
                           tree.source / "examples" / f"{name}.c", "-o", program,
                           *tree.flags("--cflags", "--libs", "mgchain"), "-lm") or tree.run(program)
    (out / "reads_a_case.c").write_text(CASE)
    return faults + (tree.run(*tree.cc, "-std=c11", out / "reads_a_case.c", "-o", out / "reads_a_case",
                              *tree.flags("--cflags", "--libs", "mgchain-io")) or tree.run(out / "reads_a_case"))


# Pages with main() and what their commands need besides.
PAGES = {"custom_device": "", "member": "", "one_microgrid": "", "own_ambiguity": "", "own_contract": "", "rolling": "",
         "three_agents": "", "zeng_zhao": "", "mqtt/mqtt_members": "libmosquitto", "ems/ems": "libmodbus"}


def as_they_say(tree):
    """The commands in the head of an example compile it."""
    faults, pc, pages = [], tree.folder / "as-installed", tree.folder / "pages"
    shutil.copytree(tree.source / "examples", pages)
    pc.mkdir()
    for name in ("mgchain.pc", "mgchain-io.pc"):
        text = (tree.libdir / "pkgconfig" / name).read_text()
        (pc / name).write_text(re.sub(r"^prefix=.*", f"prefix={tree.prefix}", text, flags=re.M))
    env = {name: value for name, value in tree.env.items() if name != "PKG_CONFIG_SYSROOT_DIR"}
    env["PKG_CONFIG_PATH"] = str(pc)
    for name, package in PAGES.items():
        if package and subprocess.run(["pkg-config", "--exists", package], check=False).returncode != 0:
            continue
        head = (pages / f"{name}.c").read_text().split("#include", 1)[0].replace("\\\n *", "")
        commands = re.findall(r"^ \*   (cc .*?)(?: && .*|\*/)?$", head, re.M)
        faults += [] if commands else [f"{name}.c does not say how it is compiled"]
        for command in commands:
            done = subprocess.run(["bash", "-c", command.replace("cc", " ".join(tree.cc), 1)], capture_output=True, text=True,
                                  env=env, cwd=(pages / name).parent, timeout=300, check=False)
            faults += [] if done.returncode == 0 else [f"{name}.c: {command}", *done.stderr.splitlines()[:10]]
    return faults


def by_archive(tree):
    """As doc/install says: the archives by name, then what they need."""
    out = tree.folder / "static"
    out.mkdir()
    (out / "reads_a_case.c").write_text(CASE)
    libs = [{"-lmgchain": "-l:libmgchain.a", "-lmgchain-io": "-l:libmgchain-io.a"}.get(flag, flag)
            for flag in tree.flags("--cflags", "--libs", "--static", "mgchain-io")]
    program = out / "reads_a_case"
    faults = tree.run(*tree.cc, "-std=c11", out / "reads_a_case.c", "-o", program, *libs) or tree.run(program)
    if not faults and "libmgchain" in subprocess.run(["readelf", "-d", str(program)], capture_output=True, text=True,
                                                     check=True).stdout:
        faults.append("the program still needs libmgchain.so")
    return faults


def by_cmake(tree):
    out = tree.folder / "cmake"
    out.mkdir()
    for name in EXAMPLES:
        shutil.copy(tree.source / "examples" / f"{name}.c", out)
    (out / "reads_a_case.c").write_text(CASE)
    (out / "CMakeLists.txt").write_text(CMAKE.format(names=" ".join(EXAMPLES)))
    build = out / "build"
    faults = tree.run("cmake", "-S", out, "-B", build, f"-DCMAKE_PREFIX_PATH={tree.prefix}",
                      f"-DCMAKE_C_COMPILER={tree.cc[-1]}") or \
        tree.run("cmake", "--build", build, "-j2")
    for name in ([] if faults else ["reads_a_case", "static_case"] + EXAMPLES[:1]):
        faults += tree.run(build / name)
    return faults


def cmake_refuses(tree):
    """A later version, a component that is not there."""
    faults = []
    for number, (what, message) in enumerate([("mgchain 9.0 REQUIRED", "compatible with requested version"),
                                              ("mgchain 0.1 REQUIRED COMPONENTS moon", "no component moon")]):
        out = tree.folder / f"refused{number}"
        out.mkdir()
        (out / "CMakeLists.txt").write_text(f"cmake_minimum_required(VERSION 3.13)\nproject(x C)\nfind_package({what})\n")
        said = " ".join(" ".join(tree.run("cmake", "-S", out, "-B", out / "b",
                                          f"-DCMAKE_PREFIX_PATH={tree.prefix}")).split())
        if message not in said:
            faults.append(f"find_package({what}) said: {said[-300:]}")
    return faults


def main():
    source, build, cc = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    failed = number = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Tree(source, build, folder, cc)
        checks = [("meson install into an empty root", lambda t: t.fault),
                  ("headers, libraries, pkg-config and CMake files", files_are_there),
                  ("no path of the build is left", nothing_of_the_build), ("examples by pkg-config", by_pkg_config),
                  ("examples by the commands in their heads", as_they_say),
                  ("a program by the archives", by_archive)]
        if shutil.which("cmake"):
            checks += [("examples by CMake", by_cmake), ("CMake refuses what is not there", cmake_refuses)]
        for number, (name, check) in enumerate(checks, 1):
            faults = check(tree)
            print("\n".join("# " + fault for fault in faults), end="\n" if faults else "")
            print(f"{'not ok' if faults else 'ok'} {number} {name}", flush=True)
            failed += bool(faults)
        if not shutil.which("cmake"):
            number += 1
            print(f"ok {number} examples by CMake # SKIP cmake is not installed")
    print(f"1..{number}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
