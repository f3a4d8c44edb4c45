"""Promotions and rollbacks while the service is used: nobody who uses it notices."""

from __future__ import annotations

import pytest
from deploy_world import a_world, until_well, with_traffic
from load import Load

PROMOTIONS = 20
ROLLBACKS = 10
DRAIN_S = 120.0


@pytest.mark.long
@pytest.mark.timeout(900)
def test_20_promotions_and_10_rollbacks_under_load_fail_and_reset_no_request() -> None:
    with a_world() as world:
        target = world.target()
        world.serve(target, "r-0")
        blue, shifts = "r-0", {"promoted": 0, "rolled back": 0}
        with Load(world.port) as load:
            load.wait_for(100)
            for number in range(1, PROMOTIONS + ROLLBACKS + 1):
                green = f"r-{number}"
                target.up(green, world.commit())
                until_well(target, green)
                if number % 2:
                    target.shift({blue: 75, green: 25})
                    load.wait_for(10, green)
                target.shift({green: 100})
                load.wait_for(20, green)
                if number % 3 == 0:
                    target.shift({blue: 100})
                    load.wait_for(20, blue)
                    gone, kept, what = green, blue, "rolled back"
                else:
                    gone, kept, what = blue, green, "promoted"
                assert target.drain(gone, DRAIN_S)
                target.down(gone)
                assert with_traffic(target.running()) == [kept]
                blue = kept
                shifts[what] += 1
        print(shifts, load.counts)
        assert shifts == {"promoted": PROMOTIONS, "rolled back": ROLLBACKS}
        assert (load.counts.failed, load.counts.reset) == (0, 0)
        assert load.counts.answered == load.counts.sent
        assert load.counts.slow >= load.counts.sent // 25
