"""What the caller may not ask for: an exception of ours, and the listening peer never sees an octet."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from deuterium import (
    AsyncClient,
    Client,
    InvalidURL,
    LocalProtocolError,
    RequestError,
    RetryPolicy,
    UnsupportedProtocol,
)

TIMEOUT_S = 2.0  # what a request that is sent after all waits for: nobody answers
VERSIONS = {"h2": {"http1": False}, "h1": {"http2": False}}

CONTROLS = {"CR": "\r", "LF": "\n", "NUL": "\0", "DEL": "\x7f", "CRLF and a field": "\r\nx-smuggled: yes"}
WITH_SPACE = {**CONTROLS, "space": " "}


class Listener:
    """A listening socket that nobody accepts from: whoever connected, and said something, is found afterwards."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(16)
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]

    def heard(self) -> list[bytes]:
        """What each connection said."""
        said = []
        while True:
            try:
                connection, _ = self._socket.accept()
            except BlockingIOError:
                return said
            with connection:
                connection.settimeout(0.05)
                try:
                    said.append(connection.recv(65536))
                except TimeoutError:
                    said.append(b"")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


Ask = Callable[[Callable[[], dict[str, Any]], dict[str, Any]], Exception | None]


async def ask_async(make: Callable[[], dict[str, Any]], options: dict[str, Any]) -> Exception | None:
    try:
        async with AsyncClient(timeout=TIMEOUT_S, retry=RetryPolicy(attempts=1), trust_env=False, **options) as client:
            await client.request(**make())
    except Exception as error:
        return error
    return None


def ask_sync(make: Callable[[], dict[str, Any]], options: dict[str, Any]) -> Exception | None:
    try:
        with Client(timeout=TIMEOUT_S, retry=RetryPolicy(attempts=1), trust_env=False, **options) as client:
            client.request(**make())
    except Exception as error:
        return error
    return None


ASKS: dict[str, Ask] = {"async": lambda make, options: asyncio.run(ask_async(make, options)), "sync": ask_sync}


@pytest.fixture(params=ASKS)
def ask(request: pytest.FixtureRequest) -> Ask:
    return ASKS[request.param]


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> dict[str, Any]:
    return VERSIONS[request.param]


def pieces(*content: bytes) -> Iterator[bytes]:
    yield from content


def table(*rows: tuple[str, dict[str, Any]]) -> Any:
    """Each row a name and the arguments of ``request``; ``...`` stands for the listener's URL."""
    return pytest.mark.parametrize("arguments", [pytest.param(row[1], id=row[0]) for row in rows])


def refused(
    ask: Ask, version: dict[str, Any], listener: Listener, arguments: dict[str, Any], **options: Any
) -> Exception:
    """The exception of a request that must not reach the wire."""

    def make() -> dict[str, Any]:
        made = {"method": "GET", "url": f"http://127.0.0.1:{listener.port}/", **arguments}
        if callable(made.get("content")):
            made["content"] = made["content"]()
        made["url"] = made["url"].replace("{port}", str(listener.port))
        return made

    error = ask(make, {**version, **options})
    assert listener.heard() == []
    assert error is not None
    if isinstance(error, RequestError):
        assert error.request_processed in (None, False)
    return error


@table(
    *[(f"method with {name}", {"method": f"GE{mark}T"}) for name, mark in WITH_SPACE.items()],
    *[(f"method that ends in {name}", {"method": f"GET{mark}"}) for name, mark in WITH_SPACE.items()],
    ("empty method", {"method": ""}),
    ("method with a colon", {"method": "GET:"}),
    ("method beyond ASCII", {"method": "GÉT"}),
    ("method and target", {"method": "GET / HTTP/1.1\r\nHost: evil\r\n\r\nGET"}),
    ("CONNECT without a protocol", {"method": "CONNECT"}),
    ("TRACE with content", {"method": "TRACE", "content": b"x"}),
    *[(f"field name with {name}", {"headers": {f"x{mark}y": "1"}}) for name, mark in WITH_SPACE.items()],
    *[(f"field name that ends in {name}", {"headers": {f"x{mark}": "1"}}) for name, mark in WITH_SPACE.items()],
    ("empty field name", {"headers": {"": "1"}}),
    ("field name with a colon", {"headers": {"x:y": "1"}}),
    ("pseudo-header field", {"headers": {":path": "/other"}}),
    ("field name beyond ASCII", {"headers": {"nämé": "1"}}),
    *[(f"field value with {name}", {"headers": {"x": f"a{mark}b"}}) for name, mark in CONTROLS.items()],
    *[(f"field value that ends in {name}", {"headers": {"x": f"a{mark}"}}) for name, mark in WITH_SPACE.items()],
    *[(f"field value that begins with {name}", {"headers": {"x": f"{mark}a"}}) for name, mark in WITH_SPACE.items()],
    ("field value beyond latin-1", {"headers": {"x": "☃"}}),
    ("field value as octets with LF", {"headers": [(b"x", b"a\nb")]}),
    *[(f"cookie value with {name}", {"cookies": {"a": f"b{mark}c"}}) for name, mark in CONTROLS.items()],
    ("cookie value with a semicolon", {"cookies": {"a": "b; c=d"}}),
    ("part's content type with CRLF", {"method": "POST", "files": {"f": ("n", b"x", "text/plain\r\nx: y")}}),
    ("part's field with CRLF", {"method": "POST", "files": {"f": ("n", b"x", "text/plain", {"x": "a\r\nb"})}}),
)
def test_request_with_an_octet_out_of_place_is_refused_unsent(
    ask: Ask, version: dict[str, Any], listener: Listener, arguments: dict[str, Any]
) -> None:
    assert isinstance(refused(ask, version, listener, arguments), LocalProtocolError)


