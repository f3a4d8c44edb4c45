"""Watches Green while it gets traffic: probes, reads, judges, and puts the switch back the moment something fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from callboard.agents.deployment.analysis import analyse
from callboard.agents.deployment.looks import Call, Eye
from callboard.agents.deployment.plan import Analysis, AnalysisPlan
from callboard.agents.deployment.samples import Reading
from callboard.agents.deployment.target import Target
from callboard.agents.deployment.times import Clock, Sleep
from callboard.bus.errors import DeployFailed

SHIFTS = 3
"""How often the switch is told to go back, an interval apart, before a person has to."""


async def watch(
    target: Target,
    plan: AnalysisPlan,
    blue: str | None,
    green: str,
    for_s: float,
    *,
    clock: Clock,
    sleep: Sleep,
    readers: Sequence[Call[Reading]] = (),
) -> Analysis:
    """Probe each interval and judge what was seen.

    It ends at the first failure; after `for_s` as soon as everything passes; and `plan.hold_s` later as inconclusive.
    Unless it passed, Blue has all traffic again when it returns.

    Args:
        blue: The release to go back to; None = there is none, so the caller stops Green instead.
        for_s: How long Green has to do well.
        clock: Seconds since 1970, as the target's samples have them.
        readers: One for each metric that is read elsewhere; what cannot be read is NaN, never an error.

    Raises:
        DeployFailed: The switch could not be put back.
    """
    eye = Eye(target, plan, blue, green, clock, readers)
    began = clock()
    try:
        while True:
            looked = clock()
            await eye.look()
            found = analyse(plan, blue, green, eye.samples, clock(), eye.readings)
            late = clock() - began
            if found.outcome == "pass" and late >= for_s:
                return found
            if found.outcome == "fail" or late >= for_s + plan.hold_s:
                if blue is not None:
                    await _back(target, blue, plan.interval_s, sleep)
                return found
            await sleep(max(0.0, plan.interval_s - (clock() - looked)))
    finally:
        await eye.close()


async def _back(target: Target, blue: str, interval_s: float, sleep: Sleep) -> None:
    for left in reversed(range(SHIFTS)):
        try:
            await asyncio.to_thread(target.shift, {blue: 100})
            break
        except DeployFailed:
            if not left:
                raise
            await sleep(interval_s)
