"""Long lists a page at a time."""

from __future__ import annotations

import pytest

from callboard.web.pages import page_of
from callboard.web.problems import Refused

ROWS = [f"T-{n}" for n in range(1, 8)]


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
def test_all_pages_together_are_the_list(limit: int) -> None:
    seen: list[str] = []
    after = ""
    for _ in ROWS:
        page = page_of(ROWS, str, after, limit)
        assert (len(page.items), page.total) == (min(limit, len(ROWS) - len(seen)), len(ROWS))
        seen += page.items
        after = page.next
        if not after:
            break
    assert seen == ROWS


def test_a_page_after_nothing_known_is_refused() -> None:
    with pytest.raises(Refused, match="T-9"):
        page_of(ROWS, str, "T-9", 2)
