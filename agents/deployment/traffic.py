"""Steps that move traffic: to Green by shares under watch, off Blue, and back."""

from __future__ import annotations

from collections.abc import Collection

from callboard.agents.deployment.plan import Analysis
from callboard.agents.deployment.readers import readers
from callboard.agents.deployment.site import Site
from callboard.agents.deployment.target import Release, end_trial, try_out
from callboard.agents.deployment.watch import watch
from callboard.agents.threads import run_to_end
from callboard.bus.deployments import StepOutcome
from callboard.bus.errors import DeployFailed
from callboard.bus.messages import DeploymentRequested

Came = tuple[StepOutcome, str, tuple[str, ...]]
"""Outcome, reason, facts."""
BLIND = "it saw no real requests: the target cannot tell what they met"
OUTCOMES: dict[str, StepOutcome] = {"pass": "passed", "fail": "failed", "inconclusive": "inconclusive"}


async def shift(site: Site, request: DeploymentRequested) -> Came:
    """Give Green its share. At less than all of it, watch before it gets more; at all of it the bake watches."""
    share = request.percent
    await run_to_end(_write_down, site, request)
    if share < 100 and not site.target.abilities.weights:
        return "passed", "", (f"target {site.settings.target} switches all traffic at once: {share} % is left out",)
    before = await _try_out(site, request)
    weights = {request.release: share, **({request.blue: 100 - share} if request.blue else {})}
    await run_to_end(site.target.shift, {name: part for name, part in weights.items() if part})
    told = (*before, f"Green has {share} % of the traffic")
    if share == 100:
        return "passed", "", told
    outcome, reason, facts = await _watched(site, request, site.settings.canary_s)
    return outcome, reason, (*told, *facts)


async def _try_out(site: Site, request: DeploymentRequested) -> tuple[str, ...]:
    """From its first share to its last step Green is on trial. What a person brings back is not: they left Blue for it."""
    if not request.blue or request.is_restore:
        return ()
    before = await run_to_end(try_out, site.target, request.release, request.blue)
    return (before,) if before else ()


def _write_down(site: Site, request: DeploymentRequested) -> None:
    """Before any traffic: what of the checklist a person let pass as it was."""
    for one in request.let_pass:
        why = "it fails" if one.state == "fail" else "nobody knows"
        site.history.note(one.by or "a person", f"let {one.item} pass for {holder(request)}, though {why}")


async def bake(site: Site, request: DeploymentRequested) -> Came:
    """Green serves everything; Blue stays warm."""
    before = await _try_out(site, request)
    await run_to_end(site.target.shift, {request.release: 100})
    outcome, reason, facts = await _watched(site, request, site.settings.bake_s)
    return outcome, reason, (*before, *facts)


async def _watched(site: Site, request: DeploymentRequested, for_s: float) -> Came:
    green = await run_to_end(site.found, request.release)
    if green is None or not green.alive:
        return "failed", f"Green, {request.release}, does not run any more", ()
    analysis = site.settings.analysis
    found: Analysis = await watch(
        site.target,
        analysis.plan(),
        request.blue or None,
        request.release,
        for_s,
        clock=site.clock,
        sleep=site.sleep,
        readers=readers(analysis, site.reader_place(green)),
    )
    reason = "" if found.outcome == "pass" else "; ".join(found.reasons)
    seen = () if site.target.abilities.statistics else (BLIND,)
    return OUTCOMES[found.outcome], reason, (*found.reasons, *seen)


async def finish(site: Site, request: DeploymentRequested) -> Came:
    """Blue gets no more requests, ends those it has, and stops; Green is what serves from now on.

    Raises:
        DeployFailed: Green does not serve, so Blue stays.
    """
    await run_to_end(_green_alone, site, request)
    facts = []
    if request.blue and await run_to_end(site.found, request.blue) is not None:
        facts.append(f"Blue, {request.blue}, {await _drained(site, request.blue)} and is stopped")
        await run_to_end(site.target.down, request.blue)
    return await run_to_end(_finished, site, request, facts)


def _green_alone(site: Site, request: DeploymentRequested) -> None:
    green = site.found(request.release)
    if green is None or not green.alive:
        raise DeployFailed(f"Green, {request.release}, does not run, so Blue is not stopped")
    site.target.shift({request.release: 100})
    end_trial(site.target)


async def _drained(site: Site, release: str) -> str:
    """It ends the requests it has, before it is stopped; what is said of that."""
    settings = site.settings
    if not site.target.abilities.drain:
        await site.sleep(settings.drain_s)
        return f"had {settings.drain_s:g} s to end its requests (target {settings.target} cannot tell when they have ended)"
    is_idle = await run_to_end(site.target.drain, release, settings.drain_s)
    return "was drained" if is_idle else "had requests left"


def _finished(site: Site, request: DeploymentRequested, facts: list[str]) -> Came:
    facts += _close_fixed(site, request)
    site.history.note_passed(request.release, request.commit, holder(request))
    _unlock(site, request)
    return "passed", "", (*facts, f"{request.release} serves {site.environment}")


def _close_fixed(site: Site, request: DeploymentRequested) -> list[str]:
    """Of what the release before this one did not have yet; a first release, and one that is brought back, close nothing."""
    earlier = [one.commit for one in site.history.read().passed if one.deployment != holder(request)]
    return list(site.close_fixed(earlier[-1], request.commit)) if earlier and not request.is_restore else []


async def roll_back(site: Site, request: DeploymentRequested) -> Came:
    """The switch goes back first, Green stops last."""
    facts = []
    if request.blue:
        green = await run_to_end(_blue_alone, site, request)
        facts.append(f"Blue, {request.blue}, serves everything")
        if green is not None:
            facts.append(f"Green, {green.id}, {await _drained(site, green.id)}")
    await run_to_end(stop_others, site, (request.blue,))
    await run_to_end(_unlock, site, request)
    return "passed", "", (*facts, "Green is stopped")


def _blue_alone(site: Site, request: DeploymentRequested) -> Release | None:
    """What else runs under the name of Green; None = nothing does."""
    _have_blue(site, request.blue)
    site.target.shift({request.blue: 100})
    end_trial(site.target)
    return site.found(request.release)


def _have_blue(site: Site, blue: str) -> None:
    """It runs; what has ended by itself is started again, before Green is taken away."""
    known = site.found(blue)
    if known is None or not known.alive:
        commit = next((one.commit for one in site.history.read().passed if one.release == blue), "")
        if not commit:
            raise DeployFailed(f"Blue, {blue}, does not run, and nobody knows its commit; Green is left as it is")
        site.target.up(blue, commit)


def stop_others(site: Site, but: Collection[str]) -> None:
    """What an earlier attempt left behind."""
    for release in site.target.running():
        if release.id not in but:
            site.target.down(release.id)


def holder(request: DeploymentRequested) -> str:
    """What a deployment is called over runs: as the holder of an environment's lock, and where it has passed."""
    return f"{request.run} {request.deployment}"


def _unlock(site: Site, request: DeploymentRequested) -> None:
    """Its own lock; one that a person has set meanwhile stays."""
    hold = site.history.read().hold
    if hold is not None and hold.by == holder(request):
        site.history.unlock(hold.by)
