# SPDX-License-Identifier: Apache-2.0
"""What every object of the package is made of: contexts, handles, arrays, callbacks, and calls that Ctrl-C can end."""
from __future__ import annotations

import array
import contextlib
import ctypes
import difflib
import os
import queue
import re
import sys
import threading
import time
import weakref
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, NoReturn, Optional, Sequence, Tuple, Union

from . import _native
from ._native import library
from .errors import MgcError, StateError, error_class

try:
    if os.environ.get("MGCHAIN_NUMPY") == "0":
        raise ImportError("switched off by MGCHAIN_NUMPY")
    import numpy as numpy
except ImportError:
    numpy = None  # type: ignore[assignment]

Numbers = Any  # a sequence of numbers, an array.array, a numpy array, or anything with the buffer protocol

DONE, STOP = _native.MGC_CB_DONE, _native.MGC_CB_STOP


# --- texts ------------------------------------------------------------------------------------------------------------


def encode(text: Optional[str], what: str = "text") -> Optional[bytes]:
    """UTF-8 for C, which reads up to the first NUL: one inside would cut the text silently."""
    if text is None:
        return None
    if isinstance(text, os.PathLike):
        text = os.fspath(text)
    if not isinstance(text, str):
        raise TypeError(f"{what} must be str, not {type(text).__name__}")
    if "\0" in text:
        raise ValueError(f"{what} holds a NUL character")
    return text.encode("utf-8", "surrogateescape")


def decode(text: Optional[bytes]) -> str:
    """A borrowed `const char *`, copied at once."""
    return "" if text is None else text.decode("utf-8", "surrogateescape")


def outcome_name(outcome: int) -> str:
    """ "optimal", "infeasible", ... """
    return decode(library().mgc_outcome_name(outcome))


# --- contexts and their lock --------------------------------------------------------------------------------------------


class Guard:
    """One thread at a time in the handles of one context.

    The C call runs without the interpreter's lock, so this one is needed.  A callback that calls back into what is
    calling
    it would wait for itself: it is refused instead.
    """

    __slots__ = ("_lock", "_owner")

    def __init__(self) -> None:
        self._lock, self._owner = threading.Lock(), 0

    def __enter__(self) -> "Guard":
        if self._owner == threading.get_ident():
            raise StateError(_native.MGC_E_STATE,
                             "python: called from inside a callback of the same object, which is still at work")
        self._lock.acquire()
        self._owner = threading.get_ident()
        return self

    def __exit__(self, *_error: object) -> None:
        self._owner = 0
        self._lock.release()


def _destroy(destroy: Callable[[Any], None], handle: Any, *_kept_alive_until_now: object) -> None:
    destroy(handle)


@_native.callback(_native.mgc_ctx_opts, "now_ms")  # type: ignore[misc]
def _now_ms(_user: Any) -> int:
    return time.monotonic_ns() // 1000000


class Context:
    """Error text, clock, log hook and cancel flag of the objects that are made in it; and their lock.

    Objects make their own one unless they are given another's.  log: called with (level, text), level 1 (error) to 4
    (debug).  There is nothing to close: a context goes when the last object in it is gone.
    """

    def __init__(self, log: Optional[Callable[[int, str], None]] = None, log_level: int = _native.MGC_LOG_INFO,
                 allocator: Optional[_native.mgc_allocator] = None) -> None:
        lib = library()
        opts = _native.mgc_ctx_opts()
        lib.mgc_ctx_opts_init(ctypes.byref(opts), ctypes.sizeof(opts))
        opts.now_ms = _now_ms
        opts.log_level = log_level
        kept: List[Any] = [allocator]
        if allocator is not None:
            opts.allocator = ctypes.pointer(allocator)
        if log is not None:
            hook = log

            def call(_user: Any, level: int, text: bytes) -> None:
                try:
                    hook(level, decode(text))
                except Exception as error:  # a log hook has nobody to tell
                    told: Any = _Unraisable(type(error), error, error.__traceback__, "log hook of mgchain", hook)
                    sys.unraisablehook(told)

            thunk = _native.callback(_native.mgc_ctx_opts, "log")(call)
            opts.log = thunk
            kept.append(thunk)
        handle = ctypes.POINTER(_native.mgc_ctx)()
        status = lib.mgc_ctx_create(ctypes.byref(opts), ctypes.byref(handle))
        if status < 0:
            raise error_class(status)(status, "python: no context")
        self.handle = handle
        self.guard = Guard()
        self._finalizer = weakref.finalize(self, _destroy, lib.mgc_ctx_destroy, handle, kept)

    def error(self) -> str:
        """Text of the last failure."""
        return decode(library().mgc_ctx_error(self.handle))

    def cancel(self) -> None:
        """Ask what runs in this context to stop with its best result.  From any thread."""
        library().mgc_ctx_cancel(self.handle)

    def check(self, status: int) -> int:
        """Raise what a negative status stands for."""
        return status if status >= 0 else self.fail(status)

    def fail(self, status: int) -> NoReturn:
        """Raise what a status stands for, with the text of the last failure."""
        text = self.error()
        raise error_class(status, text)(status, text, **_place(text))


