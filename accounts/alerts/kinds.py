"""The kinds of alerts: whom each concerns, whether it goes to people's mail unasked, and its words. Pure.

A title and a text name members of an alert's `data` in braces; what is not there is a dash.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

TITLE_LENGTH = 200


class Concerns(StrEnum):
    """Who gets it by mail where nobody has chosen otherwise."""

    OWNERS = "owners"
    """Of the team, with the people whom it names."""
    PEOPLE = "people"
    """Those whom it names, as far as they are still in the team; else the team's owners."""
    OPERATOR = "operator"
    """GATEWAY_ALARM_EMAILS. So does everything that is raised for no team."""
    SUPERUSERS = "superusers"
    """They, besides the operator."""
    MANAGERS = "managers"
    """Owners and admins of any team."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`name` is public: webhooks carry it as their `type`."""

    name: str
    label: str
    """For people who choose what they hear of."""
    concerns: Concerns
    title: str
    text: str
    by_mail: bool = True
    """Sent unasked to those whom it concerns."""
    is_required: bool = False
    """Nobody whom it concerns can turn its mail off."""
    is_urgent: bool = False
    """It never waits for a digest."""

    def title_of(self, data: Mapping[str, Any]) -> str:
        return self.title.format_map(_Lenient(data))

    def text_of(self, data: Mapping[str, Any]) -> str:
        return self.text.format_map(_Lenient(data))


