"""What a workspace was given to use is known to its redactor, wherever it was given."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from random import Random

import pytest
from planted import ALNUM, drawn

from callboard.app import Workspace

TOML = """
[project]
copy = ["conf/test.env"]
env = { SERVICE_TOKEN = "VALUE-2" }

[bus]
url = "redis://:VALUE-3@127.0.0.1:6379/0"

[models.own]
provider = "openai"
model = "gpt-5"
api_key_env = "MY_LLM"

[redaction]
variables = ["MY_COLOUR"]
"""


@pytest.fixture
def values() -> list[str]:
    random = Random(5)
    return [drawn(random, ALNUM, 24) for _ in range(8)]


def test_values_of_the_environment_the_settings_and_copied_files_are_known(tmp_path: Path, values: list[str]) -> None:
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message=Begin"], check=True)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/test.env").write_text(f"DB_PASSWORD='{values[4]}'\nDB_NAME={values[7]}\n")
    (tmp_path / ".env.local").write_text(f"export API_KEY={values[5]}\n")
    (tmp_path / "callboard.toml").write_text(TOML.replace("VALUE-2", values[2]).replace("VALUE-3", values[3]))
    environ = {**os.environ, "MY_LLM": values[0], "MY_COLOUR": values[1], "GH_TOKEN": values[6]}
    redactor = Workspace.open(tmp_path, environ).redactor
    left = [redactor.text(value) for value in values]
    names = ["MY_LLM", "MY_COLOUR", "SERVICE_TOKEN", "bus-url", "DB_PASSWORD", "API_KEY", "GH_TOKEN"]
    assert left == [*(f"[redacted:{name}]" for name in names), values[7]]


def test_secrets_of_an_environment_are_known_by_their_names_wherever_they_are(
    tmp_path: Path, values: list[str]
) -> None:
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message=Begin"], check=True)
    (tmp_path / "deploy.env").write_text(f"PLAIN_NAME={values[1]}\n")
    (tmp_path / "callboard.toml").write_text(
        '[deploy.environments.staging]\nsecrets = ["COLOUR", "PLAIN_NAME"]\nsecrets_file = "deploy.env"\n'
    )
    redactor = Workspace.open(tmp_path, {**os.environ, "COLOUR": values[0]}).redactor
    assert [redactor.text(value) for value in values[:2]] == ["[redacted:COLOUR]", "[redacted:PLAIN_NAME]"]
