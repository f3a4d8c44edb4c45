"""Where the ledger is."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

EMBEDDED = "embedded"
OFF = "off"
FILE = "ledger.db"
"""Of the embedded ledger, in `.callboard/`."""
POSTGRES = ("postgresql://", "postgres://", "postgresql+psycopg://")
SQLITE = "sqlite:///"


def is_postgres(url: str) -> bool:
    return url.startswith(POSTGRES)


def _known_scheme(url: str) -> str:
    if url in (EMBEDDED, OFF) or any(url.startswith(way) and len(url) > len(way) for way in (*POSTGRES, SQLITE)):
        return url
    raise ValueError(
        f'expected "{EMBEDDED}", "{OFF}", a URL that starts with {POSTGRES[0]}, or {SQLITE} and a file\'s path'
    )


class LedgerSettings(BaseModel):
    """`[ledger]`"""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    url: Annotated[str, AfterValidator(_known_scheme)] = EMBEDDED
    """`embedded` (SQLite, `.callboard/ledger.db`), `off`, or the URL of a Postgres database or of an SQLite file."""
