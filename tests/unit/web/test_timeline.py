"""Who did what when, and where it lies in a picture."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from boards import NOW

from callboard.bus.envelope import Draft
from callboard.bus.journal import JournalEntry
from callboard.bus.messages import (
    AgentStopped,
    Body,
    DeploymentChanged,
    DeploymentRequested,
    EvidenceSubmitted,
    LandFinished,
    LandRequested,
    TaskAccepted,
    TaskClosed,
)
from callboard.web.dashboard.drawing import outcome
from callboard.web.dashboard.plots import LEFT, MOST_ROWS, WIDE, Axis, Share, chart, percents, split
from callboard.web.dashboard.timeline import KEPT, SAYS, Bar, Story, lanes


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


class Told:
    """A journal that a story reads, entry by entry."""

    def __init__(self) -> None:
        self.story = Story()

    def say(self, second: float, sender: str, to: str, body: Body, task: str = "", attempt: int = 0) -> JournalEntry:
        seq = self.story.seq + 1
        draft = Draft(to, body, task=task, attempt=attempt)
        sent = draft.stamp(id=f"{seq:08x}-0000-7000-8000-000000000000", run="r", sender=sender, now=at(second))
        entry = JournalEntry(seq=seq, at=at(second), step="commit", messages=(sent,))
        self.story.take(entry)
        return entry

    def accept(self, second: float, agent: str, task: str, attempt: int = 1) -> JournalEntry:
        return self.say(second, agent, "manager", TaskAccepted(), task, attempt)

    def hand_in(self, second: float, agent: str, task: str) -> JournalEntry:
        return self.say(second, agent, "manager", EvidenceSubmitted(head=None), task, 1)

    @property
    def bars(self) -> list[tuple[str, str, str, float | None, str]]:
        """Lane, what, name, seconds, what came of it."""
        return [
            (bar.lane, bar.what, bar.name, (bar.ended - bar.began).total_seconds() if bar.ended else None, bar.said)
            for bar in self.story.bars(0, 100)
        ]


def test_an_attempt_lasts_until_it_is_handed_in() -> None:
    told = Told()
    told.accept(1, "driver-1", "T-1", 2)
    told.hand_in(31, "driver-1", "T-1")
    assert told.bars == [("driver-1", "attempt", "T-1, attempt 2", 30.0, "handed in")]


def test_what_is_under_way_has_no_end() -> None:
    told = Told()
    told.accept(1, "driver-1", "T-1")
    assert told.bars == [("driver-1", "attempt", "T-1, attempt 1", None, "")]


def test_an_agent_makes_one_attempt_at_a_time_and_stops_what_it_has_when_it_stops() -> None:
    told = Told()
    told.accept(1, "driver-1", "T-1")
    told.accept(2, "driver-2", "T-2")
    told.accept(5, "driver-1", "T-3")
    told.say(9, "driver-1", "manager", AgentStopped(reason="the roster stops"))
    assert told.bars == [
        ("driver-1", "attempt", "T-1, attempt 1", 4.0, "put aside"),
        ("driver-2", "attempt", "T-2, attempt 1", None, ""),
        ("driver-1", "attempt", "T-3, attempt 1", 4.0, "stopped"),
    ]


def test_a_task_that_is_closed_ends_its_attempt() -> None:
    told = Told()
    told.accept(1, "driver-1", "T-1")
    told.say(4, "manager", "driver-1", TaskClosed(state="cancelled", reason="by a person"), "T-1", 1)
    assert told.bars[0][3:] == (3.0, "cancelled")


def test_landings_and_steps_of_deployments_stand_in_their_lanes() -> None:
    told = Told()
    landing = LandRequested(intent="I-1", ref="refs/heads/x", old="a" * 40, new="b" * 40, tree="c" * 40, tags={})
    told.say(1, "manager", "land", landing, "T-1", 1)
    told.say(2, "land", "manager", LandFinished(intent="I-1", outcome="landed"), "T-1", 1)
    step = DeploymentRequested(deployment="d-1", environment="production", commit="b" * 40, step="roll_back", number=7)
    told.say(3, "manager", "deployment", step)
    ended = DeploymentChanged(deployment="d-1", number=7, step="roll_back", outcome="passed")
    told.say(5, "deployment", "manager", ended)
    assert told.bars == [
        ("manager: merges", "landing", "T-1", 1.0, "landed"),
        ("deployment", "deployment", "d-1: roll back", 2.0, "passed"),
    ]


def test_the_same_entry_twice_and_an_answer_to_nothing_change_nothing() -> None:
    told = Told()
    entry = told.accept(1, "driver-1", "T-1")
    told.story.take(entry)
    told.say(2, "land", "manager", LandFinished(intent="I-9", outcome="landed"), "T-1", 1)
    assert len(told.bars) == 1
    assert told.story.count == 1


def test_old_bars_are_forgotten_and_counted() -> None:
    story = Story()
    for n in range(KEPT + 5):
        story.ended.append(Bar(n + 1, "x", "gate", "T-1", "T-1", "", NOW, NOW, "green"))
    assert len(story.ended) == KEPT
    assert [bar.number for bar in story.bars(9, 2)] == [7, 8]
    assert story.bars(1, 5) == []


def test_entries_that_tell_nothing_are_known_without_being_read() -> None:
    told = Told()
    said = told.accept(1, "driver-1", "T-1").messages[0].encode()
    assert SAYS.search(said)
    assert SAYS.search(said.replace('"kind":"', '"kind": "'))
    assert not SAYS.search(said.replace("task.accepted", "task.progressed"))


def test_lanes_stand_in_the_order_of_the_work() -> None:
    names = ("manager: gates", "senior", "deployment", "driver-2", "driver-1")
    roles = {"senior": "reviewer", "deployment": "deployment", "driver-1": "driver", "driver-2": "driver"}
    found = lanes([Bar(1, name, "gate", "", "", "", NOW) for name in names], roles)
    assert found == ["driver-1", "driver-2", "senior", "deployment", "manager: gates"]


def test_bars_lie_on_the_axis_and_never_outside_of_the_picture() -> None:
    bars = [
        Bar(1, "a", "attempt", "", "T-1", "", at(0), at(10), "handed in"),
        Bar(2, "a", "attempt", "", "T-2", "", at(10), at(10), "handed in"),
        Bar(3, "b", "attempt", "", "T-3", "", at(5)),
    ]
    drawn = chart(bars, ["a", "b"], at(20)).bars
    assert (drawn[0].x, drawn[0].width) == (LEFT, (WIDE - LEFT) / 2)
    assert drawn[1].width > 0
    assert drawn[2].x + drawn[2].width == WIDE
    assert drawn[2].y > drawn[0].y


def test_what_goes_on_at_the_same_time_lies_below_each_other_up_to_some_rows() -> None:
    bars = [Bar(n, "a", "gate", "", "T-1", "", at(0), at(10), "green") for n in range(1, MOST_ROWS + 4)]
    found = chart(bars, ["a"], at(10))
    assert len({one.y for one in found.bars}) == MOST_ROWS
    assert all(one.y < found.height for one in found.bars)


def test_nothing_is_drawn_of_nothing() -> None:
    assert chart([], [], NOW).bars == ()


@pytest.mark.parametrize("seconds", [0.5, 7, 61, 3_601, 90_000, 40 * 86_400])
def test_an_axis_has_a_few_ticks_at_round_times(seconds: float) -> None:
    ticks = Axis(NOW, at(seconds)).ticks
    assert len(ticks) <= 9
    assert seconds < 2 or ticks
    assert all(LEFT <= tick.x < WIDE for tick in ticks)


def test_greens_share_is_a_step_at_each_moment_it_changed() -> None:
    path, _ = split([Share(at(0), 0), Share(at(5), 50), Share(at(10), 100)], at(20))
    assert (
        path
        == "M150.0 120.0 L150.0 120.0 L150.0 120.0 L362.5 120.0 L362.5 60.0 L575.0 60.0 L575.0 0.0 L1000.0 0.0 L1000.0 120.0 Z"
    )
    assert split([], NOW) == ("", ())
    assert split([Share(NOW, 0)], NOW) == ("", ())


def test_parts_are_of_the_largest() -> None:
    assert percents([1.0, 4.0, 0.0]) == (25.0, 100.0, 0.0)
    assert percents([0.0, 0.0]) == (0.0, 0.0)
    assert percents([]) == ()


def test_how_a_bar_ended_is_told_by_what_was_said() -> None:
    assert (outcome("handed in"), outcome("red"), outcome("needs_revision")) == ("well", "against", "against")
