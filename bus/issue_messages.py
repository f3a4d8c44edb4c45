"""What is said about issues."""

from __future__ import annotations

from typing import ClassVar

from callboard.bus.body import Body
from callboard.bus.issues import Kept, Report


class IssueReported(Body):
    """person -> manager: something is wrong. Drivers report with their evidence."""

    kind: ClassVar[str] = "issue.reported"
    report: Report
    task: str = ""
    """The task that it is about; "" = none."""


class IssueClosed(Body):
    """person -> manager: it is mended, or nobody will mend it."""

    kind: ClassVar[str] = "issue.closed"
    key: str
    reason: str = ""


class BacklogCarried(Body):
    """manager -> manager: what earlier runs left open, once for each run."""

    kind: ClassVar[str] = "backlog.carried"
    run: str
    """The run that it comes from; "" = there was none."""
    issues: tuple[Kept, ...] = ()
