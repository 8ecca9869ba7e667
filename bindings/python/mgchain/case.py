# SPDX-License-Identifier: Apache-2.0
"""Microgrids, their devices and links; cases from files; the robust day-ahead plan."""
from __future__ import annotations

import ctypes
import dataclasses
import datetime
import operator
import os
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Mapping, NoReturn, Optional, Sequence, Tuple, Union

from . import _native
from ._base import (Carrier, Context, Handle, Numbers, decode, encode, filled, info_of, interruptible, numbers,
                    options, outcome_name, progress_of, room, rows_of)
from ._base import numpy as numpy
from ._native import library
from .errors import CaseError, Issue, UnknownKey, error_class

if TYPE_CHECKING:
    from .alliance import Result
    from .solver import Solver

INFINITY = float("inf")

# --- the table of parameters ----------------------------------------------------------------------------------------

_KINDS = {_native.MGC_PARAM_NUMBER: "number", _native.MGC_PARAM_FLAG: "flag", _native.MGC_PARAM_TEXT: "text",
          _native.MGC_PARAM_SERIES: "series", _native.MGC_PARAM_UNCERTAIN: "uncertain"}


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A parameter of the market, a microgrid, a link or a device, as the library's own table has it."""

    key: str
    unit: str
    text: str
    kind: str
    required: bool
    default: float
    lower: float
    upper: float
    words: Tuple[str, ...]
    default_text: str
    nullable: bool
    integer: bool


def device_types() -> List[str]:
    """Every type of device: "load", "pv", ..."""
    found: List[str] = []
    while True:
        name = library().mgc_device_type(len(found))
        if name is None:
            return found
        found.append(decode(name))


def parameters(scope: str) -> List[Parameter]:
    """Parameters of "market", "carbon", "microgrid", "link", "variable" or a type of device."""
    found: List[Parameter] = []
    while True:
        info = info_of(_native.mgc_param_info)
        status = library().mgc_param_describe(encode(scope, "scope"), len(found), ctypes.byref(info))
        if status == _native.MGC_E_NOT_FOUND:
            return found
        if status < 0:
            _no_scope(scope, status)
        found.append(Parameter(decode(info.key), decode(info.unit), decode(info.text), _KINDS.get(info.kind, "?"),
                               bool(info.required),
                               info.default_value, info.lower, info.upper,
                               tuple(filter(None, decode(info.words).split("|"))),
                               decode(info.default_text), bool(info.nullable), bool(info.integer)))


def _no_scope(scope: str, status: int) -> NoReturn:
    raise error_class(status)(status, f"python: there is no scope {scope!r}; there are: market, carbon, microgrid, "
                                      f"link, variable, "
                                      + ", ".join(device_types()), key=scope)


# --- building -------------------------------------------------------------------------------------------------------


class _Part:
    """A microgrid, device or link: lent by its model, which it keeps."""

    def __init__(self, model: "Model", raw: Any, name: str) -> None:
        self._model, self._raw, self.id = model, raw, name

    def _call(self, function: Callable[..., int], *arguments: Any) -> None:
        model = self._model
        with model._context.guard:
            model._handle  # refuses where the model is closed
            model._check(function(self._raw, *arguments))

    def _number(self, function: Callable[..., int], *arguments: Any) -> float:
        value = ctypes.c_double()
        self._call(function, *arguments, ctypes.byref(value))
        return value.value


def _assign(key: str, value: Any, number: Callable[..., Any], series: Callable[..., Any],
            scenario: Optional[Callable[..., Any]],
            text: Optional[Callable[..., Any]]) -> None:
    """Hand a value to the function that takes its kind."""
    name = encode(key, "key")
    if isinstance(value, str):
        if text is None:
            raise TypeError(f"{key} takes numbers, not text")
        return text(name, encode(value, key))
    if value is None:
        return number(name, INFINITY)  # no limit, as null in a case file
    if isinstance(value, (bool, int, float)) or (numpy is not None and isinstance(value, (numpy.number, numpy.bool_))):
        return number(name, float(value))
    if not hasattr(value, "__len__") and hasattr(value, "__iter__"):
        value = list(value)
    nested = not hasattr(value, "ndim") and len(value) and hasattr(value[0], "__len__") and not isinstance(value[0], str)
    depth = getattr(value, "ndim", None) or (2 if nested else 1)
    if depth == 1:
        array = numbers(value, (None,), key)
        return series(name, array.pointer, array.n)
    if scenario is None:
        raise ValueError(f"{key} takes one series, not one for each scenario")
    for index, row in enumerate(value):
        array = numbers(row, (None,), f"{key} of scenario {index}")
        scenario(name, index, array.pointer, array.n)
    return None


