"""Promotion by a pull request: the integration branch is pushed, and one pull request is opened or brought up to date."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from callboard.agents.manager import summary
from callboard.agents.manager.decision import newest
from callboard.agents.manager.promotion_settings import PromotionSettings
from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.push import Remote, find_remote, push
from callboard.bus.board import Board, TaskDoc, TaskState
from callboard.bus.errors import PromotionFailed, WorkspaceError
from callboard.bus.messages import PromotionFinished, PromotionRequested

MOST_TASKS = 200
"""Tasks that the text lists; GitHub takes 65,536 characters."""
_MARKUP = re.compile(r"([\\`*_\[\]<>|#~])")
_MENTION = re.compile(r"@(?=\w)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The pull request as it should be."""

    branch: str
    commit: str
    target: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class PullRequest:
    url: str
    is_merged: bool = False


class Host(Protocol):
    """Where pull requests are."""

    def ensure(self, wanted: Wanted) -> PullRequest:
        """The open pull request of that branch, made as wanted or brought up to it; a merged one of just that commit as it is.

        Raises:
            PromotionFailed: What was tried, and the way out.
        """
        ...


class ByPullRequest:
    """Pushes and asks; every step may be repeated.

    Args:
        host: Gives the place that a remote's pull requests are at.
        clean: Takes secrets out of a text.
    """

    def __init__(
        self,
        settings: PromotionSettings,
        repository: Repository,
        environ: Mapping[str, str],
        clean: Callable[[str], str],
        host: Callable[[Remote], Host],
    ) -> None:
        self._settings = settings
        self._repository = repository
        self._environ = environ
        self._clean = clean
        self._host = host

    def promote(self, board: Board, request: PromotionRequested) -> PromotionFinished:
        run = board.run
        done = PromotionFinished(command=request.command, ok=True, target=run.target, new=run.head)
        token = self._environ.get(self._settings.token_env, "")
        try:
            remote = find_remote(self._repository, self._settings.remote)
            host = self._host(remote)
            push(self._repository, remote, run.head, run.integration, token=token, environ=self._environ)
            made = host.ensure(Wanted(run.integration, run.head, run.target, title(board), self._clean(text(board))))
        except (PromotionFailed, WorkspaceError) as error:
            return done.model_copy(update={"ok": False, "reason": self._clean(str(error))})
        return done.model_copy(update={"pull_request": made.url, "is_merged": made.is_merged})


def title(board: Board) -> str:
    done = len(_landed(board))
    return f"Callboard run {board.run.id}: {done} {'task' if done == 1 else 'tasks'}"


def text(board: Board) -> str:
    """The run's summary as Markdown, in which no task's title calls anybody or closes anything."""
    run, landed = board.run, _landed(board)
    lines = [f"What run `{run.id}` landed on `{run.integration}`, up to {run.head}.", "", *_tasks(landed[:MOST_TASKS])]
    if len(landed) > MOST_TASKS:
        lines.append(f"- and {len(landed) - MOST_TASKS} more")
    lines += ["", "| | |", "|---|---|"]
    lines += [
        f"| {_plain(name)} | {_plain(rest.strip())} |" for name, _, rest in (_fact(one) for one in summary.facts(board))
    ]
    lines += [f"| gate failures | {run.gate_failures} |", f"| sent back by reviewers | {run.review_rejections} |"]
    return "\n".join(
        [*lines, "", "Every landing on this branch has passed the project's gate and a review by three.", ""]
    )


def _fact(said: str) -> tuple[str, str, str]:
    return said.partition(":") if ":" in said else ("tasks", ":", said)


def _landed(board: Board) -> list[TaskDoc]:
    return [task for task in newest(board).values() if task.landed and task.state is TaskState.DONE]


def _tasks(landed: list[TaskDoc]) -> Iterator[str]:
    for task in landed:
        approved = ", ".join(name for name, verdict in sorted(task.verdicts.items()) if verdict.vote == "approved")
        by = f" by {task.agent}" + (f", approved by {approved}" if approved else "")
        yield f"- `{task.id}` {_plain(task.task.title)}{by}"


def _plain(said: str) -> str:
    """GitHub joins `#1` and `@name` however they are escaped, so something that nobody sees stands between."""
    safe = _MENTION.sub("@\u200b", _MARKUP.sub(r"\\\1", _CONTROL.sub(" ", said)))
    return re.sub(r"#(?=\d)", "#\u200b", safe)
