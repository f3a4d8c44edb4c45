"""What reviews came to, as people and scripts see it: the models of `callboard reviews stats --json` and `show --json`; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from callboard.agents.reviewer.standing import dropped, standing
from callboard.bus.reviews import SEATS, ReviewDoc, Verdict
from callboard.bus.task import Finding


@dataclass(frozen=True, slots=True)
class SeatRow:
    """One seat over all reviews that came to an outcome or to no quorum."""

    seat: str
    reviewers: tuple[str, ...]
    verdicts: int
    """Blind ones, abstentions apart."""
    approvals: int
    abstentions: int
    findings: int
    majors: int
    dropped: int
    """Of the findings: the quote or the requirement is not there."""
    shown: int
    """Of the findings: its command failed on the reviewed tree alone."""
    dissents: int
    """Its last word was another than the outcome."""
    agreed: float | None
    """Share of its blind votes that were as the review ended: approved with consensus, needs_revision without; None = none."""


@dataclass(frozen=True, slots=True)
class PairRow:
    """How two seats voted blindly on the same."""

    seats: tuple[str, str]
    reviews: int
    agreement: float | None
    """Share of equal votes."""
    kappa: float | None
    """Cohen's: 1 = as one, 0 = as chance would have it; None = one of them always voted the same, or there are no reviews."""


@dataclass(frozen=True, slots=True)
class Stats:
    run: str
    reviews: int
    """That came to an outcome."""
    outcomes: dict[str, int]
    second_rounds: int
    """Reviews that took more than the blind verdicts."""
    unanimous: int
    """Reviews of three equal blind votes."""
    asked_a_person: int
    seats: tuple[SeatRow, ...]
    pairs: tuple[PairRow, ...]


OUTCOMES = ("consensus", "fixes", "major_flaws", "blocked", "accepted", "no_quorum")


def stats(run: str, reviews: Iterable[ReviewDoc]) -> Stats:
    """Count what a run's reviews came to."""
    ended = [it for it in reviews if it.outcome]
    decided = [it for it in ended if it.outcome != "no_quorum"]
    counts: Counter[str] = Counter(it.outcome for it in ended)
    return Stats(
        run=run,
        reviews=len(decided),
        outcomes={name: counts[name] for name in OUTCOMES if counts[name]},
        second_rounds=sum(it.synthesis is not None or bool(it.votes) for it in decided),
        unanimous=sum(_is_unanimous(it) for it in decided),
        asked_a_person=sum(bool(it.stop) for it in decided),
        seats=tuple(_seat(seat, ended) for seat in SEATS),
        pairs=tuple(_pair(one, other, decided) for one, other in combinations(SEATS, 2)),
    )


def _seat(seat: str, reviews: Sequence[ReviewDoc]) -> SeatRow:
    mine = [(it, it.verdicts[it.seats[seat]]) for it in reviews if it.seats.get(seat) in it.verdicts]
    voted = [(it, verdict) for it, verdict in mine if verdict.vote != "abstained"]
    found = [finding for _, verdict in voted for finding in verdict.findings]
    as_it_ended = [_passed(it) == (verdict.vote == "approved") for it, verdict in voted if it.outcome != "no_quorum"]
    return SeatRow(
        seat=seat,
        reviewers=tuple(dict.fromkeys(it.seats[seat] for it in reviews if seat in it.seats)),
        verdicts=len(voted),
        approvals=sum(verdict.vote == "approved" for _, verdict in voted),
        abstentions=len(mine) - len(voted),
        findings=len(found),
        majors=sum(it.severity == "major" for it in found),
        dropped=sum(bool(dropped(it)) for it in found),
        shown=sum(it.proof == "shown" for it in found),
        dissents=sum(it.seats.get(seat) in it.dissent for it in reviews),
        agreed=_share(as_it_ended),
    )


def _passed(review: ReviewDoc) -> bool:
    return review.outcome in ("consensus", "accepted")


def _pair(one: str, other: str, reviews: Sequence[ReviewDoc]) -> PairRow:
    votes = [(_blind(it, one), _blind(it, other)) for it in reviews]
    both = [(a, b) for a, b in votes if a in ("approved", "needs_revision") and b in ("approved", "needs_revision")]
    return PairRow((one, other), len(both), _share([a == b for a, b in both]), kappa(both))


def kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa of two raters."""
    if not pairs:
        return None
    observed = sum(a == b for a, b in pairs) / len(pairs)
    words = {word for pair in pairs for word in pair}
    by_chance = sum(
        sum(a == word for a, _ in pairs) * sum(b == word for _, b in pairs) / len(pairs) ** 2 for word in words
    )
    return None if by_chance >= 1 else round((observed - by_chance) / (1 - by_chance), 3)


def _blind(review: ReviewDoc, seat: str) -> str:
    verdict = review.verdicts.get(review.seats.get(seat, ""))
    return verdict.vote if verdict else ""


def _is_unanimous(review: ReviewDoc) -> bool:
    votes = [_blind(review, seat) for seat in SEATS]
    return len(set(votes)) == 1 and votes[0] != "abstained"


def _share(found: Sequence[bool]) -> float | None:
    return round(sum(found) / len(found), 3) if found else None


@dataclass(frozen=True, slots=True)
class FindingRow:
    seat: str
    severity: str
    requirement: str
    place: str
    """`app/x.py:12`; "" = none."""
    quote: str
    scenario: str
    command: str
    became: str
    """stands, proven, dismissed or dropped."""
    why: str


@dataclass(frozen=True, slots=True)
class WordRow:
    seat: str
    reviewer: str
    blind: str
    second: str
    """A junior's vote on the synthesis; "" = it was not asked for."""
    is_dissent: bool
    notes: str


@dataclass(frozen=True, slots=True)
class ReviewRow:
    review: str
    attempt: int
    commit: str
    outcome: str
    """"" = it is still open."""
    stop: str
    summary: str
    synthesis: str
    refused: tuple[str, ...]
    """What of the synthesis did not count."""
    words: tuple[WordRow, ...]
    findings: tuple[FindingRow, ...]


def review_row(review: ReviewDoc) -> ReviewRow:
    """One review, whole."""
    made = review.synthesis
    return ReviewRow(
        review=review.id,
        attempt=review.attempt,
        commit=review.commit,
        outcome=review.outcome,
        stop=review.stop,
        summary=review.summary,
        synthesis=made.summary if made else "",
        refused=made.refused if made else (),
        words=tuple(_word(review, seat) for seat in SEATS if seat in review.seats),
        findings=tuple(_finding(review, *it) for it in _findings(review)),
    )


def _word(review: ReviewDoc, seat: str) -> WordRow:
    name = review.seats[seat]
    second = review.votes.get(name)
    blind = review.verdicts.get(name, Verdict(vote="abstained"))
    notes = [text for text in (blind.notes, second.notes if second else "") if text]
    return WordRow(seat, name, blind.vote, second.vote if second else "", name in review.dissent, " / ".join(notes))


def _findings(review: ReviewDoc) -> list[tuple[str, Finding]]:
    by_name = {name: seat for seat, name in review.seats.items()}
    return [(by_name.get(name, name), it) for name, verdict in review.verdicts.items() for it in verdict.findings]


def _finding(review: ReviewDoc, seat: str, it: Finding) -> FindingRow:
    became, why = _fate(review, it)
    place = f"{it.file}:{it.line}" if it.line else it.file
    return FindingRow(seat, it.severity, it.requirement, place, it.quote, it.scenario, it.command, became, why)


def _fate(review: ReviewDoc, it: Finding) -> tuple[str, str]:
    if why := dropped(it):
        return "dropped", why
    if it.proof == "shown":
        return "proven", it.ran
    reason = _dismissed(review).get(it.digest)
    return ("stands", it.ran) if reason is None else ("dismissed", reason)


def _dismissed(review: ReviewDoc) -> dict[str, str]:
    """Digest of a finding -> why the senior dismissed it."""
    given = {it.finding: it.reason for it in review.synthesis.dismissed} if review.synthesis else {}
    by_name = {name: seat for seat, name in review.seats.items()}
    return {it.finding.digest: given[it.id] for it in standing(review.verdicts, by_name) if it.id in given}
