"""Runs what a finding says shows it. A command that fails on the reviewed tree is a proof, with five exceptions:

- it could not run to its end: not found, not executable, without a sandbox, stopped at its time limit, ended by a signal,
  setup failed;
- it fails on the base just so (the same exit code and, but for numbers, the same output): the change did not cause it,
  or what it needs is not there;
- it was stopped on the base, or had no sandbox there: what it would have ended with is not known;
- it fails on both with one exit code, and on neither does it print the same twice: what it prints tells nothing apart;
- it ends one way and another way the next time, on either tree.

None of these makes the finding false; it stands without a proof, and no longer overrules anybody by itself.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from callboard.agents.workspace.commands import TIMED_OUT
from callboard.agents.workspace.confine import UNAVAILABLE
from callboard.bus.errors import CommandFailed, WorkspaceError
from callboard.bus.task import CommandResult, Finding

MOST = 5
"""Commands of one verdict that are run, majors first: each costs up to four runs."""
EACH_S = 60.0
CANNOT_RUN = (126, 127)
"""Exit codes of a shell that found nothing to run."""
SIGNALLED = 128

Where = Literal["reviewed", "base"]
Run = Callable[[Where, str, float], Awaitable[CommandResult]]
"""Runs a command in a fresh checkout, for so many seconds at most. Raises CommandFailed, WorkspaceError."""


async def prove(findings: Sequence[Finding], run: Run, left_s: Callable[[], float]) -> tuple[Finding, ...]:
    """The same findings, with what their commands have shown; those that are dropped are not run.

    Args:
        left_s: Seconds that are left for all that is still to run.
    """
    wanted = [n for n, it in enumerate(findings) if it.command.strip() and not it.dropped]
    wanted.sort(key=lambda n: findings[n].severity != "major")
    seen: dict[str, dict[str, str]] = {}
    for n in wanted:
        command = findings[n].command
        if command not in seen:
            why = f"{MOST} others were" if len(seen) >= MOST else "no time was left" if left_s() <= 0 else ""
            seen[command] = _said("unrunnable", f"not run: {why}") if why else await _shown(command, run, left_s)
    return tuple(it.model_copy(update=seen[it.command] if n in wanted else {}) for n, it in enumerate(findings))


async def _shown(command: str, run: Run, left_s: Callable[[], float]) -> dict[str, str]:
    async def once(where: Where) -> CommandResult:
        return await run(where, command, max(min(EACH_S, left_s()), 0.1))

    try:
        first = await once("reviewed")
        if first.passed:
            return _said("not_shown", "its command exits 0")
        if not ran(first):
            return _said("unrunnable", f"its command could not run: exit code {first.exit_code}")
        base = await once("base")
        if is_unknown(base):
            return _unknown(base)
        if alike(first, base):
            return _just_so(first)
        return told_apart((first, await once("reviewed")), (base, await once("base")))
    except (CommandFailed, WorkspaceError) as error:
        return _said("unrunnable", f"not run: {str(error)[:600]}")


def told_apart(
    reviewed: tuple[CommandResult, CommandResult], base: tuple[CommandResult, CommandResult]
) -> dict[str, str]:
    """What two runs on each tree show, of which the first on the reviewed one failed, and the first on the base otherwise
    or not at all. Once is chance: a busy computer lets a command fail that runs out of a time of its own."""
    (first, again), (before, after) = reviewed, base
    if again.passed or not ran(again):
        return _said("not_shown", f"its command exits {first.exit_code}, and {again.exit_code} the next time")
    if is_unknown(after):
        return _unknown(after)
    if before.passed != after.passed:
        codes = f"{before.exit_code} on the base, and {after.exit_code} the next time"
        return _said("not_shown", f"its command exits {first.exit_code} here, {codes}")
    if not before.passed and (alike(again, before) or alike(first, after) or alike(again, after)):
        return _just_so(first)
    if first.exit_code == before.exit_code and not (alike(first, again) or alike(before, after)):
        return _just_so(first)
    return _said("shown", f"its command exits {first.exit_code} here and {before.exit_code} on the base")


def ran(result: CommandResult) -> bool:
    """False: its exit code says nothing about the tree."""
    return result.exit_code not in CANNOT_RUN and not is_unknown(result)


def is_unknown(result: CommandResult) -> bool:
    """What it would have ended with: a time limit or a signal stopped it, or it had no sandbox and never began."""
    return result.exit_code in (TIMED_OUT, UNAVAILABLE) or result.exit_code >= SIGNALLED


def alike(one: CommandResult, other: CommandResult) -> bool:
    """Whether two failures are the same one; numbers in the output are times, addresses, lines."""
    return one.exit_code == other.exit_code and _bare(one.tail) == _bare(other.tail)


def _bare(tail: str) -> str:
    return re.sub(r"0x[0-9a-f]+|\d+", "0", tail).strip()


def _unknown(base: CommandResult) -> dict[str, str]:
    return _said("unrunnable", f"its command was not run to its end on the base: exit code {base.exit_code}")


def _just_so(first: CommandResult) -> dict[str, str]:
    return _said("not_new", f"its command exits {first.exit_code} on the base just so")


def _said(proof: str, ran: str) -> dict[str, str]:
    return {"proof": proof, "ran": ran}
