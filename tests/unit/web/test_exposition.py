"""What is printed for Prometheus, read back by its own client."""

from __future__ import annotations

from decimal import Decimal

import pytest
from prometheus_client.parser import text_string_to_metric_families

from callboard.web.exposition import Metric, Sample, written


@pytest.mark.parametrize(
    ("usd", "printed"),
    [
        (Decimal("0.1") + Decimal("0.2"), "0.3"),
        (Decimal("0.000001"), "0.000001"),
        (Decimal("12345678901234.567891"), "12345678901234.567891"),
        (Decimal(100_000_000) / Decimal(1_000_000), "100"),
        (Decimal(), "0"),
    ],
)
def test_money_is_printed_as_the_decimal_that_it_is(usd: Decimal, printed: str) -> None:
    text = written([Metric("cost_usd_total", "counter", "Money.", (Sample(usd, {"model": "m"}),))])
    assert text.splitlines()[-1] == f'cost_usd_total{{model="m"}} {printed}'
    assert Decimal(text.split()[-1]) == usd


def test_the_client_of_prometheus_reads_what_is_printed() -> None:
    odd = 'a "quoted" \\ name\nof two lines, {x="1"} # é'
    metrics = [
        Metric("up", "gauge", "One line\nand \\ another.", (Sample(1),)),
        Metric("calls_total", "counter", "Calls.", (Sample(2**60, {"model": odd, "a": "b"}), Sample(0, {"model": ""}))),
        Metric("none", "gauge", "Nobody has any.", ()),
    ]
    up, calls = text_string_to_metric_families(written(metrics))
    assert (up.type, up.documentation) == ("gauge", "One line\nand \\ another.")
    assert [sample.value for sample in up.samples] == [1.0]
    assert [sample.labels for sample in calls.samples] == [{"model": odd, "a": "b"}, {"model": ""}]
    assert calls.samples[0].value == 2.0**60
