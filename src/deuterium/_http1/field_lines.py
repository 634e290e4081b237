"""One received header or trailer section (RFC 9112 sections 4, 5 and 7.1.2): where it ends and what it says.

httptools parses the lines. What it lets pass is checked here: the section's size and line ends before it sees them,
versions, statuses, reason phrases, lengths and transfer codings after.
"""

from __future__ import annotations

from typing import Any

import httptools

from .._http import field as fields
from .._http.field import Field
from .._http.field_kind import CONTENT_LENGTH, MALFORMED
from .._memory import octets
from ..errors import RemoteProtocolError
from .constants import MAX_LINES, MAX_SECTION
from .names import KNOWN_NAMES

VERSION = b"HTTP/1."
LF = 10
CR = 13
SP = 32
HTAB = 9


class FieldLines:
    """Collects one section at a time; ``begin`` forgets the last.

    ``pairs``: the fields in order, names in lower case; ``kinds``: their bits, or-ed; ``status`` and ``reason``: of
    the status line; ``persistent``: the version and the connection options allow another exchange (section 9.3);
    ``content_length``: -1 when absent; ``codings``: the transfer-encoding values.
    """

    __slots__ = (
        "close",
        "codings",
        "content_length",
        "keep_alive",
        "kinds",
        "line",
        "lines",
        "pairs",
        "parser",
        "persistent",
        "reason",
        "rule",
        "scanned",
        "status",
        "strings",
        "trailers",
        "version",
    )

    def __init__(self, strings: Any) -> None:
        self.strings = strings
        self.parser: Any = None
        self.version = "1.1"
        self.begin()

    def begin(self) -> None:
        """Expect a header section."""
        self.trailers = False
        self.line = 0  # where the current line begins and how far it was scanned, from the section's first octet
        self.scanned = 0
        self.lines = 0
        self.pairs: list[tuple[str, str]] = []
        self.kinds = 0
        self.status = 0
        self.reason = ""
        self.rule = ""
        self.content_length = -1
        self.codings: list[str] = []
        self.close = False
        self.keep_alive = False
        self.persistent = False

    def begin_trailers(self) -> None:
        """Expect the trailer section of the message whose header section came last."""
        self.trailers = True
        self.line = 0
        self.scanned = 0
        self.lines = 0
        self.pairs = []

    def find_end(self, data: bytearray, start: int, end: int) -> int:
        """The offset behind the section that begins at ``start``; -1: it goes on behind ``end``.

        Called again with the same section, it goes on where it stopped. Raises RemoteProtocolError.
        """
        if not self.trailers and self.scanned < len(VERSION):
            size = min(end - start, len(VERSION))
            if octets.take(data, start, start + size) != VERSION[:size]:
                raise _fault("RFC 9112 2.3: the peer does not answer in HTTP/1.x")
        limit = min(end, start + MAX_SECTION)
        line = start + self.line
        position = start + self.scanned
        while True:
            newline = find_line_end(data, position, limit)
            if newline < 0:
                if limit - start == MAX_SECTION:
                    raise _fault(f"RFC 9112 5: a field section longer than {MAX_SECTION} octets")
                self.line = line - start
                self.scanned = limit - start
                return -1
            # Section 2.2 lets a recipient take a lone LF for a line end; what passes it on may not, so nobody may.
            if newline == line or data[newline - 1] != CR:
                raise _fault("RFC 9112 2.2: a line that does not end with CR LF")
            if newline == line + 1:
                return newline + 1
            if data[line] == SP or data[line] == HTAB:
                raise _fault("RFC 9112 5.2: a field line folded over several lines")
            self.lines += 1
            if self.lines > MAX_LINES:
                raise _fault(f"RFC 9112 5: more than {MAX_LINES} lines in a field section")
            line = newline + 1
            position = line

    def parse(self, data: bytearray, start: int, end: int) -> None:
        """Read the section that ``find_end`` found. Raises RemoteProtocolError."""
        section = octets.take(data, start, end)
        if self.trailers:
            if not self.lines:
                return
            # The parser of the header section is where the first chunk begins: the last chunk leads to the trailers.
            section = b"0\r\n" + section
        else:
            self.parser = httptools.HttpResponseParser(self)
        try:
            self.parser.feed_data(section)
        except httptools.HttpParserUpgrade:
            pass
        except httptools.HttpParserError as error:
            raise _fault(f"RFC 9112 5: {error}") from None
        if not self.trailers:
            self._check_status_line()
        if not self.rule and len(self.pairs) + (not self.trailers) != self.lines:
            self.rule = "RFC 9112 5: lines that are no field lines"
        if self.rule:
            raise _fault(self.rule)

    def drop_parser(self) -> None:
        """The parser and this object hold each other: let go as soon as no section of the message is to come."""
        self.parser = None

    def _check_status_line(self) -> None:
        version = self.parser.get_http_version()
        self.version = version
        self.status = self.parser.get_status_code()
        if version not in ("1.1", "1.0"):
            self.rule = f"RFC 9112 2.3: a response in HTTP/{version}"
        elif self.status < 100:
            self.rule = "RFC 9112 4: a status below 100"
        # Section 9.3.
        self.persistent = not self.close and (version == "1.1" or self.keep_alive)

    # -- what the parser calls: nothing here raises ------------------------------------------------------------------

    def on_status(self, reason: bytes) -> None:
        """The reason phrase."""
        text = reason.decode("latin-1")
        if not text.isprintable() and has_control(text):
            self.rule = "RFC 9112 4: a control character in the reason phrase"
        self.reason = text

    def on_header(self, raw_name: bytes, raw_value: bytes) -> None:
        """One field line, of the header or the trailer section."""
        known = KNOWN_NAMES.get(raw_name)
        name = known if known is not None else self._name(raw_name)
        value = raw_value.decode("latin-1")
        length = len(value)
        if length and (value[0] in " \t" or value[length - 1] in " \t"):
            value = value.strip(" \t")
        if self.strings is not None:
            value = self.strings.value(name, value)
        field = fields.make_field(name, value)
        self.pairs.append(field.pair)
        if field.kind:
            self._classify(field)

    def _name(self, raw_name: bytes) -> str:
        name = raw_name.decode("latin-1").lower()
        return name if self.strings is None else self.strings.name(name)

    def _classify(self, field: Field) -> None:
        kind = field.kind
        if kind & MALFORMED:
            if kind & CONTENT_LENGTH:
                self.rule = f"RFC 9110 8.6: content-length {field.value[:64]!r} is not a decimal of at most 18 digits"
            else:
                self.rule = f"RFC 9112 5: the malformed field {field.name[:64]!r}"
        elif self.trailers:
            # RFC 9110 section 6.5.1: trailers never change how the message was framed.
            if kind & CONTENT_LENGTH or field.name == "transfer-encoding":
                self.rule = f"RFC 9110 6.5.1: {field.name!r} in a trailer section"
        else:
            self.kinds |= kind
            if kind & CONTENT_LENGTH:
                self.content_length = field.number
            elif field.name == "transfer-encoding":
                self.codings.append(field.value)
            elif field.name == "connection":
                for option in field.value.lower().split(","):
                    if option.strip(" \t") == "close":
                        self.close = True
                    elif option.strip(" \t") == "keep-alive":
                        self.keep_alive = True


def find_line_end(data: bytearray, start: int, end: int) -> int:
    """The offset of the first LF in ``data[start:end]``, or -1."""
    if not octets.COMPILED:
        return data.find(LF, start, end)
    if start < 0 or end > len(data):
        raise IndexError("octets outside the buffer")
    p = data
    for position in range(start, end):
        if p[position] == LF:
            return position
    return -1


def has_control(text: str) -> bool:
    """Whether a character is one that section 4 keeps out of a reason phrase."""
    for character in text:  # noqa: SIM110  # compiled, any() is a generator and this is not
        if (character < " " and character != "\t") or character == "\x7f":
            return True
    return False


def _fault(rule: str) -> RemoteProtocolError:
    return RemoteProtocolError(rule, scope="connection")
