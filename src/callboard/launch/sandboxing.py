"""Whether the sandbox that callboard.toml asks for holds on this computer."""

from __future__ import annotations

from callboard.agents.workspace.sandbox_probe import Enforced, candidates, enforced
from callboard.app import Workspace


async def probe(workspace: Workspace) -> Enforced:
    """Try the sandbox with real attempts.

    Raises:
        RosterError: It is weaker than configured; the message says how, and the way out.
    """
    kinds = candidates(workspace.settings.sandbox.kind)
    return await enforced(workspace.base_sandbox, kinds)
