"""Git processes that stay answer as new ones do, and where they do not answer new ones are asked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from dying_git import survives
from workshop import DRIVER, NOON, Workshop, git

from callboard.agents.workspace.git_lasting import LastingRepository
from callboard.agents.workspace.git_runner import GitPlace
from callboard.agents.workspace.git_talk import MOST_REQUESTS, EndOf, GitTalk, TalkEnded, line_end
from callboard.bus.errors import GitError

BLOBS = {"a": b"", "b": b"\n\n", "c": b"no newline", "d": b"0" * 40 + b" blob 3\nabc\n", "e": bytes(range(256)) * 900}
ODD = {"end\nof/file": b"x\n", "a b/\u00e9": b"y\n", "tab\there": b"z\n"}
ABSENT = "1" * 40


@pytest.fixture
def lasting(workshop: Workshop) -> Iterator[LastingRepository]:
    repository = LastingRepository.of(workshop.repository)
    yield repository
    repository.close()


def test_names_objects_and_contents_are_as_git_itself_says(workshop: Workshop, lasting: LastingRepository) -> None:
    plain, base = workshop.repository, workshop.head
    head = workshop.commit(dict(BLOBS))
    git(workshop.root, "tag", "--annotate", "--message", "t", "v1")
    for rev in ("HEAD", "main", "refs/heads/main", "refs/tags/v1", "refs/heads/nope", base, ABSENT):
        assert lasting.resolve(rev) == plain.resolve(rev), rev
    assert lasting.tree_of(head) == plain.tree_of(head)
    assert lasting.trees_of((head, base, head)) == plain.trees_of((head, base, head))
    with pytest.raises(GitError):
        lasting.trees_of((head, ABSENT))
    shas = [entry.sha for entry in plain.entries(head).values()]
    assert lasting.read_blobs([*shas, ABSENT]) == plain.read_blobs([*shas, ABSENT])
    assert set(BLOBS.values()) <= set(lasting.read_blobs(shas).values())


def test_trees_are_compared_as_git_itself_does_it(workshop: Workshop, lasting: LastingRepository) -> None:
    base, work = workshop.repository.tree_of(workshop.head), _tree(workshop)
    pairs = [(base, work), (work, base), (base, ABSENT)]
    assert lasting.changes_between(pairs[:2]) == workshop.repository.changes_between(pairs[:2])
    assert {change.path for change in lasting.changes(base, work)} >= ODD.keys()
    with pytest.raises((GitError, ValueError)):
        lasting.changes_between(pairs)
    assert lasting.changes_between(pairs[:1]) == workshop.repository.changes_between(pairs[:1])


class Listening(LastingRepository):
    """Hears what is asked, and looks whether an answer that has only come in part is taken for a whole one."""

    requests: list[bytes]

    def ask(self, talk: GitTalk, request: bytes, end_of: EndOf) -> bytes:
        said = super().ask(talk, request, end_of)
        assert not any(end_of(said[:size]) for size in range(len(said))), "a part was taken for the whole"
        self.requests.append(request)
        return said


def test_no_path_passes_for_the_end_of_what_git_says(workshop: Workshop) -> None:
    listening = Listening.of(workshop.repository)
    assert isinstance(listening, Listening)
    listening.requests = []
    base = workshop.repository.tree_of(workshop.head)
    try:
        listening.changes_between([(base, _tree(workshop))])
        end = listening.requests[-1].splitlines()[-1].decode()
        work = _tree(workshop, {f"{end}\nmore": b"x\n"})
        assert listening.changes_between([(base, work)]) == workshop.repository.changes_between([(base, work)])
    finally:
        listening.close()


def _tree(workshop: Workshop, files: Mapping[str, bytes] = ODD) -> str:
    lines = [f"100644 {workshop.repository.write_blob(content)}\t{path}\0" for path, content in files.items()]
    env = {"GIT_INDEX_FILE": str(workshop.root / ".git/odd")}
    run = workshop.repository.run
    run("update-index", "-z", "--index-info", stdin="".join(lines).encode(), env=env)
    return run("write-tree", env=env).text


@pytest.mark.parametrize("message", ["One", "One\n\nTask: T-1\nAgent: \u00e9\n", " \n x \0 y\n\n\n", ""])
def test_a_commit_is_the_same_object_as_git_commit_tree_writes(
    workshop: Workshop, lasting: LastingRepository, message: str
) -> None:
    base = workshop.head
    args = (workshop.repository.tree_of(base), (base, base), message, DRIVER, NOON)
    written = lasting.commit_tree(*args)
    assert written == workshop.repository.commit_tree(*args)
    assert workshop.repository.resolve(written) == written


def test_what_others_write_meanwhile_is_seen(workshop: Workshop, lasting: LastingRepository) -> None:
    before = lasting.resolve("main")
    workshop.commit({"new.txt": "x\n"})
    git(workshop.root, "gc", "--quiet", "--prune=now")
    assert lasting.resolve("main") == workshop.head != before
    git(workshop.root, "update-ref", "refs/heads/main", before or "")
    assert lasting.resolve("main") == before


def test_a_process_that_was_killed_is_replaced(workshop: Workshop, lasting: LastingRepository) -> None:
    assert lasting.resolve("main") == workshop.head
    for talk in (lasting._lookups, lasting._comparisons, lasting._writes):
        if talk._process is not None:
            talk._process.kill()
            talk._process.wait()
    assert lasting.resolve("main") == workshop.head
    assert lasting.resolve("main") == workshop.head


def test_a_fork_has_processes_of_its_own(workshop: Workshop, lasting: LastingRepository) -> None:
    head = workshop.head
    assert lasting.resolve("main") == head

    ours = lasting._lookups._process

    def in_a_fork() -> None:
        assert lasting.resolve("main") == head
        assert lasting._lookups._process is not ours, "two that share a pipe would read each other's answers"

    assert survives(in_a_fork)
    assert lasting.resolve("main") == head


def test_a_git_that_does_not_know_the_command_is_asked_once(tmp_path: Path) -> None:
    talk = GitTalk(GitPlace(tmp_path), ("no-such-command",))
    for _ in range(2):
        with pytest.raises(TalkEnded):
            talk.ask(b"x\n", line_end)
    assert talk._process is None


def test_after_many_requests_a_new_process_takes_over(workshop: Workshop) -> None:
    talk = GitTalk(GitPlace(workshop.root), ("cat-file", "--batch-command"))
    pids = set[int]()
    for _ in range(MOST_REQUESTS + 1):
        talk.ask(b"info HEAD\n", line_end)
        assert talk._process is not None
        pids.add(talk._process.pid)
    talk.close()
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_where_a_branch_is_checked_out_is_as_git_says(workshop: Workshop, tmp_path: Path) -> None:
    root, plain = workshop.root, workshop.repository
    git(root, "branch", "other")
    git(root, "worktree", "add", "--quiet", str(tmp_path / "look"), "other")
    git(root, "worktree", "add", "--quiet", "--detach", str(tmp_path / "loose"), "main")
    for branch in ("main", "other", "nowhere"):
        assert plain.where_checked_out(branch) == plain.checked_out().get(branch), branch
    head = root / ".git" / "HEAD"
    head.unlink()
    head.symlink_to("refs/heads/main")
    assert plain.where_checked_out("main") == plain.checked_out().get("main") != None  # noqa: E711
