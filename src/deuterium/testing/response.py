"""A response made by a test instead of a server."""

from __future__ import annotations

import json as json_module
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from .._http.exchange import Exchange
from .._http.field_kind import KIND_OF_NAME
from .._http.json_codec import build_codec
from ..config import DecodingLimits
from ..request import HeaderTypes, checked_fields
from ..response import Response as ClientResponse

# What describes the octets on the wire, which a Response that was received no longer has.
_OF_THE_WIRE = frozenset(("content-encoding", "content-length", "transfer-encoding"))


class _Defaults:
    """What a Response asks its client, where there is none."""

    decoding = DecodingLimits()
    default_encoding = "utf-8"
    json_codec = build_codec(None, None, None)


class _Version:
    http_version = "HTTP/2"


class _Pieces:
    """Content piece by piece, as Response reads it."""

    def __init__(self, content: Any) -> None:
        self.content = content
        self.taken = False
        self.closed = False

    def pieces(self) -> Any:
        self.taken = True
        return self._async_pieces() if hasattr(self.content, "__aiter__") else self

    async def buffers(self) -> AsyncIterator[memoryview]:
        async for piece in self.pieces():
            yield memoryview(piece)

    def __iter__(self) -> Iterator[bytes]:
        yield from self.content
        self.closed = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.content:
            yield piece
        self.closed = True

    async def _async_pieces(self) -> AsyncIterator[bytes]:
        async for piece in self.content:
            yield piece
        self.closed = True

    def close(self) -> None:
        self.closed = True


class Response(ClientResponse):
    """What a handler of :class:`MockTransport` returns. It is also a whole Response of its own, for functions that
    take one.

    One of ``content`` (bytes, str, or an iterable of bytes, sync or async), ``text``, ``html`` and ``json``.

    >>> Response(200, json={"mass": 2.014}).json()
    {'mass': 2.014}
    """

    def __init__(
        self,
        status_code: int = 200,
        *,
        headers: HeaderTypes | None = None,
        content: Any = None,
        text: str | None = None,
        html: str | None = None,
        json: Any = None,
        trailers: HeaderTypes | None = None,
        early_hints: Iterable[HeaderTypes] = (),
    ) -> None:
        fields = list(checked_fields(headers)) if headers is not None else []
        kind = ""
        if text is not None:
            content, kind = text.encode(), "text/plain; charset=utf-8"
        elif html is not None:
            content, kind = html.encode(), "text/html; charset=utf-8"
        elif json is not None:
            content = json_module.dumps(json, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
            kind = "application/json"
        elif isinstance(content, str):
            content, kind = content.encode(), "text/plain; charset=utf-8"
        elif isinstance(content, bytearray | memoryview):
            content = bytes(content)
        names = {name for name, _ in fields}
        if kind and "content-type" not in names:
            fields.append(("content-type", kind))
        whole = content is None or isinstance(content, bytes)
        if whole and "content-length" not in names:
            fields.append(("content-length", str(len(content or b""))))
        self.sent_fields: tuple[tuple[str, str], ...] = tuple(fields)
        self.sent_content: Any = content or b""
        self.sent_trailers = checked_fields(trailers) if trailers is not None else ()
        self.sent_hints: list[tuple[tuple[str, str], ...]] = [checked_fields(hint) for hint in early_hints]
        exchange = Exchange("GET", "https", "test", "/")
        exchange.status = status_code
        exchange.fields = fields
        exchange.trailers = list(self.sent_trailers)
        exchange.informational = [(103, list(hint)) for hint in self.sent_hints]
        exchange.engine = _Version
        for name in names:
            exchange.kinds |= KIND_OF_NAME.get(name, 0)
        if whole:
            exchange.content = content or b""
            exchange.received = len(exchange.content)
        super().__init__(exchange, None if whole else _Pieces(content), _Defaults)


def as_sent(response: Any) -> Response:
    """What a handler returned, as it is sent."""
    if isinstance(response, Response):
        return response
    if isinstance(response, ClientResponse):  # received by another client: its content is decoded
        fields = [pair for pair in response.headers.multi_items() if pair[0] not in _OF_THE_WIRE]
        return Response(response.status_code, headers=fields, content=response.content)
    raise TypeError(f"a handler returns a Response, not {type(response).__name__}")
