"""The direction files that `init` writes, from `library/`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from string import Template

from callboard.directions.front_matter import yaml_scalar

_LIBRARY = Path(__file__).parent / "library"


def direction_template(role: str, agent: str, *, path: str, owner: str, today: date) -> str:
    """A direction file for a new member of the roster; its one task is an example in a comment.

    Args:
        role: manager, driver or reviewer.
        path: The file, as people write it, from the top of the repository.
        owner: Who answers for it.
    """
    text = (_LIBRARY / f"{role}.md").read_text(encoding="utf-8")
    epoch = f"{today:%Y.%m}.E1"
    return Template(text).substitute(
        agent=agent, path=yaml_scalar(path), owner=yaml_scalar(owner), today=today.isoformat(), epoch=epoch
    )
