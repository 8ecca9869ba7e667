# SPDX-License-Identifier: Apache-2.0
"""Pictures of a day with matplotlib, for notebooks: the report's, each as a function.

    from mgchain import plot
    plot.dispatch(result.plan, "hospital")
    plot.day(result, "pictures/")            # all of them, as files

matplotlib is asked for when a picture is drawn.  Every function takes ax=, draws there or on a new figure, and returns the
axes.  Colours are those of Okabe and Ito, which every eye tells apart.
"""
from __future__ import annotations

import os
import pathlib
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from .alliance import Result
from .case import Case, Model, Plan
from .errors import MgcError

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#999999")


def _axes(ax: Any, size: Tuple[float, float] = (8, 3.6)) -> Any:
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError("pictures need matplotlib: apt install python3-matplotlib, or pip install matplotlib") from None
    return pyplot.figure(figsize=size, layout="constrained").add_subplot()


def _hours(plan: Plan) -> List[float]:
    return [plan.hours * t for t in range(plan.periods)]


def _some(values: Sequence[float]) -> bool:
    return max(map(abs, values), default=0.0) > 1e-6


def _devices(plan: Plan, microgrid: str, *kinds: str) -> List[str]:
    return [name for name, kind in plan._shape.devices[microgrid].items() if kind in kinds]


def _flows(plan: Plan, microgrid: str, scenario: int, carrier: str) -> Tuple[Dict[str, List[float]], Dict[str, List[float]]]:
    """What supplies a member and what takes from it, by name, each >= 0."""
    supply: Dict[str, List[float]] = {}
    use: Dict[str, List[float]] = {}
    power, heat = carrier == "electricity", carrier == "heat"

    def put(where: Dict[str, List[float]], name: str, device: str, *quantities: str) -> None:
        try:
            series = [list(plan.series(microgrid, device, quantity, scenario)) for quantity in quantities]
        except MgcError:
            return
        total = [max(0.0, sum(values)) for values in zip(*series)]
        if _some(total):
            where[name] = total

    if power:
        put(supply, "grid", "", "buy_kw", "realtime_buy_kw")
        put(use, "grid", "", "sell_kw", "realtime_sell_kw")
    else:
        put(supply, "heat bought", "", "heat_buy_kw")
    for name in _devices(plan, microgrid, "pv", "wind", "renewable", "chp") if power else []:
        put(supply, name, name, "power_kw")
    for name in _devices(plan, microgrid, "chp", "gas_boiler", "electric_boiler", "heat_pump") if heat else []:
        put(supply, name, name, "heat_kw")
    for name in _devices(plan, microgrid, "electric_boiler", "heat_pump") if power else []:
        put(use, name, name, "power_kw")
    for name, of in _stores(plan, microgrid).items():
        if of == carrier:
            put(supply, name, name, "discharge_kw")
            put(use, name, name, "charge_kw")
    for name, of in _loads(plan, microgrid).items():
        if of == carrier:
            put(use, name, name, "served_kw")
    for index, (first, second, of) in enumerate(plan._shape.links):
        if of == carrier and microgrid in (first, second):
            own, other = ("sent_kw", "sent_back_kw") if microgrid == first else ("sent_back_kw", "sent_kw")
            put(use, f"to {second if microgrid == first else first}", f"LINK:{index}", own)
            put(supply, f"from {second if microgrid == first else first}", f"LINK:{index}", other)
    return supply, use


def _stores(plan: Plan, microgrid: str) -> Dict[str, str]:
    return {name: plan._shape.carriers[microgrid].get(name, "electricity") for name in _devices(plan, microgrid, "storage")}


def _loads(plan: Plan, microgrid: str) -> Dict[str, str]:
    return {name: plan._shape.carriers[microgrid].get(name, "electricity") for name in _devices(plan, microgrid, "load")}


