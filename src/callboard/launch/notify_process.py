"""Sends one notification, in a process of its own: Apprise takes a second to import, and a service may hang for ever.

stdin: {"url", "title", "text"}. Exit code 0: the service took it. Else stderr's last line says why.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from dataclasses import dataclass

from callboard.bus.errors import NotificationFailed

LONGEST_S = 30.0
"""A service gets so long for one message."""


@dataclass(frozen=True, slots=True)
class Message:
    url: str
    title: str
    text: str


def argv() -> list[str]:
    return [sys.executable, "-m", "callboard.launch.notify_process"]


async def send(message: Message, environ: Mapping[str, str], *, timeout_s: float = LONGEST_S) -> None:
    """Send it and wait, for so long at most; cancelled, nothing is left running.

    Raises:
        NotificationFailed: The service did not take it; the message says why.
    """
    given = json.dumps({"url": message.url, "title": message.title, "text": message.text})
    process = await asyncio.create_subprocess_exec(
        *argv(), env=dict(environ), stdin=PIPE, stdout=DEVNULL, stderr=PIPE, start_new_session=True
    )
    try:
        async with asyncio.timeout(timeout_s):
            _, said = await process.communicate(given.encode())
    except TimeoutError as error:
        raise NotificationFailed(f"nothing was answered within {timeout_s:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        lines = said.decode("utf-8", "replace").strip().splitlines()
        raise NotificationFailed(lines[-1][:300] if lines else f"the sender exited {process.returncode}")


def main() -> int:
    """As the process."""
    import apprise

    signal.alarm(int(2 * LONGEST_S))  # whoever started it may be gone
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    given = json.load(sys.stdin)
    service = apprise.Apprise.instantiate(given["url"])
    if not isinstance(service, apprise.NotifyBase):
        print("Apprise cannot read the URL: see its list of services", file=sys.stderr)
        return 2
    took = service.notify(body=given["text"], title=given["title"], body_format=apprise.NotifyFormat.TEXT)
    sys.stderr.flush()
    return 0 if took else 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # threads that a plug-in left behind would hold it up
