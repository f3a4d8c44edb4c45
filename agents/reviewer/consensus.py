"""What a review comes to: pure, and the only place that decides it.

Round one: three blind verdicts. It ends the review where there is nothing left to reconcile:
- a major whose command failed on the reviewed tree: no vote can overrule it;
- all three approve, and no major stands: `consensus`;
- all three want a revision, and a finding stands; or two do and the third gave no answer: `fixes` or `major_flaws`.

Round two, else: the senior makes one of what stands and may dismiss findings that are out of scope; an open major is
`major_flaws`; without one the juniors vote. Both approve: `consensus`. Both refuse: what was dismissed is taken up
again. One refuses: the minor findings go back as `fixes`. Where nothing is left that could be worked on, or one junior
stands against the dismissal of a major: `blocked`.

Quorum: three verdicts, the synthesis where something stands, two votes. An abstention is no answer; without quorum
nothing passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from callboard.agents.reviewer.standing import majors, standing
from callboard.bus.reviews import SecondVote, Standing, Synthesis, Verdict, Verdicted
from callboard.bus.task import Finding

TRIO = 3
"""Fewer reviewers than this approve nothing, but in a run that was started from outside."""


@dataclass(frozen=True, slots=True)
class Seats:
    """Who was asked, by name."""

    senior: str
    juniors: tuple[str, ...]
    need: int = TRIO
    """So many have to approve; one seat alone has no second round."""

    @property
    def names(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(dict.fromkeys(name for name in (self.senior, *self.juniors) if name))

    @property
    def by_name(self) -> dict[str, str]:
        """Reviewer -> seat."""
        return {self.senior: "senior"} | {name: f"junior-{n}" for n, name in enumerate(self.juniors, start=1)}


@dataclass(frozen=True, slots=True)
class Said:
    """What has come by now; only what is on this review, this commit and these requirements, and came in time."""

    verdicts: Mapping[str, Verdict]
    """By reviewer; names that were not asked are ignored."""
    synthesis: Synthesis | None = None
    votes: Mapping[str, SecondVote] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody has not answered yet, and may."""


@dataclass(frozen=True, slots=True)
class SecondRound:
    """The first round did not settle it."""

    stage: str
    """synthesis or vote: whose turn it is."""


@dataclass(frozen=True, slots=True)
class Concluded:
    outcome: Verdicted
    open: tuple[Standing, ...]
    """What stands and is not dismissed: of a consensus, minor findings."""
    summary: str
    """One line per reason, for the driver's next attempt or a person."""
    dissent: tuple[str, ...] = ()
    """Reviewers whose last word was another than the outcome."""


@dataclass(frozen=True, slots=True)
class NoQuorum:
    missing: tuple[str, ...]
    """Reviewers that gave no answer in time, or abstained."""
    summary: str
    """Why, reviewer by reviewer, for a person."""


Judgement = Waiting | SecondRound | Concluded | NoQuorum


def judge(said: Said, seats: Seats, late: bool) -> Judgement:
    """Compute where a review stands.

    Args:
        late: The deadline of what is awaited has passed.
    """
    asked = seats.names
    heard = {name: said.verdicts[name] for name in asked if name in said.verdicts}
    if len(heard) < len(asked) and not late:
        return Waiting()
    answers = {name: verdict for name, verdict in heard.items() if verdict.vote != "abstained"}
    found = standing(answers, seats.by_name)
    if (ended := _first_round(answers, found, asked, seats.need)) is not None:
        return ended
    missing = tuple(name for name in asked if name not in answers)
    if missing or len(asked) < TRIO:
        # where too few sit to go on, whoever answered is asked again
        again = missing or (asked if len(asked) >= seats.need else ())
        return NoQuorum(again, _no_quorum(asked, missing, {name: it.notes for name, it in heard.items()}, seats.need))
    return _second_round(said, seats, answers, found, late)


def _first_round(
    answers: Mapping[str, Verdict], found: tuple[Standing, ...], asked: Sequence[str], need: int
) -> Concluded | None:
    """The end, where nothing is left to reconcile."""
    refusals = [name for name, verdict in answers.items() if verdict.vote == "needs_revision"]
    approvals = [name for name, verdict in answers.items() if verdict.vote == "approved"]
    if any(it.finding.vetoes for it in found):
        return Concluded("major_flaws", found, _reasons(answers, found), tuple(approvals))
    if len(refusals) * 2 > len(asked) and not approvals and found:
        return Concluded(_sent_back(found), found, _reasons(answers, found))
    if len(approvals) == len(asked) >= need and not majors(found):
        return Concluded("consensus", found, "")
    return None


