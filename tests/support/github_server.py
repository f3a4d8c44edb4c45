"""What GitHub's API says about pull requests and issues, on loopback: enough for one repository."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from loopback_http import Answer, LoopbackServer, Request


@dataclass
class GitHubServer:
    """Keeps pull requests; `refuses` is what every request gets instead, while it is set."""

    token: str = "ghp_right"
    pulls: list[dict[str, object]] = field(default_factory=list)
    issues: dict[int, dict[str, object]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Method and path of every request."""
    refuses: Answer | None = None
    _server: LoopbackServer | None = None

    def start(self) -> str:
        """Its URL."""
        self._server = LoopbackServer(self._answer)
        self._server.start()
        return self.url

    def stop(self) -> None:
        assert self._server is not None
        self._server.stop()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.port}"

    def merge(self, number: int, sha: str) -> None:
        pull = self.pulls[number - 1]
        pull |= {"state": "closed", "merged_at": "2026-11-21T12:00:00Z", "merged": True}
        pull["head"] = {"ref": pull["head"]["ref"], "sha": sha}  # type: ignore[index]

    async def _answer(self, request: Request) -> Answer:
        self.asked.append(f"{request.method} {request.path}")
        if self.refuses is not None:
            return self.refuses
        if self.token not in request.headers.get("authorization", ""):
            return said(401, {"message": "Bad credentials"})
        if request.path.startswith("/repos/o/r/issues/"):
            return self._issue(request)
        if not request.path.startswith("/repos/o/r/pulls"):
            return said(404, {"message": "Not Found"})
        match request.method:
            case "GET":
                return said(200, self.pulls[::-1])
            case "POST":
                return self._open(json.loads(request.body))
            case _:
                pull = self.pulls[int(request.path.rpartition("/")[2]) - 1]
                pull |= json.loads(request.body)
                return said(200, pull)

    def _issue(self, request: Request) -> Answer:
        number = int(request.path.rpartition("/")[2])
        if number not in self.issues:
            return said(404, {"message": "Not Found"})
        if request.method == "PATCH":
            self.issues[number] |= json.loads(request.body)
        url = f"{self.url}/repos/o/r/issues/{number}"
        return said(200, {"number": number, "url": url, **self.issues[number]})

    def _open(self, body: Mapping[str, str]) -> Answer:
        number = len(self.pulls) + 1
        if any(pull["state"] == "open" and pull["head"] == {"ref": body["head"], "sha": ""} for pull in self.pulls):
            return said(422, {"message": "Validation Failed", "errors": [{"message": "A pull request already exists"}]})
        self.pulls.append(
            {
                "number": number,
                "state": "open",
                "title": body["title"],
                "body": body["body"],
                "url": f"{self.url}/repos/o/r/pulls/{number}",
                "html_url": f"https://github.example/o/r/pull/{number}",
                "head": {"ref": body["head"], "sha": ""},
                "base": {"ref": body["base"]},
                "merged_at": None,
            }
        )
        return said(201, self.pulls[-1])


def said(status: int, body: object, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, json.dumps(body).encode())
