"""Wires what works for runs that were started from outside; app.py's fourth part, imported by the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

from callboard.agents.manager.decision import Policy
from callboard.agents.manager.hands import GateHandler, LandHandler
from callboard.agents.manager.office import DeskHandler, Office
from callboard.agents.runtime import Handler, Work
from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.git_lasting import LastingRepository
from callboard.agents.workspace.patching import PatchVault
from callboard.agents.workspace.slots import GateSlots
from callboard.app import Workspace
from callboard.bus.board import TaskDoc
from callboard.bus.bus import Bus
from callboard.bus.clock import utc_now
from callboard.bus.messages import Envelope, Outcome
from callboard.roles.role import OUTSIDE, Capabilities, load_role, load_roles

FIRST_SLOT = 200
"""Gates of these runs have slots of their own; the launched roster's are 64 at most, and 100 is the one by hand."""
REVIEW_DEADLINE = timedelta(days=30)
"""An outside auditor comes when it comes: nobody waits beside it, and nothing passes without it."""


def builder_of(run: str) -> str:
    """The seat that hands in. Named by the run, so that no two runs share a vault or a branch."""
    return f"builder-{run}"


def auditor_of(run: str) -> str:
    """The seat that judges."""
    return f"auditor-{run}"


def drivers(workspace: Workspace) -> dict[str, str]:
    """Agent -> role, of those whom phases of a run from outside may name: a launch starts them."""
    return {
        agent.name: agent.role for agent in workspace.settings.agents if agent.role == "driver" and not agent.outside
    }


class EmptySeat:
    """Takes what is said to a seat in which no process sits: whoever acts for it reads the board."""

    def lane(self, envelope: Envelope) -> str:
        return "seat"

    async def handle(self, work: Work) -> Outcome:
        return Outcome()


@dataclass(frozen=True)
class Hosting:
    """What one process needs to be the manager of several runs."""

    workspace: Workspace

    @cached_property
    def slots(self) -> GateSlots:
        """Shared by all runs."""
        workspace = self.workspace
        return GateSlots(
            workspace.layout,
            workspace.repository,
            workspace.settings.project.slots,
            workspace.setup,
            lambda name: workspace.environment(name, is_starting=True),
            lambda name, folder, git_dir: workspace.sandbox(name, folder, git_dir),
            workspace.copies,
            first=FIRST_SLOT,
        )

    @property
    def policy(self) -> Policy:
        """As the roster's; such a run is promoted by people, and deploys nothing."""
        return replace(self.workspace.policy, review_deadline=REVIEW_DEADLINE, promotes=False, deploy=None, deployer="")

    def handlers(self, bus: Bus, office: Office) -> Mapping[str, Handler]:
        """Inbox -> handler: desk, hands, and the two seats."""
        gate = replace(self.workspace.gate(bus.run), slots=self.slots, policy=self.policy)
        return {
            "manager": DeskHandler(bus, office, self.policy, utc_now),
            "gate": GateHandler(gate, office),
            "land": LandHandler(LastingRepository.of(self.workspace.repository), office),
            builder_of(bus.run): EmptySeat(),
            auditor_of(bus.run): EmptySeat(),
        }

    def capabilities(self, run: str) -> Capabilities:
        """Who may say what in a run that was started from outside."""
        folder = self.workspace.root / self.workspace.settings.paths.roles
        seats = {builder_of(run): OUTSIDE["builder"], auditor_of(run): OUTSIDE["auditor"]}
        return Capabilities(
            load_roles(drivers(self.workspace), folder) | {"manager": load_role("manager", folder)} | seats
        )

    def vault(self, run: str) -> PatchVault:
        """Where patches become commits."""
        return PatchVault(self.workspace.layout, self.workspace.repository, builder_of(run))

    def handed_in(self, run: str, task: TaskDoc) -> Repository:
        """The vault that holds what was handed in: the builder's, or that of the driver who did the phase."""
        seat = task.agent or builder_of(run)
        return PatchVault(self.workspace.layout, self.workspace.repository, seat).vault
