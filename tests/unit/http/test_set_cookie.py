"""Set-Cookie lines and cookie dates, read as tolerantly as RFC 6265 asks and no more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._http.set_cookie import (
    MAX_AGE_S,
    MAX_ATTRIBUTE,
    MAX_PAIR,
    SetCookie,
    default_path,
    domain_matches,
    is_address,
    parse_date,
    parse_set_cookie,
    path_matches,
)

NOW = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT


@pytest.mark.rfc("6265", "5.2")
@pytest.mark.parametrize(
    ("line", "cookie"),
    [
        ("a=b", SetCookie("a", "b")),
        (" a = b ", SetCookie("a", "b")),
        ("a=b=c", SetCookie("a", "b=c")),
        ('a="b c"', SetCookie("a", '"b c"')),
        ("a=", SetCookie("a", "")),
        ("=b", SetCookie("", "b")),
        ("b", SetCookie("", "b")),
        ("", None),
        ("=", None),
        (" ; Path=/", None),
        ("a=b; ; ;", SetCookie("a", "b")),
        ("a=b;Secure;HTTPONLY", SetCookie("a", "b", secure=True, http_only=True)),
        ("a=b; secure=no; httponly=0", SetCookie("a", "b", secure=True, http_only=True)),
        ("a=b; Domain=.Example.ORG", SetCookie("a", "b", domain="example.org")),
        ("a=b; Domain=x; Domain=", SetCookie("a", "b")),
        ("a=b; Domain=x; Domain=y", SetCookie("a", "b", domain="y")),
        ("a=b; Path=/x; path = /y ", SetCookie("a", "b", path="/y")),
        ("a=b; Path=x", SetCookie("a", "b")),
        ("a=b; Path=/x; Path=", SetCookie("a", "b")),
        ("a=b; SameSite=Lax", SetCookie("a", "b", same_site="lax")),
        ("a=b; SameSite=whatever", SetCookie("a", "b")),
        ("a=b; Max-Age=60", SetCookie("a", "b", expires=NOW + 60)),
        ("a=b; Max-Age=0", SetCookie("a", "b", expires=float("-inf"))),
        ("a=b; Max-Age=-1", SetCookie("a", "b", expires=float("-inf"))),
        ("a=b; Max-Age=+1", SetCookie("a", "b")),
        ("a=b; Max-Age=1.5", SetCookie("a", "b")),
        ("a=b; Max-Age=", SetCookie("a", "b")),
        ("a=b; Max-Age=" + "9" * 1000, SetCookie("a", "b", expires=NOW + MAX_AGE_S)),
        (f"a=b; Max-Age={MAX_AGE_S}", SetCookie("a", "b", expires=NOW + MAX_AGE_S)),
        (f"a=b; Max-Age={MAX_AGE_S + 1}", SetCookie("a", "b", expires=NOW + MAX_AGE_S)),
        ("a=b; Expires=Sun, 06 Nov 1994 08:49:38 GMT", SetCookie("a", "b", expires=NOW + 1)),
        ("a=b; Expires=Fri, 31 Dec 9999 23:59:59 GMT", SetCookie("a", "b", expires=NOW + MAX_AGE_S)),
        ("a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT", SetCookie("a", "b", expires=0.0)),
        ("a=b; Expires=never", SetCookie("a", "b")),
        ("a=b; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:00 GMT", SetCookie("a", "b", expires=NOW + 9)),
        ("a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=9", SetCookie("a", "b", expires=NOW + 9)),
        ("a=b; unknown=1; Partitioned", SetCookie("a", "b")),
        ("a=b\tc", SetCookie("a", "b\tc")),
        ("a=b\0", None),
        ("a=b\nSet-Cookie: c=d", None),
        ("a=b; Path=/\x7f", None),
    ],
)
def test_line_is_read_as_the_standard_says(line: str, cookie: SetCookie | None) -> None:
    assert parse_set_cookie(line, NOW) == cookie


def test_name_and_value_at_the_limit_are_taken_and_longer_ones_are_not() -> None:
    assert parse_set_cookie("a=" + "b" * (MAX_PAIR - 1), NOW) is not None
    assert parse_set_cookie("a=" + "b" * MAX_PAIR, NOW) is None


def test_attribute_at_the_limit_counts_and_a_longer_one_does_not() -> None:
    for length, counts in ((MAX_ATTRIBUTE, True), (MAX_ATTRIBUTE + 1, False)):
        cookie = parse_set_cookie("a=b; Path=/" + "x" * (length - 1), NOW)
        assert cookie is not None
        assert bool(cookie.path) is counts


@pytest.mark.rfc("6265", "5.1.1")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", NOW),
        ("Sunday, 06-Nov-94 08:49:37 GMT", NOW),
        ("Sun Nov  6 08:49:37 1994", NOW),
        ("1994 NOVember 6th 8:49:37", NOW),
        ("08:49:37foo 6 nov 94", NOW),
        ("01 Jan 70 00:00:00", 0.0),
        ("01 Jan 69 00:00:00", 3124224000.0),
        ("29 Feb 2000 00:00:00", 951782400.0),
        ("29 Feb 2001 00:00:00", None),
        ("31 Apr 2001 00:00:00", None),
        ("0 Jan 2001 00:00:00", None),
        ("1 Jan 1600 00:00:00", None),
        ("1 Jan 1601 00:00:00", -11644473600.0),
        ("1 Jan 2001 24:00:00", None),
        ("1 Jan 2001 23:60:00", None),
        ("1 Jan 2001 23:59:60", None),
        ("1 Jan 2001", None),
        ("1 Jan 00:00:00", None),
        ("Jan 2001 00:00:00", None),
        ("1 2001 00:00:00", None),
        ("1 Jan 20011 00:00:00", None),
        ("001 Jan 2001 00:00:00", None),
        ("1 Jan 2001 000:00:00", None),
        ("", None),
        ("\u0661 Jan 2001 00:00:00", None),
    ],
)
def test_date_is_read_as_the_standard_says(text: str, seconds: float | None) -> None:
    assert parse_date(text) == seconds


@given(st.text())
def test_any_text_is_a_cookie_or_none(text: str) -> None:
    parse_set_cookie(text, NOW)
    parse_set_cookie(f"a=b; expires={text}; max-age={text}", NOW)


@pytest.mark.rfc("6265", "5.1.4")
@pytest.mark.parametrize(
    ("path", "default"),
    [("/", "/"), ("/a", "/"), ("/a/", "/a"), ("/a/b", "/a"), ("/a/b?c/d", "/a"), ("", "/"), ("*", "/"), ("?a/b", "/")],
)
def test_default_path_is_that_of_the_folder(path: str, default: str) -> None:
    assert default_path(path) == default


@pytest.mark.parametrize(
    ("path", "cookie_path", "matches"),
    [
        ("/", "/", True),
        ("/a", "/a", True),
        ("/a/b", "/a", True),
        ("/a/b", "/a/", True),
        ("/a?b", "/a", True),
        ("/ab", "/a", False),
        ("/a", "/a/", False),
        ("/A", "/a", False),
        ("/", "/a", False),
        ("/x?/a", "/a", False),
    ],
)
def test_path_matches_whole_segments(path: str, cookie_path: str, matches: bool) -> None:
    assert path_matches(path, cookie_path) is matches


@pytest.mark.parametrize(
    ("host", "domain", "matches"),
    [
        ("example.org", "example.org", True),
        ("www.example.org", "example.org", True),
        ("a.b.example.org", "example.org", True),
        ("badexample.org", "example.org", False),
        ("example.org", "www.example.org", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "0.0.1", False),
        ("::1", "::1", True),
        ("example.org", "", False),
    ],
)
def test_domain_matches_whole_labels_and_no_part_of_an_address(host: str, domain: str, matches: bool) -> None:
    assert domain_matches(host, domain) is matches


def test_address_is_told_from_a_name() -> None:
    assert is_address("::1")
    assert is_address("10.0.0.1")
    assert not is_address("1.example")
