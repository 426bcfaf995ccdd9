"""A small OpenID provider: discovery, authorisation without asking, tokens with PKCE, turning keys, user info."""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CLIENT, SECRET = "gatehouse", "the-client-secret"


@dataclass
class Faults:
    """What it does wrong: claims put over the right ones, or another way of signing."""

    claims: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    is_signed_by_stranger: bool = False
    algorithm: str = ""
    issuer_told: str = ""
    is_down: bool = False
    token_body: bytes | None = None
    userinfo_subject: str = ""


@dataclass
class OpenId:
    """`person` is who is signed in at it: the claims that it tells of them, some by user info only."""

    server: ThreadingHTTPServer
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "00u1", "email": "ada@x.example"})
    userinfo: dict[str, Any] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    algorithm: str = "RS256"
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    keys: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.turn_keys()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"

    @property
    def issuer(self) -> str:
        return f"http://{self.address}"

    def turn_keys(self) -> None:
        number = len(self.keys) + 1
        self.keys = {f"rsa-{number}": rsa.generate_private_key(65537, 2048)}
        self.keys |= {f"ec-{number}": ec.generate_private_key(ec.SECP256R1())}

    def jwks(self) -> dict[str, Any]:
        rows = []
        for kid, key in self.keys.items():
            kind: Any = jwt.algorithms.RSAAlgorithm if kid.startswith("rsa") else jwt.algorithms.ECAlgorithm
            alg = "RS256" if kid.startswith("rsa") else "ES256"
            rows.append(kind.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "use": "sig", "alg": alg})
        return {"keys": [{"kty": "odd"}, *rows]}

    def token(self, nonce: str) -> str:
        algorithm = self.faults.algorithm or self.algorithm
        kid = next(each for each in self.keys if each.startswith("rsa" if algorithm[0] == "R" else "ec"))
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **self.person,
        }
        claims |= self.faults.claims
        for name in self.faults.without:
            claims.pop(name, None)
        if algorithm == "none":
            return jwt.encode(claims, None, algorithm="none")
        if algorithm == "HS256":
            return jwt.encode(claims, SECRET * 3, algorithm="HS256", headers={"kid": kid})
        key = self.keys[kid]
        if self.faults.is_signed_by_stranger:
            key = rsa.generate_private_key(65537, 2048)
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


class _Handler(BaseHTTPRequestHandler):
    openid: OpenId

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.openid.asked.append(parts.path)
        if self.openid.faults.is_down:
            self._say(503, b"down")
        elif parts.path == "/.well-known/openid-configuration":
            self._say(200, self._configuration())
        elif parts.path == "/authorize":
            self._authorise(query)
        elif parts.path == "/jwks":
            self._say(200, self.openid.jwks())
        elif parts.path == "/userinfo":
            subject = self.openid.faults.userinfo_subject or self.openid.person["sub"]
            self._say(200, {"sub": subject, **self.openid.userinfo})

    def do_POST(self) -> None:
        sent = {
            name: values[0]
            for name, values in parse_qs(
                self.rfile.read(int(self.headers["content-length"])).decode()
            ).items()
        }
        self.openid.asked.append(self.path)
        begun = self.openid.codes.pop(sent.get("code", ""), None)
        is_right = begun is not None and _challenge(sent.get("code_verifier", "")) == begun["code_challenge"]
        if not is_right or (sent.get("client_id"), sent.get("client_secret")) != (CLIENT, SECRET):
            self._say(400, {"error": "invalid_grant"})
        elif self.openid.faults.token_body is not None:
            self._say(200, self.openid.faults.token_body)
        else:
            assert begun is not None
            token = self.openid.token(begun["nonce"])
            self._say(
                200, {"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": token}
            )

    def _configuration(self) -> dict[str, Any]:
        base = self.openid.issuer
        told = {"issuer": self.openid.faults.issuer_told or base, "jwks_uri": f"{base}/jwks"}
        places = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        told |= {f"{name}_endpoint": f"{base}/{place}" for name, place in places.items()}
        return told | {"token_endpoint_auth_methods_supported": ["client_secret_post"]}

    def _authorise(self, query: dict[str, str]) -> None:
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self.openid.asked)}"
        self.openid.codes[code] = query
        place = f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"
        self.send_response(302)
        self.send_header("location", place)
        self.send_header("content-length", "0")
        self.end_headers()

    def _say(self, status: int, body: Any) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def open_id() -> Iterator[OpenId]:
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.openid = OpenId(server)  # type: ignore[attr-defined]
    Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    try:
        yield handler.openid  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
