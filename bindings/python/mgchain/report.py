# SPDX-License-Identifier: Apache-2.0
"""What the report of a day shows besides the bargain itself: checks, what caution costs, and what stands on the ledger.

    result.report("report.html")                    # with the checks, and with what caution costs
    result.report("report.html", ledger=node)       # with the ledger's figures and tables as well
    cautions, bounds = report.caution(case)         # the same numbers, to go on from
"""
from __future__ import annotations

import ctypes
import dataclasses
import math
import os
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from . import _native
from ._base import encode, info_of
from ._native import library
from .case import Case, Model, Plan
from .errors import StateError, UnknownKey
from .ledger import Asked

if TYPE_CHECKING:
    from .alliance import Result

KINDS = {"lines": _native.MGC_FIGURE_LINES, "columns": _native.MGC_FIGURE_COLUMNS, "stacks": _native.MGC_FIGURE_STACKS,
         "states": _native.MGC_FIGURE_STATES}
MEMBERS_MAX, SCENARIOS_MAX = 12, 64  # beyond, the plans that show what caution costs would take longer than the day's own
_ROWS_MAX, _HOURS_MAX, _CREDIT_MAX = 400, 96, 40

Check = Tuple[str, str, bool]


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure of one's own: series by name, each with a value for every point (NAN: nothing there).

    kind    "lines", "columns", "stacks"; "states": a row of cells a series, a value being an index into words,
            negative: none
    labels  below the axis; none: the points' numbers
    """

    title: str
    series: Mapping[str, Sequence[float]]
    kind: str = "lines"
    unit: str = ""
    labels: Sequence[str] = ()
    words: Sequence[str] = ()


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of texts; a header that ends in ">" is aligned right."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: Optional[str] = None


class Caution(NamedTuple):
    """[currency] What one attitude costs, all members together, each for itself."""

    name: str
    nominal: float
    """expected, as often as in the past"""
    promised: float
    """expected, as bad as the plan fears: its own objective"""
    worst_scenario: float
    """sum of each member's worst scenario"""


class Bounds(NamedTuple):
    """[currency] bounds of column-and-constraint generation, iteration by iteration, all members together."""

    upper: List[float]
    lower: List[float]


# --- what caution costs ---------------------------------------------------------------------------------------------


def _copy(model: Model) -> Model:
    return model.window(0, model.periods)


def _certain(model: Model, k: int) -> Model:
    """The model in which scenario k is what comes."""
    copy = _copy(model)
    for site in copy.microgrids.values():
        n = site.scenarios
        site.probability = [float(i == (k if k < n else 0)) for i in range(n)]
    return copy.expected()


def _live_through(plan: Plan, model: Model, name: str) -> Caution:
    """Costs of a plan scenario by scenario, the recourse at its best in each: what the plan's own program leaves open
    where the
    worst case gives a scenario no weight."""
    sites = model.microgrids
    nominal, worst = 0.0, {site: -math.inf for site in sites}
    for k in range(max(site.scenarios for site in sites.values())):
        came = plan.realise(_certain(model, k), relax=1)
        for id, site in sites.items():
            if k < site.scenarios:
                cost = came.number(id, "cost")
                nominal += float(site.probability[k]) * cost
                worst[id] = max(worst[id], cost)
    return Caution(name, nominal, plan.cost, sum(worst.values()))


def _bounds(model: Model) -> Bounds:
    """The day once more by column-and-constraint generation, member after member: a member's bounds close in on each
    other; where
    they do not, the next one's begin.  Who is done stays where it ended."""
    members: List[List[Tuple[float, float]]] = []
    last = (math.inf, -math.inf)

    def note(_iteration: int, upper: float, lower: float) -> None:
        nonlocal last
        slack = 1e-6 * (1 + abs(lower))
        if not members or upper > last[0] + slack or lower < last[1] - slack:
            members.append([])
        last = (upper, lower)
        if math.isfinite(lower):
            members[-1].append(last)

    model.plan(method=_native.MGC_METHOD_CCG, threads=1, relax=1, progress=note).close()
    members = [own for own in members if own]
    steps = range(max(map(len, members), default=0))
    sums = [[sum(own[min(k, len(own) - 1)][end] for own in members) for k in steps] for end in (0, 1)]
    return Bounds([value if math.isfinite(value) else math.nan for value in sums[0]], sums[1])


