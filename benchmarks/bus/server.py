"""The one server that all contenders meet: the one that comes with Callboard, AOF everysec, on loopback TCP.

TCP, not our unix socket, because not every peer speaks that.
"""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import redis

from callboard.bus.binary import find_binary
from callboard.bus.server import server_argv


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(fsync: str = "everysec") -> Iterator[str]:
    """A server of its own; gives its URL. It ends, and its data goes, with the block."""
    with tempfile.TemporaryDirectory(prefix="callboard-bench-") as folder:
        data, port = Path(folder), free_port()
        argv = server_argv(find_binary(path=""), data, data / "s.sock")
        network = ["--port", str(port), "--bind", "127.0.0.1", "--appendfsync", fsync]
        process = subprocess.Popen([*argv, *network], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        url = f"redis://127.0.0.1:{port}/0"
        try:
            _until_it_answers(url)
            yield url
        finally:
            process.terminate()
            process.wait()


def _until_it_answers(url: str) -> None:
    for _ in range(500):
        try:
            redis.Redis.from_url(url).ping()
        except redis.ConnectionError:
            time.sleep(0.02)
        else:
            return
    raise SystemExit(f"the server at {url} does not answer")


def calls(url: str) -> dict[str, int]:
    """How often the server has run each command that it was sent; what scripts call inside is not counted apart."""
    client = redis.Redis.from_url(url)
    stats = cast(dict[str, dict[str, int]], client.info("commandstats"))
    return {name.removeprefix("cmdstat_"): int(each["calls"]) for name, each in stats.items()}


def round_trips(url: str) -> int:
    """Reads and script calls until now: all that agents send to the server while they work."""
    found = calls(url)
    return sum(found.get(name, 0) for name in ("evalsha", "eval", "xreadgroup"))


def flush(url: str) -> None:
    redis.Redis.from_url(url).flushall()


def memory_mb(url: str) -> float:
    """What the server's data takes."""
    info = cast(dict[str, int], redis.Redis.from_url(url).info("memory"))
    return info["used_memory"] / 1e6
