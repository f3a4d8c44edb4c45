"""One number from a Prometheus server; everything else than exactly one is NaN and why."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlencode, urlsplit

from callboard.agents.deployment.analysis_settings import MetricSettings
from callboard.agents.deployment.samples import Value
from callboard.agents.deployment.target import Release

MOST_BYTES = 1_000_000
"""Of an answer; one number needs a few hundred."""
STALE_S = 300.0
"""As old as Prometheus lets a value become before it says none; an older time is no time of now."""


class Prometheus:
    """An instant query (`/api/v1/query`), about Green."""

    def __init__(
        self, own: MetricSettings, green: Release, environ: Mapping[str, str], clock: Callable[[], float]
    ) -> None:
        self._own, self._clock = own, clock
        self._token = environ.get(own.token_env, "") if own.token_env else None
        self._query = asked(own.query, green)

    def read(self) -> Value:
        if self._token == "":
            return math.nan, f"{self._own.token_env} is not set"
        parts = urlsplit(self._own.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self._own.timeout_s)
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            connection.request("GET", f"{parts.path}/api/v1/query?{urlencode({'query': self._query})}", headers=headers)
            with connection.getresponse() as response:
                return read_answer(response.status, response.read(MOST_BYTES), self._clock())
        except (OSError, HTTPException) as error:
            return math.nan, f"{parts.hostname} does not answer: {error}"
        finally:
            connection.close()


def asked(query: str, green: Release) -> str:
    """The query about one release."""
    for word, value in (("{release}", green.id), ("{commit}", green.commit), ("{slot}", green.slot)):
        query = query.replace(word, value)
    return query


def read_answer(status: int, body: bytes, now: float) -> Value:
    """The number in an answer, or NaN and why there is none."""
    try:
        said = json.loads(body)
    except ValueError:
        return math.nan, f"Prometheus answered {status} and no JSON"
    if not isinstance(said, dict) or said.get("status") != "success":
        reason = said.get("error", "") if isinstance(said, dict) else ""
        return math.nan, f"Prometheus answered {status}: {str(reason)[:200]}"
    data = said.get("data")
    kind, result = (data.get("resultType"), data.get("result")) if isinstance(data, dict) else (None, None)
    if kind == "vector" and isinstance(result, list):
        if len(result) != 1:
            return math.nan, f"the query gives {len(result)} series" + (
                "" if result else ": is its metric's name right?"
            )
        result = result[0].get("value") if isinstance(result[0], dict) else None
    elif kind != "scalar":
        return math.nan, f"the query gives a {kind}; one number is wanted"
    return _number(result, now)


def _number(value: object, now: float) -> Value:
    if not isinstance(value, list) or len(value) != 2:
        return math.nan, "the answer holds no value"
    at, number = value
    try:
        at_s, found = float(at), float(number)
    except (TypeError, ValueError):
        return math.nan, "the answer holds no value"
    if not math.isfinite(found):
        return math.nan, f"the value is {number}"
    if not abs(now - at_s) <= STALE_S:
        return math.nan, f"the value is {now - at_s:.0f} s old"
    return found, ""
