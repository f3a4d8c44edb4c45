from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc

import pytest
import typer
from rich.text import Text

from callboard.cli.application import main
from callboard.cli.commands import application


def helps(command: object) -> Iterator[str]:
    """Every text that `--help` shows of a command and of those below it."""
    yield from filter(None, (getattr(command, name, None) for name in ("help", "short_help", "epilog")))
    for parameter in getattr(command, "params", ()):
        yield from filter(None, (getattr(parameter, "help", None),))
    for below in getattr(command, "commands", {}).values():
        yield from helps(below)


def test_help_shows_names_of_tables_and_takes_none_of_them_for_markup() -> None:
    texts = [cleandoc(text) for text in helps(typer.main.get_command(application()))]
    assert any(r"\[notify]" in text for text in texts)
    assert [text for text in texts if Text.from_markup(text).plain != text.replace("\\[", "[")] == []


def test_help_of_deploy_says_what_its_exit_codes_mean(capsys: pytest.CaptureFixture[str]) -> None:
    main(["deploy", "--help"])
    assert "1 = rolled back" in " ".join(capsys.readouterr().out.replace("│", " ").split())
