"""What secrets look like that nobody has told us: shapes that their issuers document, and values beside a telling word.

Every pattern is linear: one greedy class between fixed parts, nothing nested, nothing that looks far behind or ahead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of secret.

    Args:
        name: For people, with its article, such as `a GitHub token`.
        hints: One of these stands in every secret of the kind: a text without them need not be searched.
        pattern: The whole secret.
    """

    name: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str] = field(repr=False)

    @property
    def mark(self) -> str:
        """Its name as it stands in a mark: `github-token`."""
        return self.name.partition(" ")[2].lower().replace(" ", "-")

    def find(self, text: str, *, inside: bool = False) -> Iterator[re.Match[str]]:
        """Where secrets of this kind are.

        Args:
            inside: Also those that other letters stand around without a break: so they are in what was decoded or joined.
        """
        if any(hint in text for hint in self.hints):
            found = self.pattern.finditer(text)
            yield from found if inside else (each for each in found if not _is_part(text, *each.span()))


def _is_part(text: str, start: int, end: int) -> bool:
    """Whether it is a piece of a longer word."""
    around = text[start - 1 : start] + text[end : end + 1]
    return any(letter.isalnum() or letter == "_" for letter in around)


def _shape(name: str, hints: str, pattern: str) -> Shape:
    return Shape(name, tuple(hints.split()), re.compile(pattern, re.ASCII))


_PEM = r"-----{kind} (?:[A-Z0-9]+ ){{0,3}}PRIVATE KEY(?: BLOCK)?-----"
_BODY = r"(?:[^-]|-(?!----)){0,20000}"
_LINES = r"(?:\s{1,8}[A-Za-z0-9+/=]{40,}){0,400}"
"""Of a key whose end was cut off."""

