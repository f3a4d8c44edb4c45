"""The roster that init writes, from the keys and agent CLIs that are there."""

from __future__ import annotations

import tomllib
from itertools import chain, combinations
from pathlib import Path
from typing import TypeVar

import pytest

from callboard.cli.init_brains import KNOWN, UsableCli, choose_brains, found_note, way_to_brains
from callboard.settings import FILE, Settings, default_toml, load_settings

KEYS = [known.key for known in KNOWN]
CLIS = [
    UsableCli("claude"),
    UsableCli("codex", ("OPENAI_API_KEY",)),
    UsableCli("opencode"),
    UsableCli("aider", ("X_KEY",)),
]


T = TypeVar("T")


def subsets(items: list[T]) -> list[tuple[T, ...]]:
    return list(chain.from_iterable(combinations(items, size) for size in range(len(items) + 1)))


def written(folder: Path, keys: tuple[str, ...], clis: tuple[UsableCli, ...]) -> Settings:
    text = default_toml(gate=["true"], brains=choose_brains(frozenset(keys), clis))
    (folder / FILE).write_text(text)
    return load_settings(folder / FILE, {})


def brain_of(settings: Settings, name: str) -> object:
    agent = settings.agent(name)
    assert agent is not None
    return agent.model[0] if agent.model else agent.cli


@pytest.mark.parametrize("keys", subsets(KEYS), ids=len)
def test_whatever_is_found_the_roster_can_be_launched(tmp_path: Path, keys: tuple[str, ...]) -> None:
    for clis in subsets(CLIS):
        settings = written(tmp_path, keys, clis)
        assert len(settings.launch_problems()) == (0 if keys or clis else 5)


def test_drivers_get_clis_and_reviewers_three_families(tmp_path: Path) -> None:
    settings = written(tmp_path, ("ANTHROPIC_API_KEY", "GEMINI_API_KEY"), (UsableCli("codex"), UsableCli("qwen")))
    assert [brain_of(settings, name) for name in ("driver-1", "driver-2")] == ["codex", "qwen"]
    assert [brain_of(settings, name) for name in ("senior", "junior-1", "junior-2")] == ["claude", "gemini", "codex"]
    assert not settings.review.allow_same_family
    assert set(settings.models) == {"claude", "gemini"}


def test_one_family_is_allowed_where_there_is_no_other_and_said(tmp_path: Path) -> None:
    settings = written(tmp_path, ("ANTHROPIC_API_KEY",), ())
    assert {brain_of(settings, agent.name) for agent in settings.agents if agent.role != "manager"} == {"claude"}
    assert settings.review.allow_same_family
    assert any(
        "reviewers share one" in note for note in found_note(choose_brains(frozenset(["ANTHROPIC_API_KEY"]), ()))
    )


def test_a_key_is_passed_to_a_cli_only_where_it_has_no_login() -> None:
    brains = choose_brains(frozenset(), CLIS[:2])
    agents = {name: tomllib.loads(lines) for name, lines in brains.agents.items()}
    assert agents["driver-1"] == {"cli": "claude"}
    assert agents["driver-2"] == {"cli": "codex", "pass_env": ["OPENAI_API_KEY"]}


def test_a_cli_of_no_known_family_judges_only_where_there_is_nothing_else(tmp_path: Path) -> None:
    both = written(tmp_path, (), (UsableCli("opencode"), UsableCli("claude")))
    assert {brain_of(both, name) for name in ("senior", "junior-1", "junior-2")} == {"claude"}
    alone = written(tmp_path, (), (UsableCli("opencode"),))
    assert {brain_of(alone, name) for name in ("senior", "junior-1", "junior-2")} == {"opencode"}


def test_without_any_it_is_said_what_to_do_and_what_needs_none() -> None:
    assert choose_brains(frozenset(), ()).agents == {}
    said = way_to_brains()
    assert all(known.key in said for known in KNOWN)
    assert "`cli` (it needs no key)" in said
    assert "`command`, any program, which needs neither" in said
