"""Steps that move traffic: to Green by shares under watch, off Blue, and back."""

from __future__ import annotations

from collections.abc import Collection

from callboard.agents.deployment.plan import Analysis
from callboard.agents.deployment.readers import readers
from callboard.agents.deployment.site import Site
from callboard.agents.deployment.watch import watch
from callboard.agents.threads import run_to_end
from callboard.bus.deployments import StepOutcome
from callboard.bus.errors import DeployFailed
from callboard.bus.messages import DeploymentRequested

Came = tuple[StepOutcome, str, tuple[str, ...]]
"""Outcome, reason, facts."""
OUTCOMES: dict[str, StepOutcome] = {"pass": "passed", "fail": "failed", "inconclusive": "inconclusive"}


async def shift(site: Site, request: DeploymentRequested) -> Came:
    """Give Green its share. At less than all of it, watch before it gets more; at all of it the bake watches."""
    share = request.percent
    await run_to_end(_write_down, site, request)
    if share < 100 and not site.target.abilities.weights:
        return "passed", "", (f"target {site.settings.target} has no weights: {share} % is left out",)
    weights = {request.release: share, **({request.blue: 100 - share} if request.blue else {})}
    await run_to_end(site.target.shift, {name: part for name, part in weights.items() if part})
    told = f"Green has {share} % of the traffic"
    if share == 100:
        return "passed", "", (told,)
    outcome, reason, facts = await _watched(site, request, site.settings.canary_s)
    return outcome, reason, (told, *facts)


def _write_down(site: Site, request: DeploymentRequested) -> None:
    """Before any traffic: what of the checklist a person let pass as it was."""
    for one in request.let_pass:
        site.ledger.note(one.by or "a person", f"let {one.item} pass for {holder(request)}, though it was {one.state}")


async def bake(site: Site, request: DeploymentRequested) -> Came:
    """Green serves everything; Blue stays warm."""
    await run_to_end(site.target.shift, {request.release: 100})
    return await _watched(site, request, site.settings.bake_s)


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
    return OUTCOMES[found.outcome], reason, found.reasons


def finish(site: Site, request: DeploymentRequested) -> Came:
    """Blue gets no more requests, ends those it has, and stops; Green is what serves from now on.

    Raises:
        DeployFailed: Green does not serve, so Blue stays.
    """
    green = site.found(request.release)
    if green is None or not green.alive:
        raise DeployFailed(f"Green, {request.release}, does not run, so Blue is not stopped")
    site.target.shift({request.release: 100})
    facts = []
    if request.blue and site.found(request.blue) is not None:
        drained = site.target.drain(request.blue, site.settings.drain_s)
        facts.append(f"Blue, {request.blue}, {'was drained and' if drained else 'had requests left and'} is stopped")
        site.target.down(request.blue)
    facts += _close_fixed(site, request)
    site.ledger.note_passed(request.release, request.commit, holder(request))
    _unlock(site, request)
    return "passed", "", (*facts, f"{request.release} serves {site.environment}")


def _close_fixed(site: Site, request: DeploymentRequested) -> list[str]:
    """Of what the release before this one did not have yet; a first release, and one that is brought back, close nothing."""
    earlier = [one.commit for one in site.ledger.read().passed if one.deployment != holder(request)]
    return list(site.close_fixed(earlier[-1], request.commit)) if earlier and not request.is_restore else []


def roll_back(site: Site, request: DeploymentRequested) -> Came:
    """The switch goes back first, Green stops last."""
    facts = []
    if request.blue:
        _have_blue(site, request.blue)
        site.target.shift({request.blue: 100})
        facts.append(f"Blue, {request.blue}, serves everything")
        if green := site.found(request.release):
            site.target.drain(green.id, site.settings.drain_s)
    stop_others(site, (request.blue,))
    _unlock(site, request)
    return "passed", "", (*facts, "Green is stopped")


def _have_blue(site: Site, blue: str) -> None:
    """It runs; what has ended by itself is started again, before Green is taken away."""
    known = site.found(blue)
    if known is None or not known.alive:
        commit = next((one.commit for one in site.ledger.read().passed if one.release == blue), "")
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
    hold = site.ledger.read().hold
    if hold is not None and hold.by == holder(request):
        site.ledger.unlock(hold.by)
