"""`[models.NAME]`: models that a roster's agents think with, named once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from callboard.agents.settings import Seconds, Table, fault

Wire = Literal["messages", "responses", "chat"]
"""What is spoken: Anthropic's /v1/messages, OpenAI's /v1/responses, or /v1/chat/completions."""
Provider = Literal["anthropic", "openai"]
WIRES: Mapping[Provider, tuple[Wire, ...]] = {"anthropic": ("messages",), "openai": ("responses", "chat")}
KEYS: Mapping[Provider, str] = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}
"""Where a provider's own key is, unless `api_key_env` says otherwise."""
FAMILIES = ("claude", "gpt", "gemini", "llama", "qwen", "deepseek", "mistral", "grok", "glm", "kimi", "gemma", "phi")
"""Found in a model's name when its table names no family."""
ALIASES: Mapping[str, str] = {"codex": "gpt", "o1": "gpt", "o3": "gpt", "o4": "gpt", "magistral": "mistral"}

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def _model_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("expected a model's name of letters, digits, dots, _ and -, at most 40, such as opus")
    return name


ModelName = Annotated[str, AfterValidator(_model_name)]
"""How a model is called in callboard.toml."""


def _variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError("expected the name of an environment variable; the key itself is never written here")
    return name


def _base_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)
        _ = parts.port
    except ValueError:
        sound = False
    if not sound:
        raise ValueError("expected a URL such as https://host/v1")
    if parts.username or parts.password:
        raise ValueError("expected a URL without a password in it; name the key's variable in api_key_env")
    return url


def family_in(model: str) -> str | None:
    """The family that a model's name tells; None when it tells none."""
    words = re.split(r"[^a-z0-9]+", model.lower())
    named = (ALIASES.get(word) or next((name for name in FAMILIES if word.startswith(name)), None) for word in words)
    return next((name for name in named if name), None)


class ModelSettings(Table):
    """`[models.NAME]`"""

    provider: Provider
    model: Annotated[str, Field(min_length=1)]
    """Its name at the provider."""
    wire: Wire | None = None
    """What is spoken. None: "messages" for anthropic; for openai "responses", or "chat" where a base_url is given,
    which is what compatible servers speak."""
    base_url: Annotated[str, AfterValidator(_base_url)] | None = None
    """Another server that speaks the same; OpenAI's end in /v1, Anthropic's do not."""
    api_key_env: Annotated[str, AfterValidator(_variable)] | None = None
    """The variable that holds the key. None: the provider's own; with a base_url none, as no key goes to a server that
    it was not named for."""
    family: Annotated[str, Field(min_length=1)] | None = None
    """Whose weights these are; None: read from the model's name."""
    max_tokens: Annotated[int, Field(ge=16, le=1_000_000)] = 16_384
    """Of one reply, thinking included; reserved from the budget before each call."""
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    """None: the provider's default; several models refuse any other."""
    context_tokens: Annotated[int, Field(ge=1_000, le=100_000_000)] = 128_000
    """What the model takes, what was said and its next reply together; the smallest window of the models in use today."""
    timeout_s: Seconds = 600.0
    """Of one request, from its sending to its last byte."""
    retries: Annotated[int, Field(ge=0, le=10)] = 3
    """How often a call that failed for a moment is tried again, after pauses of at most 1, 2, 4, ... 30 s."""
    max_turns: Annotated[int, Field(ge=1, le=10_000)] = 100
    """How many replies one attempt or review may take; one that has not ended by then has failed."""
    tools: bool = True
    """False: a model that cannot call tools. It reviews by the diff alone, and cannot be a driver."""

    @model_validator(mode="after")
    def _speaks_a_wire_of_its_provider(self) -> Self:
        known = WIRES[self.provider]
        if self.wire is not None and self.wire not in known:
            raise fault("wire", f"expected {' or '.join(known)} with provider {self.provider}, found {self.wire}")
        return self

    @property
    def speaks(self) -> Wire:
        if self.wire is not None:
            return self.wire
        return "messages" if self.provider == "anthropic" else "chat" if self.base_url else "responses"

    @property
    def priced_as(self) -> str:
        """`provider:model`; without the provider on somebody's own server, whose prices are its own."""
        return self.model if self.base_url else f"{self.provider}:{self.model}"

    @property
    def key_env(self) -> str | None:
        """The variable with the key; None = the server takes none."""
        return self.api_key_env or (None if self.base_url else KEYS[self.provider])

    @property
    def known_family(self) -> str | None:
        """The family as given, or as the model's name tells; None when neither says."""
        if self.family is not None:
            return self.family
        return family_in(self.model)
