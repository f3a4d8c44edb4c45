"""Bearer tokens of an identity provider: JSON Web Tokens, checked by the keys that the provider publishes."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.request
from dataclasses import dataclass, field
from typing import cast

import jwt

from callboard.settings.web import OidcSettings
from callboard.web.tokens import SCOPES

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Signatures with a key that only the provider has; `none`, and secrets that both sides know, are refused."""
FETCH_S = 5
LEEWAY_S = 30
"""How far the provider's clock may be from ours."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a provider's token is about."""

    name: str
    scopes: tuple[str, ...]


class NotTrusted(Exception):
    """The token is not one of the provider's for us, or the provider cannot be asked; the text says which."""


@dataclass(slots=True)
class Provider:
    """One identity provider; its keys are fetched when they are first needed, and when a token names a new one."""

    settings: OidcSettings
    _keys: jwt.PyJWKClient | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)
    """Protects _keys: requests are checked in threads."""

    async def check(self, text: str) -> Person:
        """Whom a token is about.

        Raises:
            NotTrusted
        """
        return await asyncio.to_thread(self._check, text)

    def _check(self, text: str) -> Person:
        try:
            key = self._client().get_signing_key_from_jwt(text)
            claims = cast(
                dict[str, object],
                jwt.decode(
                    text,
                    key,
                    algorithms=list(ALGORITHMS),
                    audience=self.settings.audience,
                    issuer=self.settings.issuer,
                    leeway=LEEWAY_S,
                    options={"require": ["exp", "iss", "aud", "sub"]},
                ),
            )
        except jwt.PyJWKClientConnectionError as error:
            raise NotTrusted(f"the identity provider's keys cannot be read: {error}") from error
        except jwt.PyJWTError as error:
            raise NotTrusted(f"this token is not one of the identity provider for this service: {error}") from error
        name = claims.get(self.settings.name_claim)
        if not isinstance(name, str) or not name.strip():
            raise NotTrusted(f"this token has no claim {self.settings.name_claim!r}, which is to name its person")
        return Person(name.strip()[:100], scopes_in(claims, self.settings.scope_prefix))

    def _client(self) -> jwt.PyJWKClient:
        with self._turn:
            if self._keys is None:
                self._keys = jwt.PyJWKClient(self._discovered(), timeout=FETCH_S)
            return self._keys

    def _discovered(self) -> str:
        """Where the keys are, as the provider itself says (OpenID Connect Discovery)."""
        url = f"{self.settings.issuer}/.well-known/openid-configuration"
        try:
            with urllib.request.urlopen(url, timeout=FETCH_S) as answer:
                found = json.load(answer)
            if found["issuer"].rstrip("/") != self.settings.issuer:
                raise NotTrusted(f"{url} is about another issuer")
            return str(found["jwks_uri"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotTrusted(f"the identity provider does not say where its keys are, at {url}") from error


def scopes_in(claims: dict[str, object], prefix: str) -> tuple[str, ...]:
    """Ours among a token's scopes: `scope` is a text with spaces (RFC 8693), `scp` that or a list."""
    found: set[str] = set()
    for name in ("scope", "scp"):
        given = claims.get(name, "")
        words = given.split() if isinstance(given, str) else given if isinstance(given, list) else []
        found |= {word.removeprefix(prefix) for word in words if isinstance(word, str) and word.startswith(prefix)}
    return tuple(scope for scope in SCOPES if scope in found)
