"""A request, as the user gives it: checked when it is made, so that nothing illegal is ever queued."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import IO, Any

from yarl import URL

from ._http import field as fields
from ._http.compression import compress, compressed_pieces
from ._http.open_file import OpenFile
from ._http.phases import NEVER
from .config import Timeout
from .errors import LocalProtocolError, RequestNotRead
from .headers import Headers
from .url import Origin, checked_authority

HeaderTypes = Headers | Mapping[str, str] | Iterable[tuple[str, str]]
ContentTypes = str | bytes | IO[bytes] | IO[str] | Iterable[bytes] | AsyncIterable[bytes]

_KNOWN_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "QUERY"))
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch

# RFC 9113 section 8.2.2 forbids them, and over HTTP/1.1 the connection is the engine's business.
_CONNECTION_SPECIFIC = frozenset(("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"))

# What has to agree with the origin, with the content, or with RFC 9110 section 10.1.1.
_HELD = frozenset(("content-length", "expect", "host"))

# RFC 9110 section 6.5.1: what frames, routes, authenticates or describes the content comes before it.
_NOT_IN_TRAILERS = _CONNECTION_SPECIFIC | frozenset(
    (
        "authorization",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "cookie",
        "expect",
        "host",
        "max-forwards",
        "proxy-authorization",
        "te",
        "trailer",
    )
)


class Request:
    """One request. ``headers`` may be changed until it is sent.

    ``common`` are the client's default fields, one tuple shared by all its requests; ``extra`` are this request's own.
    """

    __slots__ = (
        "_content",
        "_headers",
        "common",
        "deadline",
        "extensions",
        "extra",
        "method",
        "origin",
        "stream",
        "stream_started",
        "target",
        "timeout",
    )

    def __init__(
        self,
        method: str,
        origin: Origin,
        target: str,
        common: tuple[tuple[str, str], ...] = (),
        extra: tuple[tuple[str, str], ...] = (),
    ) -> None:
        if method not in _KNOWN_METHODS:
            method = checked_method(method)
        self.method: str = method
        self.origin: Origin = origin
        self.target: str = target
        self.common: tuple[tuple[str, str], ...] = common
        self.extra = extra
        self.timeout: Timeout | None = None
        self.deadline: float = NEVER  # of all its attempts and redirects together
        self.extensions: dict[str, Any] | None = None
        self._content: bytes | None = b""
        self.stream: Any = None  # content that comes piece by piece
        self.stream_started = False  # part of it was taken
        self._headers: Headers | None = None

    @property
    def url(self) -> URL:
        """The URL, without its fragment."""
        return URL(self.origin.key + self.target, encoded=True)

    @property
    def headers(self) -> Headers:
        """All fields that will be sent, the client's defaults among them."""
        if self._headers is None:
            self._headers = Headers.from_pairs(list(self.common + self.extra))
        return self._headers

    @property
    def content(self) -> bytes:
        """The content, when it is at hand; RequestNotRead for a stream."""
        if self._content is None:
            raise RequestNotRead("the content is a stream that was not read")
        return self._content

    @property
    def pieces(self) -> Any:
        """The content as an iterable of pieces, sync or async."""
        return (self._content,) if self.stream is None else self.stream

    @property
    def trailers(self) -> tuple[tuple[str, str], ...]:
        """What ``extensions["trailers"]`` asks to be sent after the content, checked; a function is called for it."""
        given = (self.extensions or {}).get("trailers")
        return checked_trailers(given() if callable(given) else given)

    def set_content(self, content: Any) -> None:
        """Take the content and say its length, or its absence, in the fields."""
        if content is None:
            if self.method in ("POST", "PUT", "PATCH") and not self._names("content-length"):
                self.extra = (*self.extra, ("content-length", "0"))
            return
        if self.method == "TRACE":
            raise LocalProtocolError("RFC 9110 9.3.8: a TRACE request has no content", request_processed=False)
        if isinstance(content, str):
            content = content.encode()
        elif isinstance(content, bytearray | memoryview):
            content = bytes(content)
        if isinstance(content, bytes):
            self._content = content
            if not self._names("content-length"):
                self.extra = (*self.extra, ("content-length", str(len(content))))
            elif self._value("content-length") != str(len(content)):
                raise LocalProtocolError(
                    "RFC 9110 8.6: content-length does not match the content", request_processed=False
                )
            return
        if hasattr(content, "__aiter__"):
            pass
        elif hasattr(content, "read"):
            content = OpenFile(content)
            if content.content_length is not None:
                self.default_field("content-length", str(content.content_length))
        elif not hasattr(content, "__iter__"):
            raise TypeError(f"content must be str, bytes, a file or an iterable of bytes, not {type(content).__name__}")
        self._content = None
        self.stream = content

    def compress(self, coding: str, worth_octets: int) -> None:
        """Have the content sent in ``coding``, unless a content-encoding says that it is in one already.

        Content at hand is left alone below ``worth_octets``, and with such a bound also when it does not shrink.
        """
        if not coding or self.field("content-encoding"):
            return
        if self._content is None:
            self.stream = compressed_pieces(coding, self.stream)
        else:
            if not self._content or len(self._content) < worth_octets:
                return
            smaller = compress(coding, self._content)
            if worth_octets and len(smaller) >= len(self._content):
                return
            self._content = smaller
        self.extra = tuple([pair for pair in self.extra if pair[0] != "content-length"])
        if self._content is not None:
            self.add_field("content-length", str(len(self._content)))
        self.add_field("content-encoding", coding)

    def wire_fields(self) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...], str]:
        """What goes out: (common, extra, authority). Fields that concern a connection are left to the engines.

        Raises LocalProtocolError when a field contradicts another, the origin or the content.
        """
        if self._headers is None:
            common, extra = self.common, self.extra
        else:
            common, extra = (), checked_fields(self._headers)
        for name, _ in extra:
            if name in _HELD:
                return (common, *self._held(extra))
        return common, extra, self.origin.authority

    def _held(self, extra: tuple[tuple[str, str], ...]) -> tuple[tuple[tuple[str, str], ...], str]:
        """The fields without Host, and the authority, after a check of those that cannot say just anything."""
        found: dict[str, str] = {}
        for name, value in extra:
            if name in _HELD:
                if name in found:
                    raise LocalProtocolError(f"RFC 9110 5.3: {name} more than once", request_processed=False)
                found[name] = value
        length = found.get("content-length")
        if length is not None:
            known = getattr(self.stream, "content_length", None) if self._content is None else len(self._content)
            given = fields.decimal(length)
            if given < 0 or (known is not None and given != known):
                raise LocalProtocolError(
                    "RFC 9110 8.6: content-length does not match the content", request_processed=False
                )
        expect = found.get("expect")
        if expect is not None and (expect.lower() != "100-continue" or self._content == b""):
            raise LocalProtocolError(
                "RFC 9110 10.1.1: the expectation is 100-continue, and of a request with content",
                request_processed=False,
            )
        host = found.get("host")
        if host is None:
            return extra, self.origin.authority
        return tuple([pair for pair in extra if pair[0] != "host"]), checked_authority(host)

    @property
    def replayable(self) -> bool:
        """The content can be sent again."""
        return self.stream is None or bool(getattr(self.stream, "replayable", False)) or not self.stream_started

    def take_content_of(self, other: Request) -> None:
        """The content of another request, whose fields were taken over already."""
        self._content = other._content
        self.stream = other.stream
        self.stream_started = other.stream_started

    def read(self) -> bytes:
        """The content; an iterable is read into memory first."""
        if self._content is None:
            if not hasattr(self.stream, "__iter__"):
                raise RequestNotRead("the content is an async stream: call aread()")
            self._keep(b"".join(self.stream))
        return self.content

    async def aread(self) -> bytes:
        """The content; an iterable, sync or async, is read into memory first."""
        if self._content is None and hasattr(self.stream, "__aiter__"):
            self._keep(b"".join([piece async for piece in self.stream]))
        return self.read()

    def _keep(self, content: bytes) -> None:
        self._content = content
        self.stream = None

    def field(self, name: str) -> str:
        """The value of the first field called ``name``, in lower case; empty when there is none."""
        if self._headers is not None:
            return self._headers.get(name) or ""
        for pair in self.extra:
            if pair[0] == name:
                return pair[1]
        for pair in self.common:
            if pair[0] == name:
                return pair[1]
        return ""

    def add_field(self, name: str, value: str) -> None:
        """One more field, checked."""
        fields.check_value(value)
        if self._headers is not None:
            self._headers[name] = value
        else:
            self.extra = (*self.extra, (name, value))

    def default_field(self, name: str, value: str) -> None:
        """A field, unless the caller gave one of this name."""
        if not self.field(name):
            self.add_field(name, value)

    def _names(self, name: str) -> bool:
        return any(pair[0] == name for pair in self.extra)

    def _value(self, name: str) -> str:
        return next(pair[1] for pair in self.extra if pair[0] == name)

    def __repr__(self) -> str:
        return f"<Request({self.method!r}, {self.origin.key + self.target!r})>"


