"""Real agent CLIs do tasks and review, launched as users launch them; their models are a loopback server's."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from model_server import ModelServer
from model_wire import Asked, Say, ToolCall
from real_clis import bin_folder
from roster import Workspace, run_git, task

pytestmark = pytest.mark.long

SHELLS: dict[str, dict[str, object]] = {
    "Bash": {"description": "write"},
    "run_shell_command": {"description": "write", "is_background": False},
    "exec_command": {},
}
"""How each CLI calls its shell, and what it wants to be told besides the command."""
VERDICT = {"vote": "approved", "findings": [], "notes": "it says what was asked"}


def reply(asked: Asked, outside: Path) -> Say:
    """Write the file that the task names, then say so; or approve what is to be judged.

    Args:
        outside: A file that is written first, or would be, were it not for the sandbox.
    """
    shell = next((name for name in SHELLS if name in asked.tools), None)
    if shell is None:
        return Say("a title")
    if "What you judge" in asked.prompt:
        return Say(f"I read it.\n{json.dumps(VERDICT)}")
    if asked.results:
        return Say('It is there.\n{"status": "done", "notes": "written by a real CLI"}')
    name = asked.prompt.partition("Writes: ")[2].split()[0]
    key = "cmd" if shell == "exec_command" else "command"
    return Say(calls=(ToolCall(shell, {key: f"echo {name} >> {outside}; echo {name} > {name}", **SHELLS[shell]}),))


def use(made: Workspace, agent: str, lines: str) -> None:
    """Give an agent another brain."""
    path = made.path / "callboard.toml"
    head, name, rest = path.read_text().partition(f'name = "{agent}"')
    before, _, after = rest.partition("command = ")
    path.write_text(f"{head}{name}{before}{lines}\n{after.partition(chr(10))[2]}")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    return tmp_path / "outside.txt"


@pytest.fixture
def server(outside: Path) -> Iterator[ModelServer]:
    with ModelServer(partial(reply, outside=outside)) as server:
        yield server


def test_claude_and_qwen_do_a_task_each_and_a_third_reviews_them(
    workspace: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch, server: ModelServer, outside: Path
) -> None:
    path = ":".join([str(bin_folder("claude")), str(bin_folder("qwen")), os.environ["PATH"]])
    settings = {
        "PATH": path,
        "ANTHROPIC_BASE_URL": server.url,
        "ANTHROPIC_API_KEY": "not-a-real-key",
        "OPENAI_BASE_URL": f"{server.url}/v1",
        "OPENAI_API_KEY": "not-a-real-key",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    made = workspace()
    made.init({"driver-1": task("1 - A", Writes="a.txt"), "driver-2": task("1 - B", Writes="b.txt")})
    claude = 'cli = "claude"\npass_env = ["ANTHROPIC_*"]'
    qwen = 'cli = "qwen"\ncli_model = "loopback"\npass_env = ["OPENAI_*"]'
    use(made, "driver-1", claude)
    use(made, "driver-2", qwen)
    use(made, "senior", qwen)
    code, output = made.launch()
    assert code == 0, output
    head = made.integration()
    assert run_git(made.path, "show", f"{head}:a.txt") == "a.txt"
    assert run_git(made.path, "show", f"{head}:b.txt") == "b.txt"
    assert sorted(made.landed_keys(head)) == ["driver-1/a", "driver-2/b"]
    for name in ("driver-1", "driver-2"):
        assert "written by a real CLI" in (made.path / f"feedback/{name}.md").read_text()
    assert not outside.exists()
    assert "it says what was asked" in (made.path / "feedback/senior.md").read_text()
    assert transcribed(made) == spent(made)
    assert spent(made) == (server.tokens.input, server.tokens.output)


def spent(made: Workspace) -> tuple[int, int]:
    """Tokens that went in and came out, as `callboard costs` has them for the run."""
    rows = made.json("costs")["rows"]
    assert isinstance(rows, list)
    return rows[0]["input_tokens"], rows[0]["output_tokens"]


def transcribed(made: Workspace) -> tuple[int, int]:
    """The same, as the transcripts of the agent CLIs have them; each shows its tools' results and its exit."""
    total = [0, 0]
    for task_id in ("T-1", "T-2"):
        for talk in json.loads(made.call("transcript", task_id, "--json").stdout):
            names = [step["name"] for step in talk["steps"]]
            assert names[-1] == "exit", names
            assert talk["review"] or any(step["kind"] == "tool" for step in talk["steps"]), names
            total[0] += sum(step["input_tokens"] for step in talk["steps"])
            total[1] += sum(step["output_tokens"] for step in talk["steps"])
    return total[0], total[1]
