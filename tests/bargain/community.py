# SPDX-License-Identifier: Apache-2.0
"""Case of an alliance of N members from real loads (tests/data/community), the same for the same N and seed.

    community.py N [SEED] > CASE.json

Each member has a load of its own: one of 312 series (dwellings, homes, buildings), scaled to a mean of 50 to 200 kW (a
dwelling stands for its street); beyond 312 members the series return with other days and sizes.  60 % have photovoltaics,
40 % batteries, 20 % heat loads with heat pump and boiler.  24 hours, 5 scenarios: 5 days of the two weeks.  Links form a
ring with shortcuts, degree 6: i to i + 1, i + a, i + b with a about the square root of N, b about N / 3.
"""
import csv
import gzip
import json
import os
import random
import sys

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "community")
HOURS, SCENARIOS, DAYS = 24, 5, 14


def columns(name):
    with gzip.open(os.path.join(DATA, name + ".csv.gz"), "rt", encoding="utf-8") as f:
        rows = list(csv.reader(f))
    return {key: [float(row[i]) for row in rows[1:]] for i, key in enumerate(rows[0])}


def mean(x):
    return sum(x) / len(x)


def scenarios(series, first, factor):
    days = [(first + k) % DAYS for k in range(SCENARIOS)]
    return {"scenarios": [[round(factor * x, 3) for x in series[HOURS * d:HOURS * (d + 1)]] for d in days]}


def shortcuts(n):
    steps = [1]
    for wish in (round(n ** 0.5), n // 3, 2, 3, 4):
        if wish not in steps and n - wish not in steps and 0 < wish < n and 2 * wish != n and len(steps) < 3:
            steps.append(wish)
    return steps


def member(i, rng, electric, heat, sun):
    names = sorted(electric)
    name = names[i % len(names)]
    size, first = 50 + 150 * rng.random(), rng.randrange(DAYS)
    power = size / max(mean(electric[name]), 1e-9)
    devices = [{"type": "load", "id": "load", "carrier": "electricity", "demand_kw": scenarios(electric[name], first, power)}]
    has_pv, has_battery, has_heat = rng.random() < 0.6, rng.random() < 0.4, rng.random() < 0.2
    if has_pv:
        peak = size * (1 + 2 * rng.random())
        devices.append({"type": "pv", "id": "pv", "available_kw": scenarios(sun[rng.choice(sorted(sun))], first, peak / 1000),
                        "om_cost_per_kwh": 0.002})
    if has_battery:
        energy = 2 * size
        devices.append({"type": "storage", "id": "battery", "carrier": "electricity", "energy_capacity_kwh": energy,
                        "min_energy_kwh": 0.1 * energy, "initial_energy_kwh": 0.5 * energy, "max_charge_kw": 0.25 * energy,
                        "max_discharge_kw": 0.25 * energy, "charge_efficiency": 0.95, "discharge_efficiency": 0.95,
                        "wear_cost_per_kwh": 0.008})
    if has_heat:
        warm = heat[name] if name in heat else heat[rng.choice(sorted(heat))]
        demand = 0.4 * size / max(mean(warm), 1e-9)
        most = demand * max(warm)
        devices += [{"type": "load", "id": "heat-load", "carrier": "heat", "demand_kw": scenarios(warm, first, demand)},
                    {"type": "heat_pump", "id": "heat-pump", "max_power_kw": most / 6, "coefficient_of_performance": 3.0},
                    {"type": "gas_boiler", "id": "boiler", "max_heat_kw": most, "efficiency": 0.9}]
    return {"id": f"m{i:04d}", "grid": {"buy_limit_kw": 40 * size, "sell_limit_kw": 20 * size, "heat_buy_limit_kw": 0},
            "scenario_probability": [1 / SCENARIOS] * SCENARIOS, "devices": devices}


def main():
    n, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    electric = {**columns("dwellings_elec_Wh"), **columns("homes_elec_Wh"), **columns("buildings_elec_kW")}
    heat = {**columns("dwellings_heat_Wh"), **columns("buildings_heat_kW")}
    sun = columns("homes_pv_W_per_kWp")
    heat = {key: series for key, series in heat.items() if mean(series) > 0}
    buy = [0.16] * 6 + [0.22] * 10 + [0.34] * 5 + [0.22] * 3
    case = {
        "format": "mgchain-case-1", "name": f"community-{n}", "currency": "USD", "start": "2019-07-01T00:00:00Z", "period_minutes": 60,
        "periods": HOURS,
        "market": {"buy_price_per_kwh": buy, "sell_price_per_kwh": [0.06] * HOURS,
                   "realtime_buy_price_per_kwh": [round(1.25 * x, 6) for x in buy], "realtime_sell_price_per_kwh": [0.04] * HOURS,
                   "gas_price_per_kwh": 0.045, "heat_price_per_kwh": 0.12, "unserved_electricity_price_per_kwh": 10,
                   "unserved_heat_price_per_kwh": 5},
        "microgrids": [member(i, random.Random(seed * 1000003 + i), electric, heat, sun) for i in range(n)],
        "links": [{"between": [f"m{i:04d}", f"m{(i + step) % n:04d}"], "carrier": "electricity", "capacity_kw": 100, "loss": 0,
                   "fee_per_kwh": 0.002} for step in shortcuts(n) for i in range(n)],
        "bargaining": {"weights": "equal"},
    }
    json.dump(case, sys.stdout)


if __name__ == "__main__":
    main()
