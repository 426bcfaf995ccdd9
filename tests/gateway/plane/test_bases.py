"""What SQL has as spent reaches the store: for calls that ask, and after attempts were recorded."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from accounts.budgeting import OfOperator, make_budget
from accounts.models import Alert, Budget, Key
from accounts.recording import count_missed
from accounts.rule_loading import RulesInForce
from accounts.spending import Bases, read_bases
from accounts.windows import Window
from gateway.core.store.interface import Balance
from gateway.core.store.memory import MemoryStore
from gateway.plane.bases import BudgetBases
from tests.make import make_entry, make_key, make_team
from tests.threads import in_thread

pytestmark = pytest.mark.django_db(transaction=True)
DOLLAR = 10**10


@pytest.fixture
def key() -> Key:
    return make_key(make_team("atlas"), "billing")[0]


def spend(key: Key, cost_usd: str, loss_usd: str = "0") -> None:
    """As the recorder adds it up."""
    make_entry(key, cost_usd=Decimal(cost_usd), loss_usd=Decimal(loss_usd))
    count_missed()


def play(story: Callable[[BudgetBases, RulesInForce, MemoryStore], Awaitable[None]]) -> None:
    async def run() -> None:
        rules, store = RulesInForce(), MemoryStore()
        await in_thread(rules.refresh)
        bases = BudgetBases(store, rules)
        bases.open()
        await story(bases, rules, store)
        bases.close()

    asyncio.run(run())


def test_what_was_spent_before_there_was_a_budget_counts(key: Key) -> None:
    spend(key, "2.5")
    make_budget(subject=key, window="month", amount_usd=Decimal(10))

    async def story(bases: BudgetBases, rules: RulesInForce, store: MemoryStore) -> None:
        subject = f"key:{key.pk}"
        await bases.learn([rules.current.budgets[subject]])
        balance: Balance = await store.balance(subject)
        assert list(balance.base.values()) == [25 * DOLLAR // 10]
        assert balance.version == (await in_thread(read_bases, {})).version

    play(story)


def test_calls_that_ask_at_once_share_one_look(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    make_budget(subject=key, window="month", amount_usd=Decimal(10))
    looks = []

    def look(wanted: Mapping[str, Collection[Window]]) -> Bases:
        looks.append(wanted)
        return read_bases(wanted)

    monkeypatch.setattr("gateway.plane.bases.read_bases", look)

    async def story(bases: BudgetBases, rules: RulesInForce, store: MemoryStore) -> None:
        budgets = [rules.current.budgets[f"key:{key.pk}"]]
        asked = [asyncio.ensure_future(bases.learn(budgets)) for _ in range(20)]
        await asyncio.sleep(0)
        asked[0].cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        assert len(looks) == 1
        assert (await store.balance(f"key:{key.pk}")).version is not None
        await bases.learn(budgets)
        assert len(looks) == 2

    play(story)


def test_only_those_whose_attempts_were_recorded_are_told_again(key: Key) -> None:
    make_budget(subject=key, window="lifetime", amount_usd=Decimal(10))
    spend(key, "1")

    async def story(bases: BudgetBases, rules: RulesInForce, store: MemoryStore) -> None:
        assert await in_thread(bases.renew) == 0
        bases._touched.add(f"key:{key.pk}")
        assert await in_thread(bases.renew) == 1
        assert (await store.balance(f"key:{key.pk}")).base == {"lifetime:0": DOLLAR}
        assert await in_thread(bases.renew) == 0

    play(story)


@pytest.mark.parametrize(
    ("cost", "loss", "is_spent"), [("4", "0.9", False), ("4", "1", True), ("6", "0", True)]
)
def test_a_provider_has_spent_its_budget_with_what_we_lost(
    key: Key, cost: str, loss: str, is_spent: bool
) -> None:
    make_budget(subject=OfOperator("acme"), window="day", amount_usd=Decimal(5), is_staff=True)
    spend(key, cost, loss)

    async def story(bases: BudgetBases, rules: RulesInForce, store: MemoryStore) -> None:
        await in_thread(bases.renew)
        assert bases.spent_providers == ({"acme"} if is_spent else set())

    play(story)


def test_a_provider_is_called_again_once_its_budget_is_gone(key: Key) -> None:
    budget = make_budget(subject=OfOperator("acme"), window="day", amount_usd=Decimal(1), is_staff=True)
    spend(key, "1")

    async def story(bases: BudgetBases, rules: RulesInForce, store: MemoryStore) -> None:
        await in_thread(bases.renew)
        assert bases.spent_providers == {"acme"}
        await in_thread(budget.delete)
        await in_thread(rules.refresh)
        await in_thread(bases.renew)
        assert bases.spent_providers == set()

    play(story)


def test_budgets_that_refused_calls_while_others_ran_are_told_once_in_each_window(key: Key) -> None:
    """By whichever process, however many calls were refused."""
    of_key = make_budget(subject=key, window="day", amount_usd=Decimal(10))
    of_team = make_budget(subject=key.team, window="month", amount_usd=Decimal(10), counts_own=True)
    make_budget(subject=OfOperator(), window="month", amount_usd=Decimal(10))
    now = [datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()]

    async def story(_: BudgetBases, rules: RulesInForce, store: MemoryStore) -> None:
        for _ in range(2):
            bases = BudgetBases(store, rules, clock=lambda: now[0])
            for day in range(2):
                now[0] += 86_400 * day
                for budgets in list(rules.current.budgets.values()) * 3:
                    bases.refused_while_held(budgets.subject, budgets.windows_at(now[0])[0])
                await in_thread(bases.tell_refused)

    play(story)
    told = Alert.objects.filter(kind="budget.held").values_list("cause", flat=True)
    of_deployment = Budget.objects.get(is_deployment=True)
    by_window = [of_key, of_key, of_key, of_team, of_deployment]
    assert sorted(told) == sorted(f"budget:{each.pk}" for each in by_window)
