"""Releases as processes of this computer, behind a proxy of their own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from callboard.agents.deployment.flocks import held
from callboard.agents.deployment.haproxy import Backend
from callboard.agents.deployment.health import look
from callboard.agents.deployment.place import Place
from callboard.agents.deployment.processes import Detached
from callboard.agents.deployment.proxy import Proxy, Seen
from callboard.agents.deployment.request_log import samples
from callboard.agents.deployment.samples import Sample
from callboard.agents.deployment.state import EnvironmentState, ReleaseRecord, Store, outdated, placed
from callboard.agents.deployment.target import SLOTS, Abilities, Health, Release, Slot
from callboard.bus.errors import DeployFailed

_LOOK_S = 0.05


class ProcessTarget:
    """The target `process`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._store = Store(place.folder)
        self._proxy = Proxy(place.folder, place.settings.host, place.settings.port, place.search, wheel=place.wheel)

    @property
    def abilities(self) -> Abilities:
        return Abilities(weights=True)

    def problems(self) -> tuple[str, ...]:
        found = []
        if sys.platform != "linux":
            found.append("target `process` needs Linux (it asks /proc what runs); take target `command`")
        if not self._place.settings.start:
            found.append('nothing says how the service is started: set `start = "..."` in [deploy]')
        try:
            self._store.read()
        except DeployFailed as error:
            found.append(str(error))
        return (*found, *self._proxy.problems())

    # --- releases ----------------------------------------------------------------------------------

    def up(self, release: str, commit: str) -> Release:
        place = self._place
        self._folder(release)
        with held(place.folder / "building" / f"{release}.lock", patience_s=0.0):
            state = self._store.change(lambda old: placed(old, release, commit, self._alive, time.time()))
            record = state.release(release)
            assert record is not None
            if not self._alive(release):
                record = self._start(record)
            self._open()
            state = self._store.change(lambda old: old.model_copy(update={"intent": ""}))
            self._forget(outdated(state))
            return self._release(record, self._proxy.seen())

    def _start(self, record: ReleaseRecord) -> ReleaseRecord:
        place = self._place
        name = f"deploy-{place.environment}-{record.slot}"
        env = dict(place.lot(name, True))
        env |= {"CALLBOARD_ENV": place.environment, "CALLBOARD_RELEASE": record.id, "CALLBOARD_COMMIT": record.commit}
        # what is built may be copied anywhere, so the service's secrets are for the service alone
        tree = place.builder.make(self._folder(record.id), name, record.commit, env)
        started = record.model_copy(update={"port": int(env["CALLBOARD_PORT"])})
        self._store.change(lambda old: _with(old, started))
        sandbox = place.builder.sandbox_of(name, self._folder(record.id)).allowing(listen=[started.port])
        argv = [*sandbox.prefix(tree), "/bin/sh", "-c", place.settings.start]
        self._process(record.id).start(argv, cwd=tree, env={**env, **place.variables}, grace_s=place.settings.stop_s)
        return started

    def running(self) -> tuple[Release, ...]:
        seen = self._proxy.seen()
        return tuple(self._release(record, seen) for record in self._store.read().holders())

    def healthy(self, release: str) -> Health:
        record = self._store.read().release(release)
        settings = self._place.settings
        address = self._address(record) if record is not None and self._alive(release) else ""
        return look(address, settings.health, settings.health_timeout_s)

    def down(self, release: str) -> None:
        state = self._store.read()
        others = [one.id for one in state.holders() if one.id != release and self._alive(one.id)]
        if others and state.weights.get(release, 0) > 0:
            raise DeployFailed(
                f"release {release} has {state.weights[release]} % of the traffic; give it to {others[0]} first"
            )
        self._store.change(
            lambda old: old.model_copy(update={"intent": f"down {release}", "weights": _less(old, release)})
        )
        if self._proxy.alive and state.release(release) is not None:
            self._open()
        self._process(release).stop(self._place.settings.stop_s)
        state = self._store.change(lambda old: old.model_copy(update={"intent": "", "slots": _without(old, release)}))
        if not any(self._alive(one.id) for one in state.holders()):
            self._proxy.stop()
        elif self._proxy.alive:
            self._open()

    # --- traffic -----------------------------------------------------------------------------------

    def shift(self, weights: Mapping[str, int]) -> None:
        state = self._store.read()
        _check(weights, state, self._alive)

        def wanted(old: EnvironmentState) -> EnvironmentState:
            return old.model_copy(update={"weights": dict(weights)})

        self._store.change(wanted)
        self._open()

    def drain(self, release: str, timeout_s: float) -> bool:
        state = self._store.read()
        if state.weights.get(release):
            raise DeployFailed(
                f"release {release} has {state.weights[release]} % of the traffic; give it to another one first"
            )
        record = state.release(release)
        until = time.monotonic() + timeout_s
        while record is not None and record in state.holders():
            seen = self._proxy.seen().get(record.slot)
            if seen is None or not seen.busy:
                break
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK_S)
        return True

    def _open(self) -> None:
        """Have the proxy run and stand as is written; while it is told, nobody writes anything else."""
        with self._store.alone() as state:
            backends = [self._backend(slot, state) for slot in SLOTS]
            self._proxy.ensure(backends)
            self._proxy.tell(backends)

    def _backend(self, slot: Slot, state: EnvironmentState) -> Backend:
        record = state.release(state.slots.get(slot, ""))
        if record is None:
            return Backend(slot, 0, 0)
        return Backend(slot, record.port, state.weights.get(record.id, 0))

    def requests(self, since: float) -> Sequence[Sample]:
        return samples(self._proxy.log(), since, self._store.read().releases)

    # --- where things are --------------------------------------------------------------------------

    def output(self, release: str) -> Path:
        return self._folder(release) / "output.log"

    def process(self, release: str) -> int:
        """See saturation.HasProcesses."""
        return self._process(release).pid

    def _folder(self, release: str) -> Path:
        return self._place.release_folder(release)

    def _process(self, release: str) -> Detached:
        return Detached(self._place.folder / "running" / release, self.output(release))

    def _alive(self, release: str) -> bool:
        return self._process(release).alive

    def _address(self, record: ReleaseRecord) -> str:
        return f"http://127.0.0.1:{record.port}"

    def _release(self, record: ReleaseRecord, seen: Mapping[Slot, Seen]) -> Release:
        alive, there = self._alive(record.id), seen.get(record.slot)
        made = Release(record.id, record.commit, record.slot, self._address(record), 0, alive)
        if there is not None and there.port == record.port:
            made = replace(made, weight=there.weight)
        return made if alive else replace(made, address="")

    def _forget(self, records: Sequence[ReleaseRecord]) -> None:
        gone = {one.id for one in records}
        if gone:
            self._store.change(
                lambda old: old.model_copy(
                    update={"releases": tuple(one for one in old.releases if one.id not in gone)}
                )
            )
        for one in records:
            self._place.builder.remove(self._folder(one.id))


def _check(weights: Mapping[str, int], state: EnvironmentState, alive: Callable[[str], bool]) -> None:
    shares = [share for share in weights.values() if share]
    if sum(shares) != 100 or min(shares) < 0:
        raise DeployFailed(f"weights are per cent and sum to 100, not {dict(weights)}; nothing was changed")
    places = {record.id for record in state.holders()}
    for release, share in weights.items():
        if share and (release not in places or not alive(release)):
            raise DeployFailed(f"release {release} does not run, so it gets no traffic; nothing was changed")


def _with(state: EnvironmentState, record: ReleaseRecord) -> EnvironmentState:
    releases = tuple(record if one.id == record.id else one for one in state.releases)
    return state.model_copy(update={"releases": releases})


def _less(state: EnvironmentState, release: str) -> dict[str, int]:
    return {name: share for name, share in state.weights.items() if name != release}


def _without(state: EnvironmentState, release: str) -> dict[Slot, str]:
    return {slot: name for slot, name in state.slots.items() if name != release}
