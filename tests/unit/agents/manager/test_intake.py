from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.manager.intake import (
    MOST_ASKED,
    IntakeLimits,
    IntakeRules,
    ProtectedPaths,
    judge,
    judge_permits,
    judge_secrets,
)
from callboard.agents.workspace.git import TreeChange
from callboard.bus.errors import ApprovalNeeded, IntakeRefused
from callboard.bus.task import Permit

OLD, NEW, NONE = "a" * 40, "b" * 40, "0" * 40


def added(path: str, mode: str = "100644") -> TreeChange:
    return TreeChange(path, "000000", mode, NONE, NEW, "A")


def changed(path: str, old_mode: str = "100644", new_mode: str = "100644") -> TreeChange:
    return TreeChange(path, old_mode, new_mode, OLD, NEW, "M")


def deleted(path: str, mode: str = "100644") -> TreeChange:
    return TreeChange(path, mode, "000000", OLD, NONE, "D")


def refusal(*changes: TreeChange, paths: tuple[str, ...] = (), rules: IntakeRules | None = None, size: int = 10) -> str:
    """The rule and path that refused, if it says the way out; "" when everything passed; `asked` where people can let
    it pass."""
    rules = rules or IntakeRules(paths=paths)
    try:
        judge(changes, rules, {NEW: size})
        judge_permits(changes, rules)
    except ApprovalNeeded as needed:
        return "asked " + " ".join(f"{permit.rule} {permit.path}" for permit in needed.permits)
    except IntakeRefused as refused:
        return f"{refused.rule} {refused.path}" if refused.way_out else "no way out"
    return ""


def test_ordinary_changes_pass() -> None:
    changes = (added("app/new.py"), changed("app/main.py"), deleted("old.py"), added("run.sh", "100755"))
    assert refusal(*changes) == ""
    assert refusal(*changes, paths=("app/**", "old.py", "*.sh")) == ""
    assert refusal() == ""


def test_every_side_of_every_change_must_be_in_the_tasks_paths() -> None:
    assert refusal(changed("app/main.py"), paths=("app/",)) == ""
    assert refusal(changed("other/x.py"), paths=("app/",)) == "paths other/x.py"
    assert refusal(deleted("other/x.py"), added("app/x.py"), paths=("app/",)) == "paths other/x.py", "a rename"


@pytest.mark.parametrize("path", ["app/../../etc/passwd", "/etc/passwd", "a//b", "./a", "a/."])
def test_paths_that_climb_are_refused(path: str) -> None:
    assert refusal(added(path)) == f"git {path}"


@pytest.mark.parametrize(
    "path",
    [
        *(".git/hooks/post-checkout", "app/.git/config", ".GIT/config", ".git", "app/.git"),
        *(".git /hooks/x", ".git./x", "git~1/x", ".g\\.git\\x", ".git::$INDEX_ALLOCATION/x"),
    ],
)
def test_nothing_may_lie_in_what_any_file_system_reads_as_git(path: str) -> None:
    assert refusal(added(path), paths=("**",)) == f"git {path}"


@pytest.mark.parametrize("path", [".g\u200cit/config", "a\nb", "a\x1b[31m", "a\udcff"])
def test_names_that_cannot_be_shown_are_refused(path: str) -> None:
    assert refusal(added(path)) == f"name {path!r}"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (added("x", "120000"), "link"),
        (changed("x", "100644", "120000"), "link"),
        (changed("x", "120000", "100644"), "link"),
        (deleted("x", "120000"), "link"),
        (added("x", "160000"), "submodule"),
        (changed("x", "160000", "160000"), "submodule"),
        (added("x", "100664"), "mode"),
        (added("x", "040000"), "mode"),
    ],
)
def test_only_ordinary_files_may_come_change_or_go(change: TreeChange, rule: str) -> None:
    assert refusal(change, paths=("x",)) == f"{rule} x"


def test_a_program_may_become_a_file_and_back() -> None:
    assert refusal(changed("x", "100644", "100755"), changed("y", "100755", "100644")) == ""


@pytest.mark.parametrize(
    "path",
    [
        *("callboard.toml", "Callboard.toml", "directions/driver-1.md", "roles/driver.md", "feedback/driver-1.md"),
        *("feedback/archive/x.txt", ".gitmodules", ".gitattributes", "app/.gitattributes", ".callboard/x"),
        *("callboard.toml.", ".GitModules ", "app/.gitattributes::$DATA", "directions\\driver-1.md", ".callboard./x"),
        "feedbac\u212a/driver-1.md",
    ],
)
def test_files_that_callboard_and_git_read_are_for_people_even_when_a_task_names_them(path: str) -> None:
    for change in (added(path), changed(path), deleted(path)):
        assert refusal(change, paths=(path, "**")) == f"protected {path}"


