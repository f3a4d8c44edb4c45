"""Real agent CLIs, from the npm registry, kept between runs in a folder outside of the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

CLIS = {
    "claude": ("@anthropic-ai/claude-code", "2.1.197"),
    "qwen": ("@qwen-code/qwen-code", "0.15.10"),
    "codex": ("@openai/codex", "0.169.0"),
}
"""Name -> package and the version that the adapters were read from."""


def bin_folder(name: str) -> Path:
    """The folder with a CLI's program, installed if it is not.

    Raises:
        RuntimeError: npm is not here, or the registry did not answer; a test that needs the CLI cannot pass then.
    """
    package, version = CLIS[name]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "callboard-tests"
    folder = cache / f"{name}-{version}"
    programs = folder / "node_modules/.bin"
    if not (programs / name).exists():
        _install(f"{package}@{version}", folder)
    return programs


def _install(package: str, folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError(
            f"npm is not on PATH, and the tests of real agent CLIs install {package} with it: install Node.js"
        )
    new = folder.with_name(f"{folder.name}.new-{os.getpid()}")
    new.mkdir(parents=True)
    argv = [npm, "install", "--prefix", str(new), "--no-audit", "--no-fund", "--loglevel=error", package]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        shutil.rmtree(new)
        raise RuntimeError(f"{package} could not be installed from the npm registry:\n{done.stderr[-2000:]}")
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
