"""kill -9 of the processes of a launched roster that thinks with models: in the middle of a call, or at any moment.

Nobody is waited for who may have nothing to do any more: who dies in a call is whoever makes it, and as long as kills are
planned each driver's last task goes on, as many calls long as the plan needs.
"""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil
from model_faults import Late, Reply, ReplyTo
from model_roster import WIRES, works_on
from model_wire import Asked, Say, ToolCall
from roster import DRIVERS, HANG_S, REVIEWERS, Workspace, kill, until

AT_ANY_MOMENT = (*("launcher", "fork-server", "manager") * 2, "driver-1", "driver-2", "senior", "junior-1")
IN_A_CALL = 10
MOST_DEATHS = 3
"""After which an agent dies in no call any more; with the one above that is four, and the fifth within a minute would be
the end of it."""
PATIENCE = 6
"""Calls of agents that have died often enough, after which another is killed that is in no call."""
LONGEST_S = 1.0
"""About as long as a task takes from one of its calls to the next."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One that is planned."""

    victim: str
    """"" = whoever makes the call."""
    calls: int
    """How many calls the roster makes before it; the caller of the last is the one, if it is in a call."""
    after_s: float = 0.0
    """And how long after those, if it is not in a call."""


def plan(seed: int) -> list[Kill]:
    """Twenty kills in an order, and at moments, that the seed says."""
    draw = random.Random(seed)
    victims = (*AT_ANY_MOMENT, *[""] * IN_A_CALL)
    return [
        Kill(name, draw.randrange(1, 4), draw.uniform(0, LONGEST_S) if name else 0.0)
        for name in draw.sample(victims, len(victims))
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
        last: Paths of the tasks that are not done before the last kill.
    """

    reply: ReplyTo
    last: frozenset[str]
    ended: int = 0
    """Processes of agents that a kill has ended: each can have been in one call."""
    in_calls: int = 0
    """How many kills found their victim in a call."""
    deaths: Counter[str] = field(default_factory=Counter)
    """Who was killed by itself, and how often."""
    _workspace: Workspace | None = None
    _calls: int = 0
    _moment: int = 0
    """Up to this call the next kill waits for calls, ..."""
    _wanted: threading.Event = field(default_factory=threading.Event)
    """It does: what is held back goes on."""
    _due: int | None = None
    """... or from this one for a caller that may die."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_past: threading.Event = field(default_factory=threading.Event)
    """It has been made, or there were too many that must not die."""
    _is_over: threading.Event = field(default_factory=threading.Event)

    def __call__(self, asked: Asked) -> Reply:
        self._calls += 1
        if self._due is not None and self._calls >= self._due:
            self._strike_caller(asker(asked), self._due)
        reply = self.reply(asked)
        if self._is_over.is_set() or works_on(asked) not in self.last or not ends(reply):
            return reply
        with self._lock:
            if self._calls >= self._moment and self._due is None and not self._is_over.is_set():
                self._wanted.clear()
        return Late(Say("I look at it once more.", calls=(ToolCall("run", {"command": "true"}),)), self._wanted)

    def _strike_caller(self, caller: str, due: int) -> None:
        """In the server's thread, with the caller waiting for its answer."""
        if self.deaths[caller] < MOST_DEATHS and self._strike(caller):
            self.in_calls += 1
        elif self._calls < due + PATIENCE:
            return
        self._due = None
        self._is_past.set()

    def run(self, workspace: Workspace, kills: list[Kill], said: Callable[[str], object]) -> subprocess.Popen[str]:
        """Launch, and kill by the plan; who killed the launcher launches again.

        Returns:
            The last launch, which nobody disturbs any more.
        """
        self._workspace = workspace
        launcher = workspace.start()
        try:
            for each in kills:
                if each.victim:
                    self._wait(each, launcher)
                    launcher = self._kill(each.victim, launcher)
                else:
                    self._kill_caller(each, launcher)
                said(f"after call {self._calls}: {each.victim or 'in a call'}")
        finally:
            self._is_over.set()
            with self._lock:
                self._wanted.set()
        return launcher

    def _wait(self, each: Kill, launcher: subprocess.Popen[str]) -> None:
        with self._lock:
            self._moment = self._calls + each.calls
            self._wanted.set()
        until(lambda: self._calls >= self._moment or launcher.poll() is not None)
        assert launcher.poll() is None, f"the run ended before {each}: {launcher.communicate()[0]}"
        time.sleep(each.after_s)

    def _kill(self, victim: str, launcher: subprocess.Popen[str]) -> subprocess.Popen[str]:
        if victim == "launcher":
            return self._launched_again(launcher)
        if victim == "fork-server":  # which comes back with the next agent only
            victim = "" if self._strike(victim) else self._least_killed()
        until(lambda: not victim or self._strike(victim))
        return launcher

    def _kill_caller(self, each: Kill, launcher: subprocess.Popen[str]) -> None:
        before = self.in_calls
        self._is_past.clear()
        with self._lock:
            self._due = self._calls + each.calls
            self._wanted.set()
        until(lambda: self._is_past.is_set() or launcher.poll() is not None)
        assert launcher.poll() is None, f"the run ended before {each}: {launcher.communicate()[0]}"
        if self.in_calls == before:
            self._kill(self._least_killed(), launcher)

    def _least_killed(self) -> str:
        return min(WIRES, key=lambda name: self.deaths[name])

    def _launched_again(self, launcher: subprocess.Popen[str]) -> subprocess.Popen[str]:
        assert self._workspace is not None
        self.ended += sum(self._workspace.process(name) is not None for name in WIRES)
        launcher.kill()
        self.deaths["launcher"] += 1
        launcher.communicate(timeout=HANG_S)
        until(lambda: self._workspace is not None and not self._workspace.processes())
        return self._workspace.start()

    def _strike(self, victim: str) -> bool:
        assert self._workspace is not None
        process = fork_server(self._workspace) if victim == "fork-server" else self._workspace.process(victim)
        if process is None:
            return False
        kill([process])
        self.ended += victim in WIRES
        self.deaths[victim] += 1
        return True


def ends(reply: Reply) -> bool:
    """The work on a task."""
    return isinstance(reply, Say) and any(call.name == "done" for call in reply.calls)


def fork_server(workspace: Workspace) -> psutil.Process | None:
    for process in workspace.processes():
        try:
            if "fork-server" in process.cmdline():
                return process
        except psutil.Error:
            continue
    return None
