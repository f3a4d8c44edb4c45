"""`[notify]`: where people are told of what needs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, get_args
from urllib.parse import unquote

from pydantic import AfterValidator, BeforeValidator

from callboard.agents.settings import Seconds, Table
from callboard.bus.known_secrets import KnownSecret

Event = Literal["question", "budget", "run", "dead-letter", "agent-down", "rollback"]
EVENTS: tuple[Event, ...] = get_args(Event)
ENV = "env:"
_LEAST_SECRET = 12
"""Characters of a part of a URL that may be a token: shorter ones are names of hosts, channels and people."""


def _url(text: str) -> str:
    if text.startswith(ENV):
        if not text.removeprefix(ENV).isidentifier():
            raise ValueError("expected env:NAME, the variable that holds the URL")
    elif "://" not in text:
        raise ValueError("expected the URL of a notification service as Apprise reads it, or env:NAME")
    return text


def _from_array(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class NotifySettings(Table):
    urls: Annotated[tuple[Annotated[str, AfterValidator(_url)], ...], BeforeValidator(_from_array)] = ()
    """Of any service of Apprise; `env:NAME` = as that variable says, so that no token stands in the file."""
    events: Annotated[tuple[Event, ...], BeforeValidator(_from_array)] = EVENTS
    every_s: Seconds = 30.0
    """To one service goes a message each so many seconds at most; what happens in between goes into one."""

    def services(self, environ: Mapping[str, str]) -> tuple[Service, ...]:
        """Each as it is to be reached."""
        return tuple(
            Service(text, environ.get(text.removeprefix(ENV), "") if text.startswith(ENV) else text)
            for text in self.urls
        )


@dataclass(frozen=True, slots=True)
class Service:
    said: str
    """As callboard.toml names it."""
    url: str = field(repr=False)
    """With its secrets; "" = the variable is not set."""

    @property
    def shown(self) -> str:
        """For people: without secrets."""
        return self.said if self.said.startswith(ENV) else f"{self.said.partition('://')[0]}://…"

    def secrets(self) -> Iterator[KnownSecret]:
        """Whatever in the URL may be a token; which part is one, each service decides for itself."""
        rest = self.url.partition("://")[2]
        parts = (
            rest.replace("?", "/").replace("&", "/").replace("@", "/").replace(":", "/").replace("=", "/").split("/")
        )
        name = self.said.removeprefix(ENV) if self.said.startswith(ENV) else "notify-url"
        yield from (
            KnownSecret(name, unquote(part)) for part in parts if len(part) >= _LEAST_SECRET and "." not in part
        )
