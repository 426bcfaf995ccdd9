"""Identity providers' tokens: whose signature they have, for whom they are, and that they are of this very sign-in."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Whose keys are public: a client's secret signs nothing here."""
SKEW_S = 60
KEPT_S, LOOKED_AGAIN_S = 600.0, 10.0


class BadToken(ValueError):
    """Why a token is not believed, in a sentence for people."""


class _NoSuchKey(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Signed:
    """A token, and what has to be true of it."""

    text: str
    kid: Any
    algorithm: str
    issuer: str
    client_id: str


@dataclass(slots=True)
class _Keys:
    read_at: float
    keys: list[jwt.PyJWK] = field(default_factory=list)


_kept: dict[str, _Keys] = {}


def read_token(
    text: str, *, issuer: str, client_id: str, keys_url: str, fetch: Callable[[str], Any]
) -> dict[str, Any]:
    """Its claims. `fetch` reads a JSON document. Raises BadToken, and what `fetch` raises."""
    try:
        header = jwt.get_unverified_header(text)
    except jwt.PyJWTError:
        raise BadToken("Its token is not one.") from None
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise BadToken(f"Its token is signed with {str(algorithm)[:20]!r}, which is not taken.")
    signed = _Signed(text, header.get("kid"), algorithm, issuer, client_id)
    try:
        claims = _verify(signed, keys_url, fetch)
    except _NoSuchKey:
        raise BadToken("Its token is signed with a key that it does not publish.") from None
    except jwt.InvalidIssuerError:
        raise BadToken("Its token is of another issuer.") from None
    except jwt.InvalidAudienceError:
        raise BadToken("Its token is for another client.") from None
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
        raise BadToken(f"Its token is of another time: the clocks differ by more than {SKEW_S} s.") from None
    except jwt.PyJWTError:
        raise BadToken("Its token is not signed by it, or lacks what every token has.") from None
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != client_id:
        raise BadToken("Its token is for several clients, and was not given to this one.")
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise BadToken("Its token names nobody.")
    return claims


def read_unverified(text: str) -> dict[str, Any]:
    """The claims of a token that somebody pastes to try rules on; nobody is let in by them. Raises BadToken."""
    try:
        claims: dict[str, Any] = jwt.decode(text.strip(), options={"verify_signature": False})
    except jwt.PyJWTError:
        raise BadToken("This is neither a token nor a JSON object of claims.") from None
    return claims


def forget_keys() -> None:
    _kept.clear()


def _verify(signed: _Signed, url: str, fetch: Callable[[str], Any]) -> dict[str, Any]:
    """Raises _NoSuchKey, jwt.PyJWTError."""
    known = _keys_of(url, fetch)
    try:
        return _decode(signed, known)
    except (_NoSuchKey, jwt.InvalidSignatureError):
        # Keys turn, some under their former name: they are read once more, not for each token of whoever makes them up.
        if time.monotonic() - known.read_at <= LOOKED_AGAIN_S:
            raise
    return _decode(signed, _keys_of(url, fetch, kept_s=0))


def _decode(signed: _Signed, known: _Keys) -> dict[str, Any]:
    """Raises _NoSuchKey, jwt.PyJWTError."""
    key = _choose(known.keys, signed.kid, signed.algorithm)
    if key is None:
        raise _NoSuchKey
    claims: dict[str, Any] = jwt.decode(
        signed.text,
        key.key,
        algorithms=[signed.algorithm],
        audience=signed.client_id,
        issuer=signed.issuer,
        leeway=SKEW_S,
        options={"require": ["exp", "iat", "sub", "iss", "aud"]},
    )
    return claims


def _keys_of(url: str, fetch: Callable[[str], Any], *, kept_s: float = KEPT_S) -> _Keys:
    at = time.monotonic()
    known = _kept.get(url)
    if known is None or at - known.read_at > kept_s:
        known = _kept[url] = _Keys(at, _read_keys(fetch(url)))
    return known


def _choose(keys: list[jwt.PyJWK], kid: Any, algorithm: str) -> jwt.PyJWK | None:
    fitting = [key for key in keys if key.algorithm_name == algorithm or key.key_type == _type_of(algorithm)]
    if kid is not None:
        return next((key for key in fitting if key.key_id == kid), None)
    return fitting[0] if len(fitting) == 1 else None


def _type_of(algorithm: str) -> str:
    return {"E": "EC", "R": "RSA", "P": "RSA"}[algorithm[0]] if algorithm != "EdDSA" else "OKP"


def _read_keys(document: Any) -> list[jwt.PyJWK]:
    """Those that sign; what is not understood is passed over."""
    rows = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(rows, list):
        raise BadToken("Its keys are not where it says.")
    keys = []
    for row in rows[:100]:
        if isinstance(row, Mapping) and row.get("use", "sig") == "sig":
            try:
                keys.append(jwt.PyJWK(dict(row)))
            except jwt.PyJWTError:
                continue
    return keys
