"""The workflows that `callboard init --ci github` writes; pure, but for the look at what lints here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from callboard.agents.settings import RUN
from callboard.settings import Settings

CI = ".github/workflows/ci.yml"
PROMOTION = ".github/workflows/promotion.yml"
STRICT = "[strict]"
"""In the head commit's message it asks for the strict gate."""
SOURCE = "CALLBOARD_SOURCE"
"""The repository variable that says from where Callboard is installed."""
SUMMARIES = "manager/log"
"""The branch that has what each run came to (feedback/document.py)."""
_MAKE_LINT = re.compile(r"^lint\s*:", re.MULTILINE)
_NPM_LINT = re.compile(r'"scripts"\s*:\s*\{[^}]*"lint"\s*:')


@dataclass(frozen=True, slots=True)
class Facts:
    """What the workflows have to know of a repository."""

    target: str
    integration: str
    """With {run} in it."""
    setup: tuple[str, ...]
    lint: tuple[str, ...]
    test: tuple[str, ...]

    @property
    def lead(self) -> str:
        """What every integration branch begins with."""
        return self.integration.partition(RUN)[0]

    @property
    def pattern(self) -> str:
        """Of the integration branches, as a workflow's filter."""
        return self.integration.replace(RUN, "*")


def facts(settings: Settings, lint: Sequence[str]) -> Facts:
    """Args:
    lint: What to lint with, where callboard.toml does not say.
    """
    project = settings.project
    return Facts(project.target, project.integration, project.setup, project.lint or tuple(lint), project.gate)


def guess_lint(root: Path) -> tuple[str, ...]:
    """From the files that name a project's tools, the project's own word first."""

    def text(name: str) -> str:
        path = root / name
        return path.read_text("utf-8", "replace") if path.is_file() else ""

    if _MAKE_LINT.search(text("Makefile")):
        return ("make lint",)
    if _NPM_LINT.search(text("package.json")):
        return ("npm run lint",)
    if text("Cargo.toml"):
        return ("cargo fmt --check", "cargo clippy --all-targets -- -D warnings")
    if text("go.mod"):
        return ("go vet ./...",)
    if "ruff" in text("pyproject.toml") or text("ruff.toml"):
        return ("uvx ruff check .", "uvx ruff format --check .")
    return ()


def workflows(found: Facts) -> dict[str, str]:
    """Path -> text."""
    return {CI: _ci(found), PROMOTION: _promotion(found)}


def next_steps(found: Facts) -> Iterator[str]:
    """What a person has to set up for them."""
    yield f"on GitHub: set the repository variable {SOURCE} to what `uv tool install` takes, such as git+https://HOST/OWNER/callboard@TAG"
    yield f"{CI}: see whether the runner has what setup and tests need; lint, test and gate run as callboard.toml says"
    yield (
        f"{PROMOTION}: allow Actions to create pull requests (Settings, Actions, General), push {found.pattern} and {SUMMARIES}, then "
        "`gh workflow run promotion.yml -f run_id=RUN -f integration_branch=BRANCH`"
    )
    if not found.lint:
        yield f"{CI}: nothing that lints was found, so the job lint reads the direction files alone: add `[project] lint` or a step"


def _quoted(text: str) -> str:
    """A YAML string; each JSON string is one."""
    return json.dumps(text, ensure_ascii=False)


def _commands(commands: Sequence[str]) -> str:
    return "".join(f"      - run: {_quoted(command)}\n" for command in commands)


def _steps(found: Facts, *, with_callboard: bool, setup: bool = True) -> str:
    install = _INSTALL if with_callboard else ""
    return f"{_CHECKOUT}{install}{_commands(found.setup) if setup else ''}"


_CHECKOUT = """\
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: astral-sh/setup-uv@v6
"""
_INSTALL = f"""\
      - name: Install Callboard
        env:
          {SOURCE}: ${{{{ vars.{SOURCE} }}}}
        run: |
          test -n "${SOURCE}" || {{ echo "::error::set the repository variable {SOURCE}"; exit 1; }}
          uv tool install "${SOURCE}"
"""