SHAPES = (
    _shape(
        "a private key",
        "PRIVATE KEY-----",
        rf"{_PEM.format(kind='BEGIN')}(?:{_BODY}{_PEM.format(kind='END')}|{_LINES})",
    ),
    _shape("an age key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    _shape("a Callboard token", "cbt_", r"cbt_[0-9a-f]{8}_[A-Za-z0-9_-]{22,43}"),
    _shape("an AWS access key", "AKIA ASIA", r"(?:AKIA|ASIA)[0-9A-Z]{16}"),
    _shape(
        "a GitHub token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})",
    ),
    _shape("a GitLab token", "glpat- gldt- glrt- glptt-", r"gl(?:pat|dt|rt|ptt)-[A-Za-z0-9_-]{20,}"),
    _shape("a Slack token", "xox xapp-", r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{20,}"),
    _shape("a Slack hook", "hooks.slack.com", r"hooks\.slack\.com/services/[A-Za-z0-9]+/[A-Za-z0-9]+/[A-Za-z0-9]{16,}"),
    _shape("a Stripe key", "k_live_ whsec_", r"(?:[srp]k_live_|whsec_)[A-Za-z0-9]{20,}"),
    _shape("an Anthropic key", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{24,}"),
    _shape("an OpenRouter key", "sk-or-", r"sk-or-v1-[0-9a-f]{64}"),
    _shape("an OpenAI key", "sk-", r"sk-(?:proj-|svcacct-|admin-)?(?=[A-Za-z_-]{0,64}[0-9])[A-Za-z0-9_-]{40,}"),
    _shape("a Google key", "AIza", r"AIza[A-Za-z0-9_-]{35}"),
    _shape("a Google token", "ya29. GOCSPX-", r"(?:ya29\.[A-Za-z0-9_-]{40,}|GOCSPX-[A-Za-z0-9_-]{28})"),
    _shape("a PyPI token", "pypi-AgEI", r"pypi-AgEI[A-Za-z0-9_-]{50,}"),
    _shape("an npm token", "npm_", r"npm_[A-Za-z0-9]{36}"),
    _shape("a Hugging Face token", "hf_", r"hf_[A-Za-z0-9]{34}"),
    _shape("a Groq key", "gsk_", r"gsk_[A-Za-z0-9]{52}"),
    _shape("an xAI key", "xai-", r"xai-[A-Za-z0-9]{80}"),
    _shape("a Replicate token", "r8_", r"r8_[A-Za-z0-9]{37}"),
    _shape("a Databricks token", "dapi", r"dapi[0-9a-f]{32}"),
    _shape("a DigitalOcean token", "do", r"do[opr]_v1_[0-9a-f]{64}"),
    _shape("a SendGrid key", "SG.", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    _shape("a Shopify token", "shp", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _shape("a Telegram token", ":AA", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"),
    _shape("a Docker token", "dckr_", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,}"),
    _shape("a Vault token", "hvs. hvb.", r"hv[sb]\.[A-Za-z0-9_-]{24,}"),
    _shape("a Linear key", "lin_api_", r"lin_api_[A-Za-z0-9]{40}"),
    _shape("an Atlassian token", "ATATT3", r"ATATT3[A-Za-z0-9_=-]{60,}"),
    _shape("a Grafana token", "glsa_ glc_", r"gl(?:sa|c)_[A-Za-z0-9_+/=]{32,}"),
    _shape("a web token", "eyJ", r"eyJ[A-Za-z0-9_-]{10,300}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,}"),
)
"""Shapes that their issuers document, or that gitleaks' rules name."""

_WORDS = (
    "password|passwd|passphrase|passwort|pwd|secret|token|credential|bearer|cookie"
    "|api[_-]?key|apikey|access[_-]?key|private[_-]?key|auth[_-]?key|account[_-]?key|signing[_-]?key|encryption[_-]?key"
)
_VALUE = r"(?P<value>(?:[0-9A-Fa-f]{2}[:;, -]{1,2}){11,200}[0-9A-Fa-f]{2}|[A-Za-z0-9+/=_.~!@#%^&*-]{8,512})"
_BESIDE = re.compile(
    rf"(?:{_WORDS})[\w-]{{0,24}}[\"'`]?[ \t]{{0,3}}(?::=|=>|[:=])[ \t]{{0,3}}(?:[brfu]?[\"'`])?(?:bearer |basic )?{_VALUE}",
    re.IGNORECASE | re.ASCII,
)
_WEAK_KEY = re.compile(
    r"(?<![A-Za-z0-9-])key[\"'`]?[ \t]{0,3}(?::=|=>|[:=])[ \t]{0,3}[\"'`]?(?P<value>[A-Za-z0-9+/=_-]{20,512})",
    re.IGNORECASE | re.ASCII,
)
_HEADER = re.compile(rf"\b(?:bearer|basic)[ \t]{{1,3}}{_VALUE}", re.IGNORECASE | re.ASCII)
_IN_URL = re.compile(r"://[^\s:/@\"'<>{}$]{0,100}:(?P<value>[^\s/@\"'<>{}$*\[\]]{6,200})@")
_TELLING = re.compile(_WORDS, re.IGNORECASE | re.ASCII)
_HASH = re.compile(r"[0-9a-f]{7,128}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_LONG_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}[:;, -]{0,2}){16,}")


def is_telling(name: str) -> bool:
    """Whether a field of this name may hold a secret."""
    return _TELLING.search(name) is not None


def beside_words(text: str, *, unbroken: bool = True) -> Iterator[tuple[int, int, str]]:
    """Random-looking values beside a word that tells what they are: start, end, and their name in a mark.

    Args:
        unbroken: The text has its line breaks; without them only the plainest words tell.
    """
    if ":" in text or "=" in text:
        yield from _random_values(_BESIDE, text, "secret")
        for start, end, name in _random_values(_WEAK_KEY, text, "key") if unbroken else ():
            if not _HASH.fullmatch(text, start, end):
                yield start, end, name
    yield from _random_values(_HEADER, text, "credentials")
    if "://" in text:
        for found in _IN_URL.finditer(text):
            if not found["value"].isalpha():
                yield *found.span("value"), "password"


def _random_values(pattern: re.Pattern[str], text: str, name: str) -> Iterator[tuple[int, int, str]]:
    for found in pattern.finditer(text):
        if looks_random(found["value"]):
            yield *found.span("value"), name


def looks_random(value: str) -> bool:
    """Whether a value is more likely drawn than written: its kinds of letters change as often as chance would have it.

    Of random letters and digits 6 of 10 neighbours differ in kind (small, capital, digit), of hex digits 5; of words in
    camel case 3, and those have no digits.
    """
    kinds = "".join(_kind(letter) for letter in value if letter.isascii() and letter.isalnum())
    if len(kinds) < 8:
        return False
    if _LONG_HEX.fullmatch(value):
        return True
    switches = sum(a != b for a, b in pairwise(kinds)) / (len(kinds) - 1)
    is_drawn = switches >= (0.3 if "0" in kinds else 0.4)
    return is_drawn and len(set(value)) >= 6 and len(set(kinds)) >= 2


def _kind(letter: str) -> str:
    return "0" if letter.isdigit() else "a" if letter.islower() else "A"
