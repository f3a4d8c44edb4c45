"""Tests that pages of docs/ name: `<path below tests>::<name>`."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]


def functions(path: Path) -> dict[str, str]:
    """Name -> source of every test of a file."""
    source = path.read_text()
    tree = ast.parse(source)
    decorated = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    lines = source.splitlines()
    firsts = {node: min([node.lineno, *(each.lineno for each in node.decorator_list)]) for node in decorated}
    return {node.name: "\n".join(lines[firsts[node] - 1 : node.end_lineno]) for node in decorated}


def source_of(node_id: str) -> str:
    """The source of a test.

    Raises:
        AssertionError: There is none of that name.
    """
    file, _, name = node_id.partition("::")
    assert (TESTS / file).is_file(), f"a page names {node_id}, and there is no tests/{file}"
    found = functions(TESTS / file)
    assert name in found, f"a page names {node_id}, and tests/{file} has no such test"
    return found[name]
