"""`callboard plan`: tasks that the manager's model proposes, and a person reads before any agent does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callboard.bus.errors import ConfigError
from callboard.cli.options import Json
from callboard.cli.output import note, plural, print_json, say
from callboard.cli.session import open_workspace

if TYPE_CHECKING:
    from callboard.app import Workspace
    from callboard.launch.plans import Plan


def plan(
    goal: Annotated[str, typer.Argument(metavar="GOAL", help="What is to be reached, in words.")] = "",
    expand: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draft tasks for the roadmap of this direction file instead."),
    ] = None,
    category: Annotated[str, typer.Option(help="With --expand: this category alone.")] = "",
    count: Annotated[
        int | None,
        typer.Option(help="With --expand: tasks that each category has afterwards; its lowest number otherwise."),
    ] = None,
    show: Annotated[str, typer.Option(metavar="PLAN", help="Print what a plan would change.")] = "",
    apply: Annotated[str, typer.Option(metavar="PLAN", help="Write a plan into the direction files.")] = "",
    json: Json = False,
) -> None:
    """Let the manager's model draft tasks for the roster. Nothing is worked on before a person applies the plan.

    Without anything: the plans that were made here.
    """
    wanted = [bool(it) for it in (goal, expand, show, apply)]
    if sum(wanted) > 1 or ((category or count is not None) and expand is None):
        raise ConfigError("give one of GOAL, --expand, --show and --apply; --category and --count go with --expand")
    workspace = open_workspace()
    if show:
        _show(workspace, _find(workspace, show), json=json)
    elif apply:
        _apply(workspace, _find(workspace, apply), json=json)
    elif any(wanted):
        _show(workspace, _make(workspace, goal, expand, category, count), json=json)
    else:
        _list(workspace, json=json)


def _find(workspace: Workspace, name: str) -> Plan:
    from callboard.launch.planning import plans

    return plans(workspace).find(name)


def _make(workspace: Workspace, goal: str, expand: Path | None, category: str, count: int | None) -> Plan:
    from callboard.launch.planning import Expansion, plan_goal, plan_roadmap

    if expand is None:
        return asyncio.run(plan_goal(workspace, goal, note))
    return asyncio.run(plan_roadmap(workspace, Expansion(expand, category, count), note))


def _show(workspace: Workspace, found: Plan, *, json: bool) -> None:
    from callboard.launch.planning import files_after
    from callboard.launch.plans import diff

    text = "" if found.state == "applied" else diff(*files_after(workspace, found))
    if json:
        print_json({**found.model_dump(mode="json"), "diff": text})
        return
    say(text.rstrip() or f"{found.name} is in the direction files already")
    for notes in dict.fromkeys(drafts.notes for drafts in found.proposed if drafts.notes):
        note(notes)
    note(f"{found.name}: {plural(len(found.tasks), 'task')} for {found.about!r}; {spent_text(found)}")
    if found.state == "proposed":
        note(f"nothing is changed yet: `callboard plan --apply {found.name}` writes it into the direction files")


def spent_text(found: Plan) -> str:
    from callboard.bus.caps import in_usd

    usd = "price unknown" if found.spent.unpriced else f"{float(in_usd(found.spent.micro_usd)):.2f} USD"
    most = sum(call.tokens for call in found.held.values())
    open_ = f", and at most {most:,} tokens for {plural(len(found.held), 'call')} broken off by a kill" if most else ""
    return f"{found.spent.tokens:,} tokens, {usd}{open_}"


def _apply(workspace: Workspace, found: Plan, *, json: bool) -> None:
    from callboard.launch.planning import apply

    changed = apply(workspace, found)
    if json:
        print_json({"plan": found.name, "files": changed, "tasks": len(found.tasks)})
        return
    say(f"{plural(len(found.tasks), 'task')} written into {', '.join(changed)}")
    note("`callboard directions check` says how they are understood; a roster that runs takes them up now")


def _list(workspace: Workspace, *, json: bool) -> None:
    from callboard.launch.planning import plans

    known = plans(workspace).all()
    if json:
        print_json(
            {"plans": [it.model_dump(mode="json", exclude={"proposed"}) | {"tasks": len(it.tasks)} for it in known]}
        )
        return
    for it in known:
        say(f"{it.name}  {it.at:%Y-%m-%d}  {it.state}  {plural(len(it.tasks), 'task')}  {it.about[:80]}")
    if not known:
        say('no plan was made here; `callboard plan "GOAL"` drafts one')
