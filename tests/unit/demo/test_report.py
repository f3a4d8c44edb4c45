"""The last page, and the JSON object."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
from demo_run import LANDED, evidence, story

from callboard.demo.checks import check
from callboard.demo.evidence import Check
from callboard.demo.report import further, page, report


def test_the_report_counts_what_happened() -> None:
    told = asdict(report(evidence(), check(evidence()), Path("/demo"), 12.345))
    assert told == {
        "ok": True,
        "workspace": "/demo",
        "integration_branch": "callboard/run-1",
        "tasks": {"done": 6},
        "merged": LANDED,
        "promoted": True,
        "gate_failures": 1,
        "review_rejections": 1,
        "intake_refusals": 1,
        "blockers": 1,
        "deployments": {"d-1": "done", "d-2": "rolled_back", "d-3": "done"},
        "not_deployed": "",
        "requests": 100,
        "failed_requests": 5,
        "branches": {"driver-1": ("driver-1/log", "driver-1/work"), "manager": ("manager/log",)},
        "feedback": {"driver-1": "/demo/feedback/driver-1.md", "manager": "/demo/feedback/manager.md"},
        "seconds": 12.3,
    }


def test_one_missing_thing_is_enough_to_fail() -> None:
    told = story()
    told.blockers.clear()
    spoilt = replace(evidence(), story=told)
    assert not report(spoilt, check(spoilt), Path("/demo"), 1).ok


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_page_fits_its_width_and_says_what_was_recorded(width: int) -> None:
    lines = list(page(check(evidence()), 20.2, width, "sandlock: no network"))
    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    assert "in 20 s" in text
    assert "what the models said was recorded" in text
    assert "the sandbox: sandlock: no network." in text
    assert "!" not in text


def test_what_did_not_happen_is_marked() -> None:
    lines = list(page([Check("gate", "Nothing failed.", False), Check("tasks", "All done.", True)], 1, 80, "off"))
    assert [line for line in lines if line.startswith("!")] == ["! gate      Nothing failed."]
    assert any("marked with !" in line for line in lines)


def test_it_points_at_files_only_where_they_still_are() -> None:
    kept = "\n".join(further(Path("/demo"), True, "", 80))
    gone = "\n".join(further(Path("/demo"), False, "", 80))
    assert "cd /demo" in kept
    assert "PATH=" not in kept
    assert "/demo" not in gone
    assert "--keep" in gone


def test_a_folder_with_spaces_can_be_pasted_into_a_shell() -> None:
    assert "cd '/my demo'" in "\n".join(further(Path("/my demo"), True, "", 80))


def test_a_callboard_that_the_shell_does_not_find_is_put_on_the_path() -> None:
    assert 'PATH="/venv/bin:$PATH"' in "\n".join(further(Path("/demo"), True, "/venv/bin", 80))
