"""What a sandbox says, as values and lists; nothing is run."""

import json
import sys
from pathlib import Path

import pytest

from callboard.agents.workspace.confine_bubblewrap import bubblewrap_argv, sockets_in_use
from callboard.agents.workspace.confine_paths import readable_paths
from callboard.agents.workspace.confine_relay import hosts_file, stand_ins
from callboard.agents.workspace.sandbox import OFF, Sandbox
from callboard.agents.workspace.sandbox_probe import Enforced, candidates, judge
from callboard.agents.workspace.sandbox_settings import SandboxSettings, registries
from callboard.bus.errors import RosterError

BOX = Sandbox(kind="sandlock", writable=(Path("/c"),), connect=("a:1",), memory_bytes=10**9, processes=9)
HELD = {
    "write inside": True,
    "write outside": False,
    "read what is hidden": False,
    "connect to a port": False,
    "connect to a socket": False,
    "signal a process outside": False,
    "own server": True,
    "change a mode outside": False,
}


def test_off_puts_nothing_before_a_command() -> None:
    assert OFF.prefix(Path("/c")) == ()


def test_the_prefix_carries_the_whole_policy() -> None:
    program, isolated, confine, policy, end = BOX.prefix(Path("/c/sub"))
    assert (program, isolated, Path(confine).name, end) == (sys.executable, "-I", "confine.py", "--")
    assert json.loads(policy) == {
        "kind": "sandlock",
        "cwd": "/c/sub",
        "writable": ["/c"],
        "hidden": [],
        "readable": [],
        "connect": ["a:1"],
        "listen": [],
        "memory_bytes": 10**9,
        "processes": 9,
    }


def test_allowing_adds_once_and_changes_nothing_else() -> None:
    more = BOX.allowing(writable=[Path("/d"), Path("/c")], connect=["a:1", "b:2"], readable=[Path("/e")])
    assert (more.writable, more.connect, more.readable) == ((Path("/c"), Path("/d")), ("a:1", "b:2"), (Path("/e"),))
    assert (more.kind, more.memory_bytes, BOX.connect) == ("sandlock", 10**9, ("a:1",))


# --- paths -----------------------------------------------------------------------------------------


