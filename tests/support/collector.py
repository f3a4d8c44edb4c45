"""A collector on loopback: takes spans as OTLP over HTTP, or is told to hang, to refuse, or to talk nonsense."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from loopback_http import Answer, LoopbackServer, Request
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status


@dataclass(frozen=True)
class Received:
    trace: str
    id: str
    parent: str
    name: str
    process: str
    """Of the resource: service.instance.id."""
    attributes: dict[str, str]
    is_error: bool
    resource: dict[str, str]


class Collector:
    """Args:
    ill: `hangs`, `garbage`, `endless` or a status; "" = it is well.
    """

    def __init__(self, ill: str = "") -> None:
        self.ill = ill
        self.spans: list[Received] = []
        self.requests: list[Request] = []
        self._server = LoopbackServer(self._answer)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    async def _answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if self.ill == "hangs":
            await asyncio.Event().wait()
        if self.ill == "garbage":
            return Answer(200, {"content-type": "text/html"}, b"\x00<html>not a collector")
        if self.ill == "endless":
            return Answer(200, {"content-type": "application/x-protobuf"}, parts=_endless())
        if self.ill:
            return Answer(int(self.ill), {"location": "/elsewhere"} if self.ill.startswith("3") else {})
        is_zipped = request.headers.get("content-encoding") == "gzip"
        self.spans += read_spans(gzip.decompress(request.body) if is_zipped else request.body)
        return Answer(200, {"content-type": "application/x-protobuf"})


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 8192


def read_spans(body: bytes) -> list[Received]:
    said = ExportTraceServiceRequest()
    said.ParseFromString(body)
    found = []
    for resource in said.resource_spans:
        of = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                attributes = {
                    pair.key: pair.value.string_value or str(pair.value.int_value) for pair in span.attributes
                }
                found.append(
                    Received(
                        span.trace_id.hex(),
                        span.span_id.hex(),
                        span.parent_span_id.hex(),
                        span.name,
                        of["service.instance.id"],
                        attributes,
                        span.status.code == Status.STATUS_CODE_ERROR,
                        of,
                    )
                )
    return found
