"""The loopback model server, seen by the official clients."""

from __future__ import annotations

import json
from collections.abc import Iterator

import anthropic
import openai
import pytest
from model_faults import Cut, Hang, NotJson, RateLimited, Reply, Status, faulty, scripted
from model_server import ModelServer
from model_wire import Asked, Say, Tokens, ToolCall
from openai.types.chat import ChatCompletionFunctionToolParam

LOOK: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {"path": {"type": "string"}}}},
}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(lambda asked: Say(f"you said {asked.prompt} to {asked.model}")) as server:
        yield server


def claude(server: ModelServer, *, timeout_s: float = 10) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=server.url, api_key="x", max_retries=0, timeout=timeout_s)


def gpt(server: ModelServer, *, timeout_s: float = 10) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="x", max_retries=0, timeout=timeout_s)


def ask_claude(server: ModelServer, text: str = "hi") -> anthropic.types.Message:
    messages: list[anthropic.types.MessageParam] = [{"role": "user", "content": text}]
    return claude(server).messages.create(model="claude-x", max_tokens=100, messages=messages)


def test_the_anthropic_client_reads_a_message_and_its_usage(server: ModelServer) -> None:
    message = ask_claude(server)
    assert [block.text for block in message.content if block.type == "text"] == ["you said hi to claude-x"]
    usage = message.usage
    read = usage.cache_read_input_tokens or 0
    assert Tokens(usage.input_tokens + read, usage.output_tokens, read) == server.tokens == server.delivered


def test_the_anthropic_client_reads_a_stream_with_text_and_a_tool_call(server: ModelServer) -> None:
    server.reply = scripted(Say("I look into it, " * 20, calls=(ToolCall("look", {"path": "a" * 100}),)))
    with claude(server).messages.stream(
        model="claude-x", max_tokens=100, messages=[{"role": "user", "content": "hi"}]
    ) as stream:
        message = stream.get_final_message()
    text, call = message.content
    assert text.type == "text"
    assert text.text == "I look into it, " * 20
    assert call.type == "tool_use"
    assert call.input == {"path": "a" * 100}
    assert (message.stop_reason, message.usage.output_tokens) == ("tool_use", server.tokens.output)


def test_the_openai_client_reads_a_completion_with_a_tool_call(server: ModelServer) -> None:
    server.reply = scripted(Say(calls=(ToolCall("look", {"path": "a"}),)))
    done = gpt(server).chat.completions.create(
        model="gpt-x", messages=[{"role": "user", "content": "hi"}], tools=[LOOK]
    )
    [call] = done.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert json.loads(call.function.arguments) == {"path": "a"}
    assert done.usage is not None
    assert (done.usage.prompt_tokens, done.usage.completion_tokens) == (server.tokens.input, server.tokens.output)
    assert server.served[0].asked.tools == ("look",)


def test_the_openai_client_reads_streamed_completions(server: ModelServer) -> None:
    server.reply = scripted(Say("word " * 50, calls=(ToolCall("look", {"path": "b"}),)))
    with gpt(server).chat.completions.stream(
        model="gpt-x", messages=[{"role": "user", "content": "hi"}], stream_options={"include_usage": True}
    ) as stream:
        done = stream.get_final_completion()
    [call] = done.choices[0].message.tool_calls or []
    assert done.choices[0].message.content == "word " * 50
    assert json.loads(call.function.arguments) == {"path": "b"}
    assert done.usage is not None
    assert done.usage.completion_tokens == server.tokens.output


@pytest.mark.parametrize("streamed", [False, True])
def test_the_openai_client_reads_responses(server: ModelServer, streamed: bool) -> None:
    server.reply = scripted(Say("word " * 50, calls=(ToolCall("look", {"path": "c"}),)))
    if streamed:
        with gpt(server).responses.stream(model="gpt-x", instructions="be brief", input="hi") as stream:
            done: openai.types.responses.Response = stream.get_final_response()
    else:
        done = gpt(server).responses.create(model="gpt-x", instructions="be brief", input="hi")
    assert done.output_text == "word " * 50
    call = done.output[1]
    assert call.type == "function_call"
    assert json.loads(call.arguments) == {"path": "c"}
    assert done.usage is not None
    assert done.usage.total_tokens == server.tokens.input + server.tokens.output
    asked = server.served[0].asked
    assert (asked.instructions, asked.prompt, asked.is_streamed) == ("be brief", "hi", streamed)


