"""Facts are single lines that people read, whatever is in the results they are made of."""

from __future__ import annotations

import pytest

from callboard.bus.task import CommandResult, Finding
from callboard.feedback.facts import command_fact, commit_fact, finding_fact, shutdown_facts, startup_facts


def result(command: str = "pytest -q", exit_code: int = 0) -> CommandResult:
    return CommandResult(command=command, exit_code=exit_code, duration_s=1.26, digest="9c1f64" + "0" * 58)


@pytest.mark.parametrize(
    ("command", "exit_code", "fact"),
    [
        ("pytest -q", 0, "`pytest -q` -> 0 in 1.3 s (sha256 9c1f64...)"),
        ("pytest -q", 124, "`pytest -q` -> 124 (stopped at its time limit) in 1.3 s (sha256 9c1f64...)"),
        ("echo `id`", 1, "`` echo `id` `` -> 1 in 1.3 s (sha256 9c1f64...)"),
        ("a\nb\r\n## c", 1, "`a b ## c` -> 1 in 1.3 s (sha256 9c1f64...)"),
    ],
)
def test_a_command_is_named_with_exit_code_duration_and_digest(command: str, exit_code: int, fact: str) -> None:
    assert command_fact(result(command, exit_code)) == fact


def test_a_commit_is_named_with_branch_and_files() -> None:
    sha = "3f2a1bc" + "0" * 33
    fact = commit_fact(sha, "driver-1/work", ("app/main.py", "tests/test_health.py"))
    assert fact == "commit `3f2a1bc` on `driver-1/work`, 2 files: `app/main.py`, `tests/test_health.py`"
    assert commit_fact(sha, "x/work", ("a",)) == "commit `3f2a1bc` on `x/work`, 1 file: `a`"
    assert commit_fact(None, "driver-1/work", ()) == "no commit: nothing was changed"


def test_of_very_many_files_the_rest_is_counted() -> None:
    fact = commit_fact("a" * 40, "x/work", [f"f{n}" for n in range(25)])
    assert "25 files" in fact
    assert fact.endswith("`f19` and 5 more")


def test_a_finding_is_named_with_what_it_says() -> None:
    finding = Finding(
        severity="major",
        requirement="R1",
        file="app/main.py",
        line=12,
        quote="data[0]",
        scenario="empty input\ncrashes",
        command="pytest -k empty",
        verified=True,
    )
    assert finding_fact(finding) == (
        "major finding at `app/main.py:12` against R1: empty input crashes; quote `data[0]` (verified); "
        "command `pytest -k empty`"
    )
    assert finding_fact(Finding(severity="minor")) == "minor finding"
    assert "(not verified)" in finding_fact(Finding(severity="minor", quote="x"))


def test_a_startup_has_its_four_steps() -> None:
    assert startup_facts(
        rules=["One log"], direction_version="ab12", canon=["docs/STAR.md", "api"], branch="d/work", open_work=["T-3"]
    ) == (
        "1. rules: One log",
        "2. direction: version `ab12`",
        "3. canon: docs/STAR.md; api",
        "4. branch: d/work; open work: T-3",
    )
    assert startup_facts(rules=[], direction_version="", canon=[], branch="d/work", open_work=[]) == (
        "1. rules: none given",
        "2. direction: no direction file",
        "3. canon: none named",
        "4. branch: d/work; open work: none",
    )


def test_a_shutdown_has_its_seven_steps() -> None:
    nothing = shutdown_facts(done=[], evidence=[], blockers=[], uncommitted=[], questions=[], branch="", next_up="")
    assert [fact.partition(":")[0] for fact in nothing] == [
        "1. done",
        "2. evidence",
        "3. blockers",
        "4. uncommitted work",
        "5. questions",
        "6. branch",
        "7. next",
    ]
    full = shutdown_facts(
        done=["T-1", "T-2"],
        evidence=["3f2a1bc"],
        blockers=["b-1"],
        uncommitted=["a.py"],
        questions=["q-1"],
        branch="d/work at 3f2a1bc",
        next_up="T-3\nx",
    )
    assert full[0] == "1. done: T-1; T-2"
    assert full[6] == "7. next: T-3 x"
