"""Releases as processes of this computer, behind a proxy of their own."""

from __future__ import annotations

import sys

from callboard.agents.deployment.behind_proxy import Placed, ProxiedTarget
from callboard.agents.deployment.place import Place
from callboard.agents.deployment.processes import Detached
from callboard.agents.deployment.state import ReleaseRecord


class ProcessTarget(ProxiedTarget):
    """The target `process`."""

    def __init__(self, place: Place) -> None:
        self._processes = Processes(place)
        super().__init__(place, self._processes)

    def process(self, release: str) -> int:
        """See saturation.HasProcesses."""
        return self._processes.of(release).pid


class Processes:
    """Each release is what `[deploy] start` begins, in a session of its own."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def problems(self) -> tuple[str, ...]:
        found = []
        if sys.platform != "linux":
            found.append("target `process` needs Linux (it asks /proc what runs); take target `command`")
        if not self._place.settings.start:
            found.append('nothing says how the service is started: set `start = "..."` in [deploy]')
        return tuple(found)

    def of(self, release: str) -> Detached:
        return Detached(self._place.folder / "running" / release, self._place.output(release))

    def is_alive(self, record: ReleaseRecord) -> bool:
        return self.of(record.id).alive

    def is_up(self, record: ReleaseRecord) -> bool:
        return self.is_alive(record)

    def start(self, record: ReleaseRecord, placed: Placed) -> ReleaseRecord:
        place, folder = self._place, self._place.release_folder(record.id)
        name = place.lot_name(record.slot)
        env = {**place.lot(name, True), **place.variables_of(record.id, record.commit)}
        # what is built may be copied anywhere, so the service's secrets are for the service alone
        tree = place.builder.make(folder, name, record.commit, env)
        started = record.model_copy(update={"port": int(env["CALLBOARD_PORT"])})
        placed(started)
        sandbox = place.builder.sandbox_of(name, folder).allowing(listen=[started.port])
        argv = [*sandbox.prefix(tree), "/bin/sh", "-c", place.settings.start]
        self.of(record.id).start(argv, cwd=tree, env={**env, **place.variables}, grace_s=place.settings.stop_s)
        return started

    def stop(self, record: ReleaseRecord) -> None:
        self.of(record.id).stop(self._place.settings.stop_s)

    def output(self, record: ReleaseRecord) -> None:
        """It writes there itself."""

    def forget(self, record: ReleaseRecord) -> None:
        """Its folder is all there is."""