def _second_round(
    said: Said, seats: Seats, answers: Mapping[str, Verdict], found: tuple[Standing, ...], late: bool
) -> Judgement:
    made = said.synthesis
    if made is None and found:
        return NoQuorum((seats.senior,), f"{seats.senior} gave no synthesis") if late else SecondRound("synthesis")
    if made is not None and made.abstained:
        return NoQuorum((seats.senior,), f"{seats.senior} gave no synthesis: {made.abstained}")
    open_ = left_open(found, made)
    if majors(open_):
        against = tuple(name for name in seats.juniors if answers[name].vote == "approved")
        return Concluded("major_flaws", open_, _told(made, open_, {}), against)
    votes = {name: said.votes[name] for name in seats.juniors if name in said.votes}
    if len(votes) < len(seats.juniors) and not late:
        return SecondRound("vote")
    missing = tuple(name for name in seats.juniors if name not in votes or votes[name].vote == "abstained")
    if missing:
        return NoQuorum(missing, _no_quorum(seats.juniors, missing, {name: it.notes for name, it in votes.items()}))
    return _counted(votes, seats, answers, found, made)


def _counted(
    votes: Mapping[str, SecondVote],
    seats: Seats,
    answers: Mapping[str, Verdict],
    found: tuple[Standing, ...],
    made: Synthesis | None,
) -> Concluded:
    """Both juniors have voted, and no major is open."""
    open_ = left_open(found, made)
    refused = tuple(name for name, vote in votes.items() if vote.vote == "needs_revision")
    # a synthesis is the senior's last word: it assents to what it made
    silent = made is None and answers[seats.senior].vote == "needs_revision"
    if not refused:
        return Concluded("consensus", open_, "", (seats.senior,) if silent else ())
    both = len(refused) == len(seats.juniors)
    disputed = not both and bool(set(majors(found)) - set(open_))
    open_ = found if both else open_
    told = _told(made, open_, {name: votes[name].notes for name in refused})
    for_it = tuple(name for name in votes if name not in refused)
    if disputed or not open_:
        return Concluded("blocked", open_, told, for_it)
    return Concluded(_sent_back(open_), open_, told, for_it)


def left_open(found: Sequence[Standing], made: Synthesis | None) -> tuple[Standing, ...]:
    """What stands and the senior did not dismiss; what it does not speak of stays open."""
    out = {it.finding for it in made.dismissed} if made is not None else set()
    return tuple(it for it in found if it.id not in out or it.finding.vetoes)


def _sent_back(open_: Sequence[Standing]) -> Verdicted:
    return "major_flaws" if majors(open_) else "fixes"


def _reasons(answers: Mapping[str, Verdict], found: Sequence[Standing]) -> str:
    against = [name for name, verdict in answers.items() if verdict.vote == "needs_revision"]
    names = f" ({', '.join(against)})" if against else ""
    lines = [f"{len(against)} of {len(answers)} reviewers ask for changes{names}", *map(_line, found)]
    return "\n".join([*lines, *(f"{name}: {answers[name].notes}" for name in against if answers[name].notes)])


def _told(made: Synthesis | None, open_: Sequence[Standing], notes: Mapping[str, str]) -> str:
    said = [made.summary, *(f"- {item.text} ({', '.join(item.findings)})" for item in made.items)] if made else []
    refused = [f"{name} votes against it{f': {text}' if text else ''}" for name, text in notes.items()]
    return "\n".join(filter(None, [*said, *map(_line, open_), *refused])) or "a reviewer refuses it and says nothing"


def _line(it: Standing) -> str:
    finding = it.finding
    place = f" {place_of(finding)}" if finding.file else ""
    said = finding.scenario or finding.quote or finding.requirement or "no scenario given"
    return f"{it.id} {finding.severity}{place}: {said}" + (f" ({finding.ran})" if finding.vetoes else "")


def place_of(finding: Finding) -> str:
    return f"{finding.file}:{finding.line}" if finding.line else finding.file


def _no_quorum(asked: Sequence[str], missing: Sequence[str], notes: Mapping[str, str], need: int = TRIO) -> str:
    if not missing and len(asked) >= need:
        return "what was said settles nothing"
    if not missing:
        return f"{len(asked)} reviewers were asked; it takes {need}"
    return "; ".join(
        f"{name} abstained: {notes[name]}" if name in notes else f"{name} did not answer" for name in missing
    )
