from __future__ import annotations

from pathlib import Path

import pytest

from callboard.bus.errors import WorkspaceError
from callboard.cli.init import guess_commands, is_something_else, write
from callboard.cli.init_plan import Guess, Plan


def put(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_md", ".md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("directions", {"driver-1_md": "---\nowner: x\n---\n"}),
        ("directions", {"README_md": "about"}),
        ("feedback", {"driver-1_md": "# Feedback log of driver-1\n"}),
        ("roles", {"driver_md": "anything"}),
    ],
)
def test_a_folder_with_our_own_files_is_ours(tmp_path: Path, kind: str, files: dict[str, str]) -> None:
    assert not is_something_else(put(tmp_path, **files), kind)


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("directions", {"how-to-get-here_md": "# Turn left\n"}),
        ("directions", {"route.py": ""}),
        ("feedback", {"form.html": ""}),
        ("feedback", {"customers_md": "# They said\n"}),
        ("roles", {"webserver__tasks.yml": ""}),
        ("roles", {"admin_md": ""}),
    ],
)
def test_a_folder_with_anything_else_in_it_is_not(tmp_path: Path, kind: str, files: dict[str, str]) -> None:
    assert is_something_else(put(tmp_path, **files), kind)


def test_a_file_of_that_name_is_something_else_and_nothing_at_all_is_not(tmp_path: Path) -> None:
    (tmp_path / "roles").write_text("")
    assert is_something_else(tmp_path / "roles", "roles")
    assert not is_something_else(tmp_path / "feedback", "feedback")


@pytest.mark.parametrize(
    ("files", "gate", "because"),
    [
        ({"Makefile": "all:\ntest: all\n\ttrue\n", "Cargo.toml": "x"}, ("make test",), "Makefile"),
        ({"Makefile": "tests:\n", "go.mod": "module x"}, ("go test ./...",), "go.mod"),
        ({"package.json": '{"scripts": {"test": "jest"}}'}, ("npm test",), "package.json"),
        ({"package.json": '{"name": "test"}'}, (), ""),
        ({"Cargo.toml": "[package]"}, ("cargo test",), "Cargo.toml"),
        ({"pyproject.toml": "[tool.pytest.ini_options]"}, ("python -m pytest -q",), "pyproject.toml"),
        ({"README": "pytest"}, (), ""),
    ],
)
def test_a_gate_is_guessed_from_the_file_that_names_the_tests(
    tmp_path: Path, files: dict[str, str], gate: tuple[str, ...], because: str
) -> None:
    guess = guess_commands(put(tmp_path, **files))
    assert (guess.gate, guess.because) == (gate, because)


def test_a_locked_environment_is_set_up_from_its_lock_file(tmp_path: Path) -> None:
    guess = guess_commands(put(tmp_path, **{"uv.lock": "version = 1", "pyproject.toml": "pytest"}))
    assert guess == Guess(
        ("uv sync --locked",), ("pyproject.toml", "uv.lock"), ("uv run --locked pytest -q",), "uv.lock"
    )


def test_a_file_that_appeared_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "callboard.toml").write_text("mine")
    with pytest.raises(FileExistsError):
        write(tmp_path, Plan({"callboard.toml": "ours"}, (), (), ()))
    assert (tmp_path / "callboard.toml").read_text() == "mine"


def test_nothing_is_written_through_a_link_that_leads_out(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "directions").symlink_to(outside)
    with pytest.raises(WorkspaceError, match="leads out"):
        write(root, Plan({"directions/driver-1.md": "x"}, (), (), ()))
    assert not list(outside.iterdir())
