"""How fast are redirects? python3 -m tools.baseline starts the service, follows 200 of them, and says the median."""

import http.client
import statistics
import sys
import threading
import time

from app.server import Service

LIMIT_MS = 250.0


def measure(service: Service, code: str) -> float:
    """Milliseconds that one redirect takes."""
    start = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", service.server_port, timeout=10)
    connection.request("GET", f"/go/{code}")
    connection.getresponse().read()
    connection.close()
    return (time.perf_counter() - start) * 1000


def main() -> int:
    service = Service()
    threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    code = service.links.add("https://example.org/")
    times = [measure(service, code) for _ in range(200)]
    service.shutdown()
    median = statistics.median(times)
    print(f"200 redirects: median {median:.1f} ms, slowest {max(times):.1f} ms, limit {LIMIT_MS:.0f} ms for the median")
    return 0 if median <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
