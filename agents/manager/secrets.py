"""What looks like a secret in a file: shapes that issuers document, random values, and names that are given one.

The shapes are those of detect-secrets, read from its plugins. Its own scan is not used: it keeps only a part of some
matches (`ghp` of a GitHub token), so a new token would pass for one that the base had, and it can ask an issuer over the
network. Importing it takes 0.2 s of CPU and 3 MB, so it happens at the first hand-in, in the manager's process alone.

What a hand-in holds is hostile: no rule may take more than linear time, so every pattern is bounded, and lines are cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from callboard.agents.manager.secret_values import ASSIGNED, LEAST_ENTROPY, RANDOM, TOKEN, entropy, is_random, is_strong
from callboard.agents.manager.secret_views import View, views

_PLUGINS = (
    ("artifactory", "ArtifactoryDetector"),
    ("aws", "AWSKeyDetector"),
    ("azure_storage_key", "AzureStorageKeyDetector"),
    ("discord", "DiscordBotTokenDetector"),
    ("github_token", "GitHubTokenDetector"),
    ("gitlab_token", "GitLabTokenDetector"),
    ("mailchimp", "MailchimpDetector"),
    ("openai", "OpenAIDetector"),
    ("pypi_token", "PypiTokenDetector"),
    ("sendgrid", "SendGridDetector"),
    ("slack", "SlackDetector"),
    ("square_oauth", "SquareOAuthDetector"),
    ("stripe", "StripeDetector"),
    ("telegram_token", "TelegramBotTokenDetector"),
    ("twilio", "TwilioKeyDetector"),
)
"""Module and class of every plugin whose patterns take linear time and name an issuer that still gives keys out. Not
among them: JWT and npm (quadratic; our own stand below), Softlayer, Cloudant and IBM (quadratic in blanks), keywords and
entropy (alarms in 2.7 % of this project's files; secret_values.py), private keys (the words alone are none),
public addresses (no secret)."""
_WEAK = frozenset({"Artifactory Credentials", "Mailchimp Access Key", "Twilio API Key"})
"""Shapes that words and rows of `x` have too, so the match has to look drawn."""

_OWN = {
    "Private Key": r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----|\bPuTTY-User-Key-File-\d:",
    "Google Key": r"\bAIza[A-Za-z0-9_-]{35}",
    "Anthropic Key": r"\bsk-ant-[A-Za-z0-9_-]{24,200}",
    "OpenAI Key": r"\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{40,200}",
    "GitHub Token": r"\bgithub_pat_[A-Za-z0-9_]{60,120}",
    "Slack Token": r"\bxox[abeoprs]-[A-Za-z0-9-]{20,200}",
    "Hugging Face Token": r"\bhf_[A-Za-z0-9]{34}\b",
    "Stripe Key": r"\b[sr]k_live_[A-Za-z0-9]{20,200}",
    "PyPI Token": r"\bpypi-AgEI[A-Za-z0-9_-]{50,200}",
    "npm Token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "JSON Web Token": r"\beyJ[A-Za-z0-9_-]{10,1000}\.eyJ[A-Za-z0-9_-]{10,1000}\.[A-Za-z0-9_-]{10,200}",
    "Password in a URL": r"://[^\s:/?#@'\"{}<>$\[\]]{1,100}:(?P<value>[^\s:/?#@'\"{}<>$*\[\]]{1,200})@",
}
"""Shapes that detect-secrets has not, has in part, or has in more than linear time."""

_DUMMY = re.compile(
    r"(?i)pass(?:word|wd)?|pw|secret|token|key|user\w*|x+|change_?me|example|test|postgres|redis|guest|\.+"
)
"""What stands for a password in documentation."""


def secrets_in(content: bytes) -> dict[str, str]:
    """Every secret in a file -> what kind it seems to be. The same value is found whatever stands around it.

    Base64, hex and percent-encoding of a secret, and literals it was cut into, are seen through.
    """
    found: dict[str, str] = {}
    for view in views(content):
        for value, kind in (*_shaped(view.text), *_valued(view)):
            found.setdefault(value, kind)
    return found


def _shaped(text: str) -> Iterator[tuple[str, str]]:
    for kind, pattern in _shapes():
        for match in pattern.finditer(text):
            is_dummy = "value" in pattern.groupindex and _DUMMY.fullmatch(match["value"])
            if not is_dummy and (kind not in _WEAK or entropy(match[0]) >= LEAST_ENTROPY):
                yield match[0], kind


def _valued(view: View) -> Iterator[tuple[str, str]]:
    for match in (TOKEN if view.is_decoded else RANDOM).finditer(view.text):
        if is_strong(match["value"]) if view.is_decoded else is_random(match["value"]):
            yield match["value"], "High Entropy String"
    for match in ASSIGNED.finditer(view.text):
        if is_strong(match["value"]):
            yield match["value"], f"Secret Keyword `{match['name'][:40]}`"


@cache
def _shapes() -> tuple[tuple[str, re.Pattern[str]], ...]:
    from importlib import import_module

    found = [(kind, re.compile(pattern)) for kind, pattern in _OWN.items()]
    for module, name in _PLUGINS:
        plugin = getattr(import_module(f"detect_secrets.plugins.{module}"), name)
        found += [(plugin.secret_type, pattern) for pattern in plugin.denylist]
    return tuple(found)
