"""The demo's roster, launched, watched in a browser from its first task to its end; its question is answered in the page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from browsing import SCHEMES, WIDTHS, OpenWindow, Scheme, Window, look
from playwright.sync_api import Browser, expect
from shown import Shown

from callboard.demo.person import ANSWER
from callboard.demo.run import open_demo
from callboard.web.dashboard.frame import PAGES

pytestmark = pytest.mark.long
DETAILS = ("/dashboard/tasks/T-2", "/dashboard/tasks/T-3", "/dashboard/feedback/driver-2")
"""A task with findings in its code, one with a question, and a log."""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    path = tmp_path_factory.mktemp("watched") / "links"
    running = Shown.launched(path, open_demo(path, os.environ).environ)
    yield running
    running.stop()


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen from the first task to the end of the run."""

    states: list[str]
    """Of the run, on the overview, in their order."""
    answered: str
    """What stood at the question afterwards."""
    at_first: tuple[int, ...]
    """Entries of a driver's log when it was opened, at the desk and on the phone."""
    at_last: tuple[int, ...]
    """Those that the same pages had in the end."""
    is_same: bool
    """Whether no page was ever loaded anew."""


@pytest.fixture(scope="module")
def watched(shown: Shown, browser: Browser) -> Iterator[Watched]:
    """Ada has the overview and the log of driver-1 before her, and both on her phone."""
    desk, phone = Window.open(browser), Window.open(browser, "dark", WIDTHS[1])
    overview, pocket = desk.page(shown.link()), phone.page(shown.link())
    logs = [one.page(f"{shown.address}/dashboard/feedback/driver-1") for one in (desk, phone)]
    entries = [log.locator("main article") for log in logs]
    for found in entries:
        expect(found.first).to_be_visible()
    for page in (pocket, *logs):
        page.evaluate("window.first = true")
    at_first = tuple(found.count() for found in entries)

    field = overview.get_by_label("Your answer to q-1")
    field.press_sequentially(ANSWER)
    look(overview, "watching-question")
    overview.get_by_role("button", name="Answer", exact=True).click()
    answered = overview.locator("#q-1").get_by_text("Answered by")
    expect(answered).to_be_visible()
    said = answered.inner_text()

    overview.get_by_role("link", name="Overview").click()
    look(overview, "watching-midway")
    badge = overview.locator("h1 .badge")
    states = [badge.inner_text()]
    expect(badge).to_have_text("succeeded")
    states.append(badge.inner_text())
    expect(pocket.locator("h1 .badge")).to_have_text("succeeded")
    look(pocket, "watching-pocket")
    for number, log in enumerate(logs):
        expect(log.locator("main .badge", has_text="merge").first).to_be_visible()
        look(log, f"watching-log-{number}")
    is_same = all(page.evaluate("window.first") for page in (pocket, *logs))
    yield Watched(states, said, at_first, tuple(found.count() for found in entries), is_same)
    desk.close()
    phone.close()


def test_the_run_is_watched_to_its_end_without_a_reload(watched: Watched) -> None:
    assert watched.states[-1] == "succeeded"
    assert watched.states[0] in ("running", "succeeded")
    assert all(last > first for first, last in zip(watched.at_first, watched.at_last, strict=True))
    assert watched.is_same


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_page_of_it_can_be_read_by_everybody(
    watched: Watched, shown: Shown, window: OpenWindow, scheme: Scheme, width: int
) -> None:
    page = window(scheme, width).page(shown.link())
    links = page.locator("header nav a")
    paths = [links.nth(number).get_attribute("href") or "" for number in range(links.count())]
    assert paths == [f"/dashboard{path}" for path, _ in PAGES]
    for path in (*paths, *DETAILS):
        page.goto(shown.address + path)
        expect(page.get_by_role("status").first).to_have_text("live")
        for details in page.locator("details").all():
            details.evaluate("(it) => it.open = true")
        look(page, f"ended{path.replace('/', '-')}-{scheme}-{width}")
