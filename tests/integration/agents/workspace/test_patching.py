"""Patches as they are handed in from outside, put on a tree by real git."""

from __future__ import annotations

from datetime import UTC, datetime

import guide
import pytest
from workshop import Workshop

from callboard.agents.workspace.git import Person
from callboard.agents.workspace.layout import Layout
from callboard.agents.workspace.patching import PatchVault
from callboard.bus.errors import IntakeRefused

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ADA = Person("ada", "ada@localhost")


@pytest.fixture
def vault(workshop: Workshop) -> PatchVault:
    made = PatchVault(Layout(workshop.root), workshop.repository, "builder-r")
    made.ensure()
    return made


def commit(vault: PatchVault, workshop: Workshop, patch: str) -> str:
    return vault.commit(workshop.head, patch.encode(), "A phase", ADA, NOW, run="r")


def test_a_patch_becomes_one_commit_on_its_base_that_a_ref_names(vault: PatchVault, workshop: Workshop) -> None:
    head = commit(vault, workshop, guide.PATCH)
    [made] = vault.vault.commits(head, since=workshop.head)
    assert made.parents == (workshop.head,)
    assert vault.vault.refs("refs/handin") == {f"refs/handin/r/{head}": head}
    assert [change.path for change in vault.vault.changes(workshop.head, head)] == ["src/auth.py"]


def test_a_patch_is_kept_as_it_came_however_often(vault: PatchVault) -> None:
    blob = vault.keep("r", b"diff --git ...\n")
    assert vault.keep("r", b"diff --git ...\n") == blob
    assert vault.vault.read_blobs([blob]) == {blob: b"diff --git ...\n"}


@pytest.mark.parametrize(
    "patch", ["diff --git a/src/auth.py ...\n", "nothing\n", "\n", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n"]
)
def test_what_git_cannot_read_is_an_unreadable_patch(vault: PatchVault, workshop: Workshop, patch: str) -> None:
    with pytest.raises(IntakeRefused, match="unreadable patch"):
        commit(vault, workshop, patch)


def test_a_patch_that_does_not_fit_says_where_it_was_put(vault: PatchVault, workshop: Workshop) -> None:
    patch = "--- a/gone.py\n+++ b/gone.py\n@@ -1 +1 @@\n-a\n+b\n"
    with pytest.raises(IntakeRefused, match=f"does not fit {workshop.head[:12]}"):
        commit(vault, workshop, patch)


@pytest.mark.parametrize("path", ["../outside", ".git/hooks/pre-commit", "/etc/passwd"])
def test_a_patch_cannot_name_what_is_no_path_of_a_tree(vault: PatchVault, workshop: Workshop, path: str) -> None:
    before = sorted(str(each) for each in workshop.root.rglob("*") if ".callboard" not in each.parts)
    with pytest.raises(IntakeRefused):
        commit(vault, workshop, guide.PATCH.replace("src/auth.py", path))
    assert sorted(str(each) for each in workshop.root.rglob("*") if ".callboard" not in each.parts) == before
    assert not (workshop.root.parent / "outside").exists()
