# SPDX-License-Identifier: Apache-2.0
"""Contracts written in Python, arguments of the built-in ones, and transactions."""
from __future__ import annotations

import ctypes
import hashlib
import inspect
import threading
import urllib.parse
from typing import (Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, NoReturn, Optional, Sequence,
                    Tuple, Union)

from . import _native
from ._base import Carrier, Context, decode, encode, fetch, info_of, lend, numbers, put_bytes
from ._native import library
from .crypto import Key
from .errors import MgcError, StateError, UnknownKey, error_class

CONTRACTS = {"information": _native.MGC_CONTRACT_INFORMATION, "trading": _native.MGC_CONTRACT_TRADING,
             "scheduling": _native.MGC_CONTRACT_SCHEDULING, "settlement": _native.MGC_CONTRACT_SETTLEMENT,
             "supervision": _native.MGC_CONTRACT_SUPERVISION, "credit": _native.MGC_CONTRACT_CREDIT}
ROLES = {"none": _native.MGC_ROLE_NONE, "user": _native.MGC_ROLE_USER, "manager": _native.MGC_ROLE_MANAGER,
         "meter": _native.MGC_ROLE_METER,
         "dispatcher": _native.MGC_ROLE_DISPATCHER, "market operator": _native.MGC_ROLE_MARKET_OPERATOR,
         "regulator": _native.MGC_ROLE_REGULATOR, "auditor": _native.MGC_ROLE_AUDITOR,
         "validator": _native.MGC_ROLE_VALIDATOR,
         "administrator": _native.MGC_ROLE_ADMINISTRATOR}


def contract_number(contract: Union[int, str]) -> int:
    """Number of a contract: "trading" or its number."""
    if isinstance(contract, str):
        if contract not in CONTRACTS:
            raise UnknownKey(_native.MGC_E_UNKNOWN_KEY,
                             f"python: there is no contract {contract!r}; there are: {', '.join(CONTRACTS)}")
        return CONTRACTS[contract]
    return contract


def role_number(role: Union[int, str]) -> int:
    """Number of a role: "manager" or its number."""
    if isinstance(role, str):
        if role not in ROLES:
            raise UnknownKey(_native.MGC_E_UNKNOWN_KEY,
                             f"python: there is no role {role!r}; there are: {', '.join(ROLES)}")
        return ROLES[role]
    return role


# --- arguments and transactions -------------------------------------------------------------------------------------


class Field(NamedTuple):
    """A field of a method of a built-in contract."""

    name: str
    kind: str
    columns: Tuple[str, ...]
    lower: int
    upper: int


_FIELD_KINDS = {_native.MGC_FIELD_UINT: "uint", _native.MGC_FIELD_INT: "int", _native.MGC_FIELD_TEXT: "text",
                _native.MGC_FIELD_BYTES: "bytes", _native.MGC_FIELD_ROWS: "rows"}


def methods(contract: Union[int, str]) -> List[str]:
    """Methods of a built-in contract."""
    found: List[str] = []
    while True:
        name = library().mgc_method_name(contract_number(contract), len(found))
        if name is None:
            return found
        found.append(decode(name))


def fields(contract: Union[int, str], method: str) -> List[Field]:
    """Fields of a method of a built-in contract."""
    found: List[Field] = []
    while True:
        info = info_of(_native.mgc_field_info)
        if library().mgc_field_describe(contract_number(contract), encode(method, "method"), len(found),
                                        ctypes.byref(info)) < 0:
            return found
        found.append(Field(decode(info.name), _FIELD_KINDS.get(info.kind, "?"), tuple(decode(info.columns).split()),
                           info.lower, info.upper))


