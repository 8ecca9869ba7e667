# SPDX-License-Identifier: Apache-2.0
"""From a bargain to a settled ledger, and evidence that holds without it.  Usage: ledger_day.py [FOLDER]"""
import sys
import tempfile

import mgchain as mg

MORNING = 1700006400000  # 2023-11-15T00:00Z in milliseconds

case = mg.Case(periods=4, hours=1.0, buy_price_per_kwh=[0.2, 0.2, 0.35, 0.35], sell_price_per_kwh=0.05,
               realtime_buy_price_per_kwh=0.5,
               realtime_sell_price_per_kwh=0.01)
for name, demand, sun in (("farm", [100, 100, 120, 120], [0, 150, 90, 0]), ("mill", [50, 60, 70, 80], [200, 100, 50, 0])):
    site = case.add_microgrid(name, buy_limit_kw=1000, sell_limit_kw=1000)
    site.add_device("load", "demand", carrier="electricity", demand_kw=demand)
    site.add_device("pv", "roof", available_kw=sun)
case.add_link("farm", "mill", "electricity", capacity_kw=200)

result = case.solve()
print(result)

# Every member signs the agreement; the ledger will name its hash.
keys = mg.Keys(b"for trying out: real members bring their own keys")
record = result.record(run=1)
for number, name in enumerate(case.microgrids, 1):
    record.sign(name, keys.manager(number))

folder = sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="mgchain-")
with mg.Node(folder, keys[5], genesis_time_ms=MORNING - 2 * 86400000) as node:  # 5: whom the genesis names
    day = mg.Day(case, node, keys, start_ms=MORNING, record=record)
    day.set_result(result)
    day.set_realised(result.plan.realise(case.model.expected()))
    day.carry(node, now_ms=MORNING - 86400000)

with mg.Ledger.open(folder, as_="regulator") as ledger:
    print(ledger.verify())
    trusted = ledger.chain("trading").id  # whoever checks knows it from elsewhere
    for trade in ledger.trades(microgrid="farm"):
        shown = trade.proof.verify(trusted)
        print(f"{trade.seller} -> {trade.buyer} slot {trade.slot}: {trade.wh} Wh for {trade.worth_micro / 1e6:.6f}, "
              f"{trade.state}; "
              f"{shown.kind} proved by {len(bytes(trade.proof))} bytes")
print(folder)
