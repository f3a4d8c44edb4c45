"""A model that reviews, with tools and without, against a server that speaks its wire formats."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from brain_jobs import review_job
from model_brain_world import World, calls, formats, now
from model_calls import model_settings
from model_faults import Hang, scripted
from model_server import ModelServer
from model_wire import Format, Say

from callboard.agents.brains.call_file import CallFile
from callboard.agents.brains.model.brain import ModelBrain
from callboard.agents.brains.model.conversation import MAX_USELESS
from callboard.agents.brains.model.wire import OneModel
from callboard.agents.reviewer.verdict import parse_verdict
from callboard.bus.errors import BrainError

VERDICT: dict[str, object] = {
    "vote": "needs_revision",
    "findings": [{"severity": "major", "file": "app.py", "line": 2, "quote": "two", "scenario": "it breaks"}],
    "notes": "look again",
}


@formats
def test_a_reviewer_looks_around_and_gives_a_verdict(tmp_path: Path, wire: Format) -> None:
    with ModelServer(scripted(calls(("read", {"path": "app.py"})), calls(("verdict", VERDICT)))) as server:
        verdict = parse_verdict(World(tmp_path, server, wire).review())
        asked = server.served[0].asked
    assert (verdict.vote, verdict.findings[0].quote, verdict.notes) == ("needs_revision", "two", "look again")
    assert asked.tools == ("list", "read", "search", "run", "verdict")
    assert all(text in asked.prompt for text in ("T-7", "`pytest -q` exited 0", "+x = 1"))


def test_a_verdict_of_the_wrong_shape_is_sent_back_with_its_errors(tmp_path: Path) -> None:
    wrong: dict[str, object] = {"vote": "maybe", "findings": [{"severity": "huge"}]}
    with ModelServer(scripted(calls(("verdict", wrong)), calls(("verdict", VERDICT)))) as server:
        assert parse_verdict(World(tmp_path, server).review()).vote == "needs_revision"
        (told,) = server.served[1].asked.results
    assert "vote: Input should be 'approved', 'needs_revision' or 'abstained'" in told
    assert "findings.0.severity" in told


def test_a_reviewer_that_never_gives_a_readable_verdict_gives_none(tmp_path: Path) -> None:
    with ModelServer(lambda _: calls(("verdict", {"vote": "maybe"}))) as server:
        with pytest.raises(BrainError, match="3 replies in a row"):
            World(tmp_path, server).review()
        assert server.requests == MAX_USELESS


def test_a_verdict_that_is_said_instead_of_given_counts_too(tmp_path: Path) -> None:
    with ModelServer(scripted(Say(f"Here it is:\n{json.dumps(VERDICT)}"))) as server:
        assert parse_verdict(World(tmp_path, server).review()).vote == "needs_revision"


@formats
def test_a_model_without_tools_reviews_by_the_diff_and_a_schema(tmp_path: Path, wire: Format) -> None:
    with ModelServer(scripted(Say("I think so."), Say(json.dumps(VERDICT)))) as server:
        assert parse_verdict(World(tmp_path, server, wire).review(has_tools=False)).vote == "needs_revision"
        first, second = (served.asked for served in server.served)
    assert first.tools == ()
    assert "needs_revision" in json.dumps(first.body.get("response_format") or first.body.get("text") or first.body)
    assert "expected a JSON object" in second.prompt


def test_a_model_that_no_schema_can_be_given_to_is_asked_for_it_in_words(tmp_path: Path) -> None:
    with ModelServer(scripted(Say(json.dumps(VERDICT)))) as server:
        model = OneModel("m", model_settings(server, "messages", model="my-own"), None)
        brain = ModelBrain(model, lambda _: CallFile(tmp_path / "log"), now=now, has_tools=False)
        said = asyncio.run(brain.review(review_job(tmp_path)))
        asked = server.served[0].asked
    assert parse_verdict(said.text).vote == "needs_revision"
    assert '"vote": "approved" | "needs_revision"' in asked.instructions
    assert "output_config" not in asked.body


def test_a_review_ends_at_its_time_limit(tmp_path: Path) -> None:
    with ModelServer(lambda _: Hang()) as server, pytest.raises(BrainError, match=r"no verdict within 0\.5 s"):
        World(tmp_path, server).review(timeout_s=0.5)
