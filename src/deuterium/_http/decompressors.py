"""One decompressor per content coding, each in bounded steps and with the same four words.

The words are those of ``compression.zstd.ZstdDecompressor`` in the standard library: ``decompress(data, max_length)``,
``needs_input``, ``eof``, ``unused_data``. None of the libraries can reset a decompressor, so none is pooled.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from types import ModuleType
from typing import Any, Final, Protocol

GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
ZLIB_WINDOW: Final = zlib.MAX_WBITS
RAW_WINDOW: Final = -zlib.MAX_WBITS
ZSTD_WINDOW_LOG: Final = 23  # RFC 9659 section 3: a content-coded frame needs a window of at most 8 MiB

GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
ZSTD_SKIPPABLE: Final = b"\x2a\x4d\x18"  # behind one octet 0x50 to 0x5f, RFC 8878 section 3.1.2


class Decompressor(Protocol):
    """One compressed stream being read; ``data`` may be given only while ``needs_input``."""

    @property
    def needs_input(self) -> bool: ...
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Coding:
    """How a content coding is read.

    ``open`` makes a decompressor from the first ``head`` octets of a stream; ``follows`` says whether octets behind
    one stream begin another; if they do not, they are skipped when ``skips_rest``, and otherwise an error.
    """

    name: str
    head: int
    open: Callable[[bytes], Decompressor]
    errors: tuple[type[Exception], ...]
    follows: Callable[[bytes], bool] = lambda head: False
    skips_rest: bool = True


class ZlibDecompressor:
    """zlib, raw deflate or one gzip member."""

    __slots__ = ("eof", "inner", "left", "needs_input", "unused_data")

    def __init__(self, window: int) -> None:
        self.inner = zlib.decompressobj(window)
        self.left = b""  # given, and not looked at yet
        self.needs_input = True
        self.eof = False
        self.unused_data = b""

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        inner = self.inner
        out = inner.decompress(self.left or data, max_length)
        if inner.eof:
            self.eof = True
            self.left = b""
            self.unused_data = inner.unused_data
            self.needs_input = False
        else:
            # A step that fills its output may have more inside even when it has taken in all of its input.
            self.left = inner.unconsumed_tail
            self.needs_input = not self.left and len(out) < max_length
        return out


class BrotliDecompressor:
    """One brotli stream. The library's limit is approximate; what exceeds ours is held back."""

    __slots__ = ("held", "inner")

    unused_data = b""

    def __init__(self, library: ModuleType) -> None:
        self.inner: Any = library.Decompressor()
        self.held = b""

    @property
    def needs_input(self) -> bool:
        return not self.held and not self.eof and bool(self.inner.can_accept_more_data())

    @property
    def eof(self) -> bool:
        return not self.held and bool(self.inner.is_finished())

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        out: bytes = self.held or self.inner.process(data, output_buffer_limit=max_length)
        self.held = out[max_length:]
        return out[:max_length] if self.held else out


def available_codings() -> tuple[str, ...]:
    """The codings that can be decoded here, the ones most servers offer first."""
    return tuple(name for name in ("gzip", "deflate", "br", "zstd") if find_coding(name) is not None)


@cache
def find_coding(name: str) -> Coding | None:
    """The coding of that lower-case name; None if it is unknown, or its library is not installed."""
    if name in ("gzip", "x-gzip"):  # RFC 9110 section 8.4.1.3: the same
        return Coding("gzip", 2, lambda head: ZlibDecompressor(GZIP_WINDOW), (zlib.error,), GZIP_MAGIC.__eq__)
    if name == "deflate":
        return Coding("deflate", 2, _open_deflate, (zlib.error,))
    if name == "br":
        return _brotli()
    if name == "zstd":
        return _zstd()
    return None


def _open_deflate(head: bytes) -> Decompressor:
    # RFC 9110 section 8.4.1.2 means zlib, and some servers send raw deflate. A zlib header is recognised by its
    # method and its check (RFC 1950 section 2.2); a raw stream cannot begin so unless its first block is stored with
    # a padding bit set, which no compressor does.
    zlib_header = head[0] & 0x8F == 0x08 and int.from_bytes(head, "big") % 31 == 0
    return ZlibDecompressor(ZLIB_WINDOW if zlib_header else RAW_WINDOW)


def _brotli() -> Coding | None:
    # Before 1.2 neither library could bound a step; such a one counts as not installed.
    for library_name in ("brotli", "brotlicffi"):
        library = optional_module(library_name)
        if library is not None and hasattr(library.Decompressor, "can_accept_more_data"):
            return Coding("br", 0, partial(_open_brotli, library), (library.error,), skips_rest=False)
    return None


def _open_brotli(library: ModuleType, head: bytes) -> Decompressor:
    return BrotliDecompressor(library)


def _zstd() -> Coding | None:
    library = zstd_library()
    if library is None:
        return None
    options = {library.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG}
    return Coding(
        "zstd", 4, lambda head: library.ZstdDecompressor(options=options), (library.ZstdError, EOFError), _zstd_follows
    )


def _zstd_follows(head: bytes) -> bool:
    return head == ZSTD_MAGIC or (head[1:] == ZSTD_SKIPPABLE and head[0] & 0xF0 == 0x50)


def zstd_library() -> ModuleType | None:
    """``compression.zstd`` (Python 3.14) or its backport, which has the same interface."""
    return optional_module("compression.zstd") or optional_module("backports.zstd")


def optional_module(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None
