from __future__ import annotations

from pathlib import Path

from callboard.bus.server import server_argv


def test_the_command_line_keeps_every_accepted_write() -> None:
    argv = server_argv(Path("/bin/server"), Path("/data"), Path("/data/bus.sock"))
    assert argv[0] == "/bin/server"
    options = dict(zip(argv[1::2], argv[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--appendfsync"] == "always"
    assert options["--port"] == "0"
    assert options["--unixsocketperm"] == "700"
    assert options["--daemonize"] == "no"
