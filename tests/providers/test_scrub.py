"""What a provider says leaves the house without the credential that was used, however it is written."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

from providers.wire.failure import FailureKind, UpstreamFailure
from providers.wire.scrub import remove_secret, scrub

SECRET = 'q/7 "T&b;+\\x9'
FORMS = {
    "as it is": SECRET,
    "bearer": f"authorization: Bearer {SECRET}",
    "JSON": json.dumps({"key": SECRET}),
    "JSON in JSON": json.dumps(json.dumps(SECRET)),
    "JSON with slashes escaped": json.dumps(SECRET).replace("/", "\\/"),
    "JSON in numbers": "".join(f"\\u{ord(char):04x}" for char in SECRET),
    "repr": repr(SECRET),
    "address": f"key={quote(SECRET, safe='')}",
    "address in small letters": quote(SECRET, safe="").lower(),
    "path": quote(SECRET),
    "form": quote_plus(SECRET),
    "address in an address": quote(quote(SECRET, safe=""), safe=""),
    "HTML": html.escape(SECRET),
    "HTML in numbers": "".join(f"&#{ord(char)};" for char in SECRET),
}
PACKED = [SECRET, f"user:{SECRET}", f":{SECRET}", f"ab:{SECRET}", f"{SECRET}:", f"Bearer {SECRET} and more"]


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_nothing_of_the_secret_is_left_in_any_spelling(form):
    shown = scrub(f"No entry for {form} here", SECRET)
    assert shown.startswith("No entry for ")
    assert shown.endswith(" here")
    assert not [piece for piece in ("T&b", "T%26b", "T%2526b", "x9", "q/7", "u0054", "#84") if piece in shown]


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("pack", [base64.b64encode, base64.urlsafe_b64encode])
def test_the_whole_word_goes_that_holds_the_secret_in_base64(packed, pack):
    word = pack(packed.encode()).decode()
    assert scrub(f"Got {word}, sorry", SECRET) == "Got [removed], sorry"
    assert scrub(f"Got {quote(word, safe='')}, sorry", SECRET) == "Got [removed], sorry"
    assert scrub(f"Got Authorization: Basic {word}", SECRET) == "Got [removed]"


@pytest.mark.parametrize("count", [7, 8])
def test_secrets_of_eight_characters_and_more_are_known_by_themselves(count):
    secret = "wxyzwxyz"[:count]
    assert (secret in remove_secret(f"for {secret} only", secret)) == (count < 8)


@pytest.mark.parametrize("padding", range(480, 520))
def test_secret_is_gone_wherever_the_text_is_cut(padding):
    shown = scrub("w " * (padding // 2) + "lettersonly" * (padding % 2) + SECRET * 3, SECRET)
    assert "q/7" not in shown


@pytest.mark.parametrize("size", [65_530, 65_536, 200_000])
def test_half_a_secret_at_the_end_of_what_is_read_is_not_shown(size):
    """The text before it shrinks, so that its end is shown."""
    text = (SECRET * size)[:size] + " " + SECRET
    assert "q/7" not in scrub(text, SECRET)


@pytest.mark.parametrize(
    "text",
    [
        "authorization: Bearer abc",
        "Authorization = 'Bearer abc'",
        '{"authorization": "Bearer abc"}',
        "authorization: Basic abc",
        "bearer 'abc'",
        "key ab12****7890",
    ],
)
def test_secrets_that_are_not_ours_go_whole_too(text):
    shown = scrub(text)
    assert not [piece for piece in ("abc", "ab12", "7890", "Bearer") if piece in shown]


def test_failure_forgets_the_secret_in_every_text():
    failure = UpstreamFailure(
        FailureKind.CALLER,
        f"no {SECRET}",
        code="Secret12",
        param="a.Secret12",
        about_us=SECRET,
        is_quoted=True,
    )
    failure.hide(SECRET)
    assert (failure.message, failure.about_us, str(failure)) == ("no [removed]", "[removed]", "no [removed]")
    assert (failure.code, failure.param) == ("Secret12", "a.Secret12")
    failure.hide("Secret12")
    assert (failure.code, failure.param) == ("invalid_request", None)
