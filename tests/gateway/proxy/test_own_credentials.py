"""Credentials of a team's own at the edge, over real sockets: in both lanes, all formats, streamed and whole."""

import json
import threading
from dataclasses import astuple, replace

import pytest

from accounts.budgets import Terms
from accounts.money import UNITS_A_USD
from gateway.core.store.interface import Limit
from gateway.core.store.redis import RedisStore
from providers.facts import OPERATOR, CredentialFacts
from providers.formats.registry import FORMATS
from tests.gateway.proxy.admission.test_limits import ENDPOINTS
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.test_provider_errors import envelope
from tests.gateway.proxy.test_translation import CLIENTS, ask
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.services import wait_until
from tests.upstream.speaking import speaking

LANES = pytest.mark.parametrize("lane", ["direct", "worker"])
OPERATORS, OWN, SPARE = "main-secret-00001", "own-secret-0000002", "spare-secret-00003"
PRICES = (a_price("input_text_tokens", "1000000"), a_price("output_text_tokens", "1000000"))
COST = "10.0000000000"
"""Of the 7 and 3 tokens that the speaker counts."""


def a_credential(id_=7, **facts):
    given = {"team_id": 1, "label": "research account", "place": "before", "secret": OWN}
    return CredentialFacts(**{"id": id_, **given, **facts})


def of_team(*credentials, team=1, provider=1):
    return {team: {provider: credentials}}


def an_edge(speaker, *credentials, offering=None, is_usable=True, **options):
    provider = a_provider(
        1,
        name="Vendor",
        base_url=speaker.base_url,
        wire_format=speaker.wire_format.name,
        secret=OPERATORS if is_usable else None,
        is_usable=is_usable,
    )
    facts = {"prices": PRICES, "endpoints": ENDPOINTS, "max_output_tokens": 1000, **(offering or {})}
    options.setdefault("credentials", of_team(*credentials))
    return running_edge([a_model(offerings=(an_offering(1, **facts),))], [provider], **options)


def change(edge, **facts):
    """The snapshot, as another one is read."""
    snapshots = edge.process.services.snapshots
    snapshots.current = replace(snapshots.current, **facts)


def shown_to(speaker):
    """The secrets that it was shown, in turn."""
    headers = [headers for _, headers, _ in speaker.seen]
    found = []
    for each in headers:
        said = " ".join(each.get(name, "") for name in ("authorization", "x-api-key", "x-goog-api-key"))
        found += [secret for secret in (OPERATORS, OWN, SPARE) if secret in said]
    return found


def refusing(speaker, refused, status=401, message="Scripted refusal."):
    """Whoever shows one of these secrets."""
    answer = type(speaker).answer

    def decide(path, body):
        if shown_to(speaker)[-1:][0] in refused:
            kind = {"content-type": "application/json"}
            return status, kind, envelope(speaker.wire_format.name, status, message)
        return answer(speaker, path, body)

    speaker.answer = decide


@pytest.fixture
def chatty():
    with speaking("openai") as speaker:
        yield speaker


def opened_by(edge):
    return [(record.own_credential_id, record.operator_credential_id) for record in edge.records.opens]


def billed(edge, count=1):
    closes = edge.records.settled(count).closes
    return [(record.cost_usd, record.loss_usd, record.own_cost_usd) for record in closes]


@LANES
@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("wire_format", list(FORMATS))
def test_a_call_goes_out_on_the_teams_own_and_costs_nothing_here(wire_format, is_streamed, lane):
    with speaking(wire_format) as speaker, an_edge(speaker, a_credential()) as edge:
        for client in CLIENTS:
            answer = ask(edge, client, is_streamed=is_streamed, lane=lane)
            assert answer.status_code == 200, answer.text
        edge.records.settled(len(CLIENTS))
        assert shown_to(speaker) == [OWN] * len(CLIENTS)
        assert opened_by(edge) == [(7, 0)] * len(CLIENTS)
        assert {float(cost) for cost, _, _ in billed(edge)} == {0.0}
        assert {float(loss) for _, loss, _ in billed(edge)} == {0.0}
        assert {own for _, _, own in billed(edge)} == {COST}


@LANES
def test_who_calls_is_told_that_it_costs_nothing(chatty, lane):
    with an_edge(chatty, a_credential()) as edge:
        assert float(ask(edge, "openai", lane=lane).headers["x-gateway-cost"]) == 0
        streamed = ask(edge, "openai", lane=lane, is_streamed=True).text
    told = [json.loads(line[6:]) for line in streamed.splitlines() if line.startswith("data: {")]
    assert [event["usage"]["cost"] for event in told if event.get("usage")] == [0]


