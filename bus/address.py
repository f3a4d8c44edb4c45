"""What a bus URL says besides where the server is: how a message is confirmed, and how much an inbox takes.

All of it stands in the URL, so that a program that is given one (`callboard bus env`) speaks to the server as the roster does.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from callboard.bus.errors import BusUnavailable

INBOX_LIMIT = 10_000
"""Messages in one inbox: at 2 KB each some 20 MB of the server's memory, and hours of an agent's work."""
OWN = ("wait_replicas", "inbox_limit")
"""Options that the client library does not know."""


@dataclass(frozen=True, slots=True)
class Address:
    """A bus URL, read."""

    url: str
    """What the client library is given."""
    wait_replicas: int = 0
    """How many replicas must have a message before it counts as sent."""
    inbox_limit: int = INBOX_LIMIT
    """How many messages may wait in one inbox; 0 = any number."""


def why_not_spoken(url: str) -> str:
    """What is wrong with a URL of several servers, and the way out; "" = nothing."""
    scheme, _, rest = url.partition("://")
    if "sentinel" in scheme:
        return (
            "Sentinel is not spoken: give a redis:// URL with a name that leads to the primary (DNS, HAProxy), and wait_replicas "
            "so that a replica that takes over has what was accepted; or run a cluster"
        )
    if "," in rest.partition("?")[0].partition("/")[0].rpartition("@")[2]:
        return "name one server: of a cluster any node, by a name that leads to one that is up; the others are found from there"
    return ""


def read_address(url: str) -> Address:
    """Take our own options out of a URL.

    Raises:
        BusUnavailable: One of them is no number, or it names several servers.
    """
    if why := why_not_spoken(url):
        raise BusUnavailable(f"the bus URL cannot be used: {why}")
    parts = urlsplit(url)
    given = parse_qsl(parts.query, keep_blank_values=True)
    own = {name: _number(name, value) for name, value in given if name in OWN}
    rest = urlencode([(name, value) for name, value in given if name not in OWN], safe="/")
    return Address(_put_together(url, rest), **own)


def with_options(url: str, **options: str | int) -> str:
    """The URL with these options, where it does not say them itself."""
    parts = urlsplit(url)
    given = parse_qsl(parts.query, keep_blank_values=True)
    said = {name for name, _ in given}
    more = [(name, str(value)) for name, value in options.items() if name not in said]
    return _put_together(url, urlencode([*given, *more], safe="/")) if more else url


def at_node(url: str, host: str, port: int) -> str:
    """The same URL at another node of a cluster; a node without a name is on the same host."""
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    named = host or parts.hostname or "127.0.0.1"
    place = f"[{named}]:{port}" if ":" in named else f"{named}:{port}"
    is_local = parts.scheme == "unix"
    moved = parts._replace(netloc=f"{user}@{place}" if user else place)
    return urlunsplit(moved._replace(scheme="redis", path="") if is_local else moved)


def _put_together(url: str, query: str) -> str:
    # urlunsplit would take the slashes away from unix:///path
    bare = url.partition("#")[0].partition("?")[0]
    return f"{bare}?{query}" if query else bare


def _number(name: str, value: str) -> int:
    if not value.isdecimal():
        raise BusUnavailable(f"{name}={value!r} in the bus URL: expected a whole number, 0 or more")
    return int(value)