class Device(_Part):
    """A device of a microgrid.  Keys, units and defaults: mgchain.parameters(device.type)."""

    def __init__(self, model: "Model", raw: Any, name: str, kind: str) -> None:
        super().__init__(model, raw, name)
        self.type = kind

    def set(self, key: str, value: Any) -> "Device":
        """Set a parameter: a number, a word, a series, or one series for each scenario (uncertain ones)."""
        lib = library()
        _assign(key, value, lambda *a: self._call(lib.mgc_device_set_number, *a),
                lambda *a: self._call(lib.mgc_device_set_series, *a),
                lambda *a: self._call(lib.mgc_device_set_scenario, *a),
                lambda *a: self._call(lib.mgc_device_set_text, *a))
        return self

    def get(self, key: str, scenario: int = 0, period: int = 0) -> float:
        """A number, or the value of a series at a period (and scenario), as it stands with defaults."""
        return self._number(library().mgc_device_get, encode(key, "key"), scenario, period)

    def get_text(self, key: str) -> Optional[str]:
        """The word of a text parameter; None where there is no such key."""
        with self._model._context.guard:
            self._model._handle
            word = library().mgc_device_get_text(self._raw, encode(key, "key"))
            return None if word is None else decode(word)

    # The open device "linear".

    def add_variable(self, name: str, **values: Any) -> "Device":
        """Add a variable of a linear device; values: parameters of the scope "variable"."""
        lib, text = library(), encode(name, "name")
        self._call(lib.mgc_device_add_variable, text)
        for key, value in values.items():
            _assign(key, value, lambda k, v: self._call(lib.mgc_device_set_variable, text, k, v),
                    lambda k, p, n: self._call(lib.mgc_device_set_variable_series, text, k, p, n), None, None)
        return self

    def add_constraint(self, terms: Mapping[Union[str, Tuple[str, bool]], float], lower: float = -INFINITY,
                       upper: float = INFINITY) -> int:
        """lower <= sum of coefficients times variables <= upper, in every period; its number.

        terms: {"name": coefficient}; {("name", True): coefficient} for the value one period before.
        """
        lib, index = library(), ctypes.c_uint32()
        self._call(lib.mgc_device_add_constraint, lower, upper, ctypes.byref(index))
        for variable, coefficient in terms.items():
            name, previous = variable if isinstance(variable, tuple) else (variable, False)
            self._call(lib.mgc_device_add_term, index.value, encode(name, "variable"), coefficient, int(previous))
        return index.value

    def __repr__(self) -> str:
        return f"Device({self.id!r}, {self.type!r})"


class Link(_Part):
    """A link between two members, for "electricity" or "heat"."""

    def __init__(self, model: "Model", raw: Any, index: int, first: str, second: str, carrier: str) -> None:
        super().__init__(model, raw, f"{first}-{second}")
        self.index, self.first, self.second, self.carrier = index, first, second, carrier

    def set(self, key: str, value: Any) -> "Link":
        """Set a parameter: a number or a series."""
        lib = library()
        _assign(key, value, lambda *a: self._call(lib.mgc_link_set_number, *a),
                lambda *a: self._call(lib.mgc_link_set_series, *a), None, None)
        return self

    def get(self, key: str, period: int = 0) -> float:
        """A number, or the value of a series at a period."""
        return self._number(library().mgc_link_get, encode(key, "key"), period)

    def __repr__(self) -> str:
        return f"Link({self.first!r}, {self.second!r}, {self.carrier!r})"


