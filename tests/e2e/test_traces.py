"""A launched roster whose collector listens, and one whose collector hangs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from collector import Collector, Received
from model_roster import model_workspace, obedient
from model_server import ModelServer
from roster import task

WORDS = ("Writes:", "made by a model", "reads well", "is there.", "I work on")
"""Of prompts, replies and files."""


def one_task(folder: Path, server: ModelServer, collector: Collector) -> tuple[int, str]:
    workspace = model_workspace(folder, server, {"driver-1": task("1 - First", Writes="a.txt"), "driver-2": ""})
    settings = workspace.path / "callboard.toml"
    more = f'\n[telemetry]\notlp_endpoint = "{collector.url}"\n\n[log]\nformat = "json"\n'
    workspace.write({"callboard.toml": settings.read_text() + more})
    return workspace.launch()


@pytest.mark.long
def test_one_trace_goes_through_manager_driver_and_reviewers_and_logs_name_it(tmp_path: Path) -> None:
    with ModelServer(obedient) as server, Collector() as collector:
        code, output = one_task(tmp_path / "repo", server, collector)
        assert code == 0, output
        requests = server.requests
    spans = {span.id: span for span in collector.spans}
    [root] = [span for span in spans.values() if span.name == "task T-1"]
    inside = [span for span in spans.values() if span.trace == root.trace]
    assert {span.process for span in inside} == {"manager", "driver-1", "senior", "junior-1", "junior-2"}
    names = {span.name.split(" ")[0] for span in inside}
    assert names == {"task", "attempt", "gate", "review", "merge", "chat"}
    calls = [span for span in spans.values() if span.name.startswith("chat ")]
    assert len(calls) == requests
    for call in calls:
        assert call.attributes["gen_ai.operation.name"] == "chat"
        assert int(call.attributes["gen_ai.usage.input_tokens"]) > 0
        assert spans[call.parent].name in ("attempt T-1", "review T-1"), "a call is within the work that makes it"
        assert (spans[call.parent].process, spans[call.parent].parent) == (call.process, root.id)
    _shows_no_content(collector.spans)
    logs = [path.read_text() for path in (tmp_path / "repo/.callboard/logs").glob("*.log")]
    lines = [json.loads(line) for text in logs for line in text.splitlines()]
    assert all({"time", "level", "process", "text"} <= line.keys() for line in lines)


def _shows_no_content(spans: list[Received]) -> None:
    said = [value for span in spans for value in (span.name, *span.attributes.values())]
    assert [text for text in said if any(word in text for word in WORDS) or len(text) > 100] == []


@pytest.mark.long
def test_a_collector_that_hangs_is_nobodys_to_wait_for(tmp_path: Path) -> None:
    with ModelServer(obedient) as server, Collector("hangs") as collector:
        code, output = one_task(tmp_path / "repo", server, collector)
        assert code == 0, output
        assert collector.requests, "it was asked"
    assert collector.spans == []
