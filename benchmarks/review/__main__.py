"""`make bench-review`: how well reviewers find bugs, one alone against the trio; played from a recording unless --config names
a callboard.toml, whose reviewers' models are then asked."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.review import report
from benchmarks.review.changes import Case, digest, read_cases, sample
from benchmarks.review.kept import Kept
from benchmarks.review.lanes import lay_out, models
from benchmarks.review.running import folders, review_all
from benchmarks.review.trio import Reviewed
from loguru import logger

from callboard.agents.brains.purse import Purse
from callboard.bus.caps import Caps
from callboard.bus.errors import CallboardError
from callboard.settings import FILE

ROOT = Path(__file__).parents[2]
RECORDED = Path(__file__).parent / "recorded"
TALKS, ABOUT = "talks.txt", "about.txt"
"""Beside a callboard.toml: what its models said (packed.py), and a sentence on what the figures of it are worth."""


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    given = _parser().parse_args(argv)
    logger.remove()
    cases = sample(read_cases(), given.seed, given.cases)
    try:
        return asyncio.run(_run(given, cases, environ))
    except (CallboardError, OSError, ValueError) as error:
        print(f"bench-review: {error}", file=sys.stderr)
        return 2


async def _run(given: argparse.Namespace, cases: Sequence[Case], environ: Mapping[str, str]) -> int:
    recorded: Path | None = given.recorded if given.config is None else None
    config = recorded / FILE if recorded else given.config
    kept = None if recorded else Kept.open(given.out.with_suffix(".kept"), _what(config, cases))
    with tempfile.TemporaryDirectory(prefix="callboard-review-") as below:
        places = folders(Path(below), min(given.together, len(cases)))
        talks = recorded / TALKS if recorded else None
        calls = kept.calls if kept else None
        lanes = [lay_out(folder, cases, config, environ, talks, calls) for folder in places]
        thinks = models(lanes[0].workspace)
        caps = Caps(tokens=given.tokens, micro_usd=round(given.usd * 1_000_000), minutes=0, attempts=0)
        purse = Purse("this benchmark", caps, lanes[0].workspace.prices)
        if kept is None:
            done = await review_all(lanes, cases, purse, _told)
        else:
            ledger, known = kept.ledger(purse), kept.reviewed(cases)
            if not _is_wanted(given, report.before(thinks, len(cases), len(known), ledger.spent, caps)):
                return 2
            done = await review_all(lanes, cases, ledger, partial(_kept, kept), known)
    print("", file=sys.stderr)
    if recorded:
        print(f"Played from {recorded}: {(recorded / ABOUT).read_text('utf-8').strip()}\n")
    print(report.table(done, thinks))
    if kept and done.is_whole:
        shutil.rmtree(kept.folder)
    elif not done.is_whole:
        print(report.left(done, len(cases), goes_on=kept is not None))
    how = {"seed": given.seed, "changes": len(cases), "config": str(config), "recorded": bool(recorded)}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report.as_json(done, thinks, how), indent=1) + "\n", "utf-8")
    print(f"written to {given.out}")
    answered = any(it.outcome != "no_quorum" for it in done.reviewed)
    return 0 if done.is_whole and answered else 1


def _what(config: Path, cases: Sequence[Case]) -> dict[str, object]:
    """What has to be the same for a run to go on."""
    return {"config": config.read_text("utf-8"), "changes": [case.id for case in cases], "digest": digest(cases)}


def _is_wanted(given: argparse.Namespace, said: str) -> bool:
    """Whether models are to be asked: that costs."""
    print(said, file=sys.stderr)
    if given.yes:
        return True
    if not sys.stdin.isatty():
        print("bench-review: say --yes to ask them: nobody can be asked here whether to", file=sys.stderr)
        return False
    print("Ask them? [y/N] ", end="", flush=True, file=sys.stderr)
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def _kept(kept: Kept, reviewed: Reviewed) -> None:
    kept.add(reviewed)
    _told(reviewed)


def _told(_: Reviewed) -> None:
    print(".", end="", flush=True, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="make bench-review", description=__doc__)
    options.add_argument(
        "--config", type=Path, help="a callboard.toml; its three reviewers' models are asked, which costs"
    )
    options.add_argument("--recorded", type=Path, default=RECORDED, help=f"a folder with {FILE}, {TALKS} and {ABOUT}")
    options.add_argument("--cases", type=int, default=0, help="so many changes, half of them clean; 0 = all")
    options.add_argument("--seed", type=int, default=1, help="which, and in what order")
    options.add_argument("--together", type=int, default=4, help="how many changes are judged at a time")
    options.add_argument(
        "--usd", type=float, default=10.0, help="the most that may be spent, as far as prices are known"
    )
    options.add_argument("--tokens", type=int, default=5_000_000, help="the most tokens that may be used")
    options.add_argument("--yes", action="store_true", help="ask the models of --config without asking you before")
    options.add_argument("--out", type=Path, default=Path("review.json"), help="where the figures go as JSON")
    return options


if __name__ == "__main__":
    sys.exit(main())
