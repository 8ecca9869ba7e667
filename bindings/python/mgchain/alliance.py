# SPDX-License-Identifier: Apache-2.0
"""Microgrids that trade: what to trade, who pays whom, the proof; agents that bargain over any transport."""
from __future__ import annotations

import ctypes
import dataclasses
import os
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from . import _native
from ._base import (Carrier, Context, Handle, Numbers, copied, decode, encode, fetch, filled, info_of,
                    interruptible, lend, numbers,
                    options, outcome_name, progress_of, room, rows_of)
from ._native import library
from .case import Case, Model, Plan, _Shape
from .crypto import Key
from .errors import StateError

if TYPE_CHECKING:
    from .transport import Bus

CARRIERS = {_native.MGC_CARRIER_ELECTRICITY: "electricity", _native.MGC_CARRIER_HEAT: "heat",
            _native.MGC_CARRIER_GAS: "gas"}
_METHODS = {"admm": _native.MGC_ALLIANCE_ADMM, "central": _native.MGC_ALLIANCE_CENTRAL}
_WEIGHTS = {"equal": _native.MGC_WEIGHTS_EQUAL, "given": _native.MGC_WEIGHTS_GIVEN,
            "contribution": _native.MGC_WEIGHTS_CONTRIBUTION}


def _word(value: Any, words: Mapping[str, int], what: str) -> Any:
    if isinstance(value, str):
        if value not in words:
            raise ValueError(f"{what} is {value!r}; it must be one of {', '.join(words)}")
        return words[value]
    return value


def phase_name(phase: int) -> str:
    """ "alone", "relaxed", "fixed", "pay", ... """
    return decode(library().mgc_phase_name(phase))


@dataclasses.dataclass(frozen=True)
class Member:
    """What a member pays alone and together.  [currency]; a payment is what it pays, negative: it receives."""

    id: str
    standalone_cost: float
    standalone_bound: float
    cost: float
    payment: float
    final_cost: float
    weight: float
    supplied_kwh: float
    received_kwh: float
    lower_bound: float

    @property
    def saving(self) -> float:
        """What cooperation is worth to it."""
        return self.standalone_cost - self.final_cost


@dataclasses.dataclass(frozen=True)
class Trade:
    """One direction of a link on which something is sent."""

    seller: str
    buyer: str
    carrier: str
    link: int
    direction: int
    sent_kw: Any
    price_per_kwh: Any
    sent_kwh: float
    money: float

    def __str__(self) -> str:
        return f"{self.seller} -> {self.buyer}: {self.sent_kwh:.1f} kWh of {self.carrier} for {self.money:.2f}"


class Pair(NamedTuple):
    """Money between two members over the day: first pays second."""

    first: str
    second: str
    payment: float
    trades: float
    transfer: float


class Round(NamedTuple):
    """One round of proposals, for the picture of convergence."""

    phase: str
    round: int
    primal: float
    dual: float
    traded_kwh: float
    disagreement_kw: float


class Trades(Sequence[Trade]):
    """The trades of a result; to_pandas() gives one row a trade and period."""

    def __init__(self, trades: Sequence[Trade]) -> None:
        self._trades = tuple(trades)

    def __len__(self) -> int:
        return len(self._trades)

    def __getitem__(self, index: Any) -> Any:
        return self._trades[index]

    def __repr__(self) -> str:
        return "\n".join(map(str, self._trades)) or "no trades"

    def to_pandas(self) -> Any:
        """A pandas.DataFrame: seller, buyer, carrier, period, sent_kw, price_per_kwh."""
        rows = [{"seller": t.seller, "buyer": t.buyer, "carrier": t.carrier, "period": period, "sent_kw": float(sent),
                 "price_per_kwh": float(price)}
                for t in self._trades for period, (sent, price) in enumerate(zip(t.sent_kw, t.price_per_kwh))]
        return rows_of(("seller", "buyer", "carrier", "period", "sent_kw", "price_per_kwh"), rows)


