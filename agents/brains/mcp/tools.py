"""The tools of an agent's servers in one attempt or review, as the model gets them.

What is offered is written down before it is used, as every answer is, so an attempt that resumes after a crash is offered
the same; servers are started again only when something is called that is not recorded yet.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from loguru import logger
from pydantic import BaseModel, ConfigDict

from callboard.agents.brains.brain import Seat
from callboard.agents.brains.calls import CallLog, ToolRecord, digest_of
from callboard.agents.brains.mcp.content import Choice, Offered, as_text, choose
from callboard.agents.brains.mcp.offer import OFFER, Extra
from callboard.agents.brains.mcp.servers import Server
from callboard.agents.brains.mcp.session import ServerFailed, Session
from callboard.agents.brains.model.toolbox import Said, Tool
from callboard.bus.errors import BrainError

MAX_STARTS = 3
"""Of one server in one attempt: one that died twice will die again."""


class Offer(BaseModel):
    """What the servers offer, as the call log has it."""

    model_config = ConfigDict(frozen=True)

    tools: tuple[Offered, ...] = ()
    problems: tuple[str, ...] = ()


class AgentServers:
    """The servers that one agent may use.

    Args:
        folder: Below it each of them has its HOME and TMPDIR.
        redact: Takes secrets out of what they say.
    """

    def __init__(
        self, servers: Sequence[Server], folder: Path, *, now: Callable[[], datetime], redact: Callable[[str], str]
    ) -> None:
        self._servers = {server.name: server for server in servers}
        self._folder = folder
        self._now = now
        self._redact = redact

    @asynccontextmanager
    async def tools(self, seat: Seat, log: CallLog) -> AsyncIterator[Extra]:
        """The tools for one attempt or review; no server is left at the end."""
        sessions = {name: _Started(server, seat, self._folder) for name, server in self._servers.items()}
        try:
            offer = await self._offer(sessions, log)
            yield Extra(tuple(_tool(each, sessions[each.server]) for each in offer.tools), offer.problems)
        finally:
            await asyncio.gather(*(session.close() for session in sessions.values()))

    async def _offer(self, sessions: Mapping[str, _Started], log: CallLog) -> Offer:
        digest = digest_of([f"{name} {' '.join(server.tools)}" for name, server in self._servers.items()])
        record = log.next_tool(digest)
        if record is None:
            began = time.monotonic()
            choices = await asyncio.gather(*(session.choose() for session in sessions.values()))
            record = self._record(digest, choices, round(time.monotonic() - began, 3))
            log.append(record)
        offer = Offer.model_validate_json(record.result)
        for problem in offer.problems:
            logger.warning("not everything that MCP servers offer can be used", reason=problem)
        return offer.model_copy(update={"tools": tuple(tool for tool in offer.tools if tool.server in sessions)})

    def _record(self, digest: str, choices: Sequence[Choice], duration_s: float) -> ToolRecord:
        said = [self._clean(choice) for choice in choices]
        problems = tuple(problem for choice in said for problem in choice.problems)
        offer = Offer(tools=tuple(tool for choice in said for tool in choice.offered), problems=problems)
        return ToolRecord(
            digest=digest,
            name=OFFER,
            arguments={"servers": list(self._servers)},
            result=offer.model_dump_json(),
            ok=not problems,
            duration_s=duration_s,
            at=self._now(),
        )

    def _clean(self, choice: Choice) -> Choice:
        """Without secrets; a schema that holds one is left out, for what is left of it would be no schema."""
        schemas = {tool.name: json.dumps(tool.takes, ensure_ascii=False) for tool in choice.offered}
        bad = {name for name, schema in schemas.items() if self._redact(schema) != schema}
        tools = [tool for tool in choice.offered if tool.name not in bad]
        return Choice(
            tuple(tool.model_copy(update={"about": self._redact(tool.about)}) for tool in tools),
            (*map(self._redact, choice.problems), *(f"{name} is left out: its schema holds a secret" for name in bad)),
        )


class _Started:
    """One server, started when it is needed, and again when it has died."""

    def __init__(self, server: Server, seat: Seat, folder: Path) -> None:
        self._server = server
        self._seat = seat
        self._folder = folder
        self._session: Session | None = None
        self._starts = 0

    async def choose(self) -> Choice:
        try:
            return choose(self._server, await self._open().tools())
        except BrainError as error:
            return Choice(problems=(str(error),))

    async def call(self, tool: str, arguments: Mapping[str, object]) -> str:
        result = await self._open().call(tool, arguments)
        text = as_text(result)
        if result.is_error:
            raise BrainError(text)
        return text

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> Session:
        if self._session is None or self._session.is_over:
            if self._starts == MAX_STARTS:
                raise ServerFailed(
                    f"MCP server {self._server.name} was started {MAX_STARTS} times; it is left alone now"
                )
            self._starts += 1
            self._session = Session(self._server, self._seat, self._folder)
        return self._session


def _tool(offered: Offered, session: _Started) -> Tool:
    async def call(arguments: Mapping[str, object]) -> Said:
        return await session.call(offered.tool, arguments)

    return Tool(offered.name, offered.about, offered.takes, call)
