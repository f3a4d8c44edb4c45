"""`callboard gate`: the gate, run by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from callboard.bus.errors import ConfigError
from callboard.cli.exit_codes import FAILED
from callboard.cli.options import Json
from callboard.cli.output import note, print_json, say
from callboard.cli.session import open_workspace, wait_for

if TYPE_CHECKING:
    from callboard.bus.hand_messages import GateFinished
    from callboard.bus.task import CommandResult
    from callboard.launch.gating import Subject

INFRASTRUCTURE = 2
"""Exit code of a gate that came to no verdict."""


@dataclass(frozen=True, slots=True)
class CommandRow:
    command: str
    exit_code: int
    duration_s: float
    flaky: bool
    """It failed and passed on the same tree."""
    tail: str
    """The last 2,000 characters of its output."""


@dataclass(frozen=True, slots=True)
class GateRow:
    """What `--json` prints."""

    subject: str
    """The task, or the branch."""
    profile: str
    verdict: str
    """green, red or infrastructure."""
    commit: str | None
    """null = the task changed nothing, so its checks ran on what it was given."""
    tree: str
    gate_hash: str
    reason: str
    flaky: bool
    commands: tuple[CommandRow, ...]


def gate(
    task: Annotated[str, typer.Argument(metavar="[TASK]", help="Its last work, with its checks; else --head.")] = "",
    head: Annotated[
        bool, typer.Option("--head", help="What has landed by now; in a clone that knows no run, what is checked out.")
    ] = False,
    profile: Annotated[
        Literal["normal", "strict"] | None,
        typer.Option(help=r"strict adds \[project] gate_strict; else as the task's category has it."),
    ] = None,
    json: Json = False,
) -> None:
    """Run the gate by hand, as the manager would.

    On a task's last work, or on the head of the integration branch; in the sandbox, also without a roster.
    Exit code 0: green; 1: red; 2: it could not be run, which says nothing about the tree.
    """
    from callboard.launch.gating import run_gate

    if task and head:
        raise ConfigError("a task and --head are two things to judge; name one", key="TASK")
    workspace = open_workspace()
    if not workspace.settings.project.gate:
        raise ConfigError('no gate: give project.gate a command, such as gate = ["pytest -q"]', key="project.gate")
    subject, chosen, found = wait_for(run_gate(workspace, task, profile, _progress))
    if json:
        print_json(row(subject, chosen, found))
    else:
        _tell(subject, chosen, found)
    raise typer.Exit(exit_code(found))


def exit_code(found: GateFinished) -> int:
    return {"green": 0, "red": FAILED}.get(found.verdict, INFRASTRUCTURE)


def row(subject: Subject, profile: str, found: GateFinished) -> GateRow:
    return GateRow(
        subject=subject.name,
        profile=profile,
        verdict=found.verdict,
        commit=subject.commit,
        tree=found.tree,
        gate_hash=found.gate_hash,
        reason=found.reason,
        flaky=found.flaky,
        commands=tuple(
            CommandRow(
                command=one.command,
                exit_code=one.exit_code,
                duration_s=one.duration_s,
                flaky=one.flaky,
                tail=one.tail,
            )
            for one in found.commands
        ),
    )


def _progress(command: str, result: CommandResult | None) -> None:
    note(f"{command} ..." if result is None else f"{command} -> {result.exit_code} in {result.duration_s:.1f} s")


def _tell(subject: Subject, profile: str, found: GateFinished) -> None:
    if found.verdict == "red" and found.commands:
        say(found.commands[-1].tail.rstrip())
    at = (subject.commit or subject.base)[:12]
    flaky = ", but it failed first on the same tree" if found.flaky else ""
    said = {"green": f"green{flaky}", "red": "red"}.get(found.verdict, f"no verdict: {found.reason}")
    say(f"{subject.name} at {at}, profile {profile}: {said}")