def arguments(contract: Union[int, str], method: str, **values: Any) -> bytes:
    """Arguments of a method of a built-in contract, encoded: whole numbers, text, bytes, and rows of whole numbers."""
    lib, context, raw = library(), Context(), ctypes.POINTER(_native.mgc_args)()
    context.check(lib.mgc_args_create(context.handle, contract_number(contract), encode(method, "method"),
                                      ctypes.byref(raw)))
    try:
        for name, value in values.items():
            key = encode(name, "field")
            if isinstance(value, bool) or isinstance(value, float):
                raise TypeError(f"{method}: {name} must be a whole number, text, bytes or rows")
            if isinstance(value, int):
                if not -2**63 <= value < 2**63:
                    raise OverflowError(f"{method}: {name} is {value}; it does not fit 64 bits")
                context.check(lib.mgc_args_set_int(raw, key, value))
            elif isinstance(value, str):
                context.check(lib.mgc_args_set_text(raw, key, encode(value, name)))
            elif isinstance(value, (bytes, bytearray, memoryview)):
                lent, length = lend(value, what=name)
                context.check(lib.mgc_args_set_bytes(raw, key, lent, length))
            else:
                for row in value:
                    array = numbers(row, (None,), name, code="q")
                    context.check(lib.mgc_args_add_row(raw, key, array.pointer, array.n))
        pointer, n = ctypes.POINTER(ctypes.c_uint8)(), ctypes.c_size_t()
        context.check(lib.mgc_args_encode(raw, ctypes.byref(pointer), ctypes.byref(n)))
        return fetch(pointer, n.value)
    finally:
        lib.mgc_args_destroy(raw)


def transaction(chain_id: bytes, contract: Union[int, str], method: str, data: bytes,
                signers: Sequence[Tuple[Key, Union[int, str]]], *,
                nonce: int, valid_until: int, sender: Optional[bytes] = None) -> bytes:
    """A signed transaction.  signers: keys with the roles in which they sign; sender: public key of one, default the
    first."""
    if not signers:
        raise ValueError("a transaction needs a signer")
    lib = library()
    body, kept = info_of(_native.mgc_tx_body), encode(method, "method")
    body.chain_id, body.sender = lend(chain_id, 32, "chain_id")[0], lend(sender or signers[0][0].public, 32, "sender")[0]
    body.contract, body.method = contract_number(contract), kept
    body.arguments, body.arguments_len = lend(data, what="data")
    body.nonce, body.valid_until = nonce, valid_until
    text, n = (ctypes.c_uint8 * _native.MGC_TX_BYTES_MAX)(), ctypes.c_size_t()
    _plain(lib.mgc_tx_encode_body(ctypes.byref(body), text, len(text), ctypes.byref(n)))
    signatures = (_native.mgc_tx_signature * len(signers))()
    for place, (key, role) in zip(signatures, signers):
        with key._context.guard:
            key._finish(lib.mgc_tx_sign(text, n.value, key._handle, role_number(role), ctypes.byref(place)))
    whole, length = (ctypes.c_uint8 * _native.MGC_TX_BYTES_MAX)(), ctypes.c_size_t()
    _plain(lib.mgc_tx_assemble(text, n.value, signatures, len(signers), whole, len(whole), ctypes.byref(length)))
    return bytes(whole[:length.value])


def _plain(status: int) -> None:
    if status < 0:
        raise error_class(status)(status)


# --- a contract of one's own ----------------------------------------------------------------------------------------


class Refusal(MgcError):
    """Raised by a contract: refuse, with the sentence that stands in the receipt.  It must be the same on every
    member."""

    def __init__(self, status: Union[int, str] = "MGC_E_RANGE", rule: str = "") -> None:
        number = _native.STATUS[status][0] if isinstance(status, str) else status
        if number >= 0:
            raise ValueError("a refusal has a negative status")
        super().__init__(number, rule)


class Call(NamedTuple):
    """What a transaction asks of a contract."""

    method: str
    arguments: bytes
    sender: bytes


class Query(NamedTuple):
    """What a question asks; caller: member, 0: the public; sees_all: operator, dispatcher, regulator or auditor."""

    what: str
    arguments: Dict[str, str]
    caller: int
    sees_all: bool


