"""What the wheel and the sdist hold."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.packaging.conftest import Built

FOLDERS = ("agents", "bus", "roles", "feedback", "directions")


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def contents_of(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def names_in_sdist(sdist: Path) -> list[str]:
    with tarfile.open(sdist) as archive:
        return [name.partition("/")[2] for name in archive.getnames()]


def sources(tree: Path, pattern: str) -> set[str]:
    found = {str(path.relative_to(tree)) for folder in FOLDERS for path in tree.glob(f"{folder}/{pattern}")}
    return {name for name in found if "__pycache__" not in name}


def test_the_wheel_installs_no_top_level_name_but_callboard(built: Built) -> None:
    tops = {name.partition("/")[0] for name in names_in(built.wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"callboard"}


def test_the_wheel_holds_each_module_and_script_once(built: Built) -> None:
    names = names_in(built.wheel)
    assert len(names) == len(set(names))
    wanted = sources(built.tree, "**/*.py") | sources(built.tree, "scripts/*.lua") | sources(built.tree, "library/*.md")
    held = {
        name.removeprefix("callboard/") for name in names if name.startswith(tuple(f"callboard/{f}/" for f in FOLDERS))
    }
    assert held == wanted


def test_the_files_of_a_workspace_are_in_neither_wheel_nor_sdist(built: Built) -> None:
    packed = {name.removeprefix("callboard/") for name in names_in(built.wheel)} | set(names_in_sdist(built.sdist))
    own = [str(path.relative_to(built.tree)) for path in built.tree.glob("directions/*.md")]
    own += ["feedback/driver-1.md", "feedback/archive/driver-1.2026-11.md", "roles/driver.md", "callboard.toml"]
    assert "directions/driver-1.md" in own
    assert packed.isdisjoint(own)
    assert not [name for name in packed if ".callboard" in name]


def test_the_sdist_builds_the_same_wheel(built: Built) -> None:
    first, second = contents_of(built.wheel), contents_of(built.wheel_of_sdist)
    assert first == second
