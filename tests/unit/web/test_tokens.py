"""Tokens as they are made and recognized."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callboard.bus.errors import ConfigError
from callboard.web.tokens import Tokens, match, mint

NOW = datetime(2026, 11, 21, 9, 14, 7, tzinfo=UTC)


def test_a_token_is_recognized_by_its_whole_text_alone() -> None:
    text, kept = mint("ada", ["answer", "read"], NOW)
    other, _ = mint("ada", ["read"], NOW)
    assert kept.scopes == ("read", "answer")
    assert match([kept], text, NOW, "token") is kept
    swapped = f"{text.rpartition('_')[0]}_{other.rpartition('_')[2]}"
    for wrong in ("", "_", text.upper(), text[:-1], other, swapped, kept.digest):
        assert match([kept], wrong, NOW, "token") is None


def test_a_token_that_has_expired_or_is_for_another_use_is_nobodys() -> None:
    text, kept = mint("ada", ["read"], NOW, lasts=timedelta(days=1), use="session")
    assert match([kept], text, NOW + timedelta(hours=23), "session") is kept
    assert match([kept], text, NOW + timedelta(days=1), "session") is None
    assert match([kept], text, NOW, "token") is None


def test_what_is_taken_once_is_gone(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "web" / "tokens.json", lambda: NOW)
    text, _ = tokens.create("ada", ["read"], lasts=timedelta(minutes=10), use="login")
    assert tokens.take(text, "session") is None
    taken = tokens.take(text, "login")
    assert taken is not None
    assert taken.name == "ada"
    assert tokens.take(text, "login") is None


def test_a_file_that_is_no_list_of_tokens_opens_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text("{")
    with pytest.raises(ConfigError, match="no list of tokens"):
        Tokens(path).find("cbt_00000000_x")


def test_an_unknown_id_is_not_revoked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="callboard token list"):
        Tokens(tmp_path / "tokens.json").revoke("nobody")
