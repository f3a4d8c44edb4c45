"""A value that the workspace was given is found in a hand-in whatever its shape; a piece of it, or another one, is not."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from callboard.agents.manager.secret_judge import known_secrets_in, refusal_of_known
from callboard.agents.manager.secrets import secrets_in
from callboard.agents.workspace.git import TreeChange
from callboard.bus.known_secrets import KnownSecret, KnownSecrets

PEM = "MIIBVgIBADANBgkqhkiG9w0BAQEFAASCAUAwggE8\nAgEAAkEAq7BFUpkGp3+LQmlQYx2eqzDV\n/xeG8kx/sQFV18S5"
VALUES = ("hunter2!", "correct-horse-battery-staple", "Tr0ub4dor&3 x", "zugang-zur-datenbank/2024", PEM)
"""None of them has an issuer's shape or stands beside a word that tells."""
BEFORE, AFTER = "1" * 40, "2" * 40

FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda value: f"it is {value} here\n".encode(),
    "between bytes that are no text": lambda value: b"\x00\xff\xfe" + value.encode() + b"\xff\x00",
    "utf-16": lambda value: f"it is {value}\n".encode("utf-16"),
    "percent": lambda value: "".join(f"%{byte:02X}" for byte in value.encode()).encode(),
    "python escapes": lambda value: "".join(f"\\x{byte:02x}" for byte in value.encode()).encode(),
}
LONG_FORMS: dict[str, Callable[[str], bytes]] = {
    "base64": lambda value: base64.b64encode(f"x{value}yz".encode()),
    "hex": lambda value: value.encode().hex().encode(),
    "reversed": lambda value: value[::-1].encode(),
    "quoted pieces": lambda value: f"'{value[:9]}' +\n    '{value[9:]}'".encode(),
}


def found(content: bytes, known: KnownSecrets, *, old: bytes = b"", path: str = "app/x") -> list[str]:
    change = TreeChange(path, "000000", "100644", BEFORE, AFTER, "A")
    return [secret.name for _, secret in known_secrets_in([change], {BEFORE: old, AFTER: content}, known)]


@pytest.mark.parametrize("value", VALUES)
def test_an_exact_value_is_found_in_whatever_file(value: str) -> None:
    known = KnownSecrets([KnownSecret("MINE", value)], whole=True)
    forms = {**FORMS, **(LONG_FORMS if len(value) > 20 else {})}
    assert [form for form, hide in forms.items() if found(hide(value), known) != ["MINE"]] == []
    assert [form for form, hide in forms.items() if found(hide(value), KnownSecrets())] == [], "the wall off"


def test_shapes_and_chance_alone_would_let_them_all_in() -> None:
    assert [value for value in VALUES if secrets_in(f"it is {value} here\n".encode())] == []


def test_a_value_in_a_files_name_is_found() -> None:
    known = KnownSecrets([KnownSecret("MINE", VALUES[1])], whole=True)
    assert found(b"", known, path=f"app/{VALUES[1]}.txt") == ["MINE"]


def test_a_piece_another_value_and_what_the_file_had_before_are_none() -> None:
    known = KnownSecrets([KnownSecret("MINE", VALUES[3])], whole=True)
    assert found(b"zugang-zur-datenbank/2025", known) == []
    assert found(b"zugang zur datenbank", known) == []
    assert found(VALUES[3].encode(), known, old=f"was: {VALUES[3]}".encode()) == []


def test_two_values_of_one_name_are_two() -> None:
    known = KnownSecrets([KnownSecret("MINE", VALUES[0]), KnownSecret("MINE", VALUES[1])], whole=True)
    assert found(VALUES[1].encode(), known, old=VALUES[0].encode()) == ["MINE"]


def test_the_refusal_names_the_variable_and_the_line_and_never_the_value() -> None:
    change = TreeChange("app/x", "000000", "100644", BEFORE, AFTER, "A")
    refusal = refusal_of_known(change, KnownSecret("MINE", VALUES[0]), f"one\n{VALUES[0]}\n".encode())
    assert (refusal.rule, refusal.path) == ("secret", "app/x")
    assert refusal.way_out.startswith(
        "line 2 holds the value of MINE, which Callboard was given as a secret; take it out"
    )
    assert VALUES[0] not in str(refusal)
