"""The call of the API that does what a page does, folded beside it."""

from typing import Any

from django import template

from gateway.core.links import base_url_of
from gateway.public.management_calls import CALLS

register = template.Library()


@register.inclusion_tag("portal/api_calls.html", takes_context=True)
def api_calls(context: dict[str, Any], operations: str, *ids: object, **body: Any) -> dict[str, Any]:
    """`operations` are ids of the document with blanks between; all of them are of the thing that `ids` name.

    Those that whoever looks may not make are left out, where the page knows their `rights`. What is named besides goes
    into the bodies of those that have it; `more` is named alike, as a mapping.
    """
    body |= body.pop("more", {})
    base_url, rights = base_url_of(context["request"]), context.get("rights")
    named = [(name, CALLS[name]) for name in operations.split()]
    wanted = [(name, call) for name, call in named if rights is None or call.right in rights]
    return {
        "calls": [
            {
                "id": f"api-{name}",
                "operation": name,
                "what": call.what,
                "line": call.line(base_url, ids[: call.path.count("{")], body),
                "needs_person": call.needs_person,
            }
            for name, call in wanted
        ]
    }
