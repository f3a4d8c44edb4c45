"""A roster tells people what needs them: each thing once, over several launches, one of them killed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from loopback_http import Answer, LoopbackServer, Request
from roster import HANG_S, Workspace, task, until
from servers import free_port

from callboard.launch.outbox import Outbox, service_key

pytestmark = pytest.mark.long
ASKED = "q-1 (T-1) needs an answer"


class Service:
    def __init__(self) -> None:
        self.letters: list[str] = []
        """Title and text: what happens at once shares a letter."""
        self.server = LoopbackServer(self._answer)
        self.server.start()

    async def _answer(self, request: Request) -> Answer:
        told = json.loads(request.body)
        self.letters.append(f"{told['title']}\n{told['message']}")
        return Answer()


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.server.stop()


def is_delivered(made: Workspace, service: Service, url: str, words: str) -> bool:
    """It has arrived, and the outbox says so: who is killed in between sends it again."""
    if not any(words in letter for letter in service.letters):
        return False
    [path] = (made.path / ".callboard" / "notify").glob("*.json")
    kept = Outbox.load(path)
    return kept is not None and not kept.waiting[service_key(url)].notifications


def test_questions_and_the_end_of_a_run_are_told_once_over_launches_and_a_dead_service_disturbs_nothing(
    workspace: Callable[..., Workspace], service: Service
) -> None:
    alive, dead = f"json://127.0.0.1:{service.server.port}/", f"json://127.0.0.1:{free_port()}/"
    made = workspace(extra=f"[notify]\nurls = {json.dumps([alive, dead])}\nevery_s = 0.1\n")
    made.init(
        {
            "driver-1": task("1 - Ask", Writes="a.txt", Blocks="no key"),
            "driver-2": task("1 - Slow", Writes="b.txt", Takes="5"),
        }
    )

    tried = made.call("notify", "test", "--json")
    assert tried.returncode == 1
    assert [row["ok"] for row in json.loads(tried.stdout)["services"]] == [True, False]
    [letter] = service.letters
    assert "a test" in letter
    said = made.call("doctor").stdout
    assert "json://… can be read" in said
    service.letters.clear()

    begun = made.start()
    until(lambda: is_delivered(made, service, alive, ASKED))
    begun.kill()
    made.stop_everything()
    begun.communicate(timeout=HANG_S)

    code, output = made.launch()
    assert code == 4, output
    assert "callboard answer q-1" in output
    assert made.call("answer", "q-1", "here it is", "--as", "Ada").returncode == 0
    # it stays: the end of a launch gives a service ten seconds, which some machines do not have
    ending = made.start("--stay")
    until(lambda: is_delivered(made, service, alive, "has succeeded") or ending.poll() is not None)
    ending.terminate()
    output, _ = ending.communicate(timeout=HANG_S)
    assert ending.returncode == 0, output
    assert sum(ASKED in letter for letter in service.letters) == 1
    assert sum("has succeeded" in letter for letter in service.letters) == 1
    assert "answered by Ada" in " ".join(made.call("questions", "--all").stdout.split())
