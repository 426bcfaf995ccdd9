"""Whose fault it was: the few words that stand for all codes of errors, each with its domain in front.

`caller_`: what was asked. `policy_`: what the operator or a team allows. `provider_`: whom we asked. `gateway_`: us.
Availability is what is left without the first two.
"""

from collections.abc import Mapping

from gateway.metrics.labels import NONE

DOMAINS = ("caller_", "policy_", "provider_", "gateway_")
CALLER_OTHER, PROVIDER_OTHER, GATEWAY_OTHER = "caller_other", "provider_other", "gateway_other"
_CALLER = {
    "caller_invalid": (
        "invalid_request invalid_value invalid_type invalid_json invalid_form missing_parameter unknown_parameter "
        "unsupported_parameter unsupported_content unsupported_endpoint unsupported_output too_many_inputs "
        "model_required no_wished_provider no_free_provider unsupported_reasoning_level invalid_project_id "
        "previous_response_not_found not_found method_not_allowed unsupported_media_type"
    ),
    "caller_too_large": "request_too_large url_too_long request_head_too_large context_length_exceeded",
    "caller_content": "content_policy_violation content_filter",
    "caller_model": "model_not_found provider_not_found no_route_member model_retired model_not_released",
    "caller_key": "invalid_api_key too_many_guesses",
    "caller_gone": "client_gone client_deadline request_timeout",
}
_POLICY = {
    "policy_permission": (
        "permission_denied surface_not_permitted address_not_permitted project_not_permitted provider_not_permitted "
        "floor_not_met second_factor_required"
    ),
    "policy_limit": "rate_limit_exceeded request_beyond_limit",
    "policy_budget": "budget_exceeded budget_held",
    "policy_quota": "providers_at_quota",
    "policy_model": "model_deprecated unpriced_model",
}
_PROVIDER = {
    "provider_unavailable": "provider_unavailable provider_unreachable provider_overloaded provider_error",
    "provider_timeout": "provider_timeout provider_stalled",
    "provider_rate_limited": "provider_rate_limited provider_quota_exhausted insufficient_quota",
    "provider_auth": "provider_auth_error",
    "provider_model_missing": "provider_model_missing",
    "provider_bad_response": "provider_bad_response provider_response_too_large",
    "provider_cut": "provider_truncated provider_disconnected",
    "provider_none_left": "no_provider no_healthy_provider",
}
_GATEWAY = {
    "gateway_error": "gateway_error internal_error",
    "gateway_ledger": "ledger_behind ledger_unwritable",
    "gateway_worker": "no_worker worker_lost worker_failed lane_state_lost web_lost",
    "gateway_store": "budget_unknown responses_unavailable",
    "gateway_database": "keys_unavailable",
    "gateway_capacity": "too_many_connections provider_pool_full overloaded service_unavailable",
    "gateway_stopping": "server_shutting_down interrupted",
    "gateway_lost": "process_lost",
    "gateway_settings": "provider_address_forbidden",
}
WORDS: Mapping[str, str] = {
    code: word
    for domain in (_CALLER, _POLICY, _PROVIDER, _GATEWAY)
    for word, codes in domain.items()
    for code in codes.split()
}
"""By the code that a client or the ledger is told."""


def word_for(code: str, *, is_callers: bool) -> str:
    """`is_callers`: it was answered as a mistake of its caller, with whatever code its provider has for that."""
    if not code:
        return NONE
    if word := WORDS.get(code):
        return word
    if is_callers:
        return CALLER_OTHER
    return PROVIDER_OTHER if code.startswith("provider_") else GATEWAY_OTHER
