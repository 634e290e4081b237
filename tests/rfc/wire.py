"""Octets of HTTP/2 for tests, built from the RFC's numbers and not with the engine's code.

Field blocks come from ``hpack``, the other implementation at hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

(
    DATA,
    HEADERS,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    PUSH_PROMISE,
    PING,
    GOAWAY,
    WINDOW_UPDATE,
    CONTINUATION,
) = range(10)

END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITY_FLAG = 0x20

(
    NO_ERROR,
    PROTOCOL_ERROR,
    INTERNAL_ERROR,
    FLOW_CONTROL_ERROR,
    SETTINGS_TIMEOUT,
    STREAM_CLOSED,
    FRAME_SIZE_ERROR,
    REFUSED_STREAM,
    CANCEL,
    COMPRESSION_ERROR,
    CONNECT_ERROR,
    ENHANCE_YOUR_CALM,
    INADEQUATE_SECURITY,
    HTTP_1_1_REQUIRED,
) = range(14)

HEADER_TABLE_SIZE = 1
ENABLE_PUSH = 2
MAX_CONCURRENT_STREAMS = 3
INITIAL_WINDOW_SIZE = 4
MAX_FRAME_SIZE = 5
MAX_HEADER_LIST_SIZE = 6
ENABLE_CONNECT_PROTOCOL = 8
NO_RFC7540_PRIORITIES = 9

Fields = Iterable[tuple[str, str]]


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"", length: int | None = None) -> bytes:
    """Any frame; ``length`` lies about the payload's."""
    size = len(payload) if length is None else length
    return size.to_bytes(3, "big") + bytes([kind, flags]) + stream_id.to_bytes(4, "big") + payload


def padded(payload: bytes, pad: int | None) -> tuple[int, bytes]:
    """The PADDED flag and the payload with ``pad`` octets of padding; neither for None."""
    if pad is None:
        return 0, payload
    return PADDED, bytes([pad]) + payload + bytes(pad)


def data(stream_id: int, content: bytes = b"", end: bool = False, pad: int | None = None) -> bytes:
    flags, payload = padded(content, pad)
    return frame(DATA, flags | (END_STREAM if end else 0), stream_id, payload)


def block(*fields: tuple[str, str]) -> bytes:
    """A field block that refers to nothing sent before, so that blocks may be built in any order."""
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    # hpack's Huffman code takes time by the square of the length.
    return hpack.Encoder().encode(pairs, huffman=all(len(value) < 1_000 for _, value in pairs))


def headers(
    stream_id: int,
    fragment: bytes,
    end: bool = False,
    end_headers: bool = True,
    pad: int | None = None,
    priority: bytes | None = None,
) -> bytes:
    flags = (END_STREAM if end else 0) | (END_HEADERS if end_headers else 0)
    if priority is not None:
        flags |= PRIORITY_FLAG
        fragment = priority + fragment
    pad_flag, payload = padded(fragment, pad)
    return frame(HEADERS, flags | pad_flag, stream_id, payload)


def response(stream_id: int, *fields: tuple[str, str], status: int | str = 200, end: bool = False) -> bytes:
    """HEADERS with a whole field section."""
    return headers(stream_id, block((":status", str(status)), *fields), end)


def trailers(stream_id: int, *fields: tuple[str, str], end: bool = True) -> bytes:
    return headers(stream_id, block(*fields), end)


def continuation(stream_id: int, fragment: bytes, end_headers: bool = False) -> bytes:
    return frame(CONTINUATION, END_HEADERS if end_headers else 0, stream_id, fragment)


def priority(stream_id: int, payload: bytes = bytes(5)) -> bytes:
    return frame(PRIORITY, 0, stream_id, payload)


def rst_stream(stream_id: int, code: int = CANCEL) -> bytes:
    return frame(RST_STREAM, 0, stream_id, code.to_bytes(4, "big"))


def settings(entries: Mapping[int, int] | Iterable[tuple[int, int]] = ()) -> bytes:
    pairs = entries.items() if isinstance(entries, Mapping) else entries
    return frame(SETTINGS, 0, 0, b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in pairs))


def settings_ack() -> bytes:
    return frame(SETTINGS, ACK, 0)


def push_promise(stream_id: int, promised_id: int, fragment: bytes) -> bytes:
    return frame(PUSH_PROMISE, END_HEADERS, stream_id, promised_id.to_bytes(4, "big") + fragment)


def ping(payload: bytes = bytes(8), ack: bool = False) -> bytes:
    return frame(PING, ACK if ack else 0, 0, payload)


def goaway(last_stream_id: int, code: int = NO_ERROR, debug: bytes = b"") -> bytes:
    return frame(GOAWAY, 0, 0, last_stream_id.to_bytes(4, "big") + code.to_bytes(4, "big") + debug)


def window_update(stream_id: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream_id, increment.to_bytes(4, "big"))
