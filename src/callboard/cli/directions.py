"""Commands about direction files."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callboard.bus.errors import ConfigError
from callboard.cli.options import Json
from callboard.cli.output import note, plural, print_json, say

if TYPE_CHECKING:
    from callboard.directions.document import Direction
    from callboard.directions.report import CheckReport, FileReport, Unreadable
    from callboard.settings import Settings

directions = typer.Typer(
    no_args_is_help=True, help="What people want done: the files that agents take their tasks from."
)


@directions.callback()
def _group() -> None:
    """What people want done: the files that agents take their tasks from."""


@directions.command()
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE...", help="Default: all of the workspace.")
    ] = None,
    json: Json = False,
) -> None:
    """Show how direction files are understood, and what a person should look at. Exit code 1: one could not be read."""
    from callboard.directions.report import make_report

    settings = _settings(needed=not files)
    paths = list(files) if files else _all_files(settings)
    report = make_report(
        [_read(path) for path in paths],
        today=datetime.now(UTC).date(),
        agents=[agent.name for agent in settings.agents] if settings else None,
        others=_others(settings, paths),
        tools=settings.tool_names() if settings else None,
    )
    if json:
        print_json(report)
    else:
        _show(report)
    raise typer.Exit(report.exit_code)


def _settings(*, needed: bool) -> Settings | None:
    """Those of the workspace around here. Files can be checked without them, then nobody is missing from the roster."""
    from callboard.settings import FILE, load_settings

    root = _top(Path.cwd(), FILE)
    if not needed and not (root / FILE).is_file():
        return None
    try:
        return load_settings(Path(os.path.relpath(root / FILE)), os.environ)
    except ConfigError as error:
        if needed:
            raise
        note(f"checked without the roster: {error}")
        return None


def _top(here: Path, file: str) -> Path:
    """The nearest folder with the file, no further up than the repository's top; else here."""
    for folder in (here, *here.parents):
        if (folder / file).is_file():
            return folder
        if (folder / ".git").exists():
            break
    return here


def _all_files(settings: Settings | None) -> list[Path]:
    if settings is None:
        return []
    folder = Path(os.path.relpath(settings.root / settings.paths.directions))
    found = sorted(path for path in folder.glob("*.md") if path.stem.lower() != "readme")
    if not found:
        raise ConfigError("has no direction file; write <agent>.md there, or name a FILE", path=str(folder))
    return found


def _others(settings: Settings | None, paths: list[Path]) -> list[Direction]:
    """The workspace's other files, as far as they can be read."""
    from callboard.directions.document import Direction

    if settings is None:
        return []
    folder, checked = settings.root / settings.paths.directions, {path.stem for path in paths}
    found = (_read(folder / f"{agent.name}.md") for agent in settings.agents if agent.name not in checked)
    return [file for file in found if isinstance(file, Direction)]


def _read(path: Path) -> Direction | Unreadable:
    from callboard.directions.parse import read_direction
    from callboard.directions.report import Unreadable

    try:
        return read_direction(path)
    except ConfigError as error:
        return Unreadable(path=str(path), reason=str(error).removeprefix(f"{path}: "))


def _show(report: CheckReport) -> None:
    for file in report.files:
        for problem in file.problems:
            say(f"{file.path}:{problem.line}: {problem.message}" if problem.line else f"{file.path}: {problem.message}")
        if file.readable:
            say(f"{file.path}: {_summary(file)}")


def _summary(file: FileReport) -> str:
    tasks = plural(len(file.tasks), "task")
    blocked = sum(task.state == "blocked" for task in file.tasks)
    standing = sum(task.standing for task in file.tasks)
    beside = [f"{count} {word}" for count, word in ((blocked, "blocked"), (standing, "standing")) if count]
    about = f" ({', '.join(beside)})" if beside else ""
    return f"{tasks}{about}, {plural(len(file.rules), 'rule')}, {plural(len(file.problems), 'problem')}"
