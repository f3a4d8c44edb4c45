"""Random steps on a real server: the archive adds up to what the server holds, and gives it back when it is lost."""

from __future__ import annotations

import pytest
from archive_machine import ArchiveMachine
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from servers import Server


def some(share: int) -> settings:
    """One part in so many of the profile's examples."""
    return settings(max_examples=max(5, settings().max_examples // share))


def test_a_lost_server_gets_back_what_the_archive_adds_up_to(server: Server) -> None:
    ArchiveMachine.server = server
    run_state_machine_as_test(ArchiveMachine, settings=some(5))


@pytest.mark.long
def test_it_does_so_after_many_more_steps(server: Server) -> None:
    ArchiveMachine.server = server
    run_state_machine_as_test(ArchiveMachine, settings=some(12))
