"""The service that deployment tests deploy: it answers what its commit says, and is quick to start.

    python -I -S service.py

`/health`: 200, or as `behaviour.txt` beside it says. `/slow`: the same as elsewhere, 3 s later. Elsewhere: its release.

behaviour.txt, a word: `well`; `lies`: healthy, and 500 elsewhere; `sick`: 500 on /health; `deaf`: listens, answers nothing;
`dies`: ends at once; `stubborn`: as well, and ignores SIGTERM; `child`: as well, and leaves a process that ignores SIGTERM;
`turns`: as well, until it is told so by `/turn-health` or `/turn-rest`, and again when it is told once more;
`curious`: as well, and says what it could do that is none of its business.
"""

import asyncio
import os
import signal
import socket
import sys
import time
from pathlib import Path

BEHAVIOUR = Path(__file__).with_name("behaviour.txt").read_text().strip()
SLOW_S = 3.0
turned: set[bytes] = set()
"""What it was told to be bad at."""


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            path = head.split(b" ", 2)[1]
            if BEHAVIOUR == "deaf":
                await asyncio.sleep(3600)
            if path == b"/slow":
                await asyncio.sleep(SLOW_S)
            if BEHAVIOUR == "turns" and path in (b"/turn-health", b"/turn-rest"):
                turned.symmetric_difference_update({path})
                path = b"/turned"
            is_sick = (b"/turn-health" if path == b"/health" else b"/turn-rest") in turned and path != b"/turned"
            is_well = (not is_sick and BEHAVIOUR not in ("sick", "lies")) or (
                BEHAVIOUR == "lies" and path == b"/health"
            )
            said = os.environ["CALLBOARD_RELEASE"].encode()
            status = b"200 OK" if is_well else b"500 Broken"
            writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(said), said))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the other side has gone
    finally:
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", int(os.environ["CALLBOARD_PORT"]), backlog=512)
    print("serving", os.environ["CALLBOARD_RELEASE"], flush=True)
    async with server:
        await server.serve_forever()


def look_around() -> None:
    place = Path.cwd().parents[2]
    try:
        (place / "state.json").read_text()
    except OSError:
        print("cannot read state.json", flush=True)
    port = int(os.environ["SWITCH"])
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        print("cannot connect to", port, flush=True)


if __name__ == "__main__":
    if BEHAVIOUR == "dies":
        sys.exit("nothing here works")
    if BEHAVIOUR == "child" and os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        Path("child.pid").write_text(str(os.getpid()))
        time.sleep(3600)
    if BEHAVIOUR == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if BEHAVIOUR == "curious":
        look_around()
    asyncio.run(main())
