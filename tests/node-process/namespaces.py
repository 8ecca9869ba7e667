#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Members as processes, each in a network namespace of its own, their cables in a fourth: with delay, loss and
reordering on every link, cables are pulled under a bank's transfers, and put back.

Links are bad by `tc netem` where the kernel has it.  Where it has not, each cable is a TAP device whose frames this test
itself carries, late, out of order, or not at all.  Where neither can be had, cables are good ones, and still pulled.

Prints TAP.  Usage: namespaces.py MGCHAIN_NODE BANK_LOAD [SECONDS]      as root; else it is skipped
With MGC_TEST_LONG=1 for a minute.
"""
import fcntl
import heapq
import os
import pathlib
import random
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # the folder may not be ours to write in
from members import MEMBERS, Network, Tap, bank

EACH = range(1, MEMBERS + 1)
DELAY_MS, JITTER_MS, LOSS = 20, 10, 0.02


def sh(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


# --- cables -----------------------------------------------------------------------------------------------------------


class Bridge:
    """Pairs of veth with one end on a bridge in the namespace `hub`; bad by netem."""

    def __init__(self, hub, spaces, bad):
        self.hub = hub
        sh("ip", "-n", hub, "link", "add", "br0", "type", "bridge")
        sh("ip", "-n", hub, "link", "set", "br0", "up")
        for i, space in spaces.items():
            sh("ip", "-n", hub, "link", "add", f"v{i}", "type", "veth", "peer", "name", "eth0", "netns", space)
            sh("ip", "-n", hub, "link", "set", f"v{i}", "master", "br0", "up")
            if bad:
                sh("tc", "-n", hub, "qdisc", "add", "dev", f"v{i}", "root", "netem", "delay", f"{DELAY_MS}ms",
                   f"{JITTER_MS}ms", "loss", f"{100 * LOSS}%")

    def plug(self, i, there):
        sh("ip", "-n", self.hub, "link", "set", f"v{i}", "up" if there else "down")

    def lost(self):
        return sum(int(n) for n in re.findall(r"dropped (\d+)", sh("tc", "-n", self.hub, "-s", "qdisc")))

    def close(self):
        pass


class Relay(threading.Thread):
    """TAP devices whose frames a thread carries from one to the others."""

    TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000

    def __init__(self, tag, spaces, seed):
        super().__init__(daemon=True)
        self.rng, self.fds, self.unplugged, self.dropped, self.ends = random.Random(seed), {}, set(), 0, False
        try:
            for i, space in spaces.items():
                self.fds[i] = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
                name = f"{tag}t{i}"
                fcntl.ioctl(self.fds[i], self.TUNSETIFF,
                            struct.pack("16sH22x", name.encode(), self.IFF_TAP | self.IFF_NO_PI))
                sh("ip", "link", "set", name, "netns", space)
                sh("ip", "-n", space, "link", "set", name, "name", "eth0")
        except OSError:
            self.close()
            raise
        self.start()

    def plug(self, i, there):
        (self.unplugged.discard if there else self.unplugged.add)(i)

    def lost(self):
        return self.dropped

    def receive(self, i, under_way, home):
        """A frame of member i goes to where its address was seen, else to all others."""
        try:
            frame = os.read(self.fds[i], 1 << 16)
        except OSError:  # the device is not up yet
            return
        home[frame[6:12]] = i
        if i in self.unplugged:
            return
        for k in [home[frame[:6]]] if frame[:6] in home else [k for k in self.fds if k != i]:
            if self.rng.random() < LOSS:
                self.dropped += 1
                continue
            due = time.monotonic() + (DELAY_MS + self.rng.uniform(-JITTER_MS, JITTER_MS)) / 1000
            heapq.heappush(under_way, (due, self.rng.random(), k, frame))

    def run(self):
        under_way, home = [], {}  # home: who has a hardware address
        who = {fd: i for i, fd in self.fds.items()}
        while not self.ends:
            wait = under_way[0][0] - time.monotonic() if under_way else 0.1
            for fd in select.select(list(who), [], [], min(max(wait, 0), 0.1))[0]:
                self.receive(who[fd], under_way, home)
            while under_way and under_way[0][0] <= time.monotonic():
                _, _, k, frame = heapq.heappop(under_way)
                try:
                    if k not in self.unplugged:
                        os.write(self.fds[k], frame)
                except OSError:  # its queue is full
                    self.dropped += 1

    def close(self):
        self.ends = True
        if self.is_alive():
            self.join()
        for fd in self.fds.values():
            os.close(fd)


# --- members ----------------------------------------------------------------------------------------------------------


class Namespaces(Network):
    """Each member in a network namespace of its own: NAME-1 to NAME-3; the cables are in NAME-0."""
    loopback = False

    def __init__(self, node, folder, seed, *options):
        super().__init__(node, folder, *options)
        self.name, self.cables, self.why_good = f"mgc{os.getpid()}", None, ""
        self.spaces = {i: f"{self.name}-{i}" for i in EACH}
        self.seed = seed
        for i in EACH:
            text = self.config(i).read_text()
            for k in EACH:
                text = text.replace(f"127.0.0.1:{self.port + k - 1}", f"10.213.7.{k}:{self.port}")
            self.config(i).write_text(text)

    def make(self):
        """The namespaces alone: whether the machine allows any."""
        for space in (f"{self.name}-0", *self.spaces.values()):
            sh("ip", "netns", "add", space)
            sh("ip", "-n", space, "link", "set", "lo", "up")

    def lay_cables(self):
        hub = f"{self.name}-0"
        try:
            sh("tc", "-n", hub, "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
            self.cables = Bridge(hub, self.spaces, True)
        except OSError as no_netem:
            try:
                self.cables = Relay(self.name, self.spaces, self.seed)
            except OSError as no_tap:
                self.why_good = f"{no_netem}; {no_tap}"
                self.cables = Bridge(hub, self.spaces, False)
        for i, space in self.spaces.items():
            sh("ip", "-n", space, "addr", "add", f"10.213.7.{i}/24", "dev", "eth0")
            sh("ip", "-n", space, "link", "set", "eth0", "up")

    def start(self, i, before=(), **how):
        super().start(i, ("ip", "netns", "exec", self.spaces[i], *before), **how)

    def leader(self, of=EACH):
        """Whom all of these follow, one of them; else 0."""
        known = {self.status(i).get("leader", 0) for i in of}
        return known.pop() if len(known) == 1 and known <= set(of) else 0

    def remove(self):
        self.stop()
        if self.cables:
            self.cables.close()
        for i in range(MEMBERS + 1):
            subprocess.run(["ip", "netns", "del", f"{self.name}-{i}"], stderr=subprocess.DEVNULL)


def sweep():
    """What is left of a test that was killed outright."""
    for space in re.findall(r"^mgc\d+-\d\b", sh("ip", "netns", "list"), re.M):
        if not pathlib.Path("/proc", space[3:].split("-")[0]).exists():
            for pid in sh("ip", "netns", "pids", space).split():
                os.kill(int(pid), signal.SIGKILL)
            sh("ip", "netns", "del", space)


# --- trouble ----------------------------------------------------------------------------------------------------------


def committed(net):
    return (net.folder / "load.out").read_text().count("committed ")


def still(net, seconds):
    """Nothing is acknowledged for as long: more than an election timeout."""
    before = committed(net)
    time.sleep(seconds)
    return committed(net) == before


def partition(tap, net, load, rng):
    """The leader is cut off: the two others go on without it, and when it is back it follows.  Then all are apart."""
    goes_on = lambda n: committed(net) > before + n or load.poll() == 0  # at its end each client has all its answers
    net.wait(lambda: net.leader() != 0)
    old = net.leader()
    others = [i for i in EACH if i != old]
    net.cables.plug(old, False)
    begun = time.monotonic()
    found = net.wait(lambda: net.leader(others) != 0)
    took, before = time.monotonic() - begun, committed(net)
    tap.check("the leader's cable is pulled: the others find a leader, and commit",
              found and net.wait(lambda: goes_on(5)), net.log(old), net.log(others[0]))
    print(f"# after {took:.1f} s")
    net.cables.plug(old, True)
    tap.check("put back, all follow one leader", net.wait(lambda: net.leader() != 0), net.log(old))
    for i in EACH:
        net.cables.plug(i, False)
    tap.check("all apart, nothing is acknowledged any more", net.wait(lambda: still(net, rng.uniform(1.2, 2.0))))
    before = committed(net)
    for i in EACH:
        net.cables.plug(i, True)
    tap.check("together again, they have a leader and commit",
              net.wait(lambda: net.leader() != 0 and goes_on(0)), *(net.log(i) for i in EACH))
    return 1 + MEMBERS


def pull_cables(net, load, rng, end):
    """Pull a member's cable for a while, at times long enough for an election, and kill one now and then."""
    pulled = 0
    while time.monotonic() < end and load.poll() is None:
        i = rng.choice(EACH)
        net.cables.plug(i, False)
        pulled += 1
        time.sleep(rng.uniform(0.2, 3.0))
        if rng.random() < 0.3:
            net.kill(i)
            net.start(i)
        net.cables.plug(i, True)
        time.sleep(rng.uniform(0.2, 2.0))
    return pulled


