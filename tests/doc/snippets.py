#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every snippet of the README and the documents is compiled or run.

c       with main(): compiled, linked and run; else statements, or with `file-scope` definitions, compiled against the
        headers
sh      run in a folder of the page, in order; a block `text` right below is what it prints, `...` standing for anything,
        without the lines of progress (phase, seconds)
yaml    a whole case is checked by mgchain-sim; json is parsed; python is run where the binding is there

A comment right above a block says more:  <!-- file: NAME -->  save it under that name in the page's folder;
<!-- test: skip, REASON -->   <!-- test: long, REASON -->  with MGC_TEST_LONG=1 only;   <!-- test: clone, REASON -->
likewise, in a fresh
clone;   <!-- test: node -->  where mgchain-node is built;   <!-- before: COMMAND -->  run first;
<!-- file-scope -->, <!-- prelude -->  definitions for the page's later C snippets.

Prints TAP.  Usage: snippets.py ROOT BUILD [PAGE...]
"""
import fnmatch
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT, BUILD = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
FENCE = re.compile(r"((?:^<!-- .*? -->\n)*)^```(\w*)\n(.*?)^```$", re.M | re.S)
COMPILE = ["cc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
           "-Wno-unused-parameter",
           "-Wno-unused-function", f"-I{ROOT / 'include'}"]
INCLUDES = "".join(f"#include <{name}.h>\n" for name in ("mgchain/mgchain", "mgchain/io", "stdio", "stdlib", "time"))
NAMES = ("mgc_ctx *ctx, mgc_model *model, mgc_model *rest, mgc_plan *plan, mgc_state *state, mgc_alliance *alliance, "
         "mgc_alliance *tomorrow, mgc_record *record, const uint8_t *bytes, size_t len, size_t n, const char *const "
         "*ids, "
         "const uint8_t *const *keys, mgc_node *node, const mgc_key *key")


def environment():
    env = dict(os.environ, LC_ALL="C.UTF-8", NO_COLOR="1")
    env["PATH"] = f"{BUILD / 'examples/mgchain-sim'}:{BUILD / 'examples/mgchain-node'}:{env['PATH']}"
    env["LD_LIBRARY_PATH"] = f"{BUILD / 'lib'}:{BUILD / 'lib/io'}"
    env["PYTHONPATH"] = str(ROOT / "bindings/python")
    return env


ENV = environment()


def install(prefix):
    """Compilers find the library as an installed one."""
    subprocess.run(["meson", "install", "-C", str(BUILD), "--no-rebuild", "--destdir", prefix], check=True,
                   capture_output=True)
    found = next(pathlib.Path(prefix).rglob("mgchain.pc")).parent
    ENV.update(PKG_CONFIG_PATH=str(found), PKG_CONFIG_SYSROOT_DIR=prefix)


def shell(text, folder, timeout=600):
    return subprocess.run(["bash", "-e", "-o", "pipefail", "-c", text], cwd=folder, env=ENV, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=timeout)


def alike(found, wanted):
    """Line by line; `...` alone stands for any number of lines, inside a line for any characters."""
    if not wanted:
        return not found
    if wanted[0].strip() == "...":
        return any(alike(found[i:], wanted[1:]) for i in range(len(found) + 1))
    pattern = "*".join(part.replace("[", "[[]").replace("*",
                                                        "[*]").replace("?", "[?]") for part in wanted[0].split("..."))
    return bool(found) and fnmatch.fnmatchcase(found[0].rstrip(), pattern.rstrip()) and alike(found[1:], wanted[1:])


def compiled(source, folder, link):
    file = pathlib.Path(folder) / "snippet.c"
    file.write_text(source)
    flags = [f"-L{BUILD / 'lib'}", "-lmgchain", "-lm", f"-Wl,-rpath,{BUILD / 'lib'}", "-o",
             str(file.with_suffix(""))] if link else ["-fsyntax-only"]
    done = subprocess.run([*COMPILE, str(file), *flags], capture_output=True, text=True)
    if done.returncode == 0 and link:
        done = subprocess.run([str(file.with_suffix(""))], cwd=folder, capture_output=True, text=True, timeout=60)
    return [] if done.returncode == 0 else (done.stdout + done.stderr).splitlines() or [f"exit {done.returncode}"]


def try_c(text, page, notes):
    if "int main(" in text:
        return compiled(text, page["folder"], True)
    if "file-scope" in notes or "prelude" in notes:
        page["scope"] += text
        return compiled(INCLUDES + page["scope"], page["folder"], False)
    if "#include" in text:
        return compiled(text, page["folder"], False)
    body = "".join(f"    {line}\n" for line in text.splitlines())
    return compiled(f"{INCLUDES}{page['scope']}mgc_status snippet({NAMES});\nmgc_status snippet({NAMES})\n{{\n{body} "
                    f"   return MGC_OK;\n}}\n",
                    page["folder"], False)


def try_sh(text, page, wanted):
    done = shell(text, page["folder"])
    if done.returncode != 0:
        return [f"exit {done.returncode}", *done.stdout.splitlines()]
    said = [line for line in done.stdout.splitlines() if not re.fullmatch(r"[a-z]+ +[0-9]+\.[0-9]+ s", line)]
    if wanted is None or alike(said, wanted.splitlines()):
        return []
    return ["prints", *said]


def try_yaml(text, page, name):
    if not text.lstrip().startswith("format: mgchain-case-1"):
        return None
    if name is None:
        (pathlib.Path(page["folder"]) / "snippet.yaml").write_text(text)
    done = shell(f"mgchain-sim check {name or 'snippet.yaml'}", page["folder"])
    return [] if done.returncode == 0 else done.stdout.splitlines()


def try_python(text, page):
    done = subprocess.run([sys.executable, "-c", "import mgchain; mgchain.__version__"], env=ENV,
                          capture_output=True, text=True)
    if done.returncode != 0:
        return "the Python binding is not there"
    (pathlib.Path(page["folder"]) / "snippet.py").write_text(text)
    done = shell(f"{sys.executable} snippet.py", page["folder"])
    return [] if done.returncode == 0 else done.stdout.splitlines()


def blocks(path):
    text = path.read_text()
    found = list(FENCE.finditer(text))
    for i, m in enumerate(found):
        below = found[i + 1] if i + 1 < len(found) else None
        follower = below if below and below[2] == "text" and text[m.end():below.start()] == "\n" else None
        yield text[:m.start(2)].count("\n") + 1, m[2], m[3], m[1], follower[3] if follower else None


def attempt(language, text, notes, wanted, page):
    """A list of faults, empty: passed; or a text: why it was not tried."""
    skip = re.search(r"<!-- test: skip, (.*?) -->", notes)
    long = re.search(r"<!-- test: (?:long|clone), (.*?) -->", notes)
    file = re.search(r"<!-- file: (\S+) -->", notes)
    before = re.search(r"<!-- before: (.*?) -->", notes)
    if before and (done := shell(before[1], page["folder"])).returncode != 0:
        return [f"{before[1]}: {done.stdout}"]
    if file:
        (pathlib.Path(page["folder"]) / file[1]).write_text(text)
    if skip or (long and not os.environ.get("MGC_TEST_LONG")):
        return (skip or long)[1]
    if "<!-- test: node -->" in notes and not (BUILD / "examples/mgchain-node/mgchain-node").exists():
        return "mgchain-node is not built"
    if "<!-- test: clone," in notes:
        done = shell(f"git clone -q {ROOT} clone && cd clone && {text}", page["folder"], 3600)
        return [] if done.returncode == 0 else done.stdout.splitlines()[-40:]
    if language == "c":
        return try_c(text, page, notes)
    if language == "sh":
        return try_sh(text, page, wanted)
    if language == "yaml":
        faults = try_yaml(text, page, file and file[1])
        return ["no whole case: say so with <!-- test: skip, ... -->"] if faults is None else faults
    if language == "json":
        json.loads(text)
        return []
    if language == "python":
        return try_python(text, page)
    return [f"nobody knows how to try {language!r}"]


def main():
    pages = [ROOT / name for name in sys.argv[3:]] or [ROOT / "README.md", *sorted((ROOT / "doc").rglob("*.md"))]
    number, failed = 0, False
    installed = tempfile.TemporaryDirectory()
    install(installed.name)
    for path in pages:
        with tempfile.TemporaryDirectory() as folder:
            page = {"folder": folder, "scope": ""}
            for line, language, text, notes, wanted in blocks(path):
                if language in ("", "text"):
                    continue
                number += 1
                try:
                    result = attempt(language, text, notes, wanted, page)
                except (subprocess.TimeoutExpired, json.JSONDecodeError) as fault:
                    result = [str(fault)]
                title = f"{path.relative_to(ROOT)}:{line} {language}"
                if isinstance(result, str):
                    print(f"ok {number} {title} # SKIP {result}")
                    continue
                print("\n".join(f"# {fault}" for fault in result), end="\n" if result else "")
                print(f"{'not ok' if result else 'ok'} {number} {title}", flush=True)
                failed |= bool(result)
    print(f"1..{number}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
