"""Conversations that become longer than their model takes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from brain_jobs import Lines, job, review_job
from model_calls import model_settings
from model_faults import Reply, Status
from model_server import ModelServer
from model_wire import Asked, Format, Say, ToolCall

from callboard.agents.brains.brain import Done, Failed, Result
from callboard.agents.brains.call_file import CallFile, read_records
from callboard.agents.brains.calls import RoomRecord
from callboard.agents.brains.model.brain import ModelBrain
from callboard.agents.brains.model.providers import Providers
from callboard.agents.brains.model.room import LEFT_OUT, Window
from callboard.agents.brains.model.wire import OneModel

TURNS = 12
SAYS: dict[Format, str] = {
    "messages": "prompt is too long: 210000 tokens > 200000 maximum",
    "chat": "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
    "responses": "Your input exceeds the context window of this model. Please adjust your input and try again.",
}


def reads(asked: Asked) -> Say:
    """Reads a large file at each turn, then is done."""
    turn = len(asked.results)
    if turn == TURNS:
        return Say(calls=(ToolCall("done", {"notes": "It answers."}),))
    return Say(calls=(ToolCall("read", {"path": "big.txt", "first": turn + 1}),))


def brain(server: ModelServer, log: Path, wire: Format = "messages", context: int = 10**6) -> ModelBrain:
    model = OneModel("m", model_settings(server, wire, retries=0), "key")
    window = Window(context, 1_000)
    return ModelBrain(
        Providers([model]), lambda _: CallFile(log), now=lambda: datetime(2026, 11, 21, tzinfo=UTC), window=window
    )


def work(server: ModelServer, folder: Path, wire: Format = "messages", context: int = 10**6) -> Result:
    clone = folder / "clone"
    clone.mkdir(exist_ok=True)
    (clone / "big.txt").write_text("".join(f"line {n} {'word ' * 15}\n" for n in range(100)))
    return asyncio.run(brain(server, folder / "log", wire, context).work(job(clone, timeout_s=90), Lines()))


def left_out(asked: Asked) -> int:
    return sum(LEFT_OUT in result for result in asked.results)


def test_it_makes_room_before_its_model_has_to_refuse_and_rarely(tmp_path: Path) -> None:
    """Each file takes about 2,900 tokens by our estimate, so twelve of them do not fit."""
    with ModelServer(reads) as server:
        assert work(server, tmp_path, context=24_000) == Done("It answers.")
        asked = [served.asked for served in server.served]
    assert len(asked) == TURNS + 1
    rooms = [record for record in read_records(tmp_path / "log") if isinstance(record, RoomRecord)]
    assert 1 <= len(rooms) <= 4
    assert all(left_out(one) <= left_out(two) for one, two in pairwise(asked))
    assert not any(LEFT_OUT in result for result in asked[-1].results[-1:])
    assert all(sum(map(len, one.results)) < 100_000 for one in asked)


def test_cut_anywhere_and_begun_again_it_asks_nothing_twice(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with ModelServer(reads) as server:
        work(server, tmp_path, context=24_000)
        lines = log.read_bytes().splitlines(keepends=True)
        cuts = [n for n, line in enumerate(lines) if b'"kind":"room"' in line]
        for keep in (*cuts, *(cut + 1 for cut in cuts), len(lines)):
            log.write_bytes(b"".join(lines[:keep]))
            before = server.requests
            assert work(server, tmp_path, context=24_000) == Done("It answers.")
            recorded = sum(b'"kind":"call"' in line for line in lines[:keep])
            assert server.requests - before == TURNS + 1 - recorded
            now = log.read_bytes().splitlines(keepends=True)
            assert [b'"kind":"room"' in line for line in now] == [b'"kind":"room"' in line for line in lines]
    assert not list(tmp_path.glob("log.cut*"))


@pytest.mark.parametrize("wire", list(SAYS))
def test_what_its_provider_finds_too_long_is_made_shorter_once_and_said_again(tmp_path: Path, wire: Format) -> None:
    def reply(asked: Asked) -> Reply:
        return Status(400, SAYS[wire]) if len(asked.results) >= 8 and not left_out(asked) else reads(asked)

    with ModelServer(reply) as server:
        assert work(server, tmp_path, wire) == Done("It answers.")
        assert server.requests == TURNS + 2
    assert any(isinstance(record, RoomRecord) for record in read_records(tmp_path / "log"))


def test_what_stays_too_long_is_a_clear_end(tmp_path: Path) -> None:
    with ModelServer(lambda asked: Status(413, "too much") if len(asked.results) > 5 else reads(asked)) as server:
        result = work(server, tmp_path)
        assert server.requests == 8
    assert isinstance(result, Failed)
    assert "more than the model takes" in result.reason
    assert "context_tokens" in result.reason


def test_a_reviewer_is_shown_as_much_of_a_change_as_leaves_it_room_to_think(tmp_path: Path) -> None:
    verdict = Say(calls=(ToolCall("verdict", {"vote": "approved"}),))
    with ModelServer(lambda _: verdict) as server:
        asked = replace(review_job(tmp_path), diff="+x = 1\n" * 20_000)
        asyncio.run(brain(server, tmp_path / "log", context=20_000).review(asked))
        prompt = server.served[0].asked.prompt
    assert len(prompt) < 40_000
    assert "more characters; the files have all of it]" in prompt
