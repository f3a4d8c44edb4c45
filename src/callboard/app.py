"""The only place that wires objects together."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from callboard.agents.settings import BRAINS, MANAGER, PLANNING, AgentSettings
from callboard.agents.workspace.environment import passed_on, work_environment
from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.git_runner import GitPlace, run_git
from callboard.agents.workspace.layout import Layout
from callboard.agents.workspace.preflight import git_problems
from callboard.bus.archive import FileArchive
from callboard.bus.clock import utc_now
from callboard.bus.errors import RosterError
from callboard.bus.known_secrets import KnownSecrets
from callboard.bus.redaction import Redactor
from callboard.settings import FILE, Settings, load_settings
from callboard.settings.secrets import known_secrets

# What only agents need is imported where it is made: commands that look, such as `status`, would wait for it.
if TYPE_CHECKING:
    from callboard.agents.brains.brain import Brain, Judge, Seat
    from callboard.agents.brains.budget import Budget
    from callboard.agents.brains.prices import Prices
    from callboard.agents.manager.decision import Policy
    from callboard.agents.manager.gate import Gate, Told
    from callboard.agents.manager.intake import IntakeRules
    from callboard.agents.manager.office import Office
    from callboard.agents.runtime import Handler
    from callboard.agents.workspace.clone import AgentClone
    from callboard.agents.workspace.copies import Copies
    from callboard.agents.workspace.sandbox import Sandbox
    from callboard.agents.workspace.setup import Setup
    from callboard.bus.bus import Bus
    from callboard.roles.role import Capabilities


@dataclass(frozen=True, slots=True)
class Workspace:
    """One repository with a callboard.toml: what everything else is made from."""

    root: Path
    settings: Settings
    layout: Layout
    repository: Repository
    environ: Mapping[str, str]
    redactor: Redactor = field(default_factory=Redactor)
    """Knows the secrets of this workspace; whatever leaves goes through it."""

    @classmethod
    def open(cls, start: Path, environ: Mapping[str, str]) -> Workspace:
        """The workspace that a folder lies in.

        Raises:
            RosterError: It lies in no git repository that could be used.
            ConfigError: callboard.toml is missing or wrong.
        """
        if problems := git_problems(start):
            raise RosterError(problems[0])
        root = Path(run_git(GitPlace(start), ("rev-parse", "--show-toplevel")).text)
        settings = load_settings(root / FILE, environ)
        redactor = Redactor(known_secrets(root, settings, environ))
        return cls(root, settings, Layout(root), Repository(root), environ, redactor)

    @property
    def policy(self) -> Policy:
        from callboard.agents.manager.decision import Policy

        project, review = self.settings.project, self.settings.review
        seconds = (review.deadline_s, review.consult_deadline_s, project.stuck_after_s)
        late, silent, still = (timedelta(seconds=it) for it in seconds)
        asking, by = self.settings.questions.asking(self.settings.people), self.settings.promotion.by
        given = (*project.gates, project.lint, project.setup, late, silent)
        return Policy(
            *given,
            stuck_after=still,
            promotes=by != "person",
            asking=asking,
            deploy=self.settings.deploy,
            deployer=self.settings.deployer,
        )

    @property
    def setup(self) -> Setup:
        from callboard.agents.workspace.setup import Setup

        project = self.settings.project
        return Setup(
            project.setup,
            project.setup_inputs,
            timeout_s=project.gate_timeout_s,
            connect=self.settings.sandbox.setup_connect,
        )

    @property
    def roster(self) -> dict[str, str]:
        """Agent -> role."""
        return {agent.name: agent.role for agent in self.settings.agents}

    def archive(self, run: str) -> FileArchive:
        """Where a run's journal is kept for good."""
        return FileArchive(self.layout.archive(run))

    def capabilities(self) -> Capabilities:
        from callboard.roles.role import Capabilities, load_roles

        return Capabilities(load_roles(self.roster, self.root / self.settings.paths.roles))

    @property
    def copies(self) -> Copies:
        """What clones and slots get of the user's checkout."""
        from callboard.agents.workspace.copies import Copies

        return Copies(self.root, self.settings.project.copied)

    def environment(self, name: str, *, is_starting: bool = False) -> dict[str, str]:
        """The whole environment of what runs for an agent or a gate slot.

        Args:
            is_starting: Nothing runs for it now.
        """
        from callboard.agents.workspace.lots import Lots

        project = self.settings.project
        lot = Lots(self.layout.lots, self.root, project.ports).of(name, is_starting=is_starting)
        env, pass_env = project.env, project.pass_env
        return work_environment(self.layout, name, env=env, pass_env=pass_env, inherited=self.environ, lot=lot)

    def sandbox(self, name: str, folder: Path, git_dir: Path) -> Sandbox:
        """What commands may do that run for an agent or a gate slot in its folder.

        Args:
            git_dir: Ours, for that folder; it lends objects to the folder's own `.git`.

        Raises:
            RosterError: There is no such sandbox here.
        """
        from callboard.agents.workspace.sandbox_probe import candidates

        base = replace(self.base_sandbox, kind=candidates(self.settings.sandbox.kind)[0])
        return base.allowing(writable=(folder, self.layout.scratch(name)), readable=(git_dir / "objects",))

    @property
    def base_sandbox(self) -> Sandbox:
        """What every command may do, whoever runs it; of no kind yet."""
        from callboard.agents.workspace.sandbox import Sandbox
        from callboard.agents.workspace.sandbox_settings import SECRETS

        settings, home = self.settings.sandbox, Path(self.environ.get("HOME", "/nonexistent"))
        objects = self.repository.git_path("objects").resolve()
        secrets = (*(home / name for name in SECRETS), *self.root.glob(".env*"))
        return Sandbox(
            writable=tuple(map(Path, settings.writable)),
            hidden=(self.layout.home, objects.parent, *secrets, *map(Path, settings.hidden)),
            readable=(objects,),
            connect=settings.connect,
            memory_bytes=settings.memory_mb * 1_000_000,
            processes=settings.processes,
        )

    def clone(self, agent: str) -> AgentClone:
        from callboard.agents.workspace.clone import AgentClone

        return AgentClone(self.layout, self.repository, agent, copies=self.copies)

    def seat(self, agent: AgentSettings, run: str) -> Seat:
        from callboard.agents.brains.brain import Seat
        from callboard.roles.role import load_roles

        prompt = load_roles({agent.name: agent.role}, self.root / self.settings.paths.roles)[agent.name].prompt
        return Seat(
            run=run,
            agent=agent.name,
            prompt=prompt,
            cwd=self.layout.clone(agent.name),
            timeout_s=agent.timeout_s,
            env=self.environment(agent.name, is_starting=True),
            sandbox=self.sandbox(agent.name, self.layout.clone(agent.name), self.layout.vault(agent.name)),
        )

    def brain(self, agent: AgentSettings, bus: Bus) -> Brain:
        """What an agent of a run thinks with; its calls count against the run's caps."""
        from callboard.agents.brains.run_budget import RunBudget
        from callboard.thinking import Thinking

        return Thinking(self, agent, RunBudget(bus, agent.name, self.prices), self.prices).brain()

    def planner(self, budget: Budget) -> tuple[Seat, Judge]:
        """What drafts plans: the manager's brain, in the manager's own clone and outside any run.

        Raises:
            RosterError: The manager has none.
        """
        from callboard.thinking import Thinking

        agent = self.settings.agent(MANAGER)
        if agent is None or all(getattr(agent, key) is None for key in BRAINS):
            raise RosterError(
                f"{FILE}: agents.manager: the manager has nothing to think with, and drafting a plan takes thought; give it "
                "a `model`, a `cli` or a `command`, as a driver has"
            )
        return self.seat(agent, PLANNING), Thinking(self, agent, budget, self.prices).brain()

    @property
    def prices(self) -> Prices:
        from callboard.agents.brains.prices import Prices

        return Prices({model: table.price for model, table in self.settings.prices.items()})

    @property
    def is_played(self) -> bool:
        """What models say comes from a recording here, and no model is called."""
        return self.layout.play.is_dir()

    def _tools_called(self, run: str, task: str, attempt: int, agent: str) -> frozenset[str] | None:
        """Of agents whose tools we run ourselves; what another program says of its own is a claim."""
        from callboard.agents.brains.call_file import tools_called

        known = self.settings.agent(agent)
        thinks = known is not None and known.model is not None
        return tools_called(self.layout.call_log(run, task, attempt, agent)) if thinks else None

    def cli_environment(self, agent: AgentSettings) -> dict[str, str]:
        """What an agent's CLI finds in its environment, but for what its adapter adds."""
        return {**self.environment(agent.name), **passed_on(agent.pass_env, self.environ)}

    def handler(self, agent: AgentSettings, bus: Bus, brain: Brain | None = None) -> Handler:
        """What a driver or a reviewer does with its messages, thinking with what its settings say, or with another brain."""
        from callboard.agents.driver.handler import DriverHandler
        from callboard.agents.driver.task_run import Post
        from callboard.agents.reviewer.bench import Bench
        from callboard.agents.reviewer.handler import ReviewerHandler

        seat, brain = self.seat(agent, bus.run), brain or self.brain(agent, bus)
        if agent.role == "reviewer":
            return ReviewerHandler(Bench(seat, self.clone(agent.name), self.repository, self.setup), brain)
        post = Post(seat, self.clone(agent.name), self.setup, check_timeout_s=self.settings.project.gate_timeout_s)
        measure_every_s = min(post.measure_every_s, self.settings.project.stuck_after_s / 4)
        post = replace(post, measure_every_s=measure_every_s, resumes=bool(agent.outside))
        if agent.role != "deployment" or self.settings.deploy is None:
            return DriverHandler(post, brain)
        from callboard.deploying import Deploying

        return Deploying(self).handler(post, brain, bus)

    def manager_handlers(self, bus: Bus, office: Office) -> dict[str, Handler]:
        """Inbox -> handler: the desk and its hands."""
        from callboard.agents.manager.hands import GateHandler, LandHandler
        from callboard.agents.manager.office import DeskHandler
        from callboard.agents.manager.promotion import promoter
        from callboard.agents.workspace.git_lasting import LastingRepository

        promotes = promoter(self.settings.promotion, self.repository, self.environ, self.redactor.text)
        return {
            "manager": DeskHandler(bus, office, self.policy, utc_now),
            "gate": GateHandler(self.gate(bus.run), office),
            "land": LandHandler(LastingRepository.of(self.repository), office, promotes),
        }

    def gate(self, run: str, *, by_hand: Told | None = None) -> Gate:
        """What takes in and judges trees.

        Args:
            by_hand: Hears of each command; a person runs it, beside the manager and in a slot that no manager has.
        """
        from callboard.agents.manager.gate import Gate, nobody_is_told
        from callboard.agents.workspace.slots import BY_HAND, GateSlots

        slots = GateSlots(
            self.layout,
            self.repository,
            1 if by_hand else self.settings.project.slots,
            self.setup,
            lambda name: self.environment(name, is_starting=True),
            lambda name, folder, git_dir: self.sandbox(name, folder, git_dir),
            self.copies,
            first=BY_HAND if by_hand else 1,
        )
        return Gate(
            run=run,
            layout=self.layout,
            repository=self.repository,
            slots=slots,
            policy=self.policy,
            rules=self.intake_rules(),
            timeout_s=self.settings.project.gate_timeout_s,
            called=partial(self._tools_called, run),
            told=by_hand or nobody_is_told,
            tries=self.settings.project.gate_tries,
            backoff_s=self.settings.project.gate_backoff_s,
        )

    def intake_rules(self) -> IntakeRules:
        """What the gate asks of every hand-in, whatever its task."""
        from callboard.agents.manager.intake import IntakeLimits, IntakeRules, ProtectedPaths

        intake, paths = self.settings.intake, self.settings.paths
        limits = IntakeLimits(intake.max_file_bytes, intake.max_total_bytes, intake.max_files)
        protected = ProtectedPaths(FILE, paths.directions, paths.roles, paths.feedback, self.settings.project.copied)
        known = KnownSecrets(known_secrets(self.root, self.settings, self.environ), whole=True)
        return IntakeRules(limits=limits, protected=protected, known=known)


def consumer_name(agent: str) -> str:
    """`<agent>.<host>.<incarnation>`; dots in the host's name would blur its parts."""
    host = socket.gethostname().replace(".", "-") or "localhost"
    return f"{agent}.{host}.{os.getpid()}-{utc_now():%Y%m%d%H%M%S%f}"
