"""Posts spans to a collector. Imports an HTTP client, so only whoever sends anything imports this."""

from __future__ import annotations

import gzip
import ssl
import time
from collections.abc import Sequence
from typing import Self

import httpx2

from callboard.bus.errors import ConfigError
from callboard.telemetry.destination import Destination
from callboard.telemetry.otlp import encoded
from callboard.telemetry.spans import Span

MOST_READ = 64 * 1024
"""Bytes of an answer; a collector's has a few."""
ANSWERS = ("application/x-protobuf", "application/json")
"""What a collector speaks; a page that answers 200 to everything has not taken them."""


class Sender:
    """One connection, which is opened anew whenever it breaks.

    Args:
        project: Whose runs they are.

    Raises:
        ConfigError: A certificate cannot be used.
    """

    def __init__(self, to: Destination, *, project: str) -> None:
        self._to = to
        self._resource = {"service.name": "callboard", "service.namespace": project, **to.resource}
        self._client = httpx2.Client(verify=_trust(to), timeout=to.timeout_s, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def send(self, spans: Sequence[Span]) -> str:
        """ "" when the collector took them, else why not; within about the timeout."""
        body = encoded(spans, self._resource)
        headers = {**self._to.headers, "content-type": "application/x-protobuf"}
        if self._to.zips:
            body, headers["content-encoding"] = gzip.compress(body), "gzip"
        try:
            with self._client.stream("POST", self._to.url, content=body, headers=headers) as answer:
                self._read(answer)
                return _judged(answer)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            return f"{type(error).__name__}"

    def _read(self, answer: httpx2.Response) -> None:
        """To its end, so that the connection lives; no more and no longer than a collector needs."""
        read, until = 0, time.monotonic() + self._to.timeout_s
        for part in answer.iter_raw():
            read += len(part)
            if read > MOST_READ or time.monotonic() > until:
                return


def _judged(answer: httpx2.Response) -> str:
    if not answer.is_success:
        return f"it answers {answer.status_code}"
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind not in ANSWERS:
        return "it answers with something that no collector says; is this its address?"
    return ""


def _trust(to: Destination) -> ssl.SSLContext | bool:
    if not to.certificate and not to.client[0]:
        return True
    try:
        context = ssl.create_default_context(cafile=to.certificate or None)
        if to.client[0]:
            context.load_cert_chain(to.client[0], to.client[1] or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"traces: a file of OTEL_EXPORTER_OTLP_CERTIFICATE, ..._CLIENT_CERTIFICATE or ..._CLIENT_KEY cannot be used: {error}"
        ) from error
    return context
