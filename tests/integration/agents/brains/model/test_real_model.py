"""A small real model reviews over the wire formats: shape, usage, streaming, cancellation; no wisdom."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from brain_jobs import review_job
from model_calls import a_call
from model_wire import Format
from real_model import serving

from callboard.agents.brains.brain import AnyJob
from callboard.agents.brains.call_file import CallFile, read_records
from callboard.agents.brains.calls import CallRecord
from callboard.agents.brains.model.brain import ModelBrain
from callboard.agents.brains.model.wire import OneModel
from callboard.agents.brains.settings import ModelSettings
from callboard.agents.reviewer.verdict import parse_verdict

pytestmark = pytest.mark.long
formats = pytest.mark.parametrize("wire", ["messages", "chat", "responses"])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as url:
        yield url


def model(url: str, wire: Format, **more: object) -> OneModel:
    anthropic = wire == "messages"
    table = {
        "provider": "anthropic" if anthropic else "openai",
        "model": "smollm2",
        "wire": wire,
        "base_url": url if anthropic else f"{url}/v1",
        "max_tokens": 1_000,
        "temperature": 0.0,
        **more,
    }
    return OneModel("small", ModelSettings.model_validate(table), None)


def test_it_gives_a_verdict_that_follows_the_schema(url: str, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"

    def open_log(_: AnyJob) -> CallFile:
        return CallFile(path)

    brain = ModelBrain(model(url, "chat", max_tokens=600), open_log, now=lambda: datetime.now(UTC), has_tools=False)
    said = asyncio.run(brain.review(review_job(tmp_path, timeout_s=400)))
    assert parse_verdict(said.text).vote in ("approved", "needs_revision", "abstained")
    records = [record for record in read_records(path) if isinstance(record, CallRecord)]
    assert all(record.input_tokens > 100 and record.output_tokens > 5 for record in records)


@formats
def test_its_text_arrives_in_pieces_and_a_cancelled_call_ends(url: str, wire: Format) -> None:
    async def scenario() -> None:
        heard: list[str] = []
        some = asyncio.Event()

        async def hear(text: str) -> None:
            heard.append(text)
            if len(heard) == 5:
                some.set()

        asked = a_call("Count from one to a thousand in words.")
        call = asyncio.create_task(model(url, wire).call(asked, hear))
        await asyncio.wait({call, asyncio.create_task(some.wait())}, return_when=asyncio.FIRST_COMPLETED)
        assert len(heard) >= 5
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(scenario())
