"""The attempts by which a launch finds out whether a sandbox holds."""

import asyncio
from dataclasses import replace

import pytest
from sandboxes import KINDS

from callboard.agents.workspace.sandbox import OFF, Kind, Sandbox
from callboard.agents.workspace.sandbox_probe import attempts, enforced

BOX = Sandbox(memory_bytes=10**9, processes=50)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_gets_through_a_sandbox_that_can_be_had_here(kind: Kind) -> None:
    assert [name for name, done in asyncio.run(attempts(replace(BOX, kind=kind))).items() if done] == [
        "write inside",
        "own server",
    ]
    assert asyncio.run(enforced(BOX, [kind])).sandbox.kind == kind


def test_every_attempt_gets_through_where_there_is_none() -> None:
    assert all(asyncio.run(attempts(OFF)).values())


def test_what_people_let_be_written_is_no_leak(tmp_path_factory: pytest.TempPathFactory) -> None:
    opened = BOX.allowing(writable=[tmp_path_factory.getbasetemp().parent.parent])
    assert asyncio.run(enforced(opened, KINDS)).sandbox.writable == opened.writable
