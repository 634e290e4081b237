"""What a proxy URL says, and the two conversations that open a tunnel, octet by octet."""

from __future__ import annotations

from typing import Any

import pytest

from deuterium._memory.buffer_pool import BufferPool
from deuterium._net.proxy import Proxy, tunnel_authority
from deuterium._net.proxy_connect import HttpConnect
from deuterium._net.socks import SocksConnect
from deuterium.errors import ProxyError


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port"),
    [
        ("http://proxy.example:3128", "http", "proxy.example", 3128),
        ("proxy.example:3128", "http", "proxy.example", 3128),
        ("http://proxy.example", "http", "proxy.example", 80),
        ("https://proxy.example", "https", "proxy.example", 443),
        ("socks5://[::1]", "socks5", "::1", 1080),
        ("SOCKS5H://127.0.0.1:9050/", "socks5h", "127.0.0.1", 9050),
    ],
)
def test_proxy_url_is_taken_apart(url: str, scheme: str, host: str, port: int) -> None:
    proxy = Proxy(url)
    assert (proxy.scheme, proxy.host, proxy.port, proxy.fields) == (scheme, host, port, ())


def test_proxy_credentials_are_decoded_and_never_shown() -> None:
    proxy = Proxy("http://al%40ice:open%3Asesame@proxy.example")
    assert proxy.fields == (("proxy-authorization", "Basic YWxAaWNlOm9wZW46c2VzYW1l"),)
    assert "sesame" not in repr(proxy) + str(proxy) + proxy.key
    assert Proxy("http://proxy.example", auth=("al@ice", "open:sesame")).key == proxy.key


def test_proxy_key_differs_by_all_that_makes_connections_differ() -> None:
    proxies = [
        Proxy("http://proxy.example"),
        Proxy("https://proxy.example:80"),
        Proxy("http://proxy.example:81"),
        Proxy("http://a:b@proxy.example"),
        Proxy("http://a:c@proxy.example"),
        Proxy("http://proxy.example", headers=[("x-tenant", "1")]),
        Proxy("http://proxy.example", verify=False),
        Proxy("socks5://a:b@proxy.example:80"),
        Proxy("socks5://a:c@proxy.example:80"),
    ]
    assert len({proxy.key for proxy in proxies}) == len(proxies)


@pytest.mark.parametrize("url", ["ftp://proxy.example", "socks4://proxy.example", "http://", "", "socks5://a@"])
def test_proxy_url_that_names_no_proxy_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"proxy|host"):
        Proxy(url)


def test_proxy_socks_credentials_have_255_octets_at_most() -> None:
    assert Proxy("socks5://p", auth=("u" * 255, "p")).username
    for auth in (("u" * 256, "p"), ("u", "p" * 256), ("ü", "p")):
        with pytest.raises(ValueError, match="RFC 1929"):
            Proxy("socks5://p", auth=auth)


def test_tunnel_authority_always_has_a_port() -> None:
    assert tunnel_authority("example.org", 443) == "example.org:443"
    assert tunnel_authority("::1", 443) == "[::1]:443"


# -- CONNECT ---------------------------------------------------------------------------------------------------------

ANSWER = b"HTTP/1.1 200 Connection established\r\nX-A: b\r\n\r\n"


def connect() -> tuple[HttpConnect, BufferPool]:
    buffers = BufferPool()
    return HttpConnect(Proxy("http://a:b@proxy.example"), "origin.example", 443, buffers), buffers


