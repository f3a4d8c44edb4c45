"""A roster whose agents all think with models, answered by a loopback server."""

from __future__ import annotations

import re
from pathlib import Path

from model_server import ModelServer
from model_wire import Asked, Format, Say, ToolCall
from roster import DRIVERS, REVIEWERS, Workspace

WIRES: dict[str, Format] = {
    "driver-1": "messages",
    "driver-2": "responses",
    "senior": "messages",
    "junior-1": "chat",
    "junior-2": "responses",
}


def obedient(asked: Asked) -> Say:
    """A driver writes what its task's field Writes names, looks at it and is done; a reviewer looks and approves."""
    if "verdict" in asked.tools:
        looks = ToolCall("list", {})
        return Say(
            calls=(ToolCall("verdict", {"vote": "approved", "notes": "reads well"}) if asked.results else looks,)
        )
    path = works_on(asked)
    steps = (
        ToolCall("write", {"path": path, "text": "made by a model\n"}),
        ToolCall("run", {"command": f"cat {path}"}),
        ToolCall("done", {"notes": f"{path} is there."}),
    )
    return Say(f"I work on {path}.", calls=(steps[min(len(asked.results), 2)],))


def works_on(asked: Asked) -> str:
    """The path that a driver's task is to write."""
    found = re.search(r"^Writes: (\S+)$", asked.prompt, re.MULTILINE)
    return found[1] if found else "nothing.txt"


def equip_with_models(workspace: Workspace, server: ModelServer, more: str = "") -> None:
    """Let every agent of the workspace think with a model of the server; to be committed by the caller.

    Args:
        more: Lines for each of the models' tables.
    """
    text = '[project]\ngate = ["test -e README"]\n'
    for wire, provider, path in (
        ("messages", "anthropic", ""),
        ("chat", "openai", "/v1"),
        ("responses", "openai", "/v1"),
    ):
        text += f'\n[models.{wire}]\nprovider = "{provider}"\nmodel = "test-{wire}"\nwire = "{wire}"\n'
        text += f'base_url = "{server.url}{path}"\nfamily = "{wire}"\n{more}\n'
    for name in (*DRIVERS, *REVIEWERS):
        role = "driver" if name in DRIVERS else f'reviewer"\nseat = "{name}'
        text += f'\n[[agents]]\nname = "{name}"\nrole = "{role}"\nmodel = "{WIRES[name]}"\n'
    workspace.write({"callboard.toml": text})


def model_workspace(path: Path, server: ModelServer, directions: dict[str, str], more: str = "") -> Workspace:
    """A repository whose first commit holds it all."""
    from roster import run_git

    workspace = Workspace(path)
    workspace.init(directions)
    equip_with_models(workspace, server, more)
    run_git(path, "commit", "--quiet", "--all", "--amend", "--no-edit")
    return workspace
