#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The model a second time, written from doc/math/dispatch.md alone, against mgchain-sim on random cases.

Prints TAP.  Usage: second_program.py MGCHAIN_SIM [CASES [FIRST_SEED]]

Every device, both carriers, scenarios, ladders of carbon, links, every ambiguity set; few periods, so that one case takes a moment.  The
second program shares nothing with the library: matrices by scipy, answers by HiGHS, the worst probabilities by a linear program over the
set or, for the divergences, by a search over the one multiplier, the worst case by cutting planes.
"""
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, linprog, milp
    from scipy.sparse import coo_matrix
except ImportError:
    print("1..0 # SKIP needs scipy (Debian: python3-scipy)")
    sys.exit(0)

SIM = sys.argv[1]
CASES = int(sys.argv[2]) if len(sys.argv) > 2 else 60
FIRST = int(sys.argv[3]) if len(sys.argv) > 3 else 1
PATIENCE = 30 if os.environ.get("MESON_EXE_WRAPPER") else 1  # an emulator
INF = math.inf
watts = 1e-3  # what trades may be off where members must balance exactly [kW]


# --- random cases ---------------------------------------------------------------------------------------------------


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.periods = self.r.choice([3, 4, 6, 8])
        self.minutes = self.r.choice([15, 30, 60, 60])

    def some(self, share):
        return self.r.random() < share

    def number(self, low, high):
        return round(self.r.uniform(low, high), 3)

    def series(self, low, high):
        return self.number(low, high) if self.some(0.3) else [self.number(low, high) for _ in range(self.periods)]

    def uncertain(self, low, high, scenarios):
        if scenarios == 1 or self.some(0.2):
            return self.series(low, high)
        return {"scenarios": [self.series(low, high) for _ in range(scenarios)]}

    def market(self):
        sell, buy = self.number(0, 0.1), [self.number(0.1, 0.3) for _ in range(self.periods)]
        market = {"buy_price_per_kwh": buy, "sell_price_per_kwh": sell,
            "realtime_buy_price_per_kwh": [round(b * self.r.uniform(1, 1.6), 4) for b in buy],
            "realtime_sell_price_per_kwh": round(sell * self.r.uniform(0.3, 1), 4), "gas_price_per_kwh": self.series(0.03, 0.08),
            "heat_price_per_kwh": self.series(0.05, 0.12), "unserved_electricity_price_per_kwh": self.series(2, 10),
            "unserved_heat_price_per_kwh": None if self.some(0.1) else self.number(2, 5), "grid_emission_kg_per_kwh": self.series(0, 0.6),
            "gas_emission_kg_per_kwh": self.number(0, 0.3)}
        if self.some(0.8):
            price = self.number(0, 0.2)
            market["carbon"] = {"price_per_kg": price, "reward_price_per_kg": round(price * self.r.uniform(0, 1), 4),
                "tier_width_kg": self.number(5, 200), "tier_growth": self.number(0, 0.5), "tiers": self.r.randint(1, 4)}
        return market

    def emission(self, device):
        if self.some(0.3):
            device["emission_kg_per_kwh"] = self.number(-0.1, 0.3)
        if self.some(0.3):
            device["quota_kg_per_kwh"] = self.number(0, 0.2)
        if self.some(0.5):
            device["om_cost_per_kwh"] = self.number(0, 0.02)
        return device

    def load(self, carrier, n, scenarios):
        device = {"type": "load", "id": f"{carrier}-load-{n}", "carrier": carrier, "demand_kw": self.uncertain(20, 300, scenarios)}
        if self.some(0.5):
            device.update(shiftable_share=self.series(0, 0.3), shift_cost_per_kwh=self.number(0, 0.03))
        if self.some(0.5):
            device.update(curtailable_share=self.number(0, 0.2), curtail_cost_per_kwh=self.series(0.1, 0.5))
        if self.some(0.2):
            device["unserved_price_per_kwh"] = None if self.some(0.2) else self.number(1, 8)
        return device

    def renewable(self, n, scenarios):
        kind = self.r.choice(["pv", "wind", "renewable"])
        device = {"type": kind, "id": f"{kind}-{n}", "available_kw": self.uncertain(0, 400, scenarios)}
        if self.some(0.4):
            device["curtailment_cost_per_kwh"] = self.number(0, 0.05)
        return self.emission(device)

    def chp(self, n):
        low, high = self.number(10, 80), self.number(100, 300)
        device = {"type": "chp", "id": f"chp-{n}", "min_power_kw": low, "max_power_kw": high, "electric_efficiency": self.number(0.3, 0.45),
            "heat_to_power": self.number(0.5, 1.4), "startup_cost": self.number(0, 10), "no_load_fuel_kw": self.number(0, 30),
            "min_up_periods": self.r.randint(1, 4), "min_down_periods": self.r.randint(1, 4), "initially_on": self.some(0.5)}
        if self.some(0.6):
            device["ramp_kw_per_period"] = self.number(20, 150)
        if self.some(0.2):
            device["heat_fixed"] = True
        device["initial_power_kw"] = self.number(low, min(high, low + 30)) if device["initially_on"] else 0
        return self.emission(device)

    def storage(self, carrier, n):
        size = self.number(50, 500)
        device = {"type": "storage", "id": f"{carrier}-store-{n}", "carrier": carrier, "energy_capacity_kwh": size,
            "min_energy_kwh": round(0.1 * size, 2), "initial_energy_kwh": round(self.r.uniform(0.2, 0.8) * size, 2),
            "max_charge_kw": self.number(10, 200), "max_discharge_kw": self.number(10, 200), "charge_efficiency": self.number(0.85, 1),
            "discharge_efficiency": self.number(0.85, 1), "wear_cost_per_kwh": self.number(0, 0.02)}
        if self.some(0.4):
            device["self_discharge_per_period"] = self.number(0, 0.01)
        if self.some(0.3):
            device["final_energy_kwh"] = device["min_energy_kwh"]
        elif "self_discharge_per_period" in device:
            device["final_energy_kwh"] = round(0.5 * device["initial_energy_kwh"], 2)
        if self.some(0.3):
            device["exclusive"] = True
        return device

    def linear(self, n):
        return {"type": "linear", "id": f"linear-{n}", "variables": {
                "p": {"upper": self.number(20, 100), "electricity": -1, "cost_per_kwh": self.number(-0.02, 0.05), "emission_kg_per_kwh": self.number(-0.2, 0)},
                "g": {"lower": -5, "upper": self.series(30, 80), "gas": -1, "heat": self.number(0, 0.3), "quota_kg_per_kwh": self.number(0, 0.1)}},
            "constraints": [{"terms": {"g": 1, "p": -0.6}, "lower": -10, "upper": 0},
                {"terms": {"p": 1}, "previous": {"p": -1}, "lower": -25, "upper": self.number(10, 40)}]}

    def ambiguity(self, scenarios):
        if scenarios == 1:
            return {}
        kind = self.r.choice(["", "norm1", "norm_inf", "both", "rules", "zhao_guan", "wasserstein", "cvar", "worst_case", "kl", "chi2"])
        radius = self.number(0.01, 0.6)
        return {"": {}, "norm1": {"norm1": {"radius": radius}}, "norm_inf": {"norm_inf": {"radius": radius / 3}},
            "both": {"norm1": {"radius": radius}, "norm_inf": {"radius": radius / 4}},
            "rules": {"samples": 200, "norm1": {"confidence": 0.9}, "norm_inf": {"confidence": 0.9}},
            "zhao_guan": {"samples": 60, "norm1": {"confidence": 0.95, "rule": "zhao_guan"}, "norm_inf": {"confidence": 0.95, "rule": "zhao_guan"}},
            "wasserstein": {"wasserstein": {"radius": radius / 4}}, "cvar": {"cvar": {"level": radius}}, "worst_case": {"worst_case": True},
            "kl": {"kl": {"radius": radius / 4}}, "chi2": {"chi2": {"radius": radius}}}[kind]

    def microgrid(self, n):
        scenarios = self.r.choice([1, 2, 3, 4])
        weights = [self.r.uniform(0.2, 1) for _ in range(scenarios)]
        devices = [self.load("electricity", 0, scenarios)] + [self.load("heat", 1, scenarios)] * self.some(0.7)
        devices += [self.load("electricity", 2, scenarios)] * self.some(0.2) + [self.renewable(3, scenarios)] * self.some(0.7)
        devices += [self.renewable(4, scenarios)] * self.some(0.3) + [self.chp(5)] * self.some(0.5)
        devices += [self.emission({"type": "gas_boiler", "id": "boiler", "max_heat_kw": self.number(50, 400), "efficiency": self.number(0.8, 0.98)})] * self.some(0.5)
        devices += [{"type": "electric_boiler", "id": "e-boiler", "max_power_kw": self.number(10, 100), "coefficient_of_performance": self.number(0.9, 1)}] * self.some(0.2)
        devices += [{"type": "heat_pump", "id": "pump", "max_power_kw": self.number(10, 80), "coefficient_of_performance": self.series(2, 4),
            "om_cost_per_kwh": 0.001}] * self.some(0.3)
        devices += [self.storage("electricity", 6)] * self.some(0.5) + [self.storage("heat", 7)] * self.some(0.4) + [self.linear(8)] * self.some(0.2)
        total = sum(weights)
        probability = [round(w / total, 6) for w in weights[:-1]]
        grid = {"buy_limit_kw": self.r.choice([None, self.series(200, 800)]), "sell_limit_kw": self.r.choice([None, self.number(50, 300)]),
            "heat_buy_limit_kw": self.r.choice([0, 0, None, self.series(50, 300)])}
        site = {"id": f"site{n}", "grid": grid, "carbon_quota_kg": self.number(0, 300), "scenario_probability": probability + [1 - sum(probability)],
            "ambiguity": self.ambiguity(scenarios), "devices": devices}
        if self.some(0.25):
            site["heat_venting"] = False
        if self.some(0.3):
            site["market"] = {"gas_price_per_kwh": self.series(0.03, 0.08), "grid_emission_kg_per_kwh": self.number(0, 0.6)}
            if self.some(0.5) and "wasserstein" not in site["ambiguity"]:
                site["market"]["realtime_buy_price_per_kwh"] = self.uncertain(0.5, 0.9, scenarios)
        return site

    def case(self):
        count = self.r.choice([1, 2, 3, 3])
        sites = [self.microgrid(n) for n in range(count)]
        links = []
        for i in range(count):
            for j in range(i + 1, count):
                for carrier in ("electricity", "heat"):
                    if self.some(0.6 if carrier == "electricity" else 0.3):
                        links.append({"between": [f"site{i}", f"site{j}"], "carrier": carrier, "capacity_kw": self.series(10, 150),
                            "loss": self.r.choice([0, self.number(0, 0.1)]), "fee_per_kwh": self.r.choice([0.004, self.series(0.001, 0.02)])})
        weights = self.r.choice(["equal", "contribution", {f"site{n}": self.number(0.5, 3) for n in range(count)}])
        return {"format": "mgchain-case-1", "name": "random", "currency": "EUR", "start": "2020-01-01T00:00:00Z", "period_minutes": self.minutes,
            "periods": self.periods, "market": self.market(), "microgrids": sites, "links": links, "bargaining": {"weights": weights}}


# --- the second program ---------------------------------------------------------------------------------------------


def spread(value, periods):
    return list(value) if isinstance(value, list) else [value] * periods


def by_scenario(value, scenarios, periods):
    if isinstance(value, dict):
        return [spread(s, periods) for s in value["scenarios"]]
    return [spread(value, periods)] * scenarios


class Program:
    def __init__(self):
        self.cost, self.low, self.high, self.whole, self.rows = [], [], [], [], []

    def column(self, low, high, whole=False):
        self.cost.append(0.0), self.low.append(low), self.high.append(INF if high is None else high), self.whole.append(int(whole))
        return len(self.cost) - 1

    def row(self, terms, low, high):
        self.rows.append((terms, low, high))

    def solve(self, relaxed):
        entry = [(i, j, v) for i, (terms, _, _) in enumerate(self.rows) for j, v in terms.items()]
        rows, columns, values = zip(*entry)
        matrix = coo_matrix((values, (rows, columns)), shape=(len(self.rows), len(self.cost))).tocsr()
        done = milp(self.cost, integrality=np.zeros(len(self.cost)) if relaxed else self.whole, bounds=Bounds(self.low, self.high),
            constraints=LinearConstraint(matrix, [r[1] for r in self.rows], [r[2] for r in self.rows]), options={"mip_rel_gap": 1e-7})
        if done.status == 2:
            return None
        assert done.x is not None, done.message
        return done


def add(terms, column, value):
    terms[column] = terms.get(column, 0.0) + value


class Site:
    """Columns and rows of one microgrid; `first` and `recourse[k]` are its costs as sums over columns with a constant."""

    def __init__(self, program, case, site, links):
        self.p, self.case, self.site = program, case, site
        self.T, self.hours = case["periods"], case["period_minutes"] / 60
        self.market = {**case["market"], **site.get("market", {})}
        self.K = len(site["scenario_probability"])
        self.first, self.recourse, self.constant = {}, [], []
        self.day_ahead(links)
        for k in range(self.K):
            self.recourse.append({}), self.constant.append(0.0)
            self.day(k)

    def price(self, key):
        return spread(self.market.get(key, 0), self.T)

    def day_ahead(self, links):
        grid, hours, p = self.site["grid"], self.hours, self.p
        buy, sell, heat = self.price("buy_price_per_kwh"), self.price("sell_price_per_kwh"), self.price("heat_price_per_kwh")
        self.limit = {key: [INF] * self.T if grid[key] is None else spread(grid[key], self.T) for key in grid}
        self.b, self.s, self.w = ([p.column(0, most) for most in self.limit[key]] for key in ("buy_limit_kw", "sell_limit_kw", "heat_buy_limit_kw"))
        for t in range(self.T):
            add(self.first, self.b[t], hours * buy[t]), add(self.first, self.s[t], -hours * sell[t]), add(self.first, self.w[t], hours * heat[t])
        self.trade = {"electricity": [{} for _ in range(self.T)], "heat": [{} for _ in range(self.T)]}
        for link, columns in links:
            for way in (0, 1):
                if self.site["id"] not in link["between"]:
                    continue
                sends = link["between"][way] == self.site["id"]
                fee = spread(link["fee_per_kwh"], self.T)
                for t in range(self.T):
                    add(self.trade[link["carrier"]][t], columns[way][t], -1 if sends else 1 - link["loss"])
                    add(self.first, columns[way][t], hours * fee[t] / 2)
        self.units, self.modes = {}, {}
        for d in self.site["devices"]:
            if d["type"] == "chp":
                self.units[d["id"]] = self.commitment(d)
            if d["type"] == "storage" and d.get("exclusive"):
                self.modes[d["id"]] = [p.column(0, 1, True) for _ in range(self.T)]

    def commitment(self, d):
        p = self.p
        u, v = [p.column(0, 1, True) for _ in range(self.T)], [p.column(0, 1, True) for _ in range(self.T)]
        before = 1 if d["initially_on"] else 0
        for t in range(self.T):
            add(self.first, v[t], d["startup_cost"])
            if t == 0:
                p.row({v[0]: 1, u[0]: -1}, -before, INF)
            else:
                p.row({v[t]: 1, u[t]: -1, u[t - 1]: 1}, 0, INF)
            terms = {v[i]: 1.0 for i in range(max(0, t - d["min_up_periods"] + 1), t + 1)}
            p.row({**terms, u[t]: -1}, -INF, 0)
            terms = {v[i]: 1.0 for i in range(max(0, t - d["min_down_periods"] + 1), t + 1)}
            back = t - d["min_down_periods"]
            if back >= 0:
                p.row({**terms, u[back]: 1}, -INF, 1)
            else:
                p.row(terms, -INF, 1 - before)
        return u, v

    def day(self, k):
        p, T, hours = self.p, self.T, self.hours
        cost = self.recourse[k]
        self.electricity, self.heat, self.emission = [{} for _ in range(T)], [{} for _ in range(T)], {}
        self.need = {"electricity": [0.0] * T, "heat": [0.0] * T}
        rt_buy = by_scenario(self.market["realtime_buy_price_per_kwh"], self.K, T)[k]
        rt_sell, grid_emission = self.price("realtime_sell_price_per_kwh"), self.price("grid_emission_kg_per_kwh")
        for t in range(T):
            up, down, i = p.column(0, INF), p.column(0, INF), p.column(0, INF)
            net = {self.b[t]: 1, self.s[t]: -1, up: 1, down: -1}
            p.row(net, -self.limit["sell_limit_kw"][t], self.limit["buy_limit_kw"][t])
            p.row({**{c: -a for c, a in net.items()}, i: 1}, 0, INF)
            for c, a in {**net, **self.trade["electricity"][t]}.items():
                add(self.electricity[t], c, a)
            for c, a in {self.w[t]: 1, **self.trade["heat"][t]}.items():
                add(self.heat[t], c, a)
            add(cost, up, hours * rt_buy[t]), add(cost, down, -hours * rt_sell[t]), add(self.emission, i, hours * grid_emission[t])
        for d in self.site["devices"]:
            getattr(self, d["type"])(d, k)
        for t in range(T):
            p.row(self.electricity[t], self.need["electricity"][t], self.need["electricity"][t])
            p.row(self.heat[t], self.need["heat"][t], INF if self.site.get("heat_venting", True) else self.need["heat"][t])
        self.carbon(cost)

    def burn(self, column, t, kw, k):
        """kW of gas for each unit of a column: price and emission."""
        add(self.recourse[k], column, self.hours * self.price("gas_price_per_kwh")[t] * kw)
        add(self.emission, column, self.hours * self.price("gas_emission_kg_per_kwh")[t] * kw)

    def output(self, d, column, k):
        add(self.recourse[k], column, self.hours * d.get("om_cost_per_kwh", 0))
        add(self.emission, column, self.hours * (d.get("emission_kg_per_kwh", 0) - d.get("quota_kg_per_kwh", 0)))

    def load(self, d, k):
        p, cost, hours, carrier = self.p, self.recourse[k], self.hours, d["carrier"]
        demand = by_scenario(d["demand_kw"], self.K, self.T)[k]
        share, cut = spread(d.get("shiftable_share", 0), self.T), spread(d.get("curtailable_share", 0), self.T)
        unserved = d.get("unserved_price_per_kwh", self.market[f"unserved_{carrier}_price_per_kwh"])
        unserved, most = spread(unserved or 0, self.T), INF if unserved is not None else 0
        shift_cost, cut_cost = spread(d.get("shift_cost_per_kwh", 0), self.T), spread(d.get("curtail_cost_per_kwh", 0), self.T)
        balance, kept = getattr(self, carrier), {}
        for t in range(self.T):
            more, less = p.column(0, share[t] * demand[t]), p.column(0, share[t] * demand[t])
            curtailed, missing = p.column(0, cut[t] * demand[t]), p.column(0, min(most, demand[t]))
            self.need[carrier][t] += demand[t]
            for column, sign in ((more, -1), (less, 1), (curtailed, 1), (missing, 1)):
                add(balance[t], column, sign)
            add(cost, less, hours * shift_cost[t]), add(cost, curtailed, hours * cut_cost[t]), add(cost, missing, hours * unserved[t])
            kept[more], kept[less] = 1, -1
        p.row(kept, 0, 0)

    def pv(self, d, k):
        available = by_scenario(d["available_kw"], self.K, self.T)[k]
        for t in range(self.T):
            g = self.p.column(0, available[t])
            add(self.electricity[t], g, 1)
            self.output(d, g, k)
            waste = self.hours * d.get("curtailment_cost_per_kwh", 0)
            add(self.recourse[k], g, -waste)
            self.constant[k] += waste * available[t]

    wind = renewable = pv

    def chp(self, d, k):
        p, (u, v) = self.p, self.units[d["id"]]
        on, power = (1 if d["initially_on"] else 0), d["initial_power_kw"]
        ramp = d.get("ramp_kw_per_period", INF)
        step = max(ramp, d["min_power_kw"])
        last = None
        for t in range(self.T):
            P, H = p.column(0, d["max_power_kw"]), p.column(0, INF)
            p.row({P: 1, u[t]: -d["max_power_kw"]}, -INF, 0), p.row({P: 1, u[t]: -d["min_power_kw"]}, 0, INF)
            p.row({H: 1, P: -d["heat_to_power"]}, 0 if d.get("heat_fixed") else -INF, 0)
            if ramp < INF and t == 0:
                p.row({P: 1, v[0]: -step}, -INF, power + ramp * on)
                p.row({P: -1, u[0]: -ramp + step, v[0]: -step}, -INF, -power + step * on)
            elif ramp < INF:
                p.row({P: 1, last: -1, u[t - 1]: -ramp, v[t]: -step}, -INF, 0)
                p.row({last: 1, P: -1, u[t]: -ramp + step, u[t - 1]: -step, v[t]: -step}, -INF, 0)
            add(self.electricity[t], P, 1), add(self.heat[t], H, 1)
            self.burn(P, t, 1 / d["electric_efficiency"], k), self.burn(u[t], t, d["no_load_fuel_kw"], k)
            self.output(d, P, k)
            last = P

    def gas_boiler(self, d, k):
        for t in range(self.T):
            H = self.p.column(0, d["max_heat_kw"])
            add(self.heat[t], H, 1)
            self.burn(H, t, 1 / d["efficiency"], k), self.output(d, H, k)

    def electric_boiler(self, d, k):
        factor = spread(d["coefficient_of_performance"], self.T)
        for t in range(self.T):
            P = self.p.column(0, d["max_power_kw"])
            add(self.electricity[t], P, -1), add(self.heat[t], P, factor[t])
            add(self.recourse[k], P, self.hours * d.get("om_cost_per_kwh", 0))

    heat_pump = electric_boiler

    def storage(self, d, k):
        p, balance, last = self.p, getattr(self, d["carrier"]), None
        keep, into, out = 1 - d.get("self_discharge_per_period", 0), self.hours * d["charge_efficiency"], self.hours / d["discharge_efficiency"]
        for t in range(self.T):
            c, g = p.column(0, d["max_charge_kw"]), p.column(0, d["max_discharge_kw"])
            end = t == self.T - 1
            least = max(d["min_energy_kwh"], d.get("final_energy_kwh", d["initial_energy_kwh"])) if end else d["min_energy_kwh"]
            e = p.column(least, d["energy_capacity_kwh"])
            start = keep * d["initial_energy_kwh"] if t == 0 else 0
            p.row({e: 1, c: -into, g: out, **({} if t == 0 else {last: -keep})}, start, start)
            add(balance[t], c, -1), add(balance[t], g, 1), add(self.recourse[k], g, self.hours * d["wear_cost_per_kwh"])
            if d.get("exclusive"):
                o = self.modes[d["id"]][t]
                p.row({c: 1, o: -d["max_charge_kw"]}, -INF, 0), p.row({g: 1, o: d["max_discharge_kw"]}, -INF, d["max_discharge_kw"])
            last = e

    def linear(self, d, k):
        last = {}
        for t in range(self.T):
            now = {}
            for name, v in d["variables"].items():
                x = now[name] = self.p.column(spread(v.get("lower", 0), self.T)[t], spread(v.get("upper", INF), self.T)[t])
                add(self.electricity[t], x, v.get("electricity", 0)), add(self.heat[t], x, v.get("heat", 0))
                self.burn(x, t, v.get("gas", 0), k)
                add(self.recourse[k], x, self.hours * v.get("cost_per_kwh", 0))
                add(self.emission, x, self.hours * (v.get("emission_kg_per_kwh", 0) - v.get("quota_kg_per_kwh", 0)))
            for row in d["constraints"]:
                if "previous" in row and t == 0:
                    continue
                terms = {now[name]: a for name, a in row["terms"].items()}
                for name, a in row.get("previous", {}).items():
                    add(terms, last[name], a)
                self.p.row(terms, row["lower"], row["upper"])
            last = now

    def carbon(self, cost):
        """(9): the ladder's tiers rise, so that a linear program fills them in order."""
        ladder = self.market.get("carbon", {"price_per_kg": 0, "reward_price_per_kg": 0, "tier_width_kg": INF, "tier_growth": 0, "tiers": 1})
        under = self.p.column(0, INF)
        balance = {**self.emission}
        add(balance, under, 1), add(cost, under, -ladder["reward_price_per_kg"])
        for j in range(ladder["tiers"]):
            tier = self.p.column(0, ladder["tier_width_kg"] if j < ladder["tiers"] - 1 else INF)
            add(balance, tier, -1), add(cost, tier, ladder["price_per_kg"] * (1 + j * ladder["tier_growth"]))
        self.p.row(balance, self.site["carbon_quota_kg"], self.site["carbon_quota_kg"])

    def value(self, x):
        return sum(a * x[c] for c, a in self.first.items()), [self.constant[k] + sum(a * x[c] for c, a in q.items()) for k, q in enumerate(self.recourse)]


