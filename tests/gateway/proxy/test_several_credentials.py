"""Several credentials of the operator at one provider: how they share calls, and what each may send."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from gateway.core.store.interface import Limit
from gateway.proxy.routing.ways import share_out
from providers.facts import OPERATOR
from tests.gateway.proxy.test_explaining import explain
from tests.gateway.proxy.test_own_credentials import (
    OPERATORS,
    OWN,
    SPARE,
    a_credential,
    an_edge,
    ask,
    of_team,
    refusing,
    shown_to,
)
from tests.services import wait_until
from tests.upstream.speaking import speaking

LANES = pytest.mark.parametrize("lane", ["direct", "worker"])
DRAWS = [number / 100 for number in range(100)]


@pytest.fixture
def speaker():
    with speaking("openai") as speaker:
        yield speaker


def one(id_, *, a_minute=0, position=0, place="before", **facts):
    quotas = (Limit(f"credential:{id_}", "requests", a_minute, 60),) if a_minute else ()
    return a_credential(id_, team_id=OPERATOR, place=place, position=position, quotas=quotas, **facts)


def firsts(*credentials):
    """How often each comes first, of a hundred draws."""
    return Counter(share_out(list(credentials), draw)[0].id for draw in DRAWS)


@pytest.mark.parametrize(
    ("credentials", "shares"),
    [
        ([one(1), one(2)], {1: 50, 2: 50}),
        ([one(1), one(2), one(3), one(4)], {1: 25, 2: 25, 3: 25, 4: 25}),
        ([one(1, a_minute=90), one(2, a_minute=10)], {1: 90, 2: 10}),
        # What one may be sent is not known, and nobody's part of it.
        ([one(1, a_minute=90), one(2)], {1: 50, 2: 50}),
        ([one(1), one(2, position=1)], {1: 100}),
    ],
)
def test_those_of_one_position_share_calls_by_what_they_may_be_sent(credentials, shares):
    assert firsts(*credentials) == shares


def test_all_of_them_follow_whichever_comes_first():
    credentials = [one(1), one(2), one(3, position=1), one(4, position=1)]
    for draw in DRAWS:
        ids = [each.id for each in share_out(credentials, draw)]
        assert (set(ids[:2]), set(ids[2:])) == ({1, 2}, {3, 4})


@pytest.mark.parametrize(
    ("credentials", "in_flight", "shares"),
    [
        ([one(1), one(2)], {}, {1: 50, 2: 50}),
        ([one(1), one(2)], {1: 1}, {2: 100}),
        ([one(1), one(2)], {1: 2, 2: 1}, {2: 100}),
        ([one(1), one(2), one(3)], {1: 3, 2: 1, 3: 1}, {2: 50, 3: 50}),
        # By what each may be sent.
        ([one(1, a_minute=90), one(2, a_minute=10)], {1: 8, 2: 1}, {1: 100}),
        ([one(1, a_minute=90), one(2, a_minute=10)], {1: 10, 2: 1}, {2: 100}),
        ([one(1, a_minute=90), one(2)], {1: 1}, {2: 100}),
        # Another position comes later, however little it is loaded.
        ([one(1), one(2, position=1)], {1: 9}, {1: 100}),
    ],
)
def test_the_least_loaded_of_one_position_comes_first(credentials, in_flight, shares):
    assert Counter(share_out(credentials, draw, in_flight)[0].id for draw in DRAWS) == shares


@LANES
def test_calls_that_are_under_way_at_once_go_to_one_credential_each(speaker, lane):
    may_answer, answer = Event(), type(speaker).answer

    def wait(path, body):
        may_answer.wait(10)
        return answer(speaker, path, body)

    speaker.answer = wait
    credentials = [one(1, secret=OWN), one(2, secret=SPARE, label="spare")]
    with an_edge(speaker, credentials=of_team(*credentials, team=OPERATOR)) as edge:
        in_flight = edge.process.services.snapshots.current.in_flight
        with ThreadPoolExecutor(4) as pool:
            calls = []
            for number in range(1, 5):
                calls.append(pool.submit(ask, edge, "openai", lane=lane))
                wait_until(lambda number=number: len(shown_to(speaker)) == number, "a call under way")
            assert in_flight == {1: 2, 2: 2}
            may_answer.set()
            assert [call.result().status_code for call in calls] == [200] * 4
        assert Counter(shown_to(speaker)) == {OWN: 2, SPARE: 2}
        wait_until(lambda: in_flight == {}, "the end of all calls")


@LANES
def test_one_that_has_sent_its_quota_gives_way_to_the_next(speaker, lane):
    credentials = (
        one(1, a_minute=2, secret=OWN),
        one(2, a_minute=1, position=1, secret=SPARE, label="spare"),
    )
    with an_edge(speaker, credentials=of_team(*credentials, team=OPERATOR)) as edge:
        answers = [ask(edge, "openai", lane=lane) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200] * 4
        # The provider's own main one has no quota, and is the last.
        assert shown_to(speaker) == [OWN, OWN, SPARE, OPERATORS]


@LANES
def test_where_all_have_sent_their_quotas_the_client_is_told_to_wait(speaker, lane):
    credentials = (one(1, a_minute=1, secret=OWN),)
    offering = {"quotas": (Limit("offering:1", "requests", 2, 60),)}
    with an_edge(speaker, credentials=of_team(*credentials, team=OPERATOR), offering=offering) as edge:
        answers = [ask(edge, "openai", lane=lane) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].json()["error"]["code"] == "providers_at_quota"
        assert shown_to(speaker) == [OWN, OPERATORS]


@LANES
@pytest.mark.parametrize(
    ("status", "message"), [(401, "No."), (402, "No."), (403, "No."), (429, "insufficient_quota")]
)
def test_one_that_is_refused_is_parked_and_the_next_one_is_used(speaker, status, message, lane):
    refusing(speaker, {OWN}, status, message)
    credentials = (one(1, secret=OWN),)
    with an_edge(speaker, credentials=of_team(*credentials, team=OPERATOR)) as edge:
        assert [ask(edge, "openai", lane=lane).status_code for _ in range(3)] == [200] * 3
        # Once, and no more while it is parked; staff hear of it.
        assert shown_to(speaker) == [OWN, *[OPERATORS] * 3]
        assert edge.records.settled(4).closes[0].about_us
        assert edge.records.opens[0].operator_credential_id == 1


@LANES
@pytest.mark.parametrize("team", [OPERATOR, 1])
def test_its_calls_go_to_its_own_address_and_the_main_ones_to_the_providers(team, lane):
    with speaking("openai") as main, speaking("openai") as other:
        credential = a_credential(team_id=team, base_url=other.base_url)
        with an_edge(main, credentials=of_team(credential, team=team)) as edge:
            assert ask(edge, "openai", lane=lane).status_code == 200
            assert (shown_to(other), shown_to(main)) == ([OWN], [])
            # Its address fails: the provider's own follows.
            other.answer = lambda _path, _body: (500, {}, b"{}")
            assert ask(edge, "openai", lane=lane).status_code == 200
            assert (shown_to(other), shown_to(main)) == ([OWN, OWN], [OPERATORS])


def test_a_credential_that_is_left_alone_is_told_of_though_another_one_opens_its_offering(speaker):
    refusing(speaker, {SPARE}, 401)
    spare = one(9, secret=SPARE)
    with an_edge(speaker, credentials=of_team(spare, team=OPERATOR)) as edge:
        assert ask(edge, "openai").status_code == 200
        assert shown_to(speaker) == [SPARE, OPERATORS]
        told = explain(edge).json()
        assert [each["way"] for each in told["order"]] == ["1"]
        (stage,) = told["stages"]
        assert (stage["stage"], [each["way"] for each in stage["dropped"]]) == ("health", ["1:9"])
