"""Redaction: what must not be seen is replaced by `[redacted:<name>]` in whatever leaves: messages, logs, errors.

First the values we know, as they are, then in disguise; then shapes of secrets that issuers document, also decoded and
reversed; last values beside a telling word that look drawn, not written. Ids, hashes, paths and ports stay.

It is no wall against a brain that wants to get a secret out: whoever has a secret can always write it in a way that
nobody foresaw. What holds there is the sandbox, which keeps it away. Redaction is for what gets out by chance.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar, cast

from callboard.bus.disguises import View, bare, decoded
from callboard.bus.known_secrets import KnownSecret, KnownSecrets
from callboard.bus.secret_shapes import SHAPES, beside_words, is_telling, looks_random

V = TypeVar("V")
Span = tuple[int, int, str]
"""Start, end, and the name that stands in the mark."""

SHORTEST = 8
"""Characters; nothing shorter is looked at."""
ROUNDS = 4
"""What was hidden behind another secret is found in the next round; one more than was ever needed."""
KEPT_TEXTS = 2_048
KEPT_KEYS = 256
KEPT_DOCUMENTS = 256
KEPT_LENGTH = 4_096
"""Texts up to this length are remembered with their result: a board says the same things again and again."""


def mark(name: str) -> str:
    """What stands where a secret stood."""
    return f"[redacted:{name}]"


class Redactor:
    """Pure, and used from any thread. The same text twice gives the same; its own result it leaves alone.

    Args:
        known: Values that must not be seen. Without any, the rules alone hold.
    """

    def __init__(self, known: Iterable[KnownSecret] = ()) -> None:
        self._known = KnownSecrets(known)
        self._remembered = lru_cache(KEPT_TEXTS)(self._redacted)
        # The fields of one kind of message are the same each time.
        self._keys = lru_cache(KEPT_KEYS)(self._redacted_keys)
        self._documents = lru_cache(KEPT_DOCUMENTS)(self._redacted_document)

    def text(self, text: str) -> str:
        """The text with every secret that is found replaced by its mark."""
        if len(text) < SHORTEST:
            return text
        return self._remembered(text) if len(text) <= KEPT_LENGTH else self._redacted(text)

    def known(self, text: str) -> str:
        """The text without the values we know, whatever else looks like a secret.

        For what comes back into the product: a file's example of a token has to stay as it is.
        """
        views = bare(text)
        shown = views[-1].text if views else text
        inside = [*self._known.exact(shown), *self._known.disguised(shown)]
        return _marked(text, [*self._known.exact(text), *(_traced(span, views) for span in inside)])

    def value(self, value: V, *, but: frozenset[str] = frozenset()) -> V:
        """The same for every text in a JSON value, keys included; its structure stays.

        Args:
            but: Keys whose values are left as they are: ids, and what is executed.
        """
        return cast(V, self._walked(value, "", but))

    def document(self, raw: str, *, but: frozenset[str] = frozenset()) -> str:
        """The same for a JSON document given as its text."""
        return (self._documents if len(raw) <= KEPT_LENGTH else self._redacted_document)(raw, but)

    def _redacted_document(self, raw: str, but: frozenset[str]) -> str:
        return json.dumps(self.value(json.loads(raw), but=but), ensure_ascii=False, separators=(",", ":"))

    def _walked(self, value: object, name: str, but: frozenset[str]) -> object:
        if isinstance(value, str):
            return mark("secret") if is_telling(name) and looks_random(value) else self.text(value)
        if value is None or isinstance(value, int | float):
            return value
        if isinstance(value, dict | Mapping):
            keys = self._keys(tuple(map(str, value)))
            return {
                key: one if old in but else self._walked(one, str(old), but)
                for key, (old, one) in zip(keys, value.items(), strict=True)
            }
        if isinstance(value, list | Sequence) and not isinstance(value, bytes | bytearray):
            return [self._walked(one, name, but) for one in value]
        return value

    def _redacted_keys(self, keys: tuple[str, ...]) -> list[str]:
        return _apart([self.text(key) for key in keys])

    def _redacted(self, text: str) -> str:
        for _ in range(ROUNDS):
            before, text = text, _marked(text, self._found(text))
            if text == before:
                break
        return text

    def _found(self, text: str) -> list[Span]:
        """Spans in the text, as they were found."""
        views = bare(text)
        shown = views[-1].text if views else text
        spans = [*self._known.exact(text), *_in_shapes(text), *beside_words(text)]
        inside = [*self._known.disguised(shown), *_decoded_shapes(shown), *_reversed_shapes(shown, inside=bool(views))]
        if views:
            inside += [*self._known.exact(shown), *_in_shapes(shown, inside=True), *beside_words(shown, unbroken=False)]
        return spans + [_traced(span, views) for span in inside]


def _traced(span: Span, views: Sequence[View]) -> Span:
    start, end, name = span
    for view in reversed(views):
        start, end = view.source(start, end)
    return start, end, name


def _in_shapes(text: str, *, inside: bool = False) -> Iterator[Span]:
    return ((*found.span(), shape.mark) for shape in SHAPES for found in shape.find(text, inside=inside))


def _reversed_shapes(text: str, *, inside: bool) -> Iterator[Span]:
    shapes = [shape for shape in SHAPES if any(hint[::-1] in text for hint in shape.hints)]
    turned = text[::-1] if shapes else ""
    for shape in shapes:
        for found in shape.find(turned, inside=inside):
            yield len(text) - found.end(), len(text) - found.start(), shape.mark


def _decoded_shapes(text: str) -> Iterator[Span]:
    view = decoded(text)
    for start, end, name in _in_shapes(view.text, inside=True):
        yield *view.source(start, end), name


def _marked(text: str, spans: Sequence[Span]) -> str:
    """The text with its spans replaced; where several meet, by one mark with the name of the first found there."""
    pieces: list[str] = []
    read = until = 0
    name = ""
    for start, end, mine in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start < until:
            until = max(until, end)
            continue
        if name:
            pieces.append(mark(name))
            read = until
        pieces.append(text[read:start])
        name, until = mine, end
    if name:
        pieces.append(mark(name))
        read = until
    return "".join([*pieces, text[read:]])


def _apart(keys: Sequence[str]) -> list[str]:
    """The keys, those that have become the same told apart by a number."""
    seen: set[str] = set()
    told: list[str] = []
    for key in keys:
        own, n = key, 2
        while own in seen:
            own, n = f"{key}~{n}", n + 1
        seen.add(own)
        told.append(own)
    return told
