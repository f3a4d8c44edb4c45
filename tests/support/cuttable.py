"""A way to a port of this machine that can be cut and mended: what runs over it is ended, and nobody gets through meanwhile."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Cuttable:
    """Relays connections to `port` on loopback, from `stop` on none any more."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._open: list[socket.socket] = []
        self._guard = threading.Lock()
        """Protects _open and _is_cut."""
        self._is_cut = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        with self._guard:
            self._is_cut = True
            for one in self._open:
                _end(one)
            self._open.clear()

    def mend(self) -> None:
        with self._guard:
            self._is_cut = False

    def stop(self) -> None:
        self.cut()
        _end(self._listening)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                with self._guard:
                    if self._is_cut:
                        near.close()
                        continue
                    far = socket.create_connection(("127.0.0.1", self._upstream))
                    self._open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_relay, args=(source, sink), daemon=True).start()


def _relay(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while said := source.recv(1 << 16):
            sink.sendall(said)
    _end(sink)


def _end(one: socket.socket) -> None:
    """Also for whoever waits for it in another thread."""
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
