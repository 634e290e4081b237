"""Every exception a user can meet, with the facts it carries.

::

    HTTPError
    ├── RequestError
    │   ├── TransportError
    │   │   ├── TimeoutException
    │   │   │   ├── ConnectTimeout      no connection in time
    │   │   │   ├── ReadTimeout         no byte of the response in time
    │   │   │   ├── WriteTimeout        no byte of the request accepted in time
    │   │   │   ├── PoolTimeout         no place on a connection in time
    │   │   │   └── TotalTimeout        the whole exchange took too long
    │   │   ├── NetworkError
    │   │   │   ├── ConnectError        name, address or TLS handshake failed
    │   │   │   ├── ReadError           the transport broke while reading
    │   │   │   ├── WriteError          the transport broke while writing
    │   │   │   └── CloseError          the transport broke while closing
    │   │   ├── ProtocolError
    │   │   │   ├── LocalProtocolError  the caller asked for what the RFC forbids
    │   │   │   ├── WebSocketRefused    the server answered, and opened no WebSocket
    │   │   │   └── RemoteProtocolError the peer did what the RFC forbids
    │   │   │       ├── StreamReset     the peer reset this stream (RST_STREAM)
    │   │   │       └── GoAway          the peer is closing the connection (GOAWAY)
    │   │   ├── WebSocketClosed         the WebSocket is closed; with code and reason
    │   │   ├── ProxyError              the proxy refused or failed
    │   │   ├── UnsupportedProtocol     a scheme or HTTP version this client cannot use here
    │   │   └── CircuitOpen             the origin's breaker lets no request through
    │   ├── DecodingError               a content coding or charset is malformed
    │   └── TooManyRedirects
    └── HTTPStatusError                 raised by Response.raise_for_status
    InvalidURL · CookieConflict
    StreamError (a RuntimeError)
    └── StreamConsumed · StreamClosed · ResponseNotRead · RequestNotRead

The names and their inheritance are those of httpx. What is added are facts, as attributes: ``scope``, ``code``,
``initiator`` and ``request_processed``. Code that retries looks at ``request_processed`` and at nothing else.
"""

from __future__ import annotations

from typing import Any, Literal

Scope = Literal["request", "stream", "connection"]
Initiator = Literal["user", "library", "remote"]


class HTTPError(Exception):
    """Base of everything that can go wrong with a request or be said by its response."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.request: Any = None


class RequestError(HTTPError):
    """An exchange failed.

    ``scope``: what ended with it; ``code``: the RFC 9113 error code (section 7), where one was sent or received;
    ``initiator``: whose decision it was; ``request_processed``: False when the peer provably did not act on the
    request (RFC 9113 section 8.7), True when it provably did, None when nobody can know.
    """

    default_initiator: Initiator = "library"

    def __init__(
        self,
        message: str = "",
        *,
        scope: Scope = "request",
        code: int | None = None,
        initiator: Initiator | None = None,
        request_processed: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.scope: Scope = scope
        self.code = code
        self.initiator: Initiator = initiator or self.default_initiator
        self.request_processed = request_processed


class TransportError(RequestError):
    """The exchange failed below the message: time, network, protocol, proxy."""


class TimeoutException(TransportError):
    """A phase of the exchange took longer than its limit."""


class ConnectTimeout(TimeoutException):
    """No connection was established in time."""


class ReadTimeout(TimeoutException):
    """No byte of the response arrived in time."""


class WriteTimeout(TimeoutException):
    """No byte of the request was accepted in time."""


class PoolTimeout(TimeoutException):
    """No place on a connection came free in time."""


class TotalTimeout(TimeoutException):
    """The exchange as a whole passed its deadline."""


class NetworkError(TransportError):
    """The transport failed."""

    default_initiator: Initiator = "remote"


class ConnectError(NetworkError):
    """The name, every address, or the TLS handshake failed."""


class ReadError(NetworkError):
    """The transport broke while a response was awaited or read.

    ``connection_reused``: an HTTP/1.1 connection that had served before ended without an octet of the response. Most
    likely the peer closed it as idle while the request was on its way: an idempotent one may be sent again
    (RFC 9110 section 9.2.2).
    """

    connection_reused = False


class WriteError(NetworkError):
    """The transport broke while a request was written."""


class CloseError(NetworkError):
    """The transport broke while it was being closed."""


class ProtocolError(TransportError):
    """A rule of HTTP was broken."""


class LocalProtocolError(ProtocolError):
    """The caller asked for something HTTP forbids; nothing was sent."""

    default_initiator: Initiator = "user"


class ExtendedConnectUnavailable(LocalProtocolError):
    """The peer does not take extended CONNECT (RFC 8441 section 3)."""


class WebSocketRefused(ProtocolError):
    """The server answered the opening handshake, and not by opening a WebSocket: see ``response``, which was read."""

    default_initiator: Initiator = "remote"

    def __init__(self, message: str, *, response: Any) -> None:
        super().__init__(message)
        self.response: Any = response  # a Response, which this module does not know


class RemoteProtocolError(ProtocolError):
    """The peer broke a rule of HTTP; the message names the rule."""

    default_initiator: Initiator = "remote"


class StreamReset(RemoteProtocolError):
    """The peer reset the stream; ``code`` is its RFC 9113 error code."""

    @property
    def error_code(self) -> int | None:
        """The code in the peer's RST_STREAM (RFC 9113 section 6.4)."""
        return self.code


