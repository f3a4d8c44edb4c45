"""/docs and /redoc as a browser draws them, and the walls around every browser here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import SCHEMES, WIDTHS, OpenWindow, Scheme, look, violations
from playwright.sync_api import expect
from roster import Workspace, task
from shown import Shown

pytestmark = pytest.mark.long
THEIRS = (
    "color-contrast",
    "heading-order",
    "nested-interactive",
    "page-has-heading-one",
    "scrollable-region-focusable",
)
"""Rules that what Swagger UI and Redoc draw breaks; we draw the page around it."""
LOGO = "https://cdn.redoc.ly/"
"""Where Redoc would fetch a picture from; the page's policy does not let it."""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    path = tmp_path_factory.mktemp("documentation") / "greenroom"
    Workspace(path).init({"driver-1": task("1 - One")})
    running = Shown.served(path)
    yield running
    running.stop()


@pytest.mark.parametrize("width", WIDTHS)
def test_docs_describe_every_route(shown: Shown, window: OpenWindow, width: int) -> None:
    page = window(width=width).page(f"{shown.address}/docs")
    expect(page.get_by_role("heading", name="Callboard")).to_be_visible()
    route = page.locator(".opblock", has_text="/runs/start")
    route.get_by_role("button").first.click()
    expect(route.get_by_text("safety_profile").first).to_be_visible()
    look(page, f"docs-{width}", but=THEIRS)


@pytest.mark.parametrize("width", WIDTHS)
def test_redoc_describes_every_route_and_asks_nobody_for_its_logo(shown: Shown, window: OpenWindow, width: int) -> None:
    reader = window(width=width)
    page = reader.page(f"{shown.address}/redoc")
    expect(page.get_by_role("heading", name="Callboard").first).to_be_visible()
    expect(page.get_by_text("/runs/start").first).to_be_attached()
    look(page, f"redoc-{width}", but=THEIRS)
    assert reader.elsewhere == []
    reader.faults[:] = [fault for fault in reader.faults if LOGO not in fault]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_way_in_can_be_used_by_everybody(shown: Shown, window: OpenWindow, scheme: Scheme, width: int) -> None:
    page = window(scheme, width).page(f"{shown.address}/login")
    expect(page.get_by_label("Token")).to_be_visible()
    look(page, f"login-{scheme}-{width}")
    page.goto(shown.link())
    expect(page.get_by_role("heading", name="Nothing was launched here yet")).to_be_visible()
    look(page, f"nothing-{scheme}-{width}")


def test_what_reaches_for_others_or_cannot_be_read_is_seen(window: OpenWindow) -> None:
    """Each of the three things that fail a test here."""
    reader = window()
    page = reader.page("data:text/html,<html lang=en><title>a page</title><main><h1>It</h1></main>")
    assert violations(page) == []
    page.set_content(
        "<html lang=en><title>a page</title><main><h1>It</h1><img id=far src='http://192.0.2.1/a.png'></main>"
        "<script>console.error('no')</script>"
    )
    assert [line.partition(" ")[0] for line in violations(page)] == ["image-alt"]
    assert reader.elsewhere == ["http://192.0.2.1/a.png"]
    assert "no" in reader.faults
    with pytest.raises(AssertionError):
        reader.close()
    reader.elsewhere.clear()
    reader.faults.clear()