@pytest.mark.parametrize("size", [1, 7, len(ANSWER), 1000])
def test_connect_answer_in_pieces_opens_the_tunnel_and_the_rest_is_the_tunnels(size: int) -> None:
    handshake, buffers = connect()
    assert handshake.start() == (
        b"CONNECT origin.example:443 HTTP/1.1\r\nHost: origin.example:443\r\nProxy-Authorization: Basic YTpi\r\n\r\n"
    )
    octets = ANSWER + b"tunnelled"
    sent = 0
    while not handshake.done:
        assert handshake.receive(octets[sent : sent + size]) == b""
        sent += size
    assert handshake.rest + octets[sent:] == b"tunnelled"
    assert buffers.stats().outstanding == 0


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 407 Who are you\r\nContent-Length: 100\r\n\r\n", 407),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", 502),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", 302),
        (b"garbage\r\n\r\n", None),
        (b"HTTP/1.1 101 Switching\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 100_000, None),
    ],
)
def test_connect_other_answers_are_proxy_errors(answer: bytes, status: int | None) -> None:
    handshake, buffers = connect()
    handshake.start()
    with pytest.raises(ProxyError) as failure:
        handshake.receive(answer)
    assert failure.value.status_code == status
    assert failure.value.request_processed is False
    assert buffers.stats().outstanding == 0


def test_connect_interim_answers_are_passed_over() -> None:
    handshake, _ = connect()
    handshake.start()
    handshake.receive(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    assert not handshake.done
    handshake.receive(ANSWER)
    assert handshake.done


# -- SOCKS -----------------------------------------------------------------------------------------------------------

TO_NAME = b"\x05\x01\x00\x03\x0eorigin.example\x01\xbb"
CONNECTED = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x38"


def talk(handshake: SocksConnect, octets: bytes, size: int) -> list[bytes]:
    sent = [handshake.start()]
    at = 0
    while not handshake.done:
        assert at < len(octets)
        reply = handshake.receive(octets[at : at + size])
        at += size
        if reply:
            sent.append(reply)
    handshake.rest += octets[at:]
    return sent


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    "bound", [CONNECTED, b"\x05\x00\x00\x03\x03abc\x00\x50", b"\x05\x00\x00\x04" + bytes(16) + b"\x00\x50"]
)
def test_socks_conversation_with_credentials_as_rfc_1928_and_1929_say(size: int, bound: bytes) -> None:
    handshake = SocksConnect(Proxy("socks5h://user:pass@proxy.example"), "origin.example", 443)
    octets = b"\x05\x02" + b"\x01\x00" + bound
    if size <= 3:
        assert talk(handshake, octets + b"hello", size) == [b"\x05\x02\x00\x02", b"\x01\x04user\x04pass", TO_NAME]
        assert handshake.rest == b"hello"
    else:
        handshake.start()
        handshake.receive(octets[:2])
        handshake.receive(octets[2:4])
        handshake.receive(bound + b"hello")
        assert (handshake.done, handshake.rest) == (True, b"hello")


def test_socks_conversation_without_credentials_offers_none() -> None:
    handshake = SocksConnect(Proxy("socks5://proxy.example"), "127.0.0.1", 80)
    assert talk(handshake, b"\x05\x00" + CONNECTED, 2) == [
        b"\x05\x01\x00",
        b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50",
    ]


@pytest.mark.parametrize("answer", [b"\x05\xff", b"\x04\x00", b"\x05\x02", b"\x05\x07"])
def test_socks_method_that_was_not_offered_is_a_proxy_error(answer: bytes) -> None:
    handshake = SocksConnect(Proxy("socks5://proxy.example"), "127.0.0.1", 80)
    handshake.start()
    with pytest.raises(ProxyError):
        handshake.receive(answer)


@pytest.mark.parametrize(
    "answer",
    [b"\x05\x05\x00\x01", b"\x05\x01", b"\x05\x63", b"\x04\x00\x00\x01\x00", b"\x05\x00\x00\x09\x00\x00"],
)
def test_socks_refusal_is_a_proxy_error(answer: bytes) -> None:
    handshake = SocksConnect(Proxy("socks5://proxy.example"), "127.0.0.1", 80)
    handshake.start()
    handshake.receive(b"\x05\x00")
    with pytest.raises(ProxyError) as failure:
        handshake.receive(answer)
    assert failure.value.request_processed is False


def test_socks_wrong_credentials_are_a_proxy_error() -> None:
    handshake: Any = SocksConnect(Proxy("socks5://a:b@proxy.example"), "127.0.0.1", 80)
    handshake.start()
    handshake.receive(b"\x05\x02")
    with pytest.raises(ProxyError, match="authentication"):
        handshake.receive(b"\x01\x01")
