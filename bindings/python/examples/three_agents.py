# SPDX-License-Identifier: Apache-2.0
"""Three members bargain in three processes over pipes: nobody's loads or costs leave its process."""
import multiprocessing
import multiprocessing.connection
import time

import mgchain as mg

DEMAND = {"farm": [100, 100, 120, 120], "mill": [50, 60, 70, 80], "school": [30, 90, 90, 20]}
SUN = {"farm": [0, 150, 90, 0], "mill": [200, 100, 50, 0], "school": [0, 60, 80, 10]}


class Pipes(mg.Bus):
    """A transport of one's own: one pipe to each neighbour."""

    def __init__(self, pipes):
        self.pipes = pipes

    def send(self, to, data):
        self.pipes[to].send_bytes(data)

    def receive(self, timeout_s):
        for pipe in multiprocessing.connection.wait(list(self.pipes.values()), timeout_s):
            try:
                return next(name for name, own in self.pipes.items() if own is pipe), pipe.recv_bytes()
            except EOFError:  # the neighbour is done
                self.pipes = {name: own for name, own in self.pipes.items() if own is not pipe}
        return None


def own_model(name):
    """What one member knows: itself and its links."""
    model = mg.Model(4, 1.0, buy_price_per_kwh=[0.2, 0.2, 0.35, 0.35], sell_price_per_kwh=0.05,
                     realtime_buy_price_per_kwh=0.5,
                     realtime_sell_price_per_kwh=0.01)
    site = model.add_microgrid(name, buy_limit_kw=1000, sell_limit_kw=1000)
    site.add_device("load", "demand", carrier="electricity", demand_kw=DEMAND[name])
    site.add_device("pv", "roof", available_kw=SUN[name])
    for first, second in (("farm", "mill"), ("farm", "school"), ("mill", "school")):
        if name in (first, second):
            model.add_link(first, second, "electricity", capacity_kw=200)
    return model


def member(name, pipes, told):
    bus = Pipes(pipes)
    agent = mg.Agent(own_model(name), name, run=1, members=3, resend_ms=200)
    agreement = agent.bargain(bus)
    told.send((name, agreement.standalone_cost, agreement.payment, agreement.final_cost, str(agreement.trades)))
    end = time.monotonic() + 1.0
    while time.monotonic() < end:  # a neighbour may not have heard everything yet
        for to, data in agent.poll().messages:
            try:
                bus.send(to, data)
            except OSError:
                pass
        arrived = bus.receive(0.1)
        if arrived:
            agent.receive(time.monotonic_ns() // 1000000, *arrived)


def main():
    process = multiprocessing.get_context("spawn")
    pipes = {name: {} for name in DEMAND}
    for first, second in (("farm", "mill"), ("farm", "school"), ("mill", "school")):
        pipes[first][second], pipes[second][first] = process.Pipe()
    hear, told = process.Pipe()
    members = [process.Process(target=member, args=(name, pipes[name], told)) for name in DEMAND]
    for one in members:
        one.start()
    total = 0.0
    for _ in members:
        if not hear.poll(60):
            raise SystemExit("a member did not agree within a minute")
        name, alone, payment, final, trades = hear.recv()
        total += payment
        print(f"{name}: alone {alone:.2f}, pays {payment:+.2f}, together {final:.2f}\n  " + trades.replace("\n", "\n  "))
    for one in members:
        one.join()
    print(f"payments sum to {abs(total):.6f}")


if __name__ == "__main__":
    main()