# --- the worst probabilities ----------------------------------------------------------------------------------------


def distances(site, periods):
    nominal = site["scenario_probability"]
    K = len(nominal)
    uncertain = [by_scenario(d[key], K, periods) for d in site["devices"] for key in ("demand_kw", "available_kw") if isinstance(d.get(key), dict)]
    uncertain = [a for a in uncertain if any(any(s) for s in a)]
    table = np.zeros((K, K))
    for a in uncertain:
        size = sum(nominal[k] * sum(a[k]) for k in range(K))
        table += [[sum(abs(x - y) for x, y in zip(a[k], a[m])) / size for m in range(K)] for k in range(K)]
    return table / max(len(uncertain), 1)


def radius(given, K, samples, norm):
    if "radius" in given:
        return given["radius"]
    c, rule = given["confidence"], given.get("rule")
    if rule == "zhao_guan":
        return (K if norm == 1 else 1) / (2 * samples) * math.log(2 * K / (1 - c))
    if norm == 1:
        return math.sqrt(2 / samples * math.log((2 ** K - 2) / (1 - c)))
    return math.sqrt(math.log(2 * K / (1 - c)) / (2 * samples))


def kl_worst(nominal, q, rho):
    def tilt(s):
        e = (q - q.max()) / s
        p = nominal * np.exp(e)
        p /= p.sum()
        return p, float(np.sum(np.where(p > 0, p * np.log(np.maximum(p, 1e-300) / nominal), 0)))
    return by_bisection(tilt, q, rho, nominal)


