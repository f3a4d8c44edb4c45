"""Wires what deploys; app.py's third part, imported by the deployment agent and by commands about its environments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from callboard.agents.deployment.checkouts import Builder
from callboard.agents.deployment.handler import DeploymentHandler
from callboard.agents.deployment.history import History
from callboard.agents.deployment.notes_writer import NotesWriter
from callboard.agents.deployment.place import Place
from callboard.agents.deployment.secret_values import secret_values
from callboard.agents.deployment.settings import DeploySettings
from callboard.agents.deployment.site import Site
from callboard.agents.deployment.slot_tester import SLOT, SlotTester
from callboard.agents.deployment.target import Target
from callboard.agents.deployment.targets import make_target
from callboard.agents.workspace.slots import GateSlots
from callboard.bus.errors import ConfigError

if TYPE_CHECKING:
    from callboard.agents.brains.brain import Worker
    from callboard.agents.driver.task_run import Post
    from callboard.app import Workspace
    from callboard.bus.board import Board
    from callboard.bus.bus import Bus


@dataclass(frozen=True)
class Deploying:
    """One workspace's environments."""

    workspace: Workspace

    @property
    def settings(self) -> DeploySettings:
        """Raises ConfigError: callboard.toml has no [deploy] table."""
        if self.workspace.settings.deploy is None:
            raise ConfigError(
                "there is no [deploy] table, so nothing can be deployed from here (docs/deployment.md)",
                path=str(self.workspace.root / "callboard.toml"),
            )
        return self.workspace.settings.deploy

    def folder(self, environment: str) -> Path:
        """Where an environment is, over launches; made here.

        Raises:
            ConfigError: callboard.toml names no such environment.
        """
        if why := self.settings.unknown(environment):
            raise ConfigError(why)
        folder = self.workspace.layout.deploy(environment)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def history(self, environment: str) -> History:
        return History(self.folder(environment))

    def target(self, environment: str) -> Target:
        settings, workspace = self.settings, self.workspace
        here = settings.environments[environment]
        secrets = secret_values(here, workspace.root, workspace.environ)
        builder = Builder(
            repository=workspace.repository,
            sandbox=workspace.sandbox,
            setup=workspace.setup,
            build=settings.build,
            copies=workspace.copies,
        )
        return make_target(
            Place(
                environment=environment,
                folder=self.folder(environment),
                settings=settings.model_copy(update={"port": settings.port_in(environment)}),
                builder=builder,
                lot=lambda name, is_starting: workspace.environment(name, is_starting=is_starting),
                variables={**settings.env, **here.env, **secrets},
                environ=workspace.environ,
                secrets=frozenset(here.secrets),
            )
        )

    def site(self, environment: str, integration: str, board: Callable[[], Awaitable[Board]]) -> Site:
        """Raises ConfigError: callboard.toml names no such environment."""
        settings, workspace = self.settings, self.workspace
        folder = self.folder(environment)
        before = settings.before(environment)

        def landed() -> tuple[str, ...]:
            refs = (f"refs/heads/{integration}", f"refs/heads/{workspace.settings.project.target}")
            return tuple(filter(None, map(workspace.repository.resolve, refs)))

        return Site(
            environment=environment,
            settings=settings,
            target=self.target(environment),
            history=History(folder),
            before=self.history(before) if before else None,
            repository=workspace.repository,
            landed=landed,
            root=workspace.root,
            environ=workspace.environ,
            tester=self._tester,
            close_fixed=self._close_fixed(environment),
            board=board,
        )

    def _close_fixed(self, environment: str) -> Callable[[str, str], Sequence[str]]:
        """Only the last environment closes issues, and only where there is a repository on GitHub."""
        promotion = self.workspace.settings.promotion
        is_last = environment == list(self.settings.environments)[-1]
        if not is_last or not (promotion.repository or promotion.by == "pull-request"):
            return lambda before, commit: ()
        from callboard.agents.manager.github_issues import FixedIssues

        return FixedIssues(promotion, self.workspace.repository, self.workspace.environ).close

    @cached_property
    def _tester(self) -> SlotTester:
        workspace = self.workspace
        return SlotTester(
            GateSlots(
                workspace.layout,
                workspace.repository,
                1,
                workspace.setup,
                lambda name: workspace.environment(name, is_starting=True),
                workspace.sandbox,
                workspace.copies,
                first=SLOT,
            )
        )

    def handler(self, post: Post, brain: Worker, bus: Bus) -> DeploymentHandler:
        from callboard.agents.driver.handler import DriverHandler

        driver = DriverHandler(post, NotesWriter(brain))
        integration = self.workspace.settings.project.integration.format(run=bus.run)
        return DeploymentHandler(
            post.seat.agent, driver, lambda name: self.site(name, integration, bus.board), bus.board
        )
