"""Records anew what benchmarks/review plays: replies of a loopback server, drawn with a seed from stated rates.

    make record-review

They show the harness, not any model's wisdom: whoever draws knows which change has a bug.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.review.__main__ import ABOUT, RECORDED, TALKS
from benchmarks.review.changes import Case, digest, read_cases, sample
from benchmarks.review.lanes import call_logs, lay_out
from benchmarks.review.packed import pack
from benchmarks.review.running import folders, review_all
from model_server import ModelServer
from model_wire import Asked, Say, ToolCall

from callboard.agents.brains.purse import Purse
from callboard.agents.brains.recorder import talk_in
from callboard.agents.brains.recording import Recording
from callboard.bus.caps import Caps
from callboard.settings import FILE

SEED = 5
CHANGES = "changes.txt"
"""Digest of the changes that were judged, so that a test sees when there are others."""
ENDLESS = Caps(tokens=10**12, micro_usd=10**12, minutes=0, attempts=0)


@dataclass(frozen=True, slots=True)
class Rates:
    """How a model that is drawn judges."""

    finds: float
    """Of bugs."""
    alarms: float
    """Of clean changes."""


RATES = {"model-a": Rates(0.75, 0.15), "model-b": Rates(0.6, 0.2), "model-c": Rates(0.5, 0.25)}
MISQUOTES = 0.1
"""Of findings, with a quote that stands nowhere."""
DISMISSES = 0.1
"""Of what stands, by the senior."""
REFUSES = 0.3
"""Of votes in a second round."""


def drawn(cases: Sequence[Case], seed: int = SEED) -> Callable[[Asked], Say]:
    """What is said of these changes; the same for the same change, model and question."""
    known = {case.id: case for case in cases}

    def reply(asked: Asked) -> Say:
        case = known[re.findall(r"\bc[0-9a-f]{7}\b", asked.prompt)[0]]
        kind = next(name for name in ("verdict", "synthesis", "vote") if name in asked.tools)
        draw = random.Random(f"{seed} {case.id} {asked.model} {kind}")
        if kind == "verdict":
            said = _verdict(case, RATES[asked.model], draw)
        elif kind == "synthesis":
            said = _synthesis(asked.prompt, draw)
        else:
            said = {"vote": "needs_revision" if draw.random() < REFUSES else "approved", "notes": "drawn"}
        return Say(calls=(ToolCall(kind, said),))

    return reply


def _verdict(case: Case, rates: Rates, draw: random.Random) -> dict[str, object]:
    if draw.random() >= (rates.finds if case.is_buggy else rates.alarms):
        return {"vote": "approved", "notes": "drawn", "findings": []}
    path, lines = next(iter(case.bug.items())) if case.is_buggy else _anywhere(case, draw)
    line = draw.choice(sorted(lines))
    quote = "this stands nowhere" if draw.random() < MISQUOTES else case.after[path].split("\n")[line - 1].strip()
    severity = "major" if draw.random() < 0.7 else "minor"
    finding = {
        "severity": severity,
        "requirement": "what",
        "file": path,
        "line": line,
        "quote": quote,
        "scenario": "drawn",
    }
    return {"vote": "needs_revision", "notes": "drawn", "findings": [finding]}


def _anywhere(case: Case, draw: random.Random) -> tuple[str, frozenset[int]]:
    path = draw.choice(sorted(case.after))
    return path, frozenset(n for n, text in enumerate(case.after[path].split("\n"), start=1) if text.strip())


def _synthesis(prompt: str, draw: random.Random) -> dict[str, object]:
    found = list(dict.fromkeys(re.findall(r"^(F-\d+) by ", prompt, re.MULTILINE)))
    gone = [id for id in found if draw.random() < DISMISSES]
    return {
        "summary": "drawn",
        "items": [{"findings": [id], "text": "drawn"} for id in found if id not in gone],
        "dismissed": [{"finding": id, "reason": "drawn"} for id in gone],
    }


def record(cases: Sequence[Case], config: Path, into: Path, seed: int = SEED) -> int:
    """Have the changes judged by a loopback server, and write what it said to `into`.

    Returns:
        How many talks there are.
    """
    with tempfile.TemporaryDirectory(prefix="callboard-record-") as place, ModelServer(drawn(cases, seed)) as server:
        below = Path(place)
        there = below / FILE
        there.write_text(re.sub(r"http://127\.0\.0\.1:9\b", server.url, config.read_text("utf-8")), "utf-8")
        lanes = [lay_out(folder, cases, there, os.environ) for folder in folders(below, 1)]
        done = asyncio.run(
            review_all(lanes, cases, Purse("a recording", ENDLESS, lanes[0].workspace.prices), print_dot)
        )
        assert done.is_whole
        recording = Recording(below / "talks")
        for path in sorted(call_logs(lanes[0]).glob("*.jsonl")):
            if (talk := talk_in(path, lambda value: value)) is not None:
                recording.write(talk)
        into.mkdir(parents=True, exist_ok=True)
        if into / FILE != config:
            shutil.copyfile(config, into / FILE)
        (into / ABOUT).write_text(about(seed), "utf-8")
        (into / CHANGES).write_text(f"{digest(cases)}\n", "utf-8")
        return pack(below / "talks", into / TALKS)


def about(seed: int) -> str:
    rates = "; ".join(
        f"{name} stops {it.finds:.0%} of bugs and {it.alarms:.0%} of clean changes" for name, it in RATES.items()
    )
    return (
        f"no model said this. A loopback server drew it with seed {seed}:\n{rates}.\n"
        "The figures show that the harness works, and say nothing about how well any model reviews. To ask models:\n"
        'make bench-review ARGS="--config callboard.toml"\n'
    )


def print_dot(_: object) -> None:
    print(".", end="", flush=True)


def main() -> int:
    talks = record(sample(read_cases(), 1), RECORDED / FILE, RECORDED)
    print(f"\nrecorded anew: {talks} talks in {RECORDED}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
