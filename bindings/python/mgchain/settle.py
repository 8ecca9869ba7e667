# SPDX-License-Identifier: Apache-2.0
"""The one door from doubles to whole numbers: a bargain and the realised day become signed transactions."""
from __future__ import annotations

import ctypes
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Union

from . import _native
from ._base import Carrier, Handle, Numbers, decode, encode, fetch, info_of, lend, numbers
from ._native import library
from .alliance import Record, Result
from .case import Case, Model, Plan
from .crypto import Key, sha256
from .node import Node, Ticket

PHASES = {"found": _native.MGC_DAY_FOUND, "tariff": _native.MGC_DAY_TARIFF, "deposit": _native.MGC_DAY_DEPOSIT,
          "commit": _native.MGC_DAY_COMMIT,
          "nominate": _native.MGC_DAY_NOMINATE, "agree": _native.MGC_DAY_AGREE,
          "acknowledge": _native.MGC_DAY_ACKNOWLEDGE,
          "read": _native.MGC_DAY_READ, "settle": _native.MGC_DAY_SETTLE, "finalise": _native.MGC_DAY_FINALISE,
          "end": _native.MGC_DAY_END}
_CARRIERS = {"electricity": _native.MGC_CARRIER_ELECTRICITY, "heat": _native.MGC_CARRIER_HEAT,
             "gas": _native.MGC_CARRIER_GAS}


class Keys:
    """Keys of a market's members by number.

    Keys(secret) derives every key from one secret, for simulations; real members bring their own: Keys({number: key}).
    """

    def __init__(self, source: Union[bytes, Mapping[int, Key]]) -> None:
        self._secret = source if isinstance(source, bytes) else None
        self._keys: Dict[int, Key] = dict(source) if not isinstance(source, bytes) else {}

    def __getitem__(self, member: int) -> Key:
        if member not in self._keys:
            if self._secret is None:
                raise KeyError(f"there is no key of member {member}")
            self._keys[member] = Key.from_seed(sha256(b"mgchain simulation key\0" + self._secret +
                                                      member.to_bytes(8, "big")))
        return self._keys[member]

    def manager(self, microgrid: int) -> Key:
        """Key of the manager of the microgrid of that number (1 is the model's first)."""
        return self[_native.MGC_DAY_MANAGER + microgrid]


class DayTransaction(NamedTuple):
    """A signed transaction of a day; due_ms: let the node step to this time before handing it in."""

    phase: int
    contract: int
    method: str
    due_ms: int
    data: bytes


