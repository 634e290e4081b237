"""Numbers of RFC 9113 and the limits this client puts on what a peer can grow."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

CONNECTION_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_HEADER_LENGTH: Final = 9

# Frame types, section 6.
DATA: Final = 0x0
HEADERS: Final = 0x1
PRIORITY: Final = 0x2
RST_STREAM: Final = 0x3
SETTINGS: Final = 0x4
PUSH_PROMISE: Final = 0x5
PING: Final = 0x6
GOAWAY: Final = 0x7
WINDOW_UPDATE: Final = 0x8
CONTINUATION: Final = 0x9

# Flags, section 6.
END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITY_FLAG: Final = 0x20


class ErrorCode(IntEnum):
    """Section 7."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    INTERNAL_ERROR = 0x2
    FLOW_CONTROL_ERROR = 0x3
    SETTINGS_TIMEOUT = 0x4
    STREAM_CLOSED = 0x5
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    CONNECT_ERROR = 0xA
    ENHANCE_YOUR_CALM = 0xB
    INADEQUATE_SECURITY = 0xC
    HTTP_1_1_REQUIRED = 0xD


PROTOCOL_ERROR: Final = int(ErrorCode.PROTOCOL_ERROR)
FLOW_CONTROL_ERROR: Final = int(ErrorCode.FLOW_CONTROL_ERROR)
STREAM_CLOSED: Final = int(ErrorCode.STREAM_CLOSED)
FRAME_SIZE_ERROR: Final = int(ErrorCode.FRAME_SIZE_ERROR)
REFUSED_STREAM: Final = int(ErrorCode.REFUSED_STREAM)
CANCEL: Final = int(ErrorCode.CANCEL)
ENHANCE_YOUR_CALM: Final = int(ErrorCode.ENHANCE_YOUR_CALM)


def error_name(code: int) -> str:
    """``CANCEL`` for 8; the hexadecimal number for a code no RFC names."""
    try:
        return ErrorCode(code).name
    except ValueError:
        return hex(code)


# Settings, section 6.5.2, RFC 8441 section 3, RFC 9218 section 2.1.
HEADER_TABLE_SIZE: Final = 0x1
ENABLE_PUSH: Final = 0x2
MAX_CONCURRENT_STREAMS: Final = 0x3
INITIAL_WINDOW_SIZE: Final = 0x4
MAX_FRAME_SIZE: Final = 0x5
MAX_HEADER_LIST_SIZE: Final = 0x6
ENABLE_CONNECT_PROTOCOL: Final = 0x8
NO_RFC7540_PRIORITIES: Final = 0x9

DEFAULT_WINDOW: Final = 65_535
MAX_WINDOW: Final = 2**31 - 1
MIN_MAX_FRAME_SIZE: Final = 16_384
MAX_MAX_FRAME_SIZE: Final = 2**24 - 1
MAX_STREAM_ID: Final = 2**31 - 1

# Limits on the peer. Each names its precedent.
ASSUMED_MAX_CONCURRENT_STREAMS: Final = 100  # until SETTINGS arrive: what Go assumes, and what most servers allow
MAX_CONTINUATIONS: Final = 16  # with HEADERS they hold MAX_FIELD_BLOCK in frames of 16 KiB; nghttp2 stops at 8
MAX_FIELD_BLOCK: Final = 256 * 1024  # compressed octets of one field block; the decoded limit is an option
MAX_SETTINGS_ENTRIES: Final = 32  # nghttp2
MAX_QUEUED_REPLIES: Final = 1_000  # PING and SETTINGS acknowledgements not yet written; nghttp2
MAX_INFORMATIONAL: Final = 64  # 1xx responses to one request; curl and Go bound their octets instead
MAX_RESET_MEMORY: Final = 4_096  # streams we reset whose late frames are still told from violations
NOISE_BURST: Final = 10_000  # frames that carry nothing (nghttp2's glitch limiter)
NOISE_PER_S: Final = 330
WINDOW_UPDATES_PER_DATA: Final = 10  # Envoy: what one sent DATA frame may earn in answers
MAX_DEBUG_DATA: Final = 256  # octets of GOAWAY debug data kept for the message
