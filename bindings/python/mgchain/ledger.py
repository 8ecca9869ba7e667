# SPDX-License-Identifier: Apache-2.0
"""What a ledger holds and answers, and evidence of it that anyone can check."""
from __future__ import annotations

import ctypes
import re
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from . import _native
from ._base import Context, Handle, decode, encode, fetch, info_of, lend, rows_of
from ._native import library
from .contract import Account, AttachedContract, Contract, account_of, contract_number
from .errors import NotFound, StateError, UnknownKey, VerificationError, error_class
from .storage import Attached, Storage

# --- rows -----------------------------------------------------------------------------------------------------------

# Columns that are words even where they look like numbers.
_WORDS = frozenset(("name", "microgrid", "seller", "buyer", "first", "second", "payer", "payee", "chain", "method",
                    "currency", "rule",
                    "reason", "what", "hash", "previous", "tx_id", "sender", "public_key", "code_hash", "run_hash",
                    "payload", "root"))
_WHOLE = re.compile(r"(0|-?[1-9][0-9]{0,18})$")


class Row(Mapping[str, Any]):
    """A row of an answer: by column, or as attributes.  Whole numbers are int, all else str (bytes as hexadecimal
    digits)."""

    __slots__ = ("_values", "_what", "_ledger")

    def __init__(self, values: Dict[str, Any], what: str, ledger: Any) -> None:
        self._values, self._what, self._ledger = values, what, ledger

    def __getitem__(self, column: str) -> Any:
        return self._values[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, column: str) -> Any:
        try:
            return self._values[column]
        except KeyError:
            raise AttributeError(f"there is no column {column!r}; there are: {', '.join(self._values)}") from None

    @property
    def proof(self) -> "Proof":
        """Evidence of this row that is checked without the ledger: of trades, transactions, events, blocks and
        accounts."""
        return self._ledger._proof_of(self._what, self._values)

    def __repr__(self) -> str:
        return f"{self._what}({', '.join(f'{name}={value!r}' for name, value in self._values.items())})"


