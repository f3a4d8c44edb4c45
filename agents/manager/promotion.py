"""Promotion by a fast-forward: the target branch is fast-forwarded to the integration head; a clean checkout of it follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from callboard.agents.manager.promotion_settings import PromotionSettings
from callboard.agents.workspace.git import Repository
from callboard.bus.board import Board, RunDoc
from callboard.bus.errors import GitError
from callboard.bus.messages import PromotionFinished, PromotionRequested


class Promoter(Protocol):
    """How what has landed reaches the target branch."""

    def promote(self, board: Board, request: PromotionRequested) -> PromotionFinished:
        """Do it; the same again is fine. Why it could not be done is in the answer."""
        ...


class FastForward:
    """Moves the target branch in the user's repository."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def promote(self, board: Board, request: PromotionRequested) -> PromotionFinished:
        return promote(self._repository, board.run, request)


def promoter(
    settings: PromotionSettings, repository: Repository, environ: Mapping[str, str], clean: Callable[[str], str]
) -> Promoter:
    """As callboard.toml says.

    Args:
        clean: Takes secrets out of a text.
    """
    if settings.by != "pull-request":
        return FastForward(repository)
    from callboard.agents.manager.github import GitHub
    from callboard.agents.manager.pull_request import ByPullRequest

    token = environ.get(settings.token_env, "")
    return ByPullRequest(settings, repository, environ, clean, lambda remote: GitHub(settings, remote, token))


def promote(repository: Repository, run: RunDoc, request: PromotionRequested) -> PromotionFinished:
    """Move the target. The same again, after a crash, finds it moved and is fine."""
    old, new = repository.resolve(f"refs/heads/{run.target}"), run.head
    done = PromotionFinished(command=request.command, ok=True, target=run.target, old=old or "", new=new)
    if old == new:
        return done
    try:
        reason = _move(repository, run, old, new)
    except GitError as error:
        reason = f"git could not move {run.target}: {error}; then `callboard promote` again"
    return done if not reason else done.model_copy(update={"ok": False, "reason": reason})


def _move(repository: Repository, run: RunDoc, old: str | None, new: str) -> str:
    """Why it could not be moved; "" when it was."""
    target = run.target
    if old is None:
        return f"there is no branch {target}; create it or set `[project] target`, then `callboard promote` again"
    if not repository.is_ancestor(old, new):
        return (
            f"{target} has commits that {new[:12]} does not contain, so it cannot be fast-forwarded; merge {run.integration} into "
            "it by hand, which keeps what has landed, and go on from there with `callboard launch --new --from target`"
        )
    worktree = repository.checked_out().get(target)
    if worktree is None:
        moved = repository.update_ref(f"refs/heads/{target}", new, old)
        return "" if moved else f"{target} moved meanwhile; run `callboard promote` again"
    checkout = Repository(worktree)
    if checkout.is_dirty():
        return f"{worktree} has uncommitted changes on {target}; commit or stash them, then `callboard promote` again"
    try:
        checkout.fast_forward(new)
    except GitError as error:
        return f"git could not fast-forward {worktree}: {error.stderr.strip()}; then `callboard promote` again"
    return ""
