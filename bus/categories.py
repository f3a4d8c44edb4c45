"""What kind of change a task is, and which kinds are high-risk: their issues are major, their gate strict, their attempts few."""

from __future__ import annotations

import re
from collections.abc import Mapping

HIGH_RISK: Mapping[str, tuple[frozenset[str], ...]] = {
    "cross_cutting_refactor": (frozenset({"cross", "cutting", "refactor"}), frozenset({"cross", "cutting"})),
    "index_registry_change": (frozenset({"index", "registry"}), frozenset({"index"}), frozenset({"registry"})),
    "schema_contract": (frozenset({"schema", "contract"}), frozenset({"schema"}), frozenset({"contract"})),
    "bulk_change": (frozenset({"bulk"}),),
    "security_auth": (frozenset({"security", "auth"}), frozenset({"security"}), frozenset({"auth"})),
}
"""Name -> the words, without those of `_FILLING`, by which it is known."""
_FILLING = frozenset({"a", "and", "change", "changes", "file", "multi", "operation", "or", "the"})
_SAME = {"authentication": "auth", "authorization": "auth", "contracts": "contract", "refactoring": "refactor"}


def category_name(text: str) -> str:
    """A high-risk category by its one name, however it was written; any other as it was written.

    `Security or auth change` -> `security_auth`; `Feature scaffolding` stays.
    """
    said = [_SAME.get(word, word) for word in re.findall(r"[a-z]+", text.casefold())]
    words = frozenset(said) - _FILLING
    return next((name for name, known in HIGH_RISK.items() if words in known), text.strip())


def is_high_risk(category: str) -> bool:
    """
    Args:
        category: As `category_name` gives it.
    """
    return category in HIGH_RISK
