"""The whole of callboard.toml, composed of what each room needs."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from callboard.agents.brains.budget_settings import BudgetSettings, PriceSettings
from callboard.agents.brains.mcp.settings import McpSettings, ServerName
from callboard.agents.brains.settings import ModelName, ModelSettings
from callboard.agents.deployment.settings import DeploySettings
from callboard.agents.manager.issue_settings import IssueSettings
from callboard.agents.manager.people_settings import PeopleRoles, QuestionSettings
from callboard.agents.manager.promotion_settings import PromotionSettings
from callboard.agents.reviewer.consensus import TRIO
from callboard.agents.settings import (
    MANAGER,
    AgentSettings,
    IntakeSettings,
    ProjectSettings,
    ReviewSettings,
    Table,
    Texts,
    fault,
)
from callboard.agents.workspace.sandbox_settings import SandboxSettings
from callboard.bus.caps import Limits
from callboard.bus.settings import EMBEDDED, BusSettings
from callboard.bus.states import WORKERS
from callboard.bus.task import SERVER_MARK
from callboard.ledger.settings import LedgerSettings
from callboard.settings.notify import NotifySettings
from callboard.settings.trio import family_problems
from callboard.settings.web import WebSettings
from callboard.telemetry.settings import TelemetrySettings

OWN_TOOLS = ("list", "read", "search", "write", "edit", "run")
"""What a driver that thinks with a model has besides (docs/models.md)."""
SEATS = ("senior", "junior-1", "junior-2")


def _folder(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith(("/", "~")) or "\\" in path or ".." in parts or parts[0] in (".git", ".callboard"):
        raise ValueError("expected a folder inside the repository, with / between names, and not in .git or .callboard")
    return str(PurePosixPath(path))


Folder = Annotated[str, AfterValidator(_folder)]


class PathSettings(Table):
    """`[paths]`: folders of the repository, from the folder of callboard.toml."""

    directions: Folder = "directions"
    feedback: Folder = "feedback"
    roles: Folder = "roles"

    @model_validator(mode="after")
    def _apart(self) -> Self:
        seen: dict[str, str] = {}
        for key in ("directions", "feedback", "roles"):
            folder: str = getattr(self, key)
            if folder in seen:
                raise fault(key, f"is the same folder as paths.{seen[folder]}; each needs its own")
            seen[folder] = key
        return self


class RedactionSettings(Table):
    """`[redaction]`"""

    variables: Texts = ()
    """Environment variables that hold a secret although their names do not say so."""


class LogSettings(Table):
    """`[log]`"""

    level: Literal["trace", "debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"
    """json: one object a line (docs/telemetry.md)."""


def _said(agent: object, key: str) -> object:
    return agent.get(key) if isinstance(agent, dict) else getattr(agent, key, None)


def _with_manager(agents: object) -> object:
    """A roster that names no manager has one all the same."""
    if not isinstance(agents, list | tuple):
        raise fault("", "expected one [[agents]] table for each agent")
    named = any(MANAGER in (_said(agent, "name"), _said(agent, "role")) for agent in agents)
    return tuple(agents if named else [*agents, AgentSettings(name=MANAGER, role=MANAGER)])


def _unknown_model(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    there = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(known)) or 'none'}"
    return f"no [models.{name}] table in this file; {there}"


class Document(Table):
    """What callboard.toml says."""

    project: ProjectSettings = ProjectSettings()
    bus: BusSettings = BusSettings()
    ledger: LedgerSettings = LedgerSettings()
    paths: PathSettings = PathSettings()
    agents: Annotated[tuple[AgentSettings, ...], BeforeValidator(_with_manager), Field(validate_default=True)] = ()
    """The manager is always among them."""
    models: dict[ModelName, ModelSettings] = {}
    """By the name that agents use."""
    mcp: dict[ServerName, McpSettings] = {}
    """By the name that stands in front of their tools."""
    budget: BudgetSettings = BudgetSettings()
    prices: dict[Annotated[str, Field(min_length=1)], PriceSettings] = {}
    """By the model's name at its provider, with or without `provider:` in front."""
    people: PeopleRoles = {}
    questions: QuestionSettings = QuestionSettings()
    review: ReviewSettings = ReviewSettings()
    intake: IntakeSettings = IntakeSettings()
    promotion: PromotionSettings = PromotionSettings()
    deploy: DeploySettings | None = None
    """None: nothing is deployed from here."""
    notify: NotifySettings = NotifySettings()
    issues: IssueSettings = IssueSettings()
    sandbox: SandboxSettings = SandboxSettings()
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    redaction: RedactionSettings = RedactionSettings()

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        names: dict[str, int] = {}
        seats: dict[str, str] = {}
        for n, agent in enumerate(self.agents):
            if agent.name in names:
                raise fault(f"agents.{n}.name", f"{agent.name} is already the name of agents.{names[agent.name]}")
            names[agent.name] = n
            if agent.seat and agent.seat in seats:
                raise fault(f"agents.{n}.seat", f"{seats[agent.seat]} already sits there; free: {self._free(seats)}")
            seats |= {agent.seat: agent.name} if agent.seat else {}
        return self

    @model_validator(mode="after")
    def _models_are_known(self) -> Self:
        for n, agent in enumerate(self.agents):
            for name in agent.model or ():
                if name not in self.models:
                    raise fault(f"agents.{n}.model", _unknown_model(name, self.models))
                if agent.role in WORKERS and not self.models[name].tools:
                    raise fault(
                        f"agents.{n}.model", f"models.{name} has tools = false, and a {agent.role} works with tools"
                    )
        return self

    @model_validator(mode="after")
    def _servers_are_for_models(self) -> Self:
        known = {agent.name: agent for agent in self.agents}
        for name, server in self.mcp.items():
            for agent in server.agents:
                if agent not in known:
                    raise fault(f"mcp.{name}.agents", f"no agent {agent!r}; there are: {', '.join(known)}")
                if known[agent].model is None:
                    raise fault(f"mcp.{name}.agents", f"{agent} has no model, and only models get tools of MCP servers")
        return self

    @model_validator(mode="after")
    def _somebody_cleans_up(self) -> Self:
        name, drivers = self.issues.clean_up_by, [agent.name for agent in self.agents if agent.role == "driver"]
        if name and name not in drivers:
            raise fault("issues.clean_up_by", f"no driver {name!r}; there are: {', '.join(drivers) or 'none'}")
        return self

    @staticmethod
    def _free(taken: dict[str, str]) -> str:
        return ", ".join(seat for seat in SEATS if seat not in taken) or "none"


