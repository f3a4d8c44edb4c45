"""The whole environment of what runs for an agent or a gate: said here, never inherited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from callboard.agents.workspace.layout import Layout
from callboard.agents.workspace.lots import Lot

_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_DEFAULT_LANG = "C.UTF-8"


def work_environment(
    layout: Layout,
    name: str,
    *,
    env: Mapping[str, str],
    pass_env: Sequence[str],
    inherited: Mapping[str, str],
    lot: Lot,
) -> dict[str, str]:
    """PATH, LANG, a HOME and TMPDIR of its own below `scratch/<name>`, its lot, and what the project names; nothing else.

    Args:
        name: Whose scratch folder: an agent's name, or `gate-<n>`.
        env: `[project] env`: names and their values, with the lot's placeholders.
        pass_env: `[project] pass_env`: globs over names of `inherited` that are passed on.
        inherited: The environment of this process.

    Effects:
        The scratch folders exist afterwards.
    """
    home, temporary = layout.scratch(name) / "home", layout.scratch(name) / "tmp"
    for folder in (home, temporary):
        folder.mkdir(parents=True, exist_ok=True)
    passed = passed_on(pass_env, inherited)
    return {
        "PATH": inherited.get("PATH", _DEFAULT_PATH),
        "LANG": inherited.get("LANG", _DEFAULT_LANG),
        **passed,
        "HOME": str(home),
        "TMPDIR": str(temporary),
        **lot.variables(),
        **{key: lot.fill(value) for key, value in env.items()},
    }


def passed_on(globs: Sequence[str], inherited: Mapping[str, str]) -> dict[str, str]:
    """The variables of an environment whose names match; none of Callboard's own, which may hold the bus's password."""
    foreign = {key: value for key, value in inherited.items() if not key.startswith("CALLBOARD_")}
    return {key: value for key, value in foreign.items() if any(fnmatchcase(key, glob) for glob in globs)}
