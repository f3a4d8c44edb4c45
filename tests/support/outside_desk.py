"""A desk of a run that was started from outside, for unit tests."""

from __future__ import annotations

from typing import Literal

from desk_board import Desk, Heard, sha

from callboard.bus.board import Board, OutsideDoc, PhaseDoc, RunDoc, TaskDoc
from callboard.bus.caps import Limits
from callboard.bus.issues import Report
from callboard.bus.messages import AuditGiven, AuditRequested, IssueSeen, PhaseMoved, RunOpened, WorkSubmitted
from callboard.bus.outside import AuditAsked, Claim, PhaseAsked, Recommendation, TierAsked
from callboard.bus.outside_messages import PhaseMove
from callboard.bus.task import Finding

BUILDER, AUDITOR = "builder-r", "auditor-r"
QUOTED = Finding(severity="major", file="a.py", line=1, quote="x", scenario="it breaks", verified=True)


def phase(id: str, index: int = 0, **values: object) -> PhaseAsked:
    return PhaseAsked(id=id, index=index, tier="T1", name=f"do {id}").model_copy(update=values)


class OutsideDesk(Desk):
    """The desk of a run with these phases; the first is T-1."""

    def __init__(self, *phases: PhaseAsked, limits: Limits | None = None) -> None:
        super().__init__({"manager": "manager"})
        run = RunDoc(version=1, id="r", base=sha("base"), head=sha("base"), integration="callboard/r", target="main")
        self.board = Board({"run": run})
        self.opened = self.open(*(phases or (phase("P1"),)), limits=limits)

    def open(self, *phases: PhaseAsked, limits: Limits | None = None) -> Heard:
        body = RunOpened(
            builder=BUILDER,
            auditor=AUDITOR,
            run_scope="incremental",
            tiers=(TierAsked(id="T1", name="Core"),),
            phases=phases,
            limits=limits or Limits(),
        )
        return self.hear(body, "person")

    @property
    def outside(self) -> OutsideDoc:
        return self.board.get("outside", OutsideDoc)

    def phase(self, id: str = "T-1") -> PhaseDoc:
        return self.board.get(f"phase:{id}", PhaseDoc)

    @property
    def first(self) -> TaskDoc:
        return self.task("T-1")

    def move(self, to: PhaseMove, id: str = "T-1", sender: str = "person", **counts: int) -> Heard:
        return self.hear(PhaseMoved(state=to, counts=counts), sender, id)

    def submit(
        self,
        head: str = "work",
        *,
        id: str = "T-1",
        sender: str = BUILDER,
        status: Literal["success", "failed", "needs_review"] = "success",
        **claim: object,
    ) -> Heard:
        """The builder hands in a commit; claim values: see Claim."""
        made = Claim(status=status, head=sha(head) if head else "").model_copy(update=claim)
        return self.hear(WorkSubmitted(claim=made, base=self.run.head), sender, id)

    def refuse_patch(self, id: str = "T-1") -> Heard:
        return self.submit("", id=id, refused="unreadable patch")

    def audit(
        self, says: Recommendation, *findings: Finding, id: str = "T-1", sender: str = AUDITOR, **values: object
    ) -> Heard:
        body = AuditGiven(recommendation=says, findings=findings, commit=self.task(id).head)
        return self.hear(body.model_copy(update=values), sender, id)

    def want_audit(self, id: str = "T-1", sender: str = BUILDER) -> Heard:
        return self.hear(AuditRequested(asked=AuditAsked(focus="security")), sender, id)

    def see_issue(self, key: str, sender: str = BUILDER, id: str = "T-1") -> Heard:
        report = Report(key=key, title=key, category="test_failure", evidence=("tests/a.py::b",))
        return self.hear(IssueSeen(report=report, source="test"), sender, id)
