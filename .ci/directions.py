"""Fail when this project's own directions cannot be read, or a person should look at them.

How long ago they were reviewed is left out: no check may turn red with the calendar alone.
"""

from __future__ import annotations

import json
import subprocess
import sys

CHECK = ("callboard", "directions", "check")


def main() -> int:
    done = subprocess.run([*CHECK, "--json"], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        return done.returncode
    subprocess.run(CHECK, check=True)
    problems = [problem for file in json.loads(done.stdout)["files"] for problem in file["problems"]]
    return int(any(not problem["message"].startswith("last_reviewed ") for problem in problems))


if __name__ == "__main__":
    sys.exit(main())
