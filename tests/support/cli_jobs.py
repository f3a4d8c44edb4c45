"""Programs that play an agent CLI, and a budget in memory for who runs them."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from brain_jobs import job, review_job

from callboard.agents.brains.brain import AnyJob, Job, ReviewJob
from callboard.agents.brains.budget import CallEstimate, Reservation, Usage
from callboard.agents.brains.call_file import CallFile
from callboard.bus.errors import BudgetSpent


class Purse:
    """A budget.

    Args:
        cap: Tokens; a reservation that does not fit is refused.
    """

    def __init__(self, cap: int = 10**12) -> None:
        self.cap = cap
        self.open: dict[str, CallEstimate] = {}
        self.asked: list[CallEstimate] = []
        self.spent = Usage()
        self.calls = 0

    async def reserve(self, call: CallEstimate) -> Reservation:
        held = sum(other.tokens for other in self.open.values())
        if self.spent.tokens + held + call.tokens > self.cap:
            raise BudgetSpent("the budget is spent", scope="run", what="tokens", used=9, cap=9)
        self.asked.append(call)
        self.open[str(len(self.asked))] = call
        return Reservation(str(len(self.asked)))

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        if self.open.pop(reservation.id, None) is None:
            return
        self.calls += usage.calls
        self.spent = Usage(
            self.spent.input_tokens + usage.input_tokens,
            self.spent.output_tokens + usage.output_tokens,
            self.spent.cached_tokens + usage.cached_tokens,
        )


def install(folder: Path, name: str, code: str) -> None:
    """Put a Python program on the PATH that `env_of` gives."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!{sys.executable}\n{code}")
    program.chmod(0o755)


def cli_log(job: AnyJob) -> CallFile:
    """Beside the clone that the job works in."""
    return CallFile(job.seat.cwd.with_name("calls.jsonl"))


def seated(place: Path, timeout_s: float = 30.0) -> Job:
    """A job in `place/clone` with `place/bin` first on PATH and `place/home` as HOME."""
    for name in ("bin", "clone", "home"):
        (place / name).mkdir(exist_ok=True)
    given = job(place / "clone", timeout_s=timeout_s)
    return replace(given, seat=replace(given.seat, env=_env(place)))


def seated_review(place: Path) -> ReviewJob:
    given = review_job(seated(place).seat.cwd)
    return replace(given, seat=replace(given.seat, env=_env(place)))


def _env(place: Path) -> dict[str, str]:
    return {"PATH": f"{place / 'bin'}:{os.environ['PATH']}", "HOME": str(place / "home")}


def said(text: str, **usage: int) -> str:
    """The last line of a session of Claude Code that went well."""
    return json.dumps({"type": "result", "subtype": "success", "is_error": False, "result": text, "usage": usage})


def used(message: str, **usage: int) -> str:
    """A message of Claude Code's, with what it used."""
    content = [{"type": "tool_use", "id": f"tool-{message}", "name": "Bash", "input": {"command": f"step {message}"}}]
    told = {"id": message, "model": "claude-opus-4-8", "content": content, "usage": usage}
    return json.dumps({"type": "assistant", "message": told})
