"""Spans as OTLP writes them. Imports protobuf, so only whoever sends anything imports this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2 as trace

from callboard.agents.settings import HANDS, MANAGER
from callboard.telemetry.spans import Span, Value

SAMPLED = 1


def encoded(spans: Sequence[Span], resource: Mapping[str, str]) -> bytes:
    """The body of one request.

    Args:
        resource: What is said of every process; its own name is `service.instance.id`.
    """
    scope = InstrumentationScope(name="callboard", version=version("callboard"))
    of = dict[str, list[Span]]()
    for span in spans:
        of.setdefault(MANAGER if span.agent in HANDS else span.agent, []).append(span)
    body: bytes = ExportTraceServiceRequest(
        resource_spans=[
            trace.ResourceSpans(
                resource=Resource(attributes=_attributes({"service.instance.id": process, **resource})),
                scope_spans=[trace.ScopeSpans(scope=scope, spans=map(_span, its))],
            )
            for process, its in of.items()
        ]
    ).SerializeToString()
    return body


def _span(span: Span) -> trace.Span:
    return trace.Span(
        trace_id=bytes.fromhex(span.trace),
        span_id=bytes.fromhex(span.id),
        parent_span_id=bytes.fromhex(span.parent),
        flags=SAMPLED,
        name=span.name,
        kind=trace.Span.SPAN_KIND_CLIENT if span.kind == "client" else trace.Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=_nanoseconds(span.begins),
        end_time_unix_nano=_nanoseconds(span.ends),
        attributes=_attributes({**span.attributes, **({"error.type": span.error} if span.error else {})}),
        status=trace.Status(code=trace.Status.STATUS_CODE_ERROR) if span.error else None,
    )


def _attributes(of: Mapping[str, Value]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in of.items()]


def _value(value: Value) -> AnyValue:
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value)


def _nanoseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000) * 1_000
