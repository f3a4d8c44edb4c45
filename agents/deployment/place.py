"""What every target is made from: one environment, and how a commit is built for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from callboard.agents.deployment.checkouts import Builder
from callboard.agents.deployment.target import Slot
from callboard.agents.deployment.target_settings import TargetSettings
from callboard.bus.errors import DeployFailed

LotOf = Callable[[str, bool], Mapping[str, str]]
"""Gives the whole environment of what runs for a name, `CALLBOARD_PORT` in it; whether nothing runs for it now."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Place:
    """One environment on this computer.

    Args:
        environment: Its name.
        folder: Its own, kept over launches.
        variables: What its services get in their environment besides, secrets among it.
    """

    environment: str
    folder: Path
    settings: TargetSettings
    builder: Builder
    lot: LotOf
    variables: Mapping[str, str] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    """The launcher's: its PATH is where programs are looked for."""
    secrets: frozenset[str] = frozenset()
    """Names of those of `variables` that nobody may read."""

    def release_folder(self, release: str) -> Path:
        """Raises DeployFailed: No folder can have that name."""
        if not _NAME.fullmatch(release):
            raise DeployFailed(f"{release!r} cannot name a release; use letters, digits and dashes")
        return self.folder / "releases" / release

    def output(self, release: str) -> Path:
        """The file with what a release printed."""
        return self.release_folder(release) / "output.log"

    def lot_name(self, slot: Slot) -> str:
        """Whose ports and scratch folder a slot has."""
        return f"deploy-{self.environment}-{slot}"

    def variables_of(self, release: str, commit: str) -> dict[str, str]:
        """What tells a release who it is."""
        return {"CALLBOARD_ENV": self.environment, "CALLBOARD_RELEASE": release, "CALLBOARD_COMMIT": commit}
