# SPDX-License-Identifier: Apache-2.0
"""Agents over MPI find the same trades, prices and payments, bit for bit, as agents in one process.

    mpi.py MPIRUN MGCHAIN-SIM DATA
"""
import json
import os
import subprocess
import sys


def solve(command, case):
    env = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_btl_vader_single_copy_mechanism="none")
    done = subprocess.run(command + ["solve", case, "--relax", "--admm", "--json", "--progress=none"], env=env, capture_output=True,
                          text=True, timeout=300, check=False)
    if done.returncode not in (0, 5):
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def main():
    mpirun, sim, data = sys.argv[1:4]
    case = os.path.join(data, "reference", "one_scenario.json")
    alone = solve([sim], case)
    print("1..3")
    for number, ranks in enumerate((2, 3, 4), 1):
        together = solve([mpirun, "--oversubscribe", "-n", str(ranks), sim], case)
        same = all(alone[key] == together[key] for key in ("trades", "payment", "standalone_cost", "final_cost"))
        print(f"{'ok' if same and together['trades'] else 'not ok'} {number} - {ranks} ranks: the same bits")


if __name__ == "__main__":
    main()
