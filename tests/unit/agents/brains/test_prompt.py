"""What a brain that reads words is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from brain_jobs import job, review_job

from callboard.agents.brains.command import STATUSES, SaidResult, said_issues
from callboard.agents.brains.prompt import DONE_LINE, VERDICT_LINE, briefing, requirements, review_prompt, task_prompt
from callboard.agents.reviewer.verdict import parse_verdict
from callboard.bus.task import Briefing, Note, TaskSpec

HERE = Path("/tmp")


def test_a_task_is_told_with_its_role_rules_and_what_was_learnt() -> None:
    learnt = (Note(source="gate", text="test_health failed"), Note(source="answer", text="Port 8080"))
    said = task_prompt(job(HERE, attempt=2, notes=learnt))
    order = ["You drive.", "T-7 Add a /health endpoint", "Attempt 2", "`true`", "Serve", "NO_MOCKS", "docs/api.md"]
    places = [said.index(part) for part in [*order, "From gate:\ntest_health failed", "From answer:\nPort 8080"]]
    assert places == sorted(places)


def test_a_task_says_only_what_there_is() -> None:
    bare = replace(job(HERE), briefing=Briefing(agent="driver-1", version=""), notes=())
    said = task_prompt(bare)
    assert "What holds" not in said
    assert "learnt" not in said


def test_every_field_that_people_wrote_is_told_once() -> None:
    spec = TaskSpec(
        key="a/b", title="T", agent="a", what="do it", paths=("app/**",), fields={"What": "do it", "Port": "80"}
    )
    assert requirements(spec) == "What: do it\nPort: 80\nOnly these paths may change: app/**"
    assert requirements(TaskSpec(key="a/b", title="T", agent="a")) == "T"


def test_a_review_is_told_with_the_evidence_and_the_change() -> None:
    said = review_prompt(review_job(HERE))
    assert "Attempt 1 by driver-1: commit bbbb" in said
    assert "`pytest -q` -> 0" in said
    assert said.endswith("+x = 1\n")


def test_a_long_change_is_cut_and_says_so() -> None:
    long = replace(review_job(HERE), diff="+x = 1\n" * 100)
    assert "+x\n[cut: 698 more characters" in review_prompt(long, max_diff=2)


def test_the_verdict_that_is_shown_is_one_that_can_be_read() -> None:
    example = next(line for line in VERDICT_LINE.splitlines() if line.startswith("{"))
    assert parse_verdict(f"I looked.\n{example}").vote == "approved"
    assert all(status in DONE_LINE for status in ("done", "blocked", "asked", "failed"))


def test_every_ending_that_a_task_is_shown_can_be_read_and_one_reports_issues() -> None:
    shown = [line for line in DONE_LINE.splitlines() if line.startswith("{")]
    read = [SaidResult.model_validate_json(line) for line in shown if '"asked"' not in line]
    assert {said.status for said in read} == {*STATUSES} - {"asked"}, "its example offers no option by name"
    [issue] = [issue for said in read for issue in said_issues(said.issues)]
    assert (issue.severity, issue.evidence) == ("minor", ("what shows it",))


def test_a_north_star_is_told_as_what_all_work_serves() -> None:
    said = briefing(Briefing(agent="driver-1", version="00", canon=("North Star: docs/vision.md", "docs/api.md")))
    assert "The north star, which all you do has to serve: docs/vision.md" in said
    assert said.count("has to serve") == 1