class _Unraisable(NamedTuple):
    exc_type: Any
    exc_value: Any
    exc_traceback: Any
    err_msg: Any
    object: Any


# Messages name a file as "file:line: " where they know one, and the nearest word as "did you mean".
_PLACE = re.compile(r"(?:^|\s)(?P<file>[^\s:]+\.\w+):(?P<line>\d+)(?::(?P<column>\d+))?: ")
_HINT = re.compile(r"""did you mean ["']?(?P<hint>[^'"?]+)["']?\??$""")


def _place(text: str) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    place, hint = _PLACE.search(text), _HINT.search(text)
    if place:
        found["file"], found["line"] = place["file"], int(place["line"])
        if place["column"]:
            found["column"] = int(place["column"])
    if hint:
        found["hint"] = hint["hint"]
    return found


# --- handles --------------------------------------------------------------------------------------------------------


class Handle:
    """Owns one handle of the library.  A context manager; close() may be called twice; else it goes with its last
    user."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._raw: Any = None
        self._finalizer: Any = None

    def _own(self, handle: Any, destroy: Callable[[Any], None], *kept: object) -> None:
        """Take a handle over.  The finaliser, not the object, holds what C still points at."""
        self._raw = handle
        self._finalizer = weakref.finalize(self, _destroy, destroy, handle, self._context, *kept)

    @property
    def _handle(self) -> Any:
        if self._raw is None:
            raise StateError(_native.MGC_E_STATE, f"python: this {type(self).__name__} is closed")
        return self._raw

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._raw is None

    def close(self) -> None:
        """Free what the library holds for this object; what was borrowed from it is gone too."""
        if self._raw is None:
            return
        with self._context.guard:
            if self._raw is not None:
                self._raw = None
                self._finalizer()

    def __enter__(self) -> Any:
        self._handle
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _check(self, status: int) -> int:
        return self._context.check(status)

    def _call(self, function: Callable[..., int], *arguments: Any) -> int:
        """One short call on this handle, under its lock."""
        with self._context.guard:
            status = function(self._handle, *arguments)
            return status if status >= 0 else self._context.fail(status)


def info_of(struct: type) -> Any:
    """An info struct that says how large it is."""
    made = struct()
    made.struct_size = ctypes.sizeof(made)
    return made


def options(struct: Any, values: Mapping[str, Any]) -> Any:
    """An option struct with the running library's defaults and these values laid over them; None: the default."""
    made = struct()
    getattr(library(), struct.__name__ + "_init")(ctypes.byref(made), ctypes.sizeof(made))
    names = {name for name, _ in struct._fields_} - {"struct_size", "user", "progress"}
    for name, value in values.items():
        if name not in names or name.startswith("reserved"):
            shown = sorted(n for n in names if not n.startswith(("reserved", "exchange", "process"))
                           and not n.endswith(("_n", "_len")))
            near = difflib.get_close_matches(name, shown, 1)
            hint = f"; did you mean {near[0]!r}?  There are" if near else "; there are"
            raise TypeError(f"there is no option {name!r}{hint}: {', '.join(shown)}")
        if value is not None:
            try:
                setattr(made, name, int(value) if isinstance(value, bool) else value)
            except TypeError as error:
                raise TypeError(f"option {name}: {error}") from None
            kept = getattr(made, name)
            if isinstance(value, int) and isinstance(kept, int) and kept != value:  # ctypes wraps round silently
                raise OverflowError(f"option {name} is {value}; it does not fit")
    return made


# --- arrays ---------------------------------------------------------------------------------------------------------

_CODES: Dict[str, Tuple[Any, str, int]] = {
    "d": (ctypes.c_double, "float64", 8), "I": (ctypes.c_uint32, "uint32", 4), "q": (ctypes.c_int64, "int64", 8),
    "Q": (ctypes.c_uint64, "uint64", 8)}


