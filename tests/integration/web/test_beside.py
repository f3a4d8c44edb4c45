"""The dashboard beside a launch: nothing until somebody comes, and nothing that the run depends on."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import urllib.request
from pathlib import Path
from urllib.error import URLError
from urllib.parse import parse_qs, urlsplit

import pytest
from roster import Workspace as Made
from roster import task

from callboard.app import Workspace
from callboard.web.beside import Dashboard, address_file
from callboard.web.listening import listen_on_localhost
from callboard.web.tokens import Tokens

SERVES = """
import pathlib, select, socket, sys
pathlib.Path("came").touch()
every = [socket.socket(fileno=int(word)) for word in sys.argv[1:]]
caller, _ = select.select(every, [], [])[0][0].accept()
caller.settimeout(None)
caller.recv(65536)
caller.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nhere")
caller.close()
sys.stdin.read()
pathlib.Path("ended").touch()
"""
"""Answers once, then waits until whoever started it is gone."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    made = Made(tmp_path_factory.mktemp("beside") / "greenroom")
    made.init({"driver-1": task("1 - One")})
    return made


@pytest.fixture
def workspace(made: Made) -> Workspace:
    for name in ("came", "ended"):
        (made.path / name).unlink(missing_ok=True)
    return Workspace.open(made.path, dict(os.environ))


def dashboard(code: str) -> Dashboard:
    return Dashboard(lambda: "ada", (sys.executable, "-c", code))


def url_in(said: list[str]) -> str:
    return next(line for line in said if line.startswith("http"))


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


@pytest.mark.timeout(120)
def test_who_opens_the_link_is_served_until_the_launch_ends(workspace: Workspace) -> None:
    said: list[str] = []

    async def work() -> None:
        async with dashboard(SERVES)(workspace, said.append):
            assert address_file(workspace).read_text() == url_in(said).partition("/login")[0]
            assert await asyncio.to_thread(get, url_in(said)) == "here"

    asyncio.run(work())
    assert (workspace.root / "ended").exists()
    assert not address_file(workspace).exists()
    assert len(said) == 2


def test_the_link_is_good_once_and_for_no_longer_than_the_launch(workspace: Workspace) -> None:
    said: list[str] = []
    tokens = Tokens(workspace.layout.tokens)

    async def work() -> None:
        async with dashboard(SERVES)(workspace, said.append):
            found = tokens.find(code(), "login")
            assert found is not None
            assert (found.name, found.scopes) == ("ada", ("read", "answer", "operate"))

    def code() -> str:
        return parse_qs(urlsplit(url_in(said)).query)["code"][0]

    asyncio.run(work())
    assert tokens.find(code(), "login") is None


def test_nothing_is_started_for_nobody(workspace: Workspace) -> None:
    said: list[str] = []

    async def work() -> None:
        async with dashboard(SERVES)(workspace, said.append):
            pass

    asyncio.run(work())
    assert not (workspace.root / "came").exists()
    with pytest.raises(URLError):
        get(url_in(said))


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("argv", "line"),
    [
        ((sys.executable, "-c", "raise SystemExit(3)"), "died (exit code 3)"),
        (("/nowhere/python",), "could not be started"),
    ],
)
def test_what_dies_is_told_in_a_line_and_disturbs_nobody(
    workspace: Workspace, argv: tuple[str, ...], line: str
) -> None:
    said: list[str] = []

    async def work() -> None:
        told = asyncio.Event()

        def say(text: str) -> None:
            said.append(text)
            if "the run goes on" in text:
                told.set()

        async with Dashboard(lambda: "ada", argv)(workspace, say):
            with pytest.raises(OSError, match=r"refused|reset|closed"):
                await asyncio.to_thread(get, url_in(said))
            await told.wait()

    asyncio.run(work())
    assert line in said[2]
    assert "the run goes on" in said[2]


def test_a_launch_goes_on_where_no_link_can_be_made(workspace: Workspace) -> None:
    tokens, said, done = workspace.layout.tokens, list[str](), list[str]()
    tokens.parent.mkdir(parents=True, exist_ok=True)
    tokens.write_text("no list")

    async def work() -> None:
        async with dashboard(SERVES)(workspace, said.append):
            done.append("the run")

    try:
        asyncio.run(work())
    finally:
        tokens.unlink()
    assert done == ["the run"]
    assert len(said) == 1
    assert "there is no dashboard" in said[0]
    assert "no list of tokens" in said[0]


def test_where_the_usual_port_is_taken_another_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = listen_on_localhost(port)
        try:
            ports = {one.getsockname()[1] for one in found}
            assert len(ports) == 1
            assert ports != {port}
        finally:
            for one in found:
                one.close()


def test_nobody_else_listens_at_the_same_port_of_localhost() -> None:
    """A browser may try ::1 first; who listens there would be shown the link."""
    if not Path("/proc/net/if_inet6").exists() or not Path("/proc/net/if_inet6").read_text().strip():
        assert len(listen_on_localhost(0)) == 1
        return
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        port = other.getsockname()[1]
        found = listen_on_localhost(port)
        try:
            assert len(found) == 2
            assert port not in {one.getsockname()[1] for one in found}
        finally:
            for one in found:
                one.close()
