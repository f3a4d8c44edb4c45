"""Whether the changes are what they are said to be: runs the probe of each on its own files.

    python -m benchmarks.review.probes

It changes its working folder and forgets modules, so it is a process of its own.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.review.changes import Case, read_cases


def main() -> int:
    """Prints JSON: id -> what the probe said, "" = it passed; exits 1 where that is not as it should be."""
    sys.dont_write_bytecode = True
    cases = read_cases()
    said = probe_all(cases)
    print(json.dumps(said, indent=1))
    return 1 if wrong(cases, said) else 0


def wrong(cases: Sequence[Case], said: dict[str, str]) -> list[str]:
    """Cases that are not what they are said to be."""
    return [f"{case.bug_class} {case.name} {case.is_buggy}" for case in cases if bool(said[case.id]) != case.is_buggy]


def probe_all(cases: Sequence[Case]) -> dict[str, str]:
    return {case.id: _probe(case) for case in cases}


def _probe(case: Case) -> str:
    known, back, path = set(sys.modules), Path.cwd(), list(sys.path)
    with tempfile.TemporaryDirectory(prefix="callboard-probe-") as folder:
        for name, text in case.after.items():
            Path(folder, name).write_text(text, "utf-8")
        os.chdir(folder)
        sys.path.insert(0, folder)
        try:
            exec(compile(case.probe, f"<{case.name}>", "exec"), {"__name__": "probe"})
        except Exception as error:  # noqa: BLE001  any of them is the probe's answer
            return f"{type(error).__name__}: {error}"
        finally:
            os.chdir(back)
            sys.path[:] = path
            for name in set(sys.modules) - known:
                if name in {Path(file).stem for file in case.after}:
                    del sys.modules[name]
    return ""


if __name__ == "__main__":
    sys.exit(main())
