# SPDX-License-Identifier: Apache-2.0
"""libmgchain from Python: microgrids that plan robustly, agree on trades, and keep a ledger of them.

    import mgchain as mg
    result = mg.Case.builtin().solve(progress=True)
    print(result.saving, result.payment["hospital"])
    result.report("report.html")
"""
from ._base import Context
from ._native import LibraryNotFound
from .alliance import (Agent, Agreement, Certificate, Member, Pair, Record, RecordReport, Result, Round, Step, Trade,
                       Trades, coalition_values,
                       least_core, nash_payments, shapley, version)
from .case import (Case, Device, Link, Microgrid, Model, Parameter, Plan, State, StateEntry, builtin_files,
                   device_types, parameters)
from .contract import (Account, Call, Contract, Environment, Field, Query, Refusal, account_id, arguments, fields,
                       methods, transaction)
from .crypto import Key, sha256, verify_signature
from .errors import (CallbackError, CaseError, FormatError, InvalidArgument, Issue, MgcError, NoSuchFile, NotFound,
                     NumericalError, OutOfMemory,
                     Refused, StateError, Stopped, StorageError, UnknownKey, VerificationError)
from .ledger import (Answer, Block, Chain, Event, Ledger, Proof, Receipt, Row, Transaction, Verification,
                     Verified, Verifier,
                     decode_transaction)
from .node import Node, NodeMember, Ticket, TicketState
from .robust import (FIRST_STAGE, RECOURSE, AmbiguitySet, BudgetSolution, Robust, RobustSolution, Scenarios,
                     TwoStage, radius,
                     reduce_scenarios, scenario)
from .settle import Day, DayTransaction, Keys
from .solver import Solution, Solver
from .storage import MemoryStorage, Storage
from .transport import Bus, LocalBus, Transport

__all__ = [
    "Context",
    "LibraryNotFound",
    "Agent", "Agreement", "Certificate", "Member", "Pair", "Record", "RecordReport", "Result", "Round", "Step", "Trade",
    "Trades", "coalition_values", "least_core", "nash_payments", "shapley", "version",
    "Case", "Device", "Link", "Microgrid", "Model", "Parameter", "Plan", "State", "StateEntry", "builtin_files",
    "device_types", "parameters",
    "Account", "Call", "Contract", "Environment", "Field", "Query", "Refusal", "account_id", "arguments", "fields",
    "methods", "transaction",
    "Key", "sha256", "verify_signature",
    "CallbackError", "CaseError", "FormatError", "InvalidArgument", "Issue", "MgcError", "NoSuchFile", "NotFound", "NumericalError",
    "OutOfMemory", "Refused", "StateError", "Stopped", "StorageError", "UnknownKey", "VerificationError",
    "Answer", "Block", "Chain", "Event", "Ledger", "Proof", "Receipt", "Row", "Transaction", "Verification", "Verified",
    "Verifier", "decode_transaction",
    "Node", "NodeMember", "Ticket", "TicketState",
    "FIRST_STAGE", "RECOURSE", "AmbiguitySet", "BudgetSolution", "Robust", "RobustSolution", "Scenarios", "TwoStage",
    "radius", "reduce_scenarios", "scenario",
    "Day", "DayTransaction", "Keys",
    "Solution", "Solver",
    "MemoryStorage", "Storage",
    "Bus", "LocalBus", "Transport",
]
__version__ = "0.1.0"
