"""Tools that a direction demands: evidence counts only when they were called, as the runtime recorded it. Pure.

A task's field Tools names them. Rules with their memory locks, and the fields Use and Constraints, demand them in words:
"MCPs always, memory never", "Use Fly MCP for all operations", "must use the `fly__status` tool".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from callboard.bus.task import SERVER_MARK
from callboard.directions.document import Direction, Rule
from callboard.directions.values import is_none, listed

ANY = "mcp"
"""Demands a tool of any MCP server."""

_SENTENCE = re.compile(r"(?<=[.;!?])\s+|\n+")
_MENTION = re.compile(
    r"(?:[`*_\"'“]*(?P<name>[A-Za-z0-9][A-Za-z0-9_.-]*)[`*_\"'”]*\s+)?[`*_]*(?<![A-Za-z0-9_.-])MCPs?\b[`*_]*"
    r"(?!\s+(?:SDK|spec\w*|protocol|clients?|doc\w*|librar\w+|packages?|config\w*|standard)\b)",
    re.IGNORECASE,
)
_OBLIGED = re.compile(r"\b(?:must|always|mandatory|required?|requires|use|uses|using|only)\b", re.IGNORECASE)
_REFUSED = re.compile(
    r"(?:\b(?:no|not|never|without|avoid|cannot|instead of|rather than)\b|n['’]t\b)[^,.;]{0,40}\bMCPs?\b"
    r"|\bMCPs?\s+(?:is|are)\s+(?:not|optional)\b",
    re.IGNORECASE,
)
_TOOL = re.compile(
    r"\b(?:must|always|have to|has to)\s+(?:be\s+)?use\s+(?:the\s+)?[`*_\"'“]*(?P<name>[A-Za-z0-9][\w.-]*?)[`*_\"'”]*\s+tool\b",
    re.IGNORECASE,
)
_NO_NAMES = frozenset(
    [
        "a",
        "all",
        "also",
        "always",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "by",
        "each",
        "every",
        "for",
        "from",
        "in",
        "is",
        "must",
        "of",
        "on",
        "only",
        "or",
        "our",
        "run",
        "the",
        "their",
        "this",
        "to",
        "use",
        "uses",
        "using",
        "via",
        "we",
        "with",
        "you",
        "your",
        "call",
        "calls",
        "through",
        "mandatory",
        "required",
        "relevant",
        "available",
    ]
)


def of_fields(fields: Mapping[str, str]) -> tuple[str, ...]:
    """What the fields of one task demand; names by their spelling, in any case."""
    said = {name.casefold(): text for name, text in fields.items()}
    found = [*named(said.get("tools", "")), *spoken(said.get("use", ""), obliges=True)]
    return tuple(dict.fromkeys([*found, *spoken(said.get("constraints", ""))]))


def of_rules(rules: Iterable[Rule]) -> tuple[str, ...]:
    """What the rules of a direction demand of each of its tasks."""
    texts = [text for rule in rules for text in (rule.title, rule.text, *rule.locks)]
    return tuple(dict.fromkeys(name for text in texts for name in spoken(text)))


def named(text: str) -> tuple[str, ...]:
    """The field Tools: a server's name, a tool's, or `server__tool`; `MCP` for any."""
    if is_none(text):
        return ()
    said = listed(text)
    words = (part for part in said.beside if re.fullmatch(r"[\w.-]+(?:\s+MCPs?)?", part))
    parts = [part.strip(" `*\"'.") for part in (*said.found, *words)]
    plain = [re.sub(r"\s+(?:MCPs?|tools?|servers?)\b.*", "", part, flags=re.IGNORECASE) for part in parts]
    return tuple(dict.fromkeys(ANY if _plain(part) in ("mcp", "mcps") else part for part in plain if part))


def spoken(text: str, *, obliges: bool = False) -> tuple[str, ...]:
    """What a text demands in words.

    Args:
        obliges: The text stands where a bare name is a demand, such as after Use.
    """
    return tuple(dict.fromkeys(name for sentence in _SENTENCE.split(text) for name in _in_sentence(sentence, obliges)))


def _in_sentence(sentence: str, obliges: bool) -> Iterator[str]:
    yield from (found["name"] for found in _TOOL.finditer(sentence))
    if _REFUSED.search(sentence) or not (obliges or _OBLIGED.search(sentence)):
        return
    for found in _MENTION.finditer(sentence):
        name = found["name"] or ""
        yield ANY if not name or name.casefold() in _NO_NAMES else name


def missing(demands: Iterable[str], called: Collection[str]) -> tuple[str, ...]:
    """The demands that no call meets.

    Args:
        called: Names of tools that were called with success.
    """
    return tuple(demand for demand in demands if not any(meets(name, demand) for name in called))


def meets(name: str, demand: str) -> bool:
    """Whether a tool's name is what is demanded: it, its server, or any server's tool where any will do."""
    server, mark, tool = name.partition(SERVER_MARK)
    if demand == ANY:
        return bool(mark)
    wanted = _plain(demand)
    names = {
        _plain(name),
        _plain(f"{server}{tool}"),
        *([_plain(tool), _plain(server), _without_mcp(server)] if mark else []),
    }
    return wanted in names or _without_mcp(demand) in names


def unmeetable(direction: Direction, names: Collection[str]) -> Iterator[tuple[int, str]]:
    """1-based lines at which something is demanded that an agent can never call, and what.

    Args:
        names: Of its tools, and of its MCP servers, those with SERVER_MARK behind them: what tools a server has is known when it
            runs, so a demand that names one without its server counts as never met.
    """
    demanded = [(1, direction.tools), *((task.source.line, task.tools) for task in direction.tasks)]
    for line, demands in demanded:
        for demand in missing((demand.partition(SERVER_MARK)[0] for demand in demands), names):
            yield line, demand


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _without_mcp(name: str) -> str:
    return re.sub(r"mcps?|server", "", _plain(name)) or _plain(name)
