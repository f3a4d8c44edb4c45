"""Attack 17 at intake: a value that the workspace was given, in a shape that nobody would take for a secret."""

from __future__ import annotations

import os

import pytest
from workshop import PIN, Workshop, write

from callboard.agents.manager.intake import IntakeRules, TakenIn, take_in
from callboard.app import Workspace
from callboard.bus.errors import IntakeRefused
from callboard.bus.known_secrets import KnownSecret, KnownSecrets

SECRET = "correct-horse-battery-staple"
KNOWING = IntakeRules(known=KnownSecrets([KnownSecret("DB_PASSWORD", SECRET)], whole=True))


def hand_in(workshop: Workshop, files: dict[str, str], rules: IntakeRules) -> TakenIn:
    clone = workshop.prepared()
    write(clone.path, files)
    commit = workshop.hand_in(clone)
    assert commit is not None
    base = workshop.head
    return take_in(clone.vault, workshop.repository, base=base, commit=commit, rules=rules, pin=PIN, branch="d/work")


def test_a_known_value_is_refused_and_comes_in_where_it_is_not_known(workshop: Workshop) -> None:
    files = {"app/config.py": f"\nNAME = '{SECRET}'\n"}
    with pytest.raises(IntakeRefused) as caught:
        hand_in(workshop, files, KNOWING)
    assert (caught.value.rule, caught.value.path) == ("secret", "app/config.py")
    assert caught.value.way_out.startswith("line 2 holds the value of DB_PASSWORD")
    assert SECRET not in str(caught.value)
    assert hand_in(workshop, files, IntakeRules()).files == ("app/config.py",), "the wall off"


def test_what_anybody_can_read_in_the_repository_is_none(workshop: Workshop) -> None:
    workshop.commit({"callboard.toml": f"[project]\nenv = {{ DB_PASSWORD = '{SECRET}' }}\n"})
    assert hand_in(workshop, {"app/test_db.py": f"PASSWORD = '{SECRET}'\n"}, KNOWING).files == ("app/test_db.py",)


def test_intake_knows_what_the_workspace_was_given(workshop: Workshop) -> None:
    (workshop.root / ".env").write_text(f"DB_PASSWORD={SECRET}\n")
    workshop.commit({"callboard.toml": "\n"})
    rules = Workspace.open(workshop.root, {**os.environ, "MY_API_KEY": "hunter2!"}).intake_rules()
    with pytest.raises(IntakeRefused, match="the value of DB_PASSWORD"):
        hand_in(workshop, {"a.txt": SECRET}, rules)
    with pytest.raises(IntakeRefused, match="the value of MY_API_KEY"):
        hand_in(workshop, {"a.txt": "hunter2!"}, rules)
