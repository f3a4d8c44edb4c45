"""The services of docker-compose.yml without an engine: one process each, on one external server and one workspace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from roster import HANG_S, Workspace, until
from servers import Server, free_port

from callboard.settings.load import load_settings

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, dict[str, object]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
ANSWER = "Reserve health, links and go; 3 to 30 of a-z, 0-9 and -."

pytestmark = pytest.mark.long


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "messages"
    folder.mkdir()
    started = Server(folder, port=free_port())
    yield started
    started.kill()


def words(service: str, key: str) -> list[str]:
    said = SERVICES[service][key]
    assert isinstance(said, list)
    return [str(word) for word in said]


def test_the_demos_roster_works_as_services_and_a_person_answers_and_promotes(
    workspace: Callable[..., Workspace], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workspace()
    monkeypatch.setenv("CALLBOARD_BUS_URL", server.url)
    prepare = [sys.executable, *words("prepare", "entrypoint")[1:-1], str(made.path)]
    for _ in range(2):
        subprocess.run(prepare, check=True, capture_output=True)
    agents = {name for name, service in SERVICES.items() if "hostname" in service}
    assert agents == {agent.name for agent in load_settings(made.path / "callboard.toml", {}).agents}
    # the manager last: the others have to wait for its run
    started = [made.start(*words(name, "command")[1:]) for name in sorted(agents, key=lambda name: name == "manager")]

    def states() -> dict[str, str]:
        told = made.call("status", "--json")
        if told.returncode != 0:
            return {}
        return {task["id"]: task["state"] for task in json.loads(told.stdout)["tasks"]}

    until(lambda: "q-1" in made.call("questions").stdout, every_s=2)
    assert made.call("answer", "q-1", ANSWER).returncode == 0
    until(lambda: list(states().values()) == ["done"] * 8, every_s=2)
    promoted = made.call("promote")
    assert promoted.returncode == 0, promoted.stderr
    told = made.path / "feedback/manager.md"
    until(lambda: "· merge · promoted" in told.read_text())
    for process in started:
        os.kill(process.pid, signal.SIGTERM)
    outputs = [process.communicate(timeout=HANG_S)[0] for process in started]
    assert [process.returncode for process in started] == [0] * len(agents), outputs
    assert told.read_text().count("· merge · promoted") == 1
    assert made.processes() == []
