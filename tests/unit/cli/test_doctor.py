from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from callboard.cli.doctor import disk_check, program_of
from callboard.cli.redis_mode import Mode, Replica, read_mode
from callboard.cli.redis_risks import explain_mode, risks
from callboard.launch.checks import LEAST_FREE_BYTES


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("claude -p x", "claude"),
        ("A=1 B=/x python3 brain.py", "python3"),
        ("./brain --fast", "./brain"),
        ("'my brain' x", "my brain"),
        ("$BRAIN x", ""),
        ("(cd x && y)", ""),
        ("'unclosed", ""),
        ("", ""),
    ],
)
def test_the_program_of_a_command_is_found_where_no_shell_is_needed_to_tell(command: str, program: str) -> None:
    assert program_of(command) == program


def test_a_disk_with_room_is_fine(tmp_path: Path) -> None:
    assert LEAST_FREE_BYTES == 200_000_000
    assert disk_check(tmp_path).name == "disk"


SAFE = Mode("redis://h", append_only="yes", fsync="always", eviction="noeviction", role="master")
REPLICA = Replica("10.0.0.2:6379", "online", lag_s=1, behind_bytes=14)
"""One that follows."""


def lost(mode: Mode) -> tuple[str, ...]:
    return tuple(risk.lost for risk in risks(mode))


@pytest.mark.parametrize(
    ("mode", "on_kill", "on_crash", "on_loss", "on_full"),
    [
        (SAFE, "nothing", "nothing", "everything", "nothing"),
        (replace(SAFE, replicas=(REPLICA,)), "nothing", "nothing", "moments", "nothing"),
        (replace(SAFE, replicas=(REPLICA,), wait_replicas=1), "nothing", "nothing", "nothing", "nothing"),
        (replace(SAFE, fsync="everysec"), "moments", "seconds", "everything", "nothing"),
        (replace(SAFE, fsync="no"), "moments", "seconds", "everything", "nothing"),
        (replace(SAFE, append_only="no"), "everything", "everything", "everything", "nothing"),
        (replace(SAFE, eviction="allkeys-lru"), "nothing", "nothing", "everything", "unknown"),
        (replace(SAFE, append_only="yes", fsync=""), "moments", "unknown", "everything", "nothing"),
        (Mode("u", role="master"), "unknown", "unknown", "everything", "unknown"),
    ],
)
def test_what_each_accident_takes_follows_from_how_the_server_keeps_things(
    mode: Mode, on_kill: str, on_crash: str, on_loss: str, on_full: str
) -> None:
    assert lost(mode) == (on_kill, on_crash, on_loss, on_full)


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (replace(SAFE, fsync="everysec"), "about a second of accepted messages"),
        (replace(SAFE, fsync="no"), "some 30 seconds"),
        (replace(SAFE, append_only="no"), "everything since its last snapshot is lost"),
        (
            replace(SAFE, eviction="allkeys-lru"),
            "throws messages away (allkeys-lru): set `maxmemory-policy noeviction`",
        ),
        (replace(SAFE, replicas=(REPLICA,)), "set `[bus] wait_replicas = 1`"),
        (Mode("u", role="master"), "ask who runs it"),
    ],
)
def test_what_can_be_lost_is_said_with_what_to_do(mode: Mode, said: str) -> None:
    assert any(said in risk.text for risk in risks(mode))


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (replace(SAFE, role="slave"), "it is a slave, which takes no writes"),
        (replace(SAFE, wait_replicas=1), "wait_replicas = 1, and 0 replicas follow it"),
        (replace(SAFE, wait_replicas=1, replicas=(replace(REPLICA, state="wait_bgsave"),)), "and 0 replicas follow it"),
    ],
)
def test_a_server_on_which_nothing_could_be_sent_is_no_good(mode: Mode, said: str) -> None:
    usable, text = explain_mode(mode)
    assert not usable
    assert said in text


def test_a_server_is_told_in_a_line() -> None:
    mode = replace(
        SAFE, product="valkey", version="9.1.2", is_tls=True, replicas=(REPLICA,), memory_limit_bytes=100_000_000
    )
    assert explain_mode(mode) == (
        True,
        "redis://h: valkey 9.1.2, appendonly yes, appendfsync always, maxmemory 100 MB (noeviction), none used, TLS, "
        "master with 1 replica (10.0.0.2:6379 online, 14 bytes behind, heard of 1 s ago), wait_replicas 0",
    )


def test_what_info_says_becomes_facts() -> None:
    info = {
        "redis_version": "7.2.4",
        "valkey_version": "9.1.2",
        "cluster_enabled": "1",
        "aof_enabled": "1",
        "maxmemory": "5",
        "used_memory": "3",
        "maxmemory_policy": "noeviction",
        "role": "master",
        "connected_slaves": "1",
        "master_repl_offset": "100",
        "slave0": "ip=10.0.0.2,port=6379,state=online,offset=86,lag=1,type=replica",
    }
    mode = read_mode("rediss://:pw@h/0?wait_replicas=2", info, append_only="", fsync="")
    assert (mode.url, mode.product, mode.version) == ("rediss://:***@h/0?wait_replicas=2", "valkey", "9.1.2")
    assert (mode.is_tls, mode.is_cluster, mode.append_only, mode.wait_replicas) == (True, True, "yes", 2)
    assert mode.replicas == (REPLICA,)
    assert read_mode("redis://h", {"redis_version": "7.0.15"}, append_only="no", fsync="").product == "redis"
