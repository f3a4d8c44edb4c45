"""Tools stay inside the clone: attacks 1 and 4 at the level of a brain's tools."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from callboard.agents.brains.tools import edit_file, resolve_inside, write_file
from callboard.bus.errors import BrainError


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("secret")
    root = tmp_path / "clone"
    (root / ".git" / "hooks").mkdir(parents=True)
    (root / "app.py").write_text("a = 1\nb = 1\n")
    (root / "folder").symlink_to(tmp_path / "outside")
    (root / "file").symlink_to(tmp_path / "outside" / "secret.txt")
    (root / "dangling").symlink_to(tmp_path / "outside" / "new.txt")
    return root


def escapes(root: Path) -> list[str]:
    return [
        "../outside/secret.txt",
        "a/../../outside/secret.txt",
        str(root.parent / "outside" / "secret.txt"),
        "folder/secret.txt",
        "folder/../outside/secret.txt",
        "file",
        "dangling",
        ".",
        "..",
        "",
        "x\0y",
        ".git/hooks/pre-commit",
        ".GIT/config",
        "sub/.git/config",
    ]


@pytest.mark.parametrize("n", range(14))
def test_no_path_leads_a_write_out_of_the_clone(clone: Path, n: int) -> None:
    path = escapes(clone)[n]
    with pytest.raises(BrainError):
        write_file(clone, path, "owned")
    with pytest.raises(BrainError):
        edit_file(clone, path, "secret", "owned")
    assert [path.name for path in (clone.parent / "outside").iterdir()] == ["secret.txt"]
    assert (clone.parent / "outside" / "secret.txt").read_text() == "secret"
    assert list((clone / ".git" / "hooks").iterdir()) == []


def test_without_the_check_the_same_write_goes_through_the_link(clone: Path) -> None:
    (clone / "file").write_text("owned")
    assert (clone.parent / "outside" / "secret.txt").read_text() == "owned"


def test_a_link_that_stays_inside_may_be_written_through(clone: Path) -> None:
    (clone / "alias.py").symlink_to("app.py")
    write_file(clone, "alias.py", "c = 1\n")
    assert (clone / "app.py").read_text() == "c = 1\n"
    assert resolve_inside(clone, "alias.py") == (clone / "app.py").resolve()


def test_a_write_makes_the_folders_it_needs_and_keeps_line_ends(clone: Path) -> None:
    write_file(clone, "tests/new/test_x.py", "a\r\nb\n")
    assert (clone / "tests/new/test_x.py").read_bytes() == b"a\r\nb\n"


def test_a_pipe_is_not_written_to(clone: Path) -> None:
    os.mkfifo(clone / "pipe")
    with pytest.raises(BrainError, match="no ordinary file"):
        write_file(clone, "pipe", "x")
    with pytest.raises(BrainError, match="not a file"):
        edit_file(clone, "pipe", "x", "y")


def test_an_edit_needs_exactly_one_place(clone: Path) -> None:
    edit_file(clone, "app.py", "a = 1", "a = 2")
    assert (clone / "app.py").read_text() == "a = 2\nb = 1\n"
    with pytest.raises(BrainError, match="0 times"):
        edit_file(clone, "app.py", "a = 1", "a = 3")
    with pytest.raises(BrainError, match="2 times"):
        edit_file(clone, "app.py", " = ", "=")
    with pytest.raises(BrainError, match="0 times"):
        edit_file(clone, "app.py", "", "x")
