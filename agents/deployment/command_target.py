"""Releases wherever the user's own commands put them: another computer, a cluster, a provider of hosting."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from callboard.agents.deployment.flocks import held
from callboard.agents.deployment.health import look
from callboard.agents.deployment.place import Place
from callboard.agents.deployment.samples import Sample
from callboard.agents.deployment.state import EnvironmentState, Store, outdated, placed
from callboard.agents.deployment.target import Abilities, Health, Release
from callboard.agents.workspace.commands import run_command
from callboard.agents.workspace.environment import passed_on
from callboard.agents.workspace.sandbox import OFF
from callboard.bus.errors import DeployFailed
from callboard.bus.task import CommandResult

_ROW = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]{0,62}) (\d{1,3}) (https?://\S{1,200})")
_NEEDED = ("up", "switch", "down", "status")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `status`: a release that runs."""

    weight: int
    address: str


def read_status(text: str) -> dict[str, Row]:
    """Release -> what `status` says of it.

    Raises:
        ValueError: A line is none of `RELEASE WEIGHT ADDRESS`; the message quotes it.
    """
    rows: dict[str, Row] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        found = _ROW.fullmatch(line)
        if found is None:
            raise ValueError(
                f"expected lines of `RELEASE WEIGHT ADDRESS`, such as `r-2 100 https://app.example`, not {line[:100]!r}"
            )
        rows[found[1]] = Row(int(found[2]), found[3])
    return rows


