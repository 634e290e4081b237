"""Lines out of text or octets that come in pieces, cut anywhere."""

from __future__ import annotations

from typing import AnyStr, ClassVar, Final, Generic

from ..errors import DecodingError

# One line that never ends must not collect in memory. Far above any log line, below what hurts.
MAX_LINE: Final = 64 * 1024 * 1024


class _Lines(Generic[AnyStr]):
    """Splits at what ``splitlines`` splits at; a CR at the end of a piece waits for the LF that may follow."""

    __slots__ = ("cr", "limit", "partial", "size")

    nothing: AnyStr
    carriage_return: AnyStr
    ends: ClassVar[tuple[str, ...] | tuple[bytes, ...]]

    def __init__(self, limit: int = MAX_LINE) -> None:
        self.limit = limit
        self.partial: list[AnyStr] = []  # pieces of the line that has no end yet
        self.size = 0  # of them
        self.cr = False

    def feed(self, piece: AnyStr) -> list[AnyStr]:
        """The lines that are complete, without their ends. DecodingError if one is longer than the limit."""
        if self.cr:
            piece = self.carriage_return + piece
        self.cr = piece.endswith(self.carriage_return)
        if self.cr:
            piece = piece[:-1]
        if not piece:
            return []
        lines = piece.splitlines()
        whole = piece.endswith(self.ends)  # type: ignore[arg-type]
        if self.partial and (whole or len(lines) > 1):
            self._grow(lines[0])
            lines[0] = self._join()
        if not whole:
            self._grow(lines.pop())
        if lines and max(map(len, lines)) > self.limit:
            raise _too_long(self.limit)
        return lines

    def finish(self) -> list[AnyStr]:
        """The last line, if it had no end."""
        if not self.partial and not self.cr:
            return []
        self.cr = False
        return [self._join()]

    def _grow(self, part: AnyStr) -> None:
        self.size += len(part)
        if self.size > self.limit:
            raise _too_long(self.limit)
        self.partial.append(part)

    def _join(self) -> AnyStr:
        line = self.nothing.join(self.partial)
        self.partial = []
        self.size = 0
        return line


class TextLines(_Lines[str]):
    """Lines as ``str.splitlines`` sees them, which is what httpx's ``iter_lines`` gives.

    >>> lines = TextLines()
    >>> lines.feed("one\\r"), lines.feed("\\ntwo\\nth"), lines.finish()
    ([], ['one', 'two'], ['th'])
    """

    __slots__ = ()

    nothing = ""
    carriage_return = "\r"
    ends = ("\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")


class OctetLines(_Lines[bytes]):
    """Lines of octets, each ended by CR, LF or CRLF."""

    __slots__ = ()

    nothing = b""
    carriage_return = b"\r"
    ends = (b"\n", b"\r")


class RecordLines:
    """Records of newline-delimited JSON: each ended by LF and nothing else, empty ones left out.

    U+2028 and a lone CR may stand inside a record.

    >>> records = RecordLines()
    >>> records.feed(b'{"a": 1}\\r\\n\\n[2'), records.feed(b"]"), records.finish()
    ([b'{"a": 1}'], [], [b'[2]'])
    """

    __slots__ = ("limit", "partial", "size")

    def __init__(self, limit: int = MAX_LINE) -> None:
        self.limit = limit
        self.partial: list[bytes] = []
        self.size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The records that are complete. DecodingError if one is longer than the limit."""
        first, *others = data.split(b"\n")
        self._grow(first)
        if not others:
            return []
        records = [b"".join(self.partial), *others]
        last = records.pop()
        self.partial = []
        self.size = 0
        self._grow(last)
        if max(map(len, records)) > self.limit:
            raise _too_long(self.limit)
        return [record for line in records if (record := line.strip(b" \t\r"))]

    def finish(self) -> list[bytes]:
        """The last record, if it had no end."""
        record = b"".join(self.partial).strip(b" \t\r")
        self.partial = []
        self.size = 0
        return [record] if record else []

    def _grow(self, part: bytes) -> None:
        self.size += len(part)
        if self.size > self.limit:
            raise _too_long(self.limit)
        if part:
            self.partial.append(part)


def _too_long(limit: int) -> DecodingError:
    return DecodingError(f"a line is longer than {limit}", initiator="library")
