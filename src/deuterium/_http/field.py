"""One validated, classified field line.

A field line is checked once, when it is made. HPACK's tables keep finished ``Field``s, so that an indexed
field line costs neither a check nor a copy.
"""

from __future__ import annotations

from deuterium._http.field_kind import (
    CONNECTION_SPECIFIC,
    CONTENT_LENGTH,
    KIND_OF_NAME,
    MALFORMED,
    OTHER_PSEUDO,
    STATUS,
    TE,
)
from deuterium._memory import octets
from deuterium.errors import LocalProtocolError

LINE_OVERHEAD = 32  # RFC 7541 section 4.1, RFC 9113 section 10.5.1
DIGITS_LIMIT = 18  # the longest that fits 63 bits whatever the digits

_TCHAR = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
# A table of octets is a bytes object when interpreted and a pointer into that object when compiled.
_token_octets = bytes(chr(octet) in _TCHAR for octet in range(256))
TOKEN = _token_octets
_name_octets = bytes(chr(octet) in _TCHAR and not 65 <= octet <= 90 for octet in range(256))
NAME = _name_octets
_value_octets = bytes(octet == 9 or (octet >= 32 and octet != 127) for octet in range(256))
VALUE = _value_octets

NUL = "\0"
CR = "\r"
LF = "\n"


class Field:
    """A field line whose octets are latin-1 characters: ``size`` counts octets, as RFC 9113 section 10.5.1
    does.

    ``kind``: bits of :mod:`deuterium._http.field_kind`; ``name_kind``: those its name alone decides;
    ``number``: the value of ``:status`` and ``content-length``, -1 for every other field; ``sharing``: which values of
    this name a string pool takes, 0 until it was asked.
    """

    __slots__ = ("kind", "name", "name_kind", "number", "pair", "sharing", "size", "value")

    name: str
    value: str
    pair: tuple[str, str]
    kind: int
    name_kind: int
    number: int
    sharing: int
    size: int

    def __repr__(self) -> str:
        return f"Field({self.name!r}, {self.value!r}, kind={self.kind})"


def make_field(name: str, value: str) -> Field:
    """The field line ``name: value``; what is wrong with it is in its ``kind``, nothing is raised.

    >>> make_field("content-length", "42").number
    42
    """
    return build_field(name, kind_of_name(name), 0, value, has_illegal_octet(value, len(value)))


def build_field(name: str, name_kind: int, sharing: int, value: str, illegal: bool) -> Field:
    """The same when what the name decides is known already, as it is for a name out of HPACK's tables, and what
    :func:`has_illegal_octet` says of the value.
    """
    length = len(value)
    kind = name_kind
    number = -1
    if kind & (STATUS | CONTENT_LENGTH | TE):
        if kind & TE:
            kind ^= TE
            if value != "trailers":
                kind |= CONNECTION_SPECIFIC
        else:
            number = decimal(value)
            if number < 0 or (kind & STATUS and (length != 3 or number < 100)):
                kind |= MALFORMED
                number = -1
    if illegal:
        kind |= MALFORMED
    field = Field.__new__(Field)
    field.name = name
    field.value = value
    field.pair = (name, value)
    field.kind = kind
    field.name_kind = name_kind
    field.number = number
    field.sharing = sharing
    field.size = len(name) + length + LINE_OVERHEAD
    return field


def has_illegal_octet(value: str, length: int) -> bool:
    """RFC 9113 section 8.2.1: NUL, CR or LF anywhere, or whitespace at either end."""
    if not length:
        return False
    if value[0] in " \t" or value[length - 1] in " \t":
        return True
    if not octets.COMPILED:
        return CR in value or LF in value or NUL in value
    for character in value:  # noqa: SIM110  # compiled, the loop is C; any() would make it a generator
        if character <= CR and (character == CR or character == LF or character == NUL):  # noqa: SIM109, PLR1714
            return True
    return False


def kind_of_name(name: str) -> int:
    """The bits a name alone decides."""
    known = KIND_OF_NAME.get(name)
    if known is not None:
        return known
    if not name:
        return MALFORMED
    if name[0] == ":":
        return OTHER_PSEUDO
    for character in name:
        octet = ord(character)
        if octet > 127 or not NAME[octet]:
            return MALFORMED
    return 0


def decimal(text: str) -> int:
    """The value of 1*DIGIT, at most 18 of them; -1 for anything else."""
    if not 0 < len(text) <= DIGITS_LIMIT:
        return -1
    number = 0
    for character in text:
        digit = ord(character) - 48
        if digit < 0 or digit > 9:
            return -1
        number = number * 10 + digit
    return number


def broken_rule(field: Field) -> str:
    """The rule that a MALFORMED or CONNECTION_SPECIFIC field breaks."""
    name, value = field.name, field.value
    if field.kind & CONNECTION_SPECIFIC:
        return f"RFC 9113 8.2.2: connection-specific field {name!r}"
    if field.name_kind & MALFORMED:
        return f"RFC 9113 8.2.1: illegal field name {name[:64]!r}"
    if any(octet in value for octet in (NUL, CR, LF)):
        return f"RFC 9113 8.2.1: NUL, CR or LF in the value of {name!r}"
    if value.strip(" \t") != value:
        return f"RFC 9113 8.2.1: whitespace around the value of {name!r}"
    if field.name_kind & STATUS:
        return f"RFC 9113 8.3.2: :status {value[:64]!r} is not three digits from 100 on"
    return f"RFC 9110 8.6: content-length {value[:64]!r} is not a decimal of at most {DIGITS_LIMIT} digits"


def check_name(name: str) -> None:
    """Refuse a field name that is not a token; the caller's letter case is left to the HTTP version.

    Raises LocalProtocolError (RFC 9110 section 5.1).
    """
    if not name:
        raise LocalProtocolError("RFC 9110 5.1: a field name is empty")
    for character in name:
        octet = ord(character)
        if octet > 127 or not TOKEN[octet]:
            raise LocalProtocolError(f"RFC 9110 5.1: field name {name[:64]!r} is not a token")


def check_value(value: str) -> None:
    """Refuse a field value no sender may generate. It may be empty; characters stand for octets (latin-1).

    Raises LocalProtocolError (RFC 9110 section 5.5).
    """
    length = len(value)
    if not length:
        return
    if value[0] in " \t" or value[length - 1] in " \t":
        raise LocalProtocolError("RFC 9110 5.5: whitespace around a field value")
    # Interpreted, two calls accept nearly every value; compiled, the loop is faster than the calls.
    if not octets.COMPILED and value.isascii() and value.isprintable():
        return
    for character in value:
        octet = ord(character)
        if octet > 255:
            raise LocalProtocolError("RFC 9110 5.5: a field value has a character outside latin-1")
        if not VALUE[octet]:
            raise LocalProtocolError(f"RFC 9110 5.5: control character {character!r} in a field value")
