"""`[deploy.analysis]`: every name is checked when the file is read, and the mistake is told with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from callboard.agents.deployment.plan import AnalysisPlan, Metric
from callboard.bus.errors import ConfigError
from callboard.settings import FILE, load_settings

QUEUE = """\
[deploy.analysis]
metrics = ["health", "latency", "queue"]
interval_s = 0.5

[deploy.analysis.own.queue]
kind = "prometheus"
url = "http://127.0.0.1:9090"
query = "queue_length{release='{release}'}"
most = 10.0
"""


def plan_of(path: Path) -> AnalysisPlan:
    deploy = load_settings(path, {}).deploy
    assert deploy is not None
    return deploy.analysis.plan()


def test_a_plan_holds_the_metrics_that_the_file_names(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_text(QUEUE)
    plan = plan_of(path)
    assert plan.metrics == (
        Metric("health", "health"),
        Metric("latency", "latency"),
        Metric("queue", "prometheus", most=10.0),
    )
    assert plan.interval_s == 0.5
    assert plan.pairs_per_s == 50.0, "latency is among them, so the watch asks in pairs"


def test_without_latency_the_watch_asks_no_pairs(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_text("[deploy]\n")
    plan = plan_of(path)
    assert [metric.name for metric in plan.metrics] == ["health", "error-rate"]
    assert plan.pairs_per_s == 0


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "said"),
    [
        ('"queue"]', '"queu"]', 2, "deploy.analysis.metrics.2", "did you mean queue?"),
        ('"latency", ', '"health", ', 2, "deploy.analysis.metrics.1", "twice"),
        ('"health", "latency", "queue"', "", 2, "deploy.analysis.metrics", "never passes"),
        ("own.queue]", "own.latency]", 5, "deploy.analysis.own.latency", "measures itself"),
        ('kind = "prometheus"', 'kind = "promet"', 6, "deploy.analysis.own.queue.kind", "'prometheus'"),
        ("most = 10.0", "", 5, "deploy.analysis.own.queue.most", "which values are good"),
        ("most = 10.0", "most = nan", 9, "deploy.analysis.own.queue.most", "finite"),
        ("most = 10.0", "most = 1\nleast = 2", 10, "deploy.analysis.own.queue.least", "no value could be good"),
        ("query =", "pattern =", 8, "deploy.analysis.own.queue.pattern", "belongs to a metric of kind log"),
        ('url = "http://', 'url = "http://me:pw@', 7, "deploy.analysis.own.queue.url", "without a login"),
        ('url = "http://127.0.0.1:9090"', "", 5, "deploy.analysis.own.queue.url", "is missing"),
        ('kind = "prometheus"', 'kind = "command"', 5, "deploy.analysis.own.queue.command", "is missing"),
        ("interval_s = 0.5", "interval_s = 0", 3, "deploy.analysis.interval_s", "greater"),
        ("interval_s", "intervals", 3, "deploy.analysis.intervals", "did you mean interval_s?"),
    ],
)
def test_a_mistake_names_line_key_and_way_out(
    tmp_path: Path, old: str, new: str, line: int, key: str, said: str
) -> None:
    path = tmp_path / FILE
    assert old in QUEUE
    path.write_text(QUEUE.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_settings(path, {})
    assert (caught.value.path, caught.value.line, caught.value.key) == (str(path), line, key)
    assert said in str(caught.value)


def test_a_pattern_is_a_regular_expression(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_text('[deploy.analysis.own.panics]\nkind = "log"\npattern = "panic("\nmost = 0\n')
    with pytest.raises(ConfigError, match="no regular expression") as caught:
        load_settings(path, {})
    assert caught.value.line == 3
