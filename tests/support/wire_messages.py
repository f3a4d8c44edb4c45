"""Anthropic's `/v1/messages`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from model_wire import Asked, Say, Tokens, ToolCall, event, pieces


def _blocks(asked: Asked, say: Say) -> list[dict[str, object]]:
    blocks: list[dict[str, object]] = [{"type": "text", "text": say.text}] if say.text else []
    for number, call in enumerate(say.calls):
        name = f"toolu_{asked.number}_{number}"
        blocks.append({"type": "tool_use", "id": name, "name": call.name, "input": _object(call)})
    return blocks


def _object(call: ToolCall) -> object:
    try:
        return json.loads(call.json)
    except ValueError:
        return call.json


def _usage(tokens: Tokens) -> dict[str, int]:
    return {
        "input_tokens": tokens.input - tokens.cached,
        "output_tokens": tokens.output,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": tokens.cached,
    }


def whole(asked: Asked, say: Say, tokens: Tokens) -> dict[str, object]:
    """The body of an answer that is not streamed."""
    reason = "refusal" if say.refuses else "tool_use" if say.calls else "end_turn"
    return {
        "id": f"msg_{asked.number}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": _blocks(asked, say),
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": _usage(tokens),
    }


def _events(asked: Asked, say: Say, tokens: Tokens) -> Iterator[dict[str, object]]:
    done = whole(asked, say, tokens)
    usage = _usage(tokens)
    begun = {**done, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield {"type": "message_start", "message": begun}
    texts = [say.text] if say.text else []
    for index, block in enumerate(_blocks(asked, say)):
        is_text = block["type"] == "text"
        opened = {**block, "text": ""} if is_text else {**block, "input": {}}
        yield {"type": "content_block_start", "index": index, "content_block": opened}
        for part in pieces(say.text if is_text else say.calls[index - len(texts)].json):
            delta = (
                {"type": "text_delta", "text": part} if is_text else {"type": "input_json_delta", "partial_json": part}
            )
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    end: dict[str, object] = {"stop_reason": done["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": tokens.output}}
    yield {"type": "message_stop"}


def events(asked: Asked, say: Say, tokens: Tokens) -> Iterator[bytes]:
    """The same answer as server-sent events."""
    return map(event, _events(asked, say, tokens))
