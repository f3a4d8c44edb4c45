"""Wires what an agent thinks with; app.py's second half, imported by processes that think."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from callboard.agents.brains.brain import AnyJob, Brain
from callboard.agents.brains.call_file import CallFile
from callboard.agents.brains.cli.adapters import ADAPTERS
from callboard.agents.brains.cli.brain import CliBrain, CliSettings
from callboard.agents.brains.command import CommandBrain
from callboard.agents.brains.resumed import behind_past, review_of
from callboard.agents.settings import AgentSettings
from callboard.agents.workspace.environment import passed_on
from callboard.bus.clock import utc_now
from callboard.needs import mcp_server

# Models and servers of tools take seconds to import: only agents that have them do.
if TYPE_CHECKING:
    from callboard.agents.brains.budget import Budget
    from callboard.agents.brains.calls import CallLog
    from callboard.agents.brains.mcp.offer import Servers
    from callboard.agents.brains.model.brain import OpenLog
    from callboard.agents.brains.model.calling import Caller
    from callboard.agents.brains.prices import Prices
    from callboard.agents.brains.settings import ModelSettings
    from callboard.app import Workspace


@dataclass(frozen=True)
class Thinking:
    """One agent's brain and what it takes."""

    workspace: Workspace
    agent: AgentSettings
    budget: Budget
    """What its calls are reserved from."""
    prices: Prices

    def brain(self) -> Brain:
        if self.agent.model is not None:
            return self._model_brain(self.agent.model)
        if self.agent.cli is not None:
            return CliBrain(
                ADAPTERS[self.agent.cli],
                self._cli_settings(),
                self.budget,
                self._call_file,
                prices=self.prices,
                redact=self.workspace.redactor.text,
            )
        return CommandBrain(self.agent.command or "")

    def _cli_settings(self) -> CliSettings:
        environ = self.workspace.environ
        home = environ.get("HOME")
        return CliSettings(
            model=self.agent.cli_model or "",
            env=passed_on(self.agent.pass_env, environ),
            home=Path(home) if home else None,
        )

    def _model_brain(self, names: Sequence[str]) -> Brain:
        from callboard.agents.brains.model.brain import ModelBrain
        from callboard.agents.brains.model.room import Window

        known = [self.workspace.settings.models[name] for name in names]
        make = partial(
            ModelBrain,
            now=utc_now,
            budget=self.budget,
            has_tools=all(model.tools for model in known),
            max_turns=known[0].max_turns,
            window=min((Window(model.context_tokens, model.max_tokens) for model in known), key=lambda it: it.limit),
            redact=self.workspace.redactor.known,
            servers=self._servers(),
        )
        return self._replay_brain(make) if self.workspace.is_played else make(self._providers(names), self._call_log)

    def _providers(self, names: Sequence[str]) -> Caller:
        from callboard.agents.brains.model.providers import Providers
        from callboard.agents.brains.model.wire import OneModel

        known = self.workspace.settings.models
        return Providers(
            [
                OneModel(name, known[name], self._key(known[name]), budget=self.budget, prices=self.prices)
                for name in names
            ]
        )

    def _key(self, model: ModelSettings) -> str | None:
        return self.workspace.environ.get(model.key_env) if model.key_env else None

    def _replay_brain(self, make: Callable[[Caller, OpenLog], Brain]) -> Brain:
        from callboard.agents.brains.model.replay import Played, ReplayBrain
        from callboard.agents.brains.recording import Recording

        played = Played(self._call_file, self._call_log, self.budget, self._priced_as, utc_now)
        recording = Recording(self.workspace.layout.play)
        return ReplayBrain(recording, lambda caller, log: make(caller, lambda _: log), played)

    def _priced_as(self, model: str) -> str:
        known = self.workspace.settings.models.get(model)
        return known.priced_as if known else model

    def _servers(self) -> Servers | None:
        names = self.workspace.settings.servers_of(self.agent)
        if not names:
            return None
        from callboard.agents.brains.mcp.tools import AgentServers

        servers = [] if self.workspace.is_played else [mcp_server(self.workspace, name) for name in names]
        folder = self.workspace.layout.scratch(f"{self.agent.name}.mcp")
        return AgentServers(servers, folder, now=utc_now, redact=self.workspace.redactor.known)

    def _call_log(self, job: AnyJob, file: CallFile | None = None) -> CallLog:
        """Behind what was said before, where the conversation was parked."""
        return behind_past(job, file or self._call_file(job), partial(self._path, job))

    def _call_file(self, job: AnyJob) -> CallFile:
        return CallFile(self._path(job, job.attempt, review_of(job)))

    def _path(self, job: AnyJob, attempt: int, review: str) -> Path:
        return self.workspace.layout.call_log(job.seat.run, job.task, attempt, job.seat.agent, review)
