"""Which charset a message's text is in, and text out of octets as they come."""

from __future__ import annotations

import codecs
from typing import Any, Final

DEFAULT_CHARSET: Final = "utf-8"

# Python knows these as text encodings; no server means them, and some decode in quadratic time.
_REFUSED: Final = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})
_LONGEST_NAME: Final = 40  # of a registered charset (IANA)


def parameter(field_value: str, name: str) -> str | None:
    """The value of a parameter such as ``charset`` or ``boundary`` (RFC 9110 section 5.6.6).

    >>> parameter('text/html; Charset="utf-8"', "charset")
    'utf-8'
    """
    if ";" not in field_value:
        return None
    for part in split_parameters(field_value)[1:]:
        key, separator, value = part.partition("=")
        if separator and key.strip().lower() == name:
            return unquote(value.strip())
    return None


def split_parameters(field_value: str) -> list[str]:
    """``field_value`` at each semicolon outside a quoted string."""
    if '"' not in field_value:
        return field_value.split(";")
    parts = []
    start = 0
    quoted = escaped = False
    for at, character in enumerate(field_value):
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == ";" and not quoted:
            parts.append(field_value[start:at])
            start = at + 1
    parts.append(field_value[start:])
    return parts


def unquote(text: str) -> str:
    """A token, or the text inside a quoted string (RFC 9110 section 5.6.4)."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    inner = text[1:-1]
    if "\\" not in inner:
        return inner
    out = []
    escaped = False
    for character in inner:
        if character == "\\" and not escaped:
            escaped = True
        else:
            out.append(character)
            escaped = False
    return "".join(out)


def is_charset(name: str) -> bool:
    """``name`` is a charset that text can be decoded from here."""
    if not 0 < len(name) <= _LONGEST_NAME or not name.isascii() or not name.isprintable():
        return False
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    # The attribute is how CPython tells utf-8 from zlib and rot13; there is no public way to ask.
    return bool(getattr(info, "_is_text_encoding", True)) and info.name.replace("_", "-") not in _REFUSED


def charset_of(content_type: str | None) -> str | None:
    """The charset that content-type names, if it can be decoded; None otherwise."""
    if content_type is None:
        return None
    name = parameter(content_type, "charset")
    return name if name is not None and is_charset(name) else None


def decode_text(content: bytes, charset: str = DEFAULT_CHARSET) -> str:
    """All of ``content`` as text; what the charset does not allow becomes U+FFFD."""
    return content.decode(charset, "replace")


class TextDecoder:
    """Text out of octets that come in pieces, cut anywhere.

    >>> decoder = TextDecoder()
    >>> decoder.decode(b"D\\xe2\\x82") + decoder.decode(b"\\x82O") + decoder.finish()
    'D₂O'
    """

    __slots__ = ("inner",)

    def __init__(self, charset: str = DEFAULT_CHARSET) -> None:
        self.inner = codecs.getincrementaldecoder(charset)("replace")

    def decode(self, data: bytes) -> str:
        """The text that is complete."""
        return self.inner.decode(data)

    def finish(self) -> str:
        """The rest: a replacement for a character that was cut."""
        return self.inner.decode(b"", True)


class Reencoded:
    """What a Response asks its client, once an encoding was given to it."""

    __slots__ = ("decoding", "encoding", "json_codec")

    def __init__(self, defaults: Any, encoding: str) -> None:
        self.decoding = defaults.decoding
        self.json_codec = defaults.json_codec
        self.encoding = encoding
