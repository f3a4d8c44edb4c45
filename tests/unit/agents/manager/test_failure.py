"""How a run ends without success: the four reasons of a failed one, and a person who gives it up."""

from __future__ import annotations

from typing import Literal

import pytest
from desk_board import Desk, spec

from callboard.agents.manager.outlook import outlook
from callboard.bus.board import Change
from callboard.bus.caps import Exhausted
from callboard.bus.messages import AttemptFailed, TaskCancelled, TaskClosed

How = Literal["gate", "intake", "environment", "driver", "budget"]


def failed(*hows: How) -> Desk:
    """A run of one task for each, all of which failed at their only attempt."""
    desk = Desk()
    agents = ("driver-1", "driver-2")
    desk.directions(*(spec(f"t{n}", agents[n], budget={"attempts": 1}) for n in range(len(hows))))
    for n, how in enumerate(hows, 1):
        fail(desk, f"T-{n}", how)
    return desk


def fail(desk: Desk, id: str, how: How) -> None:
    if how == "budget":
        stopped = {f"task:{id}": Exhausted(what="tokens", used=9, cap=9, stopped=True)}
        budget = desk.board.budget.model_copy(update={"exhausted": stopped})
        desk.board = desk.board.with_changes([Change("budget", budget)])
    if how in ("gate", "intake"):
        desk.hand_in(id)
        desk.gate(id, "red" if how == "gate" else "refused", rule="paths", path="x", reason="leave it out")
        return
    cause = "environment" if how == "environment" else "brain"
    desk.hear(AttemptFailed(reason="gone", cause=cause), desk.task(id).agent, id)


@pytest.mark.parametrize(
    ("hows", "reason"),
    [
        (("gate",), "requires_human_review"),
        (("driver",), "requires_human_review"),
        (("intake",), "policy_violation"),
        (("environment",), "environment"),
        (("environment", "gate"), "requires_human_review"),
        (("environment", "intake"), "policy_violation"),
        (("gate", "intake"), "policy_violation"),
        (("intake", "budget"), "budget_exhausted"),
        (("budget", "environment"), "budget_exhausted"),
    ],
)
def test_a_failed_run_says_why(hows: tuple[How, ...], reason: str) -> None:
    desk = failed(*hows)
    assert (desk.run.state, desk.run.reason) == ("failed", reason)
    assert desk.run.detail.startswith("not done: T-1")


def test_what_was_skipped_is_due_to_what_failed() -> None:
    desk = Desk()
    desk.directions(spec("t0", budget={"attempts": 1}), spec("after", depends_on=("driver-1/t0",)))
    fail(desk, "T-1", "intake")
    assert (desk.states["T-2"], desk.run.reason) == ("skipped", "policy_violation")


# --- a person gives it up ---


def test_a_person_gives_the_run_up_and_nothing_of_it_goes_on() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two", "driver-2"), spec("three"))
    desk.ask("T-3")
    heard = desk.person("cancel", task="run", text="the goal has changed")
    assert heard.reply.ok
    assert (desk.run.state, desk.run.detail) == ("cancelled", "the goal has changed")
    assert set(desk.states.values()) == {"cancelled"}
    assert [body.reason for body in heard.of(TaskCancelled)] == ["the goal has changed"]
    assert len(heard.of(TaskClosed)) == 1, "who is not at work on it is told that it is closed"
    assert desk.question("q-1").state == "closed"
    assert outlook(desk.board) == "ended"


def test_a_run_that_was_given_up_stays_so() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.person("cancel", task="run")
    assert desk.person("cancel", task="run").reply.text == "the run is cancelled already"
    assert not desk.person("resume").reply.ok
    desk.directions(spec("one"), spec("new"))
    assert (desk.run.state, desk.states["T-2"]) == ("cancelled", "queued")
    assert not desk.person("promote").reply.ok


def test_a_landing_that_has_begun_is_finished_first() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.to_intent("T-1")
    heard = desk.person("cancel", task="run")
    assert (heard.reply.ok, "T-1 is landing" in heard.reply.text) == (False, True)
