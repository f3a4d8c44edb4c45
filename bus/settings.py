"""Where the bus is."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

EMBEDDED = "embedded"
_SCHEMES = ("redis://", "rediss://", "unix://")


def _known_scheme(url: str) -> str:
    if url != EMBEDDED and not any(url.startswith(scheme) and len(url) > len(scheme) for scheme in _SCHEMES):
        raise ValueError(f'expected "{EMBEDDED}" or a URL that starts with {", ".join(_SCHEMES)}')
    return url


class BusSettings(BaseModel):
    """`[bus]`"""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    url: Annotated[str, AfterValidator(_known_scheme)] = EMBEDDED
    """`embedded` (a server of our own in `.callboard/bus`), or a server's URL."""
