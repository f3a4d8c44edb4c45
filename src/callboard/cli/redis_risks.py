"""What a server's way of keeping things puts at risk, event by event, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from callboard.cli.output import plural
from callboard.cli.redis_mode import Mode

Event = Literal["kill -9", "OS crash", "machine lost", "memory full"]
Lost = Literal["nothing", "moments", "seconds", "everything", "unknown"]
"""Of what was accepted: `moments` = what the replicas or the archive had not yet; `seconds` = up to some 30."""
ARCHIVED = "; what the archive in .callboard/ has is written back by the next launch"


@dataclass(frozen=True, slots=True)
class Risk:
    """What an event may take away."""

    event: Event
    lost: Lost
    text: str
    """A sentence; where something can be lost, with what to do about it."""


def explain_mode(mode: Mode) -> tuple[bool, str]:
    """Whether a roster can work on it, and the sentence that says what it is."""
    problem = _unusable(mode)
    version = " ".join(part for part in (mode.product, mode.version) if part) or "unknown version"
    what = [f"{mode.url}: {version}{', a cluster' if mode.is_cluster else ''}"]
    what.append(f"appendonly {mode.append_only or '?'}, appendfsync {mode.fsync or '?'}")
    what.append(f"maxmemory {_mb(mode.memory_limit_bytes)} ({mode.eviction or '?'}), {_mb(mode.memory_bytes)} used")
    what.append("TLS" if mode.is_tls else "no TLS")
    what.append(_replication(mode))
    return not problem, "; ".join([", ".join(what), *([problem] if problem else [])])


def risks(mode: Mode) -> tuple[Risk, ...]:
    return _on_kill(mode), _on_crash(mode), _on_loss(mode), _on_full(mode)


def _unusable(mode: Mode) -> str:
    if mode.role not in ("", "master"):
        return f"it is a {mode.role}, which takes no writes: name the primary"
    online = sum(each.state == "online" for each in mode.replicas)
    if online < mode.wait_replicas:
        return (
            f"wait_replicas = {mode.wait_replicas}, and {online} replicas follow it: no message would count as sent. "
            "Start its replicas, or lower wait_replicas"
        )
    return ""


def _replication(mode: Mode) -> str:
    if not mode.replicas:
        return f"{mode.role or 'unknown role'} without replicas"
    shown = (
        f"{each.address} {each.state}, {each.behind_bytes} bytes behind, heard of {each.lag_s} s ago"
        for each in mode.replicas
    )
    return f"{mode.role} with {plural(len(mode.replicas), 'replica')} ({'; '.join(shown)}), wait_replicas {mode.wait_replicas}"


def _on_kill(mode: Mode) -> Risk:
    event: Event = "kill -9"
    if not mode.append_only:
        return _untold(event)
    if mode.append_only == "no":
        return _snapshot(event)
    if mode.fsync == "always":
        return Risk(event, "nothing", "nothing that was accepted is lost when the server's process is killed")
    return Risk(
        event,
        "moments",
        "nothing is lost when the server's process is killed, but what a busy disk had kept waiting, two seconds at most: "
        "set `appendfsync always`",
    )


def _on_crash(mode: Mode) -> Risk:
    event: Event = "OS crash"
    if not mode.append_only or (mode.append_only == "yes" and not mode.fsync):
        return _untold(event)
    if mode.append_only == "no":
        return _snapshot(event)
    if mode.fsync == "always":
        return Risk(event, "nothing", "nothing that was accepted is lost when its machine crashes or has no power")
    lost = "some 30 seconds" if mode.fsync == "no" else "about a second"
    return Risk(
        event,
        "seconds",
        f"{lost} of accepted messages are lost when its machine crashes{ARCHIVED}: set `appendfsync always`",
    )


def _on_loss(mode: Mode) -> Risk:
    event: Event = "machine lost"
    if not mode.replicas:
        return Risk(
            event,
            "everything",
            f"everything is lost with its machine, for it has no replica{ARCHIVED}: give it one on another machine",
        )
    if mode.wait_replicas:
        return Risk(
            event,
            "nothing",
            f"nothing that was accepted is lost with its machine, as long as one of the {mode.wait_replicas} replicas that "
            "had confirmed it takes over",
        )
    return Risk(
        event,
        "moments",
        "a replica that takes over may lack the last messages, more of them when it was stalled: replication does not wait"
        f"{ARCHIVED}; set `[bus] wait_replicas = 1`",
    )


def _on_full(mode: Mode) -> Risk:
    event: Event = "memory full"
    if not mode.eviction:
        return _untold(event)
    if mode.eviction != "noeviction":
        return Risk(
            event,
            "unknown",
            f"when memory is full it throws messages away ({mode.eviction}): set `maxmemory-policy noeviction`",
        )
    if not mode.memory_limit_bytes:
        return Risk(event, "nothing", "it has no maxmemory: it takes what its machine has; watch that")
    return Risk(event, "nothing", "when memory is full it refuses what is new, and work waits until it has room")


def _untold(event: Event) -> Risk:
    return Risk(
        event, "unknown", "it does not say how it keeps its data: ask who runs it for appendonly and appendfsync"
    )


def _snapshot(event: Event) -> Risk:
    return Risk(event, "everything", f"everything since its last snapshot is lost{ARCHIVED}: set `appendonly yes`")


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.0f} MB" if size else "none"
