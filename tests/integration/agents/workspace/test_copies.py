"""Ignored files of the user's checkout that clones and slots need: there before setup, fresh, and never handed in."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from workshop import ENV, NOON, PIN, Workshop, git, write

from callboard.agents.manager.intake import IntakeRules, ProtectedPaths, take_in
from callboard.agents.workspace.clone import AgentClone
from callboard.agents.workspace.copies import Copies, problems
from callboard.agents.workspace.sandbox import OFF
from callboard.agents.workspace.setup import Setup
from callboard.agents.workspace.slots import GateSlots
from callboard.bus.errors import CommandFailed, IntakeRefused

PATHS = (".env.test", "config/local/keys.ini")


def copies(workshop: Workshop, *paths: str) -> Copies:
    write(workshop.root, {".env.test": "A=1\n", "config/local/keys.ini": "k = 1\n"})
    return Copies(workshop.root, paths or PATHS)


def clone_of(workshop: Workshop, some: Copies) -> AgentClone:
    return AgentClone(workshop.layout, workshop.repository, "driver-1", copies=some, clock=lambda: NOON)


def test_a_clone_has_them_fresh_at_each_start_and_before_setup(workshop: Workshop) -> None:
    clone = clone_of(workshop, copies(workshop))
    (workshop.root / ".env.test").chmod(0o600)
    clone.prepare(workshop.head)
    assert (clone.path / ".env.test").read_text() == "A=1\n"
    assert (clone.path / ".env.test").stat().st_mode & 0o777 == 0o600
    assert (clone.path / "config/local/keys.ini").read_text() == "k = 1\n"
    asyncio.run(clone.set_up(Setup(("cp .env.test seen",)), ENV, OFF))
    assert (clone.path / "seen").read_text() == "A=1\n"
    write(workshop.root, {".env.test": "A=2\n"})
    clone.prepare(workshop.head)
    assert (clone.path / ".env.test").read_text() == "A=2\n"


def test_a_slot_has_them_fresh_at_each_switch(workshop: Workshop) -> None:
    some = copies(workshop)
    slots = GateSlots(workshop.layout, workshop.repository, 1, Setup(), lambda _: ENV, lambda *_: OFF, some)

    async def gate() -> list[str]:
        seen = []
        for text in ("A=1\n", "A=2\n"):
            write(workshop.root, {".env.test": text})
            async with slots.take() as slot:
                await slot.switch(workshop.head)
                seen.append((await slot.run("cat .env.test; rm .env.test", timeout_s=30)).stdout.decode())
        return seen

    assert asyncio.run(gate()) == ["A=1\n", "A=2\n"]


def test_they_are_never_part_of_what_is_handed_in_or_kept(workshop: Workshop) -> None:
    clone = clone_of(workshop, copies(workshop))
    clone.prepare(workshop.head)
    # the brain's own ignore rules stand above those of the git directory
    write(clone.path, {".gitignore": "!.env.test\n!config/**\n", "app/main.py": "work\n", ".env.test": "A=1\nmine\n"})
    git(clone.path, "add", "--force", "--all")
    commit = workshop.hand_in(clone)
    assert commit is not None
    parked = clone.park("T-1", 1)
    assert parked is not None
    for made in (commit, parked):
        assert set(clone.vault.entries(made)) & {*PATHS} == set()
        assert clone.vault.read(made, "app/main.py") == b"work\n"
    clone.prepare(workshop.head)
    assert clone.vault.refs("refs/wip/unclaimed") == {}


def test_a_hand_in_with_one_is_refused_whoever_wrote_it(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {".env.test": "A=1\n"})
    commit = workshop.hand_in(clone)
    assert commit is not None, "the wall off: a clone that knows of no copies hands it in"
    rules = IntakeRules(protected=ProtectedPaths(copied=PATHS))
    with pytest.raises(IntakeRefused, match="rule protected"):
        take_in(
            clone.vault,
            workshop.repository,
            base=workshop.head,
            commit=commit,
            rules=rules,
            pin=PIN,
            branch="driver-1/work",
        )


def test_nothing_is_written_or_removed_through_a_link_that_a_brain_left(workshop: Workshop, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write(outside, {"local/keys.ini": "mine\n", ".env.test": "mine\n"})
    some = copies(workshop)
    clone = clone_of(workshop, some)
    clone.prepare(workshop.head)
    (clone.path / ".env.test").unlink()
    (clone.path / ".env.test").symlink_to(outside / ".env.test")
    git(clone.path, "clean", "-ffdxq", "config")
    write(clone.path, {".gitignore": "config\n"})
    (clone.path / "config").symlink_to(outside)
    clone.prepare(workshop.head)
    assert (clone.path / "config/local/keys.ini").read_text() == "k = 1\n"
    assert not (clone.path / "config").is_symlink()
    (clone.path / "config/local/keys.ini").unlink()
    (clone.path / "config/local").rmdir()
    (clone.path / "config/local").symlink_to(outside / "local")
    clone_of(workshop, Copies(workshop.root)).prepare(workshop.head)
    assert (outside / "local/keys.ini").read_text() == (outside / ".env.test").read_text() == "mine\n"


def test_one_that_is_no_longer_named_goes_and_was_never_kept_as_work(workshop: Workshop) -> None:
    clone_of(workshop, copies(workshop)).prepare(workshop.head)
    later = clone_of(workshop, Copies(workshop.root, (".env.test",)))
    later.prepare(workshop.head)
    assert not (later.path / "config/local/keys.ini").exists()
    assert (later.path / ".env.test").exists()
    assert later.vault.refs("refs/wip") == {}


def test_a_missing_or_tracked_one_is_a_problem_at_launch(workshop: Workshop) -> None:
    some = Copies(workshop.root, (".env.test", "app", "README.md"))
    missing, folder, tracked = problems(some, workshop.repository, "refs/heads/main")
    assert missing.startswith("project.copy names .env.test, and ")
    assert "is no file; make it" in missing
    assert "project.copy names app" in folder
    assert "README.md, which main holds already" in tracked
    assert problems(copies(workshop), workshop.repository, "refs/heads/main") == []


def test_one_that_goes_missing_later_fails_with_the_way_out(workshop: Workshop) -> None:
    clone = clone_of(workshop, copies(workshop))
    (workshop.root / ".env.test").unlink()
    with pytest.raises(CommandFailed, match=r"\.env\.test, which \[project\] copy names, could not be read: No such"):
        clone.prepare(workshop.head)


def test_setup_runs_again_when_only_a_copy_changed(workshop: Workshop) -> None:
    some = copies(workshop)
    clone = clone_of(workshop, some)
    setup = Setup(("cat .env.test >> ../seen",))
    slots = GateSlots(workshop.layout, workshop.repository, 1, setup, lambda _: ENV, lambda *_: OFF, some)

    async def work_and_gate() -> None:
        clone.prepare(workshop.head)
        await clone.set_up(setup, ENV, OFF)
        async with slots.take() as slot:
            await slot.switch(workshop.head)

    for text in ("A=1\n", "A=1\n", "A=2\n"):
        write(workshop.root, {".env.test": text})
        asyncio.run(work_and_gate())
    for seen in (clone.path.parent / "seen", workshop.layout.gate(1).parent / "seen"):
        assert seen.read_text() == "A=1\nA=2\n"
