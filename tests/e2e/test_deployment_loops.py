"""Deployments on a launched roster that do not go straight: what fails is mended on the way, people have a say, agents are killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import psutil
import pytest
from deploying_roster import BEHAVIOUR, BY_USERS, START, STYLE, commit, deploying, port_of, stop_services
from load import Load
from roster import HANG_S, Workspace, run_git, until
from servers import free_port

from callboard.agents.deployment.target import Release
from callboard.app import Workspace as Opened
from callboard.bus.deployments import DeploymentDoc, deployment_field
from callboard.deploying import Deploying
from callboard.launch.joining import open_bus
from callboard.launch.runs import runs

KILLS = 4
"""Within one launch: five deaths in a minute are down."""
EDGES = 11
"""Of a second deployment that goes straight; the last ends it."""


def rows(made: Workspace) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(made.call("deployments", "--json").stdout)["deployments"]
    return found


def row(made: Workspace, number: int) -> dict[str, object]:
    """The deployment with that number; {} before it is there."""
    found = rows(made)
    return found[number - 1] if len(found) >= number else {}


def is_over(made: Workspace, number: int) -> bool:
    return row(made, number).get("ended_at") is not None


def get(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
        return str(answer.read().decode())


def live(made: Workspace, environment: str = "production") -> list[Release]:
    """What has traffic."""
    target = Deploying(Opened.open(made.path, os.environ)).target(environment)
    return [one for one in target.running() if one.weight]


def give(made: Workspace, *args: str) -> subprocess.CompletedProcess[str]:
    done = made.call(*args)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@contextmanager
def launched(made: Workspace) -> Iterator[None]:
    """A launch that stays until the end; what it deployed outlives it."""
    process = made.start("--stay")
    until(lambda: made.process("deployment") is not None)  # an earlier launch's status would speak of it, too
    yield
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=HANG_S)
    assert process.returncode == 0, output


@contextmanager
def staying(made: Workspace) -> Iterator[None]:
    """The same, and nothing stays."""
    try:
        with launched(made):
            yield
    finally:
        made.stop_everything()
        stop_services(made)


@pytest.mark.long
def test_what_fails_on_the_way_is_mended_by_who_it_belongs_to_and_all_of_it_is_done_anew(tmp_path: Path) -> None:
    """The way it is run is the agent's own to mend; red tests and what reviewers find are a driver's."""
    made = deploying(
        tmp_path / "mends",
        notes="",
        start=f"sh {START}",
        files={START: "exit 3\n", BEHAVIOUR: "lies\n", STYLE: "sloppy\n"},
    )
    try:
        done = give(made, "deploy")
        found = row(made, 1)
        assert (found["state"], found["fixes"], found["tests_passed"]) == ("done", 3, 3), done.stdout
        tasks = made.json("status")["tasks"]
        assert isinstance(tasks, list)
        assert {(task["title"], task["agent"], task["state"]) for task in tasks} == {
            ("Fix d-1 in the way it is run, 1", "deployment", "done"),
            ("Fix d-1 in the code, 2", "driver-1", "done"),
            ("Fix d-1 in the code, 3", "driver-1", "done"),
        }
        changed = run_git(made.path, "diff", "--name-only", "main", made.integration()).splitlines()
        assert {BEHAVIOUR, START, STYLE} <= set(changed)
        assert found["commit"] == run_git(made.path, "rev-parse", made.integration())
        history = found["history"]
        assert isinstance(history, list)
        states = [edge["to"] for edge in history if edge["source"] != edge["to"]]
        up_to = ["prepared", "green_up", "fixing"]
        tested, judged = ["green_up", "testing", "fixing"], ["green_up", "testing", "reviewing", "fixing"]
        through = ["green_up", "testing", "reviewing", "eligible", "promoting", "baking", "done"]
        assert states == [*up_to, *tested, *judged, *through]
        assert get(port_of(made)) == found["release"]
        print(f"fixes {found['fixes']}, tests passed {found['tests_passed']}, edges {len(history)}")
    finally:
        made.stop_everything()
        stop_services(made)


@pytest.mark.long
def test_people_accept_refuse_and_roll_back_and_staging_comes_before_production(tmp_path: Path) -> None:
    """Nothing passes without users here, so a deployment waits where the test wants it to."""
    staging, production = free_port(), free_port()
    made = deploying(
        tmp_path / "people",
        notes="",
        analysis=BY_USERS,
        environments={"staging": {"port": staging}, "production": {"port": production, "acceptance": "ask"}},
    )

    def used(port: int, condition: Callable[[], bool]) -> None:
        """Somebody uses the service until it has come to that."""

        def asked() -> bool:
            get(port)
            return condition()

        until(asked)

    def stands(number: int, state: str) -> Callable[[], bool]:
        return lambda: row(made, number).get("state") == state

    def accepts(number: int, answer: str) -> str:
        """What was asked."""
        until(lambda: bool(row(made, number).get("question")))
        found = row(made, number)
        questions = json.loads(made.call("questions", "--json").stdout)
        (asked,) = [one for one in questions if one["id"] == found["question"]]
        assert str(found["address"]) in asked["text"]
        assert "3 of 3 tests passed" in asked["text"]
        give(made, "answer", asked["id"], answer)
        return str(asked["text"])

    with staying(made):
        give(made, "deploy", "--env", "production")
        until(lambda: is_over(made, 1))
        assert "has not passed staging" in str(row(made, 1)["reason"])

        give(made, "deploy", "--env", "staging")
        until(stands(2, "baking"))
        used(staging, lambda: is_over(made, 2))
        assert row(made, 2)["state"] == "done"

        give(made, "deploy", "--env", "production")
        accepts(3, "go on")
        until(stands(3, "baking"))
        used(production, lambda: is_over(made, 3))
        first = row(made, 3)
        assert first["state"] == "done"

        give(made, "deploy", "--env", "staging")
        until(stands(4, "promoting"))
        give(made, "rollback", "--env", "staging", "--reason", "it looked odd")
        until(lambda: is_over(made, 4))
        assert (row(made, 4)["state"], row(made, 4)["next"]) == ("rolled_back", "retry")
        assert "it looked odd" in str(row(made, 4)["reason"])
        assert [one.id for one in live(made, "staging")] == [row(made, 2)["release"]] == [get(staging)]

        give(made, "deploy", "--env", "production")
        accepts(5, "roll back")
        until(lambda: is_over(made, 5))
        assert row(made, 5)["state"] == "rolled_back"
        assert "did not accept it" in str(row(made, 5)["reason"])
        assert [one.id for one in live(made)] == [first["release"]] == [get(production)]
        print({one["id"]: (one["environment"], one["state"], one["reason"]) for one in rows(made)})


@pytest.mark.long
def test_production_is_held_until_a_person_names_what_may_pass_and_the_notes_land_as_all_work_does(
    tmp_path: Path,
) -> None:
    made = deploying(
        tmp_path / "held",
        environments={"production": {"production": True}},
        ready={"monitoring": ["exit 1"], "telemetry": ["true"], "documentation": ["docs/rollback.md"]},
    )
    although = "go on although monitoring fails, not knowing "

    def asks(number: int, but: object = "") -> dict[str, object]:
        """The question that holds it, which is another one than that."""
        until(lambda: row(made, number).get("question") not in (None, "", but))
        found = row(made, number)
        asked = next(
            one for one in json.loads(made.call("questions", "--json").stdout) if one["id"] == found["question"]
        )
        assert found["state"] == "eligible"
        assert "fail: monitoring, `exit 1` exited 1" in asked["text"]
        return dict(asked)

    with staying(made):
        give(made, "deploy")
        held = asks(1)
        options = held["options"]
        assert isinstance(options, list)
        assert options[0].startswith(although)
        assert options[1:] == ["look again", "roll back"]
        states = {item["item"]: item["state"] for item in row(made, 1)["checklist"]}  # type: ignore[attr-defined]
        unknown = [name for name, state in states.items() if state == "unknown"]
        assert options[0] == although + ", ".join(unknown)
        assert {states[name] for name in ("telemetry", "documentation", "rollback plan", "tests")} == {"pass"}
        assert live(made) == []
        assert made.call("answer", str(held["id"]), "go on").returncode == 1, "what is let pass has to be named"

        give(made, "answer", str(held["id"]), "look again")
        again = asks(1, held["id"])
        assert live(made) == []
        give(made, "answer", str(again["id"]), options[0], "--as", "Ada")
        until(lambda: is_over(made, 1))
        first = row(made, 1)
        assert first["state"] == "done"
        assert get(port_of(made)) == first["release"]
        [place] = json.loads(made.call("deployments", "--json").stdout)["environments"]
        audit = [(one["by"], one["did"].partition(" for ")[0]) for one in place["audit"]]
        assert {did for by, did in audit if by == "Ada"} == {f"let {name} pass" for name in ("monitoring", *unknown)}

        until(lambda: "deployment/d-1-notes" in made.landed_keys(made.integration()))
        page = next(path for path in made.files(made.integration()) if path.startswith("docs/deployments/production-"))
        noted = run_git(made.path, "show", f"{made.integration()}:{page}")
        assert noted.startswith(f"# {first['release']} in production: done")
        assert "fail: monitoring: `exit 1` exited 1; Ada let it pass" in noted
        until(lambda: any("-d-1-production.md" in path for path in made.files("deployment/log")))
        until(lambda: "Notes of d-1 in production" in (made.path / "feedback/junior-1.md").read_text())

        newer = commit(made, {"app/new.txt": "x\n"}, "More")
        give(made, "deploy", "--commit", newer)
        held = asks(2)
        assert [one.id for one in live(made)] == [first["release"]]
        give(made, "answer", str(held["id"]), "roll back")
        until(lambda: is_over(made, 2))
        second = row(made, 2)
        assert (second["state"], second["next"]) == ("rolled_back", "retry")
        assert [one.id for one in live(made)] == [first["release"]] == [get(port_of(made))]
        print(states, audit)


@pytest.mark.long
def test_a_deployment_agent_that_is_killed_at_each_edge_goes_on_and_nobody_who_uses_the_service_notices(
    tmp_path: Path, seed: int, time_is_up: Callable[[], bool]
) -> None:
    """The agent is the proxy's controller, too. Each edge is met once, a few in each deployment, as they are drawn."""
    made = deploying(tmp_path / "killed", notes="", analysis=BY_USERS)
    edges, killed = Random(seed).sample(range(1, EDGES + 1), EDGES), list[tuple[int, str]]()
    try:
        with launched(made):
            give(made, "deploy")
            until(lambda: row(made, 1).get("state") == "baking")
            with Load(port_of(made), rate=20):
                until(lambda: is_over(made, 1))
            assert row(made, 1)["state"] == "done"
        with Load(port_of(made), rate=20) as load:
            for first in range(0, EDGES, KILLS):
                with launched(made):
                    killed += _deployed_with_kills(made, load, sorted(edges[first : first + KILLS]))
                if time_is_up():
                    break
        print(f"seed {seed}: (edges taken, step that the agent was killed in) {sorted(killed)}; {load.counts}")
        assert (load.counts.failed, load.counts.reset) == (0, 0)
    finally:
        made.stop_everything()
        stop_services(made)


