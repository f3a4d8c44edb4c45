"""`callboard init`: makes a repository a workspace; touches nothing that is there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from callboard.bus.errors import ConfigError, RosterError, WorkspaceError
from callboard.cli.options import Json
from callboard.cli.output import print_json, say

if TYPE_CHECKING:
    from callboard.agents.workspace.git import Repository
    from callboard.cli.init_plan import Found, Guess, Plan

_ROLE_FILES = frozenset({"manager.md", "driver.md", "reviewer.md"})
_MAKE_TEST = re.compile(r"^test\s*:", re.MULTILINE)
_NPM_TEST = re.compile(r'"scripts"\s*:\s*\{[^}]*"test"\s*:')


Commands = Annotated[
    bool, typer.Option("--commands", help="Give every agent an empty `command`, whatever keys and agent CLIs are here.")
]


Ci = Annotated[
    Literal["github"] | None, typer.Option("--ci", help="Also write workflows that run lint, tests and the gate there.")
]


def init(commands: Commands = False, ci: Ci = None, json: Json = False) -> None:
    """Make this repository a workspace.

    Writes callboard.toml, with a roster that thinks with the keys and agent CLIs that are here, and a direction file for
    each driver; nothing that exists is touched.
    """
    from callboard.agents.workspace.git import Repository
    from callboard.agents.workspace.git_runner import GitPlace, run_git
    from callboard.agents.workspace.preflight import git_problems
    from callboard.cli.init_plan import make_plan

    here = Path.cwd()
    if problems := git_problems(here):
        raise RosterError(problems[0].replace("try again", "run `callboard init` again"))
    root = Path(run_git(GitPlace(here), ("rev-parse", "--show-toplevel")).text)
    if ci:
        refuse_workflows(root)
    found = look(root, Repository(root), os.environ)
    plan = make_plan(replace(found, keys=frozenset(), clis=(), wants_commands=True) if commands else found)
    write(root, plan)
    plan = add_workflows(root, plan) if ci else plan
    if json:
        print_json(
            {
                "root": str(root),
                "written": list(plan.files),
                "kept": plan.kept,
                "notes": plan.notes,
                "next": plan.next_steps,
            }
        )
    else:
        _tell(root, plan)


def refuse_workflows(root: Path) -> None:
    """Before anything is written.

    Raises:
        WorkspaceError: One of them is there: what a person wrote is not ours to change.
    """
    from callboard.cli.init_ci import CI, PROMOTION

    if there := [path for path in (CI, PROMOTION) if (root / path).exists() or (root / path).is_symlink()]:
        raise WorkspaceError(
            f"not overwritten, since it is there already: {', '.join(there)}; move it away, run `callboard init --ci github` "
            "again, and put together what you need of both"
        )


def add_workflows(root: Path, plan: Plan) -> Plan:
    """Write them as callboard.toml, which is there by now, says; the plan with them in it."""
    from callboard.cli.init_ci import facts, guess_lint, next_steps, workflows
    from callboard.settings import FILE, load_settings

    found = facts(load_settings(root / FILE, {}), guess_lint(root))
    added = replace(plan, files=workflows(found), next_steps=(*plan.next_steps, *next_steps(found)))
    write(root, added)
    return replace(added, files={**plan.files, **added.files})


def _tell(root: Path, plan: Plan) -> None:
    for path in plan.files:
        say(f"wrote {path}")
    for path in plan.kept:
        say(f"kept  {path}, which was there")
    for note in plan.notes:
        say(f"note: {note}")
    say(f"\n{root} is a workspace. What to do next:")
    for number, step in enumerate(plan.next_steps, start=1):
        say(f"{number}. {step}")


def look(root: Path, repository: Repository, environ: Mapping[str, str]) -> Found:
    """What is there that a plan has to know."""
    from callboard.cli.doctor_clis import usable
    from callboard.cli.init_brains import KNOWN, UsableCli
    from callboard.cli.init_plan import FOLDERS, Found
    from callboard.settings import FILE, load_settings

    settings = load_settings(root / FILE, {}) if (root / FILE).exists() else None
    folder = settings.paths.directions if settings else "directions"
    spare = {path.name for path in root.glob("callboard-*")}
    branches = [ref.removeprefix("refs/heads/") for ref in repository.refs("refs/heads")]
    checked_out = {folder: name for name, folder in repository.checked_out().items()}
    return Found(
        files=frozenset(path.relative_to(root).as_posix() for path in (*root.glob("*"), *(root / folder).glob("*.md"))),
        taken=frozenset({kind for kind in FOLDERS if is_something_else(root / kind, kind)} | spare),
        branches=tuple(branches),
        current=checked_out.get(root, ""),
        owner=environ.get("USER") or "the team",
        today=datetime.now(UTC).date(),
        guess=guess_commands(root),
        keys=frozenset(known.key for known in KNOWN if environ.get(known.key)),
        clis=tuple(UsableCli(*found) for found in usable(environ)),
        servers=_servers(root),
        settings=settings,
    )


def _servers(root: Path) -> tuple[str, ...]:
    """What `.mcp.json` names, as far as it can be read."""
    from callboard.agents.brains.mcp.entries import REPOSITORY_FILE, read_names

    with suppress(ConfigError):
        return read_names(root / REPOSITORY_FILE)
    return ()


def is_something_else(folder: Path, kind: str) -> bool:
    """Whether a path is used for what Callboard would not put there.

    Args:
        kind: directions, feedback or roles.
    """
    if not folder.is_dir():
        return folder.exists() or folder.is_symlink()
    return not all(path.name == "README.md" or _is_ours(path, kind) for path in folder.iterdir())


def _is_ours(path: Path, kind: str) -> bool:
    if kind == "feedback" and path.name == "archive":
        return path.is_dir()
    if path.suffix != ".md" or not path.is_file():
        return False
    if kind == "roles":
        return path.name in _ROLE_FILES
    with path.open(encoding="utf-8", errors="replace") as file:
        first = file.readline()
    return first.startswith("# Feedback log of ") if kind == "feedback" else first.strip() == "---"


def guess_commands(root: Path) -> Guess:
    """Setup and gate from the files that name a project's tools, the project's own word first."""
    from callboard.cli.init_plan import Guess

    def text(name: str) -> str:
        path = root / name
        return path.read_text("utf-8", "replace") if path.is_file() else ""

    if _MAKE_TEST.search(text("Makefile")):
        return Guess(gate=("make test",), because="Makefile")
    if _NPM_TEST.search(text("package.json")):
        locked = ("npm ci",) if (root / "package-lock.json").is_file() else ()
        inputs = ("package.json", "package-lock.json") if locked else ()
        return Guess(locked, inputs, ("npm test",), "package.json")
    if text("uv.lock") and "pytest" in text("pyproject.toml"):
        return Guess(("uv sync --locked",), ("pyproject.toml", "uv.lock"), ("uv run --locked pytest -q",), "uv.lock")
    for name, gate in (("Cargo.toml", "cargo test"), ("go.mod", "go test ./...")):
        if text(name):
            return Guess(gate=(gate,), because=name)
    for name in ("pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini"):
        if "pytest" in text(name):
            return Guess(gate=("python -m pytest -q",), because=name)
    return Guess()


def write(root: Path, plan: Plan) -> None:
    """Write what is not there; a file that appeared meanwhile stays as it is.

    Raises:
        WorkspaceError: A path leads out of the repository.
    """
    for path, text in plan.files.items():
        target = root / path
        if not target.parent.resolve().is_relative_to(root.resolve()):
            raise WorkspaceError(
                f"{path} leads out of the repository; move the link away and run `callboard init` again"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
