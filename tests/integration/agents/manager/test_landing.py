"""Stacks in a real repository: objects alone, and only what their tasks changed."""

from __future__ import annotations

import pytest
from landing_line import BRANCH, Line
from workshop import NOON, Workshop, git

# --- preparing a merge ---


def test_a_stack_is_objects_alone_and_moves_nothing(line: Line) -> None:
    work = line.work({"new.py": "x\n"})
    before = line.repository.refs("refs")
    made = line.prepare(work, "new.py")
    [row] = made.branches
    assert row.outcome == "stacked"
    assert line.repository.refs("refs") == before
    [landing] = line.repository.log_first_parent(made.landing, line.base)
    assert (landing.parents, landing.tree, landing.at) == ((line.base, row.merge), row.tree, NOON)
    assert landing.subject == "One (T-1)"
    [merge] = line.repository.log_first_parent(row.merge, line.base)
    assert (merge.parents, merge.tree, merge.at, merge.subject) == ((line.base, work), row.tree, NOON, "One")
    assert line.repository.read(made.landing, "new.py") == b"x\n"


def test_a_stack_lands_as_one_commit_with_a_merge_for_each_task_on_its_side(line: Line) -> None:
    works = {f"T-{n}": line.work({f"new-{n}.py": "x\n"}) for n in (1, 2, 3)}
    branches = [line.branch(work, f"new-{id[2]}.py", task=id) for id, work in works.items()]
    made = line.prepare_all(*branches)
    merges = [row.merge for row in made.branches]
    [landing] = line.repository.log_first_parent(made.landing, line.base)
    assert landing.parents == (line.base, merges[-1])
    assert landing.subject == "Land T-1, T-2, T-3"
    side = line.repository.trailers(made.landing, ("Task",), since=line.base)
    assert [(one.sha, one.trailers["Task"]) for one in side] == [
        (merge, (id,)) for merge, id in reversed(list(zip(merges, works, strict=True)))
    ]
    assert [one.parents[1] for one in reversed(side)] == list(works.values())
    assert made == line.prepare_all(*branches), "a repeat writes the same objects"
    assert line.prepare_all(*branches[:2]).branches == made.branches[:2], "and so does a stack of the first of them"


def test_what_touches_the_file_of_one_before_it_waits_and_does_not_hold_up_the_others(line: Line) -> None:
    first = line.branch(line.work({"app/main.py": "print('mine')\n"}), "app/main.py", task="T-1")
    second = line.branch(line.work({"app/main.py": "print('theirs')\n"}), "app/main.py", task="T-2")
    third = line.branch(line.work({"other.py": "x\n"}), "other.py", task="T-3")
    made = line.prepare_all(first, second, third)
    assert [row.outcome for row in made.branches] == ["stacked", "waits", "stacked"]
    assert (made.branches[1].other, made.branches[1].paths) == ("T-1", ("app/main.py",))


def test_a_file_where_one_before_it_has_a_folder_waits_too(line: Line) -> None:
    first = line.branch(line.work({"thing": "x\n"}), "thing", task="T-1")
    second = line.branch(line.work({"thing/inside": "x\n"}), "thing/inside", task="T-2")
    made = line.prepare_all(first, second)
    assert [row.outcome for row in made.branches] == ["stacked", "waits"]
    assert made.branches[1].other == "T-1"


def test_the_same_merge_again_writes_the_same_object(line: Line) -> None:
    work = line.work({"new.py": "x\n"})
    assert line.prepare(work, "new.py") == line.prepare(work, "new.py")


def test_later_runs_read_from_it_which_task_it_landed(line: Line) -> None:
    made = line.prepare(line.work({"new.py": "x\n"}), "new.py")
    [commit] = line.repository.trailers(made.landing, ("Task-Key", "Task-Digest"))
    assert commit.trailers == {"Task-Key": ("driver-1/one",), "Task-Digest": ("0123456789abcdef",)}


def test_what_landed_meanwhile_is_merged_with(line: Line) -> None:
    work = line.work({"new.py": "x\n"})
    head = line.others_land({"other.py": "y\n"})
    made = line.prepare(work, "new.py", head=head)
    assert (made.branches[0].outcome, made.old) == ("stacked", head)
    assert {"new.py", "other.py"} <= set(line.repository.entries(made.landing))