def chi2_worst(nominal, q, rho):
    def tilt(s):
        """p = max(0, p0 (1 + (q − m)/s)) with m such that p sums to 1."""
        low, high = q.min() - s, q.max() + s
        for _ in range(200):
            m = (low + high) / 2
            p = nominal * np.maximum(0, 1 + (q - m) / s)
            low, high = (m, high) if p.sum() > 1 else (low, m)
        p /= p.sum()
        return p, float(np.sum((p - nominal) ** 2 / nominal))
    return by_bisection(tilt, q, rho, nominal)


def by_bisection(tilt, q, rho, nominal):
    size = q.max() - q.min()
    if size < 1e-12:
        return nominal
    low, high = math.log(size * 1e-9), math.log(size * 1e9)
    for _ in range(200):
        middle = (low + high) / 2
        if tilt(math.exp(middle))[1] > rho:
            low = middle
        else:
            high = middle
    return tilt(math.exp(high))[0]


def worst(site, q, periods):
    """argmax of p·q over the ambiguity set."""
    nominal, sets, q = np.array(site["scenario_probability"]), site["ambiguity"], np.array(q)
    K, samples = len(nominal), sets.get("samples")
    if K == 1 or not sets:
        return nominal
    if "kl" in sets:
        return kl_worst(nominal, q, sets["kl"]["radius"])
    if "chi2" in sets:
        return chi2_worst(nominal, q, sets["chi2"]["radius"])
    # p, then |p - p0| as up and down, then the transport plan.
    n = 3 * K + K * K
    eq, right, ub, most = [], [], [], []
    row = np.zeros(n); row[:K] = 1
    eq.append(row), right.append(1)
    for k in range(K):
        row = np.zeros(n); row[k], row[K + k], row[2 * K + k] = 1, -1, 1
        eq.append(row), right.append(nominal[k])
    bounds = [(0, None)] * n
    if "norm1" in sets:
        row = np.zeros(n); row[K:3 * K] = 1
        ub.append(row), most.append(radius(sets["norm1"], K, samples, 1))
    if "norm_inf" in sets:
        for k in range(2 * K):
            bounds[K + k] = (0, radius(sets["norm_inf"], K, samples, 2))
    if "cvar" in sets:
        for k in range(K):
            bounds[k] = (0, nominal[k] / (1 - sets["cvar"]["level"]))
    if "wasserstein" in sets:
        row = np.zeros(n); row[3 * K:] = distances(site, periods).ravel()
        ub.append(row), most.append(sets["wasserstein"]["radius"])
        for k in range(K):
            row = np.zeros(n); row[3 * K + k * K:3 * K + (k + 1) * K] = 1
            eq.append(row), right.append(nominal[k])
            row = np.zeros(n); row[3 * K + k::K] = 1; row[k] = -1
            eq.append(row), right.append(0)
    done = linprog(-np.concatenate([q, np.zeros(n - K)]), A_ub=ub or None, b_ub=most or None, A_eq=eq, b_eq=right, bounds=bounds, method="highs")
    return done.x[:K]


