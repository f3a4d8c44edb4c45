"""What a brain may look at: its clone, never more than fits."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from callboard.agents.brains.reading import (
    MAX_ENTRIES,
    MAX_LINE,
    MAX_LINES,
    MAX_OUTPUT,
    cut_output,
    list_files,
    read_file,
    search_argv,
)
from callboard.bus.errors import BrainError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "clone"
    for name in (".git/config", "app/main.py", "app/deep/x.py", "README.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{name}\nsecond\n")
    (tmp_path / "secret.txt").write_text("secret\n")
    (root / "out").symlink_to(tmp_path)
    return root


def test_a_listing_names_everything_but_git_and_follows_no_link(root: Path) -> None:
    assert list_files(root).split("\n") == ["README.md", "app/", "app/deep/", "app/deep/x.py", "app/main.py", "out@"]
    assert list_files(root, "app", "*.py").split("\n") == ["app/deep/x.py", "app/main.py"]
    assert list_files(root, ".", "nothing") == "[nothing there]"


def test_a_listing_is_cut_and_says_so(root: Path) -> None:
    for n in range(MAX_ENTRIES + 10):
        (root / f"f{n}").touch()
    lines = list_files(root).split("\n")
    assert len(lines) == MAX_ENTRIES + 1
    assert lines[-1].startswith("[cut: there is more")


def test_a_very_deep_folder_does_no_harm(root: Path) -> None:
    here = os.open(root, os.O_RDONLY)
    for _ in range(1_200):
        os.mkdir("d", dir_fd=here)
        there = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(here)
    try:
        assert list_files(root, ".", "*.md") == "README.md"
    finally:
        subprocess.run(["rm", "-rf", str(root / "d")], check=True)  # too deep for what tidies up after tests


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/passwd", "out/secret.txt", ".git/config", "x\0y"])
def test_nothing_outside_the_clone_can_be_looked_at(root: Path, path: str) -> None:
    for look in (read_file, list_files):
        with pytest.raises(BrainError):
            look(root, path)
    with pytest.raises(BrainError):
        search_argv(root, path, "secret")


def test_lines_are_shown_with_their_numbers_from_where_one_asks(root: Path) -> None:
    assert read_file(root, "README.md") == "1\tREADME.md\n2\tsecond"
    assert read_file(root, "README.md", 2, 1) == "2\tsecond"
    with pytest.raises(BrainError, match="has 2 lines; none is number 3"):
        read_file(root, "README.md", 3)


def test_a_long_file_is_read_in_parts(root: Path) -> None:
    (root / "long").write_text("".join(f"{n}\n" for n in range(1, 4_001)))
    lines = read_file(root, "long").split("\n")
    assert (lines[0], lines[-1]) == ("1\t1", f"[lines 1 to {MAX_LINES} of 4000; read on with first={MAX_LINES + 1}]")
    assert read_file(root, "long", MAX_LINES + 1).startswith(f"{MAX_LINES + 1}\t{MAX_LINES + 1}\n")


def test_long_lines_are_cut_and_their_sum_is_bounded(root: Path) -> None:
    (root / "wide").write_text(("x" * 5_000 + "\n") * 500)
    shown = read_file(root, "wide")
    assert f"[cut: {5_000 - MAX_LINE} more]" in shown
    assert len(shown) < MAX_OUTPUT + 2 * MAX_LINE
    assert "read on with first=" in shown


def test_what_is_no_text_file_is_told_and_never_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "image").write_bytes(b"\x89PNG\0\0")
    (root / "empty").touch()
    for path, said in (
        ("pipe", "is no file"),
        ("app", "Is a directory"),
        ("image", "is no text file"),
        ("no", "No such"),
    ):
        with pytest.raises(BrainError, match=said):
            read_file(root, path)
    assert read_file(root, "empty") == "[the file is empty]"


def test_a_search_finds_lines_and_takes_no_pattern_for_an_option(root: Path) -> None:
    def found(pattern: str, path: str = ".") -> list[str]:
        ran = subprocess.run(search_argv(root, path, pattern), cwd=root, capture_output=True, text=True, check=False)
        assert ran.returncode in (0, 1), ran.stderr
        return sorted(ran.stdout.split("\n")[:-1])

    os.mkfifo(root / "pipe")
    assert found("sec.nd", "app") == ["app/deep/x.py:2:second", "app/main.py:2:second"]
    assert found("^secret$") == []
    assert found("--help") == []
    assert not any(".git" in line for line in found("config|README"))


def test_a_long_output_keeps_head_and_tail() -> None:
    text = "".join(f"{n}\n" for n in range(100_000))
    cut = cut_output(text, 1_000)
    assert cut.startswith("0\n1\n")
    assert cut.endswith("99998\n99999\n")
    assert f"[cut: {len(text) - 1_000} characters]" in cut
    assert cut_output("short\n") == "short\n"
