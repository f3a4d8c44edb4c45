"""A roster that needs people, and a person at the dashboard: by keyboard alone, on a phone, over a connection that is lost."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from browsing import WIDTHS, OpenWindow, look
from cuttable import Cuttable
from playwright.sync_api import Page, expect
from roster import Workspace, task
from shown import Shown, apart

from callboard.app import Workspace as Opened
from callboard.bus.board import QuestionDoc
from callboard.bus.messages import CommandGiven, Draft, TaskCancelled
from callboard.launch.joining import current_run, open_bus
from callboard.launch.telling import give

pytestmark = pytest.mark.long
ASKED = {WIDTHS[0]: "no key", WIDTHS[1]: "no map"}
"""What is asked of who sits at a desk, and of who has a phone."""
APPROVED = {WIDTHS[0]: "docs/plan.md", WIDTHS[1]: "docs/scheme.md"}
"""New documents that the task does not name: they come in with a person's word alone."""
LOST = ("Failed to load resource: net::ERR", "[object Event]")
"""What browser and htmx say of a connection that was lost."""
AGAIN = """(question) => {
  const form = Object.assign(document.createElement("form"), {method: "post", action: `/dashboard/questions/${question}`});
  form.append(Object.assign(document.createElement("input"), {name: "text", value: "on the shelf"}));
  document.body.append(form);
  form.submit();
}"""
"""Sends an answer from a form that is no longer there."""
TABS = 100
"""More than there are places to stop at on any page here."""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    path = tmp_path_factory.mktemp("people") / "greenroom"
    blocks = (*ASKED.values(), "no lock")
    asks = [task(f"{n} - Ask {n}", Writes=f"{n}.txt", Blocks=why) for n, why in enumerate(blocks, 1)]
    plans = [
        task(f"{n} - Plan {n}", Writes=what, Paths="docs/readme.md") for n, what in enumerate(APPROVED.values(), 1)
    ]
    Workspace(path).init({"driver-1": "".join(asks), "driver-2": "".join(plans)})
    running = Shown.launched(path)
    yield running
    running.stop()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_question_is_answered_by_keyboard_alone(shown: Shown, window: OpenWindow, width: int) -> None:
    person = window(width=width)
    page = person.page(shown.link())
    question = page.locator("article", has_text=ASKED[width])
    expect(question.get_by_role("textbox")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    tab_to(page, question.get_by_role("textbox").get_attribute("id") or "")
    look(page, f"people-keyboard-{width}")
    page.keyboard.type("it is under the mat")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(question.get_by_text("Answered by Ada: it is under the mat")).to_be_visible()
    page.evaluate(AGAIN, question.get_attribute("id"))
    notice = page.get_by_role("status").filter(has_text="Ada answered it")
    expect(notice).to_be_visible()
    look(page, f"people-again-{width}")
    expect(page.get_by_role("status").first).to_have_text("live")
    assert all("409" in fault for fault in person.faults)
    person.faults.clear()


def tab_to(page: Page, id: str) -> None:
    """Press Tab until the element has the focus."""
    passed = []
    for _ in range(TABS):
        page.keyboard.press("Tab")
        passed.append(page.evaluate("document.activeElement.id || document.activeElement.outerHTML.slice(0, 80)"))
        if passed[-1] == id:
            return
    raise AssertionError(f"Tab never comes to {id}: {passed}")


@pytest.mark.parametrize("width", WIDTHS)
def test_what_waits_for_approval_is_let_in(shown: Shown, window: OpenWindow, width: int) -> None:
    page = window("dark", width).page(shown.link())
    page.get_by_role("link", name="Questions").click()
    approval = page.locator("article", has_text=APPROVED[width])
    expect(approval.get_by_role("button", name="yes")).to_be_visible()
    look(page, f"people-approval-{width}")
    approval.get_by_role("button", name="yes").click()
    expect(approval.get_by_text("Answered by Ada: yes")).to_be_visible()
    approval.get_by_role("link").first.click()
    expect(page.get_by_text("Landed on")).to_be_visible()
    look(page, f"people-landed-{width}")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_dead_letter_is_sent_again(shown: Shown, window: OpenWindow, width: int) -> None:
    nobody = f"driver-{width}"
    opened = Opened.open(shown.path, shown.environ)

    async def bury() -> None:
        async with open_bus(opened, current_run(opened)) as bus:
            await bus.send(Draft(nobody, TaskCancelled(reason="never mind")), sender="manager")
            [delivery] = await bus.inbox(nobody, f"{nobody}.here.1").receive()
            await delivery.reject("nobody here can read this")

    page = window(width=width).page(shown.link())
    apart(bury())
    page.get_by_role("link", name="1 message that nobody could handle").click()
    letter = page.locator("article", has_text="nobody here can read this")
    letter.get_by_text("The message").click()
    expect(letter.get_by_text("never mind")).to_be_visible()
    look(page, f"people-dead-{width}")
    letter.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("There are none.")).to_be_visible()

    async def waiting() -> int:
        async with open_bus(opened, current_run(opened)) as bus:
            return (await bus.backlog([nobody]))[nobody]

    assert apart(waiting()) == 1


def test_a_page_whose_connection_was_lost_catches_up(shown: Shown, window: OpenWindow) -> None:
    way = Cuttable(urlsplit(shown.address).port or 0)
    person = window()
    page = person.page(shown.link(way.address))
    page.get_by_role("link", name="Questions").click()
    question = page.locator("article", has_text="no lock")
    expect(question.get_by_role("textbox")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("live")
    page.evaluate("window.first = true")
    way.cut()
    expect(page.get_by_role("status")).to_have_text("connection lost, trying again")
    apart(_answer(shown, "no lock", "there is one now"))
    way.mend()
    expect(question.get_by_text("there is one now")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("live")
    assert page.evaluate("window.first"), "it was never loaded anew"
    page.close()
    way.stop()
    person.faults[:] = [fault for fault in person.faults if not fault.startswith(LOST)]


async def _answer(shown: Shown, about: str, text: str) -> None:
    opened = Opened.open(shown.path, shown.environ)
    async with open_bus(opened, current_run(opened)) as bus:
        board = await bus.board()
    [question] = [one for one in board.all(QuestionDoc) if about in one.text]
    handled = await give(opened, CommandGiven(command="answer", question=question.id, text=text, by="Ada"))
    assert handled.ok, handled.text
