"""Writes the first inputs of each corpus: ``PYTHONPATH=src:tests python tests/fuzz/seeds.py``.

What a fuzzer found in them lies beside them, named by its digest.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

from rfc import wire

CORPUS = Path(__file__).parent / "corpus"

BLOCKS = (
    wire.block((":status", "200"), ("content-type", "text/html"), ("x-new", "value")),
    b"\x88\xbe\xbf\xc0",
    b"\x3f\xe1\x1f\x88",
    b"\x20\x3f\xe1\x1f\x88",
    b"\x88\x40\x03new\x05value\xbe",
    b"\x00\x01a\x84\xff\xff\xff\xff",
    b"\x10\x01a\x01b\x5f\x00\x01c",
    b"\xff\xff\xff\xff\xff\x0f",
)
RESPONSES = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\ndone\r\n0\r\nSum: 1\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nto the end",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw",
    b'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: "x"\r\n\r\n',
    b"HTTP/1.1 302 Found\r\nLocation: //a/b\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 24\r\n\r\n" + gzip.compress(b"done", mtime=0),
)
URLS = (
    "https://example.org/a/../b?c=d#e",
    "http://[::1]:8080/",
    "HTTP://EXAMPLE.org.:080/%7Ea",
    "//other.example/x",
    "https://b\u00fccher.example/\u00e4?\u00f6",
    "http://127.1/",
    "http://a@b:c@d/",
    "../up",
    "?query",
    "https:\\\\host\\x",
    "http://[fe80::1%25eth0]/",
    "http://host%2fname/",
)


def seeds() -> dict[str, list[bytes]]:
    """For each target its inputs."""
    deflated = zlib.compressobj(9, zlib.DEFLATED, -15)
    codings = [
        gzip.compress(b"heavy water " * 40, mtime=0),
        zlib.compress(bytes(100_000), 9),
        b"\x3b",
        b"\x28\xb5\x2f\xfd",
    ]
    codings += [deflated.compress(b"raw") + deflated.flush(), gzip.compress(b"", mtime=0) * 3]
    h2 = (
        wire.settings_ack() + wire.response(1, ("content-length", "4")) + wire.data(1, b"done", end=True),
        wire.response(1, status=103) + wire.response(1) + wire.data(1, b"do", pad=3) + wire.trailers(1, ("sum", "1")),
        wire.response(1) + wire.ping() + wire.window_update(0, 9) + wire.data(1, b"x") + wire.rst_stream(1),
        wire.goaway(1) + wire.response(1, end=True),
        wire.headers(1, b"\x88", end_headers=False) + wire.continuation(1, b"", True) + wire.data(1, end=True),
    )
    sized = [len(block).to_bytes(2, "big") + block for block in BLOCKS]
    return {
        "hpack": [bytes([n * 5]) + block + sized[-n] for n, block in enumerate(sized)],
        "http1": [bytes([shape, cut]) + said for said in RESPONSES for shape, cut in ((0, 3), (12, 1), (8, 200))],
        "url": [url.encode() for url in URLS],
        "coding": [bytes([n, size]) + content for n, content in enumerate(codings) for size in (1, 100)],
        "connection": [bytes([1 + 32 * (n & 1), 200]) + said for n, said in enumerate(RESPONSES)]
        + [bytes([2 + 32 * (n & 1), 7]) + said for n, said in enumerate(h2)],
    }


def write() -> None:
    """Put them where the tests and the fuzzer look."""
    for target, inputs in seeds().items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for octets in inputs:
            (folder / hashlib.sha256(octets).hexdigest()[:12]).write_bytes(octets)


if __name__ == "__main__":
    write()
