"""What keeps a deployment or a rollback from being asked for, said before a run is made or a roster is launched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from callboard.bus.errors import CommandRefused

if TYPE_CHECKING:
    from callboard.app import Workspace
    from callboard.bus.deployments import DeploymentDoc
    from callboard.deploying import Deploying


async def refuse_at_once(workspace: Workspace, command: Literal["deploy", "rollback"], env: str) -> None:
    """Return only where the command can be meant.

    Raises:
        ConfigError: callboard.toml has no [deploy] table.
        CommandRefused: There is no such environment, or nothing in it to go back to.
    """
    from callboard.deploying import Deploying

    deploying = Deploying(workspace)
    environment = env or deploying.settings.first
    if why := deploying.settings.unknown(environment):
        raise CommandRefused(why)
    if command == "deploy" or any(doc.environment == environment for doc in await under_way(workspace)):
        return
    if why := _nothing_before(deploying, environment):
        raise CommandRefused(f"{why}; `callboard deployments` shows what serves")


def _nothing_before(deploying: Deploying, environment: str) -> str:
    """Why there is nothing to go back to; "" where there is."""
    from callboard.agents.deployment.history import previous
    from callboard.agents.deployment.site import serving

    record, now = deploying.history(environment).read(), serving(deploying.target(environment))
    if previous(record, now.id if now else "") is not None:
        return ""
    if now is None:
        return f"nothing was ever deployed to {environment}, so there is nothing to go back to"
    return f"{now.id} is the only release that has passed in {environment}, so there is nothing to go back to"


def without(workspace: Workspace, env: str) -> tuple[str, ...]:
    """What a deployment does without, as its target cannot do it."""
    from callboard.agents.deployment.able import shortcomings
    from callboard.deploying import Deploying

    deploying = Deploying(workspace)
    environment = env or deploying.settings.first
    return shortcomings(deploying.target(environment).abilities, deploying.settings)


async def under_way(workspace: Workspace) -> list[DeploymentDoc]:
    """Of the newest run; of none, where there is none."""
    from callboard.bus.deployments import DeploymentDoc
    from callboard.launch.joining import open_bus
    from callboard.launch.runs import runs

    known = runs(workspace.repository)
    if not known:
        return []
    async with open_bus(workspace, known[-1]) as bus:
        return [doc for doc in (await bus.board()).all(DeploymentDoc) if not doc.is_over]
