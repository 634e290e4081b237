"""Request content compressed: gzip or zstd, whole or piece by piece."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from .decompressors import GZIP_WINDOW, zstd_library

# zlib's and zstd's own choices between time and size.
GZIP_LEVEL: Final = 6
ZSTD_LEVEL: Final = 3


class Compressor:
    """Compresses content that comes in pieces.

    ``coding``: ``"gzip"`` or ``"zstd"``. Raises ValueError for another, or when zstd is not installed.

    >>> compressor = Compressor("gzip")
    >>> import zlib
    >>> zlib.decompress(compressor.compress(b"heavy ") + compressor.compress(b"water") + compressor.finish(), 31)
    b'heavy water'
    """

    __slots__ = ("inner",)

    def __init__(self, coding: str) -> None:
        self.inner: Any
        if coding == "gzip":
            self.inner = zlib.compressobj(GZIP_LEVEL, wbits=GZIP_WINDOW)
        elif coding == "zstd":
            library = zstd_library()
            if library is None:
                raise ValueError("zstd is not installed: pip install 'deuterium[zstd]'")
            self.inner = library.ZstdCompressor(level=ZSTD_LEVEL)
        else:
            raise ValueError(f"request content can be compressed by gzip or zstd, not by {coding!r}")

    def compress(self, data: bytes) -> bytes:
        """What is ready of the compressed content; often nothing."""
        out: bytes = self.inner.compress(data)
        return out

    def finish(self) -> bytes:
        """The rest."""
        out: bytes = self.inner.flush()
        return out


def compress(coding: str, content: bytes) -> bytes:
    """All of ``content``, compressed."""
    compressor = Compressor(coding)
    return compressor.compress(content) + compressor.finish()


def iter_compressed(coding: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """``pieces`` compressed as one content; never an empty piece."""
    compressor = Compressor(coding)
    for piece in pieces:
        out = compressor.compress(piece)
        if out:
            yield out
    yield compressor.finish()
