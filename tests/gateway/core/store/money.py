"""Budgets for tests: one of a day and one for ever, and calls that ask them."""

from gateway.core.store.interface import Ask, Balance, BudgetAsk, Charge, Store, WindowLimit

QUARTER = 1_761_955_200
DOLLAR = 10**10


def window(amount: int, name: str = "day:UTC:1761955200", starts_at: int = QUARTER) -> WindowLimit:
    return WindowLimit(name, starts_at, amount)


def budget(hold: int, *windows: WindowLimit, subject: str = "key:1") -> BudgetAsk:
    return BudgetAsk(subject, windows, hold)


def ask(call_id: str, hold: int, *windows: WindowLimit, subject: str = "key:1") -> Ask:
    return Ask(call_id, budgets=[budget(hold, *windows, subject=subject)])


def charge(amount: int, quarter: int = QUARTER, subject: str = "key:1") -> list[Charge]:
    return [Charge(subject, quarter, amount)]


async def install(
    store: Store,
    *windows: WindowLimit,
    spent: int = 0,
    version: int = 1,
    subject: str = "key:1",
    **marks: int,
) -> None:
    await store.install(subject, version, {each.window: spent for each in windows}, marks)


async def spent(store: Store, of: WindowLimit, subject: str = "key:1") -> int | None:
    return (await store.balance(subject)).spent(of)


async def balance(store: Store, subject: str = "key:1") -> Balance:
    return await store.balance(subject)
