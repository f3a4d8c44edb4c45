"""Attacks 9-11 and 21-23 of the design: what a hostile agent does in and around its clone; each also with the wall off."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from workshop import DRIVER, ENV, HANDIN, NOON, PIN, Workshop, git, imprint, make_workshop, write

from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.sandbox import OFF
from callboard.agents.workspace.setup import Setup
from callboard.agents.workspace.slots import GateSlots
from callboard.bus.errors import WorkspaceError

OURS = (
    ".callboard",
    ".git/objects",
    ".git/refs/callboard",
    ".git/refs/heads/driver-1",
    ".git/refs/heads/callboard",
    ".git/refs/tags/callboard",
    ".git/logs/refs/heads/driver-1",
    ".git/logs/refs/heads/callboard",
)
"""All that may change in a user's repository before promotion."""


def test_a_whole_task_leaves_the_users_checkout_index_head_and_branches_as_they_were(workshop: Workshop) -> None:
    git(workshop.root, "branch", "feature/x")
    write(workshop.root, {"notes.txt": "mine, uncommitted\n", "README.md": "# mine, unstaged\n"})
    git(workshop.root, "add", "notes.txt")
    os.utime(workshop.root / "app/main.py", (1, 1))
    before = imprint(workshop.root, without=OURS)
    repository, base = workshop.repository, workshop.head

    assert repository.update_ref("refs/heads/callboard/r1", base, None)
    clone = workshop.prepared()
    write(clone.path, {"app/main.py": "better\n"})
    clone.park("T-1", 1)
    commit = workshop.hand_in(clone)
    assert commit is not None
    taken = workshop.take_in(clone, commit, "app/")
    repository.commit_files("driver-1/log", {"feedback/driver-1.md": b"log\n"}, "Log", DRIVER, NOON)
    asyncio.run(_gate(workshop, commit))
    merged = repository.merge_tree(base, commit)
    landed = repository.commit_tree(merged.tree, [base, commit], "Land it\n\nTask-Key: driver-1/x", DRIVER, NOON)
    assert repository.update_ref("refs/heads/callboard/r1", landed, base)
    repository.tag("callboard/r1/main/T-1", landed)
    assert repository.is_dirty()
    assert len(repository.uncommitted()) == 2
    clone.prepare(landed)

    assert taken.tree == merged.tree
    assert imprint(workshop.root, without=OURS) == before
    assert set(repository.refs("refs")) == {
        *("refs/heads/main", "refs/heads/feature/x", "refs/heads/driver-1/work", "refs/heads/driver-1/log"),
        *("refs/heads/callboard/r1", "refs/tags/callboard/r1/main/T-1", PIN),
    }
    git(workshop.root, "status")
    git(workshop.root, "fetch", "--quiet", str(clone.checkout.git_dir), HANDIN)
    changed = {name for name, digest in imprint(workshop.root, without=OURS).items() if before.get(name) != digest}
    assert changed == {".git/FETCH_HEAD", ".git/index"}, "the wall off: plain git writes both"


async def _gate(workshop: Workshop, commit: str) -> None:
    async with GateSlots(
        workshop.layout, workshop.repository, 1, Setup(), lambda _: ENV, lambda *_: OFF
    ).take() as slot:
        await slot.switch(commit)
        await slot.run("git status; git commit --allow-empty -m x; echo > new", timeout_s=30)


# --- 9, 10 branches of others -----------------------------------------------------------------------


def test_a_brain_that_moves_main_moves_it_in_its_clone_only(workshop: Workshop, tmp_path: Path) -> None:
    before, clone = workshop.head, workshop.prepared()
    attack = ("-c", "user.name=x", "-c", "user.email=x", "commit", "-q", "--allow-empty", "-m", "owned")
    git(clone.path, "checkout", "-q", "-B", "main")
    git(clone.path, *attack)
    write(clone.path, {"app/main.py": "work\n"})
    commit = workshop.hand_in(clone)
    assert commit is not None
    workshop.take_in(clone, commit)
    assert workshop.repository.resolve("main") == before
    assert [c.subject for c in workshop.repository.commits(commit, since=before)] == ["Do it"]
    git(workshop.root, "worktree", "add", "-q", "--detach", str(tmp_path / "shared"))
    git(tmp_path / "shared", *attack)
    git(tmp_path / "shared", "update-ref", "refs/heads/main", "HEAD")
    assert workshop.repository.resolve("main") != before, "the wall off: a worktree shares its refs"


