"""OpenAI's `/v1/responses`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from model_wire import Asked, Say, Tokens, event, pieces


def _items(asked: Asked, say: Say) -> list[dict[str, Any]]:
    part: dict[str, object] = {"type": "output_text", "text": say.text, "annotations": []}
    if say.refuses:
        part = {"type": "refusal", "refusal": say.text}
    text = {
        "id": f"msg_{asked.number}",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }
    calls = [
        {
            "id": f"fc_{asked.number}_{number}",
            "type": "function_call",
            "call_id": f"call_{asked.number}_{number}",
            "name": call.name,
            "arguments": call.json,
            "status": "completed",
        }
        for number, call in enumerate(say.calls)
    ]
    return [*([text] if say.text or not calls else []), *calls]


def _response(asked: Asked, items: list[dict[str, Any]], tokens: Tokens | None) -> dict[str, object]:
    usage = tokens and {
        "input_tokens": tokens.input,
        "input_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": 0},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": tokens.input + tokens.output,
    }
    return {
        "id": f"resp_{asked.number}",
        "object": "response",
        "created_at": 1_750_000_000,
        "status": "completed" if tokens else "in_progress",
        "model": asked.model,
        "output": items,
        "usage": usage,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
    }


def _events(asked: Asked, say: Say, tokens: Tokens) -> Iterator[dict[str, object]]:
    items = _items(asked, say)
    yield {"type": "response.created", "response": _response(asked, [], None)}
    for index, item in enumerate(items):
        place = {"item_id": item["id"], "output_index": index}
        empty: dict[str, object] = {"content": []} if item["type"] == "message" else {"arguments": ""}
        opened = {**item, **empty, "status": "in_progress"}
        yield {"type": "response.output_item.added", "output_index": index, "item": opened}
        yield from _message_parts(place, item) if item["type"] == "message" else _argument_parts(place, item)
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": "response.completed", "response": _response(asked, items, tokens)}


def _message_parts(place: Mapping[str, object], item: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    part = item["content"][0]
    kind, text = ("refusal", part["refusal"]) if "refusal" in part else ("output_text", part["text"])
    key = "refusal" if kind == "refusal" else "text"
    here = {**place, "content_index": 0}
    yield {"type": "response.content_part.added", **here, "part": {**part, key: ""}}
    for piece in pieces(text):
        yield {"type": f"response.{kind}.delta", **here, "delta": piece, "logprobs": []}
    yield {"type": f"response.{kind}.done", **here, key: text, "logprobs": []}
    yield {"type": "response.content_part.done", **here, "part": part}


def _argument_parts(place: Mapping[str, object], item: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    for piece in pieces(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", **place, "delta": piece}
    done = {"name": item["name"], "arguments": item["arguments"]}
    yield {"type": "response.function_call_arguments.done", **place, **done}


def whole(asked: Asked, say: Say, tokens: Tokens) -> dict[str, object]:
    """The body of an answer that is not streamed."""
    return _response(asked, _items(asked, say), tokens)


def events(asked: Asked, say: Say, tokens: Tokens) -> Iterator[bytes]:
    """The same answer as server-sent events."""
    for number, found in enumerate(_events(asked, say, tokens)):
        yield event({**found, "sequence_number": number})
