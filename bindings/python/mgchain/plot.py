# SPDX-License-Identifier: Apache-2.0
"""Pictures of a day with matplotlib, for notebooks: the report's, each as a function.

    from mgchain import plot
    plot.dispatch(result.plan, "hospital")
    plot.day(result, "pictures/")            # all of them, as files

matplotlib is asked for when a picture is drawn.  Every function takes ax=, draws there or on a new figure, and
returns the axes.  Colours are those of Okabe and Ito, which every eye tells apart; of devices the report's.
"""
from __future__ import annotations

import math
import os
import pathlib
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from .alliance import Result
from .case import Case, Device, Microgrid, Model, Plan
from .errors import MgcError
from .report import Bounds, Caution, Figure, caution as measured_caution, ledger_figures

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#999999")
# As the report has them: a kind of device looks the same at every member; the second and third of its kind lighter, darker.
KINDS = {"pv": ("#eac619", "#f3de7a", "#b8980a"), "wind": ("#73d3fe", "#b3e6ff", "#3fa6d6"),
         "renewable": ("#91b25f", "#bdd39a", "#6c8a3f"), "chp": ("#d95812", "#f0965a", "#a3400a"),
         "gas_boiler": ("#7a3a22", "#a8735e", "#55260f"), "electric_boiler": ("#dd86ad", "#eebbd2", "#b65f86"),
         "heat_pump": ("#ca43aa", "#e08cca", "#93267a"), "storage": ("#0a37a3", "#9165fe", "#5a7de0"),
         "load": ("#b4bcc4", "#d5dade", "#8e979f")}
GRID, TRADES = "#5a6469", ("#05925e", "#8fd1bc", "#00694d")


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
    return any(abs(value) > 1e-6 for value in values)


def _devices(plan: Plan, microgrid: str, *kinds: str) -> List[str]:
    return [name for name, kind in plan._shape.devices[microgrid].items() if kind in kinds]


def _colours(plan: Plan, microgrid: str, names: Sequence[str]) -> Dict[str, str]:
    """Of what supplies a member and takes from it; members by the order of their first flow."""
    kinds, found = plan._shape.devices[microgrid], {}
    others = list(dict.fromkeys(name.split(" ", 1)[1] for name in names if name not in kinds and " " in name))
    for name in names:
        if name in kinds:
            alike = [other for other, kind in kinds.items() if kind == kinds[name]]
            found[name] = KINDS.get(kinds[name], ("#777777",) * 3)[alike.index(name) % 3]
        elif name.startswith(("from ", "to ")):
            found[name] = TRADES[others.index(name.split(" ", 1)[1]) % 3]
        else:
            found[name] = GRID
    return found


def _money(result: Result) -> str:
    return result.case.currency if result.case is not None else "currency"


def _flows(plan: Plan, microgrid: str, scenario: int,
           carrier: str) -> Tuple[Dict[str, List[float]], Dict[str, List[float]]]:
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
    return {name: plan._shape.carriers[microgrid].get(name,
                                                      "electricity") for name in _devices(plan, microgrid, "storage")}


def _loads(plan: Plan, microgrid: str) -> Dict[str, str]:
    return {name: plan._shape.carriers[microgrid].get(name, "electricity") for name in _devices(plan, microgrid, "load")}


