"""The links, in memory."""

import secrets
import threading

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class Links:
    """Codes and the addresses they lead to; many threads may use it at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._urls: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._urls)

    def add(self, url: str) -> str:
        """Keep an address under a new code."""
        while True:
            code = "".join(secrets.choice(ALPHABET) for _ in range(5))
            if self.put(code, url):
                return code

    def put(self, code: str, url: str) -> bool:
        """Keep an address under this code; False when the code is taken."""
        with self._lock:
            if code in self._urls:
                return False
            self._urls[code] = url
            return True

    def get(self, code: str) -> str | None:
        with self._lock:
            return self._urls.get(code)

    def all(self) -> dict[str, str]:
        """Every link, oldest first."""
        with self._lock:
            return dict(self._urls)
