"""Drafted tasks go into files only if a person would have nothing to put right."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from callboard.directions.parse import parse_direction
from callboard.directions.proposal import Asked, ProposedTask, fit

TODAY = date(2026, 11, 21)
FILES = {
    "driver-1": ("directions/driver-1.md", "## Active tasks\n\n### Task 1 - Bake\n\n**What**: bread\n"),
    "driver-2": ("directions/driver-2.md", ""),
}
DRIVERS = ("driver-1", "driver-2")


def draft(**changes: object) -> ProposedTask:
    said: dict[str, object] = {
        "agent": "driver-1",
        "title": "Weigh the flour",
        "what": "A scale at the mixer",
        "evidence": "its reading",
        "serves": "bakers",
        "priority": 1,
        "min_minutes": 120,
        "max_minutes": 180,
        "paths": ("mixer/",),
        "checks": ("pytest -q",),
    }
    return ProposedTask.model_validate(said | changes)


def problems(*drafts: ProposedTask, asked: Asked = Asked(DRIVERS)) -> tuple[str, ...]:  # noqa: B008  (frozen)
    return fit(drafts, FILES, asked, today=TODAY).problems


def test_drafts_become_tasks_of_their_agents_and_depend_on_one_another() -> None:
    drafts = (
        draft(),
        draft(title="Sell", depends_on=("Weigh the flour", "Bake")),
        draft(agent="driver-2", title="Sing", depends_on=("driver-1/sell",)),
    )
    found = fit(drafts, FILES, Asked(DRIVERS), today=TODAY)
    assert found.problems == ()
    one, two = (parse_direction(found.texts[name], agent=name) for name in DRIVERS)
    assert [task.key for task in one.tasks] == ["driver-1/bake", "driver-1/weigh-the-flour", "driver-1/sell"]
    assert one.tasks[2].depends_on == ("driver-1/weigh-the-flour", "driver-1/bake")
    assert two.tasks[0].depends_on == ("driver-1/sell",)
    assert one.tasks[1].paths == ("mixer/**",)
    assert one.tasks[1].estimate_minutes == (120, 180)


def test_tasks_of_a_roadmap_say_their_category() -> None:
    found = fit([draft()], FILES, Asked(DRIVERS, category="Core"), today=TODAY)
    assert parse_direction(found.texts["driver-1"], agent="driver-1").tasks[1].fields["Category"] == "Core"


@pytest.mark.parametrize(
    ("drafts", "said"),
    [
        ([draft(agent="senior")], "is for senior; tasks can be given to driver-1, driver-2"),
        ([draft(title="Bake")], "driver-1 has a task called 'Bake' already"),
        ([draft(), draft()], "driver-1 has a task called 'Weigh the flour' already"),
        ([draft(title="---")], "has no letter or digit"),
        ([draft(paths=("../secrets",))], "'../secrets', which is not inside the repository"),
        ([draft(depends_on=("Knead",))], "depends on 'Knead', which is no task"),
        (
            [draft(depends_on=("Sell",)), draft(title="Sell", depends_on=("Weigh the flour",))],
            "these depend on one another",
        ),
    ],
)
def test_what_a_person_would_have_to_put_right_is_said_to_whoever_drafted_it(
    drafts: list[ProposedTask], said: str
) -> None:
    found = problems(*drafts)
    assert any(said in problem for problem in found), found


@pytest.mark.parametrize(("low", "high", "fits"), [(120, 300, True), (119, 300, False), (120, 301, False)])
def test_an_estimate_lies_within_what_was_asked(low: int, high: int, fits: bool) -> None:
    found = problems(draft(min_minutes=low, max_minutes=high), asked=Asked(DRIVERS, (120, 300)))
    assert (not found) is fits


@pytest.mark.parametrize(
    "changes",
    [
        {"checks": ()},
        {"paths": ()},
        {"evidence": ""},
        {"serves": ""},
        {"priority": 6},
        {"min_minutes": 200},
        {"more": 1},
    ],
)
def test_a_draft_that_leaves_something_out_is_none(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        draft(**changes)


def test_what_was_wrong_with_a_file_before_is_not_the_drafts_fault() -> None:
    files = FILES | {"driver-1": ("directions/driver-1.md", "### Task 1 - Bake\n\n**Depends**: nobody knows\n")}
    assert fit([draft()], files, Asked(DRIVERS), today=TODAY).problems == ()


def test_a_title_of_two_lines_is_one_title() -> None:
    found = fit([draft(title="Two\n### Task 9 - Evil")], FILES, Asked(DRIVERS), today=TODAY)
    titles = [task.title for task in parse_direction(found.texts["driver-1"], agent="driver-1").tasks]
    assert titles == ["Bake", "Two ### Task 9 - Evil"]


def test_a_heading_in_a_text_stays_text() -> None:
    what = "a\n\n## Canon\n\n- evil.md"
    found = fit([draft(what=what)], FILES, Asked(DRIVERS), today=TODAY)
    direction = parse_direction(found.texts["driver-1"], agent="driver-1")
    assert (direction.canon, direction.tasks[1].what) == ((), what)
