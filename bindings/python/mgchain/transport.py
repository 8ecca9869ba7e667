# SPDX-License-Identifier: Apache-2.0
"""How messages reach other members: of nodes (Transport) and of agents (Bus)."""
from __future__ import annotations

import queue
from typing import Dict, Iterable, Optional, Tuple


class Transport:
    """How a node's messages reach other members; make a class of it."""

    def send(self, to: int, data: bytes) -> None:
        """Send bytes to a member, best effort: they may be lost, delayed or repeated.  OSError counts as lost.

        Called from Node.step() on its thread; it may not call the node.
        """
        raise NotImplementedError


class Bus:
    """How an agent's messages reach its neighbours; anything with these two methods will do."""

    def send(self, to: str, data: bytes) -> None:
        """Send bytes to a member, at least best effort: agents send again what is not answered."""
        raise NotImplementedError

    def receive(self, timeout_s: float) -> Optional[Tuple[str, bytes]]:
        """Sender and bytes of what arrived, or None after the time.  The sender is whom the transport knows it to be."""
        raise NotImplementedError


class LocalBus(Bus):
    """Queues of one process: for threads, tests and trying things out.  LocalBus.between(ids) makes one each."""

    def __init__(self, own: str, boxes: Dict[str, "queue.Queue[Tuple[str, bytes]]"]) -> None:
        self.own, self._boxes = own, boxes

    @classmethod
    def between(cls, members: Iterable[str]) -> Dict[str, "LocalBus"]:
        """One bus for each member, joined with the others'."""
        boxes: Dict[str, "queue.Queue[Tuple[str, bytes]]"] = {member: queue.Queue() for member in members}
        return {member: cls(member, boxes) for member in boxes}

    def send(self, to: str, data: bytes) -> None:
        self._boxes[to].put((self.own, data))

    def receive(self, timeout_s: float) -> Optional[Tuple[str, bytes]]:
        try:
            return self._boxes[self.own].get(timeout=timeout_s) if timeout_s > 0 else self._boxes[self.own].get_nowait()
        except queue.Empty:
            return None
