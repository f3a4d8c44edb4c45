"""Checks findings against the reviewed tree: a quote counts only where it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from callboard.bus.task import Finding

Read = Callable[[str], bytes | None]
"""A file of the reviewed tree by its path; None where there is none."""


def verify(findings: Sequence[Finding], read: Read) -> tuple[Finding, ...]:
    """The same findings with `verified` set by what the tree holds; dropped where their quote is not there."""
    return tuple(_held(finding, read) for finding in findings)


def stands(text: str, quote: str, line: int) -> bool:
    """True if the quote stands in the text, beginning on that line.

    White space at line ends does not count, so that a brain may shorten what it quotes; a quote of white space alone
    stands nowhere.

    Args:
        text: The whole file.
        quote: One or more lines; the first and last may be parts of a line.
        line: 1-based line on which the quote begins; 0 = anywhere.
    """
    lines, wanted = _trimmed(text), "\n".join(_trimmed(quote)).strip("\n")
    if not wanted.strip() or line > len(lines):
        return False
    if line == 0:
        return wanted in "\n".join(lines)
    # as many lines as the quote has: so it can only begin on the first of them
    return wanted in "\n".join(lines[line - 1 : line + wanted.count("\n")])


def _held(finding: Finding, read: Read) -> Finding:
    if _holds(finding, read):
        return finding.model_copy(update={"verified": True})
    if not (finding.file and finding.quote.strip()):
        return finding.model_copy(update={"verified": False})
    place = f"{finding.file[:200]}:{finding.line}" if finding.line else finding.file[:200]
    why = finding.dropped or f"its quote is not at {place}"
    return finding.model_copy(update={"verified": False, "dropped": why})


def _holds(finding: Finding, read: Read) -> bool:
    if not finding.quote.strip() or not plausible_path(finding.file):
        return False
    content = read(finding.file)
    return content is not None and stands(content.decode("utf-8", "surrogateescape"), finding.quote, finding.line)


def plausible_path(path: str) -> bool:
    """True if this can be a file's path inside a tree; others are never given to git."""
    parts = path.split("/")
    return len(path) <= 4_096 and path.isprintable() and not any(part in ("", ".", "..") for part in parts)


def _trimmed(text: str) -> list[str]:
    return [line.rstrip() for line in text.split("\n")]
