"""What agent CLIs printed once, written down as call logs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from callboard.agents.brains.budget import Reservation, Usage
from callboard.agents.brains.call_file import CallFile
from callboard.agents.brains.cli.adapter import Report, Told, Tool
from callboard.agents.brains.cli.adapters import ADAPTERS
from callboard.agents.brains.cli.meter import Spending
from callboard.agents.brains.cli.recording import Recording
from callboard.agents.brains.cli.session import events_of
from callboard.agents.brains.talk import Step, Talk, steps

RECORDED = Path(__file__).with_name("recorded")
TALKERS = [cli for cli in sorted(ADAPTERS) if cli != "aider"]
"""aider does not say what a tool gave back."""


def log_of(folder: Path, name: str) -> tuple[Step, ...]:
    adapter = ADAPTERS[name.partition(".")[0]]
    path = folder / "log.jsonl"
    recording = Recording(CallFile(path), adapter.name, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    recording.begin("Do it.")
    for event in events_of(adapter, (RECORDED / f"{name}.txt").read_text().split("\n")):
        recording.hear(event)
        if isinstance(event, Report) and not event.is_total:
            recording.note(Spending("m", event.usage, Reservation("r")))
    recording.exit("exited 0")
    return steps(Talk(path, "T-1", 1, "driver-1", ""))


@pytest.mark.parametrize("cli", sorted(ADAPTERS))
def test_a_session_is_shown_from_its_prompt_to_its_exit(tmp_path: Path, cli: str) -> None:
    shown = log_of(tmp_path, f"{cli}.done")
    assert (shown[0].name, shown[0].text) == ("prompt", "Do it.")
    assert shown[-1].name == "exit"
    assert "end" in [step.name for step in shown]
    assert any("note.txt" in call for step in shown for call in step.calls)
    assert any("wrote it" in step.text for step in shown)


@pytest.mark.parametrize("cli", TALKERS)
def test_what_a_tool_gave_back_is_shown_under_its_name_after_its_use(tmp_path: Path, cli: str) -> None:
    shown = log_of(tmp_path, f"{cli}.done")
    (at,) = [n for n, step in enumerate(shown) if step.kind == "tool"]
    adapter = ADAPTERS[cli]
    lines = (RECORDED / f"{cli}.done.txt").read_text().split("\n")
    (tool,) = [event for event in events_of(adapter, lines) if isinstance(event, Tool)]
    assert (shown[at].name, shown[at].ok) == (tool.name, True)
    assert any(call.startswith(tool.name) for call in shown[at - 1].calls)


@pytest.mark.parametrize("name", ["codex.unreachable", "claude.rate-limit", "qwen.unreachable", "aider.rate-limit"])
def test_trouble_is_shown_as_what_failed(tmp_path: Path, name: str) -> None:
    assert any(not step.ok and step.text for step in log_of(tmp_path, name))


def test_a_session_that_talks_without_end_leaves_a_log_that_ends_with_its_exit_and_all_it_used(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    recording = Recording(CallFile(path), "claude", lambda: datetime(2026, 11, 21, tzinfo=UTC), room=20_000)
    for n in range(1_000):
        recording.hear(Tool("Bash", "x" * 10_000, str(n)))
        recording.hear(Told("y" * 900, id=str(n)))
    recording.note(Spending("m", Usage(7, 1), Reservation("r")))
    recording.exit("exited 0")
    assert path.stat().st_size < 40_000
    *_, left_out, call, exit = steps(Talk(path, "T-1", 1, "driver-1", ""))
    assert (left_out.name, call.input_tokens, exit.text) == ("log", 7, "exited 0")