def caution(case: Union[Case, Model]) -> Tuple[List[Caution], Bounds]:
    """What a plan costs that trusts the past, one that is as cautious as the case says, and one that fears the worst;
    and how the
    bounds of the second one meet.  On/off decisions are relaxed.  Empty where there is one scenario, or too many
    members or scenarios.
    """
    model = case.model if isinstance(case, Case) else case
    scenarios = max((site.scenarios for site in model.microgrids.values()), default=0)
    if len(model.microgrids) > MEMBERS_MAX or not 2 <= scenarios <= SCENARIOS_MAX:
        return [], Bounds([], [])
    found = []
    plans: Tuple[Tuple[str, Optional[Tuple[str, ...]]], ...] = (("trusts the past", ()), ("as planned", None), ("fears the worst", ("worst_case",)))
    for name, sets in plans:
        copy = _copy(model)
        for site in copy.microgrids.values() if sets is not None else ():
            site.clear_ambiguity()
            for ambiguity in sets or ():
                site.add_ambiguity(ambiguity)
        plan = copy.plan(relax=1)
        if plan.outcome == "optimal":
            found.append(_live_through(plan, model, name))
    return found, _bounds(model)


# --- checks ---------------------------------------------------------------------------------------------------------


def certificate_checks(result: "Result") -> List[Check]:
    """The certificate of the bargain, line by line: (what was looked at, what was found, whether it holds)."""
    cert, cost, bound = result.certificate, result.cost, result.lower_bound
    return [
        ("payments sum to zero", f"{cert.payment_sum:.6f}", cert.payment_sum <= 1e-6),
        ("nobody is worse off", f"largest loss of a member {max(cert.worst_loss, 0.0):.6f}", cert.worst_loss <= 1e-6),
        ("gain shared as bargained", f"largest distance from the Nash share {cert.nash:.6f}",
         cert.nash <= 1e-5 * len(result.members) + 1e-9),
        ("both ends agree on every trade", f"largest difference {1000 * cert.imbalance_kw:.4f} W",
         cert.imbalance_kw <= 1e-3),
        ("links within capacity", f"largest excess {1000 * max(cert.capacity_kw, 0.0):.4f} W", cert.capacity_kw <= 1e-6),
        ("cost not below its proven bound",
         f"{cost:.4f} against {bound:.4f}; gap {100 * result.gap:.4f} % of the cost alone",
         cost >= bound - 1e-6 * abs(cost) - 1e-6),
    ]


# --- the ledger -----------------------------------------------------------------------------------------------------


class _DayOf:
    """Slots and times of a case's day."""

    def __init__(self, case: Case) -> None:
        self.slot_ms = int(case.info["period_minutes"]) * 60000
        self.start_ms = int(case.info["start_ms"])
        self.first, self.periods = self.start_ms // self.slot_ms, case.periods

    def holds(self, row: Mapping[str, Any]) -> bool:
        slot = row.get("slot", row.get("first_slot"))
        return slot is None or self.first <= slot < self.first + self.periods


def _clock(ms: int) -> str:
    minutes = ms // 60000 % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _carrier(number: int) -> str:
    return {_native.MGC_CARRIER_HEAT: "heat", _native.MGC_CARRIER_GAS: "gas"}.get(number, "electricity")


