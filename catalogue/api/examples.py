"""What the API document shows of the catalogue: one model in every form."""

from typing import Any

from catalogue.endpoints import GENERATION

_PARAMS = ["max_tokens", "stream", "temperature", "tools"]
_ENDPOINTS = sorted(GENERATION)
_DATES: dict[str, Any] = {"release_date": "2025-10-15", "deprecation_date": None, "retirement_date": None}

GATEWAY_MODEL_EXAMPLE: dict[str, Any] = {
    "id": "anthropic/claude-haiku-4.5",
    "canonical_slug": "anthropic/claude-haiku-4.5",
    "model_id": "anthropic/claude-haiku-4.5",
    "name": "Claude Haiku 4.5",
    "description": None,
    "created": 1760486400,
    **_DATES,
    "status": "active",
    "lifecycle": {
        "status": "active",
        "deprecation_date": None,
        "retirement_date": None,
        "replacement_model_id": None,
        "message": None,
    },
    "organisation_id": "anthropic",
    "organisation_name": "Anthropic",
    "organisation_colour": "#d97757",
    "aliases": ["claude-haiku-4-5"],
    "endpoints": _ENDPOINTS,
    "input_types": ["image", "text"],
    "output_types": ["text"],
    "providers": [{"api_provider_id": "anthropic", "is_active_gateway": True, "params": _PARAMS}],
    "supported_params": _PARAMS,
    "supported_parameters": _PARAMS,
    "architecture": {
        "modality": "image+text->text",
        "input_modalities": ["image", "text"],
        "output_modalities": ["text"],
        "tokenizer": None,
        "instruct_type": "chat",
    },
    "top_provider_id": "anthropic",
    "top_provider": {"context_length": 200000, "max_completion_tokens": 64000, "is_moderated": False},
    "pricing": {
        "prompt": "0.000001",
        "completion": "0.000005",
        "request": None,
        "image": None,
        "input_cache_read": "0.0000001",
        "input_cache_write": None,
        "web_search": None,
    },
    "pricing_detail": {
        "pricing_plan": "standard",
        "provider_id": "anthropic",
        "upstream_name": "claude-haiku-4-5-20251001",
        "meters": {
            "input_text_tokens": {
                "provider_id": "anthropic",
                "unit": "token",
                "unit_size": 1000000,
                "price_per_unit": "0.000001",
                "currency": "USD",
            }
        },
    },
    "headline": {
        "over": "callable",
        "offerings": 2,
        "is_free": False,
        "prompt": {"from": "0.000001", "to": "0.0000011"},
        "completion": {"from": "0.000005", "to": "0.0000055"},
        "input_cache_read": {"from": "0.0000001", "to": "0.00000011"},
        "context_length": {"from": 200000, "to": 200000},
    },
    "per_request_limits": None,
    "reasoning_tier": None,
    "open_weights": False,
    "licence": None,
    "knowledge_cutoff": "2025-02-28",
    "is_routable": True,
    "kind": "model",
    "route": None,
}
GATEWAY_MODELS_EXAMPLE: dict[str, Any] = {
    "ok": True,
    "privacy_scope": "shared",
    "limit": 50,
    "offset": 0,
    "total": 1,
    "models": [GATEWAY_MODEL_EXAMPLE],
    "next_cursor": None,
    "warnings": [],
}
_WINDOW: dict[str, Any] = {
    "calls": 61,
    "success_rate": 0.9836,
    "connect_failures": 0,
    "failures": {"timeout": 1},
    "latency_ms": {"p50": 612.4, "p90": 990.1, "p99": 1930.7},
    "first_token_ms": {"p50": 405.5, "p90": 702.9, "p99": 1491.9},
    "throughput": {"p50": 88.0, "p90": 121.0, "p99": 140.0},
}
ENDPOINTS_EXAMPLE: dict[str, Any] = {
    "ok": True,
    "id": "anthropic/claude-haiku-4.5",
    "name": "Claude Haiku 4.5",
    "endpoints": [
        {
            "provider_id": "anthropic",
            "provider_name": "Anthropic",
            "upstream_name": "claude-haiku-4-5-20251001",
            "is_routable": True,
            "endpoints": _ENDPOINTS,
            "params": _PARAMS,
            "supports_streaming": True,
            "quantization": None,
            "regions": ["eu", "us"],
            "zero_retention": None,
            "collects_data": False,
            "limits": {"context_length": 200000, "max_completion_tokens": 64000},
            "effective_from": None,
            "effective_to": None,
            "pricing": GATEWAY_MODEL_EXAMPLE["pricing"],
            "prices": [
                {
                    "meter": "input_text_tokens",
                    "plan": "standard",
                    "unit": "token",
                    "unit_size": 1000000,
                    "price_per_unit": "0.000001",
                    "currency": "USD",
                    "conditions": [],
                    "valid_from": None,
                    "valid_to": None,
                    "is_current": True,
                }
            ],
            "health": {
                "probe": "healthy",
                "calls": 1204,
                "success_rate": 0.9992,
                "probe_uptime": 1.0,
                "latency_ms": {"p50": 412.0, "p90": 690.0, "p99": 1430.0},
                "throughput": {"p50": 88.0, "p90": 121.0, "p99": 140.0},
                "now": {
                    "breaker": "closed",
                    "cause": None,
                    "until": None,
                    "success_rate": 1.0,
                    "latency_ms": 640.5,
                    "windows": dict.fromkeys(("1m", "5m", "30m"), _WINDOW),
                },
            },
        }
    ],
}
REFUSAL_EXAMPLE: dict[str, Any] = {
    "ok": False,
    "error": "invalid_request",
    "code": "invalid_value",
    "message": "limit must be a whole number from 1 to 250, not '500'.",
    "param": "limit",
    "provided": "500",
    "minimum": 1,
    "maximum": 250,
}
MODEL_EXAMPLE: dict[str, Any] = {
    "id": "anthropic/claude-haiku-4.5",
    "object": "model",
    "created": 1795305600,
    "owned_by": "anthropic",
    "provider": "anthropic",
    "reasoning_tier": None,
    "supports_streaming": True,
    "shutdown_date": None,
}

GOOGLE_MODEL_EXAMPLE: dict[str, Any] = {
    "name": "models/anthropic/claude-haiku-4.5",
    "baseModelId": "anthropic/claude-haiku-4.5",
    "version": "2025-10-15",
    "displayName": "Claude Haiku 4.5",
    "inputTokenLimit": 200_000,
    "outputTokenLimit": 64_000,
    "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
    "thinking": True,
}
