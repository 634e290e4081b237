"""Charsets: which one a message names, and text cut anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._http.charset import TextDecoder, charset_of, decode_text, is_charset, parameter


@pytest.mark.rfc("9110", "8.3")
@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        (None, None),
        ("", None),
        ("text/html", None),
        ("text/html; charset=utf-8", "utf-8"),
        ("text/html;CHARSET=ISO-8859-1", "ISO-8859-1"),
        ('text/html; charset="shift_jis"; x=y', "shift_jis"),
        ('text/html; x="; charset=ascii"; charset=utf-16', "utf-16"),
        ('text/html; x="a\\"; charset=ascii"; charset=utf-16', "utf-16"),
        ('text/html; charset="utf\\-8"', "utf-8"),
        ("text/html; charset", None),
        ("text/html; charset=", None),
        ("text/html; xcharset=utf-8", None),
        ("text/html; charset=klingon", None),
        ("text/html; charset=zlib", None),
        ("text/html; charset=rot13", None),
        ("text/html; charset=hex", None),
        ("text/html; charset=idna", None),
        ("text/html; charset=unicode_escape", None),
        ("text/html; charset=utf-7", None),
        ("text/html; charset=../../etc/passwd", None),
        ("text/html; charset=utf-8\0", None),
        ("text/html; charset=" + "x" * 10_000, None),
        ("text/html; charset=é", None),
    ],
)
def test_charset_is_the_one_named_if_it_decodes_text(content_type: str | None, charset: str | None) -> None:
    assert charset_of(content_type) == charset


def test_charset_name_at_the_longest_is_looked_up_and_beyond_it_not() -> None:
    assert is_charset("latin_1".ljust(40, "_"))
    assert not is_charset("latin_1".ljust(41, "_"))


@pytest.mark.parametrize(
    ("value", "boundary"),
    [
        ("multipart/form-data; boundary=abc", "abc"),
        ('multipart/form-data; boundary="a;b=c"', "a;b=c"),
        ('multipart/form-data; boundary="a', '"a'),
        ("multipart/form-data; boundary=a=b", "a=b"),
    ],
)
def test_parameter_is_found_whatever_is_quoted(value: str, boundary: str) -> None:
    assert parameter(value, "boundary") == boundary


@given(st.text(), st.sampled_from(["utf-8", "utf-16", "gb18030", "utf-8-sig"]), st.integers(1, 7))
def test_text_in_pieces_is_the_text_as_a_whole(text: str, charset: str, size: int) -> None:
    content = text.encode(charset, "replace")
    decoder = TextDecoder(charset)
    pieces = [decoder.decode(content[at : at + size]) for at in range(0, len(content), size)]
    assert "".join([*pieces, decoder.finish()]) == decode_text(content, charset)


@given(st.binary())
def test_any_octets_decode_without_an_error(content: bytes) -> None:
    decoder = TextDecoder()
    pieces = [decoder.decode(bytes([octet])) for octet in content]
    assert "".join([*pieces, decoder.finish()]) == decode_text(content)


def test_character_cut_at_the_end_is_replaced() -> None:
    decoder = TextDecoder()
    assert decoder.decode(b"a\xe2\x82") == "a"
    assert decoder.finish() == "\ufffd"
