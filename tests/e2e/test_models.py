"""A roster that thinks with models, answered by a server on loopback: tasks, reviews, landings, and what is recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from model_roster import model_workspace, obedient
from model_server import ModelServer
from roster import Workspace, run_git, task

from callboard.agents.brains.call_file import read_records
from callboard.agents.brains.calls import CallRecord


@pytest.mark.long
def test_a_roster_of_models_does_tasks_with_reviews_lands_them_and_is_recorded_and_played_in_another_clone_without_a_server(
    tmp_path: Path,
) -> None:
    with ModelServer(obedient) as server:
        tasks = {
            "driver-1": task("1 - First", Writes="a.txt") + task("2 - Second", Writes="lib/b.txt"),
            "driver-2": task("1 - Third", Writes="c.txt"),
        }
        workspace = model_workspace(tmp_path / "repo", server, tasks)
        code, output = workspace.launch()
        assert code == 0, output
        tokens, requests = server.tokens, server.requests
    files = workspace.files(workspace.integration())
    assert {"a.txt", "lib/b.txt", "c.txt"} <= set(files)
    assert requests == 3 * 3 + 3 * 3 * 2
    logs = sorted((tmp_path / "repo" / ".callboard" / "calls").glob("*/*.jsonl"))
    records = [record for log in logs for record in read_records(log) if isinstance(record, CallRecord)]
    assert len(logs) == 3 + 9
    assert len(records) == requests
    assert sum(record.input_tokens for record in records) == tokens.input
    assert sum(record.output_tokens for record in records) == tokens.output
    made = workspace.call("record", str(tmp_path / "recording"))
    assert made.returncode == 0, made.stderr
    run_git(tmp_path, "clone", "--quiet", str(workspace.path), "elsewhere")
    played = Workspace(tmp_path / "played")
    ran = Workspace(tmp_path / "elsewhere").call("replay", str(tmp_path / "recording"), "--dir", str(played.path))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "none is called" in ran.stdout + ran.stderr
    assert played.files(played.integration()) == files
    assert server.requests == requests
    costs = json.loads(played.call("costs", "--json").stdout)["rows"][0]
    assert (costs["calls"], costs["input_tokens"], costs["output_tokens"]) == (requests, tokens.input, tokens.output)
