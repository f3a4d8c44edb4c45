"""Whether Green may have more traffic: pass, fail or inconclusive, from what was seen. Pure; what is not known never passes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import assert_never

from callboard.agents.deployment import rates, reading
from callboard.agents.deployment.latency import latency
from callboard.agents.deployment.plan import Analysis, AnalysisPlan, Judgement, Metric
from callboard.agents.deployment.samples import Reading, Sample

_ORDER = ("fail", "inconclusive", "pass")


def analyse(
    plan: AnalysisPlan,
    blue: str | None,
    green: str,
    samples: Sequence[Sample],
    now: float,
    readings: Sequence[Reading] = (),
) -> Analysis:
    """Judge Green by everything that was seen since the watch began.

    Args:
        blue: The release that serves; None = there is none, so nothing is compared.
        samples: Of both, in any order. What cannot be (no finite time, or from the future) counts for nothing.
        now: By the clock of the samples.
    """
    seen = [one for one in samples if _can_be(one, now)]
    judged = [(metric, _judged(plan, metric, blue, green, seen, now, readings)) for metric in plan.metrics]
    if not judged:
        return Analysis("inconclusive", ("nothing is measured: the plan names no metric",), {})
    judged.sort(key=lambda one: _ORDER.index(one[1].outcome))
    return Analysis(
        outcome=judged[0][1].outcome,
        reasons=tuple(f"{metric.name}: {judgement.reason}" for metric, judgement in judged),
        numbers={
            f"{metric.name}.{key}": value
            for metric, judgement in judged
            for key, value in judgement.numbers.items()
            if math.isfinite(value)
        },
    )


def _can_be(sample: Sample, now: float) -> bool:
    return math.isfinite(sample.at) and sample.at <= now and math.isfinite(sample.seconds) and sample.seconds >= 0


def _judged(
    plan: AnalysisPlan,
    metric: Metric,
    blue: str | None,
    green: str,
    samples: Sequence[Sample],
    now: float,
    readings: Sequence[Reading],
) -> Judgement:
    match metric.kind:
        case "health":
            return rates.health(plan, green, samples, now)
        case "error-rate":
            return rates.errors(plan, blue, green, samples, now)
        case "latency":
            return latency(plan, blue, green, samples, now)
        case "saturation" | "log" | "command" | "prometheus":
            return reading.judged(plan, metric, readings, now)
    assert_never(metric.kind)
