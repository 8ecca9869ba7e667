#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What --help says, the manual page says and the shells complete: no more, no less.

Prints TAP.  Usage: manual.py ROOT MGCHAIN_SIM [MGCHAIN_NODE]
"""
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT, PROGRAM = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()


def complete(words):
    """What bash would offer for the last of these words."""
    script = f"""source {ROOT}/tools/completion/mgchain-sim.bash
        COMP_WORDS=({' '.join(repr(w) for w in words)}); COMP_CWORD={len(words) - 1}; _mgchain_sim; printf '%s\\n' "${{COMPREPLY[@]}}" """
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd="/").stdout.split()


def completes():
    wanted = [(["mgchain-sim", "s"], ["solve", "stochastic"]),
              (["mgchain-sim", "ledger", ""], ["export", "mend", "proof", "query", "verify"]),
              (["mgchain-sim", "solve", "--a"], ["--admm", "--alone"]),
              (["mgchain-sim", "run", "--progress", "=", "j"], ["json"]),
              (["mgchain-sim", "run", "--incident", "di"], ["dishonest-meter", "dispute"]),
              (["mgchain-sim", "ledger", "proof", "x", "bl"], ["block"])]
    return [f"{words}: {found}, not {out}" for words, out in wanted if (found := sorted(complete(words))) != out]


# What is typed, and what the tabulator key adds to it.
TYPED = (("mgchain-sim so", "lve"), ("mgchain-sim ledger ve", "rify"), ("mgchain-sim solve --rel", "ax"),
         ("mgchain-sim run --progress pl", "ain"))


def fish_completes():
    script = f"source {ROOT}/tools/completion/mgchain-sim.fish; complete -C "
    for line, rest in TYPED:
        said = subprocess.run(["fish", "--no-config", "-c", script + repr(line)], capture_output=True, text=True,
                              cwd="/").stdout
        offered = [row.split("\t")[0] for row in said.splitlines()]
        if offered != [line.split()[-1] + rest]:
            yield f"{line}: {offered}"


class Terminal:
    """An interactive shell in a terminal of its own."""

    def __init__(self, folder, *command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir("/")
            os.execvpe(command[0], command,
                       {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": folder, "LC_ALL": "C.UTF-8"})
        self.seen = ""

    def type(self, text):
        self.seen = ""
        os.write(self.fd, text.encode())

    def waits_for(self, text, seconds=60):
        end = time.monotonic() + seconds
        while text not in self.seen and time.monotonic() < end:
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    break
        return text in self.seen

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def zsh_completes():
    """As a user does: an interactive shell, compinit, a line, the tabulator key."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "tools/completion/mgchain-sim.zsh", pathlib.Path(folder) / "_mgchain-sim")
        shell = Terminal(folder, "zsh", "-f", "-i")
        try:
            shell.type(f"fpath=({folder} $fpath); autoload -U compinit; compinit -u -D; PS1='go''on> '\n")
            if not shell.waits_for("goon> "):
                yield "zsh does not start: " + repr(shell.seen)
                return
            for line, rest in TYPED:
                shell.type(line)
                if not shell.waits_for(line[-2:]):
                    yield f"{line}: not even shown"
                shell.type("\t")
                if not shell.waits_for(rest, 20):
                    yield f"{line}: {shell.seen!r}"
                shell.type("\x15")  # away with the line
        finally:
            shell.close()


def main():
    text = subprocess.run([str(PROGRAM), "--help"], capture_output=True, text=True, check=True).stdout
    page = (ROOT / "doc/man/mgchain-sim.1").read_text().replace("\\-", "-")
    said = set(re.findall(r"--[a-z0-9-]+", text))
    shown = {"--" + o for o in re.findall(r"Fl -([a-z0-9-]+)", page)}
    commands = {(m[1] + m[2]).strip() for m in re.finditer(r"^  mgchain-sim ([a-z]+)((?: [a-z]+(?=[ |]))?)", text, re.M)}
    commands = {" ".join(c.split()[:2]) if c.startswith("ledger") else c.split()[0] for c in commands}
    explained = {c.strip() for c in re.findall(r"^\.It Cm ((?:ledger )?[a-z]+)", page, re.M)}
    codes = set(re.findall(r"(\d+) [a-z]", text[text.index("Exit:"):]))
    words = {w for words in re.findall(r"--[a-z0-9-]+[= ]([a-z-]+[|,][a-z|,-]+)",
                                       text) for w in re.split("[|,]", words) if w}
    checks = [("words of options", sorted(w for w in words if not re.search(rf"\b{w}\b", page))),
              ("options of the manual page",
               [f"not explained: {x}" for x in said - shown] + [f"not there: {x}" for x in shown - said]),
              ("commands of the manual page", sorted(commands ^ explained)),
              ("exit codes", [f"not explained: {c}" for c in sorted(codes) if not re.search(rf"^\.It {c}$", page, re.M)])]
    if len(sys.argv) > 3:
        text = subprocess.run([sys.argv[3], "--help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
        page = (ROOT / "doc/man/mgchain-node.1").read_text()
        checks.append(("mgchain-node: options and commands", sorted(
            (set(re.findall(r"--([a-z]+)", text)) ^ set(re.findall(r"Fl -([a-z]+)", page)))
            | (set(re.findall(r"^  ([a-z]+)", text, re.M)) ^ set(re.findall(r"^\.It Cm ([a-z]+)", page, re.M))))))
    done = subprocess.run([sys.executable, str(ROOT / "tools/make-completion"), str(PROGRAM),
                           str(ROOT / "tools/completion"), "--check"],
                          capture_output=True, text=True)
    checks += [("completion is what --help says", (done.stdout + done.stderr).splitlines()),
               ("bash completes", completes())]
    for shell, option, kind in (("bash", "-n", "bash"), ("zsh", "-n", "zsh"), ("fish", "-n", "fish")):
        if shutil.which(shell):
            done = subprocess.run([shell, option, str(ROOT / f"tools/completion/mgchain-sim.{kind}")],
                                  capture_output=True, text=True)
            checks.append((f"{shell} reads its file", done.stderr.splitlines() if done.returncode else []))
    for shell, try_it in (("zsh", zsh_completes), ("fish", fish_completes)):
        name = f"{shell} completes"
        checks.append((name, list(try_it())) if shutil.which(shell) else (f"{name} # SKIP {shell} is not installed", []))
    if shutil.which("mandoc"):
        for file in sorted((ROOT / "doc/man").glob("*.[0-9]")):
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(file)], capture_output=True, text=True)
            checks.append((f"{file.name} is well formed", done.stdout.splitlines()))
    print(f"1..{len(checks)}")
    for number, (name, faults) in enumerate(checks, 1):
        print("\n".join("# " + fault for fault in faults), end="\n" if faults else "")
        print(f"{'not ok' if faults else 'ok'} {number} {name}")
    return any(faults for _, faults in checks)


if __name__ == "__main__":
    sys.exit(main())
