"""The integration branch of one run in a real repository, with what is to land on it."""

from __future__ import annotations

from dataclasses import dataclass

from workshop import DRIVER, NOON, Workshop

from callboard.agents.manager.landing import Lander
from callboard.agents.workspace.git import Repository
from callboard.bus.board import Board, GateDoc, IntentDoc, RunDoc
from callboard.bus.hand_messages import MergeBranch
from callboard.bus.messages import LandRequested, MergePrepared, MergeRequested

BRANCH = "callboard/r"
REF = f"refs/heads/{BRANCH}"
TAG = "callboard/r/main/T-1"
MESSAGE = "One\n\nTask: T-1\nTask-Key: driver-1/one\nTask-Digest: 0123456789abcdef\n"


@dataclass
class Line:
    """The integration branch of one run, and work to land on it."""

    workshop: Workshop
    base: str
    repository: Repository

    @property
    def head(self) -> str | None:
        return self.repository.resolve(REF)

    def run(self, head: str = "") -> RunDoc:
        return RunDoc(version=1, id="r", base=self.base, head=head or self.base, integration=BRANCH, target="main")

    def work(self, files: dict[str, str], name: str = "driver-1/work") -> str:
        """What a driver handed in: one commit on top of the base."""
        self.repository.update_ref(f"refs/heads/{name}", self.base, self.repository.resolve(f"refs/heads/{name}"))
        content = {path: text.encode() for path, text in files.items()}
        return self.repository.commit_files(name, content, "One", DRIVER, NOON)

    def branch(self, commit: str, *files: str, reviewed_base: str = "", task: str = "T-1") -> MergeBranch:
        return MergeBranch(
            task=task,
            agent="driver-1",
            commit=commit,
            base=self.base,
            reviewed_base=reviewed_base or self.base,
            files=files,
            message=MESSAGE.replace("T-1", task),
            at=NOON,
        )

    def prepare_all(self, *branches: MergeBranch, head: str = "") -> MergePrepared:
        request = MergeRequested(stack=1, branches=branches, at=NOON)
        return Lander(self.repository).prepare(self.run(head), request)

    def prepare(self, commit: str, *files: str, head: str = "", reviewed_base: str = "") -> MergePrepared:
        return self.prepare_all(self.branch(commit, *files, reviewed_base=reviewed_base), head=head)

    def others_land(self, files: dict[str, str | bytes]) -> str:
        """Another task's landing."""
        content = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        return self.repository.commit_files(BRANCH, content, "other", DRIVER, NOON)


@dataclass
class Ready:
    """A merge that is prepared and intended."""

    line: Line
    prepared: MergePrepared

    @property
    def intent(self) -> IntentDoc:
        made = self.prepared
        return IntentDoc(
            version=1,
            id="I-1",
            tasks=("T-1",),
            merges=(made.branches[0].merge,),
            ref=REF,
            old=made.old,
            new=made.landing,
            tree=made.branches[0].tree,
            verdict="verdict:t:h",
        )

    def board(self, **verdict: object) -> Board:
        green = GateDoc(version=1, tree=self.intent.tree, gate_hash="h", verdict="green").model_copy(update=verdict)
        return Board({"run": self.line.run(), "intent:I-1": self.intent, "verdict:t:h": green})

    def request(self, **values: object) -> LandRequested:
        made = self.intent
        tags = {TAG: made.merges[0]}
        asked = LandRequested(intent="I-1", ref=REF, old=made.old, new=made.new, tree=made.tree, tags=tags)
        return asked.model_copy(update=values)

    def land(self) -> tuple[str, str]:
        finished = Lander(self.line.repository).land(self.board(), self.request())
        return finished.outcome, finished.reason

    def is_landed(self) -> bool:
        repository = self.line.repository
        tagged = repository.resolve(f"refs/tags/{TAG}")
        return self.line.head == self.prepared.landing and tagged == self.prepared.branches[0].merge