LENGTH = "content-length"


@table(
    ("longer than the content", {"headers": {LENGTH: "4"}, "content": b"abc"}),
    ("shorter than the content", {"headers": {LENGTH: "2"}, "content": b"abc"}),
    ("without content", {"headers": {LENGTH: "1"}}),
    ("twice, different", {"headers": [(LENGTH, "3"), (LENGTH, "4")], "content": b"abc"}),
    ("twice, the same", {"headers": [(LENGTH, "3"), (LENGTH, "3")], "content": b"abc"}),
    ("twice, of a stream", {"headers": [(LENGTH, "3"), (LENGTH, "3")], "content": lambda: pieces(b"abc")}),
    ("a list", {"headers": {LENGTH: "3, 3"}, "content": lambda: pieces(b"abc")}),
    ("a sign", {"headers": {LENGTH: "+3"}, "content": lambda: pieces(b"abc")}),
    ("negative", {"headers": {LENGTH: "-1"}, "content": lambda: pieces(b"abc")}),
    ("hexadecimal", {"headers": {LENGTH: "0x3"}, "content": lambda: pieces(b"abc")}),
    ("empty", {"headers": {LENGTH: ""}, "content": lambda: pieces(b"abc")}),
    ("nineteen digits", {"headers": {LENGTH: "1" * 19}, "content": lambda: pieces(b"abc")}),
    ("of a form that is longer", {"headers": {LENGTH: "3"}, "files": {"f": ("n", b"content")}}),
    (
        "beside transfer-encoding",
        {"headers": {LENGTH: "3", "Transfer-Encoding": "chunked"}, "content": b"abc"},
    ),
    ("transfer-encoding other than chunked", {"headers": {"transfer-encoding": "gzip"}, "content": b"abc"}),
    ("transfer-encoding twice over", {"headers": {"transfer-encoding": "chunked, chunked"}, "content": b"abc"}),
    ("expectation that nobody defined", {"headers": {"expect": "200-ok"}, "content": b"abc"}),
    ("expectation without content", {"headers": {"expect": "100-continue"}}),
    ("trailer with CRLF", {"content": b"abc", "extensions": {"trailers": {"x": "a\r\nb"}}}),
    ("trailer that frames", {"content": b"abc", "extensions": {"trailers": {LENGTH: "3"}}}),
    ("trailer that routes", {"content": b"abc", "extensions": {"trailers": {"host": "other"}}}),
    ("trailer about the connection", {"content": b"abc", "extensions": {"trailers": {"connection": "close"}}}),
    ("host with a path", {"headers": {"host": "a/b"}}),
    ("host with credentials", {"headers": {"host": "user@a"}}),
    ("host with a space", {"headers": {"host": "a b"}}),
    ("two hosts in one", {"headers": {"host": "a, b"}}),
    ("host twice", {"headers": [("host", "a"), ("host", "a")]}),
    ("empty host", {"headers": {"host": ""}}),
    ("host with a port of letters", {"headers": {"host": "a:http"}}),
)
def test_request_with_fields_that_contradict_is_refused_unsent(
    ask: Ask, version: dict[str, Any], listener: Listener, arguments: dict[str, Any]
) -> None:
    assert isinstance(refused(ask, version, listener, {"method": "POST", **arguments}), LocalProtocolError)