def test_what_tools_gave_back_is_seen_in_every_format(server: ModelServer) -> None:
    claude(server).messages.create(
        model="m",
        max_tokens=9,
        system="be kind",
        messages=[
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "look", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "one"}]},
        ],
    )
    gpt(server).chat.completions.create(
        model="m",
        messages=[
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": "go"},
            {
                "role": "assistant",
                "tool_calls": [{"id": "t", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "t", "content": "one"},
        ],
    )
    gpt(server).responses.create(
        model="m",
        instructions="be kind",
        input=[
            {"role": "user", "content": "go"},
            {"type": "function_call", "call_id": "t", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "t", "output": "one"},
        ],
    )
    seen = [(asked.instructions, asked.prompt, asked.results) for asked in (served.asked for served in server.served)]
    assert seen == [("be kind", "go", ("one",))] * 3


def test_a_limit_says_when_it_ends_in_the_words_of_its_format(server: ModelServer) -> None:
    server.reply = scripted(RateLimited(90))
    with pytest.raises(anthropic.RateLimitError) as one:
        ask_claude(server)
    assert one.value.response.headers["retry-after"] == "90"
    assert one.value.response.headers["anthropic-ratelimit-requests-reset"].endswith("Z")
    with pytest.raises(openai.RateLimitError) as other:
        gpt(server).responses.create(model="m", input="hi")
    assert other.value.response.headers["x-ratelimit-reset-requests"] == "1m30s"
    assert server.tokens == Tokens()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Status(500), anthropic.InternalServerError),
        (Status(529), anthropic.InternalServerError),
        (Status(401), anthropic.AuthenticationError),
        (Cut(Say("never whole")), anthropic.APIConnectionError),
        (Hang(), anthropic.APITimeoutError),
    ],
    ids=lambda value: str(value),
)
def test_a_fault_reaches_the_client_as_what_it_is(server: ModelServer, reply: Reply, error: type[Exception]) -> None:
    server.reply = scripted(reply)
    with pytest.raises(error):
        claude(server, timeout_s=0.5).messages.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        )
    assert server.requests == 1


@pytest.mark.parametrize("reply", [Cut(Say("never whole " * 50)), NotJson()], ids=["cut", "not json"])
def test_a_broken_stream_is_an_error_of_the_client(server: ModelServer, reply: Reply) -> None:
    server.reply = scripted(reply)
    with (
        pytest.raises((openai.APIError, ValueError)),
        gpt(server).chat.completions.stream(model="m", messages=[{"role": "user", "content": "hi"}]) as stream,
    ):
        stream.get_final_completion()


def test_a_refusal_is_one_in_every_format(server: ModelServer) -> None:
    server.reply = scripted(Say("No.", refuses=True))
    assert ask_claude(server).stop_reason == "refusal"
    done = gpt(server).chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
    assert (done.choices[0].message.content, done.choices[0].message.refusal) == (None, "No.")
    [item] = gpt(server).responses.create(model="m", input="hi").output
    assert item.type == "message"
    assert item.content[0].type == "refusal"


def test_cut_answers_are_charged_for_and_not_delivered(server: ModelServer) -> None:
    server.reply = scripted(Say("whole"), Cut(Say("never whole")))
    ask_claude(server)
    with pytest.raises(anthropic.APIConnectionError):
        ask_claude(server)
    assert 0 < server.delivered.input < server.tokens.input


def test_a_repeated_beginning_is_read_from_the_cache(server: ModelServer) -> None:
    first, again = ask_claude(server, "long " * 1_000).usage, ask_claude(server, "long " * 1_000 + "end").usage
    assert not first.cache_read_input_tokens
    assert again.cache_read_input_tokens == server.tokens.cached > 1_000


def test_the_same_seed_mixes_the_same_faults() -> None:
    asked = Asked(1, "chat", {"model": "m"}, {})

    def drawn(seed: int) -> list[str]:
        mixed = faulty(lambda _: Say("fine"), seed, share=0.5)
        return [str(mixed(asked))[:80] for _ in range(50)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 10 < drawn(1).count(str(Say("fine"))) < 40


def test_a_stopped_server_refuses_connections(server: ModelServer) -> None:
    server.stop()
    with pytest.raises(anthropic.APIConnectionError):
        ask_claude(server)
