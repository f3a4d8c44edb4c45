"""`callboard ready`: the production checklist, fact by fact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from callboard.bus.errors import ConfigError
from callboard.cli.exit_codes import FAILED
from callboard.cli.options import Env, Json
from callboard.cli.output import print_json, say
from callboard.cli.session import open_workspace, wait_for

if TYPE_CHECKING:
    from callboard.agents.deployment.readiness import Item, Known
    from callboard.agents.deployment.settings import DeploySettings
    from callboard.app import Workspace
    from callboard.bus.board import Board


@dataclass(frozen=True, slots=True)
class ItemRow:
    item: str
    state: str
    """pass, fail or unknown."""
    fact: str
    source: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """What `--json` prints."""

    environment: str
    commit: str
    ready: bool
    items: tuple[ItemRow, ...]


def ready(
    env: Env = "",
    json: Json = False,
) -> None:
    r"""Whether a service is ready for production: each item with the fact behind it, and where that comes from.

    Runs the commands of `\[deploy.ready]`. Exit code 0: all pass; 1: something fails, or nobody knows.
    """
    from callboard.agents.deployment.readiness import checklist
    from callboard.deploying import Deploying

    workspace = open_workspace()
    deploy = Deploying(workspace).settings
    environment = env or deploy.first
    if why := deploy.unknown(environment):
        raise ConfigError(why, key="--env")
    known = wait_for(_known(workspace, deploy, environment))
    items = checklist(known)
    found = Readiness(environment, known.commit, all(one.state == "pass" for one in items), tuple(map(_row, items)))
    if json:
        print_json(found)
    else:
        _tell(found)
    if not found.ready:
        raise typer.Exit(FAILED)


def _row(item: Item) -> ItemRow:
    return ItemRow(item.name, item.state, item.fact, item.source)


def _tell(found: Readiness) -> None:
    for row in found.items:
        say(f"{row.state:<8} {row.item}: {row.fact} ({row.source})")
    said = "ready" if found.ready else "not ready"
    say(f"{found.environment}, commit {found.commit[:12] or 'none'}: {said}")


async def _known(workspace: Workspace, deploy: DeploySettings, environment: str) -> Known:
    from callboard.agents.deployment.ready_facts import gather
    from callboard.agents.manager.deploy_notes import to_deploy
    from callboard.bus.deployments import DeploymentDoc
    from callboard.launch.joining import current_run, open_bus

    async with open_bus(workspace, current_run(workspace)) as bus:
        board: Board = await bus.board()
    here = [one for one in board.all(DeploymentDoc) if one.environment == environment and one.state != "rolled_back"]
    commit = here[-1].commit if here else to_deploy(board)
    return await gather(
        board,
        deploy,
        environment,
        commit,
        here[-1].address if here else "",
        repository=workspace.repository,
        root=workspace.root,
        environ=workspace.environ,
    )
