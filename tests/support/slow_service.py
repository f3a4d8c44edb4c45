"""A service that takes its time, as one that asks a database: lognormal, its median in milliseconds and a factor given.

python -I -S slow_service.py MEDIAN_MS FACTOR SEED        prints its port
"""

import asyncio
import random
import sys

SPREAD = 0.4
"""Of the logarithm: the p95 is about twice the median."""


async def main(median_s: float, factor: float, seed: int) -> None:
    draw = random.Random(seed)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(factor * median_s * draw.lognormvariate(0.0, SPREAD))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the other side has gone
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) / 1000, float(sys.argv[2]), int(sys.argv[3])))
