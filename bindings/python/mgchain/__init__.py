# SPDX-License-Identifier: Apache-2.0
"""libmgchain from Python: microgrids that plan robustly, agree on trades, and keep a ledger of them."""
from ._base import Context
from .errors import (CallbackError, CaseError, FormatError, InvalidArgument, Issue, MgcError, NotFound, NumericalError, OutOfMemory,
                     Refused, StateError, Stopped, StorageError, UnknownKey, VerificationError)
from ._native import LibraryNotFound
from .solver import Solution, Solver
