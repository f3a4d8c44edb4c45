"""What rounds of `make load` come to."""

from __future__ import annotations

import os
import statistics
from collections import Counter

from benchmarks.load.working import Worked


def figures(pairs: list[tuple[Worked, Worked]], tasks: int) -> dict[str, object]:
    """
    Args:
        pairs: Of each round the run under load, and the one alone.
        tasks: How many each run had to land.
    """
    loads = [loaded for loaded, _ in pairs]
    took = sorted(ms for one in loads for ms in one.asked.took_ms)
    errors = sum((one.asked.errors for one in loads), Counter[str]())
    heard = [(one, each) for one in loads for each in one.listeners]
    torn = sum(bool(each.error) or each.events != each.last for _, each in heard)
    behind = sum(each.last < max(one.entries, 1) for one, each in heard)
    events, seconds = sum(each.events for _, each in heard), sum(one.asked.seconds for one in loads)
    landed = all(one.landed == tasks for pair in pairs for one in pair)
    answered = all(len(one.asked.took_ms) == one.asked.sent > 0 for one in loads)
    return {
        "requests": sum(one.asked.sent for one in loads),
        "sent_per_s": _per(sum(one.asked.sent for one in loads), sum(one.asked.sending_s for one in loads)),
        "answered_per_s": _per(len(took), seconds),
        "latency_ms": {name: _quantile(took, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))},
        "errors": dict(errors),
        "listeners": len(heard),
        "events": events,
        "events_per_s": _per(events, seconds),
        "listeners_with_gaps_or_errors": torn,
        "listeners_behind_at_the_end": behind,
        "run_s": {
            "under_load": [round(a.seconds, 1) for a, _ in pairs],
            "alone": [round(b.seconds, 1) for _, b in pairs],
        },
        "slowdown": _ratios([a.seconds / b.seconds for a, b in pairs]),
        "cpu_of_the_run": _ratios([a.cpu_s / b.cpu_s for a, b in pairs]),
        "machine": {"cpus": os.cpu_count(), "load_average": round(os.getloadavg()[0], 1)},
        "all_landed": landed,
        "is_well": landed and answered and all(one.listeners for one in loads) and not (errors or torn or behind),
    }


def _per(count: int, seconds: float) -> float:
    return round(count / seconds, 1) if seconds else 0.0


def _ratios(values: list[float]) -> dict[str, object]:
    return {"median": round(statistics.median(values), 2), "rounds": [round(one, 2) for one in values]}


def _quantile(values: list[float], share: float) -> float:
    return round(values[min(len(values) - 1, int(share * len(values)))], 1) if values else 0.0
