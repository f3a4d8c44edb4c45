"""What is printed, and what is written as JSON. Pure."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from benchmarks.review.running import Done
from benchmarks.review.score import Score, Word, by_class, score
from benchmarks.review.trio import Reviewed

from callboard.agents.brains.answer import plain
from callboard.bus.caps import Caps, Spent

SENIOR = "senior"


def table(done: Done, thinks: Mapping[str, str]) -> str:
    """Single against trio, then class by class.

    Args:
        thinks: Seat -> its model.
    """
    alone, trio = _alone(done.reviewed), _trio(done.reviewed)
    head = f"{'':38}{'precision':>10}{'recall':>8}{'F1':>6}{'false alarms':>14}{'located':>9}{'findings':>10}{'no answer':>11}"
    rows = [head, _row(f"senior alone ({thinks[SENIOR]})", score(alone)), _row("trio", score(trio))]
    rows += ["", f"{'class of bug':24}{'caught alone':>14}{'by the trio':>13}{'alarms alone':>14}{'of the trio':>13}"]
    both = zip(by_class(alone).items(), by_class(trio).values(), strict=True)
    rows += [
        f"{name:24}{f'{one.caught}/{one.buggy}':>14}{f'{all.caught}/{all.buggy}':>13}"
        f"{f'{one.alarms}/{one.clean}':>14}{f'{all.alarms}/{all.clean}':>13}"
        for (name, one), all in both
    ]
    outcomes = ", ".join(f"{n} {name}" for name, n in sorted(_outcomes(done.reviewed).items()))
    second = sum(it.had_second_round for it in done.reviewed)
    return "\n".join([*rows, "", f"outcomes: {outcomes}; {second} had a second round", _cost(done), *_silent(done)])


def before(thinks: Mapping[str, str], cases: int, judged: int, spent: Spent, caps: Caps) -> str:
    """What is about to be asked, and the most it may cost."""
    who = ", ".join(f"{seat} {name}" for seat, name in sorted(thinks.items(), reverse=True))
    done = f", of which {judged} were judged before" if judged else ""
    used = (
        f" {spent.tokens:,} tokens and {Decimal(spent.micro_usd) / 1_000_000:.2f} USD of that are used already."
        if spent.calls
        else ""
    )
    return (
        f"{cases} changes{done}, judged by {who}: three to six answers for each change, of as many calls as they take.\n"
        f"At most {Decimal(caps.micro_usd) / 1_000_000:.2f} USD (--usd) and {caps.tokens:,} tokens (--tokens) are spent on it; "
        f"calls of unknown price count in tokens alone.{used}"
    )


def left(done: Done, cases: int, *, goes_on: bool) -> str:
    """Why some were not judged, and what to do."""
    said = [f"{len(done.reviewed)} of {cases} changes were judged."]
    said += [f"Stopped: {done.stopped}"] if done.stopped else []
    said += [f"{id} could not be judged: {plain(why, 300)}" for id, why in done.failed.items()]
    again = "The same command goes on where this ended, and pays nothing twice (--usd and --tokens may be higher)."
    return "\n".join([*said, *([again] if goes_on else [])])


def as_json(done: Done, thinks: Mapping[str, str], how: Mapping[str, object]) -> dict[str, object]:
    """
    Args:
        how: What was run: seed, file, recording.
    """
    alone, trio = _alone(done.reviewed), _trio(done.reviewed)
    return {
        **how,
        "machine": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "models": dict(thinks),
        "whole": done.is_whole,
        "stopped": done.stopped,
        "failed": dict(done.failed),
        "calls": done.calls,
        "tokens": done.tokens,
        "usd": str(Decimal(done.micro_usd) / 1_000_000),
        "calls_without_price": done.unpriced,
        "senior_alone": score(alone).as_json(),
        "trio": score(trio).as_json(),
        "by_class": {
            name: {"senior_alone": one.as_json(), "trio": all.as_json()}
            for (name, one), all in zip(by_class(alone).items(), by_class(trio).values(), strict=True)
        },
        "cases": [_case(it) for it in done.reviewed],
    }


def _case(it: Reviewed) -> dict[str, object]:
    case = it.case
    votes = {seat: verdict.vote for seat, verdict in sorted(it.verdicts.items())}
    named = {"id": case.id, "class": case.bug_class, "name": case.name, "buggy": case.is_buggy}
    return {**named, "votes": votes, "outcome": it.outcome, "second_round": it.had_second_round}


def _alone(reviewed: Sequence[Reviewed]) -> list[Word]:
    return [it.alone(SENIOR) for it in reviewed]


def _trio(reviewed: Sequence[Reviewed]) -> list[Word]:
    return [it.trio for it in reviewed]


def _row(name: str, it: Score) -> str:
    shown = (_percent(it.precision), _percent(it.recall), _two(it.f1), _percent(it.false_alarms))
    more = (_percent(it.located_recall), _percent(it.finding_precision), f"{it.unanswered}")
    widths = (10, 8, 6, 14, 9, 10, 11)
    return f"{plain(name, 37):38}" + "".join(
        f"{text:>{width}}" for text, width in zip((*shown, *more), widths, strict=True)
    )


def _outcomes(reviewed: Sequence[Reviewed]) -> Counter[str]:
    return Counter(it.outcome for it in reviewed)


def _cost(done: Done) -> str:
    usd = f"{Decimal(done.micro_usd) / 1_000_000:.2f} USD"
    unpriced = f", and {done.unpriced} calls whose price nobody knows" if done.unpriced else ""
    return f"{len(done.reviewed)} changes, {done.calls} calls, {done.tokens:,} tokens, {usd}{unpriced}"


def _silent(done: Done) -> list[str]:
    """Why reviewers gave no answer, each reason once."""
    said = Counter(
        f"{seat}: {plain(verdict.notes, 200)}"
        for it in done.reviewed
        for seat, verdict in it.verdicts.items()
        if verdict.vote == "abstained"
    )
    return [f"no answer, {n} times: {why}" for why, n in said.most_common(5)]


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _two(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
