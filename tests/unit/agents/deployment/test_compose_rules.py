"""What compose files may say, by what Docker Compose 2.40.3 resolved real ones to (tests/support/compose_resolved.json)."""

from __future__ import annotations

import json
import posixpath
from pathlib import Path
from typing import Any

import pytest

from callboard.agents.deployment.compose_file import deployable, misplaced_secrets, read_model, stand_ins, switched
from callboard.agents.deployment.compose_rules import Scope, env_file_findings, findings
from callboard.bus.errors import DeployFailed

RESOLVED: dict[str, Any] = json.loads((Path(__file__).parents[3] / "support/compose_resolved.json").read_text())


def is_inside(path: str) -> bool:
    return posixpath.normpath(path).startswith("/checkout/") or path == "/checkout"


SCOPE = Scope("shop-a", "web", 8000, is_inside, frozenset({"DATABASE_URL"}))


@pytest.mark.parametrize("name", RESOLVED)
def test_what_reaches_past_its_containers_is_found_and_nothing_else(name: str) -> None:
    case = RESOLVED[name]
    found = (*env_file_findings(case["raw"], SCOPE), *findings(case["model"], SCOPE))
    assert sorted(map(str, found)) == case["refused"]


def test_most_of_them_are_refused() -> None:
    refused = sum(bool(case["refused"]) for case in RESOLVED.values())
    assert (len(RESOLVED) - refused, refused) == (2, 53)


def test_a_key_that_nobody_knows_is_refused_wherever_it_stands() -> None:
    model = {"services": {"web": {"image": "a", "teleport": {"to": "host"}}}, "portals": {"p": {}}, "x-mine": 1}
    assert [str(one) for one in findings(model, SCOPE)] == ['web.teleport={"to":"host"}', 'portals={"p":{}}']


def made(model: dict[str, Any], port: int = 8000) -> dict[str, Any]:
    at = switched(model, "web", port)
    variables = {"CALLBOARD_RELEASE": "r-2", "DATABASE_URL": "", "URL": "a$b"}
    text = deployable(
        model, at, host_port=20001, release="r-2", images="shop", variables=variables, secrets=("DATABASE_URL",)
    )
    return dict(read_model(text))


def test_what_runs_is_the_slots_port_the_releases_images_and_names_of_secrets() -> None:
    plain = made(RESOLVED["plain"]["model"])
    web, db = plain["services"]["web"], plain["services"]["db"]
    assert [(one.get("host_ip"), one["target"], one["published"]) for one in web["ports"]] == [
        ("127.0.0.1", 8000, "20001")
    ]
    assert (web["image"], web["pull_policy"]) == ("shop-web:r-2", "never")
    assert (db["image"], "pull_policy" in db, "container_name" in db) == ("postgres:16", False, False)
    assert web["environment"] == {
        "A": "1",
        "CALLBOARD_RELEASE": "r-2",
        "DATABASE_URL": "${DATABASE_URL}",
        "URL": "a$$b",
    }
    assert web["labels"] == {"callboard.release": "r-2", "callboard.switched": "yes"}
    assert db["labels"] == {"callboard.release": "r-2"}
    assert "x-note" not in plain


def test_a_secret_stands_in_an_environment_and_nowhere_else() -> None:
    stand_in = stand_ins(["TOKEN"])["TOKEN"]
    fine = {"services": {"web": {"environment": {"URL": f"db://{stand_in}@x"}}}}
    assert misplaced_secrets(fine, ["TOKEN"]) == ()
    for wrong in (
        {"command": [f"--token={stand_in}"]},
        {"build": {"args": {"T": stand_in}}},
        {"labels": {stand_in: ""}},
    ):
        assert misplaced_secrets({"services": {"web": wrong}}, ["TOKEN", "OTHER"]) == ("TOKEN",)
    assert misplaced_secrets({**fine, "configs": {"c": {"content": stand_in}}}, ["TOKEN"]) == ("TOKEN",)


def test_which_service_answers_has_to_be_clear() -> None:
    two = {"services": {"web": {"ports": [{"target": 80}, {"target": 90}]}, "db": {}}}
    with pytest.raises(DeployFailed, match=r"has web, db: set `service` in \[deploy.compose\]"):
        switched(two, "", 0)
    with pytest.raises(DeployFailed, match="has web, db"):
        switched(two, "wbe", 0)
    with pytest.raises(DeployFailed, match=r"service web publishes 2 ports: set `port`"):
        switched(two, "web", 0)
    assert switched(two, "web", 90).port == 90
    with pytest.raises(DeployFailed, match="printed no services: oh"):
        read_model("oh")
