"""Intake: what an agent handed in is judged in its vault, by its result tree; only what passes is fetched.

The judge is pure: it sees the changes between what was given and what came back, never a patch. What only a person may
let through is asked for at the end, when nothing else stands in the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from callboard.agents.manager.intake_rules import (
    AGENT_CONFIGURATION,
    CI,
    IntakeLimits,
    IntakeRules,
    ProtectedPaths,
)
from callboard.agents.manager.secret_judge import judge_secrets, known_secrets_in, refusal_of_known
from callboard.agents.workspace.checkout import is_forbidden, plain_parts
from callboard.agents.workspace.git import Commit, Repository, TreeChange
from callboard.agents.workspace.git_names import is_sha
from callboard.agents.workspace.git_output import ABSENT_MODE, LINK_MODE, SUBMODULE_MODE
from callboard.agents.workspace.globs import literal_prefix, matches, matches_any
from callboard.bus.errors import ApprovalNeeded, GitError, IntakeRefused, WorkspaceError
from callboard.bus.task import Permit

__all__ = [
    "IntakeLimits",
    "IntakeRules",
    "ProtectedPaths",
    "TakenIn",
    "judge",
    "judge_permits",
    "judge_secrets",
    "take_in",
]

FILE_MODES = frozenset({"100644", "100755"})
MARKDOWN = (".md", ".markdown", ".mdown", ".mkd", ".mdx")
MOST_ASKED = 20
"""Paths of one hand-in that a person is asked about; more cannot be judged one by one."""


def judge(changes: Sequence[TreeChange], rules: IntakeRules, sizes: Mapping[str, int]) -> None:
    """Judge which paths differ between what was given and what was handed in, and how.

    Args:
        sizes: Blob -> bytes, for every new blob.

    Raises:
        IntakeRefused: The first rule that is broken, in the order of the functions below.
    """
    _judge_amount(changes, rules.limits, sizes)
    for change in changes:
        _judge_name(change)
        _judge_mode(change)
        _judge_protected(change, rules.protected)
        _judge_paths(change, rules)
        _judge_named_only(change, rules.paths)


def judge_permits(changes: Sequence[TreeChange], rules: IntakeRules) -> None:
    """Ask for what only a person may let through: new documents that the task's Paths do not name, and CI files.

    Raises:
        ApprovalNeeded: A person has not permitted some of it.
        IntakeRefused: There is more to ask than a person can be expected to look at.
    """
    wanted = [permit for change in changes if (permit := _asked(change, rules))]
    if len(wanted) > MOST_ASKED:
        way_out = (
            f"a person would have to permit {len(wanted)} paths, and is asked about {MOST_ASKED} at most; hand in less"
        )
        raise IntakeRefused(wanted[0].rule, wanted[0].path, way_out)
    if wanted:
        raise ApprovalNeeded(wanted, "a person has to permit it")


def _judge_amount(changes: Sequence[TreeChange], limits: IntakeLimits, sizes: Mapping[str, int]) -> None:
    if len(changes) > limits.files:
        way_out = f"{len(changes):,} paths changed, {limits.files:,} may; hand in less, or split the task"
        raise IntakeRefused("count", "", way_out)
    total = 0
    for change in changes:
        size = sizes.get(change.new_sha, 0)
        total += size
        if size > limits.blob_bytes:
            way_out = f"the file has {size:,} bytes, {limits.blob_bytes:,} may be; leave it out or make it smaller"
            raise IntakeRefused("size", change.path, way_out)
    if total > limits.total_bytes:
        raise IntakeRefused("size", "", f"{total:,} bytes changed, {limits.total_bytes:,} may; hand in less")


def _judge_name(change: TreeChange) -> None:
    if not change.path.isprintable():
        raise IntakeRefused("name", repr(change.path), "name the file in printable UTF-8")
    parts = change.path.replace("\\", "/").split("/")
    if is_forbidden(change.path) or any(part in ("", ".", "..") for part in parts):
        raise IntakeRefused("git", change.path, "nothing may be handed in that lies, or seems to lie, in a `.git`")


def _judge_mode(change: TreeChange) -> None:
    for mode in (change.old_mode, change.new_mode):
        if mode == LINK_MODE:
            way_out = "links may not be added, changed or removed; use an ordinary file"
            raise IntakeRefused("link", change.path, way_out)
        if mode == SUBMODULE_MODE:
            raise IntakeRefused("submodule", change.path, "submodules may not be added, changed or removed")
        if mode not in FILE_MODES and mode != ABSENT_MODE:
            raise IntakeRefused("mode", change.path, f"mode {mode} may not be; use 100644, or 100755 for a program")


def _judge_protected(change: TreeChange, protected: ProtectedPaths) -> None:
    if protected.names(change.path):
        way_out = "Callboard and git read this file, so only people change it; put it back as it was"
        raise IntakeRefused("protected", change.path, way_out)


def _judge_paths(change: TreeChange, rules: IntakeRules) -> None:
    """A new document is for a person to let in, wherever it lies."""
    if rules.paths and not matches_any(rules.paths, change.path) and not _is_new_document(change):
        way_out = f"the task may change {', '.join(rules.paths)}; put this path back as it was"
        raise IntakeRefused("paths", change.path, way_out)


def _judge_named_only(change: TreeChange, paths: Sequence[str]) -> None:
    if (guarded := _guarded(change.path)) and not _names(paths, change.path, guarded):
        way_out = f"this can steer builds or agents; a person must name {guarded} in the task's Paths"
        raise IntakeRefused("steering", change.path, way_out)


def _asked(change: TreeChange, rules: IntakeRules) -> Permit | None:
    """What a person has to permit and has not; a permit for CI holds for the contents that the person saw."""
    if rules.permit(change.path, change.new_sha):
        return None
    if plain_parts(change.path)[0] in _CI:
        return Permit(rule="ci", path=change.path, blob=change.new_sha)
    if _is_new_document(change) and not _names_markdown(rules.paths, change.path):
        return Permit(rule="document", path=change.path)
    return None


def _is_new_document(change: TreeChange) -> bool:
    return change.old_mode == ABSENT_MODE and plain_parts(change.path)[-1].endswith(MARKDOWN)


def _guarded(path: str) -> str:
    """The part of a path at which something begins that steers builds or agents; "" when there is none."""
    parts, plain = path.split("/"), plain_parts(path)
    if plain[0] in _CI:
        return parts[0]
    at = next((n for n, part in enumerate(plain) if part in _STEERING), None)
    return "" if at is None else "/".join(parts[: at + 1])


_CI = frozenset(name.casefold() for name in CI)
_STEERING = frozenset(name.casefold() for name in AGENT_CONFIGURATION)


def _names(paths: Iterable[str], path: str, guarded: str) -> bool:
    """Whether a pattern names this path in so many words: its part without wildcards reaches into what is guarded."""
    return any(matches(p, path) and f"{literal_prefix(p)}/".startswith(f"{guarded}/") for p in paths)


def _names_markdown(paths: Iterable[str], path: str) -> bool:
    suffix = path.rpartition(".")[2].casefold()
    return any(matches(p, path) and p.casefold().endswith(f".{suffix}") for p in paths)


# --- effects --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What passed, as it is in the user's repository now."""

    commit: str
    tree: str
    files: tuple[str, ...]
    """Paths that differ from the base."""


