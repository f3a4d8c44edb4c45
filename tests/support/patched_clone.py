"""What hostile patches make of an agent's clone: applied inside of its sandbox, handed in and judged as any driver's work."""

from __future__ import annotations

import asyncio
import random
import shlex
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import intake_oracle
from hostile_range import Range, drawn_rules
from patch_mutations import hostile_patch
from workshop import DRIVER, ENV, HANDIN, NOON, imprint

from callboard.agents.workspace.commands import run_command
from callboard.agents.workspace.sandbox import Sandbox
from callboard.app import Workspace
from callboard.settings import Settings

PATCHES = 25
"""Of one hand-in: what comes before a patch is what costs."""
SHARES = (0.0, 0.01, 0.03, 0.2, 0.5)
"""How hostile the patches of one hand-in are. One bad path is enough for all of it to be refused."""
OURS = (".callboard", ".git/objects", ".git/refs", ".git/logs")
"""What a hand-in may change in the user's repository."""


class PatchedClone:
    """A driver's clone whose agent applies what it is given, in the sandbox that a launch would give it."""

    def __init__(self, range_: Range) -> None:
        self.range = range_
        self.clone = range_.clone
        layout = range_.shop.layout
        self.scratch = layout.scratch("driver-1")
        self.scratch.mkdir(parents=True)
        self.beside = self.clone.path.parent
        self.canaries = (self.beside / "canary", range_.shop.root.parent / "canary")
        for canary in self.canaries:
            canary.write_text("alive\n")
        self.sandbox = self._sandbox()
        self.world = dict(self.outside())

    def _sandbox(self) -> Sandbox:
        """One that is seen to hold before anything hostile runs in it.

        Raises:
            RosterError: There is none here.
        """
        shop = self.range.shop
        workspace = Workspace(shop.root, Settings(root=shop.root), shop.layout, shop.repository, {})
        sandbox = workspace.sandbox("driver-1", self.clone.path, shop.layout.vault("driver-1"))
        assert sandbox.kind != "off"
        tried = self.run(f"rm -f {' '.join(map(str, self.canaries))}; touch mine && echo in", sandbox)
        assert tried.endswith("in\n"), tried
        assert all(canary.exists() for canary in self.canaries), "what this sandbox does not keep in must not run"
        return sandbox

    def run(self, command: str, sandbox: Sandbox) -> str:
        running = run_command(
            command, cwd=self.clone.path, env=ENV, sandbox=sandbox, timeout_s=600, merge_stderr=True, grace_s=1.0
        )
        return asyncio.run(running).result.tail

    def apply(self, patches: Sequence[tuple[str, bytes]]) -> Counter[str]:
        """With `git apply`, one after the other, as far as that goes; how many went."""
        lines = []
        for n, (flag, text) in enumerate(patches):
            path = self.scratch / f"{n}.patch"
            path.write_bytes(text)
            lines.append(f"git apply {flag} {shlex.quote(str(path))} >/dev/null 2>&1; echo patch $?")
        said = self.run("\n".join(lines), self.sandbox).splitlines()
        return Counter("patch applied" if line == "patch 0" else "patch refused" for line in said)

    def outside(self) -> Iterator[tuple[str, str]]:
        """Whatever no patch may change: the computer's null device, what lies beside the clone, the user's files."""
        yield "/dev/null", f"character device {stat.S_ISCHR(Path('/dev/null').stat().st_mode)}"
        for canary in self.canaries:
            yield str(canary), canary.read_text()
        yield str(self.beside), " ".join(sorted(path.name for path in self.beside.iterdir()))
        yield from imprint(self.range.shop.root, without=OURS).items()

    def judged(self, rng: random.Random) -> tuple[str, str]:
        """What intake and the oracle say about what some drawn patches have made of the clone."""
        range_, clone = self.range, self.clone
        clone.prepare(range_.base)
        share, canary = rng.choice(SHARES), str(self.canaries[1])
        range_.notes += self.apply([hostile_patch(rng, canary, share) for _ in range(PATCHES)])
        commit = clone.hand_in(HANDIN, range_.base, "Patched", DRIVER, NOON)
        assert dict(self.outside()) == self.world, "a patch reached out of the clone"
        if commit is None:
            return "nothing", "nothing"
        new = [*range_.objects.flat(clone.vault.tree_of(commit))]
        asked = drawn_rules(rng, new)
        expected = intake_oracle.verdict(range_.before, new, asked, range_.contents([*range_.before, *new]))
        return range_.judged(commit, asked), expected


def patches(range_: Range) -> Callable[[random.Random], tuple[str, str]]:
    """Hand-ins of what some patches have made of the clone."""
    return PatchedClone(range_).judged