class Microgrid(_Part):
    """A member: its connection to the grid, its devices, what it is uncertain of."""

    @property
    def scenarios(self) -> int:
        """Number of scenarios."""
        with self._model._context.guard:
            self._model._handle
            return library().mgc_microgrid_scenarios(self._raw)

    def set(self, key: str, value: Any) -> "Microgrid":
        """Set a parameter of the microgrid, or one of the market or of carbon as its own."""
        lib = library()
        _assign(key, value, lambda *a: self._call(lib.mgc_microgrid_set_number, *a),
                lambda *a: self._call(lib.mgc_microgrid_set_series, *a),
                lambda *a: self._call(lib.mgc_microgrid_set_scenario, *a), None)
        return self

    def get(self, key: str, scenario: int = 0, period: int = 0) -> float:
        """A number, or the value of a series at a period (and scenario)."""
        return self._number(library().mgc_microgrid_get, encode(key, "key"), scenario, period)

    @property
    def probability(self) -> Any:
        """Nominal probabilities of the scenarios."""
        made = room(self.scenarios)
        self._call(library().mgc_microgrid_get_probability, made.pointer, made.n)
        return filled(made)

    @probability.setter
    def probability(self, values: Numbers) -> None:
        array = numbers(values, (None,), "probability")
        self._call(library().mgc_microgrid_set_probability, array.pointer, array.n)

    def add_ambiguity(self, name: str, *, radius: Optional[float] = None, confidence: Optional[float] = None,
                      level: Optional[float] = None,
                      samples: int = 0, rule: Optional[str] = None) -> "Microgrid":
        """Guard against probabilities that are only roughly known; several sets are intersected.

        name  "norm1", "norm_inf", "wasserstein", "kl", "chi2" with radius, or with confidence and samples (past days);
              "cvar" with level; "worst_case"
        """
        given = [(what, value) for what,
                 value in (("radius", radius), ("confidence", confidence), ("level", level)) if value is not None]
        if name == "worst_case" and not given:
            given = [("radius", 0.0)]
        if len(given) != 1:
            raise TypeError("give one of radius, confidence and level")
        what, value = given[0]
        self._call(library().mgc_microgrid_set_ambiguity, encode(name, "name"), encode(what), value, samples,
                   encode(rule, "rule"))
        return self

    def clear_ambiguity(self) -> None:
        """Trust the nominal probabilities again."""
        self._call(library().mgc_microgrid_clear_ambiguity)

    @property
    def ambiguous(self) -> bool:
        """Whether an ambiguity set is given."""
        with self._model._context.guard:
            self._model._handle
            return bool(library().mgc_microgrid_is_ambiguous(self._raw))

    def add_device(self, kind: str, id: str, **values: Any) -> Device:  # noqa: A002  (the word of the case files)
        """Add a device of a type ("chp", "storage", ... see device_types()) with some of its parameters."""
        raw = ctypes.POINTER(_native.mgc_device)()
        self._call(library().mgc_microgrid_add_device, encode(kind, "kind"), encode(id, "id"), ctypes.byref(raw))
        made = Device(self._model, raw, id, kind)
        for key, value in values.items():
            made.set(key, value)
        return made

    @property
    def devices(self) -> Dict[str, Device]:
        """Devices by id, in their order."""
        lib = library()
        with self._model._context.guard:
            self._model._handle
            found = {}
            for index in range(lib.mgc_microgrid_devices(self._raw)):
                name = lib.mgc_microgrid_device_id(self._raw, index)
                found[decode(name)] = Device(self._model, lib.mgc_microgrid_device(self._raw, name), decode(name),
                                             decode(lib.mgc_microgrid_device_type(self._raw, index)))
            return found

    def __getitem__(self, device: str) -> Device:
        return self.devices[device]

    def __repr__(self) -> str:
        return f"Microgrid({self.id!r})"


