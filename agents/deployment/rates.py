"""Whether Green answers, and how often it answers with an error. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from callboard.agents.deployment.plan import AnalysisPlan, Judgement
from callboard.agents.deployment.samples import Sample

SURE = 3.29
"""Standard errors: a rate that is only so by chance passes it once in 2,000 looks."""
FLAPS = 3
"""So many times from good to bad is flapping."""
FEWEST_ERRORS = 3
"""One or two errors are no rate."""
NO_SHARE = 500
"""Users' requests that Blue may get before it is odd that Green gets none: at a weight of 1 % that is 1 in 150."""


def health(plan: AnalysisPlan, green: str, samples: Sequence[Sample], now: float) -> Judgement:
    """By the probes of Green, in the order of their time."""
    probes = sorted((one for one in samples if one.release == green and one.by == "probe"), key=lambda one: one.at)
    bad = sum(not one.ok for one in probes)
    numbers = {"probes": float(len(probes)), "bad": float(bad)}
    if not probes:
        return Judgement("inconclusive", "no probe was answered or failed", numbers)
    last = probes[-plan.bad_probes :]
    if len(last) == plan.bad_probes and not any(one.ok for one in last):
        return Judgement(
            "fail", f"{plan.bad_probes} probes in a row failed, the last with {_status(last[-1])}", numbers
        )
    falls = sum(before.ok and not after.ok for before, after in pairwise(probes))
    if falls >= FLAPS:
        return Judgement("fail", f"it flaps: {falls} times from good to bad in {len(probes)} probes", numbers)
    if now - probes[-1].at > plan.fresh_s:
        return Judgement("inconclusive", f"the newest probe is {now - probes[-1].at:.0f} s old", numbers)
    if len(probes) < plan.min_probes:
        return Judgement("inconclusive", f"{len(probes)} probes were made, {plan.min_probes} are needed", numbers)
    if not all(one.ok for one in probes[-plan.min_probes :]):
        return Judgement("inconclusive", f"one of the last {plan.min_probes} probes failed", numbers)
    return Judgement("pass", f"{len(probes) - bad} of {len(probes)} probes were good", numbers)


def errors(plan: AnalysisPlan, blue: str | None, green: str, samples: Sequence[Sample], now: float) -> Judgement:
    """Green's share of errors, over the whole watch and over its last two intervals, so that a long good time hides nothing."""
    counted = [one for one in samples if one.by == "user" or not plan.users_only]
    of_green = [one for one in counted if one.release == green]
    of_blue = [one for one in counted if one.release == blue]
    recent = now - 2 * plan.interval_s
    bad = sum(not one.ok for one in of_green)
    numbers = {"requests": float(len(of_green)), "bad": float(bad)}
    spans = (
        (of_blue, of_green),
        ([one for one in of_blue if one.at >= recent], [one for one in of_green if one.at >= recent]),
    )
    for before, after in spans:
        found = _too_many(plan, before, after)
        if found:
            return Judgement("fail", found, numbers)
    return _enough(plan, of_blue, of_green, bad, numbers, now)


def _enough(
    plan: AnalysisPlan, blue: Sequence[Sample], green: Sequence[Sample], bad: int, numbers: dict[str, float], now: float
) -> Judgement:
    users = sum(one.by == "user" for one in green)
    if not users and sum(one.by == "user" for one in blue) >= NO_SHARE:
        return Judgement("inconclusive", "users' requests reach Blue and none reaches Green", numbers)
    if len(green) < plan.min_samples:
        who = "users' requests" if plan.users_only else "requests"
        return Judgement("inconclusive", f"{len(green)} {who} were seen, {plan.min_samples} are needed", numbers)
    newest = max(one.at for one in green)
    if now - newest > plan.fresh_s:
        return Judgement("inconclusive", f"the newest request is {now - newest:.0f} s old", numbers)
    said = f"{bad} of {len(green)} requests failed"
    if bad > plan.max_error_rate * len(green):
        return Judgement("inconclusive", f"{said}, more than {plan.max_error_rate:.1%} and not surely worse", numbers)
    return Judgement("pass", said, numbers)


def _too_many(plan: AnalysisPlan, blue: Sequence[Sample], green: Sequence[Sample]) -> str:
    """Why Green surely has too many errors; "" = that is not sure, or Blue surely has them at the same time just so."""
    bad, bad_blue = sum(not one.ok for one in green), sum(not one.ok for one in blue)
    if not _is_surely_bad(plan, bad, len(green)):
        return ""
    if _is_surely_bad(plan, bad_blue, len(blue)) and not _is_worse(bad, len(green), bad_blue, len(blue)):
        return ""
    against = f", {bad_blue} of {len(blue)} of Blue's" if blue else ""
    return f"{bad} of {len(green)} requests failed{against}; at most {plan.max_error_rate:.1%} may"


def _is_surely_bad(plan: AnalysisPlan, bad: int, count: int) -> bool:
    return bad >= FEWEST_ERRORS and lowest_rate(bad, count) > plan.max_error_rate


def lowest_rate(bad: int, count: int) -> float:
    """The lower end of Wilson's interval."""
    if not count:
        return 0.0
    share, square = bad / count, SURE**2 / count
    spread = SURE * math.sqrt(share * (1 - share) / count + square / (4 * count))
    return max(0.0, (share + square / 2 - spread) / (1 + square))


def _is_worse(bad: int, count: int, bad_blue: int, count_blue: int) -> bool:
    """A pooled test of two shares."""
    pooled = (bad + bad_blue) / (count + count_blue)
    error = math.sqrt(pooled * (1 - pooled) * (1 / count + 1 / count_blue))
    return error > 0 and (bad / count - bad_blue / count_blue) / error > SURE


def _status(sample: Sample) -> str:
    return f"status {sample.status}" if sample.status else "no answer"
