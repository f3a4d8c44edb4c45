"""Bearer tokens of an identity provider, here a server on loopback."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from served import Served

from callboard.app import Workspace
from callboard.settings.web import OidcSettings
from callboard.web.app import create
from callboard.web.oidc import NotTrusted, Person, Provider, scopes_in

Claims = dict[str, object]


class Issuer:
    """An identity provider with one key."""

    def __init__(self) -> None:
        self.key: EllipticCurvePrivateKey = generate_private_key(SECP256R1())
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found: dict[str, object] = {
                    "/.well-known/openid-configuration": {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"},
                    "/keys": {"keys": [{**public, "kid": "k1", "use": "sig", "alg": "ES256"}]},
                }
                body = json.dumps(found.get(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def claims(self, **other: object) -> Claims:
        now = int(time.time())
        fixed = {"iss": self.url, "aud": "callboard", "sub": "ada", "iat": now, "exp": now + 3_600}
        return {**fixed, "scope": "openid callboard:read callboard:answer", **other}

    def token(self, claims: Claims, key: EllipticCurvePrivateKey | None = None) -> str:
        return jwt.encode(claims, key or self.key, "ES256", headers={"kid": "k1"})


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def provider(issuer: Issuer) -> Provider:
    return Provider(OidcSettings(issuer=issuer.url, audience="callboard"))


def check(provider: Provider, token: str) -> Person:
    return asyncio.run(provider.check(token))


def test_a_token_for_us_says_who_asks_and_what_they_may(issuer: Issuer, provider: Provider) -> None:
    assert check(provider, issuer.token(issuer.claims())) == Person("ada", ("read", "answer"))


@pytest.mark.parametrize(
    "other",
    [
        {"aud": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1_000_000_000},
        {"nbf": 4_000_000_000},
        {"sub": None},
        {"exp": None},
        {"sub": "  "},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_us_now_is_not_believed(issuer: Issuer, provider: Provider, other: Claims) -> None:
    claims = {name: value for name, value in issuer.claims(**other).items() if value is not None}
    with pytest.raises(NotTrusted):
        check(provider, issuer.token(claims))


def test_a_token_that_somebody_else_signed_or_nobody_is_not_believed(issuer: Issuer, provider: Provider) -> None:
    forged = (
        issuer.token(issuer.claims(), generate_private_key(SECP256R1())),
        jwt.encode(issuer.claims(), "", "none", headers={"kid": "k1"}),
        jwt.encode(issuer.claims(), "x" * 64, "HS256", headers={"kid": "k1"}),
        jwt.encode(issuer.claims(), issuer.key, "ES256", headers={"kid": "k2"}),
        "x",
    )
    for token in forged:
        with pytest.raises(NotTrusted):
            check(provider, token)


def test_a_provider_that_is_not_there_lets_nobody_in() -> None:
    with pytest.raises(NotTrusted, match="does not say where its keys are"):
        check(Provider(OidcSettings(issuer="http://127.0.0.1:9", audience="callboard")), "x")


def test_a_persons_token_opens_the_routes_of_its_scopes_beside_our_own(
    issuer: Issuer, workspace: Workspace, board: str, reader: str
) -> None:
    oidc = OidcSettings(issuer=issuer.url, audience="callboard")
    settings = workspace.settings
    settings = settings.model_copy(update={"web": settings.web.model_copy(update={"oidc": oidc})})
    running = Served(create(replace(workspace, settings=settings)))
    try:
        statuses = {
            name: running.ask("/agents", token).status
            for name, token in {
                "theirs": issuer.token(issuer.claims()),
                "ours": reader,
                "no scope": issuer.token(issuer.claims(scope="openid callboard:answer")),
                "for others": issuer.token(issuer.claims(aud="another")),
                "forged": issuer.token(issuer.claims(), generate_private_key(SECP256R1())),
            }.items()
        }
    finally:
        running.stop()
    assert statuses == {"theirs": 200, "ours": 200, "no scope": 403, "for others": 401, "forged": 401}


def test_scopes_are_ours_alone_and_named_with_the_prefix() -> None:
    assert scopes_in({"scp": ["callboard:operate", "callboard:root", "read", 5]}, "callboard:") == ("operate",)
    assert scopes_in({"scope": "read"}, "callboard:") == ()
    assert scopes_in({"scope": None, "scp": {"a": 1}}, "callboard:") == ()
