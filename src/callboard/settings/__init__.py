"""callboard.toml and the environment -> one frozen Settings, which app.py hands down in parts."""

from callboard.agents.workspace.layout import FILE
from callboard.settings.load import load_settings
from callboard.settings.settings import LogSettings, PathSettings, Settings
from callboard.settings.template import default_toml

__all__ = ["FILE", "LogSettings", "PathSettings", "Settings", "default_toml", "load_settings"]
