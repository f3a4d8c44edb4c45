"""The OpenAPI document is kept to: whatever is asked, no answer is one that it does not describe, and none is a 500."""

from __future__ import annotations

import os
from collections.abc import Callable

import guide
import pytest
from documented import MODES, Documented
from roster import Workspace as Made
from roster import run_git, task
from schemathesis import GenerationMode
from served import Served

from callboard.app import Workspace
from callboard.web.tokens import SCOPES, Tokens

RUN = "drawn-001"
"""Not the guide's: tests of one process share a server of the bus."""
IDS = {"run_id": RUN, "phase_id": "P1.1", "tier_id": "T1", "agent": "driver-1", "task_id": "T-1"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, server_url: str) -> Workspace:
    """Nobody counts how often it is asked, and it has a ledger."""
    made = Made(tmp_path_factory.mktemp("document") / "project", gate=("test ! -e broken",))
    made.init({"driver-1": task("1 - One")})
    file = made.path / "callboard.toml"
    file.write_text(f"{file.read_text()}\n[web]\nrequests_per_minute = 1000000\n")
    run_git(made.path, "commit", "-qam", "many may ask")
    return Workspace.open(
        made.path, {**os.environ, "CALLBOARD_BUS_URL": server_url, "CALLBOARD_LEDGER_URL": "embedded"}
    )


@pytest.fixture(scope="module")
def documented(workspace: Workspace, board: str, served: Served) -> Documented:
    """With a launched run, and one from outside."""
    token = Tokens(workspace.layout.tokens).create("ada", SCOPES)[0]
    assert served.ask("/runs/start", token, body=guide.start(RUN, phases=3)).status == 201
    return Documented.of(served, token, IDS)


@pytest.mark.parametrize("mode", MODES)
def test_every_answer_is_one_that_the_document_describes(documented: Documented, mode: GenerationMode) -> None:
    for operation in documented.operations(mode):
        assert documented.try_out(operation, mode, examples=1, chosen=7)


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_so_is_every_answer_to_many(
    documented: Documented, mode: GenerationMode, seed: int, time_is_up: Callable[[], bool]
) -> None:
    print(f"seed: {seed}")
    for operation in documented.operations(mode):
        if time_is_up():
            return
        documented.try_out(operation, mode, examples=10, chosen=seed)
