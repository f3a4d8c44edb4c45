"""An agent's list of models over real connections: what a driver and a reviewer do when providers fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from brain_jobs import Lines, job, review_job
from model_calls import model_settings
from model_faults import RateLimited, Reply, Status, scripted
from model_server import ModelServer
from model_wire import Format, Say, ToolCall

from callboard.agents.brains.brain import Done
from callboard.agents.brains.call_file import CallFile
from callboard.agents.brains.model.brain import ModelBrain
from callboard.agents.brains.model.providers import Backoff, Providers
from callboard.agents.brains.model.wire import OneModel
from callboard.bus.errors import BrainParked

DONE = Say(calls=(ToolCall("done", {"notes": "It answers."}),))
VERDICT = Say(calls=(ToolCall("verdict", {"vote": "approved", "notes": "reads well"}),))


class Rig:
    """A brain with one model per server; pauses are noted and not made."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.slept: list[float] = []
        self.lines = Lines()
        self._folder = folder
        self._stack = stack

    def serve(self, *replies: Reply) -> ModelServer:
        return self._stack.enter_context(ModelServer(scripted(*replies)))

    def brain(self, *servers: ModelServer, wires: Sequence[Format] = ("messages", "chat")) -> ModelBrain:
        names = ("big", "small")
        models = [
            OneModel(name, model_settings(server, wire), "key")
            for name, server, wire in zip(names, servers, wires, strict=False)
        ]
        providers = Providers(models, backoff=Backoff(draw=lambda: 1.0), sleep=self._sleep)
        log = CallFile(self._folder / "calls.jsonl")
        return ModelBrain(providers, lambda _: log, now=lambda: datetime.now(UTC))

    def work(self, brain: ModelBrain) -> object:
        return asyncio.run(brain.work(job(self._folder), self.lines))

    def review(self, brain: ModelBrain, *, timeout_s: float) -> str:
        return asyncio.run(brain.review(review_job(self._folder, timeout_s=timeout_s))).text

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with ExitStack() as stack:
        yield Rig(tmp_path, stack)


def test_the_next_of_the_list_goes_on_in_the_middle_of_the_conversation(rig: Rig) -> None:
    listing = Say(calls=(ToolCall("list", {}),))
    big, small = rig.serve(listing, Status(529)), rig.serve(DONE)
    assert rig.work(rig.brain(big, small)) == Done("It answers.")
    assert (big.requests, rig.slept) == (5, [1.0, 2.0, 4.0])
    assert len(small.served[0].asked.results) == 1


def test_a_server_that_is_gone_is_no_reason_to_stop_while_another_is_there(rig: Rig) -> None:
    gone, small = rig.serve(), rig.serve(DONE)
    gone.stop()
    assert rig.work(rig.brain(gone, small)) == Done("It answers.")
    assert any("tries big again" in line for line in rig.lines.said)


def test_with_every_server_gone_it_says_what_was_tried(rig: Rig) -> None:
    big, small = rig.serve(), rig.serve(Status(401, "who are you"))
    big.stop()
    with pytest.raises(BrainParked) as caught:
        rig.work(rig.brain(big, small))
    assert caught.value.cause == "provider"
    assert "big" in str(caught.value)
    assert "(tried 4 times)" in str(caught.value)
    assert "who are you" in str(caught.value)


@pytest.mark.parametrize("wire", ["messages", "chat", "responses"])
def test_a_long_limit_parks_a_driver_until_the_time_its_provider_names(rig: Rig, wire: Format) -> None:
    with pytest.raises(BrainParked) as caught:
        rig.work(rig.brain(rig.serve(RateLimited(1800)), wires=(wire,)))
    assert caught.value.until is not None
    assert abs(caught.value.until - datetime.now(UTC) - timedelta(minutes=30)) < timedelta(seconds=20)


def test_a_reviewer_waits_for_a_limit_that_leaves_it_time_to_think(rig: Rig) -> None:
    server = rig.serve(RateLimited(100), VERDICT)
    assert json.loads(rig.review(rig.brain(server), timeout_s=900))["vote"] == "approved"
    assert rig.slept == [100.0]


def test_a_reviewer_gives_up_at_once_on_a_limit_that_outlasts_it(rig: Rig) -> None:
    with pytest.raises(BrainParked) as caught:
        rig.review(rig.brain(rig.serve(RateLimited(1800))), timeout_s=900)
    assert (caught.value.cause, rig.slept) == ("rate_limit", [])
