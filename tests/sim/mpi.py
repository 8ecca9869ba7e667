# SPDX-License-Identifier: Apache-2.0
"""Agents over MPI find the same trades, prices and payments, bit for bit, as agents in one process.

    mpi.py MPIRUN MGCHAIN-SIM DATA      MPIRUN may be empty: skipped
"""
import json
import os
import subprocess
import sys


def solve(command, case, relax):
    env = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_btl_vader_single_copy_mechanism="none")
    arguments = ["solve", case, "--admm", "--json", "--progress=none"] + (["--relax"] if relax else [])
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
    runs = [(relax, ranks) for relax in (True, False) for ranks in (2, 3, 4)]
    alone = {relax: solve([sim], case, relax) for relax in (True, False)}
    print(f"1..{len(runs)}")
    for number, (relax, ranks) in enumerate(runs, 1):
        together = solve([mpirun, "--oversubscribe", "-n", str(ranks), sim], case, relax)
        same = all(alone[relax][key] == together[key] for key in ("trades", "payment", "standalone_cost", "final_cost"))
        kind = "relaxation" if relax else "on/off decisions"
        print(f"{'ok' if same and together['trades'] else 'not ok'} {number} - {kind}, {ranks} ranks: the same bits")


if __name__ == "__main__":
    main()
