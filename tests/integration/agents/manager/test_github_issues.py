"""Issues that a deployment has fixed: real commits, and real HTTP to what stands for GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from github_server import GitHubServer
from servers import free_port
from workshop import Workshop, git

from callboard.agents.manager.github_issues import FixedIssues, fixed_issues
from callboard.agents.manager.promotion_settings import PromotionSettings


@dataclass
class Place:
    workshop: Workshop
    github: GitHubServer
    before: str
    commit: str

    def close(self, token: str = "ghp_right", **settings: object) -> tuple[str, ...]:
        given = {"repository": "o/r", "api_url": self.github.url, **settings}
        promotion = PromotionSettings.model_validate(given)
        return FixedIssues(promotion, self.workshop.repository, {"GITHUB_TOKEN": token}).close(self.before, self.commit)

    @property
    def states(self) -> dict[int, object]:
        return {number: issue["state"] for number, issue in self.github.issues.items()}


@pytest.fixture
def place(workshop: Workshop, tmp_path: Path) -> Iterator[Place]:
    root = workshop.root
    git(root, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(root, "commit", "--quiet", "--allow-empty", "--message=earlier, fixes #1")
    before = git(root, "rev-parse", "HEAD")
    git(root, "commit", "--quiet", "--allow-empty", "--message=one\n\nFixes #2 and fixes: #7")
    git(root, "commit", "--quiet", "--allow-empty", "--message=two, fixes #3; see #4")
    github = GitHubServer(issues={number: {"state": "open"} for number in (1, 2, 3, 4)})
    github.issues[3]["state"] = "closed"
    github.start()
    yield Place(workshop, github, before, git(root, "rev-parse", "HEAD"))
    github.stop()


def test_what_the_commits_of_a_deployment_fix_is_closed_and_one_that_fails_keeps_no_other_open(place: Place) -> None:
    assert place.close() == (
        "issue #2 is closed on GitHub",
        "issue #3 is closed on GitHub already",
        "issue #7 could not be closed in o/r (GitHub answered 404): close it by hand",
    )
    assert place.states == {1: "open", 2: "closed", 3: "closed", 4: "open"}


def test_the_same_again_closes_nothing_anew(place: Place) -> None:
    place.close()
    place.github.asked.clear()
    assert place.close()[0] == "issue #2 is closed on GitHub already"
    assert [asked for asked in place.github.asked if not asked.startswith("GET")] == []


def test_no_token_and_no_network_are_said_and_raise_nothing(place: Place) -> None:
    assert "GITHUB_TOKEN is not set" in place.close(token="")[0]
    [said] = place.close(api_url=f"http://127.0.0.1:{free_port()}")
    assert "cannot be reached" in said
    assert place.states[2] == "open"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("fixes #3, fixes #1, fixes #3", (1, 3)), ("prefixes #3", ()), ("fixes #0 #4 fix #5", ()), ("fixes #12ab", ())],
)
def test_only_fixes_and_a_number_name_an_issue(text: str, numbers: tuple[int, ...]) -> None:
    assert fixed_issues(text) == numbers
