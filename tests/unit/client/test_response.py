"""What a response says of itself, by the names that httpx has."""

from __future__ import annotations

from typing import Any

import pytest

import deuterium
from deuterium import AsyncClient, Client
from deuterium.testing import MockTransport, Response

pytestmark = pytest.mark.every_loop

BASE = "https://www.example.org"


def client_of(*responses: Response) -> Client:
    """A client that receives these, one for each request."""
    left = iter(responses)
    return Client(transport=MockTransport(lambda _: next(left)), base_url=BASE)


def received(response: Response) -> deuterium.Response:
    """``response``, as a client received it whole."""
    with client_of(response) as client:
        return client.get("/shop/cart?next=/a/b")


def test_whole_response_is_consumed_and_closed() -> None:
    for response in (received(Response(200, text="water")), received(Response(204)), Response(200, text="water")):
        assert (response.is_stream_consumed, response.is_closed) == (True, True)


def test_streamed_response_is_consumed_once_read_from_and_closed_at_its_end() -> None:
    with client_of(Response(200, content=(b"heavy", b"water"))) as client, client.stream("GET", "/") as response:
        assert (response.is_stream_consumed, response.is_closed) == (False, False)
        pieces = response.iter_raw()
        next(pieces)
        assert (response.is_stream_consumed, response.is_closed) == (True, False)
        for _ in pieces:
            pass
        assert (response.is_stream_consumed, response.is_closed) == (True, True)


def test_streamed_response_given_up_is_closed_and_not_consumed() -> None:
    with client_of(Response(200, content=(b"heavy",)), Response(200, content=(b"water",))) as client:
        with client.stream("GET", "/") as response:
            pass
        assert (response.is_stream_consumed, response.is_closed) == (False, True)
        with client.stream("GET", "/") as response:
            assert response.read() == b"water"
            assert (response.is_stream_consumed, response.is_closed) == (True, True)


def test_async_streamed_response_says_the_same(arun: Any) -> None:
    async def check() -> None:
        transport = MockTransport(lambda _: Response(200, content=(b"heavy", b"water")))
        async with AsyncClient(transport=transport) as client, client.stream("GET", BASE) as response:
            assert (response.is_stream_consumed, response.is_closed) == (False, False)
            await response.aread()
            assert (response.is_stream_consumed, response.is_closed) == (True, True)

    arun(check())


def test_response_of_a_test_with_pieces_is_closed_at_their_end() -> None:
    response = Response(200, content=(b"heavy", b"water"))
    assert (response.is_stream_consumed, response.is_closed) == (False, False)
    assert b"".join(response.iter_bytes()) == b"heavywater"
    assert (response.is_stream_consumed, response.is_closed) == (True, True)


@pytest.mark.parametrize(
    ("status", "redirects"),
    [(300, False), (301, True), (302, True), (303, True), (304, False), (307, True), (308, True), (200, False)],
)
def test_redirect_location_counts_for_five_statuses(status: int, redirects: bool) -> None:
    assert Response(status, headers={"location": "/new"}).has_redirect_location is redirects
    assert not Response(status).has_redirect_location


def test_links_are_found_by_rel_or_url() -> None:
    fields = [("link", '</p/2>; rel="next", </p/9>; rel=last; title="the end"'), ("Link", "</terms>")]
    assert Response(200, headers=fields).links == {
        "next": {"url": "/p/2", "rel": "next"},
        "last": {"url": "/p/9", "rel": "last", "title": "the end"},
        "/terms": {"url": "/terms"},
    }
    assert Response(200).links == {}


def test_cookies_are_those_this_response_set() -> None:
    fields = [
        ("set-cookie", "id=7; Path=/; HttpOnly"),
        ("set-cookie", "cart=3"),
        ("set-cookie", "gone=; Max-Age=0"),
        ("set-cookie", "foreign=1; Domain=example.com"),
    ]
    with client_of(Response(200, headers=fields), Response(200, headers={"set-cookie": "other=1"})) as client:
        first, second = client.get("/shop/cart?next=/a/b"), client.get("/")
        assert dict(first.cookies) == {"id": "7", "cart": "3"}
        assert first.cookies.get("cart", domain="www.example.org", path="/shop") == "3"
        assert dict(second.cookies) == {"other": "1"}
        assert sorted(client.cookies) == ["cart", "id", "other"]
    assert dict(received(Response(200)).cookies) == {}
    assert dict(Response(200, headers=fields).cookies) == {"id": "7", "cart": "3"}


def test_encoding_that_was_set_is_the_one_of_text() -> None:
    response = received(Response(200, content="Wässer".encode("latin-1"), headers={"content-type": "text/plain"}))
    assert response.encoding == "utf-8"
    response.encoding = "latin-1"
    assert (response.encoding, response.text) == ("latin-1", "Wässer")
    response.encoding = "utf-8"
    assert response.text == "W\N{REPLACEMENT CHARACTER}sser"


def test_encoding_that_was_set_wins_over_content_type_and_for_lines() -> None:
    body = "schwer\nWässer".encode("latin-1")
    told = {"content-type": "text/plain; charset=utf-8"}
    with client_of(Response(200, content=(body,), headers=told)) as client, client.stream("GET", "/") as response:
        response.encoding = "iso-8859-1"
        assert list(response.iter_lines()) == ["schwer", "Wässer"]


@pytest.mark.parametrize("name", ["", "no-such-charset", "zlib", "utf-7", "utf-8\0"])
def test_encoding_that_is_no_charset_is_refused(name: str) -> None:
    response = received(Response(200, text="water"))
    with pytest.raises(LookupError):
        response.encoding = name
    assert response.text == "water"


def test_json_goes_on_after_the_encoding_was_set() -> None:
    for response in (received(Response(200, json={"mass": 2.014})), Response(200, json={"mass": 2.014})):
        response.encoding = "latin-1"
        assert response.json() == {"mass": 2.014}
