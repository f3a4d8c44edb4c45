"""Runs that are started from outside, on the pure desk: phases, what outside seats may say, and what counts of it."""

from __future__ import annotations

import itertools

import pytest
from desk_board import Desk, sha
from outside_desk import AUDITOR, BUILDER, QUOTED, OutsideDesk, phase

from callboard.agents.manager import tiers
from callboard.agents.manager.outside_work import differences
from callboard.agents.manager.phases import MOVES, NAMES, is_legal
from callboard.bus.board import TaskDoc, TaskState
from callboard.bus.caps import Limits
from callboard.bus.issue_caps import IssueLimits
from callboard.bus.issues import IssueDoc, Kept
from callboard.bus.messages import (
    AgentStarted,
    BacklogCarried,
    EvidenceSubmitted,
    GateFinished,
    GateRequested,
    MergeRequested,
    ReviewRequested,
    RosterChanged,
    TaskAccepted,
    TaskAssigned,
    TaskCancelled,
)
from callboard.bus.outside import Claim, PhaseAsked
from callboard.bus.outside_messages import PhaseMove, Suggested
from callboard.bus.task import CommandResult, Finding


@pytest.fixture
def desk() -> OutsideDesk:
    return OutsideDesk()


def handed_in(desk: OutsideDesk) -> OutsideDesk:
    desk.submit()
    return desk


def in_review(desk: OutsideDesk) -> OutsideDesk:
    handed_in(desk).gate("T-1")
    return desk


# --- opening ---------------------------------------------------------------------------------------


def test_phases_become_tasks_in_the_order_of_their_index() -> None:
    desk = OutsideDesk(phase("P2", 1), phase("P1", 0, task_category="feature_scaffolding", builder_mode="compose"))
    assert [(desk.phase(task.id).phase.id, task.state) for task in desk.board.tasks()] == [
        ("P1", "queued"),
        ("P2", "queued"),
    ]
    assert desk.first.task.key == "r/P1"
    assert desk.first.task.category == "feature_scaffolding"
    assert desk.phase().phase.builder_mode == "compose"
    assert desk.run.state == "running"


def test_nobody_is_given_a_phase_before_somebody_takes_it(desk: OutsideDesk) -> None:
    assert not desk.opened.of(TaskAssigned)
    assert desk.first.attempt == 0


def test_a_run_is_opened_once(desk: OutsideDesk) -> None:
    assert not desk.open(phase("P9")).reply.ok
    assert len(desk.board.tasks()) == 1


# --- phases of the launched roster -----------------------------------------------------------------


def lent(*phases: PhaseAsked) -> OutsideDesk:
    """A desk that driver-1, whom a phase names, and driver-2, whom none does, have come to."""
    desk = OutsideDesk(*(phases or (phase("P1", 0, driver="driver-1"), phase("P2", 1))))
    for name in ("driver-2", "driver-1"):
        desk.hear(AgentStarted(role="driver", pid=1, host="h"), name)
    return desk


def test_a_roster_takes_a_phase_only_where_it_names_one_of_its_drivers() -> None:
    desk = lent()
    assert desk.outside.drivers == ("driver-1",)
    assert (desk.first.state, desk.first.agent, desk.task("T-2").state) == ("assigned", "driver-1", "queued")


def test_no_driver_helps_out_where_the_builder_is_down() -> None:
    desk = lent(phase("P1"))
    desk.hear(RosterChanged(agents={}, down=(BUILDER,), reason="gone"), "launcher")
    assert desk.first.state == "queued"


def test_what_a_driver_hands_in_goes_through_gate_and_the_auditor() -> None:
    desk = lent()
    desk.hear(TaskAccepted(), "driver-1", "T-1", 1)
    assert desk.hear(EvidenceSubmitted(head=sha("work")), "driver-1", "T-1", 1).of(GateRequested)
    desk.gate("T-1")
    assert desk.first.state == "review"
    assert desk.audit("approve").of(MergeRequested)


def test_nobody_builds_for_a_driver_or_takes_its_phase_from_its_hands() -> None:
    desk = lent()
    assert "driver-1 of the launched roster does it" in desk.submit().reply.text
    assert "takes it by itself" in desk.move("QUEUED").reply.text
    assert (desk.first.agent, desk.first.attempt) == ("driver-1", 1)


