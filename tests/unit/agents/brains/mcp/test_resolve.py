"""Which servers there are, who may use them, and what a file of the repository may ask for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from callboard.agents.brains.mcp.servers import resolve, secrets_of
from callboard.agents.brains.mcp.settings import McpSettings
from callboard.agents.settings import AgentSettings
from callboard.bus.errors import ConfigError

KEY = "k7Fq2Zx9Lm4Pw8Rt"
ENVIRON = {"FLY_KEY": KEY, "OTHER_KEY": "n8Gh3Vb6Tz1Qc5Xs", "EMPTY": "", "CALLBOARD_BUS_URL": "redis://:x@h"}


def table(**values: object) -> McpSettings:
    return McpSettings.model_validate({"roles": ["driver"], **values})


def repository(folder: Path, **entry: object) -> Path:
    (folder / ".mcp.json").write_text(json.dumps({"mcpServers": {"fly": entry}}, indent=1))
    return folder


def test_a_program_gets_what_callboard_toml_says_and_variables_are_filled_in(tmp_path: Path) -> None:
    settings = table(command="fly", args=["--n", "${N:-3}"], env={"K": "${FLY_KEY}", "E": "${EMPTY:-none}"})
    server = resolve("fly", settings, tmp_path, ENVIRON)
    assert server.argv == ("fly", "--n", "3")
    assert server.env == {"K": KEY, "E": "none"}
    assert KEY not in repr(server)


def test_an_entry_of_the_repository_is_used_with_what_it_was_granted(tmp_path: Path) -> None:
    root = repository(tmp_path, command="npx", args=["-y", "fly"], env={"K": "${FLY_KEY}"})
    server = resolve("fly", table(file=".mcp.json", pass_env=["FLY_*"]), root, ENVIRON)
    assert (server.argv, server.env) == (("npx", "-y", "fly"), {"K": KEY})
    root = repository(tmp_path, type="http", url="https://fly.example/mcp", headers={"A": "Bearer ${FLY_KEY}"})
    granted = table(file=".mcp.json", pass_env=["FLY_KEY"], connect=["fly.example:443"])
    assert resolve("fly", granted, root, ENVIRON).headers == {"A": f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("entry", "more", "said"),
    [
        (
            {"command": "x", "env": {"K": "${OTHER_KEY}"}},
            {},
            "mcpServers.fly.env.K: wants ${OTHER_KEY}, which it was not",
        ),
        ({"command": "x", "args": ["${CALLBOARD_BUS_URL}"]}, {"pass_env": ["*"]}, "handed to nobody"),
        ({"command": "x", "env": {"LD LIB": "y"}}, {}, "is no environment variable"),
        (
            {"url": "https://evil.example/mcp"},
            {"connect": ["fly.example:443"]},
            "leads to evil.example:443, which it was not",
        ),
        ({"url": "file:///etc/passwd"}, {"connect": ["*"]}, "expected a URL such as"),
        ({"type": "sse", "url": "https://x/sse"}, {}, "type sse is not spoken"),
        ({"command": "x", "url": "https://x/"}, {}, "expected a command or a url"),
        ({"command": "x", "type": "http"}, {}, "type http does not go with command"),
        ({"command": 7}, {}, ".mcp.json:3: mcpServers.fly.command: Input should be a valid string"),
    ],
)
def test_what_the_repositorys_file_asks_for_beyond_that_is_refused(
    tmp_path: Path, entry: dict[str, object], more: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        resolve("fly", table(file=".mcp.json", **more), repository(tmp_path, **entry), ENVIRON)
    assert said in str(refused.value)
    assert ".mcp.json" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", ".mcp.json:1: not JSON"),
        ("[]", 'expected {"mcpServers"'),
        ('{"mcpServers": {"other": {"command": "x"}}}', "has no server 'fly'; it has other"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / ".mcp.json").write_text(text)
    with pytest.raises(ConfigError, match=r"mcp\.json") as refused:
        resolve("fly", table(file=".mcp.json"), tmp_path, ENVIRON)
    assert said in str(refused.value)


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mcp.fly.env.K: wants \$\{MISSING\}, which is not set: export it"):
        resolve("fly", table(command="x", env={"K": "${MISSING}"}), tmp_path, ENVIRON)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "expected one of command, url or file, found none"),
        ({"command": "x", "url": "https://x/"}, "found command and url"),
        ({"url": "https://x/", "args": ["y"]}, "goes with command alone"),
        ({"command": "x", "headers": {"A": "b"}}, "goes with url alone"),
        ({"command": "x", "pass_env": ["A"]}, "goes with file alone"),
        ({"url": "https://x/", "connect": ["y:1"]}, "is for programs"),
        ({"url": "ftp://x/"}, "expected a URL such as"),
        ({"command": "x", "env": {"CALLBOARD_X": "1"}}, "none of Callboard's own"),
        ({"file": "../.mcp.json"}, "inside the repository"),
        ({"command": "x", "roles": []}, "nobody may use it"),
        ({"command": "x", "roles": ["manager"]}, "'driver', 'reviewer' or 'deployment'"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        table(**values)
    assert said in str(refused.value)


def test_agents_get_servers_by_role_or_by_name_and_only_with_a_model() -> None:
    def agent(name: str, role: str, **brain: object) -> AgentSettings:
        return AgentSettings.model_validate({"name": name, "role": role, **(brain or {"model": "m"})})

    settings = table(command="x", roles=["driver"], agents=["senior"])
    assert settings.may_use(agent("driver-1", "driver"))
    assert settings.may_use(agent("senior", "reviewer"))
    assert not settings.may_use(agent("junior-1", "reviewer"))
    assert not settings.may_use(agent("driver-2", "driver", command="x"))


def test_what_a_server_is_given_is_known_as_secret_also_where_it_cannot_be_used(tmp_path: Path) -> None:
    def values(settings: McpSettings, root: Path = tmp_path) -> set[str]:
        return {secret.value for secret in secrets_of("fly", settings, root, ENVIRON)}

    assert values(table(command="x", args=["--key=Zk3n9Qp7Wd2Ls6Vb"], env={"K": "${FLY_KEY}"})) == {
        KEY,
        "Zk3n9Qp7Wd2Ls6Vb",
    }
    assert values(table(url="https://x/", headers={"Authorization": "Bearer ${FLY_KEY}", "Accept": "*/*"})) == {KEY}
    assert values(table(command="x", env={"API_TOKEN": "plain-words-only", "N": "${MISSING}"})) == {"plain-words-only"}
    root = repository(tmp_path, url="https://fly.example/mcp", headers={"X-Key": KEY})
    assert values(table(file=".mcp.json", connect=["fly.example:443"]), root) == {KEY}
