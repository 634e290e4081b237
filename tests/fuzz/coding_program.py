"""Octets read as coded content: decoded or a DecodingError, the same whole and in pieces, never beyond the limits.

The first octet chooses the codings, the second the size of the pieces.
"""

from __future__ import annotations

from deuterium._http.coding import STEP, Decoder, decode_content
from deuterium.config import DecodingLimits
from deuterium.errors import DecodingError

CODINGS = (
    ("gzip",),
    ("deflate",),
    ("br",),
    ("zstd",),
    ("gzip", "gzip"),
    ("deflate", "gzip"),
    ("br", "zstd"),
    ("gzip", "deflate", "br", "zstd", "gzip"),
)
LIMITS = DecodingLimits(max_decoded_bytes=4 << 20, max_ratio=200.0, ratio_floor_bytes=64 << 10)


def run(octets: bytes) -> None:
    """Raises for a finding."""
    if len(octets) < 2:
        return
    codings, size, content = CODINGS[octets[0] % len(CODINGS)], octets[1] or 1, octets[2:]
    try:
        whole = decode_content(codings, content, LIMITS)
    except DecodingError:
        whole = None
    assert whole is None or len(whole) <= 4 << 20
    assert in_pieces(codings, content, size) == whole


def in_pieces(codings: tuple[str, ...], content: bytes, size: int) -> bytes | None:
    """What streaming gives, None for an error."""
    if not content:
        return content  # no octets at all are no content, whatever the coding
    decoder = Decoder(codings, LIMITS)
    decoded = bytearray()
    try:
        for start in range(0, len(content), size):
            for piece in decoder.iter_decode(content[start : start + size]):
                assert len(piece) <= STEP
                decoded += piece
        decoder.finish()
    except DecodingError:
        return None
    return bytes(decoded)
