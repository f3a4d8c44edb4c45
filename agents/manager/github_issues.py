"""Issues at GitHub that a deployment has fixed: named by `fixes #N` in the messages of the commits that it brought."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from callboard.agents.manager.github import GitHub
from callboard.agents.manager.promotion_settings import PromotionSettings
from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.push import find_remote
from callboard.bus.errors import PromotionFailed, WorkspaceError

if TYPE_CHECKING:
    from github.Repository import Repository as Place

_FIXES = re.compile(r"\bfixes:?[ \t]+#([1-9][0-9]{0,8})\b", re.IGNORECASE)


class FixedIssues:
    """Closes them; the same again finds them closed."""

    def __init__(self, settings: PromotionSettings, repository: Repository, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._repository = repository
        self._environ = environ

    def close(self, before: str, commit: str) -> tuple[str, ...]:
        """Close what was fixed between two releases.

        Returns:
            What became of each issue, also that it could not be closed: nothing is raised.
        """
        try:
            told = self._repository.run("rev-list", "--format=tformat:%B", "--no-commit-header", commit, f"^{before}")
            numbers = fixed_issues(told.text)
            if not numbers:
                return ()
            remote = find_remote(self._repository, self._settings.remote)
            host = GitHub(self._settings, remote, self._environ.get(self._settings.token_env, ""))
            return tuple(_close(host, numbers))
        except (PromotionFailed, WorkspaceError) as error:
            return (f"issues that were fixed could not be closed on GitHub: {error}",)


def fixed_issues(messages: str) -> tuple[int, ...]:
    """The numbers, rising, each once."""
    return tuple(sorted({int(number) for number in _FIXES.findall(messages)}))


def _close(host: GitHub, numbers: Iterable[int]) -> Iterator[str]:
    from github import GithubException
    from requests import RequestException

    client = host.connect()
    try:
        place = client.get_repo(host.slug)
        for number in numbers:
            try:
                yield _closed(place, number)
            except GithubException as error:
                yield f"issue #{number} could not be closed in {host.slug} (GitHub answered {error.status}): close it by hand"
    except RequestException as error:
        yield f"{host.api} cannot be reached ({type(error).__name__}): close by hand what is fixed and still open there"
    finally:
        client.close()


def _closed(place: Place, number: int) -> str:
    issue = place.get_issue(number)
    if issue.pull_request is not None:
        return f"#{number} is a pull request and left as it is"
    if issue.state == "closed":
        return f"issue #{number} is closed on GitHub already"
    issue.edit(state="closed", state_reason="completed")
    return f"issue #{number} is closed on GitHub"
