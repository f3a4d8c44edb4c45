"""What a value says that was read elsewhere: of a process, a log, a command, Prometheus. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from callboard.agents.deployment.plan import AnalysisPlan, Judgement, Metric
from callboard.agents.deployment.samples import Reading


def judged(plan: AnalysisPlan, metric: Metric, readings: Sequence[Reading], now: float) -> Judgement:
    """Only the newest counts, and only while it is fresh."""
    own = [one for one in readings if one.metric == metric.name and math.isfinite(one.at) and one.at <= now]
    if not own:
        return Judgement("inconclusive", "nothing was read")
    newest = max(own, key=lambda one: one.at)
    if not math.isfinite(newest.value):
        return Judgement("inconclusive", f"no value: {newest.said or 'not a number'}")
    numbers = {"value": newest.value}
    if now - newest.at > plan.fresh_s:
        return Judgement("inconclusive", f"the newest value is {now - newest.at:.0f} s old", numbers)
    if metric.least is None and metric.most is None:
        return Judgement("inconclusive", "no limit says what is good", numbers)
    if metric.most is not None and newest.value > metric.most:
        return Judgement("fail", f"{newest.value:g} is more than {metric.most:g}{_said(newest)}", numbers)
    if metric.least is not None and newest.value < metric.least:
        return Judgement("fail", f"{newest.value:g} is less than {metric.least:g}{_said(newest)}", numbers)
    return Judgement("pass", f"{newest.value:g}{_said(newest)}", numbers)


def _said(reading: Reading) -> str:
    return f" ({reading.said})" if reading.said else ""
