"""Has a real model say what the loopback model server answers, in any of its three formats, and enforces demanded schemas.

llama.cpp's own server speaks all three too, but heeds a schema in `/v1/chat/completions` alone: there everything is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.request import Request, urlopen

from model_wire import Asked, Say, Tokens

LONGEST = 40
"""Characters of a free text: a small model fills what it is given, and each character costs as much as the verdict."""
MOST = 1
"""Entries of a list."""
HIGHEST = 99
"""Of a number: Anthropic's client turns a schema's limits into prose, and a small model writes digits without end."""
LATEST_S = 900.0
"""A machine that is busy otherwise takes minutes for what takes seconds."""


def answering(url: str) -> Callable[[Asked], Say]:
    """What `ModelServer` replies with: the model behind a llama.cpp server, asked with the schema that was sent.

    Raises:
        KeyError: A request demands no schema; nothing else is answered.
    """

    def reply(asked: Asked) -> Say:
        asks = Request(f"{url}/v1/chat/completions", json.dumps(request(asked)).encode())
        with urlopen(asks, timeout=LATEST_S) as answer:
            given = json.load(answer)
        usage = given["usage"]
        cost = Tokens(usage["prompt_tokens"], usage["completion_tokens"])
        return Say(given["choices"][0]["message"]["content"], cost=cost)

    return reply


def request(asked: Asked) -> dict[str, object]:
    """The same question for `/v1/chat/completions`, whose answer is the same whenever it is asked."""
    turns = [{"role": "system", "content": asked.instructions}, {"role": "user", "content": asked.prompt}]
    return {
        "messages": turns,
        "temperature": 0,
        "seed": 1,
        # what is left of an earlier question changes the last digits, and with them words
        "cache_prompt": False,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": brief(demanded(asked))},
        },
    }


def demanded(asked: Asked) -> Mapping[str, Any]:
    """The schema that the answer must follow, from where the format has it.

    Raises:
        KeyError: There is none.
    """
    body = asked.body
    match asked.format:
        case "messages":
            schema: Mapping[str, Any] = body["output_config"]["format"]["schema"]
        case "chat":
            schema = body["response_format"]["json_schema"]["schema"]
        case "responses":
            schema = body["text"]["format"]["schema"]
    return schema


def brief(schema: Any) -> Any:
    """A schema that allows less than the given one: short texts, short lists, small numbers."""
    if isinstance(schema, list):
        return [brief(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    shorter = {key: brief(value) for key, value in schema.items()}
    if schema.get("type") == "string" and not {"enum", "const"} & schema.keys():
        shorter["maxLength"] = min(schema.get("maxLength", LONGEST), LONGEST)
    if schema.get("type") == "array":
        shorter["maxItems"] = min(schema.get("maxItems", MOST), MOST)
    if schema.get("type") == "integer":
        shorter |= {"minimum": 0, "maximum": min(schema.get("maximum", HIGHEST), HIGHEST)}
    return shorter
