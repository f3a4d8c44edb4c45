"""A model brain in a folder of its own, thinking with a loopback server."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from brain_jobs import Lines, job, review_job
from model_calls import model_settings
from model_faults import Reply, scripted
from model_server import ModelServer
from model_wire import Format, Say, ToolCall

from callboard.agents.brains.brain import AnyJob, Result
from callboard.agents.brains.call_file import CallFile, read_records
from callboard.agents.brains.calls import ToolRecord
from callboard.agents.brains.model.brain import ModelBrain
from callboard.agents.brains.model.wire import OneModel
from callboard.bus.task import Note

formats = pytest.mark.parametrize("wire", get_args(Format))
SECRET = "correct-horse-battery-staple"
DONE = Say(calls=(ToolCall("done", {"notes": "It answers."}),))


def calls(*asked: tuple[str, dict[str, object]]) -> Say:
    return Say("I go on.", calls=tuple(ToolCall(name, arguments) for name, arguments in asked))


class World:
    """A clone, a log and a model server."""

    def __init__(self, folder: Path, server: ModelServer, wire: Format = "messages") -> None:
        self.clone = folder / "clone"
        self.log = folder / "calls" / "r1" / "T-7.1.driver-1.jsonl"
        self.server = server
        self.wire = wire
        self.reset()

    def reset(self) -> None:
        shutil.rmtree(self.clone, ignore_errors=True)
        self.clone.mkdir(parents=True)
        (self.clone / "app.py").write_text("one\ntwo\n")

    def brain(self, *, max_turns: int = 20, has_tools: bool = True) -> ModelBrain:
        model = OneModel("m", model_settings(self.server, self.wire), "key")
        return ModelBrain(
            model,
            self._open,
            now=now,
            max_turns=max_turns,
            has_tools=has_tools,
            redact=lambda text: text.replace(SECRET, "[redacted:key]"),
        )

    def work(self, *, max_turns: int = 20, timeout_s: float = 90, notes: tuple[Note, ...] = ()) -> Result:
        self.lines = Lines()
        asked = job(self.clone, timeout_s=timeout_s, notes=notes)
        return asyncio.run(self.brain(max_turns=max_turns).work(asked, self.lines))

    def review(self, *, has_tools: bool = True, timeout_s: float = 90) -> str:
        asked = review_job(self.clone, timeout_s=timeout_s)
        return asyncio.run(self.brain(has_tools=has_tools).review(asked)).text

    def results(self) -> list[str]:
        return [record.result for record in read_records(self.log) if isinstance(record, ToolRecord)]

    def _open(self, _: AnyJob) -> CallFile:
        return CallFile(self.log)


def now() -> datetime:
    return datetime(2026, 11, 21, tzinfo=UTC)


def worked(folder: Path, *replies: Reply, wire: Format = "messages") -> tuple[World, Result]:
    with ModelServer(scripted(*replies)) as server:
        world = World(folder, server, wire)
        return world, world.work()
