"""What is sent of an alert: a webhook's event, and a message in the form of each chat. Pure.

Sources: https://platform.openai.com/docs/guides/webhooks (events), https://docs.slack.dev/reference/block-kit/blocks,
https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using (cards, as
workflows take them), https://discord.com/developers/docs/resources/webhook#execute-webhook.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

_SLACK_HEADER, _SLACK_SECTION = 150, 3_000
_DISCORD_TITLE, _DISCORD_DESCRIPTION = 256, 4_096
_CARD_TEXT, _CARD_LINES = 4_000, 60
"""Workflows take messages of 28 kB; a letter may be four bytes, and each line has its frame."""


@dataclass(frozen=True, slots=True)
class News:
    """An alert, as it is told outside."""

    id: str
    kind: str
    title: str
    text: str
    raised_at: datetime
    cause: str
    team: str | None
    """Its slug; None: it concerns the operator."""
    data: Mapping[str, Any]
    link: str
    """The page where more is to be seen; empty where nobody has said under which address people know us."""


def event(news: News) -> bytes:
    """Of a webhook: `type`, `timestamp` and `data` by Standard Webhooks, beside what OpenAI's SDK reads."""
    at = news.raised_at.astimezone(UTC)
    return orjson.dumps(
        {
            "id": news.id,
            "object": "event",
            "created_at": int(at.timestamp()),
            "type": news.kind,
            "timestamp": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "data": {"id": news.cause, "team": news.team, "title": news.title, **news.data},
        }
    )


def slack(news: News) -> bytes:
    title, text = _for_slack(news.title), _for_slack(news.text)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(news.title, _SLACK_HEADER)}}
    ]
    if text:
        section = {"type": "mrkdwn", "text": cut(text, _SLACK_SECTION), "verbatim": True}
        blocks.append({"type": "section", "text": section})
    if news.link:
        blocks.append(
            {
                "type": "context",
                "elements": [{"type": "mrkdwn", "text": f"<{_for_slack(news.link)}|Gatehouse>"}],
            }
        )
    return orjson.dumps({"text": title, "blocks": blocks})


def teams(news: News) -> bytes:
    lines = [
        {"type": "TextBlock", "text": _for_cards(line), "wrap": True, "spacing": "None"}
        for line in cut(news.text, _CARD_TEXT).split("\n")
        if line
    ]
    title = {
        "type": "TextBlock",
        "text": _for_cards(news.title),
        "wrap": True,
        "size": "Medium",
        "weight": "Bolder",
    }
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [title, *lines[:_CARD_LINES]],
        "msteams": {"width": "Full"},
    }
    if news.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Gatehouse", "url": news.link}]
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return orjson.dumps({"type": "message", "attachments": [content]})


def discord(news: News) -> bytes:
    embed: dict[str, Any] = {
        "title": cut(_for_discord(news.title), _DISCORD_TITLE),
        "description": cut(_for_discord(news.text), _DISCORD_DESCRIPTION),
        "timestamp": news.raised_at.astimezone(UTC).isoformat(timespec="seconds"),
    }
    if news.link:
        embed["url"] = news.link
    # Names that people typed may look like mentions.
    return orjson.dumps({"embeds": [embed], "allowed_mentions": {"parse": []}})


CHATS: Mapping[str, Callable[[News], bytes]] = {"slack": slack, "teams": teams, "discord": discord}
"""By kind of channel."""


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _for_slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _for_cards(text: str) -> str:
    """Cards read a little Markdown."""
    return _escaped(text, "\\*_[]")


def _for_discord(text: str) -> str:
    return _escaped(text, "\\*_~`|[]>")


def _escaped(text: str, letters: str) -> str:
    return "".join(f"\\{letter}" if letter in letters else letter for letter in text)
