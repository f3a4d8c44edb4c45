"""What is heavy is imported only by processes that think."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SERVES = ("fastapi", "uvicorn", "jinja2", "jwt")
KEEPS = ("sqlalchemy", "alembic", "psycopg")
HEAVY = (
    "opentelemetry.sdk",
    "google.protobuf",
    "pydantic_ai",
    "anthropic",
    "openai",
    "mcp",
    "genai_prices",
    "httpx2",
    *SERVES,
    *KEEPS,
)


def imported(code: str) -> list[str]:
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    found: list[str] = json.loads(ran.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    "code",
    [
        "import callboard.cli.application",
        "import callboard.cli.look, callboard.cli.tasks, callboard.cli.doctor, callboard.app",
        "import callboard.launch.launcher, callboard.launch.agent",
    ],
)
def test_commands_the_launcher_and_agents_without_a_model_import_nothing_heavy(code: str) -> None:
    found = imported(code)
    assert [name for name in HEAVY if name in found] == []


def test_a_process_that_thinks_imports_no_sdk_before_it_is_spoken() -> None:
    found = imported("import callboard.agents.brains.model.brain, callboard.agents.brains.model.wire")
    assert "pydantic_ai" in found
    assert [name for name in ("anthropic", "openai") if name in found] == []
