"""What the demo's processes see of their caller's environment."""

from __future__ import annotations

from pathlib import Path

from callboard.demo.run import demo_environment


def test_nobodys_settings_reach_it_and_its_python_comes_first() -> None:
    given = {"PATH": "/usr/bin", "HOME": "/home/me", "CALLBOARD_BUS_URL": "redis://elsewhere"}
    assert demo_environment(given, Path("/venv/bin")) == {"PATH": "/venv/bin:/usr/bin", "HOME": "/home/me"}
