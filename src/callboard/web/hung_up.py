"""Who hangs up amid a stream of events is no error: nothing of it is logged."""

from __future__ import annotations

from anyio import BrokenResourceError, ClosedResourceError
from starlette.types import ASGIApp, Receive, Scope, Send


class HungUp:
    """Passes all errors on but the one by which a stream says that nobody reads it any more.

    FastAPI closes the reading end of an event stream before it ends what writes to it. That fails now and then, in a group
    for which there is a handler (problems.py), and starlette makes a RuntimeError of it, since the answer has begun.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except RuntimeError as error:
            if not has_hung_up(error.__cause__):
                raise


def has_hung_up(error: BaseException | None) -> bool:
    """Whether nothing failed but writing to, or reading from, a stream that was closed."""
    if isinstance(error, BaseExceptionGroup):
        return all(has_hung_up(one) for one in error.exceptions)
    return isinstance(error, BrokenResourceError | ClosedResourceError)
