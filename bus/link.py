"""The connection to the server: every command goes through here, with one rule for what a lost connection means.

The client's own retries are off: they repeat writes. What is repeated here is what may be: reads, and scripts, each of
which recognises its own repeat or is fenced.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import urlsplit, urlunsplit

import hiredis
from loguru import logger
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.connection import HiredisRespSerializer

from callboard.bus.address import read_address
from callboard.bus.errors import BusError, BusUnavailable, InboxFull, NotReplicated, ServerTooOld
from callboard.bus.keys import Keys
from callboard.bus.replicas import CONFIRMED, Unconfirmed, confirmed
from callboard.bus.route import Route, SlotRow
from callboard.bus.script import Part, Script, load

Arg = str | bytes | int
T = TypeVar("T")
PACKER = HiredisRespSerializer()

SOCKET_TIMEOUT_S = 5.0
"""How long one command may take before its connection counts as lost."""
MOST_CONNECTIONS = 10_000
"""The client's own limit of 100 is less than the inboxes one process may read."""
FIRST_DELAY_S = 0.05
LONGEST_DELAY_S = 5.0

ASK_NODE_S = 1.0
"""How long one node of a cluster may take to say where a run is."""

GONE = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.AskError,
    exceptions.TryAgainError,
    exceptions.ClusterDownError,
    Unconfirmed,
    OSError,
)
"""The server went away, still loads its data, is no longer the primary, just now gets or gives away the run, or its replicas
do not follow: worth another try."""
REFUSED = (exceptions.AuthenticationError, exceptions.AuthorizationError)


class NoGroup(BusError):
    """An inbox has lost its consumer group: it, or everything, was deleted on the server."""


def shown(url: str) -> str:
    """The URL for people: without its password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:***@{parts.netloc.rpartition('@')[2]}"))


def client(url: str, *, socket_timeout_s: float | None = None) -> Redis:
    """A client without retries of its own, and without time limits unless one is given.

    Raises:
        BusUnavailable: The URL is none that a Redis client understands.
    """
    try:
        made = Redis.from_url(
            read_address(url).url,
            protocol=2,
            decode_responses=False,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=socket_timeout_s,
            socket_connect_timeout=SOCKET_TIMEOUT_S,
            max_connections=MOST_CONNECTIONS,
        )
    except ValueError as error:
        raise BusUnavailable(f"{shown(url)!r} is no Redis URL: {error}") from error
    ca = made.connection_pool.connection_kwargs.get("ssl_ca_certs")
    if ca and not Path(ca).is_file():
        raise BusUnavailable(f"there is no file {ca}, which `[bus] ca` names for {shown(url)}")
    # Replies as the server gave them: what the client makes of them changes with its versions.
    made.response_callbacks.clear()
    made.connection_pool.connection_class = _packing_in_c(made.connection_pool.connection_class)
    return made


def _packing_in_c(plain: type[AbstractConnection]) -> type[AbstractConnection]:
    """The client's own asyncio connections pack in Python, and copy what they have with every argument: a tenth of what a
    batch of commits cost. This is how its synchronous ones do it."""

    class Packing(plain):  # type: ignore[misc, valid-type] # which class it is depends on the URL
        def pack_command(self, *args: Arg) -> list[bytes]:
            # What the client's own packer adds is for words with a space in them and for other types than ours.
            if isinstance(args[0], str) and " " in args[0]:
                return cast(Callable[..., list[bytes]], PACKER.pack)(*args)
            return [cast(Callable[[tuple[Arg, ...]], bytes], hiredis.pack_command)(args)]

    return Packing


def is_refusal(error: BaseException | None) -> bool:
    """Whether the server wants another password or user; the client may have wrapped what it said."""
    while error is not None:
        if isinstance(error, REFUSED):
            return True
        error = error.__cause__
    return False


def is_distrust(error: BaseException | None) -> bool:
    """Whether its certificate was signed by nobody whom this computer or `[bus] ca` trusts, or is for another name."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def translated(error: exceptions.ResponseError, about: str) -> BusError:
    """The bus's own error for what the server said."""
    said = str(error)
    if said.startswith(("NOGROUP", "UNBLOCKED")) or "NOGROUP" in said:
        return NoGroup(f"{about}: {said}")
    if isinstance(error, exceptions.OutOfMemoryError) or said.startswith("OOM") or "OOM command" in said:
        return InboxFull(f"{about}: the server has reached its maxmemory and nothing was written; give it more memory")
    if said.startswith("MISCONF"):
        return InboxFull(f"{about}: the server cannot write to its disk and nothing was written; free some space")
    if said.lower().startswith("unknown command"):
        return ServerTooOld(f"{about}: {said}; Callboard needs Redis 7.0 or newer, or Valkey")
    return BusError(f"{about}: the server answered {said}")


async def ask(server: Redis, *args: Arg) -> object:
    """Run one command once; the reply as the server gave it."""
    return await cast(Callable[..., Awaitable[object]], server.execute_command)(*args)


