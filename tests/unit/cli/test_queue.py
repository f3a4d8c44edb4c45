"""What `callboard queue` says of a board."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from desk_board import Desk, sha, spec

from callboard.cli.output import print_json
from callboard.cli.queue import headline
from callboard.launch.queue_rows import Queue, queue_of

HOUR = timedelta(hours=1)


def seen(desk: Desk) -> Queue:
    return queue_of(desk.board, desk.now, HOUR)


def four() -> Desk:
    """Three are stacked and tested, one comes later."""
    desk = Desk()
    desk.directions(*(spec(title, f"driver-{n % 2 + 1}", priority=n) for n, title in enumerate(("a", "b", "c", "d"))))
    for id in ("T-1", "T-2", "T-3", "T-4"):
        desk.to_review(id)
    desk.person("pause")
    for id in ("T-1", "T-2", "T-3"):
        desk.approve(id)
    desk.person("resume")
    return desk


def test_the_order_the_age_and_where_each_branch_is() -> None:
    desk = four()
    third = desk.board.queue.branches[-1].task
    desk.prepare(third, "waits", paths=("a.py",), other="T-1")
    desk.wait(minutes=3)
    last = next(id for id, state in desk.states.items() if state == "review")
    desk.approve(last)
    found = seen(desk)
    assert found.doing == "gate"
    assert [(row.place, row.age_s) for row in found.branches] == [
        ("gate", 180),
        ("gate", 180),
        ("behind", 180),
        ("next", 0),
    ]
    assert found.branches[2].why == "touches `a.py` as T-1 before it does"
    tested = ", ".join(row.task for row in found.branches[:2])
    assert headline(found).startswith(f"drain 1: the gate runs on {tested}; 4 verdicts known: 4 green, 0 red")


def test_runs_evictions_and_why() -> None:
    desk = four()
    first = desk.board.queue.branches[0].task
    desk.prepare(first, tree=sha("red tree"))
    desk.gate_stack("red")
    desk.gate_stack("red")
    found = seen(desk)
    assert [(len(run.tasks), run.verdict, run.said) for run in found.runs] == [
        (3, "red", "`make test` exited 1"),
        (1, "red", "`make test` exited 1"),
    ]
    [left] = found.left
    assert (left.task, left.how) == (first, "evicted")
    assert left.why.startswith("`make test` exited 1 with its changes (`a.py`) on top of ")
    assert headline(found).endswith("6 verdicts known: 4 green, 2 red")


def test_a_queue_at_rest_and_one_that_lands_say_so() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    assert headline(seen(desk)) == "nothing was approved yet, so nothing is on its way in"
    desk.to_intent("T-1")
    assert headline(seen(desk)).startswith("drain 1: a landing is being finished")


def test_json_has_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(seen(four()))
    read = json.loads(capsys.readouterr().out)
    assert set(read) == {"run", "doing", "drain", "began_at", "head", "branches", "runs", "left", "verdicts"}
    assert len(read["branches"]) == 3
