"""Whether Green is slower than Blue was at the same time. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from callboard.agents.deployment.plan import AnalysisPlan, Judgement
from callboard.agents.deployment.quantiles import BLOCK, Block, Ratio, ratio_interval
from callboard.agents.deployment.samples import By, Sample

ALARMS = 0.01
"""Two-sided, of the first look; each later one, at twice the samples, may raise half of that: so Green that is like Blue
is called slower in at most 1 % of all watches, however long they are."""
FEWEST_BLOCKS = 8
SEED = 0
"""The same answers are judged the same, whoever looks again."""


def latency(plan: AnalysisPlan, blue: str | None, green: str, samples: Sequence[Sample], now: float) -> Judgement:
    """Green against Blue, by users' requests where there are enough of both, else by the watch's own pairs."""
    if blue is None:
        return Judgement("pass", "there is no Blue to compare with")
    sources: tuple[By, ...] = ("user",) if plan.users_only else ("user", "pair")
    most = (0, 0)
    for by in sources:
        of_blue, of_green = _same_time(samples, blue, green, by)
        if min(len(of_blue), len(of_green)) >= plan.latency_samples:
            return _compared(plan, of_blue, of_green, now)
        most = max(most, (len(of_blue), len(of_green)), key=min)
    counts = {"blue_samples": float(most[0]), "green_samples": float(most[1])}
    said = f"{most[0]} answers of Blue and {most[1]} of Green at the same time; {plan.latency_samples:,} of each say enough"
    return Judgement("inconclusive", said, counts)


def _same_time(samples: Sequence[Sample], blue: str, green: str, by: By) -> tuple[list[Sample], list[Sample]]:
    """Answers of both while both gave some, by time. What failed is counted as an error, not as slow."""
    kept = sorted((one for one in samples if one.by == by and one.ok), key=lambda one: one.at)
    of = {name: [one for one in kept if one.release == name] for name in (blue, green)}
    if not of[blue] or not of[green]:
        return of[blue], of[green]
    begin, end = max(some[0].at for some in of.values()), min(some[-1].at for some in of.values())
    within = {name: [one for one in some if begin <= one.at <= end] for name, some in of.items()}
    return within[blue], within[green]


def _compared(plan: AnalysisPlan, blue: list[Sample], green: list[Sample], now: float) -> Judgement:
    newest = min(blue[-1].at, green[-1].at)
    if now - newest > plan.fresh_s:
        return Judgement("inconclusive", f"the newest answers of both are {now - newest:.0f} s old")
    looked, confidence = _look(plan, min(len(blue), len(green)))
    blocks = cut(blue, green, looked)
    if len(blocks) < FEWEST_BLOCKS:
        return Judgement("inconclusive", "Blue and Green do not answer at the same times")
    found = ratio_interval(blocks, confidence=confidence, seed=SEED)
    numbers = {
        "ratio": found.seen,
        "low": found.low,
        "high": found.high,
        "blue_samples": float(sum(len(one) for one, _ in blocks)),
        "green_samples": float(sum(len(other) for _, other in blocks)),
    }
    return _said(plan, found, numbers)


def _look(plan: AnalysisPlan, count: int) -> tuple[int, float]:
    """How many of the samples are looked at, and how sure to be: looks only happen when their number has doubled, since
    who looks often enough finds everything once."""
    doublings = max(0, (count // plan.latency_samples).bit_length() - 1)
    return plan.latency_samples << doublings, 1.0 - ALARMS / 2**doublings


def cut(blue: Sequence[Sample], green: Sequence[Sample], count: int) -> list[Block]:
    """Blocks of the first `count` answers of the one that has fewer, and of the other's at the same time."""
    fewer, more = (blue, green) if len(blue) <= len(green) else (green, blue)
    blocks: list[Block] = []
    at = 0
    for first in range(0, count - BLOCK + 1, BLOCK):
        of_fewer = fewer[first : first + BLOCK]
        begin = at
        while at < len(more) and more[at].at <= of_fewer[-1].at:
            at += 1
        of_more = more[begin:at]
        if len(of_more) >= BLOCK // 2:
            one, other = [one.seconds for one in of_fewer], [one.seconds for one in of_more]
            blocks.append((one, other) if fewer is blue else (other, one))
    return blocks


def _said(plan: AnalysisPlan, found: Ratio, numbers: dict[str, float]) -> Judgement:
    said = f"Green's p95 is {found.seen:.2f} times Blue's ({found.low:.2f} to {found.high:.2f})"
    if found.low > plan.fails_above and found.least > 1.0:
        return Judgement("fail", said, numbers)
    if found.high < plan.max_p95_ratio:
        return Judgement("pass", said, numbers)
    return Judgement("inconclusive", f"{said}, which says neither", numbers)
