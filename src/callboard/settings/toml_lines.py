"""The line of every key of a TOML document; tomllib gives values alone."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from contextlib import suppress

KeyPath = tuple[str | int, ...]
"""Keys and array indexes from the top: `("agents", 0, "name")`."""


def key_lines(text: str) -> Mapping[KeyPath, int]:
    """1-based lines of all keys, tables and array elements.

    Args:
        text: A document that tomllib accepts; of any other, some lines may be missing or wrong.
    """
    scanner = _Scanner(text.replace("\r\n", "\n"))
    with suppress(IndexError, RecursionError, ValueError):
        scanner.document()
    return scanner.lines


class _Scanner:
    """Walks over a document once. It may trust the syntax, since tomllib has read it before."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._text = text + "\n"
        self._at = 0
        self._line = 1
        self._counts: dict[KeyPath, int] = {}
        """How many tables each array of tables has so far."""

    def document(self) -> None:
        table: KeyPath = ()
        while self._skip_space() and self._at < len(self._text):
            if self._peek("["):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        line = self._line
        of_array = self._peek("[[")
        self._step(2 if of_array else 1)
        keys = self._dotted("]")
        self._step(2 if of_array else 1)
        path: KeyPath = ()
        for n, key in enumerate(keys):
            path = (*path, key)
            last = n == len(keys) - 1
            if last and of_array:
                self._counts[path] = self._counts.get(path, 0) + 1
            self.lines.setdefault(path, line)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
                self.lines.setdefault(path, line)
        self.lines[path] = line
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._line
        path = table
        for key in self._dotted("="):
            path = (*path, key)
            self.lines.setdefault(path, line)
        self._step(1)
        self._skip_space()
        self._value(path)

    def _dotted(self, end: str) -> list[str]:
        """The keys up to a sign outside quotes, which is left standing."""
        keys: list[str] = []
        while True:
            self._skip_space()
            start = self._at
            if self._text[start] in "\"'":
                self._string()
                keys.append(tomllib.loads(f"key = {self._text[start : self._at]}")["key"])
            else:
                while self._text[self._at] not in f".{end} \t":
                    self._step(1)
                keys.append(self._text[start : self._at])
            self._skip_space()
            if not self._peek("."):
                return keys
            self._step(1)

    def _value(self, path: KeyPath) -> None:
        if self._peek("{"):
            self._step(1)
            while self._skip_space() and not self._peek("}"):
                self._pair(path)
                self._skip_comma()
            self._step(1)
        elif self._peek("["):
            self._array(path)
        elif self._text[self._at] in "\"'":
            self._string()
        else:
            start = self._at
            while self._text[self._at] not in ",]}#\n":
                self._step(1)
            if self._at == start:
                raise ValueError("no value here")

    def _array(self, path: KeyPath) -> None:
        self._step(1)
        n = 0
        while self._skip_space() and not self._peek("]"):
            self.lines[(*path, n)] = self._line
            self._value((*path, n))
            self._skip_comma()
            n += 1
        self._step(1)

    def _skip_comma(self) -> None:
        self._skip_space()
        if self._peek(","):
            self._step(1)

    def _string(self) -> None:
        quote = self._text[self._at]
        close = quote * 3 if self._peek(quote * 3) else quote
        self._step(len(close))
        while not self._peek(close):
            self._step(2 if quote == '"' and self._peek("\\") else 1)
        self._step(len(close))
        while len(close) == 3 and self._peek(quote):
            self._step(1)

    def _skip_space(self) -> bool:
        """Over spaces, line ends and comments; always True, so that loops can begin with it."""
        while self._at < len(self._text) and self._text[self._at] in " \t\r\n#":
            if self._peek("#"):
                self._at = self._text.index("\n", self._at)
            else:
                self._step(1)
        return True

    def _peek(self, sign: str) -> bool:
        return self._text.startswith(sign, self._at)

    def _step(self, width: int) -> None:
        if self._at >= len(self._text):
            raise IndexError("the document ends here")
        self._line += self._text.count("\n", self._at, self._at + width)
        self._at += width
