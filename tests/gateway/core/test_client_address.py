import pytest

from gateway.core.client_address import (
    TrustedProxies,
    _read_short,
    client_of_meta,
    client_of_scope,
    counted_as,
    read_trusted_proxies,
)

OURS = read_trusted_proxies(["10.0.0.0/8", "2001:db8:1::/48", "127.0.0.1"])


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, 10.2.2.2", "203.0.113.7"),
        ("10.0.0.1", "10.9.9.9, 10.2.2.2", "10.9.9.9"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, nonsense, 10.2.2.2", "10.2.2.2"),
        ("10.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        ("2001:db8:1::5", "[2001:db8:9::1]:443", "2001:db8:9::1"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", " , ,", "10.0.0.1"),
        ("", "203.0.113.7", ""),
        ("testclient", "203.0.113.7", "testclient"),
    ],
)
def test_the_client_is_the_last_address_that_only_trusted_proxies_vouch_for(
    peer: str, forwarded_for: str, client: str
) -> None:
    assert OURS.client_of(peer, forwarded_for) == client


def test_nobody_is_trusted_where_nobody_is_named() -> None:
    assert TrustedProxies().client_of("127.0.0.1", "203.0.113.7") == "127.0.0.1"
    assert not TrustedProxies().trusts("127.0.0.1")


def test_edge_and_django_read_the_same_client() -> None:
    lines = [(b"x-forwarded-for", b"198.51.100.1"), (b"x-forwarded-for", b"203.0.113.7")]
    meta = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.1,203.0.113.7"}

    assert client_of_scope({"client": ("10.0.0.1", 5), "headers": lines}, OURS) == "203.0.113.7"
    assert client_of_meta(meta, OURS) == "203.0.113.7"
    assert client_of_scope({"client": None, "headers": lines}, OURS) == ""


def test_an_ipv6_client_is_counted_by_the_network_that_is_its_own() -> None:
    assert counted_as("2001:db8:5:6:7::8") == "2001:db8:5:6::/64"
    assert counted_as("203.0.113.7") == "203.0.113.7"


def test_nothing_long_is_kept_of_what_strangers_send() -> None:
    before = _read_short.cache_info().currsize
    assert OURS.client_of("10.0.0.1", "1" * 60_000) == "10.0.0.1"
    assert _read_short.cache_info().currsize <= before + 1


def test_what_is_no_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"'10\.0\.0\.1/8' is neither"):
        read_trusted_proxies(["10.0.0.1/8"])
