"""What is replaced, what stays, and that the result is stable."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import ALNUM, SHAPED, drawn

from callboard.bus.disguises import bare, bare_texts, letters
from callboard.bus.known_secrets import KnownSecret, env_file, secrets_in, url_password
from callboard.bus.redaction import Redactor, mark

VALUE = drawn(Random(7), ALNUM, 32)
REDACTOR = Redactor([KnownSecret("MY_TOKEN", VALUE)])

STAYS = [
    "commit 3f2a1bc9d8e7f60514233241506f7e8d9c0b1a2f on driver-1/work",
    "`pytest -q` -> 0 in 1.3 s (sha256 9c1f64e5d3b2a190807f6e5d4c3b2a190807f6e5d4c3b2a190807f6e5d4c3b2a)",
    "01890a5d-ac96-774b-bcce-b302099a8057",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "refs/callboard/r1/tasks/T-12/3 in .callboard/clones/driver-1",
    "redis://127.0.0.1:6379/0 and http://localhost:8080/api/v1/tokens",
    "Task-Key: driver-1/write-the-token-page",
    "token = secrets.token_urlsafe(32)",
    'api_key_env = "ANTHROPIC_API_KEY"',
    "password: the one you were given",
    "Authorization: Bearer $TOKEN",
    "key: 3f2a1bc9d8e7f60514233241506f7e8d9c0b1a2f",
    "1,234,567 tokens (input 1200000, output 34567)",
    "max_tokens=128000",
    "tokens: 0123456789",
]


@pytest.mark.parametrize("text", STAYS)
def test_ids_hashes_paths_ports_and_code_stay_as_they_are(text: str) -> None:
    assert REDACTOR.text(text) == text


def test_a_known_value_is_replaced_by_its_name_and_the_rest_stays() -> None:
    assert REDACTOR.text(f"it said {VALUE}, and stopped") == "it said [redacted:MY_TOKEN], and stopped"


def test_the_longer_of_two_known_values_names_the_mark() -> None:
    both = Redactor([KnownSecret("SHORT", VALUE[:16]), KnownSecret("LONG", VALUE)])
    assert both.text(VALUE) == mark("LONG")


@pytest.mark.parametrize(
    "text",
    [
        f"https://{VALUE}@github.com/me/project.git",
        f"https://me:{VALUE}@example.org/?a=1",
        f'{{"Authorization": "Bearer {VALUE}"}}',
        f"postgres://u:{VALUE}@db:5432/x",
    ],
)
def test_a_secret_that_nobody_named_is_seen_by_what_stands_beside_it(text: str) -> None:
    left = Redactor().text(text) if ":" + VALUE in text or "Bearer" in text else REDACTOR.text(text)
    assert VALUE not in left
    assert left.startswith(text[:8])


def test_a_json_value_keeps_its_structure() -> None:
    told = {
        "a": [VALUE, 1, None, True, 2.5],
        "b": {VALUE: VALUE, f"{VALUE} ": "x"},
        "id": VALUE,
        "password": VALUE[:12],
    }
    left = REDACTOR.value(told, but=frozenset({"id"}))
    assert left == {
        "a": [mark("MY_TOKEN"), 1, None, True, 2.5],
        "b": {mark("MY_TOKEN"): mark("MY_TOKEN"), f"{mark('MY_TOKEN')} ": "x"},
        "id": VALUE,
        "password": mark("secret"),
    }
    assert json.loads(json.dumps(left)) == left


def test_keys_that_become_the_same_are_told_apart() -> None:
    both = Redactor([KnownSecret("K", VALUE), KnownSecret("K", VALUE[::-1] + "1")])
    assert list(both.value({VALUE: 1, VALUE[::-1] + "1": 2})) == [mark("K"), f"{mark('K')}~2"]


PIECES = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.sampled_from(
            [VALUE, VALUE[:17], VALUE[::-1], VALUE.encode().hex(), mark("x"), "[redacted:", "]", "token=", "\n"]
        ),
        st.sampled_from([make(Random(3)) for make in SHAPED.values()]),
    ),
    max_size=8,
)


@given(PIECES)
def test_what_was_redacted_is_left_alone_the_next_time(pieces: list[str]) -> None:
    once = REDACTOR.text("".join(pieces))
    assert REDACTOR.text(once) == once
    assert VALUE not in once


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_every_json_value_has_the_same_shape_afterwards(value: object) -> None:
    def shape(one: object) -> object:
        if isinstance(one, dict):
            return [shape(each) for each in one.values()]
        return [shape(each) for each in one] if isinstance(one, list) else type(one)

    assert shape(REDACTOR.value(value)) == shape(value)


def test_which_variables_are_secrets_follows_from_their_names_and_values() -> None:
    password = drawn(Random(1), ALNUM, 12)
    found = secrets_in(
        {
            "OPENAI_API_KEY": VALUE,
            "PGPASSWORD": password,
            "DATABASE_URL": f"postgres://me:{password}%21@db/x",
            "MINE": VALUE[:20],
            "PWD": "/home/me/Project1",
            "SSH_AUTH_SOCK": "/run/user/1000/agent.123",
            "TOKENIZERS_PARALLELISM": "false",
            "DB_PASSWORD": "postgres",
            "PATH": "/usr/bin:/bin",
            "API_KEY_1": "1",
        },
        named=["MINE"],
    )
    assert {(secret.name, secret.value) for secret in found} == {
        ("OPENAI_API_KEY", VALUE),
        ("PGPASSWORD", password),
        ("DATABASE_URL", f"{password}!"),
        ("MINE", VALUE[:20]),
    }
    assert VALUE not in repr(found)


def test_of_a_value_with_structure_its_random_parts_are_the_secrets() -> None:
    document = json.dumps(
        {"type": "service_account", "private_key_id": VALUE, "uri": "https://accounts.example.org/auth"}
    )
    assert [secret.value for secret in secrets_in({"GOOGLE_CREDENTIALS": document})] == [VALUE]


def test_an_env_file_and_a_url_give_their_secrets() -> None:
    text = f"# ours\nexport API_TOKEN='{VALUE}'\nDEBUG=true\n\nPLAIN = \"x y\"\nnot a line\n"
    assert env_file(text) == {"API_TOKEN": VALUE, "DEBUG": "true", "PLAIN": "x y"}
    assert url_password("redis://:p%40ss@host:1/0") == "p@ss"
    assert url_password("unix:///run/x@y.sock") == url_password("http://[::1") == ""


@pytest.mark.parametrize(
    "unit",
    [
        "a.",
        "password",
        "Ab3+",
        "73 6b ",
        "x\n",
        " ",
        "%73",
        "sk-",
        "\\",
        "'\"",
        "://a:",
        "eyJ",
        "-----BEGIN PRIVATE KEY-----",
    ],
)
def test_a_long_text_is_done_in_one_go_whatever_repeats_in_it(unit: str) -> None:
    """A pattern that tries again from every place would take hours; the test's own time limit is what it would meet."""
    text = unit * (1_000_000 // len(unit))
    assert len(REDACTOR.text(f"{text} {VALUE}")) <= len(text) + 40


@pytest.mark.long
def test_5_mb_of_output_are_done_in_one_go(seed: int) -> None:
    random = Random(seed)
    lines = ["".join(random.choices(ALNUM + " \"'=:/+-_.%\\", k=99)) + "\n" for _ in range(500)]
    text = "".join(lines) * 100
    left = REDACTOR.text(f"{text}{VALUE}\n{text}")
    assert VALUE not in left
    assert mark("MY_TOKEN") in left


@given(st.text(alphabet="aB4%1x\\n\n&#;\"' +.,>é\ud800"))
def test_a_text_is_the_same_with_and_without_its_way_back(text: str) -> None:
    assert bare_texts(text) == tuple(view.text for view in bare(text))
    assert letters(text) == "".join(sign for sign in text if sign.isascii() and sign.isalnum())