def test_protected_files_are_those_of_the_configured_places() -> None:
    rules = IntakeRules(paths=("**/*.md",), protected=ProtectedPaths("conf/cb.toml", "team/plans", "team/roles", "log"))
    assert refusal(changed("team/plans/a.md"), rules=rules) == "protected team/plans/a.md"
    assert refusal(changed("log/a.md"), rules=rules) == "protected log/a.md"
    assert refusal(changed("directions/a.md"), rules=rules) == ""
    assert refusal(changed("directions/document.py")) == "", "code that reads directions is product"


@pytest.mark.parametrize(
    ("path", "naming", "not_naming"),
    [
        ("AGENTS.md", "AGENTS.md", "*.md"),
        ("lib/CLAUDE.md", "lib/CLAUDE.md", "lib/*.md"),
        (".claude/settings.json", ".claude/**", "**/*.json"),
        (".mcp.json", ".mcp.json", ""),
        (".Cursor/rules/x", ".Cursor/rules/x", "**"),
    ],
)
def test_what_steers_builds_or_agents_must_be_named_in_so_many_words(path: str, naming: str, not_naming: str) -> None:
    assert refusal(changed(path), paths=(naming,)) == ""
    assert refusal(changed(path), paths=(not_naming,) if not_naming else ()) == f"steering {path}"


@pytest.mark.parametrize(
    ("path", "naming", "not_naming"),
    [
        (".github/workflows/ci.yml", ".github/workflows/*.yml", "**"),
        (".github/workflows/ci.yml", ".github/", ".*/**"),
        (".gitlab-ci.yml", ".gitlab-ci.yml", "*.yml"),
        (".pre-commit-config.yaml", ".pre-commit-config.yaml", ".*"),
        (".ci/run", ".ci/run", "**/run"),
        (".CI./run", ".CI./run", "**"),
    ],
)
def test_ci_files_must_be_named_and_a_person_has_to_permit_what_they_say(
    path: str, naming: str, not_naming: str
) -> None:
    assert refusal(changed(path), paths=(not_naming,)) == f"steering {path}"
    assert refusal(changed(path), paths=(naming,)) == f"asked ci {path}"
    seen = Permit(rule="ci", path=path, blob=NEW)
    assert refusal(changed(path), rules=IntakeRules(paths=(naming,), permits=(seen,))) == ""
    assert refusal(changed(path), rules=IntakeRules(paths=(not_naming,), permits=(seen,))) == f"steering {path}"
    other = Permit(rule="ci", path=path, blob=OLD)
    assert refusal(changed(path), rules=IntakeRules(paths=(naming,), permits=(other,))) == f"asked ci {path}"


def test_a_new_document_that_is_not_named_is_for_a_person_to_permit_and_an_old_one_may_be_changed() -> None:
    assert refusal(added("docs/notes.md")) == "asked document docs/notes.md"
    assert refusal(added("docs/notes.md"), paths=("docs/",)) == "asked document docs/notes.md"
    assert refusal(added("NOTES.MD"), paths=("*",)) == "asked document NOTES.MD"
    assert (
        refusal(added("notes.md"), added("app/b.mdx"), paths=("app/",)) == "asked document notes.md document app/b.mdx"
    )
    permits = (Permit(rule="document", path="docs/notes.md"),)
    assert refusal(added("docs/notes.md"), rules=IntakeRules(paths=("app/",), permits=permits)) == ""
    assert refusal(added("docs/more.md"), rules=IntakeRules(permits=permits)) == "asked document docs/more.md"
    assert refusal(added("docs/notes.md"), paths=("docs/*.md",)) == ""
    assert refusal(added("docs/notes.md"), paths=("docs/notes.md",)) == ""
    assert refusal(changed("README.md"), deleted("OLD.md")) == ""


def test_a_permit_lifts_no_other_rule() -> None:
    every = tuple(
        Permit(rule="document", path=path) for path in ("directions/x.md", "AGENTS.md", "link.md", ".git/x.md")
    )
    rules = IntakeRules(paths=("app/",), permits=every)
    assert refusal(added("directions/x.md"), rules=rules) == "protected directions/x.md"
    assert refusal(added("AGENTS.md"), rules=rules) == "steering AGENTS.md"
    assert refusal(added("link.md", "120000"), rules=rules) == "link link.md"
    assert refusal(added(".git/x.md"), rules=rules) == "git .git/x.md"
    assert refusal(added("notes.md"), added("other.py"), rules=rules) == "paths other.py", (
        "refused before anybody is asked"
    )


