"""The types of the fixtures `go` and `connect` of tests/integration/conftest.py."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Protocol, TypeVar

from callboard.bus.bus import Bus

T = TypeVar("T")


class Go(Protocol):
    """Runs a coroutine to its end."""

    def __call__(self, work: Coroutine[object, object, T], /) -> T: ...


class Connect(Protocol):
    """Gives a Bus of the test's run; "" = on the shared server."""

    async def __call__(self, url: str = "", *, patience_s: float = 60.0) -> Bus: ...
