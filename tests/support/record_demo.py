"""Records the demo anew: its roster of models works on its tasks against a loopback server, and that run is recorded.

    make record

What the models say is the script in src/callboard/demo/recording: to tell another story, change `says` and `calls` there
first. All the rest of those files comes from the run: which tools did what was asked of them, tokens, what was judged.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from demo_script import Script
from model_server import ModelServer

from callboard.agents.brains.recording import Recording
from callboard.app import Workspace
from callboard.bus.clock import utc_now
from callboard.cli.live import choose_view
from callboard.demo.checks import check
from callboard.demo.run import look_back, open_demo, play
from callboard.demo.workspace import AUTHOR, RECORDING
from callboard.launch.recording import TALKS
from callboard.launch.summary import Launcher

LIMIT_S = 1200.0
"""Of the run: a machine may be busy, and no reply is asked for twice because of it."""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="callboard-record-") as place:
        recorded = record_demo(Path(place), RECORDING)
        shutil.rmtree(RECORDING)
        shutil.copytree(recorded, RECORDING)
    print(f"recorded anew: {RECORDING}")
    return 0


def record_demo(place: Path, script: Path) -> Path:
    """Run the demo's roster against a server that says what a recording has.

    Returns:
        The new recording's talks.
    """
    path = place / "workspace"
    workspace = open_demo(path, os.environ)
    shutil.rmtree(workspace.layout.play)
    with ModelServer(Script(Recording(script), path / "directions")) as server:
        _ask_instead(path, server.url)
        view = choose_view(Launcher(pid=os.getpid(), host="here", since=utc_now()), json=True)
        played = play(Workspace.open(path, workspace.environ), view, LIMIT_S)
        assert played.outcome == "succeeded", f"the run has {played.outcome}; the script no longer leads through it"
        assert not played.served.why_not, "without deployments less is recorded"
        wrong = [it.said for it in check(look_back(workspace, played.served)) if not it.holds]
        assert not wrong, wrong
    made = place / "recording"
    subprocess.run([sys.executable, "-m", "callboard", "record", str(made)], cwd=path, check=True)
    return made / TALKS


def _ask_instead(path: Path, url: str) -> None:
    """Let every model of a workspace be asked at another server, without a key."""
    toml = path / "callboard.toml"
    text = re.sub(r"^(base_url|api_key_env) = .*\n", "", toml.read_text(), flags=re.MULTILINE)
    text = re.sub(r'(?<=provider = "anthropic"\n)', f'base_url = "{url}"\n', text)
    text = re.sub(r'(?<=provider = "openai"\n)', f'base_url = "{url}/v1"\n', text)
    toml.write_text(text)
    git = ["git", "-C", str(path), "-c", f"user.name={AUTHOR.name}", "-c", f"user.email={AUTHOR.email}"]
    subprocess.run([*git, "commit", "--quiet", "--all", "--message=Ask another server"], check=True)


if __name__ == "__main__":
    sys.exit(main())
