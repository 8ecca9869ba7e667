# SPDX-License-Identifier: Apache-2.0
"""Over MPI the result is, bit for bit, that of one process: trades, prices, payments, bounds, emissions, probabilities.

    mpi.py MPIRUN MGCHAIN-SIM DATA      MPIRUN may be empty: skipped
"""
import json
import os
import subprocess
import sys

GAP = "1e-6"


def solve(command, case, relax, pool, gap):
    env = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_btl_vader_single_copy_mechanism="none")
    arguments = ["solve", case, "--admm", "--json", "--progress=none"] + (["--relax"] if relax else []) + (["--pool"] if pool else []) + (["--gap", gap] if gap else [])
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
    # The last one asks for more than the first prices prove: cases and other plans (lib/bargain/dual*.c) are looked for, too.
    kinds = [(relax, pool, None) for pool in (False, True) for relax in (True, False)] + [(False, False, GAP)]
    runs = [(kind, ranks) for kind in kinds for ranks in ((3,) if kind[2] else (2, 4) if kind[1] else (2, 3, 4))]
    alone = {kind: solve([sim], case, *kind) for kind in kinds}
    print(f"1..{len(runs)}")
    for number, (kind, ranks) in enumerate(runs, 1):
        together = solve([mpirun, "--oversubscribe", "-n", str(ranks), sim], case, *kind)
        differ = [key for key in sorted(alone[kind].keys() | together.keys()) if key != "seconds" and alone[kind].get(key) != together.get(key)]
        sound = together["lower_bound"] <= together["alliance_cost"] + 1e-6 and together["gap"] < 1e-2
        name = ("relaxation" if kind[0] else "on/off decisions") + (", a pool" if kind[1] else "") + (f", gap {kind[2]}" if kind[2] else "")
        good = not differ and sound and together["trades"] and together["seconds"].keys() == alone[kind]["seconds"].keys()
        print(f"{'ok' if good else 'not ok'} {number} - {name}, {ranks} ranks: the same bits {differ or ''}")


if __name__ == "__main__":
    main()
