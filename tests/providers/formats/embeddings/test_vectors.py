"""Vectors there and back, bit by bit."""

import base64
import random
import struct

import pytest

from providers.formats.embeddings.vectors import encode, pack, read_vector, unpack
from providers.wire.embedding import Encoding
from providers.wire.failure import UpstreamFailure

EDGES = [0.0, -0.0, 1.0, 1.401298464324817e-45, 1.1754943508222875e-38, 3.4028234663852886e38, 0.1]


def test_base64_is_little_endian():
    assert base64.b64decode(pack([1.0, -2.0])) == bytes.fromhex("0000803f000000c0")


@pytest.mark.parametrize("seed", range(20))
def test_random_floats_of_32_bits_come_back_as_they_were(seed):
    chance = random.Random(seed)
    patterns = [chance.getrandbits(32) for _ in range(1024)]
    # All bits of the exponent set is no number but an infinity or a NaN.
    data = b"".join(struct.pack("<I", bits) for bits in patterns if bits & 0x7F800000 != 0x7F800000)
    text = base64.b64encode(data).decode()
    assert pack(unpack(text)) == text


def test_numbers_at_the_edges_come_back_as_they_were():
    text = pack(EDGES)
    assert pack(unpack(text)) == text
    assert unpack(text) == pytest.approx(EDGES, rel=1e-7)
    assert str(unpack(text)[1]) == "-0.0"


def test_what_is_encoded_as_wanted_is_not_touched():
    numbers, text = [0.1], pack([0.1])
    assert encode(numbers, Encoding.FLOAT) is numbers
    assert encode(text, Encoding.BASE64) is text


@pytest.mark.parametrize(
    "value",
    [None, [], {}, 7, "", "AAA", "AAAA", "A===", "~~~~", "é", [1, "2"], [None], [True], [[1.0]]],
)
def test_what_is_no_vector_is_a_bad_response(value):
    with pytest.raises(UpstreamFailure, match="wrong type"):
        read_vector(value)


@pytest.mark.parametrize("number", [1e39, -1e300, 10**400])
def test_number_beyond_32_bits_is_a_bad_response(number):
    with pytest.raises(UpstreamFailure, match="out of range"):
        pack([number])


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_number_that_json_cannot_carry_is_a_bad_response(number):
    with pytest.raises(UpstreamFailure, match="JSON"):
        unpack(pack([number]))
