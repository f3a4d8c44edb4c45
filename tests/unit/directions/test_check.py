"""Directions held against the calendar, the roster and one another."""

from __future__ import annotations

from datetime import date

from callboard.directions.check import check_directions
from callboard.directions.document import Direction
from callboard.directions.parse import parse_direction

TODAY = date(2026, 3, 10)
HEAD = "---\nlast_reviewed: 2026-03-01\n---\n"
FIELDS = "**Evidence**: x\n**Serves**: you\n"


def read(body: str, agent: str = "driver-1") -> Direction:
    return parse_direction(body, agent=agent, path=f"directions/{agent}.md")


def problems(
    *directions: Direction, agents: tuple[str, ...] | None = None, others: tuple[Direction, ...] = ()
) -> list[tuple[int, str]]:
    found = check_directions(directions, today=TODAY, agents=agents, others=others)
    return [(problem.line, problem.message) for own in found for problem in own]


def test_a_direction_in_order_has_no_problem() -> None:
    body = f"{HEAD}### Task 1 - A\n{FIELDS}### Task 2 - B\n{FIELDS}**Depends**: 1\n## Git workflow\n**Branch**: `driver-1/work`\n"
    assert problems(read(body), agents=("driver-1", "manager")) == []


def test_one_that_nobody_looked_at_for_long_is_stale() -> None:
    assert problems(read("---\nowner: me\nlast_reviewed: 2026-02-07\n---\n# x")) == [
        (3, "last_reviewed 2026-02-07 is 31 days ago; a direction older than 30 is stale")
    ]
    assert problems(read("---\nlast_reviewed: 2026-02-08\n---\n# x")) == []


def test_one_without_a_review_or_with_one_to_come_is_reported() -> None:
    assert "no last_reviewed" in problems(read("# x"))[0][1]
    assert "in the future" in problems(read("---\nlast_reviewed: 2026-03-11\n---\n# x"))[0][1]


def test_a_day_that_cannot_be_read_is_reported_once() -> None:
    assert len(problems(read("---\nlast_reviewed: soon\n---\n# x"))) == 1


def test_tasks_without_evidence_or_without_what_they_serve_are_reported() -> None:
    body = f"{HEAD}### Task 1 - A\n**Evidence**: x\n### Task 2 - B\n"
    assert problems(read(body)) == [(4, "'A' has no Serves"), (6, "'B' has no Evidence and no Serves")]


def test_a_branch_that_is_not_the_agents_own_is_reported() -> None:
    (found,) = problems(read(f"{HEAD}## Git workflow\n\n**Branch**: `main`\n"))
    assert found == (6, "the branch main is not the agent's own; it commits to driver-1/work whatever stands here")


def test_a_file_of_nobody_on_the_roster_is_reported() -> None:
    assert problems(read(f"{HEAD}# x"), agents=("driver-2",)) == [
        (1, "no agent is called driver-1; the roster has driver-2")
    ]


def test_dependencies_on_other_files_are_looked_up_there() -> None:
    mine = read(f"{HEAD}### Task 1 - A\n{FIELDS}**Depends**: driver-2/b, driver-2/c, nobody/d, driver-3/e\n")
    theirs = read(f"{HEAD}### Task 1 - B\n{FIELDS}", agent="driver-2")
    wanted = [
        (4, "'A' depends on driver-2/c, which the direction of driver-2 does not have"),
        (4, "'A' depends on driver-3/e, and driver-3 has no direction file here"),
        (4, "'A' depends on nobody/d, and no agent is called nobody"),
    ]
    roster = ("driver-1", "driver-2", "driver-3")
    assert problems(mine, theirs, agents=roster) == wanted
    assert problems(mine, agents=roster, others=(theirs,)) == wanted


def test_circles_are_reported_at_each_of_their_tasks_and_nowhere_else() -> None:
    mine = read(f"{HEAD}### Task 1 - A\n{FIELDS}**Depends**: driver-2/b\n### Task 2 - C\n{FIELDS}**Depends**: 1\n")
    theirs = read(f"{HEAD}### Task 1 - B\n{FIELDS}**Depends**: driver-1/a\n", agent="driver-2")
    found = problems(mine, theirs)
    assert [line for line, _ in found] == [4, 4]
    assert all("driver-1/a" in message and "driver-2/b" in message for _, message in found)


def test_two_circles_are_both_found() -> None:
    tasks = "".join(f"### Task {n} - T{n}\n{FIELDS}**Depends**: {n + 1 if n % 2 else n - 1}\n" for n in (1, 2, 3, 4))
    assert [line for line, _ in problems(read(HEAD + tasks))] == [4, 8, 12, 16]


def test_circles_that_share_a_task_are_both_found() -> None:
    depends = {1: "2, 3", 2: "1", 3: "1"}
    tasks = "".join(f"### Task {n} - T{n}\n{FIELDS}**Depends**: {on}\n" for n, on in depends.items())
    assert [line for line, _ in problems(read(HEAD + tasks))] == [4, 8, 12]


def test_a_task_that_depends_on_itself_is_reported_and_starts() -> None:
    direction = read(f"{HEAD}### Task 1 - A\n{FIELDS}**Depends**: 1\n")
    assert direction.tasks[0].depends_on == ()
    assert problems(direction) == [(7, "the task depends on itself; understood as no dependency")]


def test_the_same_key_in_two_files_is_reported() -> None:
    one, other = read(f"{HEAD}### Task 1 - A\n{FIELDS}"), read(f"{HEAD}\n### Task 1 - A\n{FIELDS}")
    assert problems(one, other) == [
        (5, "the key driver-1/a is also that of directions/driver-1.md:4; only one of them can be done")
    ]


def test_standing_work_whose_end_has_passed_is_reported() -> None:
    body = f"{HEAD}### Task 1 - A\n{FIELDS}**Timeline**: On-call until 2026-03-09\n"
    assert problems(read(body)) == [(4, "'A' was to end on 2026-03-09")]
