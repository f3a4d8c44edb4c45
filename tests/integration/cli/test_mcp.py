"""MCP servers as people see them before a launch: what doctor finds, what init says, what a launch refuses."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import mcp_plain_server
import pytest
from roster import run_git

from callboard.agents.workspace.git import Repository
from callboard.app import Workspace
from callboard.cli.doctor_mcp import mcp_findings
from callboard.cli.init import look
from callboard.cli.init_plan import make_plan
from callboard.directions.parse import parse_direction
from callboard.directions.report import make_report
from callboard.needs import mcp_problems

TOML = f"""
[sandbox]
kind = "off"

[models.m]
provider = "openai"
model = "gpt-5"

[mcp.p]
command = "{sys.executable}"
args = ["-S", "{mcp_plain_server.__file__}", "well", "heard.log"]
tools = ["echo", "fail"]
roles = ["driver"]

[mcp.broken]
command = "{sys.executable}"
args = ["-S", "{mcp_plain_server.__file__}", "exits", "heard.log"]
agents = ["driver-1"]

[mcp.fly]
file = ".mcp.json"
agents = ["driver-1"]

[mcp.nobodys]
url = "https://mcp.example/"
roles = ["reviewer"]

[[agents]]
name = "driver-1"
role = "driver"
model = "m"
"""
ENTRIES = {"fly": {"command": "fly", "env": {"FLY_TOKEN": "${FLY_TOKEN}"}}, "other": {"command": "x"}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    run_git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / ".mcp.json").write_text(json.dumps({"mcpServers": ENTRIES}))
    run_git(tmp_path, "add", "--all")
    run_git(tmp_path, "commit", "--quiet", "--message=Begin")
    return tmp_path


def test_doctor_starts_each_server_and_says_what_it_offers_and_what_is_wrong(root: Path) -> None:
    (root / "callboard.toml").write_text(TOML)
    workspace = Workspace.open(root, os.environ)
    found = list(mcp_findings(workspace))
    states = {state: [text for other, text in found if other == state] for state, _ in found}
    assert states["ok"][0] == "p, for driver-1: p__echo, p__fail"
    assert ".mcp.json has other, which nobody may use" in states["ok"][1]
    assert states["warn"] == [
        "nobody may use nobodys: only agents with a model get tools, and its roles and agents name none"
    ]
    ungranted, dead = states["fail"]
    assert "mcpServers.fly.env.FLY_TOKEN: wants ${FLY_TOKEN}, which it was not granted: add FLY_TOKEN" in ungranted
    assert "no configuration found" in dead
    assert mcp_problems(workspace) == {"fly": ungranted}


def test_init_tells_of_servers_that_the_repository_names_and_starts_none(root: Path) -> None:
    made = make_plan(look(root, Repository(root), {}))
    (note,) = [note for note in made.notes if "MCP" in note]
    assert ".mcp.json has the MCP servers fly, other, which nobody uses until callboard.toml says who may" in note
    assert "[mcp." not in made.files["callboard.toml"]


def test_a_demand_that_an_agent_cannot_meet_is_told_by_directions_check(root: Path) -> None:
    (root / "callboard.toml").write_text(TOML)
    names = Workspace.open(root, os.environ).settings.tool_names()
    text = "### Task 1 - One\n**Use**: Fly MCP\n\n### Task 2 - Two\n**Use**: GitHub MCP\n**Tools**: `run`, `p__echo`\n"
    direction = parse_direction(text, agent="driver-1")
    report = make_report([direction], today=datetime.now(UTC).date(), agents=["driver-1"], tools=names)
    told = [(it.line, it.message) for it in report.files[0].problems if "is demanded here" in it.message]
    assert [line for line, _ in told] == [4]
    assert "the tool or MCP server GitHub is demanded here, and driver-1 has none" in told[0][1]
