"""The flow, model-checked: whatever happens in whatever order, Blue is not stopped before Green is live and baked, exactly one
colour is live in every state, and from every state done or rolled_back is reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from callboard.agents.deployment.events import (
    Answered,
    Begun,
    Event,
    Fixed,
    Judged,
    NotFixed,
    Rules,
    StepEnded,
    WentBack,
)
from callboard.agents.deployment.flow import advance, percent
from callboard.bus.deployments import DeploymentDoc, StepName, StepOutcome

BLUE, GREEN = "blue", "green"
PROBLEMS = st.sampled_from(["p-1", "p-2"])


@dataclass
class World:
    """What a target would be after the steps that were done, as the steps' own code does them."""

    up: set[str] = field(default_factory=set)
    live: str = ""
    """The colour that gets what the other one does not; "" = nothing was deployed yet."""
    share: int = 0
    """Per cent of the traffic that Green has."""
    is_baked: bool = False
    blue_was_stopped: bool = False

    def does(self, step: str, outcome: StepOutcome, doc: DeploymentDoc, rules: Rules) -> None:
        passed = outcome == "passed"
        if step == "up":
            self.up = {*(self.up & {BLUE}), *({GREEN} if passed else set())}
        elif step == "shift":
            # a watch that does not pass has put the switch back inside the step
            self.share = percent(doc, rules) if passed else 0
            self.live = GREEN if self.share == 100 else self.live
        elif step == "bake":
            self.is_baked, self.share = passed, 100 if passed else 0
            self.live = GREEN if passed else (BLUE if BLUE in self.up else "")
        elif step == "finish" and passed:
            self.blue_was_stopped = BLUE in self.up
            self.up -= {BLUE}
        elif step == "roll_back" and passed:
            self.share, self.live = 0, BLUE if BLUE in self.up else ""
            self.up -= {GREEN}


