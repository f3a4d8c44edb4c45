"""What the checklist is made from, gathered: the board, files of a commit, names of secrets, commands that are run now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from callboard.agents.deployment.readiness import Known
from callboard.agents.deployment.ready_settings import ReadySettings
from callboard.agents.deployment.secret_values import secret_values
from callboard.agents.deployment.settings import DeploySettings
from callboard.agents.workspace.commands import run_command
from callboard.agents.workspace.git_reader import GitReader
from callboard.agents.workspace.sandbox import OFF
from callboard.bus.board import Board
from callboard.bus.task import CommandResult


async def gather(
    board: Board,
    settings: DeploySettings,
    environment: str,
    commit: str,
    address: str,
    *,
    repository: GitReader,
    root: Path,
    environ: Mapping[str, str],
) -> Known:
    """Everything about a commit in an environment.

    Args:
        address: Where a release of it answers, as a URL; "" = none does.
        root: Where the commands of `[deploy.ready]` are run.
        environ: The launcher's.
    """
    ran = await run_ready(
        settings.ready,
        cwd=root,
        env={**environ, "CALLBOARD_ENV": environment, "CALLBOARD_URL": address},
        timeout_s=settings.tests.timeout_s,
    )
    paths = (settings.rollback_plan, *settings.ready.documentation)
    return Known(
        board,
        settings,
        environment,
        commit,
        present_files(repository, commit, paths),
        frozenset(secret_values(settings.environments[environment], root, environ)),
        ran,
    )


def present_files(repository: GitReader, commit: str, paths: Iterable[str]) -> frozenset[str]:
    """Those that the commit has and that are not empty."""
    wanted = [path for path in paths if path]
    if not commit or repository.resolve(commit) is None:
        return frozenset()
    return frozenset(path for path, content in repository.read_paths(commit, wanted).items() if content.strip())


async def run_ready(
    settings: ReadySettings, *, cwd: Path, env: Mapping[str, str], timeout_s: float
) -> dict[str, tuple[CommandResult, ...]]:
    """Item -> its commands, run as their author would: outside of any sandbox."""
    return {
        item: tuple(
            [(await run_command(line, cwd=cwd, env=env, sandbox=OFF, timeout_s=timeout_s)).result for line in lines]
        )
        for item, lines in settings.commands.items()
    }