class Answer(Sequence[Row]):
    """The rows of an answer."""

    def __init__(self, what: str, columns: Sequence[str], rows: Sequence[Row], cursor: str) -> None:
        self.what, self.columns, self.cursor = what, tuple(columns), cursor
        self._rows = list(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def __repr__(self) -> str:
        return f"Answer({self.what!r}, {len(self._rows)} rows of {', '.join(self.columns)})"

    def to_pandas(self) -> Any:
        """A pandas.DataFrame."""
        return rows_of(self.columns, self._rows)


def _cell(column: str, text: bytes) -> Any:
    value = decode(text)
    return int(value) if column not in _WORDS and _WHOLE.match(value) else value


# --- proofs ---------------------------------------------------------------------------------------------------------

KINDS = {_native.MGC_PROOF_TRANSACTION: "transaction", _native.MGC_PROOF_RECEIPT: "receipt",
         _native.MGC_PROOF_ANCESTOR: "ancestor",
         _native.MGC_PROOF_CONSISTENCY: "consistency", _native.MGC_PROOF_RECORD: "record",
         _native.MGC_PROOF_ABSENCE: "absence",
         _native.MGC_PROOF_HEAD: "head", _native.MGC_PROOF_BLOCK: "block", _native.MGC_PROOF_EQUIVOCATION: "equivocation"}


class Verified(NamedTuple):
    """What a proof has shown.  item: transaction, receipt, record's value; key: of the record."""

    kind: str
    height: int
    time_ms: int
    votes: int
    block_hash: bytes
    index: int  # type: ignore[assignment]
    item: bytes
    key: bytes
    item_hash: bytes
    receipt_status: int


class Verifier:
    """Trusts one chain id and checks, without a ledger, what is proved of that chain."""

    def __init__(self, chain_id: bytes) -> None:
        self._raw = _native.mgc_verifier()
        _raise(library().mgc_verifier_init(ctypes.byref(self._raw), ctypes.sizeof(self._raw),
                                           lend(chain_id, 32, "chain_id")[0]))

    def _one(self, call: Callable[..., int], proof: bytes) -> Tuple[int, Any]:
        what = info_of(_native.mgc_verified)
        pointer, n = lend(proof, what="proof")
        return call(ctypes.byref(self._raw), pointer, n, ctypes.byref(what)), what

    def verify(self, proof: Union[bytes, "Proof"]) -> Verified:
        """What a proof of any kind shows; VerificationError where it does not hold."""
        data, lib = bytes(proof), library()
        status, what = _native.MGC_E_BAD_PROOF, None
        for call in (lib.mgc_verify_transaction, lib.mgc_verify_receipt, lib.mgc_verify_record, lib.mgc_verify_absence,
                     lib.mgc_verify_ancestor, lib.mgc_verify_equivocation, self._follow_once):
            status, what = self._one(call, data)
            if status != _native.MGC_E_BAD_PROOF:  # of another kind, or forged: the next one tells
                break
        _raise(status)
        return _verified(what)

    @staticmethod
    def _follow_once(verifier: Any, pointer: Any, n: int, what: Any) -> int:
        """Heads and blocks are checked by following them; on a copy, so that checking moves nothing."""
        copy = _native.mgc_verifier()
        ctypes.pointer(copy)[0] = ctypes.cast(verifier, ctypes.POINTER(_native.mgc_verifier))[0]
        return library().mgc_verify_follow(ctypes.byref(copy), pointer, n, what)

    def follow(self, proof: Union[bytes, "Proof"]) -> Verified:
        """Begin to follow the chain, or go on: a head, the next block, or a later head with a consistency proof."""
        status, what = self._one(library().mgc_verify_follow, bytes(proof))
        _raise(status)
        return _verified(what)

    def account(self, proof: Union[bytes, "Proof"]) -> Account:
        """A record that is an account, taken apart."""
        info = info_of(_native.mgc_verified_account)
        pointer, n = lend(bytes(proof), what="proof")
        _raise(library().mgc_verify_account(ctypes.byref(self._raw), pointer, n, ctypes.byref(info)))
        return Account(bytes(info.id), info.unit, info.code, info.flags, info.debits_pending, info.debits_posted,
                       info.credits_pending,
                       info.credits_posted, 0, 0, bytes(16), info.height)

    @property
    def height(self) -> int:
        """Height of the head that is followed; 0: none."""
        return self._raw.height

    @property
    def state(self) -> bytes:
        """The verifier as bytes that may be kept; Verifier.restore() goes on."""
        return bytes(self._raw)

    @classmethod
    def restore(cls, state: bytes) -> "Verifier":
        """Go on from kept bytes."""
        made = cls.__new__(cls)
        if len(state) != ctypes.sizeof(_native.mgc_verifier):
            raise ValueError("these bytes are no verifier of this library")
        made._raw = _native.mgc_verifier.from_buffer_copy(state)
        return made


def _raise(status: int) -> None:
    if status < 0:
        raise error_class(status)(status)


def _verified(what: Any) -> Verified:
    return Verified(KINDS.get(what.kind, "?"), what.height, what.time_ms, what.n_votes,
                    bytes(what.block_hash), what.index,
                    fetch(what.item, what.item_len), fetch(what.key, what.key_len), bytes(what.item_hash),
                    what.receipt_status)


class Proof:
    """Evidence, to be kept and sent; bytes(proof) is what is sent.

    chain_id is what the ledger that made it says its chain is: compare it with the one that you trust, or hand yours in.
    """

    def __init__(self, data: bytes, chain_id: bytes, what: str) -> None:
        self.data, self.chain_id, self.what = data, chain_id, what

    def __bytes__(self) -> bytes:
        return self.data

    def verify(self, chain_id: Optional[bytes] = None) -> Verified:
        """What it shows, checked against a chain id that you trust; VerificationError where it does not hold."""
        return Verifier(self.chain_id if chain_id is None else chain_id).verify(self.data)

    def __repr__(self) -> str:
        return f"Proof({self.what}, {len(self.data)} bytes, chain {self.chain_id.hex()[:16]}...)"


# --- blocks ---------------------------------------------------------------------------------------------------------


class Event(NamedTuple):
    """What a contract said; contract 0: the ledger itself."""

    contract: int
    name: str
    payload: bytes


class Receipt(NamedTuple):
    """What came of a transaction; status 0: done."""

    tx_id: bytes
    status: int
    rule: str
    cost: int
    output: bytes
    events: Tuple[Event, ...]


class Transaction(NamedTuple):
    """A transaction, taken apart; signatures: (public key, role)."""

    tx_id: bytes
    chain_id: bytes
    sender: bytes
    contract: int
    method: str
    arguments: bytes
    nonce: int
    valid_until: int
    signatures: Tuple[Tuple[bytes, int], ...]
    data: bytes


class Block(NamedTuple):
    """A block, copied; receipts has one more than transactions: the block's own."""

    height: int
    time_ms: int
    proposer: int
    hash: bytes
    previous: bytes
    tx_root: bytes
    receipt_root: bytes
    state_digest: bytes
    log_root: bytes
    votes: Tuple[int, ...]
    transactions: Tuple[Transaction, ...]
    receipts: Tuple[Receipt, ...]
    data: bytes


def decode_transaction(data: bytes) -> Transaction:
    """Take a transaction apart; nothing is verified but its form."""
    info, (pointer, n) = info_of(_native.mgc_tx_info), lend(data, what="data")
    _raise(library().mgc_tx_decode(pointer, n, ctypes.byref(info)))
    signatures = []
    for index in range(info.n_signatures):
        signature = _native.mgc_tx_signature()
        _raise(library().mgc_tx_decode_signature(pointer, n, index, ctypes.byref(signature)))
        signatures.append((bytes(signature.public_key), signature.role))
    return Transaction(bytes(info.tx_id), ctypes.string_at(info.chain_id, 32),
                       ctypes.string_at(info.sender, 32), info.contract,
                       decode(ctypes.string_at(info.method, info.method_len)),
                       fetch(info.arguments, info.arguments_len), info.nonce,
                       info.valid_until, tuple(signatures), bytes(data))


def _read_block(chain: "Chain", raw: Any) -> Block:
    lib, check = library(), chain._owner._check
    info = info_of(_native.mgc_block_info)
    check(lib.mgc_block_get_info(raw, ctypes.byref(info)))
    votes, transactions, receipts = [], [], []
    for index in range(info.n_votes):
        vote = _native.mgc_vote()
        check(lib.mgc_block_get_vote(raw, index, ctypes.byref(vote)))
        votes.append(vote.member)
    pointer, n = ctypes.POINTER(ctypes.c_uint8)(), ctypes.c_size_t()
    for index in range(info.n_txs):
        check(lib.mgc_block_get_tx(raw, index, ctypes.byref(pointer), ctypes.byref(n), None))
        transactions.append(decode_transaction(fetch(pointer, n.value)))
    for index in range(info.n_receipts):
        receipt, events = info_of(_native.mgc_receipt_info), []
        check(lib.mgc_block_get_receipt(raw, index, ctypes.byref(receipt)))
        for number in range(receipt.n_events):
            event = info_of(_native.mgc_event_info)
            check(lib.mgc_block_get_event(raw, index, number, ctypes.byref(event)))
            events.append(Event(event.contract, decode(ctypes.string_at(event.name, event.name_len)),
                                fetch(event.payload, event.payload_len)))
        rule = ctypes.string_at(receipt.rule, receipt.rule_len) if receipt.rule_len else b""
        receipts.append(Receipt(bytes(receipt.tx_id), receipt.status, decode(rule), receipt.cost,
                                fetch(receipt.output, receipt.output_len),
                                tuple(events)))
    check(lib.mgc_block_get_bytes(raw, ctypes.byref(pointer), ctypes.byref(n)))
    return Block(info.height, info.time_ms, info.proposer, bytes(info.hash), bytes(info.previous), bytes(info.tx_root),
                 bytes(info.receipt_root), bytes(info.state_digest), bytes(info.log_root), tuple(votes), tuple(transactions), tuple(receipts), fetch(pointer, n.value))


class Chain:
    """One chain of a ledger or node, which it keeps."""

    def __init__(self, owner: "Asked", raw: Any) -> None:
        self._owner, self._raw = owner, raw

    def _call(self, function: Callable[..., int], *arguments: Any) -> int:
        owner = self._owner
        with owner._context.guard:
            owner._handle
            return owner._finish(function(self._raw, *arguments))

    @property
    def info(self) -> Dict[str, Any]:
        """name, chain_id, height, final_height, acked_height, time_ms, block_hash, state_digest, n_records,
        n_transactions, ..."""
        info = info_of(_native.mgc_chain_info)
        self._call(library().mgc_chain_get_info, ctypes.byref(info))
        return {name: decode(value) if isinstance(value,
                                                  bytes) else bytes(value) if isinstance(value, ctypes.Array) else value
                for name, value in ((name, getattr(info, name)) for name, _ in info._fields_) if name != "struct_size"}

    @property
    def id(self) -> bytes:
        """Hash of the genesis: what proofs are checked against."""
        return self.info["chain_id"]

    @property
    def name(self) -> str:
        """Its name."""
        return self.info["name"]

    @property
    def height(self) -> int:
        """Height of the last block."""
        return self.info["height"]

    def block(self, height: int) -> Block:
        """The block at a height."""
        lib, raw = library(), ctypes.POINTER(_native.mgc_block)()
        owner = self._owner
        with owner._context.guard:
            owner._handle
            owner._finish(lib.mgc_chain_read_block(self._raw, height, ctypes.byref(raw)))
            try:
                return _read_block(self, raw)
            finally:
                lib.mgc_block_destroy(raw)

    def blocks(self, first: int = 1) -> Iterator[Block]:
        """Blocks in their order."""
        for height in range(first, self.height + 1):
            yield self.block(height)

    def find(self, tx_id: bytes) -> Tuple[int, int]:
        """Height and index of a transaction."""
        height, index = ctypes.c_uint64(), ctypes.c_uint32()
        self._call(library().mgc_chain_find_tx, lend(tx_id, 32, "tx_id")[0], ctypes.byref(height), ctypes.byref(index))
        return height.value, index.value

    def next_nonce(self, sender: bytes, contract: Union[int, str]) -> int:
        """The next nonce of a sender with a contract."""
        nonce = ctypes.c_uint64()
        self._call(library().mgc_chain_next_nonce, lend(sender, 32, "sender")[0], contract_number(contract),
                   ctypes.byref(nonce))
        return nonce.value

    def account(self, id: bytes) -> Account:  # noqa: A002
        """An account."""
        info = info_of(_native.mgc_account_info)
        self._call(library().mgc_chain_get_account, lend(id, 16, "id")[0], ctypes.byref(info))
        return account_of(info)

    def accounts(self) -> Iterator[Account]:
        """All accounts in the order of their ids."""
        after = None
        while True:
            info = info_of(_native.mgc_account_info)
            try:
                self._call(library().mgc_chain_next_account, after, ctypes.byref(info))
            except NotFound:
                return
            found = account_of(info)
            after = lend(found.id)[0]
            yield found

    def records(self, contract: Union[int, str]) -> Iterator[Tuple[bytes, bytes]]:
        """Records of a contract in the order of their keys."""
        after = b""
        while True:
            info = info_of(_native.mgc_record_info)
            owner = self._owner
            with owner._context.guard:  # what it lends is copied before the chain can change
                owner._handle
                status = library().mgc_chain_next_record(self._raw, contract_number(contract), *lend(after),
                                                         ctypes.byref(info))
                if status == _native.MGC_E_NOT_FOUND:
                    return
                owner._finish(status)
                key, value = fetch(info.key, info.key_len), fetch(info.value, info.value_len)
            after = key
            yield key, value

    @property
    def state_root(self) -> bytes:
        """Root over every keyed record of the state."""
        made = (ctypes.c_uint8 * 32)()
        self._call(library().mgc_chain_state_root, made)
        return bytes(made)

    def _prove(self, what: str, function: Callable[..., int], *arguments: Any) -> Proof:
        owner, n, room = self._owner, ctypes.c_size_t(), 4096
        with owner._context.guard:
            owner._handle
            while True:
                made = (ctypes.c_uint8 * room)()
                status = function(self._raw, *arguments, made, room, ctypes.byref(n))
                if status != _native.MGC_E_TOO_LARGE or n.value <= room:
                    break
                room = n.value
            owner._finish(status)
        return Proof(bytes(made[:n.value]), self.id, what)

    def prove_transaction(self, height: int, index: int) -> Proof:
        """That a transaction stands in a final block."""
        return self._prove("transaction", library().mgc_chain_prove_transaction, height, index)

    def prove_receipt(self, height: int, index: int) -> Proof:
        """What came of it."""
        return self._prove("receipt", library().mgc_chain_prove_receipt, height, index)

    def prove_head(self, height: int) -> Proof:
        """That a block is final."""
        return self._prove("head", library().mgc_chain_prove_head, height)

    def prove_block(self, height: int) -> Proof:
        """That a block is final, with its transactions."""
        return self._prove("block", library().mgc_chain_prove_block, height)

    def prove_ancestor(self, ancestor: int, height: int) -> Proof:
        """That a block is one of those before another."""
        return self._prove("ancestor", library().mgc_chain_prove_ancestor, ancestor, height)

    def prove_consistency(self, old_height: int, height: int) -> Proof:
        """That the chain goes on from an earlier head."""
        return self._prove("consistency", library().mgc_chain_prove_consistency, old_height, height)

    def prove_account(self, id: bytes) -> Proof:  # noqa: A002
        """An account at the last day's close, or that there was none."""
        return self._prove("account", library().mgc_chain_prove_account, lend(id, 16, "id")[0])

    def prove_record(self, contract: Union[int, str], key: bytes) -> Proof:
        """A contract's record at the last day's close, or that there was none."""
        return self._prove("record", library().mgc_chain_prove_record, contract_number(contract), *lend(key, what="key"))

    def witness(self, proof: Union[bytes, Proof]) -> None:
        """Compare with a head that someone else has seen; VerificationError tells a roll back or two truths."""
        self._call(library().mgc_chain_witness, *lend(bytes(proof), what="proof"))

    def __repr__(self) -> str:
        return f"Chain({self.name!r}, height {self.height})"


# --- asking ---------------------------------------------------------------------------------------------------------


class Asked(Handle):
    """What can be asked of a ledger and of a node alike."""

    caller = 0

    def _finish(self, status: int) -> int:
        return self._context.check(status)

    def query(self, what: str, *, caller: Optional[int] = None, limit: Optional[int] = None, cursor: Optional[str] = None,
              **arguments: Any) -> Answer:
        """Ask: "trades", "payments", "blocks", "accounts", ... with arguments such as microgrid="hospital".

        Without limit all pages; with limit one page, whose cursor leads on.
        """
        rows: List[Row] = []
        columns: Sequence[str] = ()
        while True:
            size = limit if limit is not None else _native.MGC_PAGE_MAX
            question: Dict[str, Any] = {**arguments, "limit": size, **({"cursor": cursor} if cursor else {})}
            text = "&".join(f"{_plain_word(name)}={_plain_word(value)}" for name, value in question.items())
            columns, page, cursor = self._page(what, self.caller if caller is None else caller, text)
            rows += page
            if not cursor or limit is not None:
                return Answer(what, columns, rows, cursor or "")

    def _page(self, what: str, caller: int, text: str) -> Tuple[List[str], List[Row], str]:
        lib, raw = library(), ctypes.POINTER(_native.mgc_rows)()
        with self._context.guard:
            self._finish(lib.mgc_node_query(self._handle, caller, encode(what, "what"), encode(text), ctypes.byref(raw)))
            try:
                columns: List[bytes] = []
                while True:
                    name = lib.mgc_rows_column(raw, len(columns))
                    if name is None:
                        break
                    columns.append(name)
                names, found, row = [decode(name) for name in columns], [], ctypes.POINTER(_native.mgc_row)()
                while lib.mgc_rows_next(raw, ctypes.byref(row)) == _native.MGC_ROW:
                    values = {name: _cell(name, lib.mgc_row_text(row, column)) for name, column in zip(names, columns)}
                    found.append(Row(values, what, self))
                return names, found, decode(lib.mgc_rows_cursor(raw))
            finally:
                lib.mgc_rows_destroy(raw)

    def chain(self, contract: Union[int, str] = 0) -> Chain:
        """The chain on which a contract runs; 0: the first."""
        with self._context.guard:
            raw = library().mgc_node_chain(self._handle, contract_number(contract))
        if not raw:
            raise StateError(_native.MGC_E_STATE, "python: not started")
        return Chain(self, raw)

    @property
    def chains(self) -> List[Chain]:
        """Every chain."""
        found: Dict[str, Chain] = {}
        for contract in ("information", "trading", "scheduling"):
            chain = self.chain(contract)
            found.setdefault(chain.name, chain)
        return list(found.values())

    def _proof_of(self, what: str, row: Mapping[str, Any]) -> Proof:
        if what in ("transactions", "events", "blocks"):
            chain = next(chain for chain in self.chains if chain.name == row["chain"])
            if what == "blocks":
                return chain.prove_head(row["height"])
            if what == "transactions":
                return chain.prove_transaction(row["height"], row["index"])
            return chain.prove_receipt(row["height"], row["index"])
        trading = self.chain("trading")
        if what == "accounts":
            return trading.prove_account(bytes.fromhex(str(row["id"])))
        if what == "trades":
            # doc/contracts.md, section 6
            key = b"A" + int(row["slot"]).to_bytes(8, "big") + int(row["id"]).to_bytes(8, "big")
            try:
                proof = trading.prove_record("trading", key)
                if proof.verify().kind == "record":
                    return proof
            except NotFound:  # no day is closed yet
                pass
            return trading.prove_block(row["height"])  # the block that holds the agreement, whole
        raise UnknownKey(_native.MGC_E_UNKNOWN_KEY,
                         f"python: rows of {what!r} have no proof of their own; chain() has all kinds")


def _plain_word(value: Any) -> str:
    text = value.hex() if isinstance(value, (bytes, bytearray)) else str(value)
    if "&" in text or "\0" in text:
        raise ValueError(f"an argument may not hold & or NUL: {text!r}")
    return text


class Verification(NamedTuple):
    """What verifying a store counted."""

    chains: int
    files: int
    bytes: int
    records: int
    blocks: int
    transactions: int
    signatures: int
    uncertified: int
    torn_bytes: int
    executed: bool


class Ledger(Asked):
    """A store, to be asked and verified.  Nothing is written: a Node writes.

        with Ledger.open("ledger/", as_="regulator") as ledger:
            ledger.verify()
            for trade in ledger.trades(microgrid="hospital"):
                print(trade, trade.proof.verify())

    as_        member by name or number, on whose behalf is asked; None: the public
    contracts  the host's own contracts that the store needs
    """

    def __init__(self, storage: Union[Storage, str], *, as_: Union[None, int, str] = None,
                 contracts: Sequence[Contract] = ()) -> None:
        super().__init__(Context())
        self._storage = Attached(self._context, storage, create=False)
        self._contracts = [AttachedContract(contract) for contract in contracts]
        raw = None
        for chain in (None, "main"):  # a market's three chains, or one for all
            raw = self._start(chain)
            if raw is not None:
                break
        if raw is None:
            raise NotFound(_native.MGC_E_NOT_FOUND,
                           "python: there is no market in this store: neither its three chains nor one called main")
        self._own(raw, library().mgc_node_destroy, self._storage, self._contracts)
        try:
            self.caller = self._member(as_)
        except BaseException:
            self.close()
            raise

    def _start(self, chain: Optional[str]) -> Any:
        lib, opts, raw = library(), _native.mgc_node_opts(), ctypes.POINTER(_native.mgc_node)()
        lib.mgc_node_opts_init(ctypes.byref(opts), ctypes.sizeof(opts))
        name = encode(chain)
        opts.chain, opts.read_only = name, 1
        with self._context.guard:
            self._check(lib.mgc_node_create(self._context.handle, ctypes.byref(opts), ctypes.byref(raw)))
            try:
                self._check(lib.mgc_node_set_storage(raw, ctypes.byref(self._storage.ops), self._storage.user))
                for contract in self._contracts:
                    self._check(lib.mgc_node_add_contract(raw, ctypes.byref(contract.table), None))
                status = lib.mgc_node_start(raw)
                if status == _native.MGC_E_NOT_FOUND and self._storage.carrier.error is None:
                    lib.mgc_node_destroy(raw)
                    return None
                self._finish(status)
                return raw
            except BaseException:
                lib.mgc_node_destroy(raw)
                raise

    def _finish(self, status: int) -> int:
        for contract in self._contracts:
            contract.carrier.raise_if_any()
        return self._storage.finish(self._context, status)

    def _member(self, who: Union[None, int, str]) -> int:
        if who is None:
            return 0
        members = self.query("members", caller=0)
        for row in members:
            if row["id"] == who or row["name"] == who:
                return row["id"]
        raise UnknownKey(_native.MGC_E_UNKNOWN_KEY,
                         f"python: there is no member {who!r}; there are: " + ", ".join(row["name"] for row in members))

    @classmethod
    def open(cls, storage: Union[Storage, str], *, as_: Union[None, int, str] = None,
             contracts: Sequence[Contract] = ()) -> "Ledger":
        """Open a store, a folder or a Storage, to be asked."""
        return cls(storage, as_=as_, contracts=contracts)

    def verify(self) -> Verification:
        """Verify every byte, hash, signature, state and balance, and execute every transaction again;
        VerificationError tells
        chain, height, file and offset."""
        lib, info, opts = library(), info_of(_native.mgc_verify_info), _native.mgc_ledger_opts()
        lib.mgc_ledger_opts_init(ctypes.byref(opts), ctypes.sizeof(opts))
        opts.storage, opts.storage_user, opts.read_only = ctypes.pointer(self._storage.ops), self._storage.user, 1
        given = [contract.table for contract in self._contracts]
        tables = (_native.mgc_contract * len(given))(*given) if given else None
        with self._context.guard:
            self._handle
            self._finish(lib.mgc_contract_verify(self._context.handle, ctypes.byref(opts), tables, None,
                                                 len(self._contracts),
                                                 ctypes.byref(info)))
        return Verification(info.n_chains, info.n_files, info.bytes, info.records, info.blocks, info.transactions,
                            info.signatures,
                            info.uncertified, info.torn_bytes, bool(info.executed))

    def __repr__(self) -> str:
        return "Ledger(closed)" if self.closed else f"Ledger({', '.join(map(repr, self.chains))})"


# What can be asked, each as a method of Ledger and Node: ledger.trades(microgrid="hospital").
QUESTIONS = ("blocks", "transactions", "events", "transfers", "contracts", "accounts", "parameters", "members",
             "microgrids", "links", "meters",
             "commitments", "nominations", "trades", "payments", "schedule", "terms", "flows", "readings", "settlement",
             "tariffs", "auctions",
             "bids", "certificates", "surrendered", "acts", "rules", "frozen", "audits", "credit", "validators", "epochs")


def _question(what: str) -> Callable[..., Answer]:
    def ask(self: Asked, **arguments: Any) -> Answer:
        return self.query(what, **arguments)

    ask.__name__, ask.__qualname__, ask.__doc__ = what, f"Asked.{what}", f"Rows of {what!r}: query({what!r}, ...)."
    return ask


for _what in QUESTIONS:
    setattr(Asked, _what, _question(_what))
