# SPDX-License-Identifier: Apache-2.0
"""Linear, convex quadratic and mixed-integer programs."""
from __future__ import annotations

import ctypes
import dataclasses
import gzip
import os
import pathlib
from typing import Any, Callable, Iterable, List, Mapping, Optional, Tuple, Union

from . import _native
from ._base import (Array, Carrier, Context, decode, encode, fetch, filled, Handle, info_of, interruptible, lend,
                    Numbers, numbers, options, outcome_name, pairs, progress_of, room)
from ._native import library

INFINITY = float("inf")

_U32 = ctypes.c_uint32
_SMALL = 20000  # nonzeros, rows and columns of a program without integers that is solved before a hand is at the keyboard


@dataclasses.dataclass(frozen=True)
class Solution:
    """What a solve found.

    outcome    "optimal", "infeasible", "unbounded", "limit", "cancelled" or "numerical"
    objective  of x; bound: proven lower bound of the optimum; gap: relative distance of the two
    x, y, z    point, row multipliers (derivative of the optimum by the right-hand side), reduced costs; None where
    there is none
    ray        certificate of "infeasible" (over rows) or "unbounded" (over columns); else None
    interrupted  whether Ctrl-C ended it
    """

    outcome: str
    objective: float
    bound: float
    gap: float
    primal_residual: float
    dual_residual: float
    iterations: int
    nodes: int
    seconds: float
    x: Any
    y: Any
    z: Any
    ray: Any
    interrupted: bool = False

    @property
    def optimal(self) -> bool:
        """Whether the outcome is "optimal", which is said only after residuals and gap were recomputed from the data."""
        return self.outcome == "optimal"


def _filling(value: Any, n: int, what: str) -> Array:
    """A number for all, or one each."""
    if isinstance(value, (int, float)):
        return numbers([float(value)] * n, n, what)
    return numbers(value, n, what)


class _Matrix:
    """Rows of a matrix, however it came: dense, a scipy sparse matrix, or (values, columns, row starts)."""

    def __init__(self, given: Any, columns: int) -> None:
        if hasattr(given, "tocsr"):
            given = given.tocsr()
            if given.shape[1] != columns:
                raise ValueError(f"rows has {given.shape[1]} columns; the program has {columns}")
            given = (given.data, given.indices, given.indptr)
        if isinstance(given, tuple) and len(given) == 3:
            self.values = numbers(given[0], what="rows: values")
            self.columns = numbers(given[1], self.values.n, "rows: columns", code="I")
            starts = numbers(given[2], what="rows: starts", code="I")
            self.starts = list(starts.pointer[:starts.n])
            ends = (self.starts[0], self.starts[-1]) if self.starts else None
            if ends != (0, self.values.n) or sorted(self.starts) != self.starts:
                raise ValueError("rows: starts must rise from 0 to the number of values")
        else:
            self.values = numbers(given, (None, columns), "rows")
            n = self.values.n // columns if columns else 0
            self.columns = numbers(list(range(columns)) * n, what="rows: columns", code="I")
            self.starts = [row * columns for row in range(n + 1)]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def row(self, index: int) -> Tuple[Any, Any, int]:
        begin, end = self.starts[index], self.starts[index + 1]
        return (ctypes.cast(ctypes.byref(self.columns.pointer.contents, 4 * begin),
                            ctypes.POINTER(_U32)) if end > begin else None,
                ctypes.cast(ctypes.byref(self.values.pointer.contents, 8 * begin),
                            ctypes.POINTER(ctypes.c_double)) if end > begin else None,
                end - begin)


