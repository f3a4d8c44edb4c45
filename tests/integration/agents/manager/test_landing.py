"""Landing in a real repository: it can be repeated after a crash at any step, and moves only what the board intends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from workshop import DRIVER, NOON, Workshop, git

from callboard.agents.manager.landing import Lander
from callboard.agents.workspace.git import Repository
from callboard.bus.board import Board, GateDoc, IntentDoc, RunDoc
from callboard.bus.errors import Reject
from callboard.bus.hand_messages import MergeBranch
from callboard.bus.messages import LandRequested, MergePrepared, MergeRequested

BRANCH = "callboard/r"
REF = f"refs/heads/{BRANCH}"
TAG = "callboard/r/main/T-1"
MESSAGE = "One\n\nTask: T-1\nTask-Key: driver-1/one\nTask-Digest: 0123456789abcdef\n"


@dataclass
class Line:
    """The integration branch of one run, and work to land on it."""

    workshop: Workshop
    base: str

    @property
    def repository(self) -> Repository:
        return self.workshop.repository

    @property
    def head(self) -> str | None:
        return self.repository.resolve(REF)

    def run(self, head: str = "") -> RunDoc:
        return RunDoc(version=1, id="r", base=self.base, head=head or self.base, integration=BRANCH, target="main")

    def work(self, files: dict[str, str], name: str = "driver-1/work") -> str:
        """What a driver handed in: one commit on top of the base."""
        self.repository.update_ref(f"refs/heads/{name}", self.base, self.repository.resolve(f"refs/heads/{name}"))
        content = {path: text.encode() for path, text in files.items()}
        return self.repository.commit_files(name, content, "One", DRIVER, NOON)

    def branch(self, commit: str, *files: str, reviewed_base: str = "", task: str = "T-1") -> MergeBranch:
        return MergeBranch(
            task=task,
            agent="driver-1",
            commit=commit,
            base=self.base,
            reviewed_base=reviewed_base or self.base,
            files=files,
            message=MESSAGE.replace("T-1", task),
            at=NOON,
        )

    def prepare_all(self, *branches: MergeBranch, head: str = "") -> MergePrepared:
        request = MergeRequested(stack=1, branches=branches, at=NOON)
        return Lander(self.repository).prepare(self.run(head), request)

    def prepare(self, commit: str, *files: str, head: str = "", reviewed_base: str = "") -> MergePrepared:
        return self.prepare_all(self.branch(commit, *files, reviewed_base=reviewed_base), head=head)

    def others_land(self, files: dict[str, str | bytes]) -> str:
        """Another task's landing."""
        content = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        return self.repository.commit_files(BRANCH, content, "other", DRIVER, NOON)


@dataclass
class Ready:
    """A merge that is prepared and intended."""

    line: Line
    prepared: MergePrepared

    @property
    def intent(self) -> IntentDoc:
        made = self.prepared
        return IntentDoc(
            version=1,
            id="I-1",
            tasks=("T-1",),
            merges=(made.branches[0].merge,),
            ref=REF,
            old=made.old,
            new=made.landing,
            tree=made.branches[0].tree,
            verdict="verdict:t:h",
        )

    def board(self, **verdict: object) -> Board:
        green = GateDoc(version=1, tree=self.intent.tree, gate_hash="h", verdict="green").model_copy(update=verdict)
        return Board({"run": self.line.run(), "intent:I-1": self.intent, "verdict:t:h": green})

    def request(self, **values: object) -> LandRequested:
        made = self.intent
        tags = {TAG: made.merges[0]}
        asked = LandRequested(intent="I-1", ref=REF, old=made.old, new=made.new, tree=made.tree, tags=tags)
        return asked.model_copy(update=values)

    def land(self) -> tuple[str, str]:
        finished = Lander(self.line.repository).land(self.board(), self.request())
        return finished.outcome, finished.reason

    def is_landed(self) -> bool:
        repository = self.line.repository
        tagged = repository.resolve(f"refs/tags/{TAG}")
        return self.line.head == self.prepared.landing and tagged == self.prepared.branches[0].merge


