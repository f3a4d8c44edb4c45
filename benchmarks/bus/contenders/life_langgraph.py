"""The lifecycle as a LangGraph graph with its sqlite checkpointer: a node for each hop, three reviews side by side."""

from __future__ import annotations

import asyncio
import operator
import tempfile
from pathlib import Path
from typing import Annotated, TypedDict

from benchmarks.bus.job import Report
from benchmarks.bus.stages import FILES, HEAD, NOTES, REVIEWERS, timed
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph


class State(TypedDict, total=False):
    task: str
    head: str
    files: tuple[str, ...]
    notes: str
    verdicts: Annotated[list[str], operator.add]
    state: str


def run(url: str, count: int, report: Report) -> None:
    asyncio.run(_run(count, report))


async def _run(count: int, report: Report) -> None:
    graph = StateGraph(State)
    graph.add_node("assign", lambda state: {"state": "assigned"})
    graph.add_node("drive", lambda state: {"head": HEAD, "files": FILES, "notes": NOTES, "state": "review"})
    for name in REVIEWERS:
        graph.add_node(name, lambda state: {"verdicts": ["approved"]})
    graph.add_node("judge", lambda state: {"state": "approved"})
    graph.add_node("merge", lambda state: {"state": "done"})
    graph.add_edge(START, "assign")
    graph.add_edge("assign", "drive")
    for name in REVIEWERS:
        graph.add_edge("drive", name)
    graph.add_edge(list(REVIEWERS), "judge")
    graph.add_edge("judge", "merge")
    graph.add_edge("merge", END)
    with tempfile.TemporaryDirectory(prefix="callboard-bench-") as folder:
        async with AsyncSqliteSaver.from_conn_string(str(Path(folder) / "graph.sqlite")) as saver:
            app = graph.compile(checkpointer=saver)

            async def one(n: int) -> None:
                await app.ainvoke({"task": f"T-{n}"}, {"configurable": {"thread_id": f"T-{n}"}})

            await timed(one, count, report)
