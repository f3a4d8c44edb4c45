"""Does it do what the README says? python3 -m tools.try_out asks the service at $CALLBOARD_URL."""

import http.client
import json
import os
import sys
from urllib.parse import urlsplit

ADDRESS = "https://example.org/a/long/way"


def call(method: str, path: str, body: object = None) -> tuple[int, http.client.HTTPMessage, dict[str, object]]:
    connection = http.client.HTTPConnection(urlsplit(os.environ["CALLBOARD_URL"]).netloc, timeout=10)
    connection.request(method, path, None if body is None else json.dumps(body))
    response = connection.getresponse()
    said = json.loads(response.read())
    connection.close()
    return response.status, response.headers, said


def main() -> int:
    kept, _, link = call("POST", "/links", {"url": ADDRESS})
    followed, headers, _ = call("GET", f"/go/{link.get('code')}")
    is_so = (kept, followed, headers["Location"]) == (201, 302, ADDRESS)
    print(f"a link was kept ({kept}) and followed ({followed}) to {headers['Location']}")
    return 0 if is_so else 1


if __name__ == "__main__":
    sys.exit(main())
