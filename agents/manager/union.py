"""Did every change land, and nothing else? What a stack changes is compared, change by change, with what its tasks changed.

Where nobody else touched a path since the task began, mode and contents must be exactly the task's. Where a landing did,
git has merged the two texts: then every line that either side added must be there so often, and every line that either
side took away must be gone so often, as the two together ask for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from callboard.agents.workspace.git_output import ABSENT_MODE, TreeChange

Changes = Mapping[str, TreeChange]
"""Path -> how it differs between two trees."""

HUNK_LINES = 40
HUNKS_CHARACTERS = 2_000
"""So much of a conflict is shown at most: it goes into a prompt."""


def by_path(changes: Iterable[TreeChange]) -> dict[str, TreeChange]:
    return {change.path: change for change in changes}


def strange(own: Changes, theirs: Changes, net: Changes, allowed: frozenset[str]) -> list[str]:
    """Paths at which `net` is not what `own` asks for on top of `theirs`; texts that git merged are for `mixed`.

    Args:
        own: What tasks changed, each against what it was given.
        theirs: What landings have changed since, of the same paths or others.
        net: What the integration branch would change.
        allowed: What was judged at intake.
    """
    beyond = [path for path in net if path not in own or path not in allowed]
    return beyond + [path for path, mine in own.items() if not _is_as_asked(mine, theirs.get(path), net.get(path))]


def _is_as_asked(mine: TreeChange, other: TreeChange | None, got: TreeChange | None) -> bool:
    if other is None:
        return got is not None and (_old(got), _new(got)) == (_old(mine), _new(mine))
    if _new(other) == _new(mine):
        return got is None
    if ABSENT_MODE in (mine.new_mode, other.new_mode):
        return False
    # a result that is as the landing left it is one in which the task's change is in that landing already
    mode, sha = (got.new_mode, got.new_sha) if got is not None else _new(other)
    return mode == _merged_mode(mine, other) and (_is_mixed(mine, other) or sha == _merged_sha(mine, other))


def _merged_mode(mine: TreeChange, other: TreeChange) -> str:
    return mine.new_mode if mine.new_mode != mine.old_mode else other.new_mode


def _merged_sha(mine: TreeChange, other: TreeChange) -> str:
    return mine.new_sha if mine.new_sha != mine.old_sha else other.new_sha


def _is_mixed(mine: TreeChange, other: TreeChange) -> bool:
    return mine.old_sha not in (mine.new_sha, other.new_sha) and mine.new_sha != other.new_sha


def _old(change: TreeChange) -> tuple[str, str]:
    return change.old_mode, change.old_sha


def _new(change: TreeChange) -> tuple[str, str]:
    return change.new_mode, change.new_sha


@dataclass(frozen=True, slots=True)
class Mixed:
    """A text that both a task and a landing have changed, as blobs."""

    base: str
    mine: str
    other: str
    result: str

    def is_whole(self, blobs: Mapping[str, bytes]) -> bool:
        """Whether the result has what both sides changed; a blob that is not there is empty."""
        base, mine, other, result = (
            Counter(blobs.get(sha, b"").splitlines()) for sha in (self.base, self.mine, self.other, self.result)
        )
        lines = base.keys() | mine.keys() | other.keys() | result.keys()
        return all(
            _adds_up(mine[line] - base[line], other[line] - base[line], result[line] - base[line]) for line in lines
        )


def _adds_up(mine: int, other: int, result: int) -> bool:
    """The same edit on both sides counts once, so where both go one way it may be anything from the larger to the sum."""
    bounds = (
        mine + other,
        max(mine, other) if min(mine, other) > 0 else min(mine, other) if max(mine, other) < 0 else None,
    )
    both = [bound for bound in bounds if bound is not None]
    return min(both) <= result <= max(both)


def mixed(own: Changes, theirs: Changes, net: Changes) -> dict[str, Mixed]:
    """Path -> the text to look into."""
    found: dict[str, Mixed] = {}
    for path, mine in own.items():
        other, got = theirs.get(path), net.get(path)
        if other is None or _new(other) == _new(mine) or not _is_mixed(mine, other):
            continue
        result = got.new_sha if got is not None else other.new_sha
        found[path] = Mixed(mine.old_sha, mine.new_sha, other.new_sha, result)
    return found


def hunks_of(files: Mapping[str, bytes]) -> str:
    """Both sides of each conflict in files with git's markers, cut to what fits into a prompt."""
    parts: list[str] = []
    for path, content in files.items():
        lines = content.decode("utf-8", "replace").splitlines()
        starts = [n for n, line in enumerate(lines) if line.startswith("<<<<<<< ")]
        for start in starts:
            end = next((n for n in range(start, len(lines)) if lines[n].startswith(">>>>>>> ")), len(lines) - 1)
            shown = lines[start : min(end + 1, start + HUNK_LINES)]
            parts.append("\n".join((f"{path}:{start + 1}", *shown)))
    text = "\n\n".join(parts)
    return text if len(text) <= HUNKS_CHARACTERS else f"{text[:HUNKS_CHARACTERS]}\n..."
