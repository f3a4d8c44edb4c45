"""Three reviewers, three model families."""

from __future__ import annotations

from pathlib import Path

import pytest

from callboard.settings import load_settings
from callboard.settings.trio import shown_families

MODELS = {
    "opus": "claude-opus-4-5",
    "sonnet": "claude-sonnet-4-5",
    "gpt": "gpt-5",
    "gemini": "gemini-3-pro",
    "home": "my-own-mix",
}
TABLES = "".join(f'[models.{name}]\nprovider = "openai"\nmodel = "{model}"\n' for name, model in MODELS.items())
HEAD = '[project]\ngate = ["true"]\n[[agents]]\nname = "driver-1"\nrole = "driver"\ncommand = "x"\n'


def problems(tmp_path: Path, *brains: str, review: str = "") -> tuple[str, ...]:
    seats = ("senior", "junior-1", "junior-2")
    agents = "".join(
        f'[[agents]]\nname = "{name}"\nrole = "reviewer"\nseat = "{name}"\n{brain}\n'
        for name, brain in zip(seats, brains, strict=True)
    )
    (tmp_path / "callboard.toml").write_text(f"[review]\n{review}\n{HEAD}{agents}{TABLES}")
    return load_settings(tmp_path / "callboard.toml", {}).launch_problems()


def test_three_families_may_be_launched(tmp_path: Path) -> None:
    assert problems(tmp_path, 'model = "opus"', 'model = "gpt"', 'model = "gemini"') == ()


def test_a_shared_family_is_refused_with_one_sentence(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, 'model = "opus"', 'model = "gpt"', 'model = "sonnet"')
    assert problem == (
        "senior and junior-2 both judge with a model of the family claude, and would miss the same things: give one of "
        "them a model of another family, or say `[review] allow_same_family = true`"
    )


def test_a_model_that_only_takes_over_counts_too(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, 'model = "opus"', 'model = ["gpt", "sonnet"]', 'model = "gemini"')
    assert problem.startswith("senior and junior-1 both")


def test_a_family_that_nobody_knows_is_refused_until_it_is_named(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, 'model = "opus"', 'model = "gpt"', 'model = "home"')
    assert "give [models.home] its family" in problem


@pytest.mark.parametrize("brains", [('model = "opus"',) * 3, ('model = "home"',) * 3], ids=["one family", "unknown"])
def test_a_person_may_allow_it(tmp_path: Path, brains: tuple[str, str, str]) -> None:
    assert problems(tmp_path, *brains, review="allow_same_family = true") == ()


def test_programs_are_not_asked(tmp_path: Path) -> None:
    assert problems(tmp_path, 'model = "opus"', 'command = "judge"', 'command = "weigh"') == ()


def test_families_are_shown_and_what_is_unknown_is_said_so(tmp_path: Path) -> None:
    problems(tmp_path, 'model = ["opus", "gpt", "sonnet"]', 'model = "home"', 'command = "judge"')
    settings = load_settings(tmp_path / "callboard.toml", {})
    assert shown_families(settings.reviewers, settings.models) == (
        "senior: claude or gpt; junior-1: family unknown; junior-2: unknown (a program)"
    )


def test_an_agent_cli_counts_as_the_family_it_thinks_with(tmp_path: Path) -> None:
    assert problems(tmp_path, 'cli = "claude"', 'cli = "codex"', 'cli = "qwen"') == ()
    (problem,) = problems(tmp_path, 'cli = "claude"', 'model = "opus"', 'cli = "opencode"')
    assert problem.startswith("senior and junior-1 both judge with a model of the family claude")
    (named,) = problems(tmp_path, 'cli = "claude"', 'cli = "codex"', 'cli = "opencode"\ncli_model = "openai/gpt-5"')
    assert named.startswith("junior-1 and junior-2 both judge with a model of the family gpt")


def test_reviewers_without_a_seat_take_the_free_ones_in_their_order(tmp_path: Path) -> None:
    seats = {"one": "", "two": 'seat = "junior-1"\n', "three": "", "four": ""}
    agents = "".join(
        f'[[agents]]\nname = "{name}"\nrole = "reviewer"\ncommand = "x"\n{seat}' for name, seat in seats.items()
    )
    (tmp_path / "callboard.toml").write_text(HEAD + agents)
    assert load_settings(tmp_path / "callboard.toml", {}).seats == {
        "two": "junior-1",
        "one": "senior",
        "three": "junior-2",
    }
