"""Green's p95 against Blue's: what is found, what is a false alarm, and what nobody can say."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from callboard.agents.deployment.analysis import analyse
from callboard.agents.deployment.latency import cut
from callboard.agents.deployment.plan import AnalysisPlan, Metric
from callboard.agents.deployment.quantiles import p95
from callboard.agents.deployment.samples import By, Sample

BLUE, GREEN = "r-1", "r-2"
PLAN = AnalysisPlan((Metric("latency", "latency"),))
RATE = 50.0
RECORDED = Path(__file__).parents[3] / "support" / "recorded_latencies.json"
MICROSECONDS: list[int] = json.loads(RECORDED.read_text())["microseconds"]
LOOKS = (2_000, 4_000, 8_000)


def pairs(seed: int, factor: float, count: int, by: By = "pair") -> list[Sample]:
    """Recorded answers, drawn anew for each colour; Green's longer by a factor."""
    random, samples = Random(seed), list[Sample]()
    for n in range(count):
        for release, times in ((BLUE, 1.0), (GREEN, factor)):
            samples.append(Sample(n / RATE, release, True, times * random.choice(MICROSECONDS) * 1e-6, 200, by))
    return samples


def watched(seed: int, factor: float, looks: tuple[int, ...] = LOOKS) -> str:
    """How a watch ends that looks whenever its samples have doubled."""
    samples = pairs(seed, factor, looks[-1])
    for look in looks:
        found = analyse(PLAN, BLUE, GREEN, samples[: 2 * look], look / RATE)
        if found.outcome != "inconclusive":
            return found.outcome
    return "inconclusive"


def test_recorded_answers_make_few_false_alarms_and_a_fifth_more_is_found(seed: int) -> None:
    alike = Counter(watched(seed + n, 1.0, LOOKS[:2]) for n in range(8))
    slower = Counter(watched(seed + n, 1.2, LOOKS[:2]) for n in range(4))
    assert alike["fail"] <= 2, "one in 20,000 runs of this test has more by chance, at 2 in 100"
    assert slower["fail"] >= 2


@pytest.mark.long
@pytest.mark.timeout(900)
def test_of_500_watches_of_two_alike_2_in_100_go_back_and_of_200_slower_ones_95_in_100(seed: int) -> None:
    alike = Counter(watched(seed * 1_000 + n, 1.0) for n in range(500))
    slower = Counter(watched(seed * 1_000 + n, 1.2) for n in range(200))
    print(f"seed {seed}: A/A {dict(alike)}, +20 % {dict(slower)}")
    assert alike["fail"] <= 10
    assert slower["fail"] >= 190
    # one in some hundreds passes by chance; more than five of 200 would not be chance
    assert slower["pass"] <= 5


def test_too_few_say_nothing() -> None:
    found = analyse(PLAN, BLUE, GREEN, pairs(1, 3.0, 1_999), 1_999 / RATE)
    assert found.outcome == "inconclusive"
    assert found.numbers == {"latency.blue_samples": 1_999, "latency.green_samples": 1_999}


def test_answers_of_two_times_are_not_compared() -> None:
    early = [one for one in pairs(1, 1.0, 4_000) if one.release == BLUE]
    late = [one for one in pairs(2, 1.0, 8_000) if one.release == GREEN and one.at > 4_000 / RATE]
    assert analyse(PLAN, BLUE, GREEN, [*early, *late], 8_000 / RATE).outcome == "inconclusive"


def test_what_was_long_ago_says_nothing_about_now() -> None:
    found = analyse(PLAN, BLUE, GREEN, pairs(1, 1.0, 4_000), 4_000 / RATE + PLAN.fresh_s + 1)
    assert found.outcome == "inconclusive"
    assert "s old" in found.reasons[0]


def test_errors_are_not_fast_answers() -> None:
    failed = [Sample(one.at, GREEN, False, 0.0, 500, "pair") for one in pairs(1, 1.0, 4_000)]
    samples = [one for one in pairs(1, 1.0, 4_000) if one.release == BLUE]
    assert analyse(PLAN, BLUE, GREEN, [*samples, *failed], 4_000 / RATE).outcome == "inconclusive"


def test_users_requests_count_before_pairs() -> None:
    """Pairs say that nothing is wrong; users meet it."""
    users, own = pairs(1, 2.0, 4_000, "user"), pairs(2, 1.0, 4_000)
    assert analyse(PLAN, BLUE, GREEN, [*users, *own], 4_000 / RATE).outcome == "fail"
    assert analyse(PLAN, BLUE, GREEN, own, 4_000 / RATE).outcome == "pass"


def test_a_burst_that_hits_green_alone_for_a_while_is_no_regression() -> None:
    samples = [
        Sample(one.at, one.release, True, 30 * one.seconds, 200, "pair")
        if one.release == GREEN and 10 <= one.at < 14
        else one
        for one in pairs(3, 1.0, 4_000)
    ]
    assert analyse(PLAN, BLUE, GREEN, samples, 4_000 / RATE).outcome == "pass"


def test_the_first_release_of_all_has_nobody_to_be_compared_with() -> None:
    found = analyse(PLAN, None, GREEN, [], 0.0)
    assert (found.outcome, found.reasons) == ("pass", ("latency: there is no Blue to compare with",))


def test_a_canary_with_a_twentieth_of_the_traffic_is_compared_at_the_same_time() -> None:
    random = Random(4)
    users = [
        Sample(n / 1_000, GREEN if n % 20 == 0 else BLUE, True, random.choice(MICROSECONDS) * 1e-6, 200)
        for n in range(60_000)
    ]
    blocks = cut([one for one in users if one.release == BLUE], [one for one in users if one.release == GREEN], 2_000)
    assert len(blocks) == 20
    assert {len(green) for _, green in blocks} == {100}
    assert all(1_880 <= len(blue) <= 1_900 for blue, _ in blocks)
    assert analyse(PLAN, BLUE, GREEN, users, 60.0).outcome == "pass"


def test_few_values_and_many_have_the_same_p95_on_average(seed: int) -> None:
    random = Random(seed)
    few = [p95([random.random() for _ in range(100)]) for _ in range(400)]
    assert sum(few) / len(few) == pytest.approx(0.95, abs=0.006), "5 standard errors"


def test_the_same_samples_give_the_same_answer() -> None:
    samples = pairs(5, 1.1, 2_000)
    assert analyse(PLAN, BLUE, GREEN, samples, 40.0) == analyse(PLAN, BLUE, GREEN, samples[::-1], 40.0)
