"""Attack 17, in numbers: 200 secrets planted in ten encodings, and every line of this project as the control."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from planted import ALNUM, DISGUISES, SENTENCES, SHAPED, SHAPELESS, drawn

from callboard.bus.known_secrets import KnownSecret
from callboard.bus.redaction import Redactor

EACH = 200
PIECE = 12
"""Letters of a secret in a row that must not be left anywhere."""
ROOT = Path(__file__).parents[3]


def made_up(random: Random, count: int) -> list[str]:
    kinds = [*SHAPED.values(), *SHAPELESS.values()]
    return [kinds[n % len(kinds)](random) for n in range(count)]


def planted(random: Random, secret: str, disguise: str) -> tuple[str, str]:
    """The hidden form, and a text with it."""
    hidden = DISGUISES[disguise](random, secret)
    return hidden, random.choice(SENTENCES).format(hidden)


def is_caught(hidden: str, left: str) -> bool:
    """Nothing long enough to be of use is left of it."""
    return all(hidden[at : at + PIECE] not in left for at in range(max(1, len(hidden) - PIECE + 1)))


def test_of_200_known_values_in_ten_encodings_99_of_100_are_caught(seed: int) -> None:
    random = Random(seed)
    secrets = made_up(random, EACH)
    redactor = Redactor(KnownSecret(f"SECRET_{n}", secret) for n, secret in enumerate(secrets))
    caught = Counter[str]()
    for secret in secrets:
        for disguise in DISGUISES:
            hidden, text = planted(random, secret, disguise)
            caught[disguise] += is_caught(hidden, redactor.text(text))
    print(f"known values, seed {seed}: {caught.total()} of {EACH * len(DISGUISES)}; {dict(caught)}")
    assert len(DISGUISES) == 10
    assert caught.total() >= 0.99 * EACH * len(DISGUISES)


def test_of_200_unknown_secrets_in_ten_encodings_90_of_100_are_caught(seed: int) -> None:
    """Those with a shape stand anywhere; those without stand beside a word that tells what they are."""
    random, redactor, caught = Random(seed), Redactor(), Counter[str]()
    for n in range(EACH):
        kinds = SHAPED if n % 4 else SHAPELESS
        secret = random.choice(list(kinds.values()))(random)
        for disguise in DISGUISES:
            hidden, text = planted(random, secret, disguise)
            if kinds is SHAPELESS:
                text = f"{random.choice(['api_key: ', 'PASSWORD=', 'Authorization: Bearer '])}{hidden}\nand on"
            caught[disguise] += is_caught(hidden, redactor.text(text))
    print(f"unknown secrets, seed {seed}: {caught.total()} of {EACH * len(DISGUISES)}; {dict(caught)}")
    assert caught.total() >= 0.90 * EACH * len(DISGUISES)


def own_lines() -> Iterator[tuple[str, str]]:
    """Path and text of every line of every text file of the project."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        path = ROOT / name
        if path.is_file() and not path.is_symlink() and b"\0" not in (data := path.read_bytes()):
            yield from ((name, line) for line in data.decode("utf-8", "replace").splitlines())


@pytest.mark.long
def test_at_most_one_of_100_lines_of_this_project_is_taken_for_a_secret(seed: int) -> None:
    redactor = Redactor(KnownSecret(f"S{n}", secret) for n, secret in enumerate(made_up(Random(seed), EACH)))
    lines = list(own_lines())
    wrong = [(name, line) for name, line in lines if redactor.text(line) != line]
    print(f"false alarms, seed {seed}: {len(wrong)} of {len(lines)} lines ({100 * len(wrong) / len(lines):.3f} %)")
    for name, line in wrong[:40]:
        print(f"  {name}: {line.strip()[:100]} -> {redactor.text(line).strip()[:100]}")
    assert len(lines) > 10_000
    assert len(wrong) <= 0.01 * len(lines)


def test_without_redaction_all_of_them_are_there(seed: int) -> None:
    """The control: the measure itself sees what is left."""
    random = Random(seed)
    for secret in made_up(random, 20):
        for disguise in DISGUISES:
            hidden, text = planted(random, secret, disguise)
            assert not is_caught(hidden, text)


@pytest.mark.parametrize("cut", range(0, 40, 7))
def test_a_known_value_that_was_cut_or_shared_between_two_texts_is_caught(seed: int, cut: int) -> None:
    secret = drawn(Random(seed), ALNUM, 48)
    redactor = Redactor([KnownSecret("KEY", secret)])
    for piece in (secret[cut:], secret[: 48 - cut]):
        left = redactor.text(f"... {piece} ...")
        assert is_caught(piece, left) or len(piece) < 20
