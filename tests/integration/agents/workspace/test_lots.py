"""Two drivers run the same tests at once: each has ports and a database's name of its own."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from workshop import Workshop

from callboard.agents.workspace.commands import run_command
from callboard.agents.workspace.lots import FIRST_PORT, LAST_PORT, Lot, Lots, is_free
from callboard.agents.workspace.sandbox import OFF
from callboard.app import Workspace
from callboard.bus.errors import WorkspaceError

NAMES = ("driver-1", "driver-2", "gate-1", "gate-2")

CALLBOARD_TOML = """
[project]
gate = ["true"]
ports = 4

[project.env]
URL = "http://127.0.0.1:{port}/{agent}"
DATABASE = "tests_{db}"

[[agents]]
name = "driver-1"
role = "driver"
command = "x"

[[agents]]
name = "driver-2"
role = "driver"
command = "x"
"""

SERVE = """
import http.server, json, os, pathlib, sys, threading, time, urllib.request
meeting, port = pathlib.Path(sys.argv[1]), int(sys.argv[2] if len(sys.argv) > 2 else os.environ["CALLBOARD_PORT"])
me = os.environ["CALLBOARD_AGENT"]
class Mine(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(f"{me} {self.path}".encode())
    def log_message(self, *args): pass
try:
    server = http.server.HTTPServer(("127.0.0.1", port), Mine)
    threading.Thread(target=server.serve_forever, daemon=True).start()
except OSError:
    (meeting / f"{me}.done").touch()
    raise
finally:
    (meeting / f"{me}.up").touch()
while len([*meeting.glob("*.up")]) < 2:
    time.sleep(0.01)
found = urllib.request.urlopen(f"http://127.0.0.1:{port}/{me}", timeout=10).read().decode()
print(json.dumps({"answer": found, "port": port, "database": os.environ["DATABASE"], "url": os.environ["URL"]}))
(meeting / f"{me}.done").touch()
while len([*meeting.glob("*.done")]) < 2:
    time.sleep(0.01)
"""


async def _both(workspace: Workspace, argv: list[str]) -> list[tuple[int, str]]:
    async def one(name: str) -> tuple[int, str]:
        env = workspace.environment(name, is_starting=True)
        done = await run_command(argv, cwd=workspace.root, env=env, timeout_s=20, sandbox=OFF, grace_s=0.2)
        return done.result.exit_code, done.stdout.decode()

    return list(await asyncio.gather(one("driver-1"), one("driver-2")))


def test_two_drivers_run_two_servers_at_the_same_time(workshop: Workshop, tmp_path: Path) -> None:
    workshop.commit({"callboard.toml": CALLBOARD_TOML})
    workspace, meeting = Workspace.open(workshop.root, dict(os.environ)), tmp_path / "meeting"
    meeting.mkdir()
    (one_code, one), (two_code, two) = asyncio.run(_both(workspace, [sys.executable, "-c", SERVE, str(meeting)]))
    assert (one_code, two_code) == (0, 0)
    first, second = json.loads(one), json.loads(two)
    assert (first["answer"], second["answer"]) == ("driver-1 /driver-1", "driver-2 /driver-2")
    assert abs(first["port"] - second["port"]) >= 4
    assert first["database"] != second["database"]
    assert first["url"] == f"http://127.0.0.1:{first['port']}/driver-1"


def test_with_one_port_for_both_one_of_them_fails(workshop: Workshop, tmp_path: Path) -> None:
    workshop.commit({"callboard.toml": CALLBOARD_TOML})
    workspace, meeting = Workspace.open(workshop.root, dict(os.environ)), tmp_path / "meeting"
    meeting.mkdir()
    port = workspace.environment("driver-1")["CALLBOARD_PORT"]
    found = asyncio.run(_both(workspace, [sys.executable, "-c", SERVE, str(meeting), port]))
    assert sorted(code for code, _ in found) == [0, 1]


def lots(folder: Path, ports: int = 10) -> Lots:
    return Lots(folder / "lots.json", folder, ports)


def test_lots_are_apart_free_stable_and_in_their_range(tmp_path: Path) -> None:
    first = {name: lots(tmp_path).of(name) for name in NAMES}
    assert [lot.index for lot in first.values()] == [0, 1, 2, 3]
    assert len({port for lot in first.values() for port in range(lot.port, lot.port + lot.ports)}) == 40
    assert all(lot.port >= FIRST_PORT and lot.port + lot.ports - 1 <= LAST_PORT for lot in first.values())
    assert all(is_free(lot.port, lot.ports) for lot in first.values())
    assert len({lot.db for lot in first.values()}) == 4
    assert {name: lots(tmp_path).of(name, is_starting=True) for name in reversed(NAMES)} == first


def test_a_lot_survives_the_loss_of_its_file_and_differs_between_workspaces(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    lot, other = lots(tmp_path).of("driver-1"), lots(tmp_path / "other").of("driver-1")
    (tmp_path / "lots.json").write_text("torn {")
    assert lots(tmp_path).of("driver-1") == lot
    assert other.db != lot.db


def test_a_lot_that_a_stranger_holds_moves_at_the_next_start_and_not_before(tmp_path: Path) -> None:
    lot = lots(tmp_path).of("driver-1")
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", lot.port + 3))
        stranger.listen()
        assert lots(tmp_path).of("driver-1") == lot
        moved = lots(tmp_path).of("driver-1", is_starting=True)
    assert abs(moved.port - lot.port) >= lot.ports
    assert (moved.index, moved.db) == (lot.index, lot.db)
    assert lots(tmp_path).of("driver-1", is_starting=True) == moved


def test_another_size_is_another_block(tmp_path: Path) -> None:
    lots(tmp_path).of("driver-1")
    assert lots(tmp_path, 25).of("driver-1").ports == 25


def test_processes_that_ask_at_the_same_moment_get_lots_apart(tmp_path: Path) -> None:
    ask = (
        "import sys, pathlib; from callboard.agents.workspace.lots import Lots; "
        "f = pathlib.Path(sys.argv[1]); print(Lots(f / 'lots.json', f, 10).of(sys.argv[2]).port)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", ask, str(tmp_path), f"driver-{n}"], stdout=subprocess.PIPE, text=True)
        for n in range(6)
    ]
    ports = sorted(int(process.communicate(timeout=60)[0]) for process in started)
    assert all(after - before >= 10 for before, after in itertools.pairwise(ports))


def test_no_room_says_what_to_do(tmp_path: Path) -> None:
    everything = Lots(tmp_path / "lots.json", tmp_path, LAST_PORT - FIRST_PORT + 1)
    kept = Lot("x", 0, FIRST_PORT, 10, "x")
    everything._write({"x": kept})
    with pytest.raises(WorkspaceError, match="make `\\[project\\] ports` smaller"):
        everything.of("driver-1")
