# SPDX-License-Identifier: Apache-2.0
"""One site built up in code: sun, a battery, two scenarios, and a plan that does not trust their probabilities."""
import mgchain as mg

case = mg.Case(periods=4, hours=6.0, buy_price_per_kwh=[0.18, 0.22, 0.30, 0.35], sell_price_per_kwh=0.05,
               realtime_buy_price_per_kwh=0.50, realtime_sell_price_per_kwh=0.01)
farm = case.add_microgrid("farm", scenarios=2, buy_limit_kw=500, sell_limit_kw=500)
farm.probability = [0.7, 0.3]
farm.add_ambiguity("norm1", radius=0.4)  # up to 20 percent points may lie elsewhere
farm.add_device("load", "barn", carrier="electricity", demand_kw=[100, 110, 120, 90])
farm.add_device("pv", "roof", available_kw=[[0, 150, 90, 0], [0, 40, 20, 0]])  # a series for each scenario
farm.add_device("storage", "battery", carrier="electricity", energy_capacity_kwh=600, initial_energy_kwh=200,
                max_charge_kw=100,
                max_discharge_kw=100)

plan = case.plan()
print(f"{plan.outcome}: costs {plan.cost:.2f}, at least {plan.bound:.2f}; feared weights "
      f"{list(map(float, plan.probability('farm')))}")
for period, (buy, energy) in enumerate(zip(plan.series("farm", "", "buy_kw"),
                                           plan.series("farm", "battery", "energy_kwh"))):
    print(f"  period {period}: buys {buy:6.1f} kW, battery {energy:6.1f} kWh")