class Array:
    """A C array for the time of a call: pointer, length, and the object that keeps it alive."""

    __slots__ = ("pointer", "n", "kept")

    def __init__(self, pointer: Any, n: int, kept: Any) -> None:
        self.pointer, self.n, self.kept = pointer, n, kept
        pointer.kept = kept  # whoever holds the pointer alone holds the memory too


def _shape_error(what: str, found: Any, wanted: Any) -> ValueError:
    return ValueError(f"{what} has the shape {found}; it must be {wanted}")


def _from_numpy(values: Any, code: str) -> Any:
    kind = _CODES[code][1]
    if values.dtype.kind not in "biuf":
        raise TypeError(f"numbers are wanted, not an array of {values.dtype}")
    if code != "d" and values.dtype.kind == "f":
        raise TypeError("whole numbers are wanted, not an array of floats")
    made = numpy.require(values, dtype=kind, requirements=["C", "A"])  # the very same array where it is suitable
    if code != "d" and made is not values and not numpy.array_equal(made, values):
        raise OverflowError(f"a number does not fit {kind}")
    return made


def _flatten(values: Any, shape: List[int], depth: int, what: str) -> Iterator[Any]:
    if isinstance(values, (str, bytes)):
        raise TypeError(f"{what} must be numbers, not text")
    if depth == len(shape):
        shape.append(len(values))
    elif shape[depth] != len(values):
        raise ValueError(f"{what} is ragged: a row has {len(values)} values, the ones before it {shape[depth]}")
    for value in values:
        if hasattr(value, "__len__") or hasattr(value, "__iter__"):
            yield from _flatten(value if hasattr(value, "__len__") else list(value), shape, depth + 1, what)
        else:
            yield value


def _from_anything(values: Any, code: str, what: str) -> Tuple[Any, Tuple[int, ...]]:
    """An array.array and the shape, from a buffer or a nested sequence."""
    if isinstance(values, (str, bytes, bytearray)):
        raise TypeError(f"{what} must be numbers, not {type(values).__name__}")
    try:
        view = memoryview(values)
    except TypeError:
        view = None
    if view is not None and view.format in ("c", "s", "?", "<c", "P", "O"):
        raise TypeError(f"{what} must be numbers")
    if view is not None and view.format == code and view.c_contiguous and isinstance(values, array.array):
        return values, (len(values),)
    if view is not None and view.format in (code, "f", "d", "i", "I", "l", "L", "q", "Q", "h", "H", "b",
                                            "B") and view.ndim > 0:
        values = view.tolist()
    elif not hasattr(values, "__len__"):
        if not hasattr(values, "__iter__"):
            raise TypeError(f"{what} must be a sequence of numbers, not {type(values).__name__}")
        values = list(values)
    shape: List[int] = []
    try:
        flat = array.array(code, _flatten(values, shape, 0, what))
    except TypeError as error:
        raise TypeError(f"{what}: {error}") from None
    count = 1
    for length in shape:
        count *= length
    if count != len(flat):
        raise ValueError(f"{what} is ragged")
    return flat, tuple(shape)


def numbers(values: Numbers, shape: Union[None, int, Tuple[Optional[int], ...]] = None, what: str = "array",
            code: str = "d") -> Array:
    """Numbers for C: contiguous, of the right type, of the right shape, alive for the call.

    A suitable array (float64, contiguous) is used as it is, without a copy; anything else is copied into one.
    """
    kind = _CODES[code][0]
    found: Tuple[int, ...]
    if numpy is not None and (isinstance(values, numpy.ndarray) or hasattr(values, "__array_interface__")
                              or hasattr(values, "__array__")):
        try:
            kept = _from_numpy(numpy.asarray(values), code)
        except (TypeError, OverflowError) as error:
            raise type(error)(f"{what}: {error}") from None
        found = kept.shape
        address = kept.__array_interface__["data"][0]
        n = kept.size
    else:
        kept, found = _from_anything(values, code, what)
        address, n = kept.buffer_info()
    if shape is not None:
        wanted = (shape,) if isinstance(shape, int) else shape
        if len(found) != len(wanted) or any(w is not None and w != f for w, f in zip(wanted, found)):
            raise _shape_error(what, found, tuple("any" if w is None else w for w in wanted))
    return Array(ctypes.cast(ctypes.c_void_p(address), ctypes.POINTER(kind)), n, kept)


