"""A model's attempt is recorded in one clone and played in another: the same replies, real tools, nobody asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from brain_jobs import SPEC, Lines, job, review_job
from model_calls import model_settings
from model_faults import scripted
from model_server import ModelServer
from model_wire import Say, ToolCall
from pydantic import JsonValue

from callboard.agents.brains.brain import AnyJob, Done, Failed, Result
from callboard.agents.brains.budget import CallEstimate, Reservation, Usage
from callboard.agents.brains.call_file import CallFile, read_records
from callboard.agents.brains.calls import CallRecord, ToolRecord
from callboard.agents.brains.model.brain import ModelBrain
from callboard.agents.brains.model.replay import REPLY_S, Played, ReplayBrain
from callboard.agents.brains.model.wire import OneModel
from callboard.agents.brains.recorder import talk_in
from callboard.agents.brains.recording import Recording
from callboard.agents.reviewer.verdict import parse_verdict
from callboard.bus.errors import BrainError

AT = datetime(2026, 11, 21, tzinfo=UTC)
SCRIPT = (
    Say("I look.", calls=(ToolCall("list", {}), ToolCall("read", {"path": "app.py"}))),
    Say(calls=(ToolCall("edit", {"path": "app.py", "old": "one", "new": "1"}), ToolCall("fly", {"to": "the moon"}))),
    Say(
        calls=(ToolCall("write", {"path": "lib/x.py", "text": "x\n"}), ToolCall("run", {"command": "pwd > where.txt"}))
    ),
    Say(calls=(ToolCall("done", {"notes": "It answers."}),)),
)
VERDICT = {"vote": "needs_revision", "findings": [], "notes": "no test"}


def same(value: JsonValue) -> JsonValue:
    return value


@dataclass
class Purse:
    """A budget that keeps what was reserved and settled."""

    reserved: list[CallEstimate] = field(default_factory=list)
    settled: list[Usage] = field(default_factory=list)

    async def reserve(self, call: CallEstimate) -> Reservation:
        self.reserved.append(call)
        return Reservation(str(len(self.reserved)))

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        self.settled.append(usage)


@dataclass
class Stage:
    """A clone with one file, and the place of its call log."""

    folder: Path
    purse: Purse = field(default_factory=Purse)
    waited: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clone.mkdir(parents=True)
        (self.clone / "app.py").write_text("one\ntwo\n")

    @property
    def clone(self) -> Path:
        return self.folder / "clone"

    @property
    def log(self) -> Path:
        return self.folder / "calls.jsonl"

    def open(self, _: AnyJob) -> CallFile:
        return CallFile(self.log)

    def player(self, recording: Recording) -> ReplayBrain:
        async def sleep(seconds: float) -> None:
            self.waited.append(seconds)

        make = partial(ModelBrain, now=lambda: AT, budget=self.purse)
        played = Played(
            self.open, lambda _, file: file, self.purse, lambda name: f"anthropic:{name}", lambda: AT, sleep
        )
        return ReplayBrain(recording, lambda caller, log: make(caller, lambda _: log), played)

    def play(self, recording: Recording, **more: object) -> tuple[Result, list[str]]:
        lines = Lines()
        return asyncio.run(self.player(recording).work(job(self.clone, **more), lines)), lines.said  # type: ignore[arg-type]

    def files(self) -> dict[str, str]:
        return {str(it.relative_to(self.clone)): it.read_text() for it in self.clone.rglob("*") if it.is_file()}


@dataclass
class Made:
    live: Stage
    recording: Recording
    usage: list[tuple[int, int, int]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """An attempt and a review by a model at a server, and their recording; the server is gone."""
    folder = tmp_path_factory.mktemp("live")
    live, reviewed = Stage(folder / "work"), Stage(folder / "review")
    recording = Recording(folder / "recording")
    with ModelServer(scripted(*SCRIPT, Say(calls=(ToolCall("verdict", VERDICT),)))) as server:
        model = OneModel("opus", model_settings(server, "messages"), "key")
        assert asyncio.run(ModelBrain(model, live.open, now=lambda: AT).work(job(live.clone), Lines())) == Done(
            "It answers."
        )
        asyncio.run(ModelBrain(model, reviewed.open, now=lambda: AT).review(review_job(reviewed.clone)))
    for stage in (live, reviewed):
        talk = talk_in(stage.log, same)
        assert talk is not None
        recording.write(talk)
    usage = [(it.tokens.input, it.tokens.output, it.tokens.cached) for it in server.served[: len(SCRIPT)]]
    return Made(live, recording, usage)


def test_the_same_is_done_in_another_clone_with_real_tools(made: Made, tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    result, said = stage.play(made.recording)
    assert result == Done("It answers.")
    assert "I look." in said
    assert stage.files() == {**made.live.files(), "where.txt": f"{stage.clone}\n"}
    assert stage.waited == [REPLY_S] * len(SCRIPT)


def test_what_it_took_then_is_reserved_and_settled_now(made: Made, tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.play(made.recording)
    assert [(it.input_tokens, it.output_tokens, it.cached_tokens) for it in stage.purse.settled] == made.usage
    assert {(call.model, call.task) for call in stage.purse.reserved} == {("anthropic:opus", "T-7")}


def test_what_is_played_is_in_a_log_of_its_own_with_what_tools_gave_back_here(made: Made, tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.play(made.recording)
    ours, then = read_records(stage.log), read_records(made.live.log)
    assert [record.kind for record in ours] == [record.kind for record in then]
    read = [record.result for record in ours if isinstance(record, ToolRecord) and record.name == "read"]
    assert read == ["1\tone\n2\ttwo"]
    talks = [talk_in(log, same) for log in (stage.log, made.live.log)]
    assert talks[0] is not None
    assert talks[1] is not None
    assert talks[0].replies == talks[1].replies, "a recording of what was played is the same recording"


@pytest.mark.parametrize("lines", [0, 1, 2, 4, 5, 7])
def test_a_crash_after_any_record_plays_the_rest_once(made: Made, tmp_path: Path, lines: int) -> None:
    whole, torn = Stage(tmp_path / "whole"), Stage(tmp_path / "torn")
    whole.play(made.recording)
    torn.log.write_bytes(b"".join(whole.log.read_bytes().splitlines(keepends=True)[:lines]))
    before = sum(isinstance(record, CallRecord) for record in read_records(torn.log))
    result, _ = torn.play(made.recording)
    assert result == Done("It answers.")
    assert len(torn.waited) == len(SCRIPT) - before
    assert torn.files() == {**whole.files(), "where.txt": f"{torn.clone}\n"}
    assert len(read_records(torn.log)) == len(read_records(whole.log))


def test_where_an_edit_does_not_fit_here_nothing_more_is_played(made: Made, tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    (stage.clone / "app.py").write_text("other\n")
    with pytest.raises(BrainError, match="edit did what was asked of it here when this was recorded; now edit failed"):
        stage.play(made.recording)
    assert not (stage.clone / "lib").exists()


def test_a_task_that_asks_for_something_else_is_not_answered(made: Made, tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    other = replace(job(stage.clone), spec=SPEC.model_copy(update={"what": "something else"}))
    with pytest.raises(BrainError, match="asked for something else when this was recorded"):
        asyncio.run(stage.player(made.recording).work(other, Lines()))


def test_a_verdict_counts_for_the_change_that_it_was_about(made: Made, tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    asked = review_job(stage.clone)
    said = asyncio.run(stage.player(made.recording).review(asked))
    assert parse_verdict(said.text).vote == "needs_revision"
    with pytest.raises(BrainError, match="said about another change"):
        asyncio.run(stage.player(made.recording).review(replace(asked, diff="+x = 2\n")))


def test_it_keeps_its_time_limit(made: Made, tmp_path: Path) -> None:
    result, _ = Stage(tmp_path).play(made.recording, timeout_s=1e-6)
    assert isinstance(result, Failed)
