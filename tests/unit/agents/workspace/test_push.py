"""Where a push goes, over what, and that it is never forced."""

from __future__ import annotations

from pathlib import Path

import pytest

from callboard.agents.manager.github import GitHub, api_of
from callboard.agents.manager.promotion_settings import PromotionSettings
from callboard.agents.workspace.push import Remote, login, push_argv, push_environment, read_remote
from callboard.bus.errors import PromotionFailed, WorkspaceError

SHA = "a" * 40


@pytest.mark.parametrize(
    ("url", "scheme", "host", "path"),
    [
        ("https://github.com/o/r.git", "https", "github.com", "o/r.git"),
        ("https://user:pw@git.example.org/o/r", "https", "git.example.org", "o/r"),
        ("ssh://git@github.com/o/r.git", "ssh", "github.com", "o/r.git"),
        ("git@github.com:o/r.git", "ssh", "github.com", "o/r.git"),
        ("/srv/r.git", "file", "", "/srv/r.git"),
        ("../r.git", "file", "", "../r.git"),
        ("file:///srv/r.git", "file", "", "/srv/r.git"),
    ],
)
def test_a_remotes_url_says_what_git_may_speak(url: str, scheme: str, host: str, path: str) -> None:
    found = read_remote("origin", url)
    assert (found.scheme, found.host, found.path) == (scheme, host, path)
    assert "pw" not in found.shown
    assert push_environment(found, {})["GIT_ALLOW_PROTOCOL"] == scheme


@pytest.mark.parametrize(
    "url", ["http://github.com/o/r", "git://h/r", "ext::sh -c id", "--upload-pack=id", "ftp://h/r"]
)
def test_other_protocols_are_refused(url: str) -> None:
    with pytest.raises(WorkspaceError, match="pushes over https and ssh"):
        read_remote("origin", url)


def test_nothing_is_forced_and_no_login_stands_on_the_command_line() -> None:
    remote = read_remote("origin", "https://github.com/o/r.git")
    argv = push_argv(remote, SHA, "callboard/r")
    assert argv[-2:] == ["https://github.com/o/r.git", f"{SHA}:refs/heads/callboard/r"]
    assert "--end-of-options" in argv
    assert not any(word.startswith("+") or word in ("--force", "-f", "--force-with-lease") for word in argv)


def test_the_login_for_https_is_in_a_file_of_our_own_for_that_site_and_gone_afterwards() -> None:
    remote = read_remote("origin", "https://git.example.org:8443/o/r")
    with login(remote, "ghp_secret") as env:
        path = Path(env["GIT_CONFIG_GLOBAL"])
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text().splitlines() == [
            '[http "https://git.example.org:8443/"]',
            "\textraHeader = Authorization: Basic eC1hY2Nlc3MtdG9rZW46Z2hwX3NlY3JldA==",
        ]
    assert not path.exists()
    for other in (read_remote("origin", "git@h:o/r"), read_remote("origin", "/srv/r.git")):
        with login(other, "ghp_secret") as env:
            assert env == {}


def test_ssh_asks_nothing_and_gets_its_agent_alone() -> None:
    env = push_environment(read_remote("origin", "git@h:o/r"), {"SSH_AUTH_SOCK": "/run/agent", "AWS_KEY": "x"})
    assert env["SSH_AUTH_SOCK"] == "/run/agent"
    assert "BatchMode=yes" in env["GIT_SSH_COMMAND"]
    assert "AWS_KEY" not in env


@pytest.mark.parametrize(
    ("url", "slug", "api"),
    [
        ("git@github.com:o/r.git", "o/r", "https://api.github.com"),
        ("https://github.example.org/team/app", "team/app", "https://github.example.org/api/v3"),
    ],
)
def test_the_repository_and_its_api_follow_from_the_remote(url: str, slug: str, api: str) -> None:
    found = GitHub(PromotionSettings(), read_remote("origin", url), "token")
    assert (found.slug, found.api) == (slug, api)


@pytest.mark.parametrize("path", ["r.git", "a/b/c", "/srv/r.git"])
def test_a_remote_that_is_no_owner_and_name_has_to_be_named(path: str) -> None:
    remote = Remote("origin", path, "https", "h", path)
    with pytest.raises(PromotionFailed, match="set `\\[promotion\\] repository` to OWNER/NAME"):
        GitHub(PromotionSettings(), remote, "token")
    assert api_of(remote) == "https://h/api/v3"
