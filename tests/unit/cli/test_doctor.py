from __future__ import annotations

from pathlib import Path

import pytest

from callboard.cli.doctor import disk_check, program_of
from callboard.cli.redis_mode import Mode, explain_mode
from callboard.launch.checks import LEAST_FREE_BYTES


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("claude -p x", "claude"),
        ("A=1 B=/x python3 brain.py", "python3"),
        ("./brain --fast", "./brain"),
        ("'my brain' x", "my brain"),
        ("$BRAIN x", ""),
        ("(cd x && y)", ""),
        ("'unclosed", ""),
        ("", ""),
    ],
)
def test_the_program_of_a_command_is_found_where_no_shell_is_needed_to_tell(command: str, program: str) -> None:
    assert program_of(command) == program


def test_a_disk_with_room_is_fine(tmp_path: Path) -> None:
    assert LEAST_FREE_BYTES == 200_000_000
    assert disk_check(tmp_path).name == "disk"


SAFE = Mode(url="redis://h", append_only="yes", fsync="always", eviction="noeviction", role="master")


def test_a_server_that_writes_before_it_answers_is_safe() -> None:
    assert explain_mode(SAFE) == (True, "redis://h: appendonly yes, appendfsync always")


@pytest.mark.parametrize(
    ("mode", "risk"),
    [
        (Mode("u", append_only="no", fsync="always", role="master"), "since its last snapshot"),
        (Mode("u", append_only="yes", fsync="everysec", role="master"), "about a second"),
        (Mode("u", append_only="yes", fsync="no", role="master"), "not yet written"),
        (Mode("u", append_only="yes", fsync="always", eviction="allkeys-lru", role="master"), "throws messages away"),
        (Mode("u", append_only="yes", fsync="always", role="slave"), "takes no writes"),
        (Mode("u", append_only="yes", fsync="always", role="master", replicas=1), "does not wait"),
        (Mode("u", role="master"), "does not say"),
    ],
)
def test_what_can_be_lost_is_said_in_words(mode: Mode, risk: str) -> None:
    safe, text = explain_mode(mode)
    assert not safe
    assert risk in text