def test_a_conflict_names_its_files(line: Line) -> None:
    work = line.work({"app/main.py": "print('mine')\n"})
    head = line.others_land({"app/main.py": "print('theirs')\n"})
    made = line.prepare(work, "app/main.py", head=head, reviewed_base=head)
    [row] = made.branches
    assert (row.outcome, row.paths, made.landing) == ("conflict", ("app/main.py",), "")
    assert "app/main.py:1\n<<<<<<< " in row.hunks
    assert "print('mine')" in row.hunks
    assert "print('theirs')" in row.hunks
    assert line.prepare(work, "app/main.py", head=head).branches == (row,), "nobody reviews it before"


def test_a_landing_in_the_same_file_that_merges_cleanly_is_named(workshop: Workshop) -> None:
    workshop.commit({"long.txt": "".join(f"{n}\n" for n in range(40))})
    git(workshop.root, "branch", BRANCH)
    line = Line(workshop, workshop.head, workshop.repository)
    lines = [f"{n}\n" for n in range(40)]
    work = line.work({"long.txt": "".join(["first\n", *lines[1:]])})
    head = line.others_land({"long.txt": "".join([*lines[:-1], "last\n"])})
    [row] = line.prepare(work, "long.txt", head=head).branches
    assert (row.outcome, row.paths) == ("review", ("long.txt",))
    merged = "".join(["first\n", *lines[1:-1], "last\n"]).encode()
    assert line.repository.read(row.merge, "long.txt") == merged, "that is what is judged"
    [row] = line.prepare(work, "long.txt", head=head, reviewed_base=head).branches
    assert row.outcome == "stacked", "that landing was reviewed"


def test_work_that_the_branch_has_already_is_contained(line: Line) -> None:
    work = line.work({"new.py": "x\n"})
    assert line.prepare(line.base).branches[0].outcome == "contained"
    head = line.others_land({"new.py": "x\n"})
    made = line.prepare(work, "new.py", head=head, reviewed_base=head)
    assert (made.branches[0].outcome, made.landing) == ("contained", "")


def test_a_branch_that_is_not_where_the_last_landing_left_it_is_named(line: Line) -> None:
    work = line.work({"new.py": "x\n"})
    at = line.others_land({"surprise.py": "x\n"})
    made = line.prepare(work, "new.py")
    assert made.outcome == "moved"
    assert f"it is at {at[:12]}, the last landing left it at {line.base[:12]}" in made.reason


# --- a landing changes nothing but what its task changed ---


@pytest.fixture
def renamed(workshop: Workshop) -> tuple[Line, str, str]:
    """A landing renamed the file that a task has changed; git carries the change along to the new name."""
    workshop.commit({"old/name.py": "".join(f"line {n}\n" for n in range(30))})
    git(workshop.root, "branch", BRANCH)
    line = Line(workshop, workshop.head, workshop.repository)
    work = line.work({"old/name.py": "".join(f"line {n}\n" for n in range(29)) + "changed\n"})
    git(workshop.root, "checkout", "--quiet", BRANCH)
    git(workshop.root, "mv", "old/name.py", "secret.py")
    git(workshop.root, "commit", "--quiet", "--message", "rename")
    head = workshop.head
    git(workshop.root, "checkout", "--quiet", "main")
    return line, work, head


def test_a_change_that_would_land_on_a_path_nobody_judged_is_a_conflict(renamed: tuple[Line, str, str]) -> None:
    line, work, head = renamed
    made = line.prepare(work, "old/name.py", head=head, reviewed_base=head)
    assert (made.branches[0].outcome, made.landing) == ("conflict", "")
    assert "secret.py" in made.branches[0].paths


def test_git_itself_would_let_it_land_there(renamed: tuple[Line, str, str]) -> None:
    line, work, head = renamed
    merged = line.repository.merge_tree(head, work)
    assert not merged.conflicts
    assert b"changed" in line.repository.read_paths(merged.tree, ["secret.py"])["secret.py"]
