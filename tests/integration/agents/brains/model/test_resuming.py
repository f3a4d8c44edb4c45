"""A conversation that was parked goes on where it was: nothing recorded is asked, paid or done again."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from brain_jobs import Lines, job, review_job
from cli_jobs import Purse
from model_calls import model_settings
from model_faults import RateLimited, Reply, Status
from model_server import ModelServer
from model_wire import Asked, Say, ToolCall

from callboard.agents.brains.brain import AnyJob, Done, Result
from callboard.agents.brains.call_file import read_records
from callboard.agents.brains.calls import BeginRecord, CallLog, CallRecord, ParkRecord
from callboard.agents.brains.model.brain import ModelBrain
from callboard.agents.brains.model.providers import Providers
from callboard.agents.brains.model.wire import OneModel
from callboard.agents.brains.resumed import INTERRUPTED, open_log
from callboard.agents.reviewer.verdict import parse_verdict
from callboard.bus.errors import BrainParked, BudgetSpent
from callboard.bus.task import Note

STEPS: tuple[Say, ...] = (
    Say(calls=(ToolCall("write", {"path": "a", "text": "a"}),)),
    Say(calls=(ToolCall("run", {"command": "echo x >> stamp"}), ToolCall("run", {"command": "cat stamp"}))),
    # an edit that fails, and an end that so is not taken
    Say(calls=(ToolCall("edit", {"path": "a", "old": "gone", "new": ""}), ToolCall("done", {"notes": "too early"}))),
    Say(calls=(ToolCall("edit", {"path": "a", "old": "a", "new": "b"}),)),
    Say(calls=(ToolCall("done", {"notes": "It answers."}),)),
)
RESULTS = (0, 1, 3, 5, 6)
"""How many tool results a model has seen before each step."""


class Model:
    """Goes by what it is shown, as a model does; and refuses when it is told to."""

    def __init__(self) -> None:
        self.refusal: Reply | None = None
        self.refuse_at: set[int] = set()

    def __call__(self, asked: Asked) -> Reply:
        step = RESULTS.index(len(asked.results))
        if self.refusal is not None and step in self.refuse_at:
            return self.refusal
        return STEPS[step]


class World:
    """A clone that keeps its work between attempts, its logs, and a brain that is new for each attempt."""

    def __init__(self, folder: Path, server: ModelServer, purse: Purse) -> None:
        self.clone = folder / "clone"
        self.clone.mkdir()
        self.logs = folder / "calls"
        self.server = server
        self.purse = purse

    def work(self, attempt: int, *notes: Note, prompt: str = "You drive.") -> Result:
        asked = job(self.clone, attempt=attempt, notes=notes, timeout_s=90)
        asked = replace(asked, seat=replace(asked.seat, prompt=prompt))
        return asyncio.run(self._brain().work(asked, Lines()))

    def review(self, rounds: int, commit: str = "b" * 40) -> str:
        asked = review_job(self.clone, timeout_s=90)
        request = asked.request.model_copy(update={"review": f"T-7.1.{rounds}", "commit": commit})
        return asyncio.run(self._brain().review(replace(asked, request=request))).text

    def path(self, attempt: int, review: str = "") -> Path:
        return self.logs / f"T-7.{attempt}.x{review and '.'}{review}.jsonl"

    def _brain(self) -> ModelBrain:
        model = OneModel("m", model_settings(self.server, "messages", retries=0), "key", budget=self.purse)
        return ModelBrain(Providers([model]), self._open, now=lambda: datetime.now(UTC), budget=self.purse)

    def _open(self, asked: AnyJob) -> CallLog:
        return open_log(asked, self.path)


def asked_of(server: ModelServer) -> list[Asked]:
    """The requests that were answered."""
    return [served.asked for served in server.served if isinstance(served.reply, Say)]


@pytest.mark.parametrize(("at", "why"), [(1, "limit"), (2, "outage"), (3, "limit"), (4, "limit")])
def test_a_parked_attempt_goes_on_in_the_same_conversation(tmp_path: Path, at: int, why: str) -> None:
    model, purse = Model(), Purse()
    model.refusal, model.refuse_at = RateLimited(1800) if why == "limit" else Status(503), {at}
    with ModelServer(model) as server:
        world = World(tmp_path, server, purse)
        with pytest.raises(BrainParked):
            world.work(1)
        model.refuse_at = set()
        assert world.work(2, Note(source="driver", text="interrupted")) == Done("It answers.")
        answered = asked_of(server)
        assert len(answered) == len(STEPS)
        assert (purse.spent.input_tokens, purse.spent.output_tokens) == (server.tokens.input, server.tokens.output)
    assert not purse.open
    assert ((world.clone / "a").read_text(), (world.clone / "stamp").read_text()) == ("b", "x\n")
    assert "Attempt 1." in json.dumps(dict(answered[-1].body))
    assert INTERRUPTED in answered[-1].prompt
    assert "interrupted" in answered[-1].prompt
    recorded = [read_records(world.path(attempt)) for attempt in (1, 2)]
    assert isinstance(recorded[0][-1], ParkRecord)
    assert sum(isinstance(record, CallRecord) for record in (*recorded[0], *recorded[1])) == len(STEPS)


def test_it_may_be_parked_again_and_again_and_die_in_between(tmp_path: Path) -> None:
    """Parked before each step; each attempt that goes on is killed once after its step, and delivered again."""
    model, purse = Model(), Purse()
    model.refusal = RateLimited(1800)
    with ModelServer(model) as server:
        world = World(tmp_path, server, purse)
        for step in range(1, len(STEPS)):
            model.refuse_at = {step}
            for _ in range(2):
                with pytest.raises(BrainParked):
                    world.work(step)
                log = world.path(step)
                # killed before it could say that it is parked, then not
                log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
            with pytest.raises(BrainParked):
                world.work(step)
        model.refuse_at = set()
        assert world.work(len(STEPS)) == Done("It answers.")
        assert len(asked_of(server)) == len(STEPS)
        assert purse.spent.input_tokens == server.tokens.input


def test_a_spent_budget_parks_it_and_a_higher_one_lets_it_go_on(tmp_path: Path) -> None:
    purse, model, caps = Purse(), Model(), [0]

    def reply(asked: Asked) -> Reply:
        if asked.results and caps:
            purse.cap = caps.pop()
        return model(asked)

    with ModelServer(reply) as server:
        world = World(tmp_path, server, purse)
        with pytest.raises(BudgetSpent):
            world.work(1)
        assert server.requests == 2
        purse.cap = 10**9
        assert world.work(2) == Done("It answers.")
        assert server.requests == len(STEPS)
        assert purse.spent.input_tokens == server.tokens.input
    parked = read_records(world.path(1))[-1]
    assert isinstance(parked, ParkRecord)
    assert parked.cause == "budget"


def test_other_rules_are_another_conversation(tmp_path: Path) -> None:
    model = Model()
    model.refusal, model.refuse_at = RateLimited(1800), {2}
    with ModelServer(model) as server:
        world = World(tmp_path, server, Purse())
        with pytest.raises(BrainParked):
            world.work(1)
        model.refuse_at = set()
        world.work(2, prompt="You drive otherwise.")
        assert len(asked_of(server)) == 2 + len(STEPS)
    begun = read_records(world.path(2))[0]
    assert isinstance(begun, BeginRecord)
    assert "Attempt 2." in begun.prompt


def test_an_attempt_that_was_not_parked_is_followed_by_a_new_conversation(tmp_path: Path) -> None:
    with ModelServer(Model()) as server:
        world = World(tmp_path, server, Purse())
        world.work(1)
        world.work(2)
        assert server.requests == 2 * len(STEPS)


VERDICT = {"vote": "approved", "notes": "reads well", "findings": []}


@pytest.mark.parametrize(("commit", "more"), [("b" * 40, 0), ("c" * 40, 1)], ids=["the same", "another commit"])
def test_a_review_that_was_parked_goes_on_if_it_judges_the_same(tmp_path: Path, commit: str, more: int) -> None:
    limit: list[Reply] = [RateLimited(1800)]

    def reply(asked: Asked) -> Reply:
        if not asked.results:
            return Say(calls=(ToolCall("run", {"command": "echo x >> stamp"}),))
        return limit.pop() if limit else Say(calls=(ToolCall("verdict", VERDICT),))

    with ModelServer(reply) as server:
        world = World(tmp_path, server, Purse())
        with pytest.raises(BrainParked):
            world.review(1)
        shutil.rmtree(world.clone)
        world.clone.mkdir()
        assert parse_verdict(world.review(2, commit)).vote == "approved"
        assert len(asked_of(server)) == 2 + more
