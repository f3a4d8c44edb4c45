"""What holds at every step of any run of the manager, whoever is killed: the invariants of its state machine."""

from __future__ import annotations

from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
)
from manager_world import World
from review_worlds import must_have_passed

from callboard.agents.manager.decision import hands_out
from callboard.bus.board import AgentDoc, BlockerDoc, GateDoc, IntentDoc, ProblemDoc, QuestionDoc, TallyDoc, TaskDoc
from callboard.bus.issues import IssueDoc, issue_key


def is_green(files: dict[str, str]) -> bool:
    """Red: anything written badly, and the pair of `one` and `three`'s first attempts, each green alone."""
    return not any("bad" in text for text in files.values()) and not (files["a"] == "pair" and files["b"] == "pair")


class ManagerRules(RuleBasedStateMachine):
    world: World

    @invariant()
    def the_ref_only_moved_to_judged_trees(self) -> None:
        repository = self.world.repository
        commit = repository.refs.get("refs/heads/callboard/r", "")
        while commit and commit != self.world.board.run.base:
            tree, parents = repository.commits[commit]
            assert is_green(dict(repository.trees[tree])), "a red tree landed"
            assert any(doc.tree == tree and doc.verdict == "green" for doc in self.world.board.all(GateDoc))
            intents = [intent for intent in self.world.board.all(IntentDoc) if intent.new == commit]
            assert len(intents) == 1, "a landing without exactly one intent"
            for id in intents[0].tasks:
                self._was_approved(self.world.board.task(id))
            commit = parents[0]

    def _was_approved(self, task: TaskDoc) -> None:
        must_have_passed(self.world.board, task)

    @invariant()
    def nothing_that_needs_a_permit_lands_without_a_yes(self) -> None:
        board, repository = self.world.board, self.world.repository
        for task in (board.task(id) for intent in board.all(IntentDoc) for id in intent.tasks):
            handed_in = repository.files(task.head)
            if any("document" in handed_in[path] for path in task.task.paths):
                answers = [one.answer for one in board.all(QuestionDoc) if one.task == task.id and one.permits]
                assert "yes" in answers, f"{task.id} landed with a document that nobody permitted"

    @invariant()
    def no_task_lands_twice(self) -> None:
        landed = [id for intent in self.world.board.all(IntentDoc) for id in intent.tasks]
        assert len(landed) == len(set(landed))

    @invariant()
    def every_attempt_is_counted_as_under_way_or_ended(self) -> None:
        tally = self.world.board.get("tally", TallyDoc)
        ended = tally.executions_completed + tally.executions_failed
        assert tally.executions_started == ended + len(tally.under_way)
        assert tally.executions_started == sum(task.attempt for task in self.world.board.tasks())

    @invariant()
    def an_agent_holds_one_task(self) -> None:
        held = [task.agent for task in self.world.board.tasks() if task.state in ("assigned", "working")]
        assert len(held) == len(set(held))

    @invariant()
    def an_open_blocker_waits_for_somebody(self) -> None:
        board = self.world.board
        for blocker in board.all(BlockerDoc):
            if blocker.state != "open":
                continue
            task = board.task(blocker.task)
            assert (task.state, task.blocker) == ("blocked", blocker.id)
            question = board.get(f"question:{blocker.question}", QuestionDoc)
            consults = [doc for doc in board.all(ProblemDoc) if doc.blocker == blocker.id and doc.consult]
            if blocker.question:
                assert question.state == "open", "a blocker that nobody can resolve any more"
                assert not consults, "a person and a reviewer are asked at once"
            else:
                assert consults or not hands_out(board), "a blocker that nobody is asked about"

    @invariant()
    def each_rung_is_climbed_once_for_a_problem(self) -> None:
        for problem in self.world.board.all(ProblemDoc):
            names = [rung.name for rung in problem.rungs]
            assert len(names) == len(set(names)), names

    @invariant()
    def a_parked_agent_holds_nothing(self) -> None:
        for agent in self.world.board.all(AgentDoc):
            assert not (agent.parked_until and agent.state == "working"), agent

    @invariant()
    def an_issue_is_counted_once_for_each_time_it_was_seen(self) -> None:
        for issue in self.world.board.all(IssueDoc):
            before = issue.count - sum(one.count for one in issue.sightings)
            assert before in (0, 7), issue

    @invariant()
    def what_was_approved_with_a_finding_is_an_issue_of_its_task(self) -> None:
        board = self.world.board
        for task in board.tasks():
            for found in (one for verdict in task.verdicts.values() for one in verdict.findings if task.landed):
                key = issue_key("review", f"{found.file} {found.quote}")
                assert any(one.task == task.id for one in board.get(f"issue:{key}", IssueDoc).sightings), task.id
