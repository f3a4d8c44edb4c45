"""What the checklist cannot take from the board: files of a commit, and commands that are run now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from callboard.agents.deployment.ready_settings import ReadySettings
from callboard.agents.workspace.commands import run_command
from callboard.agents.workspace.git_reader import GitReader
from callboard.agents.workspace.sandbox import OFF
from callboard.bus.task import CommandResult


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
    commands = {
        "authentication": settings.authentication,
        "monitoring": settings.monitoring,
        "telemetry": settings.telemetry,
    }
    return {
        item: tuple(
            [(await run_command(line, cwd=cwd, env=env, sandbox=OFF, timeout_s=timeout_s)).result for line in lines]
        )
        for item, lines in commands.items()
    }
