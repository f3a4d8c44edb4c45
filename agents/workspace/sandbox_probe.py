"""What this computer can enforce: tried, not looked up. A sandbox that lets one attempt through is none."""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from callboard.agents.workspace.commands import run_command
from callboard.agents.workspace.sandbox import EVERYWHERE, Kind, Sandbox
from callboard.bus.errors import CommandFailed, RosterError

PROBE_S = 60.0
LEAST_LANDLOCK = 6
"""sandlock needs Landlock's ABI 6, of Linux 6.12: before it, signals reach processes outside."""
WAY_OUT = (
    'run the roster in a container or on a computer that has one, or write kind = "off" under [sandbox] in '
    "callboard.toml: then whatever brains write runs with your rights"
)
_SYS_CREATE_RULESET = 444
_VERSION = 1

_ATTEMPTS = """
import json, os, socket, sys
inside, outside, hidden, unix, port = sys.argv[1:]
def tried(action):
    try:
        action()
    except OSError:
        return False
    return True
def write(path):
    with open(path, "w") as file:
        file.write("x")
def connect(family, address):
    with socket.socket(family) as client:
        client.settimeout(5)
        client.connect(address)
def own_server():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        connect(socket.AF_INET, server.getsockname())
print(json.dumps({
    "write inside": tried(lambda: write(inside)),
    "write outside": tried(lambda: write(outside)),
    "read what is hidden": tried(lambda: open(hidden).read()),
    "connect to a port": tried(lambda: connect(socket.AF_INET, ("127.0.0.1", int(port)))),
    "connect to a socket": tried(lambda: connect(socket.AF_UNIX, unix)),
    "signal a process outside": tried(lambda: os.kill(int(os.environ["STARTER"]), 0)),
    "own server": tried(own_server),
    "change a mode outside": tried(lambda: os.chmod(hidden, 0o640)),
}))
"""


@dataclass(frozen=True, slots=True)
class Enforced:
    """What holds for whatever brains write and run here."""

    sandbox: Sandbox
    own_servers: bool = True
    """Whether a command reaches servers on loopback that it started itself."""
    keeps_modes: bool = True
    """Whether a command cannot change the mode of files outside: only a read-only mount keeps chmod(2) off."""

    def __str__(self) -> str:
        box = self.sandbox
        if box.kind == "off":
            return "off: brains, checks and gates run with your rights, your files and the network"
        network = f"no network but {', '.join(box.connect)}" if box.connect else "no network"
        if EVERYWHERE in box.connect:
            network = "the whole network"
        own = "" if self.own_servers else ", not even to servers that a command starts itself"
        modes = "" if self.keeps_modes else "; not held: chmod of files outside, for want of a namespace"
        return (
            f"{box.kind}: commands write only to their own folder and scratch, {network}{own}; "
            f"at most {box.memory_bytes // 1_000_000} MB and {box.processes} processes each{modes}"
        )


def candidates(wanted: Literal["auto", "sandlock", "bubblewrap", "off"]) -> list[Kind]:
    """The kinds that can be tried here, the best one first.

    Raises:
        RosterError: None is there; the message says what is missing, and the way out.
    """
    if wanted == "off":
        return ["off"]
    if sys.platform != "linux":
        raise RosterError(f"{sys.platform} has no sandbox that Callboard knows; {WAY_OUT}")
    missing = {"sandlock": _sandlock_lacks(), "bubblewrap": "" if shutil.which("bwrap") else "no `bwrap` on PATH"}
    kinds: list[Kind] = ["sandlock", "bubblewrap"] if wanted == "auto" else [wanted]
    found = [kind for kind in kinds if not missing[kind]]
    if not found:
        reasons = "; ".join(f"{kind}: {missing[kind]}" for kind in kinds)
        raise RosterError(f"no sandbox can be had here ({reasons}); {WAY_OUT}")
    return found


