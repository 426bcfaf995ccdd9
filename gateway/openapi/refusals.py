"""The refusals that the API document declares: which statuses occur where, each in the form of its surface. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway.core.envelopes import OVERLOADED, WRITERS, form_at
from gateway.openapi.bodies import Schema, list_, object_, ref, text

_MODEL = "openai/gpt-6.2-sol"
_SCHEMAS = {
    "openai": "ErrorEnvelope",
    "anthropic": "AnthropicError",
    "google": "GoogleError",
    "gateway": "Refusal",
}
_SPOKEN = "spoken"
"""Where the client's headers say whose form it reads."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One answer that is not 2xx, with an example; `headers` besides the request's id. Those of a name share it."""

    status: str
    name: str
    about: str
    message: str
    code: str
    headers: tuple[str, ...] = ()


_EVERYWHERE = (
    Refusal(
        "400",
        "Refused",
        "A field, a parameter or the host's name is missing or wrong.",
        "messages: at least one is needed.",
        "invalid_request",
    ),
    Refusal(
        "405",
        "WrongMethod",
        "The address takes other methods.",
        "This address takes POST, not GET.",
        "method_not_allowed",
        ("Allow",),
    ),
    Refusal("408", "TooSlow", "The request did not arrive in time.", "Send it faster.", "request_timeout"),
    Refusal(
        "414", "UrlTooLong", "The URL is too long.", "The URL is longer than 16384 bytes.", "url_too_long"
    ),
    Refusal("431", "HeadTooLarge", "The headers are too large.", "Send fewer.", "request_head_too_large"),
    Refusal(
        "500",
        "Failed",
        "The gateway failed; it was not your mistake.",
        "Something went wrong on our side.",
        "internal_error",
    ),
    Refusal(
        "503",
        "Unavailable",
        "Nothing can serve the request now.",
        "The database does not answer.",
        "service_unavailable",
        ("Retry-After",),
    ),
)
_WITH_KEY = (
    Refusal(
        "401",
        "Unauthorised",
        "No key, or one that is not valid.",
        "This key is not valid.",
        "invalid_api_key",
        ("WWW-Authenticate",),
    ),
    Refusal(
        "429",
        "TooMany",
        "A limit is reached.",
        "60 requests a minute are used up.",
        "rate_limit_exceeded",
        ("Retry-After",),
    ),
)
_WITH_BODY = (
    Refusal("413", "TooLarge", "The body is too large.", "The body is over 10 MB.", "request_too_large"),
    Refusal(
        "415",
        "WrongMediaType",
        "The body is not JSON, or is compressed.",
        "Send 'Content-Type: application/json'.",
        "unsupported_media_type",
    ),
)
_FORBIDDEN = Refusal(
    "403",
    "Forbidden",
    "The key has another scope.",
    "This is a feed key: it reads the catalogue and calls no model. Use an inference key.",
    "permission_denied",
)
_NOT_FOUND = Refusal(
    "404",
    "NotFound",
    "There is nothing with that id for this key.",
    "There is no model 'gpt4'.",
    "model_not_found",
)
_NOT_ACCEPTABLE = Refusal(
    "406",
    "NotAcceptable",
    "`Accept` rules JSON out.",
    "Could not satisfy the request Accept header.",
    "not_acceptable",
)
_INFERENCE = (
    _FORBIDDEN,
    Refusal(
        "404",
        "UnknownModel",
        "No such model, or no such stored response.",
        f"Unknown model 'gpt4'. Near it: '{_MODEL}'.",
        "model_not_found",
    ),
    Refusal(
        "410",
        "Retired",
        "The model was retired.",
        "Model 'x' was retired; use 'y'.",
        "model_retired",
        ("Link",),
    ),
    Refusal(
        "4XX",
        "ProviderRefused",
        "The provider's own refusal, with its status.",
        "The provider refused the request.",
        "invalid_request",
    ),
    Refusal(
        "502",
        "ProviderFailed",
        "Every provider failed.",
        "The provider cannot be reached.",
        "provider_unreachable",
    ),
    Refusal(
        "504",
        "ProviderTimedOut",
        "The provider took too long, or longer than the client waits.",
        "The provider did not answer in time.",
        "provider_timeout",
    ),
    Refusal(
        "504",
        "ProviderTimedOut",
        "The provider took too long, or longer than the client waits.",
        "The answer did not come within the time that the client waits.",
        "client_deadline",
    ),
)
_OVERLOADED = Refusal(
    "529",
    "Overloaded",
    "Every provider is overloaded.",
    "The provider is overloaded.",
    OVERLOADED,
)
_OF_A_TEAM = (
    "/v1/allowances",
    "/v1/keys",
    "/v1/team",
    "/v1/projects",
    "/v1/service-accounts",
    "/v1/limits",
    "/v1/budgets",
    "/v1/usage",
    "/v1/organization/",
    "/v1/generation",
    "/v1/credits",
    "/v1/analytics",
    "/v1/statements",
    "/v1/focus",
)
_CONFLICT = Refusal(
    "409",
    "Conflict",
    "There is another one of this name, or something refers to it.",
    "'invoices' cannot be deleted: the ledger has calls of it.",
    "in_use",
)
_ALL = (*_EVERYWHERE, *_WITH_KEY, *_WITH_BODY, *_INFERENCE, _NOT_FOUND, _CONFLICT, _NOT_ACCEPTABLE)


def declare(path: str, operation: Schema, *, is_edge: bool) -> None:
    """Add what may be refused there to the operation's answers; what it says itself stays."""
    form = _form_of(path)
    for refusal in _refusals_of(path, operation, is_edge=is_edge):
        operation["responses"].setdefault(refusal.status, ref(_name_of(refusal, form), "responses"))


