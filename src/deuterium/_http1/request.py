"""A request's head as octets (RFC 9112 sections 3 and 5), and what its fields say about its content."""

from __future__ import annotations

from .._http import field as fields
from .._http.exchange import Exchange
from ..errors import LocalProtocolError
from .constants import CHUNKED, CLOSE, CONNECTION, EXPECT, HOST, LENGTH, UPGRADE

FLAG_OF_NAME = {
    "content-length": LENGTH,
    "transfer-encoding": CHUNKED,
    "expect": EXPECT,
    "connection": CONNECTION,
    "upgrade": UPGRADE,
    "host": HOST,
}


class RequestEncoder:
    """Encodes heads; ``flags`` and ``content_length`` (-1: none) describe the one encoded last.

    The lines of ``Exchange.common`` are kept for as long as requests come with the same tuple.
    """

    __slots__ = (
        "common",
        "common_flags",
        "common_length",
        "common_text",
        "content_length",
        "flags",
        "forward",
        "forward_text",
    )

    def __init__(self) -> None:
        self.common: tuple[tuple[str, str], ...] = ()
        self.common_text = ""
        self.common_flags = 0
        self.common_length = -1
        self.flags = 0
        self.content_length = -1
        self.forward = False
        self.forward_text = ""

    def forward_by(self, section: tuple[tuple[str, str], ...]) -> None:
        """Requests go to a proxy from now on: in absolute-form (RFC 9112 section 3.2.2), with these fields for it."""
        self.forward_text = self._lines(section)
        self.forward = True

    def encode(self, exchange: Exchange) -> bytes:
        """Request line, Host first, then the fields and what frames the content.

        Raises LocalProtocolError, and nothing that could be read as a second line or request is ever in the result.
        """
        if exchange.common is not self.common:
            self._keep_common(exchange.common)
        self.flags = self.common_flags
        self.content_length = self.common_length
        lines = self.common_text
        if exchange.extra:
            lines += self._lines(exchange.extra)
        method = exchange.method
        authority = exchange.authority
        target = authority if method == "CONNECT" else exchange.path
        if self.forward and method != "CONNECT":
            target = self._absolute(exchange)
            lines += self.forward_text
        fields.check_name(method)
        _check_visible(target, "request target", "3.2")
        if authority:
            _check_visible(authority, "authority", "3.2")
        lines += self._framing(exchange)
        return f"{method} {target} HTTP/1.1\r\nHost: {authority}\r\n{lines}\r\n".encode("latin-1")

    def _absolute(self, exchange: Exchange) -> str:
        """The whole URL. Its authority is the origin's, whatever Host says; ``*`` becomes no path (section 3.2.4)."""
        authority = exchange.authority if exchange.origin is None else exchange.origin.authority
        path = "" if exchange.path == "*" else exchange.path
        return f"{exchange.scheme}://{authority}{path}"

    def encode_trailers(self, trailers: tuple[tuple[str, str], ...]) -> bytes:
        """A trailer section (section 7.1.2), its empty line included. Raises LocalProtocolError."""
        self.flags = 0
        lines = self._lines(trailers)
        if self.flags:
            raise LocalProtocolError("RFC 9110 6.5.1: a field about framing, routing or the connection in the trailers")
        return (lines + "\r\n").encode("latin-1")

    def _keep_common(self, common: tuple[tuple[str, str], ...]) -> None:
        self.flags = 0
        self.content_length = -1
        self.common = ()
        text = self._lines(common)
        self.common_text = text
        self.common_flags = self.flags
        self.common_length = self.content_length
        self.common = common

    def _lines(self, section: tuple[tuple[str, str], ...]) -> str:
        lines = []
        for name, value in section:
            fields.check_name(name)
            fields.check_value(value)
            lower = name.lower()
            flag = FLAG_OF_NAME.get(lower)
            if flag is not None:
                self._classify(flag, value)
            # Some peers still compare the letters as well; "Title-Case" is what they expect.
            lines.append(f"{lower.title()}: {value}\r\n")
        return "".join(lines)

    def _classify(self, flag: int, value: str) -> None:
        if flag == HOST:
            raise LocalProtocolError("RFC 9112 3.2: Host comes from the authority, not from the fields")
        if flag == LENGTH:
            length = fields.decimal(value)
            if length < 0 or self.flags & LENGTH:
                raise LocalProtocolError("RFC 9110 8.6: content-length is one decimal of at most 18 digits")
            self.content_length = length
        elif flag == CHUNKED:
            if self.flags & CHUNKED or value.lower() != "chunked":
                raise LocalProtocolError("RFC 9112 6.1: no transfer coding but chunked, once, can be sent")
        elif flag == EXPECT:
            if value.lower() != "100-continue":
                raise LocalProtocolError("RFC 9110 10.1.1: no expectation but 100-continue is defined")
        elif flag == CONNECTION:
            if "close" in [token.strip(" \t") for token in value.lower().split(",")]:
                flag |= CLOSE
        self.flags |= flag

    def _framing(self, exchange: Exchange) -> str:
        """Section 6: the lines that delimit the content, after checking those the caller gave."""
        flags = self.flags
        if flags & LENGTH and flags & CHUNKED:
            raise LocalProtocolError("RFC 9112 6.2: content-length beside transfer-encoding")
        if exchange.method == "CONNECT" or exchange.protocol:
            if flags & (LENGTH | CHUNKED | EXPECT) or exchange.body is not None:
                raise LocalProtocolError("RFC 9110 9.3.6: a request that opens a tunnel has no content")
            if not exchange.protocol or flags & UPGRADE:
                return ""
            fields.check_value(exchange.protocol)
            self.flags |= UPGRADE
            return f"Connection: Upgrade\r\nUpgrade: {exchange.protocol}\r\n"
        if exchange.body is not None:
            return self._framing_of_body(len(exchange.body))
        if exchange.has_content:
            return "" if flags & (LENGTH | CHUNKED) else "Transfer-Encoding: chunked\r\n"
        if flags & (CHUNKED | EXPECT) or self.content_length > 0:
            raise LocalProtocolError("RFC 9110 8.6: fields that announce content, and no content")
        return ""

    def _framing_of_body(self, length: int) -> str:
        if self.flags & LENGTH and self.content_length != length:
            raise LocalProtocolError("RFC 9112 6.2: the content is not as long as its content-length")
        if self.flags & (LENGTH | CHUNKED):
            return ""
        self.flags |= LENGTH
        self.content_length = length
        return f"Content-Length: {length}\r\n"


def _check_visible(text: str, what: str, section: str) -> None:
    """Section 3: nothing but visible ASCII may stand where a space or a line end would begin something else."""
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise LocalProtocolError(f"RFC 9112 {section}: the {what} {text[:64]!r} is not visible ASCII")
