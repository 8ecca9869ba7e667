# SPDX-License-Identifier: Apache-2.0
"""Members as processes, asked over their own sockets; a bank whose clients move money while they are in trouble; TAP."""
import json
import pathlib
import random
import signal
import socket
import subprocess
import time


MEMBERS, BEGIN, ACCOUNTS = 3, 1000, 10
PATIENCE = 180  # seconds for what takes one: a loaded machine, a sanitized build


def free_ports(n):
    """So many ports in a row that nobody listens on now."""
    for _ in range(100):
        first, held = random.randrange(20000, 32000), []  # below those that the system gives to connections
        try:
            for port in range(first, first + n):
                s = socket.socket()
                held.append(s)
                s.bind(("127.0.0.1", port))
            return first
        except OSError:
            pass
        finally:
            for s in held:
                s.close()
    raise SystemExit("Bail out! no free ports")


class Network:
    loopback = True

    def __init__(self, node, folder, *options):
        self.node, self.folder, self.running = node, pathlib.Path(folder), {}
        self.port = free_ports(MEMBERS + 1)
        subprocess.run([node, "init", folder, "--members", str(MEMBERS), "--port", str(self.port), *options],
                       check=True, stdout=subprocess.DEVNULL)
        self.client_port = free_ports(1)
        if self.loopback:
            with open(self.config(1), "a") as f:
                f.write(f"client_address: 127.0.0.1:{self.client_port}\n")

    def config(self, i):
        return self.folder / f"member-{i}" / "node.yaml"

    def start(self, i, before=(), **how):
        log = open(self.folder / f"log-{i}", "ab")
        self.running[i] = subprocess.Popen([*before, self.node, "run", self.config(i)], stderr=log, stdout=log, **how)
        log.close()

    def kill(self, i, how=signal.SIGKILL):
        process = self.running.pop(i)
        process.send_signal(how)
        return process.wait(PATIENCE)

    def ask(self, i, request):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(str(self.folder / f"member-{i}" / "client.sock"))
            s.sendall((json.dumps(request) + "\n").encode())
            reply = b""
            while not reply.endswith(b"\n"):
                more = s.recv(1 << 20)
                if not more:
                    raise OSError("the member went away")
                reply += more
        return json.loads(reply)

    def status(self, i):
        try:
            return self.ask(i, {"do": "status"})
        except OSError:
            return {}

    def wait(self, what, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if what():
                return True
            time.sleep(0.1)
        return False

    def led(self):
        return any(self.status(i).get("role") == "leader" for i in self.running)

    def log(self, i):
        return (self.folder / f"log-{i}").read_text()

    def alike(self):
        """All have the same blocks on all chains, all final, nothing waits."""
        heads = []
        for i in range(1, MEMBERS + 1):
            s = self.status(i)
            if not s or s["waiting"] or s["final_height"] != s["height"]:
                return False
            heads.append((s["blocks"], s["block_hash"], s["ordered"]))
        return len({h[:2] for h in heads}) == 1

    def stop(self):
        for i in list(self.running):
            self.kill(i)


def rows(net, i, what, arguments=""):
    """All pages."""
    found, cursor = [], ""
    while True:
        reply = net.ask(i, {"do": "query", "what": what,
                            "arguments": arguments + (f"&cursor={cursor}" if cursor else ""), "caller": 1})
        if "error" in reply:
            raise SystemExit(f"Bail out! {what}: {reply}")
        found += reply["rows"]
        cursor = reply["cursor"]
        if not cursor:
            return found


class Tap:
    def __init__(self):
        self.n, self.bad = 0, 0

    def check(self, name, good, *why):
        self.n += 1
        for line in () if good else why:
            print("# " + "\n# ".join(str(line).strip().splitlines()[-40:]))
        print(f"{'ok' if good else 'not ok'} {self.n} {name}", flush=True)
        self.bad += not good
        return good

    def skip(self, name, reason):
        self.n += 1
        print(f"ok {self.n} {name} # SKIP {reason}", flush=True)


def torment(net, load, rng, seconds):
    """Kill members with SIGKILL at random, at times two at once, each back after a while."""
    kills, end = 0, time.monotonic() + seconds
    while time.monotonic() < end and load.poll() is None:
        time.sleep(rng.uniform(0.3, 2.0))
        for i in rng.sample(range(1, MEMBERS + 1), rng.choice((1, 1, 1, 2, 3))):
            if i in net.running:
                net.kill(i)
                kills += 1
        time.sleep(rng.uniform(0.0, 1.5))
        for i in range(1, MEMBERS + 1):
            if i not in net.running:
                net.start(i)
    return kills


def bank(tap, net, bank_load, seconds, seed, trouble=torment, what="members are killed"):
    rng = random.Random(seed)
    out = net.folder / "load.out"
    for i in range(1, MEMBERS + 1):
        net.start(i)
    tap.check("three processes find a leader", net.wait(net.led), net.log(1), net.log(2), net.log(3))
    with open(out, "wb") as f:
        load = subprocess.Popen([bank_load, net.folder, str(MEMBERS), str(seconds), "8"], stdout=f,
                                stderr=subprocess.PIPE)
    try:
        ready = net.wait(lambda: b"ready" in out.read_bytes() or load.poll() is not None)
        kills = trouble(net, load, rng, seconds) if ready else 0
        _, errors = load.communicate(timeout=2 * PATIENCE)
    except subprocess.TimeoutExpired:
        errors = b"the load did not end"
    finally:
        load.kill()
        load.wait()
    lines = out.read_text().split("\n")
    committed = [x.split()[1] for x in lines if x.startswith("committed")]
    refused = [x.split()[1] for x in lines if x.startswith(("refused", "known"))]
    totals = [int(x.split()[1]) for x in lines if x.startswith("total")]
    tap.check(f"clients carry out transfers while {what}",
              "done" in lines and len(committed) > seconds and kills > seconds / 6,
              errors.decode(), f"{len(committed)} committed, {kills} troubles", net.log(1))
    print(f"# {seconds} s, {kills} times {what}, {len(committed)} committed, {len(refused)} refused by their "
          f"contract or known already, {len(totals)} readings; seed {seed}")
    tap.check("every reading of the bank has the same total", totals and set(totals) == {BEGIN * ACCOUNTS},
              sorted(set(totals)))
    check_end(tap, net, committed, refused)


def check_end(tap, net, committed, refused):
    tap.check("all members come to the same blocks", net.wait(net.alike),
              *(net.status(i) for i in range(1, MEMBERS + 1)), net.log(1), net.log(2), net.log(3))
    for i in range(1, MEMBERS + 1):
        there = {}
        for row in rows(net, i, "transactions", "chain=trading&contract=bank&limit=5000"):
            there.setdefault(row["tx_id"], []).append(row["status"])
        lost = [t for t in committed if there.get(t) != ["MGC_OK"]] + [t for t in refused if t not in there]
        twice = [t for t, s in there.items() if len(s) > 1]
        tap.check(f"member {i}: nothing acknowledged is lost, nothing is there twice", not lost and not twice,
                  f"{len(lost)} lost {lost[:3]}", f"{len(twice)} twice")
        total = sum(int(row["balance"]) for row in rows(net, i, "bank"))
        tap.check(f"member {i}: the total is unchanged", total == BEGIN * ACCOUNTS, total)

