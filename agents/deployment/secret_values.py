"""Secrets of an environment: named in callboard.toml, given by the launcher's environment or a file that git ignores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from callboard.agents.deployment.settings import EnvironmentSettings
from callboard.bus.known_secrets import env_file


def secret_values(settings: EnvironmentSettings, root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Name -> value of those that are there; the file goes before the environment."""
    path = root / settings.secrets_file
    given = env_file(path.read_text("utf-8", "replace")) if settings.secrets_file and path.is_file() else {}
    known = {**environ, **given}
    return {name: known[name] for name in settings.secrets if known.get(name)}
