"""The six inputs of a deployment, each left out of a real repository in turn: it is named, and nothing is started."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from deploy_steps import SETTINGS, World, a_world
from roster import run_git

from callboard.agents.deployment.settings import EnvironmentSettings, TestSettings
from callboard.agents.workspace.git import Repository

FILES = {"docs/what.md": "- it answers\n", "docs/back.md": "`callboard rollback`\n", "deploy/Dockerfile": "FROM x\n"}
ALL = SETTINGS.model_copy(
    update={
        "requirements": ("docs/what.md",),
        "rollback_plan": "docs/back.md",
        "infrastructure": ("deploy/**",),
        "environments": {"staging": EnvironmentSettings(port=8081, secrets=("TOKEN",))},
    }
)


def committed(folder: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    run_git(folder, "add", "--all")
    run_git(folder, "commit", "--quiet", "--allow-empty", "--message=Change")
    return run_git(folder, "rev-parse", "HEAD")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "repository"
    made.mkdir()
    run_git(made, "init", "--quiet", "--initial-branch=main")
    return made


@pytest.fixture
def world(tmp_path: Path, folder: Path) -> World:
    """What has landed is whatever is on main."""
    made = a_world(tmp_path)
    repository = Repository(folder)

    def landed() -> tuple[str, ...]:
        return tuple(filter(None, [repository.resolve("main")]))

    environ = {"TOKEN": "sesame"}
    made.site = replace(made.site, settings=ALL, repository=repository, landed=landed, environ=environ)
    return made


def said(world: World, commit: str) -> str:
    """What the first step says of a commit; "" = it goes on."""
    found = world.do("inputs", commit=commit)
    assert found.outcome == ("failed" if found.reason else "passed")
    assert world.target.calls == []
    return found.reason


def test_with_all_six_it_goes_on_and_what_has_not_landed_is_no_code(world: World, folder: Path) -> None:
    landed = committed(folder, FILES)
    assert said(world, landed) == ""
    run_git(folder, "checkout", "--quiet", "-b", "aside")
    aside = committed(folder, {"app": "x\n"})
    assert said(world, aside).startswith(f"code: {aside[:12]} has not landed")
    assert said(world, "c" * 40).startswith("code: cccccccccccc has not landed")
    run_git(folder, "checkout", "--quiet", "main")
    committed(folder, {"app": "y\n"})
    assert said(world, landed) == "", "what landed before the last landing has landed, too"


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        ("docs/what.md", "requirements: docs/what.md is not in"),
        ("docs/back.md", "rollback plan: docs/back.md is not in"),
        ("deploy/Dockerfile", "infrastructure: deploy/** names no file of"),
    ],
)
def test_a_file_that_the_commit_does_not_hold_is_named_also_where_the_checkout_holds_it(
    world: World, folder: Path, gone: str, sentence: str
) -> None:
    commit = committed(folder, {name: text for name, text in FILES.items() if name != gone})
    (folder / gone).parent.mkdir(exist_ok=True)
    (folder / gone).write_text("not committed\n")
    assert said(world, commit).startswith(sentence)


def test_an_empty_plan_no_tests_and_a_secret_without_a_value_are_named(world: World, folder: Path) -> None:
    commit = committed(folder, FILES)
    world.site = replace(world.site, environ={"TOKEN": ""})
    assert said(world, commit).startswith("configuration: no value for TOKEN of staging; set it in the environment")
    world.site = replace(world.site, environ={"TOKEN": "x"}, settings=ALL.model_copy(update={"tests": TestSettings()}))
    assert said(world, commit).startswith("tests: none are named")
    world.site = replace(world.site, settings=ALL)
    assert said(world, committed(folder, {"docs/back.md": " \n"})).startswith("rollback plan: docs/back.md is empty")
