"""A run as the files of `callboard export --layout runs`; pure.

Names and places are those of Autopack, whose *phase* is a task here, so that its tools find what they know:

    project_issue_backlog.json, project_ruleset_<project>.json
    <run>/run_summary.md, <run>/run_issue_index.json
    <run>/tiers/tier_<index>_<tier>.md
    <run>/phases/phase_<index>_<task>.md, <run>/issues/phase_<index>_<task>_issues.json
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from callboard.agents.manager.decision import Policy
from callboard.agents.manager.tiers import Tier, counting, open_issues, severity, tiers
from callboard.agents.manager.verdicts import profile_of, project_gate
from callboard.bus.board import Board, TaskDoc
from callboard.bus.caps import Caps, in_usd
from callboard.bus.categories import HIGH_RISK
from callboard.bus.issues import IssueDoc, SummaryDoc
from callboard.feedback.facts import time_fact
from callboard.launch.issue_rows import row

Json = Mapping[str, "Json"] | list["Json"] | str | int | float | bool | None


def run_files(board: Board) -> dict[str, str]:
    """Path below the run's folder -> text."""
    found = tiers(board)
    files = {"run_summary.md": _run(board, found), "run_issue_index.json": _index(board)}
    files |= {f"tiers/tier_{tier.index}_{tier.name}.md": _tier(tier) for tier in found}
    for index, task in enumerate(board.tasks()):
        name = f"phase_{index}_{task.id}"
        files[f"phases/{name}.md"] = _task(task)
        files[f"issues/{name}_issues.json"] = _issues_of(board, task)
    return files


def project_files(board: Board, policy: Policy, project: str) -> dict[str, str]:
    """Path below the folder of all runs -> text.

    Args:
        project: Its name, as it may stand in a file's.
    """
    return {
        "project_issue_backlog.json": _backlog(board, project),
        f"project_ruleset_{project}.json": _ruleset(board, policy, project),
    }


# --- Markdown --------------------------------------------------------------------------------------


def _document(title: str, facts: Mapping[str, str], *parts: str) -> str:
    lines = [f"# {_line(title)}", "", *(f"- **{name}**: {_line(text)}" for name, text in facts.items() if text)]
    return "\n".join([*lines, *(f"\n{part}" for part in parts if part)]) + "\n"


def _line(text: str) -> str:
    return " ".join(text.split())


def _listed(heading: str, lines: Iterable[str]) -> str:
    said = "\n".join(f"- {_line(line)}" for line in lines)
    return f"## {heading}\n\n{said}" if said else ""


def _run(board: Board, found: tuple[Tier, ...]) -> str:
    run, summary = board.run, board.get("summary", SummaryDoc)
    reason = ": ".join(filter(None, (run.reason, run.detail)))
    facts = {
        "State": f"{run.state}" + (f" ({reason})" if reason else ""),
        "Goal": run.goal,
        "Safety profile": run.safety,
        "Began": time_fact(run.created_at) if run.created_at else "",
        "Ended": time_fact(summary.at) if summary.at and summary.state == run.state else "",
        "Integration branch": f"`{run.integration}` at `{run.head[:12]}`, begun at `{run.base[:12]}`",
        "Promoted": f"`{run.target}` to `{run.promoted[:12]}`" if run.promoted else "",
    }
    tasks = [f"{task.id} {task.task.title}: {task.state.value}" for task in board.tasks()]
    return _document(
        f"Run {run.id}",
        facts,
        _listed("What it came to", summary.facts if summary.state == run.state else ()),
        _listed("Tiers", (f"{tier.index} {tier.name}: {tier.cleanliness}" for tier in found)),
        _listed("Tasks", tasks),
    )


def _tier(tier: Tier) -> str:
    majors = f"{tier.majors}" if tier.majors_cap is None else f"{tier.majors} of {tier.majors_cap}"
    facts = {
        "Index": str(tier.index),
        "State": "ended" if tier.has_ended else "open",
        "Cleanliness": tier.cleanliness,
        "Minor issues": f"{tier.minors} of {tier.minors_cap}",
        "Major issues": majors,
    }
    tasks = (f"{task.id} {task.task.title}: {task.state.value}" for task in tier.tasks)
    return _document(f"Tier {tier.name}", facts, _listed("Why", map(str, tier.problems)), _listed("Tasks", tasks))


def _task(task: TaskDoc) -> str:
    spec = task.task
    facts = {
        "State": task.state.value + (f" ({task.reason})" if task.reason else ""),
        "Key": spec.key,
        "Tier": spec.tier,
        "Category": spec.category,
        "Complexity": _field(task, "complexity"),
        "Builder mode": _field(task, "builder mode"),
        "Agent": task.agent or spec.agent,
        "Attempts": str(task.attempt),
        "Gate": profile_of(spec),
        "Landed": f"`{task.landed[:12]}`" if task.landed else "",
    }
    commands = (f"`{one.command}` -> {one.exit_code} in {one.duration_s:.1f} s" for one in task.commands)
    return _document(
        f"{task.id} {spec.title}",
        facts,
        f"## What\n\n{spec.what.strip()}" if spec.what.strip() else "",
        _listed("Files", (f"`{path}`" for path in task.files)),
        _listed("Commands", commands),
    )


