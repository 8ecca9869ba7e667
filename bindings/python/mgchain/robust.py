# SPDX-License-Identifier: Apache-2.0
"""Two-stage programs whose probabilities are known only roughly, or whose right-hand sides vary within a budget."""
from __future__ import annotations

import ctypes
import dataclasses
import os
import pathlib
from typing import Any, Callable, Iterable, List, Mapping, NamedTuple, Optional, Tuple, Union

from . import _native
from ._base import (Carrier, Context, decode, encode, filled, Handle, info_of, interruptible, numbers, Numbers,
                    options, outcome_name, pairs, progress_of, room)
from ._native import library
from .solver import Solver

INFINITY = float("inf")
FIRST_STAGE = _native.MGC_FIRST_STAGE
RECOURSE = _native.MGC_RECOURSE
_METHODS = {"auto": _native.MGC_METHOD_AUTO, "direct": _native.MGC_METHOD_DIRECT, "ccg": _native.MGC_METHOD_CCG}


def scenario(index: int) -> int:
    """Stage of the columns and rows of a scenario."""
    return index + 1


class AmbiguitySet:
    """A convex set of probabilities of your own: make a class of it and hand it to TwoStage.set_ambiguity().

        class Mine(AmbiguitySet):
            def worst(self, cost): ...
    """

    def worst(self, cost: Any) -> Numbers:
        """Given the costs of all scenarios, the worst probabilities of the set: >= 0, summing to 1 within 1e-6."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class RobustSolution:
    """What a solve found; x: all columns, cost: of each scenario, probability: the worst case."""

    outcome: str
    objective: float
    bound: float
    first_stage_cost: float
    gap: float
    primal_residual: float
    iterations: int
    nodes: int
    seconds: float
    x: Any
    y: Any
    cost: Any
    probability: Any
    interrupted: bool = False


class TwoStage(Handle):
    """minimise  c'x + max over p in P of sum_k p_k Q_k(x),  Q_k(x) = min { d_k'y : rows of scenario k hold }

    scenarios    their number, or their nominal probabilities
    """

    def __init__(self, scenarios: Union[int, Numbers], *, context: Optional[Context] = None, _handle: Any = None) -> None:
        super().__init__(context or Context())
        lib = library()
        self._carrier = Carrier()
        self._oracle: List[Any] = []  # the thunk that C calls
        if _handle is None:
            given = None if isinstance(scenarios, int) else numbers(scenarios, (None,), "scenarios")
            count = scenarios if given is None else given.n
            _handle = ctypes.POINTER(_native.mgc_twostage)()
            with self._context.guard:
                self._check(lib.mgc_twostage_create(self._context.handle, count,
                                                    None if given is None else given.pointer, ctypes.byref(_handle)))
        self._own(_handle, lib.mgc_twostage_destroy, self._oracle)

    @classmethod
    def read_smps(cls, core: "os.PathLike[str] | str", time: "os.PathLike[str] | str",
                  stoch: "os.PathLike[str] | str") -> "TwoStage":
        """Read a stochastic program in SMPS form: three files."""
        context, raw = Context(), ctypes.POINTER(_native.mgc_twostage)()
        arguments: List[Any] = []
        for path in (core, time, stoch):
            data = pathlib.Path(path).read_bytes()
            arguments += [data, len(data), encode(os.fspath(path), "path")]
        with context.guard:
            context.check(library().mgc_twostage_read_smps(context.handle, *arguments, ctypes.byref(raw)))
        return cls(0, context=context, _handle=raw)

    def add_column(self, stage: int, cost: float = 0.0, lower: float = 0.0, upper: float = INFINITY, *,
                   integer: bool = False,
                   name: Optional[str] = None) -> int:
        """Append a column of FIRST_STAGE or of scenario(k); its index among all."""
        lib, index = library(), ctypes.c_uint32()
        self._call(lib.mgc_twostage_add_column, stage, cost, lower, upper, ctypes.byref(index))
        if integer:
            self._call(lib.mgc_twostage_set_integer, index.value, 1)
        if name is not None:
            self._call(lib.mgc_twostage_set_column_name, index.value, encode(name, "name"))
        return index.value

    def add_row(self, stage: int, coefficients: Union[Mapping[int, float], Iterable[Tuple[int, float]]],
                lower: float = -INFINITY,
                upper: float = INFINITY, *, name: Optional[str] = None) -> int:
        """Append a row: of the first stage over its columns, of scenario k over those and k's own."""
        lib, index, (columns, values) = library(), ctypes.c_uint32(), pairs(coefficients)
        self._call(lib.mgc_twostage_add_row, stage, lower, upper, columns.pointer, values.pointer, values.n,
                   ctypes.byref(index))
        if name is not None:
            self._call(lib.mgc_twostage_set_row_name, index.value, encode(name, "name"))
        return index.value

    def set_cost(self, column: int, cost: float) -> None:
        """Change a cost; so the next ones change bounds."""
        self._call(library().mgc_twostage_set_cost, column, cost)

    def set_bounds(self, column: int, lower: float, upper: float) -> None:
        """Change the bounds of a column."""
        self._call(library().mgc_twostage_set_bounds, column, lower, upper)

    def set_row_bounds(self, row: int, lower: float, upper: float) -> None:
        """Change the bounds of a row."""
        self._call(library().mgc_twostage_set_row_bounds, row, lower, upper)

    def set_quadratic(self, i: int, j: int, value: float) -> None:
        """Set the entries (i, j) and (j, i) of the first stage's Q."""
        self._call(library().mgc_twostage_set_quadratic, i, j, value)

    @property
    def scenarios(self) -> int:
        """Number of scenarios."""
        with self._context.guard:
            return library().mgc_twostage_scenarios(self._handle)

    @property
    def columns(self) -> int:
        """Number of columns of all stages."""
        with self._context.guard:
            return library().mgc_twostage_columns(self._handle)

    @property
    def rows(self) -> int:
        """Number of rows of all stages."""
        with self._context.guard:
            return library().mgc_twostage_rows(self._handle)

    def set_ambiguity(self, own: Optional[AmbiguitySet] = None, *, norm1: Optional[float] = None,
                      norm_inf: Optional[float] = None,
                      cvar: Optional[float] = None, kl: Optional[float] = None, chi2: Optional[float] = None,
                      wasserstein: Optional[float] = None, distances: Optional[Numbers] = None,
                      worst_case: Optional[bool] = None) -> "TwoStage":
        """Guard against probabilities around the nominal ones: radii, a level (cvar), distances of scenarios for
        wasserstein,
        or a set of your own, whose worst() is called with the costs of all scenarios."""
        lib, k = library(), self.scenarios
        if distances is not None:
            self._call(lib.mgc_twostage_set_distances, numbers(distances, (k, k), "distances").pointer)
        for value, function in ((norm1, lib.mgc_twostage_set_norm1), (norm_inf, lib.mgc_twostage_set_norm_inf),
                                (cvar, lib.mgc_twostage_set_cvar),
                                (kl, lib.mgc_twostage_set_kl), (chi2, lib.mgc_twostage_set_chi2),
                                (wasserstein, lib.mgc_twostage_set_wasserstein)):
            if value is not None:
                self._call(function, value)
        if worst_case is not None:
            self._call(lib.mgc_twostage_set_worst_case, int(worst_case))
        if own is not None:
            self._set_oracle(own, k)
        return self

    def _set_oracle(self, own: AmbiguitySet, k: int) -> None:
        def call(cost: Any, worst: Any, count: int) -> None:
            given = room(count)
            ctypes.memmove(given.pointer, cost, 8 * count)
            answer = numbers(own.worst(filled(given)), count, "what worst() gave")
            ctypes.memmove(worst, answer.pointer, 8 * count)

        thunk = self._carrier.thunk(_native.mgc_oracle_fn, call)
        self._call(library().mgc_twostage_set_oracle, thunk, None)
        self._oracle[:] = [thunk]  # the one before is no longer called

    def clear_ambiguity(self) -> None:
        """Trust the nominal probabilities."""
        lib = library()
        for function in (lib.mgc_twostage_set_norm1, lib.mgc_twostage_set_norm_inf, lib.mgc_twostage_set_cvar,
                         lib.mgc_twostage_set_kl,
                         lib.mgc_twostage_set_chi2):
            self._call(function, -1.0)
        self._call(lib.mgc_twostage_set_worst_case, 0)
        self._call(lib.mgc_twostage_set_oracle, _native.mgc_oracle_fn(), None)  # type: ignore[call-overload]
        self._oracle.clear()

    def _finish(self, status: int) -> int:
        if status < 0:
            self._carrier.raise_if_any()
        self._carrier.error = None
        return self._check(status)

    def worst(self, cost: Numbers) -> Any:
        """Worst probabilities of the set for given scenario costs."""
        given = numbers(cost, self.scenarios, "cost")
        made = room(given.n)
        with self._context.guard:
            self._finish(library().mgc_twostage_worst(self._handle, given.pointer, made.pointer))
        return filled(made)

    def solve(self, *, progress: Any = None, **opts: Any) -> RobustSolution:
        """Solve.  opts as in mgc_twostage_opts: method ("auto", "direct", "ccg"), tolerance, gap, time_limit_s,
        relax, threads,
        warm_start, complete.  progress: True, or a function (iteration, upper, lower)."""
        lib, carrier = library(), self._carrier
        if isinstance(opts.get("method"), str):
            opts["method"] = _METHODS[opts["method"]]
        made, info = options(_native.mgc_twostage_opts, opts), info_of(_native.mgc_twostage_info)

        def line(iteration: int, upper: float, lower: float) -> str:
            return f"iteration {iteration}  cost {upper:.8g}  bound {lower:.8g}"

        def work() -> RobustSolution:
            with self._context.guard:
                status = lib.mgc_twostage_solve(self._handle, ctypes.byref(made), ctypes.byref(info))
                carrier.raise_if_any()
                self._check(status)
                columns, rows, k = (count(self._handle) for count in (lib.mgc_twostage_columns, lib.mgc_twostage_rows,
                                                                      lib.mgc_twostage_scenarios))
                return RobustSolution(outcome_name(info.outcome), info.objective, info.bound, info.first_stage_cost,
                                      info.gap, info.primal_residual,
                                      info.iterations, info.nodes, info.seconds,
                                      self._vector(lib.mgc_twostage_get_x, columns),
                                      self._vector(lib.mgc_twostage_get_y, rows),
                                      self._vector(lib.mgc_twostage_get_cost, k),
                                      self._vector(lib.mgc_twostage_get_probability, k))

        with progress_of(progress, line, carrier, _native.callback(_native.mgc_twostage_opts, "progress"),
                         lambda *told: told) as thunk:
            made.progress = thunk
            found, interrupted = interruptible(self._context, work)
        if interrupted:
            if found.x is None:
                raise KeyboardInterrupt
            found = dataclasses.replace(found, interrupted=True)
        return found

    def _vector(self, get: Callable[..., int], n: int) -> Any:
        made = room(n)
        status = get(self._handle, made.pointer, n)
        if status == _native.MGC_E_STATE:
            return None
        self._check(status)
        return filled(made)

    def extensive(self) -> Solver:
        """The direct reformulation as one program."""
        raw = ctypes.POINTER(_native.mgc_program)()
        self._call(library().mgc_twostage_extensive, ctypes.byref(raw))
        return Solver(context=self._context, _handle=raw)