class Solver(Handle):
    """A program to be solved, changed and solved again.

        minimise    1/2 x'Qx + cost'x + offset
        subject to  row_lower <= rows x <= row_upper,  lower <= x <= upper,  x_j whole for j in integer

    With arrays at once, or step by step with add_column() and add_row().  Q is symmetric and positive semidefinite.

    cost       numbers, one a column
    lower, upper  a number for all, or one each; an infinite one is no bound
    rows       dense (rows x columns), a scipy sparse matrix, or (values, columns, row starts)
    row_lower, row_upper  likewise; default: no bound
    integer    indices of columns, or one flag each
    quadratic  Q dense or sparse, or (i, j, values); each pair once, both triangles are set
    """

    def __init__(self, cost: Optional[Numbers] = None, *, lower: Any = 0.0, upper: Any = INFINITY, rows: Any = None,
                 row_lower: Any = -INFINITY, row_upper: Any = INFINITY, integer: Any = (), quadratic: Any = None,
                 offset: float = 0.0, context: Optional[Context] = None, _handle: Any = None) -> None:
        super().__init__(context or Context())
        lib = library()
        if _handle is None:
            _handle = ctypes.POINTER(_native.mgc_program)()
            with self._context.guard:
                self._check(lib.mgc_program_create(self._context.handle, ctypes.byref(_handle)))
        self._own(_handle, lib.mgc_program_destroy)
        if cost is not None:
            try:
                self._fill(cost, lower, upper, rows, row_lower, row_upper, integer, quadratic, offset)
            except BaseException:
                self.close()
                raise

    def _fill(self, cost: Numbers, lower: Any, upper: Any, rows: Any, row_lower: Any, row_upper: Any, integer: Any,
              quadratic: Any, offset: float) -> None:
        lib, handle = library(), self._handle
        costs = numbers(cost, (None,), "cost")
        lowers, uppers = _filling(lower, costs.n, "lower"), _filling(upper, costs.n, "upper")
        with self._context.guard:
            add = lib.mgc_program_add_column
            for c, low, high in zip(costs.pointer[:costs.n], lowers.pointer[:costs.n], uppers.pointer[:costs.n]):
                self._check(add(handle, c, low, high, None))
            if rows is not None:
                matrix = _Matrix(rows, costs.n)
                lows, highs = _filling(row_lower, len(matrix), "row_lower"), _filling(row_upper, len(matrix), "row_upper")
                add_row = lib.mgc_program_add_row
                for index, (low, high) in enumerate(zip(lows.pointer[:lows.n], highs.pointer[:highs.n])):
                    columns, values, n = matrix.row(index)
                    self._check(add_row(handle, low, high, columns, values, n, None))
            for column in _whole_columns(integer, costs.n):
                self._check(lib.mgc_program_set_integer(handle, column, 1))
            if quadratic is not None:
                for i, j, value in _triples(quadratic, costs.n):
                    self._check(lib.mgc_program_set_quadratic(handle, i, j, value))
            if offset:
                self._check(lib.mgc_program_set_offset(handle, offset))

    # --- building -------------------------------------------------------------------------------------------------

    def add_column(self, cost: float = 0.0, lower: float = 0.0, upper: float = INFINITY, *, integer: bool = False,
                   name: Optional[str] = None) -> int:
        """Append a column; its index."""
        lib, index = library(), _U32()
        self._call(lib.mgc_program_add_column, cost, lower, upper, ctypes.byref(index))
        if integer:
            self._call(lib.mgc_program_set_integer, index.value, 1)
        if name is not None:
            self._call(lib.mgc_program_set_column_name, index.value, encode(name, "name"))
        return index.value

    def add_row(self, coefficients: Union[Mapping[int, float], Iterable[Tuple[int, float]]], lower: float = -INFINITY,
                upper: float = INFINITY, *, name: Optional[str] = None) -> int:
        """Append lower <= sum of coefficients times columns <= upper; its index.  coefficients: {column: value} or
        pairs."""
        lib, index, (columns, values) = library(), _U32(), pairs(coefficients)
        self._call(lib.mgc_program_add_row, lower, upper, columns.pointer, values.pointer, values.n, ctypes.byref(index))
        if name is not None:
            self._call(lib.mgc_program_set_row_name, index.value, encode(name, "name"))
        return index.value

    def set_cost(self, column: int, cost: float) -> None:
        """Change a cost; so the next ones change bounds, integrality, offset, Q (both triangles) and a coefficient of
        the rows."""
        self._call(library().mgc_program_set_cost, column, cost)

    def set_bounds(self, column: int, lower: float, upper: float) -> None:
        """Change the bounds of a column."""
        self._call(library().mgc_program_set_bounds, column, lower, upper)

    def set_row_bounds(self, row: int, lower: float, upper: float) -> None:
        """Change the bounds of a row."""
        self._call(library().mgc_program_set_row_bounds, row, lower, upper)

    def set_integer(self, column: int, integer: bool = True) -> None:
        """Whether a column takes whole numbers only."""
        self._call(library().mgc_program_set_integer, column, int(integer))

    def set_offset(self, offset: float) -> None:
        """The constant of the objective."""
        self._call(library().mgc_program_set_offset, offset)

    def set_quadratic(self, i: int, j: int, value: float) -> None:
        """Set the entries (i, j) and (j, i) of Q; 0 removes.  On the diagonal the objective holds value/2 x_i^2."""
        self._call(library().mgc_program_set_quadratic, i, j, value)

    def set_coefficient(self, row: int, column: int, value: float) -> None:
        """Set one coefficient of the rows; 0 removes."""
        self._call(library().mgc_program_set_coefficient, row, column, value)

    def set_name(self, name: str) -> None:
        """Name of the program, for files."""
        self._call(library().mgc_program_set_name, encode(name, "name"))

    # --- looking ---------------------------------------------------------------------------------------------------

    @property
    def columns(self) -> int:
        """Number of columns."""
        return self._read(library().mgc_program_columns)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self._read(library().mgc_program_rows)

    @property
    def nonzeros(self) -> int:
        """Number of coefficients of the rows."""
        return self._read(library().mgc_program_nonzeros)

    @property
    def integers(self) -> int:
        """Number of columns that take whole numbers only."""
        return self._read(library().mgc_program_integers)

    @property
    def maximises(self) -> bool:
        """Whether it was read from a text that maximises: costs and objective then stand negated."""
        return bool(self._read(library().mgc_program_maximises))

    def _read(self, function: Callable[..., Any], *arguments: Any) -> Any:
        with self._context.guard:
            return function(self._handle, *arguments)

    def column_name(self, column: int) -> str:
        """Name of a column; "" where it has none."""
        return decode(self._read(library().mgc_program_column_name, column))

    def row_name(self, row: int) -> str:
        """Name of a row; "" where it has none."""
        return decode(self._read(library().mgc_program_row_name, row))

    def column(self, index: int) -> Tuple[float, float, float, bool]:
        """cost, lower, upper and whether it is whole."""
        cost, lower, upper, whole = ctypes.c_double(), ctypes.c_double(), ctypes.c_double(), ctypes.c_int32()
        self._call(library().mgc_program_get_column, index, ctypes.byref(cost), ctypes.byref(lower), ctypes.byref(upper),
                   ctypes.byref(whole))
        return cost.value, lower.value, upper.value, bool(whole.value)

    def row(self, index: int) -> Tuple[float, float]:
        """lower and upper of a row."""
        lower, upper = ctypes.c_double(), ctypes.c_double()
        self._call(library().mgc_program_get_row, index, ctypes.byref(lower), ctypes.byref(upper))
        return lower.value, upper.value

    def coefficient(self, row: int, column: int) -> float:
        """One coefficient of the rows."""
        value = ctypes.c_double()
        self._call(library().mgc_program_get_coefficient, row, column, ctypes.byref(value))
        return value.value

    # --- solving ---------------------------------------------------------------------------------------------------

    def solve(self, *, progress: Any = None, **opts: Any) -> Solution:
        """Solve.  Ctrl-C ends it with the best result so far, or KeyboardInterrupt where there is none.

        progress  True: a line on a terminal; or a function (iteration, objective so far, bound), called in the thread
                  that
                  solves; it answers None to go on or False to stop with the best result so far
        opts      as in mgc_program_opts: tolerance, gap, time_limit_s, iteration_limit, node_limit, relax, threads,
                  warm_start, presolve, polish
        """
        lib, carrier, handle = library(), Carrier(), self._handle
        made = options(_native.mgc_program_opts, opts)
        info = info_of(_native.mgc_program_info)

        def line(iteration: int, objective: float, bound: float) -> str:
            return f"iteration {iteration}  objective {objective:.8g}  bound {bound:.8g}"

        def work() -> Solution:
            with self._context.guard:
                status = lib.mgc_program_solve(self._handle, ctypes.byref(made), ctypes.byref(info))
                carrier.raise_if_any()
                self._check(status)
                return self._solution(info)

        with progress_of(progress, line, carrier, _native.callback(_native.mgc_program_opts, "progress"),
                         lambda *told: told) as thunk:
            made.progress = thunk
            with self._context.guard:
                size = lib.mgc_program_nonzeros(handle) + lib.mgc_program_rows(handle) + lib.mgc_program_columns(handle)
                small = progress is None and size <= _SMALL and lib.mgc_program_integers(handle) == 0
            found, interrupted = (work(), False) if small else interruptible(self._context, work)
        if interrupted:
            if found.x is None:
                raise KeyboardInterrupt
            found = dataclasses.replace(found, interrupted=True)
        return found

    def _solution(self, info: Any) -> Solution:
        lib = library()
        columns, rows = lib.mgc_program_columns(self._handle), lib.mgc_program_rows(self._handle)
        outcome = outcome_name(info.outcome)
        ray = self._vector(lib.mgc_program_get_ray, {"infeasible": rows, "unbounded": columns}.get(outcome))
        return Solution(outcome, info.objective, info.bound, info.gap, info.primal_residual, info.dual_residual,
                        info.iterations,
                        info.nodes, info.seconds, self._vector(lib.mgc_program_get_x, columns),
                        self._vector(lib.mgc_program_get_y, rows), self._vector(lib.mgc_program_get_z, columns), ray)

    def _vector(self, get: Callable[..., int], n: Optional[int]) -> Any:
        if n is None:
            return None
        made = room(n)
        status = get(self._handle, made.pointer, n)
        if status == _native.MGC_E_STATE:
            return None
        self._check(status)
        return filled(made)

    def cancel(self) -> None:
        """Ask a solve that runs to stop with its best result.  From any thread."""
        self._context.cancel()

    def check(self, x: Numbers) -> Tuple[float, float]:
        """objective and largest relative violation of a row or bound at x, by code that shares nothing with the
        solver."""
        given, objective, residual = numbers(x, (None,), "x"), ctypes.c_double(), ctypes.c_double()
        self._call(library().mgc_program_check_x, given.pointer, given.n, ctypes.byref(objective), ctypes.byref(residual))
        return objective.value, residual.value

    def check_ray(self, outcome: str, ray: Numbers) -> float:
        """How clearly a ray proves "infeasible" or "unbounded": above 0 it does."""
        number = {"infeasible": _native.MGC_OUTCOME_INFEASIBLE, "unbounded": _native.MGC_OUTCOME_UNBOUNDED}[outcome]
        given, margin = numbers(ray, (None,), "ray"), ctypes.c_double()
        self._call(library().mgc_program_check_ray, number, given.pointer, given.n, ctypes.byref(margin))
        return margin.value

    @property
    def start(self) -> bytes:
        """What the last solve left for a warm start, for another solver of the same shape, or tomorrow."""
        size = ctypes.c_size_t()
        with self._context.guard:
            self._check(library().mgc_program_get_start(self._handle, None, 0, ctypes.byref(size)))
            made = (ctypes.c_uint8 * size.value)()
            self._check(library().mgc_program_get_start(self._handle, made, size.value, ctypes.byref(size)))
        return bytes(made)

    @start.setter
    def start(self, data: bytes) -> None:
        pointer, n = lend(data, what="start")
        self._call(library().mgc_program_set_start, pointer, n)

    # --- files -----------------------------------------------------------------------------------------------------

    def clone(self) -> "Solver":
        """A copy that shares nothing but the context."""
        made = ctypes.POINTER(_native.mgc_program)()
        self._call(library().mgc_program_clone, ctypes.byref(made))
        return Solver(context=self._context, _handle=made)

    @classmethod
    def from_mps(cls, text: Union[str, bytes], file: Optional[str] = None, context: Optional[Context] = None) -> "Solver":
        """Read MPS or QPS text, fixed or free; file is a name for messages."""
        context = context or Context()
        data = text.encode() if isinstance(text, str) else bytes(text)
        made = ctypes.POINTER(_native.mgc_program)()
        with context.guard:
            context.check(library().mgc_program_read_mps(context.handle, data, len(data), encode(file, "file"),
                                                         ctypes.byref(made)))
        return cls(context=context, _handle=made)

    @classmethod
    def read_mps(cls, path: Union[str, "os.PathLike[str]"], context: Optional[Context] = None) -> "Solver":
        """Read a file, also one that gzip packed."""
        data = pathlib.Path(path).read_bytes()
        return cls.from_mps(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data, os.fspath(path), context)

    def to_mps(self, fixed: bool = False) -> str:
        """The whole program as MPS text; the free form reads back bit for bit."""
        carrier, pieces = Carrier(), []  # type: Tuple[Carrier, List[bytes]]
        thunk = carrier.thunk(_native.mgc_write_fn, lambda text, n: pieces.append(fetch(text, n)))
        form = _native.MGC_MPS_FIXED if fixed else _native.MGC_MPS_FREE
        with self._context.guard:
            status = library().mgc_program_write_mps_as(self._handle, form, thunk, None)
            carrier.raise_if_any()
            self._check(status)
        return b"".join(pieces).decode()

    def __repr__(self) -> str:
        if self.closed:
            return "Solver(closed)"
        return f"Solver({self.columns} columns, {self.rows} rows, {self.nonzeros} nonzeros, {self.integers} integer)"


