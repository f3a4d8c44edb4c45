"""What a workspace was given to use and nobody may see."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from callboard.agents.brains.mcp.entries import REPOSITORY_FILE, read_entry, read_names
from callboard.agents.brains.mcp.servers import literal_secrets, secrets_of
from callboard.bus.errors import ConfigError
from callboard.bus.known_secrets import KnownSecret, env_file, secrets_in
from callboard.settings.settings import Settings
from callboard.telemetry.destination import header_secrets

ENV_FILE_BYTES = 1_000_000


def known_secrets(root: Path, settings: Settings, environ: Mapping[str, str]) -> tuple[KnownSecret, ...]:
    """What a workspace was given to use and nobody may see: in the environment, in callboard.toml, and in the files of
    variables beside it, those that agents get a copy of among them."""
    keys = [model.key_env for model in settings.models.values() if model.key_env]
    deployed = settings.deploy.environments.values() if settings.deploy else ()
    secrets = [name for environment in deployed for name in environment.secrets]
    named = (*settings.redaction.variables, *keys, settings.promotion.token_env, *secrets)
    given = {**settings.project.env, "bus-url": settings.bus.url, "ledger-url": settings.ledger.url}
    files = [*root.glob(".env*"), *(root / name for name in settings.project.copied)]
    files += [root / environment.secrets_file for environment in deployed if environment.secrets_file]
    texts = [path.read_text("utf-8", "replace") for path in files if is_env_file(path)]
    return (
        *(secret for variables in (environ, given, *map(env_file, texts)) for secret in secrets_in(variables, named)),
        *(secret for name, table in settings.mcp.items() for secret in secrets_of(name, table, root, environ)),
        *(secret for service in settings.notify.services(environ) for secret in service.secrets()),
        *header_secrets(settings.telemetry, environ),
        *_in_repository_file(root / REPOSITORY_FILE),
    )


def _in_repository_file(path: Path) -> tuple[KnownSecret, ...]:
    """Secrets that stand written in it, also of servers that nobody uses; of a file that is wrong, none."""
    if not is_env_file(path):
        return ()
    found: list[KnownSecret] = []
    try:
        for name in read_names(path):
            with suppress(ConfigError):
                found += literal_secrets([read_entry(path, name)])
    except ConfigError:
        return ()
    return tuple(found)


def is_env_file(path: Path) -> bool:
    """Whether it can be read as `NAME=value` lines; nobody keeps a megabyte of those."""
    return path.is_file() and os.access(path, os.R_OK) and path.stat().st_size <= ENV_FILE_BYTES
