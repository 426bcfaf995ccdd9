"""What the API document says of `POST /v1/route/explain`, which the edge answers."""

from gateway.openapi.bodies import EXAMPLE_MODEL, Schema, list_, object_, ref, text

EXPLAIN_PATH = "/v1/route/explain"
_QUESTION = {"model": EXAMPLE_MODEL, "messages": [{"role": "user", "content": "Say hello."}]}
_USD = object_(("likely", "most"), {"likely": text("In USD."), "most": text("In USD.")}, nullable=True)
_PLACE = {
    "model": text("The model."),
    "provider": text("The provider's slug."),
    "upstream_name": text("What the provider calls the model."),
    "way": text("The offering, and the credential where it is not the provider's main one."),
}
_NUMBER: Schema = {"type": "number"}
_WHOLE: Schema = {"type": "integer"}
_CANDIDATE = object_(
    tuple(_PLACE),
    {
        **_PLACE,
        "rank": _WHOLE | {"description": "Which of the names it stands for; 0 for the first."},
        "turn": _WHOLE
        | {"description": "-1 and 1: by a credential of the team's own, before or after ours."},
        "loss": text("The worst kind of what it would lose of the request."),
        "position": _WHOLE | {"description": "The curator's order."},
        "success_rate": _NUMBER | {"nullable": True},
        "latency_ms": _NUMBER | {"nullable": True},
        "estimated_cost_usd": _USD | {"description": "As the team is charged; null: it has no price."},
        "is_within_provider_budget": {"type": "boolean"},
    },
)
_FALLEN = object_((*_PLACE, "reason"), {**_PLACE, "reason": text("A word, such as `lacks:tools`.")})
_LIMIT = object_(
    ("subject", "unit", "window", "amount", "remaining", "reset_s"),
    {
        **{name: {"type": "string"} for name in ("subject", "unit", "window")},
        **dict.fromkeys(("amount", "remaining"), _WHOLE),
        "reset_s": _NUMBER,
    },
)
_MONEY = ("amount_usd", "spent_usd", "held_usd", "free_usd", "resets_at")
_BUDGET = object_(
    ("subject", "window", "refuses", *_MONEY),
    {
        **{name: {"type": "string"} for name in ("subject", "window")},
        "refuses": {"type": "boolean"},
        **{name: {"type": "string", "nullable": True} for name in _MONEY},
    },
)
EXPLANATION = object_(
    (
        "object",
        "endpoint",
        "requested_model",
        "model",
        "refusal",
        "draw",
        "stages",
        "order",
        "limits",
        "budgets",
    ),
    {
        "object": {"type": "string", "enum": ["route.explanation"]},
        "endpoint": text("Such as `chat.completions`."),
        "requested_model": {"type": "string"},
        "model": text("The model that would answer; null: nobody would.", nullable=True),
        "refusal": object_(
            ("status", "body"),
            {"status": _WHOLE, "body": {"type": "object"}},
            nullable=True,
            description="What the call would be answered where no offering is left; else null.",
        ),
        "input_tokens": _WHOLE | {"description": "An estimate."},
        "draw": _NUMBER
        | {"description": "By which near-equals are told apart; another call has another one."},
        "choices": list_({"type": "object"}, description="What was named, and the models that it meant."),
        "passed_over": list_({"type": "object"}, description="What was named and cannot be called now."),
        "stages": list_(
            object_(("stage", "dropped"), {"stage": {"type": "string"}, "dropped": list_(_FALLEN)}),
            description="In which offerings fell out, in their order.",
        ),
        "order": list_(_CANDIDATE, description="In which offerings would be tried."),
        "more": {"type": "object", "description": "How many of each are not shown."},
        "affinity": text("The way that holds the prompt's beginning; null: none is known to.", nullable=True),
        "limits": list_(
            _LIMIT, nullable=True, description="Those with a window; null: unknown for the moment."
        ),
        "budgets": list_(_BUDGET, nullable=True, description="Those that refuse."),
    },
)
_EXAMPLE = {
    "object": "route.explanation",
    "endpoint": "chat.completions",
    "requested_model": EXAMPLE_MODEL,
    "model": EXAMPLE_MODEL,
    "refusal": None,
    "input_tokens": 9,
    "draw": 0.42,
    "choices": [{"name": EXAMPLE_MODEL, "model": EXAMPLE_MODEL, "redirected_from": None}],
    "passed_over": [],
    "stages": [],
    "order": [],
    "more": {"order": 0, "dropped": 0},
    "affinity": None,
    "limits": [],
    "budgets": [],
}
SAID: Schema = {
    "operationId": "route_explain",
    "summary": "Explain a route",
    "description": (
        "How a call with this body and key would be routed, by the code that routes calls: the order, the stages in "
        "which offerings fell out and why, what it would cost, and what is left of limits and budgets. Nobody is "
        "called. Where the call would be refused, `refusal` has its status and body. Counts as one request for "
        "counting tokens."
    ),
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object", "additionalProperties": True},
                "example": _QUESTION,
            }
        },
    },
    "answer": {"application/json": {"schema": ref("RouteExplanation"), "example": _EXAMPLE}},
    "path_parameters": [
        {
            "name": "path",
            "in": "query",
            "description": "The address that the body is for, such as `/v1/messages`; "
            "`/v1/chat/completions` where it is left out.",
            "schema": {"type": "string"},
        }
    ],
    "is_count": True,
}
