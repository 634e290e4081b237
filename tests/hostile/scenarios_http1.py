"""HTTP/1.1 peers that attack the framing of messages, the parser, or the reuse of the connection."""

from __future__ import annotations

import time
from typing import Any

from .raw_peer import Line
from .scenario import Scenario

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MEASURED = OK + b"Content-Length: 4\r\n\r\n"
MANY = 4_000


def wrong(name: str, octets: bytes, says: str = "", act: str = "get", alpn: Any = "http/1.1") -> Scenario:
    """The exchange fails and the connection is not used again."""
    return Scenario(
        f"h1-{name}",
        lambda line: line.says(octets),
        "RemoteProtocolError",
        says=says,
        act=act,
        alpn=alpn,
    )


def fine(name: str, octets: bytes, content: bytes = b"done", act: str = "get", status: int = 200) -> Scenario:
    """Odd and legal."""
    return Scenario(
        f"h1-{name}", lambda line: line.says(octets), content=content, act=act, alpn="http/1.1", status=status
    )


def unused(name: str, octets: bytes, content: bytes = b"done", act: str = "get", status: int = 200) -> Scenario:
    """The response is had, and what follows it is nobody's: the connection is not used again."""
    return Scenario(
        f"h1-{name}",
        lambda line: line.says(octets),
        content=content,
        act=act,
        alpn="http/1.1",
        status=status,
        connections=2,
    )


def cut(name: str, octets: bytes, error: str = "ReadError", act: str = "get") -> Scenario:
    """The connection ends in good order, in the middle of the message."""

    def script(line: Line) -> None:
        line.says(octets)
        line.leaves()

    return Scenario(f"h1-{name}", script, error, alpn="http/1.1", act=act)


def field(name: str, line: bytes) -> Scenario:
    return wrong(f"field-{name}", OK + line + b"\r\nContent-Length: 4\r\n\r\ndone")


def chunks(name: str, octets: bytes) -> Scenario:
    return wrong(f"chunk-{name}", CHUNKED + octets + b"\r\n0\r\n\r\n", "7.1")


def endless(name: str, first: bytes, unit: bytes, says: str = "", times: int = MANY) -> Scenario:
    def script(line: Line) -> None:
        line.says(first)
        line.floods(unit, times, True, 50)

    return Scenario(f"h1-endless-{name}", script, "RemoteProtocolError", says=says, alpn="http/1.1")


def unasked_later(line: Line) -> None:
    """A second response while the connection is idle."""
    line.says(MEASURED, b"done")
    time.sleep(0.1)
    line.says(OK, b"Content-Length: 6\r\n\r\npoison")


def tiny_chunks(line: Line) -> None:
    """Chunks of two octets for a consumer that does not read."""
    line.says(CHUNKED)
    line.floods(b"2\r\nab\r\n", 500_000, True, 5_000)
    line.says(b"0\r\n\r\n")


def slow_chunk_sizes(line: Line) -> None:
    line.says(CHUNKED)
    line.drips(b"0" * 4_096 + b"4\r\n", 0.0)