def pairs(coefficients: Any) -> Tuple[Any, Any]:
    """Columns and values for a row of a program, out of {column: value} or pairs."""
    given = list(coefficients.items() if isinstance(coefficients, Mapping) else coefficients)
    columns = numbers([column for column, _ in given], what="columns", code="I")
    return columns, numbers([value for _, value in given], what="values")


def room(n: int, out: Any = None, what: str = "out", code: str = "d") -> Array:
    """Room for n numbers that C fills: a new array, or the caller's own where it is suitable (never a hidden copy)."""
    kind, name, width = _CODES[code]
    if out is None:
        if numpy is not None:
            out = numpy.empty(n, dtype=name)
        else:
            out = array.array(code, bytes(width * n))
    view = memoryview(out)
    if view.format != code and not (code == "q" and view.format == "l") and not (code == "Q" and view.format == "L"):
        raise TypeError(f"{what} must hold {name}, not format {view.format!r}")
    if view.readonly or not view.c_contiguous:
        raise TypeError(f"{what} must be writable and contiguous")
    if view.nbytes != n * width:
        raise _shape_error(what, view.shape, (n,))
    raw = (kind * n).from_buffer(out)
    return Array(ctypes.cast(raw, ctypes.POINTER(kind)), n, (raw, out))


def filled(made: Array) -> Any:
    """What room() made, after C has filled it."""
    return made.kept[1]


def zeros(n: int) -> Any:
    """n zeros, of the kind that results have."""
    return numpy.zeros(n) if numpy is not None else array.array("d", bytes(8 * n))


def copied(pointer: Any, n: int) -> Any:
    """A copy of n doubles that the library lends."""
    if n == 0 or not pointer:
        return zeros(0)
    made = room(n)
    ctypes.memmove(made.pointer, pointer, 8 * n)
    return filled(made)


def doubles(values: Any) -> Any:
    """Numbers of this side as a result array."""
    return numpy.array(values, dtype="float64") if numpy is not None else array.array("d", values)


# --- bytes ----------------------------------------------------------------------------------------------------------

_BYTE_POINTER = ctypes.POINTER(ctypes.c_uint8)


def lend(data: Any, length: Optional[int] = None, what: str = "bytes") -> Tuple[Any, int]:
    """Pointer to bytes, without a copy, and their length.  The pointer keeps them alive."""
    if not isinstance(data, bytes):
        if isinstance(data, (str, int)):
            raise TypeError(f"{what} must be bytes, not {type(data).__name__}")
        data = bytes(data)
    if length is not None and len(data) != length:
        raise ValueError(f"{what} has {len(data)} bytes; it must have {length}")
    return ctypes.cast(ctypes.c_char_p(data), _BYTE_POINTER), len(data)


def fetch(pointer: Any, length: int) -> bytes:
    """A copy of bytes that the library lends."""
    return ctypes.string_at(pointer, length) if length and pointer else b""


def put_bytes(target: Any, data: bytes) -> None:
    """Copy bytes into memory of the library's or into an array of a struct."""
    ctypes.memmove(target, data, len(data))


# --- callbacks ------------------------------------------------------------------------------------------------------


class Carrier:
    """Carries an exception from a callback round the C frames: kept here, raised after the call."""

    __slots__ = ("error",)

    def __init__(self) -> None:
        self.error: Optional[BaseException] = None

    def keep(self, error: BaseException) -> None:
        if self.error is None:
            self.error = error

    def raise_if_any(self) -> None:
        error, self.error = self.error, None
        if error is not None:
            raise error

    def thunk(self, prototype: Any, function: Callable[..., Any], failed: int = _native.MGC_E_CALLBACK,
              drop_user: bool = True) -> Any:
        """A callback of C for a function of Python.  It never answers 0, which C takes for no answer at all.

        The function answers None or True (done), False (stop) or a status; an exception is kept and answered as `failed`,
        an MgcError as its status.  The caller keeps the thunk as long as C may call it.
        """

        def call(*arguments: Any) -> int:
            try:
                answer = function(*(arguments[1:] if drop_user else arguments))
                if answer is None or answer is True:
                    return DONE
                if answer is False:
                    return STOP
                return int(answer) or _native.MGC_E_CALLBACK
            except MgcError as error:
                self.keep(error)
                return error.status if error.status < 0 else failed
            except BaseException as error:  # KeyboardInterrupt as well
                self.keep(error)
                return failed

        return prototype(call)


# --- long calls -----------------------------------------------------------------------------------------------------


