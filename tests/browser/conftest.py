"""One Chromium for the tests of a file, and workspaces that are served to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import OpenWindow, Scheme, Window, chromium
from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """While it is open no other event loop can run in the tests' thread: what has to, runs `apart`."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def window(browser: Browser) -> Iterator[OpenWindow]:
    """Opens a person's browser; at the end none of its pages may have complained, or asked somebody else for something."""
    opened: list[Window] = []

    def open_one(scheme: Scheme = "light", width: int = 1280) -> Window:
        opened.append(Window.open(browser, scheme, width))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
