"""How soon a page of the dashboard can be used, and how soon it shows what has just happened, in a real Chromium.

Three pages are opened in turn, `--rounds` times: the bare one that asks for a token, the overview of a run where nothing has happened
yet, and that of a run with `--tasks` tasks and `--rows` rows in its journal. Of each: when the browser can use it (DOMContentLoaded),
and when it painted something first.

Then, with each overview open, the run's goal is changed `--changes` times: from the moment that the commit has returned until the
page shows it. Pages are told at most twice a second that something has changed; that is part of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from boards import task_doc
from browsing import MISSING, Window, chromium, find_chromium
from long_journal import fill
from playwright.sync_api import Page
from served import Served
from servers import IN_MEMORY, Server
from shown import apart

from callboard.app import Workspace
from callboard.bus.board import Change, RunDoc, TaskState
from callboard.bus.bus import Bus
from callboard.launch.runs import create as create_run
from callboard.web.app import create
from callboard.web.tokens import Tokens, login_link

RUN = "20261121-091407"
TOML = """[project]
gate = ["true"]
[review]
allow_same_family = true
[[agents]]
name = "driver-1"
role = "driver"
command = "true"
"""
TIMES = """() => [performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd,
performance.getEntriesByName("first-contentful-paint")[0].startTime]"""
PAINTED = """() => new Promise((tell) => {
  const look = (list) => list.getEntriesByName("first-contentful-paint").length && tell();
  new PerformanceObserver(look).observe({type: "paint", buffered: true});
})"""
"""Not asked again and again from within the page: its policy lets no text become a script."""
WATCH = """(text) => { window.seen = new Promise((tell) => {
  const look = () => document.body.textContent.includes(text) && tell(performance.timeOrigin + performance.now());
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
}); }"""


@dataclass(slots=True)
class Dashboard:
    """One run, served."""

    folder: Path
    server: Server
    served: Served

    @classmethod
    def of(cls, folder: Path, server: Server, tasks: int, rows: int) -> Dashboard:
        folder.mkdir()
        (folder / "callboard.toml").write_text(TOML)
        for argv in (
            ["init", "--quiet", "--initial-branch=main"],
            ["add", "."],
            ["commit", "--quiet", "--message=Begin"],
        ):
            subprocess.run(["git", "-c", "user.name=b", "-c", "user.email=b@localhost", *argv], cwd=folder, check=True)
        workspace = Workspace.open(
            folder, {**os.environ, "CALLBOARD_BUS_URL": server.url, "CALLBOARD_LEDGER_URL": "off"}
        )
        asyncio.run(_begin(workspace, server.url, tasks))
        fill(server, RUN, rows)
        return cls(folder, server, Served(create(workspace)))

    def log_in(self, window: Window) -> Page:
        return window.page(login_link(Tokens(self.folder / ".callboard/web/tokens.json"), "ada", self.served.url))

    def change(self, text: str) -> float:
        """Give the run another goal; when that was done, s of the epoch."""

        async def put() -> float:
            async with await Bus.connect(self.server.url, RUN) as bus:
                run = await bus.doc("run", RunDoc)
                await bus.change(
                    [Change("run", run.model_copy(update={"goal": text, "version": run.version + 1}))], sender="manager"
                )
                return time.time()

        return apart(put())


async def _begin(workspace: Workspace, url: str, tasks: int) -> None:
    states = [*TaskState]
    async with await Bus.connect(url, RUN) as bus:
        await create_run(bus, workspace, workspace.repository.resolve("main") or "")
        docs = [task_doc(n, f"Task {n}", states[n % len(states)], attempt=1) for n in range(1, tasks + 1)]
        if docs:
            await bus.change([Change(f"task:{doc.id}", doc) for doc in docs], sender="manager")


def opened_ms(page: Page, url: str) -> tuple[float, float]:
    """When a page can be used, and when it was painted first, ms from when it was asked for."""
    page.goto(url)
    page.evaluate(PAINTED)
    usable, painted = page.evaluate(TIMES)
    return float(usable), float(painted)


def shown_ms(page: Page, dashboard: Dashboard, number: int) -> float:
    """From a commit until the page shows it."""
    text = f"goal number {number}."
    page.evaluate(WATCH, text)
    done = dashboard.change(text)
    return float(page.evaluate("window.seen")) - done * 1000


def spread(figures: list[float]) -> dict[str, float]:
    ordered = sorted(figures)
    return {
        "median": round(statistics.median(ordered), 1),
        "p90": round(ordered[int(len(ordered) * 0.9)] if len(ordered) > 1 else ordered[0], 1),
    }


def measure(small: Dashboard, large: Dashboard, rounds: int, changes: int) -> dict[str, object]:
    times: dict[str, list[tuple[float, float]]] = {"bare": [], "empty": [], "large": []}
    late: dict[str, list[float]] = {"empty": [], "large": []}
    with chromium() as browser:
        windows = {"empty": Window.open(browser), "large": Window.open(browser)}
        boards = {"empty": small, "large": large}
        pages = {name: boards[name].log_in(window) for name, window in windows.items()}
        bare = Window.open(browser).context.new_page()
        for _ in range(rounds + 1):
            times["bare"].append(opened_ms(bare, f"{small.served.url}/login"))
            for name, page in pages.items():
                times[name].append(opened_ms(page, f"{boards[name].served.url}/dashboard"))
        for page in pages.values():
            page.get_by_text("live", exact=True).wait_for()
        for number in range(changes):
            for name, page in pages.items():
                late[name].append(shown_ms(page, boards[name], number))
        for window in windows.values():
            window.close()
    # the first round compiles templates and fills the browser's cache
    found: dict[str, object] = {
        name: {"usable_ms": spread([one for one, _ in rows[1:]]), "painted_ms": spread([two for _, two in rows[1:]])}
        for name, rows in times.items()
    }
    usable = {name: statistics.median(one for one, _ in rows[1:]) for name, rows in times.items()}
    shown = {name: statistics.median(figures) for name, figures in late.items()}
    return {
        **found,
        "shown_after_ms": {name: spread(figures) for name, figures in late.items()},
        "usable_ratio_large_to_empty": round(usable["large"] / usable["empty"], 2),
        "usable_ratio_large_to_bare": round(usable["large"] / usable["bare"], 2),
        "shown_ratio_large_to_empty": round(shown["large"] / shown["empty"], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--changes", type=int, default=10)
    given = parser.parse_args()
    if find_chromium() is None:
        sys.exit(MISSING)
    with tempfile.TemporaryDirectory(prefix="cb-") as temporary:
        made: list[Dashboard] = []
        for name, tasks, rows in (("empty", 0, 0), ("large", given.tasks, given.rows)):
            place = Path(temporary) / f"{name}-bus"
            place.mkdir()
            made.append(Dashboard.of(Path(temporary) / name, Server(place, *IN_MEMORY), tasks, rows))
        try:
            found = measure(made[0], made[1], given.rounds, given.changes)
        finally:
            for one in made:
                one.served.stop()
                one.server.stop()
    print(json.dumps({"tasks": given.tasks, "rows": given.rows, **found}, indent=2))


if __name__ == "__main__":
    main()
