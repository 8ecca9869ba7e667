# SPDX-License-Identifier: Apache-2.0
"""A member of an alliance: takes transactions, builds blocks, executes contracts, keeps the ledger, answers."""
from __future__ import annotations

import ctypes
import time
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from . import _native
from ._base import Carrier, Context, decode, encode, info_of, lend, put_bytes
from ._native import library
from .contract import AttachedContract, Contract, arguments, contract_number, transaction
from .crypto import Key
from .errors import error_class
from .ledger import Asked
from .storage import Attached, Storage
from .transport import Transport

_STATES = {_native.MGC_TICKET_OPEN: "open", _native.MGC_TICKET_COMMITTED: "committed",
           _native.MGC_TICKET_REFUSED: "refused"}


class TicketState(NamedTuple):
    """Where a transaction stands: "open", "committed" or "refused"; status and rule say why it was refused."""

    state: str
    status: int
    name: str
    rule: str
    height: int
    index: int  # type: ignore[assignment]
    tx_id: bytes


class Ticket:
    """A transaction that was handed in."""

    def __init__(self, node: "Node", number: int) -> None:
        self._node, self.number = node, number

    @property
    def info(self) -> TicketState:
        """Where it stands now."""
        lib, info = library(), info_of(_native.mgc_ticket_info)
        with self._node._context.guard:
            self._node._check(lib.mgc_ticket_state(self._node._handle, self.number, ctypes.byref(info)))
            return TicketState(_STATES.get(info.state, "?"), info.status, decode(lib.mgc_status_name(info.status)),
                               decode(info.rule),
                               info.height, info.index, bytes(info.tx_id))

    @property
    def state(self) -> str:
        """ "open", "committed" or "refused" """
        return self.info.state

    def check(self) -> "Ticket":
        """Raise what it was refused with; itself otherwise."""
        info = self.info
        if info.state == "refused":
            raise error_class(info.status)(info.status, info.rule)
        return self

    def __repr__(self) -> str:
        return f"Ticket({self.info})"


class NodeMember(NamedTuple):
    """A member of the common order as a node knows it; standing and aim: "stranger", "learner", "voter", "removed"."""

    id: int
    standing: str
    aim: str
    incarnation: int
    rank: int
    early: bool
    node_credit: int
    trade_credit: int
    convicted: bool
    acknowledged: int
    public_key: bytes


_STANDINGS = {_native.MGC_STANDING_STRANGER: "stranger", _native.MGC_STANDING_LEARNER: "learner",
              _native.MGC_STANDING_VOTER: "voter",
              _native.MGC_STANDING_REMOVED: "removed"}
_CHANGES = {"learner": _native.MGC_CHANGE_LEARNER, "voter": _native.MGC_CHANGE_VOTER, "remove": _native.MGC_CHANGE_REMOVE}


def _member_table(members: Sequence[Tuple[int, bytes]]) -> Any:
    table = (_native.mgc_member * max(1, len(members)))()
    for place, (number, public) in zip(table, members):
        place.id = number
        lend(public, 32, "public_key")
        put_bytes(ctypes.addressof(place) + _native.mgc_member.public_key.offset, public)
    return table


