"""What proxies say, and how far they are believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anysgi.middleware._forwarded import Networks, Seen, forwarded, outermost, split_node, x_forwarded


@pytest.mark.parametrize(
    ("node", "split"),
    [
        ("192.0.2.1", ("192.0.2.1", 0)),
        (" 192.0.2.1:8080 ", ("192.0.2.1", 8080)),
        ("[2001:db8::1]", ("2001:db8::1", 0)),
        ("[2001:db8::1]:4711", ("2001:db8::1", 4711)),
        ("2001:db8::1", ("2001:db8::1", 0)),
        ("_hidden", ("_hidden", 0)),
        ("_hidden:_port", ("_hidden", 0)),
        ("unknown", ("", 0)),
        ("", ("", 0)),
        ("192.0.2.1:99999", ("192.0.2.1", 0)),
        ("a b", ("", 0)),
        ("<script>", ("", 0)),
        ("1.2.3.4\r\nx: y", ("", 0)),
    ],
)
def test_a_node_is_an_address_and_maybe_a_port(node: str, split: tuple[str, int]) -> None:
    assert split_node(node) == split


@pytest.mark.parametrize(
    ("value", "chain"),
    [
        ("for=192.0.2.60;proto=https;by=203.0.113.43", [Seen("192.0.2.60", 0, "https")]),
        ('For="[2001:db8:cafe::17]:4711"', [Seen("2001:db8:cafe::17", 4711)]),
        ("for=192.0.2.43, for=198.51.100.17", [Seen("198.51.100.17"), Seen("192.0.2.43")]),
        ('for=a;host="example.com:80";PROTO=HTTPS', [Seen("a", 0, "https", "example.com:80")]),
        ('for="_x,y";proto=http, for=b', [Seen("b"), Seen("", 0, "http")]),  # the comma is quoted, and no address
        (r'for="a\",b", for=c', [Seen("c"), Seen("")]),
        ("", []),
        (None, []),
        (" , ,", []),
        ("for", [Seen("")]),
        ('for="unterminated', [Seen("")]),
    ],
)
def test_forwarded_is_read_with_its_quotes(value: str | None, chain: list[Seen]) -> None:
    assert forwarded({"forwarded": value}.get) == chain


@pytest.mark.parametrize(
    ("headers", "chain"),
    [
        ({"for": "192.0.2.1"}, [Seen("192.0.2.1")]),
        ({"for": "192.0.2.1, 10.0.0.1", "proto": "HTTPS"}, [Seen("10.0.0.1", 0, "https"), Seen("192.0.2.1")]),
        ({"proto": "evil, https", "for": "a"}, [Seen("a", 0, "https")]),
        ({"host": "example.com", "port": "8443"}, [Seen("", 0, "", "example.com:8443")]),
        ({"host": "example.com:1", "port": "8443"}, [Seen("", 0, "", "example.com:1")]),
        ({"host": "[::1]", "port": "8443"}, [Seen("", 0, "", "[::1]:8443")]),
        ({"prefix": "/shop"}, [Seen(prefix="/shop")]),
        ({}, [Seen()]),
    ],
)
def test_of_the_x_forwarded_family_only_the_addresses_are_a_chain(headers: dict[str, str], chain: list[Seen]) -> None:
    assert x_forwarded(lambda name: headers.get(name.removeprefix("x-forwarded-"))) == chain


@pytest.mark.parametrize(
    ("chain", "peer", "view"),
    [
        ([Seen("192.0.2.1", 0, "https", "a.com")], "10.0.0.1", Seen("192.0.2.1", 0, "https", "a.com")),
        ([Seen("192.0.2.1")], "203.0.113.9", Seen()),  # a stranger is not believed
        ([Seen("10.0.0.2", 0, "http"), Seen("192.0.2.1", 5, "https")], "10.0.0.1", Seen("192.0.2.1", 5, "https")),
        ([Seen("10.0.0.2", 0, "https", "a"), Seen("192.0.2.1")], "10.0.0.1", Seen("192.0.2.1", 0, "https", "a")),
        ([Seen("192.0.2.1"), Seen("127.0.0.1", 0, "https")], "10.0.0.1", Seen("192.0.2.1")),  # the forger's own words
        ([Seen("", 0, "https"), Seen("192.0.2.1")], "10.0.0.1", Seen("", 0, "https")),  # a chain with a gap ends there
        ([Seen("_secret"), Seen("192.0.2.1")], "10.0.0.1", Seen("_secret")),
        ([], "10.0.0.1", Seen()),
    ],
)
def test_a_chain_is_followed_as_far_as_its_writers_are_trusted(chain: list[Seen], peer: str, view: Seen) -> None:
    assert outermost(chain, peer, Networks(["10.0.0.0/8"])) == view


@pytest.mark.parametrize(
    ("trusted", "address", "inside"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "::ffff:127.0.0.1", True),  # a dual-stack socket's spelling
        ("2001:db8::/32", "2001:db8::1", True),
        ("10.0.0.0/8", "2001:db8::1", False),
        ("*", "anything", True),
        ("unix", "", True),
        ("10.0.0.0/8", "", False),
        ("10.0.0.0/8", "_hidden", False),
    ],
)
def test_networks_hold_addresses(trusted: str, address: str, inside: bool) -> None:
    assert (address in Networks(trusted)) is inside
    assert (address in Networks([trusted, "192.0.2.77"])) is inside


def test_a_network_with_a_mistake_is_named() -> None:
    with pytest.raises(ValueError, match=r"'10\.0\.0\.300'"):
        Networks("10.0.0.300")


def test_a_port_that_no_int_can_hold_is_none() -> None:
    endless = "192.0.2.1:" + "9" * 5_000
    assert x_forwarded({"x-forwarded-for": endless}.get) == [Seen("192.0.2.1")]
    assert forwarded({"forwarded": f'for="{endless[:999]}"'}.get) == [Seen("192.0.2.1")]


def test_an_element_without_end_says_nothing_and_hides_no_other() -> None:
    assert forwarded({"forwarded": f"for=192.0.2.1;{'a=1;' * 10_000}, for=192.0.2.2"}.get) == [
        Seen("192.0.2.2"),
        Seen(),
    ]


@given(st.text(max_size=40) | st.text(',;="\\\\[]:._-for a1', max_size=40))
def test_whatever_a_client_writes_nothing_but_an_address_comes_out(value: str) -> None:
    for chain in (forwarded({"forwarded": value}.get), x_forwarded({"x-forwarded-for": value}.get)):
        for seen in chain:
            assert seen.address.isascii()
            assert all(c.isalnum() or c in ".:_-%" for c in seen.address)
            assert 0 <= seen.port < 65_536
