"""The command line: the door for people and their scripts."""

from callboard.cli.application import main

__all__ = ["main"]
