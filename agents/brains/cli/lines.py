"""Reads single lines that a program printed, which may hold anything: nothing in them raises, nothing is believed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from callboard.agents.brains.budget import MAX_TOKENS, Usage
from callboard.agents.brains.cli.adapter import Cause

_RATE_LIMIT = re.compile(r"\b429\b|rate.?limit|usage limit|hit your limit|too many requests|quota", re.IGNORECASE)
_PROVIDER = re.compile(
    r"\b5(?:00|02|03|04|29)\b|overloaded|high demand|stream disconnected|error sending request|connection (?:error|refused|failed)"
    r"|fetch failed|unable to connect|name resolution|timed out",
    re.IGNORECASE,
)


def read_mapping(line: str) -> Mapping[str, object]:
    """The JSON object on a line; empty for anything else."""
    if not line.lstrip().startswith("{"):
        return {}
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def at(value: object, *keys: str) -> object:
    """What lies at a path of keys; None where it ends before."""
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def text_at(value: object, *keys: str) -> str:
    """The text at a path of keys, without half characters; "" where there is none."""
    found = at(value, *keys)
    return found.encode("utf-8", "replace").decode() if isinstance(found, str) else ""


def items_at(value: object, *keys: str) -> list[object]:
    found = at(value, *keys)
    return found if isinstance(found, list) else []


def tokens_at(value: object, *keys: str) -> int:
    """The number of tokens at a path of keys; 0 for what cannot be one."""
    found = at(value, *keys)
    is_number = isinstance(found, int) and not isinstance(found, bool)
    return found if is_number and isinstance(found, int) and 0 <= found <= MAX_TOKENS else 0


def time_at(value: object, *keys: str) -> datetime | None:
    """The time at a path of keys, in seconds since 1970; None for what cannot be one."""
    found = at(value, *keys)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 1e9 < found < 1e10:
        return None
    return datetime.fromtimestamp(found, UTC)


def anthropic_usage(value: object) -> Usage:
    """Anthropic counts cached tokens beside the input; here they are part of it."""
    read, written = tokens_at(value, "cache_read_input_tokens"), tokens_at(value, "cache_creation_input_tokens")
    return Usage(
        input_tokens=tokens_at(value, "input_tokens") + read + written,
        output_tokens=tokens_at(value, "output_tokens"),
        cached_tokens=read,
        cache_write_tokens=written,
    )


def openai_usage(value: object, cached: str) -> Usage:
    """OpenAI counts cached tokens as part of the input.

    Args:
        cached: The key of the cached ones.
    """
    given = tokens_at(value, "input_tokens")
    return Usage(given, tokens_at(value, "output_tokens"), min(tokens_at(value, cached), given))


def cause_of(text: str, status: object = None) -> Cause:
    """Why a provider did not answer, from a status or from words.

    Args:
        status: The HTTP status, where the program gives one; it counts for more than words.
    """
    if isinstance(status, int) and not isinstance(status, bool):
        return "rate_limit" if status == 429 else "provider" if status >= 500 else ""
    head = text[:2_000]
    return "rate_limit" if _RATE_LIMIT.search(head) else "provider" if _PROVIDER.search(head) else ""
