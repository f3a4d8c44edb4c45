"""Several servers that belong together: a primary with its replicas, or a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from redis.crc import key_slot
from servers import IN_MEMORY, PACKAGED, Server, free_port

from callboard.bus.keys import Keys

SLOTS = 16_384


def until(so: Callable[[], bool]) -> None:
    """Wait until it is so; the test's own time limit ends what never is."""
    while not so():
        time.sleep(0.01)


def replica_of(primary: Server, folder: Path, binary: Path = PACKAGED) -> Server:
    """A server that follows another one, and has caught up."""
    primary.ask("CONFIG", "SET", "repl-diskless-sync-delay", 0)
    replica = Server(folder, *IN_MEMORY, "--replicaof", f"127.0.0.1 {primary.port}", port=free_port(), binary=binary)
    until(lambda: b"master_link_status:up" in replica.ask("INFO", "replication"))
    return replica


class Cluster:
    """Three primaries that share all slots, each a server of its own; replicas of one of them may be added."""

    def __init__(self, folder: Path, binary: Path = PACKAGED) -> None:
        self._folder = folder
        self._binary = binary
        self.nodes = [self._node() for _ in range(3)]
        for n, node in enumerate(self.nodes):
            node.ask("CLUSTER", "ADDSLOTSRANGE", SLOTS * n // 3, SLOTS * (n + 1) // 3 - 1)
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", n + 1)
        for node in self.nodes[1:]:
            self._introduce(node)
        for node in self.nodes:
            until(lambda node=node: b"cluster_state:ok" in node.ask("CLUSTER", "INFO"))  # type: ignore[misc]

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def owner(self, run: str) -> Server:
        """The primary that has a run's keys."""
        slot = key_slot(Keys(run).seq.encode())
        return next(node for n, node in enumerate(self.nodes) if slot < SLOTS * (n + 1) // 3)

    def keys(self, run: str) -> list[int]:
        """How many keys of a run's slot each node has."""
        slot = key_slot(Keys(run).seq.encode())
        return [int(node.ask("CLUSTER", "COUNTKEYSINSLOT", slot)) for node in self.nodes]

    def move(self, run: str, source: Server, target: Server) -> None:
        """Move a run's slot with everything in it, one key after the other, as an operator's tool does."""
        slot, ids = key_slot(Keys(run).seq.encode()), {node: node.ask("CLUSTER", "MYID") for node in (source, target)}
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source])
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target])
        while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1):
            source.ask("MIGRATE", "127.0.0.1", target.port, keys[0], 0, 5_000)
        for node in (target, source):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", ids[target])

    def add_replica(self, primary: Server) -> Server:
        replica, id = self._node(), primary.ask("CLUSTER", "MYID")
        self.nodes.append(replica)
        self._introduce(replica)
        until(lambda: id in replica.ask("CLUSTER", "NODES"))
        replica.ask("CLUSTER", "REPLICATE", id)
        until(lambda: b"master_link_status:up" in replica.ask("INFO", "replication"))
        return replica

    def _node(self) -> Server:
        folder = self._folder / str(len(list(self._folder.iterdir())))
        folder.mkdir()
        options = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
        more = ("--cluster-require-full-coverage", "no", "--cluster-node-timeout", "60000")
        at_once = ("--repl-diskless-sync-delay", "0")
        return Server(folder, *IN_MEMORY, *options, *more, *at_once, port=free_port(), binary=self._binary)

    def _introduce(self, node: Server) -> None:
        first = self.nodes[0]
        bus_port = first.ask("CONFIG", "GET", "cluster-port")[1]
        node.ask("CLUSTER", "MEET", "127.0.0.1", first.port, bus_port)
