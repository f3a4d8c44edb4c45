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
    OpenFix,
    Rules,
    StepEnded,
    WentBack,
)
from callboard.agents.deployment.flow import advance, percent
from callboard.bus.deployments import DeploymentDoc, ReleaseReview, StepName, StepOutcome
from callboard.bus.task import CommandResult

BLUE, GREEN = "blue", "green"
PROBLEMS = st.sampled_from(["p-1", "p-2"])


@dataclass
class World:
    """What a target would be after the steps that were done, as the steps' own code does them."""

    up: set[str] = field(default_factory=set)
    shares: dict[str, int] = field(default_factory=dict)
    """Colour -> per cent of new requests; {} = nobody gets any, as nothing was deployed yet."""
    had_blue: bool = False
    is_baked: bool = False
    blue_was_stopped: bool = False

    @property
    def live(self) -> str:
        """The colour that has all of it; "" = nobody has."""
        return next((name for name, share in self.shares.items() if share == 100), "")

    def does(self, step: str, outcome: StepOutcome, doc: DeploymentDoc, rules: Rules, *, is_half: bool) -> None:
        """Do a step.

        Args:
            is_half: finish: it failed after it had stopped Blue.
        """
        passed = outcome == "passed"
        if step == "up":
            self.up = {*(self.up & {BLUE}), *({GREEN} if passed else set())}
        elif step == "shift":
            # a watch that does not pass has put the switch back inside the step
            self._share(percent(doc, rules) if passed else 0)
        elif step == "bake":
            self.is_baked = passed
            self._share(100 if passed else 0)
        elif step == "finish" and (passed or is_half):
            self.blue_was_stopped = self.had_blue
            self._share(100)
            self.up -= {BLUE}
        elif step == "roll_back" and passed:
            self.up |= {BLUE} if self.had_blue else set()
            self._share(0)
            self.up -= {GREEN}

    def _share(self, greens: int) -> None:
        """A first release whose watch does not pass keeps what it has until it is taken away: there is nobody to give it to."""
        if self.had_blue or greens:
            self.shares = {name: part for name, part in ((GREEN, greens), (BLUE, 100 - greens)) if part}
        elif not self.had_blue:
            self.shares = {}


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
        self.world.had_blue = not first
        self.world.up = set() if first else {BLUE}
        self.world.shares = {} if first else {BLUE: 100}
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
        self.world.does(step, outcome, self.doc, self.says, is_half=late)
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
        self.world.does(step, "failed", self.doc, self.says, is_half=False)
        self.take(StepEnded(step, "failed", "why", problem, release=GREEN))
        if self.doc.state == "fixing":
            self.take(self.fixed())
            self.all_goes_well(events)

    def fixed(self) -> Fixed:
        """By a change that was not made before."""
        return Fixed("d", f"change {len(self.doc.diffs)}")

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
        self.world.does(step, "passed", self.doc, self.says, is_half=False)
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
        self.take(self.fixed() if lands else NotFixed("cancelled"))

    @precondition(lambda self: self.doc.state == "fixing" and self.doc.diffs)
    @rule(late=st.booleans())
    def the_same_change_is_made_again(self, late: bool) -> None:
        """Green is not tried again with it: somebody else is asked, or it is over."""
        fixes = self.doc.fixes
        self.take(Fixed("d", self.doc.diffs[-1], late))
        assert (self.doc.state, self.doc.fixes) in (("fixing", fixes + 1), ("rolled_back", fixes))

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
        if isinstance(event, Fixed) and was.state == "fixing" and event.diff not in was.diffs:
            assert (self.doc.state, self.doc.step) == ("green_up", "up")
        if isinstance(event, StepEnded) and event.step == was.step and event.step in ("shift", "bake"):
            assert event.outcome == "passed" or self.doc.state == "rolled_back", "only a pass goes on"
        if self.doc.state == "reviewing" and was.state != "reviewing":
            assert was.state == "testing", "a review is of what was tested just before"

    @invariant()
    def blue_stops_only_after_green_was_baked(self) -> None:
        """And is only out while what follows is the end: done, or its own return."""
        if self.world.blue_was_stopped:
            assert self.world.is_baked
            assert self.doc.state in ("done", "rolled_back")
        elif self.world.had_blue:
            assert BLUE in self.world.up

    @invariant()
    def exactly_one_colour_is_live(self) -> None:
        """The one that was there before it, as long as there was one; two share only while Green is promoted, or taken back."""
        world, state = self.world, self.doc.state
        if world.shares:
            assert sum(world.shares.values()) == 100
            assert set(world.shares) <= world.up
        if state not in ("promoting", "rolled_back"):
            assert len(world.shares) <= 1
        if state not in ("promoting", "baking", "done", "rolled_back"):
            assert world.live == (BLUE if world.had_blue else "")
        if state == "done":
            assert (world.live, world.up) == (GREEN, {GREEN})
        if state == "rolled_back" and self.doc.is_over and "could not be taken away" not in self.doc.reason:
            assert (world.live, world.up) == ((BLUE, {BLUE}) if world.had_blue else ("", set()))

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
            assert doc.state in ("done", "rolled_back") or not self.begun