class Model(Handle):
    """Microgrids and links over some periods.

    periods  number of periods; hours: length of each
    values   parameters of the market, such as buy_price_per_kwh
    """

    def __init__(self, periods: int = 24, hours: float = 1.0, *, context: Optional[Context] = None, _handle: Any = None,
                 _lender: Optional[Handle] = None, **values: Any) -> None:
        super().__init__(context or Context())
        lib = library()
        self._lender = _lender
        if _lender is not None:  # lent by a case
            self._raw = _handle
            return
        if _handle is None:
            _handle = ctypes.POINTER(_native.mgc_model)()
            periods, hours = operator.index(periods), float(hours)
            with self._context.guard:
                self._check(lib.mgc_model_create(self._context.handle, periods, hours, ctypes.byref(_handle)))
        self._own(_handle, lib.mgc_model_destroy)
        try:
            for key, value in values.items():
                self.set(key, value)
        except BaseException:
            self.close()
            raise

    @property
    def _handle(self) -> Any:
        if self._lender is not None:
            self._lender._handle
        return Handle._handle.fget(self)  # type: ignore[attr-defined]

    def close(self) -> None:
        """Free it; a model that a case lends goes with the case."""
        if self._lender is None:
            super().close()

    def set(self, key: str, value: Any) -> "Model":
        """Set a parameter of the market or of carbon for all: a number or a series."""
        lib = library()
        _assign(key, value, lambda *a: self._call(lib.mgc_model_set_number, *a),
                lambda *a: self._call(lib.mgc_model_set_series, *a), None, None)
        return self

    def add_microgrid(self, id: str, scenarios: int = 1, **values: Any) -> Microgrid:  # noqa: A002
        """Add a member."""
        raw = ctypes.POINTER(_native.mgc_microgrid)()
        self._call(library().mgc_model_add_microgrid, encode(id, "id"), scenarios, ctypes.byref(raw))
        made = Microgrid(self, raw, id)
        for key, value in values.items():
            made.set(key, value)
        return made

    def add_link(self, first: str, second: str, carrier: str, **values: Any) -> Link:
        """Add a link for "electricity" or "heat" between two members."""
        raw = ctypes.POINTER(_native.mgc_link)()
        self._call(library().mgc_model_add_link, encode(first, "first"), encode(second, "second"),
                   encode(carrier, "carrier"), ctypes.byref(raw))
        made = Link(self, raw, len(self.links) - 1, first, second, carrier)
        for key, value in values.items():
            made.set(key, value)
        return made

    @property
    def periods(self) -> int:
        """Number of periods."""
        with self._context.guard:
            return library().mgc_model_periods(self._handle)

    @property
    def hours(self) -> float:
        """Length of a period."""
        with self._context.guard:
            return library().mgc_model_hours(self._handle)

    @property
    def microgrids(self) -> Dict[str, Microgrid]:
        """Members by id, in their order."""
        lib = library()
        with self._context.guard:
            names = [lib.mgc_model_microgrid_id(self._handle, i) for i in range(lib.mgc_model_microgrids(self._handle))]
            return {decode(name): Microgrid(self, lib.mgc_model_microgrid(self._handle, name),
                                            decode(name)) for name in names}

    @property
    def links(self) -> List[Link]:
        """Links in their order."""
        lib, found = library(), []
        with self._context.guard:
            for index in range(lib.mgc_model_links(self._handle)):
                names = [ctypes.c_char_p() for _ in range(3)]
                self._check(lib.mgc_model_link(self._handle, index, *map(ctypes.byref, names)))
                found.append(Link(self, lib.mgc_model_link_at(self._handle, index), index,
                                  *(decode(name.value) for name in names)))
        return found

    def __getitem__(self, microgrid: str) -> Microgrid:
        return self.microgrids[microgrid]

    def check(self) -> List[Tuple[str, str, str]]:
        """Every fault of the model: name of the status, where, what.  An empty list: it can be solved."""
        found: List[Tuple[str, str, str]] = []
        carrier = Carrier()

        def told(_user: Any, status: int, where: bytes, text: bytes) -> None:
            try:
                found.append((decode(library().mgc_status_name(status)), decode(where), decode(text)))
            except BaseException as error:
                carrier.keep(error)

        thunk = _native.mgc_fault_fn(told)
        with self._context.guard:
            status = library().mgc_model_check(self._handle, thunk, None)
        carrier.raise_if_any()
        if status < 0 and not found:
            self._check(status)
        return found

    def plan(self, *, together: bool = False, progress: Any = None, **opts: Any) -> "Plan":
        """The robust day-ahead plan: every member alone, or together as one program (the yardstick).

        progress  True: a line on a terminal; or a function (iteration, upper, lower) in the thread that solves, which
                  may answer False to stop
        opts      as in mgc_dispatch_opts: tolerance, gap, time_limit_s, method, relax, threads
        """
        lib, carrier = library(), Carrier()
        made = options(_native.mgc_dispatch_opts, {**opts, "together": int(together)})
        out = ctypes.POINTER(_native.mgc_plan)()

        def line(iteration: int, upper: float, lower: float) -> str:
            return f"iteration {iteration}  cost {upper:.6g}  bound {lower:.6g}"

        def work() -> None:
            with self._context.guard:
                status = lib.mgc_dispatch_solve(self._handle, ctypes.byref(made), ctypes.byref(out))
                carrier.raise_if_any()
                self._check(status)

        shape = _Shape.of(self)
        with progress_of(progress, line, carrier, _native.callback(_native.mgc_dispatch_opts, "progress"),
                         lambda *told: told) as thunk:
            made.progress = thunk
            _, interrupted = interruptible(self._context, work)
        plan = Plan(self._context, out, shape)
        if interrupted:
            if not plan.solved:
                raise KeyboardInterrupt
            plan.interrupted = True
        return plan

    def solve(self, *, progress: Any = None, **opts: Any) -> "Result":
        """Find trades and payments of all members.  See Result; options as in mgc_alliance_opts.

        Ctrl-C keeps the best result so far: outcome "cancelled", interrupted True.
        """
        from .alliance import solve
        return solve(self, None, progress, opts)

    def window(self, first: int, periods: int) -> "Model":
        """Periods first .. first + periods - 1 as a model of their own: what is left of a day, a horizon that moves
        on."""
        made = ctypes.POINTER(_native.mgc_model)()
        self._call(library().mgc_model_window, first, periods, ctypes.byref(made))
        return Model(context=self._context, _handle=made)

    def expected(self) -> "Model":
        """Without uncertainty: one scenario, every uncertain series at its expectation."""
        made = ctypes.POINTER(_native.mgc_model)()
        self._call(library().mgc_model_expected, ctypes.byref(made))
        return Model(context=self._context, _handle=made)

    def program(self, microgrid: Optional[str] = None) -> "Solver":
        """The exact program of one microgrid, or of the whole alliance, as a Solver."""
        from .solver import Solver
        made = ctypes.POINTER(_native.mgc_program)()
        self._call(library().mgc_model_program, encode(microgrid, "microgrid"), ctypes.byref(made))
        return Solver(context=self._context, _handle=made)

    def apply(self, state: "State") -> None:
        """Begin where a plan has got to (Plan.state())."""
        with self._context.guard:
            self._check(library().mgc_state_apply(state._handle, self._handle))

    def __repr__(self) -> str:
        if self.closed:
            return "Model(closed)"
        names = ", ".join(self.microgrids) or "no microgrids"
        return f"Model({self.periods} periods of {self.hours:g} h, {names}, {len(self.links)} links)"