def test_a_brain_has_nowhere_to_push_to(workshop: Workshop, tmp_path: Path) -> None:
    clone = workshop.prepared()
    before = workshop.repository.refs("refs")
    for args in (("push",), ("push", "origin", "HEAD:refs/heads/stolen"), ("push", "--all"), ("push", "--mirror")):
        assert git(clone.path, *args, check=False) == ""
    assert workshop.repository.refs("refs") == before
    git(tmp_path, "clone", "--quiet", "--shared", str(workshop.root), "plain")
    git(tmp_path / "plain", "push", "--quiet", "origin", "HEAD:refs/heads/stolen")
    assert "refs/heads/stolen" in workshop.repository.refs("refs"), "the wall off: a plain clone knows its origin"


def test_a_landing_does_not_go_over_an_integration_branch_that_somebody_pushed_to(workshop: Workshop) -> None:
    repository, base, ref = workshop.repository, workshop.head, "refs/heads/callboard/r1"
    repository.update_ref(ref, base, None)
    clone = workshop.prepared()
    git(clone.path, "commit", "-q", "--allow-empty", "-m", "pushed")
    git(clone.path, "push", "-q", str(workshop.root), "HEAD:callboard/r1")
    pushed = repository.resolve(ref)
    landing = repository.commit_tree(repository.tree_of(base), [base], "landing", DRIVER, NOON)
    assert not repository.update_ref(ref, landing, base)
    assert repository.resolve(ref) == pushed
    git(workshop.root, "update-ref", ref, landing)
    assert repository.resolve(ref) == landing, "the wall off: without the old value it is overwritten"


# --- 11 options and refs as names ---------------------------------------------------------------------