def _next(doc: DeploymentDoc, is_well: bool) -> Event:
    if doc.question:
        return Answered(is_well)
    if doc.state == "reviewing":
        return Judged("consensus" if is_well else "fixes", "said", "p-1")
    if doc.state == "fixing":
        return Fixed("e", f"change {len(doc.diffs)}") if is_well else NotFixed("no")
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
    is_measured = step != "finish" and outcome == "failed"
    assert (gone.state, gone.step, gone.next) == ("rolled_back", "roll_back", "development" if is_measured else "retry")


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


def test_the_same_change_again_asks_the_next_one_and_does_not_bring_green_up() -> None:
    rules, doc = Rules(fixes=9), at_up()
    doc = advance(doc, StepEnded("up", "failed", "it is red", "p-1"), rules).doc
    doc = advance(doc, Fixed("d", "change"), rules).doc
    doc = advance(doc, StepEnded("up", "failed", "it is red", "p-1"), rules).doc
    moved = advance(doc, Fixed("e", "change"), rules)
    assert (moved.doc.state, moved.doc.step, moved.doc.commit) == ("fixing", "", "e")
    assert isinstance(moved.todo, OpenFix)
    assert moved.todo.rung == 3
    elsewhere = advance(advance(moved.doc, Fixed("e"), rules).doc, StepEnded("up", "failed", "red", "p-2"), rules).doc
    assert advance(elsewhere, Fixed("e"), rules).doc.step == "up"
    again = advance(moved.doc, Fixed("f", "change", is_late=True), rules).doc
    assert (again.state, "time for fixing is over" in again.reason) == ("rolled_back", True)


def test_the_way_it_is_run_is_mended_once_and_so_many_fixes_are_the_end() -> None:
    doc, failed = at_up(), StepEnded("up", "failed", "it is red", "p-1", is_configuration=True)
    moved = [advance(doc, failed, Rules(fixes=2))]
    for change in ("a", "b"):
        up = advance(moved[-1].doc, Fixed("d", change), Rules(fixes=2)).doc
        moved.append(advance(up, failed, Rules(fixes=2)))
    assert [one.doc.state for one in moved] == ["fixing", "fixing", "rolled_back"]
    assert [one.todo.is_configuration for one in moved if isinstance(one.todo, OpenFix)] == [True, False]
    assert moved[-1].doc.reason.startswith("2 fixes were tried")


def at_up() -> DeploymentDoc:
    return DeploymentDoc(id="d-1", state="green_up", step="up", number=3, release=GREEN, blue=BLUE)


def test_a_review_after_a_fix_counts_no_answer_of_the_one_before_it() -> None:
    doc = DeploymentDoc(id="d-1", state="testing", step="test", release=GREEN, blue=BLUE, review_round=1)
    doc = doc.model_copy(update={"reviews": {"senior": ReleaseReview()}})
    fresh = advance(doc, StepEnded("test", "passed"), Rules()).doc
    assert (fresh.state, fresh.reviews, fresh.review_round) == ("reviewing", {}, 2)


def test_what_was_fixed_comes_up_anew() -> None:
    red = CommandResult(command="unit", exit_code=1, duration_s=1.0, digest="", tail="")
    doc = DeploymentDoc(id="d-1", state="fixing", number=7, release=GREEN, task="T-1", tests=(red,))
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
