"""`[sandbox]`: what brains, checks, gates and setup may do besides working in their own folder (docs/sandbox.md)."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from callboard.agents.settings import Table
from callboard.agents.workspace.sandbox import EVERYWHERE

_PLACE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?:([0-9]{1,5})")

SECRETS = (
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".password-store",
    ".netrc",
    ".pgpass",
    ".git-credentials",
    ".npmrc",
    ".pypirc",
    ".config/git/credentials",
    ".config/gh",
    ".config/gcloud",
    ".local/share/keyrings",
    ".cargo/credentials.toml",
    ".bash_history",
    ".zsh_history",
    ".python_history",
    ".claude",
    ".claude.json",
    ".codex",
    ".gemini",
    ".qwen",
    ".local/share/opencode",
)
"""Below the user's home: keys, logins and what was typed. No list of these is complete; `hidden` adds to it."""


def _place(text: str) -> str:
    found = _PLACE.fullmatch(text)
    if text != EVERYWHERE and not (found and 0 < int(found[1]) < 65536):
        raise ValueError('expected host:port, such as "pypi.org:443", or "*" for the whole network')
    return text


def _path(text: str) -> str:
    path = Path(os.path.expanduser(text))  # noqa: PTH111, pathlib's fails for users that are not there
    if not path.is_absolute() or ".." in path.parts or len(path.parts) < 2:
        raise ValueError('expected an absolute path, or one that begins with ~, such as "~/.cache/pre-commit"')
    return str(path)


def _from_array(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Places = Annotated[tuple[Annotated[str, AfterValidator(_place)], ...], BeforeValidator(_from_array)]
Paths = Annotated[tuple[Annotated[str, AfterValidator(_path)], ...], BeforeValidator(_from_array)]


class SandboxSettings(Table):
    """`[sandbox]`"""

    kind: Literal["auto", "sandlock", "bubblewrap", "off"] = "auto"
    """auto: the first of the two that works here; none works = no launch. off: everything runs with the user's rights."""
    connect: Places = ()
    """What brains, checks and gates may connect to. A command always reaches the servers that it started itself."""
    setup_connect: Places = ()
    """What `[project] setup` may connect to besides, such as package registries."""
    hidden: Paths = ()
    """What may not be read, besides `.callboard/`, the repository's `.git`, its `.env*`, and SECRETS."""
    writable: Paths = ()
    """What may be written besides the clone (or gate slot) and its scratch folder; all agents share it."""
    memory_mb: Annotated[int, Field(ge=64)] = 8192
    """For one command and all it starts: a large build or a browser test; a runaway one is stopped before a usual
    computer is out of memory."""
    processes: Annotated[int, Field(ge=4)] = 1024
    """At once, for one command: a parallel build takes some hundreds."""


REGISTRIES = {
    "uv": ("pypi.org:443", "files.pythonhosted.org:443"),
    "pip": ("pypi.org:443", "files.pythonhosted.org:443"),
    "npm": ("registry.npmjs.org:443",),
    "cargo": ("index.crates.io:443", "static.crates.io:443"),
    "go": ("proxy.golang.org:443", "sum.golang.org:443"),
}
"""Program of a setup command -> where it gets packages from by default."""


def registries(setup: Sequence[str]) -> tuple[str, ...]:
    """What setup commands probably have to reach; for a first callboard.toml."""
    programs = {word for command in setup for word in command.split()}
    return tuple(
        dict.fromkeys(place for program, places in REGISTRIES.items() if program in programs for place in places)
    )
