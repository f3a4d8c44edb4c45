"""The review rule, against a second, slower statement of it and against what it must never do."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import pytest

from callboard.agents.reviewer.consensus import (
    Concluded,
    Judgement,
    NoQuorum,
    Said,
    Seats,
    SecondRound,
    Waiting,
    judge,
)
from callboard.agents.reviewer.standing import dropped, standing
from callboard.bus.board import Verdict
from callboard.bus.reviews import Dismissal, SecondVote, Synthesis, SynthesisItem
from callboard.bus.task import Finding

TRIO = Seats("senior", ("junior-1", "junior-2"))
YES = Verdict(vote="approved")
NO = Verdict(vote="needs_revision", notes="the port is ignored")
NONE = Verdict(vote="abstained")
MAJOR = Finding(severity="major", file="app.py", line=3, quote="port = 80", verified=True)
MINOR = Finding(severity="minor", scenario="a name could be better")
PROVED = MAJOR.model_copy(update={"quote": "port = 8080", "proof": "shown"})
MADE_UP = Finding(severity="major", file="app.py", line=3, quote="rm -rf", verified=False)
AYE, NAY = SecondVote(vote="approved"), SecondVote(vote="needs_revision", notes="it is not fixed")
ONE_MAJOR = {"senior": YES, "junior-1": Verdict(vote="needs_revision", findings=(MAJOR,)), "junior-2": YES}
OUT_OF_SCOPE = Synthesis(summary="fine", dismissed=(Dismissal(finding="F-1", reason="another task"),))

SETS = 1_000
"""Random sets of what three reviewers may say, in both rounds."""
T = TypeVar("T")


def finding(draw: random.Random) -> Finding:
    return Finding.model_validate(
        {
            "severity": draw.choice(["minor", "major"]),
            "file": draw.choice(["", "app.py"]),
            "quote": draw.choice(["", "x = 1"]),
            "verified": draw.random() < 0.5,
            "scenario": draw.choice(["", "it breaks", "it is slow"]),
            "proof": draw.choice(["", "", "", "", "shown", "not_shown", "not_new", "unrunnable"]),
        }
    )


def verdict(draw: random.Random) -> Verdict:
    vote = draw.choice(["approved", "approved", "needs_revision", "needs_revision", "abstained"])
    found = tuple(finding(draw) for _ in range(draw.choice([0, 0, 1, 1, 3])))
    return Verdict.model_validate({"vote": vote, "findings": found, "notes": draw.choice(["", "why"])})


def synthesis(draw: random.Random) -> Synthesis | None:
    ids = ["F-1", "F-2", "F-3", "F-4", "F-9"]
    gone = tuple(Dismissal(finding=id, reason="another task") for id in draw.sample(ids, draw.randrange(5)))
    items = tuple(SynthesisItem(findings=(draw.choice(ids),), text="do it") for _ in range(draw.randrange(3)))
    made = Synthesis(summary="so", items=items, dismissed=gone)
    return draw.choice([None, made, made, made, made, Synthesis(abstained="it was silent")])


def said_by(draw: random.Random) -> Said:
    """Somebody may be missing, and somebody who was not asked may speak."""
    present = [name for name in (*TRIO.names, "driver-1") if draw.random() < 0.93]
    voting = [name for name in (*TRIO.juniors, "driver-1") if draw.random() < 0.93]
    chosen = ["approved", "approved", "needs_revision", "abstained"]
    voted = {name: SecondVote.model_validate({"vote": draw.choice(chosen)}) for name in voting}
    return Said({name: verdict(draw) for name in present}, synthesis(draw), voted)


@pytest.fixture
def sets(seed: int) -> list[Said]:
    draw = random.Random(seed)
    return [said_by(draw) for _ in range(SETS)]


def ruled(said: Said, *, late: bool = True) -> str:
    """The outcome, or what is missing for one."""
    match judge(said, TRIO, late):
        case Concluded(outcome=outcome):
            return outcome
        case SecondRound(stage=stage):
            return stage
        case NoQuorum():
            return "no quorum"
        case Waiting():
            return "waiting"


def rank(outcome: Judgement) -> int:
    """How near the outcome of a review that waits for nobody is to landing."""
    if isinstance(outcome, Concluded):
        return {"consensus": 3, "fixes": 2, "blocked": 1, "major_flaws": 0}[outcome.outcome]
    assert isinstance(outcome, NoQuorum)
    return 1


def shuffled(found: dict[str, T], draw: random.Random) -> dict[str, T]:
    names = list(found)
    draw.shuffle(names)
    return {name: found[name] for name in names}


def passes_by_the_letter(said: Said) -> bool:
    """The rule as it is written, in another shape."""
    given_verdicts = [said.verdicts.get(name, NONE) for name in TRIO.names]
    true = [it for verdict in given_verdicts for it in verdict.findings if not dropped(it)]
    if any(verdict.vote == "abstained" for verdict in given_verdicts) or any(it.vetoes for it in true):
        return False
    if all(verdict.vote == "approved" for verdict in given_verdicts) and all(it.severity == "minor" for it in true):
        return True
    if all(verdict.vote == "needs_revision" for verdict in given_verdicts) and true:
        return False
    if any(said.votes.get(name, NAY).vote != "approved" for name in TRIO.juniors):
        return False
    if said.synthesis is None or said.synthesis.abstained:
        return not true and said.synthesis is None
    gone = {it.finding for it in said.synthesis.dismissed}
    numbered = standing({name: said.verdicts[name] for name in TRIO.names}, TRIO.by_name)
    return all(it.id in gone or it.finding.severity == "minor" for it in numbered)


# --- the first round ---


def test_three_blind_approvals_without_a_major_need_no_second_round() -> None:
    assert judge(Said(dict.fromkeys(TRIO.names, YES)), TRIO, False) == Concluded("consensus", (), "")
    minor = {**dict.fromkeys(TRIO.names, YES), "senior": Verdict(vote="approved", findings=(MINOR,))}
    ended = judge(Said(minor), TRIO, False)
    assert isinstance(ended, Concluded)
    assert [it.finding for it in ended.open] == [MINOR], "it is recorded with the consensus"


def test_what_a_command_has_shown_overrules_three_approvals() -> None:
    said = Said({name: Verdict(vote="approved", findings=(PROVED,) if name == "senior" else ()) for name in TRIO.names})
    ended = judge(said, TRIO, False)
    assert isinstance(ended, Concluded)
    assert (ended.outcome, ended.dissent) == ("major_flaws", TRIO.names)
    assert "app.py:3" in ended.summary


def test_a_quote_alone_overrules_nobody_but_is_not_passed_over() -> None:
    assert ruled(Said(ONE_MAJOR), late=False) == "synthesis"


def test_a_finding_whose_quote_is_not_there_counts_for_nothing() -> None:
    said = Said({name: Verdict(vote="approved", findings=(MADE_UP,)) for name in TRIO.names})
    assert ruled(said) == "consensus"
    assert dropped(MADE_UP)
    assert not dropped(PROVED)


def test_three_refusals_send_it_back_without_a_second_round_and_name_who_refused() -> None:
    refusals = {"senior": Verdict(vote="needs_revision", findings=(MINOR,), notes="fix it"), "junior-1": NO}
    ended = judge(Said({**refusals, "junior-2": Verdict(vote="needs_revision", findings=(MAJOR,))}), TRIO, False)
    assert isinstance(ended, Concluded)
    assert ended.outcome == "major_flaws"
    assert [it.finding for it in ended.open] == [MAJOR, MINOR]
    assert ended.summary.splitlines()[0] == "3 of 3 reviewers ask for changes (senior, junior-1, junior-2)"
    assert "senior: fix it" in ended.summary
    bare = Said(dict.fromkeys(TRIO.names, NO))
    assert ruled(bare, late=False) == "vote", "without a finding there is nothing that a driver could do"


def test_a_review_waits_for_whoever_is_missing_until_the_deadline() -> None:
    said = Said({"senior": YES, "junior-1": YES})
    assert judge(said, TRIO, False) == Waiting()
    late = judge(said, TRIO, True)
    assert isinstance(late, NoQuorum)
    assert late.missing == ("junior-2",)


def test_an_abstention_is_no_answer() -> None:
    outcome = judge(Said({"senior": YES, "junior-1": YES, "junior-2": NONE}), TRIO, False)
    assert isinstance(outcome, NoQuorum)
    assert "junior-2 abstained" in outcome.summary


def test_two_refusals_with_a_finding_need_no_third_answer() -> None:
    no = Verdict(vote="needs_revision", findings=(MINOR,))
    assert ruled(Said({"senior": no, "junior-1": NO})) == "fixes"
    assert ruled(Said({"senior": NO, "junior-1": NO})) == "no quorum"


@pytest.mark.parametrize("seats", [Seats("", ()), Seats("senior", ("junior-1",)), Seats("senior", ("senior",))])
def test_fewer_than_three_reviewers_approve_nothing(seats: Seats) -> None:
    assert isinstance(judge(Said(dict.fromkeys(TRIO.names, YES)), seats, True), NoQuorum)


# --- the second round ---


def test_where_nothing_stands_the_juniors_vote_without_a_synthesis() -> None:
    said = Said({"senior": NO, "junior-1": YES, "junior-2": YES})
    assert ruled(said, late=False) == "vote"
    passed = judge(replace(said, votes=dict.fromkeys(TRIO.juniors, AYE)), TRIO, False)
    assert passed == Concluded("consensus", (), "", ("senior",)), "the senior's dissent is kept"


def test_a_dismissed_major_passes_only_with_both_juniors() -> None:
    said = Said(ONE_MAJOR, OUT_OF_SCOPE)
    assert ruled(said, late=False) == "vote"
    assert ruled(replace(said, votes={"junior-1": AYE, "junior-2": AYE})) == "consensus"
    assert ruled(replace(said, votes={"junior-1": NAY, "junior-2": AYE})) == "blocked"
    both = judge(replace(said, votes=dict.fromkeys(TRIO.juniors, NAY)), TRIO, True)
    assert isinstance(both, Concluded)
    assert (both.outcome, [it.finding for it in both.open]) == ("major_flaws", [MAJOR]), "it is taken up again"


def test_a_major_that_the_senior_does_not_dismiss_stays_open_and_needs_no_votes() -> None:
    silent = Synthesis(summary="I say nothing about F-1")
    ended = judge(Said(ONE_MAJOR, silent), TRIO, False)
    assert isinstance(ended, Concluded)
    assert (ended.outcome, ended.dissent) == ("major_flaws", ("junior-2",))


def test_a_minor_finding_sends_it_back_only_if_a_junior_says_so() -> None:
    minor = {**ONE_MAJOR, "junior-1": Verdict(vote="needs_revision", findings=(MINOR,))}
    said = Said(minor, Synthesis(summary="a nit"))
    assert ruled(replace(said, votes={"junior-1": AYE, "junior-2": AYE})) == "consensus"
    ended = judge(replace(said, votes={"junior-1": NAY, "junior-2": AYE}), TRIO, True)
    assert isinstance(ended, Concluded)
    assert (ended.outcome, ended.dissent) == ("fixes", ("junior-2",))
    assert "junior-1 votes against it: it is not fixed" in ended.summary


def test_without_the_synthesis_or_a_vote_there_is_no_quorum() -> None:
    assert ruled(Said(ONE_MAJOR)) == "no quorum"
    assert ruled(Said(ONE_MAJOR, Synthesis(abstained="no model answers"))) == "no quorum"
    one = judge(Said(ONE_MAJOR, OUT_OF_SCOPE, {"junior-1": AYE}), TRIO, True)
    assert isinstance(one, NoQuorum)
    assert one.missing == ("junior-2",)
    torn = {"junior-1": AYE, "junior-2": SecondVote(vote="abstained")}
    assert ruled(Said(ONE_MAJOR, OUT_OF_SCOPE, torn)) == "no quorum"


def test_the_same_finding_of_two_reviewers_stands_once_with_the_worst_of_both() -> None:
    nit = MAJOR.model_copy(update={"severity": "minor", "line": 9, "quote": "port  =  80"})
    found = standing({"senior": Verdict(vote="approved", findings=(nit,)), **ONE_MAJOR, "junior-2": YES}, TRIO.by_name)
    assert [(it.id, it.by, it.finding) for it in found] == [("F-1", ("junior-1",), MAJOR)]
    both = {"senior": Verdict(vote="approved", findings=(nit,)), "junior-1": ONE_MAJOR["junior-1"]}
    assert [(it.by, it.finding) for it in standing(both, TRIO.by_name)] == [(("junior-1", "senior"), MAJOR)]


# --- whatever is said ---


def test_the_rule_passes_exactly_what_it_says(sets: list[Said]) -> None:
    outcomes = {ruled(said) for said in sets}
    assert outcomes == {"consensus", "fixes", "major_flaws", "blocked", "no quorum"}, "the sets reach every outcome"
    for said in sets:
        assert (ruled(said) == "consensus") == passes_by_the_letter(said), said


def test_the_order_of_arrival_changes_nothing(sets: list[Said], seed: int) -> None:
    draw = random.Random(seed)
    for said in sets:
        mixed = Said(shuffled(dict(said.verdicts), draw), said.synthesis, shuffled(dict(said.votes), draw))
        for late in (True, False):
            assert judge(mixed, TRIO, late) == judge(said, TRIO, late), said


def test_one_more_major_never_helps(sets: list[Said], seed: int) -> None:
    draw = random.Random(seed)
    for said in sets:
        name, major = draw.choice(TRIO.names), draw.choice([MAJOR, PROVED])
        was = said.verdicts.get(name)
        if was is None:
            continue
        worse = {**said.verdicts, name: was.model_copy(update={"findings": (*was.findings, major)})}
        made = _renumbered(said, worse, major, draw.random() < 0.5)
        after = judge(Said(worse, made, said.votes), TRIO, True)
        assert rank(after) <= rank(judge(said, TRIO, True)), (said, name, major)
        if major.vetoes and was.vote != "abstained":
            assert ruled(Said(worse, said.synthesis, said.votes)) == "major_flaws", said


def _renumbered(said: Said, worse: dict[str, Verdict], major: Finding, is_dismissed: bool) -> Synthesis | None:
    """The synthesis of the same findings, whose numbers the new one moves; the new one is dismissed, or not spoken of."""
    if said.synthesis is None:
        return None
    old = {it.id: it.finding.digest for it in standing(_answered(said.verdicts), TRIO.by_name)}
    new = {it.finding.digest: it.id for it in standing(_answered(worse), TRIO.by_name)}
    gone = [old[it.finding] for it in said.synthesis.dismissed if it.finding in old]
    gone += [major.digest] if is_dismissed and major.digest in new else []
    moved = tuple(Dismissal(finding=new[digest], reason="another task") for digest in gone)
    return said.synthesis.model_copy(update={"dismissed": moved})


def _answered(given: Mapping[str, Verdict]) -> dict[str, Verdict]:
    return {name: given[name] for name in TRIO.names if name in given and given[name].vote != "abstained"}


def test_a_missing_answer_never_passes(sets: list[Said]) -> None:
    for said in sets:
        for name in TRIO.names:
            without = {other: it for other, it in said.verdicts.items() if other != name}
            assert ruled(replace(said, verdicts=without)) != "consensus"


def test_a_word_from_somebody_who_was_not_asked_changes_nothing(sets: list[Said]) -> None:
    for said in sets:
        only = {name: it for name, it in said.verdicts.items() if name in TRIO.names}
        voted = {name: it for name, it in said.votes.items() if name in TRIO.juniors}
        more = Said({**only, "driver-1": NO}, said.synthesis, {**voted, "driver-1": AYE, "senior": AYE})
        assert judge(more, TRIO, True) == judge(Said(only, said.synthesis, voted), TRIO, True)


def test_after_the_deadline_nothing_waits(sets: list[Said]) -> None:
    assert not any(isinstance(judge(said, TRIO, True), Waiting | SecondRound) for said in sets)
