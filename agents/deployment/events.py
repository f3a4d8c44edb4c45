"""What a deployment can meet, and what it then asks for: the alphabet of the flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from callboard.bus.deployments import AskedAbout, ReadyItem, StepName, StepOutcome
from callboard.bus.task import CommandResult


@dataclass(frozen=True, slots=True)
class Begun:
    """A person has asked for it."""


@dataclass(frozen=True, slots=True)
class StepEnded:
    """The step in hand has an outcome."""

    step: StepName
    outcome: StepOutcome
    reason: str = ""
    problem: str = ""
    """Digest of a failure: the same for the same one."""
    release: str = ""
    commit: str = ""
    address: str = ""
    blue: str = ""
    """look: what serves; "" = nothing does."""
    commands: tuple[CommandResult, ...] = ()
    checklist: tuple[ReadyItem, ...] = ()
    """ready: all of its items."""
    is_configuration: bool = False
    is_late: bool = False
    """The time for fixing is over."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The trio has judged the deployed code."""

    outcome: Literal["consensus", "fixes", "major_flaws", "no_quorum"]
    summary: str
    problem: str = ""
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Fixed:
    """The fix has landed."""

    commit: str
    diff: str = ""
    """Digest of its change: the same for the same one; "" = it changed nothing."""
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class NotFixed:
    """It never will."""

    reason: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A person has said whether it goes on."""

    goes_on: bool
    by: str = ""
    looks_again: bool = False
    """The step that asked is done again, whatever else is said."""


@dataclass(frozen=True, slots=True)
class WentBack:
    """A person wants it rolled back."""

    reason: str


Event = Begun | StepEnded | Judged | Fixed | NotFixed | Answered | WentBack


@dataclass(frozen=True, slots=True)
class DoStep:
    """The deployment agent does `document.step`."""


@dataclass(frozen=True, slots=True)
class AskReview:
    """The trio judges the deployed code."""


@dataclass(frozen=True, slots=True)
class OpenFix:
    """A task mends what it failed with."""

    is_configuration: bool
    rung: int
    """How often this very problem was met, from 1: from 2 on somebody else is asked first."""


@dataclass(frozen=True, slots=True)
class AskPerson:
    """It waits for a person."""

    about: AskedAbout
    text: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """It is over, or the event said nothing about it."""

    ended: bool = False


Todo = DoStep | AskReview | OpenFix | AskPerson | Nothing


@dataclass(frozen=True, slots=True)
class Rules:
    """What callboard.toml says about the flow."""

    canary: tuple[int, ...] = (100,)
    asks: bool = False
    """A person accepts Green before it is promoted."""
    is_production: bool = False
    """The checklist has to pass, or a person lets named items of it pass."""
    fixes: int = 5