def test_what_is_beside_something_hidden_is_readable_and_a_link_to_it_is_not(tmp_path: Path) -> None:
    for name in ("open", "closed/mine", "closed/other"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("closed")
    found = readable_paths([str(tmp_path / "closed")], [str(tmp_path / "closed/mine"), str(tmp_path / "gone")])
    below = {path.removeprefix(f"{tmp_path}/") for path in found if path.startswith(str(tmp_path))}
    assert below == {"open", "file", "closed/mine"}
    assert "/" not in found


def test_no_device_is_readable_but_the_harmless_ones() -> None:
    devices = {path for path in readable_paths([], []) if path.startswith("/dev")}
    assert {"/dev/null", "/dev/urandom"} <= devices
    assert not {"/dev", "/dev/mem", "/dev/vda", "/dev/sda"} & devices


def test_bubblewrap_hides_before_it_makes_exceptions() -> None:
    argv = bubblewrap_argv(
        "bwrap",
        status_fd=5,
        cwd="/r/.c/clone",
        writable=["/r/.c/clone"],
        hidden={"/r/.c": True, "/r/.c/inner": True, "/h/key": False},
        readable=["/r/.c/objects"],
        share_network=False,
    )
    text = " ".join(argv)
    assert "--unshare-net" in argv
    assert text.index("--ro-bind / /") < text.index("--tmpfs /r/.c") < text.index("--bind /r/.c/clone /r/.c/clone")
    assert text.index("--bind /r/.c/clone") < text.index("--remount-ro /r/.c")
    assert "--ro-bind /dev/null /h/key" in text
    assert "/r/.c/inner" not in text
    assert argv[-1] == "--"


def test_only_sockets_that_are_files_are_in_the_way(tmp_path: Path) -> None:
    table = f"Num Path\n0: 1 0 10000 1 1 5 {tmp_path}\n0: 1 0 10000 1 1 6 @abstract\n0: 1 0 10000 1 1 7\n"
    assert sockets_in_use(table) == []


# --- network ---------------------------------------------------------------------------------------


def test_names_get_an_address_inside_and_addresses_stay_what_they_are() -> None:
    inside = stand_ins(["pypi.org:443", "localhost:1", "10.0.0.5:5432", "pypi.org:80", "x.test:1"])
    assert inside["localhost"] == "127.0.0.1"
    assert inside["10.0.0.5"] == "10.0.0.5"
    assert len(set(inside.values())) == 4
    assert all(inside[name].startswith("127.66.") for name in ("pypi.org", "x.test"))


def test_the_hosts_file_names_what_stands_in_for_something_first() -> None:
    text = hosts_file(["pypi.org:443", "127.0.0.1:1"], "127.0.0.1 localhost\n")
    assert text.splitlines() == ["127.66.0.2 pypi.org", "127.0.0.1 localhost"]


# --- what holds here -------------------------------------------------------------------------------


def test_a_sandbox_that_holds_is_said_with_its_limits() -> None:
    found = judge(HELD, BOX)
    assert isinstance(found, Enforced)
    assert str(found) == (
        "sandlock: commands write only to their own folder and scratch, no network but a:1; "
        "at most 1000 MB and 9 processes each"
    )
    assert "not even to servers that a command starts itself" in str(judge({**HELD, "own server": False}, BOX))
    assert str(judge({**HELD, "change a mode outside": True}, BOX)).endswith(
        "; not held: chmod of files outside, for want of a namespace"
    )


@pytest.mark.parametrize(
    "attempt", [name for name in HELD if name not in ("write inside", "own server", "change a mode outside")]
)
def test_one_attempt_that_gets_through_is_enough(attempt: str) -> None:
    assert judge({**HELD, attempt: True}, BOX) == f"a command could {attempt}"


def test_a_sandbox_in_which_nothing_can_be_written_is_none() -> None:
    assert isinstance(judge({**HELD, "write inside": False}, BOX), str)


def test_the_whole_network_may_be_reached_where_it_is_allowed() -> None:
    assert isinstance(judge({**HELD, "connect to a port": True}, BOX.allowing(connect=["*"])), Enforced)


def test_off_is_there_everywhere_and_nothing_else_on_a_mac(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert candidates("off") == ["off"]
    with pytest.raises(RosterError, match=r'darwin has no sandbox .* or write kind = "off" under \[sandbox\]'):
        candidates("auto")


def test_a_kind_that_is_missing_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RosterError, match=r'bubblewrap: no `bwrap` on PATH.*kind = "off"'):
        candidates("bubblewrap")


# --- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["pypi.org:443", "10.0.0.5:5432", "localhost:1", "*"])
def test_a_place_is_a_host_with_a_port(place: str) -> None:
    assert SandboxSettings.model_validate({"connect": [place]}).connect == (place,)


@pytest.mark.parametrize("place", ["pypi.org", "pypi.org:0", "pypi.org:65536", "https://pypi.org:443", ":443", "a b:1"])
def test_anything_else_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="expected host:port"):
        SandboxSettings.model_validate({"connect": [place]})


@pytest.mark.parametrize("path", ["relative", "/", "/a/../b", "~nobody-here/x"])
def test_a_path_is_absolute_or_below_home(path: str) -> None:
    with pytest.raises(ValueError, match="expected an absolute path"):
        SandboxSettings.model_validate({"writable": [path]})
    assert SandboxSettings.model_validate({"hidden": ["~/x"]}).hidden == (str(Path.home() / "x"),)


def test_a_first_file_names_the_registries_that_setup_needs() -> None:
    assert registries(["uv sync --locked", "npm ci"]) == (
        "pypi.org:443",
        "files.pythonhosted.org:443",
        "registry.npmjs.org:443",
    )
    assert registries(["make deps"]) == ()
