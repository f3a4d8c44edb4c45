"""What is remembered of an environment over runs: which commits passed there, and who holds it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from callboard.agents.deployment.flocks import held
from callboard.bus.clock import utc_now
from callboard.bus.errors import DeployFailed
from callboard.bus.whole_files import write_whole

PATIENCE_S = 10.0
"""A change takes milliseconds."""
ENTRIES = 200
"""Entries of each list, the newest."""


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True)


class Hold(_Written):
    """Nobody else deploys here meanwhile."""

    by: str
    why: str
    since: AwareDatetime

    def __str__(self) -> str:
        return f"locked by {self.by} since {self.since:%Y-%m-%d %H:%M:%SZ}" + (f" ({self.why})" if self.why else "")


class Passed(_Written):
    """A release that came to serve everything, and stayed."""

    release: str
    commit: str
    deployment: str
    at: AwareDatetime


class Audit(_Written):
    """One thing that was done to the hold, or let pass."""

    by: str
    did: str
    at: AwareDatetime


class Record(_Written):
    """The content of `history.json`."""

    hold: Hold | None = None
    passed: tuple[Passed, ...] = ()
    audit: tuple[Audit, ...] = ()


class History:
    """`history.json` in an environment's folder; whole on the disk before it counts.

    Args:
        now: Dates of what is written.
    """

    def __init__(self, folder: Path, now: Callable[[], datetime] = utc_now) -> None:
        self._path = folder / "history.json"
        self._now = now

    def read(self) -> Record:
        """What is remembered; nothing where nothing was written.

        Raises:
            DeployFailed: It cannot be read.
        """
        try:
            return Record.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return Record()
        except (OSError, ValidationError) as error:
            said = str(error).splitlines()[0]
            raise DeployFailed(f"{self._path} cannot be read ({said}); put it back as it was, or remove it") from error

    def lock(self, by: str, why: str) -> Hold:
        """Keep others from deploying here; the same holder may say it again.

        Raises:
            DeployFailed: Somebody else holds it.
        """

        def locked(old: Record) -> Record:
            if old.hold is not None and old.hold.by != by:
                raise DeployFailed(f"{self._path.parent.name} is {old.hold}; only they unlock it, or `--break`")
            hold = old.hold or Hold(by=by, why=why, since=self._now())
            return old if old.hold else old.model_copy(update={"hold": hold, "audit": self._audited(old, by, "locked")})

        hold = self._change(locked).hold
        assert hold is not None
        return hold

    def unlock(self, by: str, *, breaks: bool = False, why: str = "") -> Hold | None:
        """Let others deploy again. Breaking somebody else's lock is written down.

        Returns:
            What was held; None = nothing was.

        Raises:
            DeployFailed: Somebody else holds it, and it is not broken; or it is broken without a reason.
        """
        was: list[Hold] = []

        def unlocked(old: Record) -> Record:
            if old.hold is None:
                return old
            is_theirs = old.hold.by != by
            if is_theirs and not breaks:
                raise DeployFailed(
                    f"{self._path.parent.name} is {old.hold}, not by {by or 'you'}: ask them, or `--break --reason WHY`, "
                    "which is written down"
                )
            if is_theirs and not why.strip():
                raise DeployFailed("breaking somebody else's lock needs a reason: --reason WHY")
            was.append(old.hold)
            did = f"broke the lock of {old.hold.by}: {why}" if is_theirs else "unlocked"
            return old.model_copy(update={"hold": None, "audit": self._audited(old, by, did)})

        self._change(unlocked)
        return was[0] if was else None

    def note_passed(self, release: str, commit: str, deployment: str) -> None:
        """A release serves everything now; once for each deployment."""

        def noted(old: Record) -> Record:
            if any(one.deployment == deployment for one in old.passed):
                return old
            fresh = Passed(release=release, commit=commit, deployment=deployment, at=self._now())
            return old.model_copy(update={"passed": (*old.passed, fresh)[-ENTRIES:]})

        self._change(noted)

    def note(self, by: str, did: str, *, once: bool = True) -> None:
        """Write down what somebody decided or did here; with `once` the same words stand there once."""

        def noted(old: Record) -> Record:
            if once and any((one.by, one.did) == (by, did) for one in old.audit):
                return old
            return old.model_copy(update={"audit": self._audited(old, by, did)})

        self._change(noted)

    def _audited(self, old: Record, by: str, did: str) -> tuple[Audit, ...]:
        return (*old.audit, Audit(by=by, did=did, at=self._now()))[-ENTRIES:]

    def _change(self, new: Callable[[Record], Record]) -> Record:
        with held(self._path.with_suffix(".lock"), patience_s=PATIENCE_S):
            record = new(self.read())
            try:
                write_whole(self._path, record.model_dump_json(indent=1))
            except OSError as error:
                raise DeployFailed(f"{self._path} could not be written ({error.strerror}); make room there") from error
            return record


def previous(record: Record, serving: str) -> Passed | None:
    """The newest release that passed here and is another than the one that serves."""
    return next((one for one in reversed(record.passed) if one.release != serving), None)
