"""What counts as a secret: shapes of issuers, drawn values in whatever form, and hardly ever anything else."""

from __future__ import annotations

import base64
import json
import random
import string
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from callboard.agents.manager.secrets import secrets_in

ROOT = Path(__file__).parents[4]
LETTERS = string.ascii_letters + string.digits


def drawn(rng: random.Random) -> str:
    """A key as issuers and password managers make them: 20 to 54 letters and digits, Base64, or hex."""
    match rng.randrange(4):
        case 0:
            return "".join(rng.choices(LETTERS, k=rng.randrange(24, 49)))
        case 1:
            return base64.urlsafe_b64encode(rng.randbytes(rng.randrange(18, 40))).decode().rstrip("=")
        case 2:
            return "".join(rng.choices(LETTERS, k=20))
        case _:
            return rng.randbytes(rng.choice([16, 20, 32])).hex()


FORMS: dict[str, Callable[[str], str]] = {
    "assignment": lambda s: f'API_KEY = "{s}"\n',
    "environment": lambda s: f"SERVICE_TOKEN={s}\n",
    "json": lambda s: json.dumps({"client_secret": s}),
    "yaml": lambda s: f"db:\n  password: {s}\n",
    "header": lambda s: f"x-api-key: {s}\n",
    "url": lambda s: f"https://svc:{s}@db.example.com/x\n",
    "base64": lambda s: f'blob = "{base64.b64encode(s.encode()).decode()}"\n',
    "hex": lambda s: f'data = "{s.encode().hex()}"\n',
    "percent": lambda s: f'url = "https://x/?token%3D{s}"\n',
    "sum of literals": lambda s: f'api_key = "{s[:9]}" + "{s[9:]}"\n',
    "literals on two lines": lambda s: f"token = (\n    '{s[:12]}'\n    '{s[12:]}'\n)\n",
    "utf-16": lambda s: f'secret = "{s}"\n',
}


def in_form(form: str, secret: str) -> bytes:
    text = FORMS[form](secret)
    return text.encode("utf-16" if form == "utf-16" else "utf-8")


@pytest.mark.parametrize("form", FORMS)
def test_nine_of_ten_unknown_secrets_are_found_in_every_form(form: str, seed: int) -> None:
    rng = random.Random(f"{seed} {form}")
    missed = [secret for secret in (drawn(rng) for _ in range(200)) if not secrets_in(in_form(form, secret))]
    assert len(missed) <= 20, missed


SHAPES = {
    "AWS": ("AKI", "A" + "Z7Q2M4X9K1B5N8C3"),
    "GitLab": ("glp", "at-" + "x" * 20),
    "Slack hook": ("https://hooks.sla", "ck.com/services/T0/B0/" + "x" * 24),
    "SendGrid": ("S", "G." + "a" * 22 + "." + "b" * 43),
    "Telegram": ("12345", "6789:" + "a" * 35),
    "Hugging Face": ("h", "f_" + "a" * 34),
    "JSON Web Token": ("ey", "J" + "hbGciOiJIUzI1NiJ9" + ".ey" + "J" + "zdWIiOiIxMjM0In0." + "c" * 43),
    "PuTTY": ("PuTTY-User", "-Key-File-3: ssh-rsa"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_of_issuers_are_found_in_plain_text(name: str) -> None:
    assert secrets_in("x ".join(("", "".join(SHAPES[name]))).encode())


@pytest.mark.parametrize(
    "text",
    [
        'sha = "3f786850e387550fdab836ed7e6dc881de23001b"',
        '"integrity": "sha512-v2kDEe57lecTulaDIuNTPy3Ry4gLGJ6Z1O3vE1krgXZNrsQ+LFTGHVxVjcXPs17LhbZVGedAJv8XZ1tvj5FvSg=="',
        "golang.org/x/net v0.17.0 h1:pVaXccu2ozPjCXewfr1S7xza/zcXTity9cCdXQYSjIM=",
        'key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPVp5tCbHx3oFYOwN2kYC1n3hJrN2vV8nZ5gqkFQ1wq"',
        'id = "123e4567-e89b-12d3-a456-426614174000"',
        'ref = "refs/callboard/r1/tasks/T-1/1"',
        'name = "Base64HighEntropyStringPlugin2"',
        'password = os.environ["DATABASE_PASSWORD"]',
        "postgresql://user:password@localhost/db",
        "redis://[[username]:[password]]@localhost:6379/0",
        "api_key: ${{ secrets.DEPLOY_API_KEY_2 }}",
        'token_limit = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"',
        "sk-learn, AKIA, ghp_short, -----BEGIN CERTIFICATE-----, npm_install",
    ],
)
def test_digests_names_public_keys_and_placeholders_are_no_secrets(text: str) -> None:
    assert secrets_in(text.encode()) == {}


def own_files() -> Iterator[Path]:
    """Every tracked file but the tests, some of which plant secrets."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    paths = [ROOT / name for name in listed.split("\0") if name and not name.startswith("tests/")]
    return (path for path in paths if path.is_file() and not path.is_symlink())


@pytest.mark.long
def test_at_most_one_in_a_hundred_files_of_this_project_is_a_false_alarm() -> None:
    alarms = {path: found for path in own_files() if (found := secrets_in(path.read_bytes()))}
    assert len(alarms) <= 0.01 * len([*own_files()]), alarms


@pytest.mark.parametrize(
    "piece",
    [
        "eyJ",
        "//",
        "password=",
        "password",
        '"a" ',
        "://a:",
        "-----BEGIN ",
        "aws key '",
        "xoxb-1-",
        " ",
        "a",
        "AB12" * 300,
    ],
)
@pytest.mark.timeout(120)
def test_no_text_takes_long_however_it_is_made(piece: str) -> None:
    """300 kB on one line. What grows with the square of its length would take hours, and a linear scan half a second."""
    secrets_in((piece * (300_000 // len(piece))).encode())


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"\xff\xfea", bytes(range(256)) * 40, b"\0" * 5000])
def test_what_is_no_text_is_scanned_too(content: bytes) -> None:
    secrets_in(content)
    assert secrets_in(content + b"\n-----BEGIN " + b"PRIVATE KEY-----\n") or content.startswith(b"\xff\xfe")


def test_a_key_in_the_middle_of_one_long_line_is_found(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(20):
        at = rng.randrange(100_000)
        key = "AKI" + "A" + "Z7Q2M4X9K1B5N8C3"
        assert key in secrets_in(("x," * at + key + ",y" * 5_000).encode()), at