def _agreements(rows: Sequence[Mapping[str, Any]], day: _DayOf) -> List[Figure]:
    words: List[str] = []
    cells: Dict[str, List[float]] = {}
    for row in rows:
        if not day.holds(row):
            continue
        heat = ", heat" if row["carrier"] == _native.MGC_CARRIER_HEAT else ""
        if row["state"] not in words and len(words) < 8:
            words.append(row["state"])
        own = cells.setdefault(f"{row['seller']} → {row['buyer']}{heat}", [math.nan] * day.periods)
        own[row["slot"] - day.first] = words.index(row["state"]) if row["state"] in words else math.nan
    labels = [_clock(day.start_ms + i * day.slot_ms) for i in range(day.periods)]
    shown = dict(list(cells.items())[:60])
    return [Figure("Agreements", shown, "states", "state of each, slot by slot, when the day was settled", labels,
                   words)] if shown else []


def _blocks(rows: Sequence[Mapping[str, Any]], day: _DayOf) -> List[Figure]:
    """What every chain wrote, hour by hour of the ledger's clock from the day's eve on."""
    hour_ms, start = 3600000, day.start_ms - 24 * 3600000
    placed = [(row["chain"], (row["time_ms"] - start) // hour_ms, row) for row in rows]
    placed = [found for found in placed if 0 <= found[1] < _HOURS_MAX]
    chains = list(dict.fromkeys(chain for chain, _, _ in placed))[:8]
    if not chains:
        return []
    hours = max(hour for _, hour, _ in placed) + 1
    labels = [_clock(start + i * hour_ms) for i in range(hours)]
    drawn = []
    for column, title, unit in (("transactions", "Transactions",
                                 "executed in each hour, by chain, from the day's eve on"),
                                ("bytes", "Growth of the ledger", "bytes of blocks in each hour, by chain")):
        series = {chain: [0.0] * hours for chain in chains}
        for chain, hour, row in placed:
            if chain in series:
                series[chain][hour] += row[column]
        drawn.append(Figure(title, series, "stacks", unit, labels))
    return drawn


def _credit(rows: Sequence[Mapping[str, Any]]) -> List[Figure]:
    rows = rows[:_CREDIT_MAX]
    if not rows:
        return []
    series = {"at first": [5000.0] * len(rows), "after the day": [float(row["trade"]) for row in rows]}
    return [Figure("Trading credit", series, "columns", "of 10000, by member",
                   [str(row["name"]) for row in rows])]


def _asker(ledger: Asked, caller: Union[None, int, str]) -> int:
    """Number of the member whose view is drawn; by default the ledger's own one, else the regulator's, who sees
    everything."""
    who = caller if caller is not None else ledger.caller or "regulator"
    if isinstance(who, int):
        return who
    for row in ledger.query("members", caller=0):
        if row["name"] == who:
            return row["id"]
    if caller is None:
        return 0
    raise UnknownKey(_native.MGC_E_UNKNOWN_KEY, f"python: there is no member {who!r}")


def ledger_figures(ledger: Asked, case: Case, caller: Union[None, int, str] = None) -> List[Figure]:
    """A day on the ledger: the state of every agreement, transactions and bytes hour by hour, credit.

    ledger  a Ledger or a Node
    caller  number or name of the member whose view is drawn; default: the ledger's own, else the regulator, who sees
            everything
    """
    day, who = _DayOf(case), _asker(ledger, caller)
    trades, blocks, credit = (list(ledger.query(what, caller=who)) for what in ("trades", "blocks", "credit"))
    return _agreements(trades, day) + _blocks(blocks, day) + _credit(credit)


_TABLES: Tuple[Tuple[str, str, Optional[str], Tuple[Tuple[str, str, str], ...]], ...] = (
    ("contracts", "Contracts in force", None,
     (("id", "number>", ""), ("name", "contract", ""), ("version", "version>", ""),
      ("activation_height", "active from height>", ""))),
    ("trades", "Agreements of the "
               "day", "Signed by both sides; money and collateral are reserved until the slot is settled.",
     (("slot", "hour", "slot"), ("seller", "from", ""), ("buyer", "to", ""), ("carrier", "carrier", "carrier"),
      ("wh", "kWh>", "wh"),
      ("delivered_wh", "arrives, kWh>", "wh"), ("price", "price a kWh>", "micro"), ("worth_micro", "worth>", "micro"),
      ("state", "state", ""))),
    ("payments", "Bargaining transfers",
     "What is left of the Nash payments once energy is paid at its price: one transfer a pair and day.",
     (("payer", "pays", ""), ("payee", "to", ""), ("amount_micro", "amount>", "micro"), ("state", "state", ""),
      ("run_hash", "bargain's certificate", "hash"))),
    ("settlement", "Settlement", "Metered against the schedule (nominated and agreed), netted for each member, slot and carrier.",
     (("slot", "hour", "slot"), ("microgrid", "member", ""), ("carrier", "carrier", "carrier"),
      ("metered_wh", "metered, kWh>", "wh"),
      ("position_wh", "scheduled, kWh>", "wh"), ("deviation_wh", "deviation, kWh>", "wh"),
      ("imbalance_micro", "imbalance>", "micro"),
      ("carbon_g", "CO₂, kg>", "wh"), ("state", "state", ""))),
    ("credit", "Credit", "From 0 to 10000, 5000 at first; falls four times faster than it rises. Out of committed "
                         "facts alone.",
     (("name", "member", ""), ("trade", "trading credit>", ""), ("suspended", "suspended", ""))),
    ("blocks", "The ledger", "Each block names its predecessor's hash; every byte can be checked offline with "
                             "mgchain-sim ledger verify.",
     (("chain", "chain", ""), ("height", "height>", ""), ("time_ms", "time", "time"),
      ("transactions", "transactions>", ""),
      ("refused", "refused>", ""), ("bytes", "bytes>", ""), ("hash", "hash", "hash"), ("previous", "previous", "hash"),
      ("votes", "signatures>", ""))),
)


def _written(day: _DayOf) -> Dict[str, Callable[[Any], str]]:
    return {"": str, "micro": lambda value: f"{value / 1e6:.4f}", "wh": lambda value: f"{value / 1e3:.3f}",
            "hash": lambda text: str(text)[:16],
            "carrier": _carrier, "slot": lambda slot: _clock(slot * day.slot_ms), "time": _clock}


def ledger_tables(ledger: Asked, case: Case, caller: Union[None, int, str] = None) -> List[Table]:
    """A day on the ledger as tables: contracts, agreements, transfers, settlement, credit, blocks."""
    day, who, made = _DayOf(case), _asker(ledger, caller), []
    written = _written(day)
    for what, title, note, columns in _TABLES:
        rows = [row for row in ledger.query(what, caller=who) if day.holds(row)][:_ROWS_MAX]
        cells = [[written[kind](row[name]) if row[name] != "" else "" for name, _, kind in columns] for row in rows]
        made.append(Table(title, [header for _, header, _ in columns], cells, note))
    return made


# --- into C ---------------------------------------------------------------------------------------------------------


def _texts(values: Sequence[Any]) -> Any:
    return (ctypes.c_char_p * max(1, len(values)))(*(encode(str(value)) for value in values))


def _raw_checks(given: Sequence[Check]) -> Any:
    rows = (_native.mgc_report_check * len(given))()
    for row, (name, found, ok) in zip(rows, given):
        row.name, row.found, row.ok = encode(name), encode(found), int(ok)
    return rows


def _raw_tables(given: Sequence[Table], kept: List[Any]) -> Any:
    grid = (_native.mgc_report_table * len(given))()
    for table, own in zip(grid, given):
        if any(len(row) != len(own.header) for row in own.rows):
            raise ValueError(f"table {own.title!r}: every row must have {len(own.header)} cells")
        heads, flat = _texts(own.header), _texts([cell for row in own.rows for cell in row])
        table.title, table.note, table.header, table.cell = encode(own.title), encode(own.note), heads, flat
        table.columns, table.rows = len(own.header), len(own.rows)
        kept += [heads, flat]
    return grid


def _raw_figures(given: Sequence[Figure], kept: List[Any]) -> Any:
    grid = (_native.mgc_report_figure * len(given))()
    for figure, own in zip(grid, given):
        points = len(next(iter(own.series.values()), ()))
        if own.kind not in KINDS:
            raise ValueError(f"figure {own.title!r}: kind {own.kind!r}; there are {', '.join(KINDS)}")
        lengths = {len(values) for values in own.series.values()} | {len(own.labels or range(points))}
        if points == 0 or lengths != {points}:
            raise ValueError(f"figure {own.title!r}: every series, and the labels where they are given, must have "
                             f"one value a point")
        names = _texts(list(own.series))
        labels, words = (_texts(texts) if texts else None for texts in (own.labels, own.words))
        values = [float(value) for row in own.series.values() for value in row]
        flat = (ctypes.c_double * len(values))(*values)
        figure.title, figure.unit = encode(own.title), encode(own.unit)
        figure.name, figure.label, figure.word, figure.value = names, labels, words, flat
        figure.series, figure.points, figure.words, figure.kind = len(own.series), points, len(own.words), KINDS[own.kind]
        kept += [names, labels, words, flat]
    return grid


def _raw_cautions(given: Sequence[Caution]) -> Any:
    rows = (_native.mgc_report_caution * len(given))()
    for row, own in zip(rows, given):
        row.name, row.nominal = encode(own.name), own.nominal
        row.promised, row.worst_scenario = own.promised, own.worst_scenario
    return rows


def _measured(case: Case, wanted: Any) -> Tuple[Sequence[Caution], Bounds]:
    """caution= of write(): True, False, or what caution() gave."""
    if wanted is True:
        return caution(case)
    return wanted if wanted else ([], Bounds([], []))


def write(result: "Result", path: Union[str, "os.PathLike[str]"], *, ledger: Optional[Asked] = None,
          caller: Union[None, int, str] = None,
          checks: Sequence[Check] = (), tables: Sequence[Any] = (), figures: Sequence[Figure] = (),
          caution: Any = True,  # noqa: A002
          made_by: Optional[str] = None) -> str:
    """Result.report()."""
    case = result._case
    if case is None or not case._file:
        raise StateError(_native.MGC_E_STATE,
                         "python: the report draws a case from a file or the built-in one; for a case built up in "
                                              "code use mgchain.plot")
    lines = certificate_checks(result) + list(checks)
    figures = (ledger_figures(ledger, case, caller) if ledger is not None else []) + list(figures)
    tables = (ledger_tables(ledger, case,
                            caller) if ledger is not None
              else []) + [t if isinstance(t, Table) else Table(*t) for t in tables]
    feared, (upper, lower) = _measured(case, caution)
    made, kept, realised = info_of(_native.mgc_report), [], result.realised  # type: Tuple[Any, List[Any], Any]
    made.kase, made.alliance = case._handle, result._handle
    if realised is not None:
        made.realised = realised._handle
    made.check, made.checks = _raw_checks(lines), len(lines)
    made.table, made.tables = _raw_tables(tables, kept), len(tables)
    made.figure, made.figures = _raw_figures(figures, kept), len(figures)
    made.caution, made.cautions = _raw_cautions(feared), len(feared)
    made.upper, made.lower = (ctypes.c_double * len(upper))(*upper), (ctypes.c_double * len(lower))(*lower)
    made.bounds = len(upper)
    made.made_by = encode(made_by or f"mgchain {library().mgc_version_string().decode()} from Python", "made_by")
    with result._context.guard:
        result._check(library().mgc_report_write(result._context.handle, encode(os.fspath(path), "path"),
                                                 ctypes.byref(made)))
    return os.fspath(path)