def take_in(
    vault: Repository,
    repository: Repository,
    *,
    base: str,
    commit: str,
    rules: IntakeRules,
    pin: str,
    branch: str,
) -> TakenIn:
    """Judge a handed-in commit in the vault; if it passes, pin exactly it in the repository and show it on a branch.

    It may be repeated: the same commit again changes nothing.

    Args:
        base: What the agent was given.
        pin: The full ref that keeps it, `refs/callboard/<run>/tasks/<task>/<attempt>`.
        branch: The short name of the agent's branch that shows it.

    Raises:
        IntakeRefused: It breaks a rule; nothing was imported.
        GitError: The vault or the repository could not be read or written; says nothing about the hand-in.
    """
    if [(c.sha, c.parents) for c in _steps(vault, base, commit)] != [(commit, (base,))]:
        raise IntakeRefused("ancestry", "", f"it is not one commit on top of what was given ({base}); hand in again")
    changes = _changes(vault, base, commit)
    _judge_in(vault, base, commit, changes, rules)
    source = _ref_at(vault, commit)
    repository.fetch_commit(vault.place.git_dir or vault.place.path, source, commit, pin)
    _show(repository, branch, commit)
    return TakenIn(commit, repository.tree_of(commit), tuple(change.path for change in changes))


def judge_unfinished(vault: Repository, base: str, commit: str, rules: IntakeRules) -> None:
    """Judge what an agent left unfinished before any of it is brought into the repository.

    It may stand on earlier unfinished work, which comes with it: so every step since `base` is judged, not only what is
    left of them all.

    Raises:
        IntakeRefused: It breaks a rule that holds for whatever is imported.
    """
    for step in vault.commits(commit, since=base):
        if len(step.parents) != 1:
            raise IntakeRefused("ancestry", "", f"{step.sha} is no single step on what was given")
        _judge_in(vault, base, step.sha, _changes(vault, step.parents[0], step.sha), rules)