# --- states and plans -----------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class StateEntry:
    """One value where it belongs: key of a device, microgrid or link."""

    microgrid: str
    device: str
    variable: str
    key: str
    values: Tuple[float, ...]
    link: Optional[int] = None


class State(Handle):
    """Where microgrids stand between two periods: energy in storage, units that run, decisions that stand."""

    def __init__(self, entries: Sequence[StateEntry] = (), *, context: Optional[Context] = None,
                 _handle: Any = None) -> None:
        super().__init__(context or Context())
        lib = library()
        if _handle is None:
            _handle = ctypes.POINTER(_native.mgc_state)()
            with self._context.guard:
                self._check(lib.mgc_state_create(self._context.handle, ctypes.byref(_handle)))
        self._own(_handle, lib.mgc_state_destroy)
        for entry in entries:
            self.add(entry)

    def add(self, entry: StateEntry) -> None:
        """Append an entry."""
        made = info_of(_native.mgc_state_entry)
        made.microgrid, made.device = encode(entry.microgrid), encode(entry.device)
        made.variable, made.key = encode(entry.variable), encode(entry.key)
        array = numbers(list(entry.values), (None,), "values")
        made.values, made.n = array.pointer, array.n
        made.link = 2**32 - 1 if entry.link is None else entry.link
        self._call(library().mgc_state_add, ctypes.byref(made))

    @property
    def entries(self) -> List[StateEntry]:
        """All entries, copied."""
        lib, found = library(), []
        with self._context.guard:
            for index in range(lib.mgc_state_entries(self._handle)):
                entry = info_of(_native.mgc_state_entry)
                self._check(lib.mgc_state_get(self._handle, index, ctypes.byref(entry)))
                found.append(StateEntry(decode(entry.microgrid), decode(entry.device), decode(entry.variable),
                                        decode(entry.key),
                                        tuple(entry.values[:entry.n]), None if entry.link == 2**32 - 1 else entry.link))
        return found

    def __len__(self) -> int:
        with self._context.guard:
            return library().mgc_state_entries(self._handle)


# Quantities of plans by the device's type, as mgc_plan_get_series() knows them; "" is the connection to the grid.
QUANTITIES: Dict[str, Tuple[str, ...]] = {
    "": ("buy_kw", "sell_kw", "heat_buy_kw", "realtime_buy_kw", "realtime_sell_kw", "import_kw", "price_per_kwh",
         "heat_price_per_kwh",
         "cost"),
    "load": ("demand_kw", "shift_in_kw", "shift_out_kw", "curtailed_kw", "unserved_kw", "served_kw"),
    "pv": ("power_kw", "available_kw"), "wind": ("power_kw", "available_kw"), "renewable": ("power_kw", "available_kw"),
    "chp": ("on", "start", "power_kw", "heat_kw", "gas_kw"), "gas_boiler": ("heat_kw", "gas_kw"),
    "electric_boiler": ("power_kw", "heat_kw"), "heat_pump": ("power_kw", "heat_kw"),
    "storage": ("charge_kw", "discharge_kw", "energy_kwh", "mode"), "linear": (),
}


@dataclasses.dataclass(frozen=True)
class _Shape:
    """What a plan was made for, to walk through it."""

    periods: int
    hours: float
    scenarios: Dict[str, int]
    devices: Dict[str, Dict[str, str]]
    carriers: Dict[str, Dict[str, str]]
    links: Tuple[Tuple[str, str, str], ...]

    @classmethod
    def of(cls, model: Model, scenarios: Optional[int] = None) -> "_Shape":
        members = model.microgrids
        devices = {name: member.devices for name, member in members.items()}
        return cls(model.periods, model.hours, {name: scenarios or member.scenarios for name, member in members.items()},
                   {name: {d.id: d.type for d in own.values()} for name, own in devices.items()},
                   {name: {d.id: d.get_text("carrier") or "" for d in own.values()} for name, own in devices.items()},
                   tuple((link.first, link.second, link.carrier) for link in model.links))


