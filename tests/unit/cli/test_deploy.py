from __future__ import annotations

from typing import Literal

import pytest

from callboard.bus.deployments import DeploymentDoc
from callboard.cli.deploy import exit_code


@pytest.mark.parametrize(
    ("command", "kind", "state", "launched", "code"),
    [
        ("deploy", "deploy", "rolled_back", 0, 1),
        ("deploy", "deploy", "done", 1, 0),
        ("deploy", "deploy", "eligible", 0, 4),
        ("deploy", "deploy", "eligible", 130, 130),
        ("rollback", "restore", "rolled_back", 0, 1),
        ("rollback", "deploy", "rolled_back", 0, 0),
    ],
)
def test_a_command_ends_as_its_deployment_did_not_as_the_run_did(
    command: Literal["deploy", "rollback"], kind: str, state: str, launched: int, code: int
) -> None:
    doc = DeploymentDoc.model_validate({"id": "d-1", "kind": kind, "state": state})
    assert exit_code(command, doc, launched) == code
