"""The merge queue's decisions over random worlds of bad branches and bad pairs, with a gate that is a rule."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, log2
from random import Random
from statistics import fmean

import pytest
from queue_world import QueueWorld, branch

from callboard.agents.manager import merge_queue
from callboard.agents.manager.gate import RED_RUNS
from callboard.agents.manager.merge_queue import Evict, Land, RunGate, Stack, Verdict, Wait
from callboard.bus.merges import KEPT, Left, QueueDoc, QueueRun

WORLDS = 5_000


def names(count: int) -> list[str]:
    return [f"T-{n}" for n in range(1, count + 1)]


def rule(bad: set[str], pairs: set[frozenset[str]]) -> Callable[[frozenset[str]], bool]:
    """Red: any bad branch, or both of a bad pair."""
    return lambda inside: bool(bad & inside) or any(pair <= inside for pair in pairs)


def bound(n: int, k: int) -> int:
    return 1 + k * (ceil(log2(n)) + 1)


def test_in_thousands_of_worlds_the_line_is_green_nothing_is_lost_and_the_bound_holds(seed: int) -> None:
    random = Random(seed)
    with_pairs = 0
    for _ in range(WORLDS):
        n = random.randint(1, 12)
        every = names(n)
        bad = set(random.sample(every, random.choice([0, 0, 1, 1, 2, min(3, n), n]) if n > 1 else random.randint(0, 1)))
        pairs = {frozenset(random.sample(every, 2)) for _ in range(random.choice([0, 0, 1, 2]) if n > 1 else 0)}
        with_pairs += bool(pairs)
        world = QueueWorld(rule(bad, pairs))
        world.begin(every)
        world.drain()
        assert not any(map(world.is_red, world.line)), (bad, pairs)
        assert all(a < b for a, b in zip(world.line, world.line[1:], strict=False)), "a landing takes something away"
        assert sorted([*world.line[-1], *world.evicted]) == sorted(every), "a branch is lost"
        assert not world.falsely, "evicted for nothing"
        assert bad <= set(world.evicted)
        if not pairs:
            assert set(world.evicted) == bad
        assert world.runs <= bound(n, len(world.evicted)), (n, bad, pairs)
    assert with_pairs > 1_000


@pytest.mark.parametrize(("n", "most"), [(8, 5.0), (16, 6.0)])
def test_one_bad_branch_of_many_takes_few_runs_on_average(n: int, most: float) -> None:
    runs = []
    for bad in names(n):
        world = QueueWorld(rule({bad}, set()))
        world.begin(names(n))
        world.drain()
        runs.append(world.runs)
    print(f"n={n}, k=1: {fmean(runs):.3f} runs on average, at most {max(runs)}")
    assert fmean(runs) <= most
    assert max(runs) <= bound(n, 1)


def test_a_green_stack_takes_one_run_however_long_it_is() -> None:
    world = QueueWorld(rule(set(), set()))
    world.begin(names(50))
    world.drain()
    assert (world.runs, len(world.line)) == (1, 2)


def test_a_pair_that_is_only_red_together_loses_the_later_one() -> None:
    world = QueueWorld(rule(set(), {frozenset({"T-2", "T-5"})}))
    world.begin(names(6))
    world.drain()
    assert world.evicted == ["T-5"]


def test_where_the_search_stands_follows_from_the_verdicts_alone() -> None:
    """At every step of a drain the same question gives the same answer, also after the queue was read back."""
    world = QueueWorld(rule({"T-3", "T-7"}, set()))
    world.begin(names(8))
    while True:
        again = QueueDoc.model_validate_json(world.queue.model_dump_json())
        first = merge_queue.next_action(world.queue, world.verdict)
        assert merge_queue.next_action(again, world.verdict) == first
        if not world.step():
            break


def test_one_in_ten_runs_fails_for_nothing_and_hardly_anybody_is_evicted_for_it(seed: int) -> None:
    random, total, falsely, once = Random(seed), 0, 0, 0
    for _ in range(1_500):
        n = random.randint(1, 12)
        bad = {name for name in names(n) if random.random() < 0.05}
        for tries in (RED_RUNS["merge"], 1):
            world = QueueWorld(rule(bad, set()), random, flake=0.1, tries=tries)
            world.begin(names(n))
            world.drain()
            assert not any(map(world.is_red, world.line))
            if tries == 1:
                once += len(world.falsely)
            else:
                total += n
                falsely += len(world.falsely)
    print(f"{total} branches, gates that fail for nothing in 10 % of runs: {falsely / total:.3%} evicted falsely")
    assert falsely / total <= 0.005
    assert once / total > 0.005, "one run alone would not do"


def test_nobody_waits_longer_than_two_drains(seed: int) -> None:
    """Urgent branches come all the time, and come first in their drain; a drain begins with all that wait."""
    random = Random(seed)
    for _ in range(100):
        world = QueueWorld(rule({f"T-{random.randint(1, 60)}" for _ in range(6)}, set()))
        came: dict[str, int] = {}
        waiting: list[str] = []
        for n in range(60):
            name = f"T-{n + 1}"
            came[name] = world.queue.drain
            waiting.insert(random.choice([0, len(waiting)]), name)
            for _ in range(random.randint(0, 3)):
                if not world.step():
                    world.begin(waiting)
                    waiting = []
            out = {*world.line[-1], *world.evicted}
            for name, since in came.items():
                assert name in out or world.queue.drain - since <= 1, f"{name} has waited since drain {since}"


def test_who_comes_while_a_drain_is_on_waits_for_the_next() -> None:
    queue = merge_queue.begun(QueueDoc(), [branch("T-1")], branch("T-1").since)
    assert [one.task for one in merge_queue.stacking(queue).branches] == ["T-1"]


# --- single steps ---


def a_stack(*tasks: str) -> QueueDoc:
    world = QueueWorld(lambda inside: False)
    world.begin(tasks)
    world.step()
    return world.queue


def nothing_known(tree: str, hash: str) -> Verdict:
    return "none"


def test_nothing_is_done_while_an_answer_is_awaited() -> None:
    queue = merge_queue.testing(a_stack("a", "b"), "m")
    assert merge_queue.next_action(queue, nothing_known) == Wait()
    assert merge_queue.next_action(QueueDoc(), nothing_known) == Wait()


def test_a_branch_that_leaves_the_stack_makes_it_be_stacked_again() -> None:
    queue = merge_queue.without(merge_queue.testing(a_stack("a", "b", "c"), "m"), {"b"})
    assert (queue.asked, queue.depth) == ("", 0)
    assert merge_queue.next_action(queue, nothing_known) == Stack(2)


def test_a_branch_that_leaves_behind_the_stack_does_not() -> None:
    queue = a_stack("a", "b").model_copy(update={"depth": 1})
    queue = merge_queue.without(merge_queue.testing(queue, "m"), {"b"})
    assert (queue.asked, queue.depth) == ("m", 1)


def test_a_known_verdict_is_not_asked_for_again() -> None:
    queue = a_stack("a", "b", "c")
    known: dict[str, Verdict] = {"a b c": "red", "a": "green", "a b": "red"}
    assert merge_queue.next_action(queue, lambda tree, hash: known.get(tree, "none")) == Evict(1)
    assert merge_queue.next_action(queue, lambda tree, hash: "green") == Land()
    assert merge_queue.next_action(queue, nothing_known) == RunGate(3)


def test_the_green_part_lands_before_the_rest_is_tried() -> None:
    queue = merge_queue.cut(a_stack("a", "b", "c", "d"), 2, Left(drain=1, task="c", how="evicted"))
    assert merge_queue.next_action(queue, nothing_known) == Stack(2)
    assert [one.task for one in queue.branches] == ["a", "b", "d"]


def test_a_queue_remembers_so_much_and_no_more() -> None:
    queue = QueueDoc()
    for n in range(KEPT + 5):
        run = QueueRun(drain=n, tasks=("a",), tree="t", gate_hash="h", verdict="green")
        queue = merge_queue.answered(queue, run)
    assert [run.drain for run in queue.runs] == list(range(5, KEPT + 5))
