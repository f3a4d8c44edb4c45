"""What a run has counted so far, on the board: how often work was begun, and what came of it. It only grows.

Documents say how things stand, and forget: a queue remembers its last runs, standing work begins anew. This does not.
"""

from __future__ import annotations

from callboard.bus.doc import Doc


class TallyDoc(Doc):
    executions_started: int = 0
    """Attempts at tasks that were begun; an execution is one attempt, from its assignment to its end."""
    executions_completed: int = 0
    """Those whose work landed, or had nothing to land."""
    executions_failed: int = 0
    """Those that ended in anything else: sent back, refused, given up, taken away."""
    under_way: tuple[str, ...] = ()
    """The tasks of those that have not ended."""
    merge_runs: int = 0
    """Stacks of the merge queue that a gate was run for."""
    evictions: int = 0
    """Branches that the merge queue put out because the gate is red with them."""
