"""The HTTP server: reads a request, finds its route, sends the answer."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from app import routes
from app.routing import Answer, Request, find
from app.store import Links

MAX_BODY = 10_000
routes.load()


class Service(ThreadingHTTPServer):
    request_queue_size = 64

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.links = Links()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self.send(self.answer())

    do_POST = do_PUT = do_DELETE = do_GET

    def answer(self) -> Answer:
        parts = urlsplit(self.path)
        found = find(self.command, parts.path)
        if found is None:
            return Answer(404, {"error": f"there is no {self.command} {parts.path}"})
        handle, arguments = found
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), MAX_BODY))
        return handle(Request(parts.query, body, self.server.links), **arguments)

    def send(self, answer: Answer) -> None:
        body = json.dumps(answer.body).encode() + b"\n"
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged yet."""
