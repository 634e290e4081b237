"""A WebSocket without I/O (RFC 6455): its opening handshake, and messages in and out. Frames are ``wsproto``'s."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Iterable
from typing import Any

from .errors import LocalProtocolError, RemoteProtocolError, WebSocketClosed, WebSocketRefused

Message = str | bytes

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
MAX_MESSAGE = 16 * 1024 * 1024  # octets, or characters of a text; hypercorn's, and enough for any message that is one
QUEUE_HIGH = 256 * 1024  # octets received and not taken, above which the peer's wait
QUEUE_MESSAGES = 1024  # the same for messages, which may be empty
FED_CODED = 4096  # coded octets taken in at a time: DEFLATE makes 4 MiB of them at most

NORMAL = 1000
GOING_AWAY = 1001
NO_CODE = 1005
BROKEN = 1006
TOO_BIG = 1009
INTERNAL_ERROR = 1011


class Handshake:
    """One opening handshake: ``fields`` to ask with, and what the answer has to be.

    ``upgrade``: over HTTP/1.1 (RFC 6455 section 4), else by extended CONNECT (RFC 8441).
    """

    def __init__(self, upgrade: bool, subprotocols: Iterable[str], compression: bool) -> None:
        extensions = _wsproto().extensions
        self.upgrade = upgrade
        self.subprotocols: tuple[str, ...] = tuple(subprotocols)
        self.key: bytes = base64.b64encode(secrets.token_bytes(16))
        self.offered: Any | None = extensions.PerMessageDeflate() if compression else None
        self.fields: list[tuple[str, str]] = [("sec-websocket-version", "13")]
        if upgrade:
            self.fields.append(("sec-websocket-key", self.key.decode("ascii")))
        if self.subprotocols:
            self.fields.append(("sec-websocket-protocol", ", ".join(self.subprotocols)))
        if self.offered is not None:
            self.fields.append(("sec-websocket-extensions", f"{self.offered.name}; {self.offered.offer()}"))

    @property
    def method(self) -> str:
        """The request's."""
        return "GET" if self.upgrade else "CONNECT"

    def is_accepted(self, response: Any) -> bool:
        """The answer opens a WebSocket, or claims to."""
        status: int = response.status_code
        return status == 101 if self.upgrade else 200 <= status < 300

    def refusal(self, response: Any) -> WebSocketRefused:
        """The error for an answer that opens none."""
        return WebSocketRefused(
            f"the server answered {response.status_code} instead of opening a WebSocket", response=response
        )

    def session(self, response: Any, max_message: int) -> Session:
        """The WebSocket that the answer opens. Raises RemoteProtocolError when it is not what was asked for."""
        headers = response.headers
        if self.upgrade:
            accept = base64.b64encode(hashlib.sha1(self.key + GUID, usedforsecurity=False).digest())
            if not hmac.compare_digest(accept, (headers.get("sec-websocket-accept") or "").encode("latin-1")):
                raise RemoteProtocolError("RFC 6455 4.1: a sec-websocket-accept that does not answer the key")
        subprotocol = headers.get("sec-websocket-protocol")
        if subprotocol is not None and subprotocol not in self.subprotocols:
            raise RemoteProtocolError(f"RFC 6455 4.1: subprotocol {subprotocol[:64]!r} was not asked for")
        extensions: list[Any] = []
        for answer in _listed(headers.get_list("sec-websocket-extensions")):
            if self.offered is None or extensions or answer.split(";")[0].strip() != self.offered.name:
                raise RemoteProtocolError(f"RFC 6455 4.1: extension {answer[:64]!r} was not asked for")
            try:
                self.offered.finalize(answer)
            except (ValueError, IndexError) as error:
                raise RemoteProtocolError("RFC 7692 7.1: malformed parameters of permessage-deflate") from error
            extensions.append(self.offered)
        return Session(extensions, subprotocol, max_message)


