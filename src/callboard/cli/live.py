"""How `callboard launch` shows what happens: redrawn in place on a terminal, line by line everywhere else."""

from __future__ import annotations

import sys
import termios
from collections.abc import Callable
from datetime import datetime
from errno import ENOSPC
from typing import TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from callboard.bus.board import Board
from callboard.bus.caps import SpentSeen
from callboard.bus.clock import utc_now
from callboard.cli.news import news, opening
from callboard.cli.output import console
from callboard.cli.plain import one_line
from callboard.cli.view import render
from callboard.launch.summarise import summarise
from callboard.launch.summary import Launcher, at_rest

Clock = Callable[[], datetime]

LEAST_HEIGHT = 16
"""Lines of a terminal below which a picture in place is of no use."""


class LineView:
    """One line per event, with its time; for pipes, logs and `--json`."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self.last: Board | None = None

    def board(self, board: Board) -> None:
        for line in opening(board) if self.last is None else news(self.last, board):
            self.event(line)
        self.last = board

    def event(self, text: str) -> None:
        try:
            print(f"{self._clock():%H:%M:%SZ} {one_line(text)}", file=self._stream, flush=True)
        except OSError as error:
            # output that stands on a full disk ends nothing; it comes with the next line that can be written
            if error.errno != ENOSPC:
                raise

    def spent(self, seen: SpentSeen) -> None:
        """No line: the board says when it comes to something, and the end of the launch what it came to."""

    def close(self) -> None:
        """Nothing to put away."""


class QuietKeys:
    """Keeps the terminal from writing `^C` into the picture."""

    def __init__(self) -> None:
        self._before: list[int | list[bytes | int]] | None = None

    def hush(self) -> None:
        if sys.stdin.isatty():
            self._before = termios.tcgetattr(sys.stdin)
            quiet = termios.tcgetattr(sys.stdin)
            quiet[3] &= ~termios.ECHOCTL
            termios.tcsetattr(sys.stdin, termios.TCSANOW, quiet)

    def restore(self) -> None:
        if self._before is not None:
            termios.tcsetattr(sys.stdin, termios.TCSANOW, self._before)


class LiveView:
    """The board in place at the bottom of the terminal; what happened scrolls by above it."""

    def __init__(self, out: Console, clock: Clock, launcher: Launcher) -> None:
        self._console = out
        self._clock = clock
        self._launcher = launcher
        self.last: Board | None = None
        self._has_ended = False
        self._spent: SpentSeen | None = None
        self._keys = QuietKeys()
        self._live = Live(console=out, get_renderable=self._draw, auto_refresh=False, vertical_overflow="crop")

    def board(self, board: Board) -> None:
        for line in opening(board) if self.last is None else news(self.last, board):
            self.event(line)
        self.last = board
        if not self._live.is_started:
            self._keys.hush()
            self._live.start()
        self._live.refresh()

    def spent(self, seen: SpentSeen) -> None:
        """Shown with the next board."""
        self._spent = seen

    def event(self, text: str) -> None:
        line = Text.assemble((f"{self._clock():%H:%M:%SZ} ", "dim"), one_line(text))
        self._console.print(line, overflow="fold")

    def close(self) -> None:
        """Leave a last picture standing, in which nobody works any more."""
        self._has_ended = True
        self._live.stop()
        self._keys.restore()

    def _draw(self) -> RenderableType:
        if self.last is None:
            return Text("")
        height = self._console.height
        events = max(2, min(8, height // 5))
        status = summarise(self.last, launcher=self._launcher, spent=self._spent)
        return render(at_rest(status) if self._has_ended else status, height=height - events, now=self._clock())


def choose_view(launcher: Launcher, *, json: bool) -> LineView | LiveView:
    """The live view on a terminal that can show it, else lines: on stdout, or on stderr where stdout is for JSON."""
    if json:
        return LineView(sys.stderr, utc_now)
    out = console()
    if out.is_terminal and not out.is_dumb_terminal and out.height >= LEAST_HEIGHT:
        return LiveView(out, utc_now, launcher)
    return LineView(sys.stdout, utc_now)