class _Worker:
    """A thread that is kept, for the long calls of the main thread: one at a time.

    Kept, because the C library's allocator gives each thread its own arena: in a fresh thread every solve would touch
    fresh
    pages, which costs some percent of it.
    """

    def __init__(self) -> None:
        self.process = os.getpid()  # a fork has no threads
        self._jobs: "queue.SimpleQueue[Callable[[], None]]" = queue.SimpleQueue()
        self.hand_in = self._jobs.put
        threading.Thread(target=self._run, name="mgchain", daemon=True).start()

    def _run(self) -> None:
        while True:
            job: Any = self._jobs.get()
            job()
            del job  # and with it what it holds


_worker: Optional[_Worker] = None


def interruptible(context: Context, work: Callable[[], Any]) -> Tuple[Any, bool]:
    """Do a long call so that Ctrl-C works: in a thread, while the main thread waits and asks it to stop.

    Returns what the work returned and whether it was interrupted; the caller keeps the best result so far or raises
    KeyboardInterrupt where there is none.  A second Ctrl-C is raised as soon as the library has stopped.
    Signals reach the main thread alone, so other threads do the work themselves.
    """
    global _worker
    if threading.current_thread() is not threading.main_thread():
        return _and_forget_cancel(context, work), False
    result: List[Any] = []
    failure: List[BaseException] = []
    begun, done = threading.Event(), threading.Event()

    def run() -> None:
        begun.set()
        try:
            result.append(_and_forget_cancel(context, work))
        except BaseException as error:
            failure.append(error)
        finally:
            done.set()

    interrupts, handed, never = 0, False, False
    while True:  # Ctrl-C may come anywhere in here: it is counted, and what follows from it is done in the next turn
        try:
            if interrupts:
                context.cancel()
                never = not begun.wait(1.0)
            elif not handed:
                if _worker is None or _worker.process != os.getpid():
                    _worker = _Worker()
                handed = True
                _worker.hand_in(run)
            while not never and not done.wait(0.2):  # a signal between the look and the wait wakes nobody
                pass
            break
        except KeyboardInterrupt:
            interrupts += 1
    if interrupts:
        library().mgc_ctx_cancel_reset(context.handle)  # where it came after the end
    if never:
        raise KeyboardInterrupt
    if interrupts > 1:
        raise KeyboardInterrupt
    if interrupts and failure and isinstance(failure[0], MgcError):
        raise KeyboardInterrupt from failure[0]  # it had come to nothing yet
    if failure:
        try:
            raise failure[0]
        finally:
            failure.clear()  # no cycle of the exception with this frame
    return result[0], interrupts > 0


def _and_forget_cancel(context: Context, work: Callable[[], Any]) -> Any:
    """A request to cancel ends one call, not all that follow."""
    try:
        return work()
    finally:
        library().mgc_ctx_cancel_reset(context.handle)


class ProgressLine:
    """One line on a terminal that is written over, and nothing elsewhere."""

    def __init__(self, stream: Any = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._on = bool(getattr(self._stream, "isatty", lambda: False)())
        self._last = 0.0
        self._width = 0

    def show(self, text: str) -> None:
        now = time.monotonic()
        if self._on and now - self._last >= 0.1:
            self._last = now
            self._stream.write("\r" + text.ljust(self._width))
            self._stream.flush()
            self._width = len(text)

    def end(self) -> None:
        if self._on and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()


@contextlib.contextmanager
def progress_of(wanted: Any, line: Callable[..., str], carrier: Carrier, prototype: Any,
                adapt: Callable[..., Tuple[Any, ...]]) -> Iterator[Any]:
    """The thunk for a progress hook: None or False: none; True: a line on the terminal; else the caller's function.

    The function may answer False to stop with the best result so far.  It runs in the thread that solves.
    """
    if wanted is None or wanted is False:
        yield prototype()
        return
    shown = ProgressLine()

    def told(*arguments: Any) -> Any:
        values = adapt(*arguments)
        if wanted is True:
            shown.show(line(*values))
            return None
        answer = wanted(*values)
        if answer is None or answer is True:
            return None
        if answer is False:
            return False
        raise TypeError(f"a progress function answers None, True (go on) or False (stop), not {answer!r}")

    thunk = carrier.thunk(prototype, told, failed=STOP)
    try:
        yield thunk
    finally:
        shown.end()


def rows_of(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Any:
    """A pandas.DataFrame of rows; ImportError with the cure where pandas is not installed."""
    try:
        import pandas
    except ImportError:
        raise ImportError("to_pandas() needs pandas: apt install python3-pandas, or pip install pandas") from None
    return pandas.DataFrame([[row[name] for name in columns] for row in rows], columns=list(columns))
