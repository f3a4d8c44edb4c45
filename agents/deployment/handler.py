"""The deployment agent: does one step of a deployment at a time in each environment, and tasks like a driver beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from callboard.agents.deployment.notes import notes
from callboard.agents.deployment.site import Site
from callboard.agents.deployment.steps import do
from callboard.agents.driver.handler import DriverHandler
from callboard.agents.manager.decision import MANAGER
from callboard.agents.runtime import Work
from callboard.bus.board import Board
from callboard.bus.deployments import DeploymentDoc, deployment_field
from callboard.bus.errors import CallboardError
from callboard.bus.messages import (
    JOURNAL,
    DeploymentChanged,
    DeploymentNoted,
    DeploymentRequested,
    Draft,
    Envelope,
    FeedbackLogged,
    Outcome,
)

SiteOf = Callable[[str], Site]
"""The site of an environment.

Raises:
    CallboardError: It cannot be made; the message says why, and the way out.
"""


class DeploymentHandler:
    """Handles the deployment agent's inbox.

    Args:
        board: As it is now: a step that the desk waits for no more is not done.
    """

    def __init__(
        self, agent: str, driver: DriverHandler, site_of: SiteOf, board: Callable[[], Awaitable[Board]]
    ) -> None:
        self._agent = agent
        self._driver = driver
        self._site_of = site_of
        self._board = board
        self._under_way: dict[str, asyncio.Task[DeploymentChanged]] = {}
        """Environment -> the step that is being done."""

    def lane(self, envelope: Envelope) -> str:
        body = envelope.body
        if not isinstance(body, DeploymentRequested):
            return self._driver.lane(envelope)
        return f"{'back' if body.step == 'roll_back' else 'deploy'}:{body.environment}"

    async def handle(self, work: Work) -> Outcome:
        request = work.envelope.body
        if not isinstance(request, DeploymentRequested):
            return await self._driver.handle(work)
        if request.step == "roll_back":
            await self._end(request.environment)
        if not await self._is_awaited(request):
            return Outcome()
        done = await self._done(request)
        if done is None:
            return Outcome()
        return Outcome(
            (Draft(MANAGER, done), Draft(JOURNAL, self._entry(request, done)), *await self._noted(request, done))
        )

    async def _done(self, request: DeploymentRequested) -> DeploymentChanged | None:
        """None: it was broken off, as its deployment is rolled back."""
        task = asyncio.ensure_future(self._do(request))
        self._under_way[request.environment] = task
        try:
            await asyncio.wait({task})
            return None if task.cancelled() else task.result()
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task})
            raise
        finally:
            if self._under_way.get(request.environment) is task:
                del self._under_way[request.environment]

    async def _do(self, request: DeploymentRequested) -> DeploymentChanged:
        try:
            site = self._site_of(request.environment)
        except CallboardError as error:
            return DeploymentChanged(
                deployment=request.deployment,
                number=request.number,
                step=request.step,
                outcome="failed",
                reason=str(error),
            )
        return await do(site, request)

    async def _end(self, environment: str) -> None:
        """Break the step off that is being done; what it has begun in a thread is waited for."""
        task = self._under_way.get(environment)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _is_awaited(self, request: DeploymentRequested) -> bool:
        doc = (await self._board()).get(deployment_field(request.deployment), DeploymentDoc)
        return (doc.number, doc.step) == (request.number, request.step)

    async def _noted(self, request: DeploymentRequested, done: DeploymentChanged) -> list[Draft]:
        """Its notes, once it is finished."""
        if (done.step, done.outcome) != ("finish", "passed"):
            return []
        doc = (await self._board()).get(deployment_field(request.deployment), DeploymentDoc)
        lines = notes(doc, request.run, done.facts)
        noted = DeploymentNoted(
            deployment=request.deployment, environment=request.environment, release=request.release, lines=lines
        )
        return [Draft(JOURNAL, noted)]

    def _entry(self, request: DeploymentRequested, done: DeploymentChanged) -> FeedbackLogged:
        facts = [
            *done.facts,
            *(f"`{one.command}` -> {one.exit_code} in {one.duration_s:.1f} s" for one in done.commands),
        ]
        return FeedbackLogged(
            log=self._agent,
            entry="deployment",
            title=f"{request.deployment} {request.environment}: {request.step} {done.outcome}",
            facts=tuple(facts),
            text=done.reason,
        )
