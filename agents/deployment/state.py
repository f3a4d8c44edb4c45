"""What is written of one environment, over launches: releases, slots, who gets how much, what was begun."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from callboard.agents.deployment.flocks import held
from callboard.agents.deployment.target import SLOTS, Slot
from callboard.bus.errors import DeployFailed
from callboard.bus.whole_files import write_whole

STARTABLE = 3
"""Releases that stay startable, those that run among them."""
PATIENCE_S = 60.0
"""A change of what is written takes milliseconds; a change of the switch, one answer of its socket."""
SPARE_BYTES = 64 * 1024
"""More than the file ever has, twice."""


class Written(BaseModel):
    model_config = ConfigDict(frozen=True)


class ReleaseRecord(Written):
    """One release, as it was begun."""

    id: str
    commit: str
    slot: Slot
    port: int = 0
    """Where it listens; 0 = it was never started."""
    since: float = 0.0
    """When it got its slot, in seconds since 1970."""


class EnvironmentState(Written):
    """The content of `state.json`."""

    releases: tuple[ReleaseRecord, ...] = ()
    """Those that are startable, the one begun last at the end."""
    slots: dict[Slot, str] = {}
    """Slot -> the release that is in it."""
    weights: dict[str, int] = {}
    """Release -> per cent of new requests, as wanted."""
    intent: str = ""
    """What was begun and has not ended, such as `up r-2`; "" = nothing."""

    def release(self, id: str) -> ReleaseRecord | None:
        return next((one for one in self.releases if one.id == id), None)

    def holders(self) -> tuple[ReleaseRecord, ...]:
        """The releases in the slots, by slot."""
        found = (self.release(self.slots.get(slot, "")) for slot in SLOTS)
        return tuple(one for one in found if one is not None)


def placed(state: EnvironmentState, id: str, commit: str, alive: Callable[[str], bool], now: float) -> EnvironmentState:
    """The state once a release has a slot: its own, if nobody else has that now, or else one in which nothing runs.

    Args:
        alive: Whether a release runs.

    Raises:
        DeployFailed: The id belongs to another commit, or both slots are in use.
    """
    known = state.release(id)
    if known is not None and known.commit != commit:
        raise DeployFailed(
            f"release {id} is commit {known.commit[:12]}, not {commit[:12]}; give the new one another id"
        )
    if known is not None and state.slots.get(known.slot) == id:
        return state.model_copy(update={"intent": f"up {id}"})
    free = [slot for slot in SLOTS if slot not in state.slots or not alive(state.slots[slot])]
    if not free:
        both = " and ".join(state.slots[slot] for slot in SLOTS)
        raise DeployFailed(f"release {id} has no place: {both} run; stop the one that has no traffic first")
    record = ReleaseRecord(id=id, commit=commit, slot=free[0], since=now)
    others = tuple(one for one in state.releases if one.id != id)
    weights = {name: share for name, share in state.weights.items() if name != state.slots.get(free[0])}
    return EnvironmentState(
        releases=(*others, record), slots={**state.slots, free[0]: id}, weights=weights, intent=f"up {id}"
    )


def outdated(state: EnvironmentState) -> tuple[ReleaseRecord, ...]:
    """Releases that are startable no more: neither in a slot nor among the last."""
    in_slots = set(state.slots.values())
    older = state.releases[:-STARTABLE]
    return tuple(one for one in older if one.id not in in_slots)


class Store:
    """`state.json` in an environment's folder. Each change is whole on the disk before it counts.

    Args:
        patience_s: How long another process may hold the file.
    """

    def __init__(self, folder: Path, patience_s: float = PATIENCE_S) -> None:
        self.path = folder / "state.json"
        self.lock = self.path.with_suffix(".lock")
        self._patience_s = patience_s

    def read(self) -> EnvironmentState:
        """What is written; an empty state where nothing is.

        Raises:
            DeployFailed: It cannot be read.
        """
        try:
            return EnvironmentState.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return EnvironmentState()
        except (OSError, ValidationError) as error:
            raise DeployFailed(
                f"{self.path} does not say what runs ({str(error).splitlines()[0]}); put it back as it was, or stop what "
                f"runs there by hand and remove {self.path.parent}"
            ) from error

    @contextmanager
    def alone(self) -> Iterator[EnvironmentState]:
        """What is written, while nobody else changes it.

        Raises:
            DeployFailed: It cannot be read, or another process holds it.
        """
        with held(self.lock, patience_s=self._patience_s):
            yield self.read()

    def change(self, new: Callable[[EnvironmentState], EnvironmentState]) -> EnvironmentState:
        """Replace what is written by what `new` makes of it; nobody else writes meanwhile.

        Raises:
            DeployFailed: It cannot be read or written, or another process holds it; it stands as it stood.
        """
        with self.alone() as old:
            state = new(old)
            self._write(state)
            return state

    def _write(self, state: EnvironmentState) -> None:
        try:
            self._written(state.model_dump_json(indent=1))
        except OSError as error:
            raise DeployFailed(
                f"{self.path} could not be written ({error.strerror}), so nothing was changed; make room there"
            ) from error

    def _written(self, text: str) -> None:
        spare = self.path.with_name("spare")
        try:
            write_whole(self.path, text)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not spare.exists():
                raise
            spare.unlink()
            write_whole(self.path, text)
        else:
            _set_aside(spare)


def _set_aside(spare: Path) -> None:
    """Room for the day when there is none: also then the switch must go back."""
    if spare.exists():
        return
    try:
        spare.write_bytes(os.urandom(SPARE_BYTES))
    except OSError:
        spare.unlink(missing_ok=True)
