"""The secrets we know: values that we were given to use, such as keys in the environment, found in whatever disguise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from callboard.bus.disguises import bare_texts, encoded_forms, letters, letters_view
from callboard.bus.secret_shapes import looks_random

LEAST_LENGTH = 8
"""Shorter values stand in too much that is no secret."""
LEAST_WORD = 16
"""The same for values of small letters alone: `postgres`, `development`."""
LEAST_LETTERS = 12
"""Letters of a value, or of a piece of it, that may be found where others stand between them."""
GRAM = 6
"""Pieces of 12 letters hold one of the places 0, 6, 12 ... of a text with 6 letters after it."""
ENOUGH_LETTERS = 32
"""A piece this long gives a secret away, whatever its length."""

_SECRET_NAME = re.compile(
    r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|(?:^|_)(?:PASS|PWD|PAT|AUTH|DSN|COOKIE|WEBHOOK)(?:_|$)|PWD$",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(r"(?:[/~.][\w./~-]*|[A-Za-z]:\\.*|true|false|none|null|[0-9.]+)", re.IGNORECASE)
_PLACES = frozenset({"PWD", "OLDPWD"})
_PEM_LINE = re.compile(r"-----[A-Z0-9 ]{1,60}-----")
_INSIDE = re.compile(r"[^\s\"',;:{}\[\]()]{16,}")
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")


@dataclass(frozen=True, slots=True)
class KnownSecret:
    """One value that must not be seen, and the name that stands in its place."""

    name: str
    value: str

    def __repr__(self) -> str:
        return f"KnownSecret({self.name!r})"


def secrets_in(variables: Mapping[str, str], named: Iterable[str] = ()) -> tuple[KnownSecret, ...]:
    """The secrets among environment variables: by their names, or by a password in a URL.

    Args:
        named: Names that hold a secret whatever they are called.
    """
    named = frozenset(named)
    found: list[KnownSecret] = []
    for name, value in variables.items():
        if password := url_password(value):
            found.append(KnownSecret(name, password))
        elif name in named or (_SECRET_NAME.search(name) and name not in _PLACES and not _NO_SECRET.fullmatch(value)):
            found += [KnownSecret(name, part) for part in _parts(value)]
    return tuple(secret for secret in found if _is_worth_it(secret.value))


def url_password(url: str) -> str:
    """The password in a URL, as it is and not as it is written there; "" when it has none."""
    if "://" not in url or "@" not in url:
        return ""
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""


def env_file(text: str) -> dict[str, str]:
    """The variables of a file such as `.env`: `NAME=value` lines, with or without quotes."""
    found = (_LINE.fullmatch(line) for line in text.splitlines())
    return {match[1]: match[2].strip("\"'") for match in found if match}


def _parts(value: str) -> Iterator[str]:
    """A value with structure, such as a JSON of credentials, has its secrets in it: the rest of it is well known."""
    value = value.strip()
    body = _PEM_LINE.sub("", value)
    if body != value:
        yield body.strip()
    elif any(sign in value for sign in " \n{"):
        yield from (part for part in _INSIDE.findall(value) if looks_random(part))
    else:
        yield value


def _is_worth_it(value: str) -> bool:
    is_word = value.islower() and not any(letter.isdigit() for letter in value)
    return len(value) >= (LEAST_WORD if is_word else LEAST_LENGTH) and len(set(value)) >= 5


@dataclass(frozen=True, slots=True)
class _Needle:
    text: str
    least: int
    """How many of its letters in a row give it away."""
    secret: KnownSecret


class KnownSecrets:
    """Finds known values, whole or in pieces, in time that grows with the text alone.

    It looks at every sixth place of a text's letters, and there in a table of all six letters in a row of all forms.

    Args:
        whole: A piece of a value in another form is nothing, only all of it is.
    """

    def __init__(self, secrets: Iterable[KnownSecret] = (), *, whole: bool = False) -> None:
        known = {secret.value: secret for secret in secrets}
        self._exact = sorted(known.values(), key=lambda each: -len(each.value))
        needles = [needle for secret in known.values() for needle in _needles(secret)]
        self._needles = [replace(needle, least=len(needle.text)) for needle in needles] if whole else needles
        self._grams: dict[str, list[tuple[int, int]]] = {}
        for n, needle in enumerate(self._needles):
            for at in range(len(needle.text) - GRAM + 1):
                self._grams.setdefault(needle.text[at : at + GRAM], []).append((n, at))

    def values_in(self, text: str) -> frozenset[KnownSecret]:
        """The secrets that stand in a text, as they are, escaped, or in another form."""
        if not self._exact:
            return frozenset()
        texts = (text, *bare_texts(text))
        exact = {secret for secret in self._exact if any(secret.value in each for each in texts)}
        return frozenset(exact | {needle.secret for each in texts for *_, needle in self._in_letters(letters(each))})

    def exact(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Where values stand as they are: start, end, name."""
        for secret in self._exact:
            at = text.find(secret.value)
            while at >= 0:
                yield at, at + len(secret.value), secret.name
                at = text.find(secret.value, at + len(secret.value))

    def disguised(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Where they stand in another form, or a piece of them does."""
        found = list(self._in_letters(letters(text))) if self._grams else []
        if found:
            view = letters_view(text)
            yield from ((*view.source(start, end), needle.secret.name) for start, end, needle in found)

    def _in_letters(self, text: str) -> Iterator[tuple[int, int, _Needle]]:
        grams, done = self._grams, 0
        for at in range(0, len(text) - GRAM + 1, GRAM):
            for n, place in grams.get(text[at : at + GRAM], ()) if at >= done else ():
                needle = self._needles[n]
                start, end = _extended(text, at, needle.text, place)
                if end - start >= needle.least:
                    yield start, end, needle
                    done = max(done, end)


def _needles(secret: KnownSecret) -> Iterator[_Needle]:
    value, plain = secret.value, letters(secret.value)
    is_strong = len(plain) >= LEAST_LETTERS and 2 * len(plain) > len(value)
    if is_strong:
        yield _Needle(plain, _least(len(plain), 1.0), secret)
    for form, width in encoded_forms(value):
        if is_strong:
            yield _Needle(form, _least(len(form), width), secret)
        elif width > 1 and len(form) >= LEAST_LETTERS - 2:
            yield _Needle(form, len(form), secret)


def _least(length: int, width: float) -> int:
    """Two fifths of it, so that a half is found; never fewer than 12 letters of the value, never more than 32."""
    return min(length, round(max(LEAST_LETTERS * width, min(2 * length / 5, ENOUGH_LETTERS * width))))


def _extended(text: str, at: int, needle: str, place: int) -> tuple[int, int]:
    """How far text and needle are the same around these places."""
    start, end, back, forth = at, at, place, place
    while start and back and text[start - 1] == needle[back - 1]:
        start, back = start - 1, back - 1
    while end < len(text) and forth < len(needle) and text[end] == needle[forth]:
        end, forth = end + 1, forth + 1
    return start, end