def dispatch(plan: Plan, microgrid: str, scenario: int = 0, carrier: str = "electricity", ax: Any = None) -> Any:
    """What supplies a member, upwards, and what takes from it, downwards, hour by hour."""
    ax = _axes(ax)
    supply, use = _flows(plan, microgrid, scenario, carrier)
    names = list(dict.fromkeys([*supply, *use]))
    hours = _hours(plan)
    for flows, sign in ((supply, 1.0), (use, -1.0)):
        base = [0.0] * len(hours)
        for name, values in flows.items():
            at = names.index(name)
            ax.bar(hours, [sign * v for v in values], width=0.9 * plan.hours, bottom=base, align="edge", color=COLOURS[at % len(COLOURS)],
                   hatch="//" if at >= len(COLOURS) else None, label=name if sign > 0 or name not in supply else None)
            base = [b + sign * v for b, v in zip(base, values)]
    ax.axhline(0.0, color="black", linewidth=0.8)
    ax.set(title=f"{microgrid}: {carrier}, scenario {scenario}", xlabel="hour", ylabel="kW")
    if names:
        ax.legend(fontsize="small", ncols=2, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax


def storage(plan: Plan, microgrid: str, scenario: int = 0, ax: Any = None) -> Any:
    """Energy in a member's stores at the end of each period."""
    ax = _axes(ax)
    for at, name in enumerate(_stores(plan, microgrid)):
        ax.step(_hours(plan), plan.series(microgrid, name, "energy_kwh", scenario), where="post", color=COLOURS[at % len(COLOURS)], label=name)
    ax.set(title=f"{microgrid}: storage, scenario {scenario}", xlabel="hour", ylabel="kWh", ylim=(0, None))
    if ax.lines:
        ax.legend(fontsize="small")
    return ax


def trades(result: Result, ax: Any = None) -> Any:
    """Energy from whom (rows) to whom (columns) over the day, both carriers."""
    ax = _axes(ax, (5, 4))
    names = list(result.members)
    table = [[0.0] * len(names) for _ in names]
    for trade in result.trades:
        table[names.index(trade.seller)][names.index(trade.buyer)] += trade.sent_kwh
    image = ax.imshow(table, cmap="cividis")
    top = max(map(max, table), default=0.0)
    for i, row in enumerate(table):
        for j, value in enumerate(row):
            ax.text(j, i, f"{value:,.0f}" if value else "-", ha="center", va="center", color="black" if value > 0.6 * top else "white")
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(names)), names)
    ax.set(title="traded over the day [kWh]", xlabel="to", ylabel="from")
    ax.figure.colorbar(image, ax=ax)
    return ax


def trade_hours(result: Result, ax: Any = None) -> Any:
    """What is traded hour by hour, a row for each direction of a link that is used."""
    ax = _axes(ax)
    found = list(result.trades)
    if found:
        image = ax.imshow([list(trade.sent_kw) for trade in found], aspect="auto", cmap="cividis", interpolation="nearest")
        ax.figure.colorbar(image, ax=ax, label="kW")
        ax.set_yticks(range(len(found)), [f"{t.seller} → {t.buyer}, {t.carrier}" for t in found])
    ax.set(title="trades", xlabel="period")
    return ax


def costs(result: Result, ax: Any = None) -> Any:
    """What each member pays alone and together."""
    ax = _axes(ax)
    members = list(result.members.values())
    for shift, name, values, colour in ((-0.2, "alone", [m.standalone_cost for m in members], COLOURS[7]),
                                        (0.2, "together", [m.final_cost for m in members], COLOURS[0])):
        bars = ax.bar([i + shift for i in range(len(members))], values, width=0.38, color=colour, label=name)
        ax.bar_label(bars, fmt="%.0f", fontsize="small")
    ax.set_xticks(range(len(members)), [m.id for m in members])
    ax.axhline(0.0, color="black", linewidth=0.8)
    ax.set(title="cost of the day", ylabel="currency")
    ax.legend(fontsize="small")
    return ax


def payments(result: Result, ax: Any = None) -> Any:
    """What each member pays (right) or receives (left), and what cooperation leaves it."""
    ax = _axes(ax)
    members = list(result.members.values())
    rows = range(len(members))
    ax.barh([r - 0.2 for r in rows], [m.payment for m in members], height=0.38, color=COLOURS[3], label="pays (negative: receives)")
    ax.barh([r + 0.2 for r in rows], [m.saving for m in members], height=0.38, color=COLOURS[2], label="saves in the end")
    ax.set_yticks(rows, [m.id for m in members])
    ax.axvline(0.0, color="black", linewidth=0.8)
    ax.set(title="Nash bargaining: payments and shares of the gain", xlabel="currency")
    ax.legend(fontsize="small")
    return ax


