from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from callboard.cli.init_plan import Found, Guess, Plan, make_plan
from callboard.settings import load_settings


def plan(
    *,
    files: Sequence[str] = (),
    taken: Sequence[str] = (),
    branches: Sequence[str] = ("main",),
    current: str = "main",
    guess: Guess | None = None,
) -> Plan:
    return make_plan(
        Found(
            files=frozenset(files),
            taken=frozenset(taken),
            branches=tuple(branches),
            current=current,
            owner="Ada",
            today=date(2026, 11, 21),
            guess=guess or Guess(),
        )
    )


def roster(made: Plan) -> list[str]:
    return [agent["name"] for agent in tomllib.loads(made.files["callboard.toml"])["agents"]]


def test_an_empty_repository_gets_a_file_of_settings_and_a_direction_for_each_driver() -> None:
    assert list(plan().files) == ["callboard.toml", "directions/driver-1.md", "directions/driver-2.md"]


def test_the_settings_can_be_read_and_name_the_branch_that_is_checked_out(tmp_path: Path) -> None:
    path = tmp_path / "callboard.toml"
    path.write_text(plan(current="trunk").files["callboard.toml"])
    assert load_settings(path, {}).project.target == "trunk"


def test_a_file_that_is_there_is_kept() -> None:
    made = plan(files=["directions/driver-1.md"])
    assert "directions/driver-1.md" not in made.files
    assert made.kept == ("directions/driver-1.md",)
    assert not any("an example is in it" in step for step in made.next_steps), "it is not the template's"
    assert any("directions/driver-1.md: write what is to be done" in step for step in plan().next_steps)


def test_a_folder_that_holds_something_else_is_left_alone_and_another_is_chosen_and_said() -> None:
    made = plan(taken=["directions", "roles"])
    assert "callboard-directions/driver-1.md" in made.files
    assert tomllib.loads(made.files["callboard.toml"])["paths"]["roles"] == "callboard-roles"
    assert [note.split()[0] for note in made.notes] == ["directions/", "roles/"]


def test_a_spare_folder_that_is_taken_too_is_passed_over() -> None:
    made = plan(taken=["roles", "callboard-roles"])
    assert tomllib.loads(made.files["callboard.toml"])["paths"]["roles"] == "callboard-roles-2"


def test_an_agent_whose_branches_cannot_be_made_gets_another_name(tmp_path: Path) -> None:
    made = plan(branches=["main", "driver-1", "senior/log/old"])
    assert roster(made) == ["manager", "cb-driver-1", "driver-2", "cb-senior", "junior-1", "junior-2"]
    assert "directions/cb-driver-1.md" in made.files
    assert len(made.notes) == 2
    (tmp_path / "callboard.toml").write_text(made.files["callboard.toml"])
    load_settings(tmp_path / "callboard.toml", {})


def test_a_branch_in_the_managers_way_has_to_be_renamed_by_a_person() -> None:
    made = plan(branches=["main", "manager"])
    assert roster(made)[0] == "manager"
    assert "git branch -m manager" in made.notes[0]


def test_a_branch_called_callboard_moves_the_integration_branches(tmp_path: Path) -> None:
    made = plan(branches=["main", "callboard"])
    (tmp_path / "callboard.toml").write_text(made.files["callboard.toml"])
    assert load_settings(tmp_path / "callboard.toml", {}).project.integration == "callboard-runs/{run}"
    assert any("callboard-runs" in note for note in made.notes)


def test_a_guessed_gate_is_said_to_be_one() -> None:
    made = plan(guess=Guess(gate=("make test",), because="Makefile"))
    assert tomllib.loads(made.files["callboard.toml"])["project"]["gate"] == ["make test"]
    assert any("guessed from Makefile" in step for step in made.next_steps)


def test_without_a_guess_the_next_step_is_to_write_the_gate() -> None:
    assert any("write the gate" in step for step in plan().next_steps)


@pytest.mark.parametrize("names", [("driver-1", "driver-2"), ("worker",)])
def test_settings_that_are_there_stand_and_their_drivers_get_the_directions_they_lack(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    agents = "".join(f'[[agents]]\nname = "{name}"\nrole = "driver"\ncommand = "x"\n' for name in names)
    path = tmp_path / "callboard.toml"
    path.write_text(f'[project]\ngate = ["true"]\n[paths]\ndirections = "todo"\n{agents}')
    found = Found(frozenset({"callboard.toml"}), frozenset(), ("main",), "main", "Ada", date(2026, 1, 1))
    made = make_plan(replace(found, settings=load_settings(path, {})))
    assert list(made.files) == [f"todo/{name}.md" for name in names]
    assert made.kept == ("callboard.toml",)
    assert not any("command" in step or "gate" in step for step in made.next_steps)


def test_who_wants_commands_is_told_of_them_and_of_no_key() -> None:
    found = Found(frozenset(), frozenset(), ("main",), "main", "Ada", date(2026, 11, 21), wants_commands=True)
    first = make_plan(found).next_steps[0]
    assert "give each agent a `command`" in first
    assert "key" not in first
