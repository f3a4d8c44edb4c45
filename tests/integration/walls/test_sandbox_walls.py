"""What a hostile command tries on whatever lies around it; each also with the sandbox off, to show that it works then."""

from __future__ import annotations

import asyncio
import os
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from sandboxes import SECRET, Arena
from workshop import ENV, git

from callboard.agents.workspace.commands import TIMED_OUT
from callboard.agents.workspace.sandbox import OFF, Sandbox
from callboard.agents.workspace.setup import Setup
from callboard.agents.workspace.slots import GateSlots, Slot
from callboard.bus.errors import CommandFailed

# --- writing ---------------------------------------------------------------------------------------

WRITES = {
    "the vault": "echo {mark} > {vault}/refs/heads/owned",
    "the user's checkout": "echo {mark} > {root}/app/main.py",
    "a hook of the user's repository": "echo {mark} > {root}/.git/hooks/pre-commit",
    "the user's objects": "echo {mark} > {root}/.git/objects/info/owned",
    "another agent's clone": "echo {mark} > {other}/owned",
    "the user's home": "echo {mark} >> {home}/.bashrc",
    "a file through a link": "ln -s {root}/app/main.py link && echo {mark} > link",
    "a file through a hard link": "ln {root}/app/main.py hard && echo {mark} > hard",
    "a folder through a link": "ln -s {other} folder && echo {mark} > folder/owned",
    "a file by way of /proc": "echo {mark} > /proc/$PPID/root{other}/owned",
    "a file with the rights of the starter": '$PYTHON -c \'open("/proc/self/cwd/../driver-2/owned", "w").write("{mark}")\'',
}


@pytest.mark.parametrize("what", WRITES)
def test_a_command_writes_to_nothing_of_others(arena: Arena, what: str) -> None:
    attack = WRITES[what].format(mark="0wned", **arena.outside)
    arena.run(attack, arena.sandbox())
    assert not _holds_mark(arena), what
    for left in ("link", "hard", "folder"):
        (arena.clone / left).unlink(missing_ok=True)
    arena.run(attack)
    assert _holds_mark(arena), "the wall off"


def _holds_mark(arena: Arena) -> bool:
    top = arena.shop.root.parent
    mine = arena.clone
    files = (path for path in top.rglob("*") if path.is_file() and not path.is_relative_to(mine))
    return any(b"0wned" in path.read_bytes() for path in files)


def test_a_command_changes_no_mode_of_others(arena: Arena) -> None:
    """Where a namespace can be had: Landlock alone does not stop chmod(2), and launch says so."""
    files = [arena.shop.root / "app/main.py", arena.home / ".bashrc", arena.outside["other"]]
    attack = f"chmod 4777 {' '.join(map(str, files))}"
    before = [path.stat().st_mode for path in files]
    arena.run(attack, arena.sandbox())
    assert [path.stat().st_mode for path in files] == before
    arena.run(attack)
    assert [path.stat().st_mode & 0o7777 for path in files] == [0o4777] * 3, "the wall off"


def test_a_gate_writes_to_nothing_outside_its_slot(arena: Arena) -> None:
    workspace = arena.workspace()

    def sandboxed(name: str, folder: Path, git_dir: Path) -> Sandbox:
        workspace.layout.scratch(name).mkdir(parents=True, exist_ok=True)
        return workspace.sandbox(name, folder, git_dir)

    attack = f"echo 0wned > {arena.shop.root}/app/main.py; echo 0wned > {arena.clone}/owned; git status && touch mine"
    for sandbox, holds in ((sandboxed, True), (lambda *_: OFF, False)):
        slots = GateSlots(arena.shop.layout, arena.shop.repository, 1, Setup(), lambda _: ENV, sandbox)
        finished = asyncio.run(_gate(slots, arena.shop.head, attack))
        assert finished == ("mine",), "git works in a slot, and the slot can be written"
        assert (arena.clone / "owned").exists() is not holds
        assert ("0wned" in (arena.shop.root / "app/main.py").read_text()) is not holds


async def _gate(slots: GateSlots, commit: str, command: str) -> tuple[str, ...]:
    async with slots.take() as slot:
        await slot.switch(commit)
        done = await slot.run(command, timeout_s=60)
        return _made(slot) if done.result.passed else (done.result.tail,)


def _made(slot: Slot) -> tuple[str, ...]:
    return tuple(slot.checkout.untracked())


# --- reading ---------------------------------------------------------------------------------------