def components() -> dict[str, Schema]:
    declared = [(form, each) for form in (*_SCHEMAS, _SPOKEN) for each in _ALL]
    named: dict[str, Schema] = {}
    for form, each in [*declared, ("anthropic", _OVERLOADED)]:
        component = named.setdefault(_name_of(each, form), _component(each, form))
        component["content"]["application/json"]["examples"][each.code] = {"value": _example_of(each, form)}
    return named


def schemas() -> dict[str, Schema]:
    """Of the envelopes; that of the published list is described by its view."""
    return {
        "ErrorEnvelope": object_(("error",), {"error": ref("ErrorDetail")}),
        "ErrorDetail": object_(
            ("message", "type", "param", "code"),
            {
                "message": text("What is wrong, and the way out."),
                "type": text("The kind of error, in OpenAI's words."),
                "param": text("The field that is wrong.", nullable=True),
                "code": text("A stable name to program against.", nullable=True),
            },
        ),
        "AnthropicError": object_(
            ("type", "error"),
            {
                "type": {"type": "string", "enum": ["error"]},
                "error": object_(
                    ("type", "message"),
                    {
                        "type": text("The kind of error, in Anthropic's words."),
                        "message": text("What is wrong, and the way out."),
                        "code": text("A stable name to program against."),
                        "param": text("The field that is wrong."),
                    },
                ),
                "request_id": text("This request's id."),
            },
        ),
        "GoogleError": object_(
            ("error",),
            {
                "error": object_(
                    ("code", "message", "status", "details"),
                    {
                        "code": {"type": "integer", "description": "The HTTP status."},
                        "message": text("What is wrong, and the way out."),
                        "status": text("The kind of error, in Google's words."),
                        "details": list_({"type": "object", "additionalProperties": True}),
                    },
                )
            },
        ),
    }


def _form_of(path: str) -> str:
    if path.startswith("/v1/messages"):
        return "anthropic"
    return _SPOKEN if path.startswith("/v1/models") else form_at(path)


def _refusals_of(path: str, operation: Schema, *, is_edge: bool) -> Iterator[Refusal]:
    yield from _EVERYWHERE
    yield from _WITH_KEY
    if is_edge or "requestBody" in operation:
        yield from _WITH_BODY
    if is_edge:
        yield from _INFERENCE
        if path == "/v1/messages":
            yield _OVERLOADED
        return
    yield _NOT_ACCEPTABLE
    if "{" in path or path.startswith(_OF_A_TEAM):
        yield _NOT_FOUND
    if path.startswith(_OF_A_TEAM) and operation["operationId"].endswith(("_create", "_destroy")):
        yield _CONFLICT
    if not path.startswith("/v1/gateway/"):
        yield _FORBIDDEN


def _name_of(refusal: Refusal, form: str) -> str:
    return f"{'' if form == 'openai' else form.title()}{refusal.name}"


def _component(refusal: Refusal, form: str) -> Schema:
    headers = {name: ref(name, "headers") for name in ("x-request-id", *refusal.headers)}
    content: Schema = {"schema": _schema_of(form), "examples": {}}
    return {"headers": headers, "description": refusal.about, "content": {"application/json": content}}


def _schema_of(form: str) -> Schema:
    if form == _SPOKEN:
        return {"anyOf": [ref(_SCHEMAS[each]) for each in ("openai", "anthropic", "google")]}
    return ref(_SCHEMAS[form])


def _example_of(refusal: Refusal, form: str) -> dict[str, Any]:
    status = int(refusal.status.replace("XX", "22"))
    write = WRITERS["openai" if form == _SPOKEN else form]
    return write({"message": refusal.message, "code": refusal.code, "status": status})
