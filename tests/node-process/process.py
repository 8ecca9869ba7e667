#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Members as processes on loopback, over TCP with TLS: killed and started again under a bank's transfers; strangers
refused.

Prints TAP.  Usage: process.py MGCHAIN_NODE BANK_LOAD [SECONDS]
With MGC_TEST_LONG=1 the members are killed for two minutes and more.
"""
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
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
    def __init__(self, node, folder, *options):
        self.node, self.folder, self.running = node, pathlib.Path(folder), {}
        self.port = free_ports(MEMBERS + 1)
        subprocess.run([node, "init", folder, "--members", str(MEMBERS), "--port", str(self.port), *options],
                       check=True, stdout=subprocess.DEVNULL)
        self.client_port = free_ports(1)
        if type(self) is Network:  # a namespace of its own has no loopback
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


class Namespaces(Network):
    """Each member in a network namespace of its own, with a cable to one bridge."""

    def __init__(self, node, folder, *options):
        super().__init__(node, folder, *options)
        self.tag = f"mgc{os.getpid() % 100000}"
        sh("ip", "link", "add", self.tag, "type", "bridge")
        sh("ip", "link", "set", self.tag, "up")
        for i in range(1, MEMBERS + 1):
            space, cable = f"{self.tag}-{i}", f"{self.tag}v{i}"
            sh("ip", "netns", "add", space)
            sh("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
            sh("ip", "link", "set", cable, "master", self.tag, "up")
            sh("ip", "netns", "exec", space, "ip", "addr", "add", f"10.213.7.{i}/24", "dev", "eth0")
            sh("ip", "netns", "exec", space, "ip", "link", "set", "eth0", "up")
            text = self.config(i).read_text()
            for k in range(1, MEMBERS + 1):
                text = text.replace(f"127.0.0.1:{self.port + k - 1}", f"10.213.7.{k}:{self.port}")
            self.config(i).write_text(text)

    def start(self, i, before=(), **how):
        super().start(i, ("ip", "netns", "exec", f"{self.tag}-{i}", *before), **how)

    def cable(self, i, state):
        sh("ip", "link", "set", f"{self.tag}v{i}", state)

    def slow(self, i):
        return subprocess.run(["tc", "qdisc", "add", "dev", f"{self.tag}v{i}", "root", "netem", "delay", "20ms", "10ms",
                               "loss", "2%", "reorder", "5%"],
                              capture_output=True, text=True)

    def remove(self):
        self.stop()
        for i in range(1, MEMBERS + 1):
            subprocess.run(["ip", "netns", "del", f"{self.tag}-{i}"], stderr=subprocess.DEVNULL)
            subprocess.run(["ip", "link", "del", f"{self.tag}v{i}"], stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "link", "del", self.tag], stderr=subprocess.DEVNULL)


def sh(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")


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


def cut_cables(net, load, rng, seconds):
    """Pull a member's cable for a while, at times long enough for an election, and kill one now and then."""
    cuts, end = 0, time.monotonic() + seconds
    while time.monotonic() < end and load.poll() is None:
        i = rng.randrange(1, MEMBERS + 1)
        net.cable(i, "down")
        cuts += 1
        time.sleep(rng.uniform(0.2, 4.0))
        if rng.random() < 0.3:
            net.kill(i)
            net.start(i)
        net.cable(i, "up")
        time.sleep(rng.uniform(0.5, 4.0))
    return cuts


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
        load.kill()
        errors = b"the load did not end"
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


def over_bad_links(tap, node, bank_load, folder, seconds, seed):
    name = "network namespaces: cables pulled, delay and loss"
    try:
        net = Namespaces(node, os.path.join(folder, "spaces"), "--bank")
    except OSError as why:
        tap.skip(name, f"this machine allows no network namespaces: {why}")
        return
    try:
        bad = [net.slow(i) for i in range(1, MEMBERS + 1)]
        if any(x.returncode for x in bad):
            print(f"# without delay and loss: tc netem: {bad[0].stderr.strip()}")
        bank(tap, net, bank_load, seconds, seed, cut_cables, "cables are pulled")
    finally:
        net.remove()


def full_disk(tap, net):
    """Writes beyond 4 KiB fail as on a full disk: the member stops with 6, and comes back once there is room."""
    net.kill(3, signal.SIGTERM)
    net.start(3, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY)))
    code = None
    # without one of the others the member is needed: a new leader's first entry is one that it must write
    for turn in range(12):
        net.kill(1 + turn % 2)
        try:
            code = net.running[3].wait(PATIENCE / 12)
            break
        except subprocess.TimeoutExpired:
            pass
        finally:
            net.start(1 + turn % 2)
    net.running.pop(3) if code is not None else net.kill(3)
    tap.check("a member whose disk is full ends with exit 6 and says so",
              code == 6 and "the node stopped: " in net.log(3), code, net.log(3))
    net.start(3)
    tap.check("with room again it is back", net.wait(net.alike), net.log(3))


