"""Which node of a cluster has a run: all its keys have one hash tag, so they are in one slot, and that on one primary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from redis.crc import key_slot

from callboard.bus.address import at_node
from callboard.bus.keys import Keys

SlotRow = Sequence[object]
"""Of CLUSTER SLOTS: first slot, last slot, then a node each: the primary and its replicas."""


@dataclass(frozen=True, slots=True)
class Node:
    """Where a node listens; host "" = where the node listens that told of it."""

    host: str
    port: int


class Route:
    """Where a run's server is now. Anything but a cluster stays where it is.

    Args:
        url: Of the server, or of any node of its cluster.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.nodes: tuple[str, ...] = ()
        """URLs of the cluster's nodes, as one of them told; none outside a cluster."""
        self._slot = -1

    def choose(self, run: str) -> None:
        self._slot = key_slot(Keys(run).seq.encode())

    def read(self, slots: Sequence[SlotRow], asked: str) -> bool:
        """Learn where the nodes are from what the node at `asked` said; whether the run is elsewhere than we thought."""
        self.nodes = tuple(dict.fromkeys(at_node(asked, node.host, node.port) for node in _nodes(slots)))
        owner = owner_of(slots, self._slot)
        return owner is not None and self._go(at_node(asked, owner.host, owner.port))

    def move(self, host: str, port: int) -> bool:
        """Go where a node has sent us; False when we are there."""
        return self._go(at_node(self.url, host, port))

    def _go(self, url: str) -> bool:
        before, self.url = self.url, url
        return url != before


def owner_of(slots: Iterable[SlotRow], slot: int) -> Node | None:
    """The primary of a slot; None when nobody has it."""
    for first, last, primary, *_ in slots:
        if cast(int, first) <= slot <= cast(int, last):
            return _node(primary)
    return None


def _nodes(slots: Iterable[SlotRow]) -> Iterator[Node]:
    for _, _, *nodes in slots:
        yield from map(_node, nodes)


def _node(row: object) -> Node:
    host, port, *_ = cast(Sequence[bytes | int | None], row)
    name = cast(bytes | None, host) or b""
    return Node("" if name == b"?" else name.decode(), cast(int, port))
