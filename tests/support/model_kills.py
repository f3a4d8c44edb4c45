"""kill -9 of the processes of a launched roster that thinks with models: in the middle of a call, or at any moment."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil
from model_faults import Reply, ReplyTo
from model_roster import WIRES
from model_wire import Asked
from roster import DRIVERS, REVIEWERS, Workspace, kill, until

TIMES = {"launcher": 2, "fork-server": 2, "manager": 3, "driver-1": 3, "driver-2": 3, "senior": 3}
"""How often each is killed; of any agent fewer than five, which within a minute would be the end of it."""
PLAN = tuple(name for name in (*TIMES, "junior-1", "junior-2") for _ in range(TIMES.get(name, 2)))
LONGEST_S = 1.5
"""About as long as a task takes from one of its calls to the next but one."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One that is planned."""

    victim: str
    is_in_call: bool
    """While the server answers it, so that the provider counts what nobody here will hear; only agents call."""
    calls: int
    """How many calls the roster makes before it."""
    after_s: float
    """And how long after those, if it is not in a call."""


def plan(seed: int) -> list[Kill]:
    """Twenty kills in an order, and at moments, that the seed says."""
    draw = random.Random(seed)
    victims = draw.sample(PLAN, len(PLAN))
    return [
        Kill(name, name in WIRES and draw.random() < 0.7, draw.randrange(1, 4), draw.uniform(0, LONGEST_S))
        for name in victims
    ]


def asker(asked: Asked) -> str:
    """Which agent of the roster makes this call."""
    names = REVIEWERS if "verdict" in asked.tools else DRIVERS
    return next(name for name in names if WIRES[name] == asked.format)


@dataclass(slots=True)
class Killer:
    """Replies as `reply` does, and kills a caller that is to die in its call before it gets the answer.

    Args:
        reply: Called in the server's thread.
    """

    reply: ReplyTo
    ended: int = 0
    """Processes of agents that a kill has ended: each can have been in one call."""
    _workspace: Workspace | None = None
    _in_call: str = ""
    _is_done: threading.Event = field(default_factory=threading.Event)
    _calls: int = 0

    def __call__(self, asked: Asked) -> Reply:
        self._calls += 1
        if self._in_call and self._in_call == asker(asked) and self._strike(self._in_call):
            self._in_call = ""
            self._is_done.set()
        return self.reply(asked)

    def run(self, workspace: Workspace, kills: list[Kill], said: Callable[[str], object]) -> subprocess.Popen[str]:
        """Launch, and kill by the plan; who killed the launcher launches again.

        Returns:
            The last launch, which nobody disturbs any more.
        """
        self._workspace = workspace
        launcher = workspace.start()
        for each in kills:
            self._wait(each, launcher)
            how = "in a call" if each.is_in_call else f"{each.after_s:.2f} s"
            said(f"after call {self._calls}: {each.victim}, {how}")
            if each.victim == "launcher":
                launcher = self._launched_again(launcher)
            else:
                self._kill(each)
        return launcher

    def _wait(self, each: Kill, launcher: subprocess.Popen[str]) -> None:
        moment = self._calls + each.calls
        until(lambda: self._calls >= moment or launcher.poll() is not None, timeout_s=120)
        assert launcher.poll() is None, f"the run ended before {each}: {launcher.communicate()[0]}"
        if not each.is_in_call:
            time.sleep(each.after_s)

    def _kill(self, each: Kill) -> None:
        if not each.is_in_call:
            until(lambda: self._strike(each.victim), timeout_s=60)
            return
        self._is_done.clear()
        self._in_call = each.victim
        assert self._is_done.wait(120), f"{each.victim} made no call any more"

    def _launched_again(self, launcher: subprocess.Popen[str]) -> subprocess.Popen[str]:
        assert self._workspace is not None
        self.ended += sum(self._workspace.process(name) is not None for name in WIRES)
        launcher.kill()
        launcher.communicate(timeout=60)
        until(lambda: self._workspace is not None and not self._workspace.processes(), timeout_s=60)
        return self._workspace.start()

    def _strike(self, victim: str) -> bool:
        assert self._workspace is not None
        process = fork_server(self._workspace) if victim == "fork-server" else self._workspace.process(victim)
        if process is None:
            return False
        kill([process])
        self.ended += victim in WIRES
        return True


def fork_server(workspace: Workspace) -> psutil.Process | None:
    for process in workspace.processes():
        try:
            if "fork-server" in process.cmdline():
                return process
        except psutil.Error:
            continue
    return None
