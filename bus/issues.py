"""Issues as the board has them: what was seen to be wrong and did not stop a landing, under a key that stays the same.

On the board each is one document, `issue:<key>`. Its sightings are the issues of a task; what has any was seen in this
run; all that are open are the project's backlog, which a new run takes over from the one before (decision 0027).
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from pydantic import AwareDatetime

from callboard.bus.doc import Doc
from callboard.bus.task import Fact

Severity = Literal["minor", "major"]
IssueSource = Literal["review", "gate", "lint", "driver", "person", "deployment", "outside"]
"""Who saw it: a reviewer who approved all the same, a gate that was red and then green, a command of `[project] lint`, the
driver of the task, a person, a deployment that was rolled back, an outside agent."""

KEY_LENGTH = 80
MOST_EVIDENCE = 20
"""References that one sighting keeps."""
_WORD = re.compile(r"[a-z0-9]+")
_KEY = re.compile(rf"[a-z0-9][a-z0-9_.-]{{0,{KEY_LENGTH - 1}}}")


def issue_key(category: str, about: str) -> str:
    """`<category>__<about>` in small letters, digits and underscores, at most 80: the same words give the same key.

    What these letters cannot say, or is cut, is kept apart by 8 hex digits over the whole.
    """
    kind, rest = _words(category) or "issue", _words(about)
    key = f"{kind[:24]}__{rest}"
    is_whole = bool(rest) and len(key) <= KEY_LENGTH and kind == kind[:24] and about.isascii()
    if is_whole:
        return key
    digest = hashlib.sha256(f"{category}\n{about}".encode()).hexdigest()[:8]
    return f"{key[: KEY_LENGTH - 9].rstrip('_')}_{digest}"


def is_key(text: str) -> bool:
    """Whether a text can be a key as it is."""
    return _KEY.fullmatch(text) is not None


def _words(text: str) -> str:
    return "_".join(_WORD.findall(text.casefold()))


class Report(Fact):
    """An issue as somebody reports it."""

    key: str = ""
    """Where it has one already; "" = it is made of category and title."""
    title: str
    severity: Severity = "minor"
    category: str = ""
    """What kind of thing is wrong, such as `test_failure`; free text."""
    evidence: tuple[str, ...] = ()
    """Where it can be seen: `file:line`, a test, a command."""
    task_category: str = ""
    """Source outside: what kind of task it was seen in, in the reporter's words, as is `complexity`."""
    complexity: str = ""


class Sighting(Fact):
    """How an issue was seen in one task of this run, by one source."""

    task: str = ""
    """The task's id; "" = it was reported of no task."""
    source: IssueSource
    severity: Severity
    count: int = 1
    """How often."""
    evidence: tuple[str, ...] = ()
    at: AwareDatetime
    """The last time."""
    via: str = ""
    """Source outside: who saw it, in the reporter's words."""
    task_category: str = ""


class Kept(Fact):
    """An open issue as one run hands it to the next."""

    key: str
    title: str
    category: str
    severity: Severity
    first_run: str
    last_run: str
    first_at: AwareDatetime
    last_at: AwareDatetime
    count: int
    """How often it was seen in all."""
    age_runs: int
    age_tiers: int


class IssueDoc(Doc):
    """One issue. `Kept` is what of it outlives the run."""

    key: str = ""
    title: str = ""
    category: str = ""
    severity: Severity = "minor"
    """The gravest that anybody gave it."""
    state: Literal["open", "closed"] = "open"
    closed_because: str = ""
    first_run: str = ""
    last_run: str = ""
    first_at: AwareDatetime | None = None
    last_at: AwareDatetime | None = None
    count: int = 0
    """How often it was seen, over all runs."""
    age_runs: int = 0
    """How many runs have begun since it was first seen."""
    age_tiers: int = 0
    """How many tiers had ended since, when it joined this board."""
    tiers_before: int = 0
    """How many tiers of this run had ended by then."""
    sightings: tuple[Sighting, ...] = ()
    """Of this run."""
    clean_up: str = ""
    """Id of the task that was made for it in this run."""

    @property
    def is_of_this_run(self) -> bool:
        return bool(self.sightings)

    def of(self, task: str) -> tuple[Sighting, ...]:
        return tuple(sighting for sighting in self.sightings if sighting.task == task)


class TrackerDoc(Doc):
    """What the tracker remembers of the whole run."""

    is_carried: bool = False
    """The backlog of the run before was taken over."""
    carried_from: str = ""
    """That run; "" = there was none."""
    tiers_ended: tuple[str, ...] = ()
    """Tiers whose tasks had all ended at some moment, in that order; issues age by them."""
    is_full_told: bool = False
    """It was said that no more tasks may be made."""


class SummaryDoc(Doc):
    """What a run came to, written when it ends; void as soon as it goes on."""

    state: str = ""
    head: str = ""
    facts: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    """Of promotion, as the manager's log branch has them."""
    at: AwareDatetime | None = None