SECRETS = {
    "a key in the user's home": "{home}/.ssh/id",
    "the environment file of the user's checkout": "{root}/.env",
    "the journal": "{bus}/appendonly.aof",
    "another agent's clone": "{other}/secret",
    "what is named in the settings": "{home}/notes",
}


@pytest.mark.parametrize("what", SECRETS)
def test_a_command_reads_no_secret(arena: Arena, what: str) -> None:
    (arena.outside["other"] / "secret").write_text(SECRET)
    (arena.home / "notes").write_text(SECRET)
    sandbox = arena.sandbox(hidden=[str(arena.home / "notes")])
    attack = "cat " + SECRETS[what].format(**arena.outside)
    assert SECRET not in arena.run(attack, sandbox).result.tail
    assert SECRET in arena.run(attack).result.tail, "the wall off"


def test_a_command_reads_the_rest_as_ever(arena: Arena) -> None:
    done = arena.run(f"cat {arena.shop.root}/app/main.py ~/.bashrc; cat {arena.home}/.bashrc; git log", arena.sandbox())
    assert "# mine" in done.result.tail
    assert "commit" in done.result.tail


def test_a_command_neither_signals_nor_reads_processes_outside(arena: Arena) -> None:
    attack = "tr '\\0' '\\n' < /proc/{pid}/environ; kill -9 {pid}"
    for sandbox, holds in ((arena.sandbox(), True), (OFF, False)):
        victim = subprocess.Popen(["/bin/sleep", "60"], env={"KEY": SECRET})
        try:
            done = arena.run(attack.format(pid=victim.pid), sandbox)
            assert (SECRET in done.result.tail) is not holds
            with suppress(subprocess.TimeoutExpired):
                victim.wait(0.0 if holds else 10.0)
            assert (victim.poll() is None) is holds
        finally:
            victim.kill()
            victim.wait()


# --- connecting ------------------------------------------------------------------------------------

CONNECT = """
import socket, sys
host, port, path = sys.argv[1:]
client = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
client.settimeout(10)
client.connect(path or (host, int(port)))
print("it said", client.recv(9))
"""
OWN = """
import socket
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
client = socket.create_connection(server.getsockname(), timeout=10)
server.accept()[0].sendall(b"own")
print("it said", client.recv(9))
"""


@contextmanager
def greeting(family: int, address: object) -> Iterator[int]:
    """A server outside that says hello to everybody; gives its port."""
    with socket.socket(family) as server:
        server.bind(address)  # type: ignore[arg-type]
        server.listen()

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    client.sendall(b"hello")
                    client.close()

        threading.Thread(target=serve, daemon=True).start()
        name = server.getsockname()
        yield name[1] if family == socket.AF_INET else 0
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


def connecting(host: str = "", port: int = 0, path: str = "") -> list[str]:
    return [sys.executable, "-I", "-S", "-c", CONNECT, host, str(port), path]


def test_a_command_connects_to_no_port_but_those_that_are_allowed(arena: Arena) -> None:
    with greeting(socket.AF_INET, ("127.0.0.1", 0)) as port, greeting(socket.AF_INET, ("127.0.0.1", 0)) as other:
        attack = connecting("127.0.0.1", port)
        assert not arena.run(attack, arena.sandbox()).result.passed
        assert not arena.run(attack, arena.sandbox(connect=[f"127.0.0.1:{other}"])).result.passed
        for allowed in ({"connect": [f"127.0.0.1:{port}"]}, {"connect": ["*"]}):
            assert "hello" in arena.run(attack, arena.sandbox(**allowed)).result.tail, allowed
        assert "hello" in arena.run(attack).result.tail, "the wall off"


def test_an_allowed_name_leads_where_it_leads_outside(arena: Arena) -> None:
    with greeting(socket.AF_INET, ("127.0.0.1", 0)) as port:
        done = arena.run(connecting("localhost", port), arena.sandbox(connect=[f"localhost:{port}"]))
    assert "hello" in done.result.tail


def test_a_command_reaches_the_server_that_it_started_itself(arena: Arena) -> None:
    for places in ([], ["127.0.0.1:9"]):
        done = arena.run([sys.executable, "-I", "-S", "-c", OWN], arena.sandbox(connect=places))
        assert "own" in done.result.tail


def test_a_command_cannot_speak_to_the_bus(arena: Arena) -> None:
    path = str(arena.shop.layout.bus / "s.sock")
    with greeting(socket.AF_UNIX, path):
        for sandbox in (arena.sandbox(), arena.sandbox(connect=["*"])):
            assert not arena.run(connecting(path=path), sandbox).result.passed
            assert not arena.run(f"ln -sf {path} s; exec {_shell(connecting(path='s'))}", sandbox).result.passed
        assert "hello" in arena.run(connecting(path=path)).result.tail, "the wall off"