def over_bad_links(tap, net, bank_load, seconds, seed):
    def trouble(net, load, rng, seconds):
        end = time.monotonic() + seconds
        return partition(tap, net, load, rng) + pull_cables(net, load, rng, end)

    net.lay_cables()
    print(f"# cables: {type(net.cables).__name__.lower()}")
    bank(tap, net, bank_load, seconds, seed, trouble, "cables are pulled")
    name = f"links delay by {DELAY_MS} ms, give or take {JITTER_MS}, and lose {LOSS:.0%}"
    if net.why_good:
        tap.skip(name, f"this machine delays and loses nothing: {net.why_good}")
    else:
        tap.check(name, net.cables.lost() > 0)
        print(f"# {net.cables.lost()} frames lost")


def main():
    node, bank_load = sys.argv[1:3]
    seconds = int(sys.argv[3]) if len(sys.argv) > 3 else 60 if os.environ.get("MGC_TEST_LONG") == "1" else 12
    seed = int(os.environ.get("MGC_TEST_SEED", random.randrange(10**6)))
    missing = [x for x in ("ip", "tc") if shutil.which(x) is None]
    if missing or os.geteuid() != 0:
        print(f"1..0 # SKIP network namespaces need {missing[0] if missing else 'root'}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was made is removed
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="mgchain-spaces-") as folder:
        net = Namespaces(node, os.path.join(folder, "net"), seed, "--bank")
        try:
            try:
                sweep()
                net.make()
            except OSError as why:
                print(f"1..0 # SKIP this machine allows no network namespaces: {why}")
                return 0
            over_bad_links(tap, net, bank_load, seconds, seed)
        finally:
            net.remove()
    print(f"1..{tap.n}")
    return tap.bad > 0


if __name__ == "__main__":
    sys.exit(main())
