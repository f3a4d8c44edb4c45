"""Secrets made up at random in documented shapes, and the ten disguises they are planted in.

Nothing here looks like a real key until the program runs: every shape is put together from its parts.
"""

from __future__ import annotations

import base64
import string
from collections.abc import Callable, Mapping
from random import Random
from urllib.parse import quote

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def drawn(random: Random, letters: str, length: int) -> str:
    return "".join(random.choices(letters, k=length))


SHAPED: Mapping[str, Callable[[Random], str]] = {
    "an AWS access key": lambda r: "AK" + "IA" + drawn(r, string.ascii_uppercase + string.digits, 16),
    "a GitHub token": lambda r: r.choice(["gh" + "p_", "gh" + "s_"]) + drawn(r, ALNUM, 36),
    "a GitHub token, fine-grained": lambda r: "github" + "_pat_" + drawn(r, ALNUM, 22) + "_" + drawn(r, ALNUM, 59),
    "a GitLab token": lambda r: "gl" + "pat-" + drawn(r, ALNUM + "_-", 20),
    "a Slack token": lambda r: (
        "xo" + f"xb-{drawn(r, string.digits, 12)}-{drawn(r, string.digits, 12)}-{drawn(r, ALNUM, 24)}"
    ),
    "a Stripe key": lambda r: "sk" + "_live_" + drawn(r, ALNUM, 24),
    "an Anthropic key": lambda r: "sk-" + "ant-api03-" + drawn(r, ALNUM + "_-", 93) + "AA",
    "an OpenAI key": lambda r: "sk-" + "proj-" + drawn(r, ALNUM + "_-", 74),
    "a Google key": lambda r: "AI" + "za" + drawn(r, ALNUM + "_-", 34) + "Z",
    "an npm token": lambda r: "np" + "m_" + drawn(r, ALNUM, 36),
    "a Hugging Face token": lambda r: "h" + "f_" + drawn(r, string.ascii_letters, 34),
    "a web token": lambda r: ".".join(
        [
            base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("="),
            base64.urlsafe_b64encode(f'{{"sub":"{drawn(r, string.digits, 10)}"}}'.encode()).decode().rstrip("="),
            drawn(r, ALNUM + "_-", 43),
        ]
    ),
    "a private key": lambda r: "\n".join(
        [
            "-----BEGIN " + "PRIVATE KEY-----",
            *(drawn(r, ALNUM + "+/", 64) for _ in range(6)),
            "-----END " + "PRIVATE KEY-----",
        ]
    ),
}
"""Secrets that can be known by their look."""

SHAPELESS: Mapping[str, Callable[[Random], str]] = {
    "a password": lambda r: drawn(r, ALNUM, 14) + r.choice("!#%@") + drawn(r, string.digits, 3),
    "a hex key": lambda r: drawn(r, HEX, 40),
    "a base64 key": lambda r: base64.b64encode(r.randbytes(30)).decode(),
    "a long token": lambda r: drawn(r, ALNUM + "_-", 48),
}
"""Secrets that could be anything: known by their value, or by the word beside them."""


def wrapped(text: str, width: int = 20) -> str:
    return "\n".join(text[at : at + width] for at in range(0, len(text), width))


def _base64(random: Random, secret: str) -> str:
    return base64.b64encode(drawn(random, ALNUM, random.randrange(4)).encode() + secret.encode()).decode()


def _hex_pairs(random: Random, secret: str) -> str:
    return random.choice([":", " ", ", "]).join(f"{byte:02x}" for byte in secret.encode())


DISGUISES: Mapping[str, Callable[[Random, str], str]] = {
    "plain": lambda _, s: s,
    "base64": _base64,
    "base64url": lambda r, s: _base64(r, s).replace("+", "-").replace("/", "_").rstrip("="),
    "base64 over lines": lambda r, s: wrapped(_base64(r, s), 24),
    "hex": lambda r, s: s.encode().hex() if r.random() < 0.5 else s.encode().hex().upper(),
    "hex in pairs": _hex_pairs,
    "percent": lambda r, s: quote(s, safe="") if r.random() < 0.5 else "".join(f"%{byte:02X}" for byte in s.encode()),
    "JSON escapes": lambda _, s: "".join(f"\\u{ord(letter):04x}" for letter in s),
    "reversed": lambda _, s: s[::-1],
    "over lines": lambda _, s: wrapped(s),
}
"""The ten encodings."""

SENTENCES = (
    "The deploy failed with {} and then stopped.",
    "retrying with {}",
    "curl: (22) server said: {}",
    "note: I found {}\nand went on with the next file.",
    'log line 12: value="{}" took 12 ms',
)
