"""Which proxy an origin is reached through: tables of rules."""

from __future__ import annotations

import pytest

from deuterium._pool.proxies import NoProxy, Proxies


@pytest.mark.parametrize(
    ("rules", "host", "port", "excepted"),
    [
        ("", "example.org", 80, False),
        ("*", "example.org", 80, True),
        ("*", "127.0.0.1", 80, True),
        ("example.org", "example.org", 80, True),
        ("example.org", "www.example.org", 443, True),
        ("example.org", "a.b.example.org", 443, True),
        ("example.org", "badexample.org", 80, False),
        ("example.org", "example.org.evil.example", 80, False),
        ("example.org", "example.org.", 80, True),
        ("EXAMPLE.org", "example.org", 80, True),
        (".example.org", "www.example.org", 80, True),
        (".example.org", "example.org", 80, True),
        ("*.example.org", "www.example.org", 80, True),
        ("example.org:8080", "example.org", 8080, True),
        ("example.org:8080", "www.example.org", 8080, True),
        ("example.org:8080", "example.org", 8081, False),
        ("a.example, b.example", "b.example", 80, True),
        ("a.example b.example", "b.example", 80, True),
        ("a.example,,b.example,", "c.example", 80, False),
        ("localhost", "localhost", 80, True),
        ("localhost", "127.0.0.1", 80, False),
        ("127.0.0.1", "127.0.0.1", 80, True),
        ("127.0.0.1", "127.0.0.2", 80, False),
        ("127.0.0.1", "1.127.0.0.1.example", 80, False),
        ("127.0.0.1:80", "127.0.0.1", 80, True),
        ("127.0.0.1:80", "127.0.0.1", 81, False),
        ("10.0.0.0/8", "10.255.255.255", 80, True),
        ("10.0.0.0/8", "11.0.0.0", 80, False),
        ("10.1.2.3/8", "10.0.0.1", 80, True),
        ("::1", "::1", 80, True),
        ("[::1]:80", "::1", 80, True),
        ("[::1]:80", "::1", 81, False),
        ("fe80::/10", "fe80::1", 80, True),
        ("fe80::/10", "fec0::1", 80, False),
        ("10.0.0.0/8", "::1", 80, False),
        ("10.0.0.0/99", "10.0.0.1", 80, False),
        ("0.0.1", "10.0.0.1", 80, False),
    ],
)
def test_no_proxy_rules(rules: str, host: str, port: int, excepted: bool) -> None:
    assert NoProxy(rules).matches(host, port) is excepted


A, B, C = "http://a.example:1", "http://b.example:2", "http://c.example:3"


@pytest.mark.parametrize(
    ("environ", "scheme", "expected"),
    [
        ({}, "http", None),
        ({"HTTP_PROXY": A}, "http", A),
        ({"HTTP_PROXY": A}, "https", None),
        ({"HTTPS_PROXY": A}, "https", A),
        ({"ALL_PROXY": A}, "https", A),
        ({"ALL_PROXY": A, "HTTPS_PROXY": B}, "https", B),
        ({"http_proxy": A, "HTTP_PROXY": B}, "http", A),
        ({"http_proxy": "", "HTTP_PROXY": B}, "http", None),
        ({"HTTP_PROXY": A, "REQUEST_METHOD": "GET"}, "http", None),
        ({"http_proxy": A, "REQUEST_METHOD": "GET"}, "http", A),
        ({"HTTPS_PROXY": A, "REQUEST_METHOD": "GET"}, "https", A),
        ({"HTTP_PROXY": "a.example:1"}, "http", A),
        ({"HTTP_PROXY": A, "NO_PROXY": "example.org"}, "http", None),
        ({"HTTP_PROXY": A, "no_proxy": "", "NO_PROXY": "*"}, "http", A),
    ],
)
def test_proxies_of_the_environment(environ: dict[str, str], scheme: str, expected: str | None) -> None:
    chosen = Proxies(None, environ).choose(scheme, "www.example.org", 80)
    assert (None if chosen is None else str(chosen)) == expected


@pytest.mark.parametrize(
    ("patterns", "scheme", "host", "port", "expected"),
    [
        ({"all://": A}, "http", "x.example", 80, A),
        ({"http://": A, "https://": B}, "https", "x.example", 443, B),
        ({"http://": A}, "https", "x.example", 443, None),
        ({"all://": A, "https://": B}, "https", "x.example", 443, B),
        ({"all://": A, "all://x.example": None}, "https", "x.example", 443, None),
        ({"all://": A, "all://x.example": None}, "https", "www.x.example", 443, A),
        ({"all://": A, "all://*.x.example": B}, "https", "www.x.example", 443, B),
        ({"all://": A, "all://*.x.example": B}, "https", "x.example", 443, A),
        ({"all://x.example": A, "all://x.example:8443": B}, "https", "x.example", 8443, B),
        ({"all://x.example": A, "all://x.example:8443": B}, "https", "x.example", 443, A),
        ({"https://x.example": A, "all://x.example": B}, "https", "x.example", 443, A),
        ({"all://[::1]": A, "all://[::1]:1": B}, "http", "::1", 1, B),
        ({"all://*.x.example": A, "all://*.y.x.example": B}, "http", "z.y.x.example", 80, B),
    ],
)
def test_proxies_most_specific_pattern_counts(
    patterns: dict[str, str | None], scheme: str, host: str, port: int, expected: str | None
) -> None:
    chosen = Proxies(patterns, {"ALL_PROXY": C}).choose(scheme, host, port)
    assert (None if chosen is None else str(chosen)) == expected


def test_proxies_argument_leaves_the_environment_unread() -> None:
    chosen = Proxies(A, {"ALL_PROXY": B, "NO_PROXY": "*"}).choose("http", "x.example", 80)
    assert str(chosen) == A


@pytest.mark.parametrize("pattern", ["", "all", "x.example", "ftp://", "all:/x"])
def test_proxies_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="all://"):
        Proxies({pattern: A})


@pytest.mark.parametrize("environ", [{"ALL_PROXY": "ftp://a.example"}, {"HTTP_PROXY": "http://"}])
def test_proxies_environment_that_names_no_proxy_is_refused(environ: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"proxy"):
        Proxies(None, environ)
