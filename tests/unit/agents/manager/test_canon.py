"""Whether the canon has a passage about a problem."""

from __future__ import annotations

import pytest

from callboard.agents.manager.canon import MOST_BYTES, MOST_TEXT, documents, look
from callboard.bus.messages import CanonAsked, CanonRead
from callboard.bus.task import Briefing

API = """# The service

## Names of sandbox accounts

Each team has its own: `team-<name>`.

### Who pays

## Key rotation

- **Time zone of reports**: always UTC
- **Fly deployment**: by hand
"""


def ask(
    problem: str, files: dict[str, bytes] | None = None, documents: tuple[str, ...] = ("docs/api.md",)
) -> CanonRead:
    held = files if files is not None else {"docs/api.md": API.encode()}
    return look(CanonAsked(consult="B-1.canon", commit="a" * 40, documents=documents, problem=problem), held.get)


def test_a_section_whose_whole_heading_is_in_the_problem_is_its_answer() -> None:
    found = ask("I do not know the sandbox account: what is its name?\nthe name")
    assert found.passage.startswith("## Names of sandbox accounts\n\nEach team has its own")
    assert found.reference is not None
    assert (found.reference.file, found.reference.line, found.reference.verified) == ("docs/api.md", 3, True)
    assert found.reference.quote == "## Names of sandbox accounts"


def test_an_item_that_begins_in_bold_answers_too() -> None:
    found = ask("Which time zone do the reports have?")
    assert found.passage == "- **Time zone of reports**: always UTC"


@pytest.mark.parametrize(
    "problem",
    [
        "the sandbox has no account",  # a word of the heading is missing
        "who pays for the service?",  # nothing stands below that heading
        "the fly deployment fails",  # two words are found in any problem
        "",
    ],
)
def test_what_no_heading_says_wholly_has_no_passage(problem: str) -> None:
    assert ask(problem) == CanonRead(consult="B-1.canon")


def test_the_heading_that_says_most_is_taken_and_of_equals_the_first() -> None:
    files = {
        "a.md": b"# blue green switch\n\nfirst\n",
        "b.md": b"# blue green switch\n\nsecond\n# blue green traffic switch\n\nmost\n",
    }
    names = ("a.md", "b.md")
    assert ask("the blue green switch hangs", files, names).passage.endswith("first")
    assert ask("the blue green traffic switch hangs", files, names).passage.endswith("most")


def test_what_cannot_be_read_is_named() -> None:
    files = {"b.md": b"\0", "c.md": b"x" * (MOST_BYTES + 1), "d.md": b"\xff\n# one two three\n\nyes"}
    found = ask("one two three", files, ("a.md", "b.md", "c.md", "d.md"))
    assert found.unread == ("a.md", "b.md", "c.md")
    assert found.passage.endswith("yes"), "bytes that are no text do not hide what is"
    assert ask("nothing of it", files, ("a.md", "b.md", "c.md")).unread == ("a.md", "b.md", "c.md")


def test_a_long_passage_is_cut() -> None:
    files = {"docs/api.md": b"# one two three\n" + b"word " * 10_000}
    assert len(ask("one two three", files).passage) <= MOST_TEXT


def test_documents_are_the_paths_that_the_canon_names_and_the_direction_file() -> None:
    canon = ("North Star: docs/NORTH_STAR.md", "Fly: use `docs/fly.md` or notes.txt", "../../etc/passwd.txt", "a rule")
    briefing = Briefing(agent="a", version="1", path="directions/a.md", canon=canon)
    assert documents(briefing) == ("docs/NORTH_STAR.md", "docs/fly.md", "notes.txt", "directions/a.md")
    assert documents(Briefing(agent="a", version="1", path="directions/a.md", canon=("a rule",))) == ()
    assert documents(None) == ()
