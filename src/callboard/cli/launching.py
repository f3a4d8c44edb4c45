"""What `callboard launch` does: in front of a person, in the background, or as a rehearsal."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from loguru import logger

from callboard.agents.manager.watch import read_directions
from callboard.app import Workspace
from callboard.bus.board import Board, RunDoc
from callboard.bus.clock import utc_now
from callboard.bus.errors import RosterError
from callboard.cli.advice import ending
from callboard.cli.doctor_deploy import deploy_findings
from callboard.cli.forecast import Thinker, forecast, told
from callboard.cli.live import choose_view
from callboard.cli.news import odd_directions
from callboard.cli.output import note, plural, print_json, say
from callboard.cli.rehearsal import Rehearsal, ended, in_order, rehearse
from callboard.cli.session import launchers, wait_for
from callboard.launch.checks import check, check_goes_on, remarks
from callboard.launch.joining import open_bus
from callboard.launch.launcher import launch
from callboard.launch.left import left_by, left_lines
from callboard.launch.log_form import log_form
from callboard.launch.options import Beside, LaunchOptions
from callboard.launch.rows import by_field
from callboard.launch.runs import Continue, choose, landed_before, runs, start_commit
from callboard.launch.sandboxing import probe
from callboard.launch.status import branches_of
from callboard.launch.summarise import summarise
from callboard.launch.summary import Launcher, at_rest
from callboard.settings import Settings
from callboard.settings.settings import LogSettings
from callboard.settings.web import WebSettings

if TYPE_CHECKING:
    from callboard.launch.rows import JsonValue

DETACH_S = 30.0
"""How long a launch in the background may take until it holds its lock."""
LOOK_S = 0.05
LAST_LINES = 20


# --- in front of a person ------------------------------------------------------------------------


def real_launch(workspace: Workspace, options: LaunchOptions, *, json: bool) -> int:
    """Launch, show it, and say how it ended; the exit code."""
    code, told = shown_launch(workspace, options, json=json)
    if json:
        print_json({"exit_code": code, **told})
    return code


def shown_launch(workspace: Workspace, options: LaunchOptions, *, json: bool) -> tuple[int, dict[str, JsonValue]]:
    """Launch, show it, and unless JSON is wanted say how it ended; the exit code, and what the JSON says of it."""
    began = time.monotonic()
    log_to(workspace.layout.log("launcher"), workspace.settings.log)
    view = choose_view(Launcher(pid=os.getpid(), host=socket.gethostname(), since=utc_now()), json=json)
    if has_dashboard(workspace.settings.web, options):
        options = replace(options, beside=dashboard(workspace))
    code = wait_for(launch(workspace, options, view))
    board = view.last or Board()
    status, left = at_rest(summarise(board, branches=branches_of(workspace))), wait_for(left_by(workspace, board))
    for line in () if json else (*ending(status), *odd_directions(board), *left_lines(left)):
        say(line)
    return code, {"seconds": round(time.monotonic() - began, 1), **by_field(status), "left": left}


def has_dashboard(web: WebSettings, options: LaunchOptions) -> bool:
    """Whether a launch has one beside it."""
    return options.web and not options.only and web.with_launch


def dashboard(workspace: Workspace) -> Beside:
    """A dashboard that a launch may have beside it."""
    from callboard.cli.person import who
    from callboard.web.beside import Dashboard

    return Dashboard(lambda: who(workspace))


def log_to(path: Path, log: LogSettings) -> None:
    """The launcher's own log lines go beside its agents', not into what a person looks at.

    The file is made with its first line: a launch that is refused leaves nothing behind.
    """

    def write(line: str) -> None:
        # on a full disk the line is lost: the person at the terminal is spared a page for each
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(line)

    logger.remove()
    logger.add(write, level=log.level.upper(), format=log_form("launcher", log.format), backtrace=False, diagnose=False)


# --- in the background ---------------------------------------------------------------------------


def detached_launch(workspace: Workspace, options: LaunchOptions, *, json: bool) -> int:
    """Start a launch that outlives this command, and wait until it is under way.

    Raises:
        RosterError: It could not be launched, or ended at once; the message says why.
    """
    _check(workspace, options)
    log = workspace.layout.log("launcher")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        log.chmod(0o600)  # a login link stands in it
        begins = out.tell()
        process = subprocess.Popen(
            launch_argv(options),
            cwd=workspace.root,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    if not _is_under_way(workspace, process):
        raise RosterError(f"the launch ended at once: {_said(log, begins)}")
    if json:
        print_json({"pid": process.pid, "log": str(log)})
    else:
        say(f"launched in the background, process {process.pid}")
        say("`callboard status` shows it, `callboard logs launcher --follow` follows it, `callboard stop` ends it")
        if has_dashboard(workspace.settings.web, options):
            say("`callboard token login` prints a link to its dashboard")
    return 0


def launch_argv(options: LaunchOptions) -> list[str]:
    """The command line of a launch with these options."""
    words = [sys.executable, "-m", "callboard", "launch"]
    flags = (("--stay", options.stay), ("--new", options.new), ("--no-web", not options.web))
    words += [flag for flag, wanted in flags if wanted]
    said = (("--from", options.from_), ("--goal", options.goal), ("--safety", options.safety))
    words += [word for flag, value in said if value for word in (flag, value)]
    for flag, values in (("--again", options.again), ("--only", options.only)):
        words += [word for value in values for word in (flag, value)]
    return words


def _is_under_way(workspace: Workspace, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + DETACH_S
    while process.poll() is None:
        if any(holder.pid == process.pid for holder in launchers(workspace)):
            return True
        if time.monotonic() > deadline:
            process.terminate()
            raise RosterError(f"the launch did not get under way within {DETACH_S:.0f} s; `callboard logs launcher`")
        time.sleep(LOOK_S)
    return process.returncode == 0


def _said(log: Path, begins: int) -> str:
    with log.open("rb") as file:
        file.seek(begins)
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return what_failed(lines)


def what_failed(lines: Sequence[str]) -> str:
    """The error in a launcher's output, into which one that runs already may be writing too; else its last lines."""
    errors = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    if not errors:
        return "\n".join(lines[-LAST_LINES:]) or "it said nothing"
    first = errors[-1]
    more = itertools.takewhile(lambda line: line.startswith("- "), lines[first + 1 :])
    return "\n".join([lines[first].removeprefix("error: "), *more])


