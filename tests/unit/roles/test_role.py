"""What each role may send, and what a workspace's role file can change about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from callboard.bus.errors import ConfigError
from callboard.bus.messages import KINDS
from callboard.roles.role import FIXED, OUTSIDE, SHIPPED, Capabilities, Role, load_role, load_roles

EVERY_AGENT = {"agent.started", "agent.stopped", "feedback.logged", "message.refused"}

TABLE = {
    "manager": EVERY_AGENT
    | {"task.assigned", "task.cancelled", "task.closed", "intake.refused", "changes.requested", "blocker.resolved"}
    | {"approval.requested"}
    | {"answer.given", "gate.requested", "pin.requested", "merge.requested", "land.requested", "review.requested"}
    | {"promotion.requested", "promotion.changed", "merge.landed", "command.handled", "directions.read", "timer.fired"}
    | {"synthesis.requested", "vote.requested"}
    | {"minute.passed", "budget.reached", "backlog.carried", "run.summed"}
    | {"canon.asked", "consult.requested", "blocker.climbed"}
    | {"deployment.requested", "release_review.requested"},
    "driver-1": EVERY_AGENT
    | {"task.accepted", "task.progressed", "evidence.submitted", "blocker.raised", "question.asked", "attempt.failed"}
    | {"attempt.parked", "attempt.stopped"},
    "deployment": EVERY_AGENT
    | {"task.accepted", "task.progressed", "evidence.submitted", "blocker.raised", "question.asked", "attempt.failed"}
    | {"attempt.parked", "attempt.stopped", "deployment.changed", "deployment.noted"},
    "senior": EVERY_AGENT
    | {"task.progressed", "verdict.given", "synthesis.given", "vote.given", "consult.answered", "release_review.given"},
    "gate": {"gate.finished", "merge.prepared", "land.finished", "promotion.finished"}
    | {"canon.read", "message.refused"},
    "land": {"gate.finished", "merge.prepared", "land.finished", "promotion.finished"}
    | {"canon.read", "message.refused"},
    "person": {"command.given", "deployment.commanded", "issue.reported", "issue.closed", "run.opened", "phase.moved"},
    "builder-r": {"work.submitted", "audit.requested", "issue.seen", "message.refused"},
    "auditor-r": {"audit.given", "issue.seen", "message.refused"},
    "launcher": {"roster.changed", "agent.unreachable", "disk.changed", "message.refused"},
}
"""Sender -> the kinds it may send: the docstrings of bus/messages.py, written out once more."""

ROSTER = {"manager": "manager", "driver-1": "driver", "senior": "reviewer", "deployment": "deployment"}


@pytest.fixture
def capabilities() -> Capabilities:
    seats = {"builder-r": OUTSIDE["builder"], "auditor-r": OUTSIDE["auditor"]}
    return Capabilities({**load_roles(ROSTER), **seats})


def override(folder: Path, role: str, text: str) -> Path:
    (folder / f"{role}.md").write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("sender", TABLE)
def test_a_sender_may_send_exactly_the_kinds_of_its_role(capabilities: Capabilities, sender: str) -> None:
    allowed = {kind for kind, _ in KINDS if capabilities.may_send(sender, kind)}
    assert allowed == TABLE[sender]


def test_every_kind_has_a_sender(capabilities: Capabilities) -> None:
    assert {kind for kind, _ in KINDS} == set().union(*TABLE.values())


@pytest.mark.parametrize(
    ("sender", "kind"),
    [
        ("driver-1", "task.assigned"),
        ("driver-1", "verdict.given"),
        ("driver-1", "merge.landed"),
        ("driver-1", "gate.finished"),
        ("driver-1", "land.finished"),
        ("driver-1", "command.given"),
        ("driver-1", "timer.fired"),
        ("senior", "evidence.submitted"),
        ("senior", "task.assigned"),
        ("person", "task.assigned"),
        ("person", "feedback.logged"),
        ("manager", "verdict.given"),
        ("manager", "gate.finished"),
        ("launcher", "task.assigned"),
        ("nobody", "feedback.logged"),
        ("nobody", "command.given"),
        ("", "timer.fired"),
    ],
)
def test_what_would_let_a_sender_act_for_another_is_refused(capabilities: Capabilities, sender: str, kind: str) -> None:
    assert not capabilities.may_send(sender, kind)


def test_a_kind_nobody_knows_may_be_sent_by_nobody(capabilities: Capabilities) -> None:
    assert not any(capabilities.may_send(sender, "task.stolen") for sender in TABLE)


@pytest.mark.parametrize("name", [*FIXED, "journal"])
def test_an_agent_cannot_take_the_name_of_a_part_of_the_program(name: str) -> None:
    with pytest.raises(ConfigError, match="taken by a part of the program"):
        Capabilities({name: load_role("driver")})


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_role_has_a_prompt_and_may_keep_a_log(name: str) -> None:
    role = load_role(name)
    assert role.prompt.startswith("# ")
    assert "feedback.logged" in role.sends


def test_an_unknown_role_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'reviewer'"):
        load_role("reviwer")


def test_a_workspace_without_role_files_has_the_shipped_roles(tmp_path: Path) -> None:
    assert load_role("driver", tmp_path) == load_role("driver", tmp_path / "absent") == load_role("driver")


def test_a_workspaces_file_replaces_the_prompt_and_leaves_what_it_does_not_name(tmp_path: Path) -> None:
    role = load_role("driver", override(tmp_path, "driver", "Work slowly.\n"))
    assert role == Role("driver", load_role("driver").sends, "Work slowly.")


def test_a_workspaces_file_without_a_body_keeps_the_shipped_prompt(tmp_path: Path) -> None:
    role = load_role("driver", override(tmp_path, "driver", "---\nsends: [feedback.logged]\n---\n"))
    assert role == Role("driver", frozenset({"feedback.logged"}), load_role("driver").prompt)


def test_what_a_file_took_away_may_no_longer_be_sent(tmp_path: Path) -> None:
    override(tmp_path, "driver", "---\nname: driver\nsends:\n  - task.accepted\n---\nWork.\n")
    narrowed = Capabilities(load_roles(ROSTER, tmp_path))
    assert narrowed.may_send("driver-1", "task.accepted")
    assert not narrowed.may_send("driver-1", "evidence.submitted")


@pytest.mark.parametrize(
    ("text", "line", "key", "says"),
    [
        ("---\nname: driver\nsends: [task.accepted, task.assigned]\n---\n", 3, "sends", "task.assigned"),
        ("---\nsends:\n  - evidence.submited\n---\n", 2, "sends", "did you mean 'evidence.submitted'"),
        ("---\nname: driver\nsend: []\n---\n", 3, "send", "did you mean 'sends'"),
        ("---\nname: manager\n---\n", 2, "name", "must be 'driver'"),
        ("---\nsends: everything\n---\n", 2, "sends", "must be a list"),
        ("---\nsends: [[task.accepted]]\n---\n", 2, "sends", "list of texts"),
        ("---\nsends: {task.accepted: yes}\n---\n", 2, "sends", "list of texts"),
        ("---\nsends: []\nsends: [task.accepted]\n---\n", 3, "sends", "said twice, first on line 2"),
        ("---\nname: driver\nsends: [\n---\n", 3, None, "not YAML"),
        ("---\n- name\n---\n", 2, None, "key: value"),
        ("---\nname: driver\n", 1, None, "does not end"),
    ],
)
def test_a_wrong_role_file_is_an_error_with_file_line_and_key(
    tmp_path: Path, text: str, line: int, key: str | None, says: str
) -> None:
    folder = override(tmp_path, "driver", text)
    with pytest.raises(ConfigError, match=says.replace("[", r"\[")) as caught:
        load_role("driver", folder)
    assert (caught.value.path, caught.value.line, caught.value.key) == (str(tmp_path / "driver.md"), line, key)


def test_a_role_file_that_is_no_text_is_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "driver.md").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"driver\.md.*UTF-8"):
        load_role("driver", tmp_path)