class Plan(Handle):
    """A robust plan: what each member buys, runs and stores, and what each scenario would add."""

    def __init__(self, context: Context, handle: Any, shape: _Shape, lender: Optional[Handle] = None) -> None:
        super().__init__(context)
        self._shape, self._lender = shape, lender
        self.interrupted = False
        if lender is None:
            self._own(handle, library().mgc_plan_destroy)
        else:
            self._raw = handle

    @property
    def _handle(self) -> Any:
        if self._lender is not None:
            self._lender._handle
        return Handle._handle.fget(self)  # type: ignore[attr-defined]

    def close(self) -> None:
        """Free it; a plan that a result lends goes with the result."""
        if self._lender is None:
            super().close()

    def _info(self) -> Any:
        info = info_of(_native.mgc_plan_info)
        self._call(library().mgc_plan_get_info, ctypes.byref(info))
        return info

    @property
    def outcome(self) -> str:
        """ "optimal", "infeasible" (explain() says why), "limit", "cancelled", ... """
        return outcome_name(self._info().outcome)

    @property
    def cost(self) -> float:
        """[currency] total worst-case expected cost."""
        return self._info().cost

    @property
    def bound(self) -> float:
        """[currency] proven lower bound."""
        return self._info().bound

    @property
    def gap(self) -> float:
        """[-] relative distance of cost and bound."""
        return self._info().gap

    @property
    def seconds(self) -> float:
        """[s] that it took."""
        return self._info().seconds

    @property
    def solved(self) -> bool:
        """Whether there is a plan, the best so far or better."""
        info = self._info()
        return info.outcome not in (_native.MGC_OUTCOME_INFEASIBLE,
                                    _native.MGC_OUTCOME_NONE) and abs(info.cost) < INFINITY

    @property
    def microgrids(self) -> List[str]:
        """Ids of the members."""
        return list(self._shape.scenarios)

    @property
    def periods(self) -> int:
        """Number of periods."""
        return self._shape.periods

    @property
    def hours(self) -> float:
        """Length of a period."""
        return self._shape.hours

    def explain(self) -> str:
        """Why the plan is infeasible: who, when, how much is short, the smallest change that cures it; "" otherwise."""
        with self._context.guard:
            return decode(library().mgc_plan_explain(self._handle))

    def series(self, microgrid: str, device: str, quantity: str, scenario: int = 0, out: Any = None) -> Any:
        """A series: one value a period.

        device    id, "" for the connection to the grid, "LINK:n" for the n-th link
        quantity  see QUANTITIES; for a link "sent_kw" and "sent_back_kw"; of a linear device a variable's name
        out       your own array to be filled; else a new one
        """
        made = room(self._shape.periods, out)
        self._call(library().mgc_plan_get_series, encode(microgrid, "microgrid"), encode(device, "device"),
                   encode(quantity, "quantity"),
                   scenario, made.pointer, made.n)
        return filled(made)

    def number(self, microgrid: str, what: str, scenario: Optional[int] = None) -> float:
        """A number of one member: "cost", "bound", "first_stage_cost", "gap", "emission_kg", "renewable_used_kwh",
        "renewable_available_kwh", "unserved_kwh"; of one scenario: "cost", "emission_kg", "renewable_used_kwh",
        "unserved_kwh"."""
        lib, value, site, name = library(), ctypes.c_double(), encode(microgrid, "microgrid"), encode(what, "what")
        if scenario is None:
            self._call(lib.mgc_plan_get_number, site, name, ctypes.byref(value))
        else:
            self._call(lib.mgc_plan_get_scenario_number, site, name, scenario, ctypes.byref(value))
        return value.value

    def probability(self, microgrid: str) -> Any:
        """Worst-case probabilities of a member's scenarios."""
        made = room(self._shape.scenarios[microgrid])
        self._call(library().mgc_plan_get_probability, encode(microgrid), made.pointer, made.n)
        return filled(made)

    def realise(self, realised: Model, **opts: Any) -> "Plan":
        """The day as it was: the first stage is kept, the recourse solved again for a model of one scenario."""
        made, out = options(_native.mgc_dispatch_opts, opts), ctypes.POINTER(_native.mgc_plan)()
        shape = _Shape.of(realised, 1)

        def work() -> None:
            with self._context.guard:
                self._check(library().mgc_plan_realise(self._handle, realised._handle, ctypes.byref(made),
                                                       ctypes.byref(out)))

        _, interrupted = interruptible(self._context, work)
        if interrupted:
            raise KeyboardInterrupt
        return Plan(self._context, out, shape)

    def state(self, periods: int, scenario: int = 0, contracts: bool = False) -> State:
        """Where the members stand after some periods; contracts: day-ahead decisions for the rest stand."""
        made = ctypes.POINTER(_native.mgc_state)()
        self._call(library().mgc_plan_state, periods, scenario, int(contracts), ctypes.byref(made))
        return State(context=self._context, _handle=made)

    def quantities(self, microgrid: str) -> Iterator[Tuple[str, str]]:
        """Every pair of device and quantity that series() knows for a member."""
        for quantity in QUANTITIES[""]:
            yield "", quantity
        for device, kind in self._shape.devices[microgrid].items():
            for quantity in QUANTITIES.get(kind, ()):
                yield device, quantity
        for index, (first, second, _) in enumerate(self._shape.links):
            if microgrid in (first, second):
                yield f"LINK:{index}", "sent_kw"
                yield f"LINK:{index}", "sent_back_kw"

    def table(self, microgrid: str, scenario: int = 0) -> Dict[str, Any]:
        """Every series of a member by name ("buy_kw", "unit-1.power_kw"); a quantity that it does not have is left
        out."""
        found: Dict[str, Any] = {}
        for device, quantity in self.quantities(microgrid):
            try:
                found[f"{device}.{quantity}" if device else quantity] = self.series(microgrid, device, quantity, scenario)
            except UnknownKey:
                pass
        return found

    def to_pandas(self, microgrid: str, scenario: int = 0) -> Any:
        """table() as a pandas.DataFrame with one row a period."""
        columns = self.table(microgrid, scenario)
        rows = [dict(zip(columns, values)) for values in zip(*columns.values())]
        frame = rows_of(list(columns), rows)
        frame.index.name = "period"
        return frame

    def __repr__(self) -> str:
        if self.closed:
            return "Plan(closed)"
        return f"Plan({self.outcome}, cost {self.cost:.6g}, {', '.join(self.microgrids)})"


