"""The server-side scripts of bus/scripts, and what their replies mean."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from callboard.bus.errors import BoardStale, BusError, InboxFull, LeaseLost

Part = bytes | int | list["Part"]
"""A piece of a reply, as the server gave it."""

FOLDER = Path(__file__).parent / "scripts"


@dataclass(frozen=True, slots=True)
class Script:
    """One operation: its name, its text with the shared part in front, and the digest the server knows it by."""

    name: str
    text: str
    sha: str


@cache
def load(name: str) -> Script:
    text = (FOLDER / "lib.lua").read_text("utf-8") + "\n" + (FOLDER / f"{name}.lua").read_text("utf-8")
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def checked(reply: list[Part], about: str) -> list[Part]:
    """What follows the reply's first word.

    Raises:
        LeaseLost: The fence refused; nothing was written.
        BoardStale: A board field did not have the expected version; nothing was written.
        InboxFull: An inbox would hold more than it may; nothing was written.
        BusError: A key is of another type than the bus writes; nothing was written.
    """
    word, *rest = reply
    if word == b"lost":
        raise LeaseLost(f"{about}: this process does not hold it any more; another one has it or finished it")
    if word == b"stale":
        raise BoardStale(text(rest[0]))
    if word == b"full":
        key, waiting, limit = (text(part) for part in rest)
        name = key.rpartition(":inbox:")[2]
        raise InboxFull(
            f"{about}: {waiting} messages wait in the inbox of {name}, which takes {limit} (`[bus] inbox_limit`); nothing was "
            f"written. Try again once {name} has handled some: `callboard status` shows whether it works"
        )
    if word == b"type":
        key, found, wanted = (text(part) for part in rest)
        raise BusError(
            f"{about}: the Redis key {key} holds a {found} where the bus keeps a {wanted}; nothing was written. "
            "Something else writes to this server: give Callboard a database of its own"
        )
    return rest


def text(part: Part) -> str:
    """A reply's part as text; bytes that are no UTF-8 are shown escaped."""
    return part.decode("utf-8", "backslashreplace") if isinstance(part, bytes) else str(part)