class Account(NamedTuple):
    """An account and its sums, in its unit."""

    id: bytes
    unit: int
    code: int
    flags: int
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int
    user_data_32: int
    user_data_64: int
    user_data_128: bytes
    height: int


def account_of(info: Any) -> Account:
    """An account out of its struct."""
    return Account(bytes(info.id), info.unit, info.code, info.flags, info.debits_pending, info.debits_posted,
                   info.credits_pending,
                   info.credits_posted, info.user_data_32, info.user_data_64, bytes(info.user_data_128), info.height)


def account_id(kind: int, microgrid: int = 0) -> bytes:
    """Id of an account of the built-in contracts (MGC_ACCOUNT_...); microgrid 0: the market's own."""
    made = (ctypes.c_uint8 * 16)()
    library().mgc_account_id(kind, microgrid, made)
    return bytes(made)


class Environment:
    """What a running contract sees: its own records, accounts and transfers, the block's height and time, who signed.

    It is of use until the call that was handed it returns, and on its thread.
    """

    def __init__(self, raw: Any) -> None:
        self._raw, self._thread = raw, threading.get_ident()

    def _env(self) -> Any:
        if self._raw is None or self._thread != threading.get_ident():
            raise StateError(_native.MGC_E_STATE,
                             "python: the environment is of use only inside the call that was handed it")
        return self._raw

    def _check(self, status: int) -> None:
        if status < 0:
            raise error_class(status)(status)

    @property
    def chain_id(self) -> bytes:
        """Id of the chain."""
        return ctypes.string_at(library().mgc_env_chain_id(self._env()), 32)

    @property
    def height(self) -> int:
        """Of the block that is being built; in a query: of the last."""
        return library().mgc_env_height(self._env())

    @property
    def time_ms(self) -> int:
        """The block's time, UTC."""
        return library().mgc_env_time_ms(self._env())

    def signed(self, member: int, role: Union[int, str]) -> bool:
        """Whether the member signed in a role that it holds."""
        return bool(library().mgc_env_signed(self._env(), member, role_number(role)))

    @property
    def signers(self) -> List[Tuple[int, int]]:
        """Members and roles that signed."""
        found: List[Tuple[int, int]] = []
        while True:
            member, role = ctypes.c_uint32(), ctypes.c_uint32()
            status = library().mgc_env_signer(self._env(), len(found), ctypes.byref(member), ctypes.byref(role))
            if status == _native.MGC_E_NOT_FOUND:
                return found
            self._check(status)
            found.append((member.value, role.value))

    def refuse(self, status: Union[int, str], rule: str) -> NoReturn:
        """Refuse: raises Refusal."""
        raise Refusal(status, rule)

    def get(self, key: bytes) -> Optional[bytes]:
        """A record of the contract's own; None where there is none."""
        value, n, (pointer, length) = ctypes.POINTER(ctypes.c_uint8)(), ctypes.c_size_t(), lend(key, what="key")
        status = library().mgc_env_get(self._env(), pointer, length, ctypes.byref(value), ctypes.byref(n))
        if status == _native.MGC_E_NOT_FOUND:
            return None
        self._check(status)
        return fetch(value, n.value)

    def put(self, key: bytes, value: bytes) -> None:
        """Keep a record."""
        self._check(library().mgc_env_put(self._env(), *lend(key, what="key"), *lend(value, what="value")))

    def remove(self, key: bytes) -> None:
        """Remove a record."""
        self._check(library().mgc_env_remove(self._env(), *lend(key, what="key")))

    def items(self, prefix: bytes = b"") -> Iterator[Tuple[bytes, bytes]]:
        """Records whose key begins with prefix, in the order of keys."""
        after = b""
        while True:
            key, value = ctypes.POINTER(ctypes.c_uint8)(), ctypes.POINTER(ctypes.c_uint8)()
            key_len, value_len = ctypes.c_size_t(), ctypes.c_size_t()
            status = library().mgc_env_next(self._env(), *lend(prefix, what="prefix"), *lend(after), ctypes.byref(key),
                                            ctypes.byref(key_len),
                                            ctypes.byref(value), ctypes.byref(value_len))
            if status == _native.MGC_E_NOT_FOUND:
                return
            self._check(status)
            after = fetch(key, key_len.value)
            yield after, fetch(value, value_len.value)

    # noqa: A002
    def open_account(self, id: bytes, *, unit: int, code: int, flags: int = 0, user_data_32: int = 0,
                     user_data_64: int = 0,
                     user_data_128: bytes = bytes(16)) -> None:
        """Open an account of the contract's own; its id begins with the contract's number, 4 bytes big-endian."""
        info = info_of(_native.mgc_account_info)
        info.unit, info.code, info.flags = unit, code, flags
        info.user_data_32, info.user_data_64 = user_data_32, user_data_64
        _bytes_into(info, {"id": id, "user_data_128": user_data_128})
        self._check(library().mgc_env_open_account(self._env(), ctypes.byref(info)))

    def account(self, id: bytes) -> Optional[Account]:  # noqa: A002
        """Any account; None where there is none."""
        info = info_of(_native.mgc_account_info)
        status = library().mgc_env_account(self._env(), lend(id, 16, "id")[0], ctypes.byref(info))
        if status == _native.MGC_E_NOT_FOUND:
            return None
        self._check(status)
        return account_of(info)

    # noqa: A002
    def transfer(self, id: bytes, debit: bytes, credit: bytes, amount: int, *, unit: int, code: int, flags: int = 0,
                 pending_id: bytes = bytes(16), timeout: int = 0, user_data_32: int = 0, user_data_64: int = 0,
                 user_data_128: bytes = bytes(16)) -> None:
        """Move an amount; its id begins with the contract's number, 4 bytes big-endian."""
        if not 0 <= amount < 2**64:
            raise OverflowError(f"amount is {amount}; it does not fit")
        info = info_of(_native.mgc_transfer_info)
        info.amount, info.unit, info.code, info.flags, info.timeout = amount, unit, code, flags, timeout
        info.user_data_32, info.user_data_64 = user_data_32, user_data_64
        _bytes_into(info, {"id": id, "debit_account": debit, "credit_account": credit, "pending_id": pending_id,
                           "user_data_128": user_data_128})
        self._check(library().mgc_env_transfer(self._env(), ctypes.byref(info)))

    def emit(self, name: str, payload: bytes = b"") -> None:
        """An event in the receipt."""
        self._check(library().mgc_env_emit(self._env(), encode(name, "name"), *lend(payload, what="payload")))


