"""Pull requests at GitHub, through PyGithub: imported when one is wanted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from callboard.agents.manager.promotion_settings import PromotionSettings
from callboard.agents.manager.pull_request import PullRequest, Wanted
from callboard.agents.workspace.push import Remote
from callboard.bus.errors import PromotionFailed
from callboard.feedback.facts import time_fact

if TYPE_CHECKING:
    from github import Github, GithubException
    from github.PullRequest import PullRequest as Found
    from github.Repository import Repository as Place

TIMEOUT_S = 20
"""For each request; nothing is tried again by itself, since a person, or the next end of the run, does."""
PAGE = 30
AGAIN = "then `callboard promote` again"


class GitHub:
    """One repository's pull requests.

    Args:
        token: Must be able to write pull requests there.

    Raises:
        PromotionFailed: There is no token, or nobody knows which repository is meant.
    """

    def __init__(self, settings: PromotionSettings, remote: Remote, token: str) -> None:
        self._variable = settings.token_env
        if not token:
            raise PromotionFailed(f"a pull request takes a token, and {self._variable} is not set: export it, {AGAIN}")
        self._token = token
        self.slug = settings.repository or _slug(remote)
        self.api = settings.api_url or api_of(remote)

    def ensure(self, wanted: Wanted) -> PullRequest:
        """See Host."""
        from github import GithubException
        from requests import RequestException

        client = self.connect()
        try:
            return self._ensure(client.get_repo(self.slug), wanted)
        except GithubException as error:
            raise PromotionFailed(self._told(error)) from error
        except RequestException as error:
            kind = type(error).__name__
            raise PromotionFailed(f"{self.api} cannot be reached ({kind}): see to the network, {AGAIN}") from error
        finally:
            client.close()

    def connect(self) -> Github:
        """A client that asks nothing yet; to be closed."""
        from github import Auth, Github

        return Github(
            auth=Auth.Token(self._token),
            base_url=self.api,
            timeout=TIMEOUT_S,
            retry=None,
            per_page=PAGE,
            seconds_between_requests=None,
            seconds_between_writes=None,
            user_agent="callboard",
            lazy=True,
        )

    def _ensure(self, place: Place, wanted: Wanted) -> PullRequest:
        known = self._known(place, wanted)
        is_open = next((one for one in known if one.state == "open"), None)
        if is_open is not None:
            if (is_open.title, is_open.body) != (wanted.title, wanted.text):
                is_open.edit(title=wanted.title, body=wanted.text)
            return PullRequest(is_open.html_url)
        merged = next((one for one in known if one.merged_at and one.head.sha == wanted.commit), None)
        if merged is not None:
            return PullRequest(merged.html_url, is_merged=True)
        made = place.create_pull(base=wanted.target, head=wanted.branch, title=wanted.title, body=wanted.text)
        return PullRequest(made.html_url)

    def _known(self, place: Place, wanted: Wanted) -> list[Found]:
        """Of that branch, for that target: GitHub leaves out a filter that it does not understand."""
        owner = self.slug.partition("/")[0]
        found = place.get_pulls(
            state="all", head=f"{owner}:{wanted.branch}", base=wanted.target, sort="created", direction="desc"
        )
        return [one for one in found.get_page(0) if (one.head.ref, one.base.ref) == (wanted.branch, wanted.target)]

    def _told(self, error: GithubException) -> str:
        """What GitHub's answer means, and the way out."""
        status, reason = error.status, _reason(error)
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        if status in (403, 429) and (headers.get("x-ratelimit-remaining") == "0" or "rate limit" in reason.lower()):
            return f"GitHub takes no more requests of this token{_until(headers.get('x-ratelimit-reset', ''))} ({status}): wait, {AGAIN}"
        match status:
            case 401:
                return f"GitHub refused the token in {self._variable} (401): give it one that is valid, {AGAIN}"
            case 403:
                return (
                    f"the token in {self._variable} may not do this in {self.slug} (403: {reason}): give it the permission "
                    f"to write pull requests there, {AGAIN}"
                )
            case 404:
                return (
                    f"GitHub shows no repository {self.slug} to the token in {self._variable} (404): check `[promotion] "
                    f"repository` and what the token may see, {AGAIN}"
                )
            case 422:
                return f"GitHub refused the pull request in {self.slug} (422: {reason})"
        return f"GitHub answered {status} ({reason}): {AGAIN}"


def api_of(remote: Remote) -> str:
    """Where the API of a remote's host is."""
    return (
        "https://api.github.com"
        if remote.host in ("github.com", "ssh.github.com", "")
        else f"https://{remote.host}/api/v3"
    )


def _slug(remote: Remote) -> str:
    parts = remote.path.removesuffix(".git").split("/")
    if not remote.host or len(parts) != 2 or not all(parts):
        raise PromotionFailed(
            f"nobody knows which repository {remote.shown} is on GitHub: set `[promotion] repository` to OWNER/NAME"
        )
    return "/".join(parts)


def _reason(error: GithubException) -> str:
    """GitHub's message with what it says of each field, on one line."""
    data = error.data
    if not isinstance(data, dict):
        return str(data)[:200] if data else "no reason given"
    errors = data.get("errors")
    told = [one.get("message") or one.get("code") or "" if isinstance(one, dict) else str(one) for one in errors or []]
    said = [str(data.get("message") or ""), *map(str, told)]
    return "; ".join(filter(None, said))[:300].replace("\n", " ") or "no reason given"


def _until(reset: str) -> str:
    return f" until {time_fact(datetime.fromtimestamp(int(reset), UTC))}" if reset.isdigit() and len(reset) < 12 else ""
