"""Cookies: a mapping for the user, a store for the client, and no way to set what another site reads."""

from __future__ import annotations

import pickle
import threading
from http.cookiejar import Cookie as JarCookie
from http.cookiejar import CookieJar
from typing import Any

import pytest

from deuterium.cookies import IN_ALL, MAX_HEADER, PER_DOMAIN, Cookie, Cookies, is_public_suffix
from deuterium.errors import CookieConflict, LocalProtocolError

NOW = 1_000_000.0


def stored(*lines: str, host: str = "www.example.org", path: str = "/x/y", secure: bool = True) -> Cookies:
    cookies = Cookies()
    cookies.extract(lines, host, path, secure=secure, now=NOW)
    return cookies


def sent(cookies: Cookies, url: str, now: float = NOW, anywhere: bool = True) -> str:
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    return cookies.header_for(host, "/" + path, secure=scheme == "https", now=now, anywhere=anywhere)


@pytest.mark.rfc("6265", "5.4")
@pytest.mark.parametrize(
    ("line", "goes_to", "stays_from"),
    [
        (
            "a=1",
            ["https://www.example.org/x", "http://www.example.org/x/z"],
            ["https://www.example.org/", "https://example.org/x", "https://a.www.example.org/x"],
        ),
        (
            "a=1; Domain=example.org; Path=/",
            ["https://example.org/", "https://www.example.org/", "http://a.b.example.org/"],
            ["https://badexample.org/", "https://org/", "https://example.com/"],
        ),
        (
            "a=1; Domain=.WWW.example.org; Path=/",
            ["https://www.example.org/", "https://a.www.example.org/"],
            ["https://example.org/"],
        ),
        ("a=1; Path=/x; Secure", ["https://www.example.org/x"], ["http://www.example.org/x"]),
        ("a=1; Path=/y/z", ["https://www.example.org/y/z/"], ["https://www.example.org/y/zz"]),
    ],
)
def test_cookie_goes_where_domain_path_and_secure_allow(line: str, goes_to: list[str], stays_from: list[str]) -> None:
    cookies = stored(line)
    assert [url for url in goes_to if sent(cookies, url) != "a=1"] == []
    assert [url for url in stays_from if sent(cookies, url)] == []


@pytest.mark.rfc("6265", "5.3")
@pytest.mark.parametrize(
    "line",
    [
        "a=1; Domain=other.org",
        "a=1; Domain=a.www.example.org",
        "a=1; Domain=xample.org",
        "a=1; Domain=org",
        "a=1; Domain=www.example.org.",
        "a=1; Domain=b\xfccher.example",
        "a=1; Max-Age=0",
        "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "__Secure-a=1",
        "__secure-a=1; Path=/",
        "__Host-a=1; Secure",
        "__Host-a=1; Path=/",
        "__Host-a=1; Secure; Path=/x",
        "__Host-a=1; Secure; Path=/; Domain=www.example.org",
        "__HOST-a=1; Path=/",
        "=__Host-a=1; Secure; Path=/",
        "__Secure-a; Secure",
        "a=1\r\nb=2",
        "",
    ],
)
def test_line_that_breaks_a_rule_sets_nothing(line: str) -> None:
    cookies = stored(line)
    assert not cookies
    assert cookies.entries() == []


@pytest.mark.parametrize(
    "line", ["__Secure-a=1; Secure", "__Host-a=1; Secure; Path=/", "__Host-a=1; secure; path=/; domain="]
)
def test_prefix_that_keeps_its_promise_is_taken(line: str) -> None:
    assert stored(line).entries()[0].secure


def test_secure_cookie_is_not_taken_over_the_clear() -> None:
    assert not stored("a=1; Secure", secure=False)
    assert not stored("__Host-a=1; Secure; Path=/", secure=False)


