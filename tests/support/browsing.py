"""A real Chromium for tests. It reaches nobody but this machine's loopback, and whatever asks for more is kept to be told."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = f"these tests need Chromium: none of {', '.join(NAMES)} is on PATH; `make browser` installs it where it can"
HANG_MS = 300_000.0
"""What is not there after so long never comes; nothing here is a clock."""
AXE = Path(__file__).parent / "axe" / "axe.min.js"
WALLS = (
    # a proxy that is not there, for everything but loopback, and no name that means anything
    "--proxy-server=http://127.0.0.1:9",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--disable-background-networking",
    "--disable-component-update",
)
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WIDTHS = (1280, 390)
"""A desktop's and a phone's."""


OpenWindow = Callable[..., "Window"]
"""The fixture `window` of tests/browser/conftest.py: colour scheme, width."""


def find_chromium() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; while it is open, no other event loop can run in this thread."""
    program = find_chromium()
    assert program is not None, MISSING
    expect.set_options(timeout=HANG_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=WALLS, timeout=HANG_MS)
        yield browser
        browser.close()


@dataclass(slots=True)
class Window:
    """One person's browser: its pages share cookies, a width and a colour scheme."""

    context: BrowserContext
    elsewhere: list[str] = field(default_factory=list)
    """What was asked of others than loopback."""
    faults: list[str] = field(default_factory=list)
    """What its pages complained of on their consoles: errors in scripts, refusals by the content security policy."""

    @classmethod
    def open(cls, browser: Browser, scheme: Scheme = "light", width: int = WIDTHS[0]) -> Window:
        height = 900 if width == WIDTHS[0] else 844
        context = browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        context.set_default_timeout(HANG_MS)
        window = cls(context)
        context.on("request", lambda request: window._asked(request.url))
        context.on("requestfailed", lambda request: window._failed(request))
        context.on("console", lambda message: window._said(message))
        context.on("weberror", lambda error: window.faults.append(str(error.error)))
        return window

    def page(self, url: str) -> Page:
        page = self.context.new_page()
        page.goto(url)
        return page

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.hostname not in ("127.0.0.1", "localhost"):
            self.elsewhere.append(url)

    def _failed(self, request: Request) -> None:
        if request.failure == "csp":  # the page's policy kept it from being asked
            self.elsewhere.remove(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(message.text)

    def close(self) -> None:
        """Close it.

        Raises:
            AssertionError: A page asked somebody else for something, or complained.
        """
        self.context.close()
        assert self.elsewhere == [], "asked of others"
        assert self.faults == [], "said on the console"


def violations(page: Page, but: Collection[str] = ()) -> list[str]:
    """What axe-core finds wrong with a page, a line each; none = every rule of it holds, `but` these."""
    # by the debugger, which the page's content security policy does not bind
    page.evaluate(AXE.read_text("utf-8"))
    options = {"resultTypes": ["violations"], "rules": {rule: {"enabled": False} for rule in but}}
    found = page.evaluate("(how) => axe.run(document, how).then((said) => JSON.stringify(said.violations))", options)
    return [
        f"{rule['id']} ({rule['help']}): {node['target']} {node['html'][:200]} {node.get('failureSummary', '')}"
        for rule in json.loads(found)
        for node in rule["nodes"]
    ]


def too_wide(page: Page) -> list[str]:
    """What sticks out of the page to the right, so that one would have to scroll sideways."""
    found: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
        [...document.body.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > window.innerWidth + 1)
        .map((e) => `${e.tagName}.${e.className} ${e.textContent.slice(0, 60)}`)"""
    )
    return found


def look(page: Page, name: str, but: Collection[str] = ()) -> None:
    """Judge a page as it stands: no rule of axe-core is broken, `but` these, and nobody has to scroll sideways.

    A picture of it is kept for people to look at where CALLBOARD_PICTURES names a folder.
    """
    if folder := os.environ.get("CALLBOARD_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
    found = [*violations(page, but), *(f"sticks out: {what}" for what in too_wide(page))]
    assert not found, "\n".join([f"{name}:", *found])


if __name__ == "__main__":
    with chromium() as started:
        Window.open(started).page("data:text/html,<title>It starts</title>")
        print(f"Chromium {started.version} starts")
