"""Read callboard.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from callboard.bus.errors import ConfigError
from callboard.settings.environment import overridden
from callboard.settings.explain import explain
from callboard.settings.settings import Document, Settings
from callboard.settings.toml_lines import key_lines

_POSITION = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


def load_settings(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read a workspace's settings; the environment stands above the file.

    Raises:
        ConfigError: The file is not there or is wrong; the error names line, key and the nearest known key.
    """
    text = _read(path)
    data = _parse(text, str(path))
    merged, names = overridden(data, environ)
    try:
        document = Document.model_validate(merged)
    except ValidationError as error:
        raise explain(error, Document, str(path), key_lines(text), names) from error
    return Settings(root=path.resolve().parent, **dict(document))


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigError("there is no such file; `callboard init` writes one", path=str(path)) from error
    except OSError as error:
        raise ConfigError(f"it cannot be read: {error.strerror or error}", path=str(path)) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"byte 0x{data[error.start]:02x} is not UTF-8", path=str(path), line=line) from error


def _parse(text: str, path: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError("it is nested too deeply to be read", path=path) from error
    except ValueError as error:
        found = _POSITION.search(str(error))
        line = int(found["line"]) if found and found["line"] else text.count("\n") + 1 if found else None
        column = f" (column {found['column']})" if found and found["column"] else ""
        raise ConfigError(f"not TOML: {_POSITION.sub('', str(error))}{column}", path=path, line=line) from error
