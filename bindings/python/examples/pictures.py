# SPDX-License-Identifier: Apache-2.0
# A notebook as a script: run it from top to bottom, or cell by cell where your editor knows "# %%".
# Usage: pictures.py [FOLDER [CASE]]
# %% The day
"""The report's pictures, drawn with matplotlib."""
import os
import sys

import mgchain as mg

folder = sys.argv[1] if len(sys.argv) > 1 else "pictures"
case = mg.Case.load(sys.argv[2]) if len(sys.argv) > 2 else mg.Case.builtin()
print(case)
for name, site in case.microgrids.items():
    print(f"  {name}: {site.scenarios} scenarios, {', '.join(site.devices)}")

# %% The bargain
quick = os.environ.get("MGCHAIN_EXAMPLE_QUICK") == "1"  # on/off decisions relaxed: seconds instead of a minute
result = case.solve(progress=True, relax=quick)
print(result)
for member in result.members.values():
    print(f"  {member.id}: alone {member.standalone_cost:.2f}, together {member.final_cost:.2f}, saves "
          f"{member.saving:.2f}")
print(result.trades)

# %% The pictures
try:
    import matplotlib
except ImportError:
    print("no pictures: matplotlib is not installed (apt install python3-matplotlib)")
    raise SystemExit(0)
matplotlib.use("Agg")
from mgchain import plot  # noqa: E402

for path in plot.day(result, folder, dpi=40 if quick else 120):
    print(path)

# %% The ledger: the day signed, delivered and settled, and what stands there
keys, record = mg.Keys(b"for trying out: real members bring their own keys"), result.record(run=1)
for number, name in enumerate(case.microgrids, 1):
    record.sign(name, keys.manager(number))
morning = case.info["start_ms"]
node = mg.Node(mg.MemoryStorage(), keys[5], genesis_time_ms=morning - 2 * 86400000)  # 5: whom the genesis names
day = mg.Day(case, node, keys, start_ms=morning, record=record)
day.set_result(result)
day.set_realised(result.realised or result.plan.realise(case.model.expected()))
day.carry(node, now_ms=morning - 86400000)
for path in plot.ledger(node, case, folder, dpi=40 if quick else 120):
    print(path)

# %% One of them by hand, to go on from
axes = plot.dispatch(result.plan, next(iter(case.microgrids)), scenario=0)
axes.set_title("yours")
axes.figure.savefig(os.path.join(folder, "yours.png"))

# %% The same as one page
print(result.report(os.path.join(folder, "report.html"), ledger=node))