@pytest.fixture
def line(workshop: Workshop) -> Line:
    git(workshop.root, "branch", BRANCH)
    return Line(workshop, workshop.head)


@pytest.fixture
def ready(line: Line) -> Ready:
    return Ready(line, line.prepare(line.work({"new.py": "x\n"}), "new.py"))


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
    line = Line(workshop, workshop.head)
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
    line = Line(workshop, workshop.head)
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


# --- carrying out an intent ---


def test_a_landing_moves_the_branch_and_tags_it(ready: Ready) -> None:
    assert ready.land() == ("landed", "")
    assert ready.is_landed()


def test_a_landing_said_twice_is_done_once(ready: Ready) -> None:
    ready.land()
    reflog = git(ready.line.workshop.root, "log", "--oneline", BRANCH)
    assert ready.land() == ("landed", "")
    assert git(ready.line.workshop.root, "log", "--oneline", BRANCH) == reflog


class Killed(Exception):
    """Stands for the end of the process."""


class Dying:
    """A repository whose process is killed before or after one of its effects."""

    def __init__(self, repository: Repository, effect: str, *, after: bool) -> None:
        self._repository = repository
        self._effect = effect
        self._after = after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._repository, name)
        if name != self._effect:
            return method

        def dying(*args: object) -> None:
            if self._after:
                method(*args)
            raise Killed

        return dying


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("effect", ["resolve", "update_ref", "tag_all"])
def test_a_landing_is_finished_after_a_crash_at_any_step(ready: Ready, effect: str, after: bool) -> None:
    with pytest.raises(Killed):
        Lander(Dying(ready.line.repository, effect, after=after)).land(ready.board(), ready.request())
    assert ready.land() == ("landed", "")
    assert ready.is_landed()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("effect", ["merge_tree", "commit_tree"])
def test_a_merge_is_the_same_object_after_a_crash_at_any_step(line: Line, effect: str, after: bool) -> None:
    work = line.work({"new.py": "x\n"})
    expected = line.prepare(work, "new.py")
    request = MergeRequested(stack=1, branches=(line.branch(work, "new.py"),), at=NOON)
    with pytest.raises(Killed):
        Lander(Dying(line.repository, effect, after=after)).prepare(line.run(), request)
    assert line.prepare(work, "new.py") == expected


def test_an_intent_whose_commit_others_have_built_on_only_lacks_its_tag(ready: Ready) -> None:
    git(ready.line.workshop.root, "update-ref", REF, ready.prepared.landing)
    at = ready.line.others_land({"on-top.py": "x\n"})
    assert ready.land() == ("landed", "")
    assert ready.line.head == at
    assert ready.line.repository.resolve(f"refs/tags/{TAG}") == ready.prepared.branches[0].merge


def test_a_branch_that_somebody_moved_is_left_alone_and_the_way_out_works(ready: Ready) -> None:
    at = ready.line.others_land({"surprise.py": "x\n"})
    outcome, reason = ready.land()
    assert outcome == "moved"
    assert f"somebody moved {BRANCH}: it is at {at[:12]}" in reason
    assert ready.line.head == at
    command = reason.split("`")[1]
    git(ready.line.workshop.root, *command.split()[1:])
    assert ready.land() == ("landed", "")


def test_a_branch_that_is_gone_is_named_and_the_way_out_works(ready: Ready) -> None:
    git(ready.line.workshop.root, "update-ref", "-d", REF)
    outcome, reason = ready.land()
    assert outcome == "moved"
    assert "it is gone" in reason
    git(ready.line.workshop.root, *reason.split("`")[1].split()[1:])
    assert ready.land() == ("landed", "")


