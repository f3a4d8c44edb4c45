"""The callboard.toml that `init` writes."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from callboard.settings import FILE, PathSettings, Settings, default_toml, load_settings


def loaded(folder: Path, text: str) -> Settings:
    path = folder / FILE
    path.write_text(text, encoding="utf-8")
    return load_settings(path, {})


def test_it_loads_and_holds_the_default_roster(tmp_path: Path) -> None:
    settings = loaded(tmp_path, default_toml())
    assert [(agent.name, agent.role, agent.seat) for agent in settings.agents] == [
        ("manager", "manager", None),
        ("driver-1", "driver", None),
        ("driver-2", "driver", None),
        ("senior", "reviewer", "senior"),
        ("junior-1", "reviewer", "junior-1"),
        ("junior-2", "reviewer", "junior-2"),
    ]


def test_its_values_are_the_defaults_so_that_removing_a_line_changes_nothing(tmp_path: Path) -> None:
    written, plain = loaded(tmp_path, default_toml()), loaded(tmp_path, "")
    assert written.model_dump(exclude={"agents"}) == plain.model_dump(exclude={"agents"})


def test_only_the_gate_and_the_commands_are_left_to_fill_in(tmp_path: Path) -> None:
    problems = loaded(tmp_path, default_toml()).launch_problems()
    assert problems[0].startswith("no gate")
    assert len(problems) == 6
    filled = default_toml(gate=["make test"]).replace('command = ""', 'command = "./brain"')
    assert loaded(tmp_path, filled).launch_problems() == ()


texts = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r"), min_size=1)


@given(st.lists(texts, max_size=3), st.lists(texts, max_size=3))
def test_whatever_commands_it_is_given_it_says_back(gate: list[str], setup: list[str]) -> None:
    import tomllib

    project = tomllib.loads(default_toml(gate=gate, setup=setup, setup_inputs=setup))["project"]
    assert (project["gate"], project["setup"], project["setup_inputs"]) == (gate, setup, setup)


def test_it_says_back_branch_and_folders(tmp_path: Path) -> None:
    paths = PathSettings(directions="docs/directions", feedback="logs", roles="docs/roles")
    settings = loaded(tmp_path, default_toml(target="trunk", paths=paths))
    assert settings.project.target == "trunk"
    assert settings.paths == paths
