"""What every document of the board is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Doc(BaseModel):
    """A board document. `version` stays the first field: the commit script reads it from the front of the JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = 0
    """0 before it was first written; the server's copy is always >= 1."""
