"""Parameters of addresses: what may come below, at and above each bound, and what is said of the rest."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict

from catalogue.listing.parameters import (
    MOST_WORDS,
    ChoiceField,
    CountField,
    FlagField,
    InstantField,
    MixField,
    ParameterField,
    PriceField,
    WordsField,
    read_parameter,
    refusal_of,
    without_brackets,
    wrong,
)
from gateway.core.errors import ApiError

LONG = "x" * 201


def read(field, query):
    return read_parameter(QueryDict(query), "p", field)


def refused(field, query):
    with pytest.raises(ApiError) as caught:
        read(field, query)
    return caught.value.extra | {"message": str(caught.value.detail)}


READ = [
    (ParameterField(), "", None),
    (ParameterField(), "q=1", None),
    (ParameterField(), "p=a%20b", "a b"),
    (ParameterField(), f"p={'x' * 200}", "x" * 200),
    (ChoiceField("a", "b"), "p=b", "b"),
    (FlagField(), "", None),
    (FlagField(), "p=TRUE", True),
    (FlagField(), "p=false", False),
    (CountField(2, 50), "p=2", 2),
    (CountField(2, 50), "p=50", 50),
    (CountField(0, 50), "p=00", 0),
    (PriceField(), "p=0", Decimal(0)),
    (PriceField(), "p=123456789012.5", Decimal("123456789012.5")),
    (PriceField(), f"p=0.{'1' * 20}", Decimal(f"0.{'1' * 20}")),
    (InstantField(), "p=2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
    (InstantField(), "p=0100-01-01", datetime(100, 1, 1, tzinfo=UTC)),
    (InstantField(), "p=9900-01-01", datetime(9900, 1, 1, tzinfo=UTC)),
    (WordsField(), "", None),
    (WordsField(), "p=a,b&p=c%20a", ["a", "b", "c"]),
    (WordsField("a", "b"), "p=b", ["b"]),
    (
        WordsField(),
        "p=" + ",".join(f"w{number}" for number in range(MOST_WORDS)),
        [f"w{n}" for n in range(MOST_WORDS)],
    ),
]


@pytest.mark.parametrize(("field", "query", "value"), READ)
def test_value_is_read(field, query, value):
    assert read(field, query) == value


REFUSED = [
    (ParameterField(), "p=", "has no value"),
    (ParameterField(), "p=%20", "has no value"),
    (ParameterField(), "p=a%00b", "has no value"),
    (ParameterField(), "p=a&p=b", "takes one value, not 2"),
    (ParameterField(), f"p={LONG}", "is longer than 200 characters"),
    (ChoiceField("a", "b"), "p=c", "must be one of a, b, not 'c'"),
    (FlagField(), "p=yes", "must be one of true, false, not 'yes'"),
    (CountField(2, 50), "p=1", "from 2 to 50, not '1'"),
    (CountField(2, 50), "p=51", "from 2 to 50, not '51'"),
    (CountField(2, 50), "p=002", "from 2 to 50, not '002'"),
    (CountField(2, 50), "p=-3", "from 2 to 50, not '-3'"),
    (CountField(2, 50), "p=%D9%A3", "from 2 to 50"),
    (PriceField(), "p=1e-6", "USD for one token"),
    (PriceField(), "p=1234567890123", "USD for one token"),
    (PriceField(), f"p=0.{'1' * 21}", "USD for one token"),
    (PriceField(), "p=%D9%A3", "USD for one token"),
    (MixField(), "p=3:x", "must be "),
    (InstantField(), "p=soon", "must be "),
    (InstantField(), "p=0099-12-31", "must lie in the years 100 to 9900"),
    (InstantField(), "p=9900-01-02", "must lie in the years 100 to 9900"),
    (WordsField(), "p=", "has no value"),
    (WordsField(), "p=,%20,", "has no value"),
    (WordsField(), "p=a%00", "cannot be 'a\\x00'"),
    (WordsField("a"), "p=a,b", "must be one of a, not 'b'"),
    (
        WordsField(),
        "p=" + ",".join(f"w{number}" for number in range(MOST_WORDS + 1)),
        "at most 100 words, not 101",
    ),
]


@pytest.mark.parametrize(("field", "query", "said"), REFUSED)
def test_other_value_is_refused_by_its_name(field, query, said):
    facts = refused(field, query)
    assert facts["message"].startswith("p ")
    assert said in facts["message"]
    assert facts["param"] == "p"


def test_refusal_tells_what_may_come():
    assert refused(ChoiceField("a", "b"), "p=c")["allowed"] == ["a", "b"]
    facts = refused(CountField(2, 50), "p=51")
    assert (facts["minimum"], facts["maximum"], facts["provided"]) == (2, 50, "51")
    assert refused(WordsField(), "p=" + "%20".join(map(str, range(101))))["maximum"] == MOST_WORDS


@pytest.mark.parametrize(
    "field", [ParameterField(), ChoiceField("a"), CountField(1, 2), PriceField(), WordsField("a")]
)
def test_refusal_repeats_no_more_than_the_beginning(field):
    facts = refused(field, f"p={LONG}")
    assert facts["provided"] == "x" * 200
    assert LONG not in facts["message"]


def test_first_of_several_faults_is_told():
    error = ValidationError([wrong("is odd."), wrong("is even.")])
    assert str(refusal_of("p", error).detail) == "p is odd."


def test_list_is_described_by_its_words() -> None:
    item = {"type": "string", "minLength": 1}
    assert WordsField().schema == {"type": "array", "items": item}
    assert WordsField("a").schema == {"type": "array", "items": item | {"enum": ["a"]}}


def test_brackets_of_lists_are_left_out_of_names():
    query = without_brackets(QueryDict("p[]=a&p=b&p[]=c&q=d"))
    assert query.getlist("p") == ["a", "c", "b"]
    assert query["q"] == "d"
    with pytest.raises(AttributeError):
        query["p"] = "e"


def test_query_without_brackets_is_itself():
    query = QueryDict("p=a")
    assert without_brackets(query) is query
