"""What the octets of a field value are: illegal, or outside ASCII; as bits, so that a whole string's can be or-ed."""

from __future__ import annotations

ILLEGAL = 1  # RFC 9113 section 8.2.1: NUL, CR, LF
NOT_ASCII = 2

OCTET_CLASSES = bytes(
    (ILLEGAL if octet in (0, 10, 13) else 0) | (NOT_ASCII if octet > 127 else 0) for octet in range(256)
)
_classes = OCTET_CLASSES
CLASSES = _classes  # a bytes object when interpreted, a pointer into that object when compiled


def classes_of(data: bytearray, start: int, end: int) -> int:
    """The classes of the octets ``start`` up to ``end``, or-ed.

    Compiled, ``data`` is a pointer, and the caller knows that the octets exist.
    """
    seen = 0
    for position in range(start, end):
        seen |= CLASSES[data[position]]
    return seen
