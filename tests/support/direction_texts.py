"""Hypothesis strategies for direction files: tidy ones, and every kind of untidiness that people were seen to write."""

from __future__ import annotations

from hypothesis import strategies as st

from callboard.bus.task import OwnCaps, Source, TaskSpec
from callboard.directions.document import Category, Direction, GitWorkflow, Rule, Section
from callboard.directions.values import path_pattern

LINES = [
    "---",
    "===",
    "***",
    "* * *",
    "# Title",
    "## Mission",
    "## Tasks",
    "## Active tasks",
    "## Non-negotiables",
    "## Canon",
    "## Git workflow",
    "## Roadmap",
    "## Current focus - spring",
    "##",
    "#",
    "#### Notes",
    "   ## Indented",
    "### 1. Rule",
    "### Task 1 - A",
    "### Task 2: B",
    "### Task 2 - B",
    "###Task 3",
    "**What**: x",
    "**What**: y",
    "**Evidence**:",
    "**Depends**: 1, B",
    "**Checks**: `pytest`",
    "**Paths**: a, b",
    "**Status**: waiting",
    "**Timeline**: 1-2 hours",
    "**Text**: z",
    "**Id**: b",
    "**A**: - b",
    "**:**",
    "__B__: c",
    "What: bare",
    "**Branch**: `a/work`",
    "**Prefix**: `x: `",
    '**Memory Lock**: "x"',
    "✅ **Use**: q",
    "- a",
    "- **Paths**: `a/*.py`, b",
    "  - nested",
    "-",
    "+ p",
    "1. one",
    "1. **Two** - text",
    "1.",
    "10) x",
    "2. **Core** (10-20 tasks) - text",
    "```",
    "```sh",
    "~~~",
    "<!-- c",
    "-->",
    "-->x",
    "<div>",
    "> quote",
    "text",
    "  text",
    "\ttext",
    "    code",
    "| a | b |",
    "|---|---|",
    "[x]: y",
    "\\",
    "&amp;",
    "owner: m",
    "epoch: [",
]

untidy_lines = st.sampled_from(["", *LINES])
untidy_texts = st.lists(
    st.one_of(
        untidy_lines,
        st.tuples(untidy_lines, untidy_lines).map(" ".join),
        st.text(max_size=30),
    ),
    max_size=25,
).map("\n".join)

words = (
    st.text(alphabet="abcdefgh ijkäß7", min_size=1, max_size=20).map(lambda text: " ".join(text.split())).filter(bool)
)
titles = st.tuples(st.sampled_from(["Add", "Mend", "Sort out"]), words).map(" ".join)
_texts = st.lists(st.one_of(words, st.sampled_from(["- a\n- b", "```\n# x\n```", "> q", "1. one\n2. two"])), max_size=3)
texts = _texts.map("\n\n".join)
spans = st.text(alphabet="abc/*._-", min_size=1, max_size=12)


budgets = st.builds(
    OwnCaps,
    attempts=st.none() | st.integers(1, 9),
    tokens=st.none() | st.integers(1, 10**9),
    micro_usd=st.none() | st.integers(1, 10**9),
    minutes=st.none() | st.integers(1, 999),
)


@st.composite
def task_specs(draw: st.DrawFn, agent: str = "driver-1") -> TaskSpec:
    """A task made by a program: it has attributes and no fields."""
    title = draw(titles)
    return TaskSpec(
        key=f"{agent}/{draw(st.from_regex(r'[a-z][a-z0-9]{0,8}', fullmatch=True))}",
        title=title,
        what=draw(texts),
        evidence=draw(texts),
        serves=draw(words),
        priority=draw(st.integers(0, 5)),
        estimate_minutes=draw(st.none() | st.tuples(st.integers(1, 60), st.integers(61, 999))),
        paths=tuple(draw(st.lists(spans.filter(lambda path: path_pattern(path) == path), max_size=3, unique=True))),
        checks=tuple(
            draw(st.lists(st.sampled_from(["make", "pytest -q", "echo `date`", "a | b"]), max_size=3, unique=True))
        ),
        budget=draw(budgets),
        agent=agent,
        source=Source(kind="direction"),
    )


@st.composite
def directions(draw: st.DrawFn) -> Direction:
    """A direction made by a program."""
    tasks = draw(st.lists(task_specs(), max_size=4, unique_by=lambda task: task.key))
    tasks = [
        task.model_copy(update={"depends_on": tuple(other.key for other in tasks[:n]), "order": n})
        for n, task in enumerate(tasks)
    ]
    return Direction(
        agent="driver-1",
        title=draw(titles),
        epoch=draw(st.sampled_from(["", "2026.1", "true", "a: b", '"q"'])),
        owner=draw(words | st.just("")),
        last_reviewed=draw(st.none() | st.dates()),
        front_matter=draw(st.dictionaries(st.sampled_from(["team", "since"]), st.text(max_size=10))),
        intro=draw(texts),
        rules=tuple(draw(st.lists(st.builds(Rule, titles, st.lists(words, max_size=2).map(tuple), words), max_size=3))),
        canon=tuple(draw(st.lists(words, max_size=3))),
        mission=draw(texts),
        focus=draw(texts),
        git=draw(st.just(GitWorkflow()) | st.builds(GitWorkflow, st.just("driver-1/work"), st.just("fix: "), words)),
        roadmap=tuple(
            draw(st.lists(st.builds(Category, titles, st.integers(0, 9), st.integers(10, 99), words), max_size=3))
        ),
        sections=tuple(draw(st.lists(st.builds(Section, titles, texts), max_size=3))),
        tasks=tuple(tasks),
    )
