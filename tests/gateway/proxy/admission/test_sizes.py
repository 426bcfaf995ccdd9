"""What a call is expected to answer, by what its like have answered."""

from gateway.proxy.admission.sizes import UNKNOWN, AnswerSizes

ASKED = (1, "acme/one", "chat.completions")


def learned(*sizes: int) -> AnswerSizes:
    known = AnswerSizes()
    for size in sizes:
        known.learn(ASKED, size)
    return known


def test_what_is_unknown_is_taken_for_a_thousand_tokens_or_what_the_client_allows() -> None:
    assert learned().expect(ASKED, None) == UNKNOWN
    assert learned().expect(ASKED, 5_000) == UNKNOWN
    assert learned().expect(ASKED, 10) == 10
    assert learned(1, 2, 3, 4).expect(ASKED, None) == UNKNOWN


def test_nine_in_ten_answers_are_no_longer_than_expected() -> None:
    assert learned(1, 2, 3, 4, 5).expect(ASKED, None) == 5
    assert learned(*range(10, 101, 10)).expect(ASKED, None) == 90
    assert learned(*range(10, 101, 10)).expect(ASKED, 40) == 40


def test_the_mean_counts_where_few_answers_are_much_longer_than_all_others() -> None:
    assert learned(*[10] * 19, 32_000).expect(ASKED, None) == 1_610


def test_only_the_last_fifty_count() -> None:
    assert learned(*[9_000] * 50, *[7] * 50).expect(ASKED, None) == 7


def test_others_are_expected_to_answer_otherwise() -> None:
    known = learned(7, 7, 7, 7, 7)
    assert known.expect((2, *ASKED[1:]), None) == known.expect((1, "acme/two", ASKED[2]), None) == UNKNOWN


def test_whoever_asked_longest_ago_is_forgotten_first() -> None:
    known = AnswerSizes(capacity=2)
    others = (2, *ASKED[1:]), (3, *ASKED[1:])
    for asked in (ASKED, others[0], ASKED, others[1]):
        for _ in range(5):
            known.learn(asked, 7)
    assert [known.expect(asked, None) for asked in (ASKED, *others)] == [7, UNKNOWN, 7]