NAMES = [
    *("--upload-pack=touch pwned", "-d", "--all", "--output=pwned", "HEAD~1", "main^{/x}", "a..b", "@{u}", ":/x"),
    *("refs/heads/../../x", "refs/heads/-x", "ext::sh -c 'touch pwned'", "x\nrefs/heads/y", "main:README.md"),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_an_option_or_an_expression_never_reaches_git(workshop: Workshop, name: str) -> None:
    repository, head = workshop.repository, workshop.head
    before = imprint(workshop.root)
    attempts: list[Callable[[], object]] = [
        lambda: repository.resolve(name),
        lambda: repository.tree_of(name),
        lambda: repository.read(name, "README.md"),
        lambda: repository.changes(name, head),
        lambda: repository.is_ancestor(name, head),
        lambda: repository.merge_tree(name, head),
        lambda: repository.commit_tree(name, [], "m", DRIVER, NOON),
        lambda: repository.commit_tree(head, [name], "m", DRIVER, NOON),
        lambda: repository.update_ref(name, head, None),
        lambda: repository.update_ref(f"refs/heads/{name}", head, None),
        lambda: repository.update_ref("refs/heads/x", name, None),
        lambda: repository.tag(name, head),
        lambda: repository.refs(name),
        lambda: repository.commit_files(name, {"x": b""}, "m", DRIVER, NOON),
        lambda: repository.fetch_commit(workshop.root / ".git", "refs/heads/main", head, name),
        lambda: repository.fetch_commit(workshop.root / ".git", name, head, "refs/callboard/r1/x"),
        lambda: repository.log_first_parent(name),
        lambda: repository.sizes([name]),
        lambda: workshop.clone().prepare(name),
    ]
    for attempt in attempts:
        with pytest.raises(WorkspaceError, match=r"cannot be used|not a full commit id|neither in|not a ref"):
            attempt()
    assert imprint(workshop.root, without=[".callboard"]) == {
        name: digest for name, digest in before.items() if not name.startswith(".callboard")
    }


def test_plain_git_runs_such_a_name(workshop: Workshop) -> None:
    subprocess.run(
        ["git", "fetch", ".", "--upload-pack=touch pwned;"], cwd=workshop.root, capture_output=True, check=False
    )
    assert (workshop.root / "pwned").exists(), "the wall off"


# --- 21 the origin's objects ---------------------------------------------------------------------------


def test_a_write_to_an_object_in_the_clone_does_not_reach_the_origin(workshop: Workshop, tmp_path: Path) -> None:
    clone = workshop.prepared()
    for folder in (clone.path, clone.checkout.git_dir):
        assert [path for path in folder.rglob("*") if path.is_file() and path.stat().st_nlink > 1] == []
    _overwrite_objects(clone.path / ".git/objects")
    assert git(workshop.root, "fsck", "--full") == ""
    git(tmp_path, "clone", "--quiet", "--local", str(workshop.root), "linked")
    _overwrite_objects(tmp_path / "linked/.git/objects")
    fsck = subprocess.run(["git", "fsck", "--full"], cwd=workshop.root, capture_output=True, check=False)
    assert fsck.returncode != 0, "the wall off: a clone with hard links shares its bytes"


def _overwrite_objects(objects: Path) -> None:
    for path in [path for path in objects.rglob("*") if path.is_file() and len(path.parent.name) == 2]:
        path.chmod(0o644)
        path.write_bytes(b"garbage")


# --- 22 programs planted in the clone --------------------------------------------------------------------


def plant(folder: Path, marker: Path) -> None:
    """Configuration, hooks and attributes that run a program whenever git does anything with them."""
    script = folder / ".git/run"
    write(folder, {".git/run": f"#!/bin/sh\necho $0 >> {marker}\ncat\n"})
    script.chmod(0o755)
    for key, value in {
        "filter.evil.clean": f"{script}",
        "filter.evil.smudge": f"{script}",
        "filter.evil.process": f"{script}",
        "filter.evil.required": "true",
        "diff.evil.textconv": f"{script}",
        "diff.external": f"{script}",
        "core.fsmonitor": f"{script}",
        "core.sshCommand": f"{script}",
        "core.pager": f"{script}",
        "core.editor": f"{script}",
        "commit.gpgSign": "true",
        "gpg.program": f"{script}",
        "uploadpack.packObjectsHook": f"{script}",
        "core.alternateRefsCommand": f"{script}",
        "core.hooksPath": str(folder / ".git/hooks"),
        "include.path": str(folder / ".git/more"),
    }.items():
        git(folder, "config", key, value)
    hooks = ("pre-commit", "post-checkout", "post-index-change", "reference-transaction", "post-merge", "pre-push")
    for hook in hooks:
        write(folder, {f".git/hooks/{hook}": script.read_text()})
        (folder / ".git/hooks" / hook).chmod(0o755)
    write(folder, {".gitattributes": "* filter=evil diff=evil\n", ".git/info/attributes": "* filter=evil\n"})


def test_no_program_planted_in_a_clone_is_ever_run_by_us(workshop: Workshop, tmp_path: Path) -> None:
    marker, clone = tmp_path / "ran", workshop.prepared()
    plant(clone.path, marker)
    git(clone.path, "init", "--quiet", "inner")
    plant(clone.path / "inner", marker)
    write(clone.path, {"app/main.py": "work\n", "inner/file": "x\n"})
    marker.unlink(missing_ok=True)

    assert clone.park("T-1", 1) is not None
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert clone.vault.read(commit, "app/main.py") == b"work\n"
    clone.left_out()
    clone.stray_refs()
    workshop.clone().prepare(workshop.head)
    clone.prepare(commit)
    assert not marker.exists()


@pytest.mark.parametrize("command", [("add", "--all"), ("status",), ("commit", "--allow-empty", "-m", "x"), ("diff",)])
def test_plain_git_in_the_clone_runs_them(workshop: Workshop, tmp_path: Path, command: tuple[str, ...]) -> None:
    marker, clone = tmp_path / "ran", workshop.prepared()
    plant(clone.path, marker)
    write(clone.path, {"app/main.py": "work\n"})
    marker.unlink(missing_ok=True)
    git(clone.path, *command, check=False)
    assert marker.exists(), "the wall off"


def test_no_program_planted_in_a_slot_is_run_by_the_next_gate(workshop: Workshop, tmp_path: Path) -> None:
    marker, other = tmp_path / "ran", workshop.commit({"more.py": "x\n"})

    async def gate() -> None:
        async with GateSlots(
            workshop.layout, workshop.repository, 1, Setup(), lambda _: ENV, lambda *_: OFF
        ).take() as slot:
            await slot.switch(workshop.head)
            plant(slot.path, marker)
            marker.unlink(missing_ok=True)
            await slot.switch(other)
            assert not (slot.path / ".gitattributes").exists()
            assert git(slot.path, "config", "--get", "core.fsmonitor", check=False) == ""

    asyncio.run(gate())
    assert not marker.exists()


def test_a_git_folder_that_points_at_the_users_repository_moves_nothing_there(workshop: Workshop) -> None:
    clone = workshop.prepared()
    before = imprint(workshop.root, without=[".callboard"])
    for point in (_as_file, _as_link):
        write(clone.path, {"app/main.py": f"{point.__name__}\n"})
        point(clone.path / ".git", workshop.root / ".git")
        assert workshop.hand_in(clone) is not None
        assert clone.stray_refs() == ()
        clone.prepare(workshop.head)
        assert imprint(workshop.root, without=[".callboard"]) == before


def _as_file(dot_git: Path, target: Path) -> None:
    dot_git.rename(dot_git.parent.parent / "moved")
    dot_git.write_text(f"gitdir: {target}\n")


def _as_link(dot_git: Path, target: Path) -> None:
    dot_git.rename(dot_git.parent.parent / "moved-too")
    dot_git.symlink_to(target)


# --- 23 stray branches ---------------------------------------------------------------------------------


def test_branches_of_the_brains_own_are_reported_and_never_fetched(workshop: Workshop) -> None:
    clone = workshop.prepared()
    git(clone.path, "checkout", "-q", "-b", "backdoor")
    git(clone.path, "commit", "-q", "--allow-empty", "-m", "backdoor")
    git(clone.path, "update-ref", "refs/callboard/r1/tasks/T-9/1", "HEAD")
    write(clone.path, {"app/main.py": "work\n"})
    commit = workshop.hand_in(clone)
    assert commit is not None
    workshop.take_in(clone, commit)
    assert clone.stray_refs() == ("refs/callboard/r1/tasks/T-9/1", "refs/heads/backdoor")
    assert set(workshop.repository.refs("refs")) == {"refs/heads/main", "refs/heads/driver-1/work", PIN}
    git(workshop.root, "fetch", "--quiet", str(clone.path), "+refs/*:refs/stolen/*")
    assert "refs/stolen/heads/backdoor" in workshop.repository.refs("refs"), "the wall off"


def test_a_ref_of_the_brains_own_cannot_lead_the_reader_elsewhere(workshop: Workshop, tmp_path: Path) -> None:
    other = make_workshop(tmp_path / "other")
    git(other.root, "branch", "private-name")
    clone = workshop.prepared()
    (clone.path / ".git/refs/more").symlink_to(other.root / ".git/refs")
    (clone.path / ".git/packed-refs").symlink_to(other.root / ".git/packed-refs")
    assert not any("private-name" in ref for ref in clone.stray_refs())


def test_a_repository_opened_with_the_vault_is_never_the_one_around_it(workshop: Workshop) -> None:
    clone = workshop.prepared()
    outer = Repository(clone.path)
    assert outer.resolve("HEAD") == workshop.head
    assert clone.vault.git_path("index") == clone.checkout.git_dir / "index"
