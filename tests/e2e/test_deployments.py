"""The deployment agent on a launched roster: a service comes up, a second release replaces it beside the first, and it goes
back; and a direction of twenty tasks, most of which change no code."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploying_roster import BEHAVIOUR, commit, deploying, port_of, stop_services
from roster import Workspace, run_git, task

TITLES = (
    "Bring the service up",
    "Bring the helper service up once it can be built",
    "Ask every service of production",
    "Watch the first days",
    "See that every secret is set",
    "Write down how to go back, and go back once",
    "See that every variable is set",
    "See when certificates end",
    "See that the database answers",
    "Have somebody told of failures",
    "See that backups are made",
    "Write down how it is deployed",
    "See that staging is like production",
    "See that every health check answers",
    "Gather the logs in one place",
    "Establish how fast it is",
    "Rehearse an outage",
    "Rehearse a deployment",
    "See what is open that should not be",
    "Watch on the day",
)
WRITES = {
    "Write down how to go back, and go back once": "docs/rollback.md",
    "Write down how it is deployed": "docs/how.md",
}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Workspace]:
    made = deploying(tmp_path / "service")
    yield made
    stop_services(made)


def says(made: Workspace) -> str:
    """The release that answers where the service is."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port_of(made)}/", timeout=60) as answer:
        return str(answer.read().decode())


def last(made: Workspace) -> dict[str, object]:
    rows = json.loads(made.call("deployments", "--json").stdout)["deployments"]
    found: dict[str, object] = rows[-1]
    return found


@pytest.mark.long
def test_a_service_comes_up_is_replaced_and_goes_back_and_outlives_its_roster(made: Workspace) -> None:
    refused = made.call("deploy", "--env", "moon")
    assert refused.returncode == 1
    assert "no environment 'moon'" in refused.stderr

    first = made.call("deploy", "--as", "Ada")
    assert first.returncode == 0, first.stdout + first.stderr
    one = last(made)
    assert (one["state"], one["blue"], one["tests_passed"], one["by"]) == ("done", "", 3, "Ada")
    assert says(made) == one["release"]
    entries = (made.path / "feedback/deployment.md").read_text()
    assert all(
        f"d-1 production: {step} passed" in entries for step in ("inputs", "look", "up", "test", "bake", "finish")
    )

    newer = commit(made, {"app/new.txt": "x\n"}, "More")
    second = made.call("deploy", "--commit", newer)
    assert second.returncode == 0, second.stdout + second.stderr
    two = last(made)
    assert (two["state"], two["blue"], two["commit"]) == ("done", one["release"], newer)
    assert says(made) == two["release"]

    broken = commit(made, {BEHAVIOUR: "lies\n"}, "Break it")
    third = made.call("deploy", "lock", "--reason", "holidays", "--as", "Ada")
    assert third.returncode == 0
    locked = made.call("deploy", "--commit", broken, "--json")
    assert locked.returncode == 1
    said = json.loads(locked.stdout)
    assert (said["exit_code"], said["deployment"]["state"]) == (1, "rolled_back")
    assert "locked by Ada since" in str(last(made)["reason"])
    assert made.call("deploy", "unlock", "--as", "Bob").returncode == 1
    assert made.call("deploy", "unlock", "--as", "Ada").returncode == 0

    back = made.call("rollback", "--reason", "it was better before")
    assert back.returncode == 0, back.stdout + back.stderr
    assert (last(made)["kind"], says(made)) == ("restore", one["release"])


@pytest.mark.long
def test_twenty_tasks_of_the_deployment_agent_are_done_most_of_them_without_code(tmp_path: Path) -> None:
    tasks = "".join(
        task(f"{n} - {title}", What=title, Evidence="what the commands gave", **fields(title))
        for n, title in enumerate(TITLES, 1)
    )
    made = deploying(tmp_path / "twenty", {"deployment": tasks})
    code, output = made.launch()
    assert code == 0, output
    found = made.json("status")
    rows = found["tasks"]
    assert isinstance(rows, list)
    assert [row["title"] for row in rows] == list(TITLES)
    assert {row["agent"] for row in rows} == {"deployment"}
    assert {row["state"] for row in rows} == {"done"}
    branches = run_git(made.path, "branch", "--list", "--format=%(refname:short)").splitlines()
    assert {"deployment/work", "deployment/log"} <= set(branches)
    changed = run_git(made.path, "diff", "--name-only", "main", made.integration()).splitlines()
    assert sorted(changed) == sorted(WRITES.values())
    log = (made.path / "feedback/deployment.md").read_text()
    assert all(title in log for title in TITLES)


def fields(title: str) -> dict[str, str]:
    """Most are shown by a command alone."""
    path = WRITES.get(title)
    return {"Writes": path, "Text": title, "Paths": f"`{path}`"} if path else {"Checks": "`test -e README`"}
