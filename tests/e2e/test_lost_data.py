"""T6: the data of a running roster are deleted on its server; it goes on, and nothing that was done is done again."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from roster import HANG_S, Workspace, run_git, task, until

from callboard.bus.places import socket_path

DIRECTIONS = {
    "driver-1": task("1 - Write a", Writes="a.txt", Takes="1") + task("2 - Write b", Writes="b.txt"),
    "driver-2": task("1 - Write c", Writes="c.txt", Takes="0.6") + task("2 - Write d", Writes="d.txt"),
}


def archived(workspace: Workspace) -> list[dict[str, object]]:
    files = sorted((workspace.path / ".callboard" / "archive").glob("*/journal.jsonl"))
    lines = files[0].read_bytes().splitlines(keepends=True) if files else []
    return [json.loads(line)["entry"] for line in lines if line.endswith(b"\n")]


def sent(workspace: Workspace) -> Counter[str]:
    """Message id -> how often it was sent."""
    entries = archived(workspace)
    found = [message["id"] for entry in entries for message in entry["messages"]]  # type: ignore[attr-defined]
    return Counter(found)


def flush(server: redis.Redis) -> None:
    server.flushall()


def destroy_groups(server: redis.Redis) -> None:
    for key in server.keys("*:inbox:*"):
        server.xgroup_destroy(key, "agent")


def delete_inboxes(server: redis.Redis) -> None:
    server.delete(*server.keys("*:inbox:*"))  # in one step: a loss that is seen half is restored twice


@pytest.mark.long
@pytest.mark.parametrize("harm", [flush, destroy_groups, delete_inboxes])
def test_a_roster_goes_on_when_its_servers_data_are_deleted(
    tmp_path: Path, seed: int, harm: Callable[[redis.Redis], None]
) -> None:
    made = Workspace(tmp_path / "project")
    made.init(DIRECTIONS)
    at = random.Random(seed).randrange(12, 60)
    process = made.start()
    try:
        until(lambda: len(archived(made)) >= at)
        harm(redis.Redis(unix_socket_path=str(socket_path(made.path / ".callboard/bus"))))
        output, _ = process.communicate(timeout=HANG_S)
        assert process.returncode == 0, output
    finally:
        made.stop_everything()
    assert output.count("the server had lost") == (harm is not destroy_groups), output
    assert set(made.files(made.integration())) >= {"a.txt", "b.txt", "c.txt", "d.txt"}
    assert len(made.landed_keys(made.integration())) == 4
    assert max(sent(made).values()) == 1, "a message is sent once"
    errors = [line for log in (made.path / ".callboard/logs").glob("*.log") for line in log.read_text().splitlines()]
    assert sum(" ERROR " in line for line in errors) < 600, errors


@pytest.mark.long
def test_a_run_whose_data_are_gone_is_rebuilt_exported_and_imported(tmp_path: Path) -> None:
    made = Workspace(tmp_path / "project")
    made.init(DIRECTIONS)
    try:
        code, output = made.launch()
        assert code == 0, output
        before = made.json("status", "--all")
        bus = made.path / ".callboard" / "bus"
        bus.rename(tmp_path / "gone")
        assert "`callboard rebuild` or a launch brings it back" in made.call("status").stderr
        rebuilt = made.json("rebuild")
        assert [each["lost"] for each in rebuilt["restored"]] == [["everything"]]  # type: ignore[attr-defined]
        assert made.json("status", "--all") == before
        assert made.json("rebuild")["restored"] == []
        exported = made.json("export")
        folder = Path(str(exported["folder"]))
        assert "T-1" in (folder / "feedback" / "driver-1.md").read_text()
        bus.rename(tmp_path / "gone too")
        (made.path / ".callboard" / "archive").rename(tmp_path / "archive")
        assert "is on the bus" in made.call("import", str(folder)).stdout
        assert made.json("status", "--all") == before
        assert "every hash is right" in " ".join(made.call("doctor").stdout.split())
        refused = made.call("import", str(folder))
        assert (refused.returncode, "is here already" in refused.stderr) == (1, True)
        code, output = made.launch()
        assert code == 0, output
        assert run_git(made.path, "status", "--porcelain") == ""
    finally:
        made.stop_everything()
