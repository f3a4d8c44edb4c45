"""OpenAI's `/v1/chat/completions`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from model_wire import Asked, Say, Tokens, pieces


def _usage(tokens: Tokens) -> dict[str, object]:
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
    }


def _calls(asked: Asked, say: Say) -> list[dict[str, object]]:
    return [
        {"id": f"call_{asked.number}_{n}", "type": "function", "function": {"name": call.name, "arguments": call.json}}
        for n, call in enumerate(say.calls)
    ]


def _finish(say: Say) -> str:
    return "tool_calls" if say.calls else "stop"


def whole(asked: Asked, say: Say, tokens: Tokens) -> dict[str, object]:
    """The body of an answer that is not streamed."""
    refusal = say.text if say.refuses else None
    message: dict[str, object] = {"role": "assistant", "content": None if refusal else say.text, "refusal": refusal}
    if say.calls:
        message["tool_calls"] = _calls(asked, say)
    return {
        "id": f"chatcmpl-{asked.number}",
        "object": "chat.completion",
        "created": 1_750_000_000,
        "model": asked.model,
        "choices": [{"index": 0, "message": message, "finish_reason": _finish(say), "logprobs": None}],
        "usage": _usage(tokens),
    }


def _chunks(asked: Asked, say: Say, tokens: Tokens) -> Iterator[dict[str, object]]:
    head = {
        "id": f"chatcmpl-{asked.number}",
        "object": "chat.completion.chunk",
        "created": 1_750_000_000,
        "model": asked.model,
    }

    def chunk(delta: Mapping[str, object], reason: str | None = None) -> dict[str, object]:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], "usage": None}

    yield chunk({"role": "assistant", "content": ""})
    for part in pieces(say.text):
        yield chunk({"refusal": part} if say.refuses else {"content": part})
    for index, call in enumerate(_calls(asked, say)):
        function = {"name": say.calls[index].name, "arguments": ""}
        yield chunk({"tool_calls": [{**call, "index": index, "function": function}]})
        for part in pieces(say.calls[index].json):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    yield chunk({}, _finish(say))
    if (asked.body.get("stream_options") or {}).get("include_usage"):
        yield {**head, "choices": [], "usage": _usage(tokens)}


def events(asked: Asked, say: Say, tokens: Tokens) -> Iterator[bytes]:
    """The same answer as server-sent events."""
    for chunk in _chunks(asked, say, tokens):
        yield f"data: {json.dumps(chunk)}\n\n".encode()
    yield b"data: [DONE]\n\n"
