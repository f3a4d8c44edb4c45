"""/health says of each part whether it is there, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from roster import Workspace as Made
from roster import task
from served import Served

from callboard.app import Workspace
from callboard.web.app import create

LACKING = """
[models.opus]
provider = "anthropic"
model = "claude-opus-4-5"

[[agents]]
name = "driver-9"
role = "driver"
model = "opus"

[notify]
urls = ["env:TEAM_URL"]
"""


def health(made: Made, **environ: str) -> tuple[int, dict[str, str], str]:
    """Its status, part -> state, and all that it says."""
    served = Served(create(Workspace.open(made.path, {"PATH": "/usr/bin:/bin", **environ}), keeps_books=False))
    try:
        answer = served.ask("/health")
    finally:
        served.stop()
    parts = {name: part["state"] for name, part in answer.json["parts"].items()}
    return answer.status, {"status": answer.json["status"], **parts}, answer.body.decode()


@pytest.fixture
def made(tmp_path: Path) -> Made:
    made = Made(tmp_path / "greenroom")
    made.init({"driver-1": task("1 - One")})
    return made


def test_what_is_there_is_well(made: Made, server_url: str) -> None:
    status, states, _ = health(made, CALLBOARD_BUS_URL=server_url, CALLBOARD_LEDGER_URL="embedded")
    assert (status, states.pop("status"), set(states.values())) == (200, "ok", {"ok"})
    assert list(states) == ["bus", "ledger", "models", "secrets", "disk"]


def test_what_runs_go_on_without_is_a_warning(made: Made, server_url: str) -> None:
    with (made.path / "callboard.toml").open("a") as file:
        file.write(LACKING)
    (made.path / ".callboard").mkdir(exist_ok=True)
    (made.path / ".callboard" / "ledger.db").write_text("no database" * 100)
    status, states, said = health(made, CALLBOARD_BUS_URL=server_url, CALLBOARD_LEDGER_URL="embedded")
    assert (status, states) == (
        200,
        {"status": "warn", "bus": "ok", "ledger": "warn", "models": "warn", "secrets": "warn", "disk": "ok"},
    )
    for told in ("opus", "ANTHROPIC", "TEAM_URL", "driver-9", str(made.path)):
        assert told not in said


def test_without_a_server_of_the_bus_it_cannot_work(made: Made) -> None:
    status, states, said = health(made, CALLBOARD_BUS_URL="redis://127.0.0.1:9/0", CALLBOARD_LEDGER_URL="off")
    assert (status, states["status"], states["bus"], states["ledger"]) == (503, "fail", "fail", "ok")
    assert "127.0.0.1" not in said
