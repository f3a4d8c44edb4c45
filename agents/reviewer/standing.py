"""What stands of three blind verdicts: findings that passed the mechanical checks, each once, the worst first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from callboard.bus.reviews import Opinion, Standing, Verdict
from callboard.bus.task import Finding


def dropped(finding: Finding) -> str:
    """Why a finding counts for nothing; "" = it stands. One that names a file and a quote that is not there cannot be true."""
    if finding.dropped:
        return finding.dropped
    return "its quote is not there" if finding.file and finding.quote and not finding.verified else ""


def standing(verdicts: Mapping[str, Verdict], seats: Mapping[str, str]) -> tuple[Standing, ...]:
    """What is left, the same whatever the order in which verdicts came.

    Args:
        verdicts: By reviewer.
        seats: Reviewer -> seat.
    """
    found: dict[str, list[tuple[str, Finding]]] = {}
    for name, verdict in verdicts.items():
        for finding in verdict.findings:
            if not dropped(finding):
                found.setdefault(finding.digest, []).append((seats.get(name, name), finding))
    merged = sorted(((_worst(same), same) for same in found.values()), key=lambda pair: _rank(pair[0]))
    return tuple(
        Standing(id=f"F-{n}", by=tuple(sorted({seat for seat, _ in same})), finding=worst)
        for n, (worst, same) in enumerate(merged, start=1)
    )


def _worst(same: Sequence[tuple[str, Finding]]) -> Finding:
    """Of several that say the same; a proof that one of them has is a proof."""
    return min((finding for _, finding in same), key=_rank)


def _rank(finding: Finding) -> tuple[bool, bool, str, str]:
    return not finding.vetoes, finding.severity != "major", finding.digest, finding.model_dump_json()


def majors(found: Iterable[Standing]) -> tuple[Standing, ...]:
    return tuple(it for it in found if it.finding.severity == "major")


def opinion(seat: str, verdict: Verdict) -> Opinion:
    """What one seat said, beside what stands."""
    gone = [finding.model_copy(update={"dropped": why}) for finding in verdict.findings if (why := dropped(finding))]
    return Opinion(seat=seat, vote=verdict.vote, notes=verdict.notes, dropped=tuple(gone))