def _steps(vault: Repository, base: str, commit: str) -> Sequence[Commit]:
    no_commit = IntakeRefused("ancestry", "", f"{commit[:40]!r} is no commit in the agent's vault; hand in again")
    if not is_sha(commit):
        raise no_commit
    try:
        return vault.commits(commit, since=base)
    except GitError as error:
        if vault.resolve(commit) != commit:
            raise no_commit from error
        raise


def _changes(vault: Repository, base: str, commit: str) -> Sequence[TreeChange]:
    """What differs. A tree that git cannot read is the hand-in's own fault where the base's can be read."""
    try:
        return vault.changes(base, commit)
    except GitError as error:
        vault.entries(base)
        raise IntakeRefused("tree", "", "git cannot read its tree; hand in again") from error


def _judge_in(vault: Repository, base: str, commit: str, changes: Sequence[TreeChange], rules: IntakeRules) -> None:
    new = [change.new_sha for change in changes if change.new_mode in FILE_MODES]
    sizes = vault.sizes(new)
    judge(changes, rules, sizes)
    if missing := [change.path for change in changes if change.new_sha in {*new} - sizes.keys()]:
        raise IntakeRefused("tree", missing[0], "the vault lacks its contents; hand in again")
    _judge_form(vault, commit)
    # only now, and of the base only as much, as the limits say how much may be read
    old = vault.sizes(change.old_sha for change in changes if change.old_mode in FILE_MODES)
    small = [sha for sha, size in old.items() if size <= rules.limits.blob_bytes]
    contents = vault.read_blobs([*new, *small])
    judge_secrets(changes, contents)
    _judge_known(vault, base, changes, contents, rules)
    judge_permits(changes, rules)


def _judge_known(
    vault: Repository, base: str, changes: Sequence[TreeChange], contents: Mapping[str, bytes], rules: IntakeRules
) -> None:
    for change, secret in known_secrets_in(changes, contents, rules.known):
        # what callboard.toml says for everybody to read, tests may say too
        if not vault.holds(base, secret.value):
            raise refusal_of_known(change, secret, contents.get(change.new_sha, b""))


def _judge_form(vault: Repository, commit: str) -> None:
    """A tree that git would not write may read one way here and another way where it lands."""
    try:
        is_usual = vault.rewritten(commit) == vault.tree_of(commit)
    except GitError:
        is_usual = False
    if not is_usual:
        raise IntakeRefused(
            "tree", "", "its tree is none that git would write (order, modes or a path twice); hand in again"
        )


def _ref_at(vault: Repository, commit: str) -> str:
    refs = vault.refs("refs/handin") | vault.refs("refs/wip")
    for ref, sha in refs.items():
        if sha == commit:
            return ref
    raise IntakeRefused("ancestry", "", "nothing in the vault names this commit any more; hand in again")


def _show(repository: Repository, branch: str, commit: str) -> None:
    """The agent's branch shows what was taken in last, unless a person has it checked out: that would mix up a checkout."""
    ref = f"refs/heads/{branch}"
    for _ in range(3):  # another task of the same agent may be taken in beside this one
        before = repository.resolve(ref)
        if before == commit or branch in repository.checked_out() or repository.update_ref(ref, commit, before):
            return
    raise WorkspaceError(f"{ref} moved while it was updated; who else writes to it?")