HTTP1 = [
    # Two lengths, or one that is none (RFC 9112 section 6).
    wrong("lengths-that-differ", OK + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\ndone"),
    wrong("lengths-in-a-list", OK + b"Content-Length: 4, 4\r\n\r\ndone"),
    wrong("length-and-chunked", OK + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndone\r\n0\r\n\r\n"),
    wrong("length-signed", OK + b"Content-Length: +4\r\n\r\ndone"),
    wrong("length-negative", OK + b"Content-Length: -4\r\n\r\ndone"),
    wrong("length-hexadecimal", OK + b"Content-Length: 0x4\r\n\r\ndone"),
    wrong("length-with-an-underscore", OK + b"Content-Length: 1_0\r\n\r\n0123456789"),
    wrong("length-with-a-space-inside", OK + b"Content-Length: 1 0\r\n\r\n0123456789"),
    wrong("length-empty", OK + b"Content-Length:\r\n\r\n"),
    wrong("length-above-64-bits", OK + b"Content-Length: 18446744073709551620\r\n\r\ndone"),
    wrong("length-junk", OK + b"Content-Length: four\r\n\r\ndone"),
    wrong("length-in-other-digits", OK + b"Content-Length: \xb2\r\n\r\ndo"),
    wrong("coding-unknown", OK + b"Transfer-Encoding: xchunked\r\n\r\n4\r\ndone\r\n0\r\n\r\n"),
    wrong("coding-not-last", OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n4\r\ndone\r\n0\r\n\r\n"),
    wrong("coding-twice", OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    wrong("coding-with-vertical-tab", OK + b"Transfer-Encoding: \x0bchunked\r\n\r\n4\r\ndone\r\n0\r\n\r\n"),
    # Chunks (section 7.1).
    chunks("size-signed", b"+4\r\ndone"),
    chunks("size-negative", b"-4\r\ndone"),
    chunks("size-with-0x", b"0x4\r\ndone"),
    chunks("size-with-an-underscore", b"1_0\r\n0123456789abcdef"),
    chunks("size-empty", b"\r\ndone"),
    chunks("size-junk", b"four\r\ndone"),
    chunks("size-above-63-bits", b"ffffffffffffffff\r\ndone"),
    chunks("size-with-space-before", b" 4\r\ndone"),
    chunks("line-ends-in-lf", b"4\ndone"),
    chunks("longer-than-it-says", b"4\r\ndonemore"),
    chunks("without-line-end", b"4\r\ndone4\r\ndone"),
    chunks("extension-with-lf", b"4;a\nb\r\ndone"),
    chunks("extension-with-nul", b"4;a=\0\r\ndone"),
    fine("chunk-extension", CHUNKED + b'4;a="b";c\r\ndone\r\n0;last\r\n\r\n'),
    fine("chunk-size-with-zeros", CHUNKED + b"00004\r\ndone\r\n000\r\n\r\n"),
    fine("chunk-trailers", CHUNKED + b"4\r\ndone\r\n0\r\nSum: 1\r\n\r\n"),
    wrong("trailers-with-content-length", CHUNKED + b"4\r\ndone\r\n0\r\nContent-Length: 9\r\n\r\n"),
    wrong("trailers-with-transfer-encoding", CHUNKED + b"4\r\ndone\r\n0\r\nTransfer-Encoding: x\r\n\r\n"),
    # Lines and fields (sections 2.2, 4, 5).
    wrong("bare-cr-in-a-value", OK + b"X: a\rSet-Cookie: b\r\nContent-Length: 4\r\n\r\ndone"),
    wrong("lines-that-end-in-lf", b"HTTP/1.1 200 OK\nContent-Length: 4\n\ndone", "2.2"),
    field("with-space-before-colon", b"X : a"),
    field("without-colon", b"X"),
    field("without-name", b": a"),
    field("with-nul-in-the-name", b"X\0: a"),
    field("with-nul-in-the-value", b"X: a\0b"),
    field("with-cr-before-crlf", b"X: a\r"),
    field("with-a-quoted-name", b'"X": a'),
    field("folded", b"X: a\r\n b"),
    wrong("first-line-folded", OK + b" X: a\r\n\r\n"),
    wrong("version-2", b"HTTP/2.0 200 OK\r\n\r\n"),
    wrong("version-0.9", b"<html>", "2.3"),
    wrong("version-1.2", b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n"),
    wrong("icy", b"ICY 200 OK\r\n\r\n"),
    wrong("empty-line-first", b"\r\n" + MEASURED + b"done"),
    wrong("status-of-two-digits", b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
    wrong("status-of-four-digits", b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
    wrong("status-signed", b"HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n"),
    wrong("status-missing", b"HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
    wrong("status-below-100", b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"),
    wrong("reason-with-a-control-character", b"HTTP/1.1 200 O\x07K\r\nContent-Length: 0\r\n\r\n"),
    wrong("switching-unasked", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"),
    fine("field-with-obs-text", OK + b"X: \xff\xfe\r\nContent-Length: 4\r\n\r\ndone"),
    wrong("length-said-twice", OK + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\ndone"),
    fine("informational-some", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 64 + MEASURED + b"done"),
    fine("no-content-with-length", b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n", b"", status=204),
    # What nobody asked for.
    Scenario(
        "h1-unasked-response-while-idle", unasked_later, content=b"done", alpn="http/1.1", act="rest", connections=2
    ),
    unused("unasked-second-response", MEASURED + b"done" + OK + b"Content-Length: 6\r\n\r\npoison"),
    unused("content-to-head", MEASURED + b"done", b"", act="head"),
    unused("content-longer-than-its-length", MEASURED + b"done and more"),
    unused("content-behind-204", b"HTTP/1.1 204 No Content\r\n\r\nbody", b"", status=204),
    unused("content-behind-304", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nbody", b"", status=304),
    unused("content-behind-the-last-chunk", CHUNKED + b"4\r\ndone\r\n0\r\n\r\nmore"),
    # The end in the middle.
    cut("cut-in-the-status-line", b"HTTP/1.1 20"),
    cut("cut-in-the-fields", OK + b"Content-Le"),
    cut("cut-in-content", MEASURED + b"do"),
    cut("cut-in-streamed-content", MEASURED + b"do", act="stream"),
    cut("cut-in-a-chunk-size", CHUNKED + b"4"),
    cut("cut-in-a-chunk", CHUNKED + b"4\r\ndo"),
    cut("cut-before-the-last-chunk", CHUNKED + b"4\r\ndone\r\n"),
    cut("cut-in-trailers", CHUNKED + b"4\r\ndone\r\n0\r\nSum:"),
    cut("cut-at-once", b""),
    # Without an end.
    endless("header-section", OK, b"X: " + b"a" * 500 + b"\r\n", "longer than"),
    endless("field-value", OK + b"X: ", b"a" * 1_000, "longer than"),
    endless("field-name", OK, b"a" * 1_000, "longer than"),
    endless("short-fields", OK, b"a:\r\n" * 10, "lines"),
    endless("reason", b"HTTP/1.1 200 ", b"a" * 1_000, "longer than"),
    endless("informational", b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", "informational"),
    endless("informational-large", b"", b"HTTP/1.1 103 X\r\n" + b"X: 1\r\n" * 1_990 + b"\r\n", "informational"),
    endless("chunk-extension", CHUNKED + b"4;", b"a" * 1_000, "7.1"),
    endless("chunk-extensions", CHUNKED, b"1;" + b"a" * 1_000 + b"\r\nx\r\n", "7.1"),
    endless("chunk-size", CHUNKED, b"0" * 1_000, "7.1"),
    endless("trailers", CHUNKED + b"0\r\n", b"X: " + b"a" * 500 + b"\r\n", "longer than"),
    Scenario("h1-chunk-size-dripped", slow_chunk_sizes, "RemoteProtocolError", alpn="http/1.1", says="7.1"),
    Scenario(
        "h1-tiny-chunks-to-a-stalled-consumer",
        tiny_chunks,
        act="stall",
        alpn="http/1.1",
        length=1_000_000,
        options={"stall_s": 1.5},
        limit_s=6.0,
    ),
    wrong("in-the-clear", OK + b"Content-Length: junk\r\n\r\n", alpn=""),
]
