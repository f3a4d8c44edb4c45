"""Attacks 1-8 of the design: what a hostile agent hands in. Each also with the wall off, where it succeeds."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from crafted import crafted_hand_in, materialise
from raw_git import Objects, RawEntry
from workshop import DRIVER, HANDIN, NOON, PIN, Workshop, git, imprint, write

from callboard.agents.manager.intake import IntakeRules, judge_unfinished, take_in
from callboard.agents.workspace.clone import AgentClone
from callboard.agents.workspace.git import Repository
from callboard.bus.errors import IntakeRefused, WorkspaceError


def refused(workshop: Workshop, clone: AgentClone, commit: str, *paths: str) -> str:
    """The rule and path that refused; nothing at all may have been imported."""
    before = imprint(workshop.root, without=[".callboard"])
    with pytest.raises(IntakeRefused) as caught:
        workshop.take_in(clone, commit, *paths)
    assert imprint(workshop.root, without=[".callboard"]) == before
    assert workshop.repository.resolve(commit) is None
    return f"{caught.value.rule} {caught.value.path}"


def imported_without_intake(workshop: Workshop, clone: AgentClone, commit: str) -> None:
    """The wall off: fetched without being judged."""
    git(workshop.root, "fetch", "--quiet", str(clone.checkout.git_dir), f"{HANDIN}:refs/heads/unjudged")
    assert git(workshop.root, "rev-parse", "refs/heads/unjudged") == commit


# --- 1 path escapes ---------------------------------------------------------------------------------


def test_a_tree_that_climbs_out_of_the_checkout_is_refused(workshop: Workshop, tmp_path: Path) -> None:
    clone = workshop.prepared()
    commit = crafted_hand_in(workshop, clone, [("100644", "../escaped.txt", b"out\n")])
    assert refused(workshop, clone, commit) == "git ../escaped.txt"
    materialise(clone, commit, tmp_path / "naive" / "checkout")
    assert (tmp_path / "naive" / "escaped.txt").exists(), "the wall off"


def test_a_folder_that_the_brain_replaced_by_a_link_leads_no_reset_outside(workshop: Workshop, tmp_path: Path) -> None:
    clone = workshop.prepared()
    outside = tmp_path / "outside"
    write(outside, {"main.py": "mine\n", "precious.txt": "mine\n"})
    _replace_by_link(clone.path / "app", outside)
    before = imprint(outside)
    clone.prepare(workshop.head)
    assert imprint(outside) == before
    assert (clone.path / "app/main.py").read_text() == "print('hello')\n"
    _replace_by_link(clone.path / "app", outside)
    (clone.path / "app" / "main.py").write_text("reset\n")
    assert imprint(outside) != before, "the wall off: a plain write goes through the link"


def _replace_by_link(folder: Path, outside: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.symlink_to(outside)


# --- 2 protected files ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        (".git/hooks/post-checkout", "git"),
        ("app/.GIT/hooks/post-checkout", "git"),
        (".gitmodules", "protected"),
        (".gitattributes", "protected"),
        ("callboard.toml", "protected"),
        ("directions/driver-1.md", "protected"),
        ("roles/driver.md", "protected"),
        ("feedback/driver-1.md", "protected"),
        (".github/workflows/ci.yml", "steering"),
        (".claude/settings.json", "steering"),
        ("AGENTS.md", "steering"),
    ],
)
def test_files_that_give_power_are_refused(workshop: Workshop, path: str, rule: str) -> None:
    clone = workshop.prepared()
    commit = crafted_hand_in(workshop, clone, [("100755", path, b"#!/bin/sh\n")])
    assert refused(workshop, clone, commit) == f"{rule} {path}"
    imported_without_intake(workshop, clone, commit)


def test_a_hook_in_a_tree_is_a_hook_in_a_careless_checkout(workshop: Workshop, tmp_path: Path) -> None:
    clone = workshop.prepared()
    hook = f"#!/bin/sh\ntouch {tmp_path}/ran\n".encode()
    commit = crafted_hand_in(workshop, clone, [("100755", ".git/hooks/pre-commit", hook)])
    assert refused(workshop, clone, commit) == "git .git/hooks/pre-commit"
    git(tmp_path, "init", "--quiet", "naive")
    materialise(clone, commit, tmp_path / "naive")
    (tmp_path / "naive/.git/hooks/pre-commit").chmod(0o755)
    git(tmp_path / "naive", "commit", "--allow-empty", "-qm", "x")
    assert (tmp_path / "ran").exists(), "the wall off"


# --- 3, 4 links -------------------------------------------------------------------------------------


def test_a_new_link_is_refused(workshop: Workshop, tmp_path: Path) -> None:
    write(tmp_path, {"secret": "s3cret\n"})
    clone = workshop.prepared()
    (clone.path / "config.txt").symlink_to(tmp_path / "secret")
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert refused(workshop, clone, commit) == "link config.txt"
    imported_without_intake(workshop, clone, commit)
    git(workshop.root, "checkout", "-q", "unjudged")
    assert (workshop.root / "config.txt").read_text() == "s3cret\n", "the wall off"


def test_a_link_of_the_base_may_not_be_pointed_elsewhere(workshop: Workshop) -> None:
    (workshop.root / "link").symlink_to("app/main.py")
    git(workshop.root, "add", ".")
    git(workshop.root, "commit", "-qm", "link")
    clone = workshop.prepared()
    (clone.path / "link").unlink()
    (clone.path / "link").symlink_to("/etc/passwd")
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert refused(workshop, clone, commit) == "link link"
    imported_without_intake(workshop, clone, commit)


def test_nothing_is_written_through_a_link(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    clone = workshop.prepared()
    link = str(tmp_path / "outside").encode()
    # two trees in a row, each of them valid: first the link, then a file below it
    one = crafted_hand_in(workshop, clone, [("120000", "data", link)])
    assert refused(workshop, clone, one) == "link data"
    two = crafted_hand_in(workshop, clone, [("100644", "data/planted.txt", b"x\n")])
    clone.checkout.restore(one)
    clone.checkout.restore(two)
    assert (clone.path / "data/planted.txt").read_text() == "x\n"
    assert list((tmp_path / "outside").iterdir()) == []
    naive = tmp_path / "naive"
    naive.mkdir()
    (naive / "data").symlink_to(tmp_path / "outside")
    materialise(clone, two, naive)
    assert (tmp_path / "outside/planted.txt").exists(), "the wall off"


# --- 5, 6 renames, headers that disagree ------------------------------------------------------------


def test_a_rename_from_outside_the_tasks_paths_is_refused(workshop: Workshop) -> None:
    workshop.commit({"billing/rates.py": "".join(f"RATE_{n} = {n}\n" for n in range(50))})
    clone = workshop.prepared()
    git(clone.path, "mv", "billing/rates.py", "app/rates.py")
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert refused(workshop, clone, commit, "app/") == "paths billing/rates.py"
    imported_without_intake(workshop, clone, commit)
    names = git(workshop.root, "diff", "-M", "--name-only", "HEAD", "unjudged")
    assert names == "app/rates.py", "the wall off: who asks for names after renames does not see the source"


LYING_PATCH = """\
diff --git a/app/main.py b/app/main.py
--- a/billing.py
+++ b/billing.py
@@ -1 +1 @@
-RATE = 1
+RATE = 0
"""


def test_a_copy_to_outside_the_tasks_paths_is_refused(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"billing/copied.py": (clone.path / "app/main.py").read_text()})
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert refused(workshop, clone, commit, "app/") == "paths billing/copied.py"
    imported_without_intake(workshop, clone, commit)


def test_a_patch_whose_headers_disagree_is_judged_by_what_it_does(workshop: Workshop, tmp_path: Path) -> None:
    workshop.commit({"billing.py": "RATE = 1\n"})
    clone = workshop.prepared()
    (tmp_path / "p").write_text(LYING_PATCH)
    subprocess.run(["patch", "-p1", "-i", str(tmp_path / "p")], cwd=clone.path, check=True, capture_output=True)
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert refused(workshop, clone, commit, "app/") == "paths billing.py"
    named = [line.split(" b/")[1] for line in LYING_PATCH.splitlines() if line.startswith("diff --git")]
    assert named == ["app/main.py"], "the wall off: who asks the header lets it pass"
    imported_without_intake(workshop, clone, commit)
    assert git(workshop.root, "show", "unjudged:billing.py") == "RATE = 0"


# --- 7 submodule, modes, size, count ----------------------------------------------------------------


@pytest.mark.parametrize(("mode", "rule"), [("160000", "submodule"), ("120000", "link")])
def test_entries_that_are_no_ordinary_files_are_refused(workshop: Workshop, mode: str, rule: str) -> None:
    clone = workshop.prepared()
    content = workshop.head.encode() if mode == "160000" else b"x"
    commit = crafted_hand_in(workshop, clone, [(mode, "app/new", content)])
    assert refused(workshop, clone, commit) == f"{rule} app/new"
    imported_without_intake(workshop, clone, commit)


def test_a_mode_that_git_does_not_write_is_refused(workshop: Workshop) -> None:
    clone = workshop.prepared()
    objects = Objects(clone.checkout.git_dir / "objects", (workshop.root / ".git/objects",))
    odd = RawEntry(b"100666", b"zz", objects.write("blob", b"x"))
    tree = objects.tree([*objects.entries(workshop.repository.tree_of(workshop.head)), odd])
    commit = objects.commit(tree, [workshop.head])
    assert clone.vault.update_ref(HANDIN, commit, clone.vault.resolve(HANDIN))
    assert refused(workshop, clone, commit) == "tree "
    imported_without_intake(workshop, clone, commit)


def test_a_mode_may_not_flip_outside_the_tasks_paths(workshop: Workshop) -> None:
    clone = workshop.prepared()
    (clone.path / "README.md").chmod(0o755)
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert refused(workshop, clone, commit, "app/") == "paths README.md"
    imported_without_intake(workshop, clone, commit)


def test_a_file_that_flips_into_a_link_is_refused(workshop: Workshop) -> None:
    clone = workshop.prepared()
    commit = crafted_hand_in(workshop, clone, [("120000", "app/main.py", b"/etc/passwd")])
    assert refused(workshop, clone, commit) == "link app/main.py"
    imported_without_intake(workshop, clone, commit)


def test_a_blob_of_200_megabytes_is_refused(workshop: Workshop) -> None:
    clone = workshop.prepared()
    with (clone.path / "big.bin").open("wb") as big:
        big.truncate(200_000_000)
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert refused(workshop, clone, commit) == "size big.bin"
    imported_without_intake(workshop, clone, commit)


def test_100_000_files_are_refused(workshop: Workshop) -> None:
    clone = workshop.prepared()
    blob = clone.vault.write_blob(b"x\n")
    lines = "".join(f"100644 blob {blob}\tf{n:06}\0" for n in range(100_000))
    tree = clone.vault.run("mktree", "-z", stdin=lines.encode()).text
    commit = clone.vault.commit_tree(tree, [workshop.head], "many", DRIVER, NOON)
    clone.vault.update_ref(HANDIN, commit, None)
    assert refused(workshop, clone, commit) == "count "
    imported_without_intake(workshop, clone, commit)


# --- 8, 15 swapped between check and use ------------------------------------------------------------


class SwappedVault(Repository):
    """A vault whose ref the attacker moves to another commit while intake is judging."""

    evil = ""

    def sizes(self, shas: object) -> dict[str, int]:
        self.update_ref(HANDIN, self.evil, self.resolve(HANDIN))
        return super().sizes(shas)  # type: ignore[arg-type]


def test_a_tree_swapped_while_it_is_judged_is_not_imported(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"app/main.py": "good\n"})
    good = workshop.hand_in(clone)
    assert good is not None
    evil = crafted_hand_in(workshop, clone, [("100644", "callboard.toml", b"evil\n")])
    clone.vault.update_ref(HANDIN, good, evil)
    vault = SwappedVault(clone.path, git_dir=clone.checkout.git_dir)
    vault.evil = evil
    with pytest.raises((IntakeRefused, WorkspaceError)):
        take_in(
            vault, workshop.repository, base=workshop.head, commit=good, rules=IntakeRules(), pin=PIN, branch="d/work"
        )
    assert workshop.repository.resolve(evil) is None
    assert workshop.repository.refs("refs/callboard") == {}
    imported_without_intake(workshop, clone, evil)  # asked for by the ref's name, not by what was judged


def test_what_is_pinned_is_the_commit_that_was_judged_and_no_other(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"app/main.py": "good\n"})
    good = workshop.hand_in(clone)
    assert good is not None
    taken = workshop.take_in(clone, good)
    assert (taken.commit, taken.files) == (good, ("app/main.py",))
    assert taken.tree == workshop.repository.tree_of(good)
    assert workshop.repository.resolve(PIN) == workshop.repository.resolve("driver-1/work") == good
    assert workshop.take_in(clone, good) == taken


def test_a_branch_that_a_person_has_checked_out_does_not_move_under_them(workshop: Workshop) -> None:
    git(workshop.root, "checkout", "-qb", "driver-1/work")
    clone = workshop.prepared()
    write(clone.path, {"app/main.py": "good\n"})
    commit, before = workshop.hand_in(clone), workshop.head
    assert commit is not None
    workshop.take_in(clone, commit)
    assert workshop.repository.resolve(PIN) == commit
    assert workshop.head == before
    assert git(workshop.root, "status", "--porcelain") == ""


@pytest.mark.parametrize("commit", ["HEAD", "refs/handin/T-1/1", "1" * 40, "--all", ""])
def test_a_hand_in_is_named_by_a_commit_of_the_vault_alone(workshop: Workshop, commit: str) -> None:
    clone = workshop.prepared()
    with pytest.raises(IntakeRefused, match="rule ancestry"):
        workshop.take_in(clone, commit)
    assert workshop.repository.refs("refs/callboard") == {}


def test_a_hand_in_that_is_not_one_commit_on_the_base_is_refused(workshop: Workshop) -> None:
    clone, tree = workshop.prepared(), workshop.repository.tree_of(workshop.head)
    orphan = clone.vault.commit_tree(tree, [], "orphan", DRIVER, NOON)
    one = clone.vault.commit_tree(tree, [workshop.head], "one", DRIVER, NOON)
    two = clone.vault.commit_tree(tree, [one], "two", DRIVER, NOON)
    merge = clone.vault.commit_tree(tree, [workshop.head, orphan], "merge", DRIVER, NOON)
    for commit in (orphan, two, merge):
        clone.vault.update_ref(HANDIN, commit, clone.vault.resolve(HANDIN))
        assert refused(workshop, clone, commit) == "ancestry "
    with pytest.raises(IntakeRefused, match="rule ancestry"):
        workshop.take_in(clone, workshop.head)


def test_a_secret_is_refused_before_it_reaches_the_users_objects(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"app/conf.py": "KEY = '" + "AKIA" + "ABCDEFGHIJKLMNOP'\n"})
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert refused(workshop, clone, commit) == "secret app/conf.py"


KEY = "AKI" + "A" + "Q7Z2M4X9K1B5N8C3"


@pytest.mark.parametrize(
    "text",
    [
        f"KEY = '{KEY}'\n",
        f"KEY = '{KEY[:7]}' + '{KEY[7:]}'\n",
        f"KEY = (\n    '{KEY[:11]}'\n    '{KEY[11:]}'\n)\n",
        f"BLOB = '{base64.b64encode(f'the key is {KEY}'.encode()).decode()}'\n",
        f"BLOB = '{KEY.encode().hex()}'\n",
        f"URL = 'https://x/?q=%41{KEY[1:]}'\n",
    ],
    ids=["plain", "sum", "two lines", "base64", "hex", "percent"],
)
def test_a_secret_is_refused_in_a_commit_also_split_and_encoded(workshop: Workshop, text: str) -> None:
    clone = workshop.prepared()
    write(clone.path, {"app/conf.py": text})
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert refused(workshop, clone, commit) == "secret app/conf.py"
    imported_without_intake(workshop, clone, commit)


def test_a_secret_of_an_earlier_attempt_does_not_come_with_later_unfinished_work(workshop: Workshop) -> None:
    clone, base = workshop.prepared(), workshop.head
    write(clone.path, {"app/conf.py": "KEY = '" + "AKIA" + "ABCDEFGHIJKLMNOP'\n"})
    first = clone.park("T-1", 1)
    assert first is not None
    clone.prepare(first)
    write(clone.path, {"app/conf.py": "KEY = None\n"})
    second = clone.park("T-1", 2)
    assert second is not None
    for commit in (first, second):
        with pytest.raises(IntakeRefused, match="rule secret"):
            judge_unfinished(clone.vault, base, commit, IntakeRules())
    net = clone.vault.read_blobs(change.new_sha for change in clone.vault.changes(base, second))
    assert b"AKIA" not in b"".join(net.values()), "the wall off: what is left of both steps shows no secret"