def stops_cleanly(tap, net):
    net.running[1].send_signal(signal.SIGHUP)
    net.wait(lambda: "read again" in net.log(1), 60)
    code = net.kill(1, signal.SIGTERM)
    tap.check("SIGTERM ends a member cleanly, SIGHUP does it no harm",
              code == 0 and "asked to stop" in net.log(1) and "read again" in net.log(1), code, net.log(1))
    net.start(1)
    tap.check("it is back with the others", net.wait(net.alike), net.log(1))


# --- strangers --------------------------------------------------------------------------------------------------------


def refused_count(net, i):
    return net.status(i).get("refused_connections", 0)


def rubbish(tap, net):
    """Bytes that are no TLS, TLS without a certificate, and TLS by a member that then sends no frames."""
    before, port = refused_count(net, 1), net.port
    for junk in (b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 300, b"\x16\x03\x01\xff\xff" + b"\0" * 70000):
        with socket.create_connection(("127.0.0.1", port), 10) as s:
            try:
                s.sendall(junk)
            except OSError:
                pass
    tap.check("bytes that are no TLS are refused", net.wait(lambda: refused_count(net, 1) >= before + 3, 60),
              refused_count(net, 1), net.log(1))
    before = refused_count(net, 1)
    context = ssl.create_default_context(cafile=net.folder / "ca.pem")
    context.check_hostname = False
    tls_send(port, context, b"x")
    tap.check("who shows no certificate is refused", net.wait(lambda: refused_count(net, 1) > before, 60), net.log(1))
    before = refused_count(net, 1)
    context.load_cert_chain(net.folder / "member-2/tls.pem", net.folder / "member-2/tls-key.pem")
    for frames in (b"\xff\xff\xff\xff\x02\0\0\0", b"\0\0\0\x05\x02\0\0\0hello",
                   b"\0\0\0\x28\x01\0\0\0mgc1\0\0\0\x03" + bytes(32),
                   b"\0\0\0\x28\x01\0\0\0mgc1\0\0\0\x02" + bytes(32), b"\0\0\0\0\x09\0\0\0"):
        tls_send(port, context, frames)
    tap.check("a member's certificate does not excuse rubbish",
              net.wait(lambda: refused_count(net, 1) >= before + 5, 60), refused_count(net, 1), net.log(1))
    tap.check("and the members agree as before", net.wait(net.alike) and len(net.running) == MEMBERS, net.log(1))


def tls_send(port, context, data):
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as s, context.wrap_socket(s) as tls:
            tls.sendall(data)
            tls.settimeout(10)
            while tls.recv(4096):
                pass
    except OSError:
        pass


def wrong_certificate(tap, node, net):
    """A certificate of another CA; one of the right CA, but for another id than the configuration says."""
    other = net.folder / "other"
    subprocess.run([node, "init", other, "--members", "1", "--port", str(net.port)], check=True,
                   stdout=subprocess.DEVNULL)
    own = net.folder / "member-3"
    net.kill(3)
    for name, source in (("another CA", other / "member-1"), ("another member", net.folder / "member-2")):
        before = refused_count(net, 1)
        for file in ("tls.pem", "tls-key.pem"):
            shutil.copy(own / file, own / (file + ".own"))
            shutil.copy(source / file, own / file)
        checked = subprocess.run([node, "check", net.config(3)], capture_output=True, text=True)
        tap.check(f"check sees a certificate of {name}",
                  checked.returncode == 3 and "certificate" in checked.stderr, checked.stdout, checked.stderr)
        net.start(3)
        seen = net.wait(lambda: refused_count(net, 1) > before, 60)
        heard = any(p["receives"] for p in net.status(1).get("peers", []) if p["id"] == 3)
        alone = net.status(3).get("role") != "leader" and not heard
        tap.check(f"a member with a certificate of {name} is refused", seen and alone, net.log(1), net.log(3))
        net.kill(3)
        for file in ("tls.pem", "tls-key.pem"):
            os.replace(own / (file + ".own"), own / file)
    checked = subprocess.run([node, "check", net.config(3)], capture_output=True, text=True)
    tap.check("check finds its own certificate fine", checked.returncode == 0, checked.stdout, checked.stderr)
    net.start(3)
    tap.check("with its own certificate it is back", net.wait(net.alike), net.log(3))


# --- who takes part -----------------------------------------------------------------------------------------------------


def standing(net, i, of):
    try:
        return next((m["standing"] for m in net.ask(i, {"do": "members"})["members"] if m["id"] == of), "stranger")
    except OSError:
        return ""