def _whole_columns(integer: Any, n: int) -> List[int]:
    flags = list(integer)
    if len(flags) == n and all(isinstance(flag, bool) or type(flag).__name__ in ("bool_", "bool") for flag in flags):
        return [column for column, flag in enumerate(flags) if flag]
    return [int(column) for column in flags]


def _triples(given: Any, n: int) -> List[Tuple[int, int, float]]:
    """Entries of one triangle of Q."""
    if isinstance(given, tuple) and len(given) == 3:
        i, j = (list(numbers(side, (None,), "quadratic: index", code="I").kept) for side in given[:2])
        values = list(numbers(given[2], (len(i),), "quadratic: values").kept)
        if len(i) != len(j):
            raise ValueError("quadratic: both index lists must have the same length")
        return [(int(a), int(b), float(value)) for a, b, value in zip(i, j, values)]
    if hasattr(given, "tocoo"):
        coo = given.tocoo()
        dense = {(int(a), int(b)): float(value) for a, b, value in zip(coo.row, coo.col, coo.data)}
    else:
        square = numbers(given, (n, n), "quadratic")
        dense = {(at // n, at % n): value for at, value in enumerate(square.pointer[:n * n]) if value != 0.0}
    for (a, b), value in dense.items():
        if dense.get((b, a), 0.0) != value:
            raise ValueError(f"quadratic is not symmetric: ({a}, {b}) is {value}, ({b}, {a}) is {dense.get((b, a), 0.0)}")
    return [(a, b, value) for (a, b), value in dense.items() if a <= b]