class BudgetSolution(NamedTuple):
    """What a solve found; x: all columns (recourse of the worst case), worst: that case."""

    outcome: str
    objective: float
    bound: float
    first_stage_cost: float
    gap: float
    rounds: int
    seconds: float
    x: Any
    worst: Any
    reason: str


class Robust(Handle):
    """minimise  c'x + max over z in Z of min { b'y : lower + M z <= E x + G y <= upper + M z }

    Z is a polytope of uncertain numbers, a budget for instance; columns and rows belong to FIRST_STAGE or RECOURSE.
    """

    def __init__(self, parameters: int, *, context: Optional[Context] = None) -> None:
        super().__init__(context or Context())
        lib, raw = library(), ctypes.POINTER(_native.mgc_budget)()
        with self._context.guard:
            self._check(lib.mgc_budget_create(self._context.handle, parameters, ctypes.byref(raw)))
        self._own(raw, lib.mgc_budget_destroy)
        self.parameters = parameters
        self._columns = 0

    def add_column(self, stage: int, cost: float = 0.0, lower: float = 0.0, upper: float = INFINITY, *,
                   integer: bool = False,
                   name: Optional[str] = None) -> int:
        """Append a column; its index."""
        lib, index = library(), ctypes.c_uint32()
        self._call(lib.mgc_budget_add_column, stage, cost, lower, upper, encode(name, "name"), ctypes.byref(index))
        self._columns = index.value + 1
        if integer:
            self._call(lib.mgc_budget_set_integer, index.value, 1)
        return index.value

    def add_row(self, stage: int, coefficients: Union[Mapping[int, float], Iterable[Tuple[int, float]]],
                lower: float = -INFINITY,
                upper: float = INFINITY, *, shift: Mapping[int, float] = {}, name: Optional[str] = None) -> int:
        """Append a row; shift: {parameter: by how much both bounds move with it}."""
        lib, index, (columns, values) = library(), ctypes.c_uint32(), pairs(coefficients)
        self._call(lib.mgc_budget_add_row, stage, lower, upper, columns.pointer, values.pointer, values.n,
                   encode(name, "name"), ctypes.byref(index))
        for parameter, value in shift.items():
            self._call(lib.mgc_budget_set_shift, index.value, parameter, value)
        return index.value

    def set_range(self, parameter: int, lower: float, upper: float) -> None:
        """Range of an uncertain number; 0..1 otherwise."""
        self._call(library().mgc_budget_set_range, parameter, lower, upper)

    def add_limit(self, coefficients: Union[Mapping[int, float], Iterable[Tuple[int, float]]], lower: float = -INFINITY,
                  upper: float = INFINITY) -> None:
        """A row of Z, the budget: lower <= sum of coefficients times uncertain numbers <= upper."""
        parameters, values = pairs(coefficients)
        self._call(library().mgc_budget_add_limit, lower, upper, parameters.pointer, values.pointer, values.n)

    def solve(self, *, progress: Any = None, **opts: Any) -> BudgetSolution:
        """Solve.  opts as in mgc_budget_opts: tolerance, gap, time_limit_s, threads, round_limit, vertex_limit."""
        lib, carrier = library(), Carrier()
        made, info = options(_native.mgc_budget_opts, opts), info_of(_native.mgc_budget_info)

        def line(number: int, upper: float, lower: float) -> str:
            return f"round {number}  cost {upper:.8g}  bound {lower:.8g}"

        def vector(get: Callable[..., int], n: int) -> Any:
            place = room(n)
            status = get(self._handle, place.pointer, n)
            return None if status == _native.MGC_E_STATE else (self._check(status), filled(place))[1]

        def work() -> BudgetSolution:
            with self._context.guard:
                status = lib.mgc_budget_solve(self._handle, ctypes.byref(made), ctypes.byref(info))
                carrier.raise_if_any()
                self._check(status)
                return BudgetSolution(outcome_name(info.outcome), info.objective, info.bound, info.first_stage_cost,
                                      info.gap, info.rounds,
                                      info.seconds, vector(lib.mgc_budget_get_x, self._columns),
                                      vector(lib.mgc_budget_get_worst, self.parameters),
                                      decode(lib.mgc_budget_explain(self._handle)))

        with progress_of(progress, line, carrier, _native.callback(_native.mgc_budget_opts, "progress"),
                         lambda *told: told) as thunk:
            made.progress = thunk
            found, interrupted = interruptible(self._context, work)
        if interrupted and found.x is None:
            raise KeyboardInterrupt
        return found


