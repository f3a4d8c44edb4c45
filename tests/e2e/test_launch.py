"""Whole runs as users have them: launched, asked, stopped, launched again."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from roster import HANG_S, Workspace, run_git, task, until
from servers import Server, free_port

Make = Callable[..., Workspace]

REPOSITORY = Path(__file__).parents[2]
ONE_EACH = {"driver-1": task("1 - Write a", Writes="a.txt"), "driver-2": task("1 - Write b", Writes="b.txt")}


@pytest.mark.long
def test_a_second_launch_refuses_and_names_the_first(workspace: Make) -> None:
    made = workspace()
    made.init({"driver-1": task("1 - Take long", Writes="a.txt", Takes="3600")})
    first = made.start()
    until(lambda: made.process("driver-1") is not None)
    code, output = made.launch()
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=HANG_S)
    assert code == 1
    assert str(first.pid) in output
    assert "already running here" in output


@pytest.mark.long
def test_a_stopped_launch_goes_on_with_everything_it_had(workspace: Make) -> None:
    made = workspace()
    made.init(
        {"driver-1": task("1 - Take a while", Writes="a.txt", Waits="yes"), "driver-2": task("1 - B", Writes="b.txt")}
    )
    first = made.start()
    until(
        lambda: (
            "T-1" in (made.path / "feedback/driver-1.md").read_text()
            if made.path.joinpath("feedback/driver-1.md").exists()
            else False
        )
    )
    stopped = made.call("stop")
    first.communicate(timeout=HANG_S)
    assert (stopped.returncode, first.returncode) == (0, 0)
    assert made.processes() == []
    made.release("driver-1")
    code, output = made.launch()
    assert code == 0, output
    assert {"a.txt", "b.txt"} <= set(made.files(made.integration()))


@pytest.mark.long
def test_only_people_can_go_on_so_the_launch_ends_with_4_and_their_answer_ends_the_task(workspace: Make) -> None:
    made = workspace()
    made.init(
        {
            "driver-1": task("1 - Needs a name", Writes="name.txt", Blocks="which name?")
            + task("2 - Other", Writes="o.txt"),
            "driver-2": task("1 - Wait", Status="Waiting for somebody to buy the domain", Writes="w.txt"),
        }
    )
    code, output = made.launch()
    assert code == 4, output
    assert "o.txt" in made.files(made.integration())
    questions = made.json("questions")
    text = json.dumps(questions)
    assert "which name?" in text
    assert "buy the domain" in text
    for number in ("q-1", "q-2"):
        answered = made.call("answer", number, "call it callboard")
        assert answered.returncode == 0, answered.stderr
    late = made.call("answer", "q-1", "no, otherwise")
    assert late.returncode != 0
    assert re.search(r"q-1 is closed: .*answered", late.stderr), late.stderr
    code, output = made.launch()
    assert code == 0, output
    assert {"name.txt", "w.txt"} <= set(made.files(made.integration()))


@pytest.mark.long
def test_a_second_run_does_not_repeat_finished_tasks(workspace: Make) -> None:
    made = workspace()
    made.init({**ONE_EACH, "driver-2": ONE_EACH["driver-2"] + task("2 - Look", Checks="`test -e README`")})
    assert made.launch()[0] == 0
    assert made.call("promote").returncode == 0
    path = made.path / "directions/driver-1.md"
    path.write_text(path.read_text().replace("### Task 1", task("9 - New on top", Writes="new.txt") + "### Task 1", 1))
    run_git(made.path, "commit", "--quiet", "--all", "--message=Ask for more")
    code, output = made.launch()
    assert code == 0, output
    line = run_git(made.path, "rev-list", "--first-parent", f"main..{made.integration()}").splitlines()
    assert len(line) == 1
    assert made.landed_keys(made.integration())[0] == "driver-1/new-on-top"


@pytest.mark.long
def test_a_repository_with_links_passes_its_gate_in_clone_and_slot(workspace: Make) -> None:
    check = "test -L link && test -L folder-link && test -s link && test -s folder-link/file"
    made = workspace(gate=[check])
    made.path.mkdir()
    (made.path / "folder").mkdir()
    (made.path / "folder/file").write_text("x")
    (made.path / "link").symlink_to("folder/file")
    (made.path / "folder-link").symlink_to("folder")
    made.init({"driver-1": task("1 - Write a", Writes="a.txt", Checks=f"`{check}`")})
    code, output = made.launch()
    assert code == 0, output


@pytest.mark.long
def test_a_clone_of_this_repository_passes_its_own_tests_in_a_slot(workspace: Make) -> None:
    python = f"PYTHONPATH=src {sys.executable}"
    gate = f"{python} -m pytest -q -p no:cacheprovider tests/unit/roles && test -L src/callboard/bus"
    made = workspace(gate=[gate])
    run_git(REPOSITORY, "clone", "--quiet", "--no-local", str(REPOSITORY), str(made.path))
    run_git(made.path, "checkout", "--quiet", "-B", "main")
    shutil.rmtree(made.path / "directions" / "__pycache__", ignore_errors=True)
    made.equip(
        {"driver-1": task("1 - Write a", Writes="docs/a.txt"), "driver-2": task("1 - Write b", Writes="docs/b.txt")}
    )
    code, output = made.launch()
    assert code == 0, output
    assert {"docs/a.txt", "docs/b.txt"} <= set(made.files(made.integration()))


@pytest.mark.long
def test_an_external_server_works_the_same(workspace: Make, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    server = Server(folder, port=free_port())
    try:
        made = workspace(extra=f'[bus]\nurl = "{server.url}"')
        made.init(ONE_EACH)
        code, output = made.launch()
        assert code == 0, output
        assert made.call("promote").returncode == 0
    finally:
        server.kill()
    assert not (made.path / ".callboard/bus").exists()


@pytest.mark.long
def test_a_message_nobody_can_handle_is_said_and_waits_for_a_person(workspace: Make, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    server = Server(folder, port=free_port())
    try:
        made = workspace(extra=f'[bus]\nurl = "{server.url}"')
        made.init({"driver-1": task("1 - Write a", Writes="a.txt", Waits="yes")})
        process = made.start()
        until(lambda: made.process("driver-1") is not None)
        run = made.integration().rpartition("/")[2]
        server.ask("XADD", f"cb:{{{run}}}:inbox:manager", "*", "m", "no message at all")
        until(lambda: "no message at all" in made.call("dead", "list", "--json").stdout, every_s=1)
        made.release("driver-1")
        output, _ = process.communicate(timeout=HANG_S)
        assert process.returncode == 0, output
        assert "dead letter" in output
        listed = json.loads(made.call("dead", "list", "--json").stdout)
        assert "no message at all" in json.dumps(listed)
    finally:
        server.kill()


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_one_signal_stops_cleanly_and_leaves_no_process(workspace: Make, number: int, exit_code: int) -> None:
    made = workspace()
    made.init({"driver-1": task("1 - Take long", Writes="a.txt", Takes="3600")})
    process = made.start()
    until(lambda: made.process("driver-1") is not None)
    process.send_signal(number)
    output, _ = process.communicate(timeout=HANG_S)
    assert process.returncode == exit_code, output
    assert made.processes() == []