def with_peer(net, i, line):
    config = net.config(i).read_text().split("\n")
    config = [x for x in config if "{id: 4," not in x]
    if line:
        config.insert(config.index("peers:") + 1, line)
    net.config(i).write_text("\n".join(config))
    net.running[i].send_signal(signal.SIGHUP)


def joins_and_leaves(tap, node, net):
    """A fourth member: keys, a line in each configuration, approval by two of three; then it goes again."""
    key = subprocess.run([node, "keys", net.folder / "member-4", "--id", "4", "--ca", net.folder], check=True,
                         capture_output=True, text=True).stdout.strip()
    config = net.config(1).read_text().replace("id: 1\n", "id: 4\n",
                                               1).replace(f"listen: 127.0.0.1:{net.port}",
                                                          f"listen: 127.0.0.1:{net.port + 3}")
    config = config.replace(f"client_address: 127.0.0.1:{net.client_port}\n", "")
    config = config.replace("peers:\n", f"peers:\n  - {{id: 1, address: \"127.0.0.1:{net.port}\"}}\n", 1)
    net.config(4).write_text(config)
    for i in range(1, MEMBERS + 1):
        with_peer(net, i, f"  - {{id: 4, address: \"127.0.0.1:{net.port + 3}\", public_key: \"{key}\"}}")
    net.start(4)
    tap.check("a stranger waits", net.wait(lambda: net.status(4).get("standing") == "stranger", 60), net.log(4))
    for i in (1, 2):
        subprocess.run([node, "join", net.config(i), "4"], check=True, stdout=subprocess.DEVNULL)
    votes = lambda: all(standing(net, i, 4) == "voter" for i in (1, 2, 3, 4))  # everybody knows it, whoever approves next
    tap.check("approved by two of three it becomes a voter", net.wait(votes), net.log(1), net.log(4))
    heads = lambda: {(net.status(i).get("blocks"), net.status(i).get("block_hash")) for i in (1, 2, 3, 4)}
    tap.check("and has every block", net.wait(lambda: len(heads()) == 1), heads(), net.log(4))
    for i in (1, 2, 3): # three of four voters
        subprocess.run([node, "leave", net.config(i), "4"], check=True, stdout=subprocess.DEVNULL)
    tap.check("approved again it leaves", net.wait(lambda: standing(net, 1, 4) not in ("voter", "learner")),
              net.log(1), net.log(4))
    tap.check("and is told", net.wait(lambda: net.status(4).get("standing") == "removed"), net.status(4), net.log(4))
    code = net.kill(4, signal.SIGTERM)
    for i in range(1, MEMBERS + 1):
        with_peer(net, i, None)
    tap.check("the others go on as before", code == 0 and net.wait(net.alike) and net.wait(net.led), net.log(1))


def a_client_far_away(tap, node, net):
    """Nothing but an address and the chain's id: a transaction, and its receipt with proof; what is the owner's alone
    is refused."""
    address, admin = f"127.0.0.1:{net.client_port}", net.folder / "admin.pem"
    with socket.create_connection(("127.0.0.1", net.client_port)) as s:
        lines = s.makefile("rw")

        def ask(request):
            lines.write(json.dumps(request) + "\n")
            lines.flush()
            return json.loads(lines.readline())

        key = net.ask(1, {"do": "members"})["members"][0]["public_key"]
        trusted = ask({"do": "chain", "contract": 2, "sender": key})["chain_id"]
        tap.check("a client far away sees no status", ask({"do": "status"}).get("status") == "MGC_E_FORBIDDEN")
        refused = ask({"do": "change", "to": "removed", "id": 3, "public_key": key})
        tap.check("and changes no members", refused.get("status") == "MGC_E_FORBIDDEN", refused)
        as_one = ask({"do": "query", "what": "blocks", "arguments": "limit=1", "caller": 1})
        tap.check("and asks as the public", len(as_one.get("rows", [])) == 1, as_one)
        tap.check("and gets a sentence for rubbish",
                  "error" in ask({"do": "receipt", "contract": 2, "height": 10**9, "index": 0})
                                 and "error" in ask({"no": 1}))
    proof = net.folder / "proof"
    words = ["bank", "open", "first=900", "amount=5", f"{admin}:administrator"]
    done = subprocess.run([node, "submit", address, "--trust", trusted, "--proof", proof, *words], capture_output=True,
                          text=True, timeout=PATIENCE)
    last = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
    tap.check("its transaction is acknowledged and its receipt proved",
              last.get("proved") and last.get("signatures", 0) >= 2 and proof.stat().st_size == last["proof_bytes"],
              done.returncode, done.stdout, done.stderr)
    words[2] = "first=901"
    done = subprocess.run([node, "submit", address, "--trust", "ab" * 32, *words], capture_output=True, text=True,
                          timeout=PATIENCE)
    tap.check("a chain that it does not trust proves nothing",
              done.returncode == 7 and "does not verify" in done.stderr, done.returncode, done.stdout, done.stderr)


