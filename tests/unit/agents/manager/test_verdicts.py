"""What a gate's verdict is bound to."""

from __future__ import annotations

from desk_board import Desk, spec

from callboard.agents.manager.decision import Policy
from callboard.agents.manager.verdicts import gate_hash, profile_of, project_gate
from callboard.bus.caps import Limits, task_scope
from callboard.bus.messages import GateRequested

POLICY = Policy(gate=("test",), strict=("audit",))
SAFE, RISKY = spec("a", category="docs"), spec("a", category="bulk_change")


def test_tasks_of_a_high_risk_category_get_the_strict_gate() -> None:
    assert (profile_of(SAFE), profile_of(RISKY)) == ("normal", "strict")
    assert project_gate(POLICY, "normal") == ("test",)
    assert project_gate(POLICY, "strict") == ("test", "audit")


def test_a_verdict_of_one_profile_is_none_of_the_other_even_where_strict_adds_nothing() -> None:
    for policy in (POLICY, Policy(gate=("test",))):
        assert gate_hash(policy, SAFE) != gate_hash(policy, RISKY)
        assert gate_hash(policy, SAFE, "strict") == gate_hash(policy, RISKY)
        assert gate_hash(policy, RISKY, "normal") == gate_hash(policy, SAFE)


def test_what_strict_adds_is_nothing_to_a_normal_verdict() -> None:
    assert gate_hash(POLICY, SAFE) == gate_hash(Policy(gate=("test",), strict=("other",)), SAFE)
    assert gate_hash(POLICY, RISKY) != gate_hash(Policy(gate=("test",), strict=("other",)), RISKY)


def test_lint_is_no_part_of_a_verdict() -> None:
    assert gate_hash(POLICY, SAFE) == gate_hash(Policy(gate=("test",), strict=("audit",), lint=("ruff",)), SAFE)


def test_the_desk_leaves_the_profile_to_the_task() -> None:
    desk = Desk()
    desk.directions(RISKY)
    assert desk.hand_in("T-1").one(GateRequested).profile is None


def test_a_high_risk_task_has_fewer_attempts_unless_its_budget_says_how_many() -> None:
    desk = Desk()
    desk.directions(
        SAFE, spec("b", category="schema_contract"), spec("c", category="bulk_change", budget={"attempts": 5})
    )
    assert [desk.board.caps(task_scope(f"T-{n}")).attempts for n in (1, 2, 3)] == [3, 2, 5]


def test_a_high_risk_task_has_never_more_attempts_than_others() -> None:
    limits = Limits(high_risk_attempts=9)
    assert limits.own_caps(RISKY.budget, RISKY.category).attempts == limits.task.attempts


def test_a_high_risk_task_has_failed_after_its_second_attempt() -> None:
    desk = Desk()
    desk.directions(RISKY, spec("b"))
    desk.fail("T-1")
    assert desk.task("T-1").state == "assigned"
    desk.fail("T-1")
    assert desk.task("T-1").state == "failed"
