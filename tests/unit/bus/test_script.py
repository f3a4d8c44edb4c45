from __future__ import annotations

import pytest

from callboard.bus.errors import BoardStale, BusError, LeaseLost
from callboard.bus.script import FOLDER, checked, load


def test_an_answer_without_trouble_gives_what_follows_its_word() -> None:
    assert checked([b"ok", 7], "x") == [7]
    assert checked([b"done"], "x") == []


def test_a_refusal_says_what_was_tried_and_on_what() -> None:
    with pytest.raises(LeaseLost, match="commit a/1-0"):
        checked([b"lost"], "commit a/1-0")
    with pytest.raises(BoardStale) as stale:
        checked([b"stale", b"task:T-1", b"4"], "x")
    assert stale.value.field == "task:T-1"
    with pytest.raises(BusError, match="key k holds a string where the bus keeps a stream; nothing was written"):
        checked([b"type", b"k", b"string", b"stream"], "x")


@pytest.mark.parametrize("name", [path.stem for path in FOLDER.glob("*.lua") if path.stem != "lib"])
def test_every_script_says_which_keys_it_is_given_and_no_key_is_made_inside(name: str) -> None:
    text = (FOLDER / f"{name}.lua").read_text("utf-8")
    assert "-- KEYS " in text
    assert "'cb:" not in text
    assert len(load(name).sha) == 40
