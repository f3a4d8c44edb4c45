"""Does it do what the README says? python3 -m tools.try_out asks the service at $CALLBOARD_URL; with a path, that alone."""

import http.client
import json
import os
import sys
from urllib.parse import urlsplit

ADDRESS = "https://example.org/a/long/way"


def call(method: str, path: str, body: object = None):
    """Send a request; answers its status, headers and JSON body."""
    connection = http.client.HTTPConnection(urlsplit(os.environ["CALLBOARD_URL"]).netloc, timeout=10)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        return response.status, response.headers, json.loads(response.read())
    finally:
        connection.close()


def is_there(path: str) -> bool:
    status, _, said = call("GET", path)
    print(f"{path} answers {status}: {said}")
    return status == 200


def links_work() -> bool:
    kept, _, link = call("POST", "/links", {"url": ADDRESS})
    followed, headers, _ = call("GET", f"/go/{link.get('code')}")
    print(f"a link was kept ({kept}) and followed ({followed}) to {headers['Location']}")
    return (kept, followed, headers["Location"]) == (201, 302, ADDRESS)


if __name__ == "__main__":
    sys.exit(0 if (is_there(sys.argv[1]) if sys.argv[1:] else links_work()) else 1)
