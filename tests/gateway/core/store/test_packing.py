"""What is packed of an admission once, for all calls that come with the same limits and budgets."""

from gateway.core.store.interface import Ask, BudgetAsk, Limit, WindowLimit
from gateway.core.store.packing import Packer
from gateway.core.store.script import bulk

WINDOW = WindowLimit("lifetime:0", 0, 10**12)


def quotas() -> tuple[tuple[Limit, ...], ...]:
    """Two candidates', put together anew."""
    return (
        (Limit("provider:one", "requests", 10, 60),),
        (Limit("provider:two", "tokens", 500, 60), Limit("offering:7", "concurrency", 3)),
    )


def words(command: bytes) -> list[bytes]:
    """The command's arguments, each as long as it says."""
    count, *rest = command.removeprefix(b"*").split(b"\r\n")
    lengths, texts = rest[:-1:2], rest[1::2]
    assert [b"$%d" % len(text) for text in texts] == lengths
    assert int(count) == len(texts)
    return texts


def test_limits_and_quotas_that_are_put_together_anew_share_a_form() -> None:
    packer, budgets = Packer(bulk(60_000)), [BudgetAsk("team:1", (WINDOW,), 5, 9)]
    forms = {
        id(packer.form(Ask(f"call-{number}", quotas()[0], candidates=quotas(), budgets=budgets)))
        for number in range(3)
    }
    assert len(forms) == 1


def test_a_form_is_filled_with_what_is_each_calls_own() -> None:
    packer, limits = (
        Packer(bulk(60_000)),
        (Limit("key:1", "requests", 10, 60), Limit("key:1", "tokens", 900, 60)),
    )
    windows = (WINDOW,)
    own: list[int | str] = []
    for call, tokens, hold in (("a", 300, 7), ("b", 41, 1_234_567_890)):
        ask = Ask(
            call,
            limits,
            tokens,
            10,
            candidates=quotas(),
            budgets=[BudgetAsk("key:1", windows, hold, 2 * hold)],
        )
        form = packer.form(ask)
        form.add_own(own, ask, "1790000000000")
    told = words(form.fill(own))
    keys = int(told[2])
    shared = [
        *(b"2", b"2", b"1", b"2"),
        *(b"10", b"60", b"1", b"900", b"60", b"-1"),
        *(b"10", b"60", b"1", b"500", b"60", b"-2", b"3", b"0", b"1"),
        *(b"1", b"w:lifetime:0", b"0", b"%d" % 10**12),
    ]
    begins_at, size = 4 + len(shared), 6
    assert told[3 + keys :] == [
        *(b"60000", b"%d" % begins_at, b"%d" % size),
        *shared,
        *(b"310", b"310", b"7", b"14", b"1790000000000", b"a"),
        *(b"51", b"51", b"1234567890", b"2469135780", b"1790000000000", b"b"),
    ]
    assert told[3 + keys :][begins_at - 1] == b"310"


def test_a_name_may_look_like_a_blank() -> None:
    packer, ask = Packer(bulk(60_000)), Ask("call", (Limit("project:%b", "requests", 10, 60),))
    assert any(word.endswith(b"project:%b:requests:60") for word in words(packer.form(ask).fill(["call"])))


def test_who_asks_for_nothing_needs_no_answer() -> None:
    packer = Packer(bulk(60_000))
    assert packer.form(Ask("call", candidates=((), ()))).asks_nothing
    warning = WindowLimit("lifetime:0", 0, 10, refuses=False)
    assert packer.form(Ask("call", budgets=[BudgetAsk("team:1", (warning,), 5)])).asks_nothing