@pytest.mark.parametrize(
    ("host", "line"),
    [
        ("www.example.org", "a=evil; Path=/x"),
        ("www.example.org", "a=evil; Path=/x/y; Domain=example.org"),
        ("b.www.example.org", "a=evil; Path=/x; Domain=www.example.org"),
        ("www.example.org", "a=evil; Path=/x; Max-Age=0"),
    ],
)
def test_secure_cookie_is_not_replaced_or_shadowed_over_the_clear(host: str, line: str) -> None:
    cookies = stored("a=good; Secure; Path=/x")
    cookies.extract([line], host, "/x", secure=False, now=NOW)
    assert sent(cookies, "https://www.example.org/x/y/z") == "a=good"
    cookies.extract(["a=evil; Path=/other", "b=fine; Path=/x"], "www.example.org", "/x", secure=False, now=NOW)
    assert sent(cookies, "https://www.example.org/x") == "a=good; b=fine"


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.example.co.uk", "co.uk"),
        ("me.github.io", "github.io"),
        ("www.example.com", "com"),
        ("a.localhost", "localhost"),
        ("a.xn--55qx5d.cn", "xn--55qx5d.cn"),
        ("a.www.ck", "ck"),
    ],
)
def test_cookie_for_a_public_suffix_is_refused(host: str, domain: str) -> None:
    assert not stored(f"a=1; Domain={domain}", host=host)
    assert is_public_suffix(domain)


@pytest.mark.parametrize("host", ["github.io", "localhost", "127.0.0.1", "::1"])
def test_host_that_names_itself_keeps_the_cookie_to_itself(host: str) -> None:
    (cookie,) = stored(f"a=1; Domain={host}", host=host).entries()
    assert (cookie.domain, cookie.host_only) == (host, True)


@pytest.mark.parametrize(
    ("host", "domain"), [("www.example.co.uk", "example.co.uk"), ("a.b.internal", "b.internal"), ("a.www.ck", "www.ck")]
)
def test_cookie_below_a_public_suffix_is_taken(host: str, domain: str) -> None:
    assert stored(f"a=1; Domain={domain}", host=host)


def test_longer_paths_come_first_then_older_cookies() -> None:
    cookies = stored("a=1; Path=/", "b=2; Path=/x/y", "c=3; Path=/x", "d=4; Path=/", "e=5; Path=/x")
    cookies.extract(["a=6; Path=/"], "www.example.org", "/", secure=True, now=NOW)
    assert sent(cookies, "https://www.example.org/x/y") == "b=2; c=3; e=5; a=6; d=4"


def test_cookie_is_gone_the_moment_it_expires() -> None:
    cookies = stored("a=1; Path=/; Max-Age=10", "b=2; Path=/")
    assert sent(cookies, "https://www.example.org/", NOW + 9.99) == "a=1; b=2"
    assert len(cookies) == 2
    assert sent(cookies, "https://www.example.org/", NOW + 10) == "b=2"
    assert len(cookies) == 1
    cookies = stored("a=1; Path=/; Max-Age=10", "b=2; Path=/")
    cookies.expire(NOW + 10)
    assert list(cookies) == ["b"]


def test_field_kept_ready_follows_every_change() -> None:
    url = "https://www.example.org/"
    cookies = stored("a=1; Path=/; Max-Age=10", "b=2; Path=/; Secure")
    for _ in range(2):
        assert sent(cookies, url) == "a=1; b=2"
        assert sent(cookies, "http://www.example.org/") == "a=1"
        assert sent(cookies, "https://example.org/") == ""
    cookies["c"] = "3"
    assert sent(cookies, url) == "a=1; b=2; c=3"
    assert sent(cookies, url, anywhere=False) == "a=1; b=2"
    cookies.extract(["b=4; Path=/; Secure", "d=5; Path=/x"], "www.example.org", "/", secure=True, now=NOW)
    assert sent(cookies, url) == "a=1; b=4; c=3"
    assert sent(cookies, url + "x") == "d=5; a=1; b=4; c=3"
    del cookies["d"]
    assert sent(cookies, url) == sent(cookies, url + "x") == "a=1; b=4; c=3"
    assert sent(cookies, url, NOW + 10) == "b=4; c=3"
    for i in range(1000):
        assert sent(cookies, f"https://h{i}.example/") == "c=3"
    cookies.clear()
    assert sent(cookies, url) == ""


