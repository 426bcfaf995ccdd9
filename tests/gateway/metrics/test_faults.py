"""Every code of an error that a client or the ledger is told has a word with its domain, and there are few words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.metrics.faults import CALLER_OTHER, DOMAINS, GATEWAY_OTHER, PROVIDER_OTHER, WORDS, word_for

ROOT = Path(__file__).parents[3]
# Where refusals of calls and failures of attempts are made; REST has codes of its own.
ROOMS = (
    "gateway/proxy",
    "gateway/server/guarded.py",
    "providers/adapters",
    "providers/formats",
    "providers/wire",
)
FILES = ("providers/transport.py", "providers/http1.py", "providers/engine.py", "accounts/permits.py")
# Modules whose constants are outcomes' codes by themselves.
CONSTANTS = {"CLIENT_GONE", "KEY_ENDED", "_INTERRUPTED", "GATEWAY_ERROR", "PROCESS_LOST", "CLIENT_DEADLINE"}
CONSTANTS |= {"CONTEXT_EXCEEDED", "OVERLOADED", "TIMED_OUT", "INVALID_REQUEST", "_UNREADABLE"}
CODE = re.compile(r"[a-z]+(?:_[a-z]+)+")
# In these calls a code stands without its name: by the position of it.
POSITIONS = {"_Class": 1, "UpstreamFailure": 2, "unavailable": 1, "timed_out": 0, "Denial": 2}
# What `_UNREADABLE` and its like hold besides.
NO_CODES = {"form_data", "error_code"}


def sources() -> Iterator[ast.Module]:
    paths = [ROOT / each for each in (*ROOMS, *FILES, "gateway/core/envelopes.py")]
    for path in paths:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            yield ast.parse(file.read_text("utf-8"))


def codes_in(node: ast.AST) -> set[str]:
    constants = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant))
    return {value for value in constants if isinstance(value, str) and CODE.fullmatch(value)}


def codes_of(node: ast.AST) -> set[str]:
    """Those that this one piece of code gives to an error."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=args) if name in POSITIONS and len(args) > POSITIONS[name]:
            return codes_in(args[POSITIONS[name]])
        case ast.keyword(arg="code", value=value):
            return codes_in(value)
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == "code" or name in CONSTANTS:
            return codes_in(value)
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=value) if CONSTANTS & {
            each.id for each in names if isinstance(each, ast.Name)
        }:
            return codes_in(value)
        case ast.AnnAssign(target=ast.Name(id="code"), value=ast.expr() as value):
            return codes_in(value)
        case ast.arguments(args=args, defaults=defaults, kwonlyargs=named, kw_defaults=named_defaults):
            given = [
                *zip(reversed(args), reversed(defaults), strict=False),
                *zip(named, named_defaults, strict=True),
            ]
            return {code for arg, value in given if arg.arg == "code" and value for code in codes_in(value)}
    return set()


def all_codes() -> set[str]:
    return {code for module in sources() for node in ast.walk(module) for code in codes_of(node)} - NO_CODES


def test_the_codes_are_found() -> None:
    """One of each way to write one down."""
    expected = {
        *(
            "invalid_api_key",
            "server_shutting_down",
            "client_gone",
            "context_length_exceeded",
            "provider_stalled",
        ),
        *("provider_auth_error", "invalid_value", "invalid_form", "surface_not_permitted", "internal_error"),
    }
    assert expected <= all_codes()


def test_each_code_has_a_word() -> None:
    assert all_codes() - WORDS.keys() == set(), "give it a word in gateway/metrics/faults.py"


def test_each_word_begins_with_its_domain_and_they_are_few() -> None:
    words = set(WORDS.values())
    assert all(word.startswith(DOMAINS) for word in words)
    assert len(words) < 40


@pytest.mark.parametrize(
    ("code", "is_callers", "word"),
    [
        ("", False, "none"),
        ("rate_limit_exceeded", True, "policy_limit"),
        ("provider_rate_limited", True, "provider_rate_limited"),
        ("a_code_of_a_vendor", True, CALLER_OTHER),
        ("provider_went_for_a_walk", False, PROVIDER_OTHER),
        ("sk-gw-secret of a stranger", False, GATEWAY_OTHER),
    ],
)
def test_what_nobody_foresaw_has_a_domain_too(code: str, is_callers: bool, word: str) -> None:
    assert word_for(code, is_callers=is_callers) == word
