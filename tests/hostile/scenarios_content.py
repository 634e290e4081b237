"""Content codings that explode, nest, loop, lie or are cut."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

from rfc import wire

from .raw_peer import Line
from .scenario import ANY, Scenario

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

try:
    import brotli
except ImportError:  # PyPy
    import brotlicffi as brotli

MIB = 1024 * 1024
ZEROS = bytes(MIB)


def gzipped(pieces: int) -> bytes:
    """So many mebibytes of zeros; the checksum is wrong, and nobody gets that far."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    first = compressor.compress(ZEROS) + compressor.flush(zlib.Z_FULL_FLUSH)
    piece = compressor.compress(ZEROS) + compressor.flush(zlib.Z_FULL_FLUSH)  # the same wherever it stands
    return first + piece * (pieces - 1) + compressor.flush()


@cache
def gzip_bomb() -> bytes:
    """0.5 MB that become 512 MiB."""
    return gzipped(512)


@cache
def gzip_of_gzip() -> bytes:
    """A kilobyte or two that become 512 MiB in two steps."""
    return zlib.compress(gzip_bomb(), 9, 31)


@cache
def brotli_bomb() -> bytes:
    compressor = brotli.Compressor(quality=5)
    return b"".join(compressor.process(ZEROS) for _ in range(256)) + compressor.finish()


@cache
def zstd_bomb() -> bytes:
    compressor = zstd.ZstdCompressor()
    return b"".join(compressor.compress(ZEROS) for _ in range(256)) + compressor.flush()


@cache
def quine_chain(layers: int) -> bytes:
    content = b"done"
    for _ in range(layers):
        content = zlib.compress(content, 1, 31)
    return content


def coded(content: Callable[[], bytes], codings: str, http2: bool = True) -> Callable[[Line], None]:
    def script(line: Line) -> None:
        data = content()
        if http2:
            line.says(wire.response(1, ("content-encoding", codings), ("content-length", str(len(data)))))
            for start in range(0, len(data), 16_384):
                line.says(wire.data(1, data[start : start + 16_384], start + 16_384 >= len(data)))
        else:
            line.says(b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\n" % codings.encode())
            line.says(b"Content-Length: %d\r\n\r\n" % len(data), data)

    return script


def bad(name: str, content: Callable[[], bytes], codings: str, says: str = "", **arguments: Any) -> Scenario:
    http2 = arguments.get("alpn", "h2") == "h2"
    return Scenario(
        f"content-{name}", coded(content, codings, http2), "DecodingError", says=says, limit_s=6.0, **arguments
    )


CONTENT = [
    bad("gzip-bomb", gzip_bomb, "gzip", "ratio"),
    bad("gzip-bomb-streamed", gzip_bomb, "gzip", "ratio", act="stream", reset=ANY),
    bad("gzip-bomb-over-http1", gzip_bomb, "gzip", "ratio", alpn="http/1.1"),
    bad("gzip-of-gzip-bomb", gzip_of_gzip, "gzip, gzip", "ratio"),
    bad("deflate-bomb", lambda: zlib.compress(bytes(64 * MIB), 9), "deflate", "ratio"),
    bad("br-bomb", brotli_bomb, "br", "ratio"),
    bad("zstd-bomb", zstd_bomb, "zstd", "ratio"),
    bad("six-layers", lambda: quine_chain(6), ", ".join(["gzip"] * 6), "max_layers"),
    bad("a-thousand-layers", lambda: b"x", ", ".join(["gzip"] * 1_000), "max_layers"),
    Scenario("content-five-layers", coded(lambda: quine_chain(5), ", ".join(["gzip"] * 5)), content=b"done"),
    bad("junk", lambda: b"\xde\xad\xbe\xef" * 100, "gzip"),
    bad("cut", lambda: gzip_bomb()[:100], "gzip", "ends before"),
    bad("checksum-wrong", lambda: quine_chain(1)[:-8] + bytes(8), "gzip"),
    bad("zstd-window-of-4-gib", lambda: b"\x28\xb5\x2f\xfd\x00\xb0" + bytes(100), "zstd"),
    bad("a-million-empty-members", lambda: zlib.compress(b"", 9, 31) * 200_000, "gzip", "empty"),
    bad("br-of-junk", lambda: b"\xff" * 1_000, "br"),
]
