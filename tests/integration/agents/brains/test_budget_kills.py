"""Processes that pay for calls, killed at seeded moments: what is recorded is never more than what was paid, and with what
is held back never less."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from roster import HANG_S
from waiting import Go

from callboard.bus.board import BudgetDoc, Change
from callboard.bus.bus import Bus
from callboard.bus.caps import RUN, Caps, Limits

PROCESS = Path(__file__).parents[3] / "support" / "paying_process.py"
WIDE = Caps(tokens=10**9, micro_usd=10**9, minutes=10**6, attempts=10**6)
INPUT, MOST_OUTPUT = 100, 100
AGENTS = 3


@dataclass
class Service:
    """Paid by the token: it counts a call when it begins to answer, whether or not somebody still listens."""

    dice: random.Random
    tokens: int = 0
    calls: int = 0
    called: threading.Condition = field(default_factory=threading.Condition)
    """Protects the counts: each call is answered in a thread of its own."""

    def answer(self) -> int:
        with self.called:
            output = self.dice.randrange(1, MOST_OUTPUT + 1)
            self.tokens += INPUT + output
            self.calls += 1
            self.called.notify_all()
        return output

    def wait_for(self, calls: int) -> None:
        with self.called:
            assert self.called.wait_for(lambda: self.calls >= calls, timeout=HANG_S)


@pytest.fixture
def service() -> Iterator[tuple[Service, str]]:
    counting = Service(random.Random(7))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"output_tokens": %d}' % counting.answer()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Killed callers are no news."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield counting, f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()


@dataclass
class Payer:
    """One agent: its process is started again after each kill."""

    argv: list[str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(self.argv)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def wait(self) -> int:
        assert self.process is not None
        return self.process.wait(timeout=HANG_S)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.long)])
def test_kills_leave_at_most_one_open_reservation_each(
    bus: Bus, go: Go, service: tuple[Service, str], tmp_path: Path, seed: int, kills: int
) -> None:
    dice, (counting, url) = random.Random(seed), service
    limits = Limits(run=WIDE, task=WIDE, agent=WIDE)
    go(bus.change([Change("budget", BudgetDoc(version=1, limits=limits))], sender="launcher"))
    payers = [
        Payer([sys.executable, str(PROCESS), bus.url, bus.run, f"driver-{n}", url, str(tmp_path / f"{n}.log")])
        for n in range(AGENTS)
    ]
    for payer in payers:
        payer.start()
    for _ in range(kills):
        counting.wait_for(counting.calls + dice.randrange(1, 12))
        victim = dice.choice(payers)
        victim.kill()
        between = go(bus.spending.seen())
        assert between.of(RUN).tokens <= counting.tokens, "what is recorded was paid"
        victim.start()
    for payer in payers:
        payer.kill()
    # with no room left a process settles what it finds written down, and ends
    spent = limits.model_copy(update={"run": WIDE.model_copy(update={"tokens": 1})})
    go(bus.change([Change("budget", BudgetDoc(version=2, limits=spent))], sender="manager"))
    for payer in payers:
        payer.start()
        assert payer.wait() == 0
    seen = go(bus.spending.seen())
    recorded, held = seen.of(RUN).tokens, seen.held(RUN)[0]
    assert recorded <= counting.tokens <= recorded + held
    assert len(seen.open) <= kills + AGENTS
    assert seen.of(RUN).calls + len(seen.open) >= counting.calls
    assert counting.calls > kills
