"""`manage.py create_key`."""

import io

import pytest
from django.core.management import CommandError, call_command

from accounts.authentication import find_principal
from accounts.models import Team


def test_create_key_prints_a_key_that_works(team: Team) -> None:
    out = io.StringIO()
    call_command("create_key", team=team.slug, name="ci", stdout=out)
    principal = find_principal(out.getvalue().strip())
    assert principal is not None
    assert principal.team == team


def test_create_key_for_an_unknown_team_names_the_known_ones(team: Team) -> None:
    with pytest.raises(CommandError, match="Teams: research"):
        call_command("create_key", team="nobody", name="ci")


def test_create_key_makes_a_feed_key(team: Team) -> None:
    out = io.StringIO()
    call_command("create_key", team=team.slug, name="reader", scope="feed", stdout=out)
    principal = find_principal(out.getvalue().strip())
    assert principal is not None
    assert (principal.key.scope, principal.may_manage) == ("feed", False)
