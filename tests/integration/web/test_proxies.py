"""Behind a proxy: everything lies below the path where it has put us, and of callers only a proxy that was named is believed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from served import Served
from starlette.types import Receive, Scope, Send

from callboard.app import Workspace
from callboard.web.app import create
from callboard.web.server import config

PATH = "/callboard"
SAID = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def behind(workspace: Workspace) -> Iterator[Served]:
    running = Served(create(workspace, root_path=PATH))
    yield running
    running.stop()


@pytest.mark.parametrize("asked_at", ["", PATH], ids=["a proxy that takes its path off", "one that leaves it on"])
def test_what_it_names_lies_below_the_path_of_the_proxy(behind: Served, board: str, reader: str, asked_at: str) -> None:
    first = behind.ask(f"{asked_at}/agents?limit=1", reader)
    assert first.headers["link"].startswith(f"<{behind.url}{PATH}/agents?")
    assert behind.ask(f"{asked_at}/dashboard").headers["location"].startswith(f"{PATH}/login")
    assert behind.ask(f"{asked_at}/openapi.json").json["servers"] == [{"url": PATH}]
    for page in ("docs", "redoc", "login"):
        named = set(
            re.findall(r'(?:src|href|action|url)=?:? ?"(/[^"]*)"', behind.ask(f"{asked_at}/{page}").body.decode())
        )
        assert named, page
        for place in named:
            assert place.startswith(f"{PATH}/"), (page, place)
            assert behind.ask(place).status in (200, 303), place


async def who(scope: Scope, receive: Receive, send: Send) -> None:
    """Says whom it takes for its caller, and how it believes to be asked."""
    said = f"{scope['client'][0]} {scope['scheme']}".encode() if scope["type"] == "http" else b""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": said})


@pytest.mark.parametrize(
    ("proxies", "said"),
    [((), "127.0.0.1 http"), (("10.0.0.1",), "127.0.0.1 http"), (("127.0.0.0/8",), "192.0.2.7 https")],
)
def test_only_a_proxy_that_was_named_says_who_asks(proxies: tuple[str, ...], said: str) -> None:
    made = config(who, proxies=proxies)
    made.load()
    running = Served(made.loaded_app, proxy_headers=False, lifespan="off")
    try:
        assert running.ask("/", headers=SAID).body.decode() == said
    finally:
        running.stop()
