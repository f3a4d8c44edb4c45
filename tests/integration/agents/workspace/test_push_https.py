"""A push over HTTPS: to a server with a certificate, that wants a login."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import make_certificates
from git_https import TOKEN, GitHttps
from workshop import Workshop, git

from callboard.agents.workspace.push import find_remote, push
from callboard.bus.errors import WorkspaceError

BRANCH = "callboard/r"


@pytest.fixture
def server(workshop: Workshop, tmp_path: Path) -> Iterator[GitHttps]:
    """The workshop's remote; its authority is one that only the repository's configuration knows."""
    certificates = make_certificates(tmp_path)
    git(tmp_path, "init", "--quiet", "--bare", "hub/o/r.git")
    with GitHttps(tmp_path / "hub", certificates) as server:
        git(workshop.root, "remote", "add", "origin", f"{server.url}/o/r.git")
        git(workshop.root, "config", "http.sslCAInfo", str(certificates.authority))
        yield server


def pushed(workshop: Workshop, token: str = TOKEN) -> None:
    remote = find_remote(workshop.repository, "origin")
    push(workshop.repository, remote, workshop.head, BRANCH, token=token, environ={})


def at(tmp_path: Path) -> str:
    return git(tmp_path / "hub/o/r.git", "for-each-ref", "--format=%(refname) %(objectname)")


def test_a_branch_is_pushed_with_the_token_and_goes_on(workshop: Workshop, server: GitHttps, tmp_path: Path) -> None:
    pushed(workshop)
    assert at(tmp_path) == f"refs/heads/{BRANCH} {workshop.head}"
    assert all(is_known for _, is_known in server.asked), "the token goes along from the first request on"
    workshop.commit({"more.py": "x\n" * 100_000})
    pushed(workshop)
    pushed(workshop)
    assert at(tmp_path) == f"refs/heads/{BRANCH} {workshop.head}"


def test_what_others_pushed_is_not_overwritten(workshop: Workshop, server: GitHttps, tmp_path: Path) -> None:
    base = workshop.head
    theirs = workshop.commit({"theirs.py": "x\n"})
    pushed(workshop)
    git(workshop.root, "reset", "--hard", "--quiet", base)
    workshop.commit({"ours.py": "x\n"})
    with pytest.raises(WorkspaceError, match="commits"):
        pushed(workshop)
    assert at(tmp_path) == f"refs/heads/{BRANCH} {theirs}"


@pytest.mark.parametrize("token", ["", "ghp_wrong"])
def test_a_login_that_is_refused_is_said_without_the_token(
    workshop: Workshop, server: GitHttps, tmp_path: Path, token: str
) -> None:
    with pytest.raises(WorkspaceError, match="could not be reached or refused the login") as refused:
        pushed(workshop, token)
    assert "ghp_" not in str(refused.value)
    assert at(tmp_path) == ""


def test_a_server_whose_certificate_nobody_vouches_for_gets_no_token(
    workshop: Workshop, server: GitHttps, tmp_path: Path
) -> None:
    git(workshop.root, "config", "--unset", "http.sslCAInfo")
    with pytest.raises(WorkspaceError, match="could not be reached"):
        pushed(workshop)
    assert (server.asked, at(tmp_path)) == ([], "")
