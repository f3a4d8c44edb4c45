"""What people, the manager, the deployment agent and the reviewers say to each other about a deployment."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from callboard.bus.body import Body
from callboard.bus.deployments import LetPass, ReadyItem, ReleaseReview, StepName, StepOutcome
from callboard.bus.task import CommandResult


class DeploymentCommanded(Body):
    """person -> manager: deploy a commit, or go back."""

    kind: ClassVar[str] = "deployment.commanded"
    command: Literal["deploy", "rollback"]
    environment: str = ""
    """"" = the first one of callboard.toml."""
    commit: str = ""
    """deploy: 40 hex digits; "" = what landed last."""
    reason: str = ""
    by: str = ""


class DeploymentRequested(Body):
    """manager -> deployment agent: do this one step. Done twice it comes to the same."""

    kind: ClassVar[str] = "deployment.requested"
    deployment: str
    environment: str
    commit: str
    step: StepName
    number: int
    release: str = ""
    blue: str = ""
    percent: int = 0
    """shift: what of the traffic Green gets."""
    waived: tuple[str, ...] = ()
    """test: kinds of tests that a person goes on without."""
    let_pass: tuple[LetPass, ...] = ()
    """shift: what of the checklist a person lets pass as it is."""
    is_restore: bool = False
    run: str = ""
    """With the id of the deployment it names the holder of the environment's lock."""


class DeploymentChanged(Body):
    """deployment agent -> manager: what became of a step, and what that rests on."""

    kind: ClassVar[str] = "deployment.changed"
    deployment: str
    number: int
    step: StepName
    outcome: StepOutcome
    reason: str = ""
    """failed, inconclusive: why, and the way out; missing: what is, separated by ", "."""
    facts: tuple[str, ...] = ()
    commands: tuple[CommandResult, ...] = ()
    release: str = ""
    commit: str = ""
    """inputs of a restore: the commit of the release that comes back."""
    address: str = ""
    blue: str | None = None
    """look: the release that serves, "" = none; None = not said."""
    checklist: tuple[ReadyItem, ...] = ()
    """ready: all of its items."""
    is_configuration: bool = False
    """failed: it looks as if the way it is run were to blame, and not the code."""


class DeploymentNoted(Body):
    """deployment agent -> journal: the notes of a deployment that is finished; a document of its log branch."""

    kind: ClassVar[str] = "deployment.noted"
    deployment: str
    environment: str
    release: str
    lines: tuple[str, ...]
    """Markdown, below the title."""


class ReleaseReviewRequested(Body):
    """manager -> reviewer: judge deployed code against requirements and test results, by the five questions."""

    kind: ClassVar[str] = "release_review.requested"
    review: str
    deployment: str
    environment: str
    base: str
    """The commit that serves now, or that the run began with."""
    commit: str
    requirements: tuple[str, ...]
    """Paths of files in the commit."""
    address: str
    commands: tuple[CommandResult, ...] = ()
    deadline: AwareDatetime


class ReleaseReviewGiven(Body):
    """reviewer -> manager. A missing, late or unreadable one is an abstention."""

    kind: ClassVar[str] = "release_review.given"
    review: str
    said: ReleaseReview
