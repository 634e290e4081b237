"""Frames as values, for tests, traces and tools: the engine itself makes no object per frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .constants import (
    ACK,
    CONNECTION_PREFACE,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FRAME_HEADER_LENGTH,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PRIORITY,
    PRIORITY_FLAG,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
)

FRAME_NAMES = {
    DATA: "DATA",
    HEADERS: "HEADERS",
    PRIORITY: "PRIORITY",
    RST_STREAM: "RST_STREAM",
    SETTINGS: "SETTINGS",
    PUSH_PROMISE: "PUSH_PROMISE",
    PING: "PING",
    GOAWAY: "GOAWAY",
    WINDOW_UPDATE: "WINDOW_UPDATE",
    CONTINUATION: "CONTINUATION",
    0xA: "ALTSVC",  # RFC 7838
    0xC: "ORIGIN",  # RFC 8336
    0x10: "PRIORITY_UPDATE",  # RFC 9218
}

FLAG_NAMES = {
    DATA: ((END_STREAM, "END_STREAM"), (PADDED, "PADDED")),
    HEADERS: (
        (END_STREAM, "END_STREAM"),
        (END_HEADERS, "END_HEADERS"),
        (PADDED, "PADDED"),
        (PRIORITY_FLAG, "PRIORITY"),
    ),
    SETTINGS: ((ACK, "ACK"),),
    PUSH_PROMISE: ((END_HEADERS, "END_HEADERS"), (PADDED, "PADDED")),
    PING: ((ACK, "ACK"),),
    CONTINUATION: ((END_HEADERS, "END_HEADERS"),),
}


def frame_name(kind: int) -> str:
    """``DATA`` for 0; the hexadecimal number for a type no RFC names."""
    return FRAME_NAMES.get(kind, hex(kind))


def flag_names(kind: int, flags: int) -> str:
    """The flags set, as RFC 9113 section 6 names them for this type; what is left over in hexadecimal.

    >>> flag_names(0x1, 0x5)
    'END_STREAM|END_HEADERS'
    """
    names = []
    for bit, name in FLAG_NAMES.get(kind, ()):
        if flags & bit:
            names.append(name)
            flags &= ~bit
    if flags:
        names.append(hex(flags))
    return "|".join(names)


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """The nine octets every frame begins with (RFC 9113 section 4.1), without the reserved bit."""

    length: int
    kind: int
    flags: int
    stream_id: int

    @property
    def name(self) -> str:
        """The name of the type."""
        return frame_name(self.kind)

    @property
    def flag_names(self) -> str:
        """The names of the flags that are set."""
        return flag_names(self.kind, self.flags)

    def __str__(self) -> str:
        words = [self.name, f"stream={self.stream_id}", f"length={self.length}", self.flag_names]
        return " ".join(word for word in words if word)


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole frame. The properties read its payload as its type defines it; they check nothing.

    >>> [frame] = iter_frames(bytes.fromhex("000004 03 00 00000001 00000008"))
    >>> str(frame), frame.error_code
    ('RST_STREAM stream=1 length=4', 8)
    """

    header: FrameHeader
    payload: bytes

    @property
    def kind(self) -> int:
        """The type."""
        return self.header.kind

    @property
    def flags(self) -> int:
        """All eight flags."""
        return self.header.flags

    @property
    def stream_id(self) -> int:
        """The stream the frame belongs to; 0 for the connection."""
        return self.header.stream_id

    @property
    def name(self) -> str:
        """The name of the type."""
        return self.header.name

    @property
    def end_stream(self) -> bool:
        """DATA and HEADERS: the last of its stream (section 5.1)."""
        return self.kind in (DATA, HEADERS) and self.flags & END_STREAM != 0

    @property
    def end_headers(self) -> bool:
        """HEADERS and CONTINUATION: the last of its field block (section 4.3)."""
        return self.kind in (HEADERS, CONTINUATION) and self.flags & END_HEADERS != 0

    @property
    def ack(self) -> bool:
        """SETTINGS and PING: an acknowledgement."""
        return self.kind in (SETTINGS, PING) and self.flags & ACK != 0

    @property
    def content(self) -> bytes:
        """DATA, HEADERS and CONTINUATION: the payload without padding and priority."""
        start = 0
        end = len(self.payload)
        if self.kind in (DATA, HEADERS):
            if self.flags & PADDED:
                start = 1
                end -= self.payload[0]
            if self.kind == HEADERS and self.flags & PRIORITY_FLAG:
                start += 5
        return self.payload[start:end]

    @property
    def error_code(self) -> int:
        """RST_STREAM and GOAWAY: the error code (section 7)."""
        start = 4 if self.kind == GOAWAY else 0
        return int.from_bytes(self.payload[start : start + 4], "big")

    @property
    def last_stream_id(self) -> int:
        """GOAWAY: the highest stream its sender may have acted on (section 6.8)."""
        return int.from_bytes(self.payload[:4], "big") & 0x7FFFFFFF

    @property
    def debug_data(self) -> bytes:
        """GOAWAY: what its sender adds for people to read (section 6.8)."""
        return self.payload[8:]

    @property
    def increment(self) -> int:
        """WINDOW_UPDATE: the octets given (section 6.9)."""
        return int.from_bytes(self.payload[:4], "big") & 0x7FFFFFFF

    @property
    def settings(self) -> list[tuple[int, int]]:
        """SETTINGS: identifiers and values, in order (section 6.5)."""
        return [
            (int.from_bytes(self.payload[at : at + 2], "big"), int.from_bytes(self.payload[at + 2 : at + 6], "big"))
            for at in range(0, len(self.payload), 6)
        ]

    def __str__(self) -> str:
        return str(self.header)


def iter_frames(octets: bytes) -> Iterator[Frame]:
    """The frames in ``octets``; a connection preface before them is skipped.

    Raises ValueError when the octets end inside a frame.
    """
    position = len(CONNECTION_PREFACE) if octets.startswith(CONNECTION_PREFACE) else 0
    while position < len(octets):
        start = position + FRAME_HEADER_LENGTH
        length = int.from_bytes(octets[position : position + 3], "big")
        if start + length > len(octets):
            raise ValueError(f"the octets end inside the frame at {position}")
        stream_id = int.from_bytes(octets[position + 5 : start], "big") & 0x7FFFFFFF
        header = FrameHeader(length, octets[position + 3], octets[position + 4], stream_id)
        position = start + length
        yield Frame(header, octets[start:position])
