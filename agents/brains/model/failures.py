"""Why a model call brought no reply, in our own words."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelRequestTimeout,
    ModelServerError,
    ModelTimeoutError,
    ModelUnavailableError,
)

from callboard.agents.brains.answer import plain
from callboard.agents.brains.model.resets import wait_s
from callboard.bus.errors import CallFailed, CallFailure

TOO_LONG = re.compile(
    r"(?:prompt|input|request) (?:is|was) too (?:long|large)|context (?:length|limit|size|window)|HTTP 413",
    re.IGNORECASE,
)
"""How Anthropic, OpenAI, vLLM and llama.cpp say that a request is longer than the model takes."""
MAX_REASON = 500
"""Characters of what a provider says."""


def failed(model: str, error: Exception) -> CallFailed:
    """The failure of a call to a model that callboard.toml names."""
    cause = _cause(error)
    return CallFailed(
        f"the call to model {model} failed: {_said(error)}",
        model=model,
        cause=cause,
        retry_after_s=_retry_after_s(error),
        is_free=_is_free(cause, error),
    )


def _said(error: Exception) -> str:
    """What the provider says, without the wrapping of two libraries."""
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else None
    text = inner.get("message") if isinstance(inner, dict) else None
    status = f"HTTP {error.status_code} " if isinstance(error, ModelHTTPError) else ""
    return plain(status + (text if isinstance(text, str) and text else str(error)), MAX_REASON)


def _cause(error: Exception) -> CallFailure:
    match error:
        case ModelContextWindowExceededError():
            return "too_long"
        case ModelHTTPError(status_code=400 | 413 | 422) if TOO_LONG.search(_said(error)):
            return "too_long"
        case ModelRateLimitError():
            return "rate_limit"
        case ModelQuotaExceededError():
            return "quota"
        case ModelUnavailableError() | ModelServerError():
            return "unavailable"
        case ModelTimeoutError() | ModelRequestTimeout():
            return "timeout"
        case ModelConnectionError():
            return "unreachable"
        case ModelAuthenticationError() | ModelNotFoundError():
            return "denied"
        case ModelRequestRejectedError():
            return "rejected"
        case _:
            return "unreadable"


def _retry_after_s(error: Exception) -> float | None:
    """As the headers say; else as the body does, which pydantic-ai reads."""
    headers = error.headers if isinstance(error, ModelHTTPError) else None
    found = wait_s(headers or {}, datetime.now(UTC))
    return getattr(error, "retry_after", None) if found is None else found


def _is_free(cause: CallFailure, error: Exception) -> bool:
    """True if the provider cannot have charged for it: it refused the request, or never got it."""
    if isinstance(error, ModelAPIError) and error.in_stream:
        return False
    if isinstance(error, ModelConnectionError):
        return error.phase in ("pool", "connect")
    return cause in ("rate_limit", "quota", "unavailable", "denied", "rejected", "too_long")