# --- as a rehearsal ------------------------------------------------------------------------------


def dry_launch(workspace: Workspace, options: LaunchOptions, *, json: bool) -> int:
    """Check everything and say what would be assigned; nothing is launched, no ref and no board changes.

    Raises:
        RosterError: It could not be launched; the message says why.
    """
    _check(workspace, options)
    note(f"sandbox {wait_for(probe(workspace))}")
    for state, text in deploy_findings(workspace):
        note(f"deploy: {'' if state == 'ok' else f'{state}: '}{text}")
    rehearsal = wait_for(_rehearse(workspace, options))
    if json:
        print_json(rehearsal)
    else:
        _tell(rehearsal)
    return 0


def _check(workspace: Workspace, options: LaunchOptions) -> None:
    check(workspace, options.only or workspace.settings.started, shutil.disk_usage(workspace.root).free)


async def _rehearse(workspace: Workspace, options: LaunchOptions) -> Rehearsal:
    known = runs(workspace.repository)
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(open_bus(workspace, known[-1])) if known else None
        board = await bus.board() if bus else Board()
        latest = board if board.run.version else None
        choice = choose(latest, new=options.new, start_from=options.from_)
        if isinstance(choice, Continue):
            check_goes_on(workspace, choice.run, options.goal, options.safety)
            base = board.run.base
        else:
            base = start_commit(workspace, choice.start_from)
            begun = RunDoc(id="new", base=base, head=base, goal=options.goal, safety=options.safety or "normal")
            board = Board({"run": begun.model_copy(update={"version": 1})})
        landed = await landed_before(bus.url if bus else "", workspace, board.run.id, base, options.again)
    settings = workspace.settings
    paths = settings.paths
    read = read_directions(workspace.root / paths.directions, paths.directions, list(workspace.roster), landed)
    after = rehearse(board, workspace.roster, read, utc_now(), workspace.policy, settings.limits)
    prices = workspace.prices
    return Rehearsal(
        continues=choice.run if isinstance(choice, Continue) else None,
        base=base,
        goal=board.run.goal,
        safety=board.run.safety,
        agents=in_order(after),
        done=ended(after),
        problems=(
            *remarks(workspace, options.again),
            *(problem for file in read.files for problem in file.problems),
            *([] if read.files else [f"{paths.directions}/ has no direction file: write <agent>.md there"]),
        ),
        forecast=forecast(after, thinkers(settings), prices),
    )


def thinkers(settings: Settings) -> list[Thinker]:
    """Agents that pay for what they think, with the first model of their list."""
    models = settings.models
    return [
        Thinker(agent.name, agent.role, models[agent.model[0]].priced_as if agent.model else "")
        for agent in settings.agents
        if agent.model or agent.cli
    ]


def _tell(rehearsal: Rehearsal) -> None:
    start = f"go on with run {rehearsal.continues}" if rehearsal.continues else "begin a new run"
    say(f"a launch would {start}, from {rehearsal.base[:12]}; {plural(rehearsal.done, 'task')} done already")
    of = f", for {rehearsal.goal!r}" if rehearsal.goal else ""
    say(f"safety: {rehearsal.safety}{of}")
    for agent, tasks in rehearsal.agents.items():
        say(f"\n{agent}: {plural(len(tasks), 'task')}, in this order")
        for task in tasks:
            aside = f"after {', '.join(task.waits_for)}" if task.waits_for else task.reason
            words = [task.state if task.state != "queued" else "", "standing" if task.standing else "", aside]
            said = ", ".join(word for word in words if word)
            say(f"  P{task.priority}  {task.title}" + (f"  ({said})" if said else ""))
    if not rehearsal.agents:
        say("nothing to do: no open task in the direction files")
    for line in told(rehearsal.forecast):
        say(line)
    for problem in rehearsal.problems:
        note(f"note: {problem}")
