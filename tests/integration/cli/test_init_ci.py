"""The workflows that `callboard init --ci github` writes: read as GitHub reads them, and their look at a branch done for real."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from workshop import NOON, git, write

from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.history import BranchHistory
from callboard.bus.errors import WorkspaceError
from callboard.bus.messages import JOURNAL, Draft, RunSummed
from callboard.cli.init import add_workflows, refuse_workflows
from callboard.cli.init_ci import CI, PROMOTION, SUMMARIES, Facts, guess_lint, next_steps, workflows
from callboard.cli.init_plan import Plan
from callboard.feedback.document import document_of
from callboard.settings import FILE, default_toml

FACTS = Facts("main", "callboard/{run}", ("uv sync --locked",), ("make lint",), ('pytest -q -k "a: b"', "make more"))
Workflow = dict[Any, Any]


def read(text: str) -> Workflow:
    return cast(Workflow, yaml.safe_load(text))


def commands(workflow: Workflow, job: str) -> list[str]:
    return [step["run"] for step in workflow["jobs"][job]["steps"] if "run" in step]


@pytest.fixture(scope="module")
def written() -> dict[str, Workflow]:
    return {path: read(text) for path, text in workflows(FACTS).items()}


def test_github_can_read_both(tmp_path: Path) -> None:
    for found in (
        FACTS,
        replace(FACTS, target="release/1.x", integration="bots/{run}/head", setup=(), lint=(), test=()),
    ):
        write(tmp_path, workflows(found))
    more = {f"more-{Path(path).name}": text for path, text in workflows(FACTS).items()}
    write(tmp_path, more)
    argv = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run(
        [*argv, CI, PROMOTION, *more], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout


def test_everything_is_linted_and_tested_and_the_gate_runs_where_landings_go(written: dict[str, Workflow]) -> None:
    ci = written[CI]
    when = ci[True]  # `on`, which YAML 1.1 takes for a truth value
    assert when["push"]["branches"] == ["main", "callboard/*"]
    assert when["pull_request"]["branches"] == ["main"]
    assert commands(ci, "lint")[-2:] == ["make lint", "callboard directions check"]
    assert commands(ci, "test") == ["uv sync --locked", 'pytest -q -k "a: b"', "make more"]
    for profile in ("normal", "strict"):
        job = ci["jobs"][f"gate-{profile}"]
        assert "startsWith(github.ref, 'refs/heads/callboard/')" in job["if"]
        assert ("contains(github.event.head_commit.message, '[strict]')" in job["if"]) is (profile == "strict")
        assert commands(ci, f"gate-{profile}")[-1] == f"callboard gate --head --profile {profile}"
        assert all(
            "setup-uv" in step.get("uses", "") or "checkout" in step.get("uses", "") for step in job["steps"][:2]
        )


def test_promotion_takes_a_run_and_its_branch_and_may_write_pull_requests_alone(written: dict[str, Workflow]) -> None:
    promotion = written[PROMOTION]
    inputs = promotion[True]["workflow_dispatch"]["inputs"]
    assert {name: each["required"] for name, each in inputs.items()} == {"run_id": True, "integration_branch": True}
    assert promotion["jobs"]["pull-request"]["needs"] == "eligible"
    assert promotion["permissions"] == {"contents": "read"}
    assert promotion["jobs"]["pull-request"]["permissions"] == {"contents": "read", "pull-requests": "write"}


def test_what_somebody_types_in_never_stands_in_a_shell_script(written: dict[str, Workflow]) -> None:
    scripts = [
        step["run"]
        for flow in written.values()
        for job in flow["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]
    assert not [script for script in scripts if "${{" in script]


# --- the look at a branch ---


def summarise(hub: Path, commit: str, path: str, unmet: Sequence[str]) -> None:
    """What the run came to, as the scribe commits it."""
    said = (*(f"not met: {line}" for line in unmet), "met: its summary is written")
    body = RunSummed(state="succeeded", commit=commit, branch="callboard/r1", conditions=said)
    page = document_of(Draft(JOURNAL, body).stamp(id="m", run="r1", sender="manager", now=NOON), body)
    assert page.path == "runs/r1.md"
    BranchHistory(Repository(hub)).commit(SUMMARIES, {path: page.content}, "Sum up", "manager", NOON)


@pytest.fixture
def look(tmp_path: Path, written: dict[str, Workflow]) -> Callable[..., tuple[int, str]]:
    """Does that step in a fresh clone of a repository with a landed run."""
    [step] = [step for step in written[PROMOTION]["jobs"]["eligible"]["steps"] if step.get("id") == "look"]
    hub, clone = tmp_path / "hub", tmp_path / "clone"
    hub.mkdir()
    git(hub, "init", "--quiet", "--initial-branch=main")
    git(hub, "commit", "--quiet", "--allow-empty", "--message", "Begin")
    git(hub, "checkout", "--quiet", "-b", "side")
    git(hub, "commit", "--quiet", "--allow-empty", "--message", "Work")
    git(hub, "checkout", "--quiet", "-b", "late")
    git(hub, "commit", "--quiet", "--allow-empty", "--message", "More work")
    git(hub, "checkout", "--quiet", "-b", "callboard/r1", "main")
    git(hub, "merge", "--quiet", "--no-ff", "--message", "Land", "side")

    def run(
        branch: str = "callboard/r1", *also: str, unmet: Sequence[str] = (), page: str = "runs/r1.md"
    ) -> tuple[int, str]:
        summarise(hub, git(hub, "rev-parse", "callboard/r1"), page, unmet)
        if also:
            git(hub, *also)
        git(tmp_path, "clone", "--quiet", str(hub), str(clone))
        env = {
            **os.environ,
            "TARGET": "main",
            "EXPECTED": "callboard/r1",
            "BRANCH": branch,
            "RUN_ID": "r1",
            "GITHUB_OUTPUT": str(tmp_path / "out"),
        }
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=clone,
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stdout.strip()

    return run


def test_a_branch_of_landings_on_top_of_the_target_is_eligible(
    look: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    assert look() == (0, "")
    head = git(tmp_path / "hub", "rev-parse", "callboard/r1")
    assert (tmp_path / "out").read_text() == f"commit={head}\n"
    assert git(tmp_path / "clone", "rev-parse", "HEAD") == head


@pytest.mark.parametrize(
    ("branch", "also", "why"),
    [
        ("main", (), "main is not the integration branch of that run, which is callboard/r1"),
        ("x; id", (), "x; id is not the integration branch"),
        ("callboard/r1", ("branch", "-m", "callboard/r1", "gone"), "callboard/r1 was not pushed"),
        ("callboard/r1", ("update-ref", "refs/heads/callboard/r1", "main"), "nothing has landed"),
        ("callboard/r1", ("update-ref", "refs/heads/main", "side"), ""),
        (
            "callboard/r1",
            ("commit", "--quiet", "--allow-empty", "--message", "By hand"),
            "callboard/r1 has commits that are no landings",
        ),
        ("callboard/r1", ("branch", "-D", SUMMARIES), "no summary of r1: push manager/log too"),
        (
            "callboard/r1",
            ("merge", "--quiet", "--no-ff", "--message", "Land", "late"),
            "the summary of r1 is of another commit: push both branches",
        ),
    ],
)
def test_a_branch_that_is_not_is_refused_with_the_reason(
    look: Callable[..., tuple[int, str]], branch: str, also: tuple[str, ...], why: str
) -> None:
    code, said = look(branch, *also)
    assert (code, why in said) == (1 if why else 0, True), said
    assert said.startswith("::error::not eligible: ") is bool(why)


def test_what_the_summary_says_is_not_met_is_named_line_by_line(look: Callable[..., tuple[int, str]]) -> None:
    unmet = [
        "every tier is clean: tier main is not clean: T-1 failed; `callboard cancel T-1`",
        "no budget was given up: x",
    ]
    code, said = look(unmet=unmet)
    assert (code, said.splitlines()) == (1, [f"::error::not eligible: {line}" for line in unmet])


def test_the_summary_of_another_run_says_nothing(look: Callable[..., tuple[int, str]]) -> None:
    code, said = look(page="runs/r2.md")
    assert (code, said) == (1, "::error::not eligible: no summary of r1: push manager/log too")


def test_a_target_that_moved_on_is_refused(look: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    git(tmp_path / "hub", "checkout", "--quiet", "main")
    code, said = look("callboard/r1", "commit", "--quiet", "--allow-empty", "--message", "More")
    assert (code, "main has commits that callboard/r1 lacks" in said) == (1, True)


# --- init ---


def test_they_follow_callboard_toml_and_a_person_is_told_what_to_set_up(tmp_path: Path) -> None:
    write(tmp_path, {FILE: default_toml(target="trunk", gate=("make test",)), "pyproject.toml": "[tool.ruff]\n"})
    plan = add_workflows(tmp_path, Plan({}, (), (), ("first",)))
    assert sorted(plan.files) == [CI, PROMOTION]
    ci = read((tmp_path / CI).read_text())
    assert commands(ci, "test") == ["make test"]
    assert "uvx ruff check ." in commands(ci, "lint")
    assert ci[True]["push"]["branches"][0] == "trunk"
    told = "\n".join(plan.next_steps)
    assert plan.next_steps[0] == "first"
    for words in ("CALLBOARD_SOURCE", "create pull requests", "gh workflow run promotion.yml"):
        assert words in told


@pytest.mark.parametrize("path", [CI, PROMOTION])
def test_a_workflow_that_is_there_is_not_overwritten_and_nothing_else_is_written(tmp_path: Path, path: str) -> None:
    write(tmp_path, {path: "mine\n"})
    with pytest.raises(WorkspaceError, match="not overwritten, since it is there already"):
        refuse_workflows(tmp_path)
    assert (tmp_path / path).read_text() == "mine\n"


@pytest.mark.parametrize(
    ("files", "lint"),
    [
        ({"Makefile": "lint: x\n\ttrue\n", "pyproject.toml": "ruff"}, ("make lint",)),
        ({"package.json": '{"scripts": {"lint": "eslint ."}}'}, ("npm run lint",)),
        ({"go.mod": "module x\n"}, ("go vet ./...",)),
        ({"Cargo.toml": "[package]\n"}, ("cargo fmt --check", "cargo clippy --all-targets -- -D warnings")),
        ({"README": "x"}, ()),
    ],
)
def test_what_lints_is_guessed_from_the_files_that_name_it(
    tmp_path: Path, files: dict[str, str], lint: tuple[str, ...]
) -> None:
    write(tmp_path, files)
    assert guess_lint(tmp_path) == lint
    assert any("nothing that lints" in step for step in next_steps(replace(FACTS, lint=lint))) is not bool(lint)
