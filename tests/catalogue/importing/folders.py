"""Small folders of catalogue data, written by the tests."""

import json
from pathlib import Path
from typing import Any

from catalogue.importing.folder import FILES

Rows = list[dict[str, Any]]


def organisation(**fields: Any) -> dict[str, Any]:
    return {"id": "acme", "name": "Acme", **fields}


def model(public_id: str = "acme/one", **fields: Any) -> dict[str, Any]:
    return {"id": public_id, "organisation_id": "acme", "name": "One", **fields}


def provider(**fields: Any) -> dict[str, Any]:
    return {
        "id": "groq",
        "name": "Groq",
        "status": "Active",
        "api_base_url": "https://groq.example/v1",
        **fields,
    }


def offer(**fields: Any) -> dict[str, Any]:
    given = {
        "id": "groq:acme/one",
        "provider_id": "groq",
        "api_model_id": "acme/one",
        "model_id": "acme/one",
        "provider_model_slug": "one",
        "is_active_gateway": True,
        "capabilities": [{"id": "text.generate", "status": "active", "params": ["top_p"]}],
    }
    return given | fields


def rule(meter: str = "input_text_tokens", price: str = "1", **fields: Any) -> dict[str, Any]:
    given = {"meter": meter, "unit": "token", "unit_size": 1_000_000, "price": price, "currency": "USD"}
    return given | {"plan": "standard", "priority": 100} | fields


def card(*rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    given = {
        "key": "groq:acme/one:text.generate",
        "provider_id": "groq",
        "api_model_id": "acme/one",
        "provider_model_id": "groq:acme/one",
        "capability_id": "text.generate",
        "rules": list(rules or [rule()]),
    }
    return given | fields


def write_folder(path: Path, **files: Rows) -> Path:
    """All six files, one record a line; those that are not named hold one good row, aliases none."""
    given: dict[str, Rows] = {
        "organisations": [organisation()],
        "models": [model()],
        "aliases": [],
        "providers": [provider()],
        "provider_models": [offer()],
        "pricing": [card()],
        **files,
    }
    path.mkdir(exist_ok=True)
    for name in FILES:
        lines = ",\n".join(json.dumps(row) for row in given[name.removesuffix(".json")])
        (path / name).write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    return path
