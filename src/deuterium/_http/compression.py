"""Request content compressed: gzip or zstd, whole or piece by piece."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any, Final

from .decompressors import GZIP_WINDOW, zstd_library

# zlib's and zstd's own choices between time and size.
GZIP_LEVEL: Final = 6
ZSTD_LEVEL: Final = 3

# Shorter content travels in one packet either way; nginx and Apache leave it alone too.
WORTH_OCTETS: Final = 1024


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


def checked_coding(given: str | bool | None) -> str:
    """The coding an option asks for, empty for none; True is gzip. Raises ValueError for one there is not."""
    coding = "gzip" if given is True else given or ""
    if coding:
        Compressor(coding)
    return coding


def compress(coding: str, content: bytes) -> bytes:
    """All of ``content``, compressed."""
    compressor = Compressor(coding)
    return compressor.compress(content) + compressor.finish()


def iter_compressed(coding: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """``pieces`` compressed as one content; never an empty piece."""
    compressor = Compressor(coding)
    for piece in pieces:
        out = compressor.compress(_octets(piece))
        if out:
            yield out
    yield compressor.finish()


async def aiter_compressed(coding: str, pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The same for pieces that come asynchronously."""
    compressor = Compressor(coding)
    async for piece in pieces:
        out = compressor.compress(_octets(piece))
        if out:
            yield out
    yield compressor.finish()


class CompressedPieces:
    """An iterable of pieces, compressed anew whenever it is iterated."""

    __slots__ = ("coding", "pieces")

    def __init__(self, coding: str, pieces: Any) -> None:
        self.coding = coding
        self.pieces = pieces

    @property
    def replayable(self) -> bool:
        """The pieces can be iterated again."""
        return bool(getattr(self.pieces, "replayable", False))


class SyncCompressedPieces(CompressedPieces):
    """Of an iterable."""

    __slots__ = ()

    def __iter__(self) -> Iterator[bytes]:
        return iter_compressed(self.coding, self.pieces)


class AsyncCompressedPieces(CompressedPieces):
    """Of an asynchronous iterable."""

    __slots__ = ()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter_compressed(self.coding, self.pieces)


def compressed_pieces(coding: str, pieces: Any) -> CompressedPieces:
    """``pieces``, sync or async, compressed as one content."""
    return (AsyncCompressedPieces if hasattr(pieces, "__aiter__") else SyncCompressedPieces)(coding, pieces)


def _octets(piece: Any) -> bytes:
    return piece.encode() if isinstance(piece, str) else bytes(piece)