def optimum(case, ids, relaxed, given=None):
    """Cost of the members `ids` together, and of each, by cutting planes over their worst probabilities; None where there is no plan."""
    p, T = Program(), case["periods"]
    links = []
    for link in case["links"]:
        if not set(link["between"]) <= set(ids):
            continue
        most = spread(link["capacity_kw"], T)
        links.append((link, [[p.column(0, most[t]) for t in range(T)] for _ in (0, 1)]))
    for link, columns in links if given else []:
        for way in (0, 1):
            for t in range(T):
                sent = given[(link["between"][way], link["between"][1 - way], link["carrier"])][t]
                p.low[columns[way][t]], p.high[columns[way][t]] = max(0.0, sent - watts), sent + watts
    sites = [Site(p, case, s, links) for s in case["microgrids"] if s["id"] in ids]
    eta = []
    for site in sites:
        for c, a in site.first.items():
            p.cost[c] += a
        eta.append(p.column(-1e9, INF))
        p.cost[eta[-1]] = 1
    cut = lambda site, column, q: p.row({column: 1, **cut_terms(site, q)}, float(np.dot(q, site.constant)), INF)
    for site, column in zip(sites, eta):
        cut(site, column, np.array(site.site["scenario_probability"]))
    for _ in range(200):
        done = p.solve(relaxed)
        if done is None:
            return None
        upper = []
        added = False
        for site, column in zip(sites, eta):
            first, costs = site.value(done.x)
            q = worst(site.site, costs, T)
            upper.append(first + float(np.dot(q, costs)))
            if float(np.dot(q, costs)) > done.x[column] + 1e-7 * max(1, abs(done.x[column])):
                cut(site, column, q)
                added = True
        if not added:
            return done.fun, {site.site["id"]: u for site, u in zip(sites, upper)}
    raise AssertionError("cutting planes do not end")


