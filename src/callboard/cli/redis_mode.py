"""How safely an external server keeps what it accepts; asked by `callboard doctor`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from callboard.bus.bus import Bus
from callboard.bus.errors import BusError
from callboard.bus.link import Link, shown

PROBE_S = 2.0


@dataclass(frozen=True, slots=True)
class Mode:
    """What a server says of itself; "" where it does not say."""

    url: str
    """Without its password."""
    append_only: str = ""
    """`yes` or `no`."""
    fsync: str = ""
    """`always`, `everysec` or `no`."""
    eviction: str = ""
    """Its maxmemory-policy."""
    role: str = ""
    replicas: int = 0


async def ask_mode(url: str) -> Mode:
    """Connect as a roster would, and look.

    Raises:
        BusUnavailable: It does not answer.
        ServerTooOld: It lacks a command the bus needs.
    """
    await (await Bus.connect(url, "doctor", connect_s=PROBE_S)).close()
    link = Link(url, patience_s=PROBE_S)
    try:
        replication = await _info(link)
        return Mode(
            url=shown(url),
            append_only=await _config(link, "appendonly"),
            fsync=await _config(link, "appendfsync"),
            eviction=await _config(link, "maxmemory-policy"),
            role=replication.get("role", ""),
            replicas=int(replication.get("connected_slaves", "0")),
        )
    finally:
        await link.close()


def explain_mode(mode: Mode) -> tuple[bool, str]:
    """Whether nothing accepted can be lost by a crash of the server, and the sentence that says what can."""
    risks = list(_risks(mode))
    replicas = f", {mode.replicas} replicas" if mode.replicas else ""
    text = f"{mode.url}: appendonly {mode.append_only or '?'}, appendfsync {mode.fsync or '?'}{replicas}"
    return not risks, "; ".join([text, *risks])


def _risks(mode: Mode) -> Iterable[str]:
    if mode.role not in ("", "master"):
        yield f"it is a {mode.role}, which takes no writes: name the primary"
    if not mode.append_only:
        yield "it does not say how it keeps its data: ask who runs it whether appendonly is on"
    elif mode.append_only != "yes":
        yield "a restart of the server loses everything since its last snapshot: set `appendonly yes`"
    elif mode.fsync != "always":
        lost = "what the system had not yet written" if mode.fsync == "no" else "about a second of accepted messages"
        yield f"a crash of its machine loses {lost}: set `appendfsync always`"
    if mode.eviction not in ("", "noeviction"):
        yield f"when memory is full it throws messages away ({mode.eviction}): set `maxmemory-policy noeviction`"
    if mode.replicas:
        yield "a replica that takes over may lack the last messages: replication does not wait"


async def _info(link: Link) -> dict[str, str]:
    reply = cast(bytes, await link.command("INFO", "replication", about="ask about replication"))
    rows = (line.partition(":") for line in reply.decode("utf-8", "replace").splitlines())
    return {name: value.strip() for name, _, value in rows if value}


async def _config(link: Link, name: str) -> str:
    """A setting of the server; "" where it may not be asked, as with many hosted ones."""
    try:
        reply = cast(list[bytes], await link.command("CONFIG", "GET", name, about="ask how it is set"))
    except BusError:
        return ""
    return reply[1].decode() if len(reply) == 2 else ""
