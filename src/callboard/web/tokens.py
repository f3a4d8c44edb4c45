"""Tokens: who may ask the HTTP API, and for what. Kept in one file of the workspace, as hashes.

A token has 256 random bits, a login link's code 128, so one round of SHA-256 keeps it as well as any slow hash would.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, TypeVar, get_args

from callboard.bus.clock import utc_now
from callboard.bus.errors import ConfigError
from callboard.bus.places import private_folder
from callboard.bus.whole_files import write_whole
from callboard.launch.rows import from_json, to_json

Scope = Literal["read", "answer", "operate", "agent"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
MARK = "cbt"
"""How every token begins: redaction knows it by that (bus/secret_shapes.py)."""
LOGIN = timedelta(minutes=10)
"""How long a login link is good."""
LOGIN_BYTES = 16
"""Of chance in a login link, which is good once: so it fits a line of a terminal."""
_NOBODY = "0" * 64
"""No text has this hash."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Token:
    """One token as it is kept: not the token itself."""

    id: str
    """8 hexadecimal digits; stands in the token."""
    name: str
    """Whose it is; what they do is done under this name."""
    scopes: tuple[str, ...]
    digest: str
    """SHA-256 of the whole token, in hexadecimal."""
    created_at: datetime
    expires_at: datetime | None = None
    """None = it is good until it is revoked."""
    use: str = "token"
    """`token`; `login`: opens one session of the dashboard and is gone; `session`: a browser's."""
    of: str = ""
    """session: the id of the token that opened it, without which it is nothing; "" = a login's."""

    def is_good(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at


def mint(
    name: str, scopes: Iterable[str], now: datetime, *, lasts: timedelta | None = None, use: str = "token", of: str = ""
) -> tuple[str, Token]:
    """A new token: what its owner gets, and what is kept of it."""
    id = secrets.token_hex(4)
    text = f"{MARK}_{id}_{secrets.token_urlsafe(LOGIN_BYTES if use == 'login' else 32)}"
    expires_at = now + lasts if lasts else None
    ordered = tuple(scope for scope in SCOPES if scope in set(scopes))
    return text, Token(id, name, ordered, _digest(text), now, expires_at, use, of)


def match(kept: Iterable[Token], text: str, now: datetime, use: str) -> Token | None:
    """The token that a text is; None: there is none, it has expired, or it is for another use.

    Args:
        kept: All of them: a session is good while the token is that opened it.

    The comparison takes as long for a wrong secret as for the right one, and for an unknown id.
    """
    id = text.split("_")[1] if text.startswith(f"{MARK}_") and text.count("_") >= 2 else ""
    every = list(kept)
    found = next((token for token in every if token.id == id and token.use == use), None)
    is_same = hmac.compare_digest(_digest(text), found.digest if found else _NOBODY)
    if found is None or not is_same or not found.is_good(now):
        return None
    opener = next((token for token in every if token.id == found.of and token.use == "token"), None)
    return found if not found.of or (opener is not None and opener.is_good(now)) else None


def login_link(tokens: Tokens, name: str, address: str) -> str:
    """A link that opens one session of the dashboard, for whoever runs things here: it may read, answer and operate.

    Args:
        name: Whose session it is; "" = nobody said.
        address: Where it is served.
    """
    return login_url(address, login_code(tokens, name)[0])


def login_code(tokens: Tokens, name: str, *, lasts: timedelta = LOGIN) -> tuple[str, Token]:
    """What such a link holds, and what is kept of it."""
    return tokens.create(name or "somebody", ("read", "answer", "operate"), lasts=lasts, use="login")


def login_url(address: str, code: str) -> str:
    return f"{address}/login?code={code}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Tokens:
    """The tokens of one workspace. Processes share them: each call reads the file, each change takes its lock."""

    def __init__(self, path: Path, now: Callable[[], datetime] = utc_now) -> None:
        self._path = path
        self._now = now

    def create(
        self, name: str, scopes: Iterable[str], *, lasts: timedelta | None = None, use: str = "token", of: str = ""
    ) -> tuple[str, Token]:
        """Make one; the text is nowhere else, and cannot be had again."""
        text, token = mint(name, scopes, self._now(), lasts=lasts, use=use, of=of)
        self._change(lambda kept: ([*kept, token], None))
        return text, token

    def find(self, text: str, use: str = "token") -> Token | None:
        """Whose token this is; None when nobody's."""
        return match(self._read(), text, self._now(), use)

    def take(self, text: str, use: str) -> Token | None:
        """The same, once: it is gone afterwards."""

        def taken(kept: list[Token]) -> tuple[list[Token], Token | None]:
            found = match(kept, text, self._now(), use)
            return [token for token in kept if token is not found], found

        return self._change(taken)

    def all(self, use: str = "token") -> list[Token]:
        """Every token of a use, also those that have expired; the oldest first."""
        return [token for token in self._read() if token.use == use]

    def revoke(self, id: str) -> Token:
        """Forget a token: whoever has it is refused from now on.

        Raises:
            ConfigError: There is none with this id.
        """

        def without(kept: list[Token]) -> tuple[list[Token], Token | None]:
            found = next((token for token in kept if token.id == id), None)
            return [token for token in kept if token is not found], found

        revoked = self._change(without)
        if revoked is None:
            raise ConfigError(f"there is no token {id!r}; `callboard token list` shows them", key="ID")
        return revoked

    def _read(self) -> list[Token]:
        try:
            found = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return []
        except ValueError as error:
            raise ConfigError(
                f"it is no list of tokens: {error}; delete it, and make new ones", path=str(self._path)
            ) from error
        return [_kept(row) for row in found]

    def _change(self, change: Callable[[list[Token]], tuple[list[Token], T]]) -> T:
        with self._turn():
            kept, result = change(self._read())
            left = [token for token in kept if token.use == "token" or token.is_good(self._now())]
            write_whole(self._path, json.dumps([to_json(token) for token in left], indent=1))
            self._path.chmod(0o600)
        return result

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """The file is written by one process at a time, in milliseconds."""
        private_folder(self._path.parent)
        fd = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def _kept(row: object) -> Token:
    token = from_json(Token, row)
    return replace(token, scopes=tuple(scope for scope in token.scopes if scope in SCOPES))
