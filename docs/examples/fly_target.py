"""[deploy.commands] for Fly.io: an app for each slot, and a router app in front whose BACKEND says which one serves.

    up = "python3 /etc/callboard/fly_target.py up"      # the same for health, switch, down, status

From the environment, besides what Callboard gives: APP. The apps APP-a and APP-b (from the checkout's fly.toml) and APP-router are yours;
the router is any proxy that sends what it gets to the URL in BACKEND, with a fly.toml in the folder ROUTER and two machines,
so that one answers while the other is replaced.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any


def flyctl(*words: str) -> str:
    done = subprocess.run(["flyctl", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"flyctl {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def machines(app: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(flyctl("machine", "list", "--app", app, "--json"))
    return [one for one in found if one["state"] == "started"]


def variables(app: str) -> dict[str, str]:
    """What its machines have in their environment, as far as they agree; while they differ nobody is said to serve."""
    all_of_them = [one["config"].get("env", {}) for one in machines(app)]
    return all_of_them[0] if all_of_them and all(one == all_of_them[0] for one in all_of_them) else {}


def status(app: str) -> str:
    backend, rows = variables(f"{app}-router").get("BACKEND", ""), []
    for slot in "ab":
        if release := variables(f"{app}-{slot}").get("CALLBOARD_RELEASE"):
            share = 100 if backend == address(app, slot) else 0
            rows.append(f"{release} {share} https://{app}-{slot}.fly.dev")
    return "\n".join(rows)


def address(app: str, slot: str) -> str:
    return f"http://{app}-{slot}.internal:8080"


def main(what: str) -> None:
    app = os.environ["APP"]
    if what == "status":
        print(status(app))
        return
    slot, release = os.environ["CALLBOARD_SLOT"], os.environ["CALLBOARD_RELEASE"]
    if what == "up":
        flyctl("deploy", "--app", f"{app}-{slot}", "--env", f"CALLBOARD_RELEASE={release}", "--yes")
    elif what == "health":
        checks = [check for one in machines(f"{app}-{slot}") for check in one.get("checks", [])]
        bad = [check for check in checks if check["status"] != "passing"]
        if bad or not checks:
            sys.exit(f"checks of {app}-{slot}: {bad or 'none'}")
    elif what == "switch":
        words = ("--env", f"BACKEND={address(app, slot)}", "--strategy", "rolling", "--yes")
        flyctl("deploy", os.environ["ROUTER"], "--app", f"{app}-router", *words)
    elif what == "down":
        flyctl("scale", "count", "0", "--app", f"{app}-{slot}", "--yes")
    else:
        sys.exit(f"{what!r} is none of up, health, switch, down, status")


if __name__ == "__main__":
    main(sys.argv[1])