def convergence(result: Result, ax: Any = None) -> Any:
    """Disagreement and movement of the agents round by round."""
    ax = _axes(ax)
    history = [r for r in result.history if r.primal > 0 or r.dual > 0]
    x = range(1, len(history) + 1)
    ax.semilogy(x, [max(r.primal, 1e-12) for r in history], color=COLOURS[0], label="disagreement")
    ax.semilogy(x, [max(r.dual, 1e-12) for r in history], color=COLOURS[3], linestyle="--", label="movement")
    ax.set(title="the agents' rounds", xlabel="round", ylabel="relative")
    ax.legend(fontsize="small")
    return ax


def fan(model: Union[Model, Case], microgrid: str, device: str, key: str, ax: Any = None) -> Any:
    """The scenarios of an uncertain series, the day's expectation drawn fat."""
    model = model.model if isinstance(model, Case) else model
    ax, site = _axes(ax), model[microgrid]
    owner, weights = (site[device] if device else site), list(site.probability)
    hours = [model.hours * t for t in range(model.periods)]
    series = [[owner.get(key, k, t) for t in range(model.periods)] for k in range(site.scenarios)]
    for values, weight in zip(series, weights):
        ax.plot(hours, values, color=COLOURS[5], alpha=min(1.0, 0.3 + 2 * weight), linewidth=1.0)
    ax.plot(hours, [sum(w * v for w, v in zip(weights, column)) for column in zip(*series)], color=COLOURS[0], linewidth=2.5, label="expected")
    ax.set(title=f"{microgrid}: {device} {key}, {len(series)} scenarios", xlabel="hour", ylabel={"kw": "kW", "kwh": "kWh"}.get(key.rsplit("_", 1)[-1], ""))
    ax.legend(fontsize="small")
    return ax


def probabilities(plan: Plan, model: Union[Model, Case], microgrid: str, ax: Any = None) -> Any:
    """Nominal probabilities of the scenarios and those that the plan fears."""
    model = model.model if isinstance(model, Case) else model
    ax = _axes(ax)
    for shift, name, values, colour in ((-0.2, "nominal", model[microgrid].probability, COLOURS[7]),
                                        (0.2, "worst case", plan.probability(microgrid), COLOURS[3])):
        ax.bar([k + shift for k in range(len(values))], list(values), width=0.38, color=colour, label=name)
    ax.set(title=f"{microgrid}: weights of the scenarios", xlabel="scenario", ylabel="probability")
    ax.legend(fontsize="small")
    return ax


def prices(result: Result, ax: Any = None) -> Any:
    """Prices of the trades, hour by hour."""
    ax = _axes(ax)
    for at, trade in enumerate(result.trades):
        values = [p if s > 1e-6 else float("nan") for s, p in zip(trade.sent_kw, trade.price_per_kwh)]
        ax.plot(range(len(values)), values, marker="o", markersize=3, color=COLOURS[at % len(COLOURS)],
                label=f"{trade.seller} → {trade.buyer}, {trade.carrier}")
    ax.set(title="prices of what is traded", xlabel="period", ylabel="currency/kWh")
    if ax.lines:
        ax.legend(fontsize="small")
    return ax


def day(result: Result, folder: Union[str, "os.PathLike[str]"], model: Optional[Union[Model, Case]] = None, dpi: int = 120) -> List[str]:
    """Draw every picture of a day into a folder as PNG; the paths."""
    _axes(None)
    from matplotlib import pyplot
    pyplot.close("all")
    place, made = pathlib.Path(folder), []  # type: Tuple[pathlib.Path, List[str]]
    place.mkdir(parents=True, exist_ok=True)
    source = model if model is not None else result._case

    def keep(name: str, ax: Any) -> None:
        path = place / f"{name}.png"
        ax.figure.savefig(path, dpi=dpi)
        pyplot.close(ax.figure)
        made.append(str(path))

    plan = result.plan
    for name, draw in (("costs", costs), ("payments", payments), ("trades", trades), ("trade-hours", trade_hours), ("prices", prices),
                       ("convergence", convergence)):
        keep(name, draw(result))
    for site in plan.microgrids:
        for carrier in ("electricity", "heat"):
            supply, use = _flows(plan, site, 0, carrier)
            if supply or use:
                keep(f"dispatch-{site}-{carrier}", dispatch(plan, site, 0, carrier))
        if _stores(plan, site):
            keep(f"storage-{site}", storage(plan, site))
        if source is not None and source.microgrids[site].scenarios > 1:
            keep(f"weights-{site}", probabilities(plan, source, site))
            load = next(iter(_loads(plan, site)), None)
            if load is not None:
                keep(f"fan-{site}", fan(source, site, load, "demand_kw"))
    return made
