"""Releases as compose projects of this computer, one for each slot, behind a proxy of their own."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from callboard.agents.deployment import docker
from callboard.agents.deployment.behind_proxy import Placed, ProxiedTarget
from callboard.agents.deployment.compose_file import (
    Switched,
    built_images,
    deployable,
    misplaced_secrets,
    read_model,
    stand_ins,
    switched,
)
from callboard.agents.deployment.compose_rules import Model, Scope, env_file_findings, findings
from callboard.agents.deployment.docker import Container, Docker
from callboard.agents.deployment.place import Place
from callboard.agents.deployment.processes import Detached
from callboard.agents.deployment.state import ReleaseRecord
from callboard.agents.deployment.target import Slot
from callboard.bus.errors import DeployFailed
from callboard.bus.whole_files import write_whole

_CONNECT_S = 2.0
_CONFIG_S = 120.0


class ComposeTarget(ProxiedTarget):
    """The target `compose`."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, Projects(place))


class Projects:
    """Each slot is a compose project; which release is in it, the label of its containers says."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._settings = place.settings.compose
        # projects are called by their names, so it says nothing where
        self._docker = Docker(place.environ, Path("/"))
        # of two workspaces with an environment of the same name, each has its own
        digest = hashlib.sha256(str(place.folder).encode()).hexdigest()[:8]
        self._images = f"callboard-{digest}-{place.environment}"

    def problems(self) -> tuple[str, ...]:
        try:
            found = docker.read_version(self._docker.run(docker.version()))
            if found < docker.LEAST:
                least = ".".join(map(str, docker.LEAST))
                return (
                    f"Docker Compose is {'.'.join(map(str, found))}, and {least} or newer is needed; update its plugin",
                )
            self._docker.run(docker.engine())
        except DeployFailed as error:
            return (f"target `compose` needs Docker with its Compose plugin and an engine that runs: {error}",)
        return ()

    def project(self, slot: Slot) -> str:
        return f"{self._images}-{slot}"

    # --- what is true ------------------------------------------------------------------------------

    def is_alive(self, record: ReleaseRecord) -> bool:
        """As the engine says. While it says nothing, whether its port is open: then Blue can still be switched to."""
        try:
            containers = self._containers(record)
        except DeployFailed:
            return _is_open(record.port)
        return any(one.is_switched and one.state == "running" for one in containers)

    def is_up(self, record: ReleaseRecord) -> bool:
        file = self._file(record)
        if not file.exists() or not self.is_alive(record):
            return False
        wanted = read_model(file.read_text())["services"]
        assert isinstance(wanted, dict)
        return wanted.keys() <= {one.service for one in self._containers(record)}

    def _containers(self, record: ReleaseRecord) -> tuple[Container, ...]:
        rows = docker.read_ps(self._docker.run(docker.ps(self.project(record.slot))))
        return tuple(one for one in rows if one.release == record.id)

    # --- starting and stopping ---------------------------------------------------------------------

    def start(self, record: ReleaseRecord, placed: Placed) -> ReleaseRecord:
        place, folder = self._place, self._place.release_folder(record.id)
        name = place.lot_name(record.slot)
        is_new = not self._containers(record)
        env = {**place.lot(name, is_new), **place.variables_of(record.id, record.commit)}
        tree = place.builder.make(folder, name, record.commit, env)
        started = record.model_copy(update={"port": int(env["CALLBOARD_PORT"])})
        placed(started)
        self._write(started, self._judged(started, tree, env))
        file, project, built = self._file(record), self.project(record.slot), folder / "images"
        if not built.exists():
            images = built_images(file.read_text())
            if images:
                self._docker.run(docker.build(project, file), self._settings.timeout_s)
            built.write_text("\n".join(images))
        self._docker.run(docker.up(project, file), self._settings.timeout_s, place.variables)
        self._follow(record, anew=is_new)
        return started

    def _judged(self, record: ReleaseRecord, tree: Path, env: Mapping[str, str]) -> tuple[Model, Switched]:
        """The file as it is resolved, once nothing in it is refused."""
        place, settings = self._place, self._settings
        raw = self._config(record, tree, env, interpolated=False)
        model = self._config(record, tree, env)
        at = switched(model, settings.service, settings.port)
        known = frozenset({*place.variables, *place.variables_of("", "")})
        scope = Scope(self.project(record.slot), at.service, at.port, _inside(tree), known)
        refused = [
            one for one in (*env_file_findings(raw, scope), *findings(model, scope)) if str(one) not in settings.allow
        ]
        if refused:
            raise DeployFailed(
                f"{settings.file} of {record.commit[:12]} reaches past its containers: {', '.join(map(str, refused))}; take that "
                f"out, or a person lets it by with `allow = [{', '.join(repr(str(one)) for one in refused)}]` in [deploy.compose]"
            )
        if misplaced := misplaced_secrets(model, place.secrets):
            raise DeployFailed(
                f"{settings.file} of {record.commit[:12]} has {', '.join(misplaced)} outside of a service's `environment`, where "
                "others could read it; name it there"
            )
        return model, at

    def _config(self, record: ReleaseRecord, tree: Path, env: Mapping[str, str], *, interpolated: bool = True) -> Model:
        """What the file comes to. Resolving it reads what it names, so that happens in the sandbox, without secrets."""
        place = self._place
        if not (tree / self._settings.file).is_file():
            raise DeployFailed(
                f"{self._settings.file} is not in {record.commit[:12]}; commit it, or set `file` in [deploy.compose]"
            )
        sandbox = place.builder.sandbox_of(place.lot_name(record.slot), place.release_folder(record.id))
        given = {**env, **place.variables, **stand_ins(place.secrets), **self._docker.env()}
        argv = docker.config(self.project(record.slot), self._settings.file, interpolated=interpolated)
        return read_model(self._docker.run(argv, _CONFIG_S, given, cwd=tree, before=sandbox.prefix(tree)))

    def _write(self, record: ReleaseRecord, judged: tuple[Model, Switched]) -> None:
        place, (model, at) = self._place, judged
        variables = {**dict.fromkeys(place.variables, ""), **place.variables_of(record.id, record.commit)}
        text = deployable(
            model,
            at,
            host_port=record.port,
            release=record.id,
            images=self._images,
            variables=variables,
            secrets=place.secrets,
        )
        try:
            write_whole(self._file(record), text)
        except OSError as error:
            raise DeployFailed(
                f"{self._file(record)} could not be written ({error.strerror}); make room there"
            ) from error

    def stop(self, record: ReleaseRecord) -> None:
        if self._containers(record):
            grace_s = self._place.settings.stop_s
            self._docker.run(docker.down(self.project(record.slot), grace_s), self._settings.timeout_s)
        self._follower(record).stop(1.0)

    def forget(self, record: ReleaseRecord) -> None:
        """Images that somebody else removed, or uses, are let be."""
        built = self._place.release_folder(record.id) / "images"
        names = built.read_text().split() if built.exists() else []
        if names:
            try:
                self._docker.run(docker.remove_images(names))
            except DeployFailed:
                return

    # --- what it prints ----------------------------------------------------------------------------

    def output(self, record: ReleaseRecord) -> None:
        if not self._follower(record).alive and self.is_alive(record):
            self._follow(record, anew=True)

    def _follow(self, record: ReleaseRecord, *, anew: bool) -> None:
        """Have the engine's log of it written to its file, from the beginning."""
        follower = self._follower(record)
        if follower.alive and not anew:
            return
        follower.stop(1.0)
        self._place.output(record.id).unlink(missing_ok=True)
        argv = [self._docker.binary or "docker", *docker.logs(self.project(record.slot))[1:]]
        follower.start(argv, cwd=self._place.folder, env=self._docker.env(), grace_s=1.0)

    def _follower(self, record: ReleaseRecord) -> Detached:
        # no release has a name with a point
        record_file = self._place.folder / "running" / f"{record.id}.log"
        return Detached(record_file, self._place.output(record.id), guarded=False)

    def _file(self, record: ReleaseRecord) -> Path:
        return self._place.release_folder(record.id) / "compose.json"


def _inside(tree: Path) -> Callable[[str], bool]:
    top = tree.resolve()

    def is_inside(path: str) -> bool:
        # what is resolved is absolute; else it is somewhere on the net
        return path.startswith("/") and Path(path).resolve().is_relative_to(top)

    return is_inside


def _is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), _CONNECT_S).close()
    except OSError:
        return False
    return True
