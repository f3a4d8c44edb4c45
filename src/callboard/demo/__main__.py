"""Lay the demo's workspace out where nothing is yet: python -m callboard.demo DIR. A repository is left as it is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from callboard.demo.workspace import make_workspace


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m callboard.demo DIR", file=sys.stderr)
        return 2
    path = Path(arguments[0])
    if (path / ".git").exists():
        print(f"{path} is a repository already: left as it is")
        return 0
    try:
        make_workspace(path, datetime.now(UTC))
    except FileExistsError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"the demo's repository is in {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
