"""A bare repository behind HTTPS on loopback: `git http-backend` (git's own CGI program), for whoever has the right login."""

from __future__ import annotations

import os
import ssl
import subprocess
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from certificates import Certificates

TOKEN = "ghp_right"
LOGIN = "Basic " + b64encode(f"x-access-token:{TOKEN}".encode()).decode()


class GitHttps:
    """Serves one folder's repositories while it is entered.

    Args:
        root: Where the bare repositories lie.
    """

    def __init__(self, root: Path, certificates: Certificates) -> None:
        self.asked: list[tuple[str, bool]] = []
        """Path and query of each request, and whether it was logged in."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(root, self.asked))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.server, certificates.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> GitHttps:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(root: Path, asked: list[tuple[str, bool]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            is_known = self.headers.get("Authorization") == LOGIN
            asked.append((self.path, is_known))
            if not is_known:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            head, _, content = self._backend(body).partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(fields.pop("Status", "200 OK").split()[0]))
            for name, value in {**fields, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def _backend(self, body: bytes) -> bytes:
            path, _, query = self.path.partition("?")
            env = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_NOSYSTEM": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "REMOTE_USER": "x-access-token",
            }
            return subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, check=True).stdout

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
