"""The steps of a deployment, each done from what is true: done twice it comes to the same."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import assert_never

from callboard.agents.deployment import traffic
from callboard.agents.deployment.able import impossible, shortcomings
from callboard.agents.deployment.checking import check, line
from callboard.agents.deployment.history import previous
from callboard.agents.deployment.inputs import Given, missing, sizes
from callboard.agents.deployment.rehearsal import rehearse
from callboard.agents.deployment.secret_values import secret_values
from callboard.agents.deployment.site import Site
from callboard.agents.deployment.tails import tail
from callboard.agents.deployment.target import notices, reopen
from callboard.agents.threads import run_to_end
from callboard.bus.deployments import ReadyItem, StepOutcome
from callboard.bus.errors import CallboardError
from callboard.bus.messages import DeploymentChanged, DeploymentRequested
from callboard.bus.task import CommandResult

LOOK_S = 0.2
"""Between two looks at a release that is coming up."""
SAID = 400
"""Characters of a command's output that a reason quotes."""
OUTPUT_BYTES = 1_000_000
"""Of the end of what a release printed, for error patterns."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a step came to."""

    outcome: StepOutcome = "passed"
    reason: str = ""
    facts: tuple[str, ...] = ()
    commands: tuple[CommandResult, ...] = ()
    values: dict[str, str] = field(default_factory=dict)
    """release, commit, address, blue: where the step has found them."""
    checklist: tuple[ReadyItem, ...] = ()
    is_configuration: bool = False


async def do(site: Site, request: DeploymentRequested) -> DeploymentChanged:
    """Do one step. What goes wrong is an outcome with a reason, never an error."""
    try:
        ended = await _do(site, request)
    except CallboardError as error:
        ended = Ended("failed", str(error), is_configuration=request.step in ("up", "rehearse"))
    return DeploymentChanged.model_validate(
        {
            "deployment": request.deployment,
            "number": request.number,
            "step": request.step,
            "outcome": ended.outcome,
            "reason": ended.reason,
            "facts": ended.facts,
            "commands": ended.commands,
            "checklist": ended.checklist,
            "is_configuration": ended.is_configuration,
            **ended.values,
        }
    )


async def _do(site: Site, request: DeploymentRequested) -> Ended:
    match request.step:
        case "inputs":
            return await run_to_end(_earlier if request.is_restore else _inputs, site, request)
        case "look":
            return await run_to_end(_look, site, request)
        case "up":
            return await _up(site, request)
        case "test":
            return await _test(site, request)
        case "rehearse":
            return Ended(*await rehearse(site, request))
        case "ready":
            return await _ready(site, request)
        case "shift":
            return Ended(*await traffic.shift(site, request))
        case "bake":
            return Ended(*await traffic.bake(site, request))
        case "finish":
            return Ended(*await traffic.finish(site, request))
        case "roll_back":
            return Ended(*await traffic.roll_back(site, request))
    assert_never(request.step)


def _inputs(site: Site, request: DeploymentRequested) -> Ended:
    commit, repository = request.commit, site.repository
    is_there = repository.resolve(commit) is not None
    heads = [head for head in site.landed() if is_there]
    given = Given(
        commit=commit,
        is_landed=any(repository.is_ancestor(commit, head) for head in heads),
        files=sizes(site.settings, repository, commit) if is_there else {},
        secrets=frozenset(secret_values(site.settings.environments[site.environment], site.root, site.environ)),
    )
    absent = missing(site.settings, site.environment, given)
    if absent:
        return Ended("failed", "; ".join(absent), absent)
    return Ended(facts=("code, requirements, tests, configuration, infrastructure and rollback plan are there",))


def _earlier(site: Site, request: DeploymentRequested) -> Ended:
    """The release that comes back is the newest that passed here before the one that serves."""
    reopen(site.target)
    serving = site.serving()
    found = previous(site.history.read(), serving.id if serving else "")
    if found is None:
        return Ended(
            "failed", f"no earlier release has passed in {site.environment}, so there is nothing to go back to"
        )
    fact = f"{found.release}, commit `{found.commit[:12]}`, passed here at {found.at:%Y-%m-%d %H:%M:%SZ}"
    return Ended(facts=(fact,), values={"release": found.release, "commit": found.commit})


def _look(site: Site, request: DeploymentRequested) -> Ended:
    """Whether this environment may be deployed to: its target, its lock, the one before it, and Blue.

    What serves is brought back first, where its switch has ended: also where nobody may deploy, users are to be answered.
    """
    reopen(site.target)
    if problems := site.target.problems():
        return Ended("failed", "; ".join(problems), problems)
    abilities = site.target.abilities
    if why := impossible(abilities, site.settings):
        return Ended("failed", why)
    without = (*shortcomings(abilities, site.settings), *notices(site.target))
    if why := _not_passed_before(site, request):
        return Ended("failed", why)
    hold = site.history.read().hold
    if hold is not None and hold.by != traffic.holder(request):
        return Ended("failed", f"{site.environment} is {hold}; `callboard deploy unlock` lets others in again")
    blue = site.serving()
    if blue is None:
        return Ended(facts=("nothing serves here yet: a first deployment", *without), values={"blue": ""})
    health = site.target.healthy(blue.id)
    if not health.ok and not request.is_restore:
        return Ended("failed", f"Blue, {blue.id}, is not well ({health.status} {health.said}); see to it first")
    return Ended(facts=(f"Blue is {blue.id}, which answers {health.status}", *without), values={"blue": blue.id})


