"""What an agent says of its clone in its last entry."""

from __future__ import annotations

import os
from pathlib import Path

from roster import Workspace as Made
from roster import task
from workshop import write

from callboard.app import Workspace
from callboard.launch.agent import place_left


def test_a_driver_that_stops_names_the_work_that_is_in_no_commit(tmp_path: Path) -> None:
    made = Made(tmp_path / "project")
    made.init({"driver-1": task("1 - One")})
    workspace = Workspace.open(made.path, os.environ)
    driver, clone = workspace.settings.agent("driver-1"), workspace.clone("driver-1")
    assert driver is not None
    assert place_left(workspace, driver).uncommitted == (), "it has no clone yet"
    head = workspace.repository.resolve("main")
    assert head is not None
    clone.prepare(head)
    write(clone.path, {"notes.txt": "idea\n"})
    assert place_left(workspace, driver).uncommitted == ("notes.txt",)
    (clone.checkout.git_dir / "HEAD").unlink()
    assert place_left(workspace, driver).uncommitted == (), "a clone that cannot be read does not stop the stop"