def _record(kind: Any, info: Any) -> Any:
    """A dataclass or tuple from an info struct whose fields have the same names."""
    names = [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else kind._fields
    values = {name: getattr(info, name) for name in names}
    return kind(**{name: decode(value) if isinstance(value, bytes) else value for name, value in values.items()})


def _trade(info: Any) -> Trade:
    return Trade(decode(info.__getattribute__("from")), decode(info.to), CARRIERS.get(info.carrier, "?"), info.link,
                 info.direction,
                 copied(info.sent_kw, info.periods), copied(info.price_per_kwh, info.periods), info.sent_kwh, info.money)


class Certificate(NamedTuple):
    """What anyone can check of a result, recomputed by code that shares nothing with the rounds; ok: all holds."""

    ok: bool
    imbalance_kw: float
    capacity_kw: float
    payment_sum: float
    pair_sum: float
    worst_loss: float
    nash: float
    gap: float


class Result(Handle):
    """The bargain of an alliance.

        result.saving, result.payment["hospital"], result.trades.to_pandas(), result.report("report.html")
    """

    def __init__(self, context: Context, handle: Any, shape: _Shape, case: Optional[Case],
                 realised: Optional[Model]) -> None:
        super().__init__(context)
        self._own(handle, library().mgc_alliance_destroy)
        self._shape, self._case, self._realised_model = shape, case, realised
        self._realised: Optional[Plan] = None
        self.interrupted = False

    def _info(self) -> Any:
        info = info_of(_native.mgc_alliance_info)
        self._call(library().mgc_alliance_get_info, ctypes.byref(info))
        return info

    @property
    def outcome(self) -> str:
        """ "optimal", "limit", "cancelled", "infeasible" (a member has no plan alone), "numerical" """
        return outcome_name(self._info().outcome)

    @property
    def case(self) -> Optional[Case]:
        """The case that was solved; None where it was a model."""
        return self._case

    @property
    def reason(self) -> str:
        """One line that says how the run ended and which link is to blame where it did not converge."""
        with self._context.guard:
            return decode(library().mgc_alliance_reason(self._handle))

    @property
    def cost(self) -> float:
        """[currency] of the alliance's plan."""
        return self._info().cost

    @property
    def standalone_total(self) -> float:
        """[currency] what the members pay alone, all together."""
        return self._info().standalone_total

    @property
    def saving(self) -> float:
        """[currency] what cooperation saves all together."""
        return self._info().surplus

    @property
    def lower_bound(self) -> float:
        """[currency] proven lower bound of the cost; -inf where none was reached."""
        return self._info().lower_bound

    @property
    def gap(self) -> float:
        """[-] (cost - lower_bound) / max(1, sum of |stand-alone cost|)."""
        return self._info().gap

    @property
    def rounds(self) -> int:
        """Rounds of proposals."""
        return self._info().rounds

    @property
    def no_trade(self) -> bool:
        """Whether cooperation did not pay, so that members stay alone."""
        return bool(self._info().no_trade)

    @property
    def seconds(self) -> Dict[str, float]:
        """[s] of the phases: alone, trade, pay, bound."""
        info = self._info()
        return {name: getattr(info, f"seconds_{name}") for name in ("alone", "trade", "pay", "bound")}

    def _each(self, count: str, struct: type, get: Callable[..., int], made: Callable[[Any], Any]) -> List[Any]:
        found = []
        for index in range(getattr(self._info(), count)):
            info = info_of(struct)
            with self._context.guard:  # what it points to is copied before anyone can close the result
                self._check(get(self._handle, index, ctypes.byref(info)))
                found.append(made(info))
        return found

    @property
    def members(self) -> Dict[str, Member]:
        """Members by id."""
        found = self._each("members", _native.mgc_member_info, library().mgc_alliance_get_member,
                           lambda info: _record(Member, info))
        return {member.id: member for member in found}

    @property
    def payment(self) -> Dict[str, float]:
        """[currency] what each member pays; negative: it receives.  Sums to 0."""
        return {name: member.payment for name, member in self.members.items()}

    @property
    def final_cost(self) -> Dict[str, float]:
        """[currency] cost and payment of each member."""
        return {name: member.final_cost for name, member in self.members.items()}

    @property
    def standalone_cost(self) -> Dict[str, float]:
        """[currency] what each member pays alone."""
        return {name: member.standalone_cost for name, member in self.members.items()}

    @property
    def trades(self) -> Trades:
        """Who sends what to whom, when, at which price."""
        return Trades(self._each("trades", _native.mgc_trade, library().mgc_alliance_get_trade, _trade))

    @property
    def pairs(self) -> List[Pair]:
        """Money between members."""
        return self._each("pairs", _native.mgc_pair, library().mgc_alliance_get_pair, lambda info: _record(Pair, info))

    @property
    def history(self) -> List[Round]:
        """Every round of proposals."""
        return self._each("rounds", _native.mgc_round, library().mgc_alliance_get_round,
                          lambda info: _record(Round, info)._replace(phase=phase_name(info.phase)))

    @property
    def certificate(self) -> Certificate:
        """What anyone can check."""
        info = info_of(_native.mgc_certificate)
        self._call(library().mgc_alliance_certificate, ctypes.byref(info))
        return _record(Certificate, info)._replace(ok=bool(info.ok))

    def _plan(self, together: int) -> Plan:
        raw = ctypes.POINTER(_native.mgc_plan)()
        self._call(library().mgc_alliance_get_plan, together, ctypes.byref(raw))
        return Plan(self._context, raw, self._shape, lender=self)

    @property
    def alone(self) -> Plan:
        """Every member's plan without the others."""
        return self._plan(_native.MGC_DISPATCH_ALONE)

    @property
    def plan(self) -> Plan:
        """The plans with the agreed trades."""
        return self._plan(_native.MGC_DISPATCH_ALLIANCE)

    @property
    def realised(self) -> Optional[Plan]:
        """The day as it was, where the case knows it; computed once."""
        if self._realised is None and self._realised_model is not None:
            self._realised = self.plan.realise(self._realised_model)
        return self._realised

    @property
    def state(self) -> bytes:
        """What to hand to tomorrow's run as start."""
        pointer, n = ctypes.POINTER(ctypes.c_uint8)(), ctypes.c_size_t()
        with self._context.guard:
            self._check(library().mgc_alliance_get_state(self._handle, ctypes.byref(pointer), ctypes.byref(n)))
            return fetch(pointer, n.value)

    def record(self, run: int) -> "Record":
        """The agreement as whole numbers in canonical bytes, for members to sign and anyone to check."""
        raw = ctypes.POINTER(_native.mgc_record)()
        self._call(library().mgc_record_from_alliance, run, ctypes.byref(raw))
        return Record(self._context, raw)

    def report(self, path: Union[str, "os.PathLike[str]"], *, ledger: Any = None, caller: Union[None, int, str] = None,
               checks: Sequence[Tuple[str, str, bool]] = (), tables: Sequence[Any] = (), figures: Sequence[Any] = (),
               caution: Any = True,
               made_by: Optional[str] = None) -> str:
        """Draw the day as one HTML file that needs no network; its path.  For a case from a file or the built-in one.

        ledger   a Node or Ledger that holds the day: its figures and tables, as the member `caller` sees them (number
                 or name; default:
                 the ledger's own, else the regulator)
        checks   further lines below the certificate's own: (name, what was found, whether it holds)
        tables   (title, header, rows) or mgchain.report.Table; a header that ends in ">" is aligned right
        figures  mgchain.report.Figure
        caution  True: solve the day a few times more to show what caution costs, seconds for the built-in one; False:
                 leave it out; or
                 what mgchain.report.caution() gave
        """
        from . import report
        return report.write(self, path, ledger=ledger, caller=caller, checks=checks, tables=tables, figures=figures,
                            caution=caution,
                            made_by=made_by)

    def to_pandas(self) -> Any:
        """Members as a pandas.DataFrame."""
        names = [field.name for field in dataclasses.fields(Member)] + ["saving"]
        return rows_of(names, [{name: getattr(member, name) for name in names}
                                for member in self.members.values()]).set_index("id")

    def __repr__(self) -> str:
        if self.closed:
            return "Result(closed)"
        return (f"Result({self.outcome}, cost {self.cost:.2f}, saving {self.saving:.2f}, {len(self.trades)} trades, "
                f"gap {self.gap:.2g})")


def version() -> str:
    """Version of the library that runs."""
    return decode(library().mgc_version_string())


def solve(model: Model, case: Optional[Case], progress: Any, opts: Mapping[str, Any]) -> Result:
    """Model.solve() and Case.solve()."""
    lib, carrier, given = library(), Carrier(), dict(opts)
    weight, start = given.pop("weight", None), given.pop("start", None)
    if weight is not None and "weights" not in given:
        given["weights"] = "given"
    given["method"] = _word(given.get("method"), _METHODS, "method")
    given["weights"] = _word(given.get("weights"), _WEIGHTS, "weights")
    for name in ("weights_n", "start_len"):
        if name in given:
            raise TypeError(f"there is no option {name!r}")
    made = options(_native.mgc_alliance_opts, given)
    if weight is not None:
        names = list(model.microgrids)
        if isinstance(weight, Mapping):
            weight = [weight[name] for name in names]
        weights = numbers(weight, len(names), "weight")
        made.weight, made.weights_n = weights.pointer, weights.n
    if start is not None:
        made.start, made.start_len = lend(start, what="start")
    out = ctypes.POINTER(_native.mgc_alliance)()

    def adapt(told: Any) -> Tuple[str, int, float, float, float]:
        p = told.contents
        return phase_name(p.phase), p.round, p.primal, p.dual, p.seconds

    def line(phase: str, number: int, primal: float, dual: float, seconds: float) -> str:
        where = f", round {number}, disagreement {100 * primal:.4f} %" if number else ""
        return f"{phase}{where}, {seconds:.1f} s"

    def work() -> None:
        with model._context.guard:
            status = lib.mgc_alliance_solve(model._handle, ctypes.byref(made), ctypes.byref(out))
            carrier.raise_if_any()
            model._check(status)

    shape = _Shape.of(model)
    try:
        with progress_of(progress, line, carrier, _native.callback(_native.mgc_alliance_opts, "progress"),
                         adapt) as thunk:
            made.progress = thunk
            _, interrupted = interruptible(model._context, work)
    except BaseException:
        lib.mgc_alliance_destroy(out)
        raise
    result = Result(model._context, out, shape, case, case.realised if case is not None else None)
    if interrupted:
        try:
            result.plan
        except StateError:
            raise KeyboardInterrupt from None
        result.interrupted = True
    return result


# --- agents ---------------------------------------------------------------------------------------------------------

_STATES = {_native.MGC_AGENT_RUNNING: "running", _native.MGC_AGENT_AGREED: "agreed",
           _native.MGC_AGENT_INFEASIBLE: "infeasible",
           _native.MGC_AGENT_SILENT: "silent", _native.MGC_AGENT_DISAGREED: "disagreed",
           _native.MGC_AGENT_CANCELLED: "cancelled"}


class Step(NamedTuple):
    """What an agent wants after a poll: messages to be sent, and when it is to be asked again."""

    messages: List[Tuple[str, bytes]]
    wake_ms: int
    state: str
    phase: str
    round: int
    reason: str
    primal: float
    dual: float


@dataclasses.dataclass(frozen=True)
class Agreement:
    """The agreement as one member sees it.  Its costs are its own and were never sent to anyone."""

    standalone_cost: float
    standalone_bound: float
    cost: float
    payment: float
    final_cost: float
    lower_bound: float
    rounds: int
    no_trade: bool
    primal: float
    dual: float
    trades: Trades
    pairs: List[Pair]
    bytes: bytes


class Agent(Handle):
    """One member that bargains over the host's own transport: hand in what arrived, send what comes out.

        agent = Agent(model, "hospital", run=17)
        agreement = agent.bargain(bus)                      # or, with a loop of your own:
        step = agent.poll(now_ms)                           # send step.messages; until step.state is not "running"
        agent.receive(now_ms, sender, data)

    model  holds the member itself and the links to its neighbours; nobody's data leave it
    opts   as in mgc_agent_opts: run, members, relax, weights, round_limit, weight, tolerance, gap, deadline_ms,
           resend_ms,
           start (state of yesterday's agent), keep_log (for save())
    """

    # noqa: A002
    def __init__(self, model: Union[Model, Case], id: str, *, checkpoint: Optional[bytes] = None, **opts: Any) -> None:
        model = model.model if isinstance(model, Case) else model
        super().__init__(model._context)
        lib, given = library(), dict(opts)
        self.id = id
        start = given.pop("start", None)
        given["weights"] = _word(given.get("weights"), _WEIGHTS, "weights")
        made = options(_native.mgc_agent_opts, given)
        if start is not None:
            made.start, made.start_len = lend(start, what="start")
        raw = ctypes.POINTER(_native.mgc_agent)()

        def work() -> None:
            with self._context.guard:
                if checkpoint is None:
                    status = lib.mgc_agent_create(self._context.handle, model._handle, encode(id, "id"),
                                                  ctypes.byref(made), ctypes.byref(raw))
                else:
                    data, n = lend(checkpoint, what="checkpoint")
                    status = lib.mgc_agent_restore(self._context.handle, model._handle, encode(id, "id"),
                                                   ctypes.byref(made), data, n,
                                                   ctypes.byref(raw))
                self._check(status)

        if checkpoint is None:
            work()
        else:
            interruptible(self._context, work)
        self._own(raw, lib.mgc_agent_destroy)
        self._shape = _Shape.of(model)

    def poll(self, now_ms: Optional[int] = None) -> Step:
        """Work as far as it goes with what has arrived; this is where it solves.  now_ms: monotonic; default: the
        clock."""
        output = _native.mgc_agent_output()
        now = time.monotonic_ns() // 1000000 if now_ms is None else now_ms

        def work() -> Step:
            with self._context.guard:
                self._check(library().mgc_agent_poll(self._handle, now, ctypes.byref(output)))
                messages = [(decode(output.messages[i].to), fetch(output.messages[i].bytes, output.messages[i].len))
                            for i in range(output.n_messages)]
                return Step(messages, output.wake_ms, _STATES.get(output.state, "?"),
                            phase_name(output.phase), output.round,
                            decode(output.reason), output.primal, output.dual)

        step, interrupted = interruptible(self._context, work)
        if interrupted:
            raise KeyboardInterrupt
        return step

    def receive(self, now_ms: int, sender: str, data: bytes) -> None:
        """Hand in bytes that arrived.  What is malformed or foreign is refused and counted, never fatal."""
        pointer, n = lend(data, what="data")
        self._call(library().mgc_agent_receive, now_ms, encode(sender, "sender"), pointer, n)

    def bargain(self, bus: "Bus", *, clock: Callable[[], int] = lambda: time.monotonic_ns() // 1000000,
                progress: Optional[Callable[[Step], Any]] = None) -> Agreement:
        """Bargain to the end over a transport; the agreement.  StateError tells how it ended where there is none.

        bus  send(to, data) and receive(timeout_s) -> (sender, data) or None
        """
        while True:
            step = self.poll(clock())
            for to, data in step.messages:
                bus.send(to, data)
            if progress is not None and progress(step) is False:
                raise StateError(_native.MGC_E_STOPPED, "python: progress asked to stop")
            if step.state == "agreed":
                return self.agreement
            if step.state != "running":
                raise StateError(_native.MGC_E_STATE,
                                 f"bargain: {self.id} ended {step.state} in phase {step.phase}: {step.reason}")
            arrived = bus.receive(max(0.0, (step.wake_ms - clock()) / 1000))
            while arrived is not None:
                self.receive(clock(), *arrived)
                arrived = bus.receive(0.0)

    @property
    def agreement(self) -> Agreement:
        """Trades, prices and payments; StateError unless agreed."""
        lib, info = library(), info_of(_native.mgc_agreement)
        with self._context.guard:
            self._check(lib.mgc_agent_agreement(self._handle, ctypes.byref(info)))
            trades, pairs = [], []
            for index in range(info.trades):
                trade = info_of(_native.mgc_trade)
                self._check(lib.mgc_agent_get_trade(self._handle, index, ctypes.byref(trade)))
                trades.append(_trade(trade))
            for index in range(info.pairs):
                pair = info_of(_native.mgc_pair)
                self._check(lib.mgc_agent_get_pair(self._handle, index, ctypes.byref(pair)))
                pairs.append(_record(Pair, pair))
            return Agreement(info.standalone_cost, info.standalone_bound, info.cost, info.payment, info.final_cost,
                             info.lower_bound,
                             info.rounds, bool(info.no_trade), info.primal, info.dual, Trades(trades), pairs,
                             fetch(info.bytes, info.len))

    @property
    def counts(self) -> Dict[str, int]:
        """What became of the messages: accepted, duplicate, malformed, foreign, early, conflicting, sent."""
        info = info_of(_native.mgc_agent_counts)
        self._call(library().mgc_agent_get_counts, ctypes.byref(info))
        return {name: getattr(info, name) for name, _ in info._fields_ if name != "struct_size"}

    def _lent(self, get: Callable[..., int]) -> bytes:
        pointer, n = ctypes.POINTER(ctypes.c_uint8)(), ctypes.c_size_t()
        with self._context.guard:
            self._check(get(self._handle, ctypes.byref(pointer), ctypes.byref(n)))
            return fetch(pointer, n.value)

    def save(self) -> bytes:
        """A checkpoint, to be kept before a poll's messages are sent; needs keep_log=True.  Agent(...,
        checkpoint=...) goes on."""
        return self._lent(library().mgc_agent_save)

    @property
    def state(self) -> bytes:
        """What to hand to tomorrow's agent as start."""
        return self._lent(library().mgc_agent_get_state)

    @property
    def plan(self) -> Plan:
        """The member's own plan with the agreed trades."""
        raw = ctypes.POINTER(_native.mgc_plan)()
        self._call(library().mgc_agent_get_plan, ctypes.byref(raw))
        return Plan(self._context, raw, self._shape, lender=self)

    def sign(self, record: "Record", key: Key) -> None:
        """Compare a record with what was agreed, and sign it."""
        with self._context.guard:
            self._check(library().mgc_agent_sign_record(self._handle, record._handle, key._handle))

    def __repr__(self) -> str:
        return f"Agent({self.id!r}{', closed' if self.closed else ''})"


# --- the record that a third party can check ------------------------------------------------------------------------


class RecordReport(NamedTuple):
    """What checking a record found; ok: all holds and every member has signed.  Whole micro-currency and mW."""

    ok: bool
    members: int
    links: int
    pairs: int
    signatures: int
    missing: int
    payment_sum: int
    pair_mismatch: int
    over_capacity: int
    both_ways: int
    gap: int
    reason: str


_Bytes = bytes  # a record has a property of this name


class Record(Handle):
    """An agreement as whole numbers with the members' signatures.  No loads, devices or costs."""

    def __init__(self, context: Context, handle: Any) -> None:
        super().__init__(context)
        self._own(handle, library().mgc_record_destroy)

    @classmethod
    def read(cls, data: bytes, context: Optional[Context] = None) -> "Record":
        """Read a record from anywhere.  What it says is not believed: verify()."""
        context, raw = context or Context(), ctypes.POINTER(_native.mgc_record)()
        pointer, n = lend(data, what="data")
        with context.guard:
            context.check(library().mgc_record_read(context.handle, pointer, n, ctypes.byref(raw)))
        return cls(context, raw)

    @property
    def bytes(self) -> _Bytes:
        """Canonical bytes, signatures included."""
        pointer, n = ctypes.POINTER(ctypes.c_uint8)(), ctypes.c_size_t()
        with self._context.guard:
            self._check(library().mgc_record_bytes(self._handle, ctypes.byref(pointer), ctypes.byref(n)))
            return fetch(pointer, n.value)

    @property
    def hash(self) -> _Bytes:
        """SHA-256 of what the signatures are over."""
        made = (ctypes.c_uint8 * 32)()
        self._call(library().mgc_record_hash, made)
        return bytes(made)

    def sign(self, id: str, key: Key) -> None:  # noqa: A002
        """A member's acceptance."""
        with self._context.guard:
            self._check(library().mgc_record_sign(self._handle, encode(id, "id"), key._handle))

    def verify(self, public_keys: Mapping[str, _Bytes], gap_limit: int = -1) -> RecordReport:
        """Check everything with nothing but the members' public keys."""
        names = (ctypes.c_char_p * len(public_keys))(*map(encode, public_keys))
        kept = [lend(key, 32, "public key")[0] for key in public_keys.values()]
        keys = (ctypes.POINTER(ctypes.c_uint8) * len(kept))(*kept)
        report = info_of(_native.mgc_record_report)
        self._call(library().mgc_record_verify, names, keys, len(kept), gap_limit, ctypes.byref(report))
        return _record(RecordReport, report)._replace(ok=bool(report.ok))


# --- payments and coalitions ----------------------------------------------------------------------------------------


def nash_payments(standalone: Numbers, cost: Numbers, weight: Optional[Numbers] = None) -> Any:
    """Nash bargaining over payments in closed form: everyone's final cost is its stand-alone cost less its share of
    the gain."""
    context, alone = Context(), numbers(standalone, (None,), "standalone")
    together, made = numbers(cost, alone.n, "cost"), room(alone.n)
    weights = None if weight is None else numbers(weight, alone.n, "weight")
    context.check(library().mgc_nash_payments(context.handle, alone.pointer, together.pointer,
                                              weights.pointer if weights else None, alone.n,
                                              made.pointer))
    return filled(made)


def coalition_values(model: Union[Model, Case], *, progress: Optional[Callable[[int, int], Any]] = None,
                     **opts: Any) -> Tuple[Any, Any]:
    """Stand-alone costs, and what each coalition would save by trading among itself (index: a bit for each member)."""
    model = model.model if isinstance(model, Case) else model
    n, carrier = len(model.microgrids), Carrier()
    made = options(_native.mgc_coalition_opts, opts)
    alone, values = room(n), room(2**n if n <= _native.MGC_COALITION_MEMBERS_MAX else 1)

    def work() -> None:
        with model._context.guard:
            status = library().mgc_coalition_values(model._handle, ctypes.byref(made), alone.pointer, values.pointer, n)
            carrier.raise_if_any()
            model._check(status)

    with progress_of(progress, lambda done, total: f"{done} of {total} coalitions", carrier,
                     _native.callback(_native.mgc_coalition_opts, "progress"), lambda *told: told) as thunk:
        made.progress = thunk
        _, interrupted = interruptible(model._context, work)
    if interrupted:
        raise KeyboardInterrupt
    return filled(alone), filled(values)


def shapley(values: Numbers) -> Any:
    """Shapley value: the mean over all orders of joining of what a member adds."""
    context, given = Context(), numbers(values, (None,), "values")
    n = given.n.bit_length() - 1
    if given.n != 2**n or n == 0:
        raise ValueError(f"values has {given.n} entries; it must have 2 to the number of members")
    made = room(n)
    context.check(library().mgc_shapley(context.handle, given.pointer, n, made.pointer))
    return filled(made)


def least_core(values: Numbers) -> Tuple[Any, float]:
    """The most stable split, and how much a coalition would still gain by leaving (at most 0: the core is not empty)."""
    context, given, excess = Context(), numbers(values, (None,), "values"), ctypes.c_double()
    n = given.n.bit_length() - 1
    if given.n != 2**n or n == 0:
        raise ValueError(f"values has {given.n} entries; it must have 2 to the number of members")
    made = room(n)
    context.check(library().mgc_least_core(context.handle, given.pointer, n, made.pointer, ctypes.byref(excess)))
    return filled(made), excess.value
