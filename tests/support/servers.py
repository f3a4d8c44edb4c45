"""Real servers for tests: started as plain processes, so that a test can kill them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import redis

from callboard.bus.binary import find_binary, server_version
from callboard.bus.server import server_argv

PACKAGED = find_binary(path="")
"""The server that comes with Callboard."""


def other_binary() -> Path | None:
    """A redis-server >= 7 on PATH, beside the packaged one; None where there is none."""
    found = shutil.which("redis-server")
    return Path(found) if found and (server_version(Path(found)) or 0) >= 7 else None


def binaries() -> tuple[Path, ...]:
    """Every server that there is to test with."""
    other = other_binary()
    return (PACKAGED, other) if other is not None else (PACKAGED,)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server process. `options` are added to its command line, so `("--appendonly", "no")` wins.

    Args:
        port: A TCP port on loopback; 0 = only the unix socket in its folder.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        binary: Path = PACKAGED,
        port: int = 0,
        password: str = "",
        socket_name: str = "s.sock",
    ) -> None:
        self.folder = folder
        self.port = port
        self.socket = folder / socket_name
        credentials = f":{password}@" if password else ""
        self.url = f"redis://{credentials}127.0.0.1:{port}/0" if port else f"unix://{credentials}{self.socket}"
        network = ("--port", str(port), "--bind", "127.0.0.1") if port else ()
        secret = ("--requirepass", password) if password else ()
        self._client = redis.Redis.from_url(self.url, protocol=2)
        self._client.response_callbacks.clear()
        self._argv = [*server_argv(binary, folder, self.socket), *network, *secret, *options]
        self.process = self._start()

    def ask(self, *command: str | bytes | float) -> Any:
        """For a test's own look at the data, and its sabotage: the reply as the server gave it."""
        return self._client.execute_command(*command)  # type: ignore[no-untyped-call]

    def start(self) -> None:
        """Start it again, on the same folder and address."""
        self.process = self._start()

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def pause(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(self._argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(1_000):
            try:
                self.ask("PING")
            except redis.RedisError:
                assert process.poll() is None, (self.folder / "server.log").read_text()
                time.sleep(0.01)
            else:
                return process
        raise AssertionError("the server does not answer")


IN_MEMORY = ("--appendonly", "no", "--appendfsync", "no")
"""For tests that kill no server."""
