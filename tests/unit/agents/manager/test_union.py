"""Did every change land, and nothing else: what counts as whole, path by path and line by line."""

from __future__ import annotations

from random import Random

import pytest

from callboard.agents.manager.union import HUNKS_CHARACTERS, Mixed, by_path, hunks_of, mixed, strange
from callboard.agents.workspace.git_output import ABSENT_MODE, TreeChange

FILE, RUN = "100644", "100755"


def change(path: str, old: str, new: str, old_mode: str = FILE, new_mode: str = FILE) -> TreeChange:
    """Blobs are named by a word; "" = not there."""
    return TreeChange(path, old_mode if old else ABSENT_MODE, new_mode if new else ABSENT_MODE, old, new, "M")


def found(own: TreeChange | None, theirs: TreeChange | None, got: TreeChange | None) -> list[str]:
    sides = [by_path([side] if side else []) for side in (own, theirs, got)]
    return strange(sides[0], sides[1], sides[2], frozenset({"a"}))


@pytest.mark.parametrize(
    ("own", "got"),
    [
        (change("a", "1", "2"), None),
        (change("a", "1", "2"), change("a", "1", "3")),
        (change("a", "1", "1", FILE, RUN), change("a", "1", "1", FILE, FILE)),
        (change("a", "1", ""), None),
        (change("a", "", "1"), change("a", "", "1", FILE, RUN)),
        (None, change("a", "1", "2")),
    ],
    ids=["dropped", "other text", "mode lost", "not deleted", "other mode", "nobody asked"],
)
def test_what_is_not_as_asked_is_named(own: TreeChange | None, got: TreeChange | None) -> None:
    assert found(own, None, got) == ["a"]


@pytest.mark.parametrize("asked", [change("a", "1", "2"), change("a", "1", ""), change("a", "", "1", FILE, RUN)])
def test_what_is_as_asked_is_not(asked: TreeChange) -> None:
    assert found(asked, None, asked) == []


def test_a_path_that_was_not_judged_at_intake_is_named_even_if_a_branch_changes_it() -> None:
    asked = by_path([change("b", "1", "2")])
    assert strange(asked, {}, asked, frozenset({"a"})) == ["b"]


def test_the_same_change_that_has_landed_already_changes_nothing_more() -> None:
    same = change("a", "1", "2")
    assert found(same, same, None) == []
    assert found(same, same, change("a", "2", "1")) == ["a"]


def test_of_a_mode_and_a_text_from_two_sides_neither_is_lost() -> None:
    mine, other = change("a", "1", "1", FILE, RUN), change("a", "1", "2")
    assert found(mine, other, change("a", "2", "2", FILE, RUN)) == []
    assert found(mine, other, None) == ["a"], "the mode"
    assert found(mine, other, change("a", "2", "1", FILE, RUN)) == ["a"], "the text"


def test_a_deletion_against_a_change_can_never_be_whole() -> None:
    assert found(change("a", "1", ""), change("a", "1", "2"), change("a", "2", "")) == ["a"]


BASE = [f"{n}" for n in range(30)]


def is_whole(mine: list[str], other: list[str], result: list[str]) -> bool:
    texts = {name: "\n".join(lines).encode() for name, lines in (("b", BASE), ("m", mine), ("o", other), ("r", result))}
    return Mixed("b", "m", "o", "r").is_whole(texts)


def test_a_text_that_both_changed_is_looked_into() -> None:
    own, theirs = by_path([change("a", "b", "m")]), by_path([change("a", "b", "o")])
    assert mixed(own, theirs, by_path([change("a", "o", "r")])) == {"a": Mixed("b", "m", "o", "r")}
    assert mixed(own, by_path([change("a", "b", "m")]), {}) == {}


def test_lines_of_both_sides_must_be_there(seed: int) -> None:
    """Edits in halves that do not meet; then any single one of them is taken back."""
    random = Random(seed)
    for _ in range(300):
        mine, other = list(BASE), list(BASE)
        edits = []
        for side, text, rows in ((0, mine, range(14)), (1, other, range(16, 30))):
            for row in random.sample(rows, random.randint(1, 4)):
                new = random.choice(["", f"side {side} line {row}"])
                text[row] = new
                edits.append((row, new))
        result = [mine[n] if n < 15 else other[n] for n in range(30)]

        def cut(lines: list[str]) -> list[str]:
            return [line for line in lines if line]

        assert is_whole(cut(mine), cut(other), cut(result))
        row, _ = random.choice(edits)
        dropped = [*result[:row], BASE[row], *result[row + 1 :]]
        assert not is_whole(cut(mine), cut(other), cut(dropped)), f"line {row} is as it was"


def test_the_same_edit_on_both_sides_counts_once() -> None:
    both = ["new", *BASE]
    assert is_whole(both, [*both, "end"], [*both, "end"])


def test_a_conflict_is_shown_with_both_sides_and_its_place_and_cut() -> None:
    text = b"one\n<<<<<<< a\nmine\n=======\nyours\n>>>>>>> b\nlast\n"
    assert hunks_of({"a.py": text}) == "a.py:2\n<<<<<<< a\nmine\n=======\nyours\n>>>>>>> b"
    assert hunks_of({"a.bin": b"\x00\xff"}) == ""
    long = b"<<<<<<< a\n" + b"x" * 500 + b"\n=======\n" + b"y\n" * 200 + b">>>>>>> b\n"
    assert len(hunks_of({str(n): long for n in range(9)})) <= HUNKS_CHARACTERS + 4