def _not_passed_before(site: Site, request: DeploymentRequested) -> str:
    if site.before is None or request.is_restore:
        return ""
    if any(one.commit == request.commit for one in site.before.read().passed):
        return ""
    earlier = site.settings.before(site.environment)
    return (
        f"{request.commit[:12]} has not passed {earlier}, which comes before {site.environment}: "
        f"`callboard deploy --env {earlier} --commit {request.commit[:12]}`"
    )


async def _up(site: Site, request: DeploymentRequested) -> Ended:
    """Start Green, alone beside Blue, and wait until it is well and stays so."""
    await run_to_end(site.history.lock, traffic.holder(request), f"{request.deployment} is under way")
    await run_to_end(traffic.stop_others, site, (request.blue, request.release))
    release = await run_to_end(site.target.up, request.release, request.commit)
    named = {"release": release.id, "address": release.address}
    if why := await _settled(site, request.release):
        return Ended("failed", why, values=named, is_configuration=True)
    settings = site.settings
    variables = _variables(site, release.address)
    ran = (
        await site.tester.run(request.commit, settings.smoke, release.address, variables, settings.tests.timeout_s)
        if settings.smoke and not request.is_restore
        else ()
    )
    if red := [one for one in ran if not one.passed]:
        return Ended("failed", _red(red), commands=ran, values=named)
    return Ended(facts=(f"Green is {release.id} at {release.address}",), commands=ran, values=named)


async def _settled(site: Site, release: str) -> str:
    """Why it does not come up; "" once it was well for the settled time."""
    settings, began = site.settings, site.clock()
    well_since: float | None = None
    while True:
        health = await run_to_end(site.target.healthy, release)
        now = site.clock()
        well_since = (now if well_since is None else well_since) if health.ok else None
        if well_since is not None and now - well_since >= settings.settled_s:
            return ""
        found = await run_to_end(site.found, release)
        is_late = now - began > settings.healthy_within_s + (settings.settled_s if well_since is not None else 0)
        if found is None or not found.alive:
            return f"it ended by itself. It said: {_tail(site, release)}"
        if is_late:
            return f"{settings.health} never stayed well within {settings.healthy_within_s:g} s ({health.status} {health.said})"
        await site.sleep(LOOK_S)


async def _test(site: Site, request: DeploymentRequested) -> Ended:
    """Unit, integration and health, against Green; what it prints meanwhile must match no error pattern."""
    tests, green = site.settings.tests, await run_to_end(site.found, request.release)
    absent = [kind for kind, commands in tests.by_kind.items() if not commands and kind not in request.waived]
    if absent:
        return Ended("missing", ", ".join(absent))
    if green is None or not green.alive:
        return Ended("failed", f"Green, {request.release}, does not run. It said: {_tail(site, request.release)}")
    commands = [command for kind in tests.by_kind.values() for command in kind]
    variables = _variables(site, green.address)
    ran = await site.tester.run(request.commit, commands, green.address, variables, tests.timeout_s)
    if red := [one for one in ran if not one.passed]:
        return Ended("failed", _red(red), commands=ran)
    if found := await run_to_end(_error_line, site, request.release):
        return Ended("failed", f"Green printed what error_patterns name: {found}", commands=ran)
    return Ended(facts=(f"{len(ran)} of {len(commands)} tests passed against {green.address}",), commands=ran)


async def _ready(site: Site, request: DeploymentRequested) -> Ended:
    """What does not pass is for a person to judge."""
    items = await check(site, request)
    held = [item.name for item in items if item.state != "pass"]
    facts = tuple(map(line, items))
    return Ended("missing" if held else "passed", ", ".join(held), facts, checklist=items)


def _variables(site: Site, address: str) -> dict[str, str]:
    return {"CALLBOARD_ENV": site.environment, "CALLBOARD_URL": address}


def _red(red: list[CommandResult]) -> str:
    return "; ".join(f"`{one.command}` exited {one.exit_code}: {one.tail.strip()[-SAID:]}" for one in red)


def _error_line(site: Site, release: str) -> str:
    patterns = [re.compile(pattern) for pattern in site.settings.error_patterns]
    lines = _printed(site, release, OUTPUT_BYTES).splitlines()
    return next((line[:SAID] for line in lines if any(pattern.search(line) for pattern in patterns)), "")


def _tail(site: Site, release: str) -> str:
    return _printed(site, release, 4 * SAID).strip()[-SAID:] or "nothing"


def _printed(site: Site, release: str, most: int) -> str:
    return tail(site.target.output(release), most)
