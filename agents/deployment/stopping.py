"""Everything that runs in an environment ends, without cutting off a request that is in flight."""

from __future__ import annotations

from dataclasses import dataclass

from callboard.agents.deployment.target import CanShut, Release, Target


@dataclass(frozen=True, slots=True)
class Stopped:
    release: str
    commit: str
    percent: int
    """Of the requests, until then."""
    drained: bool
    """Whether its requests had ended before it did; False where the target cannot tell."""


def stop_everything(target: Target, drain_s: float) -> tuple[Stopped, ...]:
    """Turn new requests away, wait for those in flight, then end each release; the switch ends with the last one.

    Done again after it was broken off it goes on from there. Releases stay startable.

    Args:
        drain_s: How long requests of one release may still take.

    Raises:
        DeployFailed: One could not be ended; what was ended before stays ended.
    """
    # who serves goes last: a target that cannot turn requests away stops nobody who has some while another runs
    found = sorted(target.running(), key=lambda one: one.weight)
    if isinstance(target, CanShut):
        target.shut()
    return tuple(_stop(target, one, drain_s) for one in found)


def _stop(target: Target, one: Release, drain_s: float) -> Stopped:
    drained = one.alive and target.drain(one.id, drain_s)
    target.down(one.id)
    return Stopped(one.id, one.commit, one.weight, drained)