def test_a_command_cannot_speak_to_a_socket_of_the_user(arena: Arena) -> None:
    path = str(arena.home / "agent.sock")
    with greeting(socket.AF_UNIX, path):
        assert not arena.run(connecting(path=path), arena.sandbox()).result.passed
        assert "hello" in arena.run(connecting(path=path)).result.tail, "the wall off"


def _shell(argv: list[str]) -> str:
    return shlex.join(argv)


# --- taking ----------------------------------------------------------------------------------------

FORKS = """
import os, time
children = []
for _ in range(200):
    try:
        pid = os.fork()
    except OSError:
        break
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    children.append(pid)
time.sleep(1.5)
print(len(children), "lived")
for pid in children:
    os.kill(pid, 9)
"""
MEMORY = "import time; kept = bytearray(b'x') * 400_000_000; time.sleep(2); print('held')"


def test_a_fork_bomb_ends_at_its_limit(arena: Arena) -> None:
    attack = [sys.executable, "-I", "-S", "-c", FORKS]
    assert "200 lived" not in arena.run(attack, arena.sandbox(processes=50)).result.tail
    assert "200 lived" in arena.run(attack).result.tail, "the wall off"


def test_a_command_that_takes_too_much_memory_is_stopped_and_told_why(arena: Arena) -> None:
    attack = [sys.executable, "-I", "-S", "-c", MEMORY]
    done = arena.run(attack, arena.sandbox(memory_mb=200))
    assert done.result.exit_code == 137
    assert "more than 200 MB" in done.result.tail
    assert "held" in arena.run(attack).result.tail, "the wall off"
    assert "held" in arena.run(attack, arena.sandbox(memory_mb=2000)).result.tail


def test_a_daemon_does_not_outlive_its_command(arena: Arena) -> None:
    mark = f"{60 + os.getpid() / 1e6:.6f}"
    attack = f"setsid sleep {mark} >/dev/null 2>&1 & sleep 0.2"
    assert arena.run(attack, arena.sandbox()).result.passed
    assert _marked(mark) == []
    subprocess.run(["/bin/sh", "-c", attack], check=True)
    survivors = _marked(mark)
    for process in survivors:
        process.kill()
    assert survivors, "the wall off"


def _marked(mark: str) -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cmdline"]) if mark in (process.info["cmdline"] or [])]


# --- what a command is used to ---------------------------------------------------------------------


@pytest.mark.parametrize(("command", "code"), [("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137)])
def test_the_exit_code_is_the_commands(arena: Arena, command: str, code: int) -> None:
    assert arena.run(command, arena.sandbox()).result.exit_code == code


def test_a_program_that_is_not_there_ends_as_in_a_shell(arena: Arena) -> None:
    assert arena.run(["/no/such/program"], arena.sandbox()).result.exit_code == 127


def test_a_command_at_its_time_limit_may_still_clean_up(arena: Arena) -> None:
    command = "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.1; done"
    done = arena.run(command, arena.sandbox(), timeout_s=6)
    assert done.result.exit_code == TIMED_OUT
    assert "cleaned" in done.result.tail


def test_a_command_works_in_its_clone_and_scratch(arena: Arena) -> None:
    scratch = arena.shop.layout.scratch("driver-1")
    command = (
        "echo x > new && git add new && git -c user.name=x -c user.email=x commit -qm x && git log --oneline "
        f"&& echo y > {scratch}/y && cp {scratch}/y copy && echo > /dev/null && head -c 4 /dev/urandom > r"
    )
    assert arena.run(command, arena.sandbox()).result.passed
    assert git(arena.clone, "log", "-1", "--format=%s") == "x"


def test_setup_reaches_what_others_do_not(arena: Arena) -> None:
    with greeting(socket.AF_INET, ("127.0.0.1", 0)) as port:
        command = _shell(connecting("127.0.0.1", port))
        place = (f"127.0.0.1:{port}",)
        clone = arena.shop.clone("driver-1")
        asyncio.run(clone.set_up(Setup((command,), connect=place), ENV, arena.sandbox()))
        with pytest.raises(CommandFailed, match="it may connect to nothing: `setup_connect`"):
            asyncio.run(clone.set_up(Setup((command, "true")), ENV, arena.sandbox()))
