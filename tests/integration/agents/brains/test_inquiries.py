"""A question that is answered in a given shape, by every kind of brain."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from brain_jobs import seat
from cli_jobs import Purse, install, said, seated
from model_calls import model_settings
from model_faults import scripted
from model_server import ModelServer
from model_wire import Format, Say, ToolCall
from pydantic import BaseModel, ConfigDict

from callboard.agents.brains.answer import read_shape
from callboard.agents.brains.brain import Inquiry, Seat
from callboard.agents.brains.call_file import CallFile
from callboard.agents.brains.cli.adapters import ADAPTERS
from callboard.agents.brains.cli.brain import CliBrain, CliSettings
from callboard.agents.brains.command import CommandBrain
from callboard.agents.brains.model.brain import ModelBrain
from callboard.agents.brains.model.wire import OneModel
from callboard.bus.errors import BrainError


class Advice(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    sure: int


GOOD: dict[str, object] = {"text": "Use port 80", "sure": 9}


def inquiry(place: Seat) -> Inquiry:
    return Inquiry(place, "T-7", 1, "advice", "advice.1", "Which port?", Advice, {"ports": [80, 8080]})


def model(server: ModelServer, folder: Path, wire: Format, *, has_tools: bool = True) -> ModelBrain:
    one = OneModel("m", model_settings(server, wire), "key")
    now = datetime(2026, 11, 21, tzinfo=UTC)
    return ModelBrain(one, lambda _: CallFile(folder / "calls.jsonl"), now=lambda: now, has_tools=has_tools)


@pytest.mark.parametrize("wire", get_args(Format))
def test_a_model_looks_around_and_answers_in_the_shape_or_is_told_what_is_wrong(tmp_path: Path, wire: Format) -> None:
    (tmp_path / "app.py").write_text("port = 80\n")
    replies = [ToolCall("read", {"path": "app.py"}), ToolCall("advice", {"text": "?", "sure": "very"})]
    told = (*(Say(calls=(call,)) for call in replies), Say(calls=(ToolCall("advice", GOOD),)))
    with ModelServer(scripted(*told)) as server:
        answer = asyncio.run(model(server, tmp_path, wire).answer(inquiry(seat(tmp_path, "senior"))))
        last = json.dumps(server.served[-1].asked.body)
    assert read_shape(answer.text, Advice) == Advice(text="Use port 80", sure=9)
    assert "port = 80" in last
    assert "sure: Input should be a valid integer" in last
    assert "Which port?" in last


def test_a_question_that_was_answered_before_a_crash_is_not_paid_again(tmp_path: Path) -> None:
    with ModelServer(scripted(Say(calls=(ToolCall("advice", GOOD),)))) as server:
        for _ in range(2):
            brain = model(server, tmp_path, "chat")
            answer = asyncio.run(brain.answer(inquiry(seat(tmp_path, "senior"))))
        assert server.requests == 1
    assert read_shape(answer.text, Advice).sure == 9


def test_a_model_without_tools_answers_by_the_schema(tmp_path: Path) -> None:
    with ModelServer(scripted(Say("I think 80."), Say(json.dumps(GOOD)))) as server:
        brain = model(server, tmp_path, "chat", has_tools=False)
        answer = asyncio.run(brain.answer(inquiry(seat(tmp_path, "senior"))))
    assert read_shape(answer.text, Advice).text == "Use port 80"


def test_a_program_gets_the_question_and_the_schema_on_stdin(tmp_path: Path) -> None:
    code = (
        "import json, sys; asked = json.load(sys.stdin); print('thinking');"
        "print(json.dumps({'text': f\"{asked['ask']} {asked['id']} {asked['ports']}\", 'sure': len(asked['schema'])}))"
    )
    brain = CommandBrain(shlex.join([sys.executable, "-c", code]))
    answer = asyncio.run(brain.answer(inquiry(seat(tmp_path))))
    assert read_shape(answer.text, Advice).text == "advice advice.1 [80, 8080]"


@pytest.mark.parametrize(("code", "said"), [("exit 3", "exited 3"), ("echo", "expected a JSON object")])
def test_a_program_that_knows_no_questions_gives_no_answer(tmp_path: Path, code: str, said: str) -> None:
    with pytest.raises(BrainError, match=said):
        read_shape(asyncio.run(CommandBrain(code).answer(inquiry(seat(tmp_path)))).text, Advice)


def test_an_agent_cli_is_told_the_schema_and_answers_on_its_last_line(tmp_path: Path) -> None:
    place = seated(tmp_path).seat
    answer = said(f"I looked.\n```json\n{json.dumps(GOOD, indent=1)}\n```")
    install(tmp_path / "bin", "claude", f"import sys; open('seen', 'w').write(sys.stdin.read())\nprint({answer!r})")
    brain = CliBrain(ADAPTERS["claude"], CliSettings(), Purse(), lambda _: CallFile(tmp_path / "calls.jsonl"))
    assert read_shape(asyncio.run(brain.answer(inquiry(place))).text, Advice).sure == 9
    seen = (tmp_path / "clone" / "seen").read_text()
    assert "Which port?" in seen
    assert '"sure"' in seen
