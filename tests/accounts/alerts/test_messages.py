"""Each chat gets an alert in its own form, within its bounds, and nothing that people typed means anything there."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from accounts.alerts.messages import CHATS, News, discord, event, slack, teams

TYPED = "<!channel> & *bold* [x](https://evil.example) @everyone `code` | ~~no~~"


def news(title: str = "T", text: str = "one\ntwo", link: str = "", **data: Any) -> News:
    at = datetime(2026, 6, 1, 12, tzinfo=UTC)
    return News("evt_1", "key.leaked", title, text, at, "key:1", "research", data, link)


def sent(body: bytes) -> Any:
    return orjson.loads(body)


def test_event_is_of_the_standard_and_of_openai() -> None:
    assert sent(event(news(day="today"))) == {
        "id": "evt_1",
        "object": "event",
        "created_at": 1780315200,
        "type": "key.leaked",
        "timestamp": "2026-06-01T12:00:00Z",
        "data": {"id": "key:1", "team": "research", "title": "T", "day": "today"},
    }


def test_slack_gets_blocks_and_a_text() -> None:
    message = sent(slack(news(link="https://gateway.example/team/alerts")))
    assert message["text"] == "T"
    assert [block["type"] for block in message["blocks"]] == ["header", "section", "context"]
    assert message["blocks"][1]["text"] == {"type": "mrkdwn", "text": "one\ntwo", "verbatim": True}


def test_teams_gets_an_adaptive_card() -> None:
    message = sent(teams(news(link="https://gateway.example/")))
    [attachment] = message["attachments"]
    assert (message["type"], attachment["contentType"]) == (
        "message",
        "application/vnd.microsoft.card.adaptive",
    )
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert [block["text"] for block in card["body"]] == ["T", "one", "two"]
    assert card["actions"] == [
        {"type": "Action.OpenUrl", "title": "Gatehouse", "url": "https://gateway.example/"}
    ]


def test_discord_gets_an_embed_that_mentions_nobody() -> None:
    message = sent(discord(news()))
    assert message["allowed_mentions"] == {"parse": []}
    assert message["embeds"] == [
        {"title": "T", "description": "one\ntwo", "timestamp": "2026-06-01T12:00:00+00:00"}
    ]


def test_what_people_typed_is_text_in_each_chat() -> None:
    assert "&lt;!channel&gt; &amp;" in sent(slack(news(text=TYPED)))["blocks"][1]["text"]["text"]
    card = sent(teams(news(text=TYPED)))["attachments"][0]["content"]
    assert r"\[x\](https://evil.example)" in card["body"][1]["text"]
    described = sent(discord(news(text=TYPED)))["embeds"][0]["description"]
    assert r"\*bold\* \[x\]" in described
    assert r"\~\~no\~\~" in described


@pytest.mark.parametrize("letter", ["x", "&", "*", "漢", "😀", "\n", "a\n"])
def test_longest_alert_fits_into_each_chat(letter: str) -> None:
    longest = news(
        title=letter.strip("\n") * 200 or "x", text=letter * 20_000, link="https://g.example/" + "x" * 300
    )
    bodies = {name: write(longest) for name, write in CHATS.items()}
    assert {name for name, body in bodies.items() if len(body) > 28_000} == set()
    header, section, _ = sent(bodies["slack"])["blocks"]
    assert len(header["text"]["text"]) <= 150
    assert len(section["text"]["text"]) <= 3_000
    [embed] = sent(bodies["discord"])["embeds"]
    assert len(embed["title"]) <= 256
    assert len(embed["description"]) <= 4_096
