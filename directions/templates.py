"""The direction files that `init` writes."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from string import Template

from callboard.directions.front_matter import yaml_scalar

_DRIVER = Path(__file__).parent / "library" / "driver.md"


def direction_template(agent: str, *, path: str, owner: str, today: date) -> str:
    """A direction file for a new driver; its one task is an example in a comment.

    Args:
        path: The file, as people write it, from the top of the repository.
        owner: Who answers for it.
    """
    text = _DRIVER.read_text(encoding="utf-8")
    epoch = f"{today:%Y.%m}.E1"
    return Template(text).substitute(
        agent=agent, path=yaml_scalar(path), owner=yaml_scalar(owner), today=today.isoformat(), epoch=epoch
    )