def _bytes_into(info: Any, values: Mapping[str, bytes]) -> None:
    for name, data in values.items():
        if len(data) != 16:
            raise ValueError(f"{name} has {len(data)} bytes; it must have 16")
        put_bytes(ctypes.addressof(info) + getattr(type(info), name).offset, bytes(data))


Rows = Union[Tuple[Sequence[str], Iterable[Sequence[Any]]], List[Mapping[str, Any]]]


class Contract:
    """Rules that every member executes alike; make a class of it.

        class Fee(Contract):
            id, name = 100, "fee"
            def execute(self, env, call): ...

    Whatever it does must be the same on every member: no clock, no randomness, no floats, no order of sets; nothing kept
    on the object from call to call, for another member may come in at any height: keep records in env.  Refuse by
    env.refuse(); any other exception undoes the call with MGC_E_CONTRACT and comes out of Node.step().  Calls are
    made on the
    thread that steps the node.
    """

    id: int = _native.MGC_CONTRACT_HOST
    name: str = "contract"
    code_version: int = 1

    @property
    def code_hash(self) -> bytes:
        """Of its code, which a "deploy" transaction must name: by default SHA-256 of the class's source text."""
        return hashlib.sha256(inspect.getsource(type(self)).encode()).digest()

    def check(self, call: Call) -> None:
        """May this ever be accepted?  Only what the call itself says."""

    def execute(self, env: Environment, call: Call) -> None:
        """Do it, or refuse; a refusal undoes everything."""
        env.refuse("MGC_E_SCHEMA", "no such method")

    def on_slot(self, env: Environment, slot: int) -> None:
        """A slot's gate has closed; told once a slot, in order."""

    def query(self, env: Environment, query: Query) -> Optional[Rows]:
        """Answer a question: (columns, rows) or a list of dicts; None where it is not its business."""
        return None


