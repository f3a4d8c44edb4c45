"""What `callboard init` would write, given what it found; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from callboard.agents.brains.mcp.entries import REPOSITORY_FILE
from callboard.agents.workspace.preflight import name_problems
from callboard.cli.init_brains import UsableCli, choose_brains, found_note, way_to_brains
from callboard.directions.templates import direction_template
from callboard.settings import FILE, PathSettings, Settings, default_toml
from callboard.settings.template import DEFAULT_ROSTER

FOLDERS = ("directions", "feedback", "roles")
SPARE = "callboard-"
"""Put in front of a name that is taken."""


@dataclass(frozen=True, slots=True)
class Guess:
    """Commands that a file of the repository suggests."""

    setup: tuple[str, ...] = ()
    setup_inputs: tuple[str, ...] = ()
    gate: tuple[str, ...] = ()
    because: str = ""
    """The file; "" = nothing was guessed."""


@dataclass(frozen=True, slots=True)
class Found:
    """The repository as it is."""

    files: frozenset[str]
    """Paths in its top folder, and those of all folders that init may write into."""
    taken: frozenset[str]
    """Folders that exist and hold something else than what Callboard puts there."""
    branches: tuple[str, ...]
    current: str
    """The branch that is checked out; "" when none is."""
    owner: str
    today: date
    guess: Guess = Guess()
    keys: frozenset[str] = frozenset()
    """Variables with a model's key that are set."""
    clis: tuple[UsableCli, ...] = ()
    servers: tuple[str, ...] = ()
    """MCP servers that the repository's `.mcp.json` names."""
    wants_commands: bool = False
    """Agents get a `command`, whatever else there is."""
    settings: Settings | None = None
    """Those of the callboard.toml that is there already."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be written, and what the person is told."""

    files: Mapping[str, str]
    """Path -> text; none of them exists."""
    kept: tuple[str, ...]
    """Paths that exist already and stay as they are."""
    notes: tuple[str, ...]
    """Where something was in the way, and what was chosen instead."""
    next_steps: tuple[str, ...]


def make_plan(found: Found) -> Plan:
    """Choose free names for folders, agents and branches, and fill in the templates. A callboard.toml that is there
    stands as it is; then only the direction files that its drivers lack are written."""
    if found.settings is not None:
        drivers = [agent.name for agent in found.settings.drivers]
        return _plan(found, {}, drivers, found.settings.paths.directions, ())
    folders, folder_notes = _free_folders(found.taken)
    names, name_notes = _free_names(found.branches)
    integration, branch_notes = _free_integration(found.branches)
    brains = choose_brains(found.keys, found.clis)
    toml = default_toml(
        target=found.current or "main",
        integration=integration,
        setup=found.guess.setup,
        setup_inputs=found.guess.setup_inputs,
        gate=found.guess.gate,
        paths=PathSettings(**folders),
        names=names,
        brains=brains,
    )
    drivers = [names.get(name, name) for name, role, _ in DEFAULT_ROSTER if role == "driver"]
    return _plan(
        found,
        {FILE: toml},
        drivers,
        folders["directions"],
        (*folder_notes, *name_notes, *branch_notes, *found_note(brains)),
    )


def _plan(found: Found, files: Mapping[str, str], drivers: Sequence[str], folder: str, notes: tuple[str, ...]) -> Plan:
    wanted = dict(files)
    for agent in drivers:
        path = f"{folder}/{agent}.md"
        wanted[path] = direction_template(agent, path=path, owner=found.owner, today=found.today)
    there = (FILE, *wanted) if FILE not in wanted else tuple(wanted)
    return Plan(
        files={path: text for path, text in wanted.items() if path not in found.files},
        kept=tuple(path for path in there if path in found.files),
        notes=(*notes, *_servers_note(found)),
        next_steps=tuple(_next_steps(found, f"{folder}/{drivers[0]}.md" if drivers else "")),
    )


def _servers_note(found: Found) -> Iterator[str]:
    """A repository's file starts nothing by being there."""
    used = {name for name, table in found.settings.mcp.items() if table.file} if found.settings else set()
    left = [name for name in found.servers if name not in used]
    if left:
        yield (
            f"{REPOSITORY_FILE} has the MCP server{'s' if len(left) > 1 else ''} {', '.join(left)}, which nobody uses until "
            f'{FILE} says who may, such as [mcp.{left[0]}] with file = "{REPOSITORY_FILE}" and roles = ["driver"] '
            "(docs/mcp-tools.md)"
        )


def _free_folders(taken: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    chosen, notes = {}, []
    for folder in FOLDERS:
        chosen[folder] = folder if folder not in taken else _spare(folder, taken)
        if chosen[folder] != folder:
            notes.append(f"{folder}/ holds something else here, so Callboard uses {chosen[folder]}/ ([paths] {folder})")
    return chosen, notes


def _free_names(branches: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Other names for the agents whose branches cannot be made; the manager's cannot change, so that is only told."""
    names, notes = {}, []
    for name, role, _ in DEFAULT_ROSTER:
        problem = _in_the_way(name, branches)
        if problem and role == "manager":
            notes.append(problem)
        elif problem:
            names[name] = next(spare for spare in _spares(name) if not _in_the_way(spare, branches))
            notes.append(f"{problem.partition(';')[0]}, so the {role} is called {names[name]}")
    return names, notes


def _in_the_way(agent: str, branches: Sequence[str]) -> str:
    return next(name_problems(branches, [f"{agent}/work", f"{agent}/log"]), "")


def _free_integration(branches: Sequence[str]) -> tuple[str, list[str]]:
    for folder in ("callboard", *_spares("callboard-runs")):
        problem = next(name_problems(branches, [f"{folder}/run"]), "")
        if not problem:
            break
    notes = (
        []
        if folder == "callboard"
        else [f"a branch is in the way of callboard/{{run}}, so runs land on {folder}/{{run}}"]
    )
    return f"{folder}/{{run}}", notes


def _spare(name: str, taken: Iterable[str]) -> str:
    return next(spare for spare in _spares(SPARE + name) if spare not in taken)


def _spares(name: str) -> Iterator[str]:
    first = name if name.startswith(SPARE) else f"cb-{name}"
    yield first
    yield from (f"{first}-{number}" for number in range(2, 1000))


def _next_steps(found: Found, direction: str) -> Iterator[str]:
    settings, guess = found.settings, found.guess
    if found.wants_commands or (settings is not None and any(agent.command == "" for agent in settings.agents)):
        yield f"{FILE}: give each agent a `command`: it gets its task as JSON on stdin and works in the current folder"
    elif settings is None and not (found.keys or found.clis):
        yield f"{FILE}: {way_to_brains()}"
    if settings is None and guess.gate:
        yield f"{FILE}: check the gate, guessed from {guess.because}: {', '.join(guess.gate)}"
    elif settings is None or not settings.project.gate:
        yield f'{FILE}: write the gate, what must pass on every tree that lands, such as gate = ["pytest -q"]'
    if direction and direction not in found.files:
        yield f"{direction}: write what is to be done; an example is in it"
    yield "`callboard doctor` says what is still missing, `callboard launch --dry-run` what would be assigned"
