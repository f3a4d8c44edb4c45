"""`callboard transcript` reads call logs from the files alone."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from forked import callboard

from callboard.agents.brains.call_file import CallFile
from callboard.agents.brains.calls import CallRecord, ToolRecord
from callboard.agents.workspace.layout import Layout

AT = datetime(2026, 11, 21, 9, 14, 7, tzinfo=UTC)
TOML = """
[models.opus]
provider = "anthropic"
model = "claude-opus-4-5"

[[agents]]
name = "driver-1"
role = "driver"
model = "opus"
"""


def said(text: str, *calls: tuple[str, dict[str, str]], usd: str | None = "0.01") -> CallRecord:
    parts: list[object] = [{"part_kind": "text", "content": text}]
    parts += [{"part_kind": "tool-call", "tool_name": name, "args": arguments} for name, arguments in calls]
    return CallRecord.model_validate(
        {
            "digest": "d",
            "model": "opus",
            "response": {"parts": parts},
            "input_tokens": 1500,
            "output_tokens": 20,
            "cached_tokens": 1000,
            "usd": None if usd is None else Decimal(usd),
            "duration_s": 1.25,
            "at": AT,
        }
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "Begin"], check=True)
    (tmp_path / "callboard.toml").write_text(TOML)
    layout = Layout(tmp_path)
    tool = ToolRecord(
        digest="t", name="run", arguments={}, result="\n".join(map(str, range(40))), ok=False, duration_s=2, at=AT
    )
    log = CallFile(layout.call_log("r1", "T-7", 1, "driver-1"))
    for record in (said("I run it.", ("run", {"command": "pytest"})), tool, said("Fine.", ("done", {"notes": "ok"}))):
        log.append(record)
    CallFile(layout.call_log("r1", "T-7", 2, "driver-1")).append(said("Again.", usd=None))
    CallFile(layout.call_log("r1", "T-7", 1, "senior", "T-7.1.1")).append(said("Approved."))
    layout.call_log("r1", "T-7", 1, "driver-1").with_name("T-7.1.driver-1.cut-1.jsonl").write_text("")
    return tmp_path


def test_it_shows_what_was_said_and_done_and_what_it_took(workspace: Path) -> None:
    shown = callboard(workspace, "transcript", "T-7", "--attempt", "1", "--agent", "driver-1").stdout
    assert shown == (
        "T-7, attempt 1 by driver-1\n"
        "  09:14:07Z  opus  1.2 s, 1,500 tokens in (1,000 cached), 20 out, $0.0100\n"
        "      I run it.\n"
        "      -> run command='pytest'\n"
        "  09:14:07Z  run  2.0 s, failed\n"
        + "".join(f"      {n}\n" for n in range(12))
        + "      ... 28 more lines; --full shows all\n"
        "  09:14:07Z  opus  1.2 s, 1,500 tokens in (1,000 cached), 20 out, $0.0100\n"
        "      Fine.\n"
        "      -> done notes='ok'\n"
        "  2 calls to opus, 2.5 s, 3,000 tokens in (2,000 cached), 40 out, $0.0200\n"
        "\n"
    )
    assert "      39\n" in callboard(workspace, "transcript", "T-7", "--full").stdout


def test_attempts_come_in_order_each_before_its_reviews_and_an_unknown_cost_is_not_shown(workspace: Path) -> None:
    shown = callboard(workspace, "transcript", "T-7").stdout
    heads = [line for line in shown.splitlines() if line.startswith("T-7")]
    assert heads == ["T-7, attempt 1 by driver-1", "T-7, review T-7.1.1 by senior", "T-7, attempt 2 by driver-1"]
    assert "$" not in shown.partition("attempt 2")[2]


def test_json_has_all_of_it(workspace: Path) -> None:
    rows = json.loads(callboard(workspace, "transcript", "T-7", "--json", "--attempt", "1").stdout)
    assert [(row["agent"], row["review"], len(row["steps"])) for row in rows] == [
        ("driver-1", "", 3),
        ("senior", "T-7.1.1", 1),
    ]
    assert rows[0]["steps"][1]["text"].endswith("38\n39")
    assert rows[0]["steps"][0]["usd"] == "0.01"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("T-8",), "no call on 'T-8' is recorded in run r1; there are T-7"),
        (("T-7", "--run", "r0"), "no call of run 'r0' is recorded; there are r1"),
    ],
)
def test_what_is_not_recorded_is_told_with_what_there_is(workspace: Path, args: tuple[str, ...], message: str) -> None:
    ran = callboard(workspace, "transcript", *args)
    assert (ran.returncode, ran.stderr.strip()) == (1, f"error: {message}")


def test_commands_that_look_import_no_model(workspace: Path) -> None:
    """The roster of this workspace has one; what is imported is written on stderr."""
    for words in (("status",), ("transcript", "T-7"), ("doctor",), ("runs",)):
        argv = [sys.executable, "-X", "importtime", "-m", "callboard", *words]
        ran = subprocess.run(argv, cwd=workspace, capture_output=True, text=True, timeout=300, check=False)
        imported = {
            line.rpartition("|")[2].strip() for line in ran.stderr.splitlines() if line.startswith("import time")
        }
        assert "callboard.cli.application" in imported
        assert imported & {"pydantic_ai", "anthropic", "openai", "mcp", "genai_prices"} == set()
