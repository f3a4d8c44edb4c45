"""Every error Callboard raises, in one tree.

CallboardError                 what was tried, on what, and the way out
├── ConfigError                a file people wrote is wrong: path, line, key
├── BusError
│   ├── BusUnavailable         no server answered, or it went away
│   │   └── NotReplicated      it is written, but too few replicas say that they have it
│   ├── ServerTooOld           a command the bus needs is missing
│   ├── BadMessage             does not decode; goes to the dead letters at once
│   │   └── UnknownKind        a kind or version nobody here knows
│   ├── TooLarge               a message longer than any may be; nothing was sent
│   ├── NotAllowed             the sender's role may not send this
│   ├── LeaseLost              somebody else holds the entry now; nothing was written
│   ├── BoardStale             the board changed since it was read; nothing was written
│   ├── InboxFull              the inbox or the server has no room; nothing was written
│   └── ArchiveBroken          an archive is not what was archived: path, line
├── WorkspaceError
│   ├── GitError               a git command failed: argv, exit code, stderr
│   ├── IntakeRefused          a handed-in tree breaks a rule: rule, path, way out
│   │   └── ApprovalNeeded     nothing but what a person may permit stands in its way
│   └── CommandFailed          setup or another needed command failed
├── CommandKilled              a signal ended a program of ours; says nothing about the work
├── BrainError                 a brain gave nothing that can be used
│   ├── BrainParked            it cannot think now: its provider's limit, or no provider answers
│   ├── BudgetSpent            no room under a cap: the call was not made
│   └── CallFailed             a call to a model brought no reply: model, cause
├── LedgerError                the ledger could not be read or written; no run waits for it
│   └── LedgerBroken           what is in it, or is to be, is not as it has to be
├── RosterError                the roster cannot start, or is already running here
├── DeployFailed               a release could not be built, started, switched or stopped
├── PromotionFailed            what has landed could not be offered to where it should go
├── NotificationFailed         a service did not take a notification
└── CommandRefused             the manager did not do what a person asked; its answer says why

Signal                         what a handler raises to steer its delivery; never shown to people
├── Retry                      try again after a delay; counts as a failure
└── Reject                     never try again: dead letter with this reason
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from callboard.bus.task import Permit


class CallboardError(Exception):
    """An error a person can act on. `str()` is one sentence or two; ids are attributes, not text."""

    exit_code = 1
    """The exit code of a command that ends with this error."""


class ConfigError(CallboardError):
    """A file people wrote is wrong.

    Args:
        message: What is wrong and the way out, without the position.
        path: The file, as the person would name it; None when it is not about a file.
        line: 1-based line; None when unknown.
        key: The dotted key, such as `agents.0.role`; None when it is not about a key.
    """

    exit_code = 2

    def __init__(
        self, message: str, *, path: str | None = None, line: int | None = None, key: str | None = None
    ) -> None:
        place = path if line is None else f"{path}:{line}"
        super().__init__(": ".join(part for part in (place, key, message) if part))
        self.path = path
        self.line = line
        self.key = key


class BusError(CallboardError):
    """The bus could not do what was asked."""


class BusUnavailable(BusError):
    """No server answered, or the connection was lost and did not come back in time."""


class NotReplicated(BusUnavailable):
    """It is written on the primary, but fewer replicas than `[bus] wait_replicas` have confirmed it; it may yet be lost."""


class ServerTooOld(BusError):
    """The server lacks a command of Redis 7.0 that the bus needs."""


class BadMessage(BusError):
    """A message that cannot be read; it goes to the dead letters without a retry."""


class UnknownKind(BadMessage):
    """A kind or version that this program does not know."""


class TooLarge(BusError):
    """A message is longer than any may be; nothing was sent."""


class NotAllowed(BusError):
    """The sender's role may not send this message."""


class LeaseLost(BusError):
    """This consumer no longer holds the entry; nothing was written."""


class BoardStale(BusError):
    """A board field changed since it was read; nothing was written.

    Attributes:
        field: The board field that did not have the expected version.
    """

    def __init__(self, field: str) -> None:
        super().__init__(f"board field {field!r} changed since it was read; read the board again and decide again")
        self.field = field


class InboxFull(BusError):
    """An inbox holds as much as it may, or the server has no memory or disk left; nothing was written."""


class ArchiveBroken(BusError):
    """A line of an archive is not what was written there.

    Attributes:
        path: The archive's file.
        line: The first line that cannot be trusted, 1-based.
    """

    def __init__(self, why: str, *, path: str, line: int) -> None:
        super().__init__(
            f"{path}:{line}: {why}; put the file back as it was, or keep only what is before that line "
            f"(`head -n {line - 1}`): entries that the bus still holds are archived again"
        )
        self.path = path
        self.line = line


class WorkspaceError(CallboardError):
    """Something in a repository, clone or slot could not be done."""


