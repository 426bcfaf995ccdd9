"""What a client says beside its body: in headers of ours, and of the vendors whose clients it may be."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.keys import KeyFacts
from accounts.limits import PROJECT
from accounts.permits import judge_project
from gateway.proxy.errors import BodyTooLarge, Forbidden, InvalidRequest, UnsupportedMediaType
from gateway.proxy.patience import WAIT_HEADERS, read_client_wait
from providers.wire.body import BodyKind
from providers.wire.call import Call

_PROJECT = b"x-gateway-project-id"
_BETAS = b"anthropic-beta"
_BETA = re.compile(r"[a-zA-Z0-9._:-]{1,64}")
_MOST_BETAS = 20
_SHOW_TRANSLATED = b"x-gateway-show-translated"
_SWITCH = {"": False, "0": False, "1": True}
SAID_IN_HEADERS = frozenset({_BETAS, _SHOW_TRANSLATED}) | WAIT_HEADERS
"""What `hear_headers` reads."""


@dataclass(slots=True)
class ClientRequest:
    """A request that may be answered: its key is valid and its body read. Names of headers are in lower case."""

    id: str
    headers: Mapping[bytes, bytes]
    key: KeyFacts
    body: bytes = field(repr=False)

    def header(self, name: bytes) -> str:
        """Empty where it is not there."""
        value = self.headers.get(name)
        return value.decode("latin-1").strip() if value else ""


def check_content(headers: Mapping[bytes, bytes], wanted: BodyKind, limit_bytes: int) -> None:
    """That the body can be read. Raises UnsupportedMediaType, BodyTooLarge."""
    given = headers.get(b"content-type", b"")
    if given != b"application/json" or wanted is not BodyKind.JSON:
        _check_kind(given, wanted)
    coding = headers.get(b"content-encoding")
    if coding and coding.strip().lower() not in {b"identity", b""}:
        raise UnsupportedMediaType("Send the body without a Content-Encoding.", param="content-encoding")
    length = headers.get(b"content-length")
    if length and length.isdigit() and int(length) > limit_bytes:
        raise BodyTooLarge(f"The body is larger than {limit_bytes} bytes, the limit.", param="body")


def _check_kind(given: bytes, wanted: BodyKind) -> None:
    kind = given.partition(b";")[0].strip().lower().decode("latin-1")
    if kind != wanted and not (wanted is BodyKind.JSON and kind.endswith("+json")):
        raise UnsupportedMediaType(
            f"Send 'Content-Type: {wanted}', not {kind[:60] or 'nothing'}.", param="content-type"
        )


def read_project(request: ClientRequest, parsed: Mapping[str, Any]) -> str:
    """The header wins over the body, and the project of the key over both. Raises InvalidRequest, Forbidden."""
    if _PROJECT not in request.headers and "project_id" not in parsed and request.key.restrictions is None:
        return ""
    header = request.header(_PROJECT)
    project = header or parsed.get("project_id")
    param = "x-gateway-project-id" if header else "project_id"
    return _permitted_project(request.key, "" if project is None else project, param)


def _permitted_project(key: KeyFacts, project: object, param: str) -> str:
    if not isinstance(project, str) or (project and not PROJECT.fullmatch(project)):
        raise InvalidRequest(
            "A project is 1 to 64 letters, digits, dots, colons, dashes and underscores.",
            code="invalid_project_id",
            param=param,
        )
    if denial := judge_project(key, project, param):
        raise Forbidden(denial.message, code=denial.code, param=denial.param)
    return key.restrictions.project or project if key.restrictions else project


def hear_headers(call: Call, request: ClientRequest) -> None:
    """What they say of the call. Raises InvalidRequest."""
    call.betas = read_betas(request)
    call.client_waits_s = read_client_wait(request.headers, request.key.deadline_s)
    call.shows_translated = wants_translated(request)


def read_betas(request: ClientRequest) -> str:
    told = request.header(_BETAS)
    if not told:
        return ""
    names = [name.strip() for name in told.split(",") if name.strip()]
    if len(names) > _MOST_BETAS or not all(map(_BETA.fullmatch, names)):
        raise InvalidRequest(
            f"'anthropic-beta' must be at most {_MOST_BETAS} names with commas between them.",
            code="invalid_value",
            param="anthropic-beta",
        )
    return ",".join(names)


def wants_translated(request: ClientRequest) -> bool:
    asked = request.header(_SHOW_TRANSLATED)
    if asked not in _SWITCH:
        raise InvalidRequest(
            f"'x-gateway-show-translated' must be 1 or 0, not '{asked[:40]}'.",
            code="invalid_value",
            param="x-gateway-show-translated",
        )
    return _SWITCH[asked]
