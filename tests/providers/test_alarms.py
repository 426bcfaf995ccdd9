"""Staff are told once of a provider that refuses us, and until when."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from accounts.models import Alert
from providers import alarms, services, tasks
from providers.alarms import AlarmUpdates, Refusal
from providers.models import Alarm, Provider
from providers.probes import ProbeOutcome
from tests.accounts.alerts.conftest import deliver
from tests.make import make_provider

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
GOOD, BAD = ProbeOutcome(True, 200, 5.0), ProbeOutcome(False, 401, 5.0, "credential refused (401)")


@pytest.fixture
def groq() -> Provider:
    return make_provider("groq")


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def refuse(
    status: int | None = 401, *, minute: float = 0, model: str = "one", message: str = "Go away."
) -> None:
    news = AlarmUpdates()
    refusal = Refusal("provider_auth_error", status, message, at(minute), at(minute))
    news.refuse("groq", model, refusal)
    alarms.write_updates(news, at=at(minute))


def accept(*, minute: float, model: str = "one") -> None:
    news = AlarmUpdates()
    news.accept("groq", model, at(minute))
    alarms.write_updates(news, at=at(minute))


def mail_open(minute: float) -> int:
    """Tell of what is open, and let it arrive. How many mails."""
    alarms.tell_open(at=at(minute))
    return deliver(at(minute))


def open_alarms() -> list[Alarm]:
    return list(Alarm.objects.open())


def test_refused_calls_become_one_alarm_that_counts(groq: Provider) -> None:
    for minute in range(3):
        refuse(minute=minute, model=f"model-{minute}", message=f"Said {minute}.")
    [alarm] = open_alarms()
    assert (alarm.provider, alarm.upstream_name, alarm.calls) == (groq, "", 3)
    assert (alarm.began_at, alarm.last_at, alarm.message) == (at(0), at(2), "Said 2.")


def test_calls_refused_between_two_writings_are_counted_together(groq: Provider) -> None:
    news = AlarmUpdates()
    for minute in (1, 0, 2):
        news.refuse("groq", "one", Refusal("provider_auth_error", 401, "No.", at(minute), at(minute)))
    alarms.write_updates(news, at=at(3))
    [alarm] = open_alarms()
    assert (alarm.calls, alarm.began_at, alarm.last_at) == (3, at(0), at(2))


@pytest.mark.usefixtures("groq")
def test_log_tells_once_of_an_alarm_and_of_its_end(caplog: pytest.LogCaptureFixture) -> None:
    for minute in range(3):
        refuse(minute=minute)
    accept(minute=4)
    told = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert told == [
        (logging.ERROR, "Provider groq refuses the gateway (401): Go away."),
        (logging.WARNING, "Provider groq takes the gateway's calls again."),
    ]


@pytest.mark.usefixtures("groq")
@pytest.mark.parametrize("status", [400, 401, 402, None])
def test_next_good_call_of_any_model_ends_what_concerns_the_account(status: int | None) -> None:
    refuse(status)
    accept(minute=1, model="other")
    assert open_alarms() == []
    assert Alarm.objects.get().cleared_at == at(1)


@pytest.mark.usefixtures("groq")
@pytest.mark.parametrize("status", [403, 429])
def test_model_that_is_refused_alone_has_to_succeed_itself(status: int) -> None:
    refuse(status)
    accept(minute=1, model="other")
    assert [alarm.upstream_name for alarm in open_alarms()] == ["one"]
    accept(minute=2)
    assert open_alarms() == []


@pytest.mark.usefixtures("groq")
def test_call_that_began_before_the_refusal_ends_nothing() -> None:
    refuse(minute=5)
    accept(minute=4)
    assert len(open_alarms()) == 1


@pytest.mark.usefixtures("groq")
def test_trouble_that_comes_back_is_a_new_alarm() -> None:
    refuse()
    accept(minute=1)
    refuse(minute=2)
    assert [alarm.began_at for alarm in open_alarms()] == [at(2)]
    assert Alarm.objects.count() == 2


def test_refusal_of_a_provider_that_is_gone_is_nobodys() -> None:
    refuse()
    assert not Alarm.objects.exists()


def test_alarm_raised_by_another_process_meanwhile_is_counted_on(
    groq: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse()
    original, answers = alarms._count_on, [False]
    monkeypatch.setattr(alarms, "_count_on", lambda *given: answers.pop() if answers else original(*given))
    refuse(minute=1)
    assert [alarm.calls for alarm in open_alarms()] == [2]


def test_healthy_probe_ends_what_a_probe_had_met(groq: Provider) -> None:
    refuse()
    services.record_probe(provider_id=groq.pk, outcome=BAD, at=at(1))
    services.record_probe(provider_id=groq.pk, outcome=GOOD, at=at(2))
    assert open_alarms() == []


def test_healthy_probe_of_a_list_that_is_open_to_anybody_ends_nothing(groq: Provider) -> None:
    refuse()
    services.record_probe(provider_id=groq.pk, outcome=GOOD, at=at(1))
    assert len(open_alarms()) == 1


def test_healthy_probe_does_not_end_a_lack_of_credit(groq: Provider) -> None:
    refuse(402)
    services.record_probe(provider_id=groq.pk, outcome=BAD, at=at(1))
    services.record_probe(provider_id=groq.pk, outcome=GOOD, at=at(2))
    assert len(open_alarms()) == 1


def test_new_credential_ends_the_alarm(groq: Provider) -> None:
    refuse()
    services.save_credential(credential=groq.credential)
    assert open_alarms() == []


def test_nothing_is_asked_where_nothing_was_told(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        alarms.write_updates(AlarmUpdates(), at=NOW)


def test_good_calls_cost_one_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        accept(minute=0)


def test_mail_tells_those_in_charge_once(groq: Provider, settings: Any) -> None:
    settings.ALARM_EMAILS = ["ops@gateway.example"]
    refuse()
    refuse(403, model="two", message="Not this model.")
    assert [tasks.mail_alarms() for _ in range(2)] == [1, 0]
    deliver(timezone.now())
    [sent] = mail.outbox
    assert (sent.to, "Groq" in sent.subject) == (["ops@gateway.example"], True)
    assert "Go away." in sent.body
    assert "two: 1 calls" in sent.body


def test_alarm_of_a_provider_whose_name_is_more_than_one_line_is_mailed(
    groq: Provider, settings: Any
) -> None:
    settings.ALARM_EMAILS = ["ops@gateway.example"]
    Provider.objects.filter(pk=groq.pk).update(name="Groq\r\nBcc: all@gateway.example")
    refuse()
    assert tasks.mail_alarms() == 1
    deliver(timezone.now())
    [sent] = mail.outbox
    assert r"Groq\r\nBcc: all@gateway.example refuses" in sent.subject
    assert sent.message()["Bcc"] is None


@pytest.mark.usefixtures("groq")
def test_flapping_provider_is_told_of_once_an_hour(settings: Any) -> None:
    settings.ALARM_EMAILS = ["ops@gateway.example"]
    mails = []
    for minute in (0, 20, 40, 70):
        refuse(minute=minute)
        mails.append(alarms.tell_open(at=at(minute)))
        accept(minute=minute + 1)
    assert mails == [1, 0, 0, 1]


@pytest.mark.usefixtures("groq")
def test_nobody_in_charge_is_nobody_mailed() -> None:
    refuse()
    assert tasks.mail_alarms() == 1
    assert deliver(timezone.now()) == 0
    assert mail.outbox == []


@pytest.mark.usefixtures("groq")
def test_mail_that_cannot_be_sent_is_tried_again(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALARM_EMAILS = ["ops@gateway.example"]
    refuse()
    with monkeypatch.context() as broken:
        broken.setattr(EmailBackend, "send_messages", Mock(side_effect=ConnectionRefusedError))
        assert mail_open(0) == 1
    assert mail.outbox == []
    assert mail_open(1) == 1
    assert len(mail.outbox) == 1


def test_end_of_what_was_told_is_told_once_and_of_nothing_else(groq: Provider) -> None:
    refuse()
    accept(minute=1)
    assert not Alert.objects.exists()
    refuse(minute=2)
    mail_open(2)
    accept(minute=3)
    accept(minute=4)
    told = Alert.objects.order_by("pk").values_list("kind", "title")
    assert list(told) == [
        ("provider.alarm", "Gatehouse: Groq refuses the gateway's credential or account"),
        ("provider.recovered", "Groq takes the gateway's calls again"),
    ]
