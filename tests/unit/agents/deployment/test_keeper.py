"""What the keeper of an environment's switch does with what it finds in its files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from callboard.agents.deployment import detach, keeper

GONE = "4194304 1"
"""A number that no process has."""


def me() -> str:
    return f"{os.getpid()} {keeper.started(os.getpid())}"


@pytest.mark.parametrize(
    ("own", "runs", "starts"),
    [
        pytest.param("", False, True, id="nobody has"),
        pytest.param(GONE, False, False, id="another keeper has its place"),
        pytest.param("", True, False, id="somebody has started it meanwhile"),
    ],
)
def test_it_starts_the_switch_only_if_nobody_else_did_or_does(
    tmp_path: Path, own: str, runs: bool, starts: bool
) -> None:
    names = ("own", "record", "output", "lock", "deaths")
    given = {f"--{name}": str(tmp_path / name) for name in names} | {"--detach": str(detach.__file__)}
    (tmp_path / "own").write_text(own or me())
    (tmp_path / "record").write_text(me() if runs else GONE)
    keeper.start(given, ["true"], me())
    assert (tmp_path / "deaths").exists() is starts
    assert ((tmp_path / "record").read_text() not in (me(), GONE)) is starts


def test_of_the_switchs_ends_the_last_hundred_are_kept(tmp_path: Path) -> None:
    deaths = tmp_path / "deaths"
    deaths.write_text("".join(f"{n}\n" for n in range(150)))
    keeper.note(str(deaths))
    assert [len(deaths.read_text().split()), deaths.read_text().split()[0]] == [100, "51"]


@pytest.mark.parametrize("text", ["", "{", "[1]", "null"])
def test_what_is_no_trial_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "trial").write_text(text)
    assert keeper.trial_of(str(tmp_path / "trial")) == {}
    keeper.give_back(str(tmp_path / "trial"))
    assert (tmp_path / "trial").read_text() == text
