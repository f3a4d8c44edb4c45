from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from workshop import ENV, Workshop, git, write

from callboard.agents.workspace.sandbox import OFF
from callboard.agents.workspace.setup import Setup
from callboard.agents.workspace.slots import GateSlots, Slot
from callboard.bus.errors import CommandFailed, WorkspaceError

NO_SETUP = Setup()


def slots(workshop: Workshop, setup: Setup = NO_SETUP, count: int = 1) -> GateSlots:
    return GateSlots(
        workshop.layout, workshop.repository, count, setup, lambda name: {**ENV, "SLOT": name}, lambda *_: OFF
    )


def in_slot(found: GateSlots, work: Callable[[Slot], Awaitable[None]]) -> None:
    async def take() -> None:
        async with found.take() as slot:
            await work(slot)

    asyncio.run(take())


def output(slot: Slot, command: str) -> Awaitable[str]:
    async def run() -> str:
        return (await slot.run(command, timeout_s=300)).stdout.decode()

    return run()


def test_a_slot_holds_exactly_the_commit_it_was_switched_to(workshop: Workshop) -> None:
    first = workshop.head
    second = workshop.commit({"app/main.py": "print('2')\n", "more.py": "x\n"})

    async def work(slot: Slot) -> None:
        await slot.switch(second)
        assert (slot.path / "more.py").exists()
        write(slot.path, {"left.txt": "x", "app/main.py": "tampered\n", "app/__pycache__/x.pyc": "x"})
        git(slot.path, "init", "--quiet", "inner")
        (slot.path / "README.md").unlink()
        await slot.switch(first)
        assert git(slot.path, "status", "--porcelain", "--ignored") == ""
        assert git(slot.path, "rev-parse", "HEAD") == first
        assert not (slot.path / "more.py").exists()
        assert await output(slot, "python3 app/main.py; echo $SLOT") == "hello\ngate-1\n"

    in_slot(slots(workshop), work)


def test_a_file_that_a_gate_changed_behind_gits_back_is_put_back(workshop: Workshop) -> None:
    async def work(slot: Slot) -> None:
        await slot.switch(workshop.head)
        file = slot.path / "app/main.py"
        before = file.stat()
        await slot.run(
            "printf \"print('hullo')\\n\" > app/main.py; "
            f"touch -m -d @{before.st_mtime_ns // 10**9}.{before.st_mtime_ns % 10**9:09d} app/main.py; "
            "git update-index --assume-unchanged app/main.py",
            timeout_s=300,
        )
        assert file.stat().st_mtime_ns == before.st_mtime_ns
        assert file.stat().st_size == before.st_size
        await slot.switch(workshop.head)
        assert file.read_text() == "print('hello')\n"

    in_slot(slots(workshop), work)


SETUP = Setup(
    commands=("mkdir -p made && date +%N > made/when && mktemp made-XXXXXX && echo locked >> lock.txt",),
    inputs=("pyproject.toml", "reqs/*.txt"),
)


def test_setup_runs_once_per_slot_and_again_when_its_inputs_changed(workshop: Workshop) -> None:
    first = workshop.commit({"pyproject.toml": "1\n", "lock.txt": "1\n"})
    second = workshop.commit({"app/main.py": "x\n"})
    third = workshop.commit({"reqs/dev.txt": "x\n"})
    seen = []

    async def work(slot: Slot) -> None:
        for commit in (first, second, third, first):
            await slot.switch(commit)
            seen.append((slot.path / "made/when").read_text())
            assert (slot.path / "lock.txt").read_text() == "1\n", "a file that setup rewrote is tracked: it is put back"
            assert len(list(slot.path.glob("made-*"))) == 1, "what an earlier setup made is gone"

    in_slot(slots(workshop, SETUP), work)
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3
    in_slot(slots(workshop, SETUP), work)
    assert seen[3] == seen[4], "another process finds the slot set up"


def test_what_setup_made_stays_and_everything_else_goes(workshop: Workshop) -> None:
    base = workshop.commit({"lock.txt": "1\n", ".gitignore": "cache/\n"})

    async def work(slot: Slot) -> None:
        await slot.switch(base)
        write(slot.path, {"cache/x": "x", "junk": "x"})
        await slot.switch(base)
        assert (slot.path / "made/when").exists()
        assert len(list(slot.path.glob("made-*"))) == 1
        assert not (slot.path / "cache").exists()
        assert not (slot.path / "junk").exists()

    in_slot(slots(workshop, SETUP), work)


def test_setup_that_failed_is_said_and_runs_again(workshop: Workshop) -> None:
    setup = Setup(commands=("test -e ../allowed || { echo no network; exit 9; }", "echo ok > made"))

    async def work(slot: Slot) -> None:
        with pytest.raises(CommandFailed, match=r"exit code 9 .*no network"):
            await slot.switch(workshop.head)
        with pytest.raises(CommandFailed):
            await slot.switch(workshop.head)
        (slot.path.parent / "allowed").touch()
        await slot.switch(workshop.head)
        assert (slot.path / "made").exists()

    in_slot(slots(workshop, setup), work)