def test_a_person_is_not_asked_about_a_flood_of_documents() -> None:
    assert refusal(*(added(f"n{n}.md") for n in range(MOST_ASKED))).startswith("asked ")
    assert refusal(*(added(f"n{n}.md") for n in range(MOST_ASKED + 1))) == "document n0.md"


def test_size_and_count_have_limits_that_can_be_set() -> None:
    assert refusal(added("big.bin"), size=10_000_001) == "size big.bin"
    assert refusal(added("big.bin"), size=10_000_000) == ""
    assert refusal(*(added(f"f{n}") for n in range(11)), size=10_000_000) == "size "
    assert refusal(*(added(f"f{n}") for n in range(2_001))) == "count "
    assert refusal(*(added(f"f{n}") for n in range(2_000))) == ""
    rules = IntakeRules(limits=IntakeLimits(blob_bytes=5, total_bytes=100, files=10))
    assert refusal(added("x"), rules=rules, size=6) == "size x"


SECRETS = [
    b"-----BEGIN RSA PRIVATE KEY-----\nMII",
    b"-----BEGIN PRIVATE KEY-----",
    b"-----BEGIN OPENSSH PRIVATE KEY-----",
    b"key = 'AKIA" + b"ABCDEFGHIJKLMNOP" + b"'",
    b"ghp_" + b"a1" * 18,
    b"github_pat_" + b"a1" * 41,
    b"glpat-" + b"a" * 20,
    b"xoxb-" + b"1234567890-abcdefghij",
    b"sk_live_" + b"a" * 24,
    b"sk-ant-api03-" + b"a" * 80,
    b"sk-proj-" + b"a" * 48,
    b"AIza" + b"a" * 35,
    b"npm_" + b"a" * 36,
]


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_shapes_of_secrets_are_refused_unless_the_base_had_them(secret: bytes) -> None:
    with pytest.raises(IntakeRefused, match="rule secret") as refused:
        judge_secrets([changed("conf.py")], {OLD: b"x = 1\n", NEW: b"x = 1\n" + secret + b"\n"})
    assert refused.value.path == "conf.py"
    assert secret.decode() not in str(refused.value)
    judge_secrets([changed("conf.py")], {OLD: secret, NEW: b"# moved\n" + secret + b"\n"})
    judge_secrets([deleted("conf.py")], {OLD: secret})
    judge_secrets([added("elsewhere.py"), deleted("conf.py")], {OLD: secret, NEW: secret})


def test_a_new_secret_beside_an_old_one_of_its_kind_is_refused_and_its_line_is_named() -> None:
    old, new = (b"ghp_" + part * 18 for part in (b"a1", b"b2"))
    with pytest.raises(IntakeRefused, match="line 3 holds what looks like a secret"):
        judge_secrets([changed("conf.py")], {OLD: old, NEW: b"\n" + old + b"\n" + new})


def test_a_secret_in_a_name_is_refused() -> None:
    with pytest.raises(IntakeRefused, match="rule secret") as refused:
        judge_secrets([added("keys/ghp_" + "a1" * 18 + ".txt")], {NEW: b"x"})
    assert "a1a1" not in str(refused.value)


def test_ordinary_text_is_no_secret() -> None:
    text = b"sk-learn, AKIA, ghp_short, -----BEGIN CERTIFICATE-----, -----BEGIN PUBLIC KEY-----, npm_install"
    judge_secrets([added("x")], {NEW: text})


@given(st.lists(st.builds(changed, st.text(min_size=1)), max_size=5), st.lists(st.text(), max_size=3))
def test_a_judge_never_fails_it_passes_or_refuses(changes: list[TreeChange], paths: list[str]) -> None:
    refusal(*changes, paths=tuple(paths))


@given(st.text(alphabet="abgit.GIT/~1 ", min_size=1))
def test_whatever_passes_has_no_git_part_and_does_not_climb(path: str) -> None:
    if refusal(added(path)) == "":
        parts = path.split("/")
        assert not {"", ".", ".."} & set(parts)
        assert not {".git", "git~1"} & {part.casefold().rstrip(". ") for part in parts}