class GoAway(RemoteProtocolError):
    """The peer is closing the connection and did not answer this request.

    ``last_stream_id`` is the highest stream the peer may have acted on (RFC 9113 section 6.8).
    """

    def __init__(
        self,
        message: str = "",
        *,
        last_stream_id: int = 0,
        code: int | None = None,
        request_processed: bool | None = None,
    ) -> None:
        super().__init__(
            message, scope="connection", code=code, initiator="remote", request_processed=request_processed
        )
        self.last_stream_id = last_stream_id

    @property
    def safe_to_retry(self) -> bool:
        """True when the peer provably did not act on the request."""
        return self.request_processed is False


class WebSocketClosed(TransportError):
    """The WebSocket is closed. ``code`` is that of the close frame (RFC 6455 section 7.4), 1005 for one without, 1006
    when the connection broke without any; ``reason`` is the peer's.
    """

    def __init__(self, code: int, reason: str = "", *, initiator: Initiator = "remote") -> None:
        super().__init__(
            f"the WebSocket is closed: {code}{' ' if reason else ''}{reason}", code=code, initiator=initiator
        )
        self.reason = reason


class ProxyError(TransportError):
    """The proxy could not be reached, refused, or broke its protocol.

    ``status_code``: what an HTTP proxy answered instead of opening a tunnel, None where it did not answer.
    """

    default_initiator: Initiator = "remote"

    def __init__(
        self,
        message: str = "",
        *,
        scope: Scope = "request",
        code: int | None = None,
        initiator: Initiator | None = None,
        request_processed: bool | None = None,
        status_code: int | None = None,
    ) -> None:
        super().__init__(
            message, scope=scope, code=code, initiator=initiator, request_processed=request_processed
        )
        self.status_code = status_code


class UnsupportedProtocol(TransportError):
    """The URL's scheme, or the HTTP version the origin speaks, cannot be used."""

    default_initiator: Initiator = "user"


class CircuitOpen(TransportError):
    """The origin's circuit breaker is open; nothing was sent."""


class DecodingError(RequestError):
    """The content is not what its coding or charset says."""


class TooManyRedirects(RequestError):
    """The limit of redirects was reached."""


class HTTPStatusError(HTTPError):
    """A response with a 4xx or 5xx status, raised on request."""

    def __init__(self, message: str, *, request: Any, response: Any) -> None:
        super().__init__(message)
        self.request: Any = request  # a Request and a Response, which this module does not know
        self.response: Any = response


class InvalidURL(Exception):
    """The URL cannot be parsed, or not safely."""


class CookieConflict(Exception):
    """Several cookies of one name match; say which."""


class StreamError(RuntimeError):
    """A body was used in a way its state does not allow."""


class StreamConsumed(StreamError):
    """The body was already read as a stream."""


class StreamClosed(StreamError):
    """The body's stream was closed before it was read."""


class ResponseNotRead(StreamError):
    """The content was asked for before it was read."""


class RequestNotRead(StreamError):
    """The request's content was asked for before it was read."""
