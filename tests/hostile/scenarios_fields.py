"""HTTP/2 field sections that lie, break the rules, or are made to be expensive; and content that does not fit them."""

from __future__ import annotations

from rfc import wire

from .raw_peer import Line
from .scenario import Scenario
from .scenarios_frames import PROTOCOL, harmless, malformed, wrong

HEADERS = wire.headers(1, b"\x88")
COMPRESSION = wire.COMPRESSION_ERROR
CONTENT = wire.data(1, b"done", end=True)


def raw(*fields: tuple[bytes, bytes]) -> bytes:
    """Literals without indexing, names and values taken as they are; both below 127 octets."""
    return b"".join(b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in fields)


def field(name: str, octet_name: bytes, value: bytes) -> Scenario:
    """A response with a field no response may have."""
    return malformed(name, wire.headers(1, b"\x88" + raw((octet_name, value))) + CONTENT)


def section(name: str, *fields: tuple[str, str], content: bytes = CONTENT) -> Scenario:
    return malformed(name, wire.headers(1, wire.block(*fields)) + content)


def trailers(name: str, *fields: tuple[bytes, bytes], end: bool = True) -> Scenario:
    return malformed(name, HEADERS + wire.data(1, b"done") + wire.headers(1, raw(*fields), end))


def in_frames(block: bytes) -> bytes:
    """A field block in as many CONTINUATION frames as it takes."""
    pieces = [block[start : start + 16_384] for start in range(0, len(block), 16_384)]
    if len(pieces) == 1:
        return wire.headers(1, block)
    return (
        wire.headers(1, pieces[0], end_headers=False)
        + b"".join(wire.continuation(1, piece) for piece in pieces[1:-1])
        + wire.continuation(1, pieces[-1], True)
    )


def long_literal(name: bytes, value: bytes) -> bytes:
    """A literal without indexing and without Huffman code, whatever its length."""

    def string(octets: bytes) -> bytes:
        size = len(octets)
        if size < 127:
            return bytes([size]) + octets
        size -= 127
        head = b"\x7f"
        while size > 127:
            head += bytes([size & 127 | 128])
            size >>= 7
        return head + bytes([size]) + octets

    return b"\0" + string(name) + string(value)


# An entry as large as the dynamic table takes, then many references of an octet each.
BOMB_ENTRY = b"\x40\x01b" + long_literal(b"", b"x" * 4_000)[2:]
BOMB = b"\x88" + BOMB_ENTRY + b"\xbe" * 16_000
SMALL_BOMB = b"\x88" + BOMB_ENTRY + b"\xbe" * 63
COOKIE_CRUMBS = b"\x88" + b"\x60\x00" * 8_000  # cookie with an empty value, in two octets
MANY_SMALL = b"\x88" + b"".join(raw((b"a%04d" % number, b"")) for number in range(6_000))


def eight_mebibytes(line: Line) -> None:
    """8 MiB of fields in one section."""
    block = b"\x88" + b"".join(long_literal(b"x-%d" % number, b"v" * 16_000) for number in range(512))
    line.says(in_frames(block))


def bomb_on_many(line: Line) -> None:
    """A section just below the limit on every stream, from one entry of the table."""
    for number in range(20):
        line.hears_request(2 * number + 1)
    line.says(wire.headers(1, SMALL_BOMB), wire.data(1, b"done", end=True))
    for number in range(1, 20):
        line.says(wire.headers(2 * number + 1, b"\x88" + b"\xbe" * 63), wire.data(2 * number + 1, b"done", end=True))
    line.answered = 20


def changing_table(line: Line) -> None:
    line.says(wire.headers(1, b"\x20\x3f\xe1\x1f" * 4_000 + b"\x88"))


def content(name: str, length: str, *octets: bytes, method: str = "get") -> Scenario:
    answer = wire.response(1, ("content-length", length)) + b"".join(octets)
    return Scenario(
        name, lambda line: line.says(answer), "RemoteProtocolError", reset=PROTOCOL, says="8.1.1", act=method
    )


