"""What must be true before anything is started."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from callboard.agents.manager.decision import MANAGER
from callboard.agents.manager.watch import read_directions
from callboard.agents.workspace import copies
from callboard.agents.workspace.preflight import checkout_problems, problems
from callboard.app import Workspace
from callboard.bus.errors import ConfigError, RosterError
from callboard.bus.settings import EMBEDDED
from callboard.launch.runs import runs
from callboard.needs import key_problems, mcp_problems

LEAST_FREE_BYTES = 200_000_000
"""Below this no new work is handed out."""


def check(workspace: Workspace, names: Sequence[str], free_bytes: int) -> None:
    """Look at settings, roles, repository and disk; change nothing.

    Args:
        names: The agents to start.

    Raises:
        RosterError: Every reason why no roster can start here, each with its way out.
        ConfigError: An agent is not on the roster, a setting that only a launch needs is missing, or a role file is wrong.
    """
    if unknown := [name for name in names if name not in workspace.roster]:
        raise ConfigError(f"no agent {unknown[0]!r}; callboard.toml has: {', '.join(workspace.roster)}", key="--only")
    if outside := [name for name in names if name in workspace.settings.outsiders]:
        raise ConfigError(
            f"{outside[0]} is from outside, and nothing here starts it: it joins through `callboard mcp`", key="--only"
        )
    if MANAGER not in names and workspace.settings.bus.url == EMBEDDED:
        raise RosterError(
            "agents without the manager need a bus that both can reach: set `[bus] url` to a server, "
            "or launch the manager with them"
        )
    project = workspace.settings.project
    known = runs(workspace.repository)
    integration = project.integration.format(run=known[-1] if known else "new")
    settings = workspace.settings.launch_problems()
    agents = list(workspace.roster)
    found = (
        *settings,
        *key_problems(workspace).values(),
        *mcp_problems(workspace).values(),
        *copies.problems(workspace.copies, workspace.repository, f"refs/heads/{project.target}"),
        *problems(workspace.root, agents=agents, integration=integration, target=project.target),
    )
    if found:
        raise (ConfigError if settings else RosterError)(_refusal(found))
    workspace.capabilities()
    if free_bytes < LEAST_FREE_BYTES:
        free = free_bytes // 1_000_000
        raise RosterError(f"only {free} MB are free where .callboard/ is, 200 MB are needed; make room and try again")


def remarks(workspace: Workspace, again: Sequence[str]) -> tuple[str, ...]:
    """What a launch says once its agents are started, a sentence each.

    Args:
        again: Keys of tasks to do once more.
    """
    names = workspace.settings.outsiders
    joins = f"{', '.join(names)} from outside: joins through `callboard mcp` (`callboard mcp --print-config`)"
    return (*unknown_again(workspace, again), *([joins] if names else []))


def unknown_again(workspace: Workspace, keys: Sequence[str]) -> tuple[str, ...]:
    """What is to be done once more and stands in no direction file, a sentence each."""
    paths = workspace.settings.paths
    read = read_directions(workspace.root / paths.directions, paths.directions, list(workspace.roster), {})
    known = [spec.key for file in read.files for spec in file.tasks]
    return tuple(
        f"--again {key}: no direction file has a task of that key"
        + "".join(f"; did you mean {near}?" for near in get_close_matches(key, known, n=1))
        for key in keys
        if key not in known
    )


def check_goes_on(workspace: Workspace, run: str, *begins: str | None) -> None:
    """Look whether a run can be gone on with: its integration branch is about to move.

    Args:
        begins: What --goal and --safety say; a run has its own since it began.

    Raises:
        RosterError: It is checked out somewhere, or is to be another run than it is.
    """
    if any(begins):
        raise RosterError(f"run {run} goes on as it began; --goal and --safety are for a new one (--new)")
    branch = workspace.settings.project.integration.format(run=run)
    if found := [*checkout_problems(workspace.repository.checked_out(), [branch], "the integration branch")]:
        raise RosterError(_refusal(found))


def _refusal(found: Iterable[str]) -> str:
    return "cannot launch:\n" + "\n".join(f"- {it}" for it in found)
