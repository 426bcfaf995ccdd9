"""What the first start makes, and that later ones leave it alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.db import OperationalError

from accounts.keys import read_key
from accounts.models import Key, Team, User
from catalogue.models import PublishedModel
from gateway.boot import first_run
from gateway.boot.first_run import Issued
from gateway.server.serving import CannotStart
from providers.models import Provider
from tests.kept import rows_for_all

pytestmark = pytest.mark.django_db


def everything() -> str:
    rows = [row for model in apps.get_models() for row in model._default_manager.order_by("pk")]
    return serializers.serialize("json", rows)


@pytest.fixture(scope="module")
def issued(django_db_setup: None, django_db_blocker: Any) -> Iterator[Issued]:
    with rows_for_all(django_db_blocker):
        yield first_run.fill(demo_port=8001)


# The first two find an empty database; what comes after them finds what the first start made.


def test_superuser_that_is_there_is_kept() -> None:
    User.objects.create_superuser("boss", password="a good password")
    assert first_run.fill(demo_port=8001).admin_password is None
    assert list(User.objects.filter(is_superuser=True).values_list("username", flat=True)) == ["boss"]


def test_login_that_is_there_is_kept() -> None:
    User.objects.create_user("member")
    assert first_run.fill(demo_port=8001).member_password is None


def test_staff_login_opens_the_admin(issued: Issued) -> None:
    admin = User.objects.get(username="admin")
    assert admin.is_superuser
    assert admin.check_password(issued.admin_password)


def test_member_login_belongs_to_the_demo_team(issued: Issued) -> None:
    member = User.objects.get(username="member", teams__slug="demo")
    assert member.check_password(issued.member_password)
    assert not member.is_staff


def test_first_key_is_one_of_the_demo_team(issued: Issued) -> None:
    shown = read_key(issued.key)
    key = Key.objects.get(team__slug="demo")
    assert (key.public_id, key.scope) == (shown.public_id, Key.Scope.INFERENCE)


def test_demo_model_is_published(issued: Issued) -> None:
    assert PublishedModel.objects.filter(public_id="demo/chat", edition_to=None).exists()


def test_second_fill_changes_no_data_and_issues_nothing(issued: Issued) -> None:
    before = everything()
    assert first_run.fill(demo_port=8001) == Issued()
    assert everything() == before


def test_what_staff_deleted_does_not_come_back(issued: Issued) -> None:
    Key.objects.all().delete()
    User.objects.filter(username="member").delete()
    Team.objects.all().delete()
    assert first_run.fill(demo_port=8001) == Issued()
    assert not Team.objects.exists()


def test_demo_providers_follow_their_server_to_another_port(issued: Issued) -> None:
    first_run.fill(demo_port=8009)
    urls = Provider.objects.filter(is_demo=True).values_list("base_url", flat=True)
    assert {url.split("/")[2] for url in urls} == {"127.0.0.1:8009"}


def test_secrets_are_absent_from_what_is_printed_of_them(issued: Issued) -> None:
    assert issued.key not in repr(issued)
    assert issued.admin_password not in repr(issued)


def test_unreachable_database_is_named_with_the_way_out() -> None:
    words = r"cannot be used \(unable to open\).*DATABASE_URL"
    with pytest.raises(CannotStart, match=words), first_run.database_explained():
        raise OperationalError("unable to open\nand more")
