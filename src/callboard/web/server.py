"""Serves the application until somebody ends it."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import uvicorn
from loguru import logger
from starlette.types import ASGIApp

from callboard.app import Workspace
from callboard.bus.errors import RosterError
from callboard.launch.log_form import log_form, scrubbed
from callboard.web.app import create
from callboard.web.listening import listen

GRACE_S = 2
"""How long requests that are under way may take once it is to end; streams of events never end by themselves."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is served."""

    host: str
    port: int
    """0 = any that is free."""
    root_path: str = ""
    """Where a proxy in front of it has put it."""
    proxies: tuple[str, ...] = ()
    """Addresses and networks of proxies whose X-Forwarded-For and -Proto are believed."""


def serve(workspace: Workspace, place: Place, say: Callable[[str], None]) -> None:
    """Serve the API and the dashboard until SIGINT or SIGTERM.

    Args:
        say: Told its address, once it listens there.

    Raises:
        RosterError: Nobody can listen there.
    """
    log_to_stderr(workspace)
    serve_app(create(workspace, root_path=place.root_path, host=place.host), place, say)


def serve_app(app: ASGIApp, place: Place, say: Callable[[str], None]) -> None:
    """The same, of any application."""
    listening = _listen(place)
    address = f"http://{_shown(place.host)}:{listening.getsockname()[1]}{place.root_path}"
    say(address)
    with listening:
        asyncio.run(uvicorn.Server(config(app, proxies=place.proxies)).serve([listening]))


def config(app: ASGIApp, *, grace_s: int = GRACE_S, proxies: Sequence[str] = ()) -> uvicorn.Config:
    """How an application is served, wherever it is."""
    return uvicorn.Config(
        app,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies) or None,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=grace_s,
    )


def _listen(place: Place) -> socket.socket:
    try:
        return listen(place.host, place.port)
    except OSError as error:
        raise RosterError(
            f"nobody can listen on {_shown(place.host)}:{place.port}: {error.strerror or error}; name another with --port, or --port 0 "
            "for any that is free"
        ) from error


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class _ToLoguru(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        logger.opt(exception=error).log(record.levelname, record.getMessage())


def log_to_stderr(workspace: Workspace) -> None:
    """Our own lines and the server's, without secrets."""

    log = workspace.settings.log
    scrub = scrubbed(workspace.redactor, log.format)

    def write(message: str) -> None:
        sys.stderr.write(scrub(message))

    logger.remove()
    level = "WARNING" if log.level == "info" else log.level.upper()
    logger.add(write, level=level, format=log_form("serve", log.format), backtrace=False, diagnose=False)
    logging.basicConfig(handlers=[_ToLoguru()], level=logging.WARNING, force=True)
