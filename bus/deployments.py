"""A deployment on the board: from an integration commit to a running service, or back."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from callboard.bus.doc import Doc
from callboard.bus.task import CommandResult, Fact

DeploymentState = Literal[
    "requested",
    "prepared",
    "green_up",
    "testing",
    "fixing",
    "reviewing",
    "eligible",
    "promoting",
    "baking",
    "done",
    "rolled_back",
]
StepName = Literal["inputs", "look", "up", "test", "rehearse", "ready", "shift", "bake", "finish", "roll_back"]
"""What the deployment agent does: inputs: are the six there; look: may this environment be deployed to, and is Blue well;
up: build and start Green; test: against Green's address; rehearse: can one go back; ready: the production checklist; shift:
traffic to Green by so many per cent, and watch; bake: watch while Green serves all; finish: drain and stop Blue; roll_back:
Blue serves all, Green stops."""
StepOutcome = Literal["passed", "failed", "inconclusive", "missing"]
"""inconclusive: nobody can say, which is never a pass; missing: what a person has to judge: kinds of tests that are not there,
items of the checklist that do not pass."""
ReadyState = Literal["pass", "fail", "unknown"]
AskedAbout = Literal["tests", "acceptance", "review", "ready"]
Next = Literal["", "retry", "development"]
"""What follows a rolled back deployment: the same again, or work on the code."""
QUESTIONS = ("quality", "requirements", "security", "performance", "critical_issues")
"""What each reviewer answers about the deployed code."""
QUORUM = 2
"""So many of the three have to say that something is good, and nobody that it is not."""
ReleaseAnswer = Literal["good", "fixes", "major_flaws", "unanswered"]


class Said(Fact):
    """A reviewer's answer to one of the five questions."""

    answer: ReleaseAnswer = "unanswered"
    reason: str = ""


class ReleaseReview(Fact):
    """What one reviewer said about deployed code; a question that it left open makes it an abstention."""

    answers: dict[str, Said] = {}
    """By question."""
    requirements: int = 0
    """How many there are in the files of requirements, as it was asked; 0 = nobody counted."""
    unmet: tuple[int, ...] = ()
    """Which of them it found not met, from 1."""
    notes: str = ""

    @property
    def is_whole(self) -> bool:
        return all(self.answers.get(name, Said()).answer != "unanswered" for name in QUESTIONS)

    def finds_met(self, number: int) -> bool:
        """Whether it has judged a requirement and found it met: by a good answer, or by one that names others as not met."""
        answer = self.answers.get("requirements", Said()).answer
        return number not in self.unmet and (answer == "good" or (answer != "unanswered" and bool(self.unmet)))


class ReadyItem(Fact):
    """One line of the production checklist."""

    name: str
    state: ReadyState
    fact: str
    source: str
    """Where the fact comes from."""


class LetPass(Fact):
    """An item of the checklist that a person lets pass as it is."""

    item: str
    state: ReadyState
    by: str = ""


class Edge(Fact):
    """One way from a state to another, with what it rests on."""

    source: DeploymentState
    to: DeploymentState
    event: str
    facts: tuple[str, ...] = ()
    at: AwareDatetime | None = None


class DeploymentDoc(Doc):
    id: str = ""
    kind: Literal["deploy", "restore"] = "deploy"
    """restore: an earlier release comes back, so nothing is built, tested or reviewed anew."""
    environment: str = ""
    commit: str = ""
    release: str = ""
    """Green: the release of this deployment; "" before it was begun."""
    address: str = ""
    """Where Green answers, as a URL, past the proxy."""
    blue: str = ""
    """The release that serves beside it; "" = none: a first deployment."""
    state: DeploymentState = "requested"
    step: StepName | Literal[""] = ""
    """What the deployment agent has in hand."""
    number: int = 0
    """Of the step in hand: an answer to another one is late."""
    canary_step: int = 0
    """shift: which of the canary's per cents is next."""
    back_tries: int = 0
    """roll_back: how often that was tried before."""
    fixes: int = 0
    """How often it went to fixing."""
    problem: str = ""
    """What is to be fixed, for a person; "" = nothing."""
    problems: dict[str, int] = {}
    """Digest of a failure -> how often it was met."""
    failure: str = ""
    """The digest of what is to be fixed, or was last."""
    diffs: tuple[str, ...] = ()
    """Digests of the changes that were to fix something."""
    fixing_since: AwareDatetime | None = None
    task: str = ""
    """The task that is to fix it, or that a roll back has opened."""
    notes: str = ""
    """The task that lands its notes; "" = none does."""
    question: str = ""
    """What a person is asked; "" = nobody is."""
    asked: AskedAbout | Literal[""] = ""
    """What that question is about."""
    missing: tuple[str, ...] = ()
    """Kinds of tests that are not there, as it was asked about them."""
    waived: tuple[str, ...] = ()
    """Kinds of tests that a person goes on without."""
    tests: tuple[CommandResult, ...] = ()
    """The last run against Green."""
    checklist: tuple[ReadyItem, ...] = ()
    """As it was made last; () = it was not: no promotion to production."""
    let_pass: tuple[LetPass, ...] = ()
    """What of it a person lets pass as it is."""
    reviewers: tuple[str, ...] = ()
    """Who is asked about the deployed code now; () = nobody."""
    reviews: dict[str, ReleaseReview] = {}
    review_round: int = 0
    reason: str = ""
    """Why it was rolled back."""
    next: Next = ""
    by: str = ""
    """Who asked for it."""
    requested_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    history: tuple[Edge, ...] = ()

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "rolled_back") and not self.step

    @property
    def stands(self) -> str:
        """Its state for people: `green up`, `rolling back`, `rolled back`."""
        return "rolling back" if self.state == "rolled_back" and not self.is_over else self.state.replace("_", " ")

    @property
    def review(self) -> str:
        """The id of its review that is under way."""
        return f"{self.id}.{self.review_round}"


def deployment_field(id: str) -> str:
    return f"deployment:{id}"
