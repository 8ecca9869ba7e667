# SPDX-License-Identifier: Apache-2.0
"""The day after a case's day, for measurements: each series of each scenario times 1 + s z_t, where z is one
autoregressive noise a series (hour to hour 0.8, standard deviation 1); demands and generation s = 0.05, prices s = 0.03.

    roll_day.py CASE.json SEED > NEXT.json
"""
import json
import random
import sys


def noise(rng, n):
    z, out = rng.gauss(0, 1), []
    for _ in range(n):
        out.append(z)
        z = 0.8 * z + 0.6 * rng.gauss(0, 1)
    return out


def moved(rng, value, share):
    if isinstance(value, dict) and "scenarios" in value:
        z = None
        series = []
        for one in value["scenarios"]:
            z = z or noise(rng, len(one))
            series.append([x * max(0, 1 + share * e) for x, e in zip(one, z)])
        return dict(value, scenarios=series)
    if isinstance(value, list):
        return [x * max(0, 1 + share * e) for x, e in zip(value, noise(rng, len(value)))]
    return value


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        case = json.load(f)
    rng = random.Random(int(sys.argv[2]))
    z = noise(rng, case["periods"])
    for key, value in case["market"].items():  # one noise for all prices keeps their order
        if key.endswith("price_per_kwh") and isinstance(value, list):
            case["market"][key] = [x * (1 + 0.03 * e) for x, e in zip(value, z)]
    for site in case["microgrids"]:
        for device in site["devices"]:
            for key in ("demand_kw", "available_kw"):
                if key in device:
                    device[key] = moved(rng, device[key], 0.05)
    json.dump(case, sys.stdout)


if __name__ == "__main__":
    main()
