#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ordering beside others': this library's consensus, a skeleton that only replicates, Debian's libraft and etcd, in one run.

    consensus.py BUILD [--rounds 3] [--seconds 3] [--smoke] [--folder DIR]

Three members as processes on loopback, 256-byte commands, each acknowledged only after a sync on a majority.  The programs
take turns, round after round, with the disk probe (4 KiB append + fdatasync) before each round; medians over rounds are told.
What is not installed is left out, with the reason.  The folder must lie on the disk that is meant (default: BUILD).
--smoke: a second of ours and one round, as a TAP test that it works at all.
"""
import argparse
import json
import os
import pathlib
import random
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

MEMBERS = 3


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def probe(folder, n=300):
    """Median and 99th percentile, in ms, of 4 KiB append + fdatasync."""
    path, times = folder / "probe", []
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    for _ in range(n):
        began = time.perf_counter()
        os.write(fd, bytes(4096))
        os.fdatasync(fd)
        times.append((time.perf_counter() - began) * 1e3)
    os.close(fd)
    path.unlink()
    times.sort()
    return {"what": "probe", "p50_ms": times[n // 2], "p99_ms": times[n * 99 // 100]}


def run(command, folder, timeout=300):
    """A program's JSON line, with the CPU seconds of it and its children; None: it failed, the reason is printed."""
    for old in folder.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        print(f"# {command[0]}: did not end within {timeout} s")
        return None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        print(f"# {command[0]}: exit {done.returncode}: {done.stderr.strip()[-300:]}")
        return None
    found = json.loads(lines[-1])
    found["cpu_s"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return found


class Etcd:
    """Three of etcd-server's processes; port of the leader's gateway."""

    def __init__(self, program, folder):
        self.folder = folder / "etcd"
        self.folder.mkdir()
        peers, self.ports = [free_port() for _ in range(MEMBERS)], [free_port() for _ in range(MEMBERS)]
        cluster = ",".join(f"e{i}=http://127.0.0.1:{peers[i]}" for i in range(MEMBERS))
        self.processes = [subprocess.Popen(
            [program, "--name", f"e{i}", "--data-dir", str(self.folder / str(i)), "--log-level", "error",
             "--listen-peer-urls", f"http://127.0.0.1:{peers[i]}", "--initial-advertise-peer-urls", f"http://127.0.0.1:{peers[i]}",
             "--listen-client-urls", f"http://127.0.0.1:{self.ports[i]}", "--advertise-client-urls", f"http://127.0.0.1:{self.ports[i]}",
             "--initial-cluster", cluster, "--initial-cluster-state", "new"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for i in range(MEMBERS)]

    def leader(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for port in self.ports:
                try:
                    request = urllib.request.Request(f"http://127.0.0.1:{port}/v3/maintenance/status", b"{}")
                    with urllib.request.urlopen(request, timeout=2) as reply:
                        status = json.load(reply)
                    if status.get("leader", "0") != "0" and status["leader"] == status["header"]["member_id"]:
                        return port
                except OSError:
                    pass
            time.sleep(0.2)
        return None

    def stop(self):
        for p in self.processes:
            p.kill()
            p.wait()


def run_etcd(build, program, folder, seconds, clients):
    for old in folder.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    etcd = Etcd(program, folder)
    try:
        port = etcd.leader()
        if port is None:
            print("# etcd: no leader within a minute")
            return None
        done = subprocess.run([str(build / "tests/bench/order_etcd"), str(port), str(seconds), str(clients)], capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            print(f"# etcd: {done.stderr.strip()[-300:]}")
            return None
        return json.loads(done.stdout)
    finally:
        etcd.stop()


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run_signed(build, folder, each, block_ms=20, *window):
    """Transactions signed by clients, through three members as processes with TLS, contracts and ledger."""
    node, flood = build / "examples/mgchain-node/mgchain-node", build / "tests/node-process/bank_flood"
    if not node.exists() or not flood.exists():
        print("# signed transactions: mgchain-node is not built (libssl is missing)")
        return None
    for old in folder.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    net = folder / "net"
    subprocess.run([node, "init", net, "--bank", "--port", str(random.randrange(20000, 60000))], check=True, stdout=subprocess.DEVNULL)
    for i in range(1, MEMBERS + 1):
        settings = net / f"member-{i}/node.yaml"
        settings.write_text(settings.read_text().replace("block_ms: 20", f"block_ms: {block_ms}"))
    members = [subprocess.Popen([node, "run", net / f"member-{i}/node.yaml"], stderr=subprocess.DEVNULL) for i in range(1, MEMBERS + 1)]
    try:
        for _ in range(300):
            time.sleep(0.1)
            done = subprocess.run([node, "status", net / "member-1/node.yaml", "--json"], capture_output=True, text=True)
            if done.returncode == 0 and json.loads(done.stdout)["leader"]:
                break
        before = sum(cpu_of(p.pid) for p in members)
        done = subprocess.run([flood, net, "8", str(each), *window], capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            print(f"# signed transactions: {done.stderr.strip()[-300:]}")
            return None
        found = json.loads(done.stdout.splitlines()[-1])
        found["cpu_ms_each"] = (sum(cpu_of(p.pid) for p in members) - before) * 1e3 / found["transactions"]
        return found
    finally:
        for p in members:
            p.kill()
            p.wait()


# --- the table ------------------------------------------------------------------------------------------------------


def middle(list_, key):
    values = [x[key] for x in list_ if x]
    return statistics.median(values) if values else None


def show(name, results, key, unit):
    values = [x[key] for x in results if x]
    if values:
        print(f"  {name:<28} {statistics.median(values):>12,.3f} {unit}   ({', '.join(f'{v:,.3f}' for v in values)})" if unit == "ms" else
              f"  {name:<28} {statistics.median(values):>12,.0f} {unit}   ({', '.join(f'{v:,.0f}' for v in values)})")


def verdict(what, good, measured, target):
    print(f"{'reached    ' if good else 'NOT REACHED'}  {what}: {measured}; target {target}")
    return good


def measure(build, folder, programs, etcd, seconds, rounds):
    results = {}
    for r in range(rounds):
        results.setdefault("probe", []).append(probe(folder))
        for clients in (1, 256):
            for name, command in programs.items():
                found = run([*command, seconds, clients] + (["signed"] if "signed" in name else []), folder)
                if found:
                    found["cpu_us"] = found["cpu_s"] * 1e6 / max(1, found["ops_per_second"] * (seconds + 1))
                results.setdefault((name, clients), []).append(found)
            if etcd:
                results.setdefault(("etcd", clients), []).append(run_etcd(build, etcd, folder, seconds, clients))
        print(f"# round {r + 1} of {rounds} is done", flush=True)
    return results


def tell(results, names):
    # On a loaded machine the 5th percentile still says what one commit costs.
    for clients, keys in ((1, ("p05_ms", "p50_ms", "p99_ms")), (256, ("ops_per_second", "p50_ms", "p99_ms"))):
        for key in keys:
            print(f"\n{clients} client{'s' * (clients > 1)}, {key.replace('_', ' ')}")
            for name in names:
                show(name, results.get((name, clients), []), key, "ms" if key.endswith("ms") else "/s")
    print("\n256 clients, processor time of all members and clients for one command, warm-up and start included (where others load the machine this still says what it could do)")
    for name in names:
        show(name, [x for x in results.get((name, 256), []) if x and "cpu_us" in x], "cpu_us", "us")


def judge(results, restart, signed):
    def get(name, clients, key):
        return middle(results.get((name, clients), []), key)
    one, bound, theirs = get("ours", 1, "p50_ms"), get("skeleton", 1, "p50_ms"), get("libraft", 1, "p50_ms")
    print()
    if one and bound:
        verdict("commit p50, 1 client, to the skeleton's", one <= 1.15 * bound, f"{one:.3f} ms to {bound:.3f}: {one / bound:.2f}", "1.15")
    if one and theirs:
        verdict("commit p50, 1 client, to libraft's", one <= theirs, f"{one:.3f} ms to {theirs:.3f}", "never slower")
    many, their_many, p99 = get("ours", 256, "ops_per_second"), get("libraft", 256, "ops_per_second"), get("ours", 256, "p99_ms")
    if many and their_many:
        verdict("ops/s, 256 clients, to libraft's", many >= 4 * their_many, f"{many:,.0f} to {their_many:,.0f}: {many / their_many:.1f}", "4 times")
    if p99:
        verdict("p99, 256 clients", p99 <= 12, f"{p99:.1f} ms", "12 ms")
    certified = get("ours, signed", 256, "ops_per_second")
    if certified:
        verdict("ops/s with certificates", certified >= 60000, f"{certified:,.0f}", "60,000")
    if signed:
        rate = middle(signed, "per_second")
        verdict("client-signed transactions/s", rate >= 3500, f"{rate:,.0f} ({middle(signed, 'cpu_ms_each'):.3f} ms of CPU each, all members)", "3,500")
    if restart:
        took = middle(restart, "seconds")
        verdict("restart with 10^6 entries", took <= 1.5, f"{took:.2f} s", "1.5 s")


def smoke(build, folder):
    checks = []
    for name, extra in (("ours", []), ("ours, signed", ["signed"])):
        found = run([build / "tests/bench/order_ours", folder, 1, 64, *extra], folder, 120)
        checks.append((f"{name}: three members commit under load", bool(found) and found["ops_per_second"] > 100))
    found = run([build / "tests/bench/order_ours", folder / "log", "restart", 20000], folder, 120)
    checks.append(("a log is opened with every entry", bool(found) and found["entries"] == 20000))
    print(f"1..{len(checks)}")
    for i, (name, good) in enumerate(checks, 1):
        print(f"{'ok' if good else 'not ok'} {i} {name}")
    return not all(good for _, good in checks)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--smoke", action="store_true")
    args = parser.parse_args()
    build = args.build.resolve()
    with tempfile.TemporaryDirectory(dir=args.folder or build, prefix="order-") as name:
        folder = pathlib.Path(name)
        if args.smoke:
            return smoke(build, folder)
        bench = build / "tests/bench"
        programs = {"skeleton": [bench / "order_skeleton", folder], "ours": [bench / "order_ours", folder], "ours, signed": [bench / "order_ours", folder]}
        if (bench / "order_libraft").exists():
            programs["libraft"] = [bench / "order_libraft", folder, free_port()]
        else:
            print("# libraft is left out: not installed when this was built (libraft-dev, libuv1-dev)")
        etcd = shutil.which("etcd")
        if not etcd:
            print("# etcd is left out: not installed (etcd-server)")
        results = measure(build, folder, programs, etcd, args.seconds, args.rounds)
        restart = [run([bench / "order_ours", folder / "log", "restart", 1000000], folder) for _ in range(args.rounds)]
        signed = [run_signed(build, folder, 1500) for _ in range(args.rounds)]
        alone = [run_signed(build, folder, 25, 0, "1") for _ in range(args.rounds)]
        print(f"\n{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
        show("probe: 4 KiB + fdatasync, p50", results["probe"], "p50_ms", "ms")
        show("probe, p99", results["probe"], "p99_ms", "ms")
        tell(results, [*programs, "etcd"])
        print("\nOne transaction at a time, signed by its client, to a final block (block_ms 0)")
        show("a member's answer, p50", [x for x in alone if x], "p50_ms", "ms")
        judge(results, [x for x in restart if x], [x for x in signed if x])
    return 0


if __name__ == "__main__":
    sys.exit(main())
