"""The fork server's own process: imports once what agents need, and forks one for each request.

A request is one packet: the agent's words as JSON, and three descriptors: the reading end of its life pipe (guard.py), the
writing end of its news pipe, and its log. Below each request stand two processes, as where an agent is started by itself:
a guard, which writes its own process id and, at its end, the agent's exit code as lines on the news pipe; and the agent.

No thread may run before a fork, so this process imports and does nothing else. It keeps no account of what it forked:
guards answer to the launcher alone, so agents live on when this process dies.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from callboard.agents.workspace import guard
from callboard.agents.workspace.layout import Layout
from callboard.launch.title import set_title

PRELOAD = (
    "callboard.launch.agent",
    "callboard.agents.brains.about",
    "callboard.agents.brains.recording",
    "callboard.agents.brains.run_budget",
    "callboard.agents.driver.handler",
    "callboard.agents.manager.gate",
    "callboard.agents.manager.hands",
    "callboard.agents.workspace.git_lasting",
    "callboard.agents.reviewer.handler",
    "callboard.agents.workspace.sandbox_probe",
    "callboard.roles.role",
    "callboard.thinking",
    "callboard.deploying",
    "git",
)
"""What agents need, also what app.py and git_runner.py import only where it is used."""
PACKET_BYTES = 64 * 1024
DESCRIPTORS = 3


@dataclass(frozen=True, slots=True)
class Request:
    words: tuple[str, ...]
    """What comes after `callboard` on the agent's command line."""
    grace_s: float
    life: int
    news: int
    log: int

    def close(self) -> None:
        for descriptor in (self.life, self.news, self.log):
            os.close(descriptor)


def serve(control: int, preload: Sequence[str]) -> tuple[str, ...]:
    """Fork until the launcher is gone.

    Args:
        control: A socket of packets that the launcher holds the other end of.
        preload: Modules to import first; one that cannot be imported is left to the agent, which says so in its log.

    Returns:
        In each agent's process its words; never in this one.

    Raises:
        SystemExit: The launcher is gone.
    """
    for module in preload:
        with suppress(ImportError):
            importlib.import_module(module)
    # nobody waits for guards, and what is shared from here on is not copied because the collector marks it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=control) as requests:
        while (request := receive(requests)) is not None:
            if os.fork() == 0:
                requests.close()
                return _stand_guard(request)
            request.close()
    sys.exit(0)


def receive(requests: socket.socket) -> Request | None:
    """The next request; None when the launcher is gone."""
    packet, descriptors, _, _ = socket.recv_fds(requests, PACKET_BYTES, DESCRIPTORS)
    if not packet:
        return None
    said = json.loads(packet)
    life, news, log = descriptors
    return Request(tuple(said["words"]), said["grace_s"], life, news, log)


def _stand_guard(request: Request) -> tuple[str, ...]:
    """Become the guard of a new agent; returns in the agent alone."""
    os.setsid()
    os.dup2(request.log, 1)
    os.dup2(request.log, 2)
    os.close(request.log)
    own, pipe = os.getpid(), guard.make_ready()
    agent = os.fork()
    if agent == 0:
        os.close(request.news)
        guard.step_out(own, request.life, pipe)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        set_title(f"callboard {' '.join(request.words)}")
        return request.words
    set_title(f"guard.py -- callboard {' '.join(request.words)}")
    _tell(request.news, own)
    spare = str(Layout(Path.cwd()).deployed)
    _tell(request.news, guard.stand(agent, request.life, pipe[0], request.grace_s, ask_all=False, spare=spare))
    os._exit(0)


def _tell(news: int, number: int) -> None:
    with suppress(OSError):  # nobody listens any more; that must not end a guard
        os.write(news, f"{number}\n".encode())