def dispatch(plan: Plan, microgrid: str, scenario: int = 0, carrier: str = "electricity", ax: Any = None) -> Any:
    """What supplies a member, upwards, and what takes from it, downwards, hour by hour."""
    ax = _axes(ax)
    supply, use = _flows(plan, microgrid, scenario, carrier)
    names = list(dict.fromkeys([*supply, *use]))
    hours, colours = _hours(plan), _colours(plan, microgrid, names)
    for flows, sign in ((supply, 1.0), (use, -1.0)):
        base = [0.0] * len(hours)
        for name, values in flows.items():
            ax.bar(hours, [sign * v for v in values], width=0.9 * plan.hours, bottom=base, align="edge",
                   color=colours[name], label=name if sign > 0 or name not in supply else None)
            base = [b + sign * v for b, v in zip(base, values)]
    ax.axhline(0.0, color="black", linewidth=0.8)
    ax.set(title=f"{microgrid}: {carrier}, scenario {scenario}", xlabel="hour", ylabel="kW")
    if names:
        ax.legend(fontsize="small", ncols=2, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax


def storage(plan: Plan, microgrid: str, scenario: int = 0, ax: Any = None) -> Any:
    """Energy in a member's stores at the end of each period."""
    ax = _axes(ax)
    stores = _stores(plan, microgrid)
    for name, colour in _colours(plan, microgrid, list(stores)).items():
        ax.step(_hours(plan), plan.series(microgrid, name, "energy_kwh", scenario), where="post",
                color=colour, linestyle="--" if stores[name] == "heat" else "-", label=name)
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
    top = max((value for row in table for value in row), default=0.0)
    for i, row in enumerate(table):
        for j, value in enumerate(row):
            ax.text(j, i, f"{value:,.0f}" if value else "-", ha="center", va="center",
                    color="black" if value > 0.6 * top else "white")
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
        image = ax.imshow([list(trade.sent_kw) for trade in found], aspect="auto", cmap="cividis",
                          interpolation="nearest")
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
    ax.margins(y=0.12)  # room for the numbers
    ax.set(title="cost of the day", ylabel=_money(result))
    ax.legend(fontsize="small")
    return ax


def payments(result: Result, ax: Any = None) -> Any:
    """What each member pays (right) or receives (left), and what cooperation leaves it."""
    ax = _axes(ax)
    members = list(result.members.values())
    rows = range(len(members))
    ax.barh([r - 0.2 for r in rows], [m.payment for m in members], height=0.38, color=COLOURS[3],
            label="pays (negative: receives)")
    ax.barh([r + 0.2 for r in rows], [m.saving for m in members], height=0.38, color=COLOURS[2], label="saves in the end")
    ax.set_yticks(rows, [m.id for m in members])
    ax.axvline(0.0, color="black", linewidth=0.8)
    ax.set(title="Nash bargaining: payments and shares of the gain", xlabel=_money(result))
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
    owner: Any = site[device] if device else site
    weights = list(site.probability)
    hours = [model.hours * t for t in range(model.periods)]
    series = [[owner.get(key, k, t) for t in range(model.periods)] for k in range(site.scenarios)]
    for values, weight in zip(series, weights):
        ax.plot(hours, values, color=COLOURS[5], alpha=min(1.0, 0.3 + 2 * weight), linewidth=1.0)
    ax.plot(hours, [sum(w * v for w, v in zip(weights, column)) for column in zip(*series)], color=COLOURS[0],
            linewidth=2.5, label="expected")
    ax.set(title=f"{microgrid}: {device} {key}, {len(series)} scenarios", xlabel="hour",
           ylabel={"kw": "kW", "kwh": "kWh"}.get(key.rsplit("_", 1)[-1], ""))
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
    ax.set_xticks(range(len(plan.probability(microgrid))))
    ax.legend(fontsize="small")
    return ax


def prices(result: Result, ax: Any = None) -> Any:
    """Prices of the trades, hour by hour."""
    ax = _axes(ax)
    for at, trade in enumerate(result.trades):
        values = [p if s > 1e-6 else float("nan") for s, p in zip(trade.sent_kw, trade.price_per_kwh)]
        ax.plot(range(len(values)), values, marker="o", markersize=3, color=COLOURS[at % len(COLOURS)],
                label=f"{trade.seller} → {trade.buyer}, {trade.carrier}")
    ax.set(title="prices of what is traded", xlabel="period", ylabel=f"{_money(result)}/kWh")
    if ax.lines:
        ax.legend(fontsize="small")
    return ax


def chord(result: Result, ax: Any = None) -> Any:
    """Who sends to whom over the day: an arrow as wide as the energy; electricity full, heat dashed."""
    ax = _axes(ax, (5, 5))
    names = list(result.members)
    place = {name: (math.cos(math.pi / 2 - 2 * math.pi * i / len(names)),
                    math.sin(math.pi / 2 - 2 * math.pi * i / len(names)))
             for i, name in enumerate(names)}
    most = max((trade.sent_kwh for trade in result.trades), default=0.0)
    for trade in result.trades:
        if trade.sent_kwh > 1e-3 * most:
            heat = trade.carrier == "heat"
            ax.annotate("", xy=place[trade.buyer], xytext=place[trade.seller],
                        arrowprops={"arrowstyle": "-|>", "linewidth": 1 + 7 * trade.sent_kwh / most,
                                    "color": COLOURS[names.index(trade.seller) % len(COLOURS)],
                                    "linestyle": "--" if heat else "-",
                                    "connectionstyle": f"arc3,rad={0.35 if heat else 0.15}",
                                    "shrinkA": 14, "shrinkB": 14})
    for i, (name, (x, y)) in enumerate(place.items()):
        ax.plot([x], [y], "o", markersize=16, color=COLOURS[i % len(COLOURS)])
        ax.text(1.22 * x, 1.22 * y, name, ha="center", va="center")
    ax.set(title="who sends to whom", xlim=(-1.6, 1.6), ylim=(-1.5, 1.5), aspect="equal")
    ax.axis("off")
    return ax


def _pairs(ax: Any, names: Sequence[str], bars: Sequence[Tuple[str, Sequence[float], str]], form: str = "%.0f") -> None:
    """Bars side by side for each name, with their numbers above."""
    width = 0.8 / len(bars)
    for at, (label, values, colour) in enumerate(bars):
        shift = (at - (len(bars) - 1) / 2) * width
        ax.bar_label(ax.bar([i + shift for i in range(len(names))], list(values), width=0.95 * width, color=colour,
                            label=label), fmt=form,
                     fontsize="small")
    ax.set_xticks(range(len(names)), list(names))
    ax.axhline(0.0, color="black", linewidth=0.8)
    ax.margins(y=0.12)
    ax.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.01, 0.5))


