"""What the brain must know about an agent CLI: how it is started, and what its output says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from callboard.agents.brains.budget import Usage

Cause = Literal["", "rate_limit", "provider"]
"""Why a session failed, where that is for others to mend: asked too often, or nobody answered."""


@dataclass(frozen=True, slots=True)
class Tool:
    """It used a tool."""

    name: str
    detail: str = ""
    id: str = ""
    """What its result is known by; "" = none is told."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a tool gave back."""

    text: str
    ok: bool = True
    id: str = ""
    """Of the tool's use."""
    name: str = ""
    """"" = as the tool's use says."""


@dataclass(frozen=True, slots=True)
class Text:
    """The model said something; what it said last is its answer."""

    text: str
    is_line: bool = False
    """One line of a text, which goes below the one before it; else the text is whole."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was used."""

    usage: Usage
    model: str = ""
    """As the provider calls it; "" = it does not say."""
    message: str = ""
    """The message it belongs to; a message may be reported more than once, growing. "" = one of its own."""
    is_total: bool = False
    """Of the whole session, what was reported before included."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something went wrong, and it may go on trying."""

    text: str
    cause: Cause = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """Its provider takes no more until then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class End:
    """The session is over."""

    text: str | None = None
    """The answer; None = what it said last."""
    error: str = ""
    """Why it failed; "" = it did not."""
    cause: Cause = ""


Event = Tool | Told | Text | Report | Trouble | Limit | End


@dataclass(frozen=True, slots=True)
class Order:
    """What a CLI is asked for."""

    prompt: str
    kind: Literal["work", "review"]
    env: Mapping[str, str]
    """What it will find in its environment; keys and base URLs among them."""
    model: str = ""
    """As the CLI calls it; "" = its own default."""
    files: tuple[str, ...] = ()
    """Paths without wildcards that the task names."""
    is_confined: bool = False
    """Our sandbox is around it, so its own is not needed."""

    @property
    def model_option(self) -> tuple[str, ...]:
        """As all of them take it."""
        return ("--model", self.model) if self.model else ()


@dataclass(frozen=True, slots=True)
class Start:
    """A command line. The prompt goes to stdin, where it may be long, does not look like an option, and shows in no
    list of processes; after it stdin is at its end."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """More variables."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """One agent CLI; docs/clis.md says how to add another."""

    name: str
    """As in `cli = "..."`."""
    program: str
    """As it is called on PATH."""
    start: Callable[[Order], Start]
    """Pure."""
    read: Callable[[str], tuple[Event, ...]]
    """One line of stdout; () for whatever it does not know. Pure, and raises nothing."""
    keys: tuple[str, ...] = ()
    """Variables with a key, one of which is enough."""
    login: tuple[str, ...] = ()
    """Files below HOME that hold the CLI's own login."""
    base_url: tuple[str, ...] = ()
    """Variables that lead it to another server; the first that is set counts."""
    hosts: tuple[str, ...] = ()
    """`host:port` it talks to when none of them is set."""
    provider: str = ""
    """Whose models its names are, when no base URL is set; "" = a name says so itself (`anthropic/...`), or none does."""
    needs_server: bool = False
    """A key alone does not say whose it is: it takes a base URL too."""
    family: str = ""
    """Whose weights think, when `cli_model` does not tell; "" = that cannot be known."""
    litter: tuple[str, ...] = ()
    """Names in the current folder that it leaves there for itself."""
    install: str = ""
    """How a person gets it."""
