"""When a process counts as one that cannot be reached."""

from __future__ import annotations

from typing import cast

from callboard.bus.bus import Bus
from callboard.bus.consumers import Consumer
from callboard.launch.reaching import LOOKS, Watch


def watch() -> Watch:
    return Watch(cast(Bus, None), {}, {}, 60.0, print)


def seen(silent_s: float, began: str = "20260302120000000000") -> Consumer:
    return Consumer(f"driver-1.my-host.17-{began}", silent_s)


def test_it_takes_several_looks_in_a_row_and_counts_once() -> None:
    it = watch()
    said = [it.struck_out(seen(60.0 + n)) for n in range(LOOKS + 3)]
    assert said == [False] * (LOOKS - 1) + [True, False, False, False]


def test_one_sign_of_life_begins_the_count_anew() -> None:
    it = watch()
    silences = [90.0] * (LOOKS - 1) + [0.1] + [90.0] * (LOOKS - 1)
    assert not any(it.struck_out(seen(silent_s)) for silent_s in silences)


def test_its_next_process_is_counted_for_itself() -> None:
    it = watch()
    for n in range(LOOKS):
        it.struck_out(seen(90.0 + n))
    assert [it.struck_out(seen(90.0, "20260302130000000000")) for _ in range(LOOKS)][-1] is True


def test_consumers_sort_by_when_they_began_also_with_hyphens_in_the_host() -> None:
    assert max(seen(0, "2"), seen(0, "1"), key=lambda it: it.began).began == "2"
