"""The files of `callboard export --layout runs`, by the names that the deployment guide of Autopack gives them."""

from __future__ import annotations

import json
from typing import Any

from desk_board import Desk, spec

from callboard.bus.issues import Report
from callboard.bus.messages import IssueReported
from callboard.launch.run_files import project_files, run_files


def finished() -> Desk:
    desk = Desk(strict=("audit",), lint=("ruff check",))
    desk.directions(
        spec("one", tier="core", category="security_auth", what="Add JWT.", fields={"Complexity": "medium"}),
        spec("two", "driver-2"),
    )
    desk.to_landed("T-1")
    desk.to_landed("T-2")
    evidence = ("tests/test_auth.py::test_jwt",)
    for task, key in (("T-1", "test_failure__auth_missing"), ("T-2", "slow"), ("", "old")):
        report = Report(key=key, title="a sentence\nover two lines", category="test_failure", evidence=evidence)
        desk.hear(IssueReported(report=report, task=task), "person")
    return desk


def read(files: dict[str, str], path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files[path])
    return found


def test_a_run_has_the_files_of_the_guide() -> None:
    assert sorted(run_files(finished().board)) == [
        "issues/phase_0_T-1_issues.json",
        "issues/phase_1_T-2_issues.json",
        "phases/phase_0_T-1.md",
        "phases/phase_1_T-2.md",
        "run_issue_index.json",
        "run_summary.md",
        "tiers/tier_0_core.md",
    ]
    desk = finished()
    assert sorted(project_files(desk.board, desk.policy, "Autopack")) == [
        "project_issue_backlog.json",
        "project_ruleset_Autopack.json",
    ]


def test_the_issues_of_a_task_have_the_shape_of_record_issue() -> None:
    found = read(run_files(finished().board), "issues/phase_0_T-1_issues.json")
    assert {key: found[key] for key in ("run_id", "tier_id", "phase_id", "minor_issue_count", "major_issue_count")} == {
        "run_id": "r",
        "tier_id": "core",
        "phase_id": "T-1",
        "minor_issue_count": 0,
        "major_issue_count": 1,
    }
    [issue] = found["issues"]
    assert issue == {
        "issue_key": "test_failure__auth_missing",
        "title": "a sentence over two lines",
        "severity": "major",
        "effective_severity": "major",
        "source": "person",
        "category": "test_failure",
        "task_category": "security_auth",
        "complexity": "medium",
        "occurrence_count": 1,
        "evidence_refs": ["tests/test_auth.py::test_jwt"],
        "last_seen_at": "2026-03-02 12:00:00Z",
    }


def test_the_index_counts_each_key_once() -> None:
    found = read(run_files(finished().board), "run_issue_index.json")
    assert (found["distinct_minor_issues"], found["distinct_major_issues"]) == (2, 1)
    assert found["issues_by_key"]["slow"]["phases"] == ["T-2"]
    assert found["issues_by_key"]["old"]["phases"] == []


def test_the_backlog_has_ages() -> None:
    desk = finished()
    found = read(project_files(desk.board, desk.policy, "p"), "project_issue_backlog.json")
    assert found["issues_by_key"]["slow"] | {"title": ""} == {
        "title": "",
        "severity": "minor",
        "effective_severity": "minor",
        "category": "test_failure",
        "occurrence_count": 1,
        "age_in_runs": 0,
        "age_in_tiers": 0,
        "first_seen_run_id": "r",
        "last_seen_run_id": "r",
        "status": "open",
        "cleanup_phase": None,
    }


def test_the_ruleset_has_the_gates_caps_and_categories_that_hold() -> None:
    desk = finished()
    found = read(project_files(desk.board, desk.policy, "p"), "project_ruleset_p.json")
    assert found["gates"] == {
        "setup": [],
        "normal": ["make test"],
        "strict": ["make test", "audit"],
        "lint": ["ruff check"],
    }
    assert found["caps"]["run"] == {
        "tokens": 5_000_000,
        "usd": 25.0,
        "minutes": 120,
        "attempts": 300,
        "made_tasks": 25,
        "minor_issues": 6,
        "minor_issues_per_task": 3,
    }
    assert (found["caps"]["tier"]["minor_issues_per_task"], found["caps"]["tier"]["major_issues"]) == (2, None)
    assert found["caps"]["tier"]["gate_runs_per_task"] == 2
    assert found["categories"]["high_risk_attempts"] == 2
    assert "security_auth" in found["categories"]["high_risk"]
    assert found["ageing"] == {"runs": 3, "tiers": 2, "clean_up_by": None}


def test_people_read_what_became_of_run_tier_and_task() -> None:
    files = run_files(finished().board)
    assert "- **State**: succeeded\n" in files["run_summary.md"]
    assert "## Tiers\n\n- 0 core: clean\n" in files["run_summary.md"]
    assert "- **Minor issues**: 0 of 2\n- **Major issues**: 1\n" in files["tiers/tier_0_core.md"]
    assert "- **Gate**: strict\n" in files["phases/phase_0_T-1.md"]
    assert "## What\n\nAdd JWT.\n" in files["phases/phase_0_T-1.md"]