class Scenarios(NamedTuple):
    """Scenarios that stand for samples: their indices, probabilities, and the scenario of each sample."""

    medoid: Any
    probability: Any
    assignment: Any


def reduce_scenarios(samples: Numbers, n: int, *, method: str = "k-medoids", weight: Optional[Numbers] = None,
                     seed: int = 0) -> Scenarios:
    """Reduce joint samples (samples x dimension) to n scenarios."""
    context = Context()
    given = numbers(samples, (None, None), "samples")
    rows = len(samples)
    dimension = given.n // rows if rows else 0
    weights = None if weight is None else numbers(weight, dimension, "weight")
    medoid, share, assigned = room(n, code="I"), room(n), room(rows, code="I")
    context.check(library().mgc_scenarios_reduce(context.handle, given.pointer, rows, dimension,
                                                 weights.pointer if weights else None,
                                                 encode(method, "method"), n, seed, medoid.pointer, share.pointer,
                                                 assigned.pointer))
    return Scenarios(filled(medoid), filled(share), filled(assigned))


def radius(name: str, scenarios: int, samples: int, confidence: float, *, rule: Optional[str] = None,
           diameter: float = 1.0) -> float:
    """Radius of a ball ("norm1", "norm_inf", "wasserstein") that is to hold the true distribution with a confidence."""
    lib, context, made = library(), Context(), ctypes.c_double()
    text = encode(rule, "rule")
    if name == "wasserstein":
        context.check(lib.mgc_radius_wasserstein(context.handle, text, scenarios, diameter, samples, confidence,
                                                 ctypes.byref(made)))
    else:
        function = {"norm1": lib.mgc_radius_norm1, "norm_inf": lib.mgc_radius_norm_inf}[name]
        context.check(function(context.handle, text, scenarios, samples, confidence, ctypes.byref(made)))
    return made.value
