"""Planning: what a brain is asked, how often, and what comes of it."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path

import pytest
from brain_jobs import seat

from callboard.agents.brains.brain import Inquiry, RawAnswer, RawVerdict, ReviewJob
from callboard.agents.manager.planning import TRIES, Answered, ask, category_part, goal_part, missing_tasks
from callboard.bus.errors import BrainError
from callboard.directions.parse import parse_direction

ROADMAP = "## Active tasks\n\n### Task 1 - Bake\n\n**Category**: core\n**What**: bread\n\n## Roadmap\n\n1. **Core** (3-5 tasks) - what all need\n"
FILES = {"driver-1": ("directions/driver-1.md", ROADMAP)}
GOOD: dict[str, object] = {
    "agent": "driver-1",
    "title": "Weigh",
    "what": "A scale",
    "evidence": "its reading",
    "serves": "bakers",
    "priority": 1,
    "min_minutes": 120,
    "max_minutes": 180,
    "paths": ["mixer/"],
    "checks": ["pytest -q"],
}


class Scripted:
    """Answers in turn; the last answer again and again."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[Inquiry] = []

    async def review(self, job: ReviewJob) -> RawVerdict:
        raise AssertionError

    async def answer(self, inquiry: Inquiry) -> RawAnswer:
        self.asked.append(inquiry)
        return RawAnswer(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])


def planned(*tasks: dict[str, object]) -> str:
    return json.dumps({"tasks": tasks, "notes": "Mind the oven."})


def drafted(brain: Scripted, folder: Path, *, count: int = 0) -> Answered:
    category = parse_direction(ROADMAP, agent="driver-1").roadmap[0]
    part = (
        category_part(category, "driver-1", count, FILES) if count else goal_part("Better bread", FILES, ["driver-1"])
    )
    today = date(2026, 11, 21)
    return asyncio.run(ask(brain, seat(folder, "manager"), part, FILES, name="p-1", number=1, today=today))


def test_a_goal_is_asked_with_the_rosters_directions(tmp_path: Path) -> None:
    brain = Scripted(planned(GOOD))
    found = drafted(brain, tmp_path)
    assert [task.title for task in found.tasks] == ["Weigh"]
    assert found.notes == "Mind the oven."
    (asked,) = brain.asked
    assert "Better bread" in asked.text
    assert "Has the task driver-1/bake: Bake" in asked.text
    assert (asked.task, asked.id, asked.attempt) == ("p-1", "plan.1", 1)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("no JSON", "expected a JSON object"),
        (planned(GOOD | {"checks": []}), "tasks.0.checks"),
        (planned(GOOD | {"title": "Bake"}), "driver-1 has a task called 'Bake' already"),
        (planned(GOOD | {"min_minutes": 30}), "it should take 120 to 300"),
        (planned(GOOD, GOOD | {"title": "More"}), "at most 1 were asked for"),
    ],
)
def test_a_bad_answer_is_sent_back_with_what_is_wrong(tmp_path: Path, bad: str, said: str) -> None:
    brain = Scripted(bad, planned(GOOD))
    assert len(drafted(brain, tmp_path, count=1).tasks) == 1
    assert [asked.attempt for asked in brain.asked] == [1, 2]
    assert said in brain.asked[1].text
    assert said not in brain.asked[0].text


def test_who_never_answers_well_is_asked_a_bounded_number_of_times(tmp_path: Path) -> None:
    brain = Scripted("no")
    with pytest.raises(BrainError, match="none could be used; the last: expected a JSON object"):
        drafted(brain, tmp_path)
    assert len(brain.asked) == TRIES


@pytest.mark.parametrize(("count", "missing"), [(None, 2), (3, 2), (5, 4), (1, 0)])
def test_a_category_lacks_what_its_tasks_do_not_fill(count: int | None, missing: int) -> None:
    direction = parse_direction(ROADMAP, agent="driver-1")
    assert missing_tasks(direction, direction.roadmap[0], count) == missing
