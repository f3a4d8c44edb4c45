"""Single requirements in files of requirements, so that they can be counted and named by number. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MOST = 300
"""Requirements of all files; whoever has more counts the first."""
SAID = 300
"""Characters of each that stand in the numbered list."""
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?(?P<text>\S.*)")
_FENCE = re.compile(r"\s*(?:```|~~~)")


def numbered(texts: Iterable[str]) -> tuple[str, ...]:
    """The requirements of all files in their order; the first has number 1."""
    return tuple(item for text in texts for item in _items(text))[:MOST]


def _items(text: str) -> list[str]:
    """Its list items; of a file without lists, its paragraphs that are no headings."""
    lines = [line for line in _outside_fences(text) if not line.lstrip().startswith("#")]
    found = [match["text"] for line in lines if (match := _ITEM.fullmatch(line))]
    paragraphs = [part for part in re.split(r"\n\s*\n", "\n".join(lines)) if part.strip()]
    return [" ".join(one.split())[:SAID] for one in found or paragraphs]


def _outside_fences(text: str) -> Iterator[str]:
    """A heading parts paragraphs as an empty line does."""
    is_inside = False
    for line in text.splitlines():
        if _FENCE.match(line):
            is_inside = not is_inside
        elif not is_inside:
            yield line
            if line.startswith("#"):
                yield ""
