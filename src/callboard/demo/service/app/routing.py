"""Which function answers which request."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from app.store import Links


@dataclass(frozen=True)
class Request:
    query: str
    body: bytes
    links: Links

    def json(self) -> dict[str, object]:
        """The body as a JSON object; empty when it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class Answer:
    status: int
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


Handle = Callable[..., Answer]
ROUTES: list[tuple[str, re.Pattern[str], Handle]] = []


def route(method: str, pattern: str) -> Callable[[Handle], Handle]:
    """Register a function; `{name}` in the pattern becomes its argument `name`."""

    def register(handle: Handle) -> Handle:
        ROUTES.append((method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)), handle))
        return handle

    return register


def find(method: str, path: str) -> tuple[Handle, dict[str, str]] | None:
    for wanted, pattern, handle in ROUTES:
        match = pattern.fullmatch(path)
        if wanted == method and match:
            return handle, match.groupdict()
    return None
