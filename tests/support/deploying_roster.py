"""A launched roster with a deployment agent and a small service to deploy; what its brains say is decided by what they find."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from roster import REVIEWERS, Workspace, kill, run_git
from servers import free_port

SERVICE = Path(__file__).with_name("deployed_service.py")
BEHAVIOUR = "app/behaviour.txt"
STYLE = "app/style.txt"
START = "deploy/start"
REVIEWER = f"""
import json, pathlib, sys
job = json.load(sys.stdin)
if job.get("ask") == "release":
    part = {{"answer": "good", "reason": "read, and it runs"}}
    said = {{name: part for name in job["questions"]}}
    style = pathlib.Path({STYLE!r})
    if style.exists() and "sloppy" in style.read_text():
        said["quality"] = {{"answer": "fixes", "reason": "its style is sloppy"}}
    print(json.dumps(said))
else:
    print(json.dumps({{"vote": "approved", "findings": [], "notes": "reads well"}}))
"""
DRIVER = f"""
import json, pathlib, sys
job = json.load(sys.stdin)
fields = job["spec"]["fields"]
if "Writes" in fields:
    path = pathlib.Path(fields["Writes"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(fields.get("Text", job["spec"]["title"]) + "\\n")
elif "in the way it is run" in job["spec"]["title"]:
    pathlib.Path({START!r}).write_text("exec python3 -I -S app/service.py\\n")
elif "sloppy" in job["spec"]["what"]:
    pathlib.Path({STYLE!r}).write_text("neat\\n")
elif job["spec"]["source"]["kind"] == "deployment":
    pathlib.Path({BEHAVIOUR!r}).write_text("well\\n")
    pathlib.Path("app/mended.txt").write_text(job["spec"]["title"] + "\\n")
else:
    print(json.dumps({{"status": "done", "notes": "looked, and it is so"}}))
"""
ASKS = "import os, urllib.request; print(urllib.request.urlopen(os.environ['CALLBOARD_URL'] + {path!r}).status)"


def asks(path: str) -> str:
    """A command that asks Green."""
    return f'python3 -c "{ASKS.format(path=path)}"'


ANALYSIS: dict[str, object] = {"interval_s": 2.0, "min_samples": 1, "hold_s": 300.0, "metrics": ["error-rate"]}
"""A probe fails that takes longer than the interval: a busy computer needs a long one."""
BY_USERS: dict[str, object] = {"interval_s": 0.1, "min_samples": 4, "hold_s": 3600.0, "users_only": True}
"""Nothing passes without users, and what the watch asks itself, late or not, counts for nothing."""


def lines(keys: Mapping[str, object]) -> str:
    """Keys and values as TOML; None leaves one out."""
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items() if value is not None)


def table(
    port: int,
    analysis: Mapping[str, object] | None = None,
    environments: Mapping[str, Mapping[str, object]] | None = None,
    ready: Mapping[str, object] | None = None,
    **values: object,
) -> str:
    """`[deploy]`, quick; every input is there."""
    keys: dict[str, object] = {
        "start": "python3 -I -S app/service.py",
        "port": port,
        "settled_s": 0.2,
        "healthy_within_s": 300.0,
        "bake_s": 0.5,
        "canary_s": 0.3,
        "canary": [50, 100],
        "requirements": ["docs/requirements.md"],
        "infrastructure": ["deploy/**"],
        "rollback_plan": "docs/rollback.md",
        **values,
    }
    tests = {"unit": ["test -e app/service.py"], "integration": [asks("/")], "health": [asks("/health")]}
    places = {f"environments.{name}": told for name, told in (environments or {}).items()}
    parts: dict[str, Mapping[str, object]] = {"tests": tests, "analysis": {**ANALYSIS, **(analysis or {})}, **places}
    parts |= {"ready": ready} if ready else {}
    below = "".join(f"\n[deploy.{name}]\n{lines(told)}" for name, told in parts.items())
    return f"\n[deploy]\n{lines(keys)}{below}"


def deploying(
    path: Path,
    directions: dict[str, str] | None = None,
    *,
    files: Mapping[str, str] | None = None,
    analysis: Mapping[str, object] | None = None,
    environments: Mapping[str, Mapping[str, object]] | None = None,
    ready: Mapping[str, object] | None = None,
    **values: object,
) -> Workspace:
    """A workspace whose first commit can be deployed.

    Args:
        directions: Agent -> the tasks of its direction file.
        files: More files of the first commit.
        analysis: Keys of `[deploy.analysis]`.
        environments: Name -> keys of its table; the port of those without one is `[deploy]`'s.
        ready: Keys of `[deploy.ready]`.
        values: Keys of `[deploy]`; None leaves one out.
    """
    brains = path.parent / f"{path.name}-brains"
    brains.mkdir(parents=True, exist_ok=True)
    (brains / "deployer.py").write_text(DRIVER)
    command = f"{sys.executable} {brains / 'deployer.py'}"
    agent = f'\n[[agents]]\nname = "deployment"\nrole = "deployment"\ncommand = {json.dumps(command)}\n'
    made = Workspace(
        path,
        extra=table(free_port(), analysis, environments, ready, **values) + agent,
        drivers={"driver-1": command, "driver-2": command},
        reviewer=REVIEWER,
    )
    first = {
        "app/service.py": SERVICE.read_text(),
        BEHAVIOUR: "well\n",
        "docs/requirements.md": "It answers with its release.\n",
        "docs/rollback.md": "`callboard rollback`\n",
        "deploy/variables": "none\n",
        "callboard.toml": "",
        **(files or {}),
    }
    made.init(directions or {}, first)
    return made


def port_of(made: Workspace) -> int:
    text = (made.path / "callboard.toml").read_text()
    return int(text.partition("\nport = ")[2].split()[0])


def stop_services(made: Workspace) -> None:
    """What was deployed outlives its roster; the test ends it."""
    kill(made.processes())
    shutil.rmtree(made.path / ".callboard" / "deploy", ignore_errors=True)


def commit(made: Workspace, files: dict[str, str], message: str) -> str:
    made.write(files)
    run_git(made.path, "add", "--all")
    run_git(made.path, "commit", "--quiet", f"--message={message}")
    return run_git(made.path, "rev-parse", "HEAD")


assert REVIEWERS