# --- cases from files -----------------------------------------------------------------------------------------------


class Case(Handle):
    """Microgrids with names, dates and history: from a file, the one that the library carries, or built up in code.

        case = Case.builtin()
        case = Case.load("case.yaml")
        case = Case(periods=24, hours=1.0, buy_price_per_kwh=[...])
        site = case.add_microgrid("hospital", scenarios=10, buy_limit_kw=6000)
        site.add_device("chp", "unit-1", max_power_kw=1200)
    """

    def __init__(self, periods: int = 24, hours: float = 1.0, *, name: str = "case", currency: str = "EUR",
                 context: Optional[Context] = None, _handle: Any = None, **values: Any) -> None:
        super().__init__(context or Context())
        self.issues: List[Issue] = []
        self._file = _handle is not None
        lib = library()
        if not self._file:
            self.model = Model(periods, hours, context=self._context, **values)
            self.realised: Optional[Model] = None
            self.name, self.currency, self.start = name, currency, None
            self._raw = self.model._raw
            self.info: Dict[str, Any] = {}
            return
        self._own(_handle, lib.mgc_case_destroy)
        self.issues = _issues(_handle)
        info = info_of(_native.mgc_case_info)
        self._check(lib.mgc_case_get_info(_handle, ctypes.byref(info)))
        self.info = {name: decode(value) if isinstance(value, bytes) else value
                     for name, value in ((name, getattr(info, name)) for name,
                                         _ in info._fields_) if not name.startswith(("struct", "reserved"))}
        self.name, self.currency = self.info["name"], self.info["currency"]
        self.start = datetime.datetime.fromtimestamp(info.start_ms / 1000, datetime.timezone.utc)
        # Neither keeps the case: it keeps them, and they look at it weakly through its handle.
        self._model_raw, self._realised_raw = lib.mgc_case_model(_handle), lib.mgc_case_realised(_handle)

    def close(self) -> None:
        """Free the case with its models."""
        if self._file:
            super().close()
        elif self._raw is not None:
            self._raw = None
            self.model.close()

    def __getattr__(self, name: str) -> Any:
        # Models of a file are made when asked for and keep the case; kept by the case they would never be collected.
        if name == "model" and self.__dict__.get("_file"):
            return Model(context=self._context, _handle=self._model_raw, _lender=self)
        if name == "realised" and self.__dict__.get("_file"):
            return Model(context=self._context, _handle=self._realised_raw, _lender=self) if self._realised_raw else None
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @classmethod
    def builtin(cls, *, context: Optional[Context] = None, **opts: Any) -> "Case":
        """The day that the library carries: a hospital, a campus and a housing estate, ten scenarios out of their
        history."""
        return cls._load(context, opts, lambda ctx, made, out: library().mgc_case_builtin(ctx, made, out))

    @classmethod
    def load(cls, path: Union[str, "os.PathLike[str]"], *, context: Optional[Context] = None, **opts: Any) -> "Case":
        """Read a YAML or JSON file.  CaseError lists every fault, each with file, line, key and cure.

        opts  day_shift: days to add; no_check: leave the model's own check out; base_dir; filename
        """
        name = encode(os.fspath(path), "path")
        return cls._load(context, opts, lambda ctx, made, out: library().mgc_case_load_file(ctx, name, made, out))

    @classmethod
    def from_text(cls, text: Union[str, bytes], *, open: Optional[Callable[[str], bytes]] = None,  # noqa: A002
                  context: Optional[Context] = None, **opts: Any) -> "Case":
        """Read a case from text.  open: a function that gives the bytes of a file that the case names; default: files."""
        data = text.encode() if isinstance(text, str) else bytes(text)
        return cls._load(context, opts, lambda ctx, made,
                         out: library().mgc_case_load_text(ctx, data, len(data), made, out), open)

    @classmethod
    def _load(cls, context: Optional[Context], opts: Mapping[str, Any], load: Callable[..., int],
              opener: Optional[Callable[[str], bytes]] = None) -> "Case":
        context, lib, carrier = context or Context(), library(), Carrier()
        made = options(_native.mgc_case_opts, {name: encode(value, name) if isinstance(value, str) else value
                                               for name, value in opts.items() if name not in ("open", "close")})
        lent: Dict[Optional[int], Any] = {}
        if opener is not None:
            give = opener

            def open_file(name: bytes, pointer: Any, length: Any) -> Optional[int]:
                try:
                    data = bytes(give(decode(name)))
                except FileNotFoundError:
                    return _native.MGC_E_NOT_FOUND  # told as an issue of the key that names the file
                except OSError:
                    return _native.MGC_E_IO
                buffer = ctypes.create_string_buffer(data, max(len(data), 1))
                address = ctypes.addressof(buffer)
                lent[address] = buffer
                pointer[0], length[0] = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_uint8)), len(data)
                return None

            def close_file(_user: Any, pointer: Any, _length: int) -> None:
                lent.pop(ctypes.cast(pointer, ctypes.c_void_p).value, None)

            made.open = carrier.thunk(_native.mgc_open_fn, open_file)
            made.close = _native.mgc_close_fn(close_file)
        out = ctypes.POINTER(_native.mgc_case)()
        with context.guard:
            status = load(context.handle, ctypes.byref(made), ctypes.byref(out))
            if carrier.error is not None:
                lib.mgc_case_destroy(out)
                carrier.raise_if_any()
            if status == _native.MGC_E_CASE and out:
                error = CaseError(status, context.error(), _issues(out))
                lib.mgc_case_destroy(out)
                raise error
            context.check(status)
        return cls(context=context, _handle=out)

    # A case is used as its model is.

    @property
    def periods(self) -> int:
        """Number of periods."""
        return self.model.periods

    @property
    def hours(self) -> float:
        """Length of a period."""
        return self.model.hours

    @property
    def microgrids(self) -> Dict[str, Microgrid]:
        """Members by id."""
        return self.model.microgrids

    @property
    def links(self) -> List[Link]:
        """Links in their order."""
        return self.model.links

    def __getitem__(self, microgrid: str) -> Microgrid:
        return self.model[microgrid]

    def set(self, key: str, value: Any) -> "Case":
        """Set a parameter of the market or of carbon for all."""
        self.model.set(key, value)
        return self

    def add_microgrid(self, id: str, scenarios: int = 1, **values: Any) -> Microgrid:  # noqa: A002
        """Add a member."""
        return self.model.add_microgrid(id, scenarios, **values)

    def add_link(self, first: str, second: str, carrier: str, **values: Any) -> Link:
        """Add a link."""
        return self.model.add_link(first, second, carrier, **values)

    def check(self) -> List[Tuple[str, str, str]]:
        """Every fault of the model; an empty list: it can be solved."""
        return self.model.check()

    def plan(self, **opts: Any) -> Plan:
        """The robust day-ahead plan of every member, alone or together: Model.plan()."""
        return self.model.plan(**opts)

    @property
    def weights(self) -> Any:
        """Bargaining powers of the members; 1 each where the case does not say."""
        made = room(len(self.microgrids))
        if not self._file:
            return [1.0] * made.n
        self._call(library().mgc_case_weights, made.pointer, made.n)
        return filled(made)

    def solve(self, *, progress: Any = None, **opts: Any) -> "Result":
        """Find trades and payments of all members.  Ctrl-C keeps the best result so far.

        progress  True: a line on a terminal; or a function (phase, round, disagreement, movement, seconds) in the
                  thread that
                  solves, which may answer False to stop
        opts      as in mgc_alliance_opts: method ("admm" or "central"), relax, weights ("equal", "given",
                  "contribution"),
                  weight, threads, tolerance, gap, time_limit_s, round_limit, start (Result.state of yesterday),
                  pool (True: members trade with a pool instead of each other)
        """
        from .alliance import solve
        defaults: Dict[str, Any] = {}
        if self._file and "weights" not in opts and "weight" not in opts:
            defaults = {"weights": self.info["weights"], "weight": self.weights}
        return solve(self.model, self, progress, {**defaults, **opts})

    def __repr__(self) -> str:
        return "Case(closed)" if self.closed else f"Case({self.name!r}, {self.model!r})"


def _issues(handle: Any) -> List[Issue]:
    lib, found = library(), []
    for index in range(lib.mgc_case_issues(handle)):
        info = info_of(_native.mgc_case_issue)
        if lib.mgc_case_issue_get(handle, index, ctypes.byref(info)) < 0:
            break
        severity = "error" if info.severity == _native.MGC_ISSUE_ERROR else "warning"
        found.append(Issue(decode(info.file), decode(info.path), decode(info.message), decode(info.hint),
                           info.line, info.column,
                           severity, decode(lib.mgc_case_issue_text(handle, index))))
    return found


def builtin_files() -> Dict[str, bytes]:
    """The files that the library carries, the case first, to look at or to start from."""
    found: Dict[str, bytes] = {}
    while True:
        name, data, n = ctypes.c_char_p(), ctypes.POINTER(ctypes.c_uint8)(), ctypes.c_size_t()
        if library().mgc_builtin_file(len(found), ctypes.byref(name), ctypes.byref(data), ctypes.byref(n)) < 0:
            return found
        found[decode(name.value)] = ctypes.string_at(data, n.value)