@LANES
@pytest.mark.parametrize("status", [401, 403, 429])
def test_one_that_is_refused_gives_way_to_the_operators(chatty, status, lane):
    refusing(chatty, {OWN}, status)
    with an_edge(chatty, a_credential()) as edge:
        answer = ask(edge, "openai", lane=lane)
        assert (answer.status_code, answer.headers["x-gateway-cost"]) == (200, COST)
        assert billed(edge, 2) == [
            ("0.0000000000", "0.0000000000", "0"),
            (COST, "0.0000000000", "0"),
        ]
        assert (shown_to(chatty), opened_by(edge)) == ([OWN, OPERATORS], [(7, 0), (0, 0)])
        assert edge.records.outcomes == ["failed_over", "finished"]


@LANES
def test_one_after_the_other_in_the_teams_order_and_after_the_operators_if_it_wants(chatty, lane):
    refusing(chatty, {OWN, OPERATORS}, 429)
    later = a_credential(8, secret=SPARE, label="spare", place="after")
    with an_edge(chatty, a_credential(), later) as edge:
        assert ask(edge, "openai", lane=lane).status_code == 200
        assert shown_to(chatty) == [OWN, OPERATORS, SPARE]
        assert opened_by(edge) == [(7, 0), (0, 0), (8, 0)]


@LANES
def test_only_the_teams_own_means_that_the_operators_is_never_used(chatty, lane):
    refusing(chatty, {OWN})
    with an_edge(chatty, a_credential(place="only")) as edge:
        answer = ask(edge, "openai", lane=lane)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "provider_auth_error")
    assert "Vendor refuses your team's own credential 'research account'" in answer.text
    assert shown_to(chatty) == [OWN]


@LANES
def test_a_refused_one_is_left_alone_for_a_while_and_holds_nothing_against_the_operators(chatty, lane):
    refusing(chatty, {OWN})
    with an_edge(chatty, a_credential()) as edge:
        for _ in range(3):
            assert ask(edge, "openai", lane=lane).status_code == 200
        health = edge.process.services.health
        assert shown_to(chatty) == [OWN, OPERATORS, OPERATORS, OPERATORS]
        now = edge.process.loop.time()
        assert (health.status("1:7", now).is_open, health.status(1, now).is_open) == (True, False)


def test_a_refused_credential_of_the_operator_keeps_no_team_from_using_its_own(chatty):
    refusing(chatty, {OPERATORS})
    with an_edge(chatty, a_credential()) as edge:
        stranger = edge.keys.issue(team_id=2)
        with edge.client(stranger) as client:
            path, body = CLIENTS["openai"]
            assert client.post(path, json=body).status_code == 502
            assert client.post(path, json=body).status_code == 503
        assert ask(edge, "openai").status_code == 200


@LANES
def test_a_provider_that_the_operator_cannot_open_serves_the_team_alone(chatty, lane):
    with an_edge(chatty, a_credential(), is_usable=False) as edge:
        assert ask(edge, "openai", lane=lane).status_code == 200
        with edge.client(edge.keys.issue(team_id=2), **{"x-gateway-lane": lane}) as client:
            path, body = CLIENTS["openai"]
            refused = client.post(path, json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "no_provider")
    assert shown_to(chatty) == [OWN]


@pytest.mark.parametrize(
    ("facts", "used"),
    [
        ({"model_patterns": ("acme/*",)}, OWN),
        ({"model_patterns": ("the-one",)}, OWN),
        ({"model_patterns": ("other/*",)}, OPERATORS),
        ({"lineage_ids": frozenset({1})}, OWN),
        ({"lineage_ids": frozenset({2})}, OPERATORS),
        ({"model_patterns": ("acme/*",), "lineage_ids": frozenset({2})}, OPERATORS),
    ],
)
def test_it_is_for_its_models_and_keys_only(chatty, facts, used):
    offering = an_offering(1, prices=PRICES, endpoints=ENDPOINTS, max_output_tokens=1000)
    provider = a_provider(1, base_url=chatty.base_url, secret=OPERATORS)
    model = a_model(offerings=(offering,), aliases=("the-one",))
    with running_edge([model], [provider], credentials=of_team(a_credential(**facts))) as edge:
        assert ask(edge, "openai").status_code == 200
    assert shown_to(chatty) == [used]


@LANES
def test_one_that_was_taken_away_is_not_used_again(chatty, lane):
    with an_edge(chatty, a_credential()) as edge:
        ask(edge, "openai", lane=lane)
        change(edge, credentials={})
        ask(edge, "openai", lane=lane)
    assert shown_to(chatty) == [OWN, OPERATORS]


