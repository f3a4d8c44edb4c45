"""Each of the six inputs, left out in turn, is named with the way out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from callboard.agents.deployment.inputs import Given, missing
from callboard.agents.deployment.settings import DeploySettings, EnvironmentSettings, TestSettings

SETTINGS = DeploySettings(
    start="serve",
    requirements=("docs/what.md",),
    infrastructure=("deploy/**",),
    rollback_plan="docs/back.md",
    tests=TestSettings(unit=("pytest",)),
    environments={"staging": EnvironmentSettings(secrets=("TOKEN",))},
)
GIVEN = Given(
    commit="c" * 40,
    is_landed=True,
    files={"docs/what.md": 10, "docs/back.md": 10, "deploy/Dockerfile": 1},
    secrets=frozenset({"TOKEN"}),
)


def without(path: str) -> Given:
    return replace(GIVEN, files={name: size for name, size in GIVEN.files.items() if name != path})


def test_with_all_six_nothing_is_missing() -> None:
    assert missing(SETTINGS, "staging", GIVEN) == ()


@pytest.mark.parametrize(
    ("settings", "given", "said"),
    [
        ({}, replace(GIVEN, is_landed=False), "code: cccccccccccc has not landed"),
        ({"requirements": ()}, GIVEN, "requirements: no file is named"),
        ({}, without("docs/what.md"), "requirements: docs/what.md is not in cccccccccccc"),
        ({}, replace(GIVEN, files={**GIVEN.files, "docs/what.md": 0}), "requirements: docs/what.md is empty"),
        ({"tests": TestSettings()}, GIVEN, "tests: none are named"),
        ({"start": ""}, GIVEN, "configuration: nothing says how the service is started"),
        ({}, replace(GIVEN, secrets=frozenset()), "configuration: no value for TOKEN of staging"),
        ({"infrastructure": ()}, GIVEN, "infrastructure: no file is named"),
        ({}, without("deploy/Dockerfile"), "infrastructure: deploy/** names no file"),
        ({"rollback_plan": ""}, GIVEN, "rollback plan: no file is named"),
        ({}, without("docs/back.md"), "rollback plan: docs/back.md is not in"),
    ],
)
def test_what_is_left_out_is_named_alone(settings: dict[str, object], given: Given, said: str) -> None:
    [found] = missing(SETTINGS.model_copy(update=settings), "staging", given)
    assert found.startswith(said)


def test_everything_that_is_missing_is_named_at_once() -> None:
    nothing = Given(commit="", is_landed=False, files={}, secrets=frozenset())
    found = missing(DeploySettings(), "production", nothing)
    assert [one.partition(":")[0] for one in found] == [
        "code",
        "requirements",
        "tests",
        "configuration",
        "infrastructure",
        "rollback plan",
    ]


def test_a_secret_with_one_of_callboards_own_names_is_refused_with_the_way_out() -> None:
    with pytest.raises(ValidationError, match="CALLBOARD_URL is one of Callboard's own names; give the secret another"):
        EnvironmentSettings(secrets=("TOKEN", "CALLBOARD_URL"))
