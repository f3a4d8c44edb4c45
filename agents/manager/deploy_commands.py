"""What people ask of deployments: deploy, and go back. What cannot be done is said at once."""

from __future__ import annotations

from callboard.agents.deployment.events import Begun, WentBack
from callboard.agents.deployment.settings import DeploySettings
from callboard.agents.manager import closing
from callboard.agents.manager.decision import Decision
from callboard.agents.manager.deploy_notes import to_deploy
from callboard.agents.manager.deploying import follow, under_way
from callboard.bus.deployments import DeploymentDoc, deployment_field
from callboard.bus.messages import JOURNAL, CommandHandled, DeploymentCommanded


def commanded(decision: Decision, body: DeploymentCommanded) -> None:
    """A person's command; what cannot be done is said at once, and nothing is started."""
    settings = decision.policy.deploy
    environment = body.environment or (settings.first if settings else "")
    why_not = _refusal(decision, settings, environment)
    known = under_way(decision.board, environment)
    if why_not:
        _reply(decision, False, why_not)
    elif body.command == "rollback":
        _roll_back(decision, body, environment, known)
    elif known is not None:
        told = f"{known.id} is under way in {environment} ({known.state}), and an environment takes one at a time; "
        _reply(
            decision,
            False,
            f"{told}`callboard rollback --env {environment}` ends it, `callboard launch` goes on with it where nothing runs",
        )
    else:
        doc = _begin(decision, body, environment, "deploy", body.commit or to_deploy(decision.board))
        _reply(decision, True, f"{doc.id}: {doc.commit[:12]} goes to {environment}; `callboard deployments` shows it")


def _refusal(decision: Decision, settings: DeploySettings | None, environment: str) -> str:
    if settings is None:
        return "callboard.toml has no [deploy] table, so nothing can be deployed from here (docs/deployment.md)"
    if why := settings.unknown(environment):
        return why
    if not decision.policy.deployer:
        return 'nobody on the roster deploys: callboard.toml needs an [[agents]] table with role = "deployment"'
    if decision.board.run.state == "cancelled":
        return "the run is cancelled; `callboard launch --new` starts the next one"
    return ""


def _roll_back(decision: Decision, body: DeploymentCommanded, environment: str, known: DeploymentDoc | None) -> None:
    """The one under way goes back; else the release before the one that serves comes again."""
    why = f"{body.by or 'a person'} wanted it" + (f": {body.reason}" if body.reason else "")
    if known is None:
        doc = _begin(decision, body, environment, "restore", "")
        _reply(decision, True, f"{doc.id}: the release before this one comes back in {environment}")
        return
    if known.state == "rolled_back":
        _reply(decision, False, f"{known.id} is being rolled back already: {known.reason}")
    elif known.step == "finish":
        told = f"{known.id} serves all of {environment} and stops the release before it; roll back once it is done"
        _reply(decision, False, told)
    else:
        follow(decision, known, WentBack(why), "rollback", [why])
        _reply(decision, True, f"{known.id} is rolled back in {environment}")


def _begin(decision: Decision, body: DeploymentCommanded, environment: str, kind: str, commit: str) -> DeploymentDoc:
    count = sum(1 for _ in decision.board.all(DeploymentDoc))
    doc = DeploymentDoc.model_validate(
        {
            "id": f"d-{count + 1}",
            "kind": kind,
            "environment": environment,
            "commit": commit,
            "by": body.by,
            "requested_at": decision.now,
        }
    )
    closing.reopen(decision)
    facts = [f"commit `{commit[:12]}`"] if commit else []
    follow(decision, doc, Begun(), f"asked for by {body.by or 'a person'}", [*facts, *filter(None, [body.reason])])
    return decision.board.get(deployment_field(doc.id), DeploymentDoc)


def _reply(decision: Decision, ok: bool, text: str) -> None:
    decision.send(JOURNAL, CommandHandled(command=decision.cause.id, ok=ok, text=text))
