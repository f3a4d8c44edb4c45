"""What the dashboard says of a run that failed, over HTTP."""

from __future__ import annotations

import asyncio

from boards import task_doc
from served import Served

from callboard.app import Workspace
from callboard.bus.board import Change, TaskState
from callboard.bus.bus import Bus
from callboard.web.tokens import Tokens, login_link


def test_the_overview_and_the_task_say_how_it_goes_on(
    served: Served, board: str, workspace: Workspace, server_url: str
) -> None:
    async def fail() -> None:
        async with await Bus.connect(server_url, board) as bus:
            run = (await bus.board()).run
            failed = run.model_copy(update={"version": run.version + 1, "state": "failed"})
            docs = [task_doc(2, "Break", TaskState.FAILED), task_doc(3, "Keep", TaskState.DONE)]
            changes = [Change("run", failed), *(Change(f"task:{doc.id}", doc) for doc in docs)]
            await bus.change(changes, sender="manager")

    asyncio.run(fail())
    cookie = str(served.ask(login_link(Tokens(workspace.layout.tokens), "ada", "")).headers["set-cookie"])
    paths = ("/dashboard", "/dashboard/tasks/T-2", "/dashboard/tasks/T-3")
    pages = {path: served.ask(path, headers={"Cookie": cookie.partition(";")[0]}).body.decode() for path in paths}
    for path in ("/dashboard", "/dashboard/tasks/T-2"):
        assert "<code>callboard launch --again driver-1/break</code>" in pages[path], path
        assert "<code>callboard cancel T-2</code>" in pages[path], path
    assert "--again" not in pages["/dashboard/tasks/T-3"]
