"""A roster's day by its commands: launched, asked, answered, stopped, promoted, cleaned up. Real processes throughout."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from roster import AGENTS, Workspace, run_git, task, until

from callboard.bus.bus import Bus

KEYS = ["run", "agents", "tasks", "questions", "blockers", "merges", "branches", "spend", "full"]


@pytest.mark.long
def test_a_day_from_the_first_launch_to_a_clean_house(tmp_path: Path) -> None:
    day = Workspace(tmp_path / "project")
    day.init(
        {
            "driver-1": task("1 - Write a", Writes="a.txt") + task("2 - Watch", Timeline="On-call", Writes="w.txt"),
            "driver-2": task("1 - Name it", Writes="name.txt", Blocks="which name?"),
        }
    )
    try:
        launch_until_a_person_is_needed(day)
        look_at_the_stopped_roster(day)
        answer_and_assign(day)
        launch_to_the_end(day)
        promote_and_look_back(day)
        bring_work_back(day)
        clean_and_launch_again(day)
    finally:
        day.stop_everything()


def launch_until_a_person_is_needed(day: Workspace) -> None:
    code, said = day.launch()
    assert code == 4, said
    assert 'callboard answer q-1 "..."' in said
    assert "standing work stays: T-2 Watch" in said
    assert re.search(r"^\d\d:\d\d:\d\dZ T-1 Write a: landed, callboard/", said, re.MULTILINE)


def look_at_the_stopped_roster(day: Workspace) -> None:
    asked = day.call("status", "--json")
    status = json.loads(asked.stdout)
    assert (asked.returncode, list(status)) == (3, KEYS)
    assert status["run"]["running"] is False
    assert {agent["name"]: agent["state"] for agent in status["agents"]} == dict.fromkeys(AGENTS, "absent")
    assert [(row["task"], row["state"]) for row in status["merges"]][:1] == [("T-1", "landed")]
    assert set(status["branches"]["driver-1"]) == {"driver-1/log", "driver-1/work"}
    assert [blocker["what"] for blocker in status["blockers"]] == ["which name?"]
    drawn = day.call("status").stdout
    assert "q-1 (T-3) waits for you" in drawn
    assert "which name?" in drawn
    assert [row["id"] for row in json.loads(day.call("questions", "--json").stdout)] == ["q-1"]
    refused = day.call("promote")
    assert (refused.returncode, "not eligible" in refused.stderr) == (1, True)


def answer_and_assign(day: Workspace) -> None:
    assert day.json("answer", "q-1", "Callboard") == {"ok": True, "text": "q-1 answered; T-3 goes on", "task": "T-3"}
    given = day.json(
        "assign", "driver-2", "Say hello", "--check", "test -e README", "--depends", "T-3", "--priority", "0"
    )
    assert given["task"] == "T-4"
    unknown = day.call("assign", "driver-2", "Say more", "--depends", "driver-2/nam-it", "--json")
    assert json.loads(unknown.stdout)["error"]["type"] == "ConfigError"
    assert "did you mean driver-2/name-it" in unknown.stderr
    cancelled = day.json("cancel", "T-2", "--reason", "not today")
    assert cancelled["ok"] is True
    again = day.call("cancel", "T-2", "--json")
    assert (again.returncode, json.loads(again.stdout)["error"]["type"]) == (1, "CommandRefused")


def launch_to_the_end(day: Workspace) -> None:
    launched = day.call("launch", "--json")
    summary = json.loads(launched.stdout)
    assert (launched.returncode, summary["exit_code"], summary["run"]["state"]) == (0, 0, "succeeded")
    assert [key for key in summary if key in KEYS] == KEYS
    assert "driver-2 works on it" in launched.stderr


def promote_and_look_back(day: Workspace) -> None:
    promoted = day.call("promote")
    assert promoted.returncode == 0, promoted.stderr
    assert run_git(day.path, "rev-parse", "main") == run_git(day.path, "rev-parse", day.integration())
    (run,) = json.loads(day.call("runs", "--json").stdout)
    assert (run["state"], run["promoted"]) == ("succeeded", run["head"])
    lines = day.call("logs", "launcher", "--json", "--lines", "5")
    assert lines.returncode == 0, lines.stderr
    assert "there are:" in day.call("logs", "nobody").stderr


def bring_work_back(day: Workspace) -> None:
    everything = json.loads(day.call("recover", "--all", "--json").stdout)
    landed = next(work for work in everything["kept"] if work["name"].endswith("tasks/T-1/1"))
    assert (landed["on_branch"], landed["agent"]) == (True, "driver-1")
    done = day.call("recover", landed["name"], "--branch", "again/a")
    assert (done.returncode, run_git(day.path, "rev-parse", "again/a")) == (0, landed["commit"])


def clean_and_launch_again(day: Workspace) -> None:
    planned = json.loads(day.call("clean", "--dry-run", "--json").stdout)
    assert {"clone", "slot", "scratch"} <= {row["what"] for row in planned}
    assert (day.path / ".callboard/clones/driver-1").is_dir()
    cleaned = json.loads(day.call("clean", "--json").stdout)
    assert all(row["removed"] for row in cleaned)
    assert not list((day.path / ".callboard/clones").iterdir())
    directions = day.path / "directions/driver-1.md"
    directions.write_text(directions.read_text() + task("3 - Write c", Writes="c.txt"))
    code, said = day.launch()
    assert code == 4 or code == 0, said
    assert "c.txt" in day.files(day.integration())


async def seq_at(url: str, run: str) -> int:
    async with await Bus.connect(url, run) as bus:
        return await bus.seq()


@pytest.mark.long
def test_a_roster_in_the_background_is_asked_paused_and_stopped(workspace: Workspace) -> None:
    workspace.equip({"driver-1": task("1 - Take long", Writes="a.txt", Takes="3600")})
    started = workspace.json("launch", "--detach", "--stay")
    until(lambda: workspace.call("status", "--json").returncode == 0)
    second = workspace.call("launch", "--detach")
    assert (second.returncode, str(started["pid"]) in second.stderr) == (1, True)
    until(lambda: '"working"' in workspace.call("status", "--json").stdout, every_s=0.5)
    found = workspace.json("bus", "env")
    assert asyncio.run(seq_at(str(found["BUS_URL"]), str(found["BUS_RUN"]))) > 0
    assert workspace.json("pause", "--reason", "lunch")["ok"] is True
    status = workspace.call("status")
    assert (status.returncode, "lunch" in status.stdout) == (0, True)
    assert workspace.call("resume").returncode == 0
    refused = workspace.call("clean")
    assert (refused.returncode, "already running here" in refused.stderr) == (1, True)
    stopped = workspace.json("stop", "--now")
    assert stopped == {"stopped": True, "pids": [started["pid"]], "left": []}
    until(lambda: workspace.processes() == [])
    assert workspace.call("status").returncode == 3


@pytest.mark.parametrize("way", [(), ("--detach",), ("--dry-run",)])
def test_a_launch_that_is_refused_says_why_and_leaves_nothing_behind(
    workspace: Workspace, way: tuple[str, ...]
) -> None:
    run_git(workspace.path, "branch", "driver-1")
    done = workspace.call("launch", "--json", *way)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, "driver-1/work impossible" in error["message"]) == (1, True)
    assert workspace.processes() == []
    assert not any(path.is_file() for path in (workspace.path / ".callboard").rglob("*"))
    assert run_git(workspace.path, "status", "--porcelain") == ""