def cut_terms(site, q):
    terms = {}
    for k, costs in enumerate(site.recourse):
        for c, a in costs.items():
            add(terms, c, -q[k] * a)
    return terms


# --- the comparison -------------------------------------------------------------------------------------------------


def near(got, want, tolerance, what):
    assert abs(got - want) <= tolerance, f"{what}: {got!r}, the second program says {want!r}, {abs(got - want):.3g} apart where {tolerance:.3g} is allowed"


def alliances(case):
    """Who can trade with whom, over any number of links: nobody pays a member that no link leads to."""
    group = {s["id"]: {s["id"]} for s in case["microgrids"]}
    for link in case["links"]:
        joined = group[link["between"][0]] | group[link["between"][1]]
        for i in joined:
            group[i] = joined
    return group


def weights(case, result):
    given = case["bargaining"]["weights"]
    ids = [s["id"] for s in case["microgrids"]]
    if given == "equal":
        return dict.fromkeys(ids, 1.0)
    if given != "contribution":
        return given
    hours, loss = case["period_minutes"] / 60, {}
    supplied, received = dict.fromkeys(ids, 0.0), dict.fromkeys(ids, 0.0)
    for link in case["links"]:
        loss[frozenset(link["between"]), link["carrier"]] = link["loss"]
    for trade in result["trades"]:
        sent = hours * sum(trade["sent_kw"])
        supplied[trade["from"]] += sent
        received[trade["to"]] += sent * (1 - loss[frozenset((trade["from"], trade["to"])), trade["carrier"]])
    power = {}
    for i, group in alliances(case).items():
        s, r = max(supplied[j] for j in group), max(received[j] for j in group)
        power[i] = math.exp(supplied[i] / s) - math.exp(-received[i] / r) if s > 0 and r > 0 else 0.0
    return power