def _deployed_with_kills(made: Workspace, load: Load, edges: list[int]) -> list[tuple[int, str]]:
    """A release more, whose agent is killed whenever it has taken so many edges; each with the step that was in hand."""
    number = len(rows(made)) + 1
    newer = commit(made, {"app/new.txt": f"{edges}\n"}, f"Change before {edges}")
    command = [sys.executable, "-m", "callboard", "deploy", "--commit", newer]
    with subprocess.Popen(command, cwd=made.path, stdout=subprocess.DEVNULL) as giving:
        killed = _kill_agents(made, f"d-{number}", edges, giving)
    until(lambda: is_over(made, number), every_s=0.5)
    found = row(made, number)
    assert found["state"] == "done", (killed, found["reason"])
    assert [one.id for one in live(made)] == [found["release"]], killed
    load.wait_for(2, str(found["release"]))
    return killed


def _kill_agents(
    made: Workspace, deployment: str, edges: list[int], giving: subprocess.Popen[bytes]
) -> list[tuple[int, str]]:
    opened, killed = Opened.open(made.path, os.environ), list[tuple[int, str]]()
    agent = _agent(made)

    async def met(edge: int) -> str:
        """Kill it at once when the deployment has taken so many edges."""
        async with open_bus(opened, runs(opened.repository)[-1]) as bus:
            while True:
                doc = (await bus.board()).get(deployment_field(deployment), DeploymentDoc)
                if len(doc.history) >= edge:
                    agent.kill()
                    return doc.step or doc.state
                assert not doc.is_over, doc.reason
                assert giving.poll() in (None, 0), "nothing is deployed"
                await asyncio.sleep(0.01)

    for edge in edges:
        killed.append((edge, asyncio.run(met(edge))))
        agent.wait(HANG_S)
        agent = _agent(made)
    return killed


def _agent(made: Workspace) -> psutil.Process:
    """The deployment agent's process, once there is one."""
    until(lambda: made.process("deployment") is not None)
    found = made.process("deployment")
    assert found is not None
    return found
