"""Attack 17: a brain that tells the secret of its environment, in every way it has and in ten disguises."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import pytest
from planted import ALNUM, DISGUISES, drawn
from roster import Workspace, run_git, task

Make = Callable[..., Workspace]
SUPPORT = Path(__file__).parents[1] / "support"
PIECE = 14
"""Letters in a row that would be of use to a thief."""

LEAKY = f"""
import json, os, random, sys
sys.path.insert(0, {str(SUPPORT)!r})
from planted import DISGUISES
job = json.load(sys.stdin)
secret = os.environ.get("MY_API_TOKEN") or os.environ["MY_COLOUR"]
forms = [hide(random.Random(1), secret) for hide in DISGUISES.values()]
way = job["spec"]["fields"]["Way"]
for form in forms:
    print(form.replace("\\n", " "), file=sys.stderr, flush=True)
print("progress: https://me:" + secret + "@example.org/?token=" + secret, flush=True)
open("work-" + way + ".txt", "w").write("done\\n")
everything = "\\n\\n".join(forms)
if way == "blocked" and not job["notes"]:
    print(json.dumps({{"status": "blocked", "notes": everything, "blocker": {{"what": everything, "tried": secret}}}}))
elif way == "asks" and not job["notes"]:
    print(json.dumps({{"status": "asked", "question": {{"text": everything, "options": forms}}}}))
elif way == "breaks":
    sys.exit("Traceback: " + everything)
else:
    print(json.dumps({{"status": "done", "notes": everything}}))
"""


def leaking(workspace: Make, variable: str) -> Workspace:
    """A roster whose first driver tells what it knows, with the secret in the given variable."""
    made = workspace(extra=f'pass_env = ["{variable}"]')
    brains = made.path.parent / "leaky"
    brains.mkdir()
    (brains / "leaky.py").write_text(LEAKY)
    made.drivers = {"driver-1": f"{sys.executable} {brains / 'leaky.py'}"}
    made.init(
        {
            "driver-1": "".join(
                [
                    task("1 - Tell it when done", Way="done", Checks=f"`env | grep {variable}`"),
                    task("2 - Tell it when blocked", Way="blocked"),
                    task("3 - Tell it in a question", Way="asks"),
                    task("4 - Tell it when it breaks", Way="breaks"),
                ]
            )
        }
    )
    return made


def traces(made: Workspace, secret: str, outputs: Mapping[str, str]) -> dict[str, set[str]]:
    """Disguise -> where a piece of it can be read: files, commits, what commands print."""
    texts = dict(outputs)
    own = [made.path / ".callboard" / place for place in ("clones/driver-1", "scratch/driver-1")]
    for path in made.path.rglob("*"):
        if path.is_file() and not any(path.is_relative_to(place) for place in own):
            texts[str(path.relative_to(made.path))] = path.read_bytes().decode("utf-8", "replace")
    texts["commits"] = run_git(made.path, "log", "--all", "-p", "--format=%an %s%n%b")
    forms = {name: hide(Random(1), secret) for name, hide in DISGUISES.items()}
    forms["Basic"] = base64.b64encode(f"me:{secret}".encode()).decode()
    found: dict[str, set[str]] = {}
    for name, form in forms.items():
        flat = form.replace("\n", "")
        places = {where for where, text in texts.items() if _shows(text, flat)}
        found |= {name: places} if places else {}
    return found


def _shows(text: str, form: str) -> bool:
    flat = text.replace("\\n", "").replace("\n", "").replace("\\\\", "\\")
    return any(form[at : at + PIECE] in flat for at in range(0, len(form) - PIECE + 1, 3))


def run_it(made: Workspace) -> dict[str, str]:
    """What the launch and the commands after it print."""
    _, output = made.launch()
    told = {"launch": output}
    for words in (
        ("status", "--json"),
        ("questions",),
        ("feedback", "driver-1"),
        ("feedback", "manager"),
        ("logs", "driver-1"),
    ):
        done: subprocess.CompletedProcess[str] = made.call(*words)
        told[" ".join(words)] = done.stdout + done.stderr
    return told


@pytest.mark.long
def test_a_secret_of_the_environment_is_seen_nowhere_outside_the_agents_own_folders(
    workspace: Make, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = drawn(Random(seed), ALNUM, 40)
    monkeypatch.setenv("MY_API_TOKEN", secret)
    made = leaking(workspace, "MY_API_TOKEN")
    told = run_it(made)
    assert traces(made, secret, told) == {}
    log = (made.path / "feedback/driver-1.md").read_text()
    for kind in ("evidence", "blocker", "question", "task"):
        assert f"· {kind} ·" in log
    assert log.count("[redacted:MY_API_TOKEN]") > 30


@pytest.mark.long
def test_a_value_that_nobody_could_know_for_a_secret_is_seen_everywhere(
    workspace: Make, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same brain with the wall open, as its value stands under a name that tells nothing."""
    value = drawn(Random(seed), ALNUM, 40)
    monkeypatch.setenv("MY_COLOUR", value)
    made = leaking(workspace, "MY_COLOUR")
    found = traces(made, value, run_it(made))
    assert set(DISGUISES) - set(found) == set()
    places = set().union(*found.values())
    assert {"feedback/driver-1.md", "commits", "questions", "feedback driver-1"} <= places
    assert any(place.startswith(".callboard/bus/") for place in places)
