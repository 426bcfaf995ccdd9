"""Calls of the management API that do what pages do, as lines to paste. Pure; tests hold the table to the document."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from accounts.rights import PERSONAL, Right, Role, rights_of_key
from gateway.public.samples import KEY


@dataclass(frozen=True, slots=True)
class ManagementCall:
    """One operation. `path` has its ids in braces; `body` is an example of what is sent, which pages fill in."""

    method: str
    path: str
    what: str
    right: Right = Right.KEYS
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def needs_person(self) -> bool:
        """Whether no key may do it, of whomever."""
        return self.right in PERSONAL or self.right not in rights_of_key(None) | rights_of_key(Role.OWNER)

    def line(self, base_url: str, ids: tuple[object, ...], more: Mapping[str, Any]) -> str:
        """To paste into a shell; what of `more` the body has is put there. Without a key where keys may not do it."""
        lines = [f"curl {self._named()}{base_url}{self.address(ids)}"]
        if not self.needs_person:
            lines.append(f'-H "Authorization: Bearer {KEY}"')
        if self.body:
            body = {name: more.get(name, example) for name, example in self.body.items()}
            lines.append('-H "Content-Type: application/json"')
            lines.append(f"-d {_quoted(json.dumps(body, ensure_ascii=False))}")
        return " \\\n  ".join(lines)

    def address(self, ids: tuple[object, ...]) -> str:
        parts = self.path.split("{")
        return parts[0] + "".join(
            quote(str(id_), safe="") + part.partition("}")[2]
            for id_, part in zip(ids, parts[1:], strict=True)
        )

    def _named(self) -> str:
        return "" if self.method == "GET" else f"-X {self.method} "


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


_LIMIT = {
    "subject": "project",
    "subject_id": "invoices",
    "unit": "requests",
    "window": "minute",
    "amount": 60,
}
_BUDGET = {"subject": "project", "subject_id": "invoices", "window": "month", "amount_usd": "100"}
_ALLOWANCE = {"whose": "key", "unit": "usd", "window": "month", "amount": "20"}
_CHANNEL = {"kind": "webhook", "name": "on call", "address": "https://hooks.example.com/gatehouse"}
_CREDENTIAL = {"provider": "openai", "label": "our own", "secret": "sk-…"}
_SUBJECT = {"subject": "project", "subject_id": "invoices"}
ASKED: Mapping[str, Mapping[str, Any]] = {
    "role": {"role": "admin"},
    "model": {"model": "openai/gpt-6-sol"},
    "provider": {"provider": "openai"},
    "limit": {**_SUBJECT, "unit": "tokens", "window": "minute", "amount": 200_000},
    "budget": {**_SUBJECT, "window": "month", "raise_usd": "50"},
}
"""What an access request may ask for, by its kind."""
_REQUEST = {"kind": "model", "asked": ASKED["model"], "reason": "For the search."}
_KEY = {"name": "nightly reports", "scopes": ["inference", "catalogue"]}
_INVITATION = {"email": "ann@example.com", "role": "member"}

CALLS: Mapping[str, ManagementCall] = {
    "keys_list": ManagementCall("GET", "/v1/keys", "List the keys", Right.READ),
    "keys_create": ManagementCall("POST", "/v1/keys", "Create a key", body=_KEY),
    "keys_retrieve": ManagementCall("GET", "/v1/keys/{id}", "Read this key", Right.READ),
    "keys_partial_update": ManagementCall(
        "PATCH", "/v1/keys/{id}", "Change this key", body={"requests_per_minute": 60}
    ),
    "keys_rotate_create": ManagementCall(
        "POST", "/v1/keys/{id}/rotate", "Rotate this key", body={"overlap_s": 86_400}
    ),
    "keys_destroy": ManagementCall("DELETE", "/v1/keys/{id}", "Revoke this key"),
    "keys_hand_over_create": ManagementCall(
        "POST", "/v1/keys/{id}/hand-over", "Hand this key over", body={"owner": "ann"}
    ),
    "usage_list": ManagementCall("GET", "/v1/usage", "Read what was used", Right.READ),
    "service_account_list": ManagementCall(
        "GET", "/v1/service-accounts", "List the service accounts", Right.READ
    ),
    "service_account_create": ManagementCall(
        "POST", "/v1/service-accounts", "Make a service account", body={"slug": "nightly", "name": "Nightly"}
    ),
    "service_account_partial_update": ManagementCall(
        "PATCH",
        "/v1/service-accounts/{id}",
        "Rename it, or switch it off or on",
        body={"is_active": False},
    ),
    "project_list": ManagementCall("GET", "/v1/projects", "List the projects", Right.READ),
    "project_create": ManagementCall(
        "POST", "/v1/projects", "Make a project", body={"slug": "invoices", "name": "Invoices"}
    ),
    "project_partial_update": ManagementCall(
        "PATCH", "/v1/projects/{id}", "Rename it, archive it or bring it back", body={"is_archived": True}
    ),
    "limit_list": ManagementCall("GET", "/v1/limits", "List the limits", Right.READ),
    "limit_create": ManagementCall("POST", "/v1/limits", "Set a limit", body=_LIMIT),
    "limit_partial_update": ManagementCall("PATCH", "/v1/limits/{id}", "Change it", body={"amount": 120}),
    "limit_destroy": ManagementCall("DELETE", "/v1/limits/{id}", "Remove this limit"),
    "budget_list": ManagementCall("GET", "/v1/budgets", "List the budgets", Right.READ),
    "budget_create": ManagementCall("POST", "/v1/budgets", "Make a budget", body=_BUDGET),
    "budget_partial_update": ManagementCall(
        "PATCH", "/v1/budgets/{id}", "Change this budget", body={"amount_usd": "250"}
    ),
    "budget_raise": ManagementCall(
        "POST",
        "/v1/budgets/{id}/raise",
        "Raise it for a while",
        body={"raise_usd": "25", "raise_until": "2027-01-31T18:00:00Z"},
    ),
    "budget_end_raise": ManagementCall("DELETE", "/v1/budgets/{id}/raise", "End the raise"),
    "budget_destroy": ManagementCall("DELETE", "/v1/budgets/{id}", "Remove this budget"),
    "allowance_list": ManagementCall("GET", "/v1/allowances", "List what each gets", Right.READ),
    "allowance_create": ManagementCall(
        "POST", "/v1/allowances", "Say what each gets", Right.TERMS, _ALLOWANCE
    ),
    "allowance_destroy": ManagementCall("DELETE", "/v1/allowances/{id}", "Give it no more", Right.TERMS),
    "member_list": ManagementCall("GET", "/v1/members", "List the members", Right.READ),
    "member_partial_update": ManagementCall(
        "PATCH", "/v1/members/{id}", "Change the role", Right.MEMBERS, {"role": "viewer"}
    ),
    "member_destroy": ManagementCall(
        "DELETE", "/v1/members/{id}?keys=team", "Take them out, and hand their keys over", Right.MEMBERS
    ),
    "invitation_create": ManagementCall(
        "POST", "/v1/invitations", "Invite somebody", Right.MEMBERS, _INVITATION
    ),
    "invitation_renew": ManagementCall(
        "POST", "/v1/invitations/{id}/renew", "Send it again", Right.MEMBERS, {"mail": True}
    ),
    "invitation_destroy": ManagementCall(
        "DELETE", "/v1/invitations/{id}", "Withdraw an invitation", Right.MEMBERS
    ),
    "credential_list": ManagementCall("GET", "/v1/credentials", "List the provider keys", Right.READ),
    "credential_create": ManagementCall(
        "POST", "/v1/credentials", "Test a provider key and keep it", Right.CREDENTIALS, _CREDENTIAL
    ),
    "credential_partial_update": ManagementCall(
        "PATCH", "/v1/credentials/{id}", "Change it", Right.CREDENTIALS, {"place": "before"}
    ),
    "credential_test": ManagementCall("POST", "/v1/credentials/{id}/test", "Test it", Right.CREDENTIALS),
    "credential_destroy": ManagementCall("DELETE", "/v1/credentials/{id}", "Remove it", Right.CREDENTIALS),
    "alert_channel_list": ManagementCall("GET", "/v1/alert-channels", "List the channels", Right.READ),
    "alert_channel_create": ManagementCall(
        "POST", "/v1/alert-channels", "Make a channel", Right.CHANNELS, _CHANNEL
    ),
    "alert_channel_partial_update": ManagementCall(
        "PATCH", "/v1/alert-channels/{id}", "Change it", Right.CHANNELS, {"is_active": True}
    ),
    "alert_channel_test": ManagementCall(
        "POST", "/v1/alert-channels/{id}/test", "Send it a test", Right.CHANNELS
    ),
    "alert_channel_rotate_secret": ManagementCall(
        "POST", "/v1/alert-channels/{id}/rotate-secret", "Give it a new secret", Right.CHANNELS
    ),
    "alert_channel_destroy": ManagementCall(
        "DELETE", "/v1/alert-channels/{id}", "Remove this channel", Right.CHANNELS
    ),
    "alert_delivery_list": ManagementCall(
        "GET", "/v1/alert-channels/{id}/deliveries", "List what was sent there", Right.READ
    ),
    "access_request_list": ManagementCall(
        "GET", "/v1/access-requests", "List the access requests", Right.DECIDE
    ),
    "access_request_create": ManagementCall(
        "POST", "/v1/access-requests", "Ask for something", Right.ASK, _REQUEST
    ),
    "access_request_retrieve": ManagementCall(
        "GET", "/v1/access-requests/{id}", "Read this request", Right.DECIDE
    ),
    "access_request_decide": ManagementCall(
        "POST", "/v1/access-requests/{id}/decide", "Grant it", Right.DECIDE, {"decision": "grant"}
    ),
    "access_request_destroy": ManagementCall("DELETE", "/v1/access-requests/{id}", "Withdraw it", Right.ASK),
    "access_request_end": ManagementCall(
        "POST", "/v1/access-requests/{id}/end", "End what it granted", Right.ASK
    ),
    "receipt_retrieve": ManagementCall("GET", "/v1/receipts/{request_id}", "Read this receipt", Right.READ),
    "statement_list": ManagementCall("GET", "/v1/statements", "List the statements", Right.READ),
    "statement_retrieve": ManagementCall("GET", "/v1/statements/{number}", "Read this one", Right.READ),
    "audit_list": ManagementCall("GET", "/v1/audit", "Read the audit", Right.AUDIT),
    "team_retrieve": ManagementCall("GET", "/v1/team", "Read the team with its terms", Right.READ),
    "team_partial_update": ManagementCall(
        "PATCH", "/v1/team", "Change its terms", Right.TERMS, {"cost_centre": "4711"}
    ),
    "team_freeze": ManagementCall("POST", "/v1/team/freeze", "Freeze the team", Right.TERMS),
    "team_unfreeze": ManagementCall("POST", "/v1/team/unfreeze", "Let it go on", Right.TERMS),
    "team_archive": ManagementCall("POST", "/v1/team/archive", "Archive the team", Right.TERMS),
}
"""By the id of the operation in the API document."""
