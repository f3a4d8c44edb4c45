"""What a finding can be against, and what it cannot."""

from __future__ import annotations

import pytest

from callboard.agents.reviewer.requirements import RULES, held_against, requirements_of
from callboard.bus.task import Briefing, Finding, TaskSpec

SPEC = TaskSpec(
    key="d/x",
    agent="d",
    title="Add /health",
    what="Answer 200 with the version",
    checks=("pytest -q", "ruff check ."),
    paths=("app/**",),
    fields={"What": "Answer 200 with the version", "Contract test": "GET /health"},
)
BRIEFING = Briefing(agent="d", version="1", locks=("NO_MOCKS: real services only",))
KNOWN = requirements_of(SPEC, BRIEFING)


def against(name: str) -> Finding:
    return held_against(Finding(severity="major", requirement=name), KNOWN)


def test_everything_that_a_task_is_held_to_has_an_id_that_stays() -> None:
    ids = [it.id for it in KNOWN]
    own = ["title", "what", "paths", "check-1", "check-2", "field-contract-test", "lock-1"]
    assert ids == [*own, *(it.id for it in RULES)]
    assert requirements_of(SPEC, BRIEFING) == KNOWN
    assert [it.text for it in KNOWN][:2] == ["Add /health", "Answer 200 with the version"]


@pytest.mark.parametrize(
    ("said", "id"),
    [
        ("what", "what"),
        ("[check-2]", "check-2"),
        ("Contract Test", "field-contract-test"),
        ("200 with  the version", "what"),
        ("NO_MOCKS", "lock-1"),
        ("Keeps-Safe", "keeps-safe"),
        ("", ""),
    ],
)
def test_ids_names_and_words_lead_to_the_requirement(said: str, id: str) -> None:
    assert (against(said).requirement, against(said).dropped) == (id, "")


@pytest.mark.parametrize("said", ["GDPR", "check-3", "lock-2", "e", "the moon is full tonight"])
def test_what_the_task_does_not_ask_for_drops_the_finding(said: str) -> None:
    assert against(said).dropped == f"the task has no requirement {said!r}"
