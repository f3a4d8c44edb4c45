"""What `callboard deploy stop` does, without a roster: what is deployed outlives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callboard.bus.errors import CommandRefused
from callboard.cli.deploy_checks import under_way
from callboard.cli.session import wait_for

if TYPE_CHECKING:
    from callboard.agents.deployment.history import History
    from callboard.agents.deployment.stopping import Stopped
    from callboard.app import Workspace


def stop_environment(workspace: Workspace, env: str, by: str, reason: str) -> tuple[str, tuple[Stopped, ...]]:
    """End everything in an environment, under its lock: no deployment begins there meanwhile.

    Raises:
        ConfigError: callboard.toml has no [deploy] table.
        CommandRefused: There is no such environment, or a deployment is under way in it.
        DeployFailed: Somebody else holds the lock, or something could not be ended.
    """
    from callboard.agents.deployment.stopping import stop_everything
    from callboard.deploying import Deploying

    deploying = Deploying(workspace)
    environment = env or deploying.settings.first
    if why := deploying.settings.unknown(environment):
        raise CommandRefused(why)
    working = next((doc for doc in wait_for(under_way(workspace)) if doc.environment == environment), None)
    if working is not None:
        raise CommandRefused(
            f"{working.id} is under way in {environment} ({working.stands}), so nothing is stopped; "
            f"`callboard rollback --env {environment}` ends it first"
        )
    history = deploying.history(environment)
    was_held = history.read().hold is not None
    history.lock(by, "it is being stopped")
    try:
        stopped = stop_everything(deploying.target(environment), deploying.settings.drain_s)
    finally:
        _let_go(history, by, was_held=was_held)
    if stopped:
        names = ", ".join(one.release for one in stopped)
        history.note(by, f"stopped {names}" + (f": {reason}" if reason else ""), once=False)
    return environment, stopped


def _let_go(history: History, by: str, *, was_held: bool) -> None:
    """A lock of their own, from before, stays."""
    if not was_held:
        history.unlock(by)
