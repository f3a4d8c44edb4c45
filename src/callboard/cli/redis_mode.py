"""What an external server says of how it keeps what it accepts; asked by `callboard doctor`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from callboard.bus.address import read_address
from callboard.bus.bus import Bus
from callboard.bus.errors import BusError
from callboard.bus.link import Link, shown

PROBE_S = 2.0
ABOUT = "ask how it keeps its data"


@dataclass(frozen=True, slots=True)
class Replica:
    """A server that follows the primary."""

    address: str
    state: str
    """`online` once it has caught up for the first time."""
    lag_s: int
    """Since it last said how far it is; it says so each second."""
    behind_bytes: int


@dataclass(frozen=True, slots=True)
class Mode:
    """What a server says of itself; "" where it does not say."""

    url: str
    """Without its password."""
    product: str = ""
    """`redis` or `valkey`."""
    version: str = ""
    is_tls: bool = False
    is_cluster: bool = False
    append_only: str = ""
    """`yes` or `no`."""
    fsync: str = ""
    """`always`, `everysec` or `no`."""
    eviction: str = ""
    """Its maxmemory-policy."""
    memory_bytes: int = 0
    memory_limit_bytes: int = 0
    """Its maxmemory; 0 = none."""
    role: str = ""
    """`master` or `slave`, in the server's words."""
    replicas: tuple[Replica, ...] = ()
    wait_replicas: int = 0
    """Ours: how many must have a message before it counts as sent."""


async def ask_mode(url: str) -> Mode:
    """Connect as a roster would, and look.

    Raises:
        BusUnavailable: It does not answer.
        ServerTooOld: It lacks a command the bus needs.
    """
    async with await Bus.connect(url, "doctor", connect_s=PROBE_S) as bus:
        # in a cluster, the node that has the run
        link = Link(bus.url, patience_s=PROBE_S)
    try:
        info = await _info(link)
        return read_mode(
            bus.url,
            info,
            append_only=await _config(link, "appendonly"),
            fsync=await _config(link, "appendfsync"),
        )
    finally:
        await link.close()


def read_mode(url: str, info: Mapping[str, str], *, append_only: str, fsync: str) -> Mode:
    """Put together what INFO and CONFIG say; hosted servers do not answer the second."""
    valkey = info.get("valkey_version", "")
    enabled = {"1": "yes", "0": "no"}.get(info.get("aof_enabled", ""), "")
    return Mode(
        url=shown(url),
        product="valkey" if valkey else "redis",
        version=valkey or info.get("redis_version", ""),
        is_tls=url.startswith("rediss://"),
        is_cluster=info.get("cluster_enabled") == "1",
        append_only=append_only or enabled,
        fsync=fsync,
        eviction=info.get("maxmemory_policy", ""),
        memory_bytes=_number(info, "used_memory"),
        memory_limit_bytes=_number(info, "maxmemory"),
        role=info.get("role", ""),
        replicas=tuple(_replicas(info)),
        wait_replicas=read_address(url).wait_replicas,
    )


def _replicas(info: Mapping[str, str]) -> Iterator[Replica]:
    written = _number(info, "master_repl_offset")
    for n in range(_number(info, "connected_slaves")):
        said = dict(pair.partition("=")[::2] for pair in info.get(f"slave{n}", "").split(","))
        yield Replica(
            address=f"{said.get('ip', '?')}:{said.get('port', '?')}",
            state=said.get("state", ""),
            lag_s=_number(said, "lag"),
            behind_bytes=max(0, written - _number(said, "offset")),
        )


def _number(said: Mapping[str, str], name: str) -> int:
    text = said.get(name, "")
    return int(text) if text.isdecimal() else 0


async def _info(link: Link) -> dict[str, str]:
    reply = cast(bytes, await link.command("INFO", about=ABOUT))
    rows = (line.partition(":") for line in reply.decode("utf-8", "replace").splitlines())
    return {name: value.strip() for name, _, value in rows if value}


async def _config(link: Link, name: str) -> str:
    """A setting of the server; "" where it may not be asked."""
    try:
        reply = cast(list[bytes], await link.command("CONFIG", "GET", name, about=ABOUT))
    except BusError:
        return ""
    return reply[1].decode() if len(reply) == 2 else ""
