"""Reads what a program or a model printed: hostile until it has been parsed."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from callboard.bus.errors import BrainError

MAX_JSON = 1_000_000
"""Characters of JSON that are looked at; more than a verdict or a result ever needs."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")


def plain(text: str, limit: int) -> str:
    """The text as it may be shown to people: no terminal escapes, control characters or half characters, and cut.

    Args:
        text: Anything a brain said.
        limit: The most characters to keep; the end is cut, and said so.
    """
    head = text[: limit * 2 + 1000].replace("\r\n", "\n").encode("utf-8", "replace").decode()
    clean = _CONTROL.sub("", _ESCAPES.sub("", head)).strip()
    return clean if len(clean) <= limit else clean[: max(limit - 2, 0)] + " …"


def last_line(output: bytes) -> str:
    """The last line that is not blank; "" when there is none, or it is too long to be an answer."""
    end = output.rstrip()
    line = end[end.rfind(b"\n") + 1 :]
    return "" if len(line) > MAX_JSON else line.decode("utf-8", "replace").strip()


def read_object(text: str) -> dict[str, object]:
    """Read one JSON object.

    Raises:
        BrainError: It is not one JSON object, is over `MAX_JSON` characters, nests too deeply, holds half a character, or
            names a key twice (which of the two a reader takes is chance).
    """
    if len(text) > MAX_JSON:
        raise BrainError(f"expected a JSON object, got {len(text)} characters; {MAX_JSON} is the most that is read")
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()  # a half character could be read, and never be sent on
    except (ValueError, RecursionError) as error:
        raise BrainError(f"expected a JSON object, got {plain(text, 80)!r} ({plain(str(error), 120)})") from error
    if not isinstance(value, dict):
        raise BrainError(f"expected a JSON object, got {type(value).__name__}: {plain(text, 80)!r}")
    return value


Shape = TypeVar("Shape", bound=BaseModel)


def read_shape(text: str, shape: type[Shape]) -> Shape:
    """Read an answer: the whole text, or its last line, is one JSON object of this shape.

    Raises:
        BrainError: It is not; the message says every mistake with its place, for whoever gave it.
    """
    try:
        found = read_object(text.strip())
    except BrainError:
        found = read_object(last_line(text.encode("utf-8", "replace")))
    try:
        return shape.model_validate_json(json.dumps(found))
    except ValidationError as error:
        raise BrainError(f"the answer cannot be read: {explained(error)}") from error


def explained(error: ValidationError) -> str:
    """Every mistake with its place."""
    mistakes = error.errors(include_url=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, mistake['loc'])) or 'it'}: {mistake['msg']}" for mistake in mistakes[:10])


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
