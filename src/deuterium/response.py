"""A response: its fields, and its content whole or as a stream."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from time import time
from typing import Any, NamedTuple

from yarl import URL

from ._http.charset import Reencoded, TextDecoder, charset_of, decode_text, is_charset
from ._http.coding import Decoder, codings_to_undo, decode_content
from ._http.events import EventParser, ServerSentEvent
from ._http.exchange import Exchange
from ._http.field_kind import CONTENT_ENCODING
from ._http.lines import RecordLines, TextLines
from ._http.links import parse_links
from ._http.redirects import FOLLOWED
from ._memory.collector import track
from .connection_facts import ConnectionFacts, facts_of
from .cookies import Cookies
from .errors import HTTPStatusError, ResponseNotRead, StreamClosed, StreamConsumed
from .headers import Headers
from .request import Request

NO_HISTORY: list[Any] = []  # shared by all responses that have none; a flow sets a list of its own


class Timings(NamedTuple):
    """How long a response took: ``waiting`` for its header section, ``receiving`` its content as far as it is here.

    What connecting took is in ``Response.connection``.
    """

    waiting: datetime.timedelta
    receiving: datetime.timedelta


class Cutter:
    """Cuts content into pieces of one size; of any size, as it comes, without one."""

    __slots__ = ("rest", "size")

    def __init__(self, size: int | None) -> None:
        if size is not None and size < 1:
            raise ValueError("chunk_size must be at least 1")
        self.size: int | None = size
        self.rest = bytearray()

    def feed(self, piece: bytes) -> list[bytes]:
        """The whole pieces there are by now."""
        size = self.size
        if size is None:
            return [piece] if piece else []
        self.rest += piece
        whole = len(self.rest) - len(self.rest) % size
        pieces = [bytes(self.rest[at : at + size]) for at in range(0, whole, size)]
        del self.rest[:whole]
        return pieces

    def finish(self) -> list[bytes]:
        """What is left, shorter than the others."""
        rest, self.rest = bytes(self.rest), bytearray()
        return [rest] if rest else []


class Response:
    """What came back. Made by the client, with ``status_code``, ``headers`` and, unless it is streamed, ``content``.

    The names are those of httpx.
    """

    __slots__ = (
        "_content",
        "_defaults",
        "_exchange",
        "_headers",
        "_request",
        "_source",
        "history",
        "next_request",
        "status_code",
    )

    def __init__(self, exchange: Exchange, source: Any, defaults: Any) -> None:
        """``source``: where streamed content comes from, or None; ``defaults``: the client's decoding options.

        Raises DecodingError when whole content is not what its content-encoding says.
        """
        self._exchange = exchange  # compiled, the argument is any object and slow to ask; the attribute has its type
        self._source = source
        self._defaults = defaults
        self._request: Request | None = None
        self._headers: Headers | None = None
        self._content: bytes | None = None
        self.status_code: int = self._exchange.status
        self.history: list[Response] = NO_HISTORY
        self.next_request: Request | None = None  # what a redirect asks for, when it is not followed
        if source is None:
            if self._exchange.kinds & CONTENT_ENCODING and self._exchange.content:
                self._content = decode_content(self._codings(), self._exchange.content, defaults.decoding)
            else:
                self._content = self._exchange.content

    # -- what it says ------------------------------------------------------------------------------------------------

    @property
    def request(self) -> Request:
        """The request that was answered."""
        if self._request is None:
            self._request = request_of(self._exchange)
        return self._request

    @property
    def http_version(self) -> str:
        """``HTTP/2``, ``HTTP/1.1`` or ``HTTP/1.0``."""
        version: str = self._exchange.engine.http_version
        return version

    @property
    def headers(self) -> Headers:
        """The header section."""
        if self._headers is None:
            self._headers = Headers.from_pairs(self._exchange.fields or [])
        return self._headers

    @property
    def trailers(self) -> Headers:
        """The trailer section; empty until the content was read."""
        return Headers.from_pairs(self._exchange.trailers or [])

    @property
    def early_hints(self) -> list[Headers]:
        """The fields of each 103 (Early Hints) response (RFC 8297)."""
        return [Headers.from_pairs(pairs) for status, pairs in self._exchange.informational or [] if status == 103]

    @property
    def links(self) -> dict[str, dict[str, str]]:
        """The Link fields (RFC 8288): each by its ``rel``, or by its URL without one, as ``url`` and its parameters."""
        return {link.get("rel") or link["url"]: link for link in parse_links(self.headers.get("link") or "")}

    @property
    def cookies(self) -> Cookies:
        """The cookies that this response set, in a jar of their own, made anew each time."""
        exchange = self._exchange
        host = exchange.origin.host if exchange.origin is not None else exchange.authority
        path = exchange.path.partition("?")[0]
        found = Cookies()
        lines = self.headers.get_list("set-cookie")
        found.extract(lines, host, path, secure=exchange.scheme == "https", now=time())
        return found

    @property
    def reason_phrase(self) -> str:
        """The standard phrase of the status; HTTP/2 sends none."""
        try:
            return HTTPStatus(self.status_code).phrase
        except ValueError:
            return ""

    @property
    def url(self) -> URL:
        """The URL of the request."""
        return self.request.url

    @property
    def elapsed(self) -> datetime.timedelta:
        """From the sending of the request to the end of the response, or to its header section while it streams."""
        end = self._exchange.finished_at or self._exchange.answered_at
        return datetime.timedelta(seconds=end - self._exchange.sent_at)

    @property
    def timings(self) -> Timings:
        """``elapsed`` by phase."""
        exchange = self._exchange
        end = exchange.finished_at or exchange.answered_at
        return Timings(
            datetime.timedelta(seconds=exchange.answered_at - exchange.sent_at),
            datetime.timedelta(seconds=end - exchange.answered_at),
        )

    @property
    def extensions(self) -> dict[str, Any]:
        """Facts below HTTP semantics: version and stream."""
        return {"http_version": self.http_version.encode(), "stream_id": self._exchange.stream_id}

    @property
    def connection(self) -> ConnectionFacts:
        """The connection it came over: protocol, address, TLS, times. Put together when asked for."""
        return facts_of(self._exchange)

    @property
    def num_bytes_downloaded(self) -> int:
        """Octets of content received so far, before any content coding is undone."""
        return self._exchange.received

    @property
    def is_informational(self) -> bool:
        """1xx."""
        return 100 <= self.status_code < 200

    @property
    def is_success(self) -> bool:
        """2xx."""
        return 200 <= self.status_code < 300

    @property
    def is_redirect(self) -> bool:
        """3xx."""
        return 300 <= self.status_code < 400

    @property
    def has_redirect_location(self) -> bool:
        """301, 302, 303, 307 or 308, with a Location: what ``follow_redirects`` follows."""
        return self.status_code in FOLLOWED and "location" in self.headers

    @property
    def is_client_error(self) -> bool:
        """4xx."""
        return 400 <= self.status_code < 500

    @property
    def is_server_error(self) -> bool:
        """5xx."""
        return 500 <= self.status_code < 600

    @property
    def is_error(self) -> bool:
        """4xx or 5xx."""
        return 400 <= self.status_code < 600

    def raise_for_status(self) -> Response:
        """Itself, or HTTPStatusError for any status but 2xx, as in httpx: a redirect not followed is no success."""
        if self.is_success:
            return self
        kind = "client error" if self.is_client_error else "server error" if self.is_server_error else "no success"
        where = self.headers.get("location") if self.is_redirect else None
        raise HTTPStatusError(
            f"{kind}: {self.status_code} {self.reason_phrase} for {self.url}"
            + (f", redirected to {where[:200]}" if where else ""),
            request=self.request,
            response=self,
        )

    # -- content -----------------------------------------------------------------------------------------------------

    @property
    def content(self) -> bytes:
        """All of the content; ResponseNotRead while a stream was not read."""
        if self._content is None:
            raise ResponseNotRead("the content was not read: call read() or aread() first")
        return self._content

    @property
    def text(self) -> str:
        """The content as text, in the charset its content-type names, else the client's default encoding."""
        return decode_text(self.content, self.encoding)

    @property
    def encoding(self) -> str:
        """The charset of the content: from content-type, else the client's ``default_encoding``.

        It can be set, for ``text`` and for what iterates over text from then on. Raises LookupError for a name that
        is no charset.
        """
        if type(self._defaults) is Reencoded:
            return self._defaults.encoding
        return charset_of(self.headers.get("content-type")) or self._defaults.default_encoding

    @encoding.setter
    def encoding(self, name: str) -> None:
        if not is_charset(name):
            raise LookupError(f"not a charset: {name[:40]!r}")
        self._defaults = Reencoded(self._defaults, name)

    @property
    def is_stream_consumed(self) -> bool:
        """The content was read, or is being read."""
        return self._source is None or self._content is not None or bool(self._source.taken)

    @property
    def is_closed(self) -> bool:
        """The content was read to its end, or given up."""
        return self._source is None or self._content is not None or bool(self._source.closed)

    def json(self, *, type: Any = None, **options: Any) -> Any:
        """The content parsed as JSON, by the client's ``json_codec``; with ``type`` a value of that type, by msgspec.

        >>> response.json(type=list[int])  # doctest: +SKIP
        """
        if type is None:
            return self._defaults.json_codec.loads(self.content, **options)
        return self._defaults.json_codec.load_as(self.content, type)

    def read(self) -> bytes:
        """Read the stream to its end and return all of it."""
        if self._content is None:
            self._content = b"".join(self.iter_bytes())
        return self._content

    def iter_raw(self) -> Iterator[bytes]:
        """The content as it was sent, piece by piece."""
        for piece in self._pieces():
            if type(piece) is bytes:
                yield piece
            else:
                chunk = bytes(piece.view)
                piece.release()
                yield chunk

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The content, its content codings undone, piece by piece; pieces of ``chunk_size`` octets if that is given."""
        cutter = Cutter(chunk_size)
        if self._content is not None:
            yield from cutter.feed(self._content)
        else:
            codings = self._codings()
            decoder = Decoder(codings, self._defaults.decoding) if codings else None
            for chunk in self.iter_raw():
                for part in (chunk,) if decoder is None else decoder.iter_decode(chunk):
                    yield from cutter.feed(part)
            if decoder is not None:
                decoder.finish()
        yield from cutter.finish()

    def iter_buffers(self) -> Iterator[memoryview]:
        """The content as views of the memory it was received into, without a copy; see ``aiter_buffers``."""
        for piece in self._pieces():
            if type(piece) is bytes:
                yield memoryview(piece)
            else:
                try:
                    yield piece.view
                finally:
                    piece.release()

    def iter_text(self) -> Iterator[str]:
        """The content as text, piece by piece."""
        decoder = TextDecoder(self.encoding)
        for chunk in self.iter_bytes():
            text = decoder.decode(chunk)
            if text:
                yield text
        rest = decoder.finish()
        if rest:
            yield rest

    def iter_lines(self) -> Iterator[str]:
        """The content line by line, without the line ends."""
        lines = TextLines()
        for text in self.iter_text():
            yield from lines.feed(text)
        yield from lines.finish()

    def iter_json(self, *, type: Any = None) -> Iterator[Any]:
        """Each line of an NDJSON response, parsed as ``json`` does it."""
        records = RecordLines()
        codec = self._defaults.json_codec
        for chunk in self.iter_bytes():
            for line in records.feed(chunk):
                yield codec.loads(line) if type is None else codec.load_as(line, type)
        for line in records.finish():
            yield codec.loads(line) if type is None else codec.load_as(line, type)

    def iter_events(self) -> Iterator[ServerSentEvent]:
        """Each event of a ``text/event-stream`` response (WHATWG HTML, section 9.2)."""
        parser = EventParser()
        for chunk in self.iter_bytes():
            yield from parser.feed(chunk)

    async def aread(self) -> bytes:
        """Read the stream to its end and return all of it."""
        if self._content is None:
            self._content = b"".join([chunk async for chunk in self.aiter_bytes()])
        return self._content

    async def aiter_raw(self) -> AsyncIterator[bytes]:
        """The content as it was sent, piece by piece."""
        async for piece in self._pieces():
            if type(piece) is bytes:
                yield piece
            else:
                chunk = bytes(piece.view)
                piece.release()
                yield chunk

    async def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """The content, its content codings undone, piece by piece; pieces of ``chunk_size`` octets if that is given."""
        cutter = Cutter(chunk_size)
        if self._content is not None:
            for piece in cutter.feed(self._content):
                yield piece
        else:
            codings = self._codings()
            decoder = Decoder(codings, self._defaults.decoding) if codings else None
            async for chunk in self.aiter_raw():
                for part in (chunk,) if decoder is None else decoder.iter_decode(chunk):
                    for piece in cutter.feed(part):
                        yield piece
            if decoder is not None:
                decoder.finish()
        for piece in cutter.finish():
            yield piece

    def aiter_buffers(self) -> AsyncIterator[memoryview]:
        """The content as views of the memory it was received into, without a copy.

        A view is valid until the next one is asked for; then its memory is received into again. A slice that is kept
        stays as it is: its memory is then not used again.
        """
        return self._unread().buffers()  # type: ignore[no-any-return]

    async def aiter_text(self) -> AsyncIterator[str]:
        """The content as text, piece by piece."""
        decoder = TextDecoder(self.encoding)
        async for chunk in self.aiter_bytes():
            text = decoder.decode(chunk)
            if text:
                yield text
        rest = decoder.finish()
        if rest:
            yield rest

    async def aiter_lines(self) -> AsyncIterator[str]:
        """The content line by line, without the line ends."""
        lines = TextLines()
        async for text in self.aiter_text():
            for line in lines.feed(text):
                yield line
        for line in lines.finish():
            yield line

    async def aiter_json(self, *, type: Any = None) -> AsyncIterator[Any]:
        """Each line of an NDJSON response, parsed as ``json`` does it."""
        records = RecordLines()
        codec = self._defaults.json_codec
        async for chunk in self.aiter_bytes():
            for line in records.feed(chunk):
                yield codec.loads(line) if type is None else codec.load_as(line, type)
        for line in records.finish():
            yield codec.loads(line) if type is None else codec.load_as(line, type)

    async def aiter_events(self) -> AsyncIterator[ServerSentEvent]:
        """Each event of a ``text/event-stream`` response (WHATWG HTML, section 9.2)."""
        parser = EventParser()
        async for chunk in self.aiter_bytes():
            for event in parser.feed(chunk):
                yield event

    def close(self) -> None:
        """Give up what was not read; the stream is reset. Any number of times."""
        if self._source is not None:
            self._source.close()

    async def aclose(self) -> None:
        """Give up what was not read; the stream is reset. Any number of times."""
        if self._source is not None:
            self._source.close()

    def _codings(self) -> tuple[str, ...]:
        if not self._exchange.kinds & CONTENT_ENCODING or self._exchange.method == "HEAD":
            return ()
        return codings_to_undo(", ".join(self.headers.get_list("content-encoding")))

    def _pieces(self) -> Any:
        return self._unread().pieces()

    def _unread(self) -> Any:
        """The stream of the content, of which nothing was read yet."""
        if self._source is None:
            raise StreamConsumed("the content was read whole, not as a stream")
        if self._source.taken:
            raise StreamConsumed("the content was already read as a stream")
        if self._source.closed:
            raise StreamClosed("the response was closed before its content was read")
        return self._source

    def __repr__(self) -> str:
        return f"<Response [{self.status_code} {self.reason_phrase}]>"


def request_of(exchange: Exchange) -> Request:
    """The Request of an exchange; for a plain one, which was sent without, it is made now."""
    request = exchange.request
    if request is None:
        request = Request(exchange.method, exchange.origin, exchange.path, exchange.common, exchange.extra)
        track(exchange)  # what the user keeps with the Request may lead back here
        exchange.request = request
    return request  # type: ignore[no-any-return]
