"""Whether the sandbox that callboard.toml asks for holds on this computer, and a workspace that uses just that one."""

from __future__ import annotations

from dataclasses import replace

from callboard.agents.workspace.sandbox_probe import Enforced, candidates, enforced
from callboard.app import Workspace


async def probe(workspace: Workspace) -> Enforced:
    """Try the sandbox with real attempts.

    Raises:
        RosterError: It is weaker than configured; the message says how, and the way out.
    """
    kinds = candidates(workspace.settings.sandbox.kind)
    return await enforced(workspace.base_sandbox, kinds)


def held_by(workspace: Workspace, found: Enforced) -> Workspace:
    """The workspace with what was found to hold: for what this process runs, and by the environment for those it starts.

    Where more than one kind can be had, the first need not be the one that holds.
    """
    kind = found.sandbox.kind
    sandbox = workspace.settings.sandbox.model_copy(update={"kind": kind})
    settings = workspace.settings.model_copy(update={"sandbox": sandbox})
    return replace(workspace, settings=settings, environ={**workspace.environ, "CALLBOARD_SANDBOX_KIND": kind})