def own_genesis(tap, node, folder):
    """Members who each made their own keys: a genesis of the public halves, which `check` finds fine."""
    folder = pathlib.Path(folder) / "own"
    folder.mkdir()
    subprocess.run([node, "init", folder / "net"], check=True, stdout=subprocess.DEVNULL)
    keys = [subprocess.run([node, "keys", folder / f"k{i}", "--id", str(3 - i), "--ca", folder / "net"] if i < 3
                           else [node, "keys", folder / f"k{i}"], check=True, capture_output=True,
                           text=True).stdout.strip() for i in range(4)]
    words = [node, "genesis", folder / "genesis.yaml", "--chain", "try", *(f"{3 - i}={keys[i]}" for i in range(3)),
             "--learner", f"9={keys[3]}"]
    done = subprocess.run(words, capture_output=True, text=True)
    text = (folder / "genesis.yaml").read_text() if done.returncode == 0 else ""
    tap.check("a genesis of public keys, in the order of ids",
              text.index(keys[2]) < text.index(keys[1]) < text.index(keys[0]) < text.index("learners") < text.index(keys[3]) if text else False,
              done.stderr, text)
    tap.check("it is not overwritten", subprocess.run(words, capture_output=True).returncode == 6)
    bad = [[*words[:2], folder / "other.yaml", x,
            f"2={keys[1]}"] for x in (f"2={keys[0]}", "1=" + "0" * 64, "0=" + keys[0], "1=12")]
    tap.check("faults of it are refused",
              all(subprocess.run(w, capture_output=True).returncode == 2 for w in bad)
                  and not (folder / "other.yaml").exists())
    config = folder / "net" / "member-1" / "node.yaml"
    for file in ("key.pem", "key.pass"):
        shutil.copy(folder / "k2" / file, folder / "net" / "member-1" / file)
    shutil.copy(folder / "genesis.yaml", folder / "net" / "genesis.yaml")
    done = subprocess.run([node, "check", config], capture_output=True, text=True)
    tap.check("a certificate of the right CA and id that names another key is seen by check",
              done.returncode == 3 and "does not name this member with its signing key" in done.stderr, done.stdout, done.stderr)
    for file in ("tls.pem", "tls-key.pem"):
        shutil.copy(folder / "k2" / file, folder / "net" / "member-1" / file)
    done = subprocess.run([node, "check", config], capture_output=True, text=True)
    tap.check("and a member of it is told that all is fine", done.returncode == 0 and "chain try" in done.stdout,
              done.returncode, done.stdout, done.stderr)


def bad_configurations(tap, node, net):
    """Every fault with its file and line, all at once."""
    good = net.config(1).read_text()
    bad = net.folder / "member-1" / "bad.yaml"
    bad.write_text(good.replace("listen:",
                                "listne:").replace("tick_ms: 50", "tick_ms: -1").replace("log: info", "log: loud"))
    done = subprocess.run([node, "check", bad], capture_output=True, text=True)
    tap.check("faults of a configuration are told with line, key and cure",
              done.returncode == 3 and "bad.yaml:4:1: listne:" in done.stderr
              and "did you mean \"listen\"" in done.stderr and
              "timing.tick_ms" in done.stderr and "log: is none of the levels" in done.stderr, done.stderr)
    done = subprocess.run([node, "run", net.config(1)], capture_output=True, text=True, timeout=PATIENCE)
    tap.check("a second process on the same data is refused", done.returncode in (3, 6) and done.stderr != "",
              done.returncode, done.stderr)


def main():
    node, bank_load = sys.argv[1:3]
    long = os.environ.get("MGC_TEST_LONG") == "1"
    seconds = int(sys.argv[3]) if len(sys.argv) > 3 else 150 if long else 8
    seed = int(os.environ.get("MGC_TEST_SEED", random.randrange(10**6)))
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="mgchain-node-") as folder:
        net = Network(node, os.path.join(folder, "net"), "--bank")
        try:
            bank(tap, net, bank_load, seconds, seed)
            stops_cleanly(tap, net)
            full_disk(tap, net)
            rubbish(tap, net)
            wrong_certificate(tap, node, net)
            joins_and_leaves(tap, node, net)
            a_client_far_away(tap, node, net)
            own_genesis(tap, node, folder)
            bad_configurations(tap, node, net)
        finally:
            net.stop()
        if long:
            over_bad_links(tap, node, bank_load, folder, 60, seed)
    print(f"1..{tap.n}")
    return tap.bad > 0


if __name__ == "__main__":
    sys.exit(main())