@LANES
def test_what_was_planned_on_one_that_is_gone_where_the_call_is_made_goes_on_without_it(chatty, lane):
    """Planned by one snapshot and made by another, as between two processes."""
    with an_edge(chatty, a_credential()) as edge:
        snapshots = edge.process.services.snapshots

        class Lagging:
            current = snapshots.current

        edge.process.edge._services = replace(edge.process.edge._services, snapshots=Lagging())
        change(edge, credentials=of_team(a_credential(), team=2))
        assert ask(edge, "openai", lane=lane).status_code == 200
    assert shown_to(chatty) == [OPERATORS]


@LANES
@pytest.mark.parametrize("message", ["Bearer {} is wrong", 'got "{}"'])
@pytest.mark.parametrize("wire_format", list(FORMATS))
@pytest.mark.parametrize("status", [400, 401, 500])
def test_its_very_secret_is_taken_out_of_what_the_provider_says(wire_format, status, message, lane):
    with speaking(wire_format) as speaker:
        refusing(speaker, {OWN}, status, message.format(OWN))
        with an_edge(speaker, a_credential(place="only")) as edge:
            answer = ask(edge, "openai", lane=lane)
            told = repr([astuple(each) for each in (*edge.records.settled().closes, *edge.records.opens)])
    assert answer.status_code >= 400
    assert OWN not in answer.text + told


def test_no_secret_is_in_what_travels_nor_in_what_is_shown_of_values():
    credential = a_credential()
    assert OWN not in repr(credential) + repr(of_team(credential))


@LANES
def test_a_further_credential_of_the_operator_takes_over_at_the_operators_cost(chatty, lane):
    refusing(chatty, {OPERATORS}, 429)
    spare = a_credential(9, team_id=OPERATOR, secret=SPARE, place="after", label="backup")
    with an_edge(chatty, credentials=of_team(spare, team=OPERATOR)) as edge:
        answer = ask(edge, "openai", lane=lane)
        assert (answer.status_code, answer.headers["x-gateway-cost"]) == (200, COST)
        assert billed(edge, 2)[-1] == (COST, "0.0000000000", "0")
        assert (shown_to(chatty), opened_by(edge)) == ([OPERATORS, SPARE], [(0, 0), (0, 9)])


@LANES
def test_the_operators_quotas_count_nothing_that_goes_out_on_a_teams_own(chatty, lane):
    quota = (Limit("offering:1", "requests", 1, 60),)
    with an_edge(chatty, a_credential(), offering={"quotas": quota}) as edge:
        assert [ask(edge, "openai", lane=lane).status_code for _ in range(3)] == [200, 200, 200]
        change(edge, credentials={})
        assert [ask(edge, "openai", lane=lane).status_code for _ in range(2)] == [200, 429]


class TestBudgets:
    """What is spent at a provider by the team itself is outside its budgets here."""

    def spend_all(self, edge):
        edge.process.limited.hold_to("team:1", Terms("lifetime", "UTC", UNITS_A_USD))
        edge.process.spent.spent["team:1"] = UNITS_A_USD

    @LANES
    def test_a_spent_budget_lets_calls_on_the_teams_own_pass_and_no_others(self, chatty, lane):
        with an_edge(chatty, a_credential(place="only")) as edge:
            self.spend_all(edge)
            assert ask(edge, "openai", lane=lane).status_code == 200
            change(edge, credentials={})
            assert ask(edge, "openai", lane=lane).status_code == 402
        assert shown_to(chatty) == [OWN]

    @LANES
    def test_the_operators_is_no_way_out_for_a_team_without_money(self, chatty, lane):
        refusing(chatty, {OWN})
        with an_edge(chatty, a_credential()) as edge:
            self.spend_all(edge)
            assert ask(edge, "openai", lane=lane).status_code == 502
        assert shown_to(chatty) == [OWN]

    @LANES
    @pytest.mark.parametrize("is_streamed", [False, True])
    def test_neither_holds_nor_debts_are_left(self, chatty, lane, is_streamed, redis_server):
        redis_server.ask("FLUSHALL")
        stores = {
            "store": lambda: RedisStore(redis_server.url, "web"),
            "worker_store": lambda: RedisStore(redis_server.url, "lane"),
        }
        with an_edge(chatty, a_credential(), **stores) as edge:
            edge.process.limited.hold_to("team:1", Terms("lifetime", "UTC", 10**6 * UNITS_A_USD))
            assert ask(edge, "openai", lane=lane, is_streamed=is_streamed).status_code == 200
            edge.records.settled()
            balance = lambda: edge.on_loop(lambda: edge.process.store.balance("team:1"))  # noqa: E731
            wait_until(lambda: balance().held == 0, "giving back what was held")
            assert sum(balance().owed.values()) == 0

    def test_what_has_no_price_is_called_all_the_same(self, chatty):
        with an_edge(chatty, a_credential(), offering={"prices": ()}) as edge:
            self.spend_all(edge)
            assert ask(edge, "openai").status_code == 200
            change(edge, credentials={})
            assert ask(edge, "openai").json()["error"]["code"] == "unpriced_model"
        assert shown_to(chatty) == [OWN]


