"""One received field section: its fields, and the first rule they break together."""

from __future__ import annotations

from deuterium._http import field as fields
from deuterium._http.field import Field
from deuterium._http.field_kind import (
    CONNECTION_SPECIFIC,
    CONTENT_LENGTH,
    MALFORMED,
    OTHER_PSEUDO,
    STATUS,
)


def sections_size(pairs: list[tuple[str, str]], before: list[tuple[int, list[tuple[str, str]]]]) -> int:
    """What a section and those of earlier interim responses hold, counted as RFC 9113 section 10.5.1 says."""
    size = sum(len(name) + len(value) + 32 for name, value in pairs)
    return size + sum(len(name) + len(value) + 32 for _, earlier in before for name, value in earlier)


class FieldSection:
    """Collects a response's header or trailer section while it is decoded.

    ``pairs``: the regular fields in order; ``kinds``: the bits of every field, or-ed; ``status`` and
    ``content_length``: -1 when absent; ``size``: octets counted as RFC 9113 section 10.5.1 says, past
    ``limit`` too; ``overflow``: ``size`` passed ``limit``, and no field was stored from there on;
    ``error``: the first rule broken, with its section, "" for none.
    """

    __slots__ = (
        "content_length",
        "error",
        "kinds",
        "limit",
        "overflow",
        "pairs",
        "size",
        "status",
        "trailers",
    )

    pairs: list[tuple[str, str]]
    kinds: int
    status: int
    content_length: int
    size: int
    limit: int
    overflow: bool
    error: str
    trailers: bool

    def __init__(self) -> None:
        self.begin(0, False)

    def begin(self, limit: int, trailers: bool) -> None:
        """Forget everything. ``pairs`` is a new list: the one before belongs to whoever took it."""
        self.pairs = []
        self.kinds = 0
        self.status = -1
        self.content_length = -1
        self.size = 0
        self.limit = limit
        self.overflow = False
        self.error = ""
        self.trailers = trailers

    def add(self, field: Field) -> None:
        """Take the next field of the section."""
        if field.kind:
            self._classified(field)
        else:
            self._store(field)

    def finish(self) -> None:
        """Check what only the end of the section can tell."""
        if self.status < 0 and not self.trailers:
            self._break("RFC 9113 8.3.2: no :status")

    def _store(self, field: Field) -> None:
        self.size += field.size
        if self.size > self.limit:
            self.overflow = True
        else:
            self.pairs.append(field.pair)

    def _classified(self, field: Field) -> None:
        kind = field.kind
        self.kinds |= kind
        if kind & (STATUS | OTHER_PSEUDO):
            self._pseudo(field)
        else:
            if kind & (CONNECTION_SPECIFIC | MALFORMED):
                self._break(fields.broken_rule(field))
            elif kind & CONTENT_LENGTH:
                # RFC 9110 section 8.6: a repeated content-length may only repeat itself.
                if self.content_length < 0:
                    self.content_length = field.number
                elif self.content_length != field.number:
                    self._break("RFC 9110 8.6: content-length fields differ")
            self._store(field)

    def _pseudo(self, field: Field) -> None:
        self.size += field.size
        if self.size > self.limit:
            self.overflow = True
        if self.trailers:
            self._break(f"RFC 9113 8.1: pseudo-header field {field.name[:64]!r} in a trailer section")
        elif self.pairs:
            self._break(f"RFC 9113 8.3: pseudo-header field {field.name[:64]!r} after a regular field")
        elif field.kind & OTHER_PSEUDO:
            self._break(f"RFC 9113 8.3: pseudo-header field {field.name[:64]!r} in a response")
        elif field.kind & MALFORMED:
            self._break(fields.broken_rule(field))
        elif self.status >= 0:
            self._break("RFC 9113 8.3: more than one :status")
        else:
            self.status = field.number

    def _break(self, rule: str) -> None:
        if not self.error:
            self.error = rule
