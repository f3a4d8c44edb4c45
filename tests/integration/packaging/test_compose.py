"""docker-compose.yml against what it starts: the demo's roster, and the command line."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

import callboard.demo
from callboard.cli.commands import application

ROOT = Path(__file__).parents[3]
ROSTER = Path(callboard.demo.__file__).parent / "roster" / "callboard.toml"


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, object]]:
    loaded: dict[str, dict[str, dict[str, object]]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded["services"]


def agents_of(services: dict[str, dict[str, object]]) -> dict[str, list[str]]:
    """Each agent's service and its command line."""
    lines = {name: service.get("command") for name, service in services.items() if "hostname" in service}
    return {name: [str(word) for word in line] for name, line in lines.items() if isinstance(line, list)}


def test_every_agent_of_the_demo_has_a_service_of_its_name(services: dict[str, dict[str, object]]) -> None:
    roster = tomllib.loads(ROSTER.read_text())
    names = {agent["name"] for agent in roster["agents"]}
    assert set(agents_of(services)) == names
    for name, line in agents_of(services).items():
        assert line[line.index("--only") + 1] == name
        assert services[name]["hostname"] == name


def test_all_agents_share_one_workspace(services: dict[str, dict[str, object]]) -> None:
    mounts = {str(services[name]["volumes"]) for name in (*agents_of(services), "prepare")}
    assert mounts == {"['${CALLBOARD_REPO:-demo}:/workspace']"}


def test_the_server_writes_every_accepted_message_to_disk(services: dict[str, dict[str, object]]) -> None:
    command = services["messages"]["command"]
    assert isinstance(command, list)
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--appendfsync") + 1] == "always"


def test_the_api_is_published_to_this_computer_alone_and_agents_cannot_reach_the_ledger(
    services: dict[str, dict[str, object]],
) -> None:
    assert services["api"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "ports" not in services["db"]
    on_its_network = {name for name, service in services.items() if "books" in str(service.get("networks"))}
    assert on_its_network == {"db", "api", "manager"}
    urls = [str(services[name]["environment"]) for name in ("api", "manager")]
    assert all("@db/callboard" in url for url in urls)


def test_every_command_of_ours_is_one_that_the_command_line_knows(services: dict[str, dict[str, object]]) -> None:
    top = get_command(application())
    ours = agents_of(services)
    assert ours
    for name, line in ours.items():
        context = top.make_context("callboard", list(line))
        word, command, rest = top.resolve_command(context, list(line))  # type: ignore[attr-defined]
        assert command is not None
        parsed = command.make_context(word, list(rest), parent=context)
        assert (parsed.params["only"], parsed.params["stay"]) == ([name], True)


def test_the_workspace_is_prepared_by_a_module_that_is_there(services: dict[str, dict[str, object]]) -> None:
    assert services["prepare"]["entrypoint"] == ["python", "-m", callboard.demo.__name__, "/workspace"]
    assert (Path(callboard.demo.__file__).parent / "__main__.py").exists()


def test_nothing_starts_before_its_workspace_and_its_server(services: dict[str, dict[str, object]]) -> None:
    for name in agents_of(services):
        assert services[name]["depends_on"] == {
            "messages": {"condition": "service_healthy"},
            "prepare": {"condition": "service_completed_successfully"},
        }


def test_the_api_is_served_to_the_other_containers_where_it_is_published(
    services: dict[str, dict[str, object]],
) -> None:
    line = services["api"]["command"]
    assert isinstance(line, list)
    top = get_command(application())
    context = top.make_context("callboard", [*line])
    word, command, rest = top.resolve_command(context, [*line])  # type: ignore[attr-defined]
    assert (word, command is None) == ("serve", False)
    parsed = command.make_context(word, [*rest], parent=context)
    assert (parsed.params["host"], parsed.params["port"]) == ("0.0.0.0", 8000)


def test_who_tells_traces_gets_the_collector_and_no_agent_gets_its_key(services: dict[str, dict[str, object]]) -> None:
    told = {name for name, service in services.items() if "OTEL_EXPORTER_OTLP_HEADERS" in str(service)}
    assert told == {"manager", "api"}
