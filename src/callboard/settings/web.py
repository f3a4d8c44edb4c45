"""`[web]`: who may reach the HTTP API, and how much they may ask."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from callboard.agents.settings import Table, Texts


def _https(url: str) -> str:
    if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise ValueError("expected a URL that starts with https://; http:// only on this machine")
    return url.rstrip("/")


class OidcSettings(Table):
    """`[web.oidc]`: bearer tokens of an identity provider, beside our own."""

    issuer: Annotated[str, AfterValidator(_https)]
    """Its URL, as tokens have it in `iss`; its keys are found from there."""
    audience: Annotated[str, Field(min_length=1)]
    """What tokens for this service have in `aud`."""
    scope_prefix: str = "callboard:"
    """In front of our scopes in a token's `scope` or `scp`: `callboard:read`."""
    name_claim: Annotated[str, Field(min_length=1)] = "sub"
    """The claim that holds the name under which somebody answers."""


class WebSettings(Table):
    """`[web]`"""

    with_launch: bool = True
    """`callboard launch` starts a dashboard, which ends with it."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8_000
    """Where a launch's dashboard and `callboard serve` listen; 0 = any that is free. Where it is taken, a launch takes any."""
    hosts: Texts = ()
    """Names by which the service is asked, beside those of this machine; every other is refused (DNS rebinding)."""
    requests_per_minute: Annotated[int, Field(ge=1)] = 1_200
    """Of one token, and of one address; 20 a second, in bursts of as many as ten seconds have."""
    body_mb: Annotated[int, Field(ge=1, le=1_000)] = 32
    """The longest request; above what intake takes of one hand-in by default (20 MB)."""
    oidc: OidcSettings | None = None
    """None: only our own tokens count."""
