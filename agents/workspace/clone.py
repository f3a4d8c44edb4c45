"""An agent's clone and its vault: the brain works in the clone, what it leaves is committed in the vault."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from callboard.agents.workspace.checkout import Checkout
from callboard.agents.workspace.copies import NO_COPIES, Copies
from callboard.agents.workspace.git import Person, Repository
from callboard.agents.workspace.git_names import checked_sha
from callboard.agents.workspace.layout import Layout
from callboard.agents.workspace.sandbox import Sandbox
from callboard.agents.workspace.setup import Setup, recorded, run_setup
from callboard.bus.clock import utc_now
from callboard.bus.errors import WorkspaceError

WIP = "refs/wip"
HANDIN = "refs/handin"
_KEPT = (WIP, HANDIN)


class AgentClone:
    """One agent's clone, which its brain may do anything to, and the vault, which it may not touch.

    Only the agent's own process uses it, under the agent's lock.

    Args:
        copies: Files of the user's checkout that are needed in it.
        clock: Dates of work that is parked.
    """

    def __init__(
        self,
        layout: Layout,
        repository: Repository,
        agent: str,
        *,
        copies: Copies = NO_COPIES,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.path = layout.clone(agent)
        self.checkout = Checkout(self.path, layout.vault(agent), repository, copies=copies)
        self._layout = layout
        self._agent = agent
        self._clock = clock
        self._switching = layout.vault(agent) / "callboard-switching"
        self._holds = layout.vault(agent) / "callboard-holds"

    @property
    def vault(self) -> Repository:
        """The clone's folder through the vault."""
        return self.checkout.git

    @property
    def branch(self) -> str:
        """The branch that the brain sees checked out."""
        return f"{self._agent}/work"

    def prepare(self, start: str, work: str = "") -> None:
        """Make the clone hold `start` and a fresh `.git`. Ignored files stay; whatever else was there is kept first.

        It may be repeated after a crash at any moment.

        Args:
            work: The attempt that it is for, as `<run>/<task>/<attempt>`.
        """
        self.checkout.made = recorded(self.checkout).made
        self.checkout.ensure()
        if self.vault.resolve(start) is None:
            raise WorkspaceError(f"{start} is neither in the repository nor in the vault of {self._agent}")
        if not self._switching.exists():
            self._keep_unclaimed()
            self._set_stray_refs_aside()
        self._switching.write_text(start)
        self._holds.unlink(missing_ok=True)
        self.checkout.switch(start, keep_ignored=True, keep=self.checkout.made)
        self.checkout.expose(start, self.branch, self._identity)
        self.vault.run("update-ref", "--no-deref", "HEAD", checked_sha(start))
        self._holds.write_text(work)
        self._switching.unlink()

    def held(self, work: str) -> str | None:
        """What there is of an attempt for which the clone was prepared and that was interrupted then, as a commit of the vault.

        Returns:
            What was committed to be handed in, else what lies in the clone, which is parked for it; None = nothing.
        """
        if self._switching.exists() or not self._holds.exists() or self._holds.read_text() != work:
            return None
        task, _, attempt = work.rpartition("/")
        return self.vault.resolve(f"{HANDIN}/{work}") or self.park(task, int(attempt))

    async def set_up(self, setup: Setup, env: Mapping[str, str], sandbox: Sandbox) -> None:
        """Run the project's setup in the prepared clone, if its inputs changed since it last ran there.

        Raises:
            CommandFailed: It failed; it runs again the next time.
        """
        start = await asyncio.to_thread(self.vault.resolve, "HEAD")
        if start is None:
            raise WorkspaceError(f"the clone of {self._agent} is not prepared; call prepare first")
        if await run_setup(self.checkout, setup, start, env, sandbox):
            await asyncio.to_thread(self.checkout.expose, start, self.branch, self._identity)

    def lay(self, commit: str) -> None:
        """Make the clone's files those of a commit of the vault. What was there is kept first, and where the clone started
        stays: it is what the change is against."""
        start = self.vault.resolve("HEAD")
        if start is None or self.vault.resolve(commit) is None:
            raise WorkspaceError(f"the clone of {self._agent} is not prepared, or its vault has no commit {commit}")
        self._keep_unclaimed()
        self.checkout.switch(commit, keep_ignored=True, keep=self.checkout.made)
        self.checkout.expose(start, self.branch, self._identity)

    def hand_in(self, ref: str, base: str, message: str, author: Person, at: datetime) -> str | None:
        """Commit what the brain left, on top of `base`, as `ref` of the vault (`refs/handin/<run>/<task>/<attempt>`).

        Returns:
            The commit; None when nothing is changed against `base`.
        """
        tree = self.checkout.snapshot(base)
        if tree == self.vault.tree_of(base):
            return None
        commit = self.vault.commit_tree(tree, [base], message, author, at)
        self._point(ref, commit)
        return commit

    def park(self, task: str, attempt: int) -> str | None:
        """Keep what is in the clone as `refs/wip/<task>/<attempt>` of the vault; the clone stays as it is.

        Returns:
            The commit, whose parent is where the clone started; None when the clone holds just that.
        """
        start = self.vault.resolve("HEAD")
        if start is None:
            return None
        tree = self.checkout.snapshot(start)
        if tree == self.vault.tree_of(start):
            return None
        return self._keep(f"{WIP}/{task}/{attempt}", tree, start, f"Work in progress on {task}, attempt {attempt}")

    def left_out(self) -> tuple[str, ...]:
        """Paths that no commit holds: repositories inside the clone (their files are committed, their `.git` is not)
        and names that git refuses."""
        return self.checkout.left_out()

    def unclaimed(self) -> tuple[str, ...]:
        """Paths of the clone whose contents no commit of the vault holds, against the one that holds most of them."""
        if self._switching.exists() or not (self.path.is_dir() and self.checkout.git_dir.is_dir()):
            return ()
        start, tree = self._unkept()
        if not tree:
            return ()
        return min(
            (tuple(change.path for change in self.vault.changes(one, tree)) for one in self._kept(start)), key=len
        )

    def stray_refs(self) -> tuple[str, ...]:
        """Refs in the clone's own `.git` besides the work branch; they are never fetched. Read without git."""
        return stray_refs(self.path / ".git", f"refs/heads/{self.branch}")

    @property
    def _identity(self) -> Person:
        return Person(self._agent, f"{self._agent}@localhost")

    def _keep_unclaimed(self) -> None:
        """Keep what nobody has parked or handed in."""
        start, tree = self._unkept()
        if tree:
            self._keep(f"{WIP}/unclaimed/{tree[:12]}", tree, start, "Work that was in the clone when it was reset")

    def _unkept(self) -> tuple[str, str]:
        """Where the clone started, and its tree; both "" when there is none, or a commit of the vault has that tree."""
        start = self.vault.resolve("HEAD")
        tree = self.checkout.snapshot(start) if start else ""
        # somebody removed the folder: there is nothing to keep
        if not start or not self.vault.entries(tree):
            return "", ""
        return ("", "") if tree in {self.vault.tree_of(commit) for commit in self._kept(start)} else (start, tree)

    def _kept(self, start: str) -> set[str]:
        """The commit the clone started from, and everything parked or handed in."""
        return {start, *(sha for prefix in _KEPT for sha in self.vault.refs(prefix).values())}

    def _keep(self, ref: str, tree: str, start: str, message: str) -> str:
        """Point `ref` at the work; what it pointed at before moves to the next free `<ref>.<n>`."""
        before = self.vault.resolve(ref)
        if before is not None:
            if self.vault.tree_of(before) == tree:
                return before
            taken = self.vault.refs(ref.rpartition("/")[0])
            spare = next(name for n in range(1, len(taken) + 2) if (name := f"{ref}.{n}") not in taken)
            self._point(spare, before)
        commit = self.vault.commit_tree(tree, [start], message, self._identity, self._clock())
        self._point(ref, commit)
        return commit

    def _point(self, ref: str, commit: str) -> None:
        if not self.vault.update_ref(ref, commit, self.vault.resolve(ref)):
            raise WorkspaceError(f"{ref} in the vault of {self._agent} moved meanwhile; is the agent running twice?")

    def _set_stray_refs_aside(self) -> None:
        """A `.git` with branches or stashes of the brain's own is moved away whole: no git of ours ever reads it."""
        if self.stray_refs():
            folder = self._layout.kept(self._agent)
            folder.mkdir(parents=True, exist_ok=True)
            number = 1 + max((int(path.stem) for path in folder.glob("*.git") if path.stem.isdigit()), default=0)
            (self.path / ".git").rename(folder / f"{number}.git")


_REF_LINE = re.compile(r"[0-9a-f]{40,64} (refs/\S+)")


def stray_refs(dot_git: Path, own: str) -> tuple[str, ...]:
    """Names of refs in a git directory that nobody trusts, besides `own`; only files are read, no link is followed."""
    if dot_git.is_symlink() or not dot_git.is_dir():
        return ()
    found = set()
    packed = dot_git / "packed-refs"
    if packed.is_file() and not packed.is_symlink():
        found |= set(_REF_LINE.findall(packed.read_text("utf-8", "replace")))
    refs = dot_git / "refs"
    if not refs.is_symlink():
        # rglob follows no links into folders
        found |= {path.relative_to(dot_git).as_posix() for path in refs.rglob("*") if path.is_file()}
    return tuple(sorted(found - {own}))