class CommandTarget:
    """The target `command`: `[deploy.commands]`, run with the rights of whoever launched."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._commands = place.settings.commands
        self._store = Store(place.folder)

    @property
    def abilities(self) -> Abilities:
        return Abilities(weights=self._commands.weights, drain=bool(self._commands.drain), statistics=False)

    def problems(self) -> tuple[str, ...]:
        missing = [name for name in _NEEDED if not getattr(self._commands, name)]
        if missing:
            return (
                f"[deploy.commands] says nothing for {', '.join(missing)}; the target `command` needs it (docs/targets.md)",
            )
        try:
            self._store.read()
            self._status()
        except DeployFailed as error:
            return (str(error),)
        return ()

    def up(self, release: str, commit: str) -> Release:
        place, rows = self._place, self._status()
        with held(place.folder / "building" / f"{release}.lock", patience_s=0.0):
            state = self._store.change(lambda old: placed(old, release, commit, rows.__contains__, time.time()))
            if release not in rows:
                tree = place.builder.make(
                    self._folder(release),
                    f"deploy-{place.environment}",
                    commit,
                    place.lot(f"deploy-{place.environment}", False),
                )
                self._run("up", self._variables(release, state), tree)
            state = self._store.change(lambda old: old.model_copy(update={"intent": ""}))
            for one in outdated(state):
                place.builder.remove(self._folder(one.id))
        made = next((one for one in self.running() if one.id == release and one.alive), None)
        if made is None:
            raise DeployFailed(
                f"`up` of release {release} ended well, and `status` does not name it; see {self.output(release)}"
            )
        return made

    def running(self) -> tuple[Release, ...]:
        rows = self._status()
        found = []
        for record in self._store.read().holders():
            row = rows.get(record.id, Row(0, ""))
            found.append(Release(record.id, record.commit, record.slot, row.address, row.weight, record.id in rows))
        return tuple(found)

    def healthy(self, release: str) -> Health:
        settings = self._place.settings
        row = self._status().get(release, Row(0, ""))
        if not self._commands.health or not row.address:
            return look(row.address, settings.health, settings.health_timeout_s)
        result = self._try("health", {**self._variables(release, self._store.read()), "CALLBOARD_URL": row.address})
        status = 200 if result.passed else 0
        return Health(ok=result.passed, status=status, latency_s=result.duration_s, said=result.tail.strip()[-200:])

    def shift(self, weights: Mapping[str, int]) -> None:
        shares = {name: share for name, share in weights.items() if share}
        rows = self._status()
        if sum(shares.values()) != 100 or min(shares.values()) < 0:
            raise DeployFailed(f"weights are per cent and sum to 100, not {dict(weights)}; nothing was changed")
        if len(shares) > 1 and not self._commands.weights:
            raise DeployFailed(
                "this target switches all traffic at once ([deploy.commands] weights is false); nothing was changed"
            )
        if absent := sorted(shares.keys() - rows.keys()):
            raise DeployFailed(f"release {absent[0]} does not run, so it gets no traffic; nothing was changed")
        state = self._store.change(lambda old: old.model_copy(update={"weights": shares}))
        most = max(shares, key=lambda name: shares[name])
        listed = " ".join(f"{name}={share}" for name, share in sorted(shares.items()))
        self._run("switch", {**self._variables(most, state), "CALLBOARD_WEIGHTS": listed})
        stands = {name: row.weight for name, row in self._status().items() if row.weight}
        if stands != shares:
            raise DeployFailed(f"`switch` ended well, and `status` says that the traffic is {stands}, not {shares}")

    def drain(self, release: str, timeout_s: float) -> bool:
        if not self._commands.drain:
            return False
        variables = {**self._variables(release, self._store.read()), "CALLBOARD_TIMEOUT": f"{timeout_s:g}"}
        return self._try("drain", variables).passed

    def down(self, release: str) -> None:
        rows = self._status()
        others = [name for name in rows if name != release]
        if others and release in rows and rows[release].weight:
            raise DeployFailed(
                f"release {release} has {rows[release].weight} % of the traffic; give it to {others[0]} first"
            )
        state = self._store.read()
        if release in rows:
            self._run("down", self._variables(release, state))
            if release in self._status():
                raise DeployFailed(f"`down` of release {release} ended well, and `status` still names it")

        def without(old: EnvironmentState) -> EnvironmentState:
            slots = {slot: name for slot, name in old.slots.items() if name != release}
            return old.model_copy(update={"slots": slots})

        self._store.change(without)

    def requests(self, since: float) -> Sequence[Sample]:
        return ()

    def output(self, release: str) -> Path:
        return self._place.output(release)

    def _folder(self, release: str) -> Path:
        return self._place.release_folder(release)

    def _status(self) -> dict[str, Row]:
        try:
            return read_status(self._run("status", {}))
        except ValueError as error:
            raise DeployFailed(f"what `status` of [deploy.commands] printed cannot be read: {error}") from error

    def _variables(self, release: str, state: EnvironmentState) -> dict[str, str]:
        record = state.release(release)
        if record is None:
            raise DeployFailed(f"there is no release {release}; `callboard deployments` names those that are startable")
        return {"CALLBOARD_RELEASE": release, "CALLBOARD_COMMIT": record.commit, "CALLBOARD_SLOT": record.slot}

    def _run(self, name: str, variables: Mapping[str, str], cwd: Path | None = None) -> str:
        """Raises DeployFailed: it did not end well."""
        result = self._try(name, variables, cwd)
        if not result.passed:
            raise DeployFailed(
                f"`{name}` of [deploy.commands] ended with exit code {result.exit_code}: {result.tail.strip()[-500:] or 'no word'}"
            )
        return result.tail

    def _try(self, name: str, variables: Mapping[str, str], cwd: Path | None = None) -> CommandResult:
        place = self._place
        env = {**passed_on(["*"], place.environ), **place.variables, **variables, "CALLBOARD_ENV": place.environment}
        running = run_command(
            getattr(self._commands, name),
            cwd=cwd or place.folder,
            env=env,
            sandbox=OFF,
            timeout_s=self._commands.timeout_s,
            merge_stderr=name != "status",
        )
        finished = asyncio.run(running)
        said = finished.stdout.decode("utf-8", "replace")
        if release := variables.get("CALLBOARD_RELEASE"):
            self.output(release).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self.output(release).open("a") as file:
                file.write(said)
        # of `status` stdout alone counts: a warning on stderr is no release
        return finished.result.model_copy(update={"tail": said}) if finished.result.passed else finished.result