class Settings(Document):
    """One workspace's settings, frozen."""

    root: Path
    """The folder of callboard.toml: the repository's top."""

    def bus_at(self, embedded: str) -> str:
        """The bus's URL with everything that a connection needs.

        Args:
            embedded: The URL of our own server, for when it is that one.
        """
        return self.bus.at(embedded if self.bus.url == EMBEDDED else self.bus.url, self.root)

    @property
    def outsiders(self) -> tuple[str, ...]:
        """Agents that a launch does not start: whoever works for them joins through `callboard mcp`."""
        return tuple(agent.name for agent in self.agents if agent.outside)

    @property
    def started(self) -> tuple[str, ...]:
        """Agents that a launch starts."""
        return tuple(agent.name for agent in self.agents if not agent.outside)

    @property
    def drivers(self) -> tuple[AgentSettings, ...]:
        return tuple(agent for agent in self.agents if agent.role == "driver")

    @property
    def workers(self) -> tuple[AgentSettings, ...]:
        return tuple(agent for agent in self.agents if agent.role in WORKERS)

    @property
    def deployer(self) -> str:
        """Who deploys; "" = nobody does."""
        return next((agent.name for agent in self.agents if agent.role == "deployment"), "")

    @property
    def reviewers(self) -> tuple[AgentSettings, ...]:
        return tuple(agent for agent in self.agents if agent.role == "reviewer")

    @property
    def seats(self) -> dict[str, str]:
        """Reviewer -> seat; those who name none take the free ones, in the order of the file."""
        named = {agent.name: agent.seat for agent in self.reviewers if agent.seat}
        free = [seat for seat in SEATS if seat not in named.values()]
        return {**named, **dict(zip((one.name for one in self.reviewers if not one.seat), free, strict=False))}

    @property
    def limits(self) -> Limits:
        """What the desk holds the run to: budgets and issues."""
        return self.budget.limits.model_copy(update={"issues": self.issues.limits})

    def servers_of(self, agent: AgentSettings) -> dict[str, McpSettings]:
        """The MCP servers whose tools it may call."""
        return {name: server for name, server in self.mcp.items() if server.may_use(agent)}

    def tool_names(self) -> dict[str, tuple[str, ...]]:
        """Driver -> our tools, and its MCP servers with SERVER_MARK; () where its tools are not run by us."""
        thinking = [agent for agent in self.workers if agent.model is not None]
        servers = {agent.name: [f"{name}{SERVER_MARK}" for name in self.servers_of(agent)] for agent in thinking}
        return {agent.name: () for agent in self.workers} | {
            name: (*OWN_TOOLS, *found) for name, found in servers.items()
        }

    def agent(self, name: str) -> AgentSettings | None:
        return next((agent for agent in self.agents if agent.name == name), None)

    def launch_problems(self) -> tuple[str, ...]:
        """What may stand in a file that loads, but not in one that is launched: a sentence each, with the way out."""
        problems = []
        if not self.project.gate:
            problems.append('no gate: nothing could land; give project.gate a command, such as gate = ["pytest -q"]')
        if not self.drivers:
            problems.append('no driver: nobody could work; add an [[agents]] table with role = "driver"')
        deployers = [agent.name for agent in self.agents if agent.role == "deployment"]
        if len(deployers) > 1:
            problems.append(
                f"{', '.join(deployers)} all have the role deployment: one agent deploys, so keep one of them"
            )
        if self.deploy is not None and not deployers:
            problems.append('[deploy], and nobody to do it: add an [[agents]] table with role = "deployment"')
        if len(self.reviewers) != TRIO:
            problems.append(
                f"{len(self.reviewers)} of {TRIO} reviewers: nothing could be approved; "
                f'callboard.toml needs {TRIO} [[agents]] tables with role = "reviewer"'
            )
        problems += [
            f"the command of {agent.name} is still empty: give it the program that does the work"
            for agent in self.agents
            if agent.command is not None and not agent.command.strip()
        ]
        if not self.review.allow_same_family:
            problems += family_problems(self.reviewers, self.models)
        return tuple(problems)
