"""What a deployment needs of the place where releases run; one class for each kind of place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from callboard.agents.deployment.samples import Sample

Slot = Literal["a", "b"]
"""A release's place behind the switch; two at most run at once."""
SLOTS: tuple[Slot, Slot] = ("a", "b")


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a target can do beyond switching all traffic at once; what it cannot, the flow does without and says so."""

    weights: bool
    """Shares of the traffic; without it `shift` takes 0 and 100 alone."""
    drain: bool
    """It can tell when a release has no requests in flight."""
    statistics: bool
    """It can tell what real requests met."""


@dataclass(frozen=True, slots=True)
class Release:
    """One commit that was started, as its target sees it now."""

    id: str
    commit: str
    slot: Slot
    address: str
    """`http://host:port` of this release alone, past the switch; "" when it does not run."""
    weight: int
    """Its share of new requests in per cent."""
    alive: bool
    """Whether it runs."""


@dataclass(frozen=True, slots=True)
class Health:
    """One look at a release's health path, past the switch."""

    ok: bool
    status: int
    """Of HTTP; 0 when there was no answer."""
    latency_s: float
    said: str
    """The beginning of the answer, or why there was none."""


class Target(Protocol):
    """Where the releases of one environment run.

    Synchronous, and called in threads. Each call may be made again: it asks the place what is true, and does what is
    still to be done.
    """

    @property
    def abilities(self) -> Abilities: ...

    def problems(self) -> tuple[str, ...]:
        """Why nothing can be deployed here, each with the way out; nothing is started."""
        ...

    def up(self, release: str, commit: str) -> Release:
        """Build a commit and start it beside what serves, without traffic.

        Raises:
            DeployFailed: It could not be built or started.
        """
        ...

    def running(self) -> tuple[Release, ...]:
        """What is in the slots now."""
        ...

    def healthy(self, release: str) -> Health: ...

    def shift(self, weights: Mapping[str, int]) -> None:
        """Give each release its share of new requests.

        Args:
            weights: Release -> per cent; they sum to 100. Who is not named gets none.

        Raises:
            DeployFailed: The switch does not do it, or cannot; it stands as it stood.
        """
        ...

    def drain(self, release: str, timeout_s: float) -> bool:
        """Give it no new requests and wait for those in flight; whether they ended in time. False at once where it cannot tell (`abilities.drain`)."""
        ...

    def down(self, release: str) -> None:
        """Stop it; it can be started again while it is one of the last 3 releases.

        Raises:
            DeployFailed: It has traffic, or does not end.
        """
        ...

    def requests(self, since: float) -> Sequence[Sample]:
        """What real requests met that ended after `since` (seconds since 1970), oldest first; none without `abilities.statistics`."""
        ...

    def output(self, release: str) -> Path:
        """The file with what it printed."""
        ...


@runtime_checkable
class HasNotices(Protocol):
    """A target that knows what happened while nobody looked."""

    def notices(self) -> tuple[str, ...]:
        """What people should hear of it, a sentence each.

        Raises:
            DeployFailed: What is written there cannot be read.
        """
        ...


def notices(target: Target) -> tuple[str, ...]:
    """What happened at a target while nobody looked; () where it cannot tell."""
    return target.notices() if isinstance(target, HasNotices) else ()


@runtime_checkable
class CanReopen(Protocol):
    """A target whose switch can end by itself while releases run."""

    def reopen(self) -> bool:
        """Have the switch and its keeper run again, as it was told last, where one does not and a release that has a share does.

        Returns:
            Whether anything was started.

        Raises:
            DeployFailed: It cannot be started.
        """
        ...


def reopen(target: Target) -> bool:
    """A switch that does not run says nothing of who serves; without this Blue would be taken for a release that nobody uses."""
    return isinstance(target, CanReopen) and target.reopen()


@runtime_checkable
class CanShut(Protocol):
    """A target that can turn new requests away from all of its releases."""

    def shut(self) -> None:
        """Give no release new requests; those in flight go on.

        Raises:
            DeployFailed: The switch does not do it.
        """
        ...


@runtime_checkable
class TriesOut(Protocol):
    """A target at which Green has a share only as long as the process lives that watches it."""

    def try_out(self, green: str, blue: str) -> str:
        """From now on Blue gets everything once this process ends, until `end_trial`.

        Returns:
            What became of an earlier trial, as a sentence; "" = nothing that anybody should hear.

        Raises:
            DeployFailed: Nobody would give Blue anything.
        """
        ...

    def end_trial(self) -> None:
        """Whoever has a share now keeps it."""
        ...

    def give_back(self) -> None:
        """Give Blue everything at once, if who watched Green has ended."""
        ...


def try_out(target: Target, green: str, blue: str) -> str:
    """See TriesOut; "" where a target cannot."""
    return target.try_out(green, blue) if isinstance(target, TriesOut) else ""


def end_trial(target: Target) -> None:
    if isinstance(target, TriesOut):
        target.end_trial()


def give_back(target: Target) -> None:
    if isinstance(target, TriesOut):
        target.give_back()
