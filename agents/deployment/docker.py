"""Docker: which commands there are, and what `ps` says; one runner for all."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from callboard.agents.deployment.compose_file import RELEASE_LABEL, SWITCHED_LABEL
from callboard.bus.errors import DeployFailed

LEAST = (2, 35)
"""The oldest Compose whose `config` is known to name env_file where nothing is filled in; tested with 2.40."""
_PASSED = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "XDG_RUNTIME_DIR")
"""What `docker` finds the engine by."""
ASK_S = 60.0
_SAID = 500
_WORDS = ("build", "config", "down", "ps", "rm", "up", "version")


def version() -> list[str]:
    return ["docker", "compose", "version", "--short"]


def engine() -> list[str]:
    return ["docker", "version", "--format", "{{.Server.Version}}"]


def config(project: str, file: str, *, interpolated: bool = True) -> list[str]:
    rest = () if interpolated else ("--no-interpolate",)
    return ["docker", "compose", "-p", project, "-f", file, "config", "--format", "json", *rest]


def build(project: str, file: Path) -> list[str]:
    return ["docker", "compose", "-p", project, "-f", str(file), "build"]


def up(project: str, file: Path) -> list[str]:
    return ["docker", "compose", "-p", project, "-f", str(file), "up", "--detach", "--no-build", "--remove-orphans"]


def ps(project: str) -> list[str]:
    return ["docker", "compose", "-p", project, "ps", "--all", "--format", "json"]


def logs(project: str) -> list[str]:
    return ["docker", "compose", "-p", project, "logs", "--follow", "--no-color", "--no-log-prefix"]


def down(project: str, grace_s: float) -> list[str]:
    return ["docker", "compose", "-p", project, "down", "--remove-orphans", "--timeout", f"{max(1, round(grace_s))}"]


def remove_images(names: Sequence[str]) -> list[str]:
    return ["docker", "image", "rm", *names]


@dataclass(frozen=True, slots=True)
class Container:
    service: str
    state: str
    """As docker says: created, running, paused, restarting, removing, exited, dead."""
    release: str
    """As its label says; "" = nobody of ours."""
    is_switched: bool
    """Its requests come through the switch."""


def read_ps(text: str) -> tuple[Container, ...]:
    """What `ps --format json` printed: a list, or from Compose 2.21 on a line for each.

    Raises:
        DeployFailed: It is neither.
    """
    try:
        whole = text.strip()
        rows = json.loads(whole) if whole.startswith("[") else [json.loads(line) for line in whole.splitlines()]
        return tuple(map(_container, rows))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DeployFailed(f"`docker compose ps` printed what cannot be read: {text.strip()[:200]!r}") from error


def _container(row: Mapping[str, str]) -> Container:
    pairs = (one.partition("=") for one in row["Labels"].split(","))
    labels = {name: value for name, _, value in pairs}
    return Container(row["Service"], row["State"], labels.get(RELEASE_LABEL, ""), SWITCHED_LABEL in labels)


def read_version(text: str) -> tuple[int, int]:
    """(0, 0) when it says none."""
    major, _, rest = text.strip().removeprefix("v").partition(".")
    minor = rest.partition(".")[0]
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else (0, 0)


@dataclass(frozen=True, slots=True)
class Docker:
    """Runs them.

    Args:
        environ: The launcher's; of it a command gets what it finds the engine by.
        cwd: Where they run.
    """

    environ: Mapping[str, str]
    cwd: Path

    @property
    def binary(self) -> str | None:
        return shutil.which("docker", path=self.environ.get("PATH"))

    def env(self, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        return {**(variables or {}), **{name: self.environ[name] for name in _PASSED if name in self.environ}}

    def run(
        self,
        argv: Sequence[str],
        timeout_s: float = ASK_S,
        variables: Mapping[str, str] | None = None,
        *,
        cwd: Path | None = None,
        before: Sequence[str] = (),
    ) -> str:
        """Its stdout.

        Args:
            variables: What it gets besides.
            before: What goes between: a sandbox.

        Raises:
            DeployFailed: It is not there, failed, or took too long.
        """
        shown = " ".join([*argv[:2], *(word for word in argv[2:] if word in _WORDS)])
        if self.binary is None:
            raise DeployFailed("there is no `docker` on PATH; install Docker with its Compose plugin")
        try:
            done = subprocess.run(
                [*before, self.binary, *argv[1:]],
                cwd=cwd or self.cwd,
                env=self.env(variables),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DeployFailed(f"`{shown}` took more than {timeout_s:g} s") from None
        except OSError as error:
            raise DeployFailed(f"`{shown}` could not be started: {error}") from error
        if done.returncode:
            said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()[-_SAID:]
            raise DeployFailed(f"`{shown}` ended with exit code {done.returncode}: {said or 'no word'}")
        return done.stdout.decode("utf-8", "replace")


def find_compose(environ: Mapping[str, str]) -> str:
    """Which Docker there is, and which Compose.

    Raises:
        DeployFailed: None.
    """
    found = Docker(environ, Path("/"))
    return f"Docker Compose {found.run(version()).strip()}: {found.binary}"