@pytest.mark.parametrize("state", ["FAILED", "SKIPPED"])
def test_a_driver_whose_phase_is_given_up_hears_of_it_and_is_free(state: PhaseMove) -> None:
    desk = lent()
    given_up = desk.move(state).to("driver-1")
    assert [body.kind for body in given_up if isinstance(body, TaskCancelled)] == ["task.cancelled"]
    assert desk.agent("driver-1").state == "idle"


def test_a_phase_that_waits_for_its_driver_is_not_begun_by_a_word() -> None:
    desk = OutsideDesk(phase("P1", 0, driver="driver-1"))
    assert "takes it by itself" in desk.move("EXECUTING").reply.text
    assert desk.move("SKIPPED").reply.ok
    assert desk.move("QUEUED").reply.ok


def test_a_driver_is_lent_for_phases_and_not_for_cleaning_up() -> None:
    issues = IssueLimits(clean_up_by="driver-1", old_after_runs=0)
    desk = OutsideDesk(phase("P1", 0, driver="driver-1"), limits=Limits(issues=issues))
    old = Kept(
        key="k",
        title="k",
        category="",
        severity="minor",
        first_run="a",
        last_run="a",
        first_at=desk.now,
        last_at=desk.now,
        count=1,
        age_runs=9,
        age_tiers=9,
    )
    desk.hear(BacklogCarried(run="a", issues=(old,)), "manager")
    assert tiers.severity(desk.board, desk.board.get("issue:k", IssueDoc)) == "major"
    assert [task.id for task in desk.board.tasks()] == ["T-1"]


# --- who may say what ------------------------------------------------------------------------------


def test_only_the_builders_seat_hands_in_and_only_the_auditors_judges(desk: OutsideDesk) -> None:
    assert not desk.submit(sender=AUDITOR).reply.ok
    assert not desk.submit(sender="driver-1").reply.ok
    in_review(desk)
    assert not desk.audit("approve", sender=BUILDER).reply.ok
    assert desk.first.state == "review"


def test_in_a_launched_run_nobody_from_outside_has_a_seat() -> None:
    launched = Desk()
    outside = OutsideDesk()
    outside.board = launched.board
    assert not outside.submit().reply.ok
    assert not outside.audit("approve").reply.ok
    assert not outside.see_issue("a__b").reply.ok
    assert not outside.move("SKIPPED").reply.ok


# --- builder ---------------------------------------------------------------------------------------


def test_what_is_handed_in_goes_to_intake_and_gate(desk: OutsideDesk) -> None:
    asked = desk.submit(notes="done").one(GateRequested)
    assert (asked.commit, asked.base, asked.agent) == (sha("work"), sha("base"), BUILDER)
    assert desk.first.state == "gate"
    assert desk.first.attempt == 1


def test_an_unreadable_patch_is_kept_refused_and_the_phase_is_queued_again(desk: OutsideDesk) -> None:
    heard = desk.refuse_patch()
    assert not heard.of(GateRequested)
    assert NAMES[desk.first.state] == "QUEUED"
    assert desk.run.intake_refusals == 1
    assert desk.phase().claims[-1].refused == "unreadable patch"


def test_a_phase_fails_with_its_last_attempt(desk: OutsideDesk) -> None:
    for _ in range(3):
        assert desk.refuse_patch().reply.ok
    assert desk.first.state == "failed"
    assert not desk.submit().reply.ok


def test_a_builder_that_says_it_failed_spends_an_attempt(desk: OutsideDesk) -> None:
    desk.submit("", status="failed", notes="no idea")
    assert desk.first.state == "changes_requested"
    assert desk.first.spent == 1


def test_nothing_is_taken_while_work_waits_or_the_run_is_paused(desk: OutsideDesk) -> None:
    handed_in(desk)
    assert not desk.submit("other").reply.ok
    other = OutsideDesk()
    other.person("pause")
    assert not other.submit().reply.ok
    assert not other.move("EXECUTING").reply.ok


def test_a_red_gate_sends_it_back_however_often_it_says_the_same(desk: OutsideDesk) -> None:
    for head in ("one", "two"):
        desk.submit(head)
        desk.gate("T-1", "red")
        assert desk.first.state == "changes_requested"