class AttachedContract:
    """A contract as C takes it: the table and its thunks."""

    def __init__(self, contract: Contract) -> None:
        self.contract, self.carrier = contract, Carrier()
        table = self.table = info_of(_native.mgc_contract)
        table.version, table.id, table.code_version = 1, contract.id, contract.code_version
        self._name = encode(contract.name, "name")
        table.name = self._name
        code_hash = contract.code_hash
        if len(code_hash) != 32:
            raise ValueError(f"code_hash has {len(code_hash)} bytes; it must have 32")
        put_bytes(ctypes.addressof(table) + _native.mgc_contract.code_hash.offset, code_hash)
        kind = type(contract)
        table.execute = self._thunk("execute", lambda env, call: contract.execute(env, _call(call)))
        if kind.check is not Contract.check:
            table.check = self._thunk("check", lambda env, call: contract.check(_call(call)))
        if kind.on_slot is not Contract.on_slot:
            table.on_slot = self._thunk("on_slot", lambda env, slot: contract.on_slot(env, slot))
        if kind.query is not Contract.query:
            table.query = self._thunk("query", self._query)

    def _thunk(self, field: str, function: Callable[..., Any]) -> Any:
        def call(_user: Any, raw: Any, *arguments: Any) -> int:
            env = Environment(raw)
            try:
                answer = function(env, *arguments)
                return answer if isinstance(answer, int) and answer < 0 else _native.MGC_CB_DONE
            except Refusal as refusal:
                return library().mgc_env_refuse(raw, refusal.status, b"%s", ctypes.c_char_p(encode(refusal.message)))
            except MgcError as error:  # of the environment: what every member would see
                return error.status
            except Exception as error:
                self.carrier.keep(error)
                return _native.MGC_E_NO_MEMORY if isinstance(error, MemoryError) else _native.MGC_E_CONTRACT
            except BaseException as error:  # Ctrl-C: would not happen on another member, so the block is dropped
                self.carrier.keep(error)
                return _native.MGC_E_NO_MEMORY
            finally:
                env._raw = None

        return _native.callback(_native.mgc_contract, field)(call)

    def _query(self, env: Environment, raw: Any, rows: Any) -> Optional[int]:
        q = raw.contents
        pairs = dict(urllib.parse.parse_qsl(decode(q.arguments), keep_blank_values=True))
        answer = self.contract.query(env, Query(decode(q.what), pairs, q.caller, bool(q.sees_all)))
        if answer is None:
            return _native.MGC_E_NOT_FOUND
        lib = library()
        if isinstance(answer, tuple):
            columns, lines = answer
        else:
            columns = list(answer[0]) if answer else []
            lines = [[line[name] for name in columns] for line in answer]
        status = lib.mgc_rows_begin(rows, encode(" ".join(columns)))
        for line in lines:
            for cell in line:
                if status < 0:
                    return status
                if isinstance(cell, (bytes, bytearray)):
                    status = lib.mgc_rows_put_hex(rows, *lend(cell))
                elif isinstance(cell, int):
                    status = lib.mgc_rows_put_int(rows, cell)
                else:
                    text = encode(str(cell)) or b""
                    status = lib.mgc_rows_put_text(rows, text, len(text))
        return status


def _call(raw: Any) -> Call:
    call = raw.contents
    return Call(decode(ctypes.string_at(call.method, call.method_len)), fetch(call.arguments, call.arguments_len),
                ctypes.string_at(call.sender, 32))
