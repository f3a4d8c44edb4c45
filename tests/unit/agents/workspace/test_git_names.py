from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.workspace.git_names import checked_path, checked_ref, checked_sha, full_ref, is_branch_name
from callboard.bus.errors import WorkspaceError

GOOD = ["main", "driver-1/work", "callboard/r1", "feature/a+b@2", "T-1/2.1", "función", "fix#3"]
BAD = [
    *("-d", "--upload-pack=x", "a/-x", "", "/a", "a/", "a//b", "a..b", "a.lock", "a/.b", "a.", "@", "HEAD"),
    *("a b", "a\nb", "a\0b", "a~1", "a^", "a:b", "a?b", "a*", "a[b", "a\\b", "a@{1}", "refs heads", "x" * 201),
]


@pytest.mark.parametrize("name", GOOD)
def test_ordinary_names_can_be_branches(name: str) -> None:
    assert is_branch_name(name)
    assert full_ref(name) == f"refs/heads/{name}" == full_ref(f"refs/heads/{name}")


@pytest.mark.parametrize("name", BAD)
def test_names_that_read_as_options_or_revisions_cannot(name: str) -> None:
    assert not is_branch_name(name)
    with pytest.raises(WorkspaceError):
        full_ref(name)
    with pytest.raises(WorkspaceError):
        checked_ref(f"refs/heads/{name}")


@pytest.mark.parametrize("ref", ["main", "heads/main", "refs/heads", "refs/", "refs//x", "refs/-x/y"])
def test_a_ref_is_named_in_full(ref: str) -> None:
    with pytest.raises(WorkspaceError):
        checked_ref(ref)


@pytest.mark.parametrize("text", ["", "HEAD", "main", "a" * 39, "A" * 40, "a" * 41, f"{'a' * 40}^", f"-{'a' * 40}"])
def test_only_whole_object_names_are_commits(text: str) -> None:
    with pytest.raises(WorkspaceError):
        checked_sha(text)


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../b", "./a", "a//b", "a/", "a\0b"])
def test_paths_that_climb_are_no_paths_of_a_tree(path: str) -> None:
    with pytest.raises(WorkspaceError):
        checked_path(path)


@given(st.text())
def test_no_accepted_name_starts_like_an_option_or_holds_a_blank(name: str) -> None:
    if is_branch_name(name):
        assert not name.startswith("-")
        assert not any(c.isspace() or ord(c) < 32 or c in "~^:?*[\\" for c in name)
