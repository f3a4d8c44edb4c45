"""Promotion by a pull request: real pushes to a real remote, and real HTTP to what stands for GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from boards import intent_doc, task_doc
from github_server import GitHubServer, said
from loopback_http import Answer
from servers import free_port
from workshop import Workshop, git

from callboard.agents.manager.promotion import promoter
from callboard.agents.manager.promotion_settings import PromotionSettings
from callboard.bus.board import Board, RunDoc, TaskState, Verdict
from callboard.bus.messages import PromotionFinished, PromotionRequested

ASKED = PromotionRequested(command="c")
TOKEN = "ghp_right"
BRANCH = "callboard/r"


@dataclass
class Place:
    """A repository with a landed run, its bare remote, and GitHub."""

    workshop: Workshop
    remote: Path
    github: GitHubServer
    run: RunDoc
    environ: dict[str, str]

    def promote(self, **settings: object) -> PromotionFinished:
        given = {"by": "pull-request", "repository": "o/r", "api_url": self.github.url, **settings}
        clean = {"hunter2": "[redacted]"}
        made = promoter(
            PromotionSettings.model_validate(given),
            self.workshop.repository,
            self.environ,
            lambda text: text.replace("hunter2", clean["hunter2"]),
        )
        verdicts = {"senior": Verdict(vote="approved"), "junior-1": Verdict(vote="needs_revision")}
        title = "Greet @everyone, closes #1 with hunter2"
        landed = task_doc(1, title, TaskState.DONE, attempt=1, landed="c" * 40, verdicts=verdicts)
        lost = task_doc(2, "Lost", TaskState.CANCELLED)
        docs = {"run": self.run, "task:T-1": landed, "task:T-2": lost, "intent:I-1": intent_doc(1, "T-1")}
        return made.promote(Board(docs), ASKED)

    @property
    def pushed(self) -> str:
        return git(self.remote, "for-each-ref", "--format=%(refname) %(objectname)")


@pytest.fixture
def place(workshop: Workshop, tmp_path: Path) -> Iterator[Place]:
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "--quiet", "--bare", str(remote))
    git(workshop.root, "remote", "add", "origin", str(remote))
    base = workshop.head
    git(workshop.root, "checkout", "--quiet", "-b", BRANCH)
    head = workshop.commit({"new.py": "x\n"})
    git(workshop.root, "checkout", "--quiet", "main")
    github = GitHubServer()
    github.start()
    run = RunDoc(version=1, id="r", state="succeeded", base=base, head=head, integration=BRANCH, target="main")
    yield Place(workshop, remote, github, run, {"GITHUB_TOKEN": TOKEN})
    github.stop()


def test_the_branch_is_pushed_and_a_pull_request_opened_with_the_runs_summary(place: Place) -> None:
    finished = place.promote()
    url = "https://github.example/o/r/pull/1"
    assert (finished.ok, finished.pull_request, finished.is_merged) == (True, url, False), finished.reason
    assert place.pushed == f"refs/heads/{BRANCH} {place.run.head}"
    assert git(place.workshop.root, "rev-parse", "main") == place.run.base
    [pull] = place.github.pulls
    assert (pull["title"], pull["head"], pull["base"]) == (
        "Callboard run r: 1 task",
        {"ref": BRANCH, "sha": ""},
        {"ref": "main"},
    )
    body = str(pull["body"])
    assert "- `T-1` Greet @\u200beveryone, closes \\#\u200b1 with [redacted] by driver-1, approved by senior" in body
    assert "| tasks | 1 done, 1 cancelled |" in body
    assert "Lost" not in body
    assert place.run.head in body


def test_the_same_again_finds_it_and_changes_nothing_and_more_brings_it_up_to_date(place: Place) -> None:
    first = place.promote()
    place.github.asked.clear()
    assert place.promote() == first
    assert place.github.asked == ["GET /repos/o/r/pulls"]
    git(place.workshop.root, "checkout", "--quiet", BRANCH)
    place.run = place.run.model_copy(update={"head": place.workshop.commit({"more.py": "y\n"})})
    again = place.promote()
    assert (again.pull_request, len(place.github.pulls)) == (first.pull_request, 1)
    assert place.github.asked[-1] == "PATCH /repos/o/r/pulls/1"
    assert place.run.head in place.pushed
    assert place.run.head in str(place.github.pulls[0]["body"])


def test_one_that_people_merged_is_noticed_and_a_merged_one_of_other_commits_is_not_it(place: Place) -> None:
    place.promote()
    place.github.merge(1, place.run.head)
    merged = place.promote()
    assert (merged.is_merged, len(place.github.pulls)) == (True, 1)
    place.github.merge(1, "d" * 40)
    assert place.promote().pull_request.endswith("/2")


def test_a_pull_request_of_another_branch_is_left_alone(place: Place) -> None:
    place.promote()
    place.github.pulls[0]["head"] = {"ref": "other", "sha": ""}
    place.github.pulls[0]["title"] = "theirs"
    assert place.promote().pull_request.endswith("/2")
    assert place.github.pulls[0]["title"] == "theirs"


def test_a_remote_branch_with_other_commits_is_never_overwritten(place: Place) -> None:
    place.promote()
    git(place.workshop.root, "checkout", "--quiet", "-b", "other", place.run.base)
    theirs = place.workshop.commit({"theirs.py": "x\n"})
    git(place.workshop.root, "push", "--quiet", "--force", "origin", f"other:refs/heads/{BRANCH}")
    place.github.asked.clear()
    finished = place.promote()
    assert not finished.ok
    assert f"{BRANCH} on origin" in finished.reason
    assert "nothing is ever pushed by force" in finished.reason
    assert theirs in place.pushed
    assert place.github.asked == []


@pytest.mark.parametrize(
    ("refuses", "why"),
    [
        (said(401, {"message": "Bad credentials"}), "refused the token in GITHUB_TOKEN (401)"),
        (said(403, {"message": "Resource not accessible"}), "may not do this in o/r (403: Resource not accessible)"),
        (said(404, {"message": "Not Found"}), "shows no repository o/r to the token in GITHUB_TOKEN (404)"),
        (
            said(422, {"message": "Validation Failed", "errors": [{"message": "No commits between"}]}),
            "refused the pull request in o/r (422: Validation Failed; No commits between)",
        ),
        (
            said(
                403, {"message": "API rate limit exceeded"}, x_ratelimit_remaining="0", x_ratelimit_reset="1795262400"
            ),
            "takes no more requests of this token until 2026-11-21 12:00:00Z (403): wait",
        ),
        (said(429, {"message": "slow down: rate limit"}), "takes no more requests of this token (429)"),
        (Answer(502, {"content-type": "text/html"}, b"<html>bad gateway"), "GitHub answered 502"),
    ],
)
def test_what_github_refuses_is_told_with_the_way_out(place: Place, refuses: Answer, why: str) -> None:
    place.github.refuses = refuses
    finished = place.promote()
    assert not finished.ok
    assert why in finished.reason
    assert TOKEN not in finished.reason


def test_a_github_that_is_not_there_is_told(place: Place) -> None:
    finished = place.promote(api_url=f"http://127.0.0.1:{free_port()}")
    assert "cannot be reached (ConnectionError): see to the network" in finished.reason


def test_what_is_missing_is_said_before_anything_is_pushed(place: Place) -> None:
    assert "nobody knows which repository" in place.promote(repository="").reason
    place.environ.clear()
    assert "GITHUB_TOKEN is not set" in place.promote().reason
    assert "there is no remote upstream" in place.promote(remote="upstream").reason
    assert place.pushed == ""


def test_a_remote_that_is_not_there_is_told(place: Place) -> None:
    git(place.workshop.root, "remote", "set-url", "origin", str(place.remote) + "-gone")
    assert "could not be reached or refused the login" in place.promote().reason