def split(result: Result, ax: Any = None) -> Any:
    """How the gain is split: asymmetric Nash bargaining gives each its power's share."""
    ax, members = _axes(ax), list(result.members.values())
    power, gain = sum(m.weight for m in members), result.saving
    _pairs(ax, [m.id for m in members], [("bargaining power", [100 * m.weight / power for m in members], COLOURS[7]),
                                         ("share of the gain",
                                          [100 * m.saving / gain if gain > 0 else 0.0 for m in members], COLOURS[2])],
           "%.1f")
    ax.set(title="how the gain is split", ylabel="%")
    return ax


def _alone_and_together(result: Result, what: str, ax: Any, title: str, unit: str) -> Any:
    ax, names = _axes(ax), list(result.members)
    _pairs(ax, names, [("alone", [result.alone.number(name, what) for name in names], COLOURS[7]),
                       ("together", [result.plan.number(name, what) for name in names], COLOURS[2])])
    ax.set(title=title, ylabel=unit)
    return ax


def emissions(result: Result, ax: Any = None) -> Any:
    """Emissions alone and together, expected in the worst case."""
    return _alone_and_together(result, "emission_kg", ax, "emissions, expected in the worst case", "kg CO₂")


def renewables(result: Result, ax: Any = None) -> Any:
    """Renewable energy used alone and together, expected in the worst case."""
    return _alone_and_together(result, "renewable_used_kwh", ax,
                               "renewable energy used, expected in the worst case", "kWh")


def _setting(owner: Union[Microgrid, Device], key: str, period: int = 0) -> float:
    try:
        return owner.get(key, 0, period)
    except MgcError:
        return 0.0


def _free_emission(plan: Plan, site: Microgrid, name: str) -> float:
    """[kg] The member's quota, and that of its devices' output, expected under the plan's worst-case probabilities."""
    quota, weights = _setting(site, "carbon_quota_kg"), list(plan.probability(name))
    for id, device in site.devices.items():
        rates = [_setting(device, "quota_kg_per_kwh", t) for t in range(plan.periods)]
        if any(rates):
            output = "heat_kw" if device.type == "gas_boiler" else "power_kw"
            quota += sum(weight * sum(rate * kw * plan.hours for rate, kw in zip(rates, plan.series(name, id, output, k)))
                         for k, weight in enumerate(weights))
    return quota


