"""How agent CLIs are started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from callboard.agents.brains.cli.adapter import Order
from callboard.agents.brains.cli.adapters import ADAPTERS
from callboard.agents.brains.cli.places import own_files, servers

URL = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_API_KEY": "x"}


def argv(cli: str, order: Order) -> tuple[str, ...]:
    return ADAPTERS[cli].start(order).argv


def followed(line: tuple[str, ...], option: str) -> str:
    return line[line.index(option) + 1]


@pytest.mark.parametrize("cli", sorted(ADAPTERS))
def test_a_prompt_is_no_argument_and_no_variable(cli: str) -> None:
    start = ADAPTERS[cli].start(Order("--yolo SECRET", "work", {}))
    assert start.argv[0] == ADAPTERS[cli].program
    assert not any("SECRET" in text for text in (*start.argv, *start.env.values()))


@pytest.mark.parametrize("cli", sorted(ADAPTERS))
def test_the_model_is_named_when_it_is_given(cli: str) -> None:
    assert followed(argv(cli, Order("p", "work", {}, model="m")), "--model") == "m"
    assert "--model" not in argv(cli, Order("p", "work", {}))


def test_claude_takes_no_settings_from_the_clone() -> None:
    line = argv("claude", Order("p", "work", {}))
    assert followed(line, "--setting-sources") == "user"
    assert "--strict-mcp-config" in line


def test_codex_uses_its_own_sandbox_where_there_is_no_other() -> None:
    assert followed(argv("codex", Order("p", "work", {})), "--sandbox") == "workspace-write"
    assert followed(argv("codex", Order("p", "work", {}, is_confined=True)), "--sandbox") == "danger-full-access"


def test_codex_and_opencode_are_told_of_another_server() -> None:
    assert any('base_url="http://127.0.0.1:9/v1"' in word for word in argv("codex", Order("p", "work", URL)))
    start = ADAPTERS["opencode"].start(Order("p", "work", URL, model="m"))
    config = json.loads(start.env["OPENCODE_CONFIG_CONTENT"])
    assert config["provider"]["openai-compatible"]["options"]["baseURL"] == URL["OPENAI_BASE_URL"]
    assert followed(start.argv, "--model") == "openai-compatible/m"


def test_qwen_uses_its_login_where_it_is_given_no_key() -> None:
    assert followed(argv("qwen", Order("p", "work", URL)), "--auth-type") == "openai"
    assert followed(argv("qwen", Order("p", "work", {})), "--auth-type") == "qwen-oauth"


def test_aider_only_talks_about_a_review_and_is_given_files_that_cannot_be_options() -> None:
    assert followed(argv("aider", Order("p", "review", {})), "--chat-mode") == "ask"
    line = argv("aider", Order("p", "work", {}, files=("--yes", "app/x.py")))
    assert line[-3:] == ("--", "--yes", "app/x.py")


@pytest.mark.parametrize(
    ("url", "places"),
    [
        ("http://127.0.0.1:8080/v1", ("127.0.0.1:8080",)),
        ("https://models.example/v1", ("models.example:443",)),
        ("http://models.example", ("models.example:80",)),
        ("no url", ()),
        ("http://[broken", ()),
        ("http://host:99999", ()),
    ],
)
def test_it_may_connect_to_the_server_it_is_led_to_and_to_no_other(url: str, places: tuple[str, ...]) -> None:
    assert servers(ADAPTERS["qwen"], {"OPENAI_BASE_URL": url}) == places


def test_it_may_connect_to_its_own_servers_when_it_is_led_nowhere() -> None:
    for adapter in ADAPTERS.values():
        assert servers(adapter, {"PATH": "x"}) == adapter.hosts
        assert all(host.endswith(":443") for host in adapter.hosts)


def test_it_may_read_its_own_installation_but_never_the_persons_login(tmp_path: Path) -> None:
    package = tmp_path / ".claude/local/node_modules/@anthropic-ai/claude-code"
    package.mkdir(parents=True)
    (package / "cli.js").touch()
    program = tmp_path / ".claude/local/claude"
    program.symlink_to(package / "cli.js")
    login = ADAPTERS["claude"].login
    local = tmp_path / ".claude/local"
    assert own_files(program, tmp_path, login) == (local, local / "node_modules")
    beside = tmp_path / ".claude/claude"
    beside.touch()
    assert own_files(beside, tmp_path, login) == ()
