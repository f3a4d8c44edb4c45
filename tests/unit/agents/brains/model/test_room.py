"""How a conversation is made shorter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from callboard.agents.brains.model.room import KEPT_TURNS, LEFT_OUT, Window, to_leave_out, tokens_in, without


def talk(*sizes: int) -> list[ModelMessage]:
    """One result of a tool per turn, of so many characters."""
    said: list[ModelMessage] = [ModelRequest(parts=[UserPromptPart(content="Do it.")])]
    for n, size in enumerate(sizes):
        said.append(ModelResponse(parts=[ToolCallPart("read", {"path": f"{n}.py"}, tool_call_id=str(n))]))
        said.append(ModelRequest(parts=[ToolReturnPart("read", "x" * size, tool_call_id=str(n))]))
    return said


def results(messages: list[ModelMessage]) -> list[str]:
    return [
        str(part.content)
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, ToolReturnPart)
    ]


def test_the_newest_of_the_old_give_way_first_so_the_beginning_stays_cached() -> None:
    said = talk(*[4_000] * 10)
    ids = to_leave_out(said, 10_000, 12_000)
    assert ids == ("5", "4", "3", "2")
    shorter = without(said, ids)
    first = next(n for n, (one, other) in enumerate(zip(said, shorter, strict=True)) if one != other)
    assert first == 6
    assert results(shorter)[-4:] == results(said)[-4:]


def test_the_line_that_stands_there_says_what_it_was_and_how_to_get_it_back() -> None:
    said = [*talk(4_000), ModelResponse(parts=[TextPart("Fine.")])]
    (line,) = results(without(said, ("0",)))
    assert line == f"{LEFT_OUT}'read 0.py' gave 1 lines, 4,000 characters; call read again if you need it]"


def test_the_last_turns_give_way_too_where_nothing_else_is_enough_but_never_the_newest() -> None:
    assert to_leave_out(talk(*[40_000] * 4), 40_000, 12_000) == ("2", "1", "0")
    assert to_leave_out(talk(40_000), 10_000, 1_000) == ()


def test_small_results_and_what_the_model_said_stay() -> None:
    assert to_leave_out(talk(*[100] * 50), 10_000, 1_000) == ()


@pytest.mark.parametrize(("context", "reply", "limit"), [(128_000, 16_384, 111_616), (8_000, 16_384, 4_000)])
def test_room_for_the_longest_reply_is_kept(context: int, reply: int, limit: int) -> None:
    assert Window(context, reply).limit == limit


@given(st.lists(st.integers(0, 50_000), max_size=20), st.integers(500, 100_000))
def test_it_is_done_alike_each_time_and_no_more_than_needed(sizes: list[int], limit: int) -> None:
    said = talk(*sizes)
    tokens = sum(sizes) // 4
    ids = to_leave_out(said, tokens, limit)
    assert ids == to_leave_out(said, tokens, limit)
    shorter = without(said, ids)
    assert [type(message) for message in shorter] == [type(message) for message in said]
    assert without(shorter, ids) == without(without(shorter, ids), ids)
    kept = [part for part in results(shorter) if part.startswith(LEFT_OUT)]
    assert len(kept) == len(ids)
    if ids:
        given_way = [part for part in _parts(said) if part.tool_call_id in ids]
        assert tokens - sum(map(tokens_in, given_way[1:])) > limit // 2
        assert str(len(sizes) - 1) not in ids or KEPT_TURNS[-1] == 0


def _parts(messages: list[ModelMessage]) -> list[ToolReturnPart]:
    return [
        part
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, ToolReturnPart)
    ]
