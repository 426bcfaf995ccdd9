"""Bodies of requests as clients send them."""

import pytest

from providers.wire.body import Upload, parse_form


def form(*parts: bytes, end: bytes = b"--x--\r\n") -> bytes:
    return b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + end


def part(name: str, content: bytes, more: str = "") -> bytes:
    return f'Content-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + content


FILE = '; filename="a.wav"\r\nContent-Type: audio/wav'


@pytest.mark.parametrize(
    ("data", "parsed"),
    [
        (form(part("a", "é".encode())), {"a": "é"}),
        (form(part("a", b"")), {"a": ""}),
        (form(part("a", b"1"), part("a", b"2"), part("b", b"3")), {"a": ["1", "2"], "b": "3"}),
        (form(part("a", b"\r\n--\r\n\0", FILE)), {"a": Upload("a.wav", "audio/wav", b"\r\n--\r\n\0")}),
        (
            form(part("a", b"x", '; filename="a"')),
            {"a": Upload("a", "application/octet-stream", b"x")},
        ),
    ],
)
def test_a_forms_parts_are_texts_and_files(data: bytes, parsed: dict[str, object]) -> None:
    assert parse_form(data) == parsed


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"--x--\r\n",
        form(part("a", b"1"), end=b""),
        form(b"no name\r\n\r\n1"),
        form(part("a", b"\xff")),
        form(*[part("a", b"1")] * 200),
    ],
)
def test_what_is_no_form_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"boundary|name|parts|decode"):
        parse_form(data)


def test_a_form_has_at_most_two_hundred_parts() -> None:
    parsed = parse_form(form(*[part("a", b"1")] * 199))
    assert len(parsed["a"]) == 199
