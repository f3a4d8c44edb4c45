"""The replay brain: what is said is recorded, what is done in the clone is real."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from brain_jobs import Lines, job, review_job

from callboard.agents.brains.brain import Asked, Blocked, Done
from callboard.agents.brains.replay import ReplayBrain
from callboard.agents.reviewer.verdict import parse_verdict
from callboard.bus.errors import BrainError
from callboard.bus.task import Note

ANSWER = (Note(source="answer", text="Question: Which?\nAnswer: A"),)


class Recorder:
    """A folder of transcripts and a clone."""

    def __init__(self, folder: Path) -> None:
        self.transcripts = folder / "transcripts"
        self.clone = folder / "clone"
        self.clone.mkdir()
        self.waited: list[float] = []

    def record(self, name: str, *steps: object) -> Path:
        path = self.transcripts / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(step) + "\n" for step in steps))
        return path

    @property
    def brain(self) -> ReplayBrain:
        async def sleep(seconds: float) -> None:
            self.waited.append(seconds)

        return ReplayBrain(self.transcripts, sleep=sleep)


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)


def test_a_transcript_is_played_step_by_step(recorder: Recorder) -> None:
    recorder.record(
        "driver-1/health.1",
        {"say": "adding the endpoint"},
        {"write": "app/main.py", "text": "def health():\n    return 404\n"},
        {"edit": "app/main.py", "old": "404", "new": "200"},
        {"write": "old.py", "text": ""},
        {"delete": "old.py"},
        {"wait": 0.5},
        {"run": "cat app/main.py > copy.txt; echo $PWD >> copy.txt; exit 3"},
        {"done": "it answers 200"},
    )
    heard = Lines()
    assert asyncio.run(recorder.brain.work(job(recorder.clone), heard)) == Done("it answers 200")
    assert heard.said == ["adding the endpoint"]
    assert recorder.waited == [0.5]
    assert (recorder.clone / "copy.txt").read_text() == f"def health():\n    return 200\n{recorder.clone}\n"
    assert not (recorder.clone / "old.py").exists()


def test_later_attempts_are_played_from_their_own_transcripts_or_the_last_before(recorder: Recorder) -> None:
    recorder.record("driver-1/health.1", {"done": "first"})
    recorder.record("driver-1/health.3", {"done": "third"})
    played = [asyncio.run(recorder.brain.work(job(recorder.clone, attempt=n), Lines())) for n in (1, 2, 3, 7)]
    assert played == [Done("first"), Done("first"), Done("third"), Done("third")]


def test_a_blocked_and_an_asking_transcript_park(recorder: Recorder) -> None:
    recorder.record("driver-1/health.1", {"blocked": {"what": "no key", "needs": "a key", "severity": "minor"}})
    recorder.record("driver-1/health.2", {"ask": {"text": "Which?", "options": ["A", "B"]}})
    assert asyncio.run(recorder.brain.work(job(recorder.clone), Lines())) == Blocked("no key", "", "a key", "minor")
    parked = asyncio.run(recorder.brain.work(job(recorder.clone, attempt=2), Lines()))
    assert parked == Asked("Which?", ("A", "B"))


def test_an_answered_question_is_not_asked_again(recorder: Recorder) -> None:
    recorder.record("driver-1/health.1", {"ask": {"text": "Which?"}}, {"done": "the rest of the first"})
    resumed = job(recorder.clone, attempt=2, notes=ANSWER)
    assert asyncio.run(recorder.brain.work(resumed, Lines())) == Done("the rest of the first")
    recorder.record("driver-1/health.2", {"done": "the second"})
    assert asyncio.run(recorder.brain.work(resumed, Lines())) == Done("the second")
    assert asyncio.run(recorder.brain.work(job(recorder.clone, notes=ANSWER), Lines())) == Done("the second")


def test_a_missing_transcript_is_an_error_that_says_what_to_record(recorder: Recorder) -> None:
    with pytest.raises(BrainError, match=r"no transcript of driver-1 .* record one as driver-1/health\.1\.jsonl"):
        asyncio.run(recorder.brain.work(job(recorder.clone), Lines()))
    with pytest.raises(BrainError, match=r"record one as senior/driver-1/health\.1\.jsonl"):
        asyncio.run(recorder.brain.review(review_job(recorder.clone)))


def test_a_bad_line_stops_a_transcript_before_its_first_step(recorder: Recorder) -> None:
    recorder.record("driver-1/health.1", {"write": "app.py", "text": "x"}, {"sing": "la"})
    with pytest.raises(BrainError, match=r"health\.1\.jsonl:2: unknown step sing"):
        asyncio.run(recorder.brain.work(job(recorder.clone), Lines()))
    assert list(recorder.clone.iterdir()) == []


@pytest.mark.parametrize("path", ["../out.txt", "/tmp/callboard-out.txt", "link/out.txt", ".git/hooks/post-commit"])
def test_a_recorded_step_cannot_leave_the_clone(recorder: Recorder, path: str) -> None:
    outside = recorder.clone.parent / "outside"
    outside.mkdir()
    recorder.record(
        "driver-1/health.1", {"run": f"ln -s {outside} link"}, {"write": path, "text": "owned"}, {"done": ""}
    )
    with pytest.raises(BrainError, match=r"health\.1\.jsonl:2: .*(leads out|\.git)"):
        asyncio.run(recorder.brain.work(job(recorder.clone), Lines()))
    assert not list(recorder.clone.parent.rglob("out.txt"))
    assert not Path("/tmp/callboard-out.txt").exists()
    assert not (recorder.clone / ".git").exists()


@pytest.mark.parametrize("steps", [[], [{"say": "hm"}]], ids=["empty", "no end"])
def test_a_transcript_without_an_end_is_an_error(recorder: Recorder, steps: list[object]) -> None:
    recorder.record("driver-1/health.1", *steps)
    recorder.record("senior/driver-1/health.1", *steps)
    with pytest.raises(BrainError, match=r"health\.1\.jsonl:1: .*ends without done, ask or blocked"):
        asyncio.run(recorder.brain.work(job(recorder.clone), Lines()))
    with pytest.raises(BrainError, match=r"health\.1\.jsonl:1: .*ends without a verdict"):
        asyncio.run(recorder.brain.review(review_job(recorder.clone)))


def test_a_recorded_verdict_is_given_as_it_stands(recorder: Recorder) -> None:
    verdict = {"vote": "needs_revision", "findings": [{"severity": "major", "file": "a.py", "line": 1, "quote": "x"}]}
    recorder.record("senior/driver-1/health.1", {"say": "reading"}, {"run": "true"}, {"verdict": verdict})
    said = asyncio.run(recorder.brain.review(review_job(recorder.clone)))
    assert parse_verdict(said.text).findings[0].file == "a.py"
    recorder.record("senior/driver-1/health.1", {"verdict": "LGTM"})
    assert asyncio.run(recorder.brain.review(review_job(recorder.clone))).text == "LGTM"


def test_reviewers_do_not_write_and_drivers_do_not_judge(recorder: Recorder) -> None:
    recorder.record("senior/driver-1/health.1", {"write": "a.py", "text": ""}, {"verdict": {"vote": "approved"}})
    recorder.record("driver-1/health.1", {"verdict": {"vote": "approved"}})
    with pytest.raises(BrainError, match=r"health\.1\.jsonl:1: a reviewer's steps are"):
        asyncio.run(recorder.brain.review(review_job(recorder.clone)))
    with pytest.raises(BrainError, match=r"health\.1\.jsonl:1: a verdict is no step of a driver"):
        asyncio.run(recorder.brain.work(job(recorder.clone), Lines()))
