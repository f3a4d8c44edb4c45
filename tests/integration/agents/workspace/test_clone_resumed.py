"""What is in a clone of an attempt that was interrupted."""

from __future__ import annotations

from workshop import NOON, Workshop, write

from callboard.agents.workspace.git import Person

ATTEMPT = "run-1/T-1/1"


def test_what_an_interrupted_attempt_had_made_is_found_for_that_attempt_alone(workshop: Workshop) -> None:
    clone = workshop.clone()
    assert clone.held(ATTEMPT) is None, "nothing was prepared yet"
    clone.prepare(workshop.head, ATTEMPT)
    assert clone.held(ATTEMPT) is None, "nothing was made yet"
    write(clone.path, {"half.txt": "half\n"})
    assert clone.held("run-1/T-1/2") is None
    assert clone.held("run-1/T-11/1") is None
    held = clone.held(ATTEMPT)
    assert held is not None
    clone.prepare(workshop.head, ATTEMPT)
    assert not (clone.path / "half.txt").exists()
    clone.lay(held)
    assert (clone.path / "half.txt").read_text() == "half\n"
    clone.prepare(workshop.head, "run-1/T-2/1")
    write(clone.path, {"other.txt": "of another task\n"})
    assert clone.held(ATTEMPT) is None


def test_what_was_committed_to_be_handed_in_counts_before_what_checks_have_left(workshop: Workshop) -> None:
    clone = workshop.clone()
    clone.prepare(workshop.head, ATTEMPT)
    write(clone.path, {"done.txt": "done\n"})
    author = Person("driver-1", "driver-1@localhost")
    commit = clone.hand_in(f"refs/handin/{ATTEMPT}", workshop.head, "Done", author, NOON)
    write(clone.path, {"report.xml": "left by a check\n"})
    assert clone.held(ATTEMPT) == commit
    clone.prepare(workshop.head)
    assert clone.held(ATTEMPT) is None, "it was made ready for something else since"
