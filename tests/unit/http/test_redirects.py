"""Redirects: which request comes next, what it must leave behind, and which Locations are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._http.redirects import CONTENT_FIELDS, SECRETS, decide, resolve
from deuterium.errors import RemoteProtocolError, StreamConsumed, UnsupportedProtocol

HERE = "https://a.example/x/y?q=1"


@pytest.mark.rfc("9110", "15.4")
@pytest.mark.parametrize(
    ("status", "method", "next_method", "keeps_content"),
    [
        (301, "GET", "GET", True),
        (301, "HEAD", "HEAD", True),
        (301, "POST", "GET", False),
        (301, "PUT", "PUT", True),
        (302, "GET", "GET", True),
        (302, "POST", "GET", False),
        (302, "PATCH", "PATCH", True),
        (303, "GET", "GET", False),
        (303, "HEAD", "HEAD", False),
        (303, "POST", "GET", False),
        (303, "PUT", "GET", False),
        (303, "DELETE", "GET", False),
        (307, "GET", "GET", True),
        (307, "POST", "POST", True),
        (308, "POST", "POST", True),
        (308, "DELETE", "DELETE", True),
    ],
)
def test_method_and_content_follow_the_status(status: int, method: str, next_method: str, keeps_content: bool) -> None:
    redirect = decide(method, HERE, status, ["/z"])
    assert redirect is not None
    assert (redirect.method, redirect.keeps_content) == (next_method, keeps_content)
    assert redirect.drop == (frozenset() if keeps_content else CONTENT_FIELDS)
    assert redirect.url == "https://a.example/z"


@pytest.mark.parametrize("status", [200, 201, 300, 304, 305, 306, 309, 400, 503])
def test_other_status_is_no_redirect(status: int) -> None:
    assert decide("GET", HERE, status, ["/z"]) is None


def test_redirect_without_location_is_none() -> None:
    assert decide("GET", HERE, 302, []) is None


def test_location_repeated_is_followed_and_two_that_differ_are_refused() -> None:
    redirect = decide("GET", HERE, 302, ["/z", "/z"])
    assert redirect is not None
    with pytest.raises(RemoteProtocolError, match="differ"):
        decide("GET", HERE, 302, ["/z", "/w"])


@pytest.mark.parametrize(
    ("url", "location", "crosses"),
    [
        ("https://a.example/", "/z", False),
        ("https://a.example/", "https://a.example/z", False),
        ("https://a.example/", "https://A.EXAMPLE:443/z", False),
        ("https://a.example:443/", "https://a.example/z", False),
        ("https://a.example/", "//a.example/z", False),
        ("https://u:p@a.example/", "/z", False),
        ("http://[::1]:8080/", "http://[::1]:8080/z", False),
        ("https://a.example/", "https://b.example/", True),
        ("https://a.example/", "https://sub.a.example/", True),
        ("https://sub.a.example/", "https://a.example/", True),
        ("https://a.example/", "https://a.example:8443/", True),
        ("https://a.example/", "http://a.example/", True),
        ("http://a.example/", "https://a.example/", True),
        ("http://a.example:443/", "https://a.example:443/", True),
        ("https://a.example/", "https://a.example./", True),
        ("https://a.example/", "//b.example", True),
        ("https://a.example/", "https://a.example@b.example/", True),
        ("https://a.example/", "https://a.example:x@b.example/", True),
    ],
)
def test_secrets_are_dropped_on_another_scheme_host_or_port(url: str, location: str, crosses: bool) -> None:
    redirect = decide("GET", url, 307, [location])
    assert redirect is not None
    assert redirect.crosses_origin is crosses
    assert (redirect.drop >= SECRETS | {"host"}) is crosses
    assert redirect.drop.isdisjoint(SECRETS) is not crosses


def test_secrets_do_not_come_back_on_the_way_back() -> None:
    fields = {"authorization": "x", "cookie": "a=b", "accept": "*/*"}
    url = HERE
    for location in ("https://b.example/", HERE):
        redirect = decide("GET", url, 302, [location])
        assert redirect is not None
        fields = {name: value for name, value in fields.items() if name not in redirect.drop}
        url = redirect.url
    assert fields == {"accept": "*/*"}


def test_downgrade_to_http_drops_the_referer_or_is_refused() -> None:
    redirect = decide("GET", HERE, 302, ["http://a.example/"])
    assert redirect is not None
    assert redirect.drop >= SECRETS | {"referer"}
    with pytest.raises(RemoteProtocolError, match="from https to http"):
        decide("GET", HERE, 302, ["http://a.example/"], allow_downgrade=False)
    upgrade = decide("GET", "http://a.example/", 302, [HERE], allow_downgrade=False)
    assert upgrade is not None
    assert "referer" not in upgrade.drop


@pytest.mark.parametrize(
    ("status", "method", "needed"), [(307, "POST", True), (303, "POST", False), (302, "PUT", True)]
)
def test_content_that_is_gone_is_an_error_only_where_it_is_needed(status: int, method: str, needed: bool) -> None:
    if needed:
        with pytest.raises(StreamConsumed, match=str(status)):
            decide(method, HERE, status, ["/z"], replayable=False)
    else:
        assert decide(method, HERE, status, ["/z"], replayable=False) is not None


@pytest.mark.rfc("9110", "10.2.2")
@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/z", "https://a.example/z"),
        ("z", "https://a.example/x/z"),
        ("../../../z", "https://a.example/z"),
        ("?r=2", "https://a.example/x/y?r=2"),
        ("", "https://a.example/x/y?q=1"),
        ("#top", "https://a.example/x/y?q=1#top"),
        ("//b.example/z", "https://b.example/z"),
        ("HTTP://B.Example:80", "http://b.example/"),
        ("https://b.example:8443?x", "https://b.example:8443/?x"),
        ("https://user:secret@b.example/", "https://b.example/"),
        ("  /z\t", "https://a.example/z"),
        ("/a b?c d", "https://a.example/a%20b?c%20d"),
        ("/%7e/%2F?%20", "https://a.example/%7e/%2F?%20"),
        ("/100%", "https://a.example/100%25"),
        ("/%zz", "https://a.example/%25zz"),
        ("/caf\xc3\xa9", "https://a.example/caf%C3%A9"),
        ("/caf\xe9", "https://a.example/caf%E9"),
        ("https://caf\xc3\xa9.example/", "https://caf\xe9.example/"),
        ('/a[1]|{2}"<>^`', "https://a.example/a[1]%7C%7B2%7D%22%3C%3E%5E%60"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
        ("/next?url=http://c.example/", "https://a.example/next?url=http://c.example/"),
        ("https://b.example:/", "https://b.example/"),
    ],
)
def test_location_is_resolved(location: str, url: str) -> None:
    assert resolve(HERE, location) == url


def test_fragment_is_inherited_unless_location_has_its_own() -> None:
    assert resolve("https://a.example/#here", "/z") == "https://a.example/z#here"
    assert resolve("https://a.example/#here", "https://b.example/#there") == "https://b.example/#there"


@pytest.mark.parametrize(
    "location",
    [
        "/a\r\nb",
        "/a\0",
        "/a\x7f",
        "/a\tb",
        "\\\\b.example",
        "/\\b.example",
        "https://b.example\\@a.example/",
        "https:b.example",
        "https:/b.example",
        "https:///b.example",
        "https://",
        "https://?x",
        "https://#x",
        "///b.example",
        "//",
        "//#",
        "https://:443/",
        "https://user@/",
        "https://b.example:99999/",
        "https://b.example:-1/",
        "https://b.example:x/",
        "https://[::1/",
        "https://[zz]/",
        "https://[::1]x/",
        "https://b example/",
        "https://%62.example/",
        "https://b.example%00/",
        "https://b<script>/",
        "https://b\xff.example/",
    ],
)
def test_malformed_location_is_the_fault_of_the_peer(location: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decide("GET", HERE, 302, [location])
    assert caught.value.initiator == "remote"


@pytest.mark.parametrize(
    "location", ["ftp://b.example/", "file:///etc/passwd", "javascript:alert(1)", "data:,x", "ws://b/"]
)
def test_other_scheme_is_refused(location: str) -> None:
    with pytest.raises(UnsupportedProtocol):
        decide("GET", HERE, 302, [location])


@given(st.text(st.characters(max_codepoint=255)))
def test_any_location_gives_an_ascii_target_or_a_named_error(location: str) -> None:
    try:
        url = resolve(HERE, location)
    except (RemoteProtocolError, UnsupportedProtocol):
        return
    scheme, _, rest = url.partition("://")
    assert scheme in ("http", "https")
    authority, slash, target = rest.partition("/")
    assert authority
    assert slash
    assert "@" not in authority
    assert target.isascii()
    assert target.isprintable()
    assert " " not in target
