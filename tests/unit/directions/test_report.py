"""The shape that others script against."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from callboard.directions.parse import read_direction
from callboard.directions.report import Unreadable, make_report

FIXTURES = Path(__file__).parent / "fixtures"
TODAY = date(2026, 3, 10)


def test_a_file_is_reported_in_the_agreed_shape() -> None:
    report = make_report([read_direction(FIXTURES / "bakery.md", shown="directions/bakery.md")], today=TODAY)
    (file,) = json.loads(report.model_dump_json())["files"]
    assert list(file) == [
        "path", "owner", "epoch", "doc", "last_reviewed", "mission", "focus", "canon", "rules", "git", "roadmap", "tasks", "problems",
    ]  # fmt: skip
    assert (file["path"], file["last_reviewed"]) == ("directions/bakery.md", "2026-03-02")
    assert file["rules"][2] == {"title": "One Log Each", "locks": ["My log is mine alone", "One agent, one log"]}
    assert file["git"] == {"branch": "bakery/work", "prefix": "oven: "}
    assert file["tasks"][1] == {
        "number": 2,
        "key": "bakery/print-labels-once-the-printer-is-there",
        "title": "Print Labels (Once The Printer Is There)",
        "priority": 2,
        "line": 70,
        "state": "blocked",
        "standing": False,
        "fields": {
            "What": "Print one label for each loaf",
            "Status": "Waiting for the shop to unpack the `LP-4` printer",
            "Evidence": "a label that scans",
        },
    }
    assert [task["state"] for task in file["tasks"]].count("queued") == 19
    assert file["roadmap"][5] == {"title": "Rye", "low": 5, "high": 15, "text": "What only we do"}
    assert file["problems"][0] == {"line": 61, "message": "'Take Orders By Phone' has no Serves"}


def test_problems_are_no_failure() -> None:
    report = make_report([read_direction(FIXTURES / "untidy.md")], today=TODAY)
    assert report.files[0].problems
    assert report.exit_code == 0


def test_a_file_that_cannot_be_read_is_a_failure_and_the_others_are_still_reported() -> None:
    gone = Unreadable(path="gone.md", reason="cannot be read: No such file or directory")
    report = make_report([gone, read_direction(FIXTURES / "numbered.md")], today=TODAY)
    assert report.exit_code == 1
    first, second = json.loads(report.model_dump_json())["files"]
    assert first["problems"] == [{"line": 0, "message": "cannot be read: No such file or directory"}]
    assert list(first) == list(second)
    assert len(second["tasks"]) == 4