def ladder(result: Result, microgrid: str, model: Optional[Union[Model, Case]] = None, ax: Any = None) -> Any:
    """The price of one more kilogram of CO₂ over the kilograms above the free quota, and where the member stands."""
    source = model if model is not None else result._case
    if source is None:
        raise ValueError("ladder: the result does not know its case; give its model")
    ax, site = _axes(ax), source.microgrids[microgrid]
    base, width, growth = (_setting(site, f"carbon.{key}") for key in ("price_per_kg", "tier_width_kg", "tier_growth"))
    tiers = max(1, int(_setting(site, "carbon.tiers")))
    marks = {name: plan.number(microgrid, "emission_kg") - _free_emission(plan, site, microgrid)
             for name, plan in (("alone", result.alone), ("together", result.plan))}
    left, right = min(-0.5 * width, *marks.values()) - 0.1 * width, max(tiers * width, *marks.values()) + 0.2 * width
    prices = [_setting(site, "carbon.reward_price_per_kg"), *(base * (1 + j * growth) for j in range(tiers))]
    ax.stairs(prices, [left, *(j * width for j in range(tiers)), right], baseline=None, color="black", linewidth=1.5)
    for (name, at), colour, style in zip(marks.items(), (COLOURS[3], COLOURS[0]), ("--", "-")):
        ax.axvline(at, color=colour, linestyle=style, label=f"{name}: {at:,.0f} kg")
    ax.set(title=f"{microgrid}: the carbon ladder", xlabel="kg above the free quota",
           ylabel=f"{_money(result)}/kg", ylim=(0, None))
    ax.legend(fontsize="small")
    return ax


def robustness(cautions: Sequence[Caution], ax: Any = None) -> Any:
    """What each attitude costs: on average as in the past, as bad as it fears, at worst.  See
    mgchain.report.caution()."""
    ax = _axes(ax)
    _pairs(ax, [c.name for c in cautions],
           [("expected, as often as in the past", [c.nominal for c in cautions], COLOURS[7]),
            ("promised: as bad as it fears", [c.promised for c in cautions], COLOURS[2]),
            ("the worst scenario", [c.worst_scenario for c in cautions], COLOURS[3])])
    ax.set(title="the price of robustness", ylabel="currency")
    return ax


def bounds(found: Bounds, ax: Any = None) -> Any:
    """Upper and lower bound of column-and-constraint generation, iteration by iteration."""
    ax = _axes(ax)
    x = range(1, len(found.upper) + 1)
    ax.plot(x, found.upper, marker="v", color=COLOURS[3], label="upper bound")
    ax.plot(x, found.lower, marker="^", color=COLOURS[0], label="lower bound")
    ax.set(title="column-and-constraint generation", xlabel="iteration", ylabel="currency")
    ax.set_xticks(list(x))
    ax.legend(fontsize="small")
    return ax