def _field(task: TaskDoc, name: str) -> str:
    return next((text for key, text in task.task.fields.items() if key.casefold() == name), "")


# --- JSON ------------------------------------------------------------------------------------------


def _written(value: Json) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _issues_of(board: Board, task: TaskDoc) -> str:
    found = [issue for issue in open_issues(board) if issue.of(task.id)]
    issues: list[Json] = [entry for issue in found for entry in _sightings(board, issue, task)]
    counted = [severity(board, issue) for issue in found]
    return _written(
        {
            "run_id": board.run.id,
            "tier_id": task.task.tier,
            "phase_id": task.id,
            "minor_issue_count": counted.count("minor"),
            "major_issue_count": counted.count("major"),
            "issues": issues,
        }
    )


def _sightings(board: Board, issue: IssueDoc, task: TaskDoc) -> Iterator[Json]:
    for one in issue.of(task.id):
        yield {
            "issue_key": issue.key,
            "title": issue.title,
            "severity": one.severity,
            "effective_severity": severity(board, issue),
            "source": one.source,
            "category": issue.category,
            "task_category": task.task.category,
            "complexity": _field(task, "complexity"),
            "occurrence_count": one.count,
            "evidence_refs": list(one.evidence),
            "last_seen_at": time_fact(one.at),
        }


def _index(board: Board) -> str:
    found = [issue for issue in open_issues(board) if issue.is_of_this_run]
    counted = [severity(board, issue) for issue in found]
    by_key: dict[str, Json] = {
        issue.key: {
            "title": issue.title,
            "severity": severity(board, issue),
            "category": issue.category,
            "occurrence_count": sum(one.count for one in issue.sightings),
            "phases": [*dict.fromkeys(one.task for one in issue.sightings if one.task)],
        }
        for issue in found
    }
    return _written(
        {
            "run_id": board.run.id,
            "distinct_minor_issues": counted.count("minor"),
            "distinct_major_issues": counted.count("major"),
            "issues_by_key": by_key,
        }
    )


def _backlog(board: Board, project: str) -> str:
    by_key: dict[str, Json] = {}
    for issue in open_issues(board):
        shown = row(board, issue)
        by_key[issue.key] = {
            "title": shown.title,
            "severity": shown.given,
            "effective_severity": shown.severity,
            "category": shown.category,
            "occurrence_count": shown.count,
            "age_in_runs": shown.age_runs,
            "age_in_tiers": shown.age_tiers,
            "first_seen_run_id": shown.first_run,
            "last_seen_run_id": shown.last_run,
            "status": "needs_cleanup" if shown.severity != shown.given else "open",
            "cleanup_phase": shown.clean_up or None,
        }
    return _written({"project_id": project, "run_id": board.run.id, "issues_by_key": by_key})


def _ruleset(board: Board, policy: Policy, project: str) -> str:
    limits = board.budget.limits
    issues, tasks = limits.issues, counting(board.tasks())
    return _written(
        {
            "project_id": project,
            "run_id": board.run.id,
            "safety_profile": board.run.safety,
            "gates": {
                "setup": list(policy.setup),
                "normal": list(project_gate(policy, "normal")),
                "strict": list(project_gate(policy, "strict")),
                "lint": list(policy.lint),
            },
            "caps": {
                "run": {
                    **_caps(board.budget.caps("run")),
                    "made_tasks": limits.made_tasks,
                    "minor_issues": issues.run_minors_per_task * tasks,
                    "minor_issues_per_task": issues.run_minors_per_task,
                },
                "tier": {
                    **_caps(limits.tier),
                    "gate_runs_per_task": limits.tier_gate_runs_per_task,
                    "minor_issues_per_task": issues.tier_minors(board.run.safety, 1),
                    "major_issues": issues.tier_majors(board.run.safety),
                },
                "task": _caps(limits.task),
                "agent": _caps(limits.agent),
            },
            "categories": {
                "high_risk": list(HIGH_RISK),
                "high_risk_gate": "strict",
                "high_risk_attempts": min(limits.high_risk_attempts, limits.task.attempts),
                "high_risk_severity": "major",
            },
            "ageing": {
                "runs": issues.old_after_runs,
                "tiers": issues.old_after_tiers,
                "clean_up_by": issues.clean_up_by or None,
            },
        }
    )


def _caps(caps: Caps) -> dict[str, Json]:
    usd = float(in_usd(caps.micro_usd))
    return {"tokens": caps.tokens, "usd": usd, "minutes": caps.minutes, "attempts": caps.attempts}