FIELDS = [
    # :status, section 8.3.2.
    section("status-missing", ("server", "x")),
    section("status-doubled", (":status", "200"), (":status", "200")),
    section("status-late", ("server", "x"), (":status", "200")),
    *(
        section(f"status-{name}", (":status", value))
        for name, value in (
            ("empty", ""),
            ("of-two-digits", "99"),
            ("of-four-digits", "2000"),
            ("signed", "+20"),
            ("with-a-space", "200 "),
            ("in-words", "ok!"),
            ("negative", "-20"),
            ("below-100", "099"),
            ("in-other-digits", "\xb2\xb0\xb0"),
        )
    ),
    section("status-101", (":status", "101")),
    section("request-pseudo-field", (":status", "200"), (":path", "/")),
    section("unknown-pseudo-field", (":status", "200"), (":protocol", "x")),
    malformed("informational-that-ends-the-stream", wire.response(1, status=103, end=True)),
    # Field names and values, section 8.2.
    field("field-name-in-upper-case", b"Server", b"x"),
    field("field-name-empty", b"", b"x"),
    field("field-name-with-a-space", b"a b", b"x"),
    field("field-name-with-a-colon", b"a:b", b"x"),
    field("field-name-with-cr-lf", b"a\r\nb", b"x"),
    field("field-name-with-nul", b"a\0", b"x"),
    field("field-name-not-ascii", b"\xffx", b"x"),
    field("field-value-with-cr", b"x", b"a\rb"),
    field("field-value-with-lf", b"x", b"a\nset-cookie: b"),
    field("field-value-with-cr-lf", b"x", b"a\r\nset-cookie: b"),
    field("field-value-with-nul", b"x", b"a\0b"),
    field("field-value-with-space-before", b"x", b" a"),
    field("field-value-with-tab-behind", b"x", b"a\t"),
    *(
        field(f"connection-specific-{name}", name.encode(), value)
        for name, value in (
            ("connection", b"close"),
            ("keep-alive", b"x"),
            ("proxy-connection", b"x"),
            ("transfer-encoding", b"chunked"),
            ("upgrade", b"h2c"),
            ("te", b"gzip"),
        )
    ),
    section("content-lengths-that-differ", (":status", "200"), ("content-length", "4"), ("content-length", "5")),
    section("content-length-signed", (":status", "200"), ("content-length", "+4")),
    section("content-length-negative", (":status", "200"), ("content-length", "-1")),
    section("content-length-in-a-list", (":status", "200"), ("content-length", "4, 5")),
    section("content-length-of-twenty-digits", (":status", "200"), ("content-length", "1" * 20)),
    # Trailers, section 8.1.
    trailers("trailers-with-status", (b":status", b"200")),
    trailers("trailers-in-upper-case", (b"Sum", b"1")),
    trailers("trailers-that-do-not-end-the-stream", (b"sum", b"1"), end=False),
    trailers("trailers-connection-specific", (b"connection", b"x")),
    # Content, section 8.1.1.
    content("content-too-long", "3", wire.data(1, b"done", end=True)),
    content("content-too-short", "5", wire.data(1, b"done", end=True)),
    content("content-missing", "5", wire.data(1, end=True)),
    content("content-cut-by-trailers", "5", wire.data(1, b"done"), wire.headers(1, raw((b"sum", b"1")), True)),
    content("content-too-long-streamed", "3", wire.data(1, b"done", end=True), method="stream"),
    content("content-to-head", "4", wire.data(1, b"done", end=True), method="head"),
    harmless("content-length-said-twice", wire.response(1, ("content-length", "4"), ("content-length", "4")) + CONTENT),
    # RFC 7541: blocks that are wrong.
    *(
        wrong(f"hpack-{name}", wire.headers(1, block), COMPRESSION)
        for name, block in (
            ("index-zero", b"\x80"),
            ("index-beyond-the-tables", b"\xff\x80\x01"),
            ("integer-without-end", b"\xff" + b"\xff" * 20),
            ("integer-of-16-kib", b"\xff" * 16_000),
            ("integer-of-64-bits", b"\xff" + b"\xff" * 9 + b"\x7f"),
            ("string-beyond-the-block", b"\x00\x01a\x7f\xff\xff\xff\x7f"),
            ("huffman-with-eos", b"\x00\x01a\x84\xff\xff\xff\xff"),
            ("huffman-padding-too-long", b"\x00\x01a\x82\x1f\xff"),
            ("huffman-padding-of-zeros", b"\x00\x01a\x81\x18"),
            ("table-size-above-ours", b"\x3f\xe1\xff\x03\x88"),
            ("table-size-late", b"\x88\x20"),
            ("block-cut", b"\x88\x40\x05ab"),
        )
    ),
    # Made to be expensive.
    malformed("hpack-bomb", in_frames(BOMB) + CONTENT, wire.CANCEL, "6.5.2"),
    Scenario("hpack-bomb-on-every-stream", bomb_on_many, act="many", options={"count": 20}, content=b"done"),
    harmless("hpack-cookie-crumbs", wire.headers(1, COOKIE_CRUMBS[:13_601]) + CONTENT),
    malformed("hpack-cookie-crumbs-beyond-the-limit", wire.headers(1, COOKIE_CRUMBS[:16_001]) + CONTENT, wire.CANCEL),
    harmless("hpack-thousands-of-fields", in_frames(MANY_SMALL) + CONTENT),
    Scenario(
        "header-section-of-8-mib", eight_mebibytes, "RemoteProtocolError", goaway=wire.ENHANCE_YOUR_CALM, says="10.5.1"
    ),
    malformed(
        "header-section-one-octet-too-long",
        in_frames(b"\x88" + long_literal(b"x", b"v" * (256 * 1024 - 2 * 32 - 10 - 1 + 1))) + CONTENT,
        wire.CANCEL,
    ),
    Scenario("hpack-table-size-flood", changing_table, "RemoteProtocolError", goaway=COMPRESSION),
]
