"""The base of every message's body, and the register of the vocabulary."""

from __future__ import annotations

from typing import ClassVar

from callboard.bus.task import Fact

KINDS: dict[tuple[str, int], type[Body]] = {}
"""(kind, version) -> its class; filled as the classes are defined."""


class Body(Fact):
    """Base of the vocabulary. A subclass names its `kind`; `version` rises when old readers would misread it."""

    kind: ClassVar[str] = ""
    version: ClassVar[int] = 1

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        if cls.kind:
            KINDS[cls.kind, cls.version] = cls