def test_a_branch_that_moves_between_the_look_and_the_move_is_not_overwritten(ready: Ready) -> None:
    line = ready.line

    class Racing:
        """Somebody moves the branch just before we do."""

        def __init__(self) -> None:
            self.at: str | None = None

        def __getattr__(self, name: str) -> Any:
            return getattr(line.repository, name)

        def update_ref(self, ref: str, new: str, old: str) -> bool:
            self.at = self.at or line.others_land({"surprise.py": "x\n"})
            return line.repository.update_ref(ref, new, old)

    racing = Racing()
    finished = Lander(racing).land(ready.board(), ready.request())
    assert finished.outcome == "moved"
    assert line.head == racing.at


def test_a_branch_that_is_checked_out_is_not_moved_under_its_checkout(ready: Ready, tmp_path: Path) -> None:
    root = ready.line.workshop.root
    git(root, "worktree", "add", "--quiet", str(tmp_path / "look"), BRANCH)
    outcome, reason = ready.land()
    assert outcome == "blocked"
    assert f"{BRANCH} is checked out in {tmp_path / 'look'}" in reason
    assert ready.line.head == ready.line.base
    git(root, "worktree", "remove", str(tmp_path / "look"))
    assert ready.land() == ("landed", "")


def test_a_tag_of_that_name_on_another_commit_stops_the_landing_until_it_is_gone(ready: Ready) -> None:
    root = ready.line.workshop.root
    git(root, "tag", TAG, ready.line.base)
    outcome, reason = ready.land()
    assert outcome == "blocked"
    assert f"tag {TAG} exists on another commit" in reason
    git(root, "tag", "--delete", TAG)
    assert ready.land() == ("landed", "")


# --- forged and replayed requests (attack 15) ---


@pytest.mark.parametrize(
    "values", [{"intent": "I-9"}, {"old": "1" * 40}, {"ref": "refs/heads/main"}, {"tree": "1" * 40}]
)
def test_a_request_that_the_board_does_not_intend_moves_nothing(ready: Ready, values: dict[str, object]) -> None:
    with pytest.raises(Reject, match="the board has no intent"):
        Lander(ready.line.repository).land(ready.board(), ready.request(**values))
    assert ready.line.head == ready.line.base


def test_a_request_for_another_commit_moves_nothing(ready: Ready) -> None:
    other = ready.line.prepare(ready.line.work({"evil.py": "x\n"}), "evil.py")
    with pytest.raises(Reject, match="the board has no intent"):
        Lander(ready.line.repository).land(ready.board(), ready.request(new=other.landing))
    assert ready.line.head == ready.line.base


@pytest.mark.parametrize("verdict", [{"verdict": "red"}, {"tree": "1" * 40}], ids=["red", "of another tree"])
def test_an_intent_without_a_green_verdict_of_its_tree_moves_nothing(ready: Ready, verdict: dict[str, object]) -> None:
    with pytest.raises(Reject, match="has no green verdict"):
        Lander(ready.line.repository).land(ready.board(**verdict), ready.request())
    assert ready.line.head == ready.line.base


def test_an_intent_without_any_verdict_moves_nothing(ready: Ready) -> None:
    docs = {name: doc for name, doc in ready.board().docs.items() if not name.startswith("verdict")}
    with pytest.raises(Reject, match="has no green verdict"):
        Lander(ready.line.repository).land(Board(docs), ready.request())


def test_a_commit_that_does_not_hold_the_tree_with_the_verdict_moves_nothing(ready: Ready) -> None:
    """The tree is swapped between check and use (attack 8)."""
    other = ready.line.prepare(ready.line.work({"evil.py": "x\n"}), "evil.py")
    swapped = Ready(ready.line, ready.prepared.model_copy(update={"landing": other.landing}))
    with pytest.raises(Reject, match="does not hold tree"):
        Lander(ready.line.repository).land(swapped.board(), swapped.request())
    assert ready.line.head == ready.line.base
    assert ready.line.repository.update_ref(REF, other.landing, ready.line.base), (
        "the wall off: a move asks for no verdict"
    )
    assert ready.line.repository.read(other.landing, "evil.py") == b"x\n"
