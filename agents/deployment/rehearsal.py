"""Before Green gets any traffic: could one go back, can everything be read that it will be judged by, and is it slower."""

from __future__ import annotations

from dataclasses import replace

from callboard.agents.deployment.plan import AnalysisPlan
from callboard.agents.deployment.readers import readers
from callboard.agents.deployment.site import Site
from callboard.agents.deployment.traffic import OUTCOMES, Came
from callboard.agents.deployment.watch import watch
from callboard.agents.threads import run_to_end
from callboard.bus.errors import DeployFailed
from callboard.bus.messages import DeploymentRequested

FIRST = "a first deployment: going back means stopping it"


async def rehearse(site: Site, request: DeploymentRequested) -> Came:
    """Go back while nothing depends on it, then try the plan on Green.

    Raises:
        DeployFailed: One could not go back.
    """
    facts = await run_to_end(_go_back, site, request) if request.blue else (FIRST,)
    trial = before_traffic(site.settings.analysis.plan(), has_blue=bool(request.blue))
    if not trial.metrics:
        return "passed", "", facts
    green = await run_to_end(site.found, request.release)
    if green is None or not green.alive:
        raise DeployFailed(f"Green, {request.release}, does not run any more")
    found = await watch(
        site.target,
        trial,
        request.blue or None,
        request.release,
        0.0,
        clock=site.clock,
        sleep=site.sleep,
        readers=readers(site.settings.analysis, site.reader_place(green)),
    )
    reason = "" if found.outcome == "pass" else f"before any traffic: {'; '.join(found.reasons)}"
    return OUTCOMES[found.outcome], reason, (*facts, *found.reasons)


def before_traffic(plan: AnalysisPlan, *, has_blue: bool) -> AnalysisPlan:
    """What of a plan can be tried without users: values that are read, and latency by pairs."""
    by_pairs = has_blue and plan.pairs_per_s > 0
    kinds = {"health", "error-rate"} | (set() if by_pairs else {"latency"})
    return replace(plan, metrics=tuple(metric for metric in plan.metrics if metric.kind not in kinds))


def _go_back(site: Site, request: DeploymentRequested) -> tuple[str, ...]:
    """Blue is well, takes everything when the switch is told so, and the switch says that it does."""
    health = site.target.healthy(request.blue)
    if not health.ok:
        raise DeployFailed(f"one could not go back: Blue, {request.blue}, is not well ({health.status} {health.said})")
    site.target.shift({request.blue: 100})
    others = [one.id for one in site.target.running() if one.weight and one.id != request.blue]
    if others:
        raise DeployFailed(f"one could not go back: {others[0]} still has traffic after the switch was told otherwise")
    return (f"Blue, {request.blue}, is well, and the switch gives it everything when told",)
