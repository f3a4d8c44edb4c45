"""What advice adds up to."""

from __future__ import annotations

from itertools import permutations, product

import pytest

from callboard.agents.manager import counsel
from callboard.agents.manager.counsel import Passed, Taken
from callboard.bus.problems import Advice, Reference

FOUND = Reference(file="a.py", line=1, quote="x", verified=True)
CLAIMED = Reference(file="a.py", line=1, quote="y")
SURE = Advice(says="answer", text="use K", is_sure=True, references=(CLAIMED, FOUND))


def test_a_sure_senior_whose_quote_stands_is_believed() -> None:
    assert counsel.of_senior(SURE) == Taken(SURE)


@pytest.mark.parametrize(
    ("advice", "why", "is_silent"),
    [
        (SURE.model_copy(update={"is_sure": False}), "not sure", False),
        (SURE.model_copy(update={"references": (CLAIMED,)}), "rests on nothing", False),
        (SURE.model_copy(update={"references": ()}), "rests on nothing", False),
        (SURE.model_copy(update={"text": " \n"}), "with nothing", True),
        (SURE.model_copy(update={"says": "cannot_say", "reasons": "no idea"}), "cannot say: no idea", False),
        (SURE.model_copy(update={"says": "abstained", "reasons": "exited 1"}), "gave no answer: exited 1", True),
        (counsel.SILENCE, "no answer came in time", True),
    ],
)
def test_anything_else_of_the_senior_is_passed_on(advice: Advice, why: str, is_silent: bool) -> None:
    outcome = counsel.of_senior(advice)
    assert isinstance(outcome, Passed)
    assert why in outcome.why
    assert outcome.is_silent is is_silent


def test_proposals_are_what_was_answered_once_each_in_the_order_of_the_seats() -> None:
    heard = {
        "junior-2": Advice(says="answer", text="wait"),
        "junior-1": Advice(says="answer", text="Use  k"),
        "senior": Advice(says="cannot_say", text="ignored"),
    }
    assert [it.text for it in counsel.proposals([SURE], heard)] == ["use K", "wait"]
    assert counsel.proposals([], {"junior-1": counsel.SILENCE}) == ()


def votes() -> list[Advice]:
    """Each way in which somebody can answer a choice of two, the unreadable and the impossible included."""
    chosen = [Advice(says="answer", choice=n) for n in (-1, 0, 1, 2, 3)]
    return [*chosen, Advice(says="cannot_say", choice=1), Advice(says="abstained", choice=1)]


def test_of_every_three_votes_only_the_senior_and_a_junior_together_choose() -> None:
    offered = (Advice(says="answer", text="one"), Advice(says="answer", text="two"))
    for senior, first, second in product(votes(), repeat=3):
        seated = {"senior": senior, "junior-1": first, "junior-2": second}
        outcomes = {counsel.of_trio(dict(order), offered) for order in permutations(seated.items())}
        assert len(outcomes) == 1, "the order in which they answered counts for nothing"
        counted = [it.choice if it.says == "answer" and it.choice in (1, 2) else 0 for it in seated.values()]
        agree = counted[0] and counted[0] in counted[1:]
        assert outcomes.pop() == Taken(offered[counted[0] - 1]) if agree else isinstance(outcomes.pop(), Passed)


def test_two_juniors_overrule_nobody() -> None:
    offered = (Advice(says="answer", text="one"),)
    yes = Advice(says="answer", choice=1)
    assert isinstance(counsel.of_trio({"junior-1": yes, "junior-2": yes}, offered), Passed)
    assert counsel.of_trio({"senior": yes, "junior-2": yes}, offered) == Taken(offered[0])


def test_why_they_did_not_choose_names_who_chose_what() -> None:
    def why(senior: int, first: int, second: int, most: int) -> str:
        chosen = {"senior": senior, "junior-1": first, "junior-2": second}
        said = {seat: Advice(says="answer", choice=n) for seat, n in chosen.items()}
        outcome = counsel.of_trio(said, [Advice(says="answer", text=str(n)) for n in range(most)])
        assert isinstance(outcome, Passed)
        return outcome.why

    assert why(0, 0, 0, 1) == "none of the three would answer for the one proposal there is"
    assert why(0, 0, 9, 3) == "none of the three would answer for any of the 3 proposals"
    disagree = "the senior and a junior have to choose the same proposal, and did not: "
    assert why(1, 2, 0, 2) == disagree + "senior chose 1, junior-1 chose 2, junior-2 chose none"