class Link:
    """One client and the URL it came from.

    Args:
        patience_s: How long a lost server is waited for before BusUnavailable.
        scripts: A script by its name.
    """

    def __init__(self, url: str, *, patience_s: float, scripts: Callable[[str], Script] = load) -> None:
        self.patience_s = patience_s
        self._scripts = scripts
        self._address = read_address(url)
        self._route = Route(url)
        self._mark = ""
        self._rerouting = asyncio.Lock()
        """Protects `_route`: one caller looks where the run has gone, the others wait for what it finds."""
        self._connect()

    def _connect(self) -> None:
        # Time limits are ours, call by call: below Python 3.12 the client's own lose cancellations (cpython#86296).
        self._client = client(self.url)
        # Connections of their own for commands that wait.
        self._blocking = client(self.url)

    @property
    def url(self) -> str:
        """Where it is now: in a cluster the node that has the run."""
        return self._route.url

    @property
    def inbox_limit(self) -> int:
        return self._address.inbox_limit

    async def choose(self, run: str) -> None:
        """Say whose keys will be asked for: in a cluster, go to the node that has them.

        Raises:
            BusUnavailable
        """
        self._mark = Keys(run).mark
        self._route.choose(run)
        try:
            slots = await self.command("CLUSTER", "SLOTS", about=f"ask {shown(self.url)} for its cluster")
        except BusError:
            return  # no cluster, or not for us to ask: a node that does not have the run will say who has
        if self._route.read(cast(Sequence[SlotRow], slots), self.url):
            await self._reconnect()

    async def close(self) -> None:
        await self._client.aclose()
        await self._blocking.aclose()

    async def command(self, *args: Arg, about: str) -> object:
        """Run a command that may be repeated."""
        return await self.insist(lambda: self._ask(*args), about)

    async def block(self, *args: Arg, block_s: float, about: str) -> object:
        """Run a command that waits up to `block_s` on the server."""

        async def once() -> object:
            # A timeout cancels the command, and the client drops a connection whose command was cancelled.
            async with asyncio.timeout(block_s + SOCKET_TIMEOUT_S):
                return await ask(self._blocking, *args)

        return await self.insist(once, about)

    async def script(self, name: str, keys: list[str], args: list[Arg], *, about: str) -> list[Part]:
        """Run a script; after a lost connection again, for it recognises its repeat.

        Raises:
            BusUnavailable, InboxFull, NoGroup, BusError
        """

        script = self._scripts(name)

        replicas = self._address.wait_replicas if name in CONFIRMED else 0

        async def run(*command: Arg) -> object:
            if not replicas:
                return await self._ask(*command)
            async with asyncio.timeout(SOCKET_TIMEOUT_S):
                return await confirmed(self._client, command, replicas, mark=self._mark)

        async def once() -> object:
            try:
                return await run("EVALSHA", script.sha, len(keys), *keys, *args)
            except exceptions.NoScriptError:
                return await run("EVAL", script.text, len(keys), *keys, *args)

        return cast(list[Part], await self.insist(once, about))

    async def _ask(self, *args: Arg) -> object:
        async with asyncio.timeout(SOCKET_TIMEOUT_S):
            return await ask(self._client, *args)

    async def insist(self, attempt: Callable[[], Awaitable[T]], about: str) -> T:
        """Attempt until it is answered; patience ends in BusUnavailable."""
        loop = asyncio.get_running_loop()
        since, delay = loop.time(), FIRST_DELAY_S
        while True:
            asked = self.url
            try:
                answer = await attempt()
            except GONE as error:
                waited = loop.time() - since
                if is_refusal(error) or is_distrust(error) or waited >= self.patience_s:
                    raise given_up(error, about, asked, waited) from error
                if delay == FIRST_DELAY_S:
                    logger.warning("server lost, trying again", url=shown(asked), about=about, error=str(error))
                await self._reroute(asked, error)
                await asyncio.sleep(min(delay, self.patience_s - waited) * random.uniform(0.8, 1.0))
                delay = min(delay * 2, LONGEST_DELAY_S)
            except exceptions.ResponseError as error:
                raise translated(error, about) from error
            else:
                if delay != FIRST_DELAY_S:
                    logger.info("server is back", url=shown(self.url), about=about)
                return answer

    async def _reroute(self, asked: str, error: Exception) -> None:
        """In a cluster: find out which node has the run now, and go there."""
        if not self._route.nodes and not isinstance(error, exceptions.MovedError):
            return
        async with self._rerouting:
            if self.url != asked:
                return
            if isinstance(error, exceptions.MovedError):
                is_elsewhere = self._route.move(error.host, error.port)
            else:
                is_elsewhere = await self._search()
            if is_elsewhere:
                logger.warning("run is at another node now", url=shown(self.url))
                await self._reconnect()

    async def _search(self) -> bool:
        for url in self._route.nodes:
            asking = client(url, socket_timeout_s=ASK_NODE_S)
            try:
                async with asyncio.timeout(ASK_NODE_S):
                    slots = cast(Sequence[SlotRow], await ask(asking, "CLUSTER", "SLOTS"))
            except (exceptions.RedisError, OSError):
                continue
            finally:
                await asking.aclose()
            if self._route.read(slots, url):
                return True
        return False

    async def _reconnect(self) -> None:
        """What is under way on the old connections breaks off, and is tried again on the new ones."""
        old = self._client, self._blocking
        self._connect()
        for each in old:
            await each.aclose()


def given_up(error: Exception, about: str, url: str, waited_s: float) -> BusUnavailable:
    """What is said once there is no point in trying again."""
    if is_distrust(error):
        return BusUnavailable(
            f"{shown(url)} shows a certificate that is not trusted: {error}. Name who signed it in `[bus] ca`, "
            "and the server as its certificate does"
        )
    if is_refusal(error):
        return BusUnavailable(f"{shown(url)} refused the connection: {error}")
    if isinstance(error, Unconfirmed):
        return NotReplicated(
            f"{about}: {shown(url)} has it, but only {error.found} of {error.wanted} replicas had confirmed it after "
            f"{waited_s:.0f} s; if that server is lost now, it may be too. See to its replicas (`callboard doctor` shows "
            "them); whoever repeats it with the same key or id does not double it"
        )
    running = "is the server running, and does it speak TLS?" if url.startswith("rediss:") else "is the server running?"
    why = str(error) or "nothing came"
    return BusUnavailable(f"{about}: no answer from {shown(url)} for {waited_s:.0f} s ({why}); {running}")