def test_claims_are_compared_with_what_the_gate_found(desk: OutsideDesk) -> None:
    desk.submit(files=("b.py",))
    heard = desk.gate("T-1")
    differs = desk.phase().claims[-1].differs
    assert differs == ("`b.py` was named and is not changed", "`a.py` is changed and was not named")
    assert any("claims differ" in text for text in heard.logged)


def test_a_success_with_a_red_gate_and_a_probe_that_ends_otherwise_are_differences() -> None:
    ran = CommandResult(command="pytest", exit_code=1, duration_s=1, digest="")
    claimed = TaskDoc(commands=(ran.model_copy(update={"exit_code": 0}),))
    found = GateFinished(purpose="evidence", verdict="red", commands=(ran,))
    assert len(differences(Claim(status="success"), claimed, found)) == 2
    assert not differences(Claim(status="needs_review"), TaskDoc(), found)


# --- auditor ---------------------------------------------------------------------------------------


def test_an_approval_alone_brings_a_green_hand_in_to_the_queue(desk: OutsideDesk) -> None:
    heard = in_review(desk).audit("approve")
    assert desk.phase().audits[-1].counted
    assert heard.of(MergeRequested)
    assert desk.first.state in ("approved", "merging")


def test_without_an_approval_nothing_lands(desk: OutsideDesk) -> None:
    in_review(desk)
    assert desk.first.state == "review"
    assert desk.first.reviewers == (AUDITOR,)


def test_an_early_approval_counts_once_the_gate_is_green(desk: OutsideDesk) -> None:
    handed_in(desk).audit("approve")
    assert desk.first.state == "gate"
    assert desk.gate("T-1").of(MergeRequested)


def test_an_early_approval_is_worth_nothing_on_a_red_gate(desk: OutsideDesk) -> None:
    handed_in(desk).audit("approve")
    desk.gate("T-1", "red")
    assert desk.first.state == "changes_requested"
    assert desk.phase().early is None
    desk.submit("other")
    desk.gate("T-1")
    assert desk.first.state == "review"


def test_a_revision_with_a_finding_sends_it_back(desk: OutsideDesk) -> None:
    in_review(desk).audit("revise", QUOTED)
    assert desk.first.state == "changes_requested"
    assert desk.run.review_rejections == 1


@pytest.mark.parametrize("findings", [(), (QUOTED.model_copy(update={"verified": False, "dropped": "not there"}),)])
def test_a_revision_without_a_finding_that_stands_overrules_nothing(
    desk: OutsideDesk, findings: tuple[Finding, ...]
) -> None:
    assert in_review(desk).audit("revise", *findings).reply.ok
    assert desk.first.state == "review"
    assert not desk.phase().audits[-1].counted
    desk.audit("approve")
    assert desk.first.state in ("approved", "merging")


def test_an_approval_with_a_major_of_its_own_approves_nothing(desk: OutsideDesk) -> None:
    heard = in_review(desk).audit("approve", QUOTED)
    assert not heard.of(MergeRequested)
    assert heard.of(ReviewRequested)
    assert desk.first.state == "review"


def test_an_escalation_asks_a_person_who_can_let_it_pass(desk: OutsideDesk) -> None:
    in_review(desk).audit("escalate", notes="who owns this?")
    assert desk.first.state == "blocked"
    assert "escalates" in desk.question("q-1").text
    desk.person("answer", question="q-1", text="accept")
    assert desk.first.state in ("approved", "merging")


def test_an_early_escalation_asks_a_person_once_the_gate_is_green(desk: OutsideDesk) -> None:
    handed_in(desk).audit("escalate")
    desk.gate("T-1")
    assert desk.first.state == "blocked"


@pytest.mark.parametrize("says", ["approve", "revise", "escalate"])
def test_a_verdict_on_nothing_is_kept_and_counts_for_nothing(desk: OutsideDesk, says: str) -> None:
    desk.refuse_patch()
    assert desk.want_audit().reply.ok
    assert desk.audit(says).reply.ok  # type: ignore[arg-type]
    said = desk.phase().audits[-1]
    assert not said.counted
    assert "nothing is handed in" in said.why_not
    assert desk.first.state == "changes_requested"
    assert desk.phase().audits_asked[-1].focus == "security"


