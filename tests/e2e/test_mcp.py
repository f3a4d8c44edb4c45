"""A roster of models with an MCP server that its direction demands: sent back without a call, landed with one, replayed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import mcp_plain_server
import pytest
from model_roster import model_workspace, obedient
from model_server import ModelServer
from model_wire import Asked, Say, ToolCall
from roster import Workspace, task

from callboard.agents.brains.call_file import read_records
from callboard.agents.brains.calls import ToolRecord

KEY = "Zk3n9Qp7Wd2Ls6Vb"
ARGV = ["-S", mcp_plain_server.__file__, "well", "heard.log"]
TABLE = """
[mcp.p]
file = ".mcp.json"
pass_env = ["P_KEY"]
roles = ["driver"]
tools = ["echo", "env"]
"""


def forgetful(asked: Asked) -> Say:
    """Calls what it must only once it was told that its work came back for it."""
    if "verdict" in asked.tools or "rule tools" not in asked.prompt:
        return obedient(asked)
    steps = (
        ToolCall("p__echo", {"text": "checked"}),
        ToolCall("p__env", {}),
        ToolCall("done", {"notes": "It is there."}),
    )
    return Say(calls=(steps[len(asked.results)],))


@pytest.mark.long
def test_evidence_without_the_call_is_sent_back_and_with_it_lands_and_is_played_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("P_KEY", KEY)
    with ModelServer(forgetful) as server:
        tasks = {"driver-1": task("1 - First", Writes="a.txt", Use="P MCP for validation")}
        workspace = model_workspace(tmp_path / "repo", server, tasks)
        with (workspace.path / "callboard.toml").open("a") as file:
            file.write(TABLE)
        entry = {"command": sys.executable, "args": ARGV, "env": {"TOKEN": "${P_KEY}"}}
        workspace.write({".mcp.json": json.dumps({"mcpServers": {"p": entry}})})
        code, output = workspace.launch()
        assert code == 0, output
        offered = {served.asked.tools[-2:] for served in server.served if "verdict" not in served.asked.tools}
        assert offered == {("p__echo", "p__env")}
    assert workspace.landed_keys(workspace.integration()) == ["driver-1/first"]
    assert workspace.files(workspace.integration()).keys() >= {"a.txt"}
    log = (workspace.path / "feedback" / "driver-1.md").read_text()
    assert "rule tools" in log
    assert "its direction demands a successful call of `P`" in log
    home = workspace.path / ".callboard"
    second = next((home / "calls").glob("*/*.2.driver-1.jsonl"))
    told = [(record.name, record.ok) for record in read_records(second) if isinstance(record, ToolRecord)]
    assert told == [("tools/list", True), ("p__echo", True), ("p__env", True)]
    assert "[redacted:TOKEN]" in second.read_text() or "[redacted:P_KEY]" in second.read_text()
    said = [*home.glob("calls/**/*.jsonl"), *home.glob("logs/*"), *(workspace.path / "feedback").glob("*.md")]
    assert not [path for path in said if KEY in path.read_text("utf-8", "replace")]
    heard = home / "scratch" / "driver-1.mcp" / "p" / "home" / "heard.log"
    before = heard.read_text()
    assert before.count("start") == 2
    played = Workspace(tmp_path / "played")
    ran = workspace.call("replay", "--dir", str(played.path))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert played.files(played.integration()) == workspace.files(workspace.integration())
    assert heard.read_text() == before