class Flow(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.doc = DeploymentDoc(id="d-1", environment="staging", commit="c", release=GREEN)
        self.world = World()
        self.says = Rules()
        self.begun = False
        self.may_promote = False
        """The checklist has passed, or a person let it."""

    @precondition(lambda self: not self.begun)
    @rule(
        first=st.booleans(),
        kind=st.sampled_from(["deploy", "restore"]),
        canary=st.sampled_from([(100,), (5, 100), (5, 25, 50, 100)]),
        asks=st.booleans(),
        is_production=st.booleans(),
        fixes=st.integers(0, 3),
        far=st.integers(0, 15),
    )
    def begin(
        self,
        first: bool,
        kind: Literal["deploy", "restore"],
        canary: tuple[int, ...],
        asks: bool,
        is_production: bool,
        fixes: int,
        far: int,
    ) -> None:
        """And how far it goes well at first: else hardly any would come far enough."""
        self.says = Rules(canary=canary, asks=asks, is_production=is_production, fixes=fixes)
        self.doc = self.doc.model_copy(update={"kind": kind})
        self.world.up = set() if first else {BLUE}
        self.world.live = "" if first else BLUE
        self.begun = True
        self.take(Begun())
        self.all_goes_well(far)

    @precondition(lambda self: bool(self.doc.step))
    @rule(
        outcome=st.sampled_from(["passed", "passed", "passed", "failed", "inconclusive", "missing"]),
        problem=PROBLEMS,
        late=st.booleans(),
    )
    def step_ends(self, outcome: StepOutcome, problem: str, late: bool) -> None:
        step = self.doc.step
        assert step
        outcome = "failed" if outcome == "missing" and step not in ("test", "ready") else outcome
        self.world.does(step, outcome, self.doc, self.says)
        blue = BLUE if BLUE in self.world.up else ""
        self.take(StepEnded(step, outcome, "why", problem, release=GREEN, blue=blue, is_late=late))

    @precondition(lambda self: self.is_under_way)
    @rule(events=st.integers(1, 12))
    def goes_well(self, events: int) -> None:
        self.all_goes_well(events)

    @precondition(lambda self: self.is_under_way and self.doc.step in ("up", "test"))
    @rule(problem=PROBLEMS, events=st.integers(0, 4))
    def fails_and_is_fixed(self, problem: str, events: int) -> None:
        """Where the caps let it."""
        step = self.doc.step
        assert step
        self.world.does(step, "failed", self.doc, self.says)
        self.take(StepEnded(step, "failed", "why", problem, release=GREEN))
        if self.doc.state == "fixing":
            self.take(Fixed("d"))
            self.all_goes_well(events)

    @property
    def is_under_way(self) -> bool:
        return self.begun and not self.doc.is_over

    def all_goes_well(self, events: int) -> None:
        for _ in range(events):
            if self.doc.is_over:
                return
            if self.doc.step:
                self.step_passes()
            else:
                self.take(_next(self.doc, True))
            self.check()

    def step_passes(self) -> None:
        step = self.doc.step
        assert step
        self.world.does(step, "passed", self.doc, self.says)
        self.take(StepEnded(step, "passed", release=GREEN, blue=BLUE if BLUE in self.world.up else ""))

    def check(self) -> None:
        self.blue_stops_only_after_green_was_baked()
        self.exactly_one_colour_is_live()

    @rule(outcome=st.sampled_from(["passed", "failed"]))
    def a_late_step_changes_nothing(self, outcome: StepOutcome) -> None:
        before = self.doc
        late = StepEnded("finish" if self.doc.step != "finish" else "up", outcome)
        self.take(late)
        assert self.doc == before

    @precondition(lambda self: self.doc.state == "reviewing")
    @rule(outcome=st.sampled_from(["consensus", "fixes", "major_flaws", "no_quorum"]), problem=PROBLEMS)
    def judged(self, outcome: Literal["consensus", "fixes", "major_flaws", "no_quorum"], problem: str) -> None:
        self.take(Judged(outcome, "said", problem))

    @precondition(lambda self: self.doc.state == "fixing")
    @rule(lands=st.booleans())
    def fix_ends(self, lands: bool) -> None:
        self.take(Fixed("d") if lands else NotFixed("cancelled"))

    @precondition(lambda self: bool(self.doc.question))
    @rule(goes_on=st.booleans())
    def a_person_answers(self, goes_on: bool) -> None:
        self.take(Answered(goes_on))

    @precondition(lambda self: self.doc.asked == "ready")
    @rule()
    def a_person_has_it_looked_at_again(self) -> None:
        self.take(Answered(False, looks_again=True))
        assert (self.doc.state, self.doc.step) == ("eligible", "ready")

    @precondition(lambda self: self.is_under_way)
    @rule()
    def a_person_rolls_back(self) -> None:
        self.take(WentBack("enough"))

    def take(self, event: Event) -> None:
        was = self.doc
        self.doc = advance(self.doc, event, self.says).doc
        if isinstance(event, StepEnded) and (event.step, event.outcome, was.step) == ("ready", "passed", "ready"):
            self.may_promote = True
        if isinstance(event, Answered) and event.goes_on and was.asked == "ready":
            self.may_promote = True
        if self.doc.state in ("promoting", "baking", "done") and self.doc.kind == "deploy":
            assert self.may_promote or not self.says.is_production, "the checklist holds what goes into production"
        if self.doc.state == "green_up" and was.state in ("testing", "reviewing"):
            raise AssertionError("Green comes up anew only after a fix")
        if isinstance(event, Fixed) and was.state == "fixing":
            assert (self.doc.state, self.doc.step) == ("green_up", "up")
        if isinstance(event, StepEnded) and event.step == was.step and event.step in ("shift", "bake"):
            assert event.outcome == "passed" or self.doc.state == "rolled_back", "only a pass goes on"
        if self.doc.state == "reviewing" and was.state != "reviewing":
            assert was.state == "testing", "a review is of what was tested just before"

    @invariant()
    def blue_stops_only_after_green_was_baked(self) -> None:
        if self.world.blue_was_stopped:
            assert self.world.is_baked
            assert self.doc.state == "done"

    @invariant()
    def exactly_one_colour_is_live(self) -> None:
        """The one that was there before it, as long as there was one; what is live runs."""
        if self.world.live:
            assert self.world.live in self.world.up
        if self.doc.state == "done":
            assert (self.world.live, self.world.up) == (GREEN, {GREEN})
        if self.doc.state == "rolled_back" and self.doc.is_over and "could not be taken away" not in self.doc.reason:
            assert self.world.up <= {BLUE}
        if self.doc.state not in ("promoting", "baking", "done", "rolled_back"):
            assert self.world.share == 0

    @invariant()
    def it_can_always_end(self) -> None:
        """If everything passes from here on, it is done or rolled back; if everything fails, rolled back."""
        for is_well in (True, False):
            doc = self.doc
            for _ in range(80):
                if doc.is_over:
                    break
                doc = advance(doc, _next(doc, is_well), self.says).doc
            assert doc.is_over or not self.begun


def _next(doc: DeploymentDoc, is_well: bool) -> Event:
    if doc.question:
        return Answered(is_well)
    if doc.state == "reviewing":
        return Judged("consensus" if is_well else "fixes", "said", "p-1")
    if doc.state == "fixing":
        return Fixed("e") if is_well else NotFixed("no")
    return StepEnded(doc.step or "look", "passed" if is_well else "failed", "why", "p-1", blue=doc.blue)


Flow.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestFlow = Flow.TestCase


@pytest.mark.parametrize("step", ["shift", "bake", "finish"])
@pytest.mark.parametrize("outcome", ["failed", "inconclusive", "missing"])
def test_whatever_is_no_pass_goes_back(step: StepName, outcome: StepOutcome) -> None:
    """The model comes here in most runs, this in all."""
    state = "promoting" if step == "shift" else "baking"
    doc = DeploymentDoc(id="d-1", state=state, step=step, number=7, release=GREEN, blue=BLUE)
    gone = advance(doc, StepEnded(step, outcome, "why"), Rules()).doc
    assert (gone.state, gone.step) == ("rolled_back", "roll_back")


@pytest.mark.parametrize(("asks", "then"), [(False, "shift"), (True, "")])
def test_what_a_person_lets_pass_still_awaits_acceptance_where_that_is_asked(asks: bool, then: str) -> None:
    rules = Rules(asks=asks, is_production=True)
    doc = DeploymentDoc(id="d-1", state="eligible", step="rehearse", number=7, release=GREEN, blue=BLUE)
    doc = advance(doc, StepEnded("rehearse", "passed"), rules).doc
    assert doc.step == "ready"
    doc = advance(doc, StepEnded("ready", "missing", "monitoring"), rules).doc
    assert (doc.state, doc.step, doc.asked) == ("eligible", "", "ready")
    doc = advance(doc, Answered(True), rules).doc
    assert (doc.step, doc.asked) == (then, "acceptance" if asks else "")


def test_an_earlier_release_is_not_held_by_the_checklist() -> None:
    doc = DeploymentDoc(id="d-1", kind="restore", state="green_up", step="up", number=3, release=GREEN, blue=BLUE)
    assert advance(doc, StepEnded("up", "passed"), Rules(is_production=True)).doc.step == "shift"


def test_what_was_fixed_comes_up_anew() -> None:
    doc = DeploymentDoc(id="d-1", state="fixing", number=7, release=GREEN, task="T-1")
    fixed = advance(doc, Fixed("d"), Rules()).doc
    assert (fixed.state, fixed.step, fixed.commit, fixed.tests) == ("green_up", "up", "d", ())


@pytest.mark.parametrize(
    ("outcome", "is_configuration", "then"),
    [("failed", False, "development"), ("failed", True, "retry"), ("inconclusive", False, "retry")],
)
def test_what_was_measured_and_found_bad_before_its_traffic_is_for_development(
    outcome: StepOutcome, is_configuration: bool, then: str
) -> None:
    doc = DeploymentDoc(id="d-1", state="eligible", step="rehearse", number=7, release=GREEN, blue=BLUE)
    event = StepEnded("rehearse", outcome, "why", is_configuration=is_configuration)
    assert advance(doc, event, Rules()).doc.next == then
