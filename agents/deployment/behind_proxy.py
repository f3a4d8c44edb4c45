"""Releases of this computer behind a proxy of their own; how each of them runs is plugged in."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from callboard.agents.deployment.flocks import held
from callboard.agents.deployment.haproxy import Backend
from callboard.agents.deployment.health import look
from callboard.agents.deployment.place import Place
from callboard.agents.deployment.proxy import Proxy, Seen
from callboard.agents.deployment.request_log import samples
from callboard.agents.deployment.samples import Sample
from callboard.agents.deployment.state import EnvironmentState, ReleaseRecord, Store, outdated, placed
from callboard.agents.deployment.target import SLOTS, Abilities, Health, Release, Slot
from callboard.bus.errors import DeployFailed

_LOOK_S = 0.05

Placed = Callable[[ReleaseRecord], None]
"""Gets a release with its port before anything listens there; it is on the disk when this returns."""


class Runs(Protocol):
    """How one release runs, in its slot. Each call may be made again."""

    def problems(self) -> tuple[str, ...]:
        """Why nothing can be started here, each with the way out."""
        ...

    def is_alive(self, record: ReleaseRecord) -> bool: ...

    def is_up(self, record: ReleaseRecord) -> bool:
        """Whether nothing of it is still to be started."""
        ...

    def start(self, record: ReleaseRecord, placed: Placed) -> ReleaseRecord:
        """Build it where it was not built yet, and start what does not run.

        Raises:
            DeployFailed: It could not be.
        """
        ...

    def stop(self, record: ReleaseRecord) -> None:
        """Raises DeployFailed: It does not end."""
        ...

    def output(self, record: ReleaseRecord) -> None:
        """Have the file with what it printed be up to date from now on."""
        ...

    def forget(self, record: ReleaseRecord) -> None:
        """Remove what was kept for starting it again."""
        ...


class ProxiedTarget:
    """A target whose switch is HAProxy."""

    def __init__(self, place: Place, runs: Runs) -> None:
        self._place = place
        self._runs = runs
        self._store = Store(place.folder)
        self._proxy = Proxy(place.folder, place.settings.host, place.settings.port, place.environ.get("PATH"))

    @property
    def abilities(self) -> Abilities:
        return Abilities(weights=True, drain=True, statistics=True)

    def problems(self) -> tuple[str, ...]:
        found = list(self._runs.problems())
        try:
            self._store.read()
        except DeployFailed as error:
            found.append(str(error))
        return (*found, *self._proxy.problems())

    # --- releases ----------------------------------------------------------------------------------

    def up(self, release: str, commit: str) -> Release:
        place = self._place
        place.release_folder(release)
        if problems := self._runs.problems():
            raise DeployFailed(problems[0])
        with held(place.folder / "building" / f"{release}.lock", patience_s=0.0):
            state = self._store.change(lambda old: placed(old, release, commit, self._alive_in(old), time.time()))
            record = state.release(release)
            assert record is not None
            if not self._runs.is_up(record):
                record = self._runs.start(record, self._note)
            self._open()
            state = self._store.change(lambda old: old.model_copy(update={"intent": ""}))
            self._forget(outdated(state))
            return self._release(record, self._proxy.seen())

    def running(self) -> tuple[Release, ...]:
        seen = self._proxy.seen()
        return tuple(self._release(record, seen) for record in self._store.read().holders())

    def healthy(self, release: str) -> Health:
        record = self._store.read().release(release)
        settings = self._place.settings
        address = _address(record) if record is not None and self._runs.is_alive(record) else ""
        return look(address, settings.health, settings.health_timeout_s)

    def down(self, release: str) -> None:
        state = self._store.read()
        others = [one.id for one in state.holders() if one.id != release and self._runs.is_alive(one)]
        if others and state.weights.get(release, 0) > 0:
            raise DeployFailed(
                f"release {release} has {state.weights[release]} % of the traffic; give it to {others[0]} first"
            )
        if self._proxy.trial.names(release):
            self.end_trial()
        self._store.change(
            lambda old: old.model_copy(update={"intent": f"down {release}", "weights": _less(old, release)})
        )
        record = state.release(release)
        if record is not None:
            if self._proxy.alive:
                self._open()
            self._runs.stop(record)
        state = self._store.change(lambda old: old.model_copy(update={"intent": "", "slots": _without(old, release)}))
        if not any(self._runs.is_alive(one) for one in state.holders()):
            self._proxy.stop()
        elif self._proxy.alive:
            self._open()

    # --- traffic -----------------------------------------------------------------------------------

    def shift(self, weights: Mapping[str, int]) -> None:
        state = self._store.read()
        _check(weights, state, self._alive_in(state))

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

    def shut(self) -> None:
        """See target.CanShut."""
        self._store.change(lambda old: old.model_copy(update={"weights": {}}))
        self.end_trial()
        if self._proxy.alive:
            self._open()

    def _open(self) -> None:
        """Have the proxy run and stand as is written; while it is told, nobody writes anything else."""
        with self._store.alone() as state:
            self._stand(state)

    def _stand(self, state: EnvironmentState) -> None:
        backends = [_backend(slot, state) for slot in SLOTS]
        self._proxy.ensure(backends)
        self._proxy.tell(backends)

    def reopen(self) -> bool:
        """See target.CanReopen."""
        if self._proxy.is_kept:
            return False
        with self._store.alone() as state:
            alive = self._alive_in(state)
            if self._proxy.is_kept or not any(share and alive(name) for name, share in state.weights.items()):
                return False
            if not self._proxy.alive:
                self._proxy.note_death()
            self._stand(state)
            return True

    # --- trials ------------------------------------------------------------------------------------

    def try_out(self, green: str, blue: str) -> str:
        """See target.TriesOut."""
        with self._store.alone() as state:
            then = state.model_copy(update={"weights": {blue: 100}})
            before = self._proxy.trial.given_back
            backends = [_backend(slot, then) for slot in SLOTS]
            self._proxy.try_out(green, blue, backends, self._store.path, self._store.lock)
            return str(before) if before is not None and before.green == green else ""

    def end_trial(self) -> None:
        """See target.TriesOut."""
        with self._store.alone():
            self._proxy.trial.end()

    def give_back(self) -> None:
        """See target.TriesOut."""
        self._proxy.trial.give_back()

    def notices(self) -> tuple[str, ...]:
        """See target.HasNotices."""
        found = []
        if deaths := self._proxy.deaths:
            last = datetime.fromtimestamp(deaths[-1], UTC)
            found.append(
                f"HAProxy ended by itself {len(deaths)} times, last at {last:%Y-%m-%d %H:%M:%SZ}, and was started again"
            )
        weights = self._store.read().weights
        if weights and not self._proxy.alive:
            found.append(
                f"HAProxy does not run, so nobody answers on port {self._place.settings.port}; a launch whose roster has the "
                "deployment agent starts it"
            )
        trial = self._proxy.trial
        if trial.given_back is not None:
            found.append(f"{trial.given_back}; `callboard launch` goes on with it, `callboard rollback` ends it")
        elif weights.get(trial.unwatched):
            found.append(
                f"nobody watches {trial.unwatched}, and Blue could not be given everything yet; `callboard launch` goes on, "
                "`callboard rollback` goes back"
            )
        return tuple(found)

    def requests(self, since: float) -> Sequence[Sample]:
        return samples(self._proxy.log(), since, self._store.read().releases)

    # --- where things are --------------------------------------------------------------------------

    def output(self, release: str) -> Path:
        record = self._store.read().release(release)
        if record is not None:
            self._runs.output(record)
        return self._place.output(release)

    def _note(self, record: ReleaseRecord) -> None:
        self._store.change(lambda old: _with(old, record))

    def _alive_in(self, state: EnvironmentState) -> Callable[[str], bool]:
        def alive(release: str) -> bool:
            record = state.release(release)
            return record is not None and self._runs.is_alive(record)

        return alive

    def _release(self, record: ReleaseRecord, seen: Mapping[Slot, Seen]) -> Release:
        alive, there = self._runs.is_alive(record), seen.get(record.slot)
        made = Release(record.id, record.commit, record.slot, _address(record), 0, alive)
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
            self._runs.forget(one)
            self._place.builder.remove(self._place.release_folder(one.id))


def _address(record: ReleaseRecord) -> str:
    return f"http://127.0.0.1:{record.port}"


def _backend(slot: Slot, state: EnvironmentState) -> Backend:
    record = state.release(state.slots.get(slot, ""))
    if record is None:
        return Backend(slot, 0, 0)
    return Backend(slot, record.port, state.weights.get(record.id, 0))


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