def checked_method(method: str) -> str:
    """The method in upper case; LocalProtocolError unless it is a token (RFC 9110 section 9.1)."""
    if not isinstance(method, str) or not _TOKEN(method):
        raise LocalProtocolError(f"RFC 9110 9.1: {method!r} is not a method", request_processed=False)
    return method.upper()


def plain_method(method: str) -> str:
    """``checked_method`` for a request without content of its own; CONNECT is none."""
    checked = checked_method(method)
    if checked == "CONNECT":
        raise tunnel_error()
    return checked


def tunnel_error() -> LocalProtocolError:
    """CONNECT, and no protocol that says what for."""
    return LocalProtocolError(
        "RFC 9110 9.3.6: CONNECT opens a tunnel: give a proxy, or extensions={'protocol': ...}",
        request_processed=False,
    )


def checked_fields(headers: Any) -> tuple[tuple[str, str], ...]:
    """The fields as lower-case pairs; LocalProtocolError for an illegal name or value, before a byte is sent."""
    if isinstance(headers, Headers):
        pairs: Any = headers.multi_items()
    elif hasattr(headers, "items"):
        pairs = headers.items()
    else:
        pairs = headers
    checked = []
    chunked = False
    for given_name, given_value in pairs:
        name = _text(given_name).lower()
        value = _text(given_value)
        fields.check_name(name)
        fields.check_value(value)
        if name in _CONNECTION_SPECIFIC or (name == "te" and value.lower() != "trailers"):
            if name == "transfer-encoding":
                chunked = True
                if value.lower() != "chunked":
                    raise LocalProtocolError(
                        "RFC 9112 6.1: no transfer coding but chunked can be sent", request_processed=False
                    )
            continue
        checked.append((name, value))
    if chunked and any(name == "content-length" for name, _ in checked):
        raise LocalProtocolError("RFC 9112 6.2: content-length beside transfer-encoding", request_processed=False)
    return tuple(checked)


def checked_trailers(trailers: Any) -> tuple[tuple[str, str], ...]:
    """A trailer section as pairs; LocalProtocolError for what may not stand there (RFC 9110 section 6.5.1)."""
    section = Headers(trailers).multi_items()
    for name, _ in section:
        if name in _NOT_IN_TRAILERS:
            raise LocalProtocolError(f"RFC 9110 6.5.1: {name} in the trailers", request_processed=False)
    return tuple(section)


def _text(given: Any) -> str:
    """A name or value; octets count as latin-1 (RFC 9110 section 5.5)."""
    if isinstance(given, bytes):
        return given.decode("latin-1")
    if not isinstance(given, str):
        raise TypeError(f"a field's name and value must be str or bytes, not {type(given).__name__}")
    return given


def merged(common: tuple[tuple[str, str], ...], extra: tuple[tuple[str, str], ...]) -> tuple[Any, Any]:
    """Defaults and own fields: an own field replaces the defaults of its name."""
    own = {name for name, _ in extra}
    if any(name in own for name, _ in common):
        common = tuple(pair for pair in common if pair[0] not in own)
    return common, extra
