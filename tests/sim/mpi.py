# SPDX-License-Identifier: Apache-2.0
"""Agents over MPI find the same trades, prices and payments, bit for bit, as agents in one process.

    mpi.py MPIRUN MGCHAIN-SIM DATA      MPIRUN may be empty: skipped
"""
import json
import os
import subprocess
import sys


def solve(command, case, relax, pool):
    env = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_btl_vader_single_copy_mechanism="none")
    arguments = ["solve", case, "--admm", "--json", "--progress=none"] + (["--relax"] if relax else []) + (["--pool"] if pool else [])
    done = subprocess.run(command + arguments, env=env, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode not in (0, 5):
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def main():
    mpirun, sim, data = sys.argv[1:4]
    if not mpirun:
        print("1..0 # SKIP there is no mpirun")
        return
    case = os.path.join(data, "reference", "one_scenario.json")
    kinds = [(relax, pool) for pool in (False, True) for relax in (True, False)]
    runs = [(kind, ranks) for kind in kinds for ranks in ((2, 4) if kind[1] else (2, 3, 4))]
    alone = {kind: solve([sim], case, *kind) for kind in kinds}
    print(f"1..{len(runs)}")
    for number, (kind, ranks) in enumerate(runs, 1):
        together = solve([mpirun, "--oversubscribe", "-n", str(ranks), sim], case, *kind)
        same = all(alone[kind][key] == together[key] for key in ("trades", "payment", "standalone_cost", "final_cost", "alliance_cost"))
        sound = together["lower_bound"] <= together["alliance_cost"] + 1e-6 and together["gap"] < 1e-2
        name = ("relaxation" if kind[0] else "on/off decisions") + (", a pool" if kind[1] else "")
        print(f"{'ok' if same and sound and together['trades'] else 'not ok'} {number} - {name}, {ranks} ranks: the same bits")


if __name__ == "__main__":
    main()