def of_ever(usd, *, is_strict=True):
    return Terms("lifetime", "", usd * UNITS_A_USD, is_strict=is_strict)


def owed(edge, subject):
    return sum(edge.on_loop(lambda: edge.process.store.balance(subject)).owed.values()) / UNITS_A_USD


def held(edge, subject):
    return edge.on_loop(lambda: edge.process.store.balance(subject)).held


@LANES
@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_budget_counts_what_own_credentials_calls_would_have_cost_if_it_is_asked_to(
    chatty, is_streamed, lane
):
    with an_edge(chatty, a_credential(place="only")) as edge:
        edge.process.limited.hold_to("team:1:own", of_ever(20, is_strict=False))
        edge.process.limited.hold_to("team:1", of_ever(1))
        for paid in (10, 20):
            assert ask(edge, "openai", is_streamed=is_streamed, lane=lane).status_code == 200
            wait_until(lambda total=paid: owed(edge, "team:1:own") == total, "settling")
        refused = ask(edge, "openai", lane=lane)
        assert (refused.status_code, refused.json()["error"]["code"]) == (402, "budget_exceeded")
        assert "Team 't' has spent its budget of $20.00 in all" in refused.text
        assert (owed(edge, "team:1"), held(edge, "team:1:own"), held(edge, "team:1")) == (0, 0, 0)


@LANES
def test_a_budget_that_counts_own_credentials_counts_the_operators_too(chatty, lane):
    refusing(chatty, {OWN})
    with an_edge(chatty, a_credential()) as edge:
        edge.process.limited.hold_to("team:1:own", of_ever(5000))
        assert ask(edge, "openai", lane=lane).status_code == 200
        wait_until(lambda: owed(edge, "team:1:own") == 10, "settling")
        wait_until(lambda: held(edge, "team:1:own") == 0, "giving back")
        assert {record.own_credential_id for record in edge.records.opens} == {7, 0}


@LANES
def test_where_a_plain_budget_is_spent_the_own_ways_are_left_unless_another_counts_them(chatty, lane):
    with an_edge(chatty, a_credential(place="after")) as edge:
        edge.process.limited.hold_to("key:1", of_ever(1))
        edge.process.spent.spent["key:1"] = 2 * UNITS_A_USD
        assert ask(edge, "openai", lane=lane).status_code == 200
        edge.process.limited.hold_to("team:1:own", of_ever(1))
        edge.process.spent.spent["team:1:own"] = 2 * UNITS_A_USD
        assert ask(edge, "openai", lane=lane).status_code == 402
    assert shown_to(chatty) == [OWN]


@LANES
def test_what_runs_on_own_credentials_is_held_of_budgets_that_count_it(chatty, lane):
    """A strict one lets in one call that may cost all of it, and the other waits."""
    answer = type(chatty).answer
    let_go = threading.Event()
    chatty.answer = lambda path, body: let_go.wait(20) and answer(chatty, path, body)
    with an_edge(chatty, a_credential(place="only")) as edge:
        edge.process.limited.hold_to("team:1:own", of_ever(20))
        running = threading.Thread(target=ask, args=(edge, "openai"), kwargs={"lane": lane})
        running.start()
        wait_until(lambda: held(edge, "team:1:own") == 20 * UNITS_A_USD, "the first call")
        refused = ask(edge, "openai", lane=lane)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "budget_held")
        let_go.set()
        running.join()
        wait_until(lambda: held(edge, "team:1:own") == 0, "giving back")
        assert ask(edge, "openai", lane=lane).status_code == 200


def test_without_a_price_an_own_way_is_left_out_under_a_budget_that_counts_it(chatty):
    with an_edge(chatty, a_credential(), offering={"prices": ()}) as edge:
        assert ask(edge, "openai").status_code == 200
        edge.process.limited.hold_to("team:1:own", of_ever(20))
        refused = ask(edge, "openai")
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "unpriced_model")
