"""How long redaction takes, against a plain scan for the known values, and that four times the text takes four times as long.

The text is what gates print: this project's own files over and over, with secrets and noise between them. CPU time of the
best of `--rounds`, so that other programs count little.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import string
import sys
import time
from collections.abc import Callable
from pathlib import Path

from callboard.bus.known_secrets import KnownSecret
from callboard.bus.redaction import Redactor

ROOT = Path(__file__).parents[1]
MEGABYTES = 5
VALUES = 20
"""Known secrets; a workspace with more is rare."""
MOST_GROWTH = 6.0
"""Of the time, for four times the text: 4 is linear, 16 is not."""
ALNUM = string.ascii_letters + string.digits


def output_of(megabytes: float, values: list[str]) -> str:
    """Text of that length: code, words, and one known value in every 200 lines."""
    draw = random.Random(1)
    files = [path for path in ROOT.glob("[abdfrst]*/**/*.py") if ".venv" not in path.parts]
    lines = [line for path in sorted(files) for line in path.read_text("utf-8").splitlines()]
    text: list[str] = []
    length = 0
    while length < megabytes * 1_000_000:
        line = draw.choice(lines)
        if draw.random() < 0.005:
            line += draw.choice(values)
        text.append(line)
        length += len(line) + 1
    return "\n".join(text)


def cpu_s(work: Callable[[], object], rounds: int) -> float:
    """The least of some rounds."""
    took = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    rounds: int = options.parse_args().rounds
    draw = random.Random(2)
    values = ["".join(draw.choices(ALNUM, k=40)) for _ in range(VALUES)]
    redactor = Redactor(KnownSecret(f"V{n}", value) for n, value in enumerate(values))
    scan = re.compile("|".join(values))
    text = output_of(MEGABYTES, values)
    quarter = text[: len(text) // 4]
    whole_s, quarter_s = cpu_s(lambda: redactor.text(text), rounds), cpu_s(lambda: redactor.text(quarter), rounds)
    scan_s = cpu_s(lambda: scan.sub("", text), rounds)
    figures = {
        "megabytes": MEGABYTES,
        "known_values": VALUES,
        "seconds_per_megabyte": round(whole_s / MEGABYTES, 3),
        "against_a_plain_scan": round(whole_s / scan_s, 1),
        "growth_for_four_times_the_text": round(whole_s / quarter_s, 2),
        "left": sum(text_left.count(value) for text_left in [redactor.text(text)] for value in values),
    }
    print(json.dumps(figures, indent=2))
    return int(figures["growth_for_four_times_the_text"] > MOST_GROWTH or figures["left"] > 0)


if __name__ == "__main__":
    sys.exit(main())
