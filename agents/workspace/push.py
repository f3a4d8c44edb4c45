"""Pushes one commit to one branch of the configured remote; never by force, and with no login but the one that is given."""

from __future__ import annotations

import base64
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from callboard.agents.workspace.git_names import checked_sha, full_ref
from callboard.agents.workspace.git_reader import GitReader
from callboard.bus.errors import GitError, WorkspaceError

RECEIVE_PACK = "git -c safe.directory='*' receive-pack"
"""For a remote that is a folder; a constant, since git gives it to a shell."""
_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[A-Za-z0-9][\w.-]*):(?P<path>(?!/?/)[^\s]+)")


@dataclass(frozen=True, slots=True)
class Remote:
    """Where to push."""

    name: str
    url: str
    scheme: str
    """https, ssh or file: the only protocol that git may then speak."""
    host: str
    """"" for a folder."""
    path: str
    port: int | None = None
    """Where it is not the protocol's own."""

    @property
    def site(self) -> str:
        """What a login for https is good for."""
        return f"https://{self.host}{f':{self.port}' if self.port else ''}/"

    @property
    def shown(self) -> str:
        """Without a login."""
        return f"{self.name} ({self.host or self.path})"


def find_remote(repository: GitReader, name: str) -> Remote:
    """The remote as the repository has it.

    Raises:
        WorkspaceError: There is none, or it is reached by what Callboard does not push over.
    """
    found = repository.run("remote", "get-url", "--push", name, accept=(0, 2, 128))
    if found.exit_code or not found.text.strip():
        raise WorkspaceError(
            f"there is no remote {name}; add it (`git remote add {name} URL`) or set `[promotion] remote`"
        )
    return read_remote(name, found.text.splitlines()[0])


def read_remote(name: str, url: str) -> Remote:
    """Take a URL apart as git does.

    Raises:
        WorkspaceError: As above.
    """
    if "://" in url:
        parts = urlsplit(url)
        if parts.scheme in ("https", "ssh", "file"):
            path = parts.path.strip("/") if parts.hostname else parts.path
            return Remote(name, url, parts.scheme, parts.hostname or "", path, parts.port)
        raise WorkspaceError(
            f"remote {name} is reached by {parts.scheme}; Callboard pushes over https and ssh, and to a folder"
        )
    scp = _SCP.fullmatch(url)
    if scp:
        return Remote(name, url, "ssh", scp["host"], scp["path"].strip("/"))
    if "::" in url or url.startswith("-"):
        raise WorkspaceError(
            f"remote {name} has a URL that Callboard does not push to; it pushes over https and ssh, and to a folder"
        )
    return Remote(name, url, "file", "", url)


def push(
    repository: GitReader, remote: Remote, commit: str, branch: str, *, token: str, environ: Mapping[str, str]
) -> None:
    """Bring the remote's branch to the commit; the same again is fine.

    Args:
        token: For https; "" = only what the repository's own configuration says.
        environ: Where ssh's agent is.

    Raises:
        WorkspaceError: It has commits that this one does not contain, or did not take it; nothing was overwritten.
    """
    argv = push_argv(remote, commit, branch)
    try:
        with login(remote, token) as given:
            done = repository.run(*argv, env={**push_environment(remote, environ), **given}, accept=(0, 1))
    except GitError as error:
        said = error.stderr.strip().splitlines()
        reason = said[-1] if said else str(error)
        raise WorkspaceError(f"{remote.shown} could not be reached or refused the login: {reason}") from error
    if done.exit_code:
        raise WorkspaceError(_refusal(remote, branch, f"{done.text}\n{done.stderr}"))


def push_argv(remote: Remote, commit: str, branch: str) -> list[str]:
    """The command line behind `git`. No `+` and no `--force`: a branch that went elsewhere stays as it is."""
    flags = [
        "--porcelain",
        "--no-verify",
        "--no-follow-tags",
        "--no-signed",
        "--no-recurse-submodules",
        "--no-force-if-includes",
    ]
    taker = [f"--receive-pack={RECEIVE_PACK}"] if remote.scheme == "file" else []
    return ["push", *flags, *taker, "--end-of-options", remote.url, f"{checked_sha(commit)}:{full_ref(branch)}"]


def push_environment(remote: Remote, environ: Mapping[str, str]) -> dict[str, str]:
    """What git sees besides; ssh asks nothing, and trusts only hosts that it knows."""
    env = {"GIT_ALLOW_PROTOCOL": remote.scheme}
    if remote.scheme == "ssh":
        env["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes"
        env |= {"SSH_AUTH_SOCK": environ["SSH_AUTH_SOCK"]} if "SSH_AUTH_SOCK" in environ else {}
    return env


@contextmanager
def login(remote: Remote, token: str) -> Iterator[dict[str, str]]:
    """A configuration file that only we can read: on a command line every user of the machine could see the token."""
    if remote.scheme != "https" or not token:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="callboard-push-") as folder:
        path = Path(folder, "config")
        path.touch(mode=0o600)
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        path.write_text(f'[http "{remote.site}"]\n\textraHeader = Authorization: Basic {basic}\n')
        yield {"GIT_CONFIG_GLOBAL": os.fspath(path)}


def _refusal(remote: Remote, branch: str, said: str) -> str:
    if any(word in said for word in ("non-fast-forward", "fetch first", "stale info")):
        return (
            f"{branch} on {remote.shown} has commits that this run does not contain, and nothing is ever pushed by force: "
            f"look at it, and delete it there if nobody needs it; then `callboard promote` again"
        )
    lines = [line.removeprefix("!").strip() for line in said.splitlines() if line.startswith("!")]
    return f"{remote.shown} refused {branch}: {'; '.join(lines) or said.strip()[-300:]}"