def test_server_deletes_a_cookie_by_setting_it_in_the_past() -> None:
    cookies = stored("a=1; Path=/", "b=2; Path=/")
    cookies.extract(["a=; Path=/; Max-Age=0"], "www.example.org", "/", secure=True, now=NOW)
    assert cookies.entries() == stored("b=2; Path=/").entries()


def test_nameless_cookie_is_sent_as_its_value() -> None:
    assert sent(stored("value; Path=/"), "https://www.example.org/") == "value"


def test_domain_that_is_empty_counts_as_none() -> None:
    for line in ("a=1; Domain=", "a=1; Domain=."):
        (cookie,) = stored(line).entries()
        assert (cookie.domain, cookie.host_only) == ("www.example.org", True)


def test_domain_at_its_limit_keeps_all_and_beyond_it_the_latest_used() -> None:
    cookies = stored(*(f"a{i}=1; Path=/" for i in range(PER_DOMAIN[0])))
    assert len(cookies) == PER_DOMAIN[0]
    sent(cookies, "https://www.example.org/", NOW + 1)
    cookies.extract(["new=1; Path=/; Secure"], "www.example.org", "/", secure=True, now=NOW + 2)
    assert len(cookies) == PER_DOMAIN[1]
    assert "new" in cookies
    assert "a0" not in cookies


def test_store_at_its_limit_keeps_all_and_beyond_it_what_callers_set() -> None:
    cookies = Cookies({"mine": "1"})
    for i in range(IN_ALL[0] - 1):
        cookies.extract(["a=1"], f"h{i}.example", "/", secure=True, now=NOW + i)
    assert len(cookies.entries()) == IN_ALL[0]
    cookies.extract(["a=1"], "last.example", "/", secure=True, now=NOW + IN_ALL[0])
    assert len(cookies.entries()) == IN_ALL[1]
    assert cookies["mine"] == "1"
    assert sent(cookies, "https://last.example/", anywhere=False) == "a=1"
    assert sent(cookies, "https://h0.example/", anywhere=False) == ""


def test_field_never_grows_past_its_limit() -> None:
    cookies = stored(*(f"a{i}={'x' * 4000}; Path=/" for i in range(20)))
    assert MAX_HEADER - 4010 < len(sent(cookies, "https://www.example.org/")) <= MAX_HEADER


def test_cookie_without_domain_goes_anywhere_but_not_along_a_redirect() -> None:
    cookies = Cookies({"a": "1"})
    cookies.set("b", "2", domain="example.org")
    assert sent(cookies, "https://example.org/") == "a=1; b=2"
    assert sent(cookies, "http://other.org/") == "a=1"
    assert sent(cookies, "http://other.org/", anywhere=False) == ""


@pytest.mark.parametrize(
    "source",
    [{"a": "1"}, [("a", "1")], Cookies({"a": "1"}), [Cookie("a", "1")], (pair for pair in [("a", "1")])],
    ids=["dict", "pairs", "Cookies", "Cookie", "iterator"],
)
def test_cookies_from_each_source_are_the_same(source: Any) -> None:
    assert Cookies(source).entries() == [Cookie("a", "1")]


def jar_cookie(name: str, domain: str, **changes: Any) -> JarCookie:
    said: dict[str, Any] = {
        "version": 0,
        "value": "1",
        "port": None,
        "port_specified": False,
        "domain_specified": False,
        "domain_initial_dot": False,
        "path": "/",
        "path_specified": True,
        "secure": False,
        "expires": None,
        "discard": True,
        "comment": None,
        "comment_url": None,
        "rest": {},
    }
    return JarCookie(name=name, domain=domain, **{**said, **changes})


