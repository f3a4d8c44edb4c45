from __future__ import annotations

from pathlib import Path

import pytest

from callboard.agents.workspace.layout import Layout
from callboard.bus.errors import WorkspaceError

LAYOUT = Layout(Path("/project"))


def test_everything_lies_below_the_programs_own_folder() -> None:
    assert LAYOUT.clone("driver-1") == Path("/project/.callboard/clones/driver-1")
    assert LAYOUT.vault("driver-1") == Path("/project/.callboard/vaults/driver-1.git")
    assert LAYOUT.gate(2) == Path("/project/.callboard/gates/2")
    assert LAYOUT.gate_git(2) == Path("/project/.callboard/gates/2.git")
    assert LAYOUT.scratch("gate-2") == Path("/project/.callboard/scratch/gate-2")
    assert LAYOUT.log("manager") == Path("/project/.callboard/logs/manager.log")
    assert LAYOUT.lock("launch") == Path("/project/.callboard/locks/launch")


@pytest.mark.parametrize("name", ["", "..", ".", "../x", "a/b", "/etc", "-x", "a.git", "a.lock", "a b", "x" * 64])
def test_a_name_cannot_climb_out_of_its_place(name: str) -> None:
    for place in (LAYOUT.clone, LAYOUT.vault, LAYOUT.kept, LAYOUT.scratch, LAYOUT.log, LAYOUT.lock):
        with pytest.raises(WorkspaceError, match="cannot name a folder"):
            place(name)
