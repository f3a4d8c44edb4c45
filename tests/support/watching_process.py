"""Who watches Green, as a process of its own: gives it a share, says so, and lives until it is killed.

python watching_process.py ROOT PORT GREEN BLUE PERCENT
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from deploy_world import World
from workshop import Workshop

from callboard.agents.deployment.target import try_out
from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.layout import Layout


def main(root: Path, port: int, green: str, blue: str, percent: int) -> None:
    target = World(Workshop(root, Layout(root), Repository(root)), port).target()
    told = try_out(target, green, blue)
    shares = {green: percent, blue: 100 - percent}
    target.shift({name: share for name, share in shares.items() if share})
    print(f"watches {told}", flush=True)
    signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
