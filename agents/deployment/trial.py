"""While Green is on trial it has a share of the requests only as long as somebody watches it.

Who is about to give it one writes that down here first. When that process ends, whatever ended it, the keeper gives Blue
everything (keeper.py), and says so in a note beside it.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from callboard.agents.deployment import keeper
from callboard.agents.deployment.haproxy import Backend
from callboard.bus.errors import DeployFailed
from callboard.bus.whole_files import write_whole


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Blue got everything, as nobody watched Green any more."""

    at: datetime
    green: str
    had: int
    """Per cent that Green had."""
    blue: str

    def __str__(self) -> str:
        return (
            f"{self.green} had {self.had} % of the requests when who watched it ended, so {self.blue} has had everything since "
            f"{self.at:%Y-%m-%d %H:%M:%SZ}"
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """Of one environment.

    Args:
        path: The file that the keeper looks at.
    """

    path: Path

    @property
    def _note(self) -> Path:
        return self.path.with_name("given-back")

    def begin(self, green: str, blue: str, told: Backend, files: dict[str, str]) -> None:
        """This process watches from now on. To be called under the lock of the state.

        Args:
            told: Blue, as the switch is to have it then.
            files: What keeper.put_back needs besides.

        Raises:
            DeployFailed: It could not be written, so Green must not have a share.
        """
        me = f"{os.getpid()} {keeper.started(os.getpid())}"
        said = {**files, "watcher": me, "green": green, "blue": blue, "port": str(told.port), "note": str(self._note)}
        try:
            write_whole(self.path, json.dumps(said))
        except OSError as error:
            raise DeployFailed(
                f"{self.path} could not be written ({error.strerror}), so {green} gets no requests; make room there"
            ) from error
        self._note.unlink(missing_ok=True)

    def end(self) -> None:
        """Whoever has a share now keeps it. To be called under the lock of the state."""
        for path in (self.path, self._note):
            path.unlink(missing_ok=True)

    def names(self, release: str) -> bool:
        """Whether it is about a release, or the last one was."""
        found, last = keeper.trial_of(str(self.path)), self.given_back
        return release in (found.get("green"), found.get("blue"), *((last.green, last.blue) if last else ()))

    @property
    def unwatched(self) -> str:
        """The release that may have a share which nobody watches; "" = there is none."""
        found = keeper.trial_of(str(self.path))
        return found.get("green", "") if keeper.is_unwatched(found) else ""

    @property
    def given_back(self) -> GivenBack | None:
        """What became of the last one, until the next begins or it ends otherwise."""
        with suppress(OSError, ValueError):
            at, green, had, blue = self._note.read_text().split()
            return GivenBack(datetime.fromtimestamp(float(at), UTC), green, int(had), blue)
        return None

    def give_back(self) -> None:
        """At once, what the keeper does with its next look."""
        keeper.give_back(str(self.path))
