"""A small real model reviews over the wire formats: shape, usage, streaming, cancellation; no wisdom."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.review.changes import read_cases
from benchmarks.review.lanes import lay_out, panel
from model_calls import NAMES, a_call
from model_server import ModelServer
from model_wire import Format, Say
from real_answers import answering
from real_model import serving

from callboard.agents.brains.model.tools import BriefVerdict
from callboard.agents.brains.model.wire import OneModel
from callboard.agents.brains.purse import Purse
from callboard.agents.brains.settings import ModelSettings
from callboard.bus.caps import Caps

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


def roster(server: ModelServer) -> str:
    """Three reviewers, each over a wire format of its own, whose models call no tools and so are held to a schema."""
    wires: dict[Format, tuple[str, str]] = {
        "messages": ("senior", f'provider = "anthropic"\nbase_url = "{server.url}"'),
        "responses": ("junior-1", f'provider = "openai"\nbase_url = "{server.url}/v1"'),
        "chat": ("junior-2", f'provider = "openai"\nbase_url = "{server.url}/v1"'),
    }
    models = [
        f'[models.{wire}]\n{where}\nmodel = "{NAMES[wire]}"\nwire = "{wire}"\nfamily = "{wire}"\ntools = false\n'
        f'[[agents]]\nname = "{seat}"\nrole = "reviewer"\nseat = "{seat}"\nmodel = "{wire}"\n'
        for wire, (seat, where) in wires.items()
    ]
    head = '[project]\ngate = ["true"]\n[sandbox]\nkind = "off"\n[review]\ndeadline_s = 3600\n'
    return head + "".join(models)


def test_it_reviews_a_change_in_all_three_seats_each_over_a_wire_of_its_own(url: str, tmp_path: Path) -> None:
    config, folder, case = tmp_path / "callboard.toml", tmp_path / "lane", read_cases()[0]
    folder.mkdir()
    with ModelServer(answering(url)) as server:
        config.write_text(roster(server))
        lane = lay_out(folder, [case], config, {})
        purse = Purse("this test", Caps(tokens=10**9, micro_usd=10**9, minutes=0, attempts=0), lane.workspace.prices)
        reviewed = asyncio.run(panel(lane.workspace, purse).review(case, lane.commits[case.id]))
    assert reviewed.outcome in ("consensus", "fixes", "major_flaws", "blocked", "no_quorum")
    assert sorted(reviewed.verdicts) == ["junior-1", "junior-2", "senior"]
    first = server.served[:3]
    assert sorted(it.asked.format for it in first) == ["chat", "messages", "responses"]
    for served in first:
        assert served.asked.is_streamed
        assert isinstance(served.reply, Say)
        said = BriefVerdict.model_validate_json(served.reply.text)
        seat = {"messages": "senior", "responses": "junior-1", "chat": "junior-2"}[served.asked.format]
        verdict = reviewed.verdicts[seat]
        assert (verdict.vote, len(verdict.findings)) == (said.vote, len(said.findings)), "it was read as it was said"
        assert served.tokens.input > 100
        assert served.tokens.output > 5
    assert reviewed.had_second_round is (server.requests > 3), "nothing had to be said twice"
    spent = purse.spent
    assert (spent.calls, spent.input_tokens, spent.output_tokens) == (
        server.requests,
        server.tokens.input,
        server.tokens.output,
    )


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
