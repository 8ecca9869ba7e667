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

sys.dont_write_bytecode = True  # the folder may not be ours to write in
from members import MEMBERS, PATIENCE, Network, Tap, bank


def full_disk(tap, net):
    """Writes beyond 4 KiB fail as on a full disk: the member stops with 6, and comes back once there is room."""
    net.kill(3, signal.SIGTERM)
    (net.folder / "log-3").write_text("")  # the limit is the log's, too
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
    print(f"1..{tap.n}")
    return tap.bad > 0


if __name__ == "__main__":
    sys.exit(main())