def _ci(found: Facts) -> str:
    lead = f"refs/heads/{found.lead}"
    here = f"startsWith(github.ref, '{lead}')"
    strict = f"contains(github.event.head_commit.message, '{STRICT}')"
    return f"""\
# Written by `callboard init --ci github`: lint and test everything, run Callboard's gate where it lands.
name: CI

on:
  push:
    branches: [{_quoted(found.target)}, {_quoted(found.pattern)}]
  pull_request:
    branches: [{_quoted(found.target)}]

permissions:
  contents: read

jobs:
  lint:
    runs-on: ubuntu-latest
    steps:
{_steps(found, with_callboard=True, setup=bool(found.lint))}{_commands(found.lint)}      - run: callboard directions check

  test:
    runs-on: ubuntu-latest
    steps:
{_steps(found, with_callboard=False)}{_commands(found.test)}
  gate-normal:
    if: github.event_name == 'push' && {here}
    runs-on: ubuntu-latest
    steps:
{_steps(found, with_callboard=True, setup=False)}      - run: callboard gate --head --profile normal

  gate-strict:
    if: github.event_name == 'push' && {here} && {strict}
    runs-on: ubuntu-latest
    steps:
{_steps(found, with_callboard=True, setup=False)}      - run: callboard gate --head --profile strict
"""


def _promotion(found: Facts) -> str:
    return f"""\
# Written by `callboard init --ci github`: a pull request for what a run has landed, if it may be promoted.
# Whether it may is in the run's summary, a page of the branch {SUMMARIES}, which has to be pushed with the integration branch.
# Callboard can also open the pull request itself ([promotion] by = "pull-request").
name: Promotion

on:
  workflow_dispatch:
    inputs:
      run_id:
        description: The run, as `callboard runs` names it
        required: true
        type: string
      integration_branch:
        description: Its integration branch, such as {found.integration.replace(RUN, "RUN")}
        required: true
        type: string

permissions:
  contents: read

env:
  TARGET: {_quoted(found.target)}
  EXPECTED: {_quoted(found.integration.replace(RUN, "${{ inputs.run_id }}"))}
  BRANCH: ${{{{ inputs.integration_branch }}}}
  RUN_ID: ${{{{ inputs.run_id }}}}

jobs:
  eligible:
    runs-on: ubuntu-latest
    outputs:
      commit: ${{{{ steps.look.outputs.commit }}}}
    steps:
{_CHECKOUT}{_LOOK}{_INSTALL}      - run: callboard gate --head --profile strict

{_PULL_REQUEST}"""


_LOOK = f"""\
      - id: look
        name: Look at the branch and the run's summary
        run: |
          refuse() {{ echo "::error::not eligible: $1"; exit 1; }}
          test "$BRANCH" = "$EXPECTED" || refuse "$BRANCH is not the integration branch of that run, which is $EXPECTED"
          git rev-parse --verify --quiet "refs/remotes/origin/$BRANCH^{{commit}}" > commit || refuse "$BRANCH was not pushed"
          commit=$(cat commit) && rm commit
          git merge-base --is-ancestor "refs/remotes/origin/$TARGET" "$commit" || refuse "$TARGET has commits that $BRANCH lacks"
          test "$(git rev-list --count "refs/remotes/origin/$TARGET..$commit")" -gt 0 || refuse "nothing has landed"
          test "$(git rev-list --count --first-parent --no-merges "refs/remotes/origin/$TARGET..$commit")" -eq 0 \\
            || refuse "$BRANCH has commits that are no landings"
          page=$(git show "refs/remotes/origin/{SUMMARIES}:runs/$RUN_ID.md") || refuse "no summary of $RUN_ID: push {SUMMARIES} too"
          grep -qxF -e "- commit: \\`$commit\\`" <<< "$page" || refuse "the summary of $RUN_ID is of another commit: push both branches"
          unmet=$(sed -n 's/^- not met: //p' <<< "$page")
          while [ -n "$unmet" ] && read -r line; do echo "::error::not eligible: $line"; done <<< "$unmet"
          test -z "$unmet" || exit 1
          git checkout --quiet --detach "$commit"
          echo "commit=$commit" >> "$GITHUB_OUTPUT"
"""
_PULL_REQUEST = f"""\
  pull-request:
    needs: eligible
    runs-on: ubuntu-latest
    permissions:
      contents: read
      pull-requests: write
    env:
      GH_TOKEN: ${{{{ github.token }}}}
      GH_REPO: ${{{{ github.repository }}}}
      COMMIT: ${{{{ needs.eligible.outputs.commit }}}}
    steps:
      - name: Open the pull request, unless it is open
        run: |
          open=$(gh pr list --state open --head "$BRANCH" --base "$TARGET" --json url --jq '.[].url')
          if [ -n "$open" ]; then echo "$open is open already"; exit 0; fi
          gh pr create --base "$TARGET" --head "$BRANCH" --title "Callboard run $RUN_ID" \\
            --body "What run $RUN_ID has landed, up to $COMMIT. The strict gate is green on it; runs/$RUN_ID.md on {SUMMARIES} says more."
"""
