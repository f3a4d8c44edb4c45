"""Metrics as Prometheus reads them: text format 0.0.4. Numbers are whole or decimal, and are written out as they are.

The writer of `prometheus-client` makes a float of every number, and money is none (decision 0047).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Number = int | Decimal


@dataclass(frozen=True, slots=True)
class Sample:
    value: Number
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric with its samples; a counter's name ends in `_total`."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    samples: tuple[Sample, ...]


def written(metrics: Iterable[Metric]) -> str:
    """The text; a metric without samples is left out."""
    return "".join(line for metric in metrics if metric.samples for line in _lines(metric))


def _lines(metric: Metric) -> Iterable[str]:
    yield f"# HELP {metric.name} {_escaped(metric.help)}\n"
    yield f"# TYPE {metric.name} {metric.kind}\n"
    for sample in metric.samples:
        labels = ",".join(f'{name}="{_label(value)}"' for name, value in sorted(sample.labels.items()))
        yield f"{metric.name}{f'{{{labels}}}' if labels else ''} {_number(sample.value)}\n"


def _number(value: Number) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _label(text: str) -> str:
    return _escaped(text).replace('"', r"\"")