class _Lenient(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "—"


_OWNERS, _PEOPLE, _OPERATOR = Concerns.OWNERS, Concerns.PEOPLE, Concerns.OPERATOR
_ALL = (
    Kind(
        "budget.threshold",
        "A budget has reached a threshold",
        _OWNERS,
        "{percent} % of a budget is spent: {whose}, {window}",
        "Budget: {budget} ({zone})\nOf: {whose}\nSpent: ${spent_usd}\nBegins anew: {resets_at}\n\n{then}",
    ),
    Kind(
        "budget.refused",
        "Calls are refused because a budget is spent",
        _OWNERS,
        "Calls are refused, a budget is spent: {whose}, {window}",
        "Budget: {budget} ({zone})\nOf: {whose}\nSpent: ${spent_usd}\n\n"
        "Its calls are refused until {resets_at}, unless somebody raises it.",
        # Most budgets have a threshold of 100, which is mailed.
        by_mail=False,
    ),
    Kind(
        "budget.held",
        "Calls are refused because running ones hold the rest of a budget",
        _OWNERS,
        "Calls are refused while others run, a budget is nearly spent: {whose}, {window}",
        "Budget: {budget} ({zone})\nOf: {whose}\nSpent: ${spent_usd}\n\n"
        "What is left is held for calls that run, so others are refused until those end (429). Raise it, "
        "or let it hold what calls usually cost in place of the most.",
        by_mail=False,
    ),
    Kind(
        "spend.leaped",
        "Spending leaps against its own history",
        _OWNERS,
        "{whose} has spent ${spent_usd} today, {times} times as much as usual",
        "Spent from midnight of UTC until {at}: ${spent_usd}\n"
        "A usual day of the last {days}: ${usual_usd}\nThe highest of them: ${highest_usd}",
    ),
    Kind(
        "key.created",
        "A key is made",
        _OWNERS,
        "A key was made: {key}",
        "Key: {key}\nTeam: {team_name}\nMay: {scopes}\nMade by: {by}",
        by_mail=False,
    ),
    Kind(
        "key.rotated",
        "A key is rotated",
        _OWNERS,
        "A key was rotated: {key}",
        "Key: {key}\nTeam: {team_name}\nIn place of: {former_key}, which works until {former_until}\nBy: {by}",
        by_mail=False,
    ),
    Kind(
        "key.expiring",
        "A key expires soon",
        _PEOPLE,
        "A key of {team_name} expires on {day}",
        "Key: {key}\nTeam: {team_name}\nExpires: {expires_at}\n\n"
        "Rotate it in the portal, or with POST /v1/keys/{key_id}/rotate.",
    ),
    Kind(
        "key.unused",
        "A key is not used and expires",
        _PEOPLE,
        "A key of {team_name} is not used and expires on {day}",
        "Key: {key}\nTeam: {team_name}\nLast used: {last_used}\n\n"
        "It expires on {day} unless it is used before.",
        is_required=True,
    ),
    Kind(
        "key.leaked",
        "A key was found in public",
        _OWNERS,
        "A key of {team_name} was found in public: {key}",
        "Key: {key}\nTeam: {team_name}\nFound at: {found_at}\n\n{then}",
        is_required=True,
        is_urgent=True,
    ),
    Kind(
        "request.opened",
        "Somebody asks for access that is yours to give",
        _PEOPLE,
        "{who} asks for access in {team_name}: {what}",
        "What: {what}\nWho: {who}\nTeam: {team_name}\nUntil: {ends_at}\nWhy: {reason}\n\n"
        "Grant or decline it on the team's page, under Requests.",
    ),
    Kind(
        "request.decided",
        "What you asked for is decided",
        _PEOPLE,
        "Your request is {state}: {what}",
        "What: {what}\nTeam: {team_name}\nState: {state}\nBy: {by}\nUntil: {ends_at}\nThey say: {note}",
    ),
    Kind(
        "request.ended",
        "What you were granted has ended",
        _PEOPLE,
        "What you were granted has ended: {what}",
        "What: {what}\nTeam: {team_name}\n\nAsk again where you need it longer.",
    ),
    Kind(
        "request.for_staff",
        "Somebody asks for access that staff decide",
        _OPERATOR,
        "{who} asks for access in {team_name}: {what}",
        "What: {what}\nWho: {who}\nTeam: {team_name}\nUntil: {ends_at}\nWhy: {reason}\n\n"
        "Grant or decline it in the admin, under Access requests.",
    ),
    Kind(
        "keys.left_behind",
        "Somebody's keys wait for a decision",
        _OWNERS,
        "Keys of {who} are refused and wait for a decision: {team_name}",
        "Whose: {who}\nTeam: {team_name}\nKeys: {count}\n\n"
        "Who had them has left, is switched off or only looks on. Revoke them, or hand them over: "
        "on the team's page, under Members.",
    ),
    Kind(
        "invitation.accepted",
        "Somebody accepted your invitation",
        _PEOPLE,
        "{who} joined {team_name}",
        "Who: {who}\nInvited as: {email}\nTeam: {team_name}\nRole: {role}",
    ),
    Kind(
        "credential.refused",
        "A provider refuses a credential of the team's own",
        _OWNERS,
        "{provider_name} refuses your team's own credential {label}",
        "Provider: {provider_name}\nCredential: {label} ({masked})\nLast refused: {at}\nIt said: {failure}\n\n"
        "Calls go on by the next credential, where there is one. An owner can replace it in the portal.",
    ),
    Kind(
        "model.announced",
        "The end of a model in use is announced",
        _OWNERS,
        "{model}: its end is announced",
        "{news}\n\nYour team called it {calls} times in the last {days} days.",
    ),
    Kind(
        "model.deprecated",
        "A model in use is deprecated",
        _OWNERS,
        "{model} is deprecated",
        "{news}\n\nYour team called it {calls} times in the last {days} days.",
    ),
    Kind(
        "model.repriced",
        "A model in use has new prices",
        _OWNERS,
        "{model} has new prices",
        "{news}\n\nYour team called it {calls} times in the last {days} days.",
    ),
    Kind(
        "model.retired",
        "A model in use is retired",
        _OWNERS,
        "{model} is retired",
        "{news}\n\nYour team called it {calls} times in the last {days} days.",
    ),
    Kind(
        "statement.ready",
        "A statement is ready",
        _OWNERS,
        "The statement {number} for {period} is ready",
        "Statement: {number}\nPeriod: {period}\nTotal: ${total_usd}",
    ),
    Kind(
        "statement.centre_ready",
        "A cost centre's statement is ready",
        _OPERATOR,
        "The statement C{number} of cost centre {cost_centre} for {period} is ready",
        "Statement: C{number}\nCost centre: {cost_centre}\nPeriod: {period}\nTotal: ${total_usd}\n"
        "Statements of teams in it: {statements}",
        by_mail=False,
    ),
    Kind(
        "login.break_glass",
        "The break-glass login was used",
        Concerns.SUPERUSERS,
        "Gatehouse: the break-glass login {username} was used",
        "Login: {username}\nFrom: {address}\nAt: {at}\n\nIf it was none of you, end its sessions and change its "
        "password at once.",
        is_urgent=True,
    ),
    Kind(
        "provider.alarm",
        "A provider refuses the gateway's credential or account",
        _OPERATOR,
        "Gatehouse: {provider_name} refuses the gateway's credential or account",
        "{lines}",
    ),
    Kind(
        "provider.recovered",
        "A provider takes the gateway's calls again",
        _OPERATOR,
        "{provider_name} takes the gateway's calls again",
        "{what}: refused since {began_at}, {calls} calls.",
    ),
    Kind(
        "breaker.opened",
        "An offering is left alone because of its failures, or by staff",
        _OPERATOR,
        "No calls go to {what}: {cause}",
        "Offering: {what}\nWhy: {cause}\nSince: {at}\nUntil one call tries it again: {until}",
        by_mail=False,
    ),
    Kind(
        "breaker.closed",
        "Calls go to an offering again that was left alone",
        _OPERATOR,
        "Calls go to {what} again",
        "Offering: {what}\nIt was left alone: {cause}\nSince: {at}",
        by_mail=False,
    ),
    Kind(
        "books.differ",
        "Books do not agree",
        _OPERATOR,
        "{what}",
        "{lines}",
    ),
    Kind(
        "export.failed",
        "The ledger's files cannot be written",
        _OPERATOR,
        "Rows of the ledger of {day} could not be exported",
        "To: {place}\nWhy: {problem}\n\nIt is tried again every five minutes, and goes on where it stood.",
    ),
    Kind(
        "audit.not_taken",
        "A receiver of the audit takes nothing",
        _OPERATOR,
        "{receiver} has taken nothing of the audit since {since}",
        "Receiver: {receiver}\nSince: {since}\nWaiting: {waiting} entries\nWhat went wrong last: {problem}\n\n"
        "It is tried every ten minutes, and gets what it missed, in order.",
        is_urgent=True,
    ),
    Kind(
        "channel.failing",
        "An alert channel takes nothing",
        _OWNERS,
        "The alert channel {channel_name} has taken nothing since {since}",
        "Channel: {channel_name} ({shown})\nWhat it answered last: {problem}\n\n"
        "It is tried on, and switched off where it goes on like this.",
        is_required=True,
        is_urgent=True,
    ),
    Kind(
        "channel.disabled",
        "An alert channel is switched off",
        _OWNERS,
        "The alert channel {channel_name} is switched off",
        "Channel: {channel_name} ({shown})\nWhy: {problem}\n\n"
        "Nothing more is sent there until somebody switches it on again.",
        is_required=True,
        is_urgent=True,
    ),
    Kind(
        "channel.test",
        "A test",
        _OWNERS,
        "A test of the alert channel {channel_name}",
        "Somebody pressed the button. There is nothing to do.",
        by_mail=False,
        is_urgent=True,
    ),
    Kind(
        "digest.weekly",
        "The weekly digest of spending and changes",
        Concerns.MANAGERS,
        "Your week in Gatehouse: {period}",
        "{told}",
    ),
    Kind(
        "alert.digest",
        "Several alerts of one kind",
        _OWNERS,
        "{count} more: {label}",
        "{lines}",
        by_mail=False,
        is_urgent=True,
    ),
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}
"""By name."""
OPERATORS = tuple(kind.name for kind in _ALL if kind.concerns in {Concerns.OPERATOR, Concerns.SUPERUSERS})
TEST, DIGEST, WEEKLY = "channel.test", "alert.digest", "digest.weekly"
"""These go to those that they are made for, and to nobody else."""
FOR_CHANNELS = tuple(name for name in KINDS if name not in {TEST, DIGEST, WEEKLY})
"""Those that a channel may be narrowed to."""
FOR_TEAMS = tuple(name for name in FOR_CHANNELS if name not in OPERATORS)
"""Those that a team's channels and its people can hear of."""
FOR_PEOPLE = (*FOR_TEAMS, WEEKLY)
"""Those of which somebody chooses whether they are mailed."""