def test_cookies_of_the_standard_library_are_taken_over() -> None:
    jar = CookieJar()
    jar.set_cookie(jar_cookie("host", "www.example.org", secure=True, expires=int(NOW) + 60, rest={"HttpOnly": None}))
    jar.set_cookie(jar_cookie("domain", ".example.org", domain_specified=True, domain_initial_dot=True, path="/x"))
    jar.set_cookie(jar_cookie("local", "localhost.local", value=None))
    jar.set_cookie(jar_cookie("any", ""))
    cookies = Cookies(jar)
    assert sorted(cookies.entries(), key=lambda cookie: cookie.name) == [
        Cookie("any", "1"),
        Cookie("domain", "1", "example.org", "/x"),
        Cookie("host", "1", "www.example.org", host_only=True, secure=True, http_only=True, expires=NOW + 60),
        Cookie("local", "", "localhost", host_only=True),
    ]


def test_mapping_gives_sets_and_removes_by_name() -> None:
    cookies = Cookies()
    assert not cookies
    cookies["a"] = "1"
    cookies.set("b", "2", domain="Example.org", path="/x")
    assert cookies
    assert dict(cookies) == {"a": "1", "b": "2"}
    assert cookies.get("b", domain="example.org", path="/x") == cookies.get("b", domain=".EXAMPLE.org") == "2"
    assert cookies.get("b", domain="other.org") is None
    assert cookies.get("c", "fallback") == "fallback"
    with pytest.raises(KeyError):
        cookies["c"]
    with pytest.raises(KeyError):
        cookies.delete("b", path="/y")
    cookies.delete("b", path="/x")
    del cookies["a"]
    assert not cookies
    assert cookies.header_for("example.org", "/", secure=True, now=NOW) == ""


def test_name_that_several_cookies_have_is_a_conflict() -> None:
    cookies = Cookies()
    cookies.set("a", "1", domain="one.org")
    cookies.set("a", "2", domain="two.org")
    with pytest.raises(CookieConflict, match=r"one\.org/, two\.org/"):
        cookies.get("a")
    with pytest.raises(CookieConflict):
        cookies["a"]
    assert cookies.get("a", domain="two.org") == "2"
    assert (list(cookies), len(cookies)) == (["a"], 1)
    cookies.clear(domain="one.org")
    assert cookies["a"] == "2"
    cookies.clear()
    assert not cookies


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a;b", "1"),
        ("a=b", "1"),
        ("a\r\n", "1"),
        ("a", "1; b=2"),
        ("a", "1\r\nx: y"),
        ("a", "\0"),
        ("", ""),
        ("a", "\u0100"),
    ],
)
def test_cookie_that_cannot_be_sent_is_refused_and_not_stored(name: str, value: str) -> None:
    cookies = Cookies()
    with pytest.raises(LocalProtocolError):
        cookies.set(name, value)
    with pytest.raises(LocalProtocolError):
        Cookies({name: value})
    assert not cookies


def test_value_of_another_type_is_a_type_error() -> None:
    source: Any = {"a": 1}
    with pytest.raises(TypeError):
        Cookies(source)


def test_repr_shows_no_value() -> None:
    cookies = stored("id=s3cret", "b=2; Domain=example.org; Path=/")
    assert repr(cookies) == "<Cookies ['id for www.example.org/x', 'b for example.org/']>"


def test_copy_and_pickle_keep_everything_and_share_nothing() -> None:
    cookies = stored("a b=1\tx; Secure", "c=2; Max-Age=60; Domain=example.org", "value only")
    for again in (cookies.copy(), pickle.loads(pickle.dumps(cookies))):
        assert again.entries() == cookies.entries()
        again.clear()
        assert len(cookies) == 3


def test_store_is_safe_in_many_threads() -> None:
    cookies = Cookies()
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for i in range(300):
                cookies.extract([f"a{i % 7}={number}; Max-Age={i % 3}"], "h.example", "/", secure=True, now=NOW)
                cookies.header_for("h.example", "/", secure=True, now=NOW + 1)
                cookies.entries()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    cookies.expire(NOW + 10)
    assert not cookies
