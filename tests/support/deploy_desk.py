"""A desk with a deployment agent, whose steps the tests answer."""

from __future__ import annotations

from desk_board import REVIEWERS, ROSTER, Desk, Heard

from callboard.agents.deployment.settings import DeploySettings, EnvironmentSettings
from callboard.bus.board import ProblemDoc, TaskState
from callboard.bus.deployments import QUESTIONS, DeploymentDoc, ReleaseAnswer, ReleaseReview, Said
from callboard.bus.messages import (
    DeploymentChanged,
    DeploymentCommanded,
    DirectionsRead,
    ReleaseReviewGiven,
)

DEPLOYER = "deployment"
SETTINGS = DeploySettings(
    infrastructure=("deploy/**",),
    canary=(10, 100),
    notes="",
    environments={"staging": EnvironmentSettings(port=8081), "production": EnvironmentSettings(acceptance="ask")},
)


class Deployments(Desk):
    """A desk with a deployment agent; without tasks, so that the run's end is a deployment's."""

    def __init__(self, settings: DeploySettings | None = SETTINGS) -> None:
        super().__init__({**ROSTER, DEPLOYER: "deployment"}, deploy=settings, deployer=DEPLOYER)
        self.hear(DirectionsRead(files=()), "manager")

    def problems(self) -> list[ProblemDoc]:
        return list(self.board.all(ProblemDoc))

    def finish(self, id: str) -> None:
        """The task is done without code; whatever blocks it, a person answers."""
        if self.task(id).state is TaskState.BLOCKED:
            self.person("answer", question=self.task(id).blocker, text="do it so")
        self.hand_in(id, None)
        self.gate(id)
        self.approve(id)

    def deploy(self, environment: str = "staging", **values: object) -> Heard:
        body = DeploymentCommanded.model_validate({"command": "deploy", "environment": environment, **values})
        return self.hear(body, "person")

    def roll_back(self, environment: str = "staging", reason: str = "") -> Heard:
        return self.hear(DeploymentCommanded(command="rollback", environment=environment, reason=reason), "person")

    def doc(self, id: str = "d-1") -> DeploymentDoc:
        return self.board.get(f"deployment:{id}", DeploymentDoc)

    def step(self, outcome: str = "passed", id: str = "d-1", **values: object) -> Heard:
        """The agent answers the step in hand."""
        doc = self.doc(id)
        said = {"deployment": id, "number": doc.number, "step": doc.step, "outcome": outcome, **values}
        return self.hear(DeploymentChanged.model_validate(said), DEPLOYER)

    def until(self, state: str, step: str = "", id: str = "d-1") -> None:
        """Everything passes until then."""
        for _ in range(20):
            doc = self.doc(id)
            if doc.state == state and step in ("", doc.step):
                return
            if doc.state == "reviewing":
                self.reviews(id=id)
            else:
                self.step(id=id, blue="r-0" if doc.step == "look" else None)
        raise AssertionError(f"{id} does not come to {state}: {self.doc(id).state}")

    def reviews(self, answer: ReleaseAnswer = "good", who: tuple[str, ...] = REVIEWERS, id: str = "d-1") -> Heard:
        review = self.doc(id).review
        said = ReleaseReview(answers={name: Said(answer=answer, reason="why") for name in QUESTIONS})
        return [self.hear(ReleaseReviewGiven(review=review, said=said), name) for name in who][-1]
