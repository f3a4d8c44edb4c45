"""What a deployment met is kept as an issue, until a later one of the same environment is done."""

from __future__ import annotations

from callboard.agents.manager import issues, tiers
from callboard.agents.manager.decision import Decision
from callboard.agents.manager.problems import failure_digest
from callboard.bus.deployments import DeploymentDoc
from callboard.bus.issues import Report, issue_key

CATEGORY = "deployment"


def ended(decision: Decision, doc: DeploymentDoc) -> None:
    """Keep why it was rolled back; close what earlier ones left where it is done."""
    where = f"{doc.environment}: "
    if doc.state == "done":
        for issue in tiers.open_issues(decision.board):
            if issue.category == CATEGORY and issue.title.startswith(where):
                issues.close(decision, issue, f"{doc.id} is done in {doc.environment}")
    elif not _was_wanted(doc):
        key = issue_key(CATEGORY, f"{doc.environment} {failure_digest([doc.reason])}")
        evidence = (doc.id, *([f"commit {doc.commit[:12]}"] if doc.commit else []))
        report = Report(key=key, title=where + doc.reason, category=CATEGORY, evidence=evidence)
        issues.record(decision, report, "deployment")


def _was_wanted(doc: DeploymentDoc) -> bool:
    """People took it back, which is nothing wrong."""
    edges = [edge for edge in doc.history if edge.to == "rolled_back" and edge.source != "rolled_back"]
    return any(edge.event == "rollback" or " says: " in edge.event for edge in edges)
