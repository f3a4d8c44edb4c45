"""Pages on which everything is there at once, and what they say when something is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from browsing import SCHEMES, WIDTHS, OpenWindow, Scheme, look
from crowded import Crowded
from playwright.sync_api import expect

from callboard.web.dashboard.frame import PAGES

pytestmark = pytest.mark.long
DETAILS = ("/tasks/T-1", "/deployments/d-1", "/deployments/d-2", "/timeline?before=50")
LOST = ("[object Event]",)
"""What htmx says of a connection that was lost."""
WRONG = ("/tasks/T-999", "/nowhere", "/feedback/nobody")


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowded]:
    made = Crowded.made(tmp_path_factory.mktemp("crowded"))
    yield made
    made.stop()


@pytest.mark.parametrize(("scheme", "width"), list(zip(SCHEMES, WIDTHS, strict=True)))
def test_a_page_that_is_full_can_be_read_by_everybody(
    crowded: Crowded, window: OpenWindow, scheme: Scheme, width: int
) -> None:
    reader = window(scheme, width)
    page = reader.page(crowded.link())
    for path in (*WRONG, *(path for path, _ in PAGES), *DETAILS):
        page.goto(f"{crowded.served.url}/dashboard{path}")
        look(page, f"crowded{path.replace('/', '-')}-{scheme}-{width}")
    assert ["404" in fault for fault in reader.faults] == [True for _ in WRONG]
    reader.faults.clear()


def test_ages_go_on_while_nothing_happens(crowded: Crowded, window: OpenWindow) -> None:
    reader = window()
    page = reader.context.new_page()
    page.clock.install()
    page.goto(crowded.link())
    sign = page.locator("article", has_text="driver-1").get_by_text("last sign")
    expect(sign).to_contain_text(re.compile("just now|min ago"))
    page.clock.fast_forward("05:00:00")
    expect(sign).to_contain_text("5 h ago")


def test_what_is_sent_after_the_session_ended_is_not_done_and_says_so(crowded: Crowded, window: OpenWindow) -> None:
    reader = window(width=WIDTHS[1])
    page = reader.page(crowded.link())
    page.get_by_role("link", name="Dead letters").click()
    reader.context.clear_cookies()
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("alert")).to_contain_text("Your session has ended, so nothing was done.")
    look(page, "crowded-session-ended")
    page.goto(crowded.link())
    page.get_by_role("link", name="Dead letters").click()
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    assert [fault for fault in reader.faults if "401" not in fault and fault not in LOST] == []
    reader.faults.clear()


def test_a_page_says_that_the_bus_is_gone_and_catches_up_when_it_is_back(crowded: Crowded, window: OpenWindow) -> None:
    reader = window("dark", WIDTHS[1])
    page, other = reader.page(crowded.link()), reader.context.new_page()
    other.goto(f"{crowded.served.url}/dashboard/questions")
    for one in (page, other):
        expect(one.get_by_role("status").first).to_have_text("live")
    page.evaluate("window.first = true")
    crowded.server.kill()
    expect(page.get_by_role("status").first).to_have_text("connection lost, trying again")
    other.goto(f"{crowded.served.url}/dashboard/questions")
    expect(other.get_by_role("heading", name="Service Unavailable")).to_be_visible()
    expect(other.get_by_text("callboard doctor")).to_be_visible()
    look(other, "crowded-bus-gone")
    crowded.server.start()
    crowded.aim("Everybody gets a short link.")
    expect(page.get_by_text("Everybody gets a short link.")).to_be_visible()
    expect(page.get_by_role("status").first).to_have_text("live")
    assert page.evaluate("window.first"), "it was never loaded anew"
    assert [fault for fault in reader.faults if "503" not in fault and fault not in LOST] == []
    reader.faults.clear()