class Session:
    """An open WebSocket, client side. ``feed`` takes octets in; ``messages``, ``replies`` and ``over`` say what came of
    them.
    """

    def __init__(self, extensions: list[Any], subprotocol: str | None, max_message: int) -> None:
        wsproto = _wsproto()
        self.subprotocol = subprotocol
        self.max_message = max_message
        self.messages: deque[Message] = deque()
        self.queued = 0  # octets and characters in ``messages``
        self.closing = False  # we sent a close frame
        self.closed: WebSocketClosed | None = None  # nothing more will come, and why
        self.pongs: deque[bytes] = deque()  # payloads of pongs that came
        self._connection = wsproto.connection.Connection(wsproto.connection.ConnectionType.CLIENT, extensions)
        self._events = wsproto.events
        self._open_state = wsproto.connection.ConnectionState.OPEN
        self._fed = FED_CODED if extensions else QUEUE_HIGH
        self._parts: list[Any] = []
        self._size = 0
        self._pong: bytes | None = None  # what to answer the latest ping with: section 5.5.3 asks for no more
        self._close_reply = b""

    # -- in ----------------------------------------------------------------------------------------------------------

    def feed(self, octets: bytes) -> None:
        """Take in what arrived."""
        for start in range(0, len(octets), self._fed):
            if self.closed is not None:
                return
            self._connection.receive_data(octets[start : start + self._fed])
            for event in self._connection.events():
                self._receive(event)
                if self.closed is not None:
                    return

    def end(self, error: Exception | None) -> None:
        """The transport is at its end; without a close frame that is abnormal (section 7.1.5)."""
        if self.closed is None:
            self.closed = WebSocketClosed(BROKEN, str(error) if error is not None else "")
            self.closed.__cause__ = error

    def take(self) -> Message:
        """The next message."""
        message = self.messages.popleft()
        self.queued -= len(message)
        return message

    @property
    def full(self) -> bool:
        """Enough was received and not taken: the peer has to wait."""
        return self.queued >= QUEUE_HIGH or len(self.messages) >= QUEUE_MESSAGES

    def _receive(self, event: Any) -> None:
        events = self._events
        if isinstance(event, events.Message):
            self._receive_data(event)
        elif isinstance(event, events.Ping):
            self._pong = bytes(event.payload)
        elif isinstance(event, events.Pong):
            self.pongs.append(bytes(event.payload))
            if len(self.pongs) > QUEUE_MESSAGES:
                self.pongs.popleft()
        elif isinstance(event, events.CloseConnection):
            code = int(event.code)
            if self._connection.state is self._open_state:
                self._fail(code, event.reason or "a frame that breaks RFC 6455")
                return
            if not self.closing:
                self._close_reply = self._connection.send(event.response())
            self.closed = WebSocketClosed(code, event.reason or "")

    def _receive_data(self, event: Any) -> None:
        self._parts.append(event.data)
        self._size += len(event.data)
        if self._size > self.max_message:
            self._fail(TOO_BIG, f"a message longer than {self.max_message}")
        elif event.message_finished:
            parts, self._parts, self._size = self._parts, [], 0
            if self.closing:
                return  # nobody waits for it any more
            text = isinstance(event.data, str)
            message: Message = "".join(parts) if text else b"".join(map(bytes, parts))
            self.messages.append(message)
            self.queued += len(message)

    def _fail(self, code: int, reason: str) -> None:
        """Section 7.1.7: fail the connection from our side."""
        if not self.closing:
            self.closing = True
            self._close_reply = self._connection.send(self._events.CloseConnection(code=code))
        self._parts = []
        self.closed = WebSocketClosed(code, reason, initiator="library")

    # -- out ---------------------------------------------------------------------------------------------------------

    def replies(self) -> bytes:
        """What the peer's frames ask for: a pong, a close frame."""
        octets = b""
        if self._pong is not None and not self.closing and self.closed is None:
            octets = self._connection.send(self._events.Pong(payload=self._pong))
        self._pong = None
        octets += self._close_reply
        self._close_reply = b""
        return octets

    def message(self, message: Message | bytearray | memoryview) -> bytes:
        """One message as frames. Raises WebSocketClosed."""
        self._check_open()
        events = self._events
        if isinstance(message, str):
            return self._connection.send(events.TextMessage(data=message))  # type: ignore[no-any-return]
        if not isinstance(message, bytes | bytearray | memoryview):
            raise TypeError(f"a message is str or bytes, not {type(message).__name__}")
        return self._connection.send(events.BytesMessage(data=bytes(message)))  # type: ignore[no-any-return]

    def ping(self, payload: bytes) -> bytes:
        """A ping frame."""
        self._check_open()
        if len(payload) > 125:
            raise LocalProtocolError("RFC 6455 5.5: a control frame carries at most 125 octets")
        return self._connection.send(self._events.Ping(payload=payload))  # type: ignore[no-any-return]

    def close(self, code: int, reason: str) -> bytes:
        """Our close frame; nothing the second time, or when the peer was first."""
        if self.closing or self.closed is not None:
            return b""
        if code != NORMAL and not 3000 <= code <= 4999 and code not in (GOING_AWAY, 1002, 1003, 1007, 1008, 1009, 1011):
            raise LocalProtocolError(f"RFC 6455 7.4: {code} is not a code to close with")
        if len(reason.encode()) > 123:
            raise LocalProtocolError("RFC 6455 5.5: a close frame's reason takes at most 123 octets")
        self.closing = True
        return self._connection.send(  # type: ignore[no-any-return]
            self._events.CloseConnection(code=code, reason=reason or None)
        )

    def _check_open(self) -> None:
        if self.closed is not None:
            raise self.error()
        if self.closing:
            raise WebSocketClosed(NORMAL, "closed by this side", initiator="user")

    def error(self) -> WebSocketClosed:
        """Why it is closed; a new exception for each caller."""
        assert self.closed is not None
        error = WebSocketClosed(self.closed.code or NO_CODE, self.closed.reason, initiator=self.closed.initiator)
        error.__cause__ = self.closed.__cause__
        return error


def http_url(url: str) -> str:
    """The http or https URL of a ws or wss one."""
    scheme, colon, rest = url.partition(":")
    known = {"ws": "http", "wss": "https"}
    return known.get(scheme.lower(), scheme) + colon + rest


def takes_extended_connect(route: Any) -> bool:
    """The origin's connections are HTTP/2 and the peer takes WebSocket on them, or has not yet said."""
    for carrier in route.carriers if route is not None else ():
        engine = carrier.engine
        if engine.http_version == "HTTP/2":
            return not engine.settings_received or bool(engine.peer.enable_connect_protocol)
    return False


def _listed(lines: Iterable[str]) -> list[str]:
    return [item.strip() for line in lines for item in line.split(",") if item.strip()]


def _wsproto() -> Any:
    """The frames; an extra, imported when the first WebSocket is opened."""
    try:
        import wsproto.connection
        import wsproto.events
        import wsproto.extensions
    except ImportError as error:
        raise ImportError("WebSocket needs wsproto: pip install 'deuterium[ws]'") from error
    return wsproto