@table(
    *[(f"host with {name}", {"url": f"http://127.0.0.1{mark}x:{{port}}/"}) for name, mark in WITH_SPACE.items()],
    *[(f"target with {name}", {"url": f"http://127.0.0.1:{{port}}/a{mark}b"}) for name, mark in CONTROLS.items()],
    *[(f"query with {name}", {"url": f"http://127.0.0.1:{{port}}/?a{mark}b"}) for name, mark in CONTROLS.items()],
    ("user", {"url": "http://user@127.0.0.1:{port}/"}),
    ("user and password", {"url": "http://user:secret@127.0.0.1:{port}/"}),
    ("empty user", {"url": "http://@127.0.0.1:{port}/"}),
    ("two at signs", {"url": "http://a@b@127.0.0.1:{port}/"}),
    ("backslash before an at sign", {"url": "http://127.0.0.1:{port}\\@example.org/"}),
    ("backslashes for slashes", {"url": "http:\\\\127.0.0.1:{port}/"}),
    ("backslash in the host", {"url": "http://127.0.0.1\\.example.org:{port}/"}),
    ("percent-encoded host", {"url": "http://%31%32%37.0.0.1:{port}/"}),
    ("percent-encoded dot", {"url": "http://127%2e0.0.1:{port}/"}),
    ("percent sign of full width", {"url": "http://127\uff0531.0.0.1:{port}/"}),
    ("slash of full width", {"url": "http://127.0.0.1:{port}\uff0fx/"}),
    ("bracket left open", {"url": "http://[::1:{port}/"}),
    ("bracket closed only", {"url": "http://::1]:{port}/"}),
    ("octets after the bracket", {"url": "http://[::1]x:{port}/"}),
    ("brackets around a name", {"url": "http://[localhost]:{port}/"}),
    ("brackets around IPv4", {"url": "http://[127.0.0.1]:{port}/"}),
    ("brackets inside", {"url": "http://127.0.0.1[]:{port}/"}),
    ("IPv6 zone", {"url": "http://[fe80::1%25lo]:{port}/"}),
    ("IPv6 zone, bare", {"url": "http://[::1%lo]:{port}/"}),
    ("IPv4 in two parts", {"url": "http://127.1:{port}/"}),
    ("IPv4 as one number", {"url": "http://2130706433:{port}/"}),
    ("IPv4 in hexadecimal", {"url": "http://0x7f000001:{port}/"}),
    ("IPv4 in octal", {"url": "http://0177.0.0.1:{port}/"}),
    ("IPv4 with a dot at its end", {"url": "http://127.0.0.1.:{port}/"}),
    ("IPv4 with five parts", {"url": "http://127.0.0.1.1:{port}/"}),
    ("empty host", {"url": "http://:{port}/"}),
    ("empty label", {"url": "http://a..b:{port}/"}),
    ("label that begins with a hyphen", {"url": "http://-a:{port}/"}),
    ("two ports", {"url": "http://127.0.0.1:{port}:{port}/"}),
    ("port of letters", {"url": "http://127.0.0.1:http/"}),
    ("port with a sign", {"url": "http://127.0.0.1:+{port}/"}),
    ("port 0", {"url": "http://127.0.0.1:0/"}),
    ("port 65536", {"url": "http://127.0.0.1:65536/"}),
    ("surrogate", {"url": "http://127.0.0.1:{port}/\ud800"}),
    ("other scheme", {"url": "ftp://127.0.0.1:{port}/"}),
    ("scheme with a space before it", {"url": " http://127.0.0.1:{port}/"}),
    ("no scheme", {"url": "127.0.0.1:{port}/"}),
    ("one slash", {"url": "http:/127.0.0.1:{port}/"}),
    ("empty URL", {"url": ""}),
    ("TLS name with a space", {"extensions": {"sni_hostname": "a b"}}),
)
def test_url_that_parsers_could_disagree_on_is_refused_unsent(
    ask: Ask, version: dict[str, Any], listener: Listener, arguments: dict[str, Any]
) -> None:
    assert isinstance(refused(ask, version, listener, arguments), InvalidURL | UnsupportedProtocol)


@pytest.mark.parametrize(
    "headers",
    [
        {"x": "a\nb"},
        {"content-length": "3"},
        {"expect": "100-continue"},
        {"host": "a b"},
        {"transfer-encoding": "gzip"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_client_default_field_that_no_request_may_have_is_refused_unsent(
    ask: Ask, version: dict[str, Any], listener: Listener, headers: dict[str, str]
) -> None:
    assert isinstance(refused(ask, version, listener, {}, headers=headers), LocalProtocolError)


def test_field_changed_after_the_request_was_built_is_checked_again(
    version: dict[str, Any], listener: Listener
) -> None:
    with Client(timeout=TIMEOUT_S, trust_env=False, **version) as client:
        request = client.build_request("POST", f"http://127.0.0.1:{listener.port}/", content=b"abc")
        request.headers["content-length"] = "4"
        with pytest.raises(LocalProtocolError, match=r"RFC 9110 8\.6"):
            client.send(request)
    assert listener.heard() == []


async def several(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


# -- content whose length shows only while it is sent: the peer sees no end of it, and the client goes on -------------

LENGTHS = {"more": "5", "less": "7"}


@pytest.mark.parametrize("announced", LENGTHS.values(), ids=LENGTHS)
def test_iterator_that_breaks_its_promised_length_fails_the_request(
    version: dict[str, Any], announced: str, ask: Ask
) -> None:
    """Six octets come; the peer never sees the end of a message that says something else."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(4)

    def make() -> dict[str, Any]:
        content = several(b"123", b"456") if ask is ASKS["async"] else pieces(b"123", b"456")
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        return {"method": "POST", "url": url, "headers": {"content-length": announced}, "content": content}

    error = ask(make, version)
    assert isinstance(error, LocalProtocolError), error
    assert "8.6" in str(error)
    connection, _ = listener.accept()
    with connection, listener:
        connection.settimeout(0.2)
        said = b""
        try:
            while piece := connection.recv(65536):
                said += piece
        except (TimeoutError, ConnectionError):
            pass
    assert b"456" not in said or announced == LENGTHS["less"]
