from __future__ import annotations

import pytest

from callboard.bus.address import INBOX_LIMIT, Address, at_node, read_address, with_options
from callboard.bus.errors import BusUnavailable
from callboard.bus.route import Route, owner_of


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://h:1/0", Address("redis://h:1/0")),
        ("unix:///run/b.sock?db=2&wait_replicas=1", Address("unix:///run/b.sock?db=2", wait_replicas=1)),
        ("rediss://h?ssl_ca_certs=/a/b.pem&inbox_limit=0", Address("rediss://h?ssl_ca_certs=/a/b.pem", inbox_limit=0)),
    ],
)
def test_our_options_are_taken_out_of_what_the_client_is_given(url: str, address: Address) -> None:
    assert read_address(url) == address


@pytest.mark.parametrize("value", ["", "many", "-1", "1.5"])
def test_an_option_that_is_no_number_is_said(value: str) -> None:
    with pytest.raises(BusUnavailable, match=r"wait_replicas=.*expected a whole number"):
        read_address(f"redis://h?wait_replicas={value}")


def test_options_are_added_where_the_url_does_not_say_them() -> None:
    url = with_options("unix:///run/b.sock?inbox_limit=5", inbox_limit=9, wait_replicas=2)
    assert url == "unix:///run/b.sock?inbox_limit=5&wait_replicas=2"
    assert with_options(url, inbox_limit=1) == url
    assert read_address("redis://h").inbox_limit == INBOX_LIMIT


@pytest.mark.parametrize(
    ("url", "host", "port", "there"),
    [
        ("rediss://me:pw@h:1/0?wait_replicas=1", "10.0.0.2", 2, "rediss://me:pw@10.0.0.2:2/0?wait_replicas=1"),
        ("redis://h:1/0", "", 2, "redis://h:2/0"),
        ("redis://h:1/0", "fd00::1", 2, "redis://[fd00::1]:2/0"),
        ("unix:///run/b.sock", "h", 2, "redis://h:2"),
    ],
)
def test_another_node_is_spoken_to_as_the_first_was(url: str, host: str, port: int, there: str) -> None:
    assert at_node(url, host, port) == there


SLOTS = [
    [0, 9_999, [b"10.0.0.1", 1, b"id"], [b"10.0.0.2", 2, b"id"]],
    [10_000, 16_383, [None, 3, b"id", []], [b"?", 4, b"id"]],
]


def test_the_primary_of_a_slot_is_its_first_node() -> None:
    found = [owner_of(SLOTS, slot) for slot in (0, 9_999, 10_000, 16_384)]
    assert [node and (node.host, node.port) for node in found] == [("10.0.0.1", 1), ("10.0.0.1", 1), ("", 3), None]


def test_a_route_goes_where_the_slots_say_and_knows_whom_to_ask_later() -> None:
    route = Route("redis://:pw@seed:9/0")
    route.choose("20261121-090000")
    assert route.nodes == ()
    assert route.read(SLOTS, route.url)
    assert not route.read(SLOTS, route.url)
    assert route.url in {"redis://:pw@10.0.0.1:1/0", "redis://:pw@seed:3/0"}
    assert len(route.nodes) == 4
    assert route.move("10.0.0.9", 9)
    assert not route.move("10.0.0.9", 9)
