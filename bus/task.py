"""What a task is, and the small facts that messages about it carry."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

SERVER_MARK = "__"
"""Between an MCP server's name and its tool's in what a brain calls it; no tool of ours has it in its name."""


class Fact(BaseModel):
    """Base of everything that travels inside a message: frozen; unknown fields are ignored, so that versions can mix."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Source(Fact):
    """Where a task came from."""

    kind: Literal["direction", "person", "debt", "deployment"]
    """debt, deployment: the manager made it, to clean an old issue up, or to mend what a deployment met."""
    file: str = ""
    line: int = 0
    """1-based line of the task's heading; 0 when it has none."""


class OwnCaps(Fact):
    """Caps that somebody named for one task or one scope; None = as the workspace has it (bus/caps.py)."""

    tokens: int | None = None
    micro_usd: int | None = None
    minutes: int | None = None
    attempts: int | None = None
    gate_runs: int | None = None
    """Of a tier alone."""


UNTIERED = "main"
"""The tier of tasks that name none: no group of its own, so only the run's caps hold for it."""


class TaskSpec(Fact):
    """A task as people wrote it. It never changes once an agent has started on it."""

    key: str
    """`<agent>/<Id or slug of the title>`: the task's identity, over runs."""
    number: int = 0
    """Its number in the file, for showing only; 0 = none."""
    title: str
    what: str = ""
    use: str = ""
    evidence: str = ""
    priority: int = 2
    """0 (first) to 5 (last). 2 when nothing is said: between what was marked urgent and what was marked later."""
    order: int = 0
    """Position in the file; the tie-break after priority."""
    estimate_minutes: tuple[int, int] | None = None
    """Shortest and longest guess."""
    standing: bool = False
    """On-call work: never holds the end of a run."""
    until: date | None = None
    """The day standing work ends."""
    serves: str = ""
    tier: str = UNTIERED
    """The group of tasks it belongs to, also of other agents' files."""
    category: str = ""
    """What kind of change it is (bus/categories.py); free text otherwise."""
    depends_on: tuple[str, ...] = ()
    """Keys of tasks that must be done first."""
    agent: str
    paths: tuple[str, ...] = ()
    """Glob patterns the task may touch; empty = the whole product."""
    checks: tuple[str, ...] = ()
    """Commands that must exit 0 in a checkout of the result."""
    tools: tuple[str, ...] = ()
    """What the evidence must show a successful call of (directions/demands.py), as its fields demand it."""
    budget: OwnCaps = OwnCaps()
    """What it may use; what its Budget does not name is as `[budget.task]` has it."""
    blocked_by: str = ""
    """What it waits for, when its Status said so; imported as blocked."""
    fields: dict[str, str] = {}
    """Every bold field as written, also those nobody foresaw."""
    source: Source = Source(kind="person")

    @property
    def digest(self) -> str:
        """16 hex digits over what the task asks for; place in the file, number and order do not count,
        and what it may use, must call, and what kind of change it is does by the fields that say so."""
        asked = self.model_dump_json(exclude={"number", "order", "source", "budget", "tools", "category"})
        return hashlib.sha256(asked.encode()).hexdigest()[:16]


class Briefing(Fact):
    """What every task of one agent's direction file shares."""

    agent: str
    version: str
    """16 hex digits over the file's bytes; "" for an agent without a direction file."""
    path: str = ""
    mission: str = ""
    focus: str = ""
    canon: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    """What its rules demand a successful call of, in every attempt."""
    prefix: str = ""
    """What commit subjects start with, such as `deploy: `."""


class CommandResult(Fact):
    """One command that was run, as evidence."""

    command: str
    exit_code: int
    """128 + signal number when it was ended by a signal; 124 when it was stopped at its time limit."""
    duration_s: float
    digest: str
    """sha256 of its whole output, 64 hex digits."""
    tail: str = ""
    """The last 2,000 characters of its output."""
    flaky: bool = False
    """It passed, after it had failed on the same tree."""

    @property
    def passed(self) -> bool:
        return self.exit_code == 0


class Note(Fact):
    """Something learnt since the last attempt, for the next one's prompt."""

    source: Literal[
        "intake", "gate", "review", "answer", "landing", "driver", "environment", "person", "canon", "consult"
    ]
    text: str


class Permit(Fact):
    """One path of a hand-in that only a person lets through intake."""

    rule: Literal["document", "ci"]
    """document: a new document that the task's Paths do not name; ci: what a build server runs."""
    path: str
    blob: str = ""
    """ci: the contents that are permitted, zeros for a removal; "" = whatever stands there."""


class Finding(Fact):
    """One thing a reviewer found."""

    severity: Literal["minor", "major"]
    requirement: str = ""
    """The requirement or rule it breaks."""
    file: str = ""
    line: int = 0
    """1-based first line of the quote; 0 = not about a line."""
    quote: str = ""
    """Text that stands at that place in the reviewed tree."""
    scenario: str = ""
    """What goes wrong, and when."""
    command: str = ""
    """A command that shows it."""
    verified: bool = False
    """Set by code: the quote stands where it says in the reviewed tree. Never taken from a brain."""
    dropped: str = ""
    """Set by code: why it counts for nothing; "" = it stands."""
    proof: Literal["", "shown", "not_shown", "not_new", "unrunnable"] = ""
    """Set by code: what its command, run on the reviewed tree, has shown. not_new: it fails on the base just so."""
    ran: str = ""
    """The same for a person."""

    @property
    def vetoes(self) -> bool:
        """True if no vote can overrule it: a major whose command failed on the reviewed tree."""
        return self.severity == "major" and self.proof == "shown" and not self.dropped

    @property
    def digest(self) -> str:
        """16 hex digits by which it is known again in a later round: its file and quote, where it has them; else what it
        is against and what goes wrong. Lines move, and white space and case do not count."""
        quote = "".join(self.quote.split())
        said = (self.file, quote) if self.file and quote else (self.requirement, " ".join(self.scenario.split()))
        return hashlib.sha256("\0".join(said).casefold().encode("utf-8", "surrogatepass")).hexdigest()[:16]
