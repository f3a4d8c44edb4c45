"""What all tests share: one printed seed, hypothesis profiles, a time cap, and a git that knows no person's settings."""

from __future__ import annotations

import gc
import os
import secrets
import signal
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, settings

SEED = pytest.StashKey[int]()
END = pytest.StashKey[float]()
LONG_S = 600.0
"""A long test that takes so long hangs; and none is under way so long after the cap, which .ci/run counts on."""

settings.register_profile(
    "ci",
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("long", settings.get_profile("ci"), max_examples=1_500, stateful_step_count=60)
settings.load_profile(os.environ.get("CALLBOARD_PROFILE", "ci"))


class Worker(Protocol):
    """What pytest-xdist hands to `pytest_configure_node`, as far as it is used here."""

    config: pytest.Config
    workerinput: dict[str, object]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--minutes", type=float, default=0, help="no test begins after this many minutes; 0 = no cap")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed before hypothesis reads its own option; the workers of pytest-xdist get that of their controller."""
    # A shell starts what is in its background deaf to Ctrl-C, and so would be every program a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    handed_down = getattr(config, "workerinput", {})
    seed = int(handed_down.get("seed") or os.environ.get("CALLBOARD_SEED") or secrets.randbelow(2**32))
    minutes = config.getoption("--minutes")
    config.stash[SEED] = seed
    config.stash[END] = handed_down.get("end") or (time.time() + minutes * 60 if minutes else float("inf"))
    if config.getoption("--hypothesis-seed") is None:
        config.option.hypothesis_seed = seed


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Worker) -> None:
    node.workerinput |= {"seed": node.config.stash[SEED], "end": node.config.stash[END]}


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """What is imported now stays: looking for garbage in it again and again takes a third of the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: {config.stash[SEED]} (CALLBOARD_SEED={config.stash[SEED]} makes the same random choices again)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What fills the time that it gets begins first, then what may take longest: as the last one it would keep one worker
    busy while others are idle."""
    for item in items:
        if item.get_closest_marker("long") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LONG_S))
    items.sort(key=lambda item: ("time_is_up" not in getattr(item, "fixturenames", ()), -_most_s(item)))


def _most_s(item: pytest.Item) -> float:
    """After how long a long test counts as hanging; 0 for the others."""
    marker = item.get_closest_marker("timeout") if item.get_closest_marker("long") else None
    return float(marker.args[0]) if marker else 0.0


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test that begins shortly before the cap gets less time to hang, so that nothing has to be cut off from outside."""
    left_s = item.config.stash[END] + LONG_S - time.time()
    if left_s < _most_s(item):
        item.add_marker(pytest.mark.timeout(max(left_s, 1.0)), append=False)
    return (yield)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if time.time() > item.config.stash[END]:
        pytest.skip(f"not run: the cap of {item.config.getoption('--minutes'):g} minutes was reached")


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """The session's seed; a test that draws at random draws from `random.Random(seed)`."""
    return pytestconfig.stash[SEED]


@pytest.fixture(scope="session")
def time_is_up(pytestconfig: pytest.Config) -> Callable[[], bool]:
    """For loops over many seeds: stop when it says so."""
    return lambda: time.time() > pytestconfig.stash[END]


@pytest.fixture(scope="session", autouse=True)
def no_ledger() -> Iterator[None]:
    """Rosters keep none but where a test is about it: what it takes to import is half a second of each launch."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATABASE_URL", "CI_PROFILE", "MAX_ATTEMPTS", "BACKOFF_SECONDS", "AUTONOMOUS_RUNS_DIR"):
            patch.delenv(name, raising=False)
        patch.setenv("CALLBOARD_LEDGER_URL", "off")
        yield


@pytest.fixture(scope="session", autouse=True)
def no_dashboard() -> Iterator[None]:
    """Beside a launch, but where a test is about it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CALLBOARD_WEB_WITH_LAUNCH", "false")
        yield


@pytest.fixture(scope="session", autouse=True)
def plain_git(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Git as on a new machine, but with a name to commit under: nobody's own configuration reaches a test."""
    config = tmp_path_factory.mktemp("git") / "config"
    config.write_text("[user]\n\tname = Person\n\temail = person@example.org\n[init]\n\tdefaultBranch = main\n")
    own = {"GIT_CONFIG_GLOBAL": str(config), "GIT_CONFIG_NOSYSTEM": "1"}
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GIT_")]:
            patch.delenv(name)
        for name, value in own.items():
            patch.setenv(name, value)
        yield config
