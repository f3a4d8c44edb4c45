"""`callboard deploy lock`, `unlock` and `stop`: keeping others from an environment, and its end."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from callboard.cli.options import Env, Json
from callboard.cli.output import print_json, say
from callboard.cli.person import As, who
from callboard.cli.session import open_workspace

if TYPE_CHECKING:
    from pydantic import JsonValue


def lock(
    reason: Annotated[str, typer.Option(metavar="WHY", help="Why nobody is to deploy there.")],
    env: Env = "",
    by: As = "",
    json: Json = False,
) -> None:
    """Keep everybody from deploying to an environment.

    It stands over runs, until you unlock it.
    """
    from callboard.deploying import Deploying

    workspace = open_workspace()
    deploying = Deploying(workspace)
    environment = env or deploying.settings.first
    history = deploying.history(environment)
    was = history.read().hold
    hold = history.lock(who(workspace, by), reason)
    told = f"{environment} is {hold} already; unlock it to give another reason" if was else f"{environment} is {hold}"
    facts: dict[str, JsonValue] = {
        "environment": environment,
        "locked": hold.model_dump(mode="json"),
        "was_locked": was is not None,
    }
    _said(facts, told, json)


def unlock(
    env: Env = "",
    breaks: Annotated[bool, typer.Option("--break", help="Somebody else's lock; this is written down.")] = False,
    reason: Annotated[str, typer.Option(metavar="WHY", help="Why it is broken.")] = "",
    by: As = "",
    json: Json = False,
) -> None:
    """Let others deploy to an environment again: your own lock, or with --break somebody else's."""
    from callboard.deploying import Deploying

    workspace = open_workspace()
    deploying = Deploying(workspace)
    environment = env or deploying.settings.first
    was = deploying.history(environment).unlock(who(workspace, by), breaks=breaks, why=reason)
    told = f"{environment} was {was}; it is open again" if was else f"{environment} was not locked"
    _said({"environment": environment, "was": was.model_dump(mode="json") if was else None}, told, json)


def stop(
    env: Env = "",
    reason: Annotated[str, typer.Option(metavar="WHY", help="Why; it stands in the audit.")] = "",
    by: As = "",
    json: Json = False,
) -> None:
    """End what is deployed to an environment: its releases and its switch.

    New requests are turned away, those in flight may end. Refused while a deployment works there, or somebody holds
    the lock. `callboard rollback` brings the last release back, `callboard deploy` what landed last.
    """
    from callboard.cli.deploy_stop import stop_environment

    workspace = open_workspace()
    environment, stopped = stop_environment(workspace, env, who(workspace, by), reason)
    ended = "; ".join(
        f"{one.release}, commit {one.commit[:12]}, is ended"
        + (" and had no requests left" if one.drained else " and may have had requests left")
        for one in stopped
    )
    told = f"{environment}: {ended or 'nothing ran there'}" + (", and so is the switch" if stopped else "")
    facts: dict[str, JsonValue] = {"environment": environment, "stopped": [asdict(one) for one in stopped]}
    _said(facts, told, json)


def _said(facts: JsonValue, text: str, json: bool) -> None:
    if json:
        print_json(facts)
    else:
        say(text)
