"""Where the bus is, and how it is spoken to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from callboard.bus.address import INBOX_LIMIT, why_not_spoken, with_options

EMBEDDED = "embedded"
TLS = "rediss://"
_SCHEMES = ("redis://", TLS, "unix://")


def _known_scheme(url: str) -> str:
    if why := why_not_spoken(url):
        raise ValueError(why)
    if url != EMBEDDED and not any(url.startswith(scheme) and len(url) > len(scheme) for scheme in _SCHEMES):
        raise ValueError(f'expected "{EMBEDDED}" or a URL that starts with {", ".join(_SCHEMES)}')
    return url


class BusSettings(BaseModel):
    """`[bus]`"""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    url: Annotated[str, AfterValidator(_known_scheme)] = EMBEDDED
    """`embedded` (a server of our own in `.callboard/bus`), or the URL of a server, or of any node of a cluster."""
    ca: str = ""
    """File with the certificate of who signed the server's, in PEM form, from the folder of callboard.toml; "" = whom this
    computer trusts. For rediss:// alone."""
    wait_replicas: Annotated[int, Field(ge=0)] = 0
    """How many replicas must have a message before it counts as sent."""
    unreachable_s: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 60.0
    """An agent's process of which the server hears nothing for so long is replaced: four leases (bus/lease.py), and a process at
    work reads twice a second."""
    inbox_limit: Annotated[int, Field(ge=0)] = INBOX_LIMIT
    """How many messages may wait in one inbox before nothing new is sent to it; 0 = any number."""

    @model_validator(mode="after")
    def _fits_the_url(self) -> Self:
        if self.wait_replicas and self.url == EMBEDDED:
            raise _fault("wait_replicas", "the embedded server has no replicas; set url to a server that has")
        if self.ca and not self.url.startswith(TLS):
            raise _fault("ca", f"only a URL that starts with {TLS} has a certificate; set url to one, or leave ca out")
        return self

    def at(self, url: str, root: Path) -> str:
        """A server's URL with everything that a connection to it needs.

        Args:
            root: The folder of callboard.toml.
        """
        options: dict[str, str | int] = {"ssl_ca_certs": str(root / self.ca)} if self.ca else {}
        if self.wait_replicas:
            options["wait_replicas"] = self.wait_replicas
        if self.inbox_limit != INBOX_LIMIT:
            options["inbox_limit"] = self.inbox_limit
        return with_options(url, **options)


def _fault(key: str, message: str) -> PydanticCustomError:
    return PydanticCustomError("fault", "{message}", {"message": message, "key": key})
