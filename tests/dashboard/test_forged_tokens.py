"""A provider that lies: each token that must not be believed ends in a page, and signs nobody in."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.conftest import MakeRelay

RIGHT, WRONG = RSAKey.generate_key(2048, {"kid": "k"}), RSAKey.generate_key(2048, {"kid": "k"})
SECRET = "a-secret-of-tests-alone-of-32-bytes"
Lie = Callable[[dict[str, Any]], str | bytes | None]


class Liar:
    """Answers discovery, keys and token; `make` makes the id token of the claims that would be right."""

    def __init__(self) -> None:
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                keys = {"keys": [RIGHT.as_dict(private=False)]}
                self.answer(liar.metadata if "well-known" in self.path else keys)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.answer({"access_token": "x", "token_type": "Bearer", "id_token": liar.make(liar.claims)})

            def answer(self, content: dict[str, Any]) -> None:
                body = json.dumps(content).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        paths = {"authorization_endpoint": "/auth", "token_endpoint": "/token", "jwks_uri": "/jwks"}
        self.metadata: dict[str, Any] = {name: self.issuer + path for name, path in paths.items()}
        self.metadata |= {"issuer": self.issuer, "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"]}
        self.claims: dict[str, Any] = {}
        self.make: Lie = signed

    def expect(self, nonce: str) -> None:
        now = int(time.time())
        self.claims = {"iss": self.issuer, "sub": "a1", "aud": "relay", "iat": now, "exp": now + 300, "nonce": nonce}
        self.claims |= {"email": "ada@example.org", "email_verified": True}


def signed(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "k"}, claims, RIGHT)


def unsigned(claims: dict[str, Any]) -> str:
    head, body, _signature = signed(claims).split(".")
    return f"eyJhbGciOiJub25lIiwia2lkIjoiayJ9.{body}." if head else ""


def cut(claims: dict[str, Any]) -> str:
    return signed(claims)[:-8]


def by_the_secret(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))


def changed(**said: Any) -> Lie:
    return lambda claims: signed({name: value for name, value in (claims | said).items() if value is not ...})


def later(**said: int) -> Lie:
    return lambda claims: signed(claims | {name: int(time.time()) + seconds for name, seconds in said.items()})


LIES: dict[str, Lie] = {
    "another key": lambda claims: jwt.encode({"alg": "RS256", "kid": "k"}, claims, WRONG),
    "no signature": unsigned,
    "a signature by the secret": by_the_secret,
    "cut": cut,
    "no token": lambda _claims: None,
    "no token at all": lambda _claims: "x",
    "another issuer": changed(iss="https://elsewhere.example"),
    "another audience": changed(aud="another-app"),
    "another audience that names us": changed(aud=["another-app"], azp="relay"),
    "another nonce": changed(nonce="replayed"),
    "without a nonce": changed(nonce=...),
    "without an end": changed(exp=...),
    "without a subject": changed(sub=...),
    "an empty subject": changed(sub=""),
    "a subject that is no text": changed(sub={"a": 1}),
    "expired": later(exp=-3600, iat=-7200),
    "of tomorrow": later(iat=86400, exp=90000),
}


@pytest.fixture(scope="module")
def liar() -> Iterator[Liar]:
    found = Liar()
    threading.Thread(target=found.server.serve_forever, daemon=True).start()
    yield found
    found.server.shutdown()


@pytest.mark.parametrize("lie", ["the truth", *LIES])
def test_a_token_that_does_not_hold_signs_nobody_in(make_relay: MakeRelay, liar: Liar, lie: str) -> None:
    relay = make_relay(
        oidc_issuer=liar.issuer, oidc_client_id="relay", oidc_client_secret=SECRET, oidc_roles="*=viewer"
    )
    client = relay.app.test_client()
    asked = parse_qs(urlsplit(client.get("/sign-in/provider").location).query)
    assert asked["code_challenge_method"] == ["S256"]
    liar.expect(asked["nonce"][0])
    liar.make = LIES.get(lie, signed)
    answer = client.get(f"/sign-in/provider/callback?code=c&state={asked['state'][0]}")
    is_true = lie == "the truth"
    assert answer.status_code == (303 if is_true else answer.status_code)
    assert answer.status_code in ({303} if is_true else {403, 502}), answer.text
    assert (client.get("/account").status_code == 200) is is_true
    assert len(relay.rows("SELECT id FROM operator")) == is_true
