"""A service on a free port, and calls to it."""

import http.client
import json
import threading
import unittest

from app.server import Service


class ServiceCase(unittest.TestCase):
    def setUp(self) -> None:
        self.service = Service()
        thread = threading.Thread(target=self.service.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.addCleanup(self.service.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(self.service.shutdown)

    def call(self, method: str, path: str, body: object = None):
        """Send a request; answers its status, headers and JSON body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.service.server_port, timeout=10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            return response.status, response.headers, json.loads(response.read())
        finally:
            connection.close()
