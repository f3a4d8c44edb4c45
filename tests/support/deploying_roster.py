"""A launched roster with a deployment agent and a small service to deploy; what its brains say is decided by what they find."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from roster import REVIEWERS, Workspace, kill, run_git
from servers import free_port

SERVICE = Path(__file__).with_name("deployed_service.py")
BEHAVIOUR = "app/behaviour.txt"
REVIEWER = """
import json, sys
job = json.load(sys.stdin)
if job.get("ask") == "release":
    part = {"answer": "good", "reason": "read, and it runs"}
    print(json.dumps({name: part for name in job["questions"]}))
else:
    print(json.dumps({"vote": "approved", "findings": [], "notes": "reads well"}))
"""
DRIVER = f"""
import json, pathlib, sys
job = json.load(sys.stdin)
fields = job["spec"]["fields"]
if "Writes" in fields:
    path = pathlib.Path(fields["Writes"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(fields.get("Text", job["spec"]["title"]) + "\\n")
elif job["spec"]["source"]["kind"] == "deployment":
    pathlib.Path({BEHAVIOUR!r}).write_text("well\\n")
else:
    print(json.dumps({{"status": "done", "notes": "looked, and it is so"}}))
"""
ASKS = "import os, urllib.request; print(urllib.request.urlopen(os.environ['CALLBOARD_URL'] + {path!r}).status)"


def asks(path: str) -> str:
    """A command that asks Green."""
    return f'python3 -c "{ASKS.format(path=path)}"'


def table(port: int, **values: object) -> str:
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
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items() if value is not None)
    tests = {"unit": ["test -e app/service.py"], "integration": [asks("/")], "health": [asks("/health")]}
    told = "".join(f"{kind} = {json.dumps(commands)}\n" for kind, commands in tests.items())
    return (
        f"\n[deploy]\n{lines}\n[deploy.tests]\n{told}\n"
        '[deploy.analysis]\ninterval_s = 0.1\nmin_samples = 4\nhold_s = 30.0\nmetrics = ["health", "error-rate"]\n'
    )


def deploying(path: Path, directions: dict[str, str] | None = None, **values: object) -> Workspace:
    """A workspace whose first commit can be deployed.

    Args:
        directions: Agent -> the tasks of its direction file.
        values: Keys of `[deploy]`; None leaves one out.
    """
    brains = path.parent / f"{path.name}-brains"
    brains.mkdir(parents=True, exist_ok=True)
    (brains / "deployer.py").write_text(DRIVER)
    command = f"{sys.executable} {brains / 'deployer.py'}"
    agent = f'\n[[agents]]\nname = "deployment"\nrole = "deployment"\ncommand = {json.dumps(command)}\n'
    made = Workspace(
        path,
        extra=table(free_port(), **values) + agent,
        drivers={"driver-1": command, "driver-2": command},
        reviewer=REVIEWER,
    )
    files = {
        "app/service.py": SERVICE.read_text(),
        BEHAVIOUR: "well\n",
        "docs/requirements.md": "It answers with its release.\n",
        "docs/rollback.md": "`callboard rollback`\n",
        "deploy/variables": "none\n",
        "callboard.toml": "",
    }
    made.init(directions or {}, files)
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