async def enforced(sandbox: Sandbox, kinds: list[Kind]) -> Enforced:
    """The first of these kinds that holds against real attempts.

    Args:
        sandbox: As an agent's, without its folders.

    Raises:
        RosterError: None holds; the message says what got through.
    """
    failures = []
    for kind in kinds:
        if kind == "off":
            return Enforced(replace(sandbox, kind="off"))
        # what people open besides is theirs to open, and no leak
        bare = replace(sandbox, kind=kind, writable=(), hidden=(), readable=())
        try:
            outcome = judge(await attempts(bare), replace(sandbox, kind=kind))
        except CommandFailed as error:
            outcome = str(error)
        if isinstance(outcome, Enforced):
            return outcome
        failures.append(f"{kind}: {outcome}")
    raise RosterError(f"the sandbox does not hold here ({'; '.join(failures)}); {WAY_OUT}")


async def attempts(sandbox: Sandbox) -> dict[str, bool]:
    """What a command in this sandbox manages to do, for each thing that is tried.

    Raises:
        CommandFailed: It could not be tried.
    """
    with _targets() as (inside, outside, arguments):
        finished = await run_command(
            [sys.executable, "-I", "-S", "-c", _ATTEMPTS, *arguments],
            cwd=inside,
            env={"PATH": os.environ.get("PATH", os.defpath), "STARTER": str(os.getpid())},
            sandbox=replace(sandbox.allowing(writable=[inside]), hidden=(*sandbox.hidden, outside)),
            timeout_s=PROBE_S,
        )
    try:
        found: dict[str, bool] = json.loads(finished.stdout)
    except ValueError as error:
        said = finished.result.tail.strip()[-300:] or f"exit code {finished.result.exit_code}"
        raise CommandFailed(f"nothing could be tried: {said}") from error
    return found


def judge(succeeded: dict[str, bool], sandbox: Sandbox) -> Enforced | str:
    """What the attempts say about a sandbox: what holds, or what got through."""
    through = [attempt for attempt, went in succeeded.items() if went]
    expected = {
        "write inside",
        "own server",
        "change a mode outside",
        *(["connect to a port"] if EVERYWHERE in sandbox.connect else []),
    }
    if not succeeded.get("write inside"):
        return "a command could not even write to its own folder"
    if weak := [attempt for attempt in through if attempt not in expected]:
        return f"a command could {', '.join(weak)}"
    return Enforced(sandbox, own_servers=succeeded["own server"], keeps_modes=not succeeded["change a mode outside"])


@contextmanager
def _targets() -> Iterator[tuple[Path, Path, list[str]]]:
    """A folder to work in, one that is hidden, and what is to be tried on them."""
    with ExitStack() as stack:
        inside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cb-")))
        outside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cb-")))
        (outside / "secret").write_text("secret")
        _, port = stack.enter_context(_listening(socket.AF_INET, ("127.0.0.1", 0)))
        # the name of a socket must be short, whatever the folder is called
        short = stack.enter_context(tempfile.TemporaryDirectory(prefix="cb-"))
        stack.enter_context(_listening(socket.AF_UNIX, f"{short}/s"))
        yield inside, outside, [f"{inside}/file", f"{outside}/file", f"{outside}/secret", f"{short}/s", str(port)]


@contextmanager
def _listening(family: int, address: Any) -> Iterator[Any]:
    with socket.socket(family) as server:
        server.bind(address)
        server.listen()
        yield server.getsockname()


def _sandlock_lacks() -> str:
    if importlib.util.find_spec("sandlock") is None:
        return "the package `sandlock` is not installed"
    version = ctypes.CDLL(None, use_errno=True).syscall(_SYS_CREATE_RULESET, None, 0, _VERSION)
    if version < 0:
        return "this kernel has no Landlock"
    return (
        "" if version >= LEAST_LANDLOCK else f"it needs Landlock's ABI {LEAST_LANDLOCK} (Linux 6.12), here is {version}"
    )
