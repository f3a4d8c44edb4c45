"""`callboard deploy`, `rollback`, `deployments`: what has landed becomes a running service, and goes back."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from callboard.bus.errors import ConfigError, RosterError
from callboard.cli.deploy_environment import lock, stop, unlock
from callboard.cli.exit_codes import FAILED
from callboard.cli.options import Env, Json
from callboard.cli.output import note, print_json, say, show
from callboard.cli.person import As, who
from callboard.cli.session import open_workspace, tell_manager, wait_for

if TYPE_CHECKING:
    from callboard.app import Workspace
    from callboard.bus.deployments import DeploymentDoc
    from callboard.bus.messages import DeploymentCommanded
    from callboard.launch.deployment_rows import Deployments

_SHA = re.compile(r"[0-9a-f]{4,40}")
deploy = typer.Typer(invoke_without_command=True)


@deploy.callback()
def _deploy(
    context: typer.Context,
    env: Env = "",
    commit: Annotated[
        str, typer.Option(metavar="COMMIT", help="A commit that has landed; else what landed last.")
    ] = "",
    by: As = "",
    json: Json = False,
) -> None:
    """Bring what has landed to a running service.

    Where no roster runs, it is launched until the deployment has ended: exit code 0 = done, 1 = rolled back,
    4 = a person has to answer.
    """
    if context.invoked_subcommand is None:
        raise typer.Exit(_give("deploy", env, commit=commit, by=by, json=json))


deploy.command("lock")(lock)
deploy.command("unlock")(unlock)
deploy.command("stop")(stop)


def rollback(
    env: Env = "",
    reason: Annotated[str, typer.Option(metavar="WHY", help="Why; it stands in the logs.")] = "",
    by: As = "",
    json: Json = False,
) -> None:
    """Go back: from the deployment under way, else to the release before the one that serves.

    Where no roster runs, it is launched until that is done. Exit code 1: it did not come to that.
    """
    raise typer.Exit(_give("rollback", env, reason=reason, by=by, json=json))


def deployments(
    id: Annotated[
        str, typer.Argument(metavar="[ID]", help="Only this one: how well it went, and each edge of its way.")
    ] = "",
    json: Json = False,
) -> None:
    """Deployments of the newest run, and what serves in each environment."""
    from callboard.cli.deployment_rows import environment_lines, table

    found = wait_for(_read(open_workspace()))
    if id:
        _show_one(found, id, json=json)
        return
    if json:
        print_json(found)
        return
    if not found.deployments:
        say("nothing was deployed in this run; `callboard deploy` does")
    else:
        show(table(found.deployments))
    for row in found.environments:
        for line in environment_lines(row):
            say(line)


def _show_one(found: Deployments, id: str, *, json: bool) -> None:
    """Raises ConfigError: The newest run has none of that name."""
    from callboard.cli.deployment_view import lines

    row = next((one for one in found.deployments if one.id == id), None)
    if row is None:
        there = ", ".join(one.id for one in found.deployments) or "none"
        raise ConfigError(f"no deployment {id!r} in the newest run; there are: {there}", key="ID")
    if json:
        print_json(row)
        return
    for line in lines(row):
        say(line)


def _give(
    command: Literal["deploy", "rollback"], env: str, *, commit: str = "", reason: str = "", by: str, json: bool
) -> int:
    """Tell the manager; of a stopped roster, write it down and launch until it has ended."""
    from callboard.bus.messages import DeploymentCommanded
    from callboard.cli.deploy_checks import refuse_at_once, without
    from callboard.launch.status import is_running

    workspace = open_workspace()
    wait_for(refuse_at_once(workspace, command, env))
    for sentence in without(workspace, env):
        note(sentence)
    body = DeploymentCommanded(
        command=command,
        environment=env,
        commit=_full(workspace, commit) if commit else "",
        reason=reason,
        by=who(workspace, by),
    )
    if is_running(workspace):
        tell_manager(workspace, body, json=json)
        return 0
    return _launched(workspace, body, json=json)


def _launched(workspace: Workspace, body: DeploymentCommanded, *, json: bool) -> int:
    from callboard.bus.errors import CommandRefused
    from callboard.cli.deployment_rows import item_lines
    from callboard.cli.launching import shown_launch
    from callboard.launch.deployment_rows import checklist_rows
    from callboard.launch.options import LaunchOptions
    from callboard.launch.runs import ensure_run
    from callboard.launch.telling import give

    if problems := workspace.settings.launch_problems():
        raise RosterError("; ".join(problems))
    wait_for(ensure_run(workspace))
    handled = wait_for(give(workspace, body))
    if not handled.ok:
        raise CommandRefused(handled.text)
    note(f"{handled.text}; nothing runs here, so the roster is launched until it has ended")
    code, told = shown_launch(workspace, LaunchOptions(), json=json)
    doc = wait_for(_newest(workspace))
    code = exit_code(body.command, doc, code)
    if json:
        row = {"id": doc.id, "environment": doc.environment, "state": doc.state, "reason": doc.reason, "next": doc.next}
        print_json({"exit_code": code, "deployment": row, **told})
    else:
        say(f"{doc.id} {doc.environment}: {doc.stands}" + (f": {doc.reason}" if doc.reason else ""))
        for line in item_lines(checklist_rows(doc)):
            say(line)
    return code


def exit_code(command: Literal["deploy", "rollback"], doc: DeploymentDoc, launched: int) -> int:
    """What becomes of a command, by how its deployment stands after a launch that ended with `launched`: how the run's tasks
    went says nothing of it."""
    if not doc.is_over:
        from callboard.launch.launcher import PEOPLE

        return launched or PEOPLE
    is_well = doc.state == "done" or (command == "rollback" and doc.kind == "deploy")
    return 0 if is_well else FAILED


async def _newest(workspace: Workspace) -> DeploymentDoc:
    from callboard.bus.deployments import DeploymentDoc
    from callboard.launch.joining import current_run, open_bus

    async with open_bus(workspace, current_run(workspace)) as bus:
        return list((await bus.board()).all(DeploymentDoc))[-1]


async def _read(workspace: Workspace) -> Deployments:
    from callboard.agents.deployment.standing import standing_of
    from callboard.bus.deployments import DeploymentDoc
    from callboard.deploying import Deploying
    from callboard.launch.deployment_rows import deployments_of
    from callboard.launch.joining import open_bus
    from callboard.launch.runs import runs

    deploying = Deploying(workspace)
    records = {name: deploying.history(name).read() for name in deploying.settings.environments}
    known = runs(workspace.repository)
    docs: tuple[DeploymentDoc, ...] = ()
    if known:
        async with open_bus(workspace, known[-1]) as bus:
            docs = tuple((await bus.board()).all(DeploymentDoc))
    told = {name: standing_of(deploying.target(name)) for name in records}
    return deployments_of(docs, records, datetime.now(UTC), told)


def _full(workspace: Workspace, commit: str) -> str:
    """The commit's whole name.

    Raises:
        ConfigError: There is no such commit here.
    """
    repository = workspace.repository
    found = repository.resolve(commit) if len(commit) == 40 or not _SHA.fullmatch(commit) else _short(workspace, commit)
    if found is None:
        raise ConfigError(f"no commit {commit!r} in this repository; give its name, or a branch", key="--commit")
    return found


def _short(workspace: Workspace, commit: str) -> str | None:
    found = workspace.repository.run("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", accept=(0, 1, 128))
    return found.text.strip() or None
