"""The scripts against a model in plain Python: on a server that is killed at any step, and on others than the packaged one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bus_machine import BusMachine, MortalBusMachine
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from servers import IN_MEMORY, Server, free_port, other_binary


def some(share: int) -> settings:
    """One part in so many of the profile's examples."""
    return settings(max_examples=max(5, settings().max_examples // share))


def test_the_scripts_do_what_the_model_does(server: Server) -> None:
    BusMachine.server = server
    run_state_machine_as_test(BusMachine)


@pytest.fixture(scope="module")
def durable_server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        running = Server(Path(folder))
        yield running
        running.stop()


def test_they_do_so_on_a_server_that_is_killed_at_any_step(durable_server: Server) -> None:
    MortalBusMachine.server = durable_server
    run_state_machine_as_test(MortalBusMachine, settings=some(12))


def over_tcp(folder: Path) -> Server:
    return Server(folder, *IN_MEMORY, port=free_port(), password="secret")


def in_a_cluster(folder: Path) -> Server:
    """One node that serves every slot; it refuses a script whose keys are in more than one."""
    options = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    running = Server(folder, *IN_MEMORY, *options, port=free_port())
    running.ask("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    while b"cluster_state:ok" not in running.ask("CLUSTER", "INFO"):
        pass
    return running


def of_another_make(folder: Path) -> Server:
    binary = other_binary()
    assert binary is not None
    return Server(folder, *IN_MEMORY, binary=binary)


KINDS = [over_tcp, in_a_cluster, *([of_another_make] if other_binary() is not None else [])]


@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
def test_they_do_so_on_other_servers(kind: Callable[[Path], Server]) -> None:
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        running = kind(Path(folder))
        BusMachine.server = running
        run_state_machine_as_test(BusMachine, settings=some(6))
        running.stop()
