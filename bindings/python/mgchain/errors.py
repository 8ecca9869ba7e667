# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, as exceptions.

Branch on the class or on `status`; the text is for people.  An outcome such as "infeasible" is no exception: it stands in
the result.
"""
from __future__ import annotations

import errno
import re
from typing import Any, Dict, List, Optional, Tuple, Type

from . import _native


class Issue:
    """One thing that is wrong with a case file, or looks wrong.

    file, path (of the key, "microgrids.hospital.devices.chp.min_power_kw"), message, hint (the cure, or what is allowed),
    line and column (from 1; 0: the whole file or line), severity ("error" or "warning").
    """

    __slots__ = ("file", "path", "message", "hint", "line", "column", "severity", "text")

    def __init__(self, file: str, path: str, message: str, hint: str, line: int, column: int, severity: str,
                 text: str) -> None:
        self.file, self.path, self.message, self.hint = file, path, message, hint
        self.line, self.column, self.severity, self.text = line, column, severity, text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Issue({self.text!r})"


class MgcError(Exception):
    """The library refused or failed.

    status   negative number, equal to one of the MGC_E_... constants
    name     "MGC_E_RANGE"
    message  "room: what is wrong with which thing; what was found; what is allowed"
    file, line, column, key, hint   where the library tells them, else None
    """

    def __init__(self, status: int, message: str = "", *, file: Optional[str] = None, line: Optional[int] = None,
                 column: Optional[int] = None, key: Optional[str] = None, hint: Optional[str] = None) -> None:
        self.status = status
        self.name, meaning = _NAMES.get(status, ("MGC_E_?", "a status that this package does not know"))
        self.message = message or meaning
        self.file, self.line, self.column, self.key, self.hint = file, line, column, key, hint
        super().__init__(status, message)

    def __str__(self) -> str:
        return f"{self.message} [{self.name}]"

    def __reduce__(self) -> Tuple[Any, ...]:  # pickled with what makes it: also between processes
        return (_rebuild, (type(self), self.status, self.message, self.__dict__))


def _rebuild(kind: Type[MgcError], status: int, message: str, state: Dict[str, object]) -> MgcError:
    error = kind.__new__(kind)
    MgcError.__init__(error, status, message)
    error.__dict__.update(state)
    return error


class InvalidArgument(MgcError, ValueError):
    """An argument is not allowed: not finite, of the wrong length, out of range."""


class OutOfMemory(MgcError, MemoryError):
    """The allocator gave nothing."""


class StateError(MgcError, RuntimeError):
    """Not allowed now: closed, not started, in use by another call."""


class NotFound(MgcError, LookupError):
    """There is no such thing, or none that the caller may see."""


class NoSuchFile(NotFound, FileNotFoundError):
    """A file that was to be read, or the folder of one that was to be written, is not there."""

    def __new__(cls, *_arguments: Any, **_named: Any) -> "NoSuchFile":
        return OSError.__new__(cls)  # the larger of the two layouts

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.errno = errno.ENOENT

    def __str__(self) -> str:
        return MgcError.__str__(self)


class StorageError(MgcError, OSError):
    """A file or a store could not be read or written."""

    def __str__(self) -> str:
        return MgcError.__str__(self)


class FormatError(MgcError, ValueError):
    """A text or bytes do not follow their grammar; file and line where they are known."""


class CaseError(FormatError):
    """A case file has errors.  issues: all of them; file, line, key and hint are the first one's."""

    def __init__(self, status: int, message: str = "", issues: Optional[List[Issue]] = None) -> None:
        self.issues: List[Issue] = issues or []
        first = next((issue for issue in self.issues if issue.severity == "error"), None)
        if first is None:
            super().__init__(status, message)
        else:
            super().__init__(status, message, file=first.file, line=first.line, column=first.column, key=first.path,
                             hint=first.hint)

    def __str__(self) -> str:
        if not self.issues:
            return super().__str__()
        return "\n".join(["the case file has errors:", *(f"  {issue}" for issue in self.issues)])


class UnknownKey(MgcError, KeyError):
    """No parameter, device or series of that name; hint: the nearest one that there is."""

    def __str__(self) -> str:
        return MgcError.__str__(self)


class NumericalError(MgcError, ArithmeticError):
    """A factorisation or an iteration broke down."""


class VerificationError(MgcError):
    """A signature, proof, hash or block is not what it claims to be."""


class Refused(MgcError):
    """A ledger, a contract or a rule of the market refused."""


class Stopped(MgcError):
    """A callback asked to stop where there is no best result so far."""


class CallbackError(MgcError):
    """A callback of this program answered with none of the allowed words."""


_FILE = re.compile(r"io: .* cannot be (read|written): ", re.S)
_NAMES = {number: (name, meaning) for name, (number, meaning) in _native.STATUS.items()}
_CLASSES: Dict[str, Type[MgcError]] = {
    **dict.fromkeys(("INVALID_ARG", "ABI_SIZE", "ABI_FUTURE", "LIMIT", "RANGE", "OVERFLOW", "UNSUPPORTED", "EXISTS",
                     "WRONG_LENGTH",
                     "NOT_CONVEX", "PROBABILITY", "FREE_MONEY", "TOO_LARGE"), InvalidArgument),
    "NO_MEMORY": OutOfMemory, "STATE": StateError, "NOT_FOUND": NotFound, "UNKNOWN_KEY": UnknownKey,
    "NUMERIC": NumericalError,
    "CASE": CaseError, "STOPPED": Stopped, "CALLBACK": CallbackError,
    **dict.fromkeys(("IO", "LOCKED", "FAILED"), StorageError),
    **dict.fromkeys(("SYNTAX", "NONCANONICAL", "TRUNCATED", "DEPTH", "UTF8", "SCHEMA", "VERSION", "MESSAGE", "CURSOR"),
                    FormatError),
    **dict.fromkeys(("BAD_SIGNATURE", "BAD_KEY", "BAD_PROOF", "CORRUPT", "BAD_PARENT", "HEIGHT", "TIME", "BAD_TX_ROOT",
                     "STATE_MISMATCH", "BAD_CERT", "EQUIVOCATION", "WRONG_CHAIN", "ROLLBACK", "NOT_FINAL"),
                    VerificationError),
}


def error_class(status: int, message: str = "") -> Type[MgcError]:
    """The class of a status, and of what the text says is not there; what the ledger and the contracts answer is
    Refused."""
    if status == _native.MGC_E_NOT_FOUND and _FILE.match(message):
        return NoSuchFile
    name = _NAMES.get(status, ("", ""))[0].replace("MGC_E_", "")
    return _CLASSES.get(name) or (Refused if -1000 < status <= -800 else MgcError)
