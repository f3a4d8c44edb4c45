"""A fake `docker` with its Compose plugin, as far as the target `compose` asks: containers are processes of this computer.

    python -I -S fake_docker.py FOLDER docker's arguments ...

FOLDER holds what an engine would: `engine.json` (projects, containers, images), `calls` (a line for each call), and, where a
test puts them, `dead` (no engine answers), `compose` (another version) and `fails-WORD` (that command fails with its text).
Compose files are JSON, which is YAML; `config` resolves ports, build, environment and variables, and no more.
A container is `command`, run in its image's context with CALLBOARD_PORT as the port published on this computer.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn, cast

HOME = Path(sys.argv[1])
STATE = HOME / "engine.json"
Engine = dict[str, Any]


def state() -> Engine:
    return cast(Engine, json.loads(STATE.read_text())) if STATE.exists() else {"containers": [], "images": {}}


def keep(changed: Engine) -> None:
    new = STATE.with_suffix(f".{os.getpid()}")
    new.write_text(json.dumps(changed))
    new.replace(STATE)


def fail(text: str, code: int = 1) -> NoReturn:
    print(text, file=sys.stderr)
    sys.exit(code)


def need_engine() -> None:
    if (HOME / "dead").exists():
        fail("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?")


def filled(value: Any) -> Any:
    """Variables filled in, and `$` doubled, as Compose prints it."""
    if isinstance(value, dict):
        return {key: filled(one) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one) for one in value]
    if not isinstance(value, str):
        return value
    text = re.sub(r"\$\{(\w+)\}", lambda m: os.environ.get(m[1], ""), value.replace("$$", "\0"))
    return text.replace("$", "$$").replace("\0", "$$")


def port(text: object) -> dict[str, Any]:
    *front, target = str(text).split(":")
    row: dict[str, Any] = {"mode": "ingress", "target": int(target), "protocol": "tcp"}
    if front:
        row["published"] = front[-1]
    return {**row, **({"host_ip": front[0]} if len(front) > 1 else {})}


def config(file: str, project: str, raw: bool) -> None:
    read = json.loads(Path(file).read_text())
    model = read if raw else filled(read)
    for one in model["services"].values():
        one["ports"] = [port(each) if not isinstance(each, dict) else each for each in one.get("ports", ())]
        if isinstance(one.get("build"), str):
            one["build"] = {"context": os.path.normpath(Path.cwd() / one["build"]), "dockerfile": "Dockerfile"}
        if not raw and isinstance(one.get("environment"), list):
            one["environment"] = {name: os.environ.get(name) for name in one["environment"]}
    for kind in ("networks", "volumes"):
        for name, table in model.get(kind, {}).items():
            table.setdefault("name", f"{project}_{name}")
    print(json.dumps({"name": project, **model}))


def alive(pid: int) -> bool:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] not in "ZX"


def build(file: str, project: str) -> None:
    now = state()
    for one in json.loads(Path(file).read_text())["services"].values():
        if one.get("build"):
            now["images"][one["image"]] = one["build"]["context"]
    keep(now)


def up(file: str, project: str) -> None:
    now, model = state(), json.loads(Path(file).read_text())
    for name, one in model["services"].items():
        known = [box for box in now["containers"] if (box["project"], box["service"]) == (project, name)]
        same = json.dumps(one, sort_keys=True)
        if known and known[0]["config"] == same and alive(known[0]["pid"]):
            continue
        for box in known:
            stop(box)
            now["containers"].remove(box)
        image = one["image"]
        if one.get("build") and image not in now["images"]:
            fail(f"Error response from daemon: No such image: {image}")
        published = [each for each in one.get("ports", ()) if each.get("published")]
        log = HOME / f"{project}-{name}-{time.time_ns()}.log"
        given = {
            key: os.environ.get(key, "") if value is None else re.sub(r"\$\{(\w+)\}", lambda m: os.environ[m[1]], value)
            for key, value in (one.get("environment") or {}).items()
        }
        with log.open("w") as file_of_log:
            process = subprocess.Popen(
                one.get("command") or ["sleep", "3600"],
                cwd=now["images"].get(image, HOME),
                env={
                    "PATH": os.environ["PATH"],
                    **given,
                    "CALLBOARD_PORT": published[0]["published"] if published else "",
                },
                stdout=file_of_log,
                stderr=file_of_log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        # an engine holds its containers, whoever asked for them
        box = {"project": project, "service": name, "pid": process.pid, "config": same, "log": str(log)}
        now["containers"].append({**box, "labels": one.get("labels") or {}})
        keep(now)


def stop(box: dict[str, Any]) -> None:
    for number, patience in ((signal.SIGTERM, 1.0), (signal.SIGKILL, 10.0)):
        until = time.monotonic() + patience
        while alive(box["pid"]) and time.monotonic() < until:
            try:
                os.killpg(box["pid"], number)
            except ProcessLookupError:
                break
            time.sleep(0.01)


def ps(project: str) -> None:
    for box in state()["containers"]:
        if box["project"] == project:
            labels = ",".join(f"{key}={value}" for key, value in box["labels"].items())
            row = {"Service": box["service"], "State": "running" if alive(box["pid"]) else "exited"}
            print(json.dumps({**row, "Labels": f"com.docker.compose.project={project},{labels}"}))


def logs(project: str) -> None:
    boxes = [box for box in state()["containers"] if box["project"] == project]
    places: dict[str, int] = {}
    while True:
        live = any(alive(box["pid"]) for box in boxes)
        for box in boxes:
            with Path(box["log"]).open() as file:
                file.seek(places.get(box["log"], 0))
                print(file.read(), end="", flush=True)
                places[box["log"]] = file.tell()
        if not live:
            return
        time.sleep(0.05)


def down(project: str) -> None:
    now = state()
    for box in [box for box in now["containers"] if box["project"] == project]:
        stop(box)
        now["containers"].remove(box)
        keep(now)


def main(words: list[str]) -> None:
    with (HOME / "calls").open("a") as calls:
        calls.write(" ".join(words) + "\n")
    given: dict[str, str] = {}
    if words[0] == "compose":
        words = words[1:]
        while words[0] in ("-p", "-f"):
            given[words[0]], words = words[1], words[2:]
    word = words[1] if words[0] == "image" else words[0]
    if (HOME / f"fails-{word}").exists():
        fail((HOME / f"fails-{word}").read_text())
    project, file = given.get("-p", ""), given.get("-f", "")
    if words == ["version", "--short"]:
        print((HOME / "compose").read_text() if (HOME / "compose").exists() else "2.40.3")
        return
    if word == "config":
        config(file, project, "--no-interpolate" in words)
        return
    need_engine()
    match word:
        case "version":
            print("28.2.2")
        case "build":
            build(file, project)
        case "up":
            up(file, project)
        case "ps":
            ps(project)
        case "logs":
            logs(project)
        case "down":
            down(project)
        case "rm":
            now = state()
            keep({**now, "images": {name: at for name, at in now["images"].items() if name not in words}})
        case _:
            fail(f"fake docker does not know {words}", 64)


if __name__ == "__main__":
    main(sys.argv[2:])