def final_costs(case, result, optimal):
    """C0 - beta/sum(beta) S of each alliance; `optimal` is each member's cost in it."""
    alone, share, final = result["standalone_cost"], weights(case, result), {}
    for i, group in alliances(case).items():
        surplus, total = sum(alone[j] - optimal[j] for j in group), sum(share[j] for j in group)
        final[i] = alone[i] - (share[i] / total * surplus if total > 0 else 0.0)
    return final


def run(case, folder, *words):
    path = pathlib.Path(folder) / "case.json"
    path.write_text(json.dumps(case))
    done = subprocess.run([SIM, "solve", path, "--json", "--progress=none", *words], capture_output=True, text=True, timeout=120 * PATIENCE)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def compare(case, folder, relaxed):
    ids = [s["id"] for s in case["microgrids"]]
    divergence = any(key in s["ambiguity"] for s in case["microgrids"] for key in ("kl", "chi2"))
    relax = ["--relax"] if relaxed else []
    alone = {i: optimum(case, [i], relaxed) for i in ids}
    if any(a is None for a in alone.values()):
        code, _, said = run(case, folder, *relax, "--alone")
        assert code == 4, f"no plan exists, exit {code}: {said}"
        return "infeasible"
    total = sum(abs(a[0]) for a in alone.values())
    close = (2e-6 if relaxed else 1.1e-4) * max(total, 1)
    code, result, said = run(case, folder, *relax, "--alone")
    assert code == 0, f"exit {code}: {said}"
    for i in ids:
        near(result["standalone_cost"][i], alone[i][0], (2e-6 if relaxed else 1.1e-4) * max(1, abs(alone[i][0])), f"standalone_cost {i}")
    together, _ = optimum(case, ids, relaxed)
    worst_gap = 0.0
    for form in ["--admm"] + ["--central"] * (not divergence):
        code, result, said = run(case, folder, *relax, form, "--gap", "1e-4") if form == "--admm" else run(case, folder, *relax, form)
        assert code in (0, 5) if form == "--admm" else code == 0, f"{form}: exit {code}: {said}"
        allowed = close if form == "--central" else (result["gap"] + 1e-6) * max(total, 1)
        near(result["alliance_cost"], together, allowed, f"{form} alliance_cost")
        assert result["lower_bound"] <= together + 1e-6 * max(total, 1), f"{form}: lower bound {result['lower_bound']} above the optimum {together}"
        near(sum(result["payment"].values()), 0, 1e-6 * max(total, 1), f"{form} sum of payments")
        optimal = {i: result["final_cost"][i] - result["payment"][i] for i in ids}
        near(sum(optimal.values()), result["alliance_cost"], 1e-6 * max(total, 1), f"{form} sum of the members' costs")
        for i, want in final_costs(case, result, optimal).items():
            near(result["final_cost"][i], want, 1e-6 * max(total, 1), f"{form} final_cost {i}")
        sent = {(a, b, l["carrier"]): [0.0] * case["periods"] for l in case["links"] for a, b in (l["between"], l["between"][::-1])}
        for trade in result["trades"]:
            sent[trade["from"], trade["to"], trade["carrier"]] = trade["sent_kw"]
        fixed = optimum(case, ids, relaxed, sent)
        assert fixed is not None, f"{form}: no plan has these trades"
        loose = watts * 10 * case["period_minutes"] / 60 * sum(len(row) for row in sent.values())
        near(fixed[0], result["alliance_cost"], loose + (close if relaxed else 3e-4 * max(total, 1)), f"{form} cost of the trades told")
        worst_gap = max(worst_gap, (result["alliance_cost"] - together) / max(total, 1))
    return f"agrees to {max(worst_gap, 0):.1e} of the cost alone"


def main():
    print(f"1..{CASES}")
    kinds, failed = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(range(FIRST, FIRST + CASES), 1):
            try:
                case = Maker(seed).case()
                kind = compare(case, folder, relaxed=seed % 2 == 0)
                word = kind.split()[0]
                kinds[word] = kinds.get(word, 0) + 1
                print(f"ok {number} - case of seed {seed} {kind}", flush=True)
            except (AssertionError, subprocess.TimeoutExpired, KeyError) as fault:
                failed += 1
                print(f"not ok {number} - case of seed {seed}: {type(fault).__name__}: {str(fault)[:400]}", flush=True)
    print(f"# {kinds}, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
