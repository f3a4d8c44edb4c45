"""What a person is called who gives a command."""

from __future__ import annotations

from pathlib import Path

import pytest
from workshop import git

from callboard.agents.workspace.git import Repository
from callboard.cli.person import person_name


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    return Repository(folder)


def test_what_the_person_says_counts_first_then_the_variable_then_git_then_the_login(
    repository: Repository, tmp_path: Path
) -> None:
    login = {"USER": "ada", "HOME": str(tmp_path)}
    assert person_name("", repository, {}) == ""
    assert person_name("", repository, login) == "ada"
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = Ada Lovelace\n")
    assert person_name("", repository, login) == "Ada Lovelace"
    repository.run("config", "user.name", "Ada of this repository")
    assert person_name("", repository, login) == "Ada of this repository"
    named = {**login, "CALLBOARD_PERSON": "Countess"}
    assert person_name("", repository, named) == "Countess"
    assert person_name("Grace\x1b[31m\n", repository, named).startswith("Grace")
    assert "\x1b" not in person_name("Grace\x1b[31m\n", repository, named)


def test_a_git_configuration_that_cannot_be_read_keeps_nobody_from_answering(
    repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / ".gitconfig").write_text("[user\n")
    assert person_name("", repository, {"USER": "ada", "HOME": str(tmp_path)}) == "ada"
