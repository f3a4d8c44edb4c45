from __future__ import annotations

import pytest
from redis import exceptions

from callboard.bus.errors import BusError, InboxFull, ServerTooOld
from callboard.bus.link import NoGroup, is_refusal, shown, translated


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("redis://:secret@localhost:6379/0", "redis://:***@localhost:6379/0"),
        ("rediss://me:s%40cret@host/1", "rediss://me:***@host/1"),
        ("unix://:secret@/run/bus.sock?db=1", "unix://:***@/run/bus.sock?db=1"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, text: str) -> None:
    assert shown(url) == text


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("NOGROUP No such key 'k' or consumer group 'agent'", NoGroup),
        ("UNBLOCKED the stream key no longer exists", NoGroup),
        ("NOGROUP No such consumer group 'agent' for key name 'k' script: 1f, on @user_script:3.", NoGroup),
        ("OOM command not allowed when used memory > 'maxmemory'.", InboxFull),
        ("OOM command not allowed when used memory > 'maxmemory'. script: 1f, on @user_script:3.", InboxFull),
        ("MISCONF Errors writing to the AOF file: No space left on device", InboxFull),
        ("unknown command 'XAUTOCLAIM', with args beginning with: ", ServerTooOld),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", BusError),
    ],
)
def test_what_the_server_said_becomes_the_error_that_can_be_acted_on(said: str, kind: type[BusError]) -> None:
    error = translated(exceptions.ResponseError(said), "send a message")
    assert type(error) is kind
    assert str(error).startswith("send a message: ")


def test_a_refused_password_is_known_also_when_the_client_wraps_it() -> None:
    wrapped = exceptions.ConnectionError("x")
    wrapped.__cause__ = exceptions.AuthenticationError("wrong")
    assert is_refusal(wrapped)
    assert not is_refusal(exceptions.ConnectionError("gone"))