class Day(Handle):
    """A day of an alliance on a node's chains: built once, then handed out transaction by transaction.

    node      whose chains take the transactions
    keys      of the members by number: Keys, a mapping, or a function
    start_ms  begin of the first period, UTC; default: the case's
    opts      as in mgc_day_opts: now_ms, name, currency, gate_ms, window_ms, collateral_bp, pending_blocks,
              deposit_margin
    """

    def __init__(self, model: Union[Model, Case], node: Node, keys: Any, *, start_ms: Optional[int] = None,
                 previous: Optional["Day"] = None,
                 record: Optional[Record] = None, **opts: Any) -> None:
        if isinstance(model, Case):
            if start_ms is None and "start_ms" in model.info:
                start_ms = model.info["start_ms"]
            opts.setdefault("name", model.name)
            opts.setdefault("currency", model.currency)
            model = model.model
        if start_ms is None:
            raise TypeError("start_ms must be given: the begin of the first period in milliseconds since 1970")
        super().__init__(model._context)
        lib, made = library(), _native.mgc_day_opts()
        lib.mgc_day_opts_init(ctypes.byref(made), ctypes.sizeof(made))
        texts = {name: encode(value, name) for name, value in opts.items() if isinstance(value, str)}
        for name, value in {**opts, **texts}.items():
            if name not in {"now_ms", "name", "currency", "gate_ms", "window_ms", "collateral_bp", "pending_blocks",
                            "deposit_margin"}:
                raise TypeError(f"there is no option {name!r}")
            setattr(made, name, value)
        made.start_ms = start_ms
        ids = []
        for place, contract in ((made.information, "information"), (made.trading, "trading"),
                                (made.scheduling, "scheduling")):
            chain = node.chain(contract).info
            ids.append(chain["chain_id"])
            place.id, place.height = lend(chain["chain_id"])[0], chain["height"]
        if record is not None:
            ids.append(record.hash)
            made.record_hash = lend(ids[-1])[0]
        self._carrier, lent = Carrier(), {}  # type: Carrier, Dict[int, Key]
        carrier = self._carrier
        give: Callable[[int], Key] = keys if callable(keys) else keys.__getitem__

        def key_of(_user: Any, member: int) -> Optional[int]:
            try:
                if member not in lent:
                    lent[member] = give(member)
                return ctypes.cast(lent[member]._handle, ctypes.c_void_p).value
            except KeyError:
                return None  # told as a missing signer
            except BaseException as error:
                carrier.keep(error)
                return None

        thunk = _native.mgc_day_key_fn(key_of)
        made.key = thunk
        if previous is not None:
            made.previous = previous._handle
        raw = ctypes.POINTER(_native.mgc_day)()
        with self._context.guard:
            self._check(lib.mgc_day_create(self._context.handle, model._handle, ctypes.byref(made), ctypes.byref(raw)))
        # A day before hands its rest out through the new one, with the keys that it lends: they stay too.
        self._kept: Any = (thunk, lent, previous._kept if previous is not None else None)
        self._own(raw, lib.mgc_day_destroy, self._kept)
        self.start_ms, self._periods = start_ms, model.periods

    def set_result(self, result: Result) -> None:
        """The bargain: trades, prices, payments, purchases and sales of the plan."""
        self._call(library().mgc_day_set_alliance, result._handle)

    def set_realised(self, plan: Plan) -> None:
        """The realised day: Plan.realise(), or Result.realised."""
        self._call(library().mgc_day_set_realised, plan._handle)

    def set_grid(self, microgrid: int, carrier: str, buy_kw: Numbers, sell_kw: Numbers) -> None:
        """What a microgrid (index of the model) buys from and sells to the grid."""
        buy, sell = numbers(buy_kw, (None,), "buy_kw"), numbers(sell_kw, (None,), "sell_kw")
        self._same(buy, sell)
        self._call(library().mgc_day_set_grid, microgrid, _CARRIERS[carrier], buy.pointer, sell.pointer)

    def set_trade(self, link: int, direction: int, sent_kw: Numbers, price_per_kwh: Numbers) -> None:
        """What goes over a link at which price; direction 0: from its first member."""
        sent, price = numbers(sent_kw, (None,), "sent_kw"), numbers(price_per_kwh, (None,), "price_per_kwh")
        self._same(sent, price)
        self._call(library().mgc_day_set_trade, link, direction, sent.pointer, price.pointer)

    def set_payment(self, first: int, second: int, payment: float) -> None:
        """What first pays second over the day, all in all."""
        self._call(library().mgc_day_set_payment, first, second, payment)

    def set_metered(self, microgrid: int, carrier: str, net_kw: Numbers) -> None:
        """What the meter at the connection reads, purchases less sales; for gas: what is burnt."""
        net = numbers(net_kw, (None,), "net_kw")
        self._same(net, net)
        self._call(library().mgc_day_set_metered, microgrid, _CARRIERS[carrier], net.pointer)

    def set_delivered(self, link: int, direction: int, sent_kw: Numbers) -> None:
        """What really went over a link."""
        sent = numbers(sent_kw, (None,), "sent_kw")
        self._same(sent, sent)
        self._call(library().mgc_day_set_delivered, link, direction, sent.pointer)

    def _same(self, one: Any, other: Any) -> None:
        if one.n != self._periods or other.n != self._periods:
            raise ValueError(f"a series has {one.n if one.n != self._periods else other.n} values; the day has "
                             f"{self._periods} periods")

    def next(self, until: Union[int, str] = "end") -> Optional[DayTransaction]:
        """The next transaction up to a phase; None: there is none left up to it."""
        lib, info = library(), info_of(_native.mgc_day_tx)
        with self._context.guard:
            status = lib.mgc_day_next(self._handle, PHASES[until] if isinstance(until, str) else until,
                                      ctypes.byref(info))
            if status == _native.MGC_E_NOT_FOUND:
                return None
            if status < 0:
                self._carrier.raise_if_any()
                self._check(status)
            return DayTransaction(info.phase, info.contract, decode(info.method), info.due_ms,
                                  fetch(info.bytes, info.len))

    def expect(self, microgrid: int) -> Dict[str, int]:
        """What the ledger must show at the day's end, computed from the day's whole numbers alone."""
        info = info_of(_native.mgc_day_expectation)
        self._call(library().mgc_day_expect, microgrid, ctypes.byref(info))
        return {name: getattr(info, name) for name, _ in info._fields_ if name != "struct_size"}

    def carry(self, node: Node, now_ms: int, until: Union[int, str] = "end") -> int:
        """Hand the day in to a node up to a phase, letting time pass as it is due; the time then.  Raises what a
        transaction
        was refused with."""
        waiting: List[Ticket] = []
        phase = 0
        while True:
            tx = self.next(until)
            if tx is None or tx.due_ms > now_ms or tx.phase != phase:
                if waiting or tx is None:
                    node.flush(now_ms)
                for ticket in waiting:
                    ticket.check()
                waiting.clear()
            if tx is None:
                return now_ms
            if tx.due_ms > now_ms:
                now_ms = tx.due_ms
                node.step(now_ms)
            phase = tx.phase
            waiting.append(node.submit(tx.data))
