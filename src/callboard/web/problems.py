"""Errors as RFC 9457 has them: `application/problem+json`, with a sentence that says what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from loguru import logger
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from callboard.bus.errors import (
    BusUnavailable,
    CallboardError,
    CommandRefused,
    ConfigError,
    InboxFull,
    LedgerError,
    NotAllowed,
    TooLarge,
)
from callboard.bus.redaction import Redactor

MEDIA_TYPE = "application/problem+json"
_STATUSES: tuple[tuple[type[CallboardError], int], ...] = (
    (CommandRefused, 409),
    (NotAllowed, 403),
    (TooLarge, 413),
    (InboxFull, 503),
    (BusUnavailable, 503),
    (LedgerError, 503),
    (ConfigError, 422),
)
"""What an error of the core is to whoever asks; all others are 409: it cannot be done as things stand."""
RETRY_S = "5"


class Fault(BaseModel):
    """One thing that is wrong with what was sent."""

    at: str
    """Where: `body.run.safety_profile`, `query.status`."""
    message: str


class Problem(BaseModel):
    """What every error is answered with."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"title": "Problem"})

    type: str = "about:blank"
    title: Annotated[str, Field(description="The status in words.")]
    status: int
    detail: Annotated[str, Field(description="What was tried, and what to do next.")]
    faults: Annotated[list[Fault], Field(description="Status 422: each thing that is wrong.")] = []


class Refused(Exception):
    """A request that is not done; the handler below tells it.

    Args:
        fields: More of the answer's fields, such as both states of an illegal move.
    """

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **fields: str | int
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.fields = fields


def problem(
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    faults: tuple[Fault, ...] = (),
    fields: Mapping[str, str | int] | None = None,
) -> Response:
    """The answer to a request that is not done."""
    more = dict(headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        more["WWW-Authenticate"] = 'Bearer realm="callboard"'
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, faults=list(faults))
    content = body.model_dump(exclude_defaults=False) | dict(fields or {})
    if not faults:
        del content["faults"]
    return JSONResponse(content, status, headers=more, media_type=MEDIA_TYPE)


def status_of(error: CallboardError) -> int:
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 409)


def add_handlers(app: FastAPI, redactor: Redactor) -> None:
    """Have every error told as a problem, without secrets."""

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        detail = redactor.text(error.detail)
        return problem(error.status, detail, headers=error.headers, fields=error.fields)

    async def of_http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem(error.status_code, _said(error), headers=error.headers)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = tuple(
            Fault(at=".".join(map(str, one["loc"])), message=redactor.text(str(one["msg"]))) for one in error.errors()
        )
        first = "; ".join(f"{fault.at}: {fault.message}" for fault in faults[:3])
        is_body = any(fault.at == "body" for fault in faults) and "json" not in request.headers.get("content-type", "")
        way_out = "; send it with `Content-Type: application/json`" if is_body else ""
        return problem(422, f"the request cannot be read as it is: {first}{way_out}", faults=faults)

    async def of_core(_: Request, error: Exception) -> Response:
        assert isinstance(error, CallboardError)
        status = status_of(error)
        headers = {"Retry-After": RETRY_S} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
        return problem(status, redactor.text(str(error)), headers=headers)

    async def of_several(request: Request, error: Exception) -> Response:
        """A TaskGroup wraps what failed in it; several at once are told by the first."""
        assert isinstance(error, ExceptionGroup)
        known = _first(error)
        return await (of_core(request, known) if known else unforeseen(request, error))

    async def unforeseen(request: Request, error: Exception) -> Response:
        logger.opt(exception=error).error("request failed", path=request.url.path)
        return problem(500, "this was not foreseen; the server's log has more")

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(CallboardError, of_core)
    app.add_exception_handler(ExceptionGroup, of_several)
    app.add_exception_handler(Exception, unforeseen)


def _first(group: BaseExceptionGroup[BaseException]) -> CallboardError | None:
    for one in group.exceptions:
        found = one if isinstance(one, CallboardError) else None
        if isinstance(one, BaseExceptionGroup):
            found = _first(one)
        if found is not None:
            return found
    return None


def _said(error: HTTPException) -> str:
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return "there is nothing at this address; /docs lists what there is"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return "this address takes other methods; /docs lists them"
        case _:
            return str(error.detail)
