"""Runs: started from outside, and shown."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter
from pydantic import BaseModel

from callboard.agents.manager.eligibility import conditions
from callboard.agents.manager.outside_seats import phase_of
from callboard.agents.manager.watch import read_directions
from callboard.app import Workspace
from callboard.bus.board import Board, TaskDoc
from callboard.bus.caps import Limits
from callboard.bus.messages import RunOpened
from callboard.bus.outside import PhaseAsked, TierAsked
from callboard.bus.task import Briefing
from callboard.hosting import auditor_of, builder_of, drivers
from callboard.launch import outside
from callboard.web.callers import Operator, Reader
from callboard.web.guide.asked import StartAsked
from callboard.web.guide.desk import RunBoard
from callboard.web.guide.shown import IssueIndex, RunShown, show_index, show_run
from callboard.web.house import Here, NamedRun
from callboard.web.problems import Refused
from callboard.web.repeats import CommandKey

routes = APIRouter(tags=["runs"])


@routes.post("/runs/start", status_code=201)
async def start(_: Operator, house: Here, body: StartAsked, key: CommandKey) -> RunShown:
    """Start a run with its tiers and phases. Its builder and its auditor are outside; a run_id that exists is 409."""
    run, limits = body.run, house.workspace.settings.limits
    cap = run.token_cap or limits.run.tokens
    limits = limits.model_copy(update={"run": limits.run.model_copy(update={"tokens": cap})})
    named = [phase.driver for phase in body.phases if phase.driver]
    briefings = await asyncio.to_thread(_briefings, house.workspace, list(dict.fromkeys(named)))
    asked = outside.Asked(run.run_id, _opened(body, limits, briefings), goal=run.run_scope, safety=run.safety_profile)
    await outside.check_name_soon(house.workspace, run.run_id)
    async with house.hosts.at_desk(run.run_id) as bus:
        await outside.make(house.workspace, bus, asked, is_again=bool(key))
        await outside.tell(bus, asked.opened, sender="person", key=key)
        return show_run(await bus.board(), await bus.spending.seen())


def _briefings(workspace: Workspace, named: Sequence[str]) -> tuple[Briefing, ...]:
    """What the direction files of drivers say that phases name.

    Raises:
        Refused: 422, one is no driver that a launch starts.
    """
    known = drivers(workspace)
    if unknown := next((name for name in named if name not in known), ""):
        raise Refused(422, f"{unknown!r} is no driver of the launched roster; there are: {', '.join(known) or 'none'}")
    paths = workspace.settings.paths
    read = read_directions(workspace.root / paths.directions, paths.directions, named, {})
    return tuple(file.briefing for file in read.files)


def _opened(body: StartAsked, limits: Limits, briefings: tuple[Briefing, ...]) -> RunOpened:
    tiers = [
        TierAsked(id=tier.tier_id, index=tier.tier_index, name=tier.name, description=tier.description)
        for tier in body.tiers
    ]
    phases = [
        PhaseAsked(
            id=phase.phase_id,
            index=phase.phase_index,
            tier=phase.tier_id,
            name=phase.name,
            description=phase.description,
            task_category=phase.task_category,
            complexity=phase.complexity,
            builder_mode=phase.builder_mode,
            driver=phase.driver,
        )
        for phase in body.phases
    ]
    return RunOpened(
        builder=builder_of(body.run.run_id),
        auditor=auditor_of(body.run.run_id),
        run_scope=body.run.run_scope,
        max_phases=body.run.max_phases,
        tiers=tuple(tiers),
        phases=tuple(phases),
        limits=limits,
        briefings=briefings,
    )


@routes.get("/runs/{run_id}")
async def run(_: Reader, house: Here, run_id: NamedRun, board: RunBoard) -> RunShown:
    """A run with its tiers and phases."""
    async with house.bus(run_id) as bus:
        return show_run(board, await bus.spending.seen())


@routes.get("/runs/{run_id}/issues/index")
async def issues(_: Reader, board: RunBoard) -> IssueIndex:
    """Issues that were seen in a run."""
    return show_index(board)


class Landed(BaseModel):
    phase_id: str
    commit: str


class Condition(BaseModel):
    condition: str
    met: bool
    problems: list[str]


class IntegrationStatus(BaseModel):
    run_id: str
    integration_branch: str
    base: str
    head: str
    target: str
    landed: list[Landed]
    promoted: str
    """The commit that the target was last moved to; "" = none."""
    eligible: bool
    """Whether it may be promoted: every condition is met."""
    conditions: list[Condition]


@routes.get("/runs/{run_id}/integration_status")
async def integration_status(_: Reader, board: RunBoard) -> IntegrationStatus:
    """What has landed on a run's integration branch, and whether that may be promoted."""
    found = conditions(board)
    return IntegrationStatus(
        run_id=board.run.id,
        integration_branch=board.run.integration,
        base=board.run.base,
        head=board.run.head,
        target=board.run.target,
        landed=[Landed(phase_id=_phase(board, task), commit=task.landed) for task in board.tasks() if task.landed],
        promoted=board.run.promoted,
        eligible=all(one.is_met for one in found),
        conditions=[
            Condition(condition=one.name, met=one.is_met, problems=[str(it) for it in one.problems]) for one in found
        ],
    )


def _phase(board: Board, task: TaskDoc) -> str:
    doc = phase_of(board, task)
    return doc.phase.id if doc else task.id