class GitError(WorkspaceError):
    """A git command failed.

    Attributes:
        argv: The command as it was run.
        exit_code_of_git: Its exit code; -1 when it was stopped at its time limit.
        stderr: What it said.
    """

    def __init__(self, message: str, *, argv: tuple[str, ...], exit_code_of_git: int, stderr: str) -> None:
        super().__init__(message)
        self.argv = argv
        self.exit_code_of_git = exit_code_of_git
        self.stderr = stderr


class IntakeRefused(WorkspaceError):
    """A handed-in tree breaks a rule of intake; nothing was imported.

    Attributes:
        rule: The rule's short name, such as `paths` or `link`.
        path: The path that broke it, or "" when it is about the whole tree.
        way_out: What the agent can do instead.
    """

    def __init__(self, rule: str, path: str, way_out: str) -> None:
        super().__init__(f"intake refused {path or 'the handed-in tree'} (rule {rule}): {way_out}")
        self.rule = rule
        self.path = path
        self.way_out = way_out


class ApprovalNeeded(IntakeRefused):
    """A handed-in tree breaks only rules that a person may lift; nothing was imported.

    Attributes:
        permits: What a person would have to permit, one for each path.
    """

    def __init__(self, permits: Sequence[Permit], way_out: str) -> None:
        super().__init__(permits[0].rule, permits[0].path, way_out)
        self.permits = tuple(permits)


class CommandFailed(WorkspaceError):
    """A command that was needed, such as setup, failed."""


class CommandKilled(CallboardError):
    """A program we waited for was ended from outside: by a shutdown, or for want of memory.

    No WorkspaceError, so that nobody takes it as an answer: whatever was under way is tried again.
    """


class BrainError(CallboardError):
    """A brain gave nothing that can be used: nothing recorded, garbage where a verdict was due, a program that is absent."""


class BrainParked(BrainError):
    """A brain cannot think now, and nobody's work is to blame: the same can go on later.

    Attributes:
        cause: `rate_limit`: its provider takes no more until a time. `provider`: none of its models can be reached.
        until: When it can go on; None = nobody knows.
    """

    def __init__(
        self, message: str, *, cause: Literal["rate_limit", "provider"], until: datetime | None = None
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.until = until


class BudgetSpent(BrainError):
    """There is no room under a cap, so the call was not made.

    Attributes:
        scope: Whose cap: `run`, `task:<id>` or `agent:<name>`.
        what: What is spent: `tokens`, `usd` or `minutes`.
        used: How much of it, held back amounts included; money in millionths of a USD.
        cap: How much there was.
    """

    def __init__(
        self,
        message: str,
        *,
        scope: str,
        what: Literal["tokens", "usd", "minutes", "attempts", "gate_runs"],
        used: int,
        cap: int,
    ) -> None:
        super().__init__(message)
        self.scope = scope
        self.what = what
        self.used = used
        self.cap = cap


CallFailure = Literal[
    "rate_limit", "quota", "unavailable", "unreachable", "timeout", "denied", "rejected", "too_long", "unreadable"
]
"""Too much asked for now; no money left there; its server failed; nobody reached; nothing in time; its key or its name is
not accepted; the request is wrong or not allowed; the request is longer than the model takes; the reply is garbage."""


class CallFailed(BrainError):
    """A call to a model brought no reply.

    Attributes:
        model: The name of its `[models.NAME]`.
        cause: Why.
        retry_after_s: How long the provider asked to wait; None when it did not say.
        is_free: The provider cannot have charged for it.
    """

    def __init__(
        self, message: str, *, model: str, cause: CallFailure, retry_after_s: float | None = None, is_free: bool = False
    ) -> None:
        super().__init__(message)
        self.model = model
        self.cause = cause
        self.retry_after_s = retry_after_s
        self.is_free = is_free


class LedgerError(CallboardError):
    """The ledger could not be read or written. No run waits for it: it catches up from the archives."""


class LedgerBroken(LedgerError):
    """What is in the ledger, or is to be, is not as it has to be; the message names the row."""


class RosterError(CallboardError):
    """The roster cannot start here, is already running, or does not run."""


class DeployFailed(CallboardError):
    """A target could not build, start, switch or stop a release; the message says what it tried, and the way out."""


class PromotionFailed(CallboardError):
    """What has landed could not be offered to where it should go; the message says what was tried, and the way out."""


class NotificationFailed(CallboardError):
    """A service did not take a notification; the message says why, without its URL."""


class CommandRefused(CallboardError):
    """The manager did not do what a person asked; its answer says why, and the way out."""


class Signal(Exception):
    """What a handler raises to steer its delivery."""


class Retry(Signal):
    """Deliver the message again.

    Args:
        reason: For the log, and for the dead letter if it comes to that.
        after_s: Seconds to wait before the next delivery.
    """

    def __init__(self, reason: str, after_s: float = 1.0) -> None:
        super().__init__(reason)
        self.after_s = after_s


class Reject(Signal):
    """Never deliver the message again: it becomes a dead letter with this reason."""