def test_a_repository_with_links_passes_its_gate_in_a_slot(workshop: Workshop) -> None:
    (workshop.root / "link.py").symlink_to("app/main.py")
    (workshop.root / "src").symlink_to("app")
    git(workshop.root, "add", ".")
    git(workshop.root, "commit", "-m", "links")

    async def work(slot: Slot) -> None:
        for _ in range(2):
            await slot.switch(workshop.head)
            finished = await slot.run("test -L link.py && python3 link.py && python3 src/main.py", timeout_s=300)
            assert finished.result.passed
            assert finished.stdout == b"hello\nhello\n"

    in_slot(slots(workshop), work)


def test_as_many_gates_run_at_once_as_there_are_slots(workshop: Workshop) -> None:
    async def work() -> None:
        found = slots(workshop, count=2)
        async with found.take() as one, found.take() as two:
            assert {one.path, two.path} == {workshop.layout.gate(1), workshop.layout.gate(2)}
            third = asyncio.ensure_future(found.take().__aenter__())
            done, _ = await asyncio.wait({third}, timeout=0.05)
            assert not done
        assert (await third).number in (1, 2)

    asyncio.run(work())


def test_who_goes_first_gets_the_next_slot_and_who_gives_up_keeps_none(workshop: Workshop) -> None:
    async def work() -> list[str]:
        found, got = slots(workshop, count=1), list[str]()

        async def take(name: str, *, goes_first: bool = False) -> None:
            async with found.take(goes_first=goes_first):
                got.append(name)

        async with found.take():
            waiting = [asyncio.ensure_future(take(name)) for name in ("new", "newer")]
            waiting += [asyncio.ensure_future(take(name, goes_first=True)) for name in ("gone", "to land")]
            await asyncio.sleep(0)
            waiting[2].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        async with found.take():
            return got

    assert asyncio.run(work()) == ["to land", "new", "newer"]


def test_a_slot_whose_taker_is_stopped_as_its_turn_comes_is_given_back(workshop: Workshop) -> None:
    async def work() -> None:
        found = slots(workshop, count=1)
        async with found.take():
            waiting = asyncio.ensure_future(found.take().__aenter__())
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        async with asyncio.timeout(300), found.take():
            pass

    asyncio.run(work())


def test_a_gate_that_hangs_is_stopped_at_its_time_limit_and_its_slot_is_as_good_as_new(workshop: Workshop) -> None:
    async def work(slot: Slot) -> None:
        await slot.switch(workshop.head)
        finished = await slot.run("echo started; setsid -f sleep 1000; sleep 1000", timeout_s=6.0)
        assert finished.result.exit_code == 124
        assert finished.result.tail == "started\n"
        await slot.switch(workshop.head)
        assert (await slot.run("python3 app/main.py", timeout_s=300)).result.passed

    in_slot(slots(workshop), work)


def test_a_commit_that_is_not_there_is_no_verdict(workshop: Workshop) -> None:
    async def work(slot: Slot) -> None:
        with pytest.raises(WorkspaceError, match="is not in the repository"):
            await slot.switch("1" * 40)

    in_slot(slots(workshop), work)


def test_a_slot_survives_a_crash_in_the_middle_of_a_switch(workshop: Workshop) -> None:
    async def work(slot: Slot) -> None:
        await slot.switch(workshop.head)
        write(workshop.layout.gate_git(1), {"index.lock": ""})
        (slot.path / "README.md").unlink()
        await slot.switch(workshop.head)
        assert git(slot.path, "status", "--porcelain") == ""

    in_slot(slots(workshop), work)


def test_setup_runs_in_a_clone_too_and_what_it_made_is_not_handed_in(workshop: Workshop) -> None:
    workshop.commit({"lock.txt": "1\n"})
    clone = workshop.prepared()
    asyncio.run(clone.set_up(SETUP, ENV, OFF))
    when = (clone.path / "made/when").read_text()
    assert git(clone.path, "status", "--porcelain") == ""
    assert workshop.hand_in(clone) is None
    again = workshop.prepared()
    asyncio.run(again.set_up(SETUP, ENV, OFF))
    assert (clone.path / "made/when").read_text() == when


def test_setup_runs_again_in_a_clone_when_its_inputs_changed_or_it_failed_since(workshop: Workshop) -> None:
    works = workshop.commit({"pyproject.toml": "true\n"})
    fails = workshop.commit({"pyproject.toml": "echo broken > state; false\n"})
    setup = Setup(commands=("echo whole > state; sh -e pyproject.toml",), inputs=("pyproject.toml",))
    clone = workshop.clone()
    for _ in range(2):
        clone.prepare(works)
        asyncio.run(clone.set_up(setup, ENV, OFF))
        assert (clone.path / "state").read_text() == "whole\n"
        clone.prepare(fails)
        with pytest.raises(CommandFailed):
            asyncio.run(clone.set_up(setup, ENV, OFF))
        assert (clone.path / "state").read_text() == "broken\n"


def test_slots_and_clones_leave_the_users_repository_alone(workshop: Workshop, tmp_path: Path) -> None:
    objects = {path.name for path in (workshop.root / ".git").iterdir()}

    async def work(slot: Slot) -> None:
        await slot.switch(workshop.head)
        await slot.run("git commit --allow-empty -m x; git tag y; git gc", timeout_s=60)

    in_slot(slots(workshop), work)
    assert {path.name for path in (workshop.root / ".git").iterdir()} == objects
    assert git(workshop.root, "tag", "--list") == ""
