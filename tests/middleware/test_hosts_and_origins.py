"""Hosts and origins: what is one, and which are named."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anysgi.middleware._hosts import Host, HostPatterns, parse_host
from anysgi.middleware._origins import is_anyone, origin_judge


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("example.com", Host("example.com", None)),
        ("EXAMPLE.com:8000", Host("example.com", 8000)),
        ("example.com.", Host("example.com", None)),
        ("[::1]:8000", Host("[::1]", 8000)),
        ("[2001:DB8:0::1]", Host("[2001:db8::1]", None)),
        ("my_container:80", Host("my_container", 80)),
        ("127.0.0.1", Host("127.0.0.1", None)),
        (None, None),
        ("", None),
        ("::1", None),
        ("[::1", None),
        ("[nonsense]", None),
        ("[:::::]", None),
        ("example.com:", None),
        ("example.com:http", None),
        ("example.com:99999", None),
        ("user@example.com", None),
        ("example.com/path", None),
        ("a..b", None),
        ("exa mple.com", None),
        ("example.com\r\nx: y", None),
        ("ex\u00e4mple.com", None),
        ("a" * 300, None),
    ],
)
def test_a_host_is_taken_apart_or_refused(value: str | None, host: Host | None) -> None:
    assert parse_host(value) == host


@given(st.text(max_size=60))
def test_what_is_a_host_is_spelled_the_same_the_second_time(value: str) -> None:
    host = parse_host(value)
    assert host is None or parse_host(str(host)) == host


@pytest.mark.parametrize(
    ("patterns", "value", "inside"),
    [
        (["example.com"], "example.com", True),
        (["Example.com."], "example.COM:8000", True),
        (["example.com:8000"], "example.com:8000", True),
        (["example.com:8000"], "example.com", False),
        (["example.com"], "www.example.com", False),
        (["*.example.com"], "www.example.com", True),
        (["*.example.com"], "a.b.example.com:1", True),
        (["*.example.com:8443"], "a.example.com:1", False),
        (["*.example.com"], "example.com", False),
        (["*.example.com"], "evilexample.com", False),
        (["[::1]"], "[0:0:0:0:0:0:0:1]:80", True),
        (["*"], "anything", True),
        ("example.com", "example.com", True),
        ([], "example.com", False),
    ],
)
def test_patterns_name_hosts(patterns: list[str] | str, value: str, inside: bool) -> None:
    host = parse_host(value)
    assert host is not None
    assert (host in HostPatterns(patterns)) is inside


@pytest.mark.parametrize("pattern", ["http://example.com", "example.com/", "", "*example.com", "::1"])
def test_a_pattern_that_could_match_no_host_is_an_error(pattern: str) -> None:
    with pytest.raises(ValueError, match="is no host; write"):
        HostPatterns([pattern])


@pytest.mark.parametrize(
    ("origins", "origin", "named"),
    [
        ("https://a.com", "https://a.com", True),
        ("https://A.com:443", "https://a.com", True),
        ("http://a.com:80", "http://a.com", True),
        ("https://a.com", "http://a.com", False),
        ("https://a.com", "https://a.com.evil.net", False),
        ("https://a.com", "null", False),
        ("null", "null", True),
        (["https://a.com", re.compile(r"https://[a-z]+\.b\.com")], "https://x.b.com", True),
        (["https://a.com", re.compile(r"https://[a-z]+\.b\.com")], "https://x.b.com.evil.net", False),
        (re.compile(r"https://a\d\.com"), "https://a7.com", True),
        (lambda origin: origin.endswith(".com"), "https://x.com", True),
        ("*", "https://anyone", True),
        (["https://a.com", "*"], "https://anyone", True),
        ([], "https://a.com", False),
        (lambda origin: True, "https://a.com\r\nSet-Cookie: a=1", False),
        (lambda origin: True, "https://a.com/path", False),
        (lambda origin: True, "null", True),
        (re.compile(r"https://[^.]+\.a\.com"), "https://x\r\nSet-Cookie: .a.com", False),
        ("http://[::1]:3000", "http://[::1]:3000", True),
        ("capacitor://localhost", "capacitor://localhost", True),
    ],
)
def test_origins_are_named(origins: object, origin: str, named: bool) -> None:
    assert origin_judge(origins)(origin) is named  # type: ignore[arg-type]  # a table of every kind there is


def test_everyone_can_be_told() -> None:
    assert is_anyone(origin_judge("*"))
    assert not is_anyone(origin_judge("https://a.com"))


@pytest.mark.parametrize("origin", ["https://a.com/", "a.com", "https://", "https://*.a.com", "https://a.com/path"])
def test_an_origin_no_browser_sends_is_an_error(origin: str) -> None:
    with pytest.raises(ValueError, match="is no origin; write"):
        origin_judge(origin)
