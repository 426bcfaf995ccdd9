"""What a start prints: where everything is, a call to paste, and once the secrets that it made."""

import json

from django.conf import settings

from gateway.boot.first_run import ADMIN, MEMBER, Issued

PLACES = (
    ("Portal", "/"),
    ("Admin", "/admin/"),
    ("API reference", "/docs"),
    ("Catalogue", "/models"),
)
DEMO_MODEL = "demo/chat"


def secrets_text(issued: Issued) -> str:
    """Empty where nothing was made."""
    made = [
        ("Staff login", ADMIN, issued.admin_password),
        ("Team login", MEMBER, issued.member_password),
        ("First key", "", issued.key),
    ]
    lines = [f"  {name:<13} {f'{login}  {secret}'.strip()}" for name, login, secret in made if secret]
    if not lines:
        return ""
    lost = "Lost one? .venv/bin/python manage.py changepassword NAME; keys are made in the portal."
    return "\n".join(["", "Made on this first start, and shown only now:", *lines, f"  {lost}", ""])


def ready_text(url: str, key: str | None) -> str:
    open_places = [place for place in PLACES if place[0] != "Catalogue" or settings.PUBLIC_CATALOGUE != "off"]
    places = [f"  {name:<13} {url}{path}" for name, path in open_places]
    return "\n".join(
        [
            "",
            f"Gatehouse is ready on {url}",
            *places,
            "",
            "Try it:",
            f"  {curl_line(url, key)}",
            "",
            "Then connect a provider, with its key, or a model server of your own:",
            f"  {url}/admin/connect/",
            "",
            "Stop it with Ctrl-C.",
            "",
        ]
    )


def stopping_text(drain_s: float) -> str:
    return (
        f"\nStopping: no new calls are taken, and those that run have {drain_s:.0f} s to end. "
        "Press Ctrl-C again to stop now."
    )


def curl_line(url: str, key: str | None, *, model: str = DEMO_MODEL) -> str:
    """A chat to paste into a shell. Without a key it reads $GATEWAY_KEY."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello!"}]})
    return (
        f'curl {url}/v1/chat/completions -H "Authorization: Bearer {key or "$GATEWAY_KEY"}" '
        f"-H 'Content-Type: application/json' -d '{body}'"
    )