def figure(drawn: Figure, ax: Any = None) -> Any:
    """A figure of the report's: those of mgchain.report.ledger_figures(), or one's own."""
    ax, names = _axes(ax), list(drawn.series)
    points = len(next(iter(drawn.series.values())))
    if drawn.kind == "states":
        for row, values in enumerate(drawn.series.values()):
            for word in range(len(drawn.words)):
                cells = [t for t, value in enumerate(values) if value == word]
                ax.barh([row] * len(cells), [0.9] * len(cells), left=cells, height=0.8,
                        color=COLOURS[word % len(COLOURS)],
                        label=drawn.words[word] if row == 0 else None)
        ax.set_yticks(range(len(names)), names)
        ax.set_xlim(0, points)
        ax.invert_yaxis()
    else:
        base = [0.0] * points
        for at, (name, values) in enumerate(drawn.series.items()):
            colour = COLOURS[at % len(COLOURS)]
            if drawn.kind == "lines":
                ax.plot(range(points), values, color=colour, label=name)
            elif drawn.kind == "stacks":
                ax.bar(range(points), values, bottom=base, color=colour, label=name)
                base = [b + v for b, v in zip(base, values)]
            else:
                ax.bar([i + 0.8 * (at + 0.5) / len(names) - 0.4 for i in range(points)], values,
                       width=0.76 / len(names), color=colour, label=name)
    if drawn.labels:
        step = max(1, points // 12)
        ax.set_xticks([t + (0.45 if drawn.kind == "states" else 0.0) for t in range(0, points, step)],
                      list(drawn.labels)[::step])
    ax.set_title(f"{drawn.title}\n{drawn.unit}", fontsize="medium")
    ax.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax


def ledger(node: Any, case: Case, folder: Union[str, "os.PathLike[str]"], dpi: int = 120) -> List[str]:
    """Draw what stands on a ledger (a Node or a Ledger) of a case's day into a folder as PNG; the paths."""
    place = pathlib.Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    return [_kept(place / f"ledger-{drawn.title.lower().replace(' ', '-')}.png", figure(drawn),
                  dpi) for drawn in ledger_figures(node, case)]


def _kept(path: "pathlib.Path", ax: Any, dpi: int) -> str:
    from matplotlib import pyplot
    ax.figure.savefig(path, dpi=dpi)
    pyplot.close(ax.figure)
    return str(path)


def _days_own(result: Result, caution: bool, source: Any) -> List[Tuple[str, Any]]:
    """What one picture shows for all members."""
    named = [("costs", costs), ("payments", payments), ("split", split), ("emissions", emissions),
             ("renewables", renewables), ("trades", trades),
             ("chord", chord), ("trade-hours", trade_hours), ("prices", prices), ("convergence", convergence)]
    made: List[Tuple[str, Any]] = [(name, lambda draw=draw: draw(result)) for name, draw in named]
    if caution and source is not None:
        cautions, found = measured_caution(source)
        if cautions:
            made += [("robustness", lambda: robustness(cautions)), ("bounds", lambda: bounds(found))]
    return made


def _sites_own(result: Result, source: Any, site: str) -> List[Tuple[str, Any]]:
    """What a member has a picture of its own for."""
    plan, made = result.plan, []  # type: Tuple[Plan, List[Tuple[str, Any]]]
    for carrier in ("electricity", "heat"):
        supply, use = _flows(plan, site, 0, carrier)
        if supply or use:
            made.append((f"dispatch-{site}-{carrier}", lambda carrier=carrier: dispatch(plan, site, 0, carrier)))
    if _stores(plan, site):
        made.append((f"storage-{site}", lambda: storage(plan, site)))
    if source is not None and _setting(source.microgrids[site], "carbon.price_per_kg") > 0:
        made.append((f"carbon-{site}", lambda: ladder(result, site, source)))
    if source is not None and source.microgrids[site].scenarios > 1:
        made.append((f"weights-{site}", lambda: probabilities(plan, source, site)))
        for device, key in _uncertain(source.microgrids[site]):
            made.append((f"fan-{site}-{device}", lambda device=device, key=key: fan(source, site, device, key)))
    return made


def _uncertain(site: Microgrid) -> List[Tuple[str, str]]:
    """Series of a member's devices that differ from scenario to scenario."""
    found = []
    for id, device in site.devices.items():
        key = "demand_kw" if device.type == "load" else "available_kw"
        if device.type in ("load", "pv", "wind", "renewable"):
            drawn = {tuple(device.get(key, k, t) for t in range(site._model.periods)) for k in range(site.scenarios)}
            if len(drawn) > 1:
                found.append((id, key))
    return found


def day(result: Result, folder: Union[str, "os.PathLike[str]"], model: Optional[Union[Model, Case]] = None,
        dpi: int = 120,
        caution: bool = True) -> List[str]:
    """Draw every picture of a day into a folder as PNG; the paths.  caution=False leaves out what solves the day
    again."""
    _axes(None)
    from matplotlib import pyplot
    pyplot.close("all")
    place = pathlib.Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    source = model if model is not None else result._case
    if source is None:
        raise ValueError("ladder: the result does not know its case; give its model")
    drawn = _days_own(result, caution, source)
    for site in result.plan.microgrids:
        drawn += _sites_own(result, source, site)
    return [_kept(place / f"{name}.png", draw(), dpi) for name, draw in drawn]
