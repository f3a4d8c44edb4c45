"""What no watch could ever see enough of is told when the file is read, with the arithmetic; what takes users, beforehand."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from watched_target import BLUE, GREEN, Time, WatchedTarget

from callboard.agents.deployment.able import shortcomings
from callboard.agents.deployment.analysis_settings import AnalysisSettings
from callboard.agents.deployment.enough import Span, needs_users, never_passes
from callboard.agents.deployment.plan import AnalysisPlan, Metric
from callboard.agents.deployment.settings import DeploySettings
from callboard.agents.deployment.target import Abilities
from callboard.agents.deployment.watch import watch
from callboard.bus.errors import ConfigError
from callboard.settings import FILE, load_settings

PLAN = AnalysisPlan((Metric("health", "health"), Metric("error-rate", "error-rate")), interval_s=30.0, hold_s=90.0)
ABLE = Abilities(weights=True, drain=True, statistics=True)


def outcome(plan: AnalysisPlan, for_s: float) -> str:
    target = WatchedTarget(Time())
    found = asyncio.run(watch(target, plan, BLUE, GREEN, for_s, clock=target.time, sleep=target.time.sleep))
    return found.outcome


@pytest.mark.parametrize("for_s", [0.0, 30.0, 31.0, 300.0])
@pytest.mark.parametrize("min_samples", [1, 29, 30, 39, 40, 49, 50, 59, 60, 119, 120, 139, 140, 149, 150])
def test_the_arithmetic_is_that_of_a_real_watch(for_s: float, min_samples: int) -> None:
    """Its clock moves by its sleeping alone, so it makes as many looks as one can."""
    plan, watches = replace(PLAN, min_samples=min_samples), (Span("bake_s", for_s),)
    healthy = replace(plan, metrics=plan.metrics[:1])
    assert (outcome(healthy, for_s) == "pass") == (never_passes(healthy, watches) is None)
    rated = replace(plan, metrics=plan.metrics[1:])
    assert (outcome(rated, for_s) == "pass") == (not list(needs_users(rated, watches)))


@pytest.mark.parametrize(
    ("file", "line", "key", "said"),
    [
        (
            "[deploy.analysis]\nmin_samples = 2000\n",
            2,
            "min_samples",
            "health needs 200 probes (a tenth of min_samples 2000, and 3 at least), one each look: (bake_s 60 + hold_s 120) / "
            "interval_s 1 + 1 = 181 looks; so nothing would ever pass: set bake_s + hold_s to 199 or more, or min_samples to 1819 or less",
        ),
        (
            "[deploy]\ncanary = [5, 100]\ncanary_s = 0.5\n[deploy.analysis]\nhold_s = 0.0\n",
            4,
            "min_samples",
            "(canary_s 0.5 + hold_s 0) / interval_s 1 + 1 = 2 looks; so nothing would ever pass: set canary_s + hold_s to 2 or more",
        ),
        (
            '[deploy.analysis]\nmetrics = ["latency"]\nhold_s = 10.0\n',
            3,
            "hold_s",
            "latency needs 2000 answers of each before any traffic, 50 each look: hold_s 10 / interval_s 1 + 1 = 11 looks, 550 answers",
        ),
        ('[deploy.analysis]\nmetrics = ["latency"]\npairs_per_s = 0.0\n', 3, "pairs_per_s", "take latency out"),
        ('[deploy.analysis]\nmetrics = ["latency"]\nusers_only = true\n', 3, "users_only", "take latency out"),
    ],
)
def test_what_can_never_pass_is_an_error_of_the_file(tmp_path: Path, file: str, line: int, key: str, said: str) -> None:
    path = tmp_path / FILE
    path.write_text(file)
    with pytest.raises(ConfigError) as caught:
        load_settings(path, {})
    assert (caught.value.line, caught.value.key) == (line, f"deploy.analysis.{key}")
    assert said in str(caught.value)


def test_one_look_more_is_enough() -> None:
    settings = DeploySettings(start="-", bake_s=61.0, analysis=AnalysisSettings(min_samples=1829))
    assert settings.watches == (Span("bake_s", 61.0),)


def test_what_passes_with_users_alone_is_said_with_the_arithmetic() -> None:
    settings = DeploySettings(start="-", bake_s=5.0, analysis=AnalysisSettings(hold_s=3.0, min_samples=90))
    [said] = shortcomings(ABLE, settings)
    assert said == (
        "error-rate needs min_samples 90 requests, and the watch itself makes 9: (bake_s 5 + hold_s 3) / interval_s 1 + 1 = 9 looks; "
        "unless users send Green 81 more meanwhile, it goes back: set bake_s + hold_s to 89 or more, or min_samples to 9 or less"
    )
    assert shortcomings(ABLE, DeploySettings(start="-")) == ()
    asked = AnalysisSettings(hold_s=3.0, min_samples=90, users_only=True)
    assert shortcomings(ABLE, DeploySettings(start="-", bake_s=5.0, analysis=asked)) == (), (
        "that it needs users, it says"
    )