def test_a_verdict_on_another_hand_in_counts_for_nothing(desk: OutsideDesk) -> None:
    in_review(desk).audit("approve", commit=sha("older"))
    assert desk.first.state == "review"


def test_a_suggested_patch_is_a_phase_of_its_own_which_its_author_cannot_approve(desk: OutsideDesk) -> None:
    patch = Suggested(title="use a constant", claim=Claim(status="success", head=sha("p")), base=sha("base"))
    heard = in_review(desk).audit("approve", patches=(patch,))
    assert desk.phase("T-2").phase.id == "P1.A1"
    assert desk.phase("T-2").suggested_in == "P1"
    assert any(asked.commit == sha("p") for asked in heard.of(GateRequested))
    desk.audit("approve", id="T-2")
    assert "their own work" in desk.phase("T-2").audits[-1].why_not
    desk.gate("T-2")
    assert desk.task("T-2").state == "blocked"
    assert desk.task("T-2").question
    desk.audit("approve", id="T-2")
    assert desk.task("T-2").state == "blocked"


def test_a_suggested_patch_that_cannot_be_read_waits_as_a_phase(desk: OutsideDesk) -> None:
    patch = Suggested(title="x", claim=Claim(status="success", refused="unreadable patch"))
    in_review(desk).audit("approve", patches=(patch,))
    assert desk.task("T-2").state == "changes_requested"


# --- issues ----------------------------------------------------------------------------------------


def test_an_issue_keeps_its_key_and_who_saw_it(desk: OutsideDesk) -> None:
    desk.see_issue("test_failure__auth_missing")
    desk.see_issue("test_failure__auth_missing", sender=AUDITOR)
    issue = desk.board.get("issue:test_failure__auth_missing", IssueDoc)
    [sighting] = issue.sightings
    assert (issue.count, sighting.task, sighting.via) == (2, "T-1", "test")


# --- moves -----------------------------------------------------------------------------------------


def test_every_state_of_a_task_has_a_name_and_every_name_its_moves() -> None:
    assert set(NAMES) == set(TaskState)
    assert set(MOVES) == set(NAMES.values())


def test_nobody_moves_a_phase_into_what_only_the_manager_decides() -> None:
    decided: tuple[PhaseMove, ...] = ("GATE", "CI_RUNNING", "COMPLETE")
    assert not any(to in MOVES[was] for was, to in itertools.product(MOVES, decided))


def reach(state: PhaseMove) -> OutsideDesk:
    """A desk whose phase is in that state."""
    desk = OutsideDesk()
    match state:
        case "QUEUED":
            pass
        case "EXECUTING" | "FAILED" | "SKIPPED":
            assert desk.move(state).reply.ok
        case "GATE":
            handed_in(desk)
        case "CI_RUNNING" | "COMPLETE":
            in_review(desk).audit("approve")
    if state == "COMPLETE":
        desk.prepare()
        desk.land("T-1")
    assert NAMES[desk.first.state] == state
    return desk


@pytest.mark.parametrize("was", MOVES)
def test_legal_moves_are_made_and_illegal_ones_change_nothing(was: PhaseMove) -> None:
    for to in MOVES:
        desk = reach(was)
        before = desk.board
        reply = desk.move(to, tokens_used=7).reply
        assert reply.ok is is_legal(was, to), (was, to, reply.text)
        if reply.ok:
            assert NAMES[desk.first.state] == to
            assert desk.phase().counts == {"tokens_used": 7}
        else:
            assert desk.board == before
            assert was in reply.text
            assert to in reply.text


def test_a_blocked_phase_is_not_queued_by_a_word(desk: OutsideDesk) -> None:
    in_review(desk).audit("escalate")
    assert not desk.move("QUEUED").reply.ok
    assert desk.move("SKIPPED").reply.ok
    assert desk.question("q-1").state != "open"


def test_a_phase_that_was_begun_is_handed_in_in_a_later_attempt(desk: OutsideDesk) -> None:
    desk.move("EXECUTING")
    assert desk.submit().reply.ok
    assert desk.first.state == "gate"


def test_a_run_whose_phases_are_given_up_goes_on_when_one_comes_back(desk: OutsideDesk) -> None:
    desk.move("FAILED")
    assert desk.run.state == "failed"
    desk.move("QUEUED")
    assert (desk.run.state, desk.first.state) == ("running", "queued")