class Node(Asked):
    """A member as a ready-made loop over a storage.  It reads no clock: time comes with every step.

        with Node("ledger/", key, now_ms=...) as node:
            node.call("trading", "deposit", [(key, "market operator")], microgrid=1, amount_micro=5000000,
            reference="bank 7")

    call() hands in and builds a block; transact() hands in alone, for a loop that lets time pass by step().

    storage    a folder or a Storage
    key        signs blocks
    chain      name of one chain for all contracts; None: the market's three
    contracts  contracts of your own, started by a "deploy" transaction
    transport  with members: how messages reach the others; hand in what arrives with receive()
    members    (id, public key) of all who order together, the own one among them; learners: who receive all and never
               vote
    opts       as in mgc_node_opts: block_txs_max, block_interval_ms, empty_interval_ms, genesis_time_ms,
               segment_bytes, ...
    """

    def __init__(self, storage: Union[Storage, str], key: Key, *, id: int = 1, chain: Optional[str] = None,  # noqa: A002
                 contracts: Sequence[Contract] = (), transport: Optional[Transport] = None,
                 members: Sequence[Tuple[int, bytes]] = (),
                 learners: Sequence[Tuple[int, bytes]] = (),
                 genesis_nonce: bytes = bytes(32), **opts: Any) -> None:
        super().__init__(Context())
        lib, made = library(), _native.mgc_node_opts()
        lib.mgc_node_opts_init(ctypes.byref(made), ctypes.sizeof(made))
        known = {name for name, _ in made._fields_} - {"struct_size", "reserved0", "id", "key", "chain", "members",
                                                       "n_members", "learners", "n_learners",
                                                         "genesis_nonce"}
        for name, value in opts.items():
            if name not in known:
                raise TypeError(f"there is no option {name!r}; there are: {', '.join(sorted(known))}")
            setattr(made, name, int(value))
            if getattr(made, name) != int(value):
                raise OverflowError(f"option {name} is {value}; it does not fit")
        text = encode(chain, "chain")
        made.id, made.key, made.chain = id, key._handle, text
        put_bytes(ctypes.addressof(made) + _native.mgc_node_opts.genesis_nonce.offset,
                  lend(genesis_nonce, 32, "genesis_nonce") and genesis_nonce)
        tables = [_member_table(members), _member_table(learners)]
        if members:
            made.members, made.n_members = tables[0], len(members)
        if learners:
            made.learners, made.n_learners = tables[1], len(learners)
        self._storage = Attached(self._context, storage, create=True)
        self._contracts = [AttachedContract(contract) for contract in contracts]
        self._carrier, self.lost, self._alone = Carrier(), 0, not members
        kept: List[Any] = [self._storage, self._contracts, key, self._carrier]
        raw = ctypes.POINTER(_native.mgc_node)()
        with self._context.guard:
            self._check(lib.mgc_node_create(self._context.handle, ctypes.byref(made), ctypes.byref(raw)))
        try:
            with self._context.guard:
                self._check(lib.mgc_node_set_storage(raw, ctypes.byref(self._storage.ops), self._storage.user))
                if transport is not None:
                    table = self._attach(transport)
                    kept += [table, transport]
                    self._check(lib.mgc_node_set_transport(raw, ctypes.byref(table), None))
                for contract in self._contracts:
                    self._check(lib.mgc_node_add_contract(raw, ctypes.byref(contract.table), None))
                self._finish(lib.mgc_node_start(raw))
        except BaseException:
            lib.mgc_node_destroy(raw)
            raise
        self._own(raw, lib.mgc_node_destroy, *kept)
        self._sent: Dict[int, int] = {}

    def _attach(self, transport: Transport) -> Any:
        table, carrier, node = _native.mgc_transport_ops(), self._carrier, _Lost(self)
        table.struct_size, table.version = ctypes.sizeof(table), 1

        def send(_user: Any, to: int, data: Any, n: int) -> int:
            try:
                transport.send(to, ctypes.string_at(data, n))
                return _native.MGC_CB_DONE
            except OSError:  # best effort: it is as if the message were lost
                node.count()
                return _native.MGC_E_IO
            except BaseException as error:
                carrier.keep(error)
                return _native.MGC_E_CALLBACK

        table.send = _native.callback(_native.mgc_transport_ops, "send")(send)
        return table

    def _finish(self, status: int) -> int:
        for contract in self._contracts:
            contract.carrier.raise_if_any()
        self._storage.finish(self._context, status)
        self._carrier.raise_if_any()
        return status

    def _act(self, function: Any, *arguments: Any) -> None:
        with self._context.guard:
            self._finish(function(self._handle, *arguments))

    def step(self, now_ms: Optional[int] = None) -> int:
        """Let time pass: build the blocks that are due; when the next step is due.  now_ms: UTC; default: the clock."""
        wake = ctypes.c_uint64()
        self._act(library().mgc_node_step, _now(now_ms), ctypes.byref(wake))
        return wake.value

    def flush(self, now_ms: Optional[int] = None) -> None:
        """Build blocks now out of all that waits."""
        self._act(library().mgc_node_flush, _now(now_ms))

    def receive(self, sender: int, data: bytes) -> None:
        """Hand in a message of another member, of whom you know that it is he."""
        self._act(library().mgc_node_receive, sender, *lend(data, what="data"))

    def submit(self, data: bytes) -> Ticket:
        """Hand in a transaction; it is executed when its block is built."""
        number = ctypes.c_uint64()
        self._act(library().mgc_node_submit, *lend(data, what="data"), ctypes.byref(number))
        return Ticket(self, number.value)

    def next_nonce(self, sender: bytes, contract: Union[int, str]) -> int:
        """The next nonce of a sender with a contract, what waits included."""
        nonce = ctypes.c_uint64()
        self._act(library().mgc_node_next_nonce, lend(sender, 32, "sender")[0], contract_number(contract),
                  ctypes.byref(nonce))
        return nonce.value

    def transact(self, contract: Union[int, str], method: str, signers: Sequence[Tuple[Key, Union[int, str]]],
                 data: Optional[bytes] = None,
                 *, window: int = 1000, **values: Any) -> Ticket:
        """Make, sign and hand in a transaction: with values, arguments of a built-in contract; with data, a
        contract's own bytes."""
        number = contract_number(contract)
        if data is None:
            data = arguments(number, method, **values) if number < _native.MGC_CONTRACT_HOST else b""
        elif values:
            raise TypeError("give data or values, not both")
        chain = self.chain(number)
        sender = signers[0][0].public
        return self.submit(transaction(chain.id, number, method, data, signers, nonce=self.next_nonce(sender, number),
                                       valid_until=chain.height + window))

    def call(self, contract: Union[int, str], method: str, signers: Sequence[Tuple[Key, Union[int, str]]],
             data: Optional[bytes] = None,
             *, now_ms: Optional[int] = None, window: int = 1000, **values: Any) -> Ticket:
        """As transact(); then a block is built of all that waits, and what it was refused with is raised.

        Where several members order together it is one step: the ticket is open until they have agreed.
        """
        ticket = self.transact(contract, method, signers, data, window=window, **values)
        if self._alone:
            self.flush(now_ms)
        else:
            self.step(now_ms)
        return ticket.check()

    @property
    def info(self) -> Dict[str, Any]:
        """chain_id, height, time_ms, block_hash, transactions, waiting, refused, blocks, term, leader, role, ..."""
        info = info_of(_native.mgc_node_info)
        with self._context.guard:
            self._check(library().mgc_node_get_info(self._handle, ctypes.byref(info)))
        return {name: bytes(value) if isinstance(value, ctypes.Array) else value
                for name, value in ((name, getattr(info, name)) for name, _ in info._fields_) if name != "struct_size"}

    @property
    def order_members(self) -> List[NodeMember]:
        """Who takes part in the common order, as this node knows it; none where one member orders alone."""
        found: List[NodeMember] = []
        with self._context.guard:
            while True:
                info = info_of(_native.mgc_node_member_info)
                status = library().mgc_node_get_member(self._handle, len(found), ctypes.byref(info))
                if status == _native.MGC_E_NOT_FOUND:
                    return found
                self._check(status)
                found.append(NodeMember(info.id, _STANDINGS.get(info.standing, "?"), _STANDINGS.get(info.aim, "?"),
                                        info.incarnation, info.rank,
                                        bool(info.early), info.node_credit, info.trade_credit, bool(info.convicted),
                                        info.acknowledged,
                                        bytes(info.public_key)))

    def change_member(self, change: str, id: int, public_key: bytes) -> None:  # noqa: A002
        """Approve, for this member, that another becomes a "learner" or a "voter", or that it goes ("remove")."""
        table = _member_table([(id, public_key)])
        self._act(library().mgc_node_change_member, _CHANGES[change], table)

    def hand_over(self, to: int) -> None:
        """As leader: hand over to a voter."""
        self._act(library().mgc_node_hand_over, to)

    def __repr__(self) -> str:
        return "Node(closed)" if self.closed else f"Node({', '.join(map(repr, self.chains))})"


class _Lost:
    """Counts messages that the transport lost, without keeping the node."""

    def __init__(self, node: Node) -> None:
        import weakref
        self._node = weakref.ref(node)

    def count(self) -> None:
        node = self._node()
        if node is not None:
            node.lost += 1


def _now(now_ms: Optional[int]) -> int:
    return time.time_ns() // 1000000 if now_ms is None else now_ms
